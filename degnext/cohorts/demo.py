"""Synthetic twins: counts drawn from negative-binomial parameters of a real cohort's genes.

A twin keeps each gene's mean in normal and in tumor tissue, its dispersion, and the spread of
library sizes. It keeps no gene–gene correlation and no patient: each count is drawn on its own, so
nothing of a person can be read from it.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from degnext._common.errors import InputError
from degnext._common.paths import data_dir
from degnext.cohorts.cohort import Cohort

DEMO_CANCERS = ("CHOL", "KICH", "READ")
DEMO_GENES = 2400  # enough to learn from, small enough for a class of laptops
_GENE_CHOICE_SEED = 2022  # which genes a demo cohort has does not depend on the seed of its counts


def draw(
    genes: pd.DataFrame, info: dict, seed: int = 0, n_normal: int = 0, n_tumor: int = 0
) -> Cohort:
    """Draw a cohort from fitted parameters: genes × samples, normal samples first.

    genes: columns normal, tumor (counts per million) and dispersion. info: the cancer and, per
    group, n, log_library_mean and log_library_sd. Library sizes are log-normal per group; counts
    are Poisson with a gamma-distributed rate (negative binomial with variance μ + φ μ²). The same
    seed gives the same counts. n_normal, n_tumor: 0 for as many as the real cohort has. Raises
    InputError for fewer than two samples of a group.
    """
    rng, cancer = np.random.default_rng(seed), info["cancer"]
    shape = 1 / np.maximum(genes["dispersion"].to_numpy(), 1e-6)[:, None]
    blocks, groups = [], {}
    for group, n in (("normal", n_normal), ("tumor", n_tumor)):
        about = info[group]
        n = n or about["n"]
        if n < 2:
            raise InputError(f"a twin needs at least two {group} samples, not {n}")
        library = np.exp(rng.normal(about["log_library_mean"], about["log_library_sd"], n))
        mean = genes[group].to_numpy()[:, None] / 1e6 * library  # (genes, samples)
        blocks.append(rng.poisson(rng.gamma(np.broadcast_to(shape, mean.shape), mean / shape)))
        groups |= {f"{cancer}-twin-{group[0].upper()}{i:03d}": group for i in range(1, n + 1)}
    counts = pd.DataFrame(np.hstack(blocks), index=genes.index, columns=list(groups))
    about = f"synthetic counts (seed {seed}), no patient's data, no gene–gene correlation"
    groups, note = pd.Series(groups, name="group"), f"{cancer} twin: {about}."
    return Cohort(counts, groups, name=cancer, source="demo", notes=(note,))


def load_parameters(cancer: str, folder: Path | None = None) -> tuple[pd.DataFrame, dict]:
    """Read what ``labeling.twin.save_parameters`` wrote, by default the committed demo cohorts."""
    folder = folder or data_dir() / "demo"
    path = folder / f"{cancer}.csv.gz"
    if not path.exists():
        names = sorted(p.name.removesuffix(".csv.gz") for p in folder.glob("*.csv.gz"))
        fault = f"there is no demo cohort for {cancer} (at hand: {', '.join(names) or 'none'})"
        raise InputError(f"{fault}: choose one of these or another source")
    genes = pd.read_csv(path, index_col=0, keep_default_na=False).rename_axis("gene")
    return genes, json.loads((folder / f"{cancer}.json").read_text())


def load_demo(cancer: str, seed: int = 0, n_genes: int | None = DEMO_GENES) -> Cohort:
    """Draw the demo twin of CHOL, KICH or READ with ``n_genes`` of its genes (None: all of them).

    The choice of genes is fixed and random: up to a quarter disease genes of the cohort, the rest
    others, all with a mean of at least one count per million in either tissue.
    """
    genes, info = load_parameters(cancer)
    if n_genes is not None and n_genes < len(genes):
        listed = pd.read_csv(data_dir() / "disease_genes" / "demo.csv")
        listed = listed["gene"][listed["cancer"] == cancer]
        expressed = genes.index[genes[["normal", "tumor"]].max(axis=1) >= 1]
        rng = np.random.default_rng(_GENE_CHOICE_SEED)
        shuffled = expressed[rng.permutation(len(expressed))]
        is_disease = shuffled.isin(listed)
        disease = shuffled[is_disease][: n_genes // 4]
        chosen = disease.union(shuffled[~is_disease][: n_genes - len(disease)])
        genes = genes.loc[genes.index.isin(chosen)]
    return draw(genes, info, seed)
