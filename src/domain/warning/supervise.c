/* Supervision: a case of its own about another case. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/civil.h"
#include "domain/warning/inside.h"
#include "geo/crs.h"

enum { MAX_TEXT = 2000, MAX_EARLIER = 200, NEAR_M = 300, HIGHEST = 3 };

static const char *const level_names[] = {"", "notice", "letter", "check"};
static const struct text level_titles[] = {
    {"", ""}, {"Notice", "督办提示"}, {"Letter", "督办函"}, {"Three-level check", "三级督查"}};

const char *supervision_level_name(int level) { return level_names[level]; }

struct text supervision_level_title(int level) {
    return level_titles[level];
}

int supervision_level_parse(const char *text) {
    for (int i = 1; i <= HIGHEST; i++)
        if (strcmp(level_names[i], text) == 0) return i;
    return 0;
}

/* Code and level of the supervisions about a case, the oldest first. */
static enum err_code query_about(const struct engine *e, struct db *db, struct arena *a,
                                 int64_t about, bool open_only, struct cursor **out,
                                 struct err *err) {
    struct sql s;
    int col = 0, level_col = 0;
    TRY(task_field(e, "about", &col, err));
    TRY(task_field(e, "supervision_level", &level_col, err));
    TRY(sql_begin(&s, a, err));
    sql_add(&s, "SELECT code, ");
    sql_column(&s, &e->case_type->table, level_col, "");
    sql_add(&s, " FROM ");
    sql_table(&s, &e->case_type->table);
    sql_add(&s, " WHERE ledger = 1 AND ");
    sql_column(&s, &e->case_type->table, col, "");
    sql_add(&s, " = ");
    (void)sql_value(&s, cell_int(about));
    sql_add(&s, " AND process = 'supervision'");
    if (open_only) sql_add(&s, " AND closed_at IS NULL");
    sql_add(&s, " ORDER BY id");
    return sql_query(&s, db, out, err);
}

enum err_code warn_supervision_of(const struct engine *e, struct db *db, struct arena *a,
                                  int64_t about, const char **code, struct err *err) {
    struct cursor *c = NULL;
    *code = NULL;
    TRY(query_about(e, db, a, about, true, &c, err));
    enum err_code rc = ERR_OK;
    for (bool has = true; rc == ERR_OK && has;) {
        rc = cursor_next(c, &has, err);
        if (rc == ERR_OK && has) *code = arena_strdup(a, cursor_text(c, 0));
    }
    cursor_close(c);
    return rc;
}

enum err_code warn_supervised(const struct engine *e, struct db *db, struct arena *a, int64_t about,
                              bool open_only, int *level, struct err *err) {
    struct cursor *c = NULL;
    *level = 0;
    TRY(query_about(e, db, a, about, open_only, &c, err));
    enum err_code rc = ERR_OK;
    for (bool has = true; rc == ERR_OK && has;) {
        rc = cursor_next(c, &has, err);
        if (rc != ERR_OK || !has) break;
        int found = supervision_level_parse(cursor_text(c, 1));
        if (found > *level) *level = found;
    }
    cursor_close(c);
    return rc;
}

static enum err_code invalid(const char *pointer, const char *why, struct err *err) {
    (void)err_fail(err, ERR_INVALID, "%s", why);
    return err_field(err, ERR_INVALID, pointer);
}

static enum err_code check(const struct supervise *in, const struct grid *g, struct err *err) {
    const struct process_def *p = pack_process(in->engine->packs, SUPERVISION_PROCESS);
    const struct move_def *m = p == NULL ? NULL : process_move(p, "report");
    if (m == NULL || pack_class(in->engine->packs, SUPERVISION_CLASS) == NULL)
        return err_fail(err, ERR_INVALID, "the packs have no process \"%s\"", SUPERVISION_PROCESS);
    bool may = in->who == NULL;
    for (size_t i = 0; !may && i < m->n_roles; i++)
        may = in->who->role != NULL && strcmp(m->roles[i], in->who->role->name) == 0;
    if (!may) return err_fail(err, ERR_FORBIDDEN, "your role does not supervise");
    if (in->level < 1 || in->level > HIGHEST)
        return invalid("/level", "the level is 1 (notice), 2 (letter) or 3 (check)", err);
    if (in->unit[0] != '\0' && grid_unit_index(g, in->unit) == GRID_NONE)
        return invalid("/unit", "there is no such unit", err);
    if (strcmp(case_text(in->engine, in->about, CASE_process), SUPERVISION_PROCESS) == 0)
        return invalid("/about", "a supervision is not itself supervised: raise its level", err);
    if (strlen(in->text) > MAX_TEXT) return invalid("/text", "at most 2,000 bytes are taken", err);
    return ERR_OK;
}

static const char *area_of(const struct engine *e, const struct case_row *r) {
    static const enum case_field fields[] = {CASE_community, CASE_town, CASE_county, CASE_city};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (case_has(e, r, fields[i])) return case_text(e, r, fields[i]);
    return NULL;
}

static enum err_code set_fields(const struct supervise *in, struct case_row *row, struct err *err) {
    const struct engine *e = in->engine;
    int about = 0, level = 0;
    TRY(task_field(e, "about", &about, err));
    TRY(task_field(e, "supervision_level", &level, err));
    row->cells[about] = cell_int(in->about->id);
    row->cells[level] = cell_text(level_names[in->level]);
    if (in->unit[0] != '\0') case_set(e, row, CASE_unit, cell_text(in->unit));
    return ERR_OK;
}

/* A term that was set by a person instead of the process's own. */
static void set_due(const struct supervise *in, struct case_row *row, int64_t now_us) {
    const struct engine *e = in->engine;
    bool unconfirmed = false;
    if (in->due_days == 0) return;
    int64_t due = work_deadline(e->calendar, now_us, in->due_days * 1000, WORK_DAY, &unconfirmed);
    int64_t yellow = work_deadline(e->calendar, now_us, in->due_days * 800, WORK_DAY, NULL);
    case_set(e, row, CASE_due_at, cell_int(due));
    case_set(e, row, CASE_yellow_at, cell_int(yellow));
    case_set(e, row, CASE_unconfirmed_due, cell_int(unconfirmed ? 1 : 0));
}

enum err_code warn_supervise(struct tx *tx, const struct supervise *in, struct case_row *out,
                             struct err *err) {
    const struct engine *e = in->engine;
    struct reported *made = ARENA_NEW(tx_arena(tx), struct reported, 1);
    struct case_history *h = ARENA_NEW(tx_arena(tx), struct case_history, 1);
    if (made == NULL || h == NULL) return err_fail(err, ERR_NOMEM, "supervision");
    const struct grid *g = grid_ref(e->grid);
    enum err_code rc = check(in, g, err);
    grid_unref(g);
    TRY(rc);
    struct report report = {.cls = pack_class(e->packs, SUPERVISION_CLASS),
                            .area = area_of(e, in->about),
                            .description = in->text,
                            .channel = "supervision",
                            .who = in->who,
                            .by_system = in->who == NULL,
                            .at_us = in->at_us,
                            .history = h};
    TRY(case_report(e, tx, &report, made, err));
    TRY(set_fields(in, &made->row, err));
    struct actor actor = {.kind = in->who == NULL ? ACTOR_SYSTEM : ACTOR_STAFF, .who = in->who};
    if (in->level > 1)
        TRY(case_move(e, tx, &made->row, level_names[in->level], &actor, NULL, -1, in->at_us, h,
                      err));
    set_due(in, &made->row, in->at_us != 0 ? in->at_us : tx_now_us(tx));
    TRY(case_history_write(e, tx, &made->row, h, err));
    *out = made->row;
    return warn_tell(tx, e, out, "supervision", in->unit[0] == '\0' ? "supervisor" : NULL,
                     in->who == NULL ? "" : in->who->name, err);
}

/* ---- red ones */

static bool same_place(const struct warn_kept *x, const struct warn_kept *y) {
    if (!isnan(x->lon) && !isnan(y->lon) && x->radius_m > 0 && y->radius_m > 0)
        return geo_distance_m(x->lon, x->lat, y->lon, y->lat) <= x->radius_m + y->radius_m + NEAR_M;
    return strcmp(x->area, y->area) == 0;
}

static bool same_class(const struct warn_kept *x, const struct warn_kept *y) {
    return x->cls[0] == '\0' || y->cls[0] == '\0' || strcmp(x->cls, y->cls) == 0;
}

/* The highest level among earlier red warnings of the same place and class; a red one that nobody
 * supervised counts as a notice. */
static enum err_code earlier_level(struct tx *tx, const struct warn_record *r,
                                   const struct warn_kept *k, int *level, struct err *err) {
    struct arena *a = tx_arena(tx);
    struct warn_kept *red = ARENA_NEW(a, struct warn_kept, MAX_EARLIER);
    struct sql s;
    struct cursor *c = NULL;
    size_t n = 0;
    if (red == NULL) return err_fail(err, ERR_NOMEM, "warnings");
    TRY(sql_begin(&s, a, err));
    sql_add(&s, "SELECT ");
    warn_kept_select(&s, "w.");
    sql_add(&s, " FROM warning w WHERE w.ledger = 1 AND w.raised >= ");
    (void)sql_value(&s, cell_int((int64_t)r->day->view.day - (int64_t)r->set->repeat_red_days));
    sql_add(&s, " AND w.color = 4 AND w.joined IS NULL AND w.case_id <> ");
    (void)sql_value(&s, cell_int(k->case_id));
    sql_add(&s, " ORDER BY w.raised DESC, w.id DESC LIMIT ");
    (void)sql_value(&s, cell_int(MAX_EARLIER));
    TRY(sql_query(&s, tx_db(tx), &c, err));
    enum err_code rc = ERR_OK;
    for (bool has = true; rc == ERR_OK && has && n < MAX_EARLIER;) {
        rc = cursor_next(c, &has, err);
        if (rc == ERR_OK && has) warn_kept_read(c, 0, a, &red[n++]);
    }
    cursor_close(c);
    *level = 0;
    for (size_t i = 0; rc == ERR_OK && i < n; i++) {
        int found = 0;
        if (!same_place(&red[i], k) || !same_class(&red[i], k)) continue;
        rc = warn_supervised(r->engine, tx_db(tx), a, red[i].case_id, false, &found, err);
        if (found == 0) found = 1;
        if (found > *level) *level = found;
    }
    return rc;
}

/* The unit with the duty of the class, where the warning lies. */
static const char *unit_of(const struct engine *e, const struct warn_kept *k,
                           const struct case_row *row, struct arena *a) {
    static const enum case_field fields[GRID_LEVELS] = {CASE_N, CASE_city, CASE_county, CASE_town,
                                                        CASE_community};
    if (case_has(e, row, CASE_unit)) return case_text(e, row, CASE_unit);
    const struct case_class *cls = k->cls[0] == '\0' ? NULL : pack_class(e->packs, k->cls);
    if (cls == NULL || cls->duty[0] == '\0') return "";
    const struct grid *g = grid_ref(e->grid);
    int at[GRID_LEVELS];
    at[0] = GRID_NONE;
    for (int i = 1; i < GRID_LEVELS; i++) at[i] = grid_area_index(g, case_text(e, row, fields[i]));
    int unit = grid_unit_for(g, cls->duty, at);
    const char *code = unit == GRID_NONE ? "" : arena_strdup(a, g->units[unit].code);
    grid_unref(g);
    return code == NULL ? "" : code;
}

enum err_code warn_red(struct tx *tx, const struct warn_record *r, const struct warn_kept *k,
                       const struct case_row *row, bool *opened, struct err *err) {
    const struct engine *e = r->engine;
    struct case_row *made = ARENA_NEW(tx_arena(tx), struct case_row, 1);
    int level = 0;
    *opened = false;
    if (made == NULL) return err_fail(err, ERR_NOMEM, "supervision");
    TRY(warn_supervised(e, tx_db(tx), tx_arena(tx), row->id, false, &level, err));
    if (level > 0) return ERR_OK; /* once supervised, its clock does the rest */
    TRY(earlier_level(tx, r, k, &level, err));
    const char *text =
        arena_printf(tx_arena(tx), "红色预警：%s / Red warning: %s", k->title_zh, k->title_en);
    struct supervise in = {.engine = e,
                           .about = row,
                           .unit = unit_of(e, k, row, tx_arena(tx)),
                           .text = text == NULL ? "" : text,
                           .level = level + 1 > HIGHEST ? HIGHEST : level + 1,
                           .at_us = r->at_us};
    TRY(warn_supervise(tx, &in, made, err));
    *opened = true;
    return ERR_OK;
}
