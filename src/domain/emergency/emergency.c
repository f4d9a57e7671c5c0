#include "domain/emergency/emergency.h"

#include <string.h>

#include "base/json.h"
#include "domain/emergency/inside.h"

/* The columns of the statements, in their order. */
enum {
    COL_ID,
    COL_VERSION,
    COL_TITLE,
    COL_AREA,
    COL_CLASSES,
    COL_REASON,
    COL_STATE,
    COL_DECLARED_BY,
    COL_DECLARED_AT,
    COL_APPROVED_BY,
    COL_APPROVED_AT,
    COL_ENDED_BY,
    COL_ENDED_AT,
    COL_SWEEP,
    COL_N_PAUSED,
    COL_N_RESUMED
};

static const char *const state_names[] = {"", "declared", "paused", "ended"};

const char *emergency_state_name(enum emergency_state s) { return state_names[s]; }

static enum emergency_state state_of(const char *name) {
    for (int s = EMERGENCY_DECLARED; s < EMERGENCY_ENDED; s++)
        if (strcmp(state_names[s], name) == 0) return (enum emergency_state)s;
    return EMERGENCY_ENDED;
}

static enum err_code read_classes(const struct cursor *c, struct arena *a, struct emergency *out,
                                  struct err *err) {
    const struct val *list = NULL;
    const char *json = cursor_text(c, COL_CLASSES);
    TRY(json_parse(a, json, strlen(json), &list, err));
    size_t n = list->type == VAL_LIST ? list->n : 0;
    const char **names = ARENA_NEW(a, const char *, n + 1);
    if (names == NULL) return err_fail(err, ERR_NOMEM, "emergency");
    for (size_t i = 0; i < n; i++) {
        const struct val *v = &list->u.list[i];
        names[i] = v->type == VAL_STR ? arena_strdup(a, v->u.s) : "";
        if (names[i] == NULL) return err_fail(err, ERR_NOMEM, "emergency");
    }
    out->classes = names;
    out->n_classes = n;
    return ERR_OK;
}

static enum err_code read_row(const struct cursor *c, struct arena *a, struct emergency *out,
                              struct err *err) {
    const struct {
        int col;
        const char **to;
    } texts[] = {{COL_TITLE, &out->title},
                 {COL_AREA, &out->area},
                 {COL_REASON, &out->reason},
                 {COL_DECLARED_BY, &out->declared_by},
                 {COL_APPROVED_BY, &out->approved_by},
                 {COL_ENDED_BY, &out->ended_by}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        *texts[i].to = arena_strdup(a, cursor_text(c, texts[i].col));
        if (*texts[i].to == NULL) return err_fail(err, ERR_NOMEM, "emergency");
    }
    out->id = cursor_int(c, COL_ID);
    out->version = cursor_int(c, COL_VERSION);
    out->state = state_of(cursor_text(c, COL_STATE));
    out->declared_us = cursor_int(c, COL_DECLARED_AT);
    out->approved_us = cursor_int(c, COL_APPROVED_AT);
    out->ended_us = cursor_int(c, COL_ENDED_AT);
    out->sweeping = !cursor_is_null(c, COL_SWEEP);
    out->n_paused = cursor_int(c, COL_N_PAUSED);
    out->n_resumed = cursor_int(c, COL_N_RESUMED);
    return read_classes(c, a, out, err);
}

enum err_code emergency_read_all(struct db *db, enum stmt query, const struct cell *params,
                                 size_t n_params, struct arena *a, const struct emergency **out,
                                 size_t *n, struct err *err) {
    struct emergency *rows = NULL;
    size_t used = 0, size = 0;
    struct cursor *c = NULL;
    TRY(db_query(db, stmt_sql(query), params, n_params, &c, err));
    enum err_code rc = ERR_OK;
    for (bool has = true; rc == ERR_OK && has;) {
        rc = cursor_next(c, &has, err);
        if (rc != ERR_OK || !has) break;
        if (used == size) {
            size = size == 0 ? 4 : 2 * size;
            struct emergency *more = ARENA_NEW(a, struct emergency, size);
            if (more != NULL && used > 0) memcpy(more, rows, used * sizeof *rows);
            rows = more;
        }
        rc = rows == NULL ? err_fail(err, ERR_NOMEM, "emergencies")
                          : read_row(c, a, &rows[used], err);
        used++;
    }
    cursor_close(c);
    *out = rows;
    *n = rc == ERR_OK ? used : 0;
    return rc;
}

enum err_code emergency_active(struct db *db, int64_t at_us, struct arena *a,
                               const struct emergency **out, size_t *n, struct err *err) {
    struct cell p[2] = {cell_int(db_ledger(db)), cell_int(at_us)};
    return emergency_read_all(db, STMT_EMERGENCY_AT, p, 2, a, out, n, err);
}

enum err_code emergency_list(struct db *db, struct arena *a, const struct emergency **out,
                             size_t *n, struct err *err) {
    struct cell p[2] = {cell_int(db_ledger(db)), cell_int(EMERGENCY_MAX_LIST)};
    return emergency_read_all(db, STMT_EMERGENCY_LIST, p, 2, a, out, n, err);
}

enum err_code emergency_load(struct db *db, int64_t id, struct arena *a, struct emergency *out,
                             struct err *err) {
    struct cell p[2] = {cell_int(db_ledger(db)), cell_int(id)};
    const struct emergency *found = NULL;
    size_t n = 0;
    TRY(emergency_read_all(db, STMT_EMERGENCY_GET, p, 2, a, &found, &n, err));
    if (n == 0) return err_fail(err, ERR_NOT_FOUND, "there is no emergency %lld", (long long)id);
    *out = found[0];
    return ERR_OK;
}

bool emergency_covers_area(const struct grid *g, const struct emergency *e, const char *area) {
    int at = grid_area_index(g, area);
    for (int depth = 0; at != GRID_NONE && depth < GRID_LEVELS; depth++) {
        if (strcmp(g->areas[at].code, e->area) == 0) return true;
        at = g->areas[at].parent;
    }
    return false;
}

bool emergency_class_named(const char *name, const struct case_class *c) {
    if (strcmp(name, c->id) == 0 || strcmp(name, c->kind) == 0) return true;
    size_t n = strlen(c->kind);
    return strncmp(name, c->kind, n) == 0 && name[n] == '-' && c->major_code != NULL &&
           strcmp(name + n + 1, c->major_code) == 0;
}

bool emergency_covers_class(const struct emergency *e, const struct case_class *c) {
    if (c == NULL || c->urgent) return false;
    for (size_t i = 0; i < e->n_classes; i++)
        if (emergency_class_named(e->classes[i], c)) return true;
    return false;
}
