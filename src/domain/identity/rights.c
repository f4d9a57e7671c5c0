#include "domain/identity/rights.h"

#include <string.h>

static const struct {
    const char *name;
    struct text title;
} permissions[PERM_N] = {
#define X(id, name, en, zh) [PERM_##id] = {name, {en, zh}},
#include "../../../decl/permissions.def"
#undef X
};
_Static_assert(PERM_N <= 64, "a principal carries its permissions as bits of one word");

#define BIT(perm) ((uint64_t)1 << (perm))
#define ADMIN_BITS (BIT(PERM_ACCOUNT_MANAGE) | BIT(PERM_SESSION_MANAGE) | BIT(PERM_AUDIT_READ))
#define CASE_BITS                                                                                  \
    (BIT(PERM_CASE_READ) | BIT(PERM_CASE_REPORT) | BIT(PERM_CASE_MOVE) | BIT(PERM_CASE_EXPORT) |   \
     BIT(PERM_CASE_CONTACT))

const char *permission_name(enum permission perm) { return permissions[perm].name; }

struct text permission_title(enum permission perm) {
    return permissions[perm].title;
}

bool principal_may(const struct principal *p, enum permission perm) {
    return !p->anonymous && p->role != NULL && (p->grants & BIT(perm)) != 0;
}

uint64_t rights_grants(const struct role_def *role) {
    uint64_t bits = 0;
    for (size_t i = 0; role != NULL && i < role->n_grants; i++)
        for (size_t k = 0; k < PERM_N; k++)
            if (strcmp(role->grants[i], permissions[k].name) == 0) bits |= BIT(k);
    return bits;
}

bool rights_is_admin(uint64_t grants) { return (grants & ADMIN_BITS) != 0; }

enum err_code rights_check_roles(const struct pack_set *packs, struct err *err) {
    for (size_t i = 0; i < packs->n_roles; i++) {
        const struct role_def *r = &packs->roles[i];
        uint64_t grants = rights_grants(r), admin = grants & ADMIN_BITS;
        if (admin == 0) continue;
        if ((admin & (admin - 1)) != 0)
            return err_fail(err, ERR_INVALID,
                            "role \"%s\" joins what must be apart: account.manage, session.manage "
                            "and audit.read",
                            r->name);
        if ((grants & CASE_BITS) != 0 || r->cases != SCOPE_NONE || r->personal || r->sensitive)
            return err_fail(err, ERR_INVALID,
                            "role \"%s\" administers and so may have no rights over cases",
                            r->name);
    }
    return ERR_OK;
}

/* What a scope asks of a row, so that the query and the row test are made from one decision. */
enum ask_kind { ASK_NOTHING, ASK_ALL, ASK_EQUAL, ASK_CELLS };
struct ask {
    enum ask_kind kind;
    const char *column; /* ASK_EQUAL */
    const char *value;
    const char *area_column; /* a second equality, or NULL */
    bool open_private, open_tasks;
};

static bool ask_area(const struct principal *p, struct ask *out) {
    static const char *const columns[] = {[2] = "county", [3] = "town", [4] = "community"};
    out->kind = ASK_ALL;
    if (p->area[0] == '\0') return p->area_level == 0;
    if (p->area_level < 0 || p->area_level > 4) return false;
    if (p->area_level < 2) return true;
    out->kind = ASK_EQUAL;
    out->column = columns[p->area_level];
    out->value = p->area;
    return true;
}

static struct ask ask_of(const struct principal *p) {
    static const struct ask nothing = {.kind = ASK_NOTHING};
    struct ask ask = nothing;
    if (!principal_may(p, PERM_CASE_READ)) return nothing;
    switch (p->role->cases) {
    case SCOPE_NONE:
        return nothing;
    case SCOPE_OWN_CELLS:
        if (p->n_cells == 0) return nothing;
        ask.kind = ASK_CELLS;
        break;
    case SCOPE_UNIT:
        if (p->unit[0] == '\0' || !ask_area(p, &ask)) return nothing;
        ask.area_column = ask.kind == ASK_EQUAL ? ask.column : NULL;
        ask.kind = ASK_EQUAL;
        ask.column = "unit";
        ask.value = p->unit;
        break;
    case SCOPE_AREA:
        if (!ask_area(p, &ask)) return nothing;
        break;
    case SCOPE_ALL:
        ask.kind = ASK_ALL;
        break;
    default:
        return nothing;
    }
    ask.open_private = p->role->private_cases;
    ask.open_tasks = principal_may(p, PERM_WARNING_READ);
    return ask;
}

static bool same(const char *a, const char *b) {
    return a != NULL && a[0] != '\0' && strcmp(a, b) == 0;
}

static const char *value_of(const struct rights_case *c, const char *column) {
    if (strcmp(column, "county") == 0) return c->county;
    if (strcmp(column, "town") == 0) return c->town;
    if (strcmp(column, "community") == 0) return c->community;
    return c->unit;
}

static bool in_cells(const struct principal *p, const char *cell) {
    for (size_t i = 0; i < p->n_cells; i++)
        if (same(cell, p->cells[i])) return true;
    return false;
}

bool rights_case_may(const struct principal *p, const struct rights_case *c) {
    struct ask ask = ask_of(p);
    if (ask.kind == ASK_NOTHING) return false;
    if (ask.kind == ASK_EQUAL && !same(value_of(c, ask.column), ask.value)) return false;
    if (ask.area_column != NULL && !same(value_of(c, ask.area_column), p->area)) return false;
    if (ask.kind == ASK_CELLS && !in_cells(p, c->cell)) return false;
    return !c->is_private || (c->is_task ? ask.open_tasks : ask.open_private) ||
           same(c->holder, p->name);
}

static void column(struct sql *s, const struct table *t, const char *alias, const char *name) {
    int col = table_col(t, name);
    app_assert(col >= 0); /* the engine has resolved these columns at its start */
    sql_column(s, t, col, alias);
}

static void where_scope(const struct principal *p, const struct ask *ask, const struct table *t,
                        const char *alias, struct sql *s) {
    if (ask->kind == ASK_EQUAL) {
        column(s, t, alias, ask->column);
        sql_add(s, " = ");
        (void)sql_value(s, cell_text(ask->value));
    } else if (ask->kind == ASK_CELLS) {
        column(s, t, alias, "cell");
        sql_add(s, " IN (");
        for (size_t i = 0; i < p->n_cells; i++) {
            if (i > 0) sql_add(s, ", ");
            (void)sql_value(s, cell_text(p->cells[i]));
        }
        sql_add(s, ")");
    } else {
        sql_add(s, "1 = 1");
    }
    if (ask->area_column != NULL) {
        sql_add(s, " AND ");
        column(s, t, alias, ask->area_column);
        sql_add(s, " = ");
        (void)sql_value(s, cell_text(p->area));
    }
}

void rights_tasks_where(const struct table *t, const char *alias, bool tasks, struct sql *s) {
    /* '.' is the character after '-': the ids that begin with the kind. */
    sql_add(s, "(");
    column(s, t, alias, "class");
    if (tasks) {
        sql_add(s, " >= 'task-' AND ");
        column(s, t, alias, "class");
        sql_add(s, " < 'task.')");
    } else {
        sql_add(s, " < 'task-' OR ");
        column(s, t, alias, "class");
        sql_add(s, " >= 'task.')");
    }
}

void rights_case_where(const struct principal *p, const struct table *t, const char *alias,
                       struct sql *s) {
    struct ask ask = ask_of(p);
    sql_add(s, "(");
    if (ask.kind == ASK_NOTHING) {
        sql_add(s, "1 = 0)");
        return;
    }
    where_scope(p, &ask, t, alias, s);
    if (!ask.open_private || !ask.open_tasks) {
        sql_add(s, " AND (");
        column(s, t, alias, "private");
        sql_add(s, " = 0 OR ");
        column(s, t, alias, "holder");
        sql_add(s, " = ");
        (void)sql_value(s, cell_text(p->name));
        if (ask.open_private || ask.open_tasks) {
            sql_add(s, " OR ");
            rights_tasks_where(t, alias, ask.open_tasks, s);
        }
        sql_add(s, ")");
    }
    sql_add(s, ")");
}
