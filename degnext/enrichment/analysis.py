"""Over-representation and pre-ranked enrichment of predicted genes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from degnext._common.arithmetic import benjamini_hochberg
from degnext._common.errors import InputError
from degnext.cohorts.cohort import Cohort
from degnext.enrichment.gene_sets import load_gene_sets

GeneSets = Mapping[str, list[str]]
_NO_SET = "no gene set has enough {}: gene symbols and gene sets must use the same names (HGNC)"


def enrich(
    genes: Iterable[str],
    background: Iterable[str],
    gene_sets: str | GeneSets = "demo",
    *,
    smallest: int = 5,
    largest: int = 500,
) -> pd.DataFrame:
    """Test every gene set for over-representation of ``genes`` among ``background``.

    genes, background: symbols; genes outside the background do not count.
    gene_sets: "demo", "go_bp", "kegg", "hallmark", "reactome", the path of a GMT file, or a mapping
        of names to symbols. Sets are cut to the background and tested when ``smallest`` to
        ``largest`` genes remain.

    Returns columns term, overlap, size, expected (overlap by chance), p_value (upper hypergeometric
    tail), q_value, odds_ratio (½ added to each of its four counts), genes (separated by spaces);
    sorted by p. q is
    Benjamini–Hochberg over *all* tested sets, those without a single hit included: many tools leave
    these out, which makes q too small. Raises InputError where no set can be tested.
    """
    from scipy.stats import hypergeom

    sets = load_gene_sets(gene_sets) if isinstance(gene_sets, str) else gene_sets
    inside = set(background)
    cut = {name: inside.intersection(members) for name, members in sets.items()}
    tested = {name: members for name, members in cut.items() if smallest <= len(members) <= largest}
    if not tested:
        raise InputError(_NO_SET.format("genes in the background"))
    hits = inside.intersection(genes)
    found = [sorted(members & hits) for members in tested.values()]
    table = pd.DataFrame({"term": list(tested), "overlap": [len(f) for f in found]})
    table["size"] = [len(members) for members in tested.values()]
    k, m, n, total = table["overlap"], table["size"], len(hits), len(inside)
    table["expected"] = m * n / total
    table["p_value"] = hypergeom.sf(k - 1, total, m, n)
    table["q_value"] = benjamini_hochberg(table["p_value"])
    table["odds_ratio"] = (k + 0.5) * (total - m - n + k + 0.5) / ((m - k + 0.5) * (n - k + 0.5))
    table["genes"] = [" ".join(f) for f in found]
    return table.sort_values(["p_value", "term"], ignore_index=True)


def preranked(
    score: pd.Series,
    gene_sets: GeneSets,
    smallest: int = 15,
    *,
    permutations: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Run pre-ranked GSEA on a signed score per gene (positive: up in tumor).

    Sets of ``smallest`` to 500 ranked genes are tested. Returns columns term, es, nes, p_value,
    q_value, lead_genes, highest score first. Raises InputError where no set can be tested.
    """
    import gseapy

    ranked = score[~score.index.duplicated()].dropna().sort_values(ascending=False)
    limits = {"min_size": smallest, "max_size": 500, "permutation_num": permutations, "seed": seed}
    quiet = {"outdir": None, "no_plot": True, "threads": 2, "verbose": False}
    try:
        found = gseapy.prerank(rnk=ranked, gene_sets=dict(gene_sets), **limits, **quiet).res2d
    except LookupError as error:
        raise InputError(_NO_SET.format("ranked genes")) from error
    numbers = {"ES": "es", "NES": "nes", "NOM p-val": "p_value", "FDR q-val": "q_value"}
    table = found[["Term", *numbers, "Lead_genes"]].astype(dict.fromkeys(numbers, float))
    table = table.rename(columns=numbers | {"Term": "term", "Lead_genes": "lead_genes"})
    return table.sort_values("nes", ascending=False, ignore_index=True)


def gene_symbols(cohort: Cohort) -> pd.Series:
    """Return each gene's symbol, empty where it has none.

    A published cohort's rows carry the symbols recovered from RNAseqDB where there are any; the
    authors' own do not belong to their rows. Raises InputError for a published cohort without
    recovered symbols.
    """
    genes = cohort.genes
    if genes is None or "symbol" not in genes:
        return pd.Series(cohort.counts.index, index=cohort.counts.index)
    if not (genes["symbol"] != "").any():
        raise InputError(
            f"{cohort.name} (published) has no gene symbols that belong to its rows, so nothing "
            "can be enriched: take CHOL, KICH or READ, whose symbols were recovered, or another "
            "source"
        )
    return genes["symbol"]


def signed_score(proba: np.ndarray, tie_breaker: np.ndarray | None = None) -> np.ndarray:
    """Return a network's signed score p(UR) − p(DR) per gene (columns DR, UR, …).

    ``tie_breaker`` orders genes with equal scores only: a millionth of it is added.
    """
    score = proba[:, 1] - proba[:, 0]
    if tie_breaker is None:
        return score
    return score + 1e-6 * tie_breaker / (np.abs(tie_breaker).max() or 1.0)
