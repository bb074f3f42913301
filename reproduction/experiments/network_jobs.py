"""The training runs of the paper's network, one job each, those worth most first."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields

from degnext.cohorts.cohort import TRAINING, UNTRAINED
from degnext.cohorts.published import published_parts
from reproduction.sources import COMPLETE


@dataclass(frozen=True)
class Job:
    """One training run; 0 stands for the protocol's epochs, every sample, every gene.

    experiment : general, transfer, or released: the authors' own weights on untrained cohorts
    cancer, fold, precision : general only; precision is float32 or bfloat16, to compare them
    draws      : images per training gene, each of other samples; general learning then tests T3
    max_genes  : transfer only, at most so many genes per training cohort and stage
    left_out   : transfer only, training cohorts (KIRP+PRAD) tested instead of the untrained ones
    """

    experiment: str
    protocol: str
    cancer: str = ""
    fold: int = 0
    seed: int = 0
    relu: str = "pair"
    epochs: int = 0
    fine_tune_epochs: int = 0
    precision: str = ""
    max_samples: int = 0
    max_genes: int = 0
    draws: int = 1
    left_out: str = ""

    @property
    def name(self) -> str:
        """The job in one word, from every setting that differs from its default."""
        fold = f"fold{self.fold}" if self.cancer else ""
        parts = [self.experiment, self.protocol, self.cancer, fold, f"seed{self.seed}"]
        settings = [f for f in fields(self) if f.name not in FIRST]
        changed = [f.name for f in settings if getattr(self, f.name) != f.default]
        return "-".join(p for p in parts + [f"{k}{asdict(self)[k]}" for k in changed] if p)


FIRST = ("experiment", "protocol", "cancer", "fold", "seed")  # they come first in a job's name


def plan(which: str) -> list[Job]:
    """Return the jobs of a plan, cpu or full, in the order in which they are worth running."""
    if which == "full":
        return _full_plan()
    others, general = _others(), ("general", "corrected")
    drawn = {"max_samples": 90, "draws": 3}
    jobs = [Job("released", "paper"), _transfer(0)]
    jobs += [Job(*general, c) for c in COMPLETE]
    jobs += [Job(*general, "CHOL", relu="conv")]
    jobs += [Job(*general, c, **drawn) for c in others]
    jobs += [Job("general", "paper", "CHOL"), _transfer(1), _transfer(2)]
    jobs += [Job(*general, c, fold) for c in COMPLETE for fold in range(1, 5)]
    jobs += [Job("general", "paper", c) for c in ("KICH", "READ")]
    jobs += [Job(*general, c, seed=s) for c in COMPLETE for s in (1, 2)]
    jobs += [Job(*general, c, seed=s, **drawn) for s in (1, 2) for c in others]
    short = {"epochs": 4, "fine_tune_epochs": 4}
    jobs += [Job(*general, "CHOL", precision=p, **short) for p in ("float32", "bfloat16")]
    # what the draws are worth
    jobs += [Job(*general, c, max_samples=90) for c in ("KIRC", "KIRP", "LIHC", "LUAD")]
    return jobs + why_not_the_paper() + leave_out()


def _transfer(seed: int) -> Job:
    return Job("transfer", "corrected", seed=seed, epochs=2, draws=3, max_samples=90)


def _others() -> list[str]:
    """The cohorts of which T1 is missing and the other parts of P and Q are there."""
    cancers = [c for c in TRAINING + UNTRAINED if c not in COMPLETE]
    return [c for c in cancers if {"T2", "T3"} <= set(published_parts(c))]


def _full_plan() -> list[Job]:
    seeds = range(3)
    jobs = [Job("released", "paper"), Job("transfer", "paper")]
    jobs += [Job("general", p, "CHOL", relu="conv") for p in ("corrected", "paper")]
    drawn = {"epochs": 4, "draws": 6, "max_samples": 90}
    jobs += [Job("transfer", "corrected", seed=s, **drawn) for s in seeds]
    for protocol in ("corrected", "paper"):
        folds = [(c, fold, s) for c in COMPLETE for fold in range(5) for s in seeds]
        jobs += [Job("general", protocol, *settings) for settings in folds]
        jobs += [Job("general", protocol, c, seed=s) for c in _others() for s in seeds]
    return jobs


def why_not_the_paper() -> list[Job]:
    """Return transfer under ``paper`` with other settings: what our own lacks to reach Table 3."""
    names = ("seed", "epochs", "fine_tune_epochs", "max_samples", "max_genes")
    given = [
        (0, 50, 31, 45, 0),
        (0, 20, 31, 45, 0),
        (1, 20, 31, 45, 0),
        (2, 20, 31, 45, 0),
        (0, 92, 84, 45, 250),
        (0, 10, 10, 45, 0),
        (0, 10, 10, 0, 0),
    ]
    return [Job("transfer", "paper", **dict(zip(names, values))) for values in given]


def leave_out() -> list[Job]:
    """Return the jobs by which the way to show samples and to answer was chosen."""
    return [
        Job("transfer", "corrected", epochs=e, draws=d, max_samples=90, left_out=p)
        for p in ("KIRP+PRAD", "LUSC+UCEC")
        for e, d in ((1, 3), (3, 1))
    ]
