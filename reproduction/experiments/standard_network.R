# edgeR's own table of one cohort: Rscript standard_network.R counts.tsv groups.csv rows out.tsv
# counts: genes x samples, first column a name; groups: sample, group (normal, tumor);
# rows: "expressed" (filterByExpr) or "any" (every gene with a count). Used with edgeR 3.40.2.
suppressMessages(library(edgeR))
a <- commandArgs(TRUE)
x <- as.matrix(read.delim(a[1], row.names = 1, check.names = FALSE))
g <- read.csv(a[2])
group <- factor(g$group[match(colnames(x), g$sample)], levels = c("normal", "tumor"))
y <- DGEList(x, group = group)
keep <- if (a[3] == "expressed") filterByExpr(y, group = group) else rowSums(x) > 0
y <- calcNormFactors(y[keep, , keep.lib.sizes = FALSE])
design <- model.matrix(~group)
y <- estimateDisp(y, design)
r <- topTags(glmLRT(glmFit(y, design)), n = Inf, sort.by = "none")$table
write.table(data.frame(gene = rownames(r), r), a[4], sep = "\t", quote = FALSE, row.names = FALSE)
