# Makes measured.json: what R says of one simulated data set, measured.txt.
#
#   apt-get install r-base-core r-cran-psych r-cran-jsonlite
#   Rscript tests/cohort/data/measured.R > tests/cohort/data/measured.json
#
# A line is a person, a figure an answer: its credit in halves. The first eight are domain A, then B
# and C. alpha: psych::alpha. omega: stats::factanal, one factor, maximum likelihood. SEM: from
# omega. The effective length of Livingston & Lewis, the beta distribution of true scores and the
# reliable change index are written out from their definitions.
suppressMessages({library(psych); library(jsonlite)})
lines <- readLines("tests/cohort/data/measured.txt")
x <- do.call(rbind, lapply(strsplit(lines, ""), as.numeric)) / 2
tight <- list(opt = list(factr = 10, pgtol = 0, maxit = 10000))
reference <- function(columns) {
  v <- as.data.frame(x[, columns]); k <- length(columns)
  score <- 100 * rowMeans(v)
  f <- factanal(covmat = cov(v), factors = 1, control = tight)
  s <- sapply(v, sd)
  common <- sum(f$loadings[, 1] * s)^2
  omega <- common / (common + sum(f$uniquenesses * s^2))
  m <- mean(score); sem <- sd(score) * sqrt(1 - omega)
  length <- (m * (100 - m) - omega * var(score)) / sem^2
  strength <- m / 100 * (1 - m / 100) / (omega * var(score) / 1e4) - 1
  list(mean = m, sd = sd(score), alpha = suppressWarnings(psych::alpha(v, check.keys = FALSE))$total$raw_alpha,
       omega = omega, sem = sem, length = length,
       spread = c(strength * m / 100, strength * (1 - m / 100)),
       rci = (score[2] - score[1]) / (50 / sqrt(length) * sqrt(2)))
}
cat(toJSON(list(
  R = R.version.string, psych = as.character(packageVersion("psych")), n = nrow(x),
  A = reference(1:8), B = reference(9:16), C = reference(17:24), overall = reference(1:24)
), digits = NA, auto_unbox = TRUE), "\n")
