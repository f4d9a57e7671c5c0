#include "city.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

static void must(enum err_code rc, const struct err *err) {
    if (rc != ERR_OK) fail_msg("%s: %s %s", err_name(rc), err->field, err->detail);
}

static void put(const struct type_def *t, struct cell *cells, const char *field, struct cell v) {
    int col = type_field(t, field);
    assert_true(col >= 0);
    cells[col] = v;
}

static enum err_code insert(struct tx *tx, const struct type_def *t, const struct cell *cells,
                            struct err *err) {
    int64_t id = 0;
    return tx_insert(tx, &t->table, cells, &id, err);
}

/* A square of 0.1 degree with its south-west corner at (west, 30). */
static struct cell square(struct arena *a, double west) {
    double xy[] = {west, 30, west + 0.1, 30, west + 0.1, 30.1, west, 30.1, west, 30};
    uint32_t ring_n = 5, part_n = 1;
    const struct polygon *p = NULL;
    struct err err = {0};
    must(polygon_from_rings(a, xy, &ring_n, 1, &part_n, 1, &p, &err), &err);
    struct buf b;
    buf_init(&b, 4096);
    polygon_to_wkb(p, &b);
    char *copy = arena_dup(a, buf_text(&b), b.n);
    struct cell c = cell_blob(copy, b.n);
    buf_deinit(&b);
    return c;
}

static enum err_code fill(struct tx *tx, void *arg, struct err *err) {
    const struct pack_set *p = arg;
    static const struct {
        const char *code, *parent;
        int level;
    } areas[] = {{"990100000000", NULL, LEVEL_CITY},
                 {"990101000000", "990100000000", LEVEL_COUNTY},
                 {"990102000000", "990100000000", LEVEL_COUNTY},
                 {"990101001000", "990101000000", LEVEL_TOWN}};
    const struct type_def *area = pack_type(p, "area"), *cell = pack_type(p, "cell");
    const struct type_def *post = pack_type(p, "post"), *unit = pack_type(p, "unit");
    struct cell c[64];
    for (size_t i = 0; i < 4; i++) {
        memset(c, 0, sizeof c);
        put(area, c, "code", cell_text(areas[i].code));
        put(area, c, "name", cell_text(areas[i].code));
        put(area, c, "level", cell_int(areas[i].level));
        put(area, c, "parent", cell_text(areas[i].parent));
        TRY(insert(tx, area, c, err));
        memset(c, 0, sizeof c);
        put(post, c, "title", cell_text("desk"));
        put(post, c, "area", cell_text(areas[i].code));
        put(post, c, "account", cell_text(i == 0 ? "city-desk" : "desk"));
        if (i != 2) TRY(insert(tx, post, c, err));
    }
    static const char *const cells[] = {"990101001001001", "990102001001001"};
    for (size_t i = 0; i < 2; i++) {
        memset(c, 0, sizeof c);
        put(cell, c, "layer", cell_text("social"));
        put(cell, c, "code", cell_text(cells[i]));
        put(cell, c, "name", cell_text(i == 0 ? "A" : "B"));
        put(cell, c, i == 0 ? "town" : "county",
            cell_text(i == 0 ? "990101001000" : "990102000000"));
        put(cell, c, "shape", square(tx_arena(tx), i == 0 ? 119.0 : 119.1));
        TRY(insert(tx, cell, c, err));
    }
    memset(c, 0, sizeof c);
    put(post, c, "title", cell_text("worker of A"));
    put(post, c, "layer", cell_text("social"));
    put(post, c, "cell", cell_text(cells[0]));
    put(post, c, "account", cell_text("wa"));
    TRY(insert(tx, post, c, err));
    memset(c, 0, sizeof c);
    put(unit, c, "code", cell_text("U1"));
    put(unit, c, "name", cell_text("环卫"));
    put(unit, c, "name_en", cell_text("Sanitation"));
    put(unit, c, "area", cell_text("990101000000"));
    put(unit, c, "duties", cell_text("sanitation works"));
    TRY(insert(tx, unit, c, err));
    put(unit, c, "code", cell_text("U2"));
    put(unit, c, "name", cell_text("市政"));
    put(unit, c, "name_en", cell_text("Works"));
    put(unit, c, "duties", cell_text("works"));
    put(unit, c, "area", cell_text("990102000000"));
    return insert(tx, unit, c, err);
}

int city_setup(void **state) {
    struct test_city *c = calloc(1, sizeof *c);
    struct err err = {0};
    (void)snprintf(c->dir, sizeof c->dir, "/tmp/gezhi-process-XXXXXX");
    if (c == NULL || mkdtemp(c->dir) == NULL) return -1;
    struct city city = {"Test", "Asia/Shanghai", "gb", false};
    char dir[80];
    (void)snprintf(dir, sizeof dir, "%s/city", c->dir);
    must(folder_create(dir, SOURCE_DIR "/packs", &city, NULL, &err), &err);
    must(folder_open(dir, 4, NULL, &c->folder, &err), &err);
    c->a = arena_new(64u << 20);
    struct command cmd = {.name = "test.fill",
                          .actor = "system",
                          .apply = fill,
                          .arg = (void *)(uintptr_t)c->folder.packs};
    must(ledger_run(c->folder.ledger, &cmd, NULL, NULL, &err), &err);
    must(grid_open(c->folder.ledger, c->folder.packs, &c->grid, &err), &err);
    must(engine_new(c->a, c->folder.packs, c->folder.tz, ledger_secret(c->folder.ledger), c->grid,
                    &c->engine, &err),
         &err);
    *state = c;
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw) {
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

int city_teardown(void **state) {
    struct test_city *c = *state;
    if (c->folder.ledger != NULL) ledger_close(c->folder.ledger);
    c->folder.ledger = NULL;
    grid_close(c->grid);
    folder_close(&c->folder);
    arena_free(c->a);
    (void)nftw(c->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(c);
    return 0;
}

void city_run(struct test_city *c,
              enum err_code (*apply)(struct tx *tx, void *arg, struct err *err), void *arg) {
    struct command cmd = {.name = "test.run", .actor = "system", .apply = apply, .arg = arg};
    struct err err = {0};
    must(ledger_run(c->folder.ledger, &cmd, NULL, NULL, &err), &err);
}

struct principal city_who(const struct test_city *c, const char *role, const char *name,
                          const char *unit, const char *cell) {
    struct principal p = {.role = pack_role(c->folder.packs, role), .grants = UINT64_MAX};
    assert_non_null(p.role);
    (void)snprintf(p.name, sizeof p.name, "%s", name);
    (void)snprintf(p.unit, sizeof p.unit, "%s", unit == NULL ? "" : unit);
    if (cell != NULL) (void)snprintf(p.cells[p.n_cells++], sizeof p.cells[0], "%s", cell);
    return p;
}

struct reporting {
    struct test_city *city;
    struct report in;
    struct reported *out;
    char code[48];
};

static enum err_code report_apply(struct tx *tx, void *arg, struct err *err) {
    struct reporting *r = arg;
    TRY(case_report(r->city->engine, tx, &r->in, r->out, err));
    (void)snprintf(r->code, sizeof r->code, "%s",
                   case_text(r->city->engine, &r->out->row, CASE_code));
    return ERR_OK;
}

const char *city_report(struct test_city *c, const char *cls, bool in_b, int64_t at_us,
                        struct reported *out) {
    static const struct principal stranger = {.anonymous = true};
    struct reported own;
    struct reporting r = {.city = c, .out = out == NULL ? &own : out};
    const struct case_class *k = pack_class(c->folder.packs, cls);
    assert_non_null(k);
    r.in = (struct report){.cls = k,
                           .has_place = k->needs_place,
                           .lon = in_b ? 119.15 : 119.05,
                           .lat = 30.05,
                           .description = "门口垃圾成堆",
                           .contact = "10012345678",
                           .at_us = at_us,
                           .who = &stranger,
                           .with_word = true};
    city_run(c, report_apply, &r);
    return arena_strdup(c->a, r.code);
}

static enum err_code move_apply(struct tx *tx, void *arg, struct err *err) {
    struct city_move *m = arg;
    const struct val *inputs = NULL;
    struct case_row *row = arena_alloc(tx_arena(tx), 1, sizeof *row);
    if (row == NULL) return err_fail(err, ERR_NOMEM, "test");
    if (m->inputs != NULL)
        TRY(json_parse(tx_arena(tx), m->inputs, strlen(m->inputs), &inputs, err));
    TRY(case_load(m->city->engine, tx_db(tx), m->code, tx_arena(tx), row, err));
    return case_move(m->city->engine, tx, row, m->move, &m->actor, inputs, -1, m->at_us, NULL, err);
}

struct case_row city_row(struct test_city *c, const char *code) {
    struct reader *r = NULL;
    struct err err = {0};
    struct case_row row;
    must(ledger_read_begin(c->folder.ledger, &r, &err), &err);
    must(case_load(c->engine, reader_db(r), code, c->a, &row, &err), &err);
    ledger_read_end(r);
    return row;
}

void city_move(struct city_move *m) {
    struct command cmd = {.name = "test.move", .actor = "system", .apply = move_apply, .arg = m};
    m->rc = ledger_run(m->city->folder.ledger, &cmd, NULL, NULL, &m->err);
    m->row = city_row(m->city, m->code);
}

struct city_move city_try(struct test_city *c, const char *code, const char *move,
                          const struct principal *who, const char *inputs, int64_t at_us) {
    struct city_move m = {.city = c,
                          .code = code,
                          .move = move,
                          .inputs = inputs,
                          .actor = {ACTOR_STAFF, who, 0},
                          .at_us = at_us};
    city_move(&m);
    return m;
}

void city_must(struct test_city *c, const char *code, const char *move, struct principal who,
               const char *inputs, int64_t at_us, struct case_row *row) {
    struct city_move m = city_try(c, code, move, &who, inputs, at_us);
    must(m.rc, &m.err);
    if (row != NULL) *row = m.row;
}

const char *city_dispatched(struct test_city *c, int64_t at_us) {
    const int64_t half_hour = 1800000000;
    struct principal op = city_who(c, "operator", "op", NULL, NULL);
    const char *code = city_report(c, "event-0102", false, at_us, NULL);
    city_must(c, code, "accept", op, "{}", at_us + half_hour, NULL);
    city_must(c, code, "file", op, "{}", at_us + 2 * half_hour, NULL);
    city_must(c, code, "dispatch", op, "{\"unit\":\"U1\"}", at_us + 3 * half_hour, NULL);
    return code;
}
