"""The model card of the pretrained networks: their data, protocol, scores, limits and checksums."""

from __future__ import annotations

import json

_TITLES = (
    "Protocol",
    "UR or DR on bio genes (Q) of cohorts never trained on, "
    "two-class network against the log-fold-change rule",
    "Rule standard: UR, DR or neutral on cohorts never trained on, agreement with edgeR's calls",
    "Rule standard, few samples: lists with fdr= on eight cancers never trained on, means by "
    "samples per group",
    "Rule paper: UR, DR or neutral on T2 of cohorts never trained on, three-class network, "
    "not retrained",
    "Limits",
    "Weights",
)


def card() -> dict:
    """Return the model card of the pretrained networks (``model_card.json`` beside the weights)."""
    from degnext.learning.profile.pretrained import WEIGHTS

    return json.loads((WEIGHTS / "model_card.json").read_text(encoding="utf-8"))


def neutral_range() -> tuple[float, float]:
    """Return the lowest and highest three-class MCC on T2 of cohorts never trained on."""
    found = [v["t2_mcc"] for v in card()["three_class_untrained"].values()]
    return min(found), max(found)


def standard_scores() -> tuple[float, float, int]:
    """Return mean and lowest MCC of the standard network with edgeR on unseen tables, and of how
    many cohorts these are: some stand there with two sets of genes.
    """
    tables = card()["standard_untrained"]
    found = [v["mcc"] for v in tables.values()]
    return sum(found) / len(found), min(found), len({name.split(" (")[0] for name in tables})


def card_text() -> str:
    """Return the card for a terminal, and whether the checksums of the weights match."""
    from degnext._common.files import file_checksum
    from degnext.learning.profile.pretrained import WEIGHTS

    c, (low, high) = card(), neutral_range()
    training = ", ".join(f"{k} ({' '.join(v)})" for k, v in c["data"]["training"].items())
    direction = [
        f"{name}: {int(s['n_genes'])} genes, accuracy {s['accuracy']:.4f} "
        f"(rule {s['rule_accuracy']:.4f}), MCC {s['mcc']:.4f}, AUC {s['auc']:.4f}, "
        f"calibration error {s['ece']:.4f}"
        for name, s in c["transfer"].items()
    ]
    standard = [
        f"{name}: MCC {s['mcc']:.4f} (the test in its channels, without a network, "
        f"{s['mcc_no_network']:.4f})"
        for name, s in c["standard_untrained"].items()
    ]
    few = [
        f"{k}: average precision {s['ap']:.3f} (best test {s['ap_best_test']:.3f}); wrong calls at "
        f"fdr 0.05, 0.1, 0.2: {s['wrong_0.05']:.3f}, {s['wrong_0.1']:.3f}, {s['wrong_0.2']:.3f}"
        for k, s in c["standard_few_untrained"].items()
    ]
    general = [
        f"{name}: accuracy {s['t2_accuracy']:.4f}, MCC {s['t2_mcc']:.4f}"
        for name, s in c["three_class_untrained"].items()
    ]
    limits = [
        f"Rule paper: neutral calls do not transfer well (MCC {low:.2f} to {high:.2f} above); "
        "rule standard decides what is significant as edgeR would.",
        "Probabilities are calibrated for two classes (p_UR_if_DE) only.",
        *c["limits"],
    ]
    weights = []
    for name, f in c["files"].items():
        same = file_checksum(WEIGHTS / name, "sha256") == f"sha256:{f['sha256']}"
        state = f"{'matches' if same else 'DOES NOT match'} the file"
        weights.append(f"{name}: {f['weights']:,} weights, sha256 {f['sha256'][:16]}… ({state})")
    lines = [
        f"Model: {c['model']}, a small convolutional network that reads a gene's profile image",
        f"Trained on: {training}",
        f"Source: {c['data']['source']}",
    ]
    protocol = [f"{k.replace('_', ' ')}: {v}" for k, v in c["protocol"].items()]
    sections = (protocol, direction, standard, few, general, limits, weights)
    for title, items in zip(_TITLES, sections):
        lines += ["", title, *(f"- {item}" for item in items)]
    return "\n".join([*lines, "", f"Licence: {c['licence']}"])
