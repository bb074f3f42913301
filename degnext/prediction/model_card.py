"""The model card of the pretrained networks: their data, protocol, scores, limits and checksums."""

from __future__ import annotations

import json

from degnext._common.files import file_checksum
from degnext.learning.profile.pretrained import WEIGHTS

_SCORES = {  # a table of the card: its title, and how a cohort's scores are said
    "transfer": (
        "UR or DR on bio genes (Q) of cohorts never trained on, "
        "two-class network against the log-fold-change rule",
        "{n_genes:.0f} genes, accuracy {accuracy:.4f} (rule {rule_accuracy:.4f}), MCC {mcc:.4f}, "
        "AUC {auc:.4f}, calibration error {ece:.4f}",
    ),
    "standard_untrained": (
        "Rule standard: UR, DR or neutral on cohorts never trained on, against edgeR's calls",
        "MCC {mcc:.4f} (the test in its channels, without a network, {mcc_no_network:.4f})",
    ),
    "standard_few_untrained": (
        "Rule standard, few samples: lists with fdr= on eight cancers never trained on, means by "
        "samples per group",
        "average precision {ap:.3f} (best test {ap_best_test:.3f}); wrong calls at "
        "fdr 0.05, 0.1, 0.2: {wrong_0_05:.3f}, {wrong_0_1:.3f}, {wrong_0_2:.3f}",
    ),
    "three_class_untrained": (
        "Rule paper: UR, DR or neutral on T2 of cohorts never trained on, three-class network, "
        "not retrained",
        "accuracy {t2_accuracy:.4f}, MCC {t2_mcc:.4f}",
    ),
}


def card() -> dict:
    """Return the model card of the pretrained networks (``model_card.json`` beside the weights)."""
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
    c, (low, high) = card(), neutral_range()
    training = ", ".join(f"{k} ({' '.join(v)})" for k, v in c["data"]["training"].items())
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
    sections = {"Protocol": [f"{k.replace('_', ' ')}: {v}" for k, v in c["protocol"].items()]}
    for key, (title, said) in _SCORES.items():
        tables = {n: {k.replace(".", "_"): v for k, v in s.items()} for n, s in c[key].items()}
        sections[title] = [f"{name}: {said.format(**scores)}" for name, scores in tables.items()]
    for title, items in (sections | {"Limits": limits, "Weights": weights}).items():
        lines += ["", title, *(f"- {item}" for item in items)]
    return "\n".join([*lines, "", f"Licence: {c['licence']}"])
