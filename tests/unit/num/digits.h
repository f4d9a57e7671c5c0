/* Compares with a reference by a tolerance of its own and prints the digits reached. */
#ifndef TEST_NUM_DIGITS_H
#define TEST_NUM_DIGITS_H
#include "../base/testing.h"

#include <math.h>
#include <stdio.h>

static inline double digits_of(double found, double expected) {
    double scale = fabs(expected) > 1e-300 ? fabs(expected) : 1, e = fabs(found - expected) / scale;
    return e > 1e-17 ? -log10(e) : 17;
}
/* rtol relative; atol absolute, for values that may be 0. Prints "digits <what> <digits>". */
static inline void check_digits(const char *what, double found, double expected, double rtol,
                                double atol) {
    printf("digits %s %.1f\n", what, digits_of(found, expected));
    if (!(fabs(found - expected) <= rtol * fabs(expected) + atol))
        fail_msg("%s: found %.17g, expected %.17g", what, found, expected);
}
/* The fewest digits of n values. */
static inline void check_all(const char *what, const double *found, const double *expected,
                             size_t n, double rtol, double atol) {
    double worst = 17;
    for (size_t i = 0; i < n; i++) {
        double d = digits_of(found[i], expected[i]);
        if (d < worst && fabs(found[i] - expected[i]) > atol) worst = d;
        if (!(fabs(found[i] - expected[i]) <= rtol * fabs(expected[i]) + atol))
            fail_msg("%s[%zu]: found %.17g, expected %.17g", what, i, found[i], expected[i]);
    }
    printf("digits %s %.1f\n", what, worst);
}
#endif
