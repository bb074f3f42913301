"""Noise and practical disturbances on published cohorts, every method.

    DEGNEXT_DATA=/path/to/data OMP_NUM_THREADS=1 python -m reproduction.experiments.noise

Writes data/results/noise.csv (seven levels, two readings, noise on test data or on train and test
data, with the ceiling) and perturbations.csv (unequal depth, fewer samples, swapped groups, shallow
sequencing). Transfer models are trained once on the nine training cancers, clean or with one noisy
copy of each, and tested on Q; general learning is trained on up to 600 called genes of T1 and F1
and tested on the called genes of T2 and T3. Finished cohorts lie in results/batch/noise/; a killed
run goes on at the cohort it was at.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
import pandas as pd

from degnext.cohorts.cohort import TRAINING, Cohort, label_names
from degnext.cohorts.perturb import add_noise, disturbed, random_level
from degnext.cohorts.published import published_parts
from degnext.evaluation import disturbances
from degnext.evaluation.disturbances import Answer, rule_calls
from degnext.evaluation.experiments import IMAGE, SCALED, sorted_groups
from degnext.learning.profile.classifier import ProfileClassifier
from degnext.learning.profile.genes import genes_of
from reproduction.command import call, parser
from reproduction.experiments import transfer_methods
from reproduction.sources import COMPLETE, folder, published
from reproduction.store import code_digest, keep, write_results

TARGETS = (*COMPLETE, "STAD", "BLCA", "HNSC")
SHARES = ", class shares estimated"
MAX_GENES = 600  # to train on: everything is trained anew for every level and draw
WHERE = {False: "test", True: "train and test"}
FIRST = ["cancer", "experiment", "part", "noise_on"]


@cache
def models(noisy: bool, seed: int) -> dict:
    """Train every method on the training cohorts, clean or with one noisy copy of each."""
    training = [published(c) for c in TRAINING if published_parts(c)]
    rng = np.random.default_rng([seed, 1])
    shown = training + [with_noise(c, rng) for c in training] * noisy
    found = transfer_methods.train_transfer(shown, seed, probabilities=False)
    return {key: v for key, v in found.items() if key[1] != SCALED}


def transfer(cancer: str, noisy: bool, table: Callable, draws: int, seed: int) -> pd.DataFrame:
    """Return ``table`` (noise or perturbations) of Q of a cohort that was not trained on."""
    cohort = published(cancer)
    q = cohort.rows("Q")
    found = table(cohort, q, transfer_answer(models(noisy, seed), q), draws=draws, seed=seed)
    facts = dict(zip(FIRST, (cancer, "transfer", "Q", WHERE[noisy])))
    return found.assign(**facts)


def general(cancer: str, noisy: bool, draws: int, seed: int) -> pd.DataFrame:
    """Return the noise table of one cohort's called genes, trained on its own others."""
    cohort = published(cancer)
    train, test = disturbances.test_rows(cohort)
    train = np.random.default_rng(seed).permutation(train)[:MAX_GENES]

    def answer(c: Cohort) -> Answer:
        return disturbances.general_answer(disturbances.train_general(c, train, seed), test)

    def retrained(c: Cohort) -> dict[tuple[str, str], np.ndarray]:
        return answer(c)(c)

    asked = retrained if noisy else answer(cohort)
    found = disturbances.noise_table(cohort, test, asked, draws=draws, seed=seed)
    facts = dict(zip(FIRST, (cancer, "general", "T2 and T3", WHERE[noisy])))
    return found.assign(**facts)


def pieces(draws: int, seed: int, only: str | None) -> Iterator[tuple[str, str, Callable]]:
    """Yield key, table and computation of every piece, those that train least first."""
    at, ways = folder("published"), {"draws": draws, "seed": seed}
    noise, shaken = disturbances.noise_table, disturbances.perturbation_table
    targets = [c for c in TARGETS if {"F1", "T3"} <= set(published_parts(c, at))]
    own = [c for c in COMPLETE if "T1" in published_parts(c, at)]
    for c in targets if only != "general" else ():
        yield f"transfer_{c}", "noise", lambda c=c: transfer(c, False, noise, **ways)
        yield f"perturbed_{c}", "perturbations", lambda c=c: transfer(c, False, shaken, **ways)
    for c in targets if only != "general" else ():
        yield f"transfer_noisy_{c}", "noise", lambda c=c: transfer(c, True, noise, **ways)
    for c in own if only != "transfer" else ():
        yield f"general_{c}", "noise", lambda c=c: general(c, False, **ways)
        yield f"general_noisy_{c}", "noise", lambda c=c: general(c, True, **ways)


def main() -> None:
    """Run what is not done yet and write the tables."""
    arguments = parser(__doc__)
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--draws", type=int, default=5)
    arguments.add_argument(
        "--only",
        choices=("transfer", "general"),
        help="one experiment; its pieces are kept, the CSVs are written by a run without",
    )
    args = arguments.parse_args()
    settings = {"seed": args.seed, "draws": args.draws, "code": code_digest(__spec__.name)}
    tables, seconds = {"noise": [], "perturbations": []}, {"noise": {}, "perturbations": {}}
    for key, name, compute in pieces(args.draws, args.seed, args.only):
        table, seconds[name][key] = keep("noise", key, settings, compute)
        tables[name].append(table)
        if not args.only:  # after every piece, so that a stopped run leaves what it has
            whole = pd.concat(tables[name], ignore_index=True)
            whole = whole[FIRST + [c for c in whole if c not in FIRST]].round(5)
            write_results(name, whole, __spec__.name, settings, seconds[name])
    print(f"noise.csv and perturbations.csv: {sum(map(len, sum(tables.values(), [])))} rows")


def transfer_answer(models: dict, rows: np.ndarray) -> Answer:
    """Return a function that lets trained models and the rule call the genes at ``rows``."""

    def answer(cohort: Cohort) -> dict[tuple[str, str], np.ndarray]:
        inputs = tuple({given for _, given in models} - {IMAGE})
        x = transfer_methods.transfer_inputs(cohort, rows, inputs=inputs)
        genes = genes_of(cohort, rows)._replace(labels=None)
        out = {k: model.predict(x[k[1]]) for k, (model, _) in models.items() if k[1] != IMAGE}
        for (name, given), (model, _) in models.items():
            if given == IMAGE:
                proba = model.predict_proba(genes)
                out[name, given] = label_names(proba.argmax(1))
                out[name + SHARES, given] = label_names(adapt_shares(proba).argmax(1))
                out[name + ", not aligned", given] = _not_aligned(model).predict(genes)
        raw, scaled = (values[rows] for values in transfer_methods.scaled_rows(cohort))
        return out | rule_calls(raw, scaled, sorted_groups(cohort))

    return answer


def adapt_shares(proba: np.ndarray, n_iterations: int = 200) -> np.ndarray:
    """Return the probabilities when classes are as frequent as these genes say, without labels.

    Expectation maximisation of the class shares (Saerens, Latinne & Decaestecker 2002, Neural
    Computation 14:21), started at equal shares. Sure answers stay; doubtful ones lean to the larger
    class. Swapping two columns swaps the answer's.
    """
    equal = np.full(proba.shape[1], 1 / proba.shape[1])
    shares = equal
    for _ in range(n_iterations):
        weighted = proba * (shares / equal)
        adapted = weighted / weighted.sum(1, keepdims=True)
        shares = adapted.mean(0)
    return adapted


def _not_aligned(model: ProfileClassifier) -> ProfileClassifier:
    return copy.copy(model).set_params(align=False)


def with_noise(cohort: Cohort, rng: np.random.Generator) -> Cohort:
    """Return a training cohort with relative noise of 50 to 1,000 %, a level drawn at random."""
    level = random_level(rng)
    counts = cohort.counts.to_numpy()
    return disturbed(cohort, add_noise(counts, level, "relative", rng, cohort.is_tumor))


if __name__ == "__main__":
    call(main)
