/* num/scan/llr.h - log likelihood ratios of one window, and bounds from which a window that cannot
 * matter is recognised without a logarithm. Pure; any thread.
 *
 * Both ratios f as functions of the cases c in the window have f(E) = f'(E) = 0 at the expectation
 * E and f''(x) = sum of 1 / (expected content of each cell of the table cases x window), moved by
 * x - E. With v = 1 / f''(E), y = |c - E| and `cell` the smallest expected content of a cell that
 * shrinks as c moves away from E, Taylor's integral remainder gives
 *     f(c) <= y^2 / (2 v) * (1 + min(1, y / cell)),
 * because 1/x of a growing cell only falls, and int_0^y (y - t) / (m - t) dt
 * = y^2/2m * (1 + y/3m + y^2/6m^2 + ...) <= y^2/2m * (1 + y/m) for a shrinking one of content m. */
#ifndef NUM_SCAN_LLR_H
#define NUM_SCAN_LLR_H
#include <math.h>

/* c ln(c / e), 0 for c = 0. */
static inline double scan_term(double c, double e) { return c > 0.0 ? c * log(c / e) : 0.0; }

/* Kulldorff 1997, eq. 4, without the indicator of the direction: c cases where e of total are
 * expected. 0 when e is not inside (0, total). Never negative. */
static inline double scan_llr_poisson(double c, double e, double total) {
    if (!(e > 0.0) || !(e < total)) return 0.0;
    double llr = scan_term(c, e) + scan_term(total - c, total - e);
    return llr > 0.0 ? llr : 0.0;
}

/* Kulldorff 1997, eq. 3: c cases among n persons of the window, cases among persons in all. 0 when
 * window or rest are empty, or all or none are cases. Never negative. */
static inline double scan_llr_bernoulli(double c, double n, double cases, double persons) {
    if (!(n > 0.0) || !(n < persons) || !(cases > 0.0) || !(cases < persons)) return 0.0;
    double p = cases / persons;
    double llr = scan_term(c, n * p) + scan_term(n - c, n * (1.0 - p)) +
                 scan_term(cases - c, (persons - n) * p) +
                 scan_term(persons - n - cases + c, (persons - n) * (1.0 - p));
    return llr > 0.0 ? llr : 0.0;
}
#endif
