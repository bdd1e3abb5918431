# Makes reference.json: public data, and what R says of them.
#
#   apt-get install r-base-core r-cran-psych r-cran-lavaan r-cran-jsonlite
#   Rscript tests/cohort/data/reference.R > tests/cohort/data/reference.json
#
# attitude: Chatterjee & Price 1977, in R's datasets: 30 departments, 7 scales.
# lsat6: Bock & Lieberman 1970, in psych: 1000 people, 5 right-or-wrong items, kept here as response
# patterns with their frequencies.
#
# alpha, r.drop: psych::alpha. Feldt's interval: qf. The factor model: stats::factanal, by maximum
# likelihood, its stopping rule tightened. The standard error of omega: lavaan, robust ("MLR", that
# is Huber-White, with the observed Hessian), omega a parameter defined by the model.
suppressMessages({library(psych); library(lavaan); library(jsonlite)})

reference <- function(x) {
  names(x) <- paste0("x", seq_along(x))
  n <- nrow(x); k <- ncol(x)
  found <- suppressWarnings(psych::alpha(x, check.keys = FALSE))
  a <- found$total$raw_alpha
  tight <- list(opt = list(factr = 10, pgtol = 0, maxit = 10000))
  f <- factanal(covmat = cov(x), factors = 1, control = tight)
  s <- sapply(x, sd)
  common <- sum(f$loadings[, 1] * s)^2
  omega <- common / (common + sum(f$uniquenesses * s^2))
  l <- paste0("l", 1:k); u <- paste0("u", 1:k); v <- names(x)
  total <- paste0("(", paste(l, collapse = "+"), ")^2")
  model <- c(paste("F =~ NA*x1 +", paste0(l, "*", v, collapse = " + ")), "F ~~ 1*F",
             paste0(v, " ~~ ", u, "*", v),
             paste0("omega := ", total, " / (", total, "+", paste(u, collapse = "+"), ")"))
  fit <- suppressWarnings(cfa(paste(model, collapse = "\n"), data = x, estimator = "MLR",
                              observed.information = "hessian", optim.force.converged = TRUE,
                              control = list(rel.tol = 1e-15, x.tol = 1e-14, iter.max = 10000)))
  estimates <- parameterEstimates(fit)
  list(n = n, items = k, mean = unname(colMeans(x)), alpha = a,
       feldt = 1 - (1 - a) * qf(c(.975, .025), n - 1, (n - 1) * (k - 1)),
       r_drop = found$item.stats$r.drop, uniquenesses = unname(f$uniquenesses),
       loadings = unname(f$loadings[, 1]), omega = omega,
       omega_se = estimates$se[estimates$label == "omega"],
       sd_total = sd(rowSums(x)), sem_total = sd(rowSums(x)) * sqrt(1 - omega))
}

data(bock, package = "psych")
lsat6 <- as.data.frame(lsat6)
patterns <- aggregate(list(people = rep(1, nrow(lsat6))), lsat6, sum)
version <- function(package) as.character(packageVersion(package))
versions <- c(R = R.version.string, sapply(c("psych", "lavaan"), version))
cat(toJSON(list(
  versions = as.list(versions),
  attitude = list(values = as.matrix(unname(attitude)), reference = reference(attitude)),
  lsat6 = list(patterns = as.matrix(unname(patterns)), reference = reference(lsat6))
), digits = NA, auto_unbox = TRUE))
cat("\n")
