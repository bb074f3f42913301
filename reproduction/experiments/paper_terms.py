"""The paper's Tables 4 and 5 again: its terms and pathways, tested on predicted genes of T3."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import pandas as pd

from degnext._common.paths import data_dir
from degnext.cohorts.cohort import DR, UR
from degnext.cohorts.paper import paper_table
from degnext.enrichment.analysis import enrich
from degnext.enrichment.gene_sets import load_gene_sets

CANCERS = ("BRCA", "UCEC")
GROUPS = {"UR": (UR,), "DR": (DR,), "UR and DR": (UR, DR)}
LARGEST = 2500  # the paper's terms are broad
COLUMNS = (
    "table",
    "cancer",
    "paper_term",
    "paper_p",
    "paper_q",
    "library",
    "counterpart",
    "how",
    "names",
    "background",
    "n_background",
    "genes_of",
    "n_genes",
    "overlap",
    "size",
    "p_value",
    "q_value",
    "n_tested",
    "reproduced",
    "ur_genes",
    "dr_genes",
    "listed",
    "listed_found",
    "listed_same_direction",
)


def counterparts() -> pd.DataFrame:
    """Return which open set stands for each of the paper's terms.

    ``how``: same (the term itself), near (another library's set on the same subject: Ingenuity's
    are not open), union (of all sets whose name fits a pattern, where the library lacks the broad
    term itself).
    """
    return pd.read_csv(data_dir() / "gene_sets" / "paper_terms.csv", keep_default_na=False)


def with_unions(
    sets: Mapping[str, list[str]], library: str
) -> tuple[dict[str, list[str]], dict[str, str]]:
    """Return a library with unions for the paper's broad terms, and the set of each term."""
    out, names = dict(sets), {}
    for row in counterparts().query("library == @library").itertuples():
        name = row.counterpart
        if row.how == "union":
            parts = [s for s in sets if re.search(row.counterpart, s)]
            name = f"union of {len(parts)} sets for “{row.paper_term.lower()}”"
            out[name] = sorted({gene for s in parts for gene in sets[s]})
        names[row.paper_term] = name
    return out, names


def term_table(
    genes: pd.DataFrame,
    cancer: str,
    names: str,
    libraries: Mapping[str, Mapping[str, list[str]]] | None = None,
) -> pd.DataFrame:
    """Return one row per term of the paper, group of genes and background.

    genes: the named tested genes of the cohort: ``name``, ``call`` (0 DR, 1 UR; −1 for genes that
    are background only). names: what the names are, "published" or "recovered". Backgrounds:
    ``tested`` (the named genes) and ``library`` (every gene of the library, as web tools do and
    the paper did). Columns as in ``COLUMNS``; p is the hypergeometric tail, q Benjamini–Hochberg
    over all tested sets of the library.
    """
    rows, wanted = [], counterparts()
    paper = pd.concat([paper_table(4).set_index("term"), paper_table(5).set_index("pathway")])
    paper = paper[paper["cancer"] == cancer]
    wanted = wanted[wanted["paper_term"].isin(paper.index)]
    for library in ("go_bp", "reactome", "kegg"):
        sets = libraries[library] if libraries else load_gene_sets(library)
        sets, set_of = with_unions(sets, library)
        everything = sorted({g for members in sets.values() for g in members})
        for background, pool in (("tested", genes["name"]), ("library", everything)):
            for group, codes in GROUPS.items():
                called = genes.loc[genes["call"].isin(codes), "name"]
                tested = enrich(called, pool, sets, largest=LARGEST)
                found, within = tested.set_index("term"), set(pool)
                common = {"cancer": cancer, "library": library, "names": names}
                common |= {"background": background, "n_background": len(within)}
                common |= {"genes_of": group, "n_genes": called[called.isin(within)].nunique()}
                common |= {"n_tested": len(tested)}
                for term in wanted[wanted["library"] == library].itertuples():
                    said, name = paper.loc[term.paper_term], set_of[term.paper_term]
                    row = _printed(term, name, said, genes if names == "published" else None)
                    rows.append(common | row | _found(name, found, genes))
    by = ["table", "paper_term", "background", "genes_of"]
    return pd.DataFrame(rows, columns=list(COLUMNS)).sort_values(by, ignore_index=True)


def _printed(term, name: str, paper: pd.Series, genes: pd.DataFrame | None) -> dict:
    """What the paper says of a term; its listed genes are looked up by published symbols only."""
    row = {"table": term.table, "paper_term": term.paper_term, "counterpart": name}
    row["how"] = term.how
    if term.table == 4:
        return row | {"paper_p": float(paper["p_value"]), "paper_q": float(paper["q_value"])}
    return row | (listed_genes(paper, genes) if genes is not None else {})


def _found(name: str, found: pd.DataFrame, genes: pd.DataFrame) -> dict:
    """What our test says of the set that stands for it."""
    if name not in found.index:
        return {"reproduced": "too small to test"}
    hit, call = found.loc[name], genes.drop_duplicates("name").set_index("name")["call"]
    row = {k: hit[k] for k in ("overlap", "size", "p_value", "q_value")}
    row["reproduced"] = verdict(hit["p_value"], hit["q_value"])
    for group, code in (("ur", UR), ("dr", DR)):
        row[f"{group}_genes"] = " ".join(m for m in hit["genes"].split() if call[m] == code)
    return row


def verdict(p: float, q: float) -> str:
    """Say whether a term is reproduced: q below 0.05 over all tested sets, p alone, or neither."""
    return "yes" if q < 0.05 else "p < 0.05 only" if p < 0.05 else "no"


def listed_genes(paper: pd.Series, genes: pd.DataFrame) -> dict[str, int]:
    """Count a Table 5 row's genes: listed, found by published symbol, called in that direction."""
    call = genes.drop_duplicates("name").set_index("name")["call"]
    listed = dict.fromkeys(paper["ur_genes"].split(), UR)
    listed |= dict.fromkeys(paper["dr_genes"].split(), DR)
    ours = call.reindex(list(listed))
    return {
        "listed": len(listed),
        "listed_found": int((ours >= 0).sum()),
        "listed_same_direction": int((ours == pd.Series(listed)).sum()),
    }


def named_genes(cohort, names: str, called: np.ndarray) -> pd.DataFrame:
    """Return name and call of every named gene of a cohort; ``called`` is −1 where not tested."""
    column = {"published": "published_symbol", "recovered": "symbol"}[names]
    table = pd.DataFrame({"name": cohort.genes[column].to_numpy(), "call": called})
    return table[table["name"] != ""].drop_duplicates("name")
