#include <string.h>

#include "base/json.h"
#include "domain/emergency/inside.h"
#include "store/tables.h"

bool emergency_in_reach(const struct grid *g, const struct principal *who, const char *area) {
    if (who->area[0] == '\0') return true;
    const struct emergency own = {.area = who->area};
    return emergency_covers_area(g, &own, area);
}

static enum err_code bad(const char *pointer, const char *what, struct err *err) {
    (void)err_fail(err, ERR_INVALID, "%s", what);
    return err_field(err, ERR_INVALID, pointer);
}

static enum err_code check_text(const char *s, size_t max, const char *pointer, struct err *err) {
    if (s != NULL && s[0] != '\0' && strlen(s) <= max) return ERR_OK;
    return bad(pointer, s == NULL || s[0] == '\0' ? "a text is required" : "the text is too long",
               err);
}

/* Each name must stand for a class whose clock may wait: not urgent, and no task of the program. */
static enum err_code check_classes(const struct engine *e, const struct emergency_in *in,
                                   struct err *err) {
    if (in->n_classes == 0 || in->n_classes > EMERGENCY_MAX_CLASSES)
        return bad("/classes", "expected 1 to 200 kinds of matter", err);
    for (size_t i = 0; i < in->n_classes; i++) {
        bool found = false, waits = false;
        for (size_t k = 0; k < e->packs->n_classes && !waits; k++) {
            const struct case_class *c = &e->packs->classes[k];
            if (!emergency_class_named(in->classes[i], c)) continue;
            found = true;
            waits = !c->urgent && !class_is_task(c->id);
        }
        if (!found) return bad("/classes", "there is no such kind of matter", err);
        if (!waits) return bad("/classes", "danger to life or limb never waits", err);
    }
    return ERR_OK;
}

static const char *classes_json(struct arena *a, const struct emergency_in *in) {
    struct buf b;
    buf_init(&b, 65536);
    struct jw w;
    jw_init(&w, &b);
    jw_arr(&w);
    for (size_t i = 0; i < in->n_classes; i++) jw_str(&w, in->classes[i]);
    jw_end(&w, ']');
    const char *s = b.failed ? NULL : arena_dup(a, buf_text(&b), b.n);
    buf_deinit(&b);
    return s;
}

enum err_code emergency_declare(const struct engine *e, struct tx *tx,
                                const struct emergency_in *in, const struct principal *who,
                                int64_t *id, struct err *err) {
    TRY(check_text(in->title, EMERGENCY_MAX_TITLE, "/title", err));
    TRY(check_text(in->reason, EMERGENCY_MAX_REASON, "/reason", err));
    TRY(check_classes(e, in, err));
    const struct grid *g = grid_ref(e->grid);
    bool mine = in->area != NULL && grid_area_index(g, in->area) != GRID_NONE &&
                emergency_in_reach(g, who, in->area);
    grid_unref(g);
    if (!mine) return bad("/area", "expected an area of your own", err);
    const char *classes = classes_json(tx_arena(tx), in);
    if (classes == NULL) return err_fail(err, ERR_NOMEM, "emergency");
    struct cell c[col_emergency_count] = {[col_emergency_title] = cell_text(in->title),
                                          [col_emergency_area] = cell_text(in->area),
                                          [col_emergency_classes] = cell_text(classes),
                                          [col_emergency_reason] = cell_text(in->reason),
                                          [col_emergency_state] =
                                              cell_text(emergency_state_name(EMERGENCY_DECLARED)),
                                          [col_emergency_declared_by] = cell_text(who->name),
                                          [col_emergency_declared_at] = cell_int(tx_now_us(tx)),
                                          [col_emergency_n_paused] = cell_int(0),
                                          [col_emergency_n_resumed] = cell_int(0)};
    *id = 0;
    return tx_insert(tx, &table_emergency, c, id, err);
}

/* The row, if the person may touch it. */
static enum err_code take(const struct engine *e, struct tx *tx, int64_t id,
                          const struct principal *who, struct cell *cells, int64_t *version,
                          struct err *err) {
    const struct grid *g = grid_ref(e->grid);
    enum err_code rc = tx_get(tx, &table_emergency, id, cells, version, NULL);
    if (rc == ERR_OK && !emergency_in_reach(g, who, cells[col_emergency_area].p))
        rc = ERR_NOT_FOUND;
    grid_unref(g);
    if (rc == ERR_OK) return ERR_OK;
    return err_fail(err, rc, "there is no emergency %lld", (long long)id);
}

static bool is_state(const struct cell *cells, enum emergency_state s) {
    return strcmp(cells[col_emergency_state].p, emergency_state_name(s)) == 0;
}

enum err_code emergency_approve(const struct engine *e, struct tx *tx, int64_t id,
                                const struct principal *who, struct err *err) {
    struct cell c[col_emergency_count];
    int64_t version = 0;
    TRY(take(e, tx, id, who, c, &version, err));
    if (!e->clocks_stop)
        return err_fail(err, ERR_CONFLICT,
                        "the packs of this folder have no fields for a clock that stands "
                        "(docs/packs.md, clocks)");
    if (!is_state(c, EMERGENCY_DECLARED))
        return err_fail(err, ERR_CONFLICT, "it is no longer waiting for approval");
    if (strcmp(c[col_emergency_declared_by].p, who->name) == 0)
        return err_fail(err, ERR_FORBIDDEN, "whoever declares an emergency does not approve it");
    c[col_emergency_state] = cell_text(emergency_state_name(EMERGENCY_PAUSED));
    c[col_emergency_approved_by] = cell_text(who->name);
    c[col_emergency_approved_at] = cell_int(tx_now_us(tx));
    c[col_emergency_sweep] = cell_text(SWEEP_PAUSE);
    return tx_update(tx, &table_emergency, id, version, c, err);
}

enum err_code emergency_end(const struct engine *e, struct tx *tx, int64_t id,
                            const struct principal *who, struct err *err) {
    struct cell c[col_emergency_count];
    int64_t version = 0;
    TRY(take(e, tx, id, who, c, &version, err));
    if (is_state(c, EMERGENCY_ENDED)) return err_fail(err, ERR_CONFLICT, "it has ended already");
    bool held = is_state(c, EMERGENCY_PAUSED);
    c[col_emergency_state] = cell_text(emergency_state_name(EMERGENCY_ENDED));
    c[col_emergency_ended_by] = cell_text(who->name);
    c[col_emergency_ended_at] = cell_int(tx_now_us(tx));
    c[col_emergency_sweep] = held ? cell_text(SWEEP_RESUME) : cell_null();
    return tx_update(tx, &table_emergency, id, version, c, err);
}
