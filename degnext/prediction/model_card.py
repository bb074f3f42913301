"""TODO."""

from __future__ import annotations

import json


def card() -> dict:
    """Return the model card of the pretrained networks (``degnext/weights/model_card.json``)."""
    from degnext.learning.profile.classifier import WEIGHTS

    return json.loads((WEIGHTS / "model_card.json").read_text(encoding="utf-8"))


def neutral_range() -> tuple[float, float]:
    """Return the lowest and the highest three-class MCC on T2 of cohorts never trained on, from the model card."""
    found = [v["t2_mcc"] for v in card()["three_class_untrained"].values()]
    return min(found), max(found)


def card_text() -> str:
    """Return the model card's main lines: data, protocol, scores on cohorts never trained on, limits, checksums."""
    from degnext._common.files import file_checksum
    from degnext.learning.profile.classifier import WEIGHTS

    c, lines = card(), []
    low, high = neutral_range()
    training = ", ".join(f"{k} ({' '.join(v)})" for k, v in c["data"]["training"].items())
    lines += [
        f"Model: {c['model']}, a small convolutional network that reads a gene's profile image",
        f"Trained on: {training}",
        f"Source: {c['data']['source']}",
    ]
    lines += ["", "Protocol"] + [f"- {k.replace('_', ' ')}: {v}" for k, v in c["protocol"].items()]
    lines += [
        "",
        "UR or DR on bio genes (Q) of cohorts never trained on, two-class network against the log-fold-change rule",
    ]
    for name, s in c["transfer"].items():
        lines.append(
            f"- {name}: {int(s['n_genes'])} genes, accuracy {s['accuracy']:.4f} (rule {s['rule_accuracy']:.4f}), MCC {s['mcc']:.4f}, "
            f"AUC {s['auc']:.4f}, calibration error {s['ece']:.4f}"
        )
    lines += [
        "",
        "UR, DR or neutral on T2 of cohorts never trained on, three-class network, not retrained",
    ]
    lines += [
        f"- {name}: accuracy {s['t2_accuracy']:.4f}, MCC {s['t2_mcc']:.4f}"
        for name, s in c["three_class_untrained"].items()
    ]
    lines += [
        "",
        "Limits",
        f"- Neutral calls do not transfer well (MCC {low:.2f} to {high:.2f} above): decide with a test such as edgeR what is significant.",
        "- Probabilities are calibrated for two classes (p_UR_if_DE) only.",
    ] + [f"- {text}" for text in c["limits"]]
    lines += ["", "Weights"]
    for name, f in c["files"].items():
        same = file_checksum(WEIGHTS / name, "sha256") == f"sha256:{f['sha256']}"
        lines.append(
            f"- {name}: {f['weights']:,} weights, sha256 {f['sha256'][:16]}… ({'matches' if same else 'DOES NOT match'} the file)"
        )
    return "\n".join([*lines, "", f"Licence: {c['licence']}"])
