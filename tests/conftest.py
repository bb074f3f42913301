"""What all tests share: a clean environment, small cohorts with planted truth, the command line."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy: tests share their machine with others

import matplotlib
import numpy as np
import pandas as pd
import pytest
import torch

from degnext.cohorts.cohort import Cohort

matplotlib.use("Agg")
torch.set_num_threads(1)
REAL_DATA = os.environ.get("DEGNEXT_DATA", "").strip()


def asks_for_real_data(node: pytest.Item) -> bool:
    """Tell whether a test has the fixture ``real_data`` or a skipif that names DEGNEXT_DATA."""
    if "real_data" in getattr(node, "fixturenames", ()):
        return True
    return any(
        "DEGNEXT_DATA" in str(mark.kwargs.get("reason", "")) for mark in node.iter_markers("skipif")
    )


@pytest.fixture(autouse=True)
def clean_environment(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Keep the caller's DEGNEXT_* from tests, and tests from the caller's results and cache."""
    for name in [n for n in os.environ if n.startswith("DEGNEXT_")]:
        monkeypatch.delenv(name)
    if REAL_DATA and asks_for_real_data(request.node):
        monkeypatch.setenv("DEGNEXT_DATA", REAL_DATA)
    monkeypatch.setenv("DEGNEXT_RESULTS", str(tmp_path / "default-results"))
    monkeypatch.setenv("DEGNEXT_CACHE", str(tmp_path / "default-cache"))


@pytest.fixture
def real_data(clean_environment) -> Path:
    """The folder that DEGNEXT_DATA named when the tests began; skips where there is none."""
    if not REAL_DATA:
        pytest.skip("DEGNEXT_DATA is unset: the real data are not at hand")
    return Path(REAL_DATA)


@pytest.fixture
def make_cohort() -> Callable[..., Cohort]:
    """Draw a cohort: a quarter of genes up in tumor by ``fold``, a quarter down, the rest flat."""

    def make(
        n_genes: int = 80,
        n_normal: int = 6,
        n_tumor: int = 9,
        fold: float = 8.0,
        dispersion: float = 0.05,
        seed: int = 0,
    ) -> Cohort:
        rng = np.random.default_rng(seed)
        quarter = n_genes // 4
        change = np.repeat([fold, 1 / fold, 1.0], [quarter, quarter, n_genes - 2 * quarter])
        level = rng.uniform(200, 800, n_genes)
        is_tumor = np.repeat([False, True], [n_normal, n_tumor])
        mean = (
            level[:, None]
            * np.where(is_tumor, np.sqrt(change)[:, None], 1 / np.sqrt(change)[:, None])
            * rng.uniform(0.7, 1.4, len(is_tumor))
        )
        values = rng.negative_binomial(1 / dispersion, 1 / (1 + dispersion * mean))
        samples = [f"N{i}" for i in range(1, n_normal + 1)] + [
            f"T{i}" for i in range(1, n_tumor + 1)
        ]
        counts = pd.DataFrame(
            values,
            index=pd.Index([f"G{i:03d}" for i in range(n_genes)], name="gene"),
            columns=samples,
        )
        groups = pd.Series(np.where(is_tumor, "tumor", "normal"), index=samples, name="group")
        return Cohort(counts, groups)

    return make


@pytest.fixture
def cohort(make_cohort) -> Cohort:
    return make_cohort()


def truth_of(cohort: Cohort) -> np.ndarray:
    """The labels that ``make_cohort`` planted."""
    quarter = len(cohort.counts) // 4
    return np.repeat(["UR", "DR", "neutral"], [quarter, quarter, len(cohort.counts) - 2 * quarter])


@pytest.fixture
def make_labeled(make_cohort) -> Callable[..., Cohort]:
    """A cohort with its planted labels; every other UR and DR gene has disease evidence."""

    def make(**settings) -> Cohort:
        from degnext.labeling.calls import split_parts

        cohort = make_cohort(**settings)
        labels = pd.Series(truth_of(cohort), index=cohort.counts.index)
        genes = split_parts(labels, labels.index[::2], seed=settings.get("seed", 0))
        return replace(cohort, notes=("a note",), genes=genes)

    return make


@pytest.fixture
def run_cli(capsys: pytest.CaptureFixture) -> Callable[..., SimpleNamespace]:
    """Call ``degnext`` in this process; returns its exit ``code``, ``out`` and ``err``."""

    def run(*arguments: object) -> SimpleNamespace:
        from degnext.cli.main import main

        capsys.readouterr()
        try:
            code = main([str(a) for a in arguments])
        except SystemExit as end:  # argparse ends this way
            code = end.code
        captured = capsys.readouterr()
        return SimpleNamespace(code=code, out=captured.out, err=captured.err)

    return run


@pytest.fixture
def is_helpful() -> Callable[[str], bool]:
    """Tell whether a message is one sentence that says what to do."""
    cures = (
        "pass",
        "drop",
        "choose",
        "did you mean",
        "name ",
        "keep",
        "needs",
        "use ",
        "set ",
        "fetch",
        "check",
        "save",
        "separate",
        "transpose",
        "rename",
        "add",
        "give",
        "take",
        "train_part=",
        "need",
        "write",
        "delete",
        "call ",
        "make",
        "clone",
        "relax",
        "point",
        "valid:",
        "run ",
        "train ",
        "set_params",
        "retrain",
    )

    def check(message: str) -> bool:
        message = message.strip()
        assert message and "\n" not in message, f"not one line: {message!r}"
        assert "Traceback" not in message and "Error(" not in message, message
        assert 20 < len(message) < 400, f"{len(message)} characters: {message!r}"
        assert not re.search(r"\.\s+[A-Z]", message), f"more than one sentence: {message!r}"
        fault, *cure = re.split("[:;]", message, maxsplit=1)
        assert cure, f"no cure after the fault: {message!r}"
        assert any(word in cure[0].lower() for word in cures), f"no word of a cure: {message!r}"
        return True

    return check
