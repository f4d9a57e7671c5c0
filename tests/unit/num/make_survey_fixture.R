# Expected values of tests/unit/num/survey_fixture.h, with the package survey (Debian r-cran-survey). The data are made by arithmetic
# that the test repeats; non-response by cell is worked here with sums. Rscript make_survey_fixture.R > survey_fixture.h, then clang-format.
suppressMessages(library(survey)); options(digits = 17)
n <- 1500; i <- 0:(n - 1)
u <- function(k) ((i * k + 17) %% 1009) / 1009
area <- i %% 5; sex <- as.integer(u(371) > 0.45); age <- as.integer(u(577) > 0.3) + as.integer(u(577) > 0.7)
base <- c(2, 1, 3, 1.5, 4)[area + 1] * (1 + (i %% 2))
o <- u(733); out <- ifelse(o < 0.4 + 0.1 * age, 0, ifelse(o < 0.75, 2, ifelse(o < 0.8, 3, ifelse(o < 0.92, 5, 6))))
safe <- as.integer(u(211) < 0.6 + 0.08 * area - 0.1 * sex + 0.05 * age)
known <- out != 5; elig <- known & out != 6; resp <- out == 0
s <- function(v, by) tapply(v, by, sum)[as.character(by)]
w <- base * (s(base, area) / s(base * known, area)) * (s(base * elig, area) / s(base * resp, area))
d <- data.frame(area = factor(area), sex = factor(sex), age = factor(age), safe = safe, w = as.numeric(w))[resp, ]
g0 <- svydesign(ids = ~1, weights = ~w, data = d)
pop <- function(v, t) { f <- data.frame(x = factor(seq_along(t) - 1), Freq = t * 100000); names(f)[1] <- v; f }
g <- rake(g0, list(~area, ~sex, ~age), list(pop("area", c(0.1, 0.3, 0.2, 0.25, 0.15)), pop("sex", c(0.49, 0.51)),
  pop("age", c(0.3, 0.45, 0.25))), control = list(maxit = 500, epsilon = 1e-9))
d$r <- weights(g) * nrow(d) / sum(weights(g))
# Final weights with the areas as strata: the linearised variance, without what raking gains.
f <- svydesign(ids = ~1, strata = ~area, weights = ~r, data = d)
all <- svymean(~safe, f); by <- svyby(~safe, ~area, f, svymean); women <- svymean(~safe, subset(f, sex == 0))
arr <- function(name, v) cat(sprintf("static const double %s[] = {%s};\n", name, paste(sprintf("%.17g", v), collapse = ", ")))
cat(sprintf("/* Expected values by R %s.%s, package survey %s, on made-up data (make_survey_fixture.R). */\n", R.version$major, R.version$minor, packageVersion("survey")))
cat("#ifndef SURVEY_FIXTURE_H\n#define SURVEY_FIXTURE_H\n"); cat(sprintf("enum { FIXTURE_UNITS = %d, FIXTURE_ANSWERS = %d };\n", n, nrow(d)))
cat("/* weights(rake(...)) of the first answers, scaled to a mean of 1 */\n"); arr("fixture_weight", d$r[1:12])
cat("/* svymean: all, women */\n"); arr("fixture_mean", c(coef(all), coef(women))); arr("fixture_se", c(SE(all), SE(women)))
cat("/* svyby: area 0 to 4 */\n"); arr("fixture_area_mean", by$safe); arr("fixture_area_se", by$se)
cat("/* n * sum(w^2) / sum(w)^2 of all */\n"); arr("fixture_effect", nrow(d) * sum(d$r^2) / sum(d$r)^2)
cat("#endif\n")
