"""Counterparts of the paper's Tables 4 and 5: its terms and pathways, tested again on the predicted genes of BRCA's and UCEC's T3."""

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

    ``how``: same (the term itself), near (another library's set on the same subject: Ingenuity's are not open), union (of
    all sets whose name fits a pattern, where the library lacks the broad term itself).
    """
    return pd.read_csv(data_dir() / "gene_sets" / "paper_terms.csv", keep_default_na=False)


def with_unions(
    sets: Mapping[str, list[str]], library: str
) -> tuple[dict[str, list[str]], dict[str, str]]:
    """Return a library with the unions that stand for the paper's broad terms, and the set name for each paper term."""
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

    genes: the named tested genes of the cohort: ``name``, ``call`` (0 DR, 1 UR; −1 for genes that are background only). names: what the names are,
    "published" or "recovered". Backgrounds: ``tested`` (the named genes) and ``library`` (every gene of the library, as web tools do
    and the paper did). Columns as in ``COLUMNS``; p is the hypergeometric tail, q Benjamini–Hochberg over all tested sets of the library.
    """
    rows, wanted = [], counterparts()
    both = pd.concat(
        [
            paper_table(4).assign(table=4, paper_term=lambda t: t["term"]),
            paper_table(5).assign(table=5, paper_term=lambda t: t["pathway"]),
        ]
    )
    paper = both[both["cancer"] == cancer].set_index("paper_term")
    for library in ("go_bp", "reactome", "kegg"):
        sets = libraries[library] if libraries else load_gene_sets(library)
        sets, set_of = with_unions(sets, library)
        everything = sorted({g for members in sets.values() for g in members})
        for background, pool in (("tested", genes["name"]), ("library", everything)):
            for group, codes in GROUPS.items():
                called = genes.loc[genes["call"].isin(codes), "name"]
                tested = enrich(called, pool, sets, largest=LARGEST)
                found = tested.set_index("term")
                common = {
                    "cancer": cancer,
                    "library": library,
                    "names": names,
                    "background": background,
                    "n_background": len(set(pool)),
                    "genes_of": group,
                    "n_genes": called[called.isin(set(pool))].nunique(),
                    "n_tested": len(tested),
                }
                for term in wanted.query(
                    "library == @library and paper_term in @paper.index"
                ).itertuples():
                    rows.append(
                        common
                        | _row(
                            term,
                            set_of[term.paper_term],
                            found,
                            genes,
                            paper.loc[term.paper_term],
                            names,
                        )
                    )
    return pd.DataFrame(rows, columns=list(COLUMNS)).sort_values(
        ["table", "paper_term", "background", "genes_of"], ignore_index=True
    )


def _row(
    term, set_name: str, found: pd.DataFrame, genes: pd.DataFrame, paper: pd.Series, names: str
) -> dict:
    row = {
        "table": term.table,
        "paper_term": term.paper_term,
        "counterpart": set_name,
        "how": term.how,
        "reproduced": "too small to test",
    }
    if term.table == 4:
        row |= {"paper_p": float(paper["p_value"]), "paper_q": float(paper["q_value"])}
    else:
        row |= listed_genes(paper, genes) if names == "published" else {}
    if set_name not in found.index:
        return row
    hit = found.loc[set_name]
    members, call = hit["genes"].split(), genes.drop_duplicates("name").set_index("name")["call"]
    row |= {k: hit[k] for k in ("overlap", "size", "p_value", "q_value")} | {
        "reproduced": verdict(hit["p_value"], hit["q_value"])
    }
    return row | {
        f"{g}_genes": " ".join(m for m in members if call[m] == code)
        for g, code in (("ur", UR), ("dr", DR))
    }


def verdict(p: float, q: float) -> str:
    """Say whether a term is reproduced: q below 0.05 over all tested sets, p alone, or neither."""
    return "yes" if q < 0.05 else "p < 0.05 only" if p < 0.05 else "no"


def listed_genes(paper: pd.Series, genes: pd.DataFrame) -> dict[str, int]:
    """Count a Table 5 row's genes: listed, found among ours by published symbol, called in the listed direction."""
    call = genes.drop_duplicates("name").set_index("name")["call"]
    listed = {
        **dict.fromkeys(paper["ur_genes"].split(), UR),
        **dict.fromkeys(paper["dr_genes"].split(), DR),
    }
    ours = call.reindex(list(listed))
    return {
        "listed": len(listed),
        "listed_found": int((ours >= 0).sum()),
        "listed_same_direction": int((ours == pd.Series(listed)).sum()),
    }


def named_genes(cohort, names: str, called: np.ndarray) -> pd.DataFrame:
    """Return name and call of every named gene of a published cohort; ``called`` holds −1 for genes that were not tested."""
    column = {"published": "published_symbol", "recovered": "symbol"}[names]
    table = pd.DataFrame({"name": cohort.genes[column].to_numpy(), "call": called})
    return table[table["name"] != ""].drop_duplicates("name")
