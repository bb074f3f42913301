"""What the committed scores say in words, sentence by sentence, for the results page."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from degnext.cohorts.paper import paper_table
from degnext.evaluation.record import saved_results
from reproduction.scores import (
    OURS,
    RELEASED,
    mean_scores,
    scaling_of_the_rule,
    what_training_lacks,
)

# runs of transfer under the paper's protocol, as the first four levels of ``what_training_lacks``
FULL = ("45", "all at hand", "20 + 31", "whole")
COMPARED = {
    "Genes": (("45", "250", "92 + 84", "whole"), FULL),
    "Epochs": (
        ("45", "all at hand", "10 + 10", "whole"),
        ("45", "all at hand", "50 + 31", "whole"),
    ),
    "The target's samples": (("45", "all at hand", "20 + 31", "45"), FULL),
}
FEW, MANY = (("45", "all at hand", "10 + 10", "whole"), ("all", "all at hand", "10 + 10", "whole"))


def sentences(table: pd.DataFrame, network: pd.DataFrame) -> pd.DataFrame:
    """Return columns topic and text; a topic whose runs are missing has no row.

    table: from :func:`reproduction.scores.committed_scores`. network: ``network.csv``.
    """
    found = {
        "scaling": [scaling_of_the_rule()],
        "unseen": unseen(table),
        "short": short_of_the_paper(table),
        "goal": goal(table),
        "given": given(table),
        "training": training(network),
        "samples": samples(network),
        "general": general(table),
        "draws": draws(network),
        "labels": labels(),
        "summary": summary(table),
    }
    rows = [(topic, text) for topic, texts in found.items() for text in texts]
    return pd.DataFrame(rows, columns=["topic", "text"])


def unseen(table: pd.DataFrame) -> Iterator[str]:
    """Yield where each method is at its lowest on cohorts never trained on."""
    scores, words = mean_scores(table, "Q"), []
    for method in (RELEASED, OURS["corrected"], "ProfileCNN", "log-fold-change rule"):
        if method in scores.index.unique("method"):
            own = scores.xs(method, level="method")
            cancer, low = own["accuracy"].idxmin(), own["accuracy"].min()
            wrong = round(own.at[cancer, "n"] * (1 - low))
            words.append(
                f"{method} {100 * low:.1f} % ({cancer}, {wrong} of {own.at[cancer, 'n']:.0f} wrong)"
            )
    n = scores.index.unique("cancer").size
    yield f"The lowest accuracy over {n} cohorts: {'; '.join(words)}."


def short_of_the_paper(table: pd.DataFrame) -> Iterator[str]:
    """Yield where our training by the paper's protocol stays below Table 3, and where it is not."""
    own = mean_scores(table, "Q").xs(OURS["paper"], level="method")["accuracy"]
    below = (paper_table(3)["accuracy"].reindex(own.index) / 100 - own).round(3)
    said = [f"{c} ({own[c]:.1%}, the paper {own[c] + b:.1%})" for c, b in below[below > 0].items()]
    yield (
        "Trained by us with the paper's protocol, on the parts that are public, the network does "
        f"worse than the paper on {len(said)} of {len(own)} cohorts: {', '.join(said)}."
    )


def goal(table: pd.DataFrame) -> Iterator[str]:
    """Yield on which cohorts ProfileCNN misses what this book set out to reach, and why."""
    own = mean_scores(table, "Q").xs("ProfileCNN", level="method")
    missed = own[(own["accuracy"] < 0.99) | (own["mcc"] < 0.97)]
    zero = saved_results("transfer_zero").set_index("cancer")
    said = [
        f"on {c} ({r.accuracy:.2%}, MCC {r.mcc:.3f}): its best zero lies between "
        f"{zero.best_low[c]:.2f} and {zero.best_high[c]:.2f}, the one that is found at "
        f"{zero.found[c]:.2f}"
        for c, r in missed.iterrows()
    ]
    yield (
        "This book set out for 99 % and an MCC of 0.97 on every one of these cohorts. ProfileCNN "
        f"has that on {len(own) - len(missed)} of {len(own)} and not {'; '.join(said)}."
    )


def given(table: pd.DataFrame) -> Iterator[str]:
    """Yield what each main run of the paper's network in transfer was given."""
    runs = table.query("experiment == 'transfer' and model == 'DEGnext' and variant == 'main'")
    for method, run in runs.groupby("method").first().iterrows():
        words = [run["note"], f"{run['epochs']:.0f} + {run['fine_tune_epochs']:.0f} epochs"]
        words += [f"cohorts cut to {run['max_samples']:.0f} samples"] * (run["max_samples"] > 0)
        words += [f"{run['draws']:.0f} draws of samples"] * (run["draws"] > 1)
        yield f"{method}: {'; '.join(words)}"


def training(network: pd.DataFrame) -> Iterator[str]:
    """Yield what chance, genes, epochs and the target's samples do to our own training."""
    lacks = what_training_lacks(network)
    mean = lacks.mean(axis=1).groupby(level=[0, 1, 2, 3]).mean() * 100
    if FULL in mean.index:
        seeds = lacks.loc[FULL]
        spread = seeds.max() - seeds.min()
        values = ", ".join(f"{v:.1%}" for v in seeds[spread.idxmax()])
        yield (
            f"**Chance.** {len(seeds)} seeds of one setting differ by up to "
            f"{100 * spread.max():.0f} points ({spread.idxmax()}: {values})."
        )
        area = what_training_lacks(network, "auc").loc[FULL].mean()
        yield (
            "**Ranking or border.** The area under the ROC curve is "
            f"{', '.join(f'{v:.2f} ({c})' for c, v in area.items())}: near 1 where only the border "
            "between down and up is misplaced, lower where the order of genes suffers too."
        )
    for what, pair in COMPARED.items():
        if set(pair) <= set(mean.index):
            a, b = (f"{mean[run]:.1f} % ({_given(*run)})" for run in pair)
            yield f"**{what}.** Mean over the cohorts {a} and {b}."


def _given(samples: str, genes: str, epochs: str, target: str) -> str:
    cut = f", the target cut to {target}" if target != "whole" else ""
    return f"{samples} samples, {genes.replace('all at hand', 'all')} genes, {epochs} epochs{cut}"


def samples(network: pd.DataFrame) -> Iterator[str]:
    """Yield what training on all samples instead of a few does, cohort by cohort."""
    area, right = (what_training_lacks(network, score) for score in ("auc", "accuracy"))
    few, many = (*FEW, 0), (*MANY, 0)
    if not {few, many} <= set(area.index):
        return
    size = paper_table(6)[["n_normal_printed", "n_tumor_printed"]].sum(axis=1)
    said = (
        f"{c} ({n} samples) AUC {area.at[few, c]:.2f} → {area.at[many, c]:.2f}, "
        f"accuracy {right.at[few, c]:.1%} → {right.at[many, c]:.1%}"
        for c, n in size[area.columns].sort_values().items()
    )
    yield (
        "**Samples.** Trained on all samples instead of 45, cohorts from the smallest to the "
        f"largest: {'; '.join(said)}."
    )


def general(table: pd.DataFrame) -> Iterator[str]:
    """Yield where the corrected network stays below the paper's MCC on a cohort's own T3."""
    own = mean_scores(table, "T3").xs(OURS["corrected"], level="method")
    printed = paper_table(2)["mcc"]
    short = own[own["mcc"].round(2) < printed.reindex(own.index)]
    said = (
        f"{c} ({r.mcc:.2f}, the paper {printed[c]:.2f}; "
        f"{(1 - r.accuracy) * r.n:.1f} of {r.n:.0f} genes wrong)"
        for c, r in short.iterrows()
    )
    where = ", ".join(said) or "no cohort"
    yield (
        f"Corrected, the paper's network stays below the paper's MCC on {where}. "
        "Means over seeds and folds where there are several."
    )


def draws(network: pd.DataFrame) -> Iterator[str]:
    """Yield what several draws of samples are worth against one cut, in general learning."""
    runs = network.query(
        "experiment == 'general' and protocol == 'corrected' and part == 'T3' "
        "and seed == 0 and fold == 0 and max_samples > 0"
    )
    longest = runs.sort_values("epochs").drop_duplicates(["cancer", "draws"], keep="last")
    ways = longest.pivot(index="cancer", columns="draws", values="mcc").reindex(columns=[1, 3])
    said = ", ".join(f"{c} {a:.2f} → {b:.2f}" for c, a, b in ways.dropna().itertuples())
    yield (
        "What the draws are worth, MCC with one cut to 90 samples → with three draws: "
        f"{said or 'not run'}."
    )


def labels() -> Iterator[str]:
    """Yield how well edgeR itself agrees with the published labels of T2."""
    again = saved_results("audit_labels_again")
    said = ", ".join(f"{r.t2_mcc:.2f} ({r.cancer})" for r in again.itertuples())
    yield (
        "For scale: edgeR itself, run on the published counts, agrees with the published labels "
        f"of T2 with an MCC of {said}; see section 10 of the audit chapter."
    )


def summary(table: pd.DataFrame) -> Iterator[str]:
    """Yield the summary of unseen cohorts."""
    by = mean_scores(table, "Q")["accuracy"].unstack("method")
    corrected, printed = by[OURS["corrected"]], paper_table(3)["accuracy"].reindex(by.index) / 100
    yield (
        f"On unseen cohorts the scaled log-fold-change rule reaches "
        f"{by['log-fold-change rule'].mean():.1%} on average over {len(by)} cohorts, ProfileCNN "
        f"{by['ProfileCNN'].mean():.1%}, the authors' weights {by[RELEASED].mean():.1%}."
    )
    yield (
        f"The paper's network, corrected, reaches {corrected.mean():.1%} and is above the paper's "
        f"own figure on {(corrected > printed).sum()} of {corrected.notna().sum()} cohorts; the "
        f"lowest is {corrected.idxmin()} with {corrected.min():.1%}."
    )
