# edgeR's tests with TMM and upper-quartile library sizes, and its test against a fold-change threshold, on the counts of
# r_toy and r_edge. The order of calls is TCGAbiolinks' (common, then tagwise dispersion) after calcNormFactors.
# Run from this folder: Rscript make.R
suppressMessages(library(edgeR))
save <- function(table, dispersion, name) {
  table <- cbind(table, FDR = p.adjust(table$PValue, "fdr"), dispersion = dispersion)
  write.csv(signif(table, 12), paste0(name, ".csv"), quote = FALSE)
}
counts <- list(toy = as.matrix(read.csv("../r_toy/counts.csv", row.names = 1)),
               edge = as.matrix(read.csv("../r_edge/counts.csv", row.names = 1)))
counts$toy <- counts$toy[readLines("../r_toy/filter_quantile_025.txt"), ]
dge <- function(name, factors) {
  x <- counts[[name]]
  group <- factor(ifelse(startsWith(colnames(x), "N"), "normal", "tumor"))
  calcNormFactors(DGEList(x, group = group), method = factors)
}
glm <- function(d, design) {
  d <- estimateGLMTagwiseDisp(estimateGLMCommonDisp(d, design), design)
  glmFit(d, design, dispersion = d$tagwise.dispersion)
}
for (name in names(counts)) {
  d <- dge(name, "TMM")
  design <- model.matrix(~d$samples$group)
  fit <- glm(d, design)
  save(glmLRT(fit, coef = 2)$table, fit$dispersion, paste0(name, "_lrt_tmm"))
  q <- estimateTagwiseDisp(estimateCommonDisp(d))
  save(exactTest(q, dispersion = "tagwise")$table, q$tagwise.dispersion, paste0(name, "_exact_tmm"))
  trend <- estimateDisp(d, design)
  save(glmQLFTest(glmQLFit(trend, design))$table, trend$trended.dispersion, paste0(name, "_ql_tmm"))
}
fit <- glm(dge("toy", "upperquartile"), model.matrix(~dge("toy", "none")$samples$group))
save(glmLRT(fit, coef = 2)$table, fit$dispersion, "toy_lrt_upperquartile")
d <- dge("edge", "none")
design <- model.matrix(~d$samples$group)
trend <- estimateDisp(d, design)
for (lfc in c(0.2, 1)) {
  fit <- glm(d, design)
  save(glmTreat(fit, coef = 2, lfc = lfc)$table, fit$dispersion, paste0("edge_lrt_treat_", lfc))
  save(glmTreat(glmQLFit(trend, design), coef = 2, lfc = lfc)$table, trend$trended.dispersion, paste0("edge_ql_treat_", lfc))
}
cat(sprintf('{"R": "%s.%s", "edgeR": "%s", "limma": "%s"}\n', R.version$major, R.version$minor,
            packageVersion("edgeR"), packageVersion("limma")), file = "versions.json")
