/* A new warning: its words, its place, its case. */
#include <math.h>
#include <string.h>

#include "base/civil.h"
#include "domain/warning/inside.h"

enum { MAX_JSON = 8 << 20 };

enum err_code task_field(const struct engine *e, const char *name, int *col, struct err *err) {
    *col = type_field(e->case_type, name);
    if (*col >= 0) return ERR_OK;
    return err_fail(err, ERR_INVALID, "type case has no field \"%s\", which warnings need", name);
}

const char *task_text(const struct engine *e, const struct case_row *r, const char *name) {
    int col = type_field(e->case_type, name);
    return col >= 0 && r->cells[col].type == CELL_TEXT ? r->cells[col].p : "";
}

enum err_code warn_json(struct arena *a, void (*write)(struct jw *w, const void *ctx),
                        const void *ctx, const char **out, struct err *err) {
    struct buf b;
    struct jw w;
    buf_init(&b, MAX_JSON);
    jw_init(&w, &b);
    write(&w, ctx);
    enum err_code rc = buf_check(&b, err);
    *out = rc == ERR_OK ? arena_dup(a, buf_text(&b), b.n) : NULL;
    buf_deinit(&b);
    if (rc == ERR_OK && *out == NULL) rc = err_fail(err, ERR_NOMEM, "warnings");
    return rc;
}

static double beyond(const struct warn_signal *s) {
    return isnan(s->expected) ? s->observed : s->observed - s->expected;
}

const struct warn_signal *warn_strongest(const struct warn_signal *const *s, size_t n) {
    const struct warn_signal *best = s[0];
    for (size_t i = 1; i < n; i++) {
        int color = warn_signal_color(s[i]), most = warn_signal_color(best);
        if (color > most || (color == most && beyond(s[i]) > beyond(best))) best = s[i];
    }
    return best;
}

static void write_held(struct jw *w, const void *ctx) {
    const struct warn_signal *s = ctx;
    jw_obj(w);
    for (int k = 1; k < WARN_N_HELD; k++)
        jw_kint(w, warn_held_name((enum warn_held)k), (int64_t)s->held[k]);
    jw_end(w, '}');
}

enum err_code warn_kept_by(struct arena *a, const struct warn_signal *main, struct warn_kept *k,
                           struct err *err) {
    k->lon = main->lon;
    k->lat = main->lat;
    k->radius_m = isnan(main->lon) || isnan(main->radius_m) ? 0 : main->radius_m;
    k->observed = main->observed;
    k->expected = main->expected;
    return warn_json(a, write_held, main, &k->held, err);
}

/* ---- place */

static bool told_by_point(const struct warn_signal *s) {
    if (isnan(s->lon)) return false;
    return s->rule->level == WARN_POINT || s->rule->level == WARN_CELL ||
           (s->rule->level != WARN_CITY && s->n_places > 1);
}

/* The area that a signal without a point is about; NULL: the whole city. */
static const char *area_of(const struct grid *g, const struct warn_signal *s) {
    if (s->rule->level == WARN_CITY || s->n_places == 0) return NULL;
    if (s->rule->level == WARN_UNIT) {
        int unit = grid_unit_index(g, s->place[0]);
        int area = unit == GRID_NONE ? GRID_NONE : g->units[unit].area;
        return area == GRID_NONE ? NULL : g->areas[area].code;
    }
    if (grid_area_index(g, s->place[0]) != GRID_NONE) return s->place[0];
    int cell = grid_cell_index(g, g->main_layer, s->place[0]);
    for (int l = GRID_LEVELS - 1; cell != GRID_NONE && l >= 0; l--)
        if (g->cells[cell].at[l] != GRID_NONE) return g->areas[g->cells[cell].at[l]].code;
    return NULL;
}

static const char *deepest_code(const struct engine *e, const struct case_row *r) {
    static const enum case_field fields[] = {CASE_community, CASE_town, CASE_county, CASE_city};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (case_has(e, r, fields[i])) return case_text(e, r, fields[i]);
    return "";
}

/* ---- words */

static enum err_code title_of(const struct grid *g, const struct warn_record *r,
                              const struct warn_signal *s, const char *area, struct arena *a,
                              struct warn_kept *k, struct err *err) {
    const struct pack_set *packs = r->engine->packs;
    int at = grid_area_index(g, area);
    int unit = s->rule->level == WARN_UNIT && s->n_places > 0 ? grid_unit_index(g, s->place[0])
                                                              : GRID_NONE;
    const char *zh = at == GRID_NONE ? "全市" : g->areas[at].name;
    const char *en = at == GRID_NONE ? "the city" : g->areas[at].name_en;
    if (unit != GRID_NONE) {
        zh = g->units[unit].name;
        en = g->units[unit].name_en;
    }
    if (en == NULL || en[0] == '\0') en = zh;
    if (s->cls == WARN_ANY_CLASS) {
        k->title_en = arena_printf(a, "%.160s: %.120s", s->rule->title.en, en);
        k->title_zh = arena_printf(a, "%.160s：%.120s", s->rule->title.zh, zh);
    } else {
        const struct case_class *c = &packs->classes[s->cls];
        k->title_en = arena_printf(a, "%.120s: %.120s, %.120s", s->rule->title.en, c->title.en, en);
        k->title_zh =
            arena_printf(a, "%.120s：%.120s（%.120s）", s->rule->title.zh, c->title.zh, zh);
    }
    return k->title_en == NULL || k->title_zh == NULL ? err_fail(err, ERR_NOMEM, "warnings")
                                                      : ERR_OK;
}

static const char *description_of(struct arena *a, const struct warn_rule *rule,
                                  const struct warn_kept *k) {
    if (warn_by_figures(rule->method)) return arena_printf(a, "%s。%s.", k->title_zh, k->title_en);
    if (isnan(k->expected))
        return arena_printf(a, "%s：案件 %.0f 件。%s: %.0f cases.", k->title_zh, k->observed,
                            k->title_en, k->observed);
    return arena_printf(a, "%s：案件 %.0f 件，预期 %.1f 件。%s: %.0f cases, %.1f expected.",
                        k->title_zh, k->observed, k->expected, k->title_en, k->observed,
                        k->expected);
}

/* ---- the case */

static enum err_code set_fields(const struct engine *e, const struct warn_kept *k,
                                struct case_row *row, struct err *err) {
    int holds = 0, color = 0;
    TRY(task_field(e, "condition_holds", &holds, err));
    TRY(task_field(e, "color", &color, err));
    row->cells[holds] = cell_int(1);
    row->cells[color] = cell_text(warn_color_name(k->color));
    return ERR_OK;
}

enum err_code warn_open(struct tx *tx, const struct warn_record *r, const struct warn_signal *main,
                        struct warn_kept *k, struct case_row *row, struct err *err) {
    const struct engine *e = r->engine;
    struct arena *a = tx_arena(tx);
    struct reported *out = ARENA_NEW(a, struct reported, 1);
    struct case_history *h = ARENA_NEW(a, struct case_history, 1);
    if (out == NULL || h == NULL) return err_fail(err, ERR_NOMEM, "warnings");
    TRY(warn_kept_by(a, main, k, err));
    k->cls = main->cls == WARN_ANY_CLASS ? "" : e->packs->classes[main->cls].id;
    const struct grid *g = grid_ref(e->grid);
    bool point = told_by_point(main);
    const char *area = point ? NULL : area_of(g, main);
    if (area != NULL) area = arena_strdup(a, area);
    struct place at = point ? grid_place(g, g->main_layer, main->lon, main->lat, tx_now_us(tx))
                            : grid_place_of_area(g, GRID_NONE, tx_now_us(tx));
    const char *named = area;
    for (int l = GRID_LEVELS - 1; named == NULL && l >= 0; l--)
        if (at.at[l] != GRID_NONE) named = g->areas[at.at[l]].code;
    enum err_code rc = title_of(g, r, main, named == NULL ? "" : named, a, k, err);
    grid_unref(g);
    TRY(rc);
    struct report in = {.cls = pack_class(e->packs, WARNING_CLASS),
                        .has_place = point,
                        .lon = main->lon,
                        .lat = main->lat,
                        .area = area,
                        .description = description_of(a, main->rule, k),
                        .channel = "warning",
                        .by_system = true,
                        .at_us = r->at_us,
                        .history = h};
    if (in.cls == NULL)
        return err_fail(err, ERR_INVALID, "the packs have no class \"%s\"", WARNING_CLASS);
    TRY(case_report(e, tx, &in, out, err));
    TRY(set_fields(e, k, &out->row, err));
    /* A unit sees at once what is said about it. */
    if (main->rule->level == WARN_UNIT && main->n_places > 0)
        case_set(e, &out->row, CASE_unit, cell_text(main->place[0]));
    TRY(case_history_write(e, tx, &out->row, h, err));
    *row = out->row;
    k->case_id = row->id;
    k->code = case_text(e, row, CASE_code);
    k->area = deepest_code(e, row);
    return ERR_OK;
}
