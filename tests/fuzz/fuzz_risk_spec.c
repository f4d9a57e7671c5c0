/* The YAML readers of gezhi risk (fit, prepare, pavement) and its terms: any bytes end in a spec
 * that keeps its promises or in a clean error. Behind a line "===" stands a table that is then read
 * by the terms. */
#include <stdint.h>
#include <string.h>

#include "study/risk/design.h"
#include "study/risk/pavement.h"
#include "study/risk/prepare.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void design(struct arena *a, const struct risk_spec *s, const char *p, size_t n) {
    const struct table *t = NULL;
    struct risk_design *d = ARENA_NEW(a, struct risk_design, 1);
    struct err err;
    if (s->terms == NULL || d == NULL) return;
    if (table_parse(a, "t.csv", p, n, 0, 200, &t, &err) != ERR_OK || t->n_row == 0) return;
    if (risk_design_learn(a, s->terms, true, 2, t, NULL, d, &err) != ERR_OK) return;
    app_assert(d->n_columns > 1 && d->n_columns <= RISK_MAX_COLUMNS);
    double *x = ARENA_NEW(a, double, t->n_row * d->n_columns);
    bool *missing = ARENA_NEW(a, bool, t->n_row);
    if (x == NULL || missing == NULL) return;
    enum err_code rc = risk_design_fill(a, d, t, x, missing, NULL, &err);
    app_assert(rc == ERR_OK || rc == ERR_INVALID || rc == ERR_NOMEM);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena *a = arena_new((size_t)64 << 20);
    const char *p = (const char *)data;
    static const char cut[] = "\n===\n";
    const char *at = memmem(p, size, cut, sizeof cut - 1);
    size_t n = at == NULL ? size : (size_t)(at - p) + 1;
    app_assert(a != NULL);
    struct risk_pavement_spec *v = ARENA_NEW(a, struct risk_pavement_spec, 1);
    struct risk_prepare_spec *q = ARENA_NEW(a, struct risk_prepare_spec, 1);
    struct risk_spec s;
    struct err err;
    enum risk_model m;
    app_assert(v != NULL && q != NULL);
    risk_spec_init(&s);
    if (risk_spec_parse(a, "f.yaml", p, n, &s, NULL, &err) == ERR_OK) {
        if (risk_spec_check(&s, &m, &err) == ERR_OK) app_assert(m < RISK_N_MODELS);
        if (at != NULL) design(a, &s, at + sizeof cut - 1, size - n - (sizeof cut - 2));
    } else {
        app_assert(err.detail[0] != '\0');
    }
    if (risk_prepare_parse(a, "f.yaml", p, n, q, &err) == ERR_OK)
        app_assert(q->span.from_year <= q->span.to_year && q->n_keep <= RISK_MAX_KEEP);
    if (risk_pavement_parse(a, "f.yaml", p, n, v, &err) == ERR_OK)
        app_assert(v->fit || (v->n_kinds > 0 && v->n_kinds <= RISK_MAX_KINDS));
    arena_free(a);
    return 0;
}
