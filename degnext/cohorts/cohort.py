"""A cohort: counts, groups and, once labelled, its genes. And the 17 cohorts of the paper."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import KW_ONLY, dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from degnext._common.errors import InputError, check_choice
from degnext._common.paths import data_dir

if TYPE_CHECKING:
    from anndata import AnnData

CLASS_NAMES = ("DR", "UR", "neutral")  # in the order of the paper's codes, which is the alphabet's
DR, UR, NEUTRAL = 0, 1, 2  # the codes, for arithmetic; tables and callers spell the names
PARTS = ("T1", "T2", "F1", "T3")  # non-bio train, non-bio test, bio fine-tune, bio test
TRAINING = ("BRCA", "KIRC", "KIRP", "LIHC", "LUAD", "LUSC", "PRAD", "THCA", "UCEC")
UNTRAINED = ("BLCA", "CHOL", "COAD", "ESCA", "HNSC", "KICH", "READ", "STAD")
CANCERS = tuple(sorted(TRAINING + UNTRAINED))


def registry() -> pd.DataFrame:
    """Return one row per cancer: name, samples, role in transfer, part sizes (Tables 1 and 6)."""
    return pd.read_csv(data_dir() / "cohorts.csv", index_col="cancer")


def check_cancer(cancer: str) -> str:
    """Return ``cancer`` if the paper has it, else raise InputError with the nearest code."""
    return check_choice("cancer", cancer, CANCERS)


def label_codes(labels: Iterable[str]) -> np.ndarray:
    """Return the codes (DR 0, UR 1, neutral 2) of labels; raise InputError for any other word."""
    labels = pd.Index(labels)
    codes = pd.Index(CLASS_NAMES).get_indexer(labels)
    if (codes < 0).any():
        raise InputError(f"{labels[codes < 0][0]!r} is no label: use {', '.join(CLASS_NAMES)}")
    return codes.astype(np.int64)


def label_names(codes: np.ndarray) -> np.ndarray:
    """Return the spelled labels (object) of codes 0, 1 and 2."""
    return np.array(CLASS_NAMES, dtype=object)[np.asarray(codes, dtype=int)]


@dataclass(frozen=True, repr=False)
class Cohort:
    """One tumor/normal cohort.

    counts : genes × samples, raw non-negative integers, gene symbols as index
    groups : indexed by sample, values ``normal`` / ``tumor``; normal is the reference
    genes  : None before labelling; then indexed like ``counts``, with columns ``label`` (DR, UR,
             neutral), ``bio`` (disease evidence), ``part`` (T1, T2, F1, T3) and ``fold`` (0–4;
             fold 0 is the part T2 or T3; −1 where no folds can be made)
    name   : a TCGA study code, or one word of the user's
    source : demo, published, gdc, xena or file
    pairs  : who belongs together, a name per sample (a patient's, say), or None
    notes  : sentences a reader must see beside any result (what is missing, rounded or synthetic)
    """

    counts: pd.DataFrame
    groups: pd.Series
    _: KW_ONLY
    genes: pd.DataFrame | None = None
    name: str = "MINE"
    source: str = "file"
    pairs: pd.Series | None = None
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

    @property
    def is_labeled(self) -> bool:
        """Whether the genes carry labels and parts."""
        return self.genes is not None

    @property
    def codes(self) -> np.ndarray:
        """The labels as codes (genes,): DR 0, UR 1, neutral 2."""
        return label_codes(self.genes["label"])

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts at hand, in the paper's order; none before labelling."""
        present = set(self.genes["part"]) if self.is_labeled else ()
        return tuple(p for p in PARTS if p in present)

    def __repr__(self) -> str:
        shape = f"{len(self.counts):,} genes × {self.n_normal} normal + {self.n_tumor} tumor"
        labelled = ", labelled" if self.is_labeled else ""
        return f"Cohort({self.name}, {self.source}: {shape}{labelled})"

    def rows(self, *parts: str) -> np.ndarray:
        """Return the row positions of the genes in ``parts`` (``Q``: F1 and T3 together)."""
        wanted = [p for name in parts for p in (("F1", "T3") if name == "Q" else (name,))]
        missing = [p for p in wanted if p not in self.parts]
        if missing:
            fault = f"{self.name} ({self.source}) has no part {missing[0]}"
            at_hand = ", ".join(self.parts) or "none"
            raise InputError(f"{fault}: at hand are {at_hand}; choose one of these")
        return np.flatnonzero(self.genes["part"].isin(wanted).to_numpy())

    def part(self, *parts: str) -> Cohort:
        """Return the cohort with the genes of ``parts`` only; its library sizes are then lost."""
        return self.with_counts(self.counts.iloc[self.rows(*parts)])

    def with_fold(self, fold: int) -> Cohort:
        """Return the cohort with ``fold`` as its test parts: T2 within P and T3 within Q."""
        folds = self.genes["fold"].to_numpy()
        if fold < 0 or fold not in folds:
            raise InputError(f"{self.name} has no fold {fold}: folds need all four parts at hand")
        test, bio = folds == fold, self.genes["bio"].to_numpy()
        part = np.where(bio, np.where(test, "T3", "F1"), np.where(test, "T2", "T1"))
        return replace(self, genes=self.genes.assign(part=part))

    def with_fewer_genes(self, most: int, parts: tuple[str, ...], seed: int = 0) -> Cohort:
        """Return the cohort with at most ``most`` genes (0: all) in each of ``parts`` at hand.

        The others belong to no part then; one seed leaves the same genes out everywhere.
        """
        part = self.genes["part"].copy()
        for name in set(parts) & set(self.parts):
            rows = np.random.default_rng(seed).permutation(self.rows(name))
            part.iloc[rows[most or len(rows) :]] = "left out"
        return replace(self, genes=self.genes.assign(part=part))

    def part_table(self) -> pd.DataFrame:
        """Count the genes of each class in each part."""
        table = pd.crosstab(self.genes["part"], self.genes["label"])
        table = table.reindex(index=list(self.parts), columns=list(CLASS_NAMES), fill_value=0)
        return table.assign(total=table.sum(axis=1)).rename_axis(columns=None)

    def with_counts(self, counts: pd.DataFrame, *notes: str) -> Cohort:
        """Return the cohort with other counts (some samples, some genes) and further notes."""
        genes = self.genes.loc[counts.index] if self.is_labeled else None
        groups, notes = self.groups.loc[counts.columns], self.notes + notes
        pairs = None if self.pairs is None else self.pairs.loc[counts.columns]
        return replace(self, counts=counts, groups=groups, genes=genes, pairs=pairs, notes=notes)

    def log_cpm(self, method: str = "total") -> pd.DataFrame:
        """Return log2(counts per million + 1), genes × samples; ``method`` as in size_factors."""
        from degnext.cohorts.library_size import scale

        return np.log2(scale(self.counts, method) + 1)

    @classmethod
    def from_anndata(cls, data: AnnData, group: str = "group", layer: str | None = None) -> Cohort:
        """Return a cohort from AnnData (samples × genes), with the labels that it may carry.

        group: the column of ``obs`` with normal/tumor. layer: where the raw counts lie, by default
        ``X``. Raises InputError for a name that is not there and for values that are no counts.
        """
        from degnext.cohorts.checks import check_counts, check_groups

        asked = ("column of obs", group, data.obs), ("layer", layer, data.layers)
        for what, name, there in asked:
            if name is not None and name not in there:
                at_hand = ", ".join(map(str, there)) or "none"
                raise InputError(f"AnnData has no {what} {name!r}: name one at hand ({at_hand})")
        counts = check_counts(data.to_df(layer).T)
        groups = check_groups(data.obs[group], counts.columns)
        genes = None
        if {"label", "bio", "part", "fold"} <= set(data.var):
            text = data.var.select_dtypes("category").columns  # files store words as categories
            genes = data.var.astype(dict.fromkeys(text, object)).set_axis(counts.index)
        about = data.uns.get("degnext", {})
        known = {key: str(about[key]) for key in ("name", "source") if key in about}
        notes = tuple(map(str, about.get("notes", ())))
        return cls(counts, groups, genes=genes, notes=notes, **known)

    def to_anndata(self) -> AnnData:
        """Return AnnData, samples × genes: counts in ``X``, groups in ``obs``, genes in ``var``."""
        try:
            from anndata import AnnData
        except ImportError as error:
            raise InputError("anndata is not installed: run pip install anndata") from error
        var = self.genes.copy() if self.is_labeled else pd.DataFrame(index=self.counts.index)
        about = {"name": self.name, "source": self.source, "notes": list(self.notes)}
        obs = self.groups.loc[self.counts.columns].to_frame("group")
        return AnnData(self.counts.T, obs=obs, var=var, uns={"degnext": about})
