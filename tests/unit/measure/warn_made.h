/* Made rows and rules for tests of warnings. */
#ifndef TESTS_MEASURE_WARN_MADE_H
#define TESTS_MEASURE_WARN_MADE_H
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/civil.h"
#include "base/rng.h"
#include "base/yaml.h"
#include "domain/measure/warn_merge.h"

struct made {
    struct arena *a;
    const struct pack_set *packs;
    const struct tz *tz;
    struct warn_rows rows;
    size_t n;
};

static inline void made_must(enum err_code rc, const struct err *err) {
    if (rc != ERR_OK) fail_msg("%s: %s", err_name(rc), err->detail);
}

static inline void made_new(struct made *m, const char *zone) {
    struct err err = {0};
    *m = (struct made){.a = arena_new((size_t)1 << 30)};
    made_must(pack_load(m->a, SOURCE_DIR "/packs", NULL, &m->packs, &err), &err);
    made_must(tz_load(m->a, zone, &m->tz, &err), &err);
    warn_rows_init(&m->rows, m->a, m->packs, m->tz);
}

static inline void made_free(struct made *m) {
    warn_rows_free(&m->rows);
    arena_free(m->a);
}

static inline uint32_t made_class(const struct made *m, const char *id) {
    const struct case_class *c = pack_class(m->packs, id);
    assert_non_null(c);
    return (uint32_t)(c - m->packs->classes);
}

/* What the texts of packs' documents mean; the error when they are wrong. */
static inline enum err_code made_load(struct made *m, const char *text, const struct warn_set **out,
                                      struct err *err) {
    struct pack_document doc = {.pack = "p", .folder = "warnings", .file = "w.yaml"};
    struct pack_set p = *m->packs;
    TRY(yaml_parse(m->a, "w.yaml", text, strlen(text), &doc.v, err));
    p.documents = &doc;
    p.n_documents = 1;
    return warn_load(m->a, &p, out, err);
}

static inline const struct warn_set *made_set(struct made *m, const char *text) {
    const struct warn_set *s = NULL;
    struct err err = {0};
    made_must(made_load(m, text, &s, &err), &err);
    return s;
}

static inline void made_add(struct made *m, struct warn_row r) {
    char code[24];
    struct err err = {0};
    (void)snprintf(code, sizeof code, "C%07zu", ++m->n);
    r.code = code;
    made_must(warn_rows_add(&m->rows, &r, &err), &err);
}
#endif
