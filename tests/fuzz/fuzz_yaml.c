/* YAML: any bytes end in a tree or a clean error that names the place; a tree, written as JSON, is
 * YAML of the same content. */
#include <stdint.h>
#include <string.h>

#include "base/json.h"
#include "base/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* JSON's escapes \u0001 .. and U+2028 in keys or text are read back alike; only the type of whole
 * doubles may change. */
static void check_same(const struct val *a, const struct val *b) {
    app_assert(a->n == b->n);
    switch (a->type) {
    case VAL_LIST:
        app_assert(b->type == VAL_LIST);
        for (size_t i = 0; i < a->n; i++) check_same(&a->u.list[i], &b->u.list[i]);
        return;
    case VAL_MAP:
        app_assert(b->type == VAL_MAP);
        for (size_t i = 0; i < a->n; i++) {
            app_assert(strcmp(a->u.map[i].key, b->u.map[i].key) == 0);
            check_same(&a->u.map[i].v, &b->u.map[i].v);
        }
        return;
    case VAL_STR:
        app_assert(b->type == VAL_STR && memcmp(a->u.s, b->u.s, a->n) == 0);
        return;
    default:
        app_assert(a->type == b->type || (a->type == VAL_DOUBLE && b->type == VAL_INT));
        return;
    }
}

static void check_positions(const struct val *v) {
    app_assert(v->line >= 1 && v->col >= 1);
    for (size_t i = 0; i < v->n && v->type == VAL_LIST; i++) check_positions(&v->u.list[i]);
    for (size_t i = 0; i < v->n && v->type == VAL_MAP; i++) check_positions(&v->u.map[i].v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena *a = arena_new((size_t)256 << 20);
    const struct val *v, *again;
    struct err err;
    app_assert(a != NULL);
    enum err_code rc = yaml_parse(a, "fuzz.yaml", (const char *)data, size, &v, &err);
    app_assert(rc == ERR_OK || rc == ERR_SYNTAX || rc == ERR_LIMIT);
    if (rc == ERR_OK) {
        struct buf b;
        struct jw w;
        check_positions(v);
        buf_init(&b, (size_t)64 << 20);
        jw_init(&w, &b);
        jw_val(&w, v);
        app_assert(!b.failed);
        app_assert(json_parse(a, buf_text(&b), b.n, &again, &err) == ERR_OK);
        check_same(v, again);
        buf_deinit(&b);
    } else {
        app_assert(v == NULL && strncmp(err.detail, "fuzz.yaml:", 10) == 0);
    }
    arena_free(a);
    return 0;
}
