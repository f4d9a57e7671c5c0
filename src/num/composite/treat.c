#include <math.h>
#include <string.h>

#include "num/composite/stages.h"
#include "num/core/optim.h"

/* Central moments of the values there, about the mean, per the corrected two-pass scheme. */
struct moments {
    double n, m2, m3, m4;
};

static struct moments moments_of(const double *x, size_t n) {
    struct moments m = {0};
    double sum = 0;
    for (size_t j = 0; j < n; j++) {
        if (isnan(x[j])) continue;
        m.n += 1;
        sum += x[j];
    }
    double mean = sum / m.n;
    for (size_t j = 0; j < n; j++) {
        if (isnan(x[j])) continue;
        double d = x[j] - mean, square = d * d;
        m.m2 += square;
        m.m3 += square * d;
        m.m4 += square * square;
    }
    return m;
}

double composite_skewness(const double *x, size_t n) {
    struct moments m = moments_of(x, n);
    if (m.n < 3 || !(m.m2 > 0)) return NAN;
    double s2 = m.m2 / (m.n - 1);
    return m.n / ((m.n - 1) * (m.n - 2)) * m.m3 / (s2 * sqrt(s2));
}

double composite_kurtosis(const double *x, size_t n) {
    struct moments m = moments_of(x, n);
    if (m.n < 4 || !(m.m2 > 0)) return NAN;
    double s2 = m.m2 / (m.n - 1), less1 = m.n - 1, less2 = m.n - 2, less3 = m.n - 3;
    return m.n * (m.n + 1) / (less1 * less2 * less3) * m.m4 / (s2 * s2) -
           3 * less1 * less1 / (less2 * less3);
}

struct treating {
    const struct composite_treat *how;
    const struct composite_tree *t;
    const char *const *area;
    size_t n, ind;
};

static bool passes(const struct treating *t, const double *x) {
    double max_skew = t->how->max_skew > 0 ? t->how->max_skew : 2;
    double max_kurtosis = t->how->max_kurtosis > 0 ? t->how->max_kurtosis : 3.5;
    double skew = composite_skewness(x, t->n), kurtosis = composite_kurtosis(x, t->n);
    return !(fabs(skew) > max_skew && kurtosis > max_kurtosis); /* NaN passes */
}

/* Brings the points that share the extreme value to the next one; false when there is none. */
static bool pull_in(double *x, size_t n, double sign) {
    double most = -INFINITY, next = -INFINITY;
    for (size_t j = 0; j < n; j++) {
        double v = sign * x[j];
        if (v > most) {
            next = most;
            most = v;
        } else if (v < most && v > next) {
            next = v;
        }
    }
    if (isinf(next)) return false;
    for (size_t j = 0; j < n; j++) {
        if (sign * x[j] == most) x[j] = sign * next;
    }
    return true;
}

/* COINr's order: as long as the rule fails, the end towards which the values are now skewed is
 * pulled in by one distinct value. */
static void winsorise(const struct treating *t, double *x, struct composite_treated *told) {
    unsigned most = t->how->max_winsorised > 0 ? t->how->max_winsorised : 5;
    while (!passes(t, x) && told->n_high + told->n_low < most) {
        bool high = composite_skewness(x, t->n) > 0;
        if (!pull_in(x, t->n, high ? 1 : -1)) return;
        if (high)
            told->n_high++;
        else
            told->n_low++;
    }
}

static void range_of(const double *x, size_t n, double *low, double *high) {
    *low = INFINITY;
    *high = -INFINITY;
    for (size_t j = 0; j < n; j++) {
        *low = fmin(*low, x[j]);
        *high = fmax(*high, x[j]);
    }
}

/* ---- Box-Cox ---- */

struct box_cox {
    const double *log_x; /* NaN missing */
    size_t n;
};

static double box_cox_of(double log_x, double lambda) {
    return fabs(lambda) < 1e-10 ? log_x : expm1(lambda * log_x) / lambda;
}

/* Minus the profile log-likelihood (Box & Cox 1964, eq. 8). */
static double box_cox_loss(void *arg, double lambda) {
    const struct box_cox *b = arg;
    double n = 0, sum = 0, square = 0, logs = 0;
    for (size_t j = 0; j < b->n; j++) {
        if (isnan(b->log_x[j])) continue;
        n += 1;
        sum += box_cox_of(b->log_x[j], lambda);
        logs += b->log_x[j];
    }
    for (size_t j = 0; j < b->n; j++) {
        double d = box_cox_of(b->log_x[j], lambda) - sum / n;
        if (!isnan(d)) square += d * d;
    }
    return n / 2 * log(square / n) - (lambda - 1) * logs;
}

/* Values at or below 0 are first moved up so that the least is 1. */
static enum err_code box_cox(const struct treating *t, double low, double *x,
                             struct composite_treated *told, struct err *err) {
    double shift = low > 0 ? 0 : 1 - low, value;
    for (size_t j = 0; j < t->n; j++) x[j] = log(x[j] + shift);
    struct box_cox b = {x, t->n};
    told->lambda = t->how->box_cox_lambda;
    if (isnan(told->lambda))
        TRY(num_minimize_line(box_cox_loss, &b, -5, 5, 1e-9, &told->lambda, &value, err));
    for (size_t j = 0; j < t->n; j++) x[j] = box_cox_of(x[j], told->lambda);
    return ERR_OK;
}

/* ---- one indicator ---- */

static enum err_code log_row(const struct treating *t, double *x, double a, double sign,
                             struct err *err) {
    for (size_t j = 0; j < t->n; j++) {
        double v = sign * x[j] + a;
        if (v <= 0)
            return err_fail(err, ERR_NUMERIC, "%s, %s: a logarithm needs values above 0, found %g",
                            t->t->code[t->ind], t->area == NULL ? "an area" : t->area[j], x[j]);
        x[j] = sign * log(v);
    }
    return ERR_OK;
}

static enum err_code apply(const struct treating *t, enum composite_treat_kind kind, double *x,
                           struct composite_treated *told, struct err *err) {
    double low, high;
    range_of(x, t->n, &low, &high);
    told->kind = kind;
    told->n_high = told->n_low = 0;
    told->lambda = NAN;
    if (kind == COMPOSITE_TREAT_NONE || isinf(low)) return ERR_OK;
    if (kind == COMPOSITE_TREAT_WINSORISE) {
        winsorise(t, x, told);
        return ERR_OK;
    }
    if (!(high > low)) { /* a constant stays one: normalising will drop it */
        told->kind = COMPOSITE_TREAT_NONE;
        return ERR_OK;
    }
    double step = (high - low) / 100;
    switch (kind) {
    case COMPOSITE_TREAT_LOG:
        return log_row(t, x, 0, 1, err);
    case COMPOSITE_TREAT_LOG_SHIFT:
        return log_row(t, x, 1 - low, 1, err);
    case COMPOSITE_TREAT_LOG_CT:
        return log_row(t, x, step - low, 1, err);
    case COMPOSITE_TREAT_LOG_CT_PLUS:
        if (composite_skewness(x, t->n) < 0) return log_row(t, x, high + step, -1, err);
        return log_row(t, x, step - low, 1, err);
    case COMPOSITE_TREAT_BOX_COX:
        return box_cox(t, low, x, told, err);
    case COMPOSITE_TREAT_NONE:
    case COMPOSITE_TREAT_WINSORISE:
        break;
    }
    return err_fail(err, ERR_INVALID, "there is no such treatment (%d)", (int)kind);
}

static enum err_code treat_row(const struct treating *t, double *work, double *x,
                               struct composite_treated *told, struct err *err) {
    bool own = t->how->by_indicator != NULL;
    enum composite_treat_kind first =
        own ? (enum composite_treat_kind)t->how->by_indicator[t->ind] : t->how->first;
    told->skew_before = told->skew_after = composite_skewness(x, t->n);
    told->kurtosis_before = told->kurtosis_after = composite_kurtosis(x, t->n);
    told->pass_before = told->pass_after = passes(t, x);
    told->lambda = NAN;
    if (first == COMPOSITE_TREAT_NONE || (told->pass_before && !t->how->always)) return ERR_OK;
    memcpy(work, x, t->n * sizeof *work);
    TRY(apply(t, first, work, told, err));
    if (!passes(t, work) && t->how->second != COMPOSITE_TREAT_NONE) {
        memcpy(work, x, t->n * sizeof *work);
        TRY(apply(t, t->how->second, work, told, err));
    }
    memcpy(x, work, t->n * sizeof *work);
    told->skew_after = composite_skewness(x, t->n);
    told->kurtosis_after = composite_kurtosis(x, t->n);
    told->pass_after = passes(t, x);
    return ERR_OK;
}

enum err_code composite_treat_all(const struct composite_treat *how, const struct composite_tree *t,
                                  const char *const *area, size_t n_area, double *scratch,
                                  double *value, struct composite_treated *told, struct err *err) {
    struct treating tr = {how, t, area, n_area, 0};
    for (size_t i = 0; i < t->n_ind; i++) {
        tr.ind = i;
        TRY(treat_row(&tr, scratch, value + i * n_area, &told[i], err));
    }
    return ERR_OK;
}
