"""Write the corpus: the same counts (50 genes, 3 normal and 3 tumor samples) in every layout.

python tests/data/formats/make.py
"""

from __future__ import annotations

import bz2
import gzip
import lzma
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from degnext.cohorts.gene_names import gene_names

HERE = Path(__file__).parent
SAMPLES = ["N1", "N2", "N3", "T1", "T2", "T3"]
BARCODES = [f"TCGA-AB-000{i % 3}-{'11' if i < 3 else '01'}A" for i in range(6)]


def truth() -> pd.DataFrame:
    """Counts by Ensembl id; the first gene is huge, so that no value looks like a logarithm."""
    table = gene_names()
    table = table[(table["ensembl"] != "") & (table["entrez"] != "")].head(50)
    ids = [f"ENSG{i:>011}" for i in table["ensembl"]]
    values = np.random.default_rng(5).negative_binomial(3, 0.01, (50, 6))
    return pd.DataFrame(values, pd.Index(ids, name="gene"), SAMPLES)


def put(name: str, content: str | bytes) -> None:
    path = HERE / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def tables(counts: pd.DataFrame) -> None:
    csv, tsv = counts.to_csv(), counts.to_csv(sep="\t")
    put("plain.csv", csv)
    put("plain.tab", tsv)
    put("crlf_bom.csv", b"\xef\xbb\xbf" + csv.replace("\n", "\r\n").encode())
    put("utf16.csv", csv.encode("utf-16"))
    put("latin1.csv", csv.replace("gene,", "gène,").encode("latin-1"))
    put("sep_line.csv", "sep=;\n" + csv.replace(",", ";"))
    put("semicolon.csv", csv.replace(",", ";"))
    decimal = counts.astype(float).to_csv(sep=";", float_format="%.2f").replace(".", ",")
    put("decimal_comma.csv", decimal)
    put("gz.csv", gzip.compress(csv.encode(), mtime=0))  # the name does not say that it is packed
    put("plain.csv.bz2", bz2.compress(csv.encode()))
    put("plain.csv.xz", lzma.compress(csv.encode()))
    put("plain.csv.zst", pa.Codec("zstd").compress(csv.encode(), asbytes=True))
    put("trailing_comma.csv", "".join(f"{line},\n" for line in csv.splitlines()))
    quoted = counts.to_csv(sep="\t", quoting=2).replace('"gene"\t', "")
    put("r_write_table.txt", quoted)
    put("r_spaces.counts", quoted.replace("\t", " "))
    tibble = counts.reset_index().set_axis(range(1, 51)).to_csv()
    put("r_tibble.csv", tibble)
    put("transposed.csv", counts.T.to_csv())
    extra = counts.copy()
    extra.insert(0, "external_gene_name", "x")
    extra.insert(1, "biotype", "protein_coding")
    put("biomart_columns.csv", extra.assign(width=100).to_csv())
    counts.to_parquet(HERE / "plain.parquet")
    counts.reset_index().to_parquet(HERE / "no_index.parquet", index=False)
    counts.to_excel(HERE / "workbook.xlsx", sheet_name="raw counts")


def programs(counts: pd.DataFrame) -> None:
    place = pd.DataFrame(index=counts.index).assign(
        Chr="chr1;chr1", Start="1;9", End="5;20", Strand="+;+", Length=17
    )
    bams = [f"/data/run 1/{s}.Aligned.sortedByCoord.out.bam" for s in counts]
    body = place.join(counts.set_axis(bams, axis=1)).rename_axis("Geneid").to_csv(sep="\t")
    put(
        "featurecounts.txt", '# Program:featureCounts v2.0.1; Command:"featureCounts" "-a"\n' + body
    )
    for s, column in counts.items():
        lines = "".join(f"{g}\t{n}\n" for g, n in column.items())
        summary = (
            "no_feature",
            "ambiguous",
            "too_low_aQual",
            "not_aligned",
            "alignment_not_unique",
        )
        put(f"htseq/{s}.htseq.counts", lines + "".join(f"__{x}\t12345\n" for x in summary))
        star = "".join(f"{g}\t{n + 3}\t{n // 30}\t{n}\n" for g, n in column.items())
        head = ("N_unmapped", "N_multimapping", "N_noFeature", "N_ambiguous")
        star = "".join(f"{x}\t9\t9\t9\n" for x in head) + star
        put(f"star/{s}ReadsPerGene.out.tab", star)
        part = [(f"ENST{g[4:]}", f"ENST9{g[5:]}", n) for g, n in column.items()]
        rows = [(a, n // 3 + 0.25) for a, _, n in part] + [
            (b, n - n // 3 - 0.25) for _, b, n in part
        ]
        salmon = "".join(f"{t}\t1000\t850.000\t1.5\t{n}\n" for t, n in rows)
        put(f"salmon/{s}/quant.sf", "Name\tLength\tEffectiveLength\tTPM\tNumReads\n" + salmon)
        kallisto = "".join(f"{t}\t1000\t850\t{n}\t1.5\n" for t, n in rows)
        put(
            f"kallisto/{s}/abundance.tsv",
            "target_id\tlength\teff_length\test_counts\ttpm\n" + kallisto,
        )
        head = "gene_id\ttranscript_id(s)\tlength\teffective_length\texpected_count\tTPM\tFPKM\n"
        rsem = "".join(f"{g}\ta,b\t1000.00\t850.00\t{n}.00\t1.5\t1.1\n" for g, n in column.items())
        put(f"rsem/{s}.genes.results", head + rsem)
    maps = "".join(f"ENST{g[4:]},{g}\nENST9{g[5:]},{g}\n" for g in counts.index)
    put("tx2gene.csv", "transcript,gene\n" + maps)


def archives(counts: pd.DataFrame) -> None:
    head = "gene_id\tgene_name\tgene_type\tunstranded\tstranded_first\tstranded_second\t"
    head += "tpm_unstranded\n"
    sheet = "File ID\tFile Name\tData Category\tProject ID\tCase ID\tSample ID\tSample Type\n"
    for i, (s, column) in enumerate(counts.items()):
        rows = "".join(f"{g}.5\tX\tprotein_coding\t{n}\t0\t{n}\t1.5\n" for g, n in column.items())
        summary = "".join(f"{x}\t\t\t7\t7\t7\t\n" for x in ("N_unmapped", "N_ambiguous"))
        name, folder = f"{i}abc.rna_seq.augmented_star_gene_counts.tsv", f"{i}0000000-aaaa"
        put(f"gdc/{folder}/{name}", f"# gene-model: GENCODE v36\n{head}{summary}{rows}")
        put(f"gdc/{folder}/logs/{name}.parcel", "a log\n")
        kind = "Solid Tissue Normal" if s[0] == "N" else "Primary Tumor"
        sheet += f"{folder}\t{name}\tTranscriptome Profiling\tTCGA-AB\tTCGA-AB-000{i % 3}"
        sheet += f"\t{BARCODES[i]}\t{kind}\n"
    put("gdc/gdc_sample_sheet.tsv", sheet)
    coverage = (counts * 98).rename_axis("gene_id").to_csv(sep="\t")
    put("recount3.tsv", f"##annotation=G026\n##date.generated=2020-10-01\n{coverage}")
    names = gene_names().drop_duplicates("ensembl").set_index("ensembl")
    known = names.loc[[g[4:].lstrip("0") for g in counts.index]]
    portal = counts.set_axis(pd.Index(known["symbol"], name="Hugo_Symbol"))
    portal.insert(0, "Entrez_Gene_Id", known["entrez"].to_numpy())
    put("cbioportal.txt", portal.to_csv(sep="\t"))
    put("entrez.csv", counts.set_axis(pd.Index(known["entrez"], name="entrez_id")).to_csv())


def groups() -> None:
    told = {
        "groups.csv": ("sample,group", "normal", "tumor"),
        "condition.csv": ("sample,age,condition", "7,Control", "8,case"),
        "tumour.csv": ("Run,Group", "Non-tumour", "Primary tumour"),
        "gdc_words.tsv": ("Sample ID\tSample Type", "Solid Tissue Normal", "Primary Tumor"),
        "patients.csv": ("sample,patient,type", "P{},adjacent normal", "P{},lung cancer"),
    }
    for name, (head, normal, tumor) in told.items():
        sep = "\t" if name.endswith("tsv") else ","
        rows = [f"{s}{sep}{(normal if s[0] == 'N' else tumor).format(s[1])}" for s in SAMPLES]
        put(f"groups/{name}", "\n".join([head, *rows]) + "\n")
    head = "external_id,group,recount_qc.star.average_mapped_length\n"
    rows = [f"{s},{'normal' if s[0] == 'N' else 'tumor'},98\n" for s in SAMPLES]
    put("groups/recount3.csv", head + "".join(rows))


if __name__ == "__main__":
    counts = truth()
    for write in (tables, programs, archives):
        write(counts)
    groups()
