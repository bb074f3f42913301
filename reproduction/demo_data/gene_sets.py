#!/usr/bin/env python
"""Write data/gene_sets/demo.gmt: about 150 GO processes and 60 Reactome pathways for the enrichment chapter's demo.

Run with DEGNEXT_DATA set to the folder that holds gene_sets/:

    DEGNEXT_DATA=... python scripts/make_demo_gene_sets.py

The rule, which never looks at expression or labels:
1. keep sets of 15 to 250 genes (after symbols are cleaned);
2. take the named sets below: Table 4's terms as far as the library has them, at any size from 5 to 250;
3. for each theme (a pattern on set names) take the next sets in turn, largest first, until the quota is full, and skip
   a set that shares more than half of its genes (Jaccard > 0.5) with one taken before.
"""

from __future__ import annotations

import argparse
import os
import re
from pathlib import Path

from degnext._common.errors import InputError
from degnext._common.paths import data_dir, shared_data

MIN_GENES, MAX_GENES, MAX_JACCARD = 15, 250, 0.5
GO_QUOTA, REACTOME_QUOTA = 150, 60

# Table 4's terms are broad; where GO BP 2021 lacks a term, its nearest child or regulation term stands in.
GO_NAMED = (
    "GO:0010756",  # positive regulation of plasminogen activation (Table 4)
    "GO:1902532",  # negative regulation of intracellular signal transduction (Table 4)
    "GO:0048585",  # negative regulation of response to stimulus (Table 4)
    "GO:0098742",  # cell-cell adhesion via plasma-membrane adhesion molecules, for "cell adhesion"
    "GO:0000904",  # cell morphogenesis involved in differentiation, for "cell morphogenesis"
    "GO:0022604",  # regulation of cell morphogenesis
    "GO:0032870",  # cellular response to hormone stimulus, for "cellular response to endogenous stimulus"
    "GO:2000243",  # positive regulation of reproductive process, for "reproductive process"
)
THEMES = (
    r"cell cycle|mitotic|spindle|chromosome segregation|cytokinesis",
    r"DNA repl|DNA repair|DNA damage|double-strand break|telomere",
    r"apopto|cell death|senescence|p53|TP53",
    r"adhesion|junction|integrin|cadherin",
    r"extracellular matrix|collagen",
    r"cell migration|motility|epithelial to mesenchymal|angiogenesis|vasculature|VEGF",
    r"hypoxia|oxygen levels|oxidative stress",
    r"T cell|B cell|leukocyte|neutrophil|immune|antigen",
    r"interferon|interleukin|cytokine|chemokine|inflammatory|complement",
    r"Wnt|beta-catenin|Notch|Hedgehog|smoothened|BMP|TGF|transforming growth factor",
    r"MAPK|ERK|ERBB|EGFR|FGFR|growth factor|Ras protein|PI3K|phosphatidylinositol 3-kinase",
    r"Rho |RHO |actin|cytoskelet|microtubule",
    r"fatty acid|lipid|cholesterol|bile acid|steroid",
    r"glyco|glucose|pyruvate|tricarboxylic|TCA|respirat|electron transport|mitochondri",
    r"amino acid|nucleotide|xenobiotic|drug|cytochrome|glucuronid|Phase I",
    r"ion transport|transmembrane transport|SLC|ion homeostasis|ion channel",
    r"coagulation|hemostasis|fibrin|platelet|plasminogen",
    r"kidney|renal|nephron|epitheli|epiderm|digest|liver|hormone|estrogen|retinoic",
    r"translation|ribosom|splic|RNA processing|ubiquitin|proteasom|unfolded protein",
    r"muscle|synap|neuron|axon|heart",
)
_SYMBOL = re.compile(r"[A-Z][A-Za-z0-9]*(?:[-.][A-Za-z0-9]+)*")


def read_gmt(path: Path) -> dict[str, list[str]]:
    """Return sorted gene symbols by set name; an id in the second field joins the name in parentheses."""
    sets = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        name, description, *genes = line.split("\t")
        full = f"{name} ({description})" if description.startswith("R-HSA-") else name
        # Reactome lists a few viral proteins (gag, vif) and complexes; a human symbol begins with a capital
        sets[full] = sorted({gene for gene in genes if _SYMBOL.fullmatch(gene)})
    return sets


def choose(sets: dict[str, list[str]], quota: int, named: tuple[str, ...] = ()) -> list[str]:
    """Return the chosen set names in the order taken: named ones, then one per theme in turn until the quota is full."""
    taken = [
        name
        for code in named
        for name in sets
        if f"({code})" in name and 5 <= len(sets[name]) <= MAX_GENES
    ]
    fits = [name for name, genes in sets.items() if MIN_GENES <= len(genes) <= MAX_GENES]
    fits.sort(key=lambda name: (-len(sets[name]), name))
    queues = [[name for name in fits if re.search(theme, name)] for theme in THEMES]

    def overlaps(name: str) -> bool:
        mine = set(sets[name])
        return any(
            len(mine & set(sets[other])) > MAX_JACCARD * len(mine | set(sets[other]))
            for other in taken
        )

    while len(taken) < quota and any(queues):
        for queue in queues:
            while queue and (queue[0] in taken or overlaps(queue[0])):
                queue.pop(0)
            if queue and len(taken) < quota:
                taken.append(queue.pop(0))
    return taken


def main() -> None:
    """Write the file; the old one stays until the new one is whole."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=data_dir() / "gene_sets" / "demo.gmt")
    args = parser.parse_args()
    root = shared_data()
    if root is None:
        raise SystemExit("set DEGNEXT_DATA to the folder that holds gene_sets/")
    lines = []
    for file, source, quota, named in (
        (
            "enrichr.GO_Biological_Process_2021.gmt",
            "GO_Biological_Process_2021",
            GO_QUOTA,
            GO_NAMED,
        ),
        ("ReactomePathways.gmt", "Reactome", REACTOME_QUOTA, ()),
    ):
        sets = read_gmt(root / "gene_sets" / file)
        lines += [
            "\t".join((name, source, *sets[name])) for name in sorted(choose(sets, quota, named))
        ]
    temporary = args.out.with_suffix(".tmp")
    temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
    os.replace(temporary, args.out)
    print(f"{args.out.name}: {len(lines)} sets, {args.out.stat().st_size:,} bytes")


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        raise SystemExit(str(error)) from None
