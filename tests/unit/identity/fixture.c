#include "test.h"

#include <ftw.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "store/driver.h"

const int64_t fixture_start_us = 1767225600000000; /* 2026-01-01T00:00:00Z */
static _Atomic int64_t now;

static int64_t clock_now(const struct clock *c) {
    (void)c;
    return atomic_load(&now);
}
static const struct clock moved = {.now_us = clock_now};

void fixture_advance(int64_t seconds) { atomic_fetch_add(&now, seconds * 1000000); }
int64_t fixture_now(void) { return atomic_load(&now); }

/* clang-format off */
#define FIELD(n, k) {.name = (n), .title = {(n), (n)}, .kind = (k), .sensitivity = SENS_INTERNAL}
static const struct field_def area_fields[] = {FIELD("code", FIELD_TEXT), FIELD("level", FIELD_INT)};
static const struct column area_cols[] = {{.name = "code", .type = COL_TEXT, .required = true}, {.name = "level", .type = COL_INT}};
static const struct field_def unit_fields[] = {FIELD("code", FIELD_TEXT)};
static const struct column unit_cols[] = {{.name = "code", .type = COL_TEXT, .required = true}};
static const struct field_def post_fields[] = {FIELD("account", FIELD_TEXT), FIELD("cell", FIELD_TEXT), FIELD("cover", FIELD_TEXT), FIELD("cover_until", FIELD_TIME), FIELD("layer", FIELD_TEXT), FIELD("ended_at", FIELD_TIME)};
static const struct field_def cell_fields[] = {FIELD("code", FIELD_TEXT), FIELD("layer", FIELD_TEXT)};
static const struct column cell_cols[] = {{.name = "code", .type = COL_TEXT}, {.name = "layer", .type = COL_TEXT}};
static const struct column post_cols[] = {{.name = "account", .type = COL_TEXT}, {.name = "cell", .type = COL_TEXT}, {.name = "cover", .type = COL_TEXT}, {.name = "cover_until", .type = COL_TIME}, {.name = "layer", .type = COL_TEXT}, {.name = "ended_at", .type = COL_TIME}};
static const struct field_def contact_fields[] = {FIELD("note", FIELD_TEXT), {.name = "phone", .title = {"Phone", "电话"}, .kind = FIELD_TEXT, .sensitivity = SENS_PERSONAL},
                                                  {.name = "health", .title = {"Health", "健康"}, .kind = FIELD_TEXT, .sensitivity = SENS_SENSITIVE}};
static const struct column contact_cols[] = {{.name = "note", .type = COL_TEXT}, {.name = "phone", .type = COL_TEXT, .personal = true},
                                             {.name = "health", .type = COL_TEXT, .personal = true}};
#define TYPE(n) {.name = #n, .title = {#n, #n}, .pack = "fixture", .purpose = "test", .fields = n##_fields, \
                 .n_fields = sizeof n##_fields / sizeof n##_fields[0], \
                 .table = {.name = #n, .kind = TABLE_LEDGER, .cols = n##_cols, .n_cols = sizeof n##_cols / sizeof n##_cols[0]}}
static const struct type_def types[] = {TYPE(area), TYPE(unit), TYPE(post), TYPE(contact), TYPE(cell)};
static const struct table *const tables[] = {&types[0].table, &types[1].table, &types[2].table, &types[3].table, &types[4].table};

static const char *const worker[] = {"case.read", "case.move", "grid.read"};
static const char *const desk[] = {"case.read", "case.move", "case.contact", "grid.read"};
static const char *const system_[] = {"account.read", "account.manage", "pack.manage"};
static const char *const security[] = {"account.read", "session.manage", "rights.review"};
static const char *const audit[] = {"audit.read"};
#define ROLE(n, en, zh, g, ...) {.name = n, .title = {en, zh}, .grants = g, .n_grants = sizeof g / sizeof g[0], __VA_ARGS__}
static const struct role_def roles[] = {
    ROLE("worker", "Cell worker", "网格员", worker, .cases = SCOPE_OWN_CELLS),
    ROLE("operator", "Operator", "值班员", desk, .cases = SCOPE_AREA, .personal = true),
    ROLE("department", "Department", "部门", desk, .cases = SCOPE_UNIT),
    ROLE("system_admin", "System administrator", "系统管理员", system_, .cases = SCOPE_NONE),
    ROLE("security_admin", "Security administrator", "安全管理员", security, .cases = SCOPE_NONE),
    ROLE("audit_admin", "Audit administrator", "审计管理员", audit, .cases = SCOPE_NONE),
};
/* clang-format on */
const struct pack_set fixture_packs = {.types = types,
                                       .n_types = 5,
                                       .roles = roles,
                                       .n_roles = sizeof roles / sizeof roles[0],
                                       .tables = tables,
                                       .n_tables = 5};

static void must(enum err_code rc, const struct err *err) {
    if (rc != ERR_OK) fail_msg("%s: %s %s", err_name(rc), err->field, err->detail);
}

static enum err_code city_apply(struct tx *tx, void *arg, struct err *err) {
    static const char *const areas[] = {"110000000000", "110101000000", "110102000000",
                                        "110101001000", "110101001001"};
    static const int levels[] = {1, 2, 2, 3, 4};
    (void)arg;
    for (size_t i = 0; i < 5; i++) {
        int64_t id = 0;
        const struct cell cells[] = {cell_text(areas[i]), cell_int(levels[i])};
        TRY(tx_insert(tx, tables[0], cells, &id, err));
    }
    for (size_t i = 0; i < 2; i++) {
        int64_t id = 0;
        const struct cell cell[] = {cell_text("G1"), cell_text(i == 0 ? "school" : "social")};
        TRY(tx_insert(tx, tables[4], cell, &id, err));
        id = 0;
        const struct cell cells[] = {cell_text(i == 0 ? "roads" : "parks")};
        TRY(tx_insert(tx, tables[1], cells, &id, err));
    }
    return ERR_OK;
}

enum err_code fixture_run(struct fixture *f, const char *actor,
                          enum err_code (*apply)(struct tx *tx, void *arg, struct err *err),
                          void *arg, struct err *err) {
    const struct command c = {.name = "test", .actor = actor, .apply = apply, .arg = arg};
    return ledger_run(f->ledger, &c, NULL, NULL, err);
}

void fixture_open(struct fixture *f) {
    struct err err = {0};
    const struct ledger_options lo = {
        .clock = moved, .tables = tables, .n_tables = 5, .ledger_id = 1, .n_readers = 2};
    const struct identity_options io = {
        .clock = moved,
        .throttle = NULL,
        .password = {.threads = 2, .queue = 64, .memory_bytes = 64 << 10, .ops = 1}};
    struct identity_options with = io;
    bool is_new = f->dir[0] == '\0';
    if (is_new) {
        atomic_store(&now, fixture_start_us);
        (void)snprintf(f->dir, sizeof f->dir, "/tmp/gezhi-identity-XXXXXX");
        assert_non_null(mkdtemp(f->dir));
        must(ledger_create(f->dir, &lo, &err), &err);
    }
    must(ledger_open(f->dir, &lo, &f->ledger, &err), &err);
    if (is_new) must(fixture_run(f, "system", city_apply, NULL, &err), &err);
    must(throttle_new(4096, &f->throttle, &err), &err);
    with.throttle = f->throttle;
    f->id = NULL;
    must(identity_open(f->ledger, &fixture_packs, &with, &f->id, &err), &err);
}

void fixture_close(struct fixture *f) {
    ledger_close(f->ledger);
    identity_close(f->id);
    throttle_free(f->throttle);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *w) {
    (void)st;
    (void)kind;
    (void)w;
    return remove(path);
}

void fixture_remove(struct fixture *f) {
    fixture_close(f);
    (void)nftw(f->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    f->dir[0] = '\0';
}

struct add {
    struct account_in in;
    const char *hash;
    struct account out;
};

static enum err_code add_apply(struct tx *tx, void *arg, struct err *err) {
    struct add *a = arg;
    TRY(account_add(tx, &fixture_packs, NULL, &a->in, &a->out, err));
    return account_set_password(tx, a->out.id, a->hash, false, 0, err);
}

int64_t fixture_account(struct fixture *f, const char *name, const char *role, const char *area,
                        const char *unit, const char *password) {
    struct err err = {0};
    char hash[PASSWORD_HASH];
    struct password_pool *pool = NULL;
    must(password_pool_new(
             &(struct password_options){.threads = 1, .memory_bytes = 64 << 10, .ops = 1}, &pool,
             &err),
         &err);
    must(password_hash(pool, password, hash, &err), &err);
    password_pool_free(pool);
    struct add a = {.in = {.name = name, .role = role, .area = area, .unit = unit}, .hash = hash};
    must(fixture_run(f, "system", add_apply, &a, &err), &err);
    must(identity_reload(f->id, a.out.id, &err), &err);
    return a.out.id;
}

struct post {
    int64_t id, cover_until_us, ended_us;
    const char *account, *cell, *cover, *layer;
};

static enum err_code post_apply(struct tx *tx, void *arg, struct err *err) {
    struct post *p = arg;
    const struct cell cells[] = {
        cell_text(p->account), cell_text(p->cell),
        cell_text(p->cover),   p->cover == NULL ? cell_null() : cell_int(p->cover_until_us),
        cell_text(p->layer),   p->ended_us == 0 ? cell_null() : cell_int(p->ended_us)};
    if (p->id != 0) return tx_update(tx, tables[2], p->id, -1, cells, err);
    return tx_insert(tx, tables[2], cells, &p->id, err);
}

int64_t fixture_post(struct fixture *f, const char *account, const char *cell, const char *cover,
                     int64_t cover_until_us) {
    struct err err = {0};
    struct post p = {.cover_until_us = cover_until_us,
                     .account = account,
                     .cell = cell,
                     .cover = cover,
                     .layer = "social"};
    must(fixture_run(f, "system", post_apply, &p, &err), &err);
    ledger_catch_up(f->ledger, ledger_last_seq(f->ledger));
    return p.id;
}

void fixture_post_change(struct fixture *f, int64_t post, const char *account, const char *cell,
                         const char *layer, int64_t ended_us) {
    struct err err = {0};
    struct post p = {
        .id = post, .account = account, .cell = cell, .layer = layer, .ended_us = ended_us};
    must(fixture_run(f, "system", post_apply, &p, &err), &err);
    ledger_catch_up(f->ledger, ledger_last_seq(f->ledger));
}

enum err_code fixture_sign_in(struct fixture *f, const char *name, const char *password,
                              const char *remote, char cookie[IDENTITY_COOKIE],
                              struct principal *out) {
    struct principal p;
    const struct sign_in in = {name, password, remote, "test browser"};
    return identity_sign_in(f->id, &in, cookie, out == NULL ? &p : out, NULL);
}

struct principal fixture_who(struct fixture *f, const char *cookie) {
    struct principal p;
    assert_int_equal(identity_authenticate(f->id, cookie, NULL, &p, NULL), ERR_OK);
    return p;
}

int64_t fixture_count(struct fixture *f, const char *sql, int64_t id) {
    struct reader *r = NULL;
    int64_t n = -1;
    struct err err = {0};
    const struct cell p[] = {cell_int(id)};
    must(ledger_read_begin(f->ledger, &r, &err), &err);
    must(db_int(reader_db(r), sql, p, 1, 0, &n, &err), &err);
    ledger_read_end(r);
    return n;
}

int64_t fixture_journal(struct fixture *f, const char *type, const char *command) {
    struct reader *r = NULL;
    int64_t n = -1;
    struct err err = {0};
    const struct cell p[] = {cell_text(type), cell_text(command == NULL ? "" : command)};
    must(ledger_read_begin(f->ledger, &r, &err), &err);
    must(db_int(reader_db(r),
                "SELECT COUNT(*) FROM journal WHERE type = ?1 AND (?2 = '' OR command = ?2)", p, 2,
                0, &n, &err),
         &err);
    ledger_read_end(r);
    return n;
}
