#include "num/scan/gumbel.h"

#include <math.h>
#include <stdlib.h>

static int rising(const void *pa, const void *pb) {
    const double *a = pa, *b = pb;
    return *a < *b ? -1 : *a > *b;
}

/* How many different values, and how often the commonest of them comes. Values that differ in their
 * last digits are one: the same window, summed in another order. */
static void count_values(const double *sorted, uint32_t n, uint32_t *values, uint32_t *commonest) {
    uint32_t first = 0;
    *values = *commonest = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (i == 0 || sorted[i] - sorted[i - 1] > 1e-9 * fabs(sorted[i])) {
            first = i;
            ++*values;
        }
        if (i - first + 1 > *commonest) *commonest = i - first + 1;
    }
}

static uint32_t least_values(uint32_t n) {
    uint32_t quarter = n / 4;
    if (quarter < SCAN_GUMBEL_LEAST) return SCAN_GUMBEL_LEAST;
    return quarter < SCAN_GUMBEL_VALUES ? quarter : SCAN_GUMBEL_VALUES;
}

enum scan_gumbel scan_gumbel_fit(double *maxima, uint32_t n, double *mu, double *beta) {
    const double euler = 0.57721566490153286061, pi = 3.14159265358979323846;
    uint32_t values, commonest;
    double mean = 0.0, square = 0.0;
    *mu = *beta = NAN;
    if (n < SCAN_GUMBEL_LEAST) return SCAN_GUMBEL_FEW_REPLICAS;
    for (uint32_t r = 0; r < n; r++) mean += maxima[r] / n;
    for (uint32_t r = 0; r < n; r++) square += (maxima[r] - mean) * (maxima[r] - mean);
    qsort(maxima, n, sizeof *maxima, rising);
    count_values(maxima, n, &values, &commonest);
    if (values < 2 || !(square > 0.0)) return SCAN_GUMBEL_NO_SPREAD;
    if (values < least_values(n)) return SCAN_GUMBEL_FEW_VALUES;
    if ((uint64_t)commonest * 3 > n) return SCAN_GUMBEL_COMMON_VALUE;
    *beta = sqrt(square / (n - 1.0)) * sqrt(6.0) / pi;
    *mu = mean - euler * *beta;
    return SCAN_GUMBEL_FITTED;
}

double scan_gumbel_p(double x, double mu, double beta) {
    return isnan(beta) ? NAN : -expm1(-exp(-(x - mu) / beta));
}
