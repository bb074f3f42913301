"""What the network for few samples learns from: draws of training cancers, and their truths."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from degnext._common.paths import results_dir
from degnext.cohorts.cohort import CLASS_NAMES, TRAINING, registry
from degnext.cohorts.perturb import draw_columns
from degnext.learning.profile.classifier import ProfileClassifier
from reproduction.store import code_digest
from reproduction.weights.standard_data import (
    FDR,
    LOG_FC,
    Draw,
    call_codes,
    draw_of,
    edger_table,
    genes_of_draw,
    published,
)

CHANNELS = ("nb_effect", "nb_share", "nb_error", "nb_root", "nb_log_fc")
CHANNELS += ("t_weighted", "t_shrunk", "t_log", "level", "group_size")
SIZES = (2, 3, 5, 10, 20)
LARGEST = 25
N_TRUTHS = 6  # smaller cohorts that a training cancer is cut to
N_DRAWS = {"whole": 12, "cut": 8, "left out": 2}  # of a truth; the last at each size
SHOWN = 150  # genes of a draw that are trained on
LOOK = {"channels": CHANNELS, "width": 4, "n_filters": 16, "align": False}


class Truth(NamedTuple):
    """A cohort and what it shows: codes per gene."""

    cohort: Draw
    codes: np.ndarray


def take(cohort: Draw, n: tuple[int, int], rng: np.random.Generator) -> tuple[Draw, np.ndarray]:
    """Draw samples of each group; return the draw and which genes it has."""
    columns = draw_columns(cohort.is_tumor, n, rng)
    counts = cohort.counts[:, columns]
    return draw_of(cohort.name, counts, cohort.is_tumor[columns]), counts.any(axis=1)


def group_sizes(cohort: Draw) -> tuple[int, int]:
    """Return the numbers of normal and tumor samples."""
    return int((~cohort.is_tumor).sum()), int(cohort.is_tumor.sum())


def truths(cohort: Draw, rng: np.random.Generator) -> Iterator[Truth]:
    """Yield a cohort whole, then cut to sizes that other cohorts of the paper have."""
    have, table = group_sizes(cohort), registry()
    others = [n for n in zip(table["n_normal"], table["n_tumor"]) if n[0] < have[0]]
    others = [n for n in others if n[1] <= have[1]]
    chosen = rng.permutation(len(others))[:N_TRUTHS]
    for whole in [cohort, *(take(cohort, others[i], rng)[0] for i in chosen)]:
        yield Truth(whole, call_codes(edger_table(whole), LOG_FC, FDR))


def encode(draw: Draw) -> np.ndarray:
    """Return genes × channels × 2; the channels are painted evenly across the row."""
    return ProfileClassifier(CLASS_NAMES, **LOOK).encode(genes_of_draw(draw))[..., 0]


def training_examples(truth: Truth, n_draws: int, rng: np.random.Generator) -> Iterator[tuple]:
    """Yield images and codes of some genes of draws of random sizes."""
    for _ in range(n_draws):
        n = np.exp(rng.uniform(np.log(2), np.log(LARGEST), 2)).round().astype(int)
        n = (n[0], n[0]) if rng.random() < 0.6 else tuple(n)
        draw, seen = take(truth.cohort, n, rng)
        keep = rng.permutation(len(draw.counts))[:SHOWN]
        yield encode(draw)[keep], truth.codes[seen][keep]


class Examples(NamedTuple):
    """Of one cancer: what to train on, and whole draws for networks that did not see it.

    images, shown_images: genes × channels × 2, by :func:`encode`. draws: a row per draw with
    n_normal and n_tumor of the truth, samples per group and number of genes.
    """

    shown_images: np.ndarray
    shown_codes: np.ndarray
    images: np.ndarray
    codes: np.ndarray
    draws: np.ndarray


def drawn(cancer: str, seed: int) -> Examples:
    """Draw a training cancer's examples."""
    rng = np.random.default_rng([seed, TRAINING.index(cancer)])
    shown, images, codes, draws = [], [], [], []
    for truth in truths(published(cancer), rng):
        n_normal, n_tumor = group_sizes(truth.cohort)
        shown += training_examples(truth, N_DRAWS["cut" if images else "whole"], rng)
        for size in [k for k in SIZES if k <= n_normal for _ in range(N_DRAWS["left out"])]:
            draw, seen = take(truth.cohort, (size, size), rng)
            images.append(encode(draw).astype(np.float16))
            codes.append(truth.codes[seen].astype(np.int8))
            draws.append((n_normal, n_tumor, size, len(codes[-1])))
    shown_images, shown_codes = (np.concatenate(v) for v in zip(*shown))
    arrays = (shown_images, shown_codes, *map(np.concatenate, (images, codes)))
    return Examples(*arrays, np.array(draws))


def examples(cancer: str, seed: int) -> Examples:
    """Return a cancer's examples, drawn now or by an earlier run of the same code."""
    digest = code_digest(__name__)
    path = results_dir() / "batch" / "standard_few" / f"{cancer}_{seed}_{digest}.npz"
    if not path.exists():
        made = drawn(cancer, seed)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part.npz")
        np.savez(part, **made._asdict())
        part.replace(path)
        print("drawn", cancer, [*map(tuple, np.unique(made.draws[:, :2], axis=0))], flush=True)
    with np.load(path) as kept:
        return Examples(**kept)
