/* domain/measure/shrink.h - rates of small areas drawn towards the rate of them all, as far as
 * their size leaves it open whether they differ: the global empirical-Bayes estimate of Marshall
 * (1991), Mapping disease and mortality rates using empirical Bayes estimators, Applied Statistics
 * 40, 283-294. Pure. */
#ifndef DOMAIN_MEASURE_SHRINK_H
#define DOMAIN_MEASURE_SHRINK_H
#include "domain/measure/value.h"

struct shrink_told {
    size_t n;       /* areas with a base above 0 */
    double mean;    /* m: all counts over all bases */
    double between; /* s2: variance between areas beyond chance, by moments; 0 when the estimate is
                       below 0, and then every area gets m */
};
/* out[i] = m + B (count/base - m), B = s2 / (s2 + v / base), where v is m, or m (1 - m) when no
 * count exceeds its base (shares; for rare events the two are the same). An area without a base
 * above 0 or without a count gets NaN; with fewer than two areas all do. out may not be count or
 * base. O(n). */
struct shrink_told shrink_global(const double *count, const double *base, size_t n, double *out);

/* Whether an indicator is counts over a base that counts add up to: shares, and ratios of a count
 * or additive figure to another. */
bool shrink_applies(const struct pack_set *packs, const struct indicator_def *d);
/* The values of such an indicator, in its own unit; NaN throughout for any other. */
enum err_code shrink_values(const struct pack_set *packs, const struct indicator_def *d,
                            const struct indicator_value *v, size_t n, struct arena *a, double *out,
                            struct err *err) NODISCARD;
#endif
