/* A city's administrator changes the packs by editing files, without C: adds a field to cases and a
 * class of the city's own. The loader takes it, the folder that holds cases already gets the
 * column, old rows stay, new rows hold the value. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "domain/pack/pack.h"
#include "folder.h"
#include "store/ledger.h"

struct city {
    char packs[FOLDER_PATH + 8], data[FOLDER_PATH + 8], dir[FOLDER_PATH];
    struct arena *arena;
    const struct pack_set *set;
    struct ledger *ledger;
};

static void load(struct city *c) {
    struct buf report;
    buf_init(&report, 1 << 16);
    c->arena = arena_new(64u << 20);
    if (pack_load(c->arena, c->packs, &report, &c->set, NULL) != ERR_OK)
        fail_msg("%s", buf_text(&report));
    buf_deinit(&report);
}

static struct ledger_options options(const struct city *c) {
    return (struct ledger_options){.clock = clock_fixed(1767225600000000), /* 2026-01-01 */
                                   .tables = c->set->tables,
                                   .n_tables = c->set->n_tables,
                                   .ledger_id = 1,
                                   .n_readers = 1};
}

static void open_city(struct city *c) {
    struct err err;
    struct ledger_options o = options(c);
    if (ledger_open(c->data, &o, &c->ledger, &err) != ERR_OK) fail_msg("%s", err.detail);
}

struct row {
    const struct type_def *type;
    const char *code, *district; /* district: the city's own field, or NULL */
    int64_t id;
};

static enum err_code insert(struct tx *tx, void *arg, struct err *err) {
    struct row *r = arg;
    struct cell *cells = ARENA_NEW(tx_arena(tx), struct cell, r->type->n_fields);
    if (cells == NULL) return ERR_NOMEM;
    cells[type_field(r->type, "code")] = cell_text(r->code);
    cells[type_field(r->type, "class")] = cell_text("event-0102");
    cells[type_field(r->type, "process")] = cell_text("street");
    cells[type_field(r->type, "state")] = cell_text("reported");
    cells[type_field(r->type, "stage")] = cell_text("collect");
    cells[type_field(r->type, "opened_at")] = cell_int(tx_now_us(tx));
    cells[type_field(r->type, "description")] = cell_text("a heap of refuse");
    if (r->district != NULL) cells[type_field(r->type, "business_area")] = cell_text(r->district);
    return tx_insert(tx, &r->type->table, cells, &r->id, err);
}

static void add_case(struct city *c, struct row *r) {
    struct err err;
    int64_t seq;
    struct command cmd = {.name = "case.report", .actor = "public", .apply = insert, .arg = r};
    if (ledger_run(c->ledger, &cmd, NULL, &seq, &err) != ERR_OK) fail_msg("%s", err.detail);
}

static void expect_field(struct city *c, const struct row *r, const char *want) {
    struct err err;
    struct reader *reader;
    int64_t version;
    struct cell *cells = ARENA_NEW(c->arena, struct cell, r->type->n_fields);
    assert_int_equal(ledger_read_begin(c->ledger, &reader, &err), ERR_OK);
    if (reader_get(reader, &r->type->table, r->id, c->arena, cells, &version, &err) != ERR_OK)
        fail_msg("%s", err.detail);
    const struct cell *x = &cells[type_field(r->type, "business_area")];
    if (want == NULL)
        assert_int_equal(x->type, CELL_NULL);
    else
        assert_string_equal(x->p, want);
    assert_string_equal(cells[type_field(r->type, "code")].p, r->code);
    assert_int_equal(cells[type_field(r->type, "description")].type, CELL_COMMIT);
    ledger_read_end(reader);
}

static void test_field_and_class_without_c(void **state) {
    struct city c = {.ledger = NULL};
    struct row old = {.code = "320602-260101-0001"}, new_row = {.code = "320602-260101-0002"};
    struct err err;
    (void)state;
    folder_make(c.dir);
    (void)snprintf(c.packs, sizeof c.packs, "%s/packs", c.dir);
    (void)snprintf(c.data, sizeof c.data, "%s/data", c.dir);
    folder_copy(SOURCE_DIR "/packs", c.packs);

    /* The city runs on the packs as shipped. */
    load(&c);
    assert_int_equal(type_field(pack_type(c.set, "case"), "business_area"), -1);
    assert_null(pack_class(c.set, "event-9001"));
    struct ledger_options o = options(&c);
    if (ledger_create(c.data, &o, &err) != ERR_OK) fail_msg("%s", err.detail);
    open_city(&c);
    old.type = pack_type(c.set, "case");
    add_case(&c, &old);
    ledger_close(c.ledger);
    arena_free(c.arena);

    /* The administrator edits two files. */
    folder_edit(c.packs, "cases/types/case.yaml", "indexes:\n",
                "  - {name: business_area, kind: text, max: 60, sensitivity: public, form: true, "
                "show_if: 'class in [\"event-9001\"]', title: {en: Business area, zh: 商圈}}\n"
                "indexes:\n  - {columns: [business_area, opened_at], present: business_area}\n");
    folder_edit(c.packs, "cases/classes.yaml", "classes: []",
                "classes:\n  - kind: event\n    code: \"9001\"\n    title: {en: Shared bicycles "
                "piled up, zh: 共享单车堆积}\n    major: \"05\"\n    duty: traffic\n"
                "    limits: {dispatched: 1 work_day}\n");
    load(&c);
    const struct case_class *cls = pack_class(c.set, "event-9001");
    assert_non_null(cls);
    assert_string_equal(cls->title.zh, "共享单车堆积");
    assert_string_equal(cls->process, "street");
    assert_string_equal(cls->major.zh, "街面秩序");
    assert_string_equal(cls->trust, "local");
    assert_int_equal(cls->limits[0].n_milli, 1000);
    assert_true(cls->is_open && cls->needs_place && !cls->is_private);

    /* The folder follows at the next start; nothing is lost. */
    open_city(&c);
    new_row.type = old.type = pack_type(c.set, "case");
    new_row.district = "人民路商圈";
    add_case(&c, &new_row);
    expect_field(&c, &old, NULL);
    expect_field(&c, &new_row, "人民路商圈");
    ledger_close(c.ledger);

    /* And once more without a change: the migration is not made twice. */
    open_city(&c);
    expect_field(&c, &new_row, "人民路商圈");
    ledger_close(c.ledger);
    arena_free(c.arena);
    folder_remove(c.dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_field_and_class_without_c)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
