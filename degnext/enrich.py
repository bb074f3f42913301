"""Over-representation and pre-ranked enrichment of predicted genes, with the tested genes as background."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from .cohorts import Cohort
from .errors import InputError, nearest
from .paths import data_dir, shared_data

GeneSets = Mapping[str, list[str]]
_LIBRARIES = {
    "go_bp": "enrichr.GO_Biological_Process_2021.gmt",
    "kegg": "enrichr.KEGG_2016.gmt",
    "hallmark": "h.all.v7.0.symbols.gmt",
    "reactome": "ReactomePathways.gmt",
}


def read_gmt(path: str | Path) -> dict[str, list[str]]:
    """Read gene sets from a GMT file: name, description, genes, separated by tabs."""
    path = Path(path).expanduser()
    if not path.is_file():
        raise InputError(f"no gene-set file {str(path)!r}: check the path")
    sets: dict[str, list[str]] = {}
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise InputError(f"{path.name} is no text: save the gene sets as a plain UTF-8 GMT file") from None
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        name, *rest = line.split("\t")
        if len(rest) < 2:
            raise InputError(f"{path.name} line {number} is no GMT line: it needs a name, a description and genes, separated by tabs")
        # some Enrichr files carry a weight after a comma
        sets[name] = sorted({g.split(",")[0].strip() for g in rest[1:] if g.strip()})
    if not sets:
        raise InputError(f"{path.name} holds no gene set: write one per line, a name, a description and genes, separated by tabs")
    return sets


def load_gene_sets(name: str = "demo") -> dict[str, list[str]]:
    """Load gene sets: ``demo`` (embedded), ``go_bp``, ``kegg``, ``hallmark``, ``reactome``, or the path of a GMT file."""
    if name == "demo":
        return read_gmt(data_dir() / "gene_sets" / "demo.gmt")
    if name not in _LIBRARIES:
        if not str(name).lower().endswith(".gmt"):
            raise InputError(f"unknown gene sets {name!r}: {nearest(name, ['demo', *_LIBRARIES])}, or give the path of a .gmt file")
        return read_gmt(name)
    shared = shared_data()
    path = shared / "gene_sets" / _LIBRARIES[name] if shared else None
    if path is None or not path.exists():
        raise InputError(f"gene sets {name!r} are not at hand: put {_LIBRARIES[name]} into gene_sets/ under DEGNEXT_DATA, or use 'demo'")
    return read_gmt(path)


def over_representation(genes: Iterable[str], background: Iterable[str], gene_sets: GeneSets, *, smallest: int = 5, largest: int = 500) -> pd.DataFrame:
    """Test every gene set for over-representation of ``genes`` among ``background``.

    p is the upper hypergeometric tail from gseapy; q is Benjamini–Hochberg over *all* tested sets, those without a
    single hit included (gseapy leaves these out, which makes its q too small). Sets are cut to the background and
    tested when ``smallest`` to ``largest`` genes remain.

    Returns columns term, overlap, size, p_value, q_value, odds_ratio, genes; sorted by p.
    """
    background = sorted(set(background))
    inside = set(background)
    genes = sorted(set(genes) & inside)
    tested = {name: sorted(inside.intersection(members)) for name, members in gene_sets.items()}
    tested = {name: members for name, members in tested.items() if smallest <= len(members) <= largest}
    if not tested:
        raise InputError("no gene set has enough genes in the background: gene symbols and gene sets must use the same names (HGNC)")
    table = pd.DataFrame({"term": list(tested), "size": [len(m) for m in tested.values()]})
    columns = {"Term": "term", "P-value": "p_value", "Odds Ratio": "odds_ratio", "Genes": "genes"}
    if genes:
        import gseapy

        hits = gseapy.enrich(gene_list=genes, gene_sets=tested, background=background, outdir=None, no_plot=True, verbose=False).results
        hits = hits.rename(columns=columns)[list(columns.values())] if len(hits) else pd.DataFrame(columns=list(columns.values()))
    else:
        hits = pd.DataFrame(columns=list(columns.values()))
    table = table.merge(hits, on="term", how="left").assign(p_value=lambda t: t["p_value"].astype(float).fillna(1.0))
    table["genes"] = table["genes"].fillna("").str.replace(";", " ")
    table["overlap"] = [len(g.split()) for g in table["genes"]]
    table["q_value"] = benjamini_hochberg(table["p_value"].to_numpy())
    order = ["term", "overlap", "size", "p_value", "q_value", "odds_ratio", "genes"]
    return table.sort_values(["p_value", "term"], ignore_index=True)[order]


def benjamini_hochberg(p: np.ndarray) -> np.ndarray:
    """Return Benjamini–Hochberg adjusted p-values over all of ``p``."""
    from scipy.stats import false_discovery_control

    return false_discovery_control(p) if len(p) else np.asarray(p, dtype=float)


def preranked(score: pd.Series, gene_sets: GeneSets, *, smallest: int = 15, largest: int = 500, permutations: int = 1000, seed: int = 0) -> pd.DataFrame:
    """Run pre-ranked GSEA on a signed score per gene (positive: up in tumor); columns term, es, nes, p_value, q_value, lead_genes."""
    import gseapy

    ranked = score[~score.index.duplicated()].dropna().sort_values(ascending=False)
    try:
        result = gseapy.prerank(rnk=ranked, gene_sets=dict(gene_sets), min_size=smallest, max_size=largest, permutation_num=permutations,
                                seed=seed, outdir=None, no_plot=True, threads=2, verbose=False).res2d
    except LookupError as error:
        raise InputError("no gene set has enough ranked genes: gene symbols and gene sets must use the same names (HGNC)") from error
    names = {"Term": "term", "ES": "es", "NES": "nes", "NOM p-val": "p_value", "FDR q-val": "q_value", "Lead_genes": "lead_genes"}
    table = result.rename(columns=names)[list(names.values())]
    numbers = ["es", "nes", "p_value", "q_value"]
    return table.assign(**{c: table[c].astype(float) for c in numbers}).sort_values("nes", ascending=False, ignore_index=True)


def gene_symbols(cohort: Cohort) -> pd.Series:
    """Return each gene's symbol, empty where it has none.

    A published cohort's rows carry the symbols recovered from RNAseqDB where there are any; the authors' own do not
    belong to their rows. Raises :class:`InputError` for a published cohort without recovered symbols.
    """
    genes = getattr(cohort, "genes", pd.DataFrame())
    if "symbol" not in genes:
        return pd.Series(cohort.counts.index, index=cohort.counts.index)
    if not (genes["symbol"] != "").any():
        raise InputError(
            f"{cohort.cancer} (published) has no gene symbols that belong to its rows, so nothing can be enriched: "
            "take CHOL, KICH or READ, whose symbols were recovered, or another source"
        )
    return genes["symbol"]
