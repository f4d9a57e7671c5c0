/* Brent 1973, "Algorithms for minimization without derivatives", chapters 4 (roots) and 5 (minima).
 */
#include <math.h>

#include "num/core/optim.h"

static const double golden = 0.38196601125010515180; /* (3 - sqrt 5) / 2 */

/* The three best points and the last two steps of a search for a minimum. */
struct bracket {
    double low, high, x, w, v, fx, fw, fv, step, before;
};

/* A parabola through the three points if it falls well inside, else the golden section. */
static void next_step(struct bracket *b, double near) {
    double middle = 0.5 * (b->low + b->high);
    if (fabs(b->before) > near) {
        double r = (b->x - b->w) * (b->fx - b->fv), q = (b->x - b->v) * (b->fx - b->fw);
        double p = (b->x - b->v) * q - (b->x - b->w) * r, old = b->before;
        q = 2 * (q - r);
        if (q > 0) p = -p;
        q = fabs(q);
        b->before = b->step;
        if (fabs(p) < fabs(0.5 * q * old) && p > q * (b->low - b->x) && p < q * (b->high - b->x)) {
            b->step = p / q;
            double u = b->x + b->step;
            if (u - b->low < 2 * near || b->high - u < 2 * near)
                b->step = b->x < middle ? near : -near;
            return;
        }
    }
    b->before = b->x < middle ? b->high - b->x : b->low - b->x;
    b->step = golden * b->before;
}

static void take_point(struct bracket *b, double u, double fu) {
    if (fu <= b->fx) {
        *(u < b->x ? &b->high : &b->low) = b->x;
        b->v = b->w;
        b->fv = b->fw;
        b->w = b->x;
        b->fw = b->fx;
        b->x = u;
        b->fx = fu;
        return;
    }
    *(u < b->x ? &b->low : &b->high) = u;
    if (fu <= b->fw || b->w == b->x) {
        b->v = b->w;
        b->fv = b->fw;
        b->w = u;
        b->fw = fu;
    } else if (fu <= b->fv || b->v == b->x || b->v == b->w) {
        b->v = u;
        b->fv = fu;
    }
}

enum err_code num_minimize_line(double (*f)(void *arg, double x), void *arg, double low,
                                double high, double tol, double *x, double *value,
                                struct err *err) {
    if (!(low < high) || !isfinite(low) || !isfinite(high))
        return err_fail(err, ERR_INVALID, "a minimum is looked for on an empty or infinite range");
    double start = low + golden * (high - low), at_start = f(arg, start);
    struct bracket b = {.low = low,
                        .high = high,
                        .x = start,
                        .w = start,
                        .v = start,
                        .fx = at_start,
                        .fw = at_start,
                        .fv = at_start};
    for (unsigned i = 0; i < 500; i++) {
        double near = 1e-8 * fabs(b.x) + tol / 3 + 1e-300;
        *x = b.x;
        *value = b.fx;
        if (isnan(b.fx)) return err_fail(err, ERR_NUMERIC, "the function has no value at %g", b.x);
        if (fabs(b.x - 0.5 * (b.low + b.high)) <= 2 * near - 0.5 * (b.high - b.low)) return ERR_OK;
        next_step(&b, near);
        double u = b.x + (fabs(b.step) >= near ? b.step : copysign(near, b.step));
        double fu = f(arg, u);
        take_point(&b, u, isnan(fu) ? INFINITY : fu);
    }
    return err_fail(err, ERR_NUMERIC, "no minimum after 500 steps; bracket %g to %g", b.low,
                    b.high);
}

/* Step from b by the secant or inverse quadratic through a, b, c; half the bracket when that is not
 * better. */
static double root_step(double a, double b, double c, double fa, double fb, double fc, double half,
                        double near, double *before) {
    if (fabs(*before) < near || fabs(fa) <= fabs(fb)) return *before = half;
    double s = fb / fa, p, q;
    if (a == c) {
        p = 2 * half * s;
        q = 1 - s;
    } else {
        double r = fb / fc;
        q = fa / fc;
        p = s * (2 * half * q * (q - r) - (b - a) * (r - 1));
        q = (q - 1) * (r - 1) * (s - 1);
    }
    if (p > 0) q = -q;
    p = fabs(p);
    if (2 * p < 3 * half * q - fabs(near * q) && p < fabs(0.5 * *before * q)) return p / q;
    return *before = half;
}

enum err_code num_root(double (*f)(void *arg, double x), void *arg, double low, double high,
                       double tol, double *x, struct err *err) {
    double a = low, b = high, fa = f(arg, a), fb = f(arg, b);
    *x = fabs(fa) < fabs(fb) ? a : b;
    if (isnan(fa) || isnan(fb) || (fa > 0 && fb > 0) || (fa < 0 && fb < 0))
        return err_fail(err, ERR_INVALID, "no change of sign between %g (%g) and %g (%g)", low, fa,
                        high, fb);
    double c = a, fc = fa, step = b - a, before = step;
    for (unsigned i = 0; i < 500; i++) {
        if (fabs(fc) < fabs(fb)) {
            a = b;
            b = c;
            c = a;
            fa = fb;
            fb = fc;
            fc = fa;
        }
        double near = 4.5e-16 * fabs(b) + 0.5 * tol, half = 0.5 * (c - b);
        *x = b;
        if (fb == 0 || fabs(half) <= near) return ERR_OK;
        double now = root_step(a, b, c, fa, fb, fc, half, near, &before);
        before = step;
        step = now;
        if (now == half) before = half;
        a = b;
        fa = fb;
        b += fabs(step) > near ? step : copysign(near, half);
        fb = f(arg, b);
        if (isnan(fb)) return err_fail(err, ERR_NUMERIC, "the function has no value at %g", b);
        if ((fb > 0) == (fc > 0)) {
            c = a;
            fc = fa;
            step = before = b - a;
        }
    }
    return err_fail(err, ERR_NUMERIC, "no root after 500 steps; bracket %g to %g", b, c);
}
