/* Packs overlaid by what was put in force by page: editions of an index by period, a rule replaced,
 * switched off and given back, what can no longer be read, and all of it as it stood then. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "city.h"
#include "domain/measure/definitions.h"

static const char rule[] =
    "rules:\n"
    "  - {rule: surge, title: {en: Mine, zh: 我的}, color: blue, by: all, level: city, method: "
    "threshold, raise: 900, clear: 100}\n";

static void must(enum err_code rc, const struct err *err) {
    if (rc != ERR_OK) fail_msg("%s: %s", err_name(rc), err->detail);
}

static char *shipped(struct arena *a, const struct pack_set *packs, const char *name) {
    for (size_t i = 0; i < packs->n_documents; i++) {
        const struct val *v = val_get(packs->documents[i].v, "index");
        if (v == NULL || strcmp(v->u.s, name) != 0) continue;
        char *text = arena_alloc(a, 1, 1 << 16);
        FILE *in = fopen(packs->documents[i].file, "r");
        assert_non_null(in);
        size_t n = fread(text, 1, (1 << 16) - 1, in);
        (void)fclose(in);
        text[n] = '\0';
        return text;
    }
    fail_msg("no index %s", name);
    return NULL;
}

/* The text with one piece in place of another. */
static char *edited(struct arena *a, const char *text, const char *from, const char *to) {
    const char *at = strstr(text, from);
    assert_non_null(at);
    return arena_printf(a, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

static void change(struct test_city *c, const char *folder, const char *name,
                   enum definition_state state, const char *yaml, int64_t edition) {
    struct definition_change x = {.folder = folder,
                                  .name = name,
                                  .state = state,
                                  .yaml = yaml,
                                  .valid_from = "",
                                  .edition = edition,
                                  .author = "somebody"};
    city_run(c, definition_change_apply, &x);
}

static const struct definitions *built(struct test_city *c, int64_t as_of) {
    const struct definitions *d = NULL;
    struct reader *r = NULL;
    struct err err = {0};
    must(ledger_read_begin(c->folder.ledger, &r, &err), &err);
    must(definitions_build_as_of(reader_db(r), 1, c->folder.packs, as_of, &d, &err), &err);
    ledger_read_end(r);
    return d;
}

static void test_editions_by_period(void **state) {
    struct test_city *c = *state;
    const int32_t before = 20600, after = 20700; /* 2026-05-27, 2026-09-04 */
    const char *text = shipped(c->a, c->folder.packs, "safety");
    text = edited(c->a, text, "version: 1", "version: 2");
    text = edited(c->a, text, "2026-01-01", "2026-07-01");
    const struct definitions *d = built(c, 0);
    const struct index_def *first = index_find_at(d->indices, "safety", after);
    assert_int_equal(first->version, 1);
    unsigned char hash[32];
    memcpy(hash, first->hash, sizeof hash);
    definitions_unref(d);
    change(c, "indices", "safety", DEFINITION_DRAFT, text, 0);
    d = built(c, 0);
    assert_int_equal(index_find(d->indices, "safety")->version, 1); /* a draft is not in force */
    definitions_unref(d);
    int64_t then = ledger_last_seq(c->folder.ledger);
    change(c, "indices", "safety", DEFINITION_IN_FORCE, text, 2);
    d = built(c, 0);
    assert_int_equal(index_find_at(d->indices, "safety", before)->version, 1);
    assert_memory_equal(index_find_at(d->indices, "safety", before)->hash, hash, 32);
    assert_int_equal(index_find_at(d->indices, "safety", after)->version, 2);
    assert_int_equal(index_find_at(d->indices, "safety", 10000)->version, 1); /* the oldest */
    assert_null(index_find_at(d->indices, "nothing", after));
    definitions_unref(d);
    d = built(c, then);
    assert_int_equal(index_find_at(d->indices, "safety", after)->version, 1);
    definitions_unref(d);
    struct definition_change again = {.folder = "indices",
                                      .name = "safety",
                                      .state = DEFINITION_IN_FORCE,
                                      .yaml = text,
                                      .valid_from = "",
                                      .edition = 2,
                                      .author = "somebody"};
    struct command cmd = {
        .name = "test", .actor = "system", .apply = definition_change_apply, .arg = &again};
    struct err err = {0};
    assert_int_equal(ledger_run(c->folder.ledger, &cmd, NULL, NULL, &err), ERR_CONFLICT);
}

static double raise_of(const struct definitions *d, const char *name) {
    const struct warn_rule *r = warn_find(d->warnings, name);
    return r == NULL ? -1 : r->method == WARN_THRESHOLD ? r->raise : 0;
}

static void test_a_rule_replaced_off_and_back(void **state) {
    struct test_city *c = *state;
    struct definitions alone;
    struct err err = {0};
    const struct definitions *d = built(c, 0);
    size_t n = d->warnings->n_rules;
    assert_int_equal((int)raise_of(d, "surge"), 0);
    definitions_unref(d);
    assert_int_equal(
        definition_read(c->a, c->folder.packs, "warnings", "other", rule, &alone, &err),
        ERR_INVALID);
    assert_non_null(strstr(err.detail, "named \"other\""));
    must(definition_read(c->a, c->folder.packs, "warnings", "surge", rule, &alone, &err), &err);
    change(c, "warnings", "surge", DEFINITION_IN_FORCE, rule, 0);
    d = built(c, 0);
    assert_int_equal((int)raise_of(d, "surge"), 900);
    assert_int_equal(d->warnings->n_rules, n);
    definitions_unref(d);
    change(c, "warnings", "surge", DEFINITION_OFF, NULL, 0);
    d = built(c, 0);
    assert_int_equal((int)raise_of(d, "surge"), -1);
    assert_int_equal(d->warnings->n_rules, n - 1);
    definitions_unref(d);
}

/* The packs have changed under a document: it is left out and told, and the packs' stands. */
static void test_unreadable(void **state) {
    struct test_city *c = *state;
    change(c, "indices", "safety", DEFINITION_IN_FORCE, "index: safety\nversion: 9\n", 9);
    change(c, "warnings", "surge", DEFINITION_IN_FORCE, "rules: [", 0);
    const struct definitions *d = built(c, 0);
    assert_int_equal(d->n_problems, 2);
    assert_non_null(strstr(d->problem[0], "indices/safety:1"));
    assert_int_equal(index_find(d->indices, "safety")->version, 1);
    assert_int_equal((int)raise_of(d, "surge"), 0);
    definitions_unref(d);
}

/* The follower swaps the snapshot; one that is held stays as it is. */
static void test_the_service_follows(void **state) {
    struct test_city *c = *state;
    struct definitions_service *s = NULL;
    struct err err = {0};
    must(definitions_open(c->folder.ledger, c->folder.packs, NULL, &s, &err), &err);
    const struct definitions *held = definitions_ref(s);
    change(c, "warnings", "surge", DEFINITION_IN_FORCE, rule, 0);
    ledger_catch_up(c->folder.ledger, ledger_last_seq(c->folder.ledger));
    const struct definitions *now = definitions_ref(s);
    assert_int_equal((int)raise_of(held, "surge"), 0);
    assert_int_equal((int)raise_of(now, "surge"), 900);
    change(c, "warnings", "surge", DEFINITION_WITHDRAWN, NULL, 0);
    ledger_seen(c->folder.ledger, "definitions", ledger_last_seq(c->folder.ledger));
    const struct definitions *last = definitions_ref(s);
    assert_int_equal((int)raise_of(last, "surge"), 0);
    definitions_unref(held);
    definitions_unref(now);
    definitions_unref(last);
    ledger_close(c->folder.ledger);
    c->folder.ledger = NULL;
    definitions_close(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_editions_by_period, city_setup, city_teardown),
        cmocka_unit_test_setup_teardown(test_a_rule_replaced_off_and_back, city_setup,
                                        city_teardown),
        cmocka_unit_test_setup_teardown(test_unreadable, city_setup, city_teardown),
        cmocka_unit_test_setup_teardown(test_the_service_follows, city_setup, city_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
