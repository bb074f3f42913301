"""The 17 cohorts of the paper, the two shapes in which data travel, and the checks on what a user hands in."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
import pandas as pd

from degnext._common.errors import InputError, check_choice
from degnext._common.paths import data_dir

DR, UR, NEUTRAL = 0, 1, 2
CLASS_NAMES = ("DR", "UR", "neutral")  # index is the paper's code
PARTS = ("T1", "T2", "F1", "T3")  # non-bio train, non-bio test, bio fine-tune, bio test
TRAINING = ("BRCA", "KIRC", "KIRP", "LIHC", "LUAD", "LUSC", "PRAD", "THCA", "UCEC")
UNTRAINED = ("BLCA", "CHOL", "COAD", "ESCA", "HNSC", "KICH", "READ", "STAD")
CANCERS = tuple(sorted(TRAINING + UNTRAINED))


@lru_cache(maxsize=1)
def _registry() -> pd.DataFrame:
    return pd.read_csv(data_dir() / "cohorts.csv", index_col="cancer")


def registry() -> pd.DataFrame:
    """Return one row per cancer: its name, sample numbers, role in transfer and part sizes (paper, Tables 1 and 6)."""
    return _registry().copy()


def check_cancer(cancer: str) -> str:
    """Return ``cancer`` if the paper has it; raise :class:`InputError` with the nearest code if not."""
    return check_choice("cancer", cancer, CANCERS)


@dataclass(frozen=True, repr=False)
class Cohort:
    """Counts of one tumor/normal cohort.

    counts : genes × samples, raw non-negative integers, gene symbols as index
    groups : indexed by sample, values ``normal`` / ``tumor``; normal is the reference
    notes  : sentences a reader must see beside any result (what is missing, rounded or synthetic)
    """

    cancer: str
    source: str
    counts: pd.DataFrame
    groups: pd.Series
    notes: tuple[str, ...] = ()

    @property
    def is_tumor(self) -> np.ndarray:
        """Boolean vector, one entry per sample in column order."""
        return (self.groups.loc[self.counts.columns] == "tumor").to_numpy()

    @property
    def n_tumor(self) -> int:
        return int(self.is_tumor.sum())

    @property
    def n_normal(self) -> int:
        return self.counts.shape[1] - self.n_tumor

    def __repr__(self) -> str:
        n_genes = len(self.counts)
        return f"{type(self).__name__}({self.cancer}, {self.source}: {n_genes:,} genes × {self.n_normal} normal + {self.n_tumor} tumor)"

    def with_counts(self, counts: pd.DataFrame, *notes: str) -> Cohort:
        """Return the same cohort with other counts (a subset of samples, filtered genes) and further notes."""
        return replace(
            self, counts=counts, groups=self.groups.loc[counts.columns], notes=self.notes + notes
        )


@dataclass(frozen=True, repr=False)
class LabeledCohort(Cohort):
    """A cohort whose genes carry labels and parts.

    genes : indexed like ``counts``; columns ``label`` (0 DR, 1 UR, 2 neutral), ``bio`` (disease evidence),
            ``part`` (T1, T2, F1, T3), ``fold`` (0–4; fold 0 is the part T2 or T3; −1 where no folds can be made)
    """

    genes: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts at hand, in the paper's order."""
        present = set(self.genes["part"])
        return tuple(p for p in PARTS if p in present)

    def rows(self, *parts: str) -> np.ndarray:
        """Return the row positions of the genes in ``parts`` (``Q`` stands for F1 and T3 together)."""
        wanted = [p for name in parts for p in (("F1", "T3") if name == "Q" else (name,))]
        missing = [p for p in wanted if p not in self.parts]
        if missing:
            at_hand = ", ".join(self.parts)
            raise InputError(
                f"{self.cancer} ({self.source}) has no part {missing[0]}: at hand are {at_hand}; choose one of these"
            )
        return np.flatnonzero(self.genes["part"].isin(wanted).to_numpy())

    def xy(self, *parts: str) -> tuple[np.ndarray, np.ndarray]:
        """Return counts (genes × samples) and labels (genes,) of ``parts``."""
        rows = self.rows(*parts)
        return self.counts.to_numpy()[rows], self.genes["label"].to_numpy()[rows]

    def with_fold(self, fold: int) -> LabeledCohort:
        """Return the cohort with ``fold`` as its test parts (T2 within P, T3 within Q) and the other folds to train on."""
        folds = self.genes["fold"].to_numpy()
        if fold not in np.unique(folds[folds >= 0]):
            raise InputError(
                f"{self.cancer} ({self.source}) has no fold {fold}: folds need T1 and T2, and F1 and T3, at hand"
            )
        test, bio = folds == fold, self.genes["bio"].to_numpy()
        part = np.where(bio, np.where(test, "T3", "F1"), np.where(test, "T2", "T1"))
        return replace(self, genes=self.genes.assign(part=part))

    def part_table(self) -> pd.DataFrame:
        """Count the genes of each class in each part."""
        names = self.genes["label"].map(dict(enumerate(CLASS_NAMES)))
        table = pd.crosstab(self.genes["part"], names).reindex(
            index=list(self.parts), columns=list(CLASS_NAMES), fill_value=0
        )
        return table.assign(total=table.sum(axis=1)).rename_axis(columns=None)

    def with_counts(self, counts: pd.DataFrame, *notes: str) -> LabeledCohort:
        smaller = super().with_counts(counts, *notes)
        return replace(smaller, genes=self.genes.loc[counts.index])
