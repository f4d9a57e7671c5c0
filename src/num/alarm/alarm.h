/* num/alarm/alarm.h - prospective surveillance of counts: is the newest count higher than its own
 * past lets one expect? One series at a time, by ten methods; many series by alarm_run_many.
 *
 * The rule of the floor: the result at time t is a function of the counts at times <= t (and, for
 * the methods that take their mean from the time before `from`, of `from`), so adding later counts
 * never changes an earlier result. Pure, deterministic, any thread.
 *
 * A bound that cannot be had is a named state of the point, never a silent NaN. */
#ifndef NUM_ALARM_ALARM_H
#define NUM_ALARM_ALARM_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "num/core/run.h"

enum alarm_method {
    ALARM_C1,       /* EARS, Hutwagner et al. 2003; Fricker et al. 2008 */
    ALARM_C2,       /* the same with a guard gap */
    ALARM_C3,       /* C2 over three days */
    ALARM_CLASSIC,  /* Farrington et al. 1996 */
    ALARM_FLEXIBLE, /* Noufaily et al. 2013; Salmon et al. 2016 */
    ALARM_CUSUM,    /* Rossi et al. 1999 and other transforms */
    ALARM_LR,       /* likelihood-ratio CUSUM, Poisson or negative binomial; Hoehle and Paul 2008 */
    ALARM_GLR,      /* generalised likelihood ratio, the same paper */
    ALARM_BAYES,    /* predictive, gamma prior; Riebler 2004 */
    ALARM_EWMA,     /* Roberts 1959; Borror, Champ and Rigdon 1998 for Poisson counts */
    ALARM_N_METHODS
};

/* Why a point has no bound, or ALARM_OK. Never renumber: append. */
enum alarm_state {
    ALARM_OK = 0,
    ALARM_SHORT = 1, /* the past does not reach back far enough */
    ALARM_FEW = 2,  /* fewer cases lately than the limit (Farrington 1996, section 3.8): no alarm */
    ALARM_FLAT = 3, /* the past does not vary, so the statistic (C3, EWMA) is not defined */
    ALARM_NO_FIT = 4, /* the regression did not converge */
    ALARM_N_STATES
};
const char *alarm_state_name(enum alarm_state s); /* "ok", "not-enough-history", ... */

enum alarm_transform {
    ALARM_STANDARD,     /* (x - m) / sqrt(m) */
    ALARM_ROSSI,        /* (x - 3m + 2 sqrt(x m)) / (2 sqrt(m)) */
    ALARM_ANSCOMBE,     /* 3/2 (x^(2/3) m^(-1/6) - m^(1/2)) */
    ALARM_ANSCOMBE_2ND, /* (x^(2/3) - m^(2/3) + m^(-1/3)/9) / (2/3 m^(1/6)), Pierce, Schafer 1986 */
    ALARM_PEARSON_NB,   /* (x - m) / sqrt(m + a m^2) */
    ALARM_ANSCOMBE_NB,  /* the same residual for variance m + a m^2, an integral */
    ALARM_NONE,         /* x */
    ALARM_N_TRANSFORMS
};
enum alarm_threshold {
    ALARM_DELTA,     /* normal quantile on the power scale (Farrington 1996, equation 4 on) */
    ALARM_NB_PLUGIN, /* quantile of a negative binomial at the fitted mean (Noufaily 2013) */
    ALARM_MUAN       /* the same at the upper bound of the fitted mean (Salmon 2016) */
};
enum alarm_power { ALARM_POWER_1, ALARM_POWER_HALF, ALARM_POWER_2_3 };
/* Which dispersion enters the standard errors of trend and mean: the moment estimate of the
 * regression, or, as package surveillance has it in its flexible method, the mean square of the
 * relative residuals (y - mu) / mu. Reference values need the second. */
enum alarm_error { ALARM_ERROR_PEARSON, ALARM_ERROR_RELATIVE };

enum {
    ALARM_MAX_COUNT = 10000000,
    ALARM_MAX_BASELINE = 365,
    ALARM_MAX_YEARS = 30,
    ALARM_MAX_PERIODS = 27
};

/* Settings of one method; alarm_spec_default gives each method's usual ones, alarm_spec_check the
 * ranges. Members a method does not name are ignored by it. */
struct alarm_spec {
    enum alarm_method method;
    double alpha; /* one-sided chance of a false alarm at a point (CLASSIC: of both sides) */
    /* EARS, EWMA: length of the baseline in steps, and steps left out before the newest (C1: 0,
     * C2 and C3: 2); least standard deviation. */
    size_t baseline, guard;
    double min_sigma;
    bool published; /* C3: alarm when its statistic exceeds the quantile, as published; false: the
                       bound of package surveillance (ears.c tells the difference) */
    /* CLASSIC, FLEXIBLE, BAYES: years back, half window in weeks. */
    size_t years, half_window;
    bool reweight;
    double weights_threshold; /* reweight past weeks with a larger standardised residual */
    bool trend;
    double trend_p; /* keep the trend below this p-value; >= 1: no test */
    size_t limit_cases, limit_weeks;
    enum alarm_power power;
    size_t periods, weeks_left_out; /* FLEXIBLE */
    enum alarm_threshold threshold;
    enum alarm_error error;
    bool population_offset;
    bool by_date;      /* reference weeks by calendar date; needs days */
    bool current_year; /* BAYES: the weeks just before count too */
    /* CUSUM, LR, GLR: reference value, decision limit, transform, dispersion a in
     * variance = m + a m^2, log of the relative rise of LR, steps GLR looks back (0: all), and the
     * in-control mean (0: the mean of all counts before `from`). */
    double k, h;
    enum alarm_transform transform;
    double dispersion, shift;
    size_t look_back;
    double mean;
    /* EWMA: weight of the newest, width in standard errors, normal (sd of the baseline) rather
     * than Poisson (sqrt of the mean). */
    double lambda, width;
    bool normal;
    /* Daily series: estimate weekday and holiday factors from the last this many weeks; 0: none. */
    size_t weekday_weeks;
};
void alarm_spec_default(enum alarm_method m, struct alarm_spec *out);
/* Errors: ERR_INVALID naming the member out of range. */
enum err_code alarm_spec_check(const struct alarm_spec *s, struct err *err) NODISCARD;
/* "c1" .. "ewma"; ALARM_N_METHODS when there is no such method. */
const char *alarm_method_name(enum alarm_method m);
enum alarm_method alarm_method_find(const char *name);
/* Whether the method with these settings is checked against values of another program
 * (tests/unit/num/test_alarm_peer.c); the others rest on simulation. */
bool alarm_verified(const struct alarm_spec *s);
/* Whether the method takes its mean from the steps before `from`. */
bool alarm_needs_before(const struct alarm_spec *s);

/* One series, oldest first, no gaps. Borrowed. */
struct alarm_series {
    size_t n;
    size_t from;              /* first point to judge; points before it are history only */
    const int64_t *count;     /* 0 .. ALARM_MAX_COUNT */
    const double *population; /* > 0; NULL: none */
    const double *mean;       /* known in-control means (CUSUM, LR, GLR), > 0; NULL: none */
    const int32_t *day;       /* days since 1970-01-01, rising; NULL: no calendar */
    const uint8_t *class_of;  /* 0..6 weekday from Monday, 7 holiday; needed by weekday_weeks */
    size_t year_steps;        /* steps a year where no date counts: 52 for weeks, 365 for days */
};
struct alarm_point {
    double expected;   /* what the method expects; NaN unless state is ALARM_OK or ALARM_FEW */
    double upper;      /* largest count that is no alarm (CUSUM, LR, GLR, EWMA: the count that would
                          alarm); NaN unless ALARM_OK */
    double score;      /* EARS, EWMA: standard errors above; CUSUM, LR, GLR: the running statistic;
                          Farrington, Bayes: (observed - expected) / (upper - expected), NaN when
                          upper equals expected */
    double p_value;    /* chance of a count at least as high; NaN where the method has none */
    double dispersion; /* Farrington: phi >= 1; NaN otherwise */
    double trend;      /* Farrington: log rise a step; NaN when no trend is kept */
    uint8_t state;     /* enum alarm_state */
    bool alarm;
};

/* Doubles of scratch for a series of n points; 0 for most methods. */
size_t alarm_scratch(const struct alarm_spec *s, size_t n);
/* Judge points from .. n-1 into out[0 .. n-from). The spec has passed alarm_spec_check. scratch
 * holds alarm_scratch doubles. No allocation.
 * Cost a point: EARS, EWMA, CUSUM, LR O(1) (O(baseline) with weekday factors); BAYES
 * O(years x window); GLR O(steps since the last alarm), with dispersion its square; Farrington
 * O(rows of the baseline) times some 20 passes. */
void alarm_run(const struct alarm_spec *s, const struct alarm_series *x, double *scratch,
               struct alarm_point *out);
/* The same for n series, in parallel; out[i] receives series[i].n - series[i].from points. The
 * order of the series and the number of threads do not matter to any bit. Errors: ERR_TIMEOUT when
 * stopped, ERR_NOMEM, ERR_LIMIT; what alarm_series_check says. */
enum err_code alarm_run_many(const struct num_run *run, const struct alarm_spec *s, size_t n,
                             const struct alarm_series *series, struct alarm_point *const *out,
                             struct err *err) NODISCARD;
/* ERR_INVALID: a count out of range, from > n, days not rising, a population not positive where
 * the spec needs it, no classes for weekday factors. */
enum err_code alarm_series_check(const struct alarm_spec *s, const struct alarm_series *x,
                                 struct err *err) NODISCARD;
#endif
