"""Noise and practical disturbances on published cohorts, every method: python scripts/run_noise.py

    DEGNEXT_DATA=/path/to/data OMP_NUM_THREADS=1 python scripts/run_noise.py

Writes data/results/noise.csv (seven levels, two readings, noise on test data or on train and test data, with the ceiling) and
perturbations.csv (unequal depth, fewer samples, swapped groups, shallow sequencing). Transfer models are trained once on the nine training
cancers, clean or with one noisy copy of each, and tested on Q; general learning is trained on up to 600 called genes of T1 and F1 and
tested on the called genes of T2 and T3. Finished cohorts lie in results/batch/noise/; a killed run goes on at the cohort it was at.
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd

from degnext._common.errors import InputError
from degnext.cohorts.cohort import TRAINING, Cohort
from degnext.cohorts.perturb import add_noise, disturbed, random_level
from degnext.cohorts.published import load_published, published_parts
from degnext.evaluation import disturbances as bench
from degnext.evaluation import experiments as benchmark
from degnext.evaluation.calibration import adapt_shares
from degnext.evaluation.disturbances import SHARES, Answer, rule_answer
from degnext.evaluation.experiments import IMAGE
from degnext.learning.profile.classifier import ProfileClassifier
from degnext.learning.profile.genes import genes_of
from reproduction import store as batch

MODULES = (
    "baselines",
    "benchmark",
    "ceiling",
    "noise",
    "noise_bench",
    "rows",
    "profile",
    "profile_calibration",
    "profile_model",
    "profile_genes",
    "profile_train",
    "profile_steps",
)
TARGETS = ("CHOL", "KICH", "READ", "STAD", "BLCA", "HNSC")
GENERAL = ("CHOL", "KICH", "READ")  # whose T1 is at hand
MAX_GENES = 600  # to train on: everything is trained anew for every level and draw


def main() -> None:
    """Run what is not done yet and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument(
        "--only",
        choices=("transfer", "general"),
        help="one of the two experiments; its tables are kept, the CSVs are written by a run without",
    )
    args = parser.parse_args()
    folder, seed, draws = batch.need_published(), args.seed, args.draws
    settings = {"seed": seed, "draws": draws, "code": batch.code_digest(MODULES)}
    trained, noise, perturbations, seconds = {}, [], [], {}

    def load(cancer: str):
        return load_published(cancer, folder, train_part=None)

    def models(noisy: bool) -> dict:
        if noisy not in trained:
            training = [load(c) for c in TRAINING if published_parts(c, folder)]
            rng = np.random.default_rng([seed, 1])
            found = benchmark.train_transfer(
                training + [with_noise(c, rng) for c in training] * noisy, seed, probabilities=False
            )
            trained[noisy] = {k: v for k, v in found.items() if k[1] != benchmark.SCALED}
        return trained[noisy]

    def transfer(cancer: str, noisy: bool, table) -> pd.DataFrame:
        cohort = load(cancer)
        q = cohort.rows("Q")
        found = table(cohort, q, transfer_answer(models(noisy), q), draws=draws, seed=seed)
        return found.assign(
            cancer=cancer,
            experiment="transfer",
            part="Q",
            noise_on="train and test" if noisy else "test",
        )

    def general(cancer: str, noisy: bool) -> pd.DataFrame:
        cohort = load(cancer)
        train, test = bench.test_rows(cohort)
        train = np.random.default_rng(seed).permutation(train)[:MAX_GENES]

        def answer(c):
            return bench.general_answer(bench.train_general(c, train, seed), test)

        found = bench.noise_table(
            cohort, test, answer(cohort), draws=draws, seed=seed, retrain=answer if noisy else None
        )
        return found.assign(
            cancer=cancer,
            experiment="general",
            part="T2 and T3",
            noise_on="train and test" if noisy else "test",
        )

    def run(key: str, into: list, compute) -> None:
        table, seconds[key] = batch.keep("noise", key, settings, compute)
        into.append(table)
        write()

    def write() -> None:  # after every table, so that a stopped run leaves what it has
        if args.only:
            return
        first = ["cancer", "experiment", "part", "noise_on"]
        for name, tables in (("noise", noise), ("perturbations", perturbations)):
            if tables:
                table = pd.concat(tables, ignore_index=True)
                spent = {
                    k: v
                    for k, v in seconds.items()
                    if k.startswith("perturbed") == (name == "perturbations")
                }
                batch.write_results(
                    name,
                    table[first + [c for c in table if c not in first]].round(5),
                    settings,
                    spent,
                )

    targets = [c for c in TARGETS if {"F1", "T3"} <= set(published_parts(c, folder))]
    if args.only == "general":
        targets = []
    for cancer in targets:
        run(f"transfer_{cancer}", noise, lambda c=cancer: transfer(c, False, bench.noise_table))
        run(
            f"perturbed_{cancer}",
            perturbations,
            lambda c=cancer: transfer(c, False, bench.perturbation_table),
        )
    for cancer in targets:
        run(
            f"transfer_noisy_{cancer}", noise, lambda c=cancer: transfer(c, True, bench.noise_table)
        )
    for cancer in [
        c for c in GENERAL if "T1" in published_parts(c, folder) and args.only != "transfer"
    ]:
        run(f"general_{cancer}", noise, lambda c=cancer: general(c, False))
        run(f"general_noisy_{cancer}", noise, lambda c=cancer: general(c, True))
    print(f"noise.csv and perturbations.csv: {sum(map(len, noise + perturbations))} rows")


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        raise SystemExit(str(error)) from None


def transfer_answer(models: dict, rows: np.ndarray) -> Answer:
    """Return a function that lets models of :func:`degnext.evaluation.experiments.train_transfer` and the rule call the genes at ``rows``."""

    def answer(cohort: Cohort) -> dict[tuple[str, str], np.ndarray]:
        inputs = tuple({given for _, given in models} - {IMAGE})
        x = benchmark.transfer_inputs(cohort, rows, inputs=inputs)
        out = {
            key: model.predict(x[key[1]]) for key, (model, _) in models.items() if key[1] != IMAGE
        }
        genes = genes_of(cohort, rows)._replace(labels=None)
        for key, (model, _) in models.items():
            if key[1] == IMAGE:
                proba = model.predict_proba(genes)
                out[key] = proba.argmax(1)
                out[key[0] + SHARES, key[1]] = adapt_shares(proba).argmax(1)
                out[key[0] + ", not aligned", key[1]] = _not_aligned(model).predict(genes)
        return out | rule_answer(cohort, rows)

    return answer


def _not_aligned(model: ProfileClassifier) -> ProfileClassifier:
    import copy

    other = copy.copy(model)
    other.align = False
    return other


def with_noise(cohort: Cohort, rng: np.random.Generator) -> Cohort:
    """Return a training cohort with relative noise of 50 to 1,000 %, a level drawn at random."""
    return disturbed(
        cohort,
        add_noise(cohort.counts.to_numpy(), random_level(rng), "relative", rng, cohort.is_tumor),
    )
