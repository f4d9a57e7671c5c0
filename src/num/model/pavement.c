#include "num/model/pavement.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

double model_curve_at(const struct model_curve *c, double x, bool linear) {
    if (c->n_knots == 0) return 0;
    if (x <= c->at[0]) return c->value[0];
    size_t k = 1;
    while (k < c->n_knots && c->at[k] < x) k++;
    if (k == c->n_knots) return c->value[k - 1];
    double a = c->at[k - 1], b = c->at[k];
    double f = linear ? (x - a) / (b - a) : log(x / a) / log(b / a);
    return c->value[k - 1] + f * (c->value[k] - c->value[k - 1]);
}

static int by_place(const void *x, const void *y) {
    const struct model_distress *p = x, *q = y;
    if (p->section != q->section) return p->section < q->section ? -1 : 1;
    return p->kind < q->kind ? -1 : p->kind > q->kind;
}

/* Sorted copy with the densities of one kind in one section added up. */
static enum err_code gather(struct arena *a, const struct model_distress *found, size_t n,
                            size_t n_sections, size_t n_kinds, struct model_distress **out,
                            size_t *n_out, struct err *err) {
    *out = ARENA_NEW(a, struct model_distress, n + 1);
    if (*out == NULL) return err_fail(err, ERR_NOMEM, "%zu distresses", n);
    for (size_t i = 0; i < n; i++) {
        if (found[i].section >= n_sections || found[i].kind >= n_kinds)
            return err_fail(err, ERR_INVALID, "distress %zu: no such section or kind", i + 1);
        if (!(found[i].density > 0 && isfinite(found[i].density)))
            return err_fail(err, ERR_INVALID, "distress %zu: density %g is not above 0", i + 1,
                            found[i].density);
        (*out)[i] = found[i];
    }
    if (n > 1) qsort(*out, n, sizeof **out, by_place);
    size_t m = 0;
    for (size_t i = 0; i < n; i++) {
        if (m > 0 && by_place(&(*out)[m - 1], &(*out)[i]) == 0)
            (*out)[m - 1].density += (*out)[i].density;
        else
            (*out)[m++] = (*out)[i];
    }
    *n_out = m;
    return ERR_OK;
}

static int by_falling(const void *x, const void *y) {
    double p = *(const double *)x, q = *(const double *)y;
    return p > q ? -1 : p < q;
}

static double corrected_value(const struct model_pci_config *c, const double *d, size_t n) {
    double total = 0;
    size_t q = 0;
    for (size_t i = 0; i < n; i++) {
        total += d[i];
        q += d[i] > 2;
    }
    if (q <= 1) return total;
    if (q > c->n_corrected) q = c->n_corrected;
    return model_curve_at(&c->corrected[q - 1], total, true);
}

/* The iterations of the corrected deduct: d holds n deducts and is changed. */
static double corrected_deduct(const struct model_pci_config *c, double *d, size_t n) {
    if (n == 0) return 0;
    qsort(d, n, sizeof *d, by_falling);
    double m = 1 + 9.0 / 98.0 * (100 - d[0]);
    if (m > 10) m = 10;
    size_t whole = (size_t)m;
    if (n > whole) {
        d[whole] *= m - (double)whole;
        n = whole + 1;
    }
    double best = corrected_value(c, d, n);
    for (size_t k = n; k-- > 1;) {
        if (!(d[k] > 2)) continue;
        d[k] = 2;
        best = fmax(best, corrected_value(c, d, n));
    }
    return best;
}

static double section_index(const struct model_pci_config *c, const struct model_distress *d,
                            size_t n, double *work) {
    double product = 1, ratio = 0;
    size_t m = 0;
    for (size_t i = 0; i < n; i++) {
        if (c->rule == MODEL_PCI_RATIO) {
            ratio += c->weight[d[i].kind] * d[i].density;
            continue;
        }
        double v = model_curve_at(&c->deduct[d[i].kind], d[i].density, false);
        product *= 1 - v / 100;
        if (v > 0) work[m++] = v;
    }
    double index = 100 * product;
    if (c->rule == MODEL_PCI_RATIO) index = 100 - c->a0 * pow(ratio, c->a1);
    if (c->rule == MODEL_PCI_CORRECTED) index = 100 - corrected_deduct(c, work, m);
    return fmin(100, fmax(0, index));
}

static enum err_code check_config(const struct model_pci_config *c, struct err *err) {
    if (c->rule == MODEL_PCI_RATIO) {
        if (c->weight == NULL || !(c->a0 > 0 && c->a1 > 0))
            return err_fail(err, ERR_INVALID, "the ratio rule needs weights, a0 and a1 above 0");
        return ERR_OK;
    }
    if (c->deduct == NULL) return err_fail(err, ERR_INVALID, "there are no deduct curves");
    for (size_t k = 0; k < c->n_kinds; k++)
        for (size_t j = 0; j < c->deduct[k].n_knots; j++)
            if (!(c->deduct[k].value[j] >= 0 && c->deduct[k].value[j] <= 100 &&
                  c->deduct[k].at[j] > 0))
                return err_fail(err, ERR_INVALID, "curve %zu leaves 0..100 or a density above 0",
                                k + 1);
    if (c->rule == MODEL_PCI_CORRECTED && (c->n_corrected == 0 || c->n_corrected > MODEL_PCI_MAX_Q))
        return err_fail(err, ERR_INVALID, "the corrected rule needs 1 to %d correction curves",
                        MODEL_PCI_MAX_Q);
    return ERR_OK;
}

enum err_code model_pci(struct arena *a, const struct model_pci_config *config,
                        const struct model_distress *found, size_t n_found, double *pci,
                        size_t n_sections, struct err *err) {
    struct model_distress *d;
    size_t n;
    TRY(check_config(config, err));
    TRY(gather(a, found, n_found, n_sections, config->n_kinds, &d, &n, err));
    double *work = ARENA_NEW(a, double, config->n_kinds + 1);
    if (work == NULL) return err_fail(err, ERR_NOMEM, "%zu kinds", config->n_kinds);
    for (size_t s = 0; s < n_sections; s++) pci[s] = 100;
    for (size_t i = 0; i < n;) {
        size_t j = i;
        while (j < n && d[j].section == d[i].section) j++;
        pci[d[i].section] = section_index(config, d + i, j - i, work);
        i = j;
    }
    return ERR_OK;
}

/* Fitting: log(index / 100) = - sum over kinds of h_kind(density), h rising from 0 by steps >= 0
 * over the knots; deduct = 100 (1 - exp(-h)). theta: n_kinds x n_knots steps. */
struct pci_work {
    const struct model_distress *d;
    size_t n, n_kinds, n_knots, m;
    const double *knots, *pci;
    const bool *use;
    double ridge;
    double *theta, *trial, *g, *diag;
    double *h; /* m x m */
};

/* Share of each step that a density has climbed. */
static double climbed(const struct pci_work *w, size_t k, double density) {
    double lo = k == 0 ? w->knots[0] / 10 : w->knots[k - 1], hi = w->knots[k];
    if (density >= hi) return 1;
    return density <= lo ? 0 : log(density / lo) / log(hi / lo);
}

static double section_height(const struct pci_work *w, size_t from, size_t to,
                             const double *theta) {
    double h = 0;
    for (size_t i = from; i < to; i++)
        for (size_t k = 0; k < w->n_knots; k++)
            h += theta[w->d[i].kind * w->n_knots + k] * climbed(w, k, w->d[i].density);
    return h;
}

static size_t section_end(const struct pci_work *w, size_t i) {
    size_t j = i;
    while (j < w->n && w->d[j].section == w->d[i].section) j++;
    return j;
}

static double squares(const struct pci_work *w, const double *theta) {
    double sum = 0;
    for (size_t i = 0; i < w->n;) {
        size_t j = section_end(w, i), s = w->d[i].section;
        if (w->use[s]) {
            double e = w->pci[s] - 100 * exp(-section_height(w, i, j, theta));
            sum += e * e;
        }
        i = j;
    }
    for (size_t k = 0; k < w->m; k++) sum += w->ridge * theta[k] * theta[k];
    return sum;
}

/* Gradient of half the sum of squares and Gauss-Newton's matrix. */
static void linearise(struct pci_work *w, size_t *at, double *x) {
    memset(w->g, 0, w->m * sizeof *w->g);
    memset(w->h, 0, w->m * w->m * sizeof *w->h);
    for (size_t i = 0; i < w->n;) {
        size_t j = section_end(w, i), s = w->d[i].section, c = 0;
        double fit = 100 * exp(-section_height(w, i, j, w->theta));
        for (size_t r = i; w->use[s] && r < j; r++)
            for (size_t k = 0; k < w->n_knots; k++) {
                double share = climbed(w, k, w->d[r].density);
                if (share == 0) continue;
                at[c] = w->d[r].kind * w->n_knots + k;
                x[c++] = -fit * share;
            }
        for (size_t r = 0; r < c; r++) {
            w->g[at[r]] -= x[r] * (w->pci[s] - fit);
            for (size_t k = 0; k < c; k++) w->h[at[r] * w->m + at[k]] += x[r] * x[k];
        }
        i = j;
    }
    for (size_t k = 0; k < w->m; k++) {
        w->g[k] += w->ridge * w->theta[k];
        w->h[k * w->m + k] += w->ridge;
    }
}

/* Minimum of the quadratic over theta >= 0 by coordinates in turn (it is convex: they end there).
 */
static void solve_nonnegative(struct pci_work *w) {
    size_t m = w->m;
    memcpy(w->trial, w->theta, m * sizeof *w->trial);
    memcpy(w->diag, w->g, m * sizeof *w->diag); /* running gradient at trial */
    for (int sweep = 0; sweep < 500; sweep++) {
        double moved = 0;
        for (size_t k = 0; k < m; k++) {
            double to = fmax(0, w->trial[k] - w->diag[k] / w->h[k * m + k]);
            double by = to - w->trial[k];
            if (by == 0) continue;
            w->trial[k] = to;
            for (size_t j = 0; j < m; j++) w->diag[j] += by * w->h[k * m + j];
            moved = fmax(moved, fabs(by));
        }
        if (moved < 1e-10) break;
    }
}

static bool pci_step(struct pci_work *w, double *value) {
    double *step = w->diag;
    solve_nonnegative(w);
    for (size_t k = 0; k < w->m; k++) step[k] = w->trial[k] - w->theta[k];
    double part = 1;
    for (int halved = 0; halved < 20; halved++) {
        for (size_t k = 0; k < w->m; k++) w->trial[k] = w->theta[k] + part * step[k];
        double now = squares(w, w->trial);
        part /= 2;
        if (now >= *value) continue;
        bool small = *value - now <= 1e-9 * *value;
        memcpy(w->theta, w->trial, w->m * sizeof *w->theta);
        *value = now;
        return !small;
    }
    return false;
}

static enum err_code check_fit(const double *knots, size_t n_knots, const double *pci,
                               const bool *use, size_t n_sections, size_t n_kinds, double ridge,
                               size_t *n_used, struct err *err) {
    if (n_knots < 1 || n_knots >= MODEL_PCI_MAX_KNOTS || n_kinds == 0 || n_kinds * n_knots > 4000)
        return err_fail(err, ERR_INVALID, "%zu kinds and %zu knots cannot be fitted", n_kinds,
                        n_knots);
    for (size_t k = 0; k < n_knots; k++)
        if (!(knots[k] > (k == 0 ? 0 : knots[k - 1])))
            return err_fail(err, ERR_INVALID, "knots have to rise from above 0");
    if (!(ridge > 0)) return err_fail(err, ERR_INVALID, "the ridge has to be above 0");
    *n_used = 0;
    for (size_t s = 0; s < n_sections; s++) {
        if (!use[s]) continue;
        if (!(pci[s] >= 0 && pci[s] <= 100))
            return err_fail(err, ERR_INVALID, "section %zu: index %g is not in 0..100", s + 1,
                            pci[s]);
        (*n_used)++;
    }
    return *n_used > 0 ? ERR_OK : err_fail(err, ERR_INVALID, "no section to fit to");
}

static void fill_curves(const struct pci_work *w, struct model_pci_fitted *out) {
    for (size_t k = 0; k < w->n_kinds; k++) {
        struct model_curve *c = &out->deduct[k];
        double h = 0;
        c->n_knots = w->n_knots + 1;
        c->at[0] = w->knots[0] / 10;
        for (size_t j = 0; j < w->n_knots; j++) {
            h += w->theta[k * w->n_knots + j];
            c->at[j + 1] = w->knots[j];
            c->value[j + 1] = -100 * expm1(-h);
        }
    }
    for (size_t i = 0; i < w->n; i++)
        if (w->use[w->d[i].section]) out->n_seen[w->d[i].kind]++;
}

/* The index of a whole section by theta is 100 exp(-h), linear between knots in h, while a curve is
 * linear in the deduct; the two differ by little, and the curve is what is told. */
static enum err_code fitted_error(struct arena *a, const struct pci_work *w, size_t n_sections,
                                  struct model_pci_fitted *out, struct err *err) {
    struct model_pci_config c = {
        .rule = MODEL_PCI_PRODUCT, .n_kinds = w->n_kinds, .deduct = out->deduct};
    double *pci = ARENA_NEW(a, double, n_sections), sum = 0;
    if (pci == NULL) return err_fail(err, ERR_NOMEM, "%zu sections", n_sections);
    TRY(model_pci(a, &c, w->d, w->n, pci, n_sections, err));
    for (size_t s = 0; s < n_sections; s++)
        if (w->use[s]) sum += (pci[s] - w->pci[s]) * (pci[s] - w->pci[s]);
    out->rmse = sqrt(sum / (double)out->n_used);
    return ERR_OK;
}

enum err_code model_pci_fit(struct arena *a, const struct model_distress *found, size_t n_found,
                            size_t n_kinds, const double *pci, const bool *use, size_t n_sections,
                            const double *knots, size_t n_knots, double ridge,
                            struct model_pci_fitted *out, struct err *err) {
    struct pci_work w = {.n_kinds = n_kinds,
                         .n_knots = n_knots,
                         .knots = knots,
                         .pci = pci,
                         .use = use,
                         .ridge = ridge};
    struct model_distress *d;
    memset(out, 0, sizeof *out);
    TRY(check_fit(knots, n_knots, pci, use, n_sections, n_kinds, ridge, &out->n_used, err));
    TRY(gather(a, found, n_found, n_sections, n_kinds, &d, &w.n, err));
    w.d = d;
    size_t m = w.m = n_kinds * n_knots;
    w.theta = ARENA_NEW(a, double, 5 * m + m * m);
    size_t *at = ARENA_NEW(a, size_t, m);
    out->deduct = ARENA_NEW(a, struct model_curve, n_kinds);
    out->n_seen = ARENA_NEW(a, size_t, n_kinds);
    if (w.theta == NULL || at == NULL || out->deduct == NULL || out->n_seen == NULL)
        return err_fail(err, ERR_NOMEM, "%zu kinds", n_kinds);
    w.trial = w.theta + m;
    w.g = w.trial + m;
    w.diag = w.g + m;
    double *x = w.diag + m;
    w.h = x + m;
    out->n_kinds = n_kinds;
    for (size_t k = 0; k < m; k++) w.theta[k] = 0.02;
    double value = squares(&w, w.theta);
    for (out->iterations = 0; out->iterations < 200; out->iterations++) {
        linearise(&w, at, x);
        if (!pci_step(&w, &value)) {
            out->converged = true;
            break;
        }
    }
    fill_curves(&w, out);
    return fitted_error(a, &w, n_sections, out, err);
}
