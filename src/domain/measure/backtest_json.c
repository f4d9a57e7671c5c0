#include "domain/measure/backtest_json.h"

static void put_row(struct jw *w, const struct backtest_row *x) {
    static const char *const kinds[] = {"", "last_count", "population", "indicator"};
    jw_obj(w);
    jw_kstr(w, "kind", kinds[x->kind]);
    jw_kstr(w, "indicator", x->node == NULL ? NULL : x->node->name);
    if (x->node != NULL) index_text_json(w, "title", &x->node->title);
    jw_kbool(w, "judged", x->judged);
    jw_kstr(w, "why_not", x->judged ? NULL : x->why);
    jw_kint(w, "rows_fitted", (int64_t)x->n_fit);
    jw_kint(w, "rows_judged", (int64_t)x->n);
    jw_kdouble(w, "coefficient", x->coefficient);
    jw_kdouble(w, "auc", x->auc);
    jw_kdouble(w, "brier", x->brier);
    jw_kdouble(w, "calibration_slope", x->slope);
    jw_kdouble(w, "baseline_auc", x->baseline_auc);
    jw_kdouble(w, "p", x->p);
    jw_kdouble(w, "gain", x->gain);
    jw_kdouble(w, "gain_p", x->gain_p);
    jw_kbool(w, "better", x->better);
    jw_end(w, '}');
}

void backtest_json(struct jw *w, const struct backtest *b) {
    char first[PERIOD_TEXT], last_fit[PERIOD_TEXT], last[PERIOD_TEXT];
    period_format(&b->first, first);
    period_format(&b->last_fit, last_fit);
    period_format(&b->last, last);
    jw_obj(w);
    jw_kstr(w, "index", b->def->name);
    index_text_json(w, "title", &b->def->title);
    jw_kint(w, "version", b->def->version);
    jw_kstr(w, "outcome", b->def->outcome->name);
    index_text_json(w, "outcome_title", &b->def->outcome->title);
    jw_kstr(w, "level", area_level_name(b->level));
    jw_kint(w, "areas", (int64_t)b->n_areas);
    jw_kint(w, "months", (int64_t)b->n_months);
    jw_kint(w, "months_fitted", (int64_t)b->n_fit_months);
    jw_kstr(w, "first", first);
    jw_kstr(w, "last_fitted", last_fit);
    jw_kstr(w, "last", last);
    jw_kint(w, "rows", (int64_t)b->n_rows);
    jw_kint(w, "events", (int64_t)b->n_events);
    jw_kstr(w, "verdict", backtest_verdict_name(b));
    jw_key(w, "items");
    jw_arr(w);
    for (size_t i = 0; i < b->n; i++) put_row(w, &b->row[i]);
    jw_end(w, ']');
    jw_end(w, '}');
}
