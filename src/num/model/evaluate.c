#include "num/model/evaluate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "num/core/dist.h"
#include "num/model/glm.h"

const char *model_score_flag_name(unsigned flag) {
    switch (flag) {
    case MODEL_ONE_OUTCOME:
        return "one_outcome";
    case MODEL_CERTAIN_AND_WRONG:
        return "certain_and_wrong";
    case MODEL_CONSTANT_FORECAST:
        return "constant_forecast";
    case MODEL_SLOPE_NOT_FOUND:
        return "slope_not_found";
    case MODEL_LESS_THAN_TEN_ROWS:
        return "less_than_ten_rows";
    default:
        return NULL;
    }
}

struct forecast {
    double chance;
    size_t row;
    bool positive;
};

static int by_chance(const void *a, const void *b) {
    const struct forecast *x = a, *y = b;
    if (x->chance != y->chance) return x->chance < y->chance ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

static void fill_bins(const struct forecast *f, struct model_scores *out) {
    size_t n = out->n, i = 0;
    out->ece = out->hosmer_lemeshow = 0;
    for (size_t b = 0; b < MODEL_BINS; b++) {
        struct model_bin *bin = &out->bin[b];
        bin->n = n / MODEL_BINS + (b < n % MODEL_BINS ? 1 : 0);
        double sum = 0;
        for (size_t k = 0; k < bin->n; k++, i++) {
            sum += f[i].chance;
            bin->positive += f[i].positive;
        }
        double size = (double)bin->n, off = (double)bin->positive - sum;
        bin->mean_predicted = bin->n == 0 ? NAN : sum / size;
        bin->observed = bin->n == 0 ? NAN : (double)bin->positive / size;
        if (bin->n == 0) continue;
        out->ece += fabs(off) / (double)n;
        if (off != 0) out->hosmer_lemeshow += off * off / (sum * (1 - sum / size));
    }
    out->hosmer_p = num_chisq_p(out->hosmer_lemeshow, MODEL_BINS, false);
    if (n >= MODEL_BINS) return;
    out->flags |= MODEL_LESS_THAN_TEN_ROWS;
    out->ece = out->hosmer_lemeshow = out->hosmer_p = NAN;
}

/* From the highest forecast down, rows of one forecast at once. */
static double average_precision(const struct forecast *f, size_t n, size_t positive) {
    double sum = 0, taken = 0, caught = 0;
    for (size_t i = n; i > 0;) {
        size_t j = i;
        double now = 0;
        for (; j > 0 && f[j - 1].chance == f[i - 1].chance; j--) now += f[j - 1].positive;
        taken += (double)(i - j);
        caught += now;
        sum += caught / taken * now;
        i = j;
    }
    return sum / (double)positive;
}

static void sums(const double *chance, const uint8_t *outcome, size_t n, struct model_scores *out) {
    double brier = 0, loss = 0, mean = 0;
    for (size_t i = 0; i < n; i++) {
        double p = chance[i], y = outcome[i] != 0;
        brier += (p - y) * (p - y);
        loss -= y == 1 ? log(p) : log1p(-p);
        mean += p;
    }
    double size = (double)n, share = (double)out->positive / size;
    out->brier = brier / size;
    out->log_loss = loss / size;
    out->mean_predicted = mean / size;
    out->mean_observed = share;
    out->brier_reference = share * (1 - share);
    if (isinf(loss)) out->flags |= MODEL_CERTAIN_AND_WRONG;
}

/* Cox's regression of outcomes on the logit of the forecast. Certain forecasts that came true say
 * nothing about slopes and are left out. */
static enum err_code calibrate_slope(const struct forecast *f, struct arena *a,
                                     struct model_scores *out, struct err *err) {
    size_t n = out->n;
    double *x = ARENA_NEW(a, double, 2 * n), *y = ARENA_NEW(a, double, n),
           *one = ARENA_NEW(a, double, n), *weight = ARENA_NEW(a, double, n),
           *logit = ARENA_NEW(a, double, n);
    if (x == NULL || y == NULL || one == NULL || weight == NULL || logit == NULL)
        return err_fail(err, ERR_NOMEM, "calibration of %zu rows", n);
    for (size_t i = 0; i < n; i++) {
        double p = f[i].chance;
        bool certain = p == 0 || p == 1;
        logit[i] = certain ? 0 : log(p) - log1p(-p);
        weight[i] = certain ? 0 : 1;
        one[i] = x[2 * i] = 1;
        x[2 * i + 1] = logit[i];
        y[i] = f[i].positive;
    }
    static const char *const name[] = {"intercept", "slope"};
    struct model_data d = {n, 2, x, name, y, NULL, weight};
    struct model_fit fit;
    enum err_code rc = model_glm_fit(&d, MODEL_LOGISTIC, 0, NULL, a, &fit, err);
    if (rc == ERR_NOMEM) return rc;
    if (rc == ERR_OK && fit.flags == 0) {
        out->intercept = fit.coef[0].value;
        out->slope = fit.coef[1].value;
        out->slope_se = fit.coef[1].se;
    } else {
        out->flags |= MODEL_SLOPE_NOT_FOUND;
    }
    d = (struct model_data){n, 1, one, name, y, logit, weight};
    rc = model_glm_fit(&d, MODEL_LOGISTIC, 0, NULL, a, &fit, err);
    if (rc == ERR_NOMEM) return rc;
    if (rc == ERR_OK && fit.flags == 0) out->in_the_large = fit.coef[0].value;
    return ERR_OK;
}

static enum err_code evaluate_sorted(const struct forecast *f, const double *chance,
                                     const uint8_t *outcome, struct model_scores *out,
                                     struct err *err) {
    size_t n = out->n;
    sums(chance, outcome, n, out);
    fill_bins(f, out);
    if (f[0].chance == f[n - 1].chance) out->flags |= MODEL_CONSTANT_FORECAST;
    if (out->positive > 0) out->average_precision = average_precision(f, n, out->positive);
    if (out->positive == 0 || out->positive == n) {
        out->flags |= MODEL_ONE_OUTCOME;
        return ERR_OK;
    }
    TRY(model_auc(chance, outcome, n, &out->auc, err));
    if ((out->flags & MODEL_CERTAIN_AND_WRONG) != 0) return ERR_OK;
    struct arena *a = arena_new(SIZE_MAX / 2);
    if (a == NULL) return err_fail(err, ERR_NOMEM, "calibration");
    enum err_code rc = calibrate_slope(f, a, out, err);
    arena_free(a);
    return rc;
}

enum err_code model_evaluate(const double *chance, const uint8_t *outcome, size_t n,
                             struct model_scores *out, struct err *err) {
    *out = (struct model_scores){.n = n,
                                 .auc = NAN,
                                 .average_precision = NAN,
                                 .slope = NAN,
                                 .slope_se = NAN,
                                 .intercept = NAN,
                                 .in_the_large = NAN};
    if (n == 0) return err_fail(err, ERR_INVALID, "no row to evaluate");
    struct forecast *f = mem_new(n, sizeof *f);
    if (f == NULL) return err_fail(err, ERR_NOMEM, "%zu forecasts", n);
    enum err_code rc = ERR_OK;
    for (size_t i = 0; rc == ERR_OK && i < n; i++) {
        f[i] = (struct forecast){chance[i], i, outcome[i] != 0};
        out->positive += f[i].positive;
        if (!(chance[i] >= 0 && chance[i] <= 1))
            rc = err_fail(err, ERR_INVALID, "row %zu: %g is no chance", i + 1, chance[i]);
    }
    if (rc == ERR_OK) {
        qsort(f, n, sizeof *f, by_chance);
        rc = evaluate_sorted(f, chance, outcome, out, err);
    }
    mem_free(f);
    return rc;
}

/* Structural components: of each positive row the share of negatives below it, of each negative the
 * share of positives above it. */
static void components(const struct forecast *f, size_t n, size_t positive, double *part) {
    double below_neg = 0, below_pos = 0, pos_all = (double)positive,
           neg_all = (double)(n - positive);
    for (size_t i = 0; i < n;) {
        size_t j = i;
        double pos = 0, neg = 0;
        for (; j < n && f[j].chance == f[i].chance; j++) {
            if (f[j].positive) {
                pos++;
            } else {
                neg++;
            }
        }
        for (size_t k = i; k < j; k++)
            part[f[k].row] = f[k].positive ? (below_neg + neg / 2) / neg_all
                                           : (pos_all - below_pos - pos / 2) / pos_all;
        below_neg += neg;
        below_pos += pos;
        i = j;
    }
}

/* Variance of the mean of pa - pb over the rows of one outcome. */
static double half_variance(const double *pa, const double *pb, const uint8_t *outcome, size_t n,
                            bool positive, double size, double *mean_a, double *mean_b) {
    *mean_a = *mean_b = 0;
    for (size_t i = 0; i < n; i++) {
        if ((outcome[i] != 0) != positive) continue;
        *mean_a += pa[i] / size;
        *mean_b += pb[i] / size;
    }
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        if ((outcome[i] != 0) != positive) continue;
        double off = (pa[i] - *mean_a) - (pb[i] - *mean_b);
        sum += off * off;
    }
    return sum / (size - 1) / size;
}

static enum err_code sort_scores(const double *score, const uint8_t *outcome, size_t n,
                                 struct forecast *f, struct err *err) {
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(score[i]))
            return err_fail(err, ERR_INVALID, "row %zu: the score is not a finite number", i + 1);
        f[i] = (struct forecast){score[i], i, outcome[i] != 0};
    }
    qsort(f, n, sizeof *f, by_chance);
    return ERR_OK;
}

enum err_code model_auc_compare(const double *a, const double *b, const uint8_t *outcome, size_t n,
                                struct model_auc_difference *out, struct err *err) {
    *out = (struct model_auc_difference){NAN, NAN, NAN, NAN, NAN, NAN};
    size_t positive = 0;
    for (size_t i = 0; i < n; i++) positive += outcome[i] != 0;
    if (positive < 2 || n - positive < 2)
        return err_fail(err, ERR_NUMERIC, "%zu positive and %zu negative rows are too few",
                        positive, n - positive);
    struct forecast *f = mem_new(n, sizeof *f);
    double *part = mem_new(n, 2 * sizeof *part);
    enum err_code rc = f == NULL || part == NULL ? err_fail(err, ERR_NOMEM, "%zu rows", n) : ERR_OK;
    if (rc == ERR_OK) rc = sort_scores(a, outcome, n, f, err);
    if (rc == ERR_OK) {
        components(f, n, positive, part);
        rc = sort_scores(b, outcome, n, f, err);
    }
    if (rc == ERR_OK) {
        components(f, n, positive, part + n);
        double unused_a, unused_b;
        double variance = half_variance(part, part + n, outcome, n, true, (double)positive,
                                        &out->auc_a, &out->auc_b);
        variance += half_variance(part, part + n, outcome, n, false, (double)(n - positive),
                                  &unused_a, &unused_b);
        out->difference = out->auc_a - out->auc_b;
        out->se = sqrt(variance);
        out->z = out->se > 0 ? out->difference / out->se : 0;
        out->p = 2 * num_norm_p(fabs(out->z), false);
    }
    mem_free(f);
    mem_free(part);
    return rc;
}
