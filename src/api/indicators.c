/* Indicators: what is counted and how, and the values of one. */
#include <math.h>

#include "api/app.h"
#include "api/handlers.h"
#include "api/index_table.h"
#include "api/index_view.h"
#include "domain/measure/figure_floor.h"
#include "domain/measure/shrink.h"

static void put_formula(struct jw *w, const struct indicator_def *d) {
    jw_kstr(w, "type", d->type == NULL ? NULL : d->type->name);
    jw_kstr(w, "filter", d->filter_text[0] == '\0' ? NULL : d->filter_text);
    jw_kstr(w, "part", d->part_text[0] == '\0' ? NULL : d->part_text);
    jw_kstr(w, "time",
            d->type == NULL || d->time_col < 0 ? NULL : d->type->fields[d->time_col].name);
    jw_kstr(w, "of", d->of[0] == '\0' ? NULL : d->of);
    jw_kstr(w, "to", d->to[0] == '\0' ? NULL : d->to);
    jw_kdouble(w, "per", d->per);
    jw_key(w, "terms");
    jw_arr(w);
    for (size_t i = 0; i < d->n_terms; i++) {
        jw_obj(w);
        jw_kstr(w, "indicator", d->terms[i].indicator);
        jw_kdouble(w, "weight", d->terms[i].weight);
        jw_end(w, '}');
    }
    jw_end(w, ']');
}

static void put_history(struct jw *w, const struct indicator_def *d) {
    jw_key(w, "history");
    jw_arr(w);
    for (size_t i = 0; i < d->n_past; i++) {
        jw_obj(w);
        jw_kint(w, "version", d->past[i].version);
        jw_kstr(w, "from", d->past[i].from);
        jw_kstr(w, "note", d->past[i].note);
        jw_end(w, '}');
    }
    jw_end(w, ']');
}

static void put_indicator(struct jw *w, const struct indicator_def *d) {
    static const char *const directions[] = {"more_is_worse", "neither", "more_is_better"};
    jw_obj(w);
    jw_kstr(w, "indicator", d->name);
    index_text_json(w, "title", &d->title);
    index_text_json(w, "explain", &d->explain);
    index_text_json(w, "unit", &d->unit);
    jw_kstr(w, "pack", d->pack);
    jw_kstr(w, "measure", indicator_measure_name(d->measure));
    jw_kstr(w, "basis", indicator_basis_name(d->basis));
    jw_kstr(w, "direction", directions[d->direction + 1]);
    jw_kbool(w, "moves_with_reporting", d->effort);
    jw_kbool(w, "guarded", d->guarded);
    jw_kint(w, "enough", d->enough);
    jw_kstr(w, "owner", d->owner[0] == '\0' ? NULL : d->owner);
    jw_kint(w, "lag_days", d->lag_days);
    jw_kint(w, "version", d->version);
    put_formula(w, d);
    put_history(w, d);
    jw_end(w, '}');
}

enum err_code indicator_list(struct call *c, struct err *err) {
    struct jw w = call_json(c);
    jw_obj(&w);
    jw_key(&w, "items");
    jw_arr(&w);
    for (size_t i = 0; i < c->app->packs->n_indicators; i++)
        put_indicator(&w, &c->app->packs->indicators[i]);
    jw_end(&w, ']');
    jw_end(&w, '}');
    return buf_check(&c->reply.body, err);
}

/* What is told of an indicator's areas. */
struct figures {
    struct indicator_value *v;
    unsigned char *hidden;
    double *shrunk;                 /* NaN: none */
    struct indicator_value *effort; /* how much is reported there; NULL: not asked */
};

/* Reporting effort stands beside what moves with it; the pack names it. */
static const char effort_name[] = "reports_per_residents";

static enum err_code form_figures(const struct index_look *look, const struct indicator_def *d,
                                  struct figures *f, struct err *err) {
    const struct pack_set *packs = look->q.atoms->packs;
    const struct indicator_def *effort = d->effort ? pack_indicator(packs, effort_name) : NULL;
    size_t n = look->q.areas->n;
    f->v = ARENA_NEW(look->a, struct indicator_value, n + 1);
    f->hidden = ARENA_NEW(look->a, unsigned char, n + 1);
    f->shrunk = ARENA_NEW(look->a, double, n + 1);
    f->effort =
        effort == NULL || effort == d ? NULL : ARENA_NEW(look->a, struct indicator_value, n + 1);
    if (f->v == NULL || f->hidden == NULL || f->shrunk == NULL)
        return err_fail(err, ERR_NOMEM, "indicator");
    TRY(value_form(&look->q, d, look->a, f->v, err));
    TRY(figure_floor_of(&look->q, d, f->v, look->a, f->hidden, err));
    if (f->effort != NULL) TRY(value_form(&look->q, effort, look->a, f->effort, err));
    TRY(shrink_values(packs, d, f->v, n, look->a, f->shrunk, err));
    /* The mean and the variance that the others are drawn by would give away what is hidden. */
    bool any = false;
    for (size_t i = 0; i < n; i++) any = any || f->hidden[i] != 0;
    for (size_t i = 0; any && i < n; i++) f->shrunk[i] = NAN;
    return ERR_OK;
}

static void put_value(struct jw *w, const struct grid_area *area, const struct figures *f,
                      size_t at) {
    const struct indicator_value *v = &f->v[at];
    bool hidden = f->hidden[at] != 0;
    jw_obj(w);
    jw_kstr(w, "area", area->code);
    jw_kstr(w, "name", area->name);
    jw_kstr(w, "name_en", area->name_en);
    jw_kstr(w, "state", hidden ? "below_floor" : value_state_name(v->state));
    jw_kdouble(w, "value", hidden ? NAN : v->value);
    jw_kdouble(w, "numerator", hidden ? NAN : v->numerator);
    jw_kdouble(w, "denominator", hidden ? NAN : v->denominator);
    jw_kdouble(w, "shrunk", f->shrunk[at]);
    if (f->effort != NULL) jw_kdouble(w, "effort", f->effort[at].value);
    jw_end(w, '}');
}

static enum err_code write_values(struct call *c, const struct indicator_def *d,
                                  struct index_look *look, struct err *err) {
    const struct area_view *areas = look->q.areas;
    struct figures f = {0};
    char period[PERIOD_TEXT];
    TRY(form_figures(look, d, &f, err));
    index_look_release(c, look);
    period_format(&look->q.period, period);
    struct jw w = call_json(c);
    jw_obj(&w);
    jw_kstr(&w, "indicator", d->name);
    index_text_json(&w, "title", &d->title);
    index_text_json(&w, "unit", &d->unit);
    jw_kstr(&w, "basis", indicator_basis_name(d->basis));
    jw_kstr(&w, "period", period);
    jw_kstr(&w, "level", area_level_name(look->level));
    jw_kint(&w, "data_seq", look->seq);
    jw_key(&w, "areas");
    jw_arr(&w);
    for (size_t i = 0; i < areas->n; i++) put_value(&w, areas->area[i], &f, i);
    jw_end(&w, ']');
    jw_end(&w, '}');
    return buf_check(&c->reply.body, err);
}

enum err_code indicator_values(struct call *c, struct err *err) {
    const struct indicator_def *d = pack_indicator(c->app->packs, c->param[0]);
    enum accept_format format = ACCEPT_JSON;
    struct index_look look;
    if (d == NULL)
        return err_fail(err, ERR_NOT_FOUND, "there is no indicator \"%.60s\"", c->param[0]);
    TRY(table_wanted(c, &format, err));
    unsigned all =
        (1u << LEVEL_CITY) | (1u << LEVEL_COUNTY) | (1u << LEVEL_TOWN) | (1u << LEVEL_COMMUNITY);
    TRY(index_look_begin(c, call_query(c, "period"), call_query(c, "level"), all, &look, err));
    enum err_code rc = write_values(c, d, &look, err);
    index_look_end(c, &look);
    return rc == ERR_OK ? indicator_table_reply(c, d, format, err) : rc;
}
