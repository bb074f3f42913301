"""The audit's claims about gene symbols: rows against RNAseqDB, under either symbol."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

from degnext._common.paths import data_dir
from degnext.cohorts.demo import load_parameters
from reproduction.audit.files import COMPLETE, cohort, present


@cache
def dictionary() -> pd.DataFrame:
    """Return the recovered dictionary, indexed by published symbol."""
    path = data_dir() / "recovered_symbols" / "dictionary.csv.gz"
    return pd.read_csv(path, keep_default_na=False).set_index("published_symbol")


def rates(cancer: str) -> pd.DataFrame:
    """Return RNAseqDB's counts per million in normal and tumor tissue, by symbol."""
    return load_parameters(cancer)[0][["normal", "tumor"]]


def symbol_levels() -> pd.DataFrame:
    """Return the rank correlation of a row's level with that of its gene in RNAseqDB."""
    reference = sum(np.log2(rates(c).sum(axis=1) + 0.1) for c in COMPLETE).dropna()
    rows = []
    for name in present():
        symbols = cohort(name).genes["published_symbol"]
        if not (symbols != "").any():
            continue
        mean = cohort(name).counts.mean(axis=1).to_numpy()
        level = pd.Series(np.log2(mean + 1), index=symbols)
        for how in ("row by row", "by rule"):
            known = dictionary().query("how == @how")["symbol"]
            known = known[known.index.isin(reference.index) & known.isin(reference.index)]
            keys = level.index[level.index.isin(known.index)]
            here = pd.Series(level[keys].to_numpy())
            row = {"cancer": name, "how": how, "rows": len(keys)}
            for column, names in (("published_symbol", keys), ("true_symbol", known[keys])):
                there = pd.Series(reference[names].to_numpy())
                row[column] = here.corr(there, method="spearman")
            rows.append(row)
    return pd.DataFrame(rows).round(2)


def symbol_labels() -> pd.DataFrame:
    """Return the percent of Q genes whose label has the sign of RNAseqDB's change."""
    rows = []
    for name in COMPLETE:
        c, rate = cohort(name), rates(name)
        rises = np.log2((rate["tumor"] + 0.1) / (rate["normal"] + 0.1)) > 0
        q = c.genes[c.genes["bio"] & (c.genes["symbol"] != "")]
        q = q[q["published_symbol"].isin(rises.index) & q["symbol"].isin(rises.index)]
        up = (q["label"] == "UR").to_numpy()
        row = {"cancer": name, "rows": len(q)}
        for column, key in (("published_symbol", "published_symbol"), ("true_symbol", "symbol")):
            row[column] = 100 * float((rises[q[key]].to_numpy() == up).mean())
        share = rises[q["published_symbol"]].mean()
        row["chance"] = 100 * float(share * up.mean() + (1 - share) * (1 - up.mean()))
        rows.append(row | {"n_dr": int((q["label"] == "DR").sum())})
    return pd.DataFrame(rows).round(1)
