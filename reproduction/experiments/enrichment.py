"""Enrichment of predicted genes on published cohorts.

    DEGNEXT_DATA=/path/to/data OMP_NUM_THREADS=1 python -m reproduction.experiments.enrichment

Writes data/results/enrichment_terms.csv, the counterparts of the paper's Tables 4 and 5: T3 of BRCA
and UCEC, called by a profile network that was trained on the other training cancers, under the
published symbols (as the paper did; they do not belong to their rows) and under the recovered ones.
And enrichment_cohorts.csv: for CHOL, KICH and READ, whose rows have recovered symbols,
over-representation and pre-ranked GSEA in four libraries, by the three-class network that comes
with the package and by edgeR.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from degnext.cohorts.cohort import TRAINING, label_codes
from degnext.cohorts.published import published_parts
from degnext.enrichment import analysis
from degnext.enrichment.gene_sets import LIBRARIES, library_facts, load_gene_sets
from degnext.evaluation.profile_network import called_genes
from degnext.labeling.differential_expression import differential_expression
from degnext.learning.profile.classifier import ProfileClassifier
from degnext.learning.profile.genes import genes_of
from reproduction.command import call, parser
from reproduction.experiments import paper_terms
from reproduction.sources import COMPLETE, folder, published
from reproduction.store import code_digest, keep, write_results

TOP = 15  # sets kept per library, group and method


def main() -> None:
    """Run what is not done yet and write the tables."""
    arguments = parser(__doc__)
    arguments.add_argument("--seed", type=int, default=0)
    seed = arguments.parse_args().seed
    at = folder("published")
    sets = [library_facts(name) for name in LIBRARIES]
    settings = {"seed": seed, "code": code_digest(__spec__.name), "gene_sets": sets}

    def has(part: str, cancers: tuple[str, ...]) -> list[str]:
        return [c for c in cancers if part in published_parts(c, at)]

    def write(name: str, kind: str, cancers: list[str], compute: Callable) -> None:
        kept = {c: keep("enrichment", f"{kind}_{c}", settings, lambda c=c: compute(c, seed))
                for c in cancers}  # fmt: skip
        table = pd.concat([table for table, _ in kept.values()], ignore_index=True)
        prefix = "terms " if kind == "terms" else ""
        seconds = {prefix + c: spent for c, (_, spent) in kept.items()}
        write_results(name, table, __spec__.name, settings, seconds)

    write("enrichment_terms", "terms", has("T3", paper_terms.CANCERS), terms)
    write("enrichment_cohorts", "cohort", has("T1", COMPLETE), whole_cohort)


def terms(cancer: str, seed: int) -> pd.DataFrame:
    """Call T3 by a network trained on the other training cancers, and test the paper's terms."""
    target, others = published(cancer), [published(c) for c in TRAINING if c != cancer]
    genes = [genes_of(c, called_genes(c)) for c in others]
    network = ProfileClassifier(random_state=seed).fit(genes)
    t3, called = target.rows("T3"), np.full(len(target.counts), -1)
    called[t3] = label_codes(network.predict(genes_of(target, t3)._replace(labels=None)))
    print(f"{cancer}: {np.mean(called[t3] == target.codes[t3]):.1%} of T3 right")
    tables = []
    for names in ("published", "recovered"):
        named = paper_terms.named_genes(target, names, called)
        tables.append(paper_terms.term_table(named, cancer, names))
    return pd.concat(tables)


def whole_cohort(cancer: str, seed: int) -> pd.DataFrame:
    """Return the top sets of each library for UR, DR and both, and at both ends of two rankings."""
    cohort = published(cancer)
    model = ProfileClassifier.from_pretrained("three_class")
    proba = model.predict_proba(genes_of(cohort)._replace(labels=None))
    test = differential_expression(cohort.counts, cohort.groups)
    symbols = analysis.gene_symbols(cohort)
    named = (symbols != "").to_numpy()
    name, call_of = symbols.to_numpy()[named], proba.argmax(1)[named]
    edger = (np.sign(test["log_fc"]) * np.sqrt(test["stat"].clip(lower=0))).to_numpy()[named]
    network = analysis.signed_score(proba[named], edger)
    ranks = {k: pd.Series(v, index=name) for k, v in (("network", network), ("edgeR", edger))}
    out = []
    for library in LIBRARIES:
        sets = load_gene_sets(library)
        tables = [*_over_represented(name, call_of, sets), *_at_both_ends(ranks, sets, seed)]
        tables += [_agreement(ranks, sets, seed)] if library == "hallmark" else []
        out += [table.assign(library=library) for table in tables]
    table = pd.concat(out, ignore_index=True).assign(cancer=cohort.name)
    table = table.drop(columns=["genes", "lead_genes"])
    first = ["cancer", "library", "method", "genes_of", "term"]
    return table[first + [c for c in table if c not in first]]


def _counted(table: pd.DataFrame, tested: pd.DataFrame, method: str) -> pd.DataFrame:
    significant = int((tested["q_value"] < 0.05).sum())
    return table.assign(method=method, n_tested=len(tested), n_significant=significant)


def _over_represented(name: np.ndarray, call_of: np.ndarray, sets: dict):
    for group, codes in paper_terms.GROUPS.items():
        tested = analysis.enrich(name[np.isin(call_of, codes)], name, sets)
        yield _counted(tested.head(TOP), tested, "over-representation").assign(genes_of=group)


def _at_both_ends(ranks: dict[str, pd.Series], sets: dict, seed: int):
    for ranked_by, score in ranks.items():
        tested = analysis.preranked(score, sets, seed=seed, permutations=500)
        ends = pd.concat([tested.head(TOP), tested.tail(TOP)]).drop_duplicates("term")
        yield _counted(ends, tested, f"GSEA by {ranked_by}")


def _agreement(ranks: dict[str, pd.Series], sets: dict, seed: int) -> pd.DataFrame:
    network, edger = (
        analysis.preranked(score, sets, seed=seed, permutations=100).set_index("term")["nes"]
        for score in ranks.values()
    )
    term, nes = "correlation of NES, network and edgeR", network.corr(edger)
    row = {"term": term, "nes": nes, "method": "agreement", "n_tested": len(network)}
    return pd.DataFrame([row])


if __name__ == "__main__":
    call(main)
