/* Who must act on a task is told so in the page. */
#include <stdio.h>
#include <string.h>

#include "domain/identity/notice.h"
#include "domain/warning/warning.h"

struct told {
    const char *name, *area, *unit, *role;
};

/* The role that a state's holder stands for; NULL: nobody of staff. */
static const char *role_of(const char *holder) {
    static const char *const pairs[][2] = {{"desk", "operator"},
                                           {"unit", "department"},
                                           {"verifier", "verifier"},
                                           {"analyst", "analyst"},
                                           {"supervisor", "supervisor"}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        if (strcmp(pairs[i][0], holder) == 0) return pairs[i][1];
    return NULL;
}

static bool covers(const struct engine *e, const struct case_row *r, const struct told *t) {
    static const enum case_field fields[] = {CASE_city, CASE_county, CASE_town, CASE_community};
    const struct role_def *role = pack_role(e->packs, t->role);
    if (role == NULL) return false;
    if (role->cases == SCOPE_UNIT && strcmp(t->unit, case_text(e, r, CASE_unit)) != 0) return false;
    if (t->area[0] == '\0') return true;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (strcmp(t->area, case_text(e, r, fields[i])) == 0) return true;
    return false;
}

static const char *copy(struct arena *a, const struct cursor *c, int col) {
    const char *s = arena_strdup(a, cursor_text(c, col));
    return s == NULL ? "" : s;
}

enum { N_ROLES = 3 };

static enum err_code who_acts(struct tx *tx, const struct engine *e, const struct case_row *r,
                              const char *const role[N_ROLES], struct told *out, size_t *n,
                              struct err *err) {
    enum { MAX_LOOKED_AT = 2000 };
    struct arena *a = tx_arena(tx);
    struct sql s;
    struct cursor *c = NULL;
    TRY(sql_begin(&s, a, err));
    sql_add(&s, "SELECT name, area, unit, role FROM account WHERE ledger = 1 AND state = 'active' "
                "AND role IN (");
    for (int i = 0; i < N_ROLES; i++) {
        if (i > 0) sql_add(&s, ", ");
        (void)sql_value(&s, cell_text(role[i] == NULL ? "" : role[i]));
    }
    sql_add(&s, ") ORDER BY id LIMIT ");
    (void)sql_value(&s, cell_int(MAX_LOOKED_AT));
    TRY(sql_query(&s, tx_db(tx), &c, err));
    enum err_code rc = ERR_OK;
    for (bool has = true; rc == ERR_OK && has && *n < WARN_MAX_TOLD;) {
        rc = cursor_next(c, &has, err);
        if (rc != ERR_OK || !has) break;
        struct told t = {cursor_text(c, 0), cursor_text(c, 1), cursor_text(c, 2),
                         cursor_text(c, 3)};
        if (covers(e, r, &t)) out[(*n)++].name = copy(a, c, 0);
    }
    cursor_close(c);
    return rc;
}

enum err_code warn_tell(struct tx *tx, const struct engine *e, const struct case_row *r,
                        const char *kind, const char *also, const char *by, struct err *err) {
    const struct process_def *p = pack_process(e->packs, case_text(e, r, CASE_process));
    const struct state_def *s = p == NULL ? NULL : process_state(p, case_text(e, r, CASE_state));
    const char *code = case_text(e, r, CASE_code), *role = s == NULL ? NULL : role_of(s->holder);
    struct told told[WARN_MAX_TOLD] = {{0}};
    size_t n = 0;
    char en[NOTICE_TEXT], zh[NOTICE_TEXT];
    if (s == NULL || (role == NULL && also == NULL)) return ERR_OK;
    const char *const roles[N_ROLES] = {role, also, NULL};
    TRY(who_acts(tx, e, r, roles, told, &n, err));
    (void)snprintf(en, sizeof en, "%.60s %.48s: %.120s. It waits for you.", p->title.en, code,
                   s->title.en);
    (void)snprintf(zh, sizeof zh, "%.60s %.48s：%.120s，请您处理。", p->title.zh, code,
                   s->title.zh);
    for (size_t i = 0; i < n; i++) {
        if (strcmp(told[i].name, by) == 0) continue;
        TRY(notice_add(tx, told[i].name, kind, code, (struct text){en, zh}, err));
    }
    return ERR_OK;
}

enum err_code warn_tell_late(struct tx *tx, const struct engine *e, const struct case_row *r,
                             const char *move, struct err *err) {
    const struct process_def *p = pack_process(e->packs, case_text(e, r, CASE_process));
    const struct state_def *s = p == NULL ? NULL : process_state(p, case_text(e, r, CASE_state));
    const struct move_def *m = p == NULL ? NULL : process_move(p, move);
    struct told told[WARN_MAX_TOLD] = {{0}};
    char en[NOTICE_TEXT], zh[NOTICE_TEXT];
    size_t n = 0;
    if (s == NULL || m == NULL) return ERR_OK;
    const char *code = case_text(e, r, CASE_code), *opener = case_text(e, r, CASE_reporter_account);
    bool highest = strcmp(s->holder, "supervisor") == 0 ||
                   strcmp(task_text(e, r, "supervision_level"), "check") == 0;
    const char *const roles[N_ROLES] = {role_of(s->holder), "supervisor",
                                        highest ? "leader" : NULL};
    TRY(who_acts(tx, e, r, roles, told, &n, err));
    (void)snprintf(en, sizeof en, "%.60s %.48s: its time ran out. %.100s. It is now: %.100s.",
                   p->title.en, code, m->done.en, s->title.en);
    (void)snprintf(zh, sizeof zh, "%.60s %.48s：已超过时限。%.100s，当前环节：%.100s。",
                   p->title.zh, code, m->done.zh, s->title.zh);
    bool opener_told = opener[0] == '\0';
    for (size_t i = 0; i < n; i++) {
        opener_told |= strcmp(told[i].name, opener) == 0;
        TRY(notice_add(tx, told[i].name, move, code, (struct text){en, zh}, err));
    }
    return opener_told ? ERR_OK : notice_add(tx, opener, move, code, (struct text){en, zh}, err);
}
