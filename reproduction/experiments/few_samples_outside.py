"""Few samples judged by others: TaqMan on SEQC's samples, and Degen and Medo's protocol.

    DEGNEXT_DATA=/path/to/data python -m reproduction.experiments.few_samples_outside

few_samples_seqc.csv: SEQC's sample A against B, technical replicates; the truth is what TaqMan
shows, at least 1.5-fold. few_samples_degen.csv: n normal and n tumor samples of published cohorts;
a gene changes where the whole cohort has an FDR below 0.05 and more than twofold by edgeR's LRT;
the published medians of 3 and 7 *pairs* of the same cancers stand beside. Six of its seven
cancers are training cancers of the network; COAD is not.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score, matthews_corrcoef

from degnext.labeling.differential_expression import differential_expression
from degnext.learning.profile.classifier import ProfileClassifier
from reproduction.command import call, parser
from reproduction.experiments.few_samples_methods import NETWORK, Said, network_answer
from reproduction.sources import folder
from reproduction.store import write_results
from reproduction.weights.standard_data import LOG_FC, Draw, draw_of, edger_table, published
from reproduction.weights.standard_few import NOMINAL
from reproduction.weights.standard_few_data import take

SAMPLES = {"A": False, "B": True}  # B is set against A
CANCERS = ("BRCA", "COAD", "KIRC", "LIHC", "LUAD", "PRAD", "THCA")
TESTS = {"edgeR LRT": "lrt", "edgeR QLF": "ql"}
DRAWS = {"seqc": 6, "degen": 10}


def tested(draw: Draw, method: str) -> pd.DataFrame:
    """Return the table of a test of the port, with TMM."""
    spread = {"dispersion": "empirical"} if method == "lrt" else {}
    groups = pd.Series(np.where(draw.is_tumor, "tumor", "normal"))
    counts = pd.DataFrame(draw.counts)
    return differential_expression(counts, groups, method=method, library_size="tmm", **spread)


def seqc() -> tuple[Draw, np.ndarray]:
    """Return the eight libraries and, per gene, TaqMan's log2 of B over A (NaN: not measured)."""
    counts = pd.read_csv(folder("seqc") / "ILM_COH_A_B_counts.tsv.gz", sep="\t", index_col=0)
    counts = counts[counts.any(axis=1)]
    pcr = pd.read_csv(folder("seqc") / "taqman.csv.gz").drop_duplicates("Symbol")
    pcr = pcr.set_index("Symbol")
    names = {s: [f"{s}{i}" for i in range(1, 5)] for s in SAMPLES}
    every = [f"{n}_detection" for s in names for n in names[s]]
    pcr = pcr[(pcr[every] == "P").all(axis=1)]
    level = {s: np.log2(pcr[[f"{n}_value" for n in names[s]]]).mean(axis=1) for s in names}
    change = (level["B"] - level["A"]).reindex(counts.index).to_numpy()
    is_b = counts.columns.str.startswith("B_")
    return draw_of("SEQC", counts.to_numpy(), np.asarray(is_b)), change


def seqc_rows(model: ProfileClassifier) -> Iterator[dict]:
    """Yield scores over TaqMan's genes."""
    whole, change = seqc()
    for k in (2, 3, 4):
        for number in range(DRAWS["seqc"] if k < 4 else 1):
            draw, seen = take(whole, (k, k), np.random.default_rng([k, number]))
            truth = change[seen]
            known = np.isfinite(truth)
            table = tested(draw, "lrt")
            said = {NETWORK: network_answer(draw, model)}
            up = table["log_fc"].to_numpy() > 0
            said["edgeR LRT"] = Said(-table["p_value"].to_numpy(), up, table["fdr"].to_numpy())
            said["fold change"] = Said(table["log_fc"].abs().to_numpy(), up)
            for method, one in said.items():
                large = np.abs(truth[known]) > LOG_FC
                right = large & (one.up[known] == (truth[known] > 0))
                row = {"samples": k, "draw": number, "method": method, "genes": known.sum()}
                row["ap"] = average_precision_score(large, one.score[known])
                for nominal in NOMINAL if one.rate is not None else ():
                    called = one.rate[known] <= nominal
                    row[f"n_{nominal}"] = called.sum()
                    row[f"wrong_{nominal}"] = 1 - right[called].mean() if called.any() else np.nan
                yield row


def degen_rows(cancer: str, model: ProfileClassifier) -> Iterator[dict]:
    """Yield binary scores of one cancer by Degen and Medo's cut-offs."""
    cohort = published(cancer)
    table = edger_table(cohort)
    truth = ((table["fdr"] < 0.05) & (table["log_fc"].abs() > 1)).to_numpy()
    for n in (3, 5, 7, 10):
        for number in range(DRAWS["degen"]):
            draw, seen = take(cohort, (n, n), np.random.default_rng([n, number]))
            tables = {name: tested(draw, method) for name, method in TESTS.items()}
            large = tables["edgeR LRT"]["log_fc"].abs().to_numpy() > 1
            called = {
                name: ((t["fdr"] < 0.05) & (t["log_fc"].abs() > 1)).to_numpy()
                for name, t in tables.items()
            }
            called["list at fdr=0.1"] = (network_answer(draw, model).rate <= 0.1) & large
            for method, genes in called.items():
                hits, real = (genes & truth[seen]).sum(), truth[seen].sum()
                yield {
                    "cancer": cancer,
                    "n": n,
                    "method": method,
                    "mcc": matthews_corrcoef(truth[seen], genes) if genes.any() else 0.0,
                    "precision": hits / genes.sum() if genes.any() else np.nan,
                    "recall": hits / real,
                }


def beside(table: pd.DataFrame) -> pd.DataFrame:
    """Return medians over draws with the published ones of the same cancer, n and method."""
    key = ["cancer", "n", "method"]
    medians = table.groupby(key, sort=False).median(numeric_only=True).round(3)
    theirs = pd.read_csv(folder("compendium") / "degen_medo_2025_subsampling.csv")
    theirs = theirs[(theirs["FDR"] == 0.05) & (theirs["logFC"] == 1) & theirs["Out"].isna()]
    theirs = theirs.rename(columns={"Data": "cancer", "N": "n", "DEA": "method"})
    theirs["method"] = theirs["method"].replace("edgerqlf", "edgeR QLF")
    names = {f"median_{a}": f"published_{b}" for a, b in (("mcc", "mcc"), ("prec", "precision"))}
    names["median_rec"] = "published_recall"
    columns = theirs.drop_duplicates(key).set_index(key)[list(names)].rename(columns=names)
    return medians.join(columns.round(3)).reset_index()


def main() -> None:
    """Write both tables."""
    parser(__doc__).parse_args()
    model, start = ProfileClassifier.from_pretrained("standard_few"), time.perf_counter()
    table = pd.DataFrame(seqc_rows(model)).groupby(["samples", "method"], sort=False)
    table = table.mean().drop(columns="draw").round(4).reset_index()
    seconds = {"all": round(time.perf_counter() - start, 1)}
    write_results("few_samples_seqc", table, __spec__.name, {"draws": DRAWS["seqc"]}, seconds)
    print(table.to_string(), flush=True)
    start = time.perf_counter()
    rows = [row for cancer in CANCERS for row in degen_rows(cancer, model)]
    table, seconds = beside(pd.DataFrame(rows)), {"all": round(time.perf_counter() - start, 1)}
    write_results("few_samples_degen", table, __spec__.name, {"draws": DRAWS["degen"]}, seconds)
    print(table.to_string())


if __name__ == "__main__":
    call(main)
