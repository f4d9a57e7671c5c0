#include "study/risk/pavement.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/json.h"
#include "base/rng.h"

struct keyed {
    const char *text;
    size_t row;
};

static int by_text(const void *x, const void *y) {
    const struct keyed *p = x, *q = y;
    int c = strcmp(p->text, q->text);
    return c != 0 ? c : p->row < q->row ? -1 : p->row > q->row;
}

/* Number of each row's text among the different ones, in sorted order. */
static enum err_code number_texts(struct arena *a, struct keyed *k, size_t n, size_t *number,
                                  const char ***text, size_t *n_text, struct err *err) {
    *text = ARENA_NEW(a, const char *, n + 1);
    if (*text == NULL) return err_fail(err, ERR_NOMEM, "%zu rows", n);
    if (n > 1) qsort(k, n, sizeof *k, by_text);
    *n_text = 0;
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || strcmp(k[i].text, k[i - 1].text) != 0) (*text)[(*n_text)++] = k[i].text;
        number[k[i].row] = *n_text - 1;
    }
    return ERR_OK;
}

struct rows {
    size_t *section, *kind;
    size_t n_found;
    struct model_distress *found;
};

static enum err_code number_rows(struct arena *a, const struct table *t,
                                 const struct risk_pavement_spec *s, struct rows *r,
                                 struct risk_pavement *out, struct err *err) {
    size_t section = 0, distress = 0, severity = 0, n = t->n_row;
    struct keyed *k = ARENA_NEW(a, struct keyed, n + 1);
    TRY(table_column(t, s->section, true, &section, err));
    TRY(table_column(t, s->distress, true, &distress, err));
    if (s->severity != NULL) TRY(table_column(t, s->severity, true, &severity, err));
    r->section = ARENA_NEW(a, size_t, n + 1);
    r->kind = ARENA_NEW(a, size_t, n + 1);
    if (k == NULL || r->section == NULL || r->kind == NULL)
        return err_fail(err, ERR_NOMEM, "%zu rows", n);
    for (size_t i = 0; i < n; i++) k[i] = (struct keyed){table_text(t, i, section), i};
    TRY(number_texts(a, k, n, r->section, &out->section, &out->n_sections, err));
    for (size_t i = 0; i < n; i++) {
        const char *d = table_text(t, i, distress);
        k[i] = (struct keyed){
            s->severity == NULL ? d : arena_printf(a, "%s %s", d, table_text(t, i, severity)), i};
        if (k[i].text == NULL) return err_fail(err, ERR_NOMEM, "%zu rows", n);
    }
    TRY(number_texts(a, k, n, r->kind, &out->kind, &out->n_kinds, err));
    if (out->n_kinds > RISK_MAX_KINDS)
        return err_fail(err, ERR_INVALID, "%s: %zu kinds of distress; at most %d", t->path,
                        out->n_kinds, RISK_MAX_KINDS);
    return ERR_OK;
}

/* Kinds of the file by their number in the configuration; those it does not know are left out. */
static void map_kinds(const struct risk_pavement_spec *s, const struct risk_pavement *out,
                      size_t map[RISK_MAX_KINDS]) {
    for (size_t k = 0; k < out->n_kinds; k++) {
        map[k] = SIZE_MAX;
        for (size_t c = 0; c < s->n_kinds && !s->fit; c++)
            if (strcmp(s->kind[c], out->kind[k]) == 0) map[k] = c;
        if (s->fit) map[k] = k;
    }
}

static enum err_code read_found(struct arena *a, const struct table *t,
                                const struct risk_pavement_spec *s, struct rows *r,
                                struct risk_pavement *out, struct err *err) {
    size_t area = 0, quantity = 0, map[RISK_MAX_KINDS];
    TRY(table_column(t, s->area, true, &area, err));
    TRY(table_column(t, s->quantity, true, &quantity, err));
    r->found = ARENA_NEW(a, struct model_distress, t->n_row + 1);
    if (r->found == NULL) return err_fail(err, ERR_NOMEM, "%zu rows", t->n_row);
    map_kinds(s, out, map);
    for (size_t i = 0; i < t->n_row; i++) {
        double whole = 0, q = 0;
        TRY(table_number(t, i, area, false, &whole, err));
        TRY(table_number(t, i, quantity, true, &q, err));
        if (!(whole > 0)) return table_fail(t, i, area, "an area above 0", err);
        if (q < 0) return table_fail(t, i, quantity, "a quantity, 0 or more", err);
        if (isnan(q) || q == 0) {
            out->n_no_quantity++;
        } else if (map[r->kind[i]] == SIZE_MAX) {
            out->n_unknown_kind++;
        } else {
            r->found[r->n_found++] =
                (struct model_distress){r->section[i], map[r->kind[i]], 100 * q / whole};
        }
    }
    out->n_distresses = r->n_found;
    return ERR_OK;
}

static enum err_code read_published(struct arena *a, const struct table *t,
                                    const struct risk_pavement_spec *s, const struct rows *r,
                                    struct risk_pavement *out, struct err *err) {
    size_t col = 0;
    if (s->pci == NULL) return ERR_OK;
    TRY(table_column(t, s->pci, true, &col, err));
    out->published = ARENA_NEW(a, double, out->n_sections + 1);
    if (out->published == NULL) return err_fail(err, ERR_NOMEM, "%zu sections", out->n_sections);
    for (size_t k = 0; k < out->n_sections; k++) out->published[k] = NAN;
    for (size_t i = 0; i < t->n_row; i++) {
        double v = 0, *p = &out->published[r->section[i]];
        TRY(table_number(t, i, col, true, &v, err));
        if (isnan(v)) continue;
        if (!(v >= 0 && v <= 100)) return table_fail(t, i, col, "an index 0 to 100", err);
        if (!isnan(*p) && *p != v)
            return table_fail(t, i, col, "one index for all rows of a section", err);
        *p = v;
    }
    return ERR_OK;
}

static struct risk_pavement_error measure(const struct risk_pavement *r, bool held, bool mean_only,
                                          double mean) {
    struct risk_pavement_error e = {0};
    for (size_t k = 0; r->published != NULL && k < r->n_sections; k++) {
        if (r->held_out[k] != held || isnan(r->published[k])) continue;
        double d = (mean_only ? mean : r->pci[k]) - r->published[k];
        e.n++;
        e.rmse += d * d;
        e.mae += fabs(d);
        e.bias += d;
        e.within_10 += fabs(d) <= 10;
    }
    if (e.n == 0) return e;
    double n = (double)e.n;
    return (struct risk_pavement_error){e.n, sqrt(e.rmse / n), e.mae / n, e.bias / n,
                                        e.within_10 / n};
}

static enum err_code fit_curves(struct arena *a, const struct risk_pavement_spec *s,
                                const struct rows *r, struct model_pci_config *config,
                                struct risk_pavement *out, struct err *err) {
    bool *use = ARENA_NEW(a, bool, out->n_sections + 1);
    if (use == NULL) return err_fail(err, ERR_NOMEM, "%zu sections", out->n_sections);
    struct rng g = rng_new((uint64_t)s->seed, 0xbad0);
    for (size_t k = 0; k < out->n_sections; k++) {
        out->held_out[k] = rng_unit(&g) < s->hold_out;
        use[k] = !out->held_out[k] && !isnan(out->published[k]);
    }
    TRY(model_pci_fit(a, r->found, r->n_found, out->n_kinds, out->published, use, out->n_sections,
                      s->knots, s->n_knots, s->ridge, &out->fit, err));
    out->fitted = true;
    *config = (struct model_pci_config){
        .rule = MODEL_PCI_PRODUCT, .n_kinds = out->n_kinds, .deduct = out->fit.deduct};
    return ERR_OK;
}

enum err_code risk_pavement_study(struct arena *a, const struct table *t,
                                  const struct risk_pavement_spec *s, struct risk_pavement *out,
                                  struct err *err) {
    struct rows r = {0};
    struct model_pci_config config = s->config;
    memset(out, 0, sizeof *out);
    if (t->n_row == 0) return err_fail(err, ERR_INVALID, "%s: there are no rows", t->path);
    TRY(number_rows(a, t, s, &r, out, err));
    TRY(read_found(a, t, s, &r, out, err));
    TRY(read_published(a, t, s, &r, out, err));
    out->pci = ARENA_NEW(a, double, out->n_sections + 1);
    out->held_out = ARENA_NEW(a, bool, out->n_sections + 1);
    if (out->pci == NULL || out->held_out == NULL)
        return err_fail(err, ERR_NOMEM, "%zu sections", out->n_sections);
    config.n_kinds = s->n_kinds;
    config.deduct = s->deduct;
    config.weight = s->weight;
    if (s->fit)
        TRY(fit_curves(a, s, &r, &config, out, err));
    else
        for (size_t k = 0; k < out->n_sections; k++) out->held_out[k] = true;
    TRY(model_pci(a, &config, r.found, r.n_found, out->pci, out->n_sections, err));
    double sum = 0, n = 0;
    for (size_t k = 0; out->published != NULL && k < out->n_sections; k++)
        if ((!out->held_out[k] || !s->fit) && !isnan(out->published[k]))
            sum += out->published[k], n += 1;
    out->train = measure(out, false, false, 0);
    out->test = measure(out, true, false, 0);
    out->test_mean = measure(out, true, true, n > 0 ? sum / n : 0);
    return ERR_OK;
}

static void write_error(struct jw *w, const char *key, const struct risk_pavement_error *e) {
    jw_key(w, key);
    if (e->n == 0) {
        jw_null(w);
        return;
    }
    jw_obj(w);
    jw_kint(w, "sections", (int64_t)e->n);
    jw_kdouble(w, "rmse", e->rmse);
    jw_kdouble(w, "mean_absolute_error", e->mae);
    jw_kdouble(w, "bias", e->bias);
    jw_kdouble(w, "within_10_points", e->within_10);
    jw_end(w, '}');
}

static void write_curves(struct jw *w, const struct risk_pavement *r) {
    jw_key(w, "deduct");
    jw_obj(w);
    for (size_t k = 0; k < r->n_kinds; k++) {
        const struct model_curve *c = &r->fit.deduct[k];
        jw_key(w, r->kind[k]);
        jw_arr(w);
        for (size_t j = 0; j < c->n_knots; j++) {
            jw_arr(w);
            jw_double(w, c->at[j]);
            jw_double(w, c->value[j]);
            jw_end(w, ']');
        }
        jw_end(w, ']');
    }
    jw_end(w, '}');
}

void risk_pavement_json(const struct risk_pavement *r, struct buf *b) {
    struct jw w;
    jw_init(&w, b);
    jw_obj(&w);
    jw_kint(&w, "sections", (int64_t)r->n_sections);
    jw_kint(&w, "distresses", (int64_t)r->n_distresses);
    jw_kint(&w, "without_quantity", (int64_t)r->n_no_quantity);
    jw_kint(&w, "of_unknown_kind", (int64_t)r->n_unknown_kind);
    jw_kbool(&w, "fitted", r->fitted);
    jw_kbool(&w, "verified", false);
    if (r->fitted) jw_kbool(&w, "converged", r->fit.converged);
    write_error(&w, "fitted_to", &r->train);
    write_error(&w, "held_out", &r->test);
    write_error(&w, "held_out_by_the_mean", &r->test_mean);
    if (r->fitted) write_curves(&w, r);
    jw_end(&w, '}');
    buf_char(b, '\n');
}

static void error_text(struct buf *b, const char *what, const struct risk_pavement_error *e) {
    if (e->n > 0)
        buf_printf(b, "%-34s %6zu %8.2f %8.2f %8.2f %8.1f %%\n", what, e->n, e->rmse, e->mae,
                   e->bias, 100 * e->within_10);
}

void risk_pavement_text(const struct risk_pavement *r, struct buf *b) {
    buf_printf(b,
               "%zu sections, %zu distresses of %zu kinds (%zu without a quantity, %zu of a kind "
               "without a curve)\n",
               r->n_sections, r->n_distresses, r->n_kinds, r->n_no_quantity, r->n_unknown_kind);
    if (r->published == NULL) return;
    buf_printf(b, "%-34s %6s %8s %8s %8s %10s\n", "against the published index", "n", "rmse", "mae",
               "bias", "within 10");
    if (r->fitted) error_text(b, "sections fitted to", &r->train);
    error_text(b, r->fitted ? "sections held out" : "all sections", &r->test);
    error_text(b, "the mean of the others instead", &r->test_mean);
    if (r->fitted && !r->fit.converged)
        buf_str(b, "note not_converged: the search for the curves did not settle\n");
}

void risk_pavement_csv(const struct risk_pavement *r, struct buf *b) {
    buf_str(b, "section,pci,published,held_out\n");
    for (size_t k = 0; k < r->n_sections; k++) {
        csv_safe_field(b, r->section[k], true);
        buf_printf(b, ",%.4f,", r->pci[k]);
        if (r->published != NULL && !isnan(r->published[k]))
            buf_printf(b, "%.10g", r->published[k]);
        buf_printf(b, ",%d\n", r->fitted && r->held_out[k]);
    }
}

void risk_pavement_config(const struct risk_pavement_spec *s, const struct risk_pavement *r,
                          struct buf *b) {
    struct jw w;
    jw_init(&w, b);
    jw_obj(&w);
    jw_key(&w, "columns");
    jw_obj(&w);
    jw_kstr(&w, "section", s->section);
    jw_kstr(&w, "area", s->area);
    jw_kstr(&w, "distress", s->distress);
    if (s->severity != NULL) jw_kstr(&w, "severity", s->severity);
    jw_kstr(&w, "quantity", s->quantity);
    if (s->pci != NULL) jw_kstr(&w, "pci", s->pci);
    jw_end(&w, '}');
    jw_kstr(&w, "rule", "product");
    write_curves(&w, r);
    jw_end(&w, '}');
    buf_char(b, '\n');
}
