# DESeq2 on draws of a few normal and a few tumor samples, with its default settings. degnext has edgeR's quasi-likelihood test and
# limma-voom itself, equal to R's (tests/labeling/test_voom.py), but not DESeq2.
# Usage: Rscript small_samples.R FOLDER; reads every FOLDER/*.csv (genes in rows, samples in columns named N... and T...) and writes
# FOLDER/*.deseq2. reproduction.experiments.small_samples draws the samples, calls this and reads the answers.
suppressMessages(library(DESeq2))
folder <- commandArgs(TRUE)[1]
for (path in sort(list.files(folder, pattern = "[.]csv$", full.names = TRUE))) {
  out <- sub("csv$", "deseq2", path)
  if (file.exists(out)) next
  x <- as.matrix(read.csv(path, check.names = FALSE))
  rownames(x) <- seq_len(nrow(x))
  group <- factor(ifelse(startsWith(colnames(x), "N"), "normal", "tumor"), levels = c("normal", "tumor"))
  fit <- suppressMessages(DESeq(DESeqDataSetFromMatrix(x, data.frame(group), ~group), quiet = TRUE))
  # DESeq2 gives no p-value to a gene with an outlier unless three or more of its counts are larger. results() looks at such genes
  # one by one, which takes longer than the test; here the same is done at once, and results() is told not to look
  cooks <- assays(fit)[["cooks"]]; most <- mcols(fit)$maxCooks
  odd <- which(most > qf(0.99, 2, ncol(x) - 2))
  if (length(odd)) {
    extreme <- x[cbind(odd, max.col(cooks[odd, , drop = FALSE], ties.method = "first"))]
    odd <- odd[rowSums(x[odd, , drop = FALSE] > extreme) < 3]
    mcols(fit)[["WaldPvalue_group_tumor_vs_normal"]][odd] <- NA
  }
  # adjusted p-values are missing for genes that DESeq2's filter removes; alpha tells the filter which cut-off is meant
  strict <- results(fit, alpha = 0.01, cooksCutoff = FALSE)
  loose <- results(fit, alpha = 0.05, cooksCutoff = FALSE)
  table <- data.frame(log_fc = loose$log2FoldChange, p_value = loose$pvalue, fdr_01 = strict$padj, fdr_05 = loose$padj)
  write.csv(format(table, digits = 10, trim = TRUE), paste0(out, ".part"), row.names = FALSE, quote = FALSE)
  file.rename(paste0(out, ".part"), out)
}
cat(sprintf('{"R": "%s.%s", "DESeq2": "%s"}\n', R.version$major, R.version$minor, packageVersion("DESeq2")), file = file.path(folder, "versions.json"))
