#include "domain/measure/index_json.h"

#include <math.h>
#include <stdio.h>

#include "base/civil.h"

void index_hash_text(const unsigned char hash[32], char out[65]) {
    for (int i = 0; i < 32; i++) (void)snprintf(out + (ptrdiff_t)2 * i, 3, "%02x", hash[i]);
}

void index_text_json(struct jw *w, const char *key, const struct text *t) {
    jw_key(w, key);
    jw_obj(w);
    jw_kstr(w, "en", t->en);
    jw_kstr(w, "zh", t->zh);
    jw_end(w, '}');
}

static void put_node(struct jw *w, const struct index_view *v, size_t node, size_t area) {
    const struct index_def *d = v->def;
    const struct index_node *n = &d->node[node];
    jw_obj(w);
    jw_kstr(w, "node", n->name);
    index_text_json(w, "title", &n->title);
    jw_kstr(w, "group", n->parent < 0 ? NULL : d->node[n->parent].name);
    jw_kdouble(w, "weight", v->weight[node]);
    bool masked = v->masked != NULL && v->masked[node * v->n + area] != 0;
    jw_kdouble(w, "value", masked ? NAN : v->value[node * v->n + area]);
    jw_kdouble(w, "part", masked ? NAN : v->part[node * v->n + area]);
    if (n->weigh != INDEX_WEIGH_GIVEN)
        jw_kstr(w, "weights_by",
                index_weigh_name(v->fallback != NULL && v->fallback[node] != 0 ? INDEX_WEIGH_GIVEN
                                                                               : n->weigh));
    if (node < d->n_leaves) {
        const struct indicator_value *x = &v->raw[node * v->n + area];
        bool hidden = v->hidden != NULL && v->hidden[node * v->n + area] != 0;
        jw_kdouble(w, "raw", hidden ? NAN : x->value);
        jw_kdouble(w, "numerator", hidden ? NAN : x->numerator);
        jw_kdouble(w, "denominator", hidden ? NAN : x->denominator);
        jw_kstr(w, "state", hidden ? "below_floor" : value_state_name(x->state));
    }
    jw_end(w, '}');
}

void index_parts_json(struct jw *w, const struct index_view *v, size_t area) {
    jw_arr(w);
    for (size_t k = 0; k + 1 < v->def->n_nodes; k++) put_node(w, v, k, area);
    jw_end(w, ']');
}

static void put_rank(struct jw *w, const struct index_view *v, size_t area) {
    bool told = v->interval != NULL && v->rank[area] != 0;
    jw_key(w, "rank");
    if (v->rank[area] == 0)
        jw_null(w);
    else
        jw_int(w, v->rank[area]);
    if (!told) return;
    jw_kint(w, "rank_low", v->interval[area].low);
    jw_kint(w, "rank_high", v->interval[area].high);
    jw_kdouble(w, "above_next", v->holds[area]);
}

static void put_area(struct jw *w, const struct index_view *v, size_t area) {
    const struct index_def *d = v->def;
    const struct grid_area *a = v->areas->area[area];
    double score = v->value[(d->n_nodes - 1) * v->n + area];
    int band = index_band_of(d, score, -1);
    jw_obj(w);
    jw_kstr(w, "area", a->code);
    jw_kstr(w, "name", a->name);
    jw_kstr(w, "name_en", a->name_en);
    jw_kdouble(w, "value", index_told_value(v, area));
    jw_kbool(w, "rounded", v->masked != NULL && v->masked[(d->n_nodes - 1) * v->n + area] != 0);
    jw_kstr(w, "band", band < 0 ? NULL : d->band[band].name);
    put_rank(w, v, area);
    jw_kbool(w, "too_small", v->too_small[area] != 0);
    jw_key(w, "parts");
    index_parts_json(w, v, area);
    jw_end(w, '}');
}

void index_bands_json(struct jw *w, const struct index_def *d) {
    jw_key(w, "bands");
    jw_arr(w);
    for (size_t i = 0; i < d->n_bands; i++) {
        jw_obj(w);
        jw_kstr(w, "band", d->band[i].name);
        index_text_json(w, "title", &d->band[i].title);
        jw_kstr(w, "color", d->band[i].color);
        jw_kint(w, "severity", d->band[i].severity);
        jw_kdouble(w, "from", d->band[i].from);
        jw_end(w, '}');
    }
    jw_end(w, ']');
}

static void put_head(struct jw *w, const struct index_view *v, const struct index_told *told) {
    const struct index_def *d = v->def;
    char period[PERIOD_TEXT], today[16], hash[65], formula[65];
    unsigned char of_view[32];
    period_format(&v->period, period);
    civil_date_format(told->today, today);
    index_view_hash(v, of_view);
    index_hash_text(of_view, hash);
    index_hash_text(d->hash, formula);
    jw_kstr(w, "index", d->name);
    index_text_json(w, "title", &d->title);
    index_text_json(w, "stands_for", &d->stands_for);
    jw_kint(w, "version", d->version);
    jw_kstr(w, "period", period);
    jw_kstr(w, "level", area_level_name(v->areas->level));
    jw_kint(w, "data_seq", told->seq);
    jw_kstr(w, "today", today);
    jw_kstr(w, "state", told->state);
    jw_kstr(w, "formula_hash", formula);
    jw_kstr(w, "hash", hash);
    jw_kstr(w, "frozen_hash", told->frozen_hash);
    jw_kint(w, "draws", (int64_t)v->n_draws);
}

void index_view_json(struct jw *w, const struct index_view *v, const struct index_told *told) {
    jw_obj(w);
    put_head(w, v, told);
    index_bands_json(w, v->def);
    jw_key(w, "areas");
    jw_arr(w);
    for (size_t k = 0; k < v->n; k++) put_area(w, v, v->order[k]);
    jw_end(w, ']');
    jw_end(w, '}');
}
