# Makes rasch.json: public data, and what R says of them.
#
#   apt-get install r-base-core r-cran-erm r-cran-psychotools r-cran-psych r-cran-jsonlite
#   Rscript tests/cohort/data/rasch.R > tests/cohort/data/rasch.json
#
# verbal: VerbalAggression in psychotools (GPL-2 | GPL-3): 316 people, 24 items scored 0, 1, 2, from
# Vansteelandt 2000, as in De Boeck & Wilson 2004, Explanatory Item Response Models. Kept here as
# one string of scores and one letter (sex) a person.
# mixed: the same with every third item scored 0 or 1.
# lsat6: in psych; its data stand in reference.json.
#
# Thresholds by conditional maximum likelihood: psychotools::pcmodel and eRm::PCM (or RM), each
# brought to a mean item location of 0, standard errors with them. Maximum likelihood estimates of
# people, item fit and separation reliability: eRm, from the thresholds of psychotools. Weighted likelihood estimates: where L * sqrt(I)
# is greatest, searched by optimize. DIF by sex: likelihood ratio and Nagelkerke's R2 of MASS::polr
# (glm for two scores), by the sum of all scores.
suppressMessages({library(eRm); library(psychotools); library(psych); library(MASS); library(jsonlite)})

brought <- function(delta, vcov, tops) {
  k <- length(tops)
  a <- rep(1 / (k * tops), tops)
  keep <- diag(length(delta)) - outer(rep(1, length(delta)), a)
  list(thresholds = as.vector(keep %*% delta), se = sqrt(diag(keep %*% vcov %*% t(keep))))
}

tops_of <- function(x) unname(apply(x, 2, max))

psychotools_of <- function(x) {
  tops <- tops_of(x)
  m <- pcmodel(x, reltol = 1e-16, maxit = 1000L)
  # coef: minus cumulative thresholds, all but the first of the first item, which is 0
  beta <- c(0, coef(m)); v <- rbind(0, cbind(0, vcov(m)))
  d <- matrix(0, length(beta), length(beta)); at <- 0
  for (top in tops) { for (j in 1:top) { d[at + j, at + j] <- 1; if (j > 1) d[at + j, at + j - 1] <- -1 }; at <- at + top }
  c(brought(as.vector(d %*% beta), d %*% v %*% t(d), tops), logLik = as.numeric(logLik(m)))
}

erm_of <- function(x, exact) {
  tops <- tops_of(x)
  m <- if (all(tops == 1)) RM(x) else PCM(x)
  # betapar: minus cumulative thresholds ("easiness")
  d <- matrix(0, sum(tops), sum(tops)); at <- 0
  for (top in tops) { for (j in 1:top) { d[at + j, at + j] <- -1; if (j > 1) d[at + j, at + j - 1] <- 1 }; at <- at + top }
  v <- m$W %*% solve(m$hessian) %*% t(m$W)
  b <- brought(as.vector(d %*% m$betapar), d %*% v %*% t(d), tops)
  # eRm stops its search early (1e-4): for what follows, it is given the exact thresholds.
  m$betapar[] <- -unlist(lapply(split(exact, rep(seq_along(tops), tops)), cumsum))
  pp <- person.parameter(m)
  fit <- suppressWarnings(itemfit(pp))
  raw <- rowSums(x); inside <- raw > 0 & raw < sum(tops)
  th <- tapply(pp$theta.table[, 1][inside], raw[inside], function(v) v[1])
  se <- tapply(unlist(pp$se.theta)[match(rownames(pp$theta.table)[inside], sub("^NAgroup[0-9]+\\.", "", names(unlist(pp$se.theta))))], raw[inside], function(v) v[1])
  list(thresholds = b$thresholds, se = b$se, sums = as.integer(names(th)), ml = as.vector(th), ml_se = as.vector(se),
       infit = as.vector(fit$i.infitMSQ), infit_t = as.vector(fit$i.infitZ),
       outfit = as.vector(fit$i.outfitMSQ), outfit_t = as.vector(fit$i.outfitZ),
       separation = SepRel(pp)$sep.rel)
}

warm <- function(delta, tops) {
  item <- split(delta, rep(seq_along(tops), tops))
  curve <- function(theta) lapply(item, function(d) { w <- c(0, cumsum(theta - d)); p <- exp(w - max(w)); p / sum(p) })
  info <- function(theta) sum(sapply(curve(theta), function(p) { s <- seq_along(p) - 1; sum(s^2 * p) - sum(s * p)^2 }))
  norm <- function(theta) sum(sapply(item, function(d) log(sum(exp(c(0, cumsum(theta - d)))))))
  est <- sapply(0:sum(tops), function(r)
    optimize(function(t) r * t - norm(t) + .5 * log(info(t)), c(-12, 12), maximum = TRUE, tol = 1e-12)$maximum)
  list(estimates = est, errors = sapply(est, function(t) 1 / sqrt(info(t))))
}

reference <- function(x) {
  p <- psychotools_of(x)
  list(tops = tops_of(x), psychotools = p, erm = erm_of(x, p$thresholds), warm = warm(p$thresholds, tops_of(x)))
}

dif <- function(x, g) {
  r <- rowSums(x); z <- as.vector(scale(r)); n <- length(r)
  one <- function(y) {
    two <- max(y) == 1
    if (!two) y <- factor(y)
    fit <- function(f) {
      environment(f) <- environment()
      as.numeric(logLik(if (two) glm(f, family = binomial, control = glm.control(epsilon = 1e-14))
                        else polr(f, control = list(reltol = 1e-14, maxit = 1000))))
    }
    l0 <- fit(y ~ 1); l1 <- fit(y ~ z); l2 <- fit(y ~ z * g)
    nk <- function(l) (1 - exp(2 * (l0 - l) / n)) / (1 - exp(2 * l0 / n))
    c(2 * (l2 - l1), nk(l2) - nk(l1))
  }
  m <- apply(x, 2, one)
  p <- pchisq(m[1, ], 2, lower.tail = FALSE)
  list(statistic = as.vector(m[1, ]), gain = as.vector(m[2, ]), p = as.vector(p), adjusted = as.vector(p.adjust(p, "BH")))
}

data(VerbalAggression, package = "psychotools"); data(bock, package = "psych")
verbal <- unname(as.matrix(VerbalAggression$resp)); storage.mode(verbal) <- "integer"
sex <- substr(as.character(VerbalAggression$gender), 1, 1)
mixed <- verbal; mixed[, seq(3, 24, 3)] <- pmin(mixed[, seq(3, 24, 3)], 1L)
lsat <- unname(as.matrix(lsat6)); storage.mode(lsat) <- "integer"
version <- function(package) as.character(packageVersion(package))
cat(toJSON(list(
  versions = as.list(c(R = R.version.string, sapply(c("eRm", "psychotools", "MASS"), version))),
  verbal = c(list(people = apply(verbal, 1, paste, collapse = ""), sex = paste(sex, collapse = ""),
                  dif = dif(verbal, sex == "f")), reference(verbal)),
  mixed = c(list(dif = dif(mixed, sex == "f")), reference(mixed)),
  lsat6 = reference(lsat)
), digits = NA, auto_unbox = TRUE))
cat("\n")
