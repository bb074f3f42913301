"""The audit's claims about counts and labels, one function each; percentages are 0 to 100."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from degnext._common.errors import InputError
from degnext.cohorts.cohort import NEUTRAL, UR, Cohort, registry
from degnext.cohorts.library_size import log_fold_change, size_factors
from reproduction.audit.files import cohort, present
from reproduction.sources import COMPLETE

R_TOY = Path(__file__).resolve().parents[2] / "tests" / "reference" / "r_toy"


def change_of(c: Cohort, scaled: bool) -> np.ndarray:
    """Return log2 of mean tumor over mean normal count, raw or in counts per million."""
    counts = c.counts.to_numpy(dtype=float)
    factors = size_factors(counts) if scaled else np.ones(counts.shape[1])
    return log_fold_change(counts, c.is_tumor, factors, prior=0.5)


def normalisation() -> pd.DataFrame:
    """Claim 3: how many cells TCGAanalyze_Normalization changes, by method, in R's run and in ours.

    Raises InputError without R's run (``tests/reference/r_toy``): no toy stands in for it.
    """
    from degnext.preprocessing.tcgabiolinks import tcgabiolinks_normalize

    if not (R_TOY / "counts.csv").exists():
        raise InputError(
            "R's run of the normalisation, tests/reference/r_toy, is not here: run the audit from "
            "a checkout that holds it"
        )
    counts, info = (pd.read_csv(R_TOY / f"{n}.csv", index_col=0) for n in ("counts", "gene_info"))
    info = info.rename(columns={"geneLength": "gene_length", "gcContent": "gc_content"})
    rows = []
    for method in ("geneLength", "gcContent"):
        r = pd.read_csv(R_TOY / f"tcgabiolinks_{method}.csv", index_col=0)
        rows.append(("R (TCGAbiolinks)", method, len(r), _changed(counts, r)))
    for method in ("geneLength", "gcContent"):
        ours = tcgabiolinks_normalize(counts, info, method)
        rows.append(("this book", method, len(ours), _changed(counts, ours)))
    return pd.DataFrame(rows, columns=["program", "method", "genes", "changed_percent"]).round(2)


def _changed(before: pd.DataFrame, after: pd.DataFrame) -> float:
    return 100 * float((before.loc[after.index].to_numpy() != after.to_numpy()).mean())


def library_sizes() -> pd.DataFrame:
    """Claim 3: column sums in million counts, and how many values are whole numbers."""
    rows = []
    for name in COMPLETE:
        c = cohort(name)
        sums, values = c.counts.sum().to_numpy() / 1e6, c.counts.to_numpy()
        row = {"cancer": name, "genes": len(values), "smallest": sums.min()}
        row |= {"median": np.median(sums), "largest": sums.max()}
        row["tumor_over_normal"] = sums[c.is_tumor].mean() / sums[~c.is_tumor].mean()
        rows.append(row | {"whole_percent": 100 * float((values == np.round(values)).mean())})
    return pd.DataFrame(rows).round(2)


def sign_agreement() -> pd.DataFrame:
    """Claim 4: percent of called genes whose log fold change has the sign of its label.

    Per million of the reads on the rows at hand: of COAD T1 is missing.
    """
    rows = []
    for name in ("CHOL", "COAD", "KICH", "READ"):
        c = cohort(name)
        label, ways = c.codes, {"raw": False, "per_million": True}
        same = {how: (change_of(c, scaled) > 0) == (label == UR) for how, scaled in ways.items()}
        for part, member in (("Q", c.genes["bio"].to_numpy()), ("all called", label != NEUTRAL)):
            row = {"cancer": name, "part": part, "genes": int(member.sum())}
            rows.append(row | {how: 100 * float(s[member].mean()) for how, s in same.items()})
    return pd.DataFrame(rows).round(2)


def fold_change_auc() -> pd.DataFrame:
    """Claim 5: how well the row's log fold change alone ranks UR above DR genes, no learning."""
    from sklearn.metrics import roc_auc_score

    rows = []
    for name in present():
        c = cohort(name)
        called = c.codes != NEUTRAL
        up = (c.codes == UR)[called]
        row = {"cancer": name, "parts": ", ".join(c.parts), "called_genes": int(called.sum())}
        row["raw"] = roc_auc_score(up, change_of(c, False)[called])
        whole = name in COMPLETE
        row["per_million"] = roc_auc_score(up, change_of(c, True)[called]) if whole else np.nan
        rows.append(row)
    return pd.DataFrame(rows).round(4)


def median_counts() -> pd.DataFrame:
    """Claim 8: each cohort's median count, over T2 where it is at hand: a random fifth of P."""
    rows = []
    for name in present():
        c = cohort(name)
        part = "T2" if "T2" in c.parts else c.parts[0]
        median = float(np.median(c.counts.to_numpy()[c.rows(part)]))
        rows.append({"cancer": name, "part": part, "median_count": median})
    return pd.DataFrame(rows).sort_values("median_count", ignore_index=True)


def sample_numbers() -> pd.DataFrame:
    """Claim 9: columns of the published matrices against the sample numbers that Table 6 prints."""
    from degnext.cohorts.paper import paper_table

    printed = paper_table(6)[["n_normal_printed", "n_tumor_printed"]].sum(axis=1)
    right, names = registry(), present()
    table = pd.DataFrame({"cancer": names, "printed": [int(printed[n]) for n in names]})
    table["columns"] = [cohort(n).counts.shape[1] for n in names]
    for column in ("n_normal", "n_tumor"):
        table[column] = [int(right.at[n, column]) for n in names]
    return table.assign(agrees=table["printed"] == table["columns"])


def labels_again() -> pd.DataFrame:
    """Claim 10: edgeR's likelihood-ratio test on the published counts against the published labels.

    ``t2_mcc`` is the agreement on T2 with all three classes.
    """
    from sklearn.metrics import matthews_corrcoef

    from degnext.labeling.calls import call_genes
    from degnext.labeling.differential_expression import differential_expression

    rows = []
    for name in COMPLETE:
        c = cohort(name)
        found = call_genes(differential_expression(c.counts, c.groups), 0.01, 0.0)
        ours, theirs = found.to_numpy(), c.genes["label"].to_numpy()
        called, said, t2 = theirs != "neutral", ours != "neutral", c.rows("T2")
        row = {"cancer": name, "published_called": int(called.sum())}
        row["called_alike"] = int((ours == theirs)[called].sum())
        row["opposite"] = int(((ours != theirs) & said)[called].sum())
        row["called_by_edger"] = int(said.sum())
        row["alike_percent"] = 100 * row["called_alike"] / row["published_called"]
        rows.append(row | {"t2_mcc": matthews_corrcoef(theirs[t2], ours[t2])})
    return pd.DataFrame(rows).round(2)
