/* One area of an index: its last periods, and why it moved. And the index as the public sees it. */
#include <math.h>
#include <string.h>

#include "api/app.h"
#include "api/handlers.h"
#include "api/index_table.h"
#include "api/index_view.h"
#include "domain/measure/figure_floor.h"
#include "domain/measure/index_change.h"
#include "domain/measure/index_freeze.h"
#include "store/statements.h"

enum { PERIODS = 13, SEED = 1 };

/* ---- why it moved */

struct moved {
    struct index_view now, before;
    struct index_change change;
    size_t area;
};

static bool masked(const struct index_view *v, size_t node, size_t area) {
    return v->masked != NULL && v->masked[node * v->n + area] != 0;
}

static size_t node_in(const struct index_def *d, const char *name) {
    size_t k = 0;
    while (k < d->n_nodes && strcmp(d->node[k].name, name) != 0) k++;
    return k;
}

/* What a node of the later definition gave in the earlier period; 0 where it gave nothing. */
static double gave(const struct index_view *v, size_t node, size_t area) {
    double part = node < v->def->n_nodes ? v->part[node * v->n + area] : 0;
    return isnan(part) ? 0 : part;
}

static void put_raw(struct jw *w, const struct moved *m, size_t k, size_t was) {
    size_t n = m->now.n, j = m->area;
    const struct indicator_value *now = &m->now.raw[k * n + j];
    bool away = m->now.hidden[k * n + j] != 0;
    bool none = was >= m->before.def->n_leaves || m->before.hidden[was * n + j] != 0;
    jw_kdouble(w, "raw", away ? NAN : now->value);
    jw_kdouble(w, "raw_before", none ? NAN : m->before.raw[was * n + j].value);
    jw_kstr(w, "state", away ? "below_floor" : value_state_name(now->state));
    index_text_json(w, "unit", &m->now.def->node[k].indicator->unit);
}

static void put_parts(struct jw *w, const struct moved *m) {
    const struct index_def *d = m->now.def;
    size_t n = m->now.n, j = m->area;
    jw_key(w, "parts");
    jw_arr(w);
    for (size_t k = 0; k + 1 < d->n_nodes; k++) {
        const struct index_node *node = &d->node[k];
        size_t was = node_in(m->before.def, node->name);
        bool away = masked(&m->now, k, j);
        bool was_away = was < m->before.def->n_nodes && masked(&m->before, was, j);
        double now = m->now.part[k * n + j], before = gave(&m->before, was, j);
        jw_obj(w);
        jw_kstr(w, "node", node->name);
        index_text_json(w, "title", &node->title);
        jw_kstr(w, "group", node->parent < 0 ? NULL : d->node[node->parent].name);
        jw_kdouble(w, "weight", m->now.weight[k]);
        jw_kdouble(w, "value", away ? NAN : m->now.value[k * n + j]);
        jw_kdouble(w, "part", away ? NAN : now);
        jw_kdouble(w, "before", was_away ? NAN : before);
        jw_kdouble(w, "change",
                   away || was_away || !m->change.told ? NAN : (isnan(now) ? 0 : now) - before);
        if (node->weigh != INDEX_WEIGH_GIVEN)
            jw_kstr(w, "weights_by",
                    m->now.fallback != NULL && m->now.fallback[k] != 0
                        ? "given"
                        : index_weigh_name(node->weigh));
        if (k < d->n_leaves) put_raw(w, m, k, was);
        jw_end(w, '}');
    }
    jw_end(w, ']');
}

/* A leaf that is not told in one of the two periods has its share in the sums only. */
static void put_change(struct jw *w, const struct moved *m) {
    const struct index_change *c = &m->change;
    size_t j = m->area, top = m->now.def->n_nodes - 1;
    bool whole = masked(&m->now, top, j) || masked(&m->before, m->before.def->n_nodes - 1, j);
    jw_key(w, "moved");
    if (!c->told) {
        jw_null(w);
        return;
    }
    jw_obj(w);
    jw_kdouble(w, "from", whole ? floor(c->from + 0.5) : c->from);
    jw_kdouble(w, "to", whole ? floor(c->to + 0.5) : c->to);
    jw_kbool(w, "rounded", whole);
    const struct {
        const char *key;
        double part;
    } parts[] = {{"restatement", c->restatement},  {"fell_out", c->fell_out},
                 {"came_in", c->came_in},          {"indicators", c->indicator},
                 {"denominators", c->denominator}, {"formula", c->formula}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        jw_kdouble(w, parts[i].key, whole ? floor(parts[i].part + 0.5) : parts[i].part);
    jw_kint(w, "version_from", m->before.def->version);
    jw_kint(w, "version_to", m->now.def->version);
    jw_key(w, "by");
    jw_arr(w);
    for (size_t i = 0; i < c->n; i++) {
        const struct index_change_leaf *x = &c->leaf[i];
        size_t now = node_in(m->now.def, x->node->name),
               was = node_in(m->before.def, x->node->name);
        bool away = (now < top && masked(&m->now, now, j)) ||
                    (was < m->before.def->n_nodes && masked(&m->before, was, j));
        jw_obj(w);
        jw_kstr(w, "node", x->node->name);
        index_text_json(w, "title", &x->node->title);
        jw_kbool(w, "told", !away);
        jw_kdouble(w, "indicator", away ? NAN : x->indicator);
        jw_kdouble(w, "denominator", away ? NAN : x->denominator);
        jw_kdouble(w, "formula", away ? NAN : x->formula);
        jw_kdouble(w, "entered", away ? NAN : x->entered);
        jw_end(w, '}');
    }
    jw_end(w, ']');
    jw_end(w, '}');
}

/* ---- the last periods, formed now; what was frozen stands beside */

static enum err_code frozen_value(const struct index_look *look, const char *index,
                                  const char *area, const char *period, double *value,
                                  int64_t *restated, struct err *err) {
    struct cell p[4] = {cell_int(1), cell_text(index), cell_text(area), cell_text(period)};
    struct cursor *cur = NULL;
    bool has = false;
    TRY(db_query(look->q.db, stmt_sql(STMT_INDEX_VALUE_AT), p, 4, &cur, err));
    enum err_code rc = cursor_next(cur, &has, err);
    *value = rc != ERR_OK || !has || cursor_is_null(cur, 2) ? NAN : cursor_real(cur, 2);
    *restated = rc == ERR_OK && has ? cursor_int(cur, 1) - 1 : 0;
    cursor_close(cur);
    return rc;
}

static enum err_code put_point(struct index_look *look, const struct index_set *set,
                               const char *index, size_t area, struct jw *w, struct err *err) {
    struct index_ask ask = {.def = index_find_at(set, index, look->q.period.from)};
    struct index_view v;
    char text[PERIOD_TEXT];
    double frozen = NAN, low = NAN, high = NAN;
    int64_t restated = 0;
    ask.seed = SEED;
    TRY(index_gather(&look->q, ask.def, look->a, &v, err));
    TRY(index_hide(&look->q, look->a, &v, err));
    TRY(index_score(&v, &ask, look->a, err));
    TRY(index_value_interval(&v, area, &ask, look->a, &low, &high, err));
    double value = index_told_value(&v, area);
    bool whole = masked(&v, v.def->n_nodes - 1, area);
    int band = index_band_of(v.def, v.value[(v.def->n_nodes - 1) * v.n + area], -1);
    period_format(&look->q.period, text);
    TRY(frozen_value(look, index, v.areas->area[area]->code, text, &frozen, &restated, err));
    jw_obj(w);
    jw_kstr(w, "period", text);
    jw_kdouble(w, "value", value);
    jw_kdouble(w, "low", low);
    jw_kdouble(w, "high", high);
    jw_kstr(w, "band", band < 0 ? NULL : v.def->band[band].name);
    jw_kbool(w, "too_small", v.too_small[area] != 0);
    jw_kint(w, "version", v.def->version);
    jw_kdouble(w, "frozen", whole ? floor(frozen + 0.5) : frozen);
    jw_kint(w, "restated", restated);
    jw_end(w, '}');
    return ERR_OK;
}

static enum err_code put_history(struct index_look *look, const struct index_set *set,
                                 const char *index, size_t area, struct jw *w, struct err *err) {
    struct period last = look->q.period;
    enum err_code rc = ERR_OK;
    jw_key(w, "history");
    jw_arr(w);
    for (int k = PERIODS - 1; k >= 0 && rc == ERR_OK; k--) {
        look->q.period = period_step(&last, -k);
        rc = put_point(look, set, index, area, w, err);
    }
    jw_end(w, ']');
    look->q.period = last;
    return rc;
}

/* The shortest longer period in which the area can be told, where this one is too short. */
static enum err_code longer_period(struct index_look *look, const struct moved *m, const char **out,
                                   struct err *err) {
    const struct index_def *d = m->now.def;
    struct period this = look->q.period;
    enum err_code rc = ERR_OK;
    *out = NULL;
    if (m->now.too_small[m->area] == 0) return ERR_OK;
    for (int kind = (int)this.kind + 1; kind <= PERIOD_YEAR && *out == NULL && rc == ERR_OK;
         kind++) {
        struct index_ask ask = {.def = d};
        struct index_view v;
        char text[PERIOD_TEXT];
        if ((d->periods & (1u << (unsigned)kind)) == 0) continue;
        look->q.period = period_of((enum period_kind)kind, this.from);
        rc = index_form(&look->q, &ask, look->a, &v, err);
        if (rc != ERR_OK || v.too_small[m->area] != 0) continue;
        period_format(&look->q.period, text);
        *out = arena_strdup(look->a, text);
    }
    look->q.period = this;
    return rc;
}

static enum err_code form_moved(struct index_look *look, const struct index_set *set,
                                const struct index_def *d, struct moved *m, struct err *err) {
    struct index_ask ask = {.def = d, .seed = SEED};
    struct period this = look->q.period;
    char period[PERIOD_TEXT];
    double frozen = NAN;
    int64_t restated = 0;
    TRY(index_gather(&look->q, d, look->a, &m->now, err));
    TRY(index_hide(&look->q, look->a, &m->now, err));
    TRY(index_score(&m->now, &ask, look->a, err));
    look->q.period = period_step(&this, -1);
    ask.def = index_find_at(set, d->name, look->q.period.from);
    TRY(index_gather(&look->q, ask.def, look->a, &m->before, err));
    TRY(index_hide(&look->q, look->a, &m->before, err));
    TRY(index_score(&m->before, &ask, look->a, err));
    period_format(&look->q.period, period);
    look->q.period = this;
    TRY(frozen_value(look, d->name, m->now.areas->area[m->area]->code, period, &frozen, &restated,
                     err));
    return index_change_of(&m->before, &m->now, m->area, frozen, look->a, &m->change, err);
}

static enum err_code write_area(struct call *c, struct index_look *look, const struct index_def *d,
                                struct err *err) {
    struct moved m = {.area = area_view_find(look->q.areas, c->param[1])};
    const struct definitions *all = NULL;
    const char *longer = NULL;
    char period[PERIOD_TEXT];
    if (m.area == SIZE_MAX)
        return err_fail(err, ERR_NOT_FOUND, "there is no area %.40s of this level", c->param[1]);
    TRY(call_definitions(c, &all, err));
    TRY(form_moved(look, all->indices, d, &m, err));
    TRY(longer_period(look, &m, &longer, err));
    period_format(&look->q.period, period);
    struct jw w = call_json(c);
    jw_obj(&w);
    jw_kstr(&w, "index", d->name);
    index_text_json(&w, "title", &d->title);
    jw_kint(&w, "version", d->version);
    jw_kstr(&w, "area", m.now.areas->area[m.area]->code);
    jw_kstr(&w, "name", m.now.areas->area[m.area]->name);
    jw_kstr(&w, "name_en", m.now.areas->area[m.area]->name_en);
    jw_kstr(&w, "period", period);
    jw_kstr(&w, "level", area_level_name(look->level));
    jw_kint(&w, "data_seq", look->seq);
    jw_kdouble(&w, "value", index_told_value(&m.now, m.area));
    jw_kdouble(&w, "before", index_told_value(&m.before, m.area));
    jw_kbool(&w, "rounded", masked(&m.now, d->n_nodes - 1, m.area));
    jw_kint(&w, "rank", m.now.rank[m.area]);
    jw_kbool(&w, "too_small", m.now.too_small[m.area] != 0);
    jw_kstr(&w, "longer_period", longer);
    index_bands_json(&w, d);
    put_parts(&w, &m);
    put_change(&w, &m);
    TRY(put_history(look, all->indices, d->name, m.area, &w, err));
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
    bool all = cursor_int(cur, 7) == 0; /* too small: parts need not be kept */
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
    double value = cursor_is_null(cur, 1) ? NAN : cursor_real(cur, 1);
    jw_kdouble(w, "value", all ? tenth(value) : floor(value + 0.5));
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
    enum accept_format format = ACCEPT_JSON;
    struct reader *r = NULL;
    TRY(table_wanted(c, &format, err));
    if (period == NULL || level == NULL)
        return err_fail(err, ERR_INVALID, "expected the parameters period and level");
    TRY(index_of_call(c, period, &d, err));
    TRY(period_parse(period, &p, err));
    int at = area_level_parse(level);
    if (at < 0) return err_fail(err, ERR_INVALID, "\"%.20s\" is no level", level);
    TRY(ledger_read_begin(c->app->ledger, &r, err));
    enum err_code rc = put_public(c, reader_db(r), d, at, period, err);
    ledger_read_end(r);
    return rc == ERR_OK ? index_table_reply(c, d, format, err) : rc;
}
