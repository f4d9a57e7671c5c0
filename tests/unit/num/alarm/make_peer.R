# Makes peer_input.csv and peer_expected.csv: what the R package surveillance (Debian 1.20.3-1, R 4.2.2)
# says on a made-up weekly series. Run in this folder: Rscript make_peer.R
# The tests read only the two tables; nothing of the package is here.
suppressMessages(library(surveillance))
set.seed(20)
n <- 460
date <- as.Date("2014-01-06") + 7 * (0:(n - 1))
mu <- exp(1.6 + 0.0012 * (1:n) + 0.5 * cos(2 * pi * (1:n) / 52.18))
count <- rnbinom(n, mu = mu, size = 6)
count[300:304] <- count[300:304] + c(9, 14, 16, 8, 5)
count[425:427] <- count[425:427] + c(15, 22, 12)
population <- round(50000 * (1 + 0.002 * (1:n)) + 800 * sin((1:n) / 9))
sparse <- rnbinom(n, mu = 0.9 * exp(0.6 * cos(2 * pi * (1:n) / 52.18)), size = 8)
sparse[420:424] <- sparse[420:424] + 4
write.csv(data.frame(date, count, sparse, population), "peer_input.csv", row.names = FALSE, quote = FALSE)
byweek <- sts(observed = count, population = matrix(population), start = c(2014, 2), frequency = 52)
bydate <- sts(observed = count, population = matrix(population), epoch = as.numeric(date), epochAsDate = TRUE,
              start = c(2014, 2), frequency = 52)
old <- list(observed = count, state = rep(0, n), start = c(2014, 2), freq = 52)
class(old) <- "disProg"
out <- NULL
row <- function(case, t, expected, upper, score, p, phi, trend, alarm)
    out <<- rbind(out, data.frame(case, t, expected, upper, score, p, phi, trend, alarm))
base <- list(b = 4, w = 3, reweight = TRUE, weightsThreshold = 2.58, alpha = 0.05, trend = TRUE, pThresholdTrend = 0.05,
             limit54 = c(5, 4), powertrans = "2/3", populationOffset = FALSE, noPeriods = 1, pastWeeksNotIncluded = 3,
             thresholdMethod = "delta", glmWarnings = FALSE)
flexible <- function(case, sts, change) {
    range <- 421:460
    r <- suppressWarnings(farringtonFlexible(sts, control = modifyList(c(list(range = range), base), change)))
    k <- r@control
    row(case, range, as.vector(k$expected), as.vector(upperbound(r)), NA, as.vector(k$pvalue), as.vector(k$phiVector),
        ifelse(as.vector(k$trend) != 0, as.vector(k$trendVector), NA), as.integer(alarms(r)))
}
flexible("flex_plain", byweek, list())
flexible("flex_dates", bydate, list())
flexible("flex_no_reweight", byweek, list(reweight = FALSE))
flexible("flex_no_trend", byweek, list(trend = FALSE))
flexible("flex_none", byweek, list(powertrans = "none", alpha = 0.01))
flexible("flex_half", byweek, list(powertrans = "1/2", pThresholdTrend = 1))
flexible("flex_population", byweek, list(populationOffset = TRUE))
flexible("flex_population_ten", bydate, list(populationOffset = TRUE, noPeriods = 10, pastWeeksNotIncluded = 26,
    pThresholdTrend = 1, thresholdMethod = "nbPlugin"))
flexible("flex_seven_dates", bydate, list(noPeriods = 7, w = 2, b = 5, pastWeeksNotIncluded = 20, thresholdMethod = "muan"))
flexible("flex_eleven", byweek, list(noPeriods = 11, b = 3, pastWeeksNotIncluded = 26, pThresholdTrend = 1, weightsThreshold = 1))
flexible("flex_limit", byweek, list(limit54 = c(40, 3), noPeriods = 10, pastWeeksNotIncluded = 26, thresholdMethod = "nbPlugin", alpha = 0.005))
classic <- function(case, change) {
    range <- 421:460
    r <- suppressWarnings(algo.farrington(old, control = modifyList(list(range = range, b = 4, w = 3, reweight = TRUE, verbose = FALSE,
        alpha = 0.05, trend = TRUE, limit54 = c(5, 4), powertrans = "2/3", fitFun = "algo.farrington.fitGLM.fast"), change)))
    row(case, range, NA, as.vector(r$upperbound), NA, NA, NA, NA, as.integer(r$alarm))
}
classic("classic_plain", list())
classic("classic_no_reweight", list(reweight = FALSE, alpha = 0.01))
classic("classic_no_trend", list(trend = FALSE, powertrans = "none"))
classic("classic_half", list(powertrans = "1/2", b = 3, w = 2))
for (tr in c("standard", "rossi", "anscombe", "anscombe2nd", "pearsonNegBin", "none")) {
    r <- algo.cusum(old, control = list(range = 105:224, k = if (tr == "none") 9 else 1.04, h = 2.26, m = NULL, trans = tr,
                                        alpha = if (grepl("NegBin", tr)) 0.2 else NULL))
    up <- as.vector(r$upperbound)
    if (tr %in% c("anscombe2nd", "none")) up <- NA
    row(paste0("cusum_", tr), 105:224, r$control$m, up, as.vector(r$cusum), NA, NA, NA, as.integer(r$alarm))
}
m <- mean(count[1:104])
for (alpha in c(0, 0.15)) for (theta in list(NULL, 0.5)) {
    go <- function(ret) suppressMessages(algo.glrnb(old, control = list(range = 105:200, mu0 = rep(m, 96), c.ARL = 4, alpha = alpha, theta = theta,
                                          ret = ret, Mtilde = 1, M = -1, change = "intercept", dir = "inc")))
    value <- go("value")
    up <- if (alpha > 0 && is.null(theta)) NA else as.vector(go("cases")$upperbound)
    row(paste0(if (is.null(theta)) "glr_" else "lr_", if (alpha > 0) "nb" else "poisson"), 105:200, m, up,
        as.vector(value$upperbound), NA, NA, NA, as.integer(value$alarm))
}
seasonal <- exp(1.6 + 0.5 * cos(2 * pi * (105:200) / 52.18))
for (theta in list(NULL, 0.5)) {
    r <- algo.glrnb(old, control = list(range = 105:200, mu0 = seasonal, c.ARL = 4, alpha = 0.15, theta = theta, ret = "value",
                                        Mtilde = 1, M = -1, change = "intercept", dir = "inc"))
    row(paste0(if (is.null(theta)) "glr_" else "lr_", "seasonal"), 105:200, seasonal, NA, as.vector(r$upperbound), NA, NA, NA, as.integer(r$alarm))
}
few <- sts(observed = sparse, start = c(2014, 2), frequency = 52)
flexible("sparse_no_reweight", few, list(reweight = FALSE))
flexible("sparse_ten", few, list(noPeriods = 10, pastWeeksNotIncluded = 26, pThresholdTrend = 1))
dense <- old
old$observed <- sparse
classic("sparse_classic", list())
classic("sparse_classic_no_limit", list(limit54 = c(0, 4)))
old <- dense
bayes <- function(case, b, w, act, alpha) {
    r <- algo.bayes(old, control = list(range = 215:315, b = b, w = w, actY = act, alpha = alpha))
    row(case, 215:315, NA, as.vector(r$upperbound), NA, NA, NA, NA, as.integer(r$alarm))
}
bayes("bayes1", 0, 6, TRUE, 0.05)
bayes("bayes2", 1, 6, TRUE, 0.05)
bayes("bayes3", 2, 4, FALSE, 0.05)
bayes("bayes_own", 3, 2, TRUE, 0.005)
for (me in c("C1", "C2", "C3")) {
    r <- earsC(byweek, control = list(range = 30:130, method = me, baseline = 14, minSigma = 0.3, alpha = 0.02))
    row(paste0("ears_", me), 30:130, NA, as.vector(upperbound(r)), NA, NA, NA, NA, as.integer(alarms(r)))
}
for (col in c("expected", "upper", "score", "p", "phi", "trend"))
    out[[col]] <- ifelse(is.na(out[[col]]), "", formatC(out[[col]], digits = 13, format = "g", width = 1))
write.csv(out, "peer_expected.csv", row.names = FALSE, quote = FALSE)
