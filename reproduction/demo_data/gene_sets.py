"""Write data/gene_sets/demo.gmt: 150 GO processes, 60 Reactome pathways and 9 planted sets.

    DEGNEXT_DATA=/path/to/data python -m reproduction.demo_data.gene_sets

DEGNEXT_DATA names the folder that holds gene_sets/. The rule for real sets never looks at
expression or labels:
1. keep sets of 15 to 250 genes (after symbols are cleaned);
2. take the named sets below: Table 4's terms as far as the library has them, of 5 to 250 genes;
3. for each theme (a pattern on set names) take the next sets in turn, largest first, until the
   quota is full, and skip a set whose genes overlap (Jaccard > 0.5) with those of one taken before.
Planted sets are answers known beforehand: of each demo twin's genes, by the means it is drawn from,
40 of which 30 are up in tumor by more than the middle gene and a factor of two, 40 of which 30 are
down likewise, and 40 taken blindly (a control).
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from degnext._common.files import write_atomic
from degnext._common.paths import data_dir
from degnext.cohorts.demo import DEMO_CANCERS, load_demo, load_parameters
from degnext.enrichment.gene_sets import read_gmt
from reproduction.command import call, parser
from reproduction.sources import folder

MIN_GENES, MAX_GENES, MAX_JACCARD = 15, 250, 0.5
GO_QUOTA, REACTOME_QUOTA = 150, 60
PLANTED_SIZE, PLANTED_CHANGED, _SEED = 40, 30, 7

# Table 4's terms are broad; where GO BP 2021 lacks one, its nearest child or regulation stands in
GO_NAMED = (
    "GO:0010756",  # positive regulation of plasminogen activation (Table 4)
    "GO:1902532",  # negative regulation of intracellular signal transduction (Table 4)
    "GO:0048585",  # negative regulation of response to stimulus (Table 4)
    "GO:0098742",  # cell-cell adhesion via plasma-membrane adhesion molecules, for "cell adhesion"
    "GO:0000904",  # cell morphogenesis involved in differentiation, for "cell morphogenesis"
    "GO:0022604",  # regulation of cell morphogenesis
    "GO:0032870",  # cellular response to hormone stimulus, for "… to endogenous stimulus"
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


def human_sets(path: Path) -> dict[str, list[str]]:
    """Return sorted human symbols by set name; Reactome's id joins the name in parentheses."""
    lines = path.read_text(encoding="utf-8").splitlines()
    ids = dict(line.split("\t", 2)[:2] for line in lines)
    named = {k: f"{k} ({v})" if v.startswith("R-HSA-") else k for k, v in ids.items()}
    # Reactome lists a few viral proteins (gag, vif); a human symbol begins with a capital
    return {
        named[name]: [gene for gene in genes if _SYMBOL.fullmatch(gene)]
        for name, genes in read_gmt(path).items()
    }


def choose(sets: dict[str, list[str]], quota: int, named: tuple[str, ...] = ()) -> list[str]:
    """Return the chosen names in the order taken: named ones, then one per theme in turn."""
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


def planted(cancer: str) -> dict[str, list[str]]:
    """Return three sets of a twin's genes by name: up, down, and a control."""
    means = load_parameters(cancer)[0].loc[load_demo(cancer).counts.index, ["normal", "tumor"]]
    means = means[means.max(axis=1) >= means.max(axis=1).median()]  # no filter leaves these out
    change = np.log2((means["tumor"] + 0.1) / (means["normal"] + 0.1))
    change -= change.median()  # composition: in CHOL most shares rise because a few genes fell
    rng = np.random.default_rng([_SEED, DEMO_CANCERS.index(cancer)])

    def some(genes: np.ndarray, n: int) -> list[str]:
        return list(rng.choice(np.sort(genes), n, replace=False))

    out, control = {}, some(means.index.to_numpy(), PLANTED_SIZE)
    for way, hit in (("up", change > 1), ("down", change < -1)):
        genes = some(means.index[hit], PLANTED_CHANGED)
        rest = means.index.difference(genes).to_numpy()
        out[way] = genes + some(rest, PLANTED_SIZE - PLANTED_CHANGED)
    named = {f"planted: {way} in the {cancer} twin": genes for way, genes in out.items()}
    named[f"planted: control of the {cancer} twin"] = control
    return {name: sorted(genes) for name, genes in named.items()}


def main() -> None:
    """Write the file; the old one stays until the new one is whole."""
    arguments = parser(__doc__)
    target = data_dir() / "gene_sets" / "demo.gmt"
    arguments.add_argument("--out", type=Path, default=target, help="default: data/gene_sets")
    out, lines = arguments.parse_args().out, []
    for file, source, quota, named in (
        (
            "enrichr.GO_Biological_Process_2021.gmt",
            "GO_Biological_Process_2021",
            GO_QUOTA,
            GO_NAMED,
        ),
        ("ReactomePathways.gmt", "Reactome", REACTOME_QUOTA, ()),
    ):
        sets = human_sets(folder("gene_sets") / file)
        chosen = sorted(choose(sets, quota, named))
        lines += ["\t".join((name, source, *sets[name])) for name in chosen]
    for cancer in DEMO_CANCERS:
        sets = planted(cancer)
        lines += ["\t".join((name, "planted", *genes)) for name, genes in sets.items()]
    write_atomic(out, "\n".join(lines) + "\n")
    print(f"{out.name}: {len(lines)} sets, {out.stat().st_size:,} bytes")


if __name__ == "__main__":
    call(main)
