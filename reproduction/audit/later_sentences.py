"""What tables say of neutral calls, other laboratories, few samples, few genes: audit, 16 to 19."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd

from degnext.cohorts.paper import paper_table
from degnext.evaluation.metrics import accuracy_interval
from degnext.evaluation.record import saved_results
from degnext.learning.profile.pretrained import WEIGHTS
from reproduction.audit.claims import committed


def neutral() -> list[str]:
    """Say why neutral calls do not transfer, and that the standard rule's do."""
    card = json.loads((WEIGHTS / "model_card.json").read_text(encoding="utf-8"))
    theirs = pd.DataFrame(card["three_class_untrained"]).loc["t2_mcc"]
    again = saved_results("standard_labels").query("rule == 'paper'").set_index("cancer")
    again = again.loc[theirs.index, "mcc_published"]
    ours = saved_results("standard_network").query("labels_by == 'port'").set_index("cohort")["mcc"]
    return [
        f"Trained on the published labels of nine cancers and asked for {len(theirs)} others, a "
        f"network has a mean MCC of {theirs.mean():.2f} on T2 ({theirs.min():.2f} in "
        f"{theirs.idxmin()}, {theirs.max():.2f} in {theirs.idxmax()}). It is not the network's "
        "fault alone: the test that made the labels, run again on the published counts, agrees "
        f"with them with an MCC of {again.mean():.2f} only ({again.min():.2f} in "
        f"{again.idxmin()}). Trained on labels that *belong* to the counts it was shown (the "
        "standard rule, each draw of samples labelled at its own size), a network has "
        f"{ours.mean():.3f}, and {ours.min():.3f} at its lowest ({ours.idxmin()}). So neutral "
        "can be carried over once it means the same thing everywhere."
    ]


def elsewhere() -> list[str]:
    """Say how networks do on counts of other laboratories."""
    table = saved_results("standard_network").query("rows == 'expressed'").set_index("cohort")
    ours, old = table["mcc"], table["mcc_paper_rule"]
    worst = (np.log(table["ur_paper_rule"] + 1) - np.log(table["dr_paper_rule"] + 1)).idxmax()
    w = table.loc[worst]
    return [
        f"On {len(table)} whole cohorts, of other laboratories or counted by others, the network "
        f"of the paper's labels agrees with R's own edgeR (TMM) with a mean MCC of {old.mean():.2f}"
        f" ({old.min():.2f} to {old.max():.2f}). In {worst} it calls {w.ur_paper_rule:,.0f} genes "
        f"UR and {w.dr_paper_rule:,.0f} DR where edgeR has {w.ur_edger:,.0f} and "
        f"{w.dr_edger:,.0f}. The network of the standard rule has {ours.mean():.3f} "
        f"({ours.min():.2f} to {ours.max():.3f}) on the same genes. (That the paper's rule "
        "has no smallest fold change costs it part of this.)"
    ]


def few() -> list[str]:
    """Say what a lead at a method's own cut-off is worth, with three samples a group."""
    three = saved_results("few_samples").query("samples == 3").groupby("method")
    mean = three[["ap", "mcc_same", "mcc_own", "n_own", "wrong_own"]].mean()
    ours, lrt, ql = (mean.loc[name] for name in ("network", "edgeR LRT", "edgeR QL"))
    return [
        "Three samples a group, eight cancers never trained on. At their own cut-offs edgeR's "
        f"likelihood-ratio test has an MCC of {lrt.mcc_own:.2f}, its quasi-likelihood test "
        f"{ql.mcc_own:.2f}, the network's list {ours.mcc_own:.2f}; but they call {lrt.n_own:.0f}, "
        f"{ql.n_own:.0f} and {ours.n_own:.0f} genes, and {lrt.wrong_own:.0%}, {ql.wrong_own:.0%} "
        f"and {ours.wrong_own:.0%} of these are wrong. Told to call equally many, they have "
        f"{lrt.mcc_same:.3f}, {ql.mcc_same:.3f} and {ours.mcc_same:.3f}; ranked without any "
        f"cut-off, an average precision of {lrt.ap:.2f}, "
        f"{ql.ap:.2f} and {ours.ap:.2f}. Most of a lead in MCC, whoever has it, is a choice of how "
        "many genes to call."
    ]


def edge() -> list[str]:
    """Say how much a small part can show."""
    least = committed("carried_over").sort_values("t3_genes").iloc[0]
    printed = paper_table(2)["accuracy"]
    table = committed("carried_over").set_index("cancer")["t3_genes"]
    full = [c for c in table.index if printed.get(c, 0) >= 100]
    low = {c: 100 * accuracy_interval(table[c], table[c])[0] for c in full}
    said = ", ".join(f"{c} ({table[c]} genes: {v:.0f} %)" for c, v in low.items())
    return [
        f"T3 has as few as {least.t3_genes} genes a fold ({least.cancer}). Where Table 2 prints "
        f"100 %, all right is compatible with a true accuracy as low as: {said}."
    ]
