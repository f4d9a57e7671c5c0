#include "study/risk/fit_int.h"

#include <math.h>
#include <string.h>

#include "num/model/recurrent.h"

void risk_note_add(struct risk_fitted *f, const char *flag, const char *text) {
    if (f->n_notes < RISK_MAX_NOTES) f->note[f->n_notes++] = (struct risk_note){flag, text};
}

void risk_test_add(struct risk_fitted *f, const char *name, double statistic, double df, double p) {
    if (f->n_tests < RISK_MAX_TESTS)
        f->test[f->n_tests++] = (struct risk_test){name, statistic, df, p};
}

void risk_extra_add(struct risk_fitted *f, const char *name, double value, double se) {
    if (f->n_extra < RISK_MAX_EXTRA) f->extra[f->n_extra++] = (struct risk_extra){name, value, se};
}

static enum err_code take_numbers(struct arena *a, const double *from, const size_t *row, size_t n,
                                  double **out, struct err *err) {
    if (from == NULL) return ERR_OK;
    *out = ARENA_NEW(a, double, n + 1);
    if (*out == NULL) return err_fail(err, ERR_NOMEM, "%zu rows", n);
    for (size_t i = 0; i < n; i++) (*out)[i] = from[row[i]];
    return ERR_OK;
}

static enum err_code take_groups(struct arena *a, const uint32_t *from, const size_t *row, size_t n,
                                 uint32_t **out, struct err *err) {
    if (from == NULL) return ERR_OK;
    *out = ARENA_NEW(a, uint32_t, n + 1);
    if (*out == NULL) return err_fail(err, ERR_NOMEM, "%zu rows", n);
    for (size_t i = 0; i < n; i++) (*out)[i] = from[row[i]];
    return ERR_OK;
}

/* The complete rows among use, close together. */
static enum err_code take_rows(struct arena *a, const struct risk_data *d, const bool *use,
                               const bool *missing, const double *x, struct risk_fitted *f,
                               struct risk_rows *r, struct err *err) {
    size_t p = f->design.n_columns, n = 0;
    size_t *row = ARENA_NEW(a, size_t, d->n + 1);
    if (row == NULL) return err_fail(err, ERR_NOMEM, "%zu rows", d->n);
    for (size_t i = 0; i < d->n; i++) {
        if (!use[i]) continue;
        if (missing[i] || !d->complete[i])
            f->n_missing++;
        else
            row[n++] = i;
    }
    if (n == 0)
        return err_fail(err, ERR_INVALID, "%s: no row has all the values the model needs",
                        d->table->path);
    memset(r, 0, sizeof *r);
    r->n = n;
    r->p = p;
    r->name = ARENA_NEW(a, const char *, p);
    r->x = ARENA_NEW(a, double, n *p);
    if (r->name == NULL || r->x == NULL) return err_fail(err, ERR_NOMEM, "%zu rows", n);
    for (size_t j = 0; j < p; j++) r->name[j] = f->design.column[j].name;
    for (size_t i = 0; i < n; i++) memcpy(r->x + i * p, x + row[i] * p, p * sizeof *x);
    TRY(take_numbers(a, d->y, row, n, &r->y, err));
    TRY(take_numbers(a, d->start, row, n, &r->start, err));
    TRY(take_numbers(a, d->stop, row, n, &r->stop, err));
    TRY(take_numbers(a, d->upper, row, n, &r->upper, err));
    TRY(take_numbers(a, d->offset, row, n, &r->offset, err));
    TRY(take_numbers(a, d->weight, row, n, &r->weight, err));
    TRY(take_numbers(a, d->earlier, row, n, &r->earlier, err));
    TRY(take_groups(a, d->cluster, row, n, &r->cluster, err));
    TRY(take_groups(a, d->stratum, row, n, &r->stratum, err));
    f->n_rows = n;
    app_assert(r->y != NULL); /* fitting always reads the response */
    for (size_t i = 0; i < n; i++) f->n_events += r->y[i];
    return ERR_OK;
}

static enum err_code dispatch(struct arena *a, const struct risk_rows *r, const struct num_run *run,
                              struct risk_fitted *f, struct err *err) {
    f->coef = ARENA_NEW(a, struct risk_coef, r->p);
    if (f->coef == NULL) return err_fail(err, ERR_NOMEM, "%zu columns", r->p);
    f->n_coef = r->p;
    for (size_t j = 0; j < r->p; j++) f->coef[j].name = r->name[j];
    if (f->model == RISK_COX) return risk_fit_cox(a, r, run, f, err);
    if (risk_model_is_life(f->model)) return risk_fit_life(a, r, run, f, err);
    if (risk_model_is_survival(f->model)) return risk_fit_power(a, r, run, f, err);
    if (f->model == RISK_ELASTIC) return risk_fit_elastic(a, r, run, f, err);
    if (f->model == RISK_TREES) return risk_fit_trees(a, r, run, f, err);
    return risk_fit_glm(a, r, run, f, err);
}

/* Words for every column marked. */
static const char *marked(struct arena *a, const struct risk_fitted *f, bool infinite) {
    const char *all = "";
    for (size_t j = 0; j < f->n_coef && all != NULL && strlen(all) < 400; j++)
        if (infinite ? f->coef[j].infinite : f->coef[j].aliased)
            all = arena_printf(a, "%s%s%s", all, all[0] == '\0' ? "" : ", ", f->coef[j].name);
    return all == NULL || all[0] == '\0' ? NULL : all;
}

static void common_notes(struct arena *a, struct risk_fitted *f) {
    const char *alias = marked(a, f, false), *inf = marked(a, f, true);
    if (alias != NULL)
        risk_note_add(
            f, "rank_deficient",
            arena_printf(a, "left out, for they follow from the columns before: %s", alias));
    if (inf != NULL)
        risk_note_add(
            f, f->model == RISK_COX ? "monotone_likelihood" : "separated",
            arena_printf(a,
                         "no finite estimate (all or none of these rows have events): %s; "
                         "join such levels or leave them out",
                         inf));
    if (!f->converged)
        risk_note_add(f, "not_converged",
                      "the search did not settle: do not use these coefficients");
    if (!f->verified)
        risk_note_add(f, "not_verified",
                      "no other program's values exist for this model; simulation tests only");
    if (f->n_missing > 0)
        risk_note_add(f, "missing_rows",
                      arena_printf(a, "%zu rows left out for an empty value", f->n_missing));
}

enum err_code risk_fit(struct arena *a, const struct table *t, const struct risk_spec *spec,
                       enum risk_model model, const struct risk_data *d, const bool *use,
                       const struct num_run *run, struct risk_fitted *out, struct err *err) {
    struct risk_rows r;
    memset(out, 0, sizeof *out);
    out->model = model;
    out->spec = *spec;
    out->verified = true;
    out->loglik = out->loglik_null = out->aic = NAN;
    out->strata = d->strata;
    bool intercept = model != RISK_COX && model != RISK_TREES;
    TRY(risk_design_learn(a, spec->terms, intercept, (size_t)spec->join_rare, t, use, &out->design,
                          err));
    size_t p = out->design.n_columns;
    TRY(num_run_afford(run, 24.0 * (double)t->n_row * (double)p, "the design", err));
    double *x = ARENA_NEW(a, double, t->n_row *p);
    bool *missing = ARENA_NEW(a, bool, t->n_row + 1);
    if (x == NULL || missing == NULL) return err_fail(err, ERR_NOMEM, "%zu rows", t->n_row);
    TRY(risk_design_fill(a, &out->design, t, x, missing, NULL, err));
    TRY(take_rows(a, d, use, missing, x, out, &r, err));
    if (!(out->n_events > 0))
        return err_fail(err, ERR_NUMERIC, "%s: no row fitted to has an event", t->path);
    TRY(dispatch(a, &r, run, out, err));
    common_notes(a, out);
    for (size_t k = 0; k < out->n_notes; k++)
        if (out->note[k].text == NULL) return err_fail(err, ERR_NOMEM, "notes");
    return ERR_OK;
}

bool risk_is_logistic(const struct risk_fitted *f) {
    if (f->model == RISK_LOGISTIC) return true;
    bool either = f->model == RISK_ELASTIC || f->model == RISK_TREES;
    return either && (f->spec.family == NULL || strcmp(f->spec.family, "logistic") == 0);
}

/* Expected events of a row with linear predictor eta (offset included). */
static double expected_of(const struct risk_fitted *f, const struct risk_data *d, size_t i,
                          double eta, double *chance) {
    double from = d->start == NULL ? 0 : d->start[i], e = 0;
    if (f->model == RISK_COX) {
        uint32_t s = d->stratum == NULL ? 0 : d->stratum[i];
        e = model_cox_expected_smooth(f->base, f->n_base, s, from, d->stop[i], eta, f->scale);
    } else if (risk_model_is_life(f->model)) {
        enum model_life life = (enum model_life)((int)f->model - (int)RISK_WEIBULL);
        *chance = model_life_chance(life, f->scale, eta, from, d->stop[i]);
        return *chance;
    } else if (f->model == RISK_POWER || f->model == RISK_LEYP) {
        e = model_power_expected(f->beta, f->alpha, eta, d->earlier == NULL ? 0 : d->earlier[i],
                                 from, d->stop[i]);
    } else if (risk_is_logistic(f)) {
        *chance = 1 / (1 + exp(-eta));
        return *chance; /* one event or none */
    } else {
        e = exp(eta);
    }
    if (f->model == RISK_NEGBIN && f->scale > 0)
        *chance = -expm1(-f->scale * log1p(e / f->scale)); /* 1 - (1 + mu / theta)^-theta */
    else
        *chance = -expm1(-e);
    return e;
}

static double logit(double p) {
    double c = fmin(fmax(p, 1e-12), 1 - 1e-12);
    return log(c) - log1p(-c);
}

static double mend(const struct risk_fitted *f, double chance) {
    if (!f->calibrated) return chance;
    return f->isotonic.n_knots > 0 ? model_isotonic_chance(&f->isotonic, logit(chance))
                                   : model_platt_chance(&f->platt, logit(chance));
}

enum err_code risk_calibrate(struct arena *a, struct risk_fitted *f, const struct table *t,
                             const struct risk_data *d, const bool *use, struct err *err) {
    struct risk_scores s;
    double *score = ARENA_NEW(a, double, d->n + 1), *y = ARENA_NEW(a, double, d->n + 1);
    uint8_t *outcome = ARENA_NEW(a, uint8_t, d->n + 1);
    size_t n = 0, n_events = 0;
    if (score == NULL || y == NULL || outcome == NULL)
        return err_fail(err, ERR_NOMEM, "%zu rows", d->n);
    TRY(risk_score(a, f, t, d, &s, err));
    for (size_t i = 0; i < d->n; i++) {
        if (!use[i] || s.missing[i]) continue;
        score[n] = logit(s.chance[i]);
        outcome[n] = d->y[i] > 0;
        n_events += outcome[n];
        y[n] = outcome[n];
        n++;
    }
    if (n_events == 0 || n_events == n)
        return err_fail(err, ERR_NUMERIC,
                        "calibrate: %zu of %zu rows of the last year have an "
                        "event; nothing can be learnt from that",
                        n_events, n);
    if (strcmp(f->spec.calibrate, "platt") == 0)
        TRY(model_platt_fit(score, outcome, n, &f->platt, err));
    else
        TRY(model_isotonic_fit(score, y, NULL, n, a, &f->isotonic, err));
    f->calibrated = true;
    return ERR_OK;
}

enum err_code risk_score(struct arena *a, const struct risk_fitted *f, const struct table *t,
                         const struct risk_data *d, struct risk_scores *out, struct err *err) {
    size_t p = f->design.n_columns;
    memset(out, 0, sizeof *out);
    out->n = t->n_row;
    double *x = ARENA_NEW(a, double, t->n_row *p + 1);
    out->missing = ARENA_NEW(a, bool, t->n_row + 1);
    out->expected = ARENA_NEW(a, double, t->n_row + 1);
    out->chance = ARENA_NEW(a, double, t->n_row + 1);
    if (x == NULL || out->missing == NULL || out->expected == NULL || out->chance == NULL)
        return err_fail(err, ERR_NOMEM, "%zu rows", t->n_row);
    TRY(risk_design_fill(a, &f->design, t, x, out->missing, &out->n_unseen, err));
    for (size_t i = 0; i < t->n_row; i++) {
        if (!d->complete[i]) out->missing[i] = true;
        if (out->missing[i]) continue;
        double eta = d->offset == NULL ? 0 : d->offset[i];
        for (size_t j = 0; j < p && f->model != RISK_TREES; j++)
            eta += x[i * p + j] * f->coef[j].value;
        if (f->model == RISK_TREES) {
            double own = 0;
            model_trees_predict(&f->trees, SIZE_MAX, x + i * p, 1, NULL, &own, NULL);
            eta += own;
        }
        out->expected[i] = expected_of(f, d, i, eta, &out->chance[i]);
        if (!isfinite(out->expected[i]) || !isfinite(out->chance[i])) {
            out->missing[i] = true; /* no number can stand for it: exp() overflowed */
            out->expected[i] = out->chance[i] = 0;
            continue;
        }
        out->chance[i] = mend(f, out->chance[i]);
    }
    return ERR_OK;
}
