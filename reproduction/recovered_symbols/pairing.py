"""Find out which gene was counted in a row without a name, by the row's own counts.

Two tables of one cohort, made by two pipelines from the same sequencing runs, hold the same genes
and mostly the same patients, in an unknown order of both. The first pairs come from the spread of
levels within each group of samples, which needs no pairing at all; gene pairs then pair the
samples, and sample pairs the genes, by turns, until nothing is left to gain. Names, labels and the
order of rows never enter (data/recovered_symbols/README.md has the numbers).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from degnext._common.errors import InputError

MIN_CORRELATION = 0.90  # of a row with its gene over the paired samples
MIN_LEAD = 0.05  # of that correlation over the runner-up's
_SEED_ROWS, _SEED_PAIRS, _ROUNDS = 800, 150, 6


@dataclass(frozen=True)
class Recovery:
    """What was recovered.

    rows    : one line per row of the nameless table: ``symbol`` (empty unless sure), ``best`` (the
              nearest gene, sure or not), ``correlation``, ``runner_up``
    samples : the sample pairs in use: ``sample`` (nameless table), ``reference`` (other table),
              ``correlation``
    """

    rows: pd.DataFrame
    samples: pd.DataFrame


def recover_symbols(
    counts: pd.DataFrame,
    is_tumor: np.ndarray,
    reference: pd.DataFrame,
    reference_is_tumor: np.ndarray,
    *,
    min_mean: float = 50.0,
) -> Recovery:
    """Name the rows of ``counts`` after the genes of ``reference`` that they follow across samples.

    counts, reference: genes × samples, non-negative; the index of ``reference`` holds the names,
    columns may be in any order. is_tumor: one entry per column. Genes of ``reference`` with a mean
    below ``min_mean`` are no candidates: the published matrices hold well-expressed genes only. A
    row gets its name if it is its gene's best row and the gene is its best gene, at a Pearson
    correlation of log counts per million above 0.90 and 0.05 ahead of the runner-up. Raises
    InputError where a table is too small to pair.
    """
    reference = reference[
        ~reference.index.duplicated() & (reference.mean(axis=1) >= min_mean).to_numpy()
    ]
    is_tumor = np.asarray(is_tumor, dtype=bool)
    reference_is_tumor = np.asarray(reference_is_tumor, dtype=bool)
    if len(counts) < _SEED_PAIRS or len(reference) < _SEED_PAIRS:
        raise InputError(
            f"pairing needs at least {_SEED_PAIRS} genes in both tables, not {len(counts)} and "
            f"{len(reference)}: pass whole matrices"
        )
    a, b = _log_cpm(counts), _log_cpm(reference)
    pairs = seed_pairs(a, is_tumor, b, reference_is_tumor)
    for turn in range(_ROUNDS):
        i, j, strength = pair_samples(a[pairs[0]], b[pairs[1]])
        trusted = _trusted(strength, strict=turn >= _ROUNDS // 2)
        similar = _correlations(a[:, i[trusted]], b[:, j[trusted]])
        best, mutual, top, second = _best_genes(similar)
        order = np.flatnonzero(mutual)
        order = order[np.argsort(-(top - second)[order], kind="stable")][: 1500 if turn else 400]
        pairs = (order, best[order])
    sure = mutual & (top > MIN_CORRELATION) & (top - second > MIN_LEAD)
    names = reference.index.to_numpy()[best]
    rows = pd.DataFrame({"symbol": np.where(sure, names, ""), "best": names}, index=counts.index)
    rows = rows.assign(correlation=top, runner_up=second)
    samples = pd.DataFrame({"sample": counts.columns[i[trusted]]})
    samples["reference"] = reference.columns[j[trusted]]
    return Recovery(rows, samples.assign(correlation=strength[trusted]))


def seed_pairs(
    a: np.ndarray, is_tumor: np.ndarray, b: np.ndarray, b_is_tumor: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Pair rows whose spread of levels is alike in normal and in tumor samples, in any order.

    Returns two index vectors of equal length: the pairs, among the most variable rows of ``a``,
    whose nearest gene is nearest by the widest margin. Many are wrong; pairing samples needs only
    that more are right than chance has it.
    """
    from scipy.spatial import cKDTree

    variable = np.argsort(-a.std(axis=1), kind="stable")[:_SEED_ROWS]
    distance, neighbour = cKDTree(_spread(b, b_is_tumor)).query(_spread(a, is_tumor)[variable], k=2)
    lead = distance[:, 0] / np.maximum(distance[:, 1], 1e-12)
    clear = np.argsort(lead, kind="stable")[:_SEED_PAIRS]
    return variable[clear], neighbour[clear, 0]


def pair_samples(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pair the columns of ``a`` and ``b`` (paired rows × samples); return indices, correlations.

    The pairing has the largest sum of correlations; where one table has more samples than the
    other, some stay alone.
    """
    from scipy.optimize import linear_sum_assignment

    x, y = _standard(_standard(a).T), _standard(_standard(b).T)  # each gene first, then each sample
    similar = x @ y.T / a.shape[0]
    i, j = linear_sum_assignment(-similar)
    return i, j, similar[i, j]


def _log_cpm(counts: pd.DataFrame) -> np.ndarray:
    values = counts.to_numpy(dtype=float)
    library = values.sum(axis=0)
    if values.shape[1] < 8 or not (library > 0).all():
        raise InputError(
            "pairing needs at least eight samples with counts in both tables: leave empty ones out"
        )
    return np.log2(values * (1e6 / library) + 1)


def _spread(values: np.ndarray, is_tumor: np.ndarray) -> np.ndarray:
    """Quantiles within normal and tumor, less the row's level; the level at twice its weight."""
    at = np.linspace(0.02, 0.98, 15)
    shape = np.hstack(
        [np.quantile(values[:, group], at, axis=1).T for group in (~is_tumor, is_tumor)]
    )
    level = shape.mean(axis=1, keepdims=True)
    return np.hstack([shape - level, 2.0 * (level - np.median(level))])


def _trusted(strength: np.ndarray, strict: bool) -> np.ndarray:
    """The better 70 % of the pairs at first, then those above 0.5 if there are eight."""
    most = strength > np.quantile(strength, 0.3)
    return strength > 0.5 if strict and (strength > 0.5).sum() >= 8 else most


def _standard(values: np.ndarray) -> np.ndarray:
    centred = values - values.mean(axis=1, keepdims=True)
    return centred / (centred.std(axis=1, keepdims=True) + 1e-9)


def _correlations(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Correlate every row of ``a`` with every row of ``b``; float32: 6,514 × 15,000 are many."""
    return _standard(a).astype(np.float32) @ _standard(b).astype(np.float32).T / a.shape[1]


def _best_genes(similar: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    best = similar.argmax(axis=1)
    mutual = similar.argmax(axis=0)[best] == np.arange(len(best))
    top = similar[np.arange(len(best)), best].astype(float)
    similar[np.arange(len(best)), best] = -2.0  # then the next maximum is the runner-up
    second = similar.max(axis=1).astype(float)
    return best, mutual, top, second
