/* Columns of a CSV among the shared data; absent data skip the test with a message. */
#ifndef TEST_NUM_SHARED_DATA_H
#define TEST_NUM_SHARED_DATA_H
#include "../base/testing.h"

#include <stdio.h>

#include "study/table/table.h"

#define SHARED(path) SOURCE_DIR "/../shared/data/" path

static inline const struct table *shared_table(struct arena *a, const char *path) {
    const struct table *t = NULL;
    struct err err = {0};
    enum err_code rc = table_load(a, path, 0, 1000000, &t, &err);
    if (rc == ERR_NOT_FOUND) {
        printf("skipped: there is no %s\n", path);
        skip();
    }
    if (rc != ERR_OK) fail_msg("%s", err.detail);
    return t;
}
static inline double *shared_column(struct arena *a, const struct table *t, const char *name) {
    size_t col;
    struct err err = {0};
    double *v = ARENA_NEW(a, double, t->n_row);
    assert_non_null(v);
    if (table_column(t, name, true, &col, &err) != ERR_OK) fail_msg("%s", err.detail);
    for (size_t i = 0; i < t->n_row; i++)
        if (table_number(t, i, col, true, &v[i], &err) != ERR_OK) fail_msg("%s", err.detail);
    return v;
}
#endif
