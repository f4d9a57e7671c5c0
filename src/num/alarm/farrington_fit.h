/* num/alarm/farrington_fit.h - quasi-Poisson regression of counts on a level per period of the
 * year and, perhaps, a linear trend (Farrington et al. 1996, section 3.2; Noufaily et al. 2013,
 * section 3). log mu = level[period] + slope * time + log offset, so the weighted normal equations
 * have an arrow shape and are solved by sums a period: no matrix.
 *
 * The iteration is the usual one (McCullagh and Nelder 1989, section 2.5), begun at y + 0.1 and
 * ended when the deviance changes by less than 1e-8 of itself, at most 25 rounds. The working
 * weights of the last round also give dispersion and errors: reference values hold that
 * difference in their sixth digit, so the end point is part of the definition here. */
#ifndef NUM_ALARM_FARRINGTON_FIT_H
#define NUM_ALARM_FARRINGTON_FIT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "num/alarm/alarm.h"

/* Weeks of one period that follow one another. */
struct farrington_run {
    uint32_t first, end; /* rows [first, end) */
    uint32_t period;
};
enum { FARRINGTON_MAX_RUNS = (ALARM_MAX_YEARS + 1) * (ALARM_MAX_PERIODS + 1) };

/* Rows of one baseline; the arrays lie in the caller's scratch. */
struct farrington_rows {
    size_t n, n_run, n_period; /* periods 0 .. n_period-1; 0 is that of the newest week */
    struct farrington_run run[FARRINGTON_MAX_RUNS];
    double *time; /* whole steps relative to the newest week, below 0 */
    double *y, *weight;
    double *log_y;           /* log y, 0 where y = 0 */
    double *start;           /* log(y + 0.1) less the offset */
    double *offset;          /* log population; NULL: none */
    double *lin, *mu, *work; /* linear predictor without offset, mean, working weight */
    double max_y;
};
enum { FARRINGTON_ARRAYS = 9 };

struct farrington_fit {
    double level[ALARM_MAX_PERIODS + 1], slope;
    double period_weight[ALARM_MAX_PERIODS + 1], period_time[ALARM_MAX_PERIODS + 1];
    double info;         /* weighted square of time about the periods' means */
    double phi_raw, phi; /* Pearson dispersion, and the larger of it and 1 */
    double relative;     /* weighted mean square of (y - mu) / mu */
    double df;
    bool trend;
};
/* false: no convergence, or no degree of freedom, or the trend cannot be told from the periods. */
bool farrington_fit(struct farrington_rows *r, bool trend, struct farrington_fit *f);
/* Set r->weight from the standardised Anscombe residuals: those above the threshold weigh by
 * their inverse square (Farrington 1996, section 3.4). */
void farrington_reweight(struct farrington_rows *r, const struct farrington_fit *f,
                         double threshold);
/* Variance of the linear predictor at time 0 in period 0, less the dispersion. */
double farrington_variance(const struct farrington_fit *f);
#endif
