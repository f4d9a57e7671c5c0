#include "study/risk/data.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static enum err_code read_numbers(struct arena *a, const struct table *t, const char *column,
                                  double **out, struct err *err) {
    size_t col = 0;
    if (column == NULL) return ERR_OK;
    TRY(table_column(t, column, true, &col, err));
    *out = ARENA_NEW(a, double, t->n_row + 1);
    if (*out == NULL) return err_fail(err, ERR_NOMEM, "%zu rows", t->n_row);
    for (size_t i = 0; i < t->n_row; i++) TRY(table_number(t, i, col, true, &(*out)[i], err));
    return ERR_OK;
}

static int by_text(const void *x, const void *y) {
    return strcmp(*(const char *const *)x, *(const char *const *)y);
}

static int by_number(const void *x, const void *y) {
    double p = strtod(*(const char *const *)x, NULL), q = strtod(*(const char *const *)y, NULL);
    return p < q ? -1 : p > q;
}

/* Different texts, sorted. */
static enum err_code learn_labels(struct arena *a, const char *const *text, size_t n,
                                  struct risk_labels *out, struct err *err) {
    const char **all = ARENA_NEW(a, const char *, n + 1);
    if (all == NULL) return err_fail(err, ERR_NOMEM, "%zu rows", n);
    if (n > 0) memcpy(all, text, n * sizeof *all);
    if (n > 1) qsort(all, n, sizeof *all, by_text);
    out->n = 0;
    for (size_t i = 0; i < n; i++)
        if (i == 0 || strcmp(all[i], all[out->n - 1]) != 0) all[out->n++] = all[i];
    out->label = all;
    return ERR_OK;
}

static enum err_code index_labels(struct arena *a, const char *const *text, size_t n,
                                  const struct risk_labels *labels, uint32_t **out,
                                  struct err *err) {
    *out = ARENA_NEW(a, uint32_t, n + 1);
    if (*out == NULL) return err_fail(err, ERR_NOMEM, "%zu rows", n);
    for (size_t i = 0; i < n; i++) {
        const char *const *at =
            bsearch(&text[i], labels->label, labels->n, sizeof *labels->label, by_text);
        (*out)[i] = at == NULL ? UINT32_MAX : (uint32_t)(at - labels->label);
    }
    return ERR_OK;
}

/* Texts of one column, or of several joined by " / ". */
static enum err_code read_texts(struct arena *a, const struct table *t, const char *columns,
                                const char ***out, struct err *err) {
    struct risk_terms terms;
    TRY(risk_terms_parse(a, columns, &terms, err));
    *out = ARENA_NEW(a, const char *, t->n_row + 1);
    if (*out == NULL) return err_fail(err, ERR_NOMEM, "%zu rows", t->n_row);
    for (size_t k = 0; k < terms.n; k++) {
        size_t col = 0;
        TRY(table_column(t, terms.term[k].text, true, &col, err));
        for (size_t i = 0; i < t->n_row; i++) {
            const char *v = table_text(t, i, col);
            (*out)[i] = k == 0 ? v : arena_printf(a, "%s / %s", (*out)[i], v);
            if ((*out)[i] == NULL) return err_fail(err, ERR_NOMEM, "%zu rows", t->n_row);
        }
    }
    return ERR_OK;
}

static enum err_code read_group(struct arena *a, const struct table *t, const char *column,
                                const struct risk_labels *given, struct risk_labels *labels,
                                uint32_t **out, struct err *err) {
    const char **text = NULL;
    if (column == NULL) return ERR_OK;
    TRY(read_texts(a, t, column, &text, err));
    if (given != NULL)
        *labels = *given;
    else
        TRY(learn_labels(a, text, t->n_row, labels, err));
    return index_labels(a, text, t->n_row, labels, out, err);
}

static bool all_numbers(const struct risk_labels *l) {
    for (size_t i = 0; i < l->n; i++) {
        char *end = NULL;
        if (l->label[i][0] == '\0') continue;
        (void)strtod(l->label[i], &end);
        if (end == l->label[i] || *end != '\0') return false;
    }
    return true;
}

/* Years compare as numbers, dates as texts (2015-12-31 sorts as it should). */
static enum err_code read_split(struct arena *a, const struct table *t, const struct risk_spec *s,
                                struct risk_data *out, struct err *err) {
    if (s->split == NULL) return ERR_OK;
    TRY(read_group(a, t, s->split, NULL, &out->periods, &out->period, err));
    out->held_out = ARENA_NEW(a, bool, t->n_row + 1);
    if (out->held_out == NULL) return err_fail(err, ERR_NOMEM, "%zu rows", t->n_row);
    struct risk_labels limit = {1, &s->train_to};
    bool numbers = all_numbers(&out->periods) && all_numbers(&limit);
    size_t n_held = 0, n_fit = 0;
    for (size_t i = 0; i < t->n_row; i++) {
        const char *const *v = &out->periods.label[out->period[i]];
        if ((*v)[0] == '\0') {
            out->complete[i] = false; /* of no year: neither fitted to nor tested on */
            continue;
        }
        out->held_out[i] = numbers ? by_number(v, &s->train_to) > 0 : by_text(v, &s->train_to) > 0;
        n_held += out->held_out[i];
        n_fit += !out->held_out[i];
    }
    if (n_held == 0 || n_fit == 0)
        return err_fail(err, ERR_INVALID, "%s: column %s with train_to %s leaves no rows to %s",
                        t->path, s->split, s->train_to, n_held == 0 ? "test on" : "fit to");
    return ERR_OK;
}

static void mark_missing(bool *complete, const double *v, size_t n) {
    for (size_t i = 0; v != NULL && i < n; i++)
        if (isnan(v[i])) complete[i] = false;
}

/* A value a model cannot take is an error at its cell. */
static enum err_code check_range(const struct table *t, const char *column, const double *v,
                                 double least, bool open, const char *expected, struct err *err) {
    size_t col = 0;
    if (v == NULL) return ERR_OK;
    TRY(table_column(t, column, true, &col, err));
    for (size_t i = 0; i < t->n_row; i++)
        if (!isnan(v[i]) && (open ? v[i] <= least : v[i] < least))
            return table_fail(t, i, col, expected, err);
    return ERR_OK;
}

static enum err_code check_spans(const struct table *t, const struct risk_spec *s,
                                 const struct risk_data *d, struct err *err) {
    size_t col = 0;
    if (d->start == NULL || d->stop == NULL) return ERR_OK;
    TRY(table_column(t, s->stop, true, &col, err));
    for (size_t i = 0; i < t->n_row; i++)
        if (d->complete[i] && !(d->start[i] < d->stop[i]))
            return table_fail(t, i, col, "an age after the row's start", err);
    return ERR_OK;
}

static enum err_code make_offset(struct arena *a, const struct table *t, const struct risk_spec *s,
                                 struct risk_data *d, struct err *err) {
    double *extra = NULL;
    TRY(read_numbers(a, t, s->offset, &extra, err));
    if (extra == NULL && d->exposure == NULL) return ERR_OK;
    TRY(check_range(t, s->exposure, d->exposure, 0, true, "an exposure above 0", err));
    d->offset = ARENA_NEW(a, double, t->n_row + 1);
    if (d->offset == NULL) return err_fail(err, ERR_NOMEM, "%zu rows", t->n_row);
    for (size_t i = 0; i < t->n_row; i++) {
        double v = (extra == NULL ? 0 : extra[i]) + (d->exposure == NULL ? 0 : log(d->exposure[i]));
        d->offset[i] = isnan(v) ? 0 : v;
        if (isnan(v)) d->complete[i] = false;
    }
    return ERR_OK;
}

enum err_code risk_data_read(struct arena *a, const struct table *t, const struct risk_spec *s,
                             enum risk_model model, bool with_response,
                             const struct risk_labels *strata, struct risk_data *out,
                             struct err *err) {
    memset(out, 0, sizeof *out);
    out->table = t;
    out->n = t->n_row;
    out->id_column = SIZE_MAX;
    if (t->n_row == 0) return err_fail(err, ERR_INVALID, "%s: there are no rows", t->path);
    bool survival = risk_model_is_survival(model);
    if (with_response) TRY(read_numbers(a, t, s->response, &out->y, err));
    if (survival) TRY(read_numbers(a, t, s->start, &out->start, err));
    if (survival) TRY(read_numbers(a, t, s->stop, &out->stop, err));
    if (with_response) TRY(read_numbers(a, t, s->upper, &out->upper, err));
    TRY(read_numbers(a, t, s->exposure, &out->exposure, err));
    if (with_response) TRY(read_numbers(a, t, s->weight, &out->weight, err));
    TRY(read_numbers(a, t, s->earlier, &out->earlier, err));
    TRY(read_numbers(a, t, s->length, &out->length, err));
    TRY(read_numbers(a, t, s->age, &out->age, err));
    TRY(read_numbers(a, t, s->last, &out->last, err));
    TRY(read_group(a, t, s->cluster, NULL, &out->clusters, &out->cluster, err));
    TRY(read_group(a, t, s->strata, strata, &out->strata, &out->stratum, err));
    if (s->id != NULL) TRY(table_column(t, s->id, true, &out->id_column, err));
    out->complete = ARENA_NEW(a, bool, t->n_row + 1);
    if (out->complete == NULL) return err_fail(err, ERR_NOMEM, "%zu rows", t->n_row);
    for (size_t i = 0; i < t->n_row; i++)
        out->complete[i] = out->stratum == NULL || out->stratum[i] != UINT32_MAX;
    if (with_response) TRY(read_split(a, t, s, out, err));
    const double *const needed[] = {out->y, out->start, out->stop, out->weight,
                                    model == RISK_LEYP ? out->earlier : NULL};
    for (size_t k = 0; k < sizeof needed / sizeof needed[0]; k++)
        mark_missing(out->complete, needed[k], t->n_row);
    TRY(make_offset(a, t, s, out, err));
    TRY(check_range(t, s->response, out->y, 0, false, "a number of events, 0 or more", err));
    TRY(check_range(t, s->weight, out->weight, 0, false, "a weight, 0 or more", err));
    TRY(check_range(t, s->length, out->length, 0, false, "a length, 0 or more", err));
    TRY(check_range(t, s->start, out->start, 0, false, "an age, 0 or more", err));
    TRY(check_range(t, s->stop, out->stop, 0, true, "an age above 0", err));
    TRY(check_range(t, s->earlier, out->earlier, 0, false, "a number of events, 0 or more", err));
    return check_spans(t, s, out, err);
}
