"""degnext.cohorts.load: one door, and each source behind it."""

from __future__ import annotations

import pandas as pd
import pytest

from degnext._common.errors import InputError
from degnext.cohorts import demo as simulate
from degnext.cohorts import gdc, published, xena
from degnext.cohorts import user_tables as tables
from degnext.cohorts.cohort import Cohort
from degnext.cohorts.load import SOURCES, load_cohort


def test_the_demo_is_the_default_and_the_seed_reaches_it():
    cohort = load_cohort("KICH")
    assert (cohort.name, cohort.source) == ("KICH", "demo")
    assert cohort.counts.equals(simulate.load_demo("KICH", seed=0).counts)
    assert not cohort.counts.equals(load_cohort("KICH", seed=1).counts)


def test_each_option_reaches_its_source(monkeypatch):
    monkeypatch.setattr(published, "load_published", lambda *a: ("published", *a))
    monkeypatch.setattr(tables, "load_file", lambda *a, **k: ("file", *a, k))
    assert load_cohort("READ", "published", data_dir="there", train_part="T2") == (
        "published",
        "READ",
        "there",
        "T2",
    )
    options = {"groups": "g", "normal": "N*", "transcripts": "m", "round_counts": True}
    got = load_cohort("ANY", "file", counts="c", tumor=None, seed=3, **options)
    assert got == ("file", "c", {"name": "ANY", **options})
    with pytest.raises(InputError, match="unknown option 'group': did you mean 'groups'"):
        load_cohort("ANY", "file", counts="c", group="g")


@pytest.mark.parametrize(
    ("source", "module", "function"), [("gdc", gdc, "load_gdc"), ("xena", xena, "load_xena")]
)
def test_remote_counts_are_checked_and_keep_their_notes(
    cohort, monkeypatch, source, module, function
):
    monkeypatch.setattr(
        module,
        function,
        lambda cancer: (
            cohort.counts.astype(float),
            cohort.groups.iloc[::-1],
            {"notes": [f"from {source}"]},
        ),
    )
    loaded = load_cohort("KICH", source)
    assert isinstance(loaded, Cohort) and (loaded.source, loaded.notes) == (
        source,
        (f"from {source}",),
    )
    pd.testing.assert_frame_equal(loaded.counts, cohort.counts, check_names=False)
    monkeypatch.setattr(
        module, function, lambda cancer: (cohort.counts - 10_000, cohort.groups, {})
    )
    with pytest.raises(InputError, match="negative"):
        load_cohort("KICH", source)


@pytest.mark.parametrize("source", [s for s in SOURCES if s != "file"])
def test_an_unknown_cancer_is_refused_by_every_source_of_the_papers_cohorts(source):
    with pytest.raises(InputError, match="did you mean 'READ'"):
        load_cohort("REED", source)


def test_an_unknown_source_is_answered_with_the_nearest():
    with pytest.raises(InputError, match="did you mean 'published'"):
        load_cohort("KICH", "publshed")
