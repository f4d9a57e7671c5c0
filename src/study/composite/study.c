#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/yaml.h"
#include "num/composite/stages.h"
#include "study/composite/index.h"

/* A spec that divides by nothing needs no columns to divide by. */
static enum err_code forget_denominators(const struct val *spec, struct arena *a,
                                         struct index_frame *f, struct err *err) {
    const struct val *v = val_get(spec, "denominate");
    if (v == NULL || v->type != VAL_BOOL || v->u.b) return ERR_OK;
    const char **none = ARENA_NEW(a, const char *, f->tree.n_ind);
    if (none == NULL) return err_fail(err, ERR_NOMEM, "no memory for the framework");
    for (size_t i = 0; i < f->tree.n_ind; i++) none[i] = "";
    f->denominator = none;
    return ERR_OK;
}

enum err_code index_study_load(const struct index_files *files, struct arena *a,
                               struct index_study *out, struct err *err) {
    static const struct val empty = {.type = VAL_NULL, .line = 1, .col = 1};
    const struct table *meta, *data, *by = NULL;
    const struct val *spec = &empty;
    *out = (struct index_study){0};
    TRY(table_load(a, files->meta, 0, INDEX_MAX_ROWS, &meta, err));
    TRY(index_frame_read(meta, a, &out->frame, err));
    if (files->spec != NULL) TRY(yaml_load(a, files->spec, &spec, err));
    TRY(forget_denominators(spec, a, &out->frame, err));
    TRY(table_load(a, files->data, 0, INDEX_MAX_ROWS, &data, err));
    if (files->denominators != NULL)
        TRY(table_load(a, files->denominators, 0, INDEX_MAX_ROWS, &by, err));
    TRY(index_data_read(data, by, &out->frame, a, &out->data, err));
    TRY(index_spec_read(spec, files->spec == NULL ? "the default spec" : files->spec, &out->frame,
                        &out->data, a, &out->spec, err));
    if (out->spec.group != NULL) TRY(index_data_group(&out->data, out->spec.group, a, err));
    out->tree = out->frame.tree;
    if (out->spec.flat) TRY(composite_tree_flatten(&out->frame.tree, a, &out->tree, err));
    return ERR_OK;
}

/* ---- one period of a panel ---- */

struct cutting {
    const struct index_study *s;
    struct arena *a;
    size_t n;
    uint32_t *column; /* n: of the data */
    bool failed;
};

static const double *cut_rows(struct cutting *c, const double *from, size_t n_row) {
    size_t all = c->s->data.data.n_area;
    double *to = ARENA_NEW(c->a, double, n_row * c->n + 1);
    if (to == NULL) c->failed = true;
    for (size_t i = 0; to != NULL && i < n_row; i++) {
        for (size_t j = 0; j < c->n; j++) to[i * c->n + j] = from[i * all + c->column[j]];
    }
    return to;
}

static const uint32_t *cut_numbers(struct cutting *c, const uint32_t *from) {
    if (from == NULL) return NULL;
    uint32_t *to = ARENA_NEW(c->a, uint32_t, c->n);
    if (to == NULL) c->failed = true;
    for (size_t j = 0; to != NULL && j < c->n; j++) to[j] = from[c->column[j]];
    return to;
}

static enum err_code cut_data(struct cutting *c, struct composite_data *out, struct err *err) {
    const struct composite_data *d = &c->s->data.data;
    const char **area = ARENA_NEW(c->a, const char *, c->n);
    for (size_t j = 0; area != NULL && j < c->n; j++) area[j] = d->area[c->column[j]];
    *out = *d;
    out->n_area = c->n;
    out->area = area;
    out->value = cut_rows(c, d->value, c->s->tree.n_ind);
    out->denominator = cut_rows(c, d->denominator, d->n_denominator);
    out->group = cut_numbers(c, d->group);
    out->unit = NULL;
    out->time = NULL;
    out->period = NULL;
    if (c->failed || area == NULL) return err_fail(err, ERR_NOMEM, "no memory for one period");
    return ERR_OK;
}

static bool is_panel(enum composite_impute_kind k) {
    return k == COMPOSITE_IMPUTE_PANEL_LAST || k == COMPOSITE_IMPUTE_PANEL_LINEAR;
}

/* Gaps are filled over all times before the period is cut out. */
static enum err_code impute_panel(struct index_study *s, struct cutting *c,
                                  const struct num_run *run, struct err *err) {
    struct composite_result *r = &s->result;
    const struct composite_data *d = &s->data.data;
    size_t cells = s->tree.n_ind * d->n_area;
    double *v = ARENA_NEW(c->a, double, cells);
    struct composite_imputed told;
    if (v == NULL) return err_fail(err, ERR_NOMEM, "no memory for the panel");
    if (s->spec.spec.screen.kind != COMPOSITE_SCREEN_NONE && s->spec.spec.screen.before_impute)
        return err_fail(err, ERR_INVALID,
                        "%s: screening before imputation by panel is not for one time: say when: "
                        "after_imputation",
                        s->spec.name);
    memcpy(v, d->value, cells * sizeof *v);
    if (s->spec.spec.denominate) TRY(composite_denominate(d, &s->tree, v, err));
    *r = (struct composite_result){0};
    r->stage[COMPOSITE_RAW] = s->columns.value;
    r->stage[COMPOSITE_DENOMINATED] = cut_rows(c, v, s->tree.n_ind);
    r->stage[COMPOSITE_SCREENED_FIRST] = r->stage[COMPOSITE_DENOMINATED];
    TRY(composite_impute_gaps(d, &s->tree, &s->spec.spec.impute, run, c->a, v, &told, err));
    r->stage[COMPOSITE_IMPUTED] = cut_rows(c, v, s->tree.n_ind);
    for (int k = COMPOSITE_RAW; k <= COMPOSITE_IMPUTED; k++) r->n_area[k] = c->n;
    r->em_iterations = told.em_iterations;
    if (c->failed) return err_fail(err, ERR_NOMEM, "no memory for one period");
    const double *before = r->stage[COMPOSITE_DENOMINATED], *after = r->stage[COMPOSITE_IMPUTED];
    for (size_t k = 0; k < s->tree.n_ind * c->n; k++) {
        r->n_still_missing += isnan(after[k]) ? 1 : 0;
        r->n_imputed += isnan(before[k]) && !isnan(after[k]) ? 1 : 0;
    }
    return ERR_OK;
}

static enum err_code choose_period(struct index_study *s, struct cutting *c, struct err *err) {
    const struct composite_data *d = &s->data.data;
    if (d->time == NULL)
        return err_fail(err, ERR_INVALID, "%s: time is given but %s has no column Time",
                        s->spec.name, s->data.table->path);
    c->column = ARENA_NEW(c->a, uint32_t, d->n_area);
    if (c->column == NULL) return err_fail(err, ERR_NOMEM, "no memory for one period");
    for (size_t j = 0; j < d->n_area; j++) {
        if (d->time[j] == s->spec.time) c->column[c->n++] = (uint32_t)j;
    }
    if (c->n == 0)
        return err_fail(err, ERR_INVALID, "%s: %s has no row of Time %g", s->spec.name,
                        s->data.table->path, s->spec.time);
    return ERR_OK;
}

/* A reference area is a column of what is run; in a panel it is the one of the period. */
static enum err_code move_reference(struct index_study *s, const struct cutting *c,
                                    struct composite_normalise *n, struct err *err) {
    struct composite_norm *norm = ARENA_NEW(c->a, struct composite_norm, n->n_norm);
    if (norm == NULL) return err_fail(err, ERR_NOMEM, "no memory for one period");
    for (size_t k = 0; k < n->n_norm; k++) {
        norm[k] = n->norm[k];
        if (norm[k].kind != COMPOSITE_NORM_DIST_REF) continue;
        const char *code = s->data.data.area[norm[k].reference];
        uint32_t j = 0;
        while (j < c->n && strcmp(s->columns.area[j], code) != 0) j++;
        if (j == c->n)
            return err_fail(err, ERR_INVALID, "%s: reference area %s has no row of Time %g",
                            s->spec.name, code, s->spec.time);
        norm[k].reference = j;
    }
    n->norm = norm;
    return ERR_OK;
}

enum err_code index_study_run(struct index_study *s, const struct num_run *run, struct arena *a,
                              struct err *err) {
    struct composite_spec spec = s->spec.spec;
    enum composite_stage from = COMPOSITE_RAW;
    s->columns = s->data.data;
    s->column_of = NULL;
    if (!isnan(s->spec.time)) {
        struct cutting c = {.s = s, .a = a};
        TRY(choose_period(s, &c, err));
        TRY(cut_data(&c, &s->columns, err));
        s->column_of = c.column;
        TRY(move_reference(s, &c, &spec.normalise, err));
        if (is_panel(spec.impute.kind) || is_panel(spec.impute.then)) {
            TRY(impute_panel(s, &c, run, err));
            from = COMPOSITE_SCREENED;
        }
    }
    struct err inner = {0};
    if (composite_run(&s->columns, &s->tree, &spec, from, run, a, &s->result, &inner) == ERR_OK)
        return ERR_OK;
    return err_fail(err, inner.code, "%s: %s", s->data.table->path, inner.detail);
}
