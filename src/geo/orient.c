#include "geo/orient.h"

#include <assert.h>
#include <float.h>

static_assert(FLT_EVAL_METHOD == 0, "error-free sums need plain double arithmetic");

/* a + b as a sum and its exact rounding error (Knuth). */
static double two_sum(double a, double b, double *error) {
    double s = a + b;
    double bb = s - a;
    *error = (a - (s - bb)) + (b - bb);
    return s;
}

static double two_product(double a, double b, double *error) {
    double p = a * b;
    *error = fma(a, b, -p);
    return p;
}

/* Add v to the non-overlapping expansion e[0..n), smallest first; returns the new length. */
static int expansion_grow(double *e, int n, double v) {
    double carry = v;
    int kept = 0;
    for (int i = 0; i < n; i++) {
        double error;
        carry = two_sum(carry, e[i], &error);
        if (error != 0) e[kept++] = error;
    }
    if (carry != 0) e[kept++] = carry;
    return kept;
}

int orient_exact(double ax, double ay, double bx, double by, double px, double py) {
    double l[2][2], r[2][2]; /* each difference as high and low part */
    l[0][0] = two_sum(ax, -px, &l[0][1]);
    l[1][0] = two_sum(by, -py, &l[1][1]);
    r[0][0] = two_sum(ay, -py, &r[0][1]);
    r[1][0] = two_sum(bx, -px, &r[1][1]);
    double e[17];
    int n = 0;
    for (int i = 0; i < 2; i++) {
        for (int j = 0; j < 2; j++) {
            double error, p = two_product(l[0][i], l[1][j], &error);
            n = expansion_grow(e, n, error);
            n = expansion_grow(e, n, p);
            p = two_product(r[0][i], r[1][j], &error);
            n = expansion_grow(e, n, -error);
            n = expansion_grow(e, n, -p);
        }
    }
    if (n == 0) return 0;
    return e[n - 1] > 0 ? 1 : -1; /* the largest part outweighs all others together */
}
