"""Over-representation and pre-ranked enrichment of predicted genes, with the tested genes as background."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from degnext._common.errors import InputError
from degnext.cohorts.cohort import Cohort
from degnext.enrichment.gene_sets import load_gene_sets as load_gene_sets

GeneSets = Mapping[str, list[str]]


def over_representation(
    genes: Iterable[str],
    background: Iterable[str],
    gene_sets: GeneSets,
    *,
    smallest: int = 5,
    largest: int = 500,
) -> pd.DataFrame:
    """Test every gene set for over-representation of ``genes`` among ``background``.

    p is the upper hypergeometric tail; q is Benjamini–Hochberg over *all* tested sets, those without a single hit
    included (many tools leave these out, which makes q too small). Sets are cut to the background and tested when
    ``smallest`` to ``largest`` genes remain. The odds ratio has ½ added to each of its four counts.

    Returns columns term, overlap, size, p_value, q_value, odds_ratio, genes (separated by spaces); sorted by p.
    """
    from scipy.stats import false_discovery_control, hypergeom

    inside = set(background)
    hits = set(genes) & inside
    tested = {name: inside.intersection(members) for name, members in gene_sets.items()}
    tested = {
        name: members for name, members in tested.items() if smallest <= len(members) <= largest
    }
    if not tested:
        raise InputError(
            "no gene set has enough genes in the background: gene symbols and gene sets must use the same names (HGNC)"
        )
    found = [sorted(members & hits) for members in tested.values()]
    table = pd.DataFrame(
        {
            "term": list(tested),
            "overlap": [len(f) for f in found],
            "size": [len(m) for m in tested.values()],
        }
    )
    k, m, n, total = table["overlap"], table["size"], len(hits), len(inside)
    table["p_value"] = hypergeom.sf(k - 1, total, m, n)
    table["q_value"] = false_discovery_control(table["p_value"])
    table["odds_ratio"] = (k + 0.5) * (total - m - n + k + 0.5) / ((m - k + 0.5) * (n - k + 0.5))
    table["genes"] = [" ".join(f) for f in found]
    return table.sort_values(["p_value", "term"], ignore_index=True)


def preranked(
    score: pd.Series,
    gene_sets: GeneSets,
    *,
    smallest: int = 15,
    largest: int = 500,
    permutations: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Run pre-ranked GSEA on a signed score per gene (positive: up in tumor); columns term, es, nes, p_value, q_value, lead_genes."""
    import gseapy

    ranked = score[~score.index.duplicated()].dropna().sort_values(ascending=False)
    try:
        result = gseapy.prerank(
            rnk=ranked,
            gene_sets=dict(gene_sets),
            min_size=smallest,
            max_size=largest,
            permutation_num=permutations,
            seed=seed,
            outdir=None,
            no_plot=True,
            threads=2,
            verbose=False,
        ).res2d
    except LookupError as error:
        raise InputError(
            "no gene set has enough ranked genes: gene symbols and gene sets must use the same names (HGNC)"
        ) from error
    names = {
        "Term": "term",
        "ES": "es",
        "NES": "nes",
        "NOM p-val": "p_value",
        "FDR q-val": "q_value",
        "Lead_genes": "lead_genes",
    }
    table = result.rename(columns=names)[list(names.values())]
    numbers = ["es", "nes", "p_value", "q_value"]
    return table.assign(**{c: table[c].astype(float) for c in numbers}).sort_values(
        "nes", ascending=False, ignore_index=True
    )


def gene_symbols(cohort: Cohort) -> pd.Series:
    """Return each gene's symbol, empty where it has none.

    A published cohort's rows carry the symbols recovered from RNAseqDB where there are any; the authors' own do not
    belong to their rows. Raises :class:`InputError` for a published cohort without recovered symbols.
    """
    genes = cohort.genes
    if genes is None or "symbol" not in genes:
        return pd.Series(cohort.counts.index, index=cohort.counts.index)
    if not (genes["symbol"] != "").any():
        raise InputError(
            f"{cohort.name} (published) has no gene symbols that belong to its rows, so nothing can be enriched: "
            "take CHOL, KICH or READ, whose symbols were recovered, or another source"
        )
    return genes["symbol"]


def signed_score(proba: np.ndarray, tie_breaker: np.ndarray | None = None) -> np.ndarray:
    """Return a network's signed score p(UR) − p(DR) per gene; ``tie_breaker`` orders genes with equal scores only (a millionth of it)."""
    score = proba[:, 1] - proba[:, 0]
    return (
        score
        if tie_breaker is None
        else score + 1e-6 * tie_breaker / (np.abs(tie_breaker).max() or 1.0)
    )


def gsea_dots(table: pd.DataFrame, ax: Axes, n_terms: int = 6) -> Axes:
    """Draw the ``n_terms`` sets at either end of a ranking by normalised enrichment score, coloured by direction, filled where q < 0.05."""
    from degnext.figures.cohort import COLORS

    top = (
        pd.concat([table.head(n_terms), table.tail(n_terms)])
        .drop_duplicates("term")
        .sort_values("nes")
    )
    names = [t if len(t) <= 52 else t[:50].rstrip() + "…" for t in top["term"]]
    color = np.where(top["nes"] > 0, COLORS["UR"], COLORS["DR"])
    ax.hlines(range(len(top)), 0, top["nes"], color=color, lw=1, alpha=0.5)
    ax.scatter(
        top["nes"],
        range(len(top)),
        s=60,
        edgecolor=color,
        color=np.where(top["q_value"] < 0.05, color, "white"),
        zorder=3,
    )
    ax.axvline(0, color="black", lw=0.8)
    ax.set(
        yticks=range(len(top)),
        yticklabels=names,
        xlabel="normalised enrichment score (filled: q < 0.05)",
    )
    return ax
