/* The ground of the demo city: rows of areas, cells, units, posts and accounts from the plan. */
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "domain/identity/account.h"
#include "domain/identity/password.h"
#include "sim/city_geo.h"
#include "sim/demo_inside.h"

static void put(const struct type_def *t, struct cell *cells, const char *field, struct cell v) {
    int col = type_field(t, field);
    if (col >= 0) cells[col] = v;
}

static enum err_code insert(struct tx *tx, const struct type_def *t, struct cell *cells,
                            struct err *err) {
    int64_t id = 0;
    return tx_insert(tx, &t->table, cells, &id, err);
}

static enum err_code blank(struct demo *d, struct tx *tx, const char *type,
                           const struct type_def **t, struct cell **cells, struct err *err) {
    *t = pack_type(d->folder->packs, type);
    if (*t == NULL) return err_fail(err, ERR_INVALID, "the packs have no type \"%s\"", type);
    *cells = ARENA_NEW(tx_arena(tx), struct cell, (*t)->n_fields);
    return *cells == NULL ? err_fail(err, ERR_NOMEM, "demo city") : ERR_OK;
}

static enum err_code shape_cell(struct tx *tx, const struct polygon *p, struct cell *out,
                                struct err *err) {
    struct buf b;
    buf_init(&b, 16u << 20);
    polygon_to_wkb(p, &b);
    char *copy = b.failed ? NULL : arena_dup(tx_arena(tx), buf_text(&b), b.n);
    *out = cell_blob(copy, b.n);
    buf_deinit(&b);
    return copy == NULL ? err_fail(err, ERR_NOMEM, "shape") : ERR_OK;
}

static const char *code_at(const struct demo *d, uint32_t area, enum city_level level) {
    return d->plan->area[city_plan_ancestor(d->plan, area, level)].code;
}

static enum err_code write_areas(struct tx *tx, void *arg, struct err *err) {
    struct demo *d = arg;
    for (uint32_t i = 0; i < d->plan->n_area; i++) {
        const struct city_area *a = &d->plan->area[i];
        const struct type_def *t = NULL;
        struct cell *cells = NULL, shape;
        const struct polygon *p = NULL;
        TRY(blank(d, tx, "area", &t, &cells, err));
        TRY(city_area_polygon(tx_arena(tx), d->plan, i, &p, err));
        TRY(shape_cell(tx, p, &shape, err));
        put(t, cells, "code", cell_text(a->code));
        put(t, cells, "name", cell_text(a->name_zh));
        put(t, cells, "name_en", cell_text(a->name_en));
        put(t, cells, "level", cell_int((int64_t)a->level + LEVEL_CITY));
        put(t, cells, "parent",
            a->parent == CITY_NONE ? cell_null() : cell_text(d->plan->area[a->parent].code));
        put(t, cells, "shape", shape);
        TRY(insert(tx, t, cells, err));
    }
    return ERR_OK;
}

static enum err_code write_cells(struct tx *tx, void *arg, struct err *err) {
    struct demo *d = arg;
    for (uint32_t i = 0; i < d->plan->n_cell; i++) {
        const struct city_cell *c = &d->plan->cell[i];
        const struct type_def *t = NULL;
        struct cell *cells = NULL, shape;
        const struct polygon *p = NULL;
        TRY(blank(d, tx, "cell", &t, &cells, err));
        TRY(city_cell_polygon(tx_arena(tx), d->plan, i, &p, err));
        TRY(shape_cell(tx, p, &shape, err));
        put(t, cells, "layer", cell_text("social"));
        put(t, cells, "code", cell_text(c->code));
        put(t, cells, "name", cell_text(c->name_zh));
        put(t, cells, "name_en", cell_text(c->name_en));
        put(t, cells, "city", cell_text(code_at(d, c->community, CITY_LEVEL_CITY)));
        put(t, cells, "county", cell_text(code_at(d, c->community, CITY_LEVEL_COUNTY)));
        put(t, cells, "town", cell_text(code_at(d, c->community, CITY_LEVEL_TOWN)));
        put(t, cells, "community", cell_text(d->plan->area[c->community].code));
        put(t, cells, "shape", shape);
        TRY(insert(tx, t, cells, err));
    }
    return ERR_OK;
}

static enum err_code write_units(struct tx *tx, void *arg, struct err *err) {
    struct demo *d = arg;
    for (size_t i = 0; i < d->plan->n_unit; i++) {
        const struct city_unit *u = &d->plan->unit[i];
        const struct type_def *t = NULL;
        struct cell *cells = NULL;
        TRY(blank(d, tx, "unit", &t, &cells, err));
        put(t, cells, "code", cell_text(u->code));
        put(t, cells, "name", cell_text(u->name_zh));
        put(t, cells, "name_en", cell_text(u->name_en));
        put(t, cells, "area", cell_text(d->plan->area[u->county].code));
        put(t, cells, "duties", cell_text(city_unit_duty(u->kind)));
        put(t, cells, "phone", cell_text(d->plan->post[u->post].phone));
        TRY(insert(tx, t, cells, err));
    }
    return ERR_OK;
}

void demo_account(const struct demo *d, uint32_t post, char out[DEMO_ACCOUNT]) {
    static const char letter[] = {'w', 'd', 'h'};
    const struct city_post *p = &d->plan->post[post];
    if (post == d->show_worker)
        (void)snprintf(out, DEMO_ACCOUNT, "worker1");
    else if (post == d->show_unit)
        (void)snprintf(out, DEMO_ACCOUNT, "department1");
    else if (post == 0)
        (void)snprintf(out, DEMO_ACCOUNT, "operator1");
    else
        (void)snprintf(out, DEMO_ACCOUNT, "%c%s", letter[p->kind], p->code + 1);
}

static enum err_code write_posts(struct tx *tx, void *arg, struct err *err) {
    struct demo *d = arg;
    for (uint32_t i = 0; i < d->plan->n_post; i++) {
        const struct city_post *p = &d->plan->post[i];
        if (p->kind == CITY_POST_UNIT) continue; /* a department's people are found by its unit */
        const struct type_def *t = NULL;
        struct cell *cells = NULL;
        char account[DEMO_ACCOUNT];
        TRY(blank(d, tx, "post", &t, &cells, err));
        demo_account(d, i, account);
        put(t, cells, "title", cell_text(p->title_zh));
        put(t, cells, "account", cell_text(account));
        put(t, cells, "display", cell_text(p->person_zh));
        put(t, cells, "phone", cell_text(p->phone));
        put(t, cells, "hours",
            cell_text(p->kind == CITY_POST_WORKER ? "08:30-17:30" : "00:00-24:00"));
        if (p->kind == CITY_POST_WORKER) {
            put(t, cells, "layer", cell_text("social"));
            put(t, cells, "cell", cell_text(d->plan->cell[p->cell].code));
        } else {
            put(t, cells, "area", cell_text(d->plan->area[p->area].code));
        }
        TRY(insert(tx, t, cells, err));
    }
    return ERR_OK;
}

/* ---- accounts ---- */

static enum err_code add_account(struct demo *d, struct tx *tx, const char *name,
                                 const char *display, const char *role, const char *area,
                                 const char *unit, struct err *err) {
    struct account out;
    struct account_in in = {
        .name = name, .display = display, .role = role, .area = area, .unit = unit};
    return account_add(tx, d->folder->packs, NULL, &in, &out, err);
}

/* The people of some posts; a command of thousands would outgrow its memory. */
enum { PEOPLE_BATCH = 100 };
struct people {
    struct demo *d;
    uint32_t first;
};

static enum err_code write_people(struct tx *tx, void *arg, struct err *err) {
    const struct people *b = arg;
    struct demo *d = b->d;
    for (uint32_t i = b->first; i < d->plan->n_post && i < b->first + PEOPLE_BATCH; i++) {
        const struct city_post *p = &d->plan->post[i];
        static const char *const roles[] = {"worker", "operator", "department"};
        const char *unit = p->kind == CITY_POST_UNIT ? d->plan->unit[p->unit].code : NULL;
        const char *area = p->kind == CITY_POST_DESK && i > 0 ? d->plan->area[p->area].code : NULL;
        char account[DEMO_ACCOUNT];
        demo_account(d, i, account);
        TRY(add_account(d, tx, account, p->person_zh, roles[p->kind], area, unit, err));
    }
    return ERR_OK;
}

/* Roles without a post. */
static enum err_code write_more_people(struct tx *tx, void *arg, struct err *err) {
    struct demo *d = arg;
    static const struct {
        const char *role, *display;
    } more[] = {{"verifier", "核查员（演示）"},           {"supervisor", "督办领导（演示）"},
                {"analyst", "分析研判员（演示）"},        {"leader", "分管领导（演示）"},
                {"mediator", "调解员（演示）"},           {"system_admin", "系统管理员（演示）"},
                {"security_admin", "安全管理员（演示）"}, {"audit_admin", "审计管理员（演示）"}};
    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++) {
        char name[DEMO_ACCOUNT];
        (void)snprintf(name, sizeof name, "%s1", more[i].role);
        TRY(add_account(d, tx, name, more[i].display, more[i].role, NULL, NULL, err));
    }
    return ERR_OK;
}

static enum err_code run(struct demo *d, const char *name,
                         enum err_code (*apply)(struct tx *, void *, struct err *),
                         struct err *err) {
    struct command c = {.name = name, .actor = "system", .apply = apply, .arg = d};
    return ledger_run(d->folder->ledger, &c, NULL, NULL, err);
}

enum err_code demo_write_city(struct demo *d, struct err *err) {
    TRY(run(d, "area.import", write_areas, err));
    TRY(run(d, "cell.import", write_cells, err));
    TRY(run(d, "unit.import", write_units, err));
    for (uint32_t first = 0; first < d->plan->n_post; first += PEOPLE_BATCH) {
        struct people b = {d, first};
        struct command c = {
            .name = "account.create", .actor = "system", .apply = write_people, .arg = &b};
        TRY(ledger_run(d->folder->ledger, &c, NULL, NULL, err));
    }
    TRY(run(d, "account.create", write_more_people, err));
    return run(d, "post.create", write_posts, err);
}

struct set_password {
    const char *name, *hash;
};

static enum err_code set_password(struct tx *tx, void *arg, struct err *err) {
    struct set_password *s = arg;
    struct account a;
    TRY(account_find(tx_db(tx), s->name, &a, err));
    return account_set_password(tx, a.id, s->hash, false, 0, err);
}

static enum err_code one_password(struct demo *d, struct password_pool *pool, const char *role,
                                  struct err *err) {
    uint8_t random[10];
    char name[DEMO_ACCOUNT], password[24], hash[PASSWORD_HASH];
    (void)snprintf(name, sizeof name, "%s1", role);
    TRY(hash_random(random, sizeof random, err));
    hash_base32(random, sizeof random, password);
    TRY(password_hash(pool, password, hash, err));
    struct set_password s = {name, hash};
    struct command c = {
        .name = "account.password", .actor = "system", .apply = set_password, .arg = &s};
    TRY(ledger_run(d->folder->ledger, &c, NULL, NULL, err));
    (void)fprintf(d->o->accounts, "account %s %s %s\n", role, name, password);
    return ERR_OK;
}

enum err_code demo_write_accounts(struct demo *d, struct err *err) {
    static const char *const roles[] = {"worker",       "operator",       "department", "verifier",
                                        "supervisor",   "analyst",        "leader",     "mediator",
                                        "system_admin", "security_admin", "audit_admin"};
    struct password_pool *pool = NULL;
    struct password_options o = {.threads = 1};
    TRY(password_pool_new(&o, &pool, err));
    enum err_code rc = ERR_OK;
    for (size_t i = 0; rc == ERR_OK && i < sizeof roles / sizeof roles[0]; i++)
        rc = one_password(d, pool, roles[i], err);
    password_pool_free(pool);
    return rc;
}
