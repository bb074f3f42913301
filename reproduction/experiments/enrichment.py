"""Enrichment of predicted genes, published cohorts: python scripts/run_enrichment.py

    DEGNEXT_DATA=/path/to/data OMP_NUM_THREADS=1 python scripts/run_enrichment.py

Writes data/results/enrichment_terms.csv, the counterparts of the paper's Tables 4 and 5: T3 of BRCA and UCEC, called by a profile network that was
trained on the other training cancers, under the published symbols (as the paper did; they do not belong to their rows) and under the
recovered ones. And enrichment_cohorts.csv: for CHOL, KICH and READ, whose rows have recovered symbols, over-representation and
pre-ranked GSEA in four libraries, by the three-class network that comes with the package and by edgeR.
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd

from degnext._common.errors import InputError
from degnext.cohorts.cohort import TRAINING
from degnext.cohorts.published import load_published, published_parts
from degnext.enrichment import analysis as enrich
from degnext.enrichment.gene_sets import LIBRARIES, library_facts, load_gene_sets
from degnext.evaluation import experiments as benchmark
from degnext.labeling.differential_expression import differential_expression
from degnext.learning.profile.classifier import ProfileClassifier
from degnext.learning.profile.genes import genes_of
from reproduction import store as batch
from reproduction.experiments import paper_terms

MODULES = (
    "enrich",
    "gene_sets",
    "profile",
    "profile_genes",
    "profile_model",
    "profile_train",
    "profile_steps",
)
NAMED = ("CHOL", "KICH", "READ")
TOP = 15  # sets kept per library, group and method


def main() -> None:
    """Run what is not done yet and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    folder = batch.need_published()
    sets = [library_facts(name) for name in LIBRARIES]
    settings = {
        "seed": args.seed,
        "code": batch.code_digest((*MODULES, "paper_terms", "benchmark")),
        "gene_sets": sets,
    }
    seconds: dict[str, float] = {}

    def load(cancer: str):
        return load_published(cancer, folder, train_part=None)

    def terms(cancer: str) -> pd.DataFrame:
        target, others = load(cancer), [load(c) for c in TRAINING if c != cancer]
        network = ProfileClassifier(2, random_state=args.seed).fit(
            [genes_of(c, benchmark.called_genes(c)) for c in others]
        )
        t3, called = target.rows("T3"), np.full(len(target.counts), -1)
        called[t3] = network.predict(genes_of(target, t3)._replace(labels=None))
        truth = target.codes[t3]
        print(f"{cancer}: {np.mean(called[t3] == truth):.1%} of T3 right")
        return pd.concat(
            [
                paper_terms.term_table(
                    paper_terms.named_genes(target, names, called), cancer, names
                )
                for names in ("published", "recovered")
            ]
        )

    tables = []
    for cancer in [c for c in paper_terms.CANCERS if "T3" in published_parts(c, folder)]:
        table, seconds[f"terms {cancer}"] = batch.keep(
            "enrichment", f"terms_{cancer}", settings, lambda c=cancer: terms(c)
        )
        tables.append(table)
    batch.write_results("enrichment_terms", pd.concat(tables, ignore_index=True), settings, seconds)

    tables, seconds, settings = [], {}, settings | {"code": batch.code_digest(MODULES)}
    for cancer in [c for c in NAMED if "T1" in published_parts(c, folder)]:
        table, seconds[cancer] = batch.keep(
            "enrichment",
            f"cohort_{cancer}",
            settings,
            lambda c=cancer: whole_cohort(load(c), args.seed),
        )
        tables.append(table)
    batch.write_results(
        "enrichment_cohorts", pd.concat(tables, ignore_index=True), settings, seconds
    )


def whole_cohort(cohort, seed: int) -> pd.DataFrame:
    """Return the top sets of each library for UR, DR and all called genes, and at both ends of two rankings."""
    proba = ProfileClassifier.pretrained(3).predict_proba(genes_of(cohort)._replace(labels=None))
    test = differential_expression(cohort.counts, cohort.groups)
    symbols = enrich.gene_symbols(cohort)
    named = (symbols != "").to_numpy()
    name, call = symbols.to_numpy()[named], proba.argmax(1)[named]
    edger = (np.sign(test["log_fc"]) * np.sqrt(test["stat"].clip(lower=0))).to_numpy()[named]
    ranks = {"network": enrich.signed_score(proba[named], edger), "edgeR": edger}
    out = []
    for library in LIBRARIES:
        sets = load_gene_sets(library)
        for group, codes in paper_terms.GROUPS.items():
            table = enrich.over_representation(name[np.isin(call, codes)], name, sets)
            n = int((table["q_value"] < 0.05).sum())
            out.append(
                table.head(TOP).assign(
                    method="over-representation",
                    genes_of=group,
                    library=library,
                    n_tested=len(table),
                    n_significant=n,
                )
            )
        for ranked_by, score in ranks.items():
            table = enrich.preranked(
                pd.Series(score, index=name), sets, seed=seed, permutations=500
            )
            n = int((table["q_value"] < 0.05).sum())
            ends = pd.concat([table.head(TOP), table.tail(TOP)]).drop_duplicates("term")
            out.append(
                ends.assign(
                    method=f"GSEA by {ranked_by}",
                    library=library,
                    n_tested=len(table),
                    n_significant=n,
                )
            )
        pair = (
            [
                enrich.preranked(
                    pd.Series(s, index=name), sets, seed=seed, permutations=100
                ).set_index("term")["nes"]
                for s in ranks.values()
            ]
            if library == "hallmark"
            else None
        )
        if pair is not None:
            out.append(
                pd.DataFrame(
                    {
                        "term": ["correlation of NES, network and edgeR"],
                        "nes": [pair[0].corr(pair[1])],
                        "method": ["agreement"],
                        "library": [library],
                        "n_tested": [len(pair[0])],
                    }
                )
            )
    table = (
        pd.concat(out, ignore_index=True)
        .assign(cancer=cohort.name)
        .drop(columns=["genes", "lead_genes"])
    )
    first = ["cancer", "library", "method", "genes_of", "term"]
    return table[first + [c for c in table if c not in first]]


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        raise SystemExit(str(error)) from None
