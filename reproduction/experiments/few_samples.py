"""A few samples per group under the standard rule: the network, the usual tests, two priors.

    DEGNEXT_DATA=/path/to/data python -m reproduction.experiments.few_samples    # half an hour

Draws k normal and k tumor samples of the eight untrained cancers; the truth is what edgeR (TMM, FDR
0.01, 1.5-fold) finds in the whole cohort. Every method sees the same genes of the same draws and is
scored at its own cut-off, at the number of genes that the network calls at fdr=0.1, and at the same
realised share of wrong calls. Writes data/results/few_samples.csv and few_samples_controls.csv (the
network's list where there is nothing to find). Every cancer and size is kept as it is done. With
``--deseq2 FOLDER`` the first draws are given to DESeq2 in R and to PyDESeq2 too, and
few_samples_deseq2.csv holds every method on these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from degnext._common.files import file_checksum
from degnext.cohorts.cohort import UNTRAINED
from degnext.learning.profile.classifier import ProfileClassifier
from degnext.learning.profile.pretrained import WEIGHTS
from reproduction import sources
from reproduction.command import call, parser
from reproduction.experiments.few_samples_methods import (
    NETWORK,
    OWN,
    answers,
    bootstrap,
    deseq2,
    network_answer,
    scores,
)
from reproduction.store import code_digest, keep, write_results
from reproduction.weights.standard_data import (
    FDR,
    LOG_FC,
    RULE,
    Draw,
    call_codes,
    draw_of,
    edger_table,
)
from reproduction.weights.standard_few_data import group_sizes, take

SIZES = (2, 3, 5, 10)
CONTROLS = 5  # draws of each kind of control


class Whole(NamedTuple):
    """A whole cohort, its truth and Crow's prior of its genes (0 for genes without symbol)."""

    cohort: Draw
    codes: np.ndarray
    prior: np.ndarray


def whole(cancer: str) -> Whole:
    """Return what is at hand of an untrained cancer."""
    table = sources.published(cancer)
    seen = table.counts.any(axis=1).to_numpy()
    draw = draw_of(cancer, table.counts.to_numpy(), table.is_tumor)
    crow = pd.read_csv(sources.folder("compendium") / "crow_2019_de_prior.tsv.gz", sep="\t")
    rank = crow.drop_duplicates("Gene_Name").set_index("Gene_Name")["DE_Prior_Rank"]
    prior = table.genes["symbol"].map(rank).fillna(0.0).to_numpy(float)[seen]
    return Whole(draw, call_codes(edger_table(draw), LOG_FC, FDR), prior)


def drawn(cohort: Draw, k: int, number: int) -> tuple[Draw, np.ndarray]:
    """Return one draw, the same for the same numbers, and which genes it has."""
    return take(cohort, (k, k), np.random.default_rng([k, number]))


def rows_of(
    given: Whole,
    k: int,
    numbers: range,
    model: ProfileClassifier,
    extra: Callable[[Draw, int, int], dict] | None = None,
) -> Iterator[dict]:
    """Yield a row per draw and method. extra: further answers by draw."""
    for number in numbers:
        draw, seen = drawn(given.cohort, k, number)
        codes, prior = given.codes[seen], given.prior[seen]
        said = answers(draw, prior, model) | (extra(draw, k, number) if extra else {})
        n_same = int((said[NETWORK].rate <= 0.1).sum())
        again = bootstrap(draw, np.random.default_rng([k, number, 1]))
        sizes = dict(zip(("n_normal", "n_tumor"), group_sizes(draw)))
        facts = {"cancer": draw.name, "samples": k, "draw": number, **sizes}
        facts |= {"genes": len(codes), "changed": int((codes < 2).sum()), "bootstrap": again}
        facts["whole_normal"] = group_sizes(given.cohort)[0]
        for method, answer in said.items():
            own = OWN["network" if method == NETWORK else "test"]
            found = scores(answer, codes, prior > 0, n_same, own)
            if method == "Crow's prior":  # most published rows have no name
                found = {"ap_named": found.get("ap_named", np.nan)}
            yield facts | {"method": method} | found


def nothing_to_find(cohort: Draw, k: int, rng: np.random.Generator) -> Iterator[tuple[str, Draw]]:
    """Yield draws without a difference between the groups: labels permuted, one tissue only."""
    draw = take(cohort, (k, k), rng)[0]
    told = draw.is_tumor
    while (told == draw.is_tumor).all() or (told != draw.is_tumor).all():
        told = rng.permutation(draw.is_tumor)
    yield "labels permuted", draw_of(cohort.name, draw.counts, told)
    for name, group in (("normal", ~cohort.is_tumor), ("tumor", cohort.is_tumor)):
        if group.sum() >= 2 * k:
            at = rng.choice(np.flatnonzero(group), 2 * k, replace=False)
            yield (
                f"{name} against {name}",
                draw_of(cohort.name, cohort.counts[:, at], np.arange(2 * k) >= k),
            )


def controls(given: Whole, k: int, numbers: range, model: ProfileClassifier) -> Iterator[dict]:
    """Yield the share of genes called at fdr=0.1, by the network and by edgeR's LRT."""
    for number in numbers[:CONTROLS]:
        rng = np.random.default_rng([k, number, 2])
        for control, draw in nothing_to_find(given.cohort, k, rng):
            called = {NETWORK: network_answer(draw, model).rate <= 0.1}
            called["edgeR LRT"] = edger_table(draw)["fdr"].to_numpy() <= 0.1
            facts = {"cancer": draw.name, "samples": k, "draw": number, "control": control}
            for method, genes in called.items():
                yield facts | {"method": method, "called": genes.mean()}


def over_draws(table: pd.DataFrame) -> pd.DataFrame:
    """Return means over draws, and how much average precision varies from draw to draw."""
    by = ["cancer", "samples", *(["control"] if "control" in table else []), "method"]
    groups = table.groupby(by, sort=False)
    means = groups.mean(numeric_only=True).drop(columns="draw")
    means.insert(0, "draws", groups["draw"].nunique())
    if "ap" in means:
        means["ap_sd"] = groups["ap"].std()
    return means.round(4).reset_index()


def _table(rows: Callable, *given) -> pd.DataFrame:
    return pd.DataFrame(rows(*given)).round(4)


def main() -> None:
    """Draw, ask, score, write."""
    arguments = parser(__doc__)
    arguments.add_argument("--draws", type=int, default=20)
    arguments.add_argument("--deseq2", type=Path, metavar="FOLDER")
    arguments.add_argument("--only", choices=UNTRAINED, help="keep one cancer's rows, write later")
    args = arguments.parse_args()
    model = ProfileClassifier.from_pretrained("standard_few")
    weights = file_checksum(WEIGHTS / "profile_standard_few.safetensors", "sha256")
    settings = {"labels": RULE + ", of the whole cohort", "draws": args.draws, "weights": weights}
    settings |= {"code": code_digest(__spec__.name)}
    jobs = {"few_samples": rows_of, "few_samples_controls": controls}
    if args.deseq2:
        args.deseq2.mkdir(parents=True, exist_ok=True)
        extra = deseq2(args.deseq2)
        jobs = {"few_samples_deseq2": partial(rows_of, extra=extra)}
    parts, seconds = {name: [] for name in jobs}, dict.fromkeys(jobs, 0.0)
    for cancer in [args.only] if args.only else UNTRAINED:
        given = whole(cancer)
        for k in SIZES:
            for name, rows in jobs.items():
                job = partial(_table, rows, given, k, range(args.draws), model)
                made = keep(name, f"{cancer}_{k}", settings, job)
                parts[name].append(made[0])
                seconds[name] = round(seconds[name] + made[1], 1)
    for name, tables in parts.items() if not args.only else ():
        table = over_draws(pd.concat(tables, ignore_index=True))
        write_results(name, table, __spec__.name, settings, {"all": seconds[name]})
        numbers = [c for c in ("ap", "mcc_same", "wrong_0.1", "called") if c in table]
        by = ["samples", "control", "method"] if "control" in table else ["samples", "method"]
        print(table.groupby(by)[numbers].mean().round(3).to_string())


if __name__ == "__main__":
    call(main)
