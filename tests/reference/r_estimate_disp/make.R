# edgeR's likelihood-ratio test after estimateDisp, with TMM library sizes, on the counts of r_toy and r_edge.
# Run from this folder: Rscript make.R
suppressMessages(library(edgeR))
counts <- list(toy = as.matrix(read.csv("../r_toy/counts.csv", row.names = 1)),
               edge = as.matrix(read.csv("../r_edge/counts.csv", row.names = 1)))
counts$toy <- counts$toy[readLines("../r_toy/filter_quantile_025.txt"), ]
for (name in names(counts)) {
  x <- counts[[name]]
  group <- factor(ifelse(startsWith(colnames(x), "N"), "normal", "tumor"))
  d <- calcNormFactors(DGEList(x, group = group))
  design <- model.matrix(~group)
  d <- estimateDisp(d, design)
  table <- glmLRT(glmFit(d, design))$table
  table <- cbind(table, FDR = p.adjust(table$PValue, "fdr"), dispersion = d$tagwise.dispersion)
  write.csv(signif(table, 12), paste0(name, ".csv"), quote = FALSE)
}
