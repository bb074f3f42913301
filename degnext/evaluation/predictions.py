"""TODO."""

from __future__ import annotations

import numpy as np
import pandas as pd

from degnext.cohorts.cohort import CLASS_NAMES, TRAINING


def score(table: pd.DataFrame) -> pd.DataFrame:
    """Hold the predictions of a labelled cohort against its labels: one row per model and part, metrics of ``evaluate``.

    Q: direction of the bio genes, two-class network and log-fold-change rule. T2: three classes, without retraining.
    A part that is not at hand has no row.
    """
    from degnext.evaluation.metrics import evaluate

    rows, code = [], {name: i for i, name in enumerate(CLASS_NAMES)}
    y = table["label"].map(code).to_numpy()
    q = (table["part"].isin(("F1", "T3")) & (table["label"] != "neutral")).to_numpy()
    if q.any():
        up, change = table["p_UR_if_DE"].to_numpy()[q], table["log2_fold_change"].to_numpy()[q]
        for name, value, cut in (
            ("two-class network", up, 0.5),
            ("log-fold-change rule", change, 0.0),
        ):
            result = evaluate(y[q], (value > cut).astype(int), np.stack([-value, value], 1))
            rows.append({"model": name, "part": "Q"} | result)
    t2 = (table["part"] == "T2").to_numpy()
    if t2.any():
        proba = table.loc[t2, ["p_DR", "p_UR", "p_neutral"]].to_numpy()
        rows.append(
            {"model": "three-class network", "part": "T2"}
            | evaluate(y[t2], table.loc[t2, "class"].map(code).to_numpy(), proba)
        )
    return pd.DataFrame(rows)


def score_lines(cancer: str, scores: pd.DataFrame) -> list[str]:
    """Write the scores of a labelled cohort as lines for the terminal."""
    from degnext.evaluation.metrics import format_interval

    titles = {
        "Q": "UR or DR, {n:,} bio genes (Q)",
        "T2": "UR, DR or neutral, {n:,} genes of T2, network not retrained",
    }
    lines, seen = [], ""
    for s in scores.to_dict("records"):
        if s["part"] != seen:
            lines.append(titles[s["part"]].format(n=s["n"]) + ", 95 % intervals:")
            seen = s["part"]
        accuracy = format_interval(
            s["accuracy"], s["accuracy_low"], s["accuracy_high"], percent=True
        )
        mcc = format_interval(s["mcc"], s["mcc_low"], s["mcc_high"])
        lines.append(
            f"  {s['model']:21} accuracy {accuracy}, MCC {mcc}, AUC {s['auc']:.4f}, {round(s['n'] * (1 - s['accuracy'])):,} wrong"
        )
    if not (len(scores) and (scores["part"] == "Q").any()):
        lines.append(f"{cancer} has no bio genes (F1, T3) at hand, so directions are not scored.")
    if cancer in TRAINING and len(scores):
        lines.append(f"The networks were trained on genes of {cancer}: these are no test scores.")
    return lines
