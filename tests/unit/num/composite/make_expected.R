# Expected values of test_composite_methods.c, in base R (4.2.2) with MASS only for Box-Cox; own code, no peer's.
# Run: Rscript tests/unit/num/composite/make_expected.R
p <- function(name, x) cat(sprintf("static const double %s[] = {%s};\n", name, paste(ifelse(is.na(x), "NAN", sprintf("%.15g", x)), collapse = ", ")))
x <- rbind(a = c(12.5, 8.25, 30, 17, 4.5, 9, 22, 14.75, 6, 90),
           b = c(3, 7, 5.5, 2, 9, 8, 4, 6.25, 1, 5),
           c = c(101, 140, 98, 133, 120, 87, 155, 110, 126, 143),
           d = c(0.2, 0.9, 0.4, 0.65, 0.35, 0.8, 0.15, 0.5, 0.7, 0.1))
dir <- c(a = 1, b = -1, c = 1, d = -1)
y <- x * dir
mn <- apply(y, 1, min); mx <- apply(y, 1, max)
unit <- (y - mn) / (mx - mn)
rk <- t(apply(y, 1, rank, ties.method = "min"))
p("percentile", t((rk - 1) / 9 * 100)); p("borda", t(rk - 1))
p("dist_max", t(1 - (mx - y) / (mx - mn)))
p("dist_ref", t(1 - (y[, 3] - y) / (y[, 3] - mn)))          # reference: the third area
targ <- c(60, 2, 150, 0.15) * dir
p("dist_target", t(pmin((y - mn) / (targ - mn), 1)))
p("fraction_max", t(rbind(x[1, ] / max(x[1, ]), min(x[2, ]) / x[2, ], x[3, ] / max(x[3, ]), min(x[4, ]) / x[4, ])))
band <- function(v, cuts, s) s[findInterval(v, cuts) + 1]
p("bands_quantile", c(t(apply(y, 1, function(v) band(v, quantile(v, c(.25, .5, .75)), c(0, 30, 60, 100))))[1, ], t(apply(y, 1, function(v) band(v, quantile(v, c(.25, .5, .75)), c(0, 30, 60, 100))))[2, ]))
p("exponential", t(-23 * log(1 - rk / 10 * (1 - exp(-100 / 23)))))
# means on min-max 1-100 with weights 2, 1, 1, 3 in one parent
n1 <- unit * 99 + 1; w <- c(2, 1, 1, 3) / 7
p("harmonic", 1 / colSums(w / n1)); p("power_3", colSums(w * n1^3)^(1 / 3)); p("power_m2", colSums(w * n1^-2)^(-1 / 2))
z <- (y - rowMeans(y)) / apply(y, 1, sd) * 10 + 100
m <- colSums(w * z); s2 <- colSums(w * sweep(z, 2, m)^2)
p("mpi_minus", m - s2 / m); p("mpi_plus", m + s2 / m)
# with gaps: a of area 2, c and d of area 5
g <- n1; g[1, 2] <- NA; g[3:4, 5] <- NA
p("gaps_arithmetic", apply(g, 2, function(v) weighted.mean(v, w, na.rm = TRUE)))
p("gaps_geometric", apply(g, 2, function(v) exp(weighted.mean(log(v), w, na.rm = TRUE))))
copeland <- function(v, w) sapply(1:10, function(i) sum(sapply(1:10, function(j) { k <- !is.na(v[, i]) & !is.na(v[, j]); sign(round(sum(w[k] * sign(v[k, i] - v[k, j])), 9)) })))
p("copeland_weighted", copeland(g, c(2, 1, 1, 3)))
# weights: PCA by shares of variance, eigenvalue at least 1 (or the first)
e <- eigen(cor(t(n1))); k <- which(e$values >= 1); if (!length(k)) k <- 1
p("pca_variance", as.vector(e$vectors[, k, drop = FALSE]^2 %*% e$values[k] / sum(e$values[k])))
p("pca_values", e$values)
# the importances that the weights 30, 20, 10, 40 bring about: asked for, they have to give these weights back
rr <- apply(n1, 1, cor, colSums(c(0.3, 0.2, 0.1, 0.4) * n1)); p("importance_of_weights", rr / sum(rr))
# Box-Cox: lambda of greatest profile likelihood
bc <- function(l, v) { u <- if (abs(l) < 1e-10) log(v) else (v^l - 1) / l; -length(v) / 2 * log(mean((u - mean(u))^2)) + (l - 1) * sum(log(v)) }
la <- sapply(c(1, 3), function(i) optimize(bc, c(-5, 5), v = x[i, ], maximum = TRUE, tol = 1e-12)$maximum)
p("box_cox_lambda", la); p("box_cox_a", (x[1, ]^la[1] - 1) / la[1]); p("box_cox_half", (x[1, ]^0.5 - 1) / 0.5)
b <- MASS::boxcox(lm(x[1, ] ~ 1), lambda = seq(-2, 2, 0.001), plotit = FALSE); cat("// MASS lambda", b$x[which.max(b$y)], "\n")
r <- diff(range(x[1, ])); p("log_ct", log(x[1, ] - min(x[1, ]) + r / 100)); p("log_shift", log(x[1, ] - min(x[1, ]) + 1))
nx <- -x[1, ]; p("log_ct_plus_negative", -log(max(nx) + r / 100 - nx))
# Imputation; gaps as above plus b of area 9
h <- x; h[1, 2] <- NA; h[3:4, 5] <- NA; h[2, 9] <- NA
grp <- c(1, 1, 2, 2, 1, 2, 1, 2, 2, 1)
p("imputed_mean", c(mean(h[1, ], na.rm = TRUE), mean(h[2, ], na.rm = TRUE), mean(h[3, ], na.rm = TRUE), mean(h[4, ], na.rm = TRUE)))
p("imputed_median", apply(h, 1, median, na.rm = TRUE))
gm <- function(i, j, f) f(h[i, grp == grp[j]], na.rm = TRUE)
p("imputed_group_mean", c(gm(1, 2, mean), gm(2, 9, mean), gm(3, 5, mean), gm(4, 5, mean)))
p("imputed_group_median", c(gm(1, 2, median), gm(2, 9, median), gm(3, 5, median), gm(4, 5, median)))
# Multivariate normal: the observed-data likelihood is maximised directly (log-Cholesky), no EM
hz <- t(h); ctr <- colMeans(hz, na.rm = TRUE); scl <- apply(hz, 2, sd, na.rm = TRUE); hz <- scale(hz, ctr, scl)
un <- function(q) { L <- matrix(0, 4, 4); L[lower.tri(L, TRUE)] <- q[5:14]; diag(L) <- exp(diag(L)); list(m = q[1:4], S = L %*% t(L)) }
ll <- function(q) { u <- un(q); -sum(apply(hz, 1, function(v) { o <- !is.na(v); S <- u$S[o, o, drop = FALSE]; d <- v[o] - u$m[o]; -0.5 * (as.numeric(determinant(S)$modulus) + sum(d * solve(S, d))) })) }
q <- c(rep(0, 4), diag(0, 4)[lower.tri(diag(4), TRUE)])
for (k in 1:8) q <- optim(q, ll, method = "BFGS", control = list(maxit = 3000, reltol = 1e-17))$par
for (k in 1:4) { q <- nlm(ll, q, gradtol = 1e-12, steptol = 1e-14, iterlim = 2000)$estimate }
u <- un(q)
fill <- t(apply(hz, 1, function(v) { o <- !is.na(v); if (all(o)) return(v); v[!o] <- u$m[!o] + u$S[!o, o] %*% solve(u$S[o, o], v[o] - u$m[o]); v }))
fill <- sweep(sweep(fill, 2, scl, "*"), 2, ctr, "+")
p("imputed_em", c(fill[2, 1], fill[9, 2], fill[5, 3], fill[5, 4]))
# Consistency of contradictory judgements
A <- matrix(c(1, 5, 1 / 3, 1 / 5, 1, 4, 3, 1 / 4, 1), 3, byrow = TRUE); ea <- eigen(A); l1 <- Re(ea$values[1])
p("judgements", c(Re(ea$vectors[, 1] / sum(ea$vectors[, 1])), l1, (l1 - 3) / 2, (l1 - 3) / 2 / 0.58))
# Benefit of the doubt with shares of 10 to 50 percent: by lpSolve where it is installed
if (requireNamespace("lpSolve", quietly = TRUE)) {
  sc <- sapply(1:10, function(i) { own <- n1[, i]; C <- rbind(t(n1)); r <- rep(1, 10)
    for (k in 1:4) { C <- rbind(C, 0.1 * own - (1:4 == k) * own[k], (1:4 == k) * own[k] - 0.5 * own); r <- c(r, 0, 0) }
    lpSolve::lp("max", own, C, rep("<=", length(r)), r)$objval })
  p("doubt_shares", sc)
}
