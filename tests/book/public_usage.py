"""The public names as a user writes them; ``make check`` type-checks this file, nobody runs it."""

from pathlib import Path
from typing import assert_type

import numpy as np
import pandas as pd

import degnext


def data(folder: Path) -> degnext.Cohort:
    registry: pd.DataFrame = degnext.registry()
    assert_type(degnext.CLASS_NAMES, tuple[str, str, str])
    names: tuple[str, ...] = degnext.CANCERS + degnext.TRAINING + degnext.UNTRAINED
    table: pd.DataFrame = degnext.paper_table(4)
    try:
        cohort = degnext.load_cohort(names[0], "published", data_dir=folder, train_part="T2")
    except degnext.InputError:
        cohort = degnext.load_cohort("KICH", seed=1)
    assert_type(cohort, degnext.Cohort)
    print(registry, table, cohort.n_tumor, cohort.rows("T1", "Q"))
    return degnext.Cohort(cohort.counts, cohort.groups, name="MINE", notes=("mine",))


def labels(cohort: degnext.Cohort, mine: Path) -> degnext.Cohort:
    counts, groups = cohort.counts, cohort.groups
    table = degnext.differential_expression(counts, groups, method="ql", library_size="tmm")
    assert_type(table, pd.DataFrame)
    patients = pd.Series([name[:12] for name in counts.columns], counts.columns)
    both = degnext.complete_pairs(groups, patients)
    table = degnext.differential_expression(counts[both], groups, pairs=patients)
    for genes in (None, "cancermine", mine, ["TP53", "VHL"]):
        assert_type(degnext.label(cohort, genes), degnext.Cohort)
    return degnext.label(cohort, method="voom", library_size="tmm", fdr=0.05, log_fc=1, seed=1)


def own_counts(folder: Path) -> degnext.Cohort:
    cohort = degnext.load_cohort("MINE", "file", counts=folder / "c.csv", groups="g.csv")
    cohort = degnext.preprocess(cohort, outlier_cut=0.6, quantile_cut=0.25, symbols="auto")
    return degnext.label(cohort, folder / "genes.txt")


def learning(cohort: degnext.Cohort, path: Path) -> pd.Series:
    assert cohort.genes is not None
    x, y, groups = cohort.log_cpm(), cohort.genes["label"], cohort.groups
    model = degnext.DEGnextClassifier("corrected", relu="pair", epochs=2, random_state=1)
    assert_type(model.fit(x, y, groups=groups), degnext.DEGnextClassifier)
    tuned = model.fine_tune(x, y, groups=groups, epochs=1)
    tuned.save(path)
    again = degnext.DEGnextClassifier.from_pretrained(path)
    proba: np.ndarray = again.predict_proba(x, groups=groups)
    print(degnext.FoldChangeRule().fit(x, y, groups=groups).predict(x, groups=groups))
    two = degnext.ProfileClassifier(("DR", "UR"), random_state=0).fit([cohort])
    print(two.predict(cohort), degnext.ProfileClassifier.from_pretrained("three_class"))
    scores = degnext.evaluate(y, tuned.predict(x, groups=groups), proba, n_boot=100)
    assert_type(scores, pd.Series)
    return scores


def enrichment(genes: list[str], background: list[str]) -> pd.DataFrame:
    return degnext.enrich(genes, background, gene_sets="demo")


def prediction(counts: pd.DataFrame, groups: pd.Series) -> list[str]:
    table: pd.DataFrame = degnext.predict(counts, groups, name="MINE", fdr=0.1)
    table = degnext.predict(degnext.Cohort(counts, groups))
    return table.attrs["notes"]


def a_notebook() -> None:
    with degnext.NotebookRun("02_labeling", cancer="READ") as run:
        assert_type(run.cohort("raw"), degnext.Cohort)
        run.note(mean=np.float64(1).item())
    degnext.show_quiz("audit")
