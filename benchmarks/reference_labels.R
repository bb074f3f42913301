# What bench_labels.py times beside degnext: raw KICH counts to labels with R's own packages, the steps of TCGAbiolinks.
# usage: Rscript reference_labels.R counts.csv groups.csv gene_info.csv outdir
# Prints one line per step, "step,seconds"; reading the files and loading the packages is not counted.
suppressMessages({library(edgeR); library(EDASeq)})
args <- commandArgs(trailingOnly = TRUE)
x <- as.matrix(read.csv(args[1], row.names = 1, check.names = FALSE))
group <- read.csv(args[2], row.names = 1, stringsAsFactors = FALSE)[colnames(x), 1]
info <- read.csv(args[3], row.names = 1)
out <- args[4]
timed <- function(step, expression) {
  seconds <- system.time(value <- expression)[["elapsed"]]
  cat(step, seconds, sep = ",", fill = TRUE)
  value
}

x <- timed("outliers", {
  mean_cor <- rowMeans(cor(x, method = "spearman"))
  x[, mean_cor > 0.6]
})
x <- timed("normalise_geneLength", {  # as TCGAanalyze_Normalization: both steps are computed, then the input is returned
  kept <- x[rownames(x) %in% rownames(info) & rownames(x) != "SLC35E2", ]
  kept <- kept[rowSums(kept) > 0, ]
  feature <- info[rownames(kept), , drop = FALSE]
  set <- newSeqExpressionSet(kept, featureData = feature)
  set <- withinLaneNormalization(set, "gene_length", which = "upper", offset = FALSE)
  set <- betweenLaneNormalization(set, which = "upper", offset = FALSE)
  counts(set)
})
x <- timed("quantile_filter", {
  m <- rowMeans(x)
  x[m > as.numeric(quantile(m, 0.25)), ]
})
lrt <- timed("glmLRT", {
  type <- factor(group, levels = c("normal", "tumor"))
  design <- model.matrix(~type)
  d <- DGEList(counts = x, group = type)
  d <- estimateGLMCommonDisp(d, design)
  d <- estimateGLMTagwiseDisp(d, design)
  fit <- glmFit(d, design, dispersion = d$tagwise.dispersion)
  table <- glmLRT(fit, coef = 2)$table
  cbind(table, FDR = p.adjust(table$PValue, "fdr"))
})
exact <- timed("exactTest", {
  d <- estimateCommonDisp(DGEList(counts = x, group = group))
  table <- exactTest(d, pair = c("normal", "tumor"))$table
  cbind(table, FDR = p.adjust(table$PValue, "fdr"))
})
ql <- timed("glmQLFTest", {
  d <- estimateDisp(DGEList(counts = x, group = type), design)
  table <- glmQLFTest(glmQLFit(d, design))$table
  cbind(table, FDR = p.adjust(table$PValue, "fdr"))
})
for (name in c("lrt", "exact", "ql")) write.csv(get(name), file.path(out, paste0(name, ".csv")))
cat("versions", R.version$major, R.version$minor, as.character(packageVersion("edgeR")), as.character(packageVersion("EDASeq")), sep = ",", fill = TRUE)
