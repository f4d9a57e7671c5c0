/* One area of an index: its last periods, and why it moved. And the index as the public sees it. */
#include <math.h>
#include <string.h>

#include "api/app.h"
#include "api/handlers.h"
#include "api/index_view.h"
#include "domain/measure/figure_floor.h"
#include "domain/measure/index_freeze.h"
#include "num/composite/contribution.h"
#include "store/statements.h"

enum { PERIODS = 13, SEED = 1 };

/* ---- why it moved */

struct moved {
    struct index_view now, before;
    const double *part; /* n_nodes x n: of the difference; NaN where it cannot be shared out */
    size_t area;
};

/* A node that has a value in one of the two periods only makes the difference not comparable: the
 * weights differ. Then no parts are told. */
static enum err_code share_out(struct arena *a, struct moved *m, struct err *err) {
    const struct index_def *d = m->now.def;
    double *part = ARENA_NEW(a, double, d->n_nodes * m->now.n + 1);
    if (part == NULL) return err_fail(err, ERR_NOMEM, "index");
    m->part = part;
    if (contribution_difference_possible(&d->spec.aggregate, d->tree.n_level) &&
        memcmp(m->now.weight, m->before.weight, d->n_nodes * sizeof(double)) == 0)
        return contribution_difference(&d->tree, m->now.weight, &d->spec.aggregate, m->before.value,
                                       m->now.value, m->now.n, part, NULL, err);
    for (size_t i = 0; i < d->n_nodes * m->now.n; i++) part[i] = NAN;
    return ERR_OK;
}

static void put_moved(struct jw *w, const struct moved *m) {
    const struct index_def *d = m->now.def;
    size_t n = m->now.n, j = m->area;
    jw_key(w, "parts");
    jw_arr(w);
    for (size_t k = 0; k + 1 < d->n_nodes; k++) {
        const struct index_node *node = &d->node[k];
        jw_obj(w);
        jw_kstr(w, "node", node->name);
        index_text_json(w, "title", &node->title);
        jw_kstr(w, "group", node->parent < 0 ? NULL : d->node[node->parent].name);
        jw_kdouble(w, "weight", m->now.weight[k]);
        jw_kdouble(w, "part", m->now.part[k * n + j]);
        jw_kdouble(w, "before", m->before.part[k * n + j]);
        jw_kdouble(w, "change", m->part[k * n + j]);
        if (k < d->n_leaves) {
            const struct indicator_value *now = &m->now.raw[k * n + j];
            bool away = m->now.hidden[k * n + j] != 0, was_away = m->before.hidden[k * n + j] != 0;
            jw_kdouble(w, "raw", away ? NAN : now->value);
            jw_kdouble(w, "raw_before", was_away ? NAN : m->before.raw[k * n + j].value);
            jw_kstr(w, "state", away ? "below_floor" : value_state_name(now->state));
            index_text_json(w, "unit", &node->indicator->unit);
        }
        jw_end(w, '}');
    }
    jw_end(w, ']');
}

/* ---- the last periods, formed now; what was frozen stands beside */

static enum err_code frozen_value(const struct index_look *look, const char *index,
                                  const char *area, const char *period, struct jw *w,
                                  struct err *err) {
    struct cell p[4] = {cell_int(1), cell_text(index), cell_text(area), cell_text(period)};
    struct cursor *cur = NULL;
    bool has = false;
    TRY(db_query(look->q.db, stmt_sql(STMT_INDEX_VALUE_AT), p, 4, &cur, err));
    enum err_code rc = cursor_next(cur, &has, err);
    jw_key(w, "frozen");
    if (rc != ERR_OK || !has || cursor_is_null(cur, 2))
        jw_null(w);
    else
        jw_double(w, cursor_real(cur, 2));
    jw_kint(w, "restated", has ? cursor_int(cur, 1) - 1 : 0);
    cursor_close(cur);
    return rc;
}

static enum err_code put_history(struct index_look *look, const struct index_def *d, size_t area,
                                 struct jw *w, struct err *err) {
    struct period last = look->q.period;
    struct index_ask ask = {.def = d};
    jw_key(w, "history");
    jw_arr(w);
    for (int k = PERIODS - 1; k >= 0; k--) {
        struct index_view v;
        char text[PERIOD_TEXT];
        look->q.period = period_step(&last, -k);
        period_format(&look->q.period, text);
        TRY(index_form(&look->q, &ask, look->a, &v, err));
        double value = v.value[(d->n_nodes - 1) * v.n + area];
        int band = index_band_of(d, value, -1);
        jw_obj(w);
        jw_kstr(w, "period", text);
        jw_kdouble(w, "value", value);
        jw_kstr(w, "band", band < 0 ? NULL : d->band[band].name);
        jw_kbool(w, "too_small", v.too_small[area] != 0);
        TRY(frozen_value(look, d->name, v.areas->area[area]->code, text, w, err));
        jw_end(w, '}');
    }
    jw_end(w, ']');
    look->q.period = last;
    return ERR_OK;
}

static enum err_code write_area(struct call *c, struct index_look *look, const struct index_def *d,
                                struct err *err) {
    struct moved m = {.area = area_view_find(look->q.areas, c->param[1])};
    struct index_ask ask = {.def = d, .seed = SEED};
    char period[PERIOD_TEXT];
    if (m.area == SIZE_MAX)
        return err_fail(err, ERR_NOT_FOUND, "there is no area %.40s of this level", c->param[1]);
    struct period this = look->q.period;
    TRY(index_form(&look->q, &ask, look->a, &m.now, err));
    TRY(index_hide(&look->q, look->a, &m.now, err));
    look->q.period = period_step(&this, -1);
    TRY(index_form(&look->q, &ask, look->a, &m.before, err));
    TRY(index_hide(&look->q, look->a, &m.before, err));
    look->q.period = this;
    TRY(share_out(look->a, &m, err));
    period_format(&this, period);
    struct jw w = call_json(c);
    size_t top = (d->n_nodes - 1) * m.now.n + m.area;
    jw_obj(&w);
    jw_kstr(&w, "index", d->name);
    index_text_json(&w, "title", &d->title);
    jw_kstr(&w, "area", m.now.areas->area[m.area]->code);
    jw_kstr(&w, "name", m.now.areas->area[m.area]->name);
    jw_kstr(&w, "name_en", m.now.areas->area[m.area]->name_en);
    jw_kstr(&w, "period", period);
    jw_kstr(&w, "level", area_level_name(look->level));
    jw_kint(&w, "data_seq", look->seq);
    jw_kdouble(&w, "value", m.now.value[top]);
    jw_kdouble(&w, "before", m.before.value[top]);
    jw_kint(&w, "rank", m.now.rank[m.area]);
    jw_kbool(&w, "too_small", m.now.too_small[m.area] != 0);
    index_bands_json(&w, d);
    put_moved(&w, &m);
    TRY(put_history(look, d, m.area, &w, err));
    jw_end(&w, '}');
    return buf_check(&c->reply.body, err);
}

enum err_code index_area(struct call *c, struct err *err) {
    const struct index_def *d = NULL;
    struct index_look look;
    TRY(index_of_call(c, call_query(c, "period"), &d, err));
    const struct grid *g = grid_ref(c->app->grid);
    int at = grid_area_index(g, c->param[1]);
    const char *level = at == GRID_NONE ? NULL : area_level_name(g->areas[at].level);
    grid_unref(g);
    if (level == NULL)
        return err_fail(err, ERR_NOT_FOUND, "there is no area \"%.40s\"", c->param[1]);
    TRY(index_look_at(c, d, call_query(c, "period"), level, &look, err));
    enum err_code rc = write_area(c, &look, d, err);
    index_look_end(c, &look);
    return rc;
}

/* ---- the public */

static enum err_code number_or_null(const struct val *map, const char *key, double *out,
                                    struct err *err) {
    const struct val *v = val_get(map, key);
    if (v == NULL || v->type == VAL_NULL) return ERR_OK;
    return val_double(map, key, false, -1e300, 1e300, out, err);
}

/* To a tenth: from more digits the figures below could be reckoned back. */
static double tenth(double x) { return floor(x * 10 + 0.5) / 10; }

/* The parts of an area are told only when each guarded figure in it rests on enough matters: from
 * the total and the other parts the last one could be had by subtraction. */
static enum err_code put_public_area(struct call *c, struct jw *w, const struct cursor *cur,
                                     struct err *err) {
    const char *text = cursor_text(cur, 8);
    const struct val *parts = NULL;
    bool all = true;
    TRY(json_parse(c->a, text, strlen(text), &parts, err));
    for (size_t i = 0; parts->type == VAL_LIST && i < parts->n; i++) {
        const struct val *node = val_get(&parts->u.list[i], "node");
        const struct indicator_def *d =
            node == NULL || node->type != VAL_STR ? NULL : pack_indicator(c->app->packs, node->u.s);
        struct indicator_value v = {VALUE_OK, NAN, NAN, NAN};
        if (d == NULL || !figure_guarded(c->app->packs, d)) continue;
        TRY(number_or_null(&parts->u.list[i], "numerator", &v.numerator, err));
        TRY(number_or_null(&parts->u.list[i], "denominator", &v.denominator, err));
        if (figure_size(c->app->packs, d, &v) < FIGURE_FLOOR) all = false;
    }
    jw_obj(w);
    jw_kstr(w, "area", cursor_text(cur, 0));
    jw_kdouble(w, "value", cursor_is_null(cur, 1) ? NAN : tenth(cursor_real(cur, 1)));
    jw_kstr(w, "band", cursor_is_null(cur, 2) ? NULL : cursor_text(cur, 2));
    jw_kbool(w, "too_small", cursor_int(cur, 7) != 0);
    if (!cursor_is_null(cur, 4)) {
        jw_kint(w, "rank_low", cursor_int(cur, 4));
        jw_kint(w, "rank_high", cursor_int(cur, 5));
    }
    jw_kbool(w, "parts_told", all);
    jw_key(w, "parts");
    jw_arr(w);
    for (size_t i = 0; all && parts->type == VAL_LIST && i < parts->n; i++) {
        const struct val *node = val_get(&parts->u.list[i], "node"),
                         *raw = val_get(&parts->u.list[i], "raw");
        double part = NAN;
        if (node == NULL || node->type != VAL_STR || raw != NULL) continue; /* groups only */
        TRY(number_or_null(&parts->u.list[i], "part", &part, err));
        jw_obj(w);
        jw_kstr(w, "node", node->u.s);
        jw_kdouble(w, "part", tenth(part));
        jw_end(w, '}');
    }
    jw_end(w, ']');
    jw_end(w, '}');
    return ERR_OK;
}

static enum err_code put_public(struct call *c, struct db *db, const struct index_def *d, int level,
                                const char *period, struct err *err) {
    struct frozen_run run;
    bool found = false;
    TRY(frozen_run_get(db, 1, d->name, level, period, c->a, &run, &found, err));
    if (!found || run.published_at_us == 0)
        return err_fail(err, ERR_NOT_FOUND, "nothing is published for %s", period);
    struct cell p[4] = {cell_int(1), cell_text(d->name), cell_int(level), cell_text(period)};
    struct cursor *cur = NULL;
    struct jw w = call_json(c);
    jw_obj(&w);
    jw_kstr(&w, "index", d->name);
    index_text_json(&w, "title", &d->title);
    index_text_json(&w, "stands_for", &d->stands_for);
    jw_kstr(&w, "period", period);
    jw_kstr(&w, "level", area_level_name(level));
    jw_kint(&w, "data_seq", run.data_seq);
    jw_kstr(&w, "hash", run.hash);
    jw_kstr(&w, "note", run.note[0] == '\0' ? NULL : run.note);
    jw_ktime(&w, "published_at", run.published_at_us);
    index_bands_json(&w, d);
    jw_key(&w, "areas");
    jw_arr(&w);
    TRY(db_query(db, stmt_sql(STMT_INDEX_VALUES), p, 4, &cur, err));
    enum err_code rc = ERR_OK;
    for (bool has = true; rc == ERR_OK && has;) {
        rc = cursor_next(cur, &has, err);
        if (rc == ERR_OK && has) rc = put_public_area(c, &w, cur, err);
    }
    cursor_close(cur);
    jw_end(&w, ']');
    jw_end(&w, '}');
    return rc == ERR_OK ? buf_check(&c->reply.body, err) : rc;
}

enum err_code public_index_values(struct call *c, struct err *err) {
    const struct index_def *d = NULL;
    const char *period = call_query(c, "period"), *level = call_query(c, "level");
    struct period p;
    struct reader *r = NULL;
    if (period == NULL || level == NULL)
        return err_fail(err, ERR_INVALID, "expected the parameters period and level");
    TRY(index_of_call(c, period, &d, err));
    TRY(period_parse(period, &p, err));
    int at = area_level_parse(level);
    if (at < 0) return err_fail(err, ERR_INVALID, "\"%.20s\" is no level", level);
    TRY(ledger_read_begin(c->app->ledger, &r, err));
    enum err_code rc = put_public(c, reader_db(r), d, at, period, err);
    ledger_read_end(r);
    return rc;
}
