# limma-voom and edgeR's quasi-likelihood test with TMM factors, on the counts of r_toy and r_edge. Run from this folder: Rscript make.R
suppressMessages({library(edgeR); library(limma)})
groups <- function(x) factor(ifelse(startsWith(colnames(x), "N"), "normal", "tumor"), levels = c("normal", "tumor"))
save <- function(table, name) write.csv(format(table, digits = 15, trim = TRUE), paste0(name, ".csv"), quote = FALSE)
voom_table <- function(y) {
  design <- model.matrix(~groups(y))
  v <- voom(y, design)
  fit <- eBayes(lmFit(v, design))
  top <- topTable(fit, coef = 2, number = Inf, sort.by = "none")
  cat(sprintf("%d genes, prior df %.14g\n", nrow(top), fit$df.prior[1]))
  cbind(top[, c("logFC", "AveExpr", "t", "P.Value", "adj.P.Val")], sigma = fit$sigma,
        weight_first = v$weights[, 1], weight_last = v$weights[, ncol(v$weights)])
}
toy <- as.matrix(read.csv("../r_toy/counts.csv", row.names = 1))
toy <- toy[readLines("../r_toy/filter_quantile_025.txt"), ]
edge <- as.matrix(read.csv("../r_edge/counts.csv", row.names = 1))
save(voom_table(DGEList(toy)), "toy_plain")
save(voom_table(calcNormFactors(DGEList(toy))), "toy_tmm")
save(voom_table(DGEList(edge)), "edge_plain")
few <- toy[, c("N1", "N2", "T1", "T2")]                 # two against two: the case that matters here
save(voom_table(calcNormFactors(DGEList(few))), "few_tmm")
y <- calcNormFactors(DGEList(few)); design <- model.matrix(~groups(few))
ql <- glmQLFTest(glmQLFit(estimateDisp(y, design), design))$table
save(ql[, c("logFC", "logCPM", "F", "PValue")], "few_ql_tmm")
cat(sprintf('{"R": "%s.%s", "edgeR": "%s", "limma": "%s"}\n', R.version$major, R.version$minor, packageVersion("edgeR"), packageVersion("limma")),
    file = "versions.json")
