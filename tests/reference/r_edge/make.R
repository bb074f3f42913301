# Awkward cases for degnext's port of edgeR and EDASeq: rows of zeros, a gene silent in one group, many counts, one sample
# with a single burst, near-Poisson genes, ties, unequal libraries and groups. Run from this folder: Rscript make.R
suppressMessages({library(edgeR); library(EDASeq)})
set.seed(20)
n <- 160; lib <- c(0.4, 1, 2.5, 0.8, 1.2, 1, 3)
group <- factor(c("normal", "normal", "normal", "tumor", "tumor", "tumor", "tumor"))
mean <- 2^runif(n, 0, 12); phi <- rep(c(0.002, 0.05, 0.4, 1.5), length.out = n)
fold <- rep(c(1, 1, 4, 0.25, 1), length.out = n)
mu <- outer(mean, lib); mu[, group == "tumor"] <- mu[, group == "tumor"] * fold
x <- matrix(rnbinom(n * 7, mu = mu, size = 1 / phi), n)
x[1, ] <- 0                            # never seen
x[2, ] <- c(0, 0, 0, 40, 12, 3, 90)    # silent in normal
x[3, ] <- c(25, 60, 200, 0, 0, 0, 0)   # silent in tumor
x[4, ] <- c(0, 0, 0, 0, 0, 0, 60000)   # one burst
x[5, ] <- c(1, 0, 0, 0, 1, 0, 1)       # too few to estimate from
x[6, ] <- c(0, 2, 0, 0, 0, 0, 0)
x[7, ] <- c(2000, 5000, 9000, 3000, 7000, 4000, 20000)
x[8, ] <- x[9, ]                       # ties
dimnames(x) <- list(sprintf("E%03d", 1:n), c(paste0("N", 1:3), paste0("T", 1:4)))
info <- data.frame(gene_length = round(2^runif(n, 8, 14)) + seq_len(n), gc_content = runif(n, 0.3, 0.7), row.names = rownames(x))
save <- function(table, name) write.csv(table, paste0(name, ".csv"))
fdr <- function(table, dispersion) cbind(table, FDR = p.adjust(table$PValue, "fdr"), dispersion = dispersion)
save(x, "counts"); save(info, "gene_info")

design <- model.matrix(~group); d <- DGEList(x, group = group)
glm <- estimateGLMTagwiseDisp(estimateGLMCommonDisp(d, design), design)
save(fdr(glmLRT(glmFit(glm, design, dispersion = glm$tagwise.dispersion), coef = 2)$table, glm$tagwise.dispersion), "lrt_tagwise")
save(fdr(glmLRT(glmFit(glm, design, dispersion = glm$common.dispersion), coef = 2)$table, glm$common.dispersion), "lrt_common")
q <- estimateTagwiseDisp(estimateCommonDisp(d))
save(fdr(exactTest(q, dispersion = "common")$table, q$common.dispersion), "exact_common")
save(fdr(exactTest(q, dispersion = "tagwise")$table, q$tagwise.dispersion), "exact_tagwise")
trend <- estimateDisp(d, design)
save(fdr(glmQLFTest(glmQLFit(trend, design))$table, trend$trended.dispersion), "ql")
subset <- estimateGLMCommonDisp(x, design, subset = 40)

save(data.frame(spearman = rowMeans(cor(x, method = "spearman")), tmm = calcNormFactors(x),
                upper_quartile = calcNormFactors(x, method = "upperquartile"), lib = colSums(x)), "samples")
cat(sprintf('{"edgeR": "%s", "EDASeq": "%s", "R": "%s.%s", "glm_common": %.14g, "glm_common_subset_40": %.14g, "qcml_common": %.14g}\n',
            packageVersion("edgeR"), packageVersion("EDASeq"), R.version$major, R.version$minor,
            glm$common.dispersion, subset, q$common.dispersion), file = "scalars.json")
