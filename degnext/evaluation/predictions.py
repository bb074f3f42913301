"""Score predictions against the labels they come with, and say it in lines for the terminal."""

from __future__ import annotations

import numpy as np
import pandas as pd

from degnext.cohorts.cohort import TRAINING
from degnext.evaluation.metrics import evaluate, format_interval


def score(table: pd.DataFrame) -> pd.DataFrame:
    """Hold the predictions of a labelled cohort against its labels: a row per model and part.

    Columns model, part and those of ``evaluate``. Q: direction of the bio genes, two-class network
    and log-fold-change rule. T2: three classes, without retraining. A part not at hand has no row.
    """
    rows = []
    q = table[table["part"].isin(["F1", "T3"]) & (table["label"] != "neutral")]
    margins = {"two-class network": q["p_UR_if_DE"] - 0.5}
    margins["log-fold-change rule"] = q["log2_fold_change"]
    for name, margin in margins.items():
        if len(q):
            said = np.where(margin > 0, "UR", "DR")
            scores = evaluate(q["label"], said, np.column_stack([-margin, margin]))
            rows.append({"model": name, "part": "Q", **scores})
    t2 = table[table["part"] == "T2"]
    if len(t2):
        scores = evaluate(t2["label"], t2["class"], t2[["p_DR", "p_UR", "p_neutral"]].to_numpy())
        rows.append({"model": "three-class network", "part": "T2", **scores})
    return pd.DataFrame(rows).astype({"n": int} if rows else {})


def score_lines(cancer: str, scores: pd.DataFrame) -> list[str]:
    """Write the scores of a labelled cohort as lines for the terminal."""
    titles = {
        "Q": "UR or DR, {n:,} bio genes (Q)",
        "T2": "UR, DR or neutral, {n:,} genes of T2, network not retrained",
    }
    lines, parts = [], set(scores["part"]) if len(scores) else set()
    for part in (p for p in titles if p in parts):
        rows = scores[scores["part"] == part]
        lines.append(titles[part].format(n=rows["n"].iloc[0]) + ", 95 % intervals:")
        for s in rows.itertuples():
            accuracy = format_interval(s.accuracy, s.accuracy_low, s.accuracy_high, percent=True)
            mcc = format_interval(s.mcc, s.mcc_low, s.mcc_high)
            wrong = f"{round(s.n * (1 - s.accuracy)):,} wrong"
            lines.append(f"  {s.model:21} accuracy {accuracy}, MCC {mcc}, AUC {s.auc:.4f}, {wrong}")
    if "Q" not in parts:
        lines.append(f"{cancer} has no bio genes (F1, T3) at hand, so directions are not scored.")
    if cancer in TRAINING and parts:
        lines.append(f"The networks were trained on genes of {cancer}: these are no test scores.")
    return lines
