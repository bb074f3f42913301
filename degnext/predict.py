"""Predict UR, DR or neutral for every gene of any cohort with the pretrained profile networks; nothing is trained."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from .cohorts import CLASS_NAMES, TRAINING, Cohort, LabeledCohort
from .errors import InputError

COLUMNS = ("gene", "symbol", "class", "p_DR", "p_UR", "p_neutral", "p_UR_if_DE", "log2_fold_change", "rule", "disagrees_with_rule")
_ENOUGH_GENES = 1000  # fewer are hardly a whole table, and library sizes are sums over the table
_FEW_SAMPLES = 10  # up to so many in both groups the network for small samples is asked
_SMALLEST_ALIGNMENT = 30  # genes from which the turning point of down and up can be estimated


def prepare(cohort: Cohort) -> tuple[Cohort, pd.Series]:
    """Return the cohort without summary rows (``__no_feature``, ``N_unmapped``, …) and each gene's symbol.

    Every gene stays, under the name that its table gives it. A symbol is empty where none is known, or where another
    row of the same symbol has more counts. Ensembl ids whose table of symbols cannot be had stay without symbols.
    Raises InputError for genes of another organism.
    """
    from .annotation import _SUMMARY
    from .download import DownloadError
    from .pipeline import to_symbols

    summary = cohort.counts.index.str.match(_SUMMARY)
    if summary.any():
        cohort = cohort.with_counts(cohort.counts[~summary], f"{int(summary.sum())} summary row(s) of the counting program left out.")
    if isinstance(cohort, LabeledCohort) and "symbol" in cohort.genes:
        return cohort, cohort.genes["symbol"]
    try:
        report = to_symbols(cohort)[1]
    except DownloadError:
        note = "The table of gene symbols could not be fetched: genes keep their ids and have no symbols."
        return replace(cohort, notes=(*cohort.notes, note)), pd.Series("", index=cohort.counts.index)
    names = pd.Series(cohort.counts.index, index=cohort.counts.index)
    return cohort, names if report is None else report["symbol"].where(report["kept"], "")


def predict_cohort(cohort: Cohort, symbols: pd.Series | None = None) -> pd.DataFrame:
    """Return one row per gene of ``cohort``, in its order, with the columns ``COLUMNS``.

    class and p_DR, p_UR, p_neutral come from a pretrained three-class network, that for small samples (notebook 8) where
    neither group has more than 10. p_UR_if_DE is the two-class network's
    calibrated probability of UR, *given* that the gene is differentially expressed; it is asked for the genes known to be
    so (bio genes, F1 and T3, of a labelled cohort), else for those that the three-class network calls, and NaN elsewhere.
    log2_fold_change: tumor over normal, of mean counts per million. rule: that number's sign, "none" at zero.
    disagrees_with_rule: a network gives a direction (the two-class one where it was asked) and the rule another.
    A labelled cohort adds part and label. Raises InputError for counts that are no counts.
    """
    from .profile import log_fold_change, part_weights, size_factors
    from .profile_genes import Genes
    from .profile_train import ProfileClassifier

    counts, is_tumor = cohort.counts.to_numpy(dtype=float), cohort.is_tumor
    labeled = isinstance(cohort, LabeledCohort) and "part" in cohort.genes
    part = cohort.genes["part"].to_numpy(dtype=str) if labeled else None
    factors = size_factors(counts, part_weights(part) if cohort.source == "published" and labeled else None)
    proba = ProfileClassifier.pretrained(3, few_samples=_is_small(cohort)).predict_proba(Genes(counts, is_tumor, None, factors))
    called = proba.argmax(1)
    asked = np.isin(part, ("F1", "T3")) if labeled and np.isin(part, ("F1", "T3")).any() else called < 2
    up = np.full(len(counts), np.nan)
    if asked.any():
        two = ProfileClassifier.pretrained(2)
        two.align = two.align and int(asked.sum()) >= _SMALLEST_ALIGNMENT
        up[asked] = two.predict_proba(Genes(counts[asked], is_tumor, None, factors))[:, 1]
    change = log_fold_change(counts, is_tumor)  # plain column sums: the rule as anyone would write it
    rule = np.select([change > 0, change < 0], [1, 0], -1)
    direction = np.where(asked, (up > 0.5).astype(int), np.where(called < 2, called, -1))
    table = pd.DataFrame({"gene": cohort.counts.index, "symbol": (cohort.counts.index if symbols is None else symbols.to_numpy())})
    table["class"] = np.array(CLASS_NAMES)[called]
    table[["p_DR", "p_UR", "p_neutral"]] = proba
    table["p_UR_if_DE"], table["log2_fold_change"] = up, change
    table["rule"] = np.array(["DR", "UR", "none"])[rule]
    table["disagrees_with_rule"] = (direction >= 0) & (rule >= 0) & (direction != rule)
    if labeled:
        table["part"], table["label"] = part, np.array(CLASS_NAMES)[cohort.genes["label"].to_numpy()]
    return table


def _is_small(cohort: Cohort) -> bool:
    return max(cohort.n_normal, cohort.n_tumor) <= _FEW_SAMPLES


def score(table: pd.DataFrame) -> pd.DataFrame:
    """Hold the predictions of a labelled cohort against its labels: one row per model and part, metrics of ``evaluate``.

    Q: direction of the bio genes, two-class network and log-fold-change rule. T2: three classes, without retraining.
    A part that is not at hand has no row.
    """
    from .evaluate import evaluate

    rows, code = [], {name: i for i, name in enumerate(CLASS_NAMES)}
    y = table["label"].map(code).to_numpy()
    q = (table["part"].isin(("F1", "T3")) & (table["label"] != "neutral")).to_numpy()
    if q.any():
        up, change = table["p_UR_if_DE"].to_numpy()[q], table["log2_fold_change"].to_numpy()[q]
        for name, value, cut in (("two-class network", up, 0.5), ("log-fold-change rule", change, 0.0)):
            result = evaluate(y[q], (value > cut).astype(int), np.stack([-value, value], 1))
            rows.append({"model": name, "part": "Q"} | result)
    t2 = (table["part"] == "T2").to_numpy()
    if t2.any():
        proba = table.loc[t2, ["p_DR", "p_UR", "p_neutral"]].to_numpy()
        rows.append({"model": "three-class network", "part": "T2"} | evaluate(y[t2], table.loc[t2, "class"].map(code).to_numpy(), proba))
    return pd.DataFrame(rows)


def score_lines(cancer: str, scores: pd.DataFrame) -> list[str]:
    """Write the scores of a labelled cohort as lines for the terminal."""
    from .evaluate import format_interval

    titles = {"Q": "UR or DR, {n:,} bio genes (Q)", "T2": "UR, DR or neutral, {n:,} genes of T2, network not retrained"}
    lines, seen = [], ""
    for s in scores.to_dict("records"):
        if s["part"] != seen:
            lines.append(titles[s["part"]].format(n=s["n"]) + ", 95 % intervals:")
            seen = s["part"]
        accuracy = format_interval(s["accuracy"], s["accuracy_low"], s["accuracy_high"], percent=True)
        mcc = format_interval(s["mcc"], s["mcc_low"], s["mcc_high"])
        lines.append(f"  {s['model']:21} accuracy {accuracy}, MCC {mcc}, AUC {s['auc']:.4f}, {round(s['n'] * (1 - s['accuracy'])):,} wrong")
    if not (len(scores) and (scores["part"] == "Q").any()):
        lines.append(f"{cancer} has no bio genes (F1, T3) at hand, so directions are not scored.")
    if cancer in TRAINING and len(scores):
        lines.append(f"The networks were trained on genes of {cancer}: these are no test scores.")
    return lines


def card() -> dict:
    """Return the model card of the pretrained networks (``degnext/weights/model_card.json``)."""
    from .profile_train import WEIGHTS

    return json.loads((WEIGHTS / "model_card.json").read_text(encoding="utf-8"))


def neutral_range() -> tuple[float, float]:
    """Return the lowest and the highest three-class MCC on T2 of cohorts never trained on, from the model card."""
    found = [v["t2_mcc"] for v in card()["three_class_untrained"].values()]
    return min(found), max(found)


def advice(cohort: Cohort) -> list[str]:
    """Return the notes that belong beside the predictions: the cohort's own, and what the networks cannot be trusted with."""
    low, high = neutral_range()
    notes = list(cohort.notes)
    if len(cohort.counts) < _ENOUGH_GENES and cohort.source == "file":
        notes.append(f"Only {len(cohort.counts):,} genes: library sizes are sums over the table, so give the whole table, not a selection.")
    if _is_small(cohort):
        notes.append(f"At most {_FEW_SAMPLES} samples per group: classes come from the network for small samples, which guesses what a full cohort would show.")
    return [*notes, f"Neutral calls do not transfer well (MCC {low:.2f} to {high:.2f} on cohorts never trained on): see degnext predict --card."]


def card_text() -> str:
    """Return the model card's main lines: data, protocol, scores on cohorts never trained on, limits, checksums."""
    from .files import file_checksum
    from .profile_train import WEIGHTS

    c, lines = card(), []
    low, high = neutral_range()
    training = ", ".join(f"{k} ({' '.join(v)})" for k, v in c["data"]["training"].items())
    lines += [f"Model: {c['model']}, a small convolutional network that reads a gene's profile image", f"Trained on: {training}", f"Source: {c['data']['source']}"]
    lines += ["", "Protocol"] + [f"- {k.replace('_', ' ')}: {v}" for k, v in c["protocol"].items()]
    lines += ["", "UR or DR on bio genes (Q) of cohorts never trained on, two-class network against the log-fold-change rule"]
    for name, s in c["transfer"].items():
        lines.append(f"- {name}: {int(s['n_genes'])} genes, accuracy {s['accuracy']:.4f} (rule {s['rule_accuracy']:.4f}), MCC {s['mcc']:.4f}, "
                     f"AUC {s['auc']:.4f}, calibration error {s['ece']:.4f}")
    lines += ["", "UR, DR or neutral on T2 of cohorts never trained on, three-class network, not retrained"]
    lines += [f"- {name}: accuracy {s['t2_accuracy']:.4f}, MCC {s['t2_mcc']:.4f}" for name, s in c["three_class_untrained"].items()]
    lines += ["", "Limits", f"- Neutral calls do not transfer well (MCC {low:.2f} to {high:.2f} above): decide with a test such as edgeR what is significant.",
              "- Probabilities are calibrated for two classes (p_UR_if_DE) only."] + [f"- {text}" for text in c["limits"]]
    lines += ["", "Weights"]
    for name, f in c["files"].items():
        same = file_checksum(WEIGHTS / name, "sha256") == f"sha256:{f['sha256']}"
        lines.append(f"- {name}: {f['weights']:,} weights, sha256 {f['sha256'][:16]}… ({'matches' if same else 'DOES NOT match'} the file)")
    return "\n".join([*lines, "", f"Licence: {c['licence']}"])


def load_for_prediction(source: str, *, counts: str | None = None, groups: str | None = None, cancer: str | None = None,
                        data_dir: str | None = None, round_counts: bool = False, seed: int = 0) -> Cohort:
    """Load the cohort to predict; of a published one, whatever parts are at hand. Raises InputError for what does not fit."""
    from .errors import check_choice
    from .sources import SOURCES, load_cohort

    check_choice("source", source, SOURCES)
    if source != "published" and data_dir:
        raise InputError(f"--data-dir belongs to source 'published', not {source!r}: use --source published or drop it")
    if source == "file":
        if not counts:
            raise InputError("there is no counts table: name one, degnext predict COUNTS --out predictions.csv, or use --source published --cancer CODE")
        return load_cohort(cancer or "MINE", "file", counts_path=counts, groups_path=groups, round_counts=round_counts)
    if counts or groups:
        raise InputError(f"a counts or groups table belongs to source 'file', not {source!r}: drop --source, or drop the tables")
    if not cancer:
        raise InputError(f"source {source!r} needs --cancer: name a TCGA study code such as STAD")
    if source == "published":
        from .published import load_published

        return load_published(cancer, data_dir, train_part=None)
    return load_cohort(cancer, source, seed=seed)


def check_out(path: Path, force: bool = False, inputs: tuple[str | None, ...] = ()) -> Path:
    """Return ``path`` if predictions can be written there; made before any work starts, so that none is lost."""
    if path.suffix.lower() != ".csv":
        raise InputError(f"the predictions are a CSV table, so {path.name!r} will not do: name a file that ends with .csv")
    if path.is_dir():
        raise InputError(f"{path} is a folder: name a file in it, such as predictions.csv")
    if path.resolve() in {Path(piece.strip()).resolve() for one in inputs if one for piece in one.split(",")}:
        raise InputError(f"{path} is an input of this very command: name another file for the predictions")
    folder = next(p for p in path.resolve().parents if p.exists())
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise InputError(f"nothing can be written into {folder}: name a file in a folder of your own")
    if path.exists() and not force:
        raise InputError(f"{path} exists already: name another file, or add --force to replace it")
    return path
