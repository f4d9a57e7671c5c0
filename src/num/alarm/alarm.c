#include "num/alarm/alarm.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "base/civil.h"
#include "base/mem.h"
#include "num/alarm/adjust.h"
#include "num/alarm/inside.h"

static const char *const method_names[ALARM_N_METHODS] = {
    "c1", "c2", "c3", "farrington", "farrington-flexible", "cusum", "lr", "glr", "bayes", "ewma"};

const char *alarm_method_name(enum alarm_method m) {
    return m < ALARM_N_METHODS ? method_names[m] : "";
}

enum alarm_method alarm_method_find(const char *name) {
    size_t m = 0;
    while (m < ALARM_N_METHODS && strcmp(method_names[m], name) != 0) m++;
    return (enum alarm_method)m;
}

const char *alarm_state_name(enum alarm_state s) {
    static const char *const names[ALARM_N_STATES] = {"ok", "not-enough-history", "too-few-cases",
                                                      "no-spread", "no-fit"};
    return s < ALARM_N_STATES ? names[s] : "";
}

bool alarm_needs_before(const struct alarm_spec *s) {
    bool level = s->method == ALARM_CUSUM || s->method == ALARM_LR || s->method == ALARM_GLR ||
                 s->method == ALARM_EWMA;
    return level && (s->mean <= 0 || (s->method == ALARM_EWMA && s->normal));
}

bool alarm_verified(const struct alarm_spec *s) {
    if (s->method == ALARM_EWMA || s->weekday_weeks > 0) return false;
    if (s->method == ALARM_CLASSIC) return s->error == ALARM_ERROR_PEARSON && !s->by_date;
    if (s->method == ALARM_FLEXIBLE) return s->error == ALARM_ERROR_RELATIVE;
    if (s->method == ALARM_BAYES) return !s->by_date;
    if (s->method == ALARM_C3) return !s->published;
    if (s->method == ALARM_CUSUM) return s->transform != ALARM_ANSCOMBE_NB;
    return s->method != ALARM_GLR || s->look_back == 0;
}

static void default_regression(struct alarm_spec *s) {
    s->years = 5;
    s->half_window = 3;
    s->reweight = s->trend = true;
    s->trend_p = 0.05;
    s->limit_cases = 5;
    s->limit_weeks = 4;
    s->power = ALARM_POWER_2_3;
    s->weights_threshold = 1;
    s->periods = 1;
    s->alpha = 0.01;
    if (s->method != ALARM_FLEXIBLE) return;
    s->weights_threshold = 2.58;
    s->trend_p = 1;
    s->periods = 10;
    s->weeks_left_out = 26;
    s->threshold = ALARM_NB_PLUGIN;
    s->error = ALARM_ERROR_RELATIVE;
    s->by_date = true;
}

void alarm_spec_default(enum alarm_method m, struct alarm_spec *out) {
    *out = (struct alarm_spec){.method = m, .alpha = 0.001};
    switch (m) {
    case ALARM_C3:
        out->alpha = 0.025;
        out->baseline = 7;
        out->guard = 2;
        break;
    case ALARM_C1:
    case ALARM_C2:
        out->baseline = 7;
        out->guard = m == ALARM_C2 ? 2 : 0;
        break;
    case ALARM_CLASSIC:
    case ALARM_FLEXIBLE:
        default_regression(out);
        break;
    case ALARM_CUSUM:
        out->k = 1.04;
        out->h = 2.26;
        out->transform = ALARM_ROSSI;
        break;
    case ALARM_LR:
    case ALARM_GLR:
        out->h = 5;
        out->shift = 0.5;
        break;
    case ALARM_BAYES:
        out->alpha = 0.05;
        out->half_window = 6;
        out->current_year = true;
        break;
    case ALARM_EWMA:
        out->lambda = 0.2;
        out->width = 3;
        break;
    case ALARM_N_METHODS:
        break;
    }
}

static enum err_code bad(const char *what, const char *range, struct err *err) {
    return err_fail(err, ERR_INVALID, "%s: expected %s", what, range);
}

static enum err_code check_regression(const struct alarm_spec *s, struct err *err) {
    if (s->weekday_weeks > 0) return bad("weekday-weeks", "0 for Farrington's methods", err);
    if (s->years < 1 || s->years > ALARM_MAX_YEARS) return bad("years", "1 to 30", err);
    if (s->half_window > 25) return bad("half-window", "0 to 25", err);
    if (!(s->weights_threshold > 0)) return bad("weights-threshold", "a number above 0", err);
    if (!(s->trend_p >= 0 && s->trend_p <= 1)) return bad("trend-p", "0 to 1", err);
    if (s->limit_weeks > 520) return bad("limit-weeks", "0 to 520", err);
    if (s->method == ALARM_CLASSIC) return ERR_OK;
    if (s->periods < 1 || s->periods > ALARM_MAX_PERIODS) return bad("periods", "1 to 27", err);
    if (s->periods > 1 && 52 - 2 * s->half_window - 1 < s->periods - 1)
        return bad("periods", "at most one a week outside the window", err);
    if (s->weeks_left_out > 520) return bad("left-out", "0 to 520", err);
    return ERR_OK;
}

static enum err_code check_sums(const struct alarm_spec *s, struct err *err) {
    bool nb = s->transform == ALARM_PEARSON_NB || s->transform == ALARM_ANSCOMBE_NB;
    if (!(s->h > 0 && s->h <= 1e6)) return bad("h", "a number above 0", err);
    if (!(s->k >= 0 && s->k <= 1e6)) return bad("k", "0 or more", err);
    if (!(s->mean >= 0 && s->mean <= 1e9)) return bad("mean", "0 or more", err);
    if (!(s->dispersion >= 0 && s->dispersion <= 1e6)) return bad("dispersion", "0 or more", err);
    if (s->method == ALARM_CUSUM && nb && !(s->dispersion > 0))
        return bad("dispersion", "a number above 0 for this transform", err);
    if (s->method == ALARM_LR && !(s->shift > 0 && s->shift <= 20))
        return bad("shift", "a number above 0, at most 20", err);
    return ERR_OK;
}

static enum err_code check_ears(const struct alarm_spec *s, struct err *err) {
    if (s->baseline < 3 || s->baseline > ALARM_MAX_BASELINE)
        return bad("baseline", "3 to 365", err);
    if (s->guard > ALARM_MAX_BASELINE) return bad("guard", "0 to 365", err);
    if (!(s->min_sigma >= 0 && s->min_sigma <= 1e9)) return bad("min-sigma", "0 or more", err);
    return ERR_OK;
}

static enum err_code check_bayes(const struct alarm_spec *s, struct err *err) {
    if (s->years > ALARM_MAX_YEARS) return bad("years", "0 to 30", err);
    if (s->half_window > 180) return bad("half-window", "0 to 180", err);
    if (s->years == 0 && !(s->current_year && s->half_window > 0))
        return bad("years", "1 or more, or the weeks just before", err);
    return ERR_OK;
}

static enum err_code check_ewma(const struct alarm_spec *s, struct err *err) {
    if (!(s->lambda > 0 && s->lambda <= 1)) return bad("lambda", "above 0, at most 1", err);
    if (!(s->width > 0 && s->width <= 100)) return bad("width", "above 0", err);
    if (!(s->mean >= 0 && s->mean <= 1e9)) return bad("mean", "0 or more", err);
    return ERR_OK;
}

enum err_code alarm_spec_check(const struct alarm_spec *s, struct err *err) {
    if (s->weekday_weeks > 520) return bad("weekday-weeks", "0 to 520", err);
    if (!(s->alpha > 0 && s->alpha < 0.5)) return bad("alpha", "above 0 and below 0.5", err);
    switch (s->method) {
    case ALARM_C1:
    case ALARM_C2:
    case ALARM_C3:
        return check_ears(s, err);
    case ALARM_CLASSIC:
    case ALARM_FLEXIBLE:
        return check_regression(s, err);
    case ALARM_CUSUM:
    case ALARM_LR:
    case ALARM_GLR:
        return check_sums(s, err);
    case ALARM_BAYES:
        return check_bayes(s, err);
    case ALARM_EWMA:
        return check_ewma(s, err);
    case ALARM_N_METHODS:
        break;
    }
    return err_fail(err, ERR_INVALID, "there is no such method");
}

static enum err_code check_values(const double *p, size_t n, const char *what, struct err *err) {
    for (size_t i = 0; i < n; i++) {
        if (!(p[i] > 0 && isfinite(p[i])))
            return err_fail(err, ERR_INVALID, "%s of point %zu: expected a number above 0", what,
                            i + 1);
    }
    return ERR_OK;
}

enum err_code alarm_series_check(const struct alarm_spec *s, const struct alarm_series *x,
                                 struct err *err) {
    bool weekly = s->method == ALARM_CLASSIC || s->method == ALARM_FLEXIBLE;
    if (x->from > x->n) return bad("from", "at most the length of the series", err);
    for (size_t i = 0; i < x->n; i++) {
        if (x->count[i] < 0 || x->count[i] > ALARM_MAX_COUNT)
            return err_fail(err, ERR_INVALID, "count of point %zu: expected 0 to %d", i + 1,
                            ALARM_MAX_COUNT);
        if (x->day != NULL && i > 0 && x->day[i] <= x->day[i - 1])
            return err_fail(err, ERR_INVALID, "dates do not rise at point %zu", i + 1);
    }
    if (x->year_steps < 1 || x->year_steps > 366) return bad("steps a year", "1 to 366", err);
    if (weekly && x->year_steps != 52) return bad("series", "weeks, for Farrington's methods", err);
    if (s->by_date && x->day == NULL && (weekly || s->method == ALARM_BAYES))
        return err_fail(err, ERR_INVALID, "reference weeks by date need dates");
    if (s->weekday_weeks > 0 && x->class_of == NULL)
        return err_fail(err, ERR_INVALID, "weekday factors need days with dates");
    if (s->method == ALARM_FLEXIBLE && s->population_offset) {
        if (x->population == NULL)
            return err_fail(err, ERR_INVALID, "a population offset needs populations");
        TRY(check_values(x->population, x->n, "population", err));
    }
    return x->mean == NULL ? ERR_OK : check_values(x->mean, x->n, "expected", err);
}

struct alarm_point alarm_blank(enum alarm_state state) {
    return (struct alarm_point){NAN, NAN, NAN, NAN, NAN, NAN, (uint8_t)state, false};
}

/* First index whose day is not before `day`. */
static size_t first_at(const struct alarm_series *x, int64_t day) {
    size_t lo = 0, hi = x->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (x->day[mid] < day)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

size_t alarm_years_back(const struct alarm_spec *s, const struct alarm_series *x, size_t t,
                        size_t k) {
    int year = 0, month = 0, day = 0;
    if (!s->by_date || x->day == NULL)
        return t < k * x->year_steps ? SIZE_MAX : t - k * x->year_steps;
    civil_from_days(x->day[t], &year, &month, &day);
    year -= (int)k;
    if (month == 2 && day == 29 && civil_month_days(year, 2) < 29) {
        month = 3;
        day = 1;
    }
    int64_t want = civil_days(year, month, day);
    size_t at = first_at(x, want);
    if (at == 0) return x->day[0] - want > 3 ? SIZE_MAX : 0;
    return x->day[at] - want < want - x->day[at - 1] ? at : at - 1;
}

struct alarm_level alarm_level_before(const struct alarm_spec *s, const struct alarm_series *x) {
    struct alarm_level l = {.base = NAN, .sd = NAN};
    struct alarm_days days = {0};
    size_t n = x->from;
    double sum = 0, exposure = 0, squares = 0;
    for (size_t c = 0; c < 8; c++) l.factor[c] = 1;
    if (s->weekday_weeks > 0) {
        size_t window = 7 * s->weekday_weeks;
        if (n < window) return l;
        days.lo = days.hi = n - window;
        alarm_days_move(&days, x, n - window, n);
        alarm_days_factors(&days, l.factor);
    }
    for (size_t i = 0; i < n; i++) {
        sum += (double)x->count[i];
        exposure += s->weekday_weeks > 0 ? l.factor[x->class_of[i]] : 1;
    }
    if (n > 0) l.base = sum / exposure;
    for (size_t i = 0; i < n; i++) {
        double f = s->weekday_weeks > 0 ? l.factor[x->class_of[i]] : 1;
        double d = (double)x->count[i] - f * l.base;
        squares += d * d / f;
    }
    if (n > 1) l.sd = sqrt(squares / (double)(n - 1));
    if (s->mean > 0) l.base = s->mean;
    if (x->mean != NULL) l.base = x->n > 0 ? x->mean[0] : NAN;
    return l;
}

double alarm_level_at(const struct alarm_level *l, const struct alarm_series *x, size_t t) {
    double m = x->mean != NULL ? x->mean[t] : l->base;
    return x->class_of == NULL ? m : m * l->factor[x->class_of[t]];
}

size_t alarm_scratch(const struct alarm_spec *s, size_t n) {
    bool regression = s->method == ALARM_CLASSIC || s->method == ALARM_FLEXIBLE;
    return regression ? alarm_farrington_scratch(n) : 0;
}

void alarm_run(const struct alarm_spec *s, const struct alarm_series *x, double *scratch,
               struct alarm_point *out) {
    switch (s->method) {
    case ALARM_C1:
    case ALARM_C2:
    case ALARM_C3:
        alarm_ears(s, x, out);
        break;
    case ALARM_CLASSIC:
    case ALARM_FLEXIBLE:
        alarm_farrington(s, x, scratch, out);
        break;
    case ALARM_CUSUM:
        alarm_cusum(s, x, out);
        break;
    case ALARM_LR:
    case ALARM_GLR:
        alarm_ratio(s, x, out);
        break;
    case ALARM_BAYES:
        alarm_bayes(s, x, out);
        break;
    case ALARM_EWMA:
        alarm_ewma(s, x, out);
        break;
    case ALARM_N_METHODS:
        break;
    }
}

/* Series are cut into blocks; each block has its own scratch. */
struct many {
    const struct num_run *run;
    const struct alarm_spec *spec;
    const struct alarm_series *series;
    struct alarm_point *const *out;
    size_t n, n_block, scratch_each;
    double *scratch;
    atomic_bool stopped;
};

static void run_block(void *arg, size_t block) {
    struct many *m = arg;
    size_t lo = m->n / m->n_block * block + (block < m->n % m->n_block ? block : m->n % m->n_block);
    size_t hi = lo + m->n / m->n_block + (block < m->n % m->n_block ? 1 : 0);
    for (size_t i = lo; i < hi; i++) {
        if (num_run_stopped(m->run)) atomic_store(&m->stopped, true);
        if (atomic_load(&m->stopped)) return;
        alarm_run(m->spec, &m->series[i], m->scratch + block * m->scratch_each, m->out[i]);
    }
}

enum err_code alarm_run_many(const struct num_run *run, const struct alarm_spec *s, size_t n,
                             const struct alarm_series *series, struct alarm_point *const *out,
                             struct err *err) {
    struct many m = {.run = run, .spec = s, .series = series, .out = out, .n = n};
    TRY(alarm_spec_check(s, err));
    if (n == 0) return ERR_OK;
    size_t longest = 0;
    for (size_t i = 0; i < n; i++) {
        TRY(alarm_series_check(s, &series[i], err));
        if (series[i].n > longest) longest = series[i].n;
    }
    m.n_block = num_run_threads(run) * 16 < n ? num_run_threads(run) * 16 : n;
    m.scratch_each = alarm_scratch(s, longest);
    TRY(num_run_afford(run, (double)m.n_block * (double)m.scratch_each * sizeof(double),
                       "the regressions of the alarm methods", err));
    m.scratch = mem_new(m.n_block * m.scratch_each + 1, sizeof(double));
    if (m.scratch == NULL) return err_fail(err, ERR_NOMEM, "no memory for the alarm methods");
    atomic_init(&m.stopped, false);
    num_run_each(run, m.n_block, run_block, &m);
    mem_free(m.scratch);
    if (atomic_load(&m.stopped)) return err_fail(err, ERR_TIMEOUT, "the work was stopped");
    return ERR_OK;
}
