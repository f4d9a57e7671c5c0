#include "study/risk/evaluate.h"

#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "num/model/glm.h"

const double risk_share[RISK_N_SHARES] = {0.01, 0.05, 0.10};

static const double *column_of(const struct risk_data *d, size_t which) {
    return which == 0 ? d->age : d->last;
}

static enum err_code fit_one(struct arena *a, const struct risk_data *d, const double *v,
                             const bool *use, struct risk_baseline *b, struct err *err) {
    static const char *const name[] = {"(Intercept)", "value"};
    double *x = ARENA_NEW(a, double, 2 * d->n + 1), *y = ARENA_NEW(a, double, d->n + 1);
    if (x == NULL || y == NULL) return err_fail(err, ERR_NOMEM, "%zu rows", d->n);
    size_t n = 0;
    for (size_t i = 0; i < d->n; i++) {
        if (!use[i] || !d->complete[i] || isnan(v[i])) continue;
        x[2 * n] = 1;
        x[2 * n + 1] = v[i];
        y[n++] = d->y[i] > 0;
    }
    struct model_data m = {.n_row = n, .n_col = 2, .x = x, .name = name, .y = y};
    struct model_fit fit;
    if (n < 2 || model_glm_fit(&m, MODEL_LOGISTIC, 0, NULL, a, &fit, NULL) != ERR_OK) return ERR_OK;
    b->usable = !fit.coef[0].dropped;
    b->intercept = fit.coef[0].dropped ? 0 : fit.coef[0].value;
    b->slope = fit.coef[1].dropped ? 0 : fit.coef[1].value;
    return ERR_OK;
}

enum err_code risk_baselines_fit(struct arena *a, const struct risk_spec *s,
                                 const struct risk_data *d, const bool *use,
                                 struct risk_baseline out[RISK_N_BASELINES], struct err *err) {
    out[0] = (struct risk_baseline){.name = "age only", .column = s->age};
    out[1] = (struct risk_baseline){.name = "last year's count", .column = s->last};
    for (size_t k = 0; k < RISK_N_BASELINES; k++)
        if (out[k].column != NULL) TRY(fit_one(a, d, column_of(d, k), use, &out[k], err));
    return ERR_OK;
}

enum err_code risk_baseline_score(struct arena *a, const struct risk_data *d, size_t which,
                                  const struct risk_baseline *b, const double **chance,
                                  struct err *err) {
    const double *v = column_of(d, which);
    *chance = NULL;
    if (!b->usable || v == NULL) return ERR_OK;
    double *c = ARENA_NEW(a, double, d->n + 1);
    if (c == NULL) return err_fail(err, ERR_NOMEM, "%zu rows", d->n);
    for (size_t i = 0; i < d->n; i++)
        c[i] = isnan(v[i]) ? NAN : 1 / (1 + exp(-(b->intercept + b->slope * v[i])));
    *chance = c;
    return ERR_OK;
}

/* The rows that count, in a shuffled order: equal scores (a baseline has many) are then taken by
 * chance and not as the file happens to be sorted. */
struct held {
    size_t n;
    size_t *row;
    double *rank, *chance, *events, *length;
    uint8_t *outcome, *some; /* some: of one period */
};

static enum err_code gather(struct arena *a, const struct risk_data *d, const bool *test,
                            const struct risk_scores *s, const double *base[RISK_N_BASELINES],
                            uint64_t seed, struct held *h, size_t *n_missing, struct err *err) {
    size_t n = d->n + 1;
    memset(h, 0, sizeof *h);
    h->row = ARENA_NEW(a, size_t, n);
    h->rank = ARENA_NEW(a, double, n);
    h->chance = ARENA_NEW(a, double, n);
    h->events = ARENA_NEW(a, double, n);
    h->outcome = ARENA_NEW(a, uint8_t, n);
    h->some = ARENA_NEW(a, uint8_t, n);
    if (d->length != NULL) h->length = ARENA_NEW(a, double, n);
    if (h->row == NULL || h->rank == NULL || h->chance == NULL || h->events == NULL ||
        h->outcome == NULL || h->some == NULL || (d->length != NULL && h->length == NULL))
        return err_fail(err, ERR_NOMEM, "%zu rows", d->n);
    *n_missing = 0;
    for (size_t i = 0; i < d->n; i++) {
        if (!test[i]) continue;
        bool bad = s->missing[i] || isnan(d->y[i]);
        for (size_t k = 0; k < RISK_N_BASELINES; k++)
            bad = bad || (base[k] != NULL && isnan(base[k][i]));
        if (d->length != NULL && !(d->length[i] > 0)) bad = true;
        if (bad)
            (*n_missing)++;
        else
            h->row[h->n++] = i;
    }
    struct rng r = rng_new(seed, 0x7155);
    for (size_t i = h->n; i > 1; i--) {
        size_t j = rng_below(&r, (uint32_t)i), keep = h->row[i - 1];
        h->row[i - 1] = h->row[j];
        h->row[j] = keep;
    }
    for (size_t i = 0; i < h->n; i++) {
        h->events[i] = d->y[h->row[i]];
        h->outcome[i] = h->events[i] > 0;
        if (h->length != NULL) h->length[i] = d->length[h->row[i]];
    }
    return ERR_OK;
}

static enum err_code stand(const struct held *h, const double *rank, const double *chance,
                           struct risk_standing *out, struct err *err) {
    for (size_t i = 0; i < h->n; i++) {
        h->rank[i] = rank[h->row[i]];
        h->chance[i] = chance[h->row[i]];
    }
    TRY(model_evaluate(h->chance, h->outcome, h->n, &out->scores, err));
    for (size_t k = 0; k < RISK_N_SHARES; k++) {
        TRY(model_top_by_count(h->rank, h->events, h->length, h->n, risk_share[k],
                               &out->by_count[k], err));
        if (h->length != NULL)
            TRY(model_top_by_size(h->rank, h->events, h->length, h->n, risk_share[k],
                                  &out->by_length[k], err));
    }
    out->usable = true;
    return ERR_OK;
}

static enum err_code compare(struct arena *a, const struct held *h, const struct risk_scores *s,
                             const double *base, struct risk_standing *model,
                             struct risk_standing *out, struct err *err) {
    double *x = ARENA_NEW(a, double, h->n + 1), *y = ARENA_NEW(a, double, h->n + 1);
    if (x == NULL || y == NULL) return err_fail(err, ERR_NOMEM, "%zu rows", h->n);
    for (size_t i = 0; i < h->n; i++) {
        x[i] = s->expected[h->row[i]];
        y[i] = base[h->row[i]];
    }
    TRY(model_auc_compare(x, y, h->outcome, h->n, &out->difference, err));
    out->compared = true;
    out->model_is_better = out->difference.difference > 0 && out->difference.p < 0.05;
    out->sentence = arena_printf(
        a,
        "%s than %s: AUC %.3f against %.3f (p %.2g), Brier %.4f against %.4f, the first 10 %% "
        "catch "
        "%.1f %% of events against %.1f %%",
        out->model_is_better ? "Better" : "NO BETTER", out->name, out->difference.auc_a,
        out->difference.auc_b, out->difference.p, model->scores.brier, out->scores.brier,
        100 * model->by_count[2].event_share, 100 * out->by_count[2].event_share);
    return out->sentence == NULL ? err_fail(err, ERR_NOMEM, "sentences") : ERR_OK;
}

static void by_period(const struct risk_data *d, const struct held *h, const struct risk_scores *s,
                      struct risk_evaluation *out) {
    if (d->period == NULL) return;
    for (size_t p = 0; p < d->periods.n && out->n_periods < RISK_MAX_PERIODS; p++) {
        struct risk_period *q = &out->period[out->n_periods];
        size_t n = 0;
        *q = (struct risk_period){.label = d->periods.label[p], .auc = NAN};
        for (size_t i = 0; i < h->n; i++) {
            if (d->period[h->row[i]] != p) continue;
            h->rank[n] = s->expected[h->row[i]];
            q->expected += h->rank[n];
            q->events += h->events[i];
            h->some[n++] = h->outcome[i];
        }
        if (n == 0) continue;
        q->n = n;
        if (model_auc(h->rank, h->some, n, &q->auc, NULL) != ERR_OK) q->auc = NAN;
        out->n_periods++;
    }
}

static enum err_code tell(struct arena *a, struct risk_evaluation *out, struct err *err) {
    const char *bad = "", *absent = "";
    for (size_t k = 1; k <= RISK_N_BASELINES; k++) {
        const struct risk_standing *w = &out->who[k];
        if (!w->usable) {
            absent = arena_printf(a, " There was no column for the baseline \"%s\".", w->name);
        } else if (!w->model_is_better) {
            bad = arena_printf(a, "%s%s%s", bad, bad[0] == '\0' ? "" : " nor ", w->name);
            out->no_better = true;
        }
        if (bad == NULL || absent == NULL) return err_fail(err, ERR_NOMEM, "sentences");
    }
    out->verdict =
        out->no_better
            ? arena_printf(a,
                           "The model is no better than %s on held-out rows: use the simpler "
                           "rule.%s",
                           bad, absent)
            : arena_printf(a, "The model ranks better than every baseline on held-out rows.%s",
                           absent);
    return out->verdict == NULL ? err_fail(err, ERR_NOMEM, "sentences") : ERR_OK;
}

enum err_code risk_evaluate(struct arena *a, const struct risk_data *d, const bool *test,
                            const struct risk_scores *scores,
                            const struct risk_baseline base[RISK_N_BASELINES],
                            const double *base_chance[RISK_N_BASELINES], uint64_t seed,
                            struct risk_evaluation *out, struct err *err) {
    struct held h;
    if (base_chance[0] == NULL && base_chance[1] == NULL)
        return err_fail(err, ERR_INVALID,
                        "a model is told beside a baseline: name the column of age (--age) or of "
                        "last year's count (--last)");
    TRY(gather(a, d, test, scores, base_chance, seed, &h, &out->n_missing, err));
    size_t n_positive = 0;
    for (size_t i = 0; i < h.n; i++) {
        out->events += h.events[i];
        out->expected += scores->expected[h.row[i]];
        n_positive += h.outcome[i];
    }
    out->n = h.n;
    if (h.n == 0) return err_fail(err, ERR_INVALID, "no held-out row can be scored");
    if (n_positive < 2 || h.n - n_positive < 2)
        return err_fail(err, ERR_NUMERIC,
                        "%zu of %zu held-out rows have an event: nothing can be evaluated",
                        n_positive, h.n);
    out->by_length = h.length != NULL;
    out->who[0].name = "model";
    TRY(stand(&h, scores->expected, scores->chance, &out->who[0], err));
    for (size_t k = 0; k < RISK_N_BASELINES; k++) {
        out->who[k + 1].name = base[k].name;
        if (base_chance[k] == NULL) continue;
        TRY(stand(&h, base_chance[k], base_chance[k], &out->who[k + 1], err));
        TRY(compare(a, &h, scores, base_chance[k], &out->who[0], &out->who[k + 1], err));
    }
    by_period(d, &h, scores, out);
    return tell(a, out, err);
}
