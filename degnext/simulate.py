"""Synthetic twins: per-gene negative-binomial parameters of a real cohort, and counts drawn from them.

A twin keeps each gene's mean in normal and in tumor tissue, its dispersion, and the spread of library sizes. It keeps
no gene–gene correlation and no patient: each count is drawn on its own, so nothing of a person can be read from it.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from .cohorts import Cohort
from .errors import InputError
from .files import write_atomic
from .paths import data_dir

DEMO_CANCERS = ("CHOL", "KICH", "READ")
DEMO_GENES = 2400  # enough to learn from, small enough for a class of laptops
_GENE_CHOICE_SEED = 2022  # which genes a demo cohort has does not depend on the seed of its counts


def fit_parameters(cohort: Cohort) -> tuple[pd.DataFrame, dict]:
    """Fit a negative binomial to every expressed gene of ``cohort``.

    Returns
    -------
    genes : indexed by gene; ``normal`` and ``tumor`` (mean, counts per million), ``dispersion`` (edgeR, tagwise)
    info  : sample numbers and, per group, mean and standard deviation of the natural log of the library size

    Genes without any count are left out.
    """
    from .edger import differential_expression

    counts, is_tumor = cohort.counts, cohort.is_tumor
    library = counts.sum().to_numpy(dtype=float)
    counts = counts.loc[counts.sum(axis=1) > 0]
    dispersion = differential_expression(counts, cohort.groups)["dispersion"]
    values = counts.to_numpy(dtype=float)
    genes = pd.DataFrame(
        {name: values[:, m].sum(axis=1) / library[m].sum() * 1e6 for name, m in (("normal", ~is_tumor), ("tumor", is_tumor))},
        index=counts.index,
    ).assign(dispersion=dispersion.to_numpy())
    info = {"cancer": cohort.cancer, "n_genes": len(genes)}
    for name, member in (("normal", ~is_tumor), ("tumor", is_tumor)):
        logs = np.log(library[member])
        info[name] = {"n": int(member.sum()), "log_library_mean": round(float(logs.mean()), 4), "log_library_sd": round(float(logs.std(ddof=1)), 4)}
    return genes, info


def draw(genes: pd.DataFrame, info: dict, seed: int = 0, n_normal: int | None = None, n_tumor: int | None = None) -> Cohort:
    """Draw a cohort from fitted parameters: genes × samples, normal samples first.

    Library sizes are log-normal per group; counts are Poisson with a gamma-distributed rate (negative binomial with
    variance μ + φ μ²). The same seed gives the same counts.
    """
    rng = np.random.default_rng(seed)
    blocks, names = [], []
    for group, n in (("normal", n_normal), ("tumor", n_tumor)):
        n = info[group]["n"] if n is None else n
        if n < 2:
            raise InputError(f"a twin needs at least two {group} samples, not {n}")
        library = np.exp(rng.normal(info[group]["log_library_mean"], info[group]["log_library_sd"], n))
        mean = genes[group].to_numpy()[:, None] / 1e6 * library  # (genes, samples)
        shape = 1 / np.maximum(genes["dispersion"].to_numpy(), 1e-6)[:, None]
        blocks.append(rng.poisson(rng.gamma(np.broadcast_to(shape, mean.shape), mean / shape)))
        names += [f"{info['cancer']}-twin-{group[0].upper()}{i:03d}" for i in range(1, n + 1)]
    counts = pd.DataFrame(np.hstack(blocks), index=genes.index, columns=names)
    groups = pd.Series(["normal"] * blocks[0].shape[1] + ["tumor"] * blocks[1].shape[1], index=names, name="group")
    note = f"{info['cancer']} twin: synthetic counts (seed {seed}), no patient's data, no gene–gene correlation."
    return Cohort(info["cancer"], "demo", counts, groups, (note,))


def save_parameters(genes: pd.DataFrame, info: dict, folder: Path) -> Path:
    """Write ``<cancer>.csv.gz`` (four significant digits) and ``<cancer>.json`` to ``folder``; return the table's path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{info['cancer']}.csv.gz"
    temporary = path.with_name("." + path.name)
    genes.to_csv(temporary, float_format="%.4g", compression={"method": "gzip", "mtime": 0})
    temporary.replace(path)
    write_atomic(folder / f"{info['cancer']}.json", info)
    return path


def load_parameters(cancer: str, folder: Path | None = None) -> tuple[pd.DataFrame, dict]:
    """Read what :func:`save_parameters` wrote; the default folder holds the committed demo cohorts."""
    folder = folder or data_dir() / "demo"
    path = folder / f"{cancer}.csv.gz"
    if not path.exists():
        have = ", ".join(sorted(p.name.removesuffix(".csv.gz") for p in folder.glob("*.csv.gz"))) or "none"
        raise InputError(f"there is no demo cohort for {cancer} (at hand: {have}): choose one of these or another source")
    return pd.read_csv(path, index_col=0, keep_default_na=False).rename_axis("gene"), json.loads((folder / f"{cancer}.json").read_text())


def load_demo(cancer: str, seed: int = 0, n_genes: int | None = DEMO_GENES) -> Cohort:
    """Draw the demo twin of CHOL, KICH or READ with ``n_genes`` of its genes (None: all of them).

    The choice of genes is fixed and random: up to a quarter disease genes of the cohort, the rest others, all with a mean
    of at least one count per million in either tissue.
    """
    genes, info = load_parameters(cancer)
    if n_genes is not None and n_genes < len(genes):
        from .bio_genes import bio_genes

        expressed = genes.index[genes[["normal", "tumor"]].max(axis=1) >= 1]
        rng = np.random.default_rng(_GENE_CHOICE_SEED)
        shuffled = expressed[rng.permutation(len(expressed))]
        is_disease = shuffled.isin(bio_genes(cancer, "demo"))
        disease = shuffled[is_disease][: n_genes // 4]
        chosen = disease.union(shuffled[~is_disease][: n_genes - len(disease)])
        genes = genes.loc[genes.index.isin(chosen)]
    return draw(genes, info, seed)
