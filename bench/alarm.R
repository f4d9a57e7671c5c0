# The R package surveillance on the same series as bench/alarm.sh: CPU milliseconds a judged week.
suppressMessages(library(surveillance))
d <- read.csv(commandArgs(TRUE)[1])
groups <- split(d, d$group)
flexible <- ears <- cusum <- NULL
for (g in groups) {
    date <- as.Date(g$date)
    s <- sts(observed = g$count, epoch = as.numeric(date), epochAsDate = TRUE, frequency = 52, start = c(2014, 2))
    o <- list(observed = g$count, state = rep(0, nrow(g)), freq = 52, start = c(2014, 2)); class(o) <- "disProg"
    last <- (nrow(g) - 51):nrow(g)
    control <- list(range = last, b = 5, w = 3, noPeriods = 10, pastWeeksNotIncluded = 26, pThresholdTrend = 1, weightsThreshold = 2.58,
                    alpha = 0.01, thresholdMethod = "nbPlugin", glmWarnings = FALSE)
    flexible <- c(flexible, system.time(suppressWarnings(farringtonFlexible(s, control)))[["user.self"]] / 52)
    ears <- c(ears, system.time(earsC(s, control = list(method = "C1", range = last)))[["user.self"]] / 52)
    cusum <- c(cusum, system.time(algo.cusum(o, control = list(range = last, trans = "rossi")))[["user.self"]] / 52)
}
ms <- function(x) sprintf("%.3f ms a week (median of %d series)", 1000 * median(x), length(x))
cat("surveillance", as.character(packageVersion("surveillance")), "farringtonFlexible:", ms(flexible), "\n")
cat("surveillance earsC C1:", ms(ears), "\nsurveillance algo.cusum:", ms(cusum), "\n")
