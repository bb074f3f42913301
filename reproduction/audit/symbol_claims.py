"""The audit's claims about gene symbols: rows against RNAseqDB, under either symbol."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

from degnext._common.paths import data_dir
from degnext.cohorts.demo import load_parameters
from reproduction.audit.files import cohort, present
from reproduction.sources import COMPLETE

FOLDER = data_dir() / "recovered_symbols"


@cache
def dictionary() -> pd.DataFrame:
    """Return the recovered dictionary, indexed by published symbol."""
    table = pd.read_csv(FOLDER / "dictionary.csv.gz", keep_default_na=False)
    return table.set_index("published_symbol")


def recovered_rows() -> pd.DataFrame:
    """Return how many rows of each whole cohort have a name, and how many the published one."""
    rows = []
    for name in COMPLETE:
        found = pd.read_csv(FOLDER / f"{name}.csv.gz", keep_default_na=False)
        named = found[found["symbol"] != ""]
        in_q = named[named["published_symbol"] != ""]
        row = {"cancer": name, "rows": len(found), "rows_named": len(named)}
        row["median_correlation"] = named["correlation"].median()
        same = (in_q["symbol"] == in_q["published_symbol"]).sum()
        rows.append(row | {"q_rows_named": len(in_q), "named_as_published": int(same)})
    return pd.DataFrame(rows).round(3)


def symbol_positions() -> pd.DataFrame:
    """Return where a row's true and published symbols stand in the list of genes by Ensembl id."""
    direct = dictionary().query("how == 'row by row' and position >= 0 and published_position >= 0")
    return direct[["position", "published_position"]].sort_values("position", ignore_index=True)


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
