# edgeR with the design ~ patient + group on the counts of r_toy, and on a hundredth of them.
# Run from this folder: Rscript make.R
suppressMessages(library(edgeR))

# edgeR's own fit stops short of the maximum: by its tolerance of 1e-6, and, at the smallest dispersion of
# estimateDisp's grid, because its deviance becomes a series that is wrong for large counts. So every fit is
# finished here by Fisher scoring, and kept where that raises the likelihood.
theirs <- edgeR::mglmLevenberg
likelihood <- function(y, mu, phi) sum(ifelse(y > 0, y * log(mu), 0) - (y + 1 / phi) * log1p(phi * mu))
finished <- function(y, design, dispersion = 0, offset = 0, ...) {
  fit <- theirs(y, design = design, dispersion = dispersion, offset = offset, ...)
  y <- as.matrix(y)
  phi <- matrix(as.vector(dispersion), nrow(y), ncol(y))
  offset <- if (is.null(dim(offset))) matrix(offset, nrow(y), ncol(y), byrow = TRUE) else as.matrix(offset)
  for (g in seq_len(nrow(y))) {
    b <- fit$coefficients[g, ]
    for (i in 1:100) {
      mu <- exp(drop(design %*% b) + offset[g, ])
      score <- drop(crossprod(design, (y[g, ] - mu) / (1 + phi[g, ] * mu)))
      info <- crossprod(design, design * mu / (1 + phi[g, ] * mu))
      step <- tryCatch(solve(info, score), error = function(e) NULL)
      if (is.null(step) || !all(is.finite(step)) || max(abs(step)) > 5) break
      new <- exp(drop(design %*% (b + step)) + offset[g, ])
      if (!isTRUE(likelihood(y[g, ], new, phi[g, ]) > likelihood(y[g, ], mu, phi[g, ]) - 1e-7)) break
      b <- b + step
      if (sum(step * score) < 1e-14) break
    }
    mu <- exp(drop(design %*% b) + offset[g, ])
    if (isTRUE(likelihood(y[g, ], mu, phi[g, ]) >= likelihood(y[g, ], fit$fitted.values[g, ], phi[g, ]))) {
      fit$coefficients[g, ] <- b
      fit$fitted.values[g, ] <- mu
      fit$deviance[g] <- nbinomDeviance(y[g, , drop = FALSE], matrix(mu, 1), phi[g, 1])
    }
  }
  fit
}
assignInNamespace("mglmLevenberg", finished, "edgeR")

toy <- as.matrix(read.csv("../r_toy/counts.csv", row.names = 1))[readLines("../r_toy/filter_quantile_025.txt"), ]
counts <- list(toy = toy, low = toy %/% 100)  # in the latter some patients have no count of a gene
save <- function(table, name) write.csv(signif(table, 12), paste0(name, ".csv"), quote = FALSE)
for (name in names(counts)) {
  x <- counts[[name]]
  normal <- startsWith(colnames(x), "N")
  group <- factor(ifelse(normal, "normal", "tumor"))
  number <- ave(seq_along(group), group, FUN = seq_along)  # patients with three or more samples occur
  patient <- factor((number - 1) %% min(table(group)))
  design <- model.matrix(~patient + group)
  last <- ncol(design)
  add <- function(t, d) cbind(t$table, FDR = p.adjust(t$table$PValue, "fdr"), dispersion = d$tagwise.dispersion)
  d <- calcNormFactors(DGEList(x, group = group))
  d <- estimateDisp(d, design)
  fit <- glmFit(d, design)
  save(add(glmLRT(fit, coef = last), d), paste0(name, "_estimate_disp"))
  save(add(glmTreat(fit, coef = last, lfc = 0.5), d)[, c("logFC", "logCPM", "PValue", "FDR")], paste0(name, "_treat"))
  d <- DGEList(x, group = group)
  d <- estimateGLMTagwiseDisp(estimateGLMCommonDisp(d, design), design, trend = FALSE)
  save(add(glmLRT(glmFit(d, design), coef = last), d), paste0(name, "_tagwise"))
  write.csv(data.frame(sample = colnames(x), patient = patient), paste0(name, "_pairs.csv"), quote = FALSE, row.names = FALSE)
}
