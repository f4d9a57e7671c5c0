/* Reports of gezhi risk: JSON and plain text. */
#include <math.h>

#include "study/risk/study.h"

static void write_top(struct jw *w, const char *key, const struct model_top top[RISK_N_SHARES]) {
    jw_key(w, key);
    jw_arr(w);
    for (size_t k = 0; k < RISK_N_SHARES; k++) {
        jw_obj(w);
        jw_kdouble(w, "share", risk_share[k]);
        jw_kint(w, "rows", (int64_t)top[k].n_taken);
        jw_kdouble(w, "size_share", top[k].size_share);
        jw_kdouble(w, "events", top[k].events);
        jw_kdouble(w, "hit_rate", top[k].event_share);
        jw_kdouble(w, "precision", top[k].precision);
        jw_kdouble(w, "pai", top[k].pai);
        jw_kdouble(w, "pei", top[k].pei);
        jw_end(w, '}');
    }
    jw_end(w, ']');
}

static void write_flags(struct jw *w, unsigned flags) {
    jw_key(w, "flags");
    jw_arr(w);
    for (unsigned f = 1; f <= MODEL_LESS_THAN_TEN_ROWS; f *= 2)
        if (flags & f) jw_str(w, model_score_flag_name(f));
    jw_end(w, ']');
}

static void write_standing(struct jw *w, const struct risk_standing *s, bool by_length) {
    const struct model_scores *m = &s->scores;
    jw_obj(w);
    jw_kstr(w, "name", s->name);
    jw_kbool(w, "usable", s->usable);
    if (s->usable) {
        jw_kdouble(w, "auc", m->auc);
        jw_kdouble(w, "brier", m->brier);
        jw_kdouble(w, "brier_of_the_mean", m->brier_reference);
        jw_kdouble(w, "log_loss", m->log_loss);
        jw_kdouble(w, "calibration_slope", m->slope);
        jw_kdouble(w, "calibration_intercept", m->intercept);
        jw_kdouble(w, "calibration_in_the_large", m->in_the_large);
        jw_kdouble(w, "ece", m->ece);
        jw_kdouble(w, "hosmer_lemeshow", m->hosmer_lemeshow);
        jw_kdouble(w, "hosmer_p", m->hosmer_p);
        write_flags(w, m->flags);
        jw_key(w, "calibration_curve");
        jw_arr(w);
        for (size_t k = 0; k < MODEL_BINS && !(m->flags & MODEL_LESS_THAN_TEN_ROWS); k++) {
            jw_obj(w);
            jw_kint(w, "rows", (int64_t)m->bin[k].n);
            jw_kdouble(w, "predicted", m->bin[k].mean_predicted);
            jw_kdouble(w, "observed", m->bin[k].observed);
            jw_end(w, '}');
        }
        jw_end(w, ']');
        write_top(w, "top_by_count", s->by_count);
        if (by_length) write_top(w, "top_by_length", s->by_length);
    }
    if (s->compared) {
        jw_kdouble(w, "auc_difference", s->difference.difference);
        jw_kdouble(w, "auc_difference_p", s->difference.p);
        jw_kbool(w, "model_is_better", s->model_is_better);
        jw_kstr(w, "sentence", s->sentence);
    }
    jw_end(w, '}');
}

void risk_evaluation_json(const struct risk_evaluation *e, struct jw *w) {
    jw_obj(w);
    jw_kstr(w, "how", e->how);
    jw_kstr(w, "what", e->what);
    jw_kint(w, "rows", (int64_t)e->n);
    jw_kint(w, "missing_rows", (int64_t)e->n_missing);
    jw_kdouble(w, "events", e->events);
    jw_kdouble(w, "expected", e->expected);
    jw_key(w, "model");
    write_standing(w, &e->who[0], e->by_length);
    jw_key(w, "baselines");
    jw_arr(w);
    for (size_t k = 1; k <= RISK_N_BASELINES; k++) write_standing(w, &e->who[k], e->by_length);
    jw_end(w, ']');
    jw_key(w, "periods");
    jw_arr(w);
    for (size_t k = 0; k < e->n_periods; k++) {
        const struct risk_period *p = &e->period[k];
        jw_obj(w);
        jw_kstr(w, "period", p->label);
        jw_kint(w, "rows", (int64_t)p->n);
        jw_kdouble(w, "events", p->events);
        jw_kdouble(w, "expected", p->expected);
        jw_kdouble(w, "auc", p->auc);
        jw_end(w, '}');
    }
    jw_end(w, ']');
    jw_kbool(w, "no_better", e->no_better);
    jw_kstr(w, "verdict", e->verdict);
    jw_end(w, '}');
}

static void write_fit(const struct risk_fitted *f, struct jw *w) {
    jw_kstr(w, "model", risk_model_word(f->model));
    jw_kint(w, "rows", (int64_t)f->n_rows);
    jw_kint(w, "missing_rows", (int64_t)f->n_missing);
    jw_kdouble(w, "events", f->n_events);
    jw_kbool(w, "converged", f->converged);
    jw_kbool(w, "verified", f->verified);
    jw_kbool(w, "robust", f->robust);
    jw_kstr(w, "calibrated", f->calibrated ? f->spec.calibrate : NULL);
    jw_kint(w, "iterations", (int64_t)f->iterations);
    jw_kdouble(w, "log_likelihood", f->loglik);
    jw_kdouble(w, "log_likelihood_null", f->loglik_null);
    jw_kdouble(w, "aic", f->aic);
    jw_key(w, "coefficients");
    jw_arr(w);
    for (size_t j = 0; j < f->n_coef; j++) {
        const struct risk_coef *c = &f->coef[j];
        jw_obj(w);
        jw_kstr(w, "name", c->name);
        jw_kdouble(w, "value", c->aliased ? NAN : c->value);
        jw_kdouble(w, "se", c->aliased ? NAN : c->se);
        jw_kdouble(w, "z", c->aliased ? NAN : c->z);
        jw_kdouble(w, "p", c->aliased ? NAN : c->p);
        jw_kbool(w, "aliased", c->aliased);
        jw_kbool(w, "infinite", c->infinite);
        jw_end(w, '}');
    }
    jw_end(w, ']');
    jw_key(w, "parameters");
    jw_arr(w);
    for (size_t k = 0; k < f->n_extra; k++) {
        jw_obj(w);
        jw_kstr(w, "name", f->extra[k].name);
        jw_kdouble(w, "value", f->extra[k].value);
        jw_kdouble(w, "se", f->extra[k].se);
        jw_end(w, '}');
    }
    jw_end(w, ']');
    jw_key(w, "tests");
    jw_arr(w);
    for (size_t k = 0; k < f->n_tests; k++) {
        jw_obj(w);
        jw_kstr(w, "name", f->test[k].name);
        jw_kdouble(w, "statistic", f->test[k].statistic);
        jw_kdouble(w, "df", f->test[k].df);
        jw_kdouble(w, "p", f->test[k].p);
        jw_end(w, '}');
    }
    jw_end(w, ']');
    jw_key(w, "notes");
    jw_arr(w);
    for (size_t k = 0; k < f->n_notes; k++) {
        jw_obj(w);
        jw_kstr(w, "flag", f->note[k].flag);
        jw_kstr(w, "text", f->note[k].text);
        jw_end(w, '}');
    }
    jw_end(w, ']');
}

void risk_report_json(const struct risk_result *r, struct buf *b) {
    struct jw w;
    jw_init(&w, b);
    jw_obj(&w);
    write_fit(&r->fit, &w);
    jw_key(&w, "evaluation");
    if (r->evaluated)
        risk_evaluation_json(&r->evaluation, &w);
    else
        jw_null(&w);
    jw_end(&w, '}');
}

/* A blank and the number in so many columns; "-" when there is none. */
static void general(struct buf *b, double v, int width, int digits) {
    if (isnan(v))
        buf_printf(b, " %*s", width, "-");
    else
        buf_printf(b, " %*.*g", width, digits, v);
}

static void fixed(struct buf *b, double v, int width, int digits) {
    if (isnan(v))
        buf_printf(b, " %*s", width, "-");
    else
        buf_printf(b, " %*.*f", width, digits, v);
}

static void coefficients_text(const struct risk_fitted *f, struct buf *b) {
    buf_printf(b, "\n%-34s %11s %10s %8s %9s\n", "term", "value", f->robust ? "robust se" : "se",
               "z", "p");
    for (size_t j = 0; j < f->n_coef; j++) {
        const struct risk_coef *c = &f->coef[j];
        if (c->aliased) {
            buf_printf(b, "%-34s %11s\n", c->name, "left out");
            continue;
        }
        buf_printf(b, "%-34s %11.5g", c->name, c->value);
        general(b, c->se, 10, 4);
        fixed(b, c->z, 8, 2);
        general(b, c->p, 9, 2);
        buf_printf(b, "%s\n", c->infinite ? "  no finite estimate" : "");
    }
    for (size_t k = 0; k < f->n_extra; k++) {
        buf_printf(b, "%-34s %11.5g", f->extra[k].name, f->extra[k].value);
        if (isfinite(f->extra[k].se)) buf_printf(b, " %10.4g", f->extra[k].se);
        buf_char(b, '\n');
    }
}

static void tests_text(const struct risk_fitted *f, struct buf *b) {
    if (f->n_tests > 0) buf_printf(b, "\n%-44s %11s %6s %9s\n", "test", "statistic", "df", "p");
    for (size_t k = 0; k < f->n_tests; k++) {
        buf_printf(b, "%-44s %11.5g", f->test[k].name, f->test[k].statistic);
        fixed(b, f->test[k].df, 6, 0);
        general(b, f->test[k].p, 9, 2);
        buf_char(b, '\n');
    }
}

void risk_report_text(const struct risk_result *r, struct buf *b) {
    const struct risk_fitted *f = &r->fit;
    buf_printf(b, "%s: %zu rows, %.10g events\n", risk_model_word(f->model), f->n_rows,
               f->n_events);
    if (isfinite(f->loglik)) {
        buf_printf(b, "log-likelihood %.6g", f->loglik);
        if (isfinite(f->aic)) buf_printf(b, ", AIC %.6g", f->aic);
        buf_char(b, '\n');
    }
    if (f->calibrated)
        buf_printf(b, "chances calibrated (%s) on the last year up to %s\n", f->spec.calibrate,
                   f->spec.train_to);
    for (size_t k = 0; k < f->n_notes; k++)
        buf_printf(b, "note %s: %s\n", f->note[k].flag, f->note[k].text);
    if (f->n_coef > 0) coefficients_text(f, b);
    tests_text(f, b);
    if (r->evaluated) {
        buf_char(b, '\n');
        risk_evaluation_text(&r->evaluation, b);
    }
}

static void top_text(const struct risk_standing *s, bool length, struct buf *b) {
    const struct model_top *t = length ? s->by_length : s->by_count;
    buf_printf(b, "%-20s", s->name);
    for (size_t k = 0; k < RISK_N_SHARES; k++) buf_printf(b, "   %5.1f %%", 100 * t[k].event_share);
    buf_printf(b, "   %5.2f %6.3f\n", t[2].pai, t[2].pei);
}

void risk_evaluation_text(const struct risk_evaluation *e, struct buf *b) {
    buf_printf(b, "Held out: %s. %zu rows, %.10g events, %.4g expected.\n", e->what, e->n,
               e->events, e->expected);
    if (e->n_missing > 0) buf_printf(b, "%zu rows could not be scored.\n", e->n_missing);
    buf_printf(b, "%-20s %7s %8s %7s %10s %7s\n", "", "AUC", "Brier", "slope", "intercept", "ECE");
    for (size_t k = 0; k <= RISK_N_BASELINES; k++) {
        const struct model_scores *m = &e->who[k].scores;
        if (!e->who[k].usable) continue;
        buf_printf(b, "%-20s %7.3f %8.5f", e->who[k].name, m->auc, m->brier);
        fixed(b, m->slope, 7, 3);
        fixed(b, m->intercept, 10, 3);
        fixed(b, m->ece, 7, 4);
        buf_char(b, '\n');
    }
    for (int length = 0; length < (e->by_length ? 2 : 1); length++) {
        buf_printf(b, "Events caught in the first 1 / 5 / 10 %% of %s, PAI and PEI at 10 %%:\n",
                   length ? "length" : "rows");
        for (size_t k = 0; k <= RISK_N_BASELINES; k++)
            if (e->who[k].usable) top_text(&e->who[k], length, b);
    }
    for (size_t k = 0; k < e->n_periods; k++) {
        const struct risk_period *p = &e->period[k];
        buf_printf(b, "%s: %zu rows, %.10g events, %.4g expected, AUC", p->label, p->n, p->events,
                   p->expected);
        fixed(b, p->auc, 1, 3);
        buf_char(b, '\n');
    }
    for (size_t k = 1; k <= RISK_N_BASELINES; k++)
        if (e->who[k].compared) buf_printf(b, "%s.\n", e->who[k].sentence);
    buf_printf(b, "%s\n", e->verdict);
}
