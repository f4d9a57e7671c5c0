/* Tables of models in tests: columns from the shared data, design matrices, expected values. */
#ifndef TEST_NUM_MODEL_FRAME_H
#define TEST_NUM_MODEL_FRAME_H
#include "digits.h"
#include "shared_data.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/json.h"
#include "num/model/glm.h"

struct frame {
    struct arena *a;
    size_t n, p;
    double *x; /* n x 16 until frame_data packs it */
    const char *name[16];
    double *y, *offset, *weight;
};

static inline struct frame frame_new(struct arena *a, size_t n) {
    struct frame f = {.a = a, .n = n};
    f.x = ARENA_NEW(a, double, n * 16);
    f.y = ARENA_NEW(a, double, n);
    assert_true(f.x != NULL && f.y != NULL);
    return f;
}

/* Append a column (borrowed values); frame_pack puts the table together. */
static inline void frame_add(struct frame *f, const char *name, const double *v) {
    assert_true(f->p < 16);
    for (size_t i = 0; i < f->n; i++) f->x[i * 16 + f->p] = v == NULL ? 1 : v[i];
    f->name[f->p++] = name;
}

static inline struct model_data frame_data(const struct frame *f) {
    double *x = ARENA_NEW(f->a, double, f->n * f->p);
    const char **name = ARENA_NEW(f->a, const char *, f->p);
    assert_true(x != NULL && name != NULL);
    for (size_t i = 0; i < f->n; i++)
        for (size_t j = 0; j < f->p; j++) x[i * f->p + j] = f->x[i * 16 + j];
    for (size_t j = 0; j < f->p; j++) name[j] = f->name[j];
    return (struct model_data){f->n, f->p, x, name, f->y, f->offset, f->weight};
}

/* 1 where the text of a column is `level`. */
static inline double *level_of(struct arena *a, const struct table *t, const char *column,
                               const char *level) {
    size_t col;
    struct err err;
    double *v = ARENA_NEW(a, double, t->n_row);
    assert_non_null(v);
    if (table_column(t, column, true, &col, &err) != ERR_OK) fail_msg("%s", err.detail);
    for (size_t i = 0; i < t->n_row; i++) v[i] = strcmp(table_text(t, i, col), level) == 0;
    return v;
}

static inline const struct val *expected_json(struct arena *a, const char *path) {
    struct buf b;
    buf_init(&b, (size_t)1 << 20);
    struct err err;
    const struct val *v = NULL;
    enum err_code rc = file_read(path, &b, &err);
    if (rc == ERR_NOT_FOUND) {
        printf("skipped: there is no %s\n", path);
        buf_deinit(&b);
        skip();
    }
    if (rc == ERR_OK) rc = json_parse(a, b.p, b.n, &v, &err);
    buf_deinit(&b);
    if (rc != ERR_OK) fail_msg("%s", err.detail);
    return v;
}

static inline double expected_number(const struct val *map, const char *key) {
    double d = NAN;
    struct err err;
    if (val_double(map, key, true, -1e300, 1e300, &d, &err) != ERR_OK) fail_msg("%s", err.detail);
    return d;
}

/* Coefficients and standard errors by name, relative 1e-5 (README of the reference). */
static inline void check_coefficients(const char *what, const struct model_fit *fit,
                                      const struct val *coef) {
    double got[16], want[16], got_se[16], want_se[16];
    assert_non_null(coef);
    assert_int_equal(coef->n, fit->n_col);
    for (size_t j = 0; j < fit->n_col; j++) {
        const struct val *row = val_get(coef, fit->coef[j].name);
        if (row == NULL) fail_msg("no expected value of %s", fit->coef[j].name);
        want[j] = expected_number(row, "coef");
        want_se[j] = expected_number(row, "se");
        got[j] = fit->coef[j].value;
        got_se[j] = fit->coef[j].se;
    }
    char label[80];
    (void)snprintf(label, sizeof label, "%s coef", what);
    check_all(label, got, want, fit->n_col, 1e-5, 0);
    (void)snprintf(label, sizeof label, "%s se", what);
    check_all(label, got_se, want_se, fit->n_col, 1e-5, 0);
}
#endif
