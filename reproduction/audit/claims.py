"""The audit's claims, one function each, measured on the published files; :func:`claim` falls back on the committed run.

What needs the network is in :mod:`reproduction.audit.network_claims`. Every function returns a small table; percentages are 0–100.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd

from degnext._common.errors import InputError, check_choice
from degnext._common.paths import data_dir, shared_data
from degnext.cohorts.cohort import CANCERS, DR, NEUTRAL, UR, Cohort, registry
from degnext.cohorts.published import assemble, published_parts

COMPLETE = ("CHOL", "KICH", "READ")  # all four parts at hand, so that column sums are library sizes
CLAIMS = {
    "released_weights": "audit_network",
    "batch_of_one": "audit_network",
    "normalisation": "audit",
    "library_sizes": "audit",
    "sign_agreement": "audit",
    "fold_change_auc": "audit",
    "output_layer": "audit_network",
    "carried_over": "audit_network",
    "median_counts": "audit",
    "noise_accuracy": "audit_network",
    "architecture": "audit_network",
    "sample_numbers": "audit",
    "labels_again": "audit",
    "symbol_levels": "audit",
    "symbol_labels": "audit",
}


def at_hand() -> bool:
    """Tell whether the published matrices and the released weights are in ``DEGNEXT_DATA``."""
    root = shared_data()
    return bool(root and (root / "published").is_dir() and weights_path().is_file())


def weights_path() -> Path:
    """Return where the released weights lie within ``DEGNEXT_DATA``."""
    root = shared_data()
    if root is None:
        raise InputError(
            "the audit needs the published files: set DEGNEXT_DATA, or read the committed run with audit.committed(name)"
        )
    return root / "released_weights" / "DEGnextModel.pth"


def measure(name: str) -> pd.DataFrame:
    """Measure one claim now; raises InputError without the published files."""
    check_choice("claim", name, CLAIMS)
    weights_path()
    return getattr(import_module(f".{CLAIMS[name]}", __package__), name)()


def committed(name: str) -> pd.DataFrame:
    """Return the claim's table of the committed run (``data/results/audit_<name>.csv``)."""
    check_choice("claim", name, CLAIMS)
    path = data_dir() / "results" / f"audit_{name}.csv"
    if not path.exists():
        raise InputError(
            f"{path.name} is missing from data/results: run scripts/run_audit.py with DEGNEXT_DATA set"
        )
    return pd.read_csv(path, keep_default_na=True)


def claim(name: str) -> tuple[pd.DataFrame, bool]:
    """Return a claim's table and whether it was measured just now (True) or read from the committed run (False)."""
    return (measure(name), True) if at_hand() else (committed(name), False)


def as_committed(name: str, table: pd.DataFrame, tolerance: float = 0.02) -> bool:
    """Tell whether a table just measured says what the committed one says, numbers within ``tolerance`` of their size."""
    old = committed(name)
    if list(old.columns) != list(table.columns) or len(old) != len(table):
        return False
    pairs = [(old[c], table[c].reset_index(drop=True)) for c in table.columns]
    return all(
        np.allclose(
            a.astype(float), b.astype(float), rtol=tolerance, atol=tolerance, equal_nan=True
        )
        if pd.api.types.is_numeric_dtype(b)
        else a.astype(str).equals(b.astype(str))
        for a, b in pairs
    )


@lru_cache(maxsize=None)
def cohort(cancer: str) -> Cohort:
    """Load every part of a published cohort that is at hand."""
    return assemble(cancer, weights_path().parent.parent / "published", published_parts(cancer))


def present() -> list[str]:
    """Name the cohorts of which any matrix is at hand."""
    return [c for c in CANCERS if published_parts(c)]


def log_fold_change(c: Cohort, scaled: bool) -> np.ndarray:
    """Return log2 of mean tumor over mean normal count of each row, raw or after scaling to counts per million."""
    x = c.counts.to_numpy(dtype=float)
    x = x * (1e6 / x.sum(axis=0)) if scaled else x
    return np.log2((x[:, c.is_tumor].mean(axis=1) + 0.5) / (x[:, ~c.is_tumor].mean(axis=1) + 0.5))


def normalisation() -> pd.DataFrame:
    """Claim 3: how many cells TCGAanalyze_Normalization changes, by method, in R's own run and in our function."""
    from degnext.preprocessing.filters import tcgabiolinks_normalize

    toy = Path(__file__).resolve().parents[2] / "tests" / "reference" / "r_toy"
    rows = []
    if (toy / "counts.csv").exists():
        counts, info = (pd.read_csv(toy / f"{n}.csv", index_col=0) for n in ("counts", "gene_info"))
        info = info.rename(columns={"geneLength": "gene_length", "gcContent": "gc_content"})
        for method in ("geneLength", "gcContent"):
            r = pd.read_csv(toy / f"tcgabiolinks_{method}.csv", index_col=0)
            rows.append(("R (TCGAbiolinks)", method, len(r), _changed(counts, r)))
    else:
        rng = np.random.default_rng(0)
        names = [f"G{i}" for i in range(400)]
        counts = pd.DataFrame(
            rng.negative_binomial(5, 5 / (5 + rng.lognormal(6, 1, (400, 1))), (400, 10)),
            index=names,
        ).add_prefix("S")
        info = pd.DataFrame(
            {
                "gene_length": rng.integers(500, 9000, 400),
                "gc_content": rng.uniform(0.3, 0.65, 400),
            },
            index=names,
        )
    for method in ("geneLength", "gcContent"):
        ours = tcgabiolinks_normalize(counts, info, method)
        rows.append(("this book", method, len(ours), _changed(counts, ours)))
    return pd.DataFrame(rows, columns=["program", "method", "genes", "changed_percent"]).round(2)


def _changed(before: pd.DataFrame, after: pd.DataFrame) -> float:
    return 100 * float((before.loc[after.index].to_numpy() != after.to_numpy()).mean())


def library_sizes() -> pd.DataFrame:
    """Claim 3: column sums of the published matrices, in million counts, and how many values are whole numbers."""
    rows = []
    for name in COMPLETE:
        c = cohort(name)
        sums = c.counts.sum().to_numpy() / 1e6
        whole = 100 * float((c.counts.to_numpy() == np.round(c.counts.to_numpy())).mean())
        rows.append(
            (
                name,
                len(c.counts),
                sums.min(),
                np.median(sums),
                sums.max(),
                sums[c.is_tumor].mean() / sums[~c.is_tumor].mean(),
                whole,
            )
        )
    return pd.DataFrame(
        rows,
        columns=[
            "cancer",
            "genes",
            "smallest",
            "median",
            "largest",
            "tumor_over_normal",
            "whole_percent",
        ],
    ).round(2)


def sign_agreement() -> pd.DataFrame:
    """Claim 4: percent of called genes whose log fold change has the sign of its label, before and after scaling."""
    rows = []
    for name in COMPLETE:
        c = cohort(name)
        label = c.codes
        for part, member in (("Q", c.genes["bio"].to_numpy()), ("all called", label != NEUTRAL)):
            share = [
                100 * float(((log_fold_change(c, s) > 0) == (label == UR))[member].mean())
                for s in (False, True)
            ]
            rows.append((name, part, int(member.sum()), *share))
    return pd.DataFrame(rows, columns=["cancer", "part", "genes", "raw", "per_million"]).round(2)


def fold_change_auc() -> pd.DataFrame:
    """Claim 5: how well the log fold change of the row alone ranks UR above DR genes, no learning."""
    from sklearn.metrics import roc_auc_score

    rows = []
    for name in present():
        c = cohort(name)
        called = (c.codes != NEUTRAL)
        up = (c.codes == UR)[called]
        area = [
            roc_auc_score(up, log_fold_change(c, s)[called])
            if not s or name in COMPLETE
            else np.nan
            for s in (False, True)
        ]
        rows.append((name, ", ".join(c.parts), int(called.sum()), *area))
    return pd.DataFrame(
        rows, columns=["cancer", "parts", "called_genes", "raw", "per_million"]
    ).round(4)


def median_counts() -> pd.DataFrame:
    """Claim 8: the median count of each cohort, over part T2 where it is at hand, since T2 is a random fifth of P."""
    rows = []
    for name in present():
        c = cohort(name)
        part = "T2" if "T2" in c.parts else c.parts[0]
        rows.append((name, part, float(np.median(c.xy(part)[0]))))
    return pd.DataFrame(rows, columns=["cancer", "part", "median_count"]).sort_values(
        "median_count", ignore_index=True
    )


def sample_numbers() -> pd.DataFrame:
    """Claim 9: columns of the published matrices against the sample numbers that Table 6 prints."""
    from degnext.cohorts.paper import paper_table

    printed, right = paper_table(6), registry()
    rows = []
    for name in present():
        said = printed.at[name, "n_normal_printed"] + printed.at[name, "n_tumor_printed"]
        rows.append(
            (
                name,
                int(said),
                cohort(name).counts.shape[1],
                int(right.at[name, "n_normal"]),
                int(right.at[name, "n_tumor"]),
            )
        )
    table = pd.DataFrame(rows, columns=["cancer", "printed", "columns", "n_normal", "n_tumor"])
    return table.assign(agrees=table["printed"] == table["columns"])


def labels_again() -> pd.DataFrame:
    """Claim 10: edgeR's likelihood-ratio test on the published matrices against the published labels; MCC on T2 with all three classes."""
    from sklearn.metrics import matthews_corrcoef

    from degnext.labeling.calls import call_genes
    from degnext.labeling.differential_expression import differential_expression

    rows = []
    for name in COMPLETE:
        c = cohort(name)
        ours = call_genes(differential_expression(c.counts, c.groups), 0.01, 0.0).to_numpy()
        theirs = c.codes
        called = theirs != NEUTRAL
        same, turned = (
            int((ours == theirs)[called].sum()),
            int(((ours != theirs) & (ours != NEUTRAL))[called].sum()),
        )
        rows.append(
            (
                name,
                int(called.sum()),
                same,
                turned,
                int((ours != NEUTRAL).sum()),
                100 * same / called.sum(),
                matthews_corrcoef(theirs[t2 := c.rows("T2")], ours[t2]),
            )
        )
    return pd.DataFrame(
        rows,
        columns=[
            "cancer",
            "published_called",
            "called_alike",
            "opposite",
            "called_by_edger",
            "alike_percent",
            "t2_mcc",
        ],
    ).round(2)


@lru_cache(maxsize=1)
def _dictionary() -> pd.DataFrame:
    return pd.read_csv(
        data_dir() / "recovered_symbols" / "dictionary.csv.gz", keep_default_na=False
    ).set_index("published_symbol")


def _rates(cancer: str) -> pd.DataFrame:
    """Counts per million in normal and tumor tissue by symbol, measured by RNAseqDB (the demo cohorts' parameters)."""
    from degnext.cohorts.demo import load_parameters

    return load_parameters(cancer)[0][["normal", "tumor"]]


def symbol_levels() -> pd.DataFrame:
    """Symbols: Spearman correlation of a row's level with its gene's in RNAseqDB, under published and under true symbols."""
    reference = sum(np.log2(_rates(c).sum(axis=1) + 0.1) for c in COMPLETE).dropna()
    rows = []
    for name in present():
        c = cohort(name)
        level = pd.Series(
            np.log2(c.counts.mean(axis=1).to_numpy() + 1), index=c.genes["published_symbol"]
        )
        for how in ("row by row", "by rule") if (level.index != "").any() else ():
            known = _dictionary()[_dictionary()["how"] == how]
            keys = [
                s
                for s in level.index
                if s in known.index
                and s in reference.index
                and known.at[s, "symbol"] in reference.index
            ]
            y = level[keys].to_numpy()
            rho = [
                pd.Series(y).corr(pd.Series(reference[names].to_numpy()), method="spearman")
                for names in (keys, known.loc[keys, "symbol"])
            ]
            rows.append((name, how, len(keys), *rho))
    return pd.DataFrame(
        rows, columns=["cancer", "how", "rows", "published_symbol", "true_symbol"]
    ).round(2)


def symbol_labels() -> pd.DataFrame:
    """Symbols: percent of called Q genes whose label has the sign of RNAseqDB's fold change, under either symbol."""
    rows = []
    for name in COMPLETE:
        c, rate = cohort(name), _rates(name)
        change = np.log2((rate["tumor"] + 0.1) / (rate["normal"] + 0.1))
        q = c.genes[c.genes["bio"] & (c.genes["symbol"] != "")]
        q = q[q["published_symbol"].isin(change.index) & q["symbol"].isin(change.index)]
        up = (q["label"] == UR).to_numpy()
        agree = [
            100 * float(((change[q[column]].to_numpy() > 0) == up).mean())
            for column in ("published_symbol", "symbol")
        ]
        chance = [
            100 * float(p * up.mean() + (1 - p) * (1 - up.mean()))
            for p in [(change[q["published_symbol"]] > 0).mean()]
        ]
        rows.append((name, len(q), *agree, *chance, int((q["label"] == DR).sum())))
    return pd.DataFrame(
        rows, columns=["cancer", "rows", "published_symbol", "true_symbol", "chance", "n_dr"]
    ).round(1)
