#include "domain/measure/backtest.h"

#include <math.h>
#include <string.h>

#include "num/model/evaluate.h"
#include "num/model/glm.h"

enum { SCRATCH_ARENA = 1 << 28, MAX_COLS = 3 };

const char *backtest_verdict_name(const struct backtest *b) {
    static const char *const names[] = {"", "too_little", "none_better", "some_better"};
    return names[b->verdict];
}

static enum err_code nomem(struct err *err) { return err_fail(err, ERR_NOMEM, "back-test"); }

/* ---- values of the months */

static enum err_code values_of(const struct value_query *q, const struct indicator_def *d,
                               double *out, struct err *err) {
    size_t n = q->areas->n;
    struct arena *scratch = arena_new(SCRATCH_ARENA);
    if (scratch == NULL) return nomem(err);
    struct indicator_value *v = ARENA_NEW(scratch, struct indicator_value, n + 1);
    enum err_code rc = v == NULL ? nomem(err) : value_form(q, d, scratch, v, err);
    for (size_t j = 0; rc == ERR_OK && j < n; j++)
        out[j] = v[j].state == VALUE_OK || v[j].state == VALUE_TOO_SMALL ? v[j].value : NAN;
    arena_free(scratch);
    return rc;
}

static enum err_code fill_month(const struct value_query *q, struct backtest_table *t, size_t month,
                                struct err *err) {
    const struct index_def *d = t->d;
    size_t rows = t->n_months * t->n, at = month * t->n;
    TRY(values_of(q, d->outcome, t->x + at, err));
    for (size_t j = 0; j < t->n; j++) t->x[rows + at + j] = NAN;
    if (d->population != NULL) TRY(values_of(q, d->population, t->x + rows + at, err));
    for (size_t i = 0; i < d->n_leaves; i++)
        TRY(values_of(q, d->node[i].indicator, t->x + (2 + i) * rows + at, err));
    /* Counts and residents work by their size, not by their number. */
    for (size_t k = 0; k < 2; k++)
        for (size_t j = 0; j < t->n; j++) {
            double *x = &t->x[k * rows + at + j];
            *x = *x >= 0 ? log1p(*x) : NAN;
        }
    return ERR_OK;
}

static enum err_code fill_outcome(const struct value_query *q, struct backtest_table *t,
                                  size_t month, struct err *err) {
    struct value_query next = *q;
    double *count = ARENA_NEW(t->a, double, t->n + 1);
    if (count == NULL) return nomem(err);
    next.period = period_step(&q->period, 1);
    TRY(values_of(&next, t->d->outcome, count, err));
    for (size_t j = 0; j < t->n; j++) t->y[month * t->n + j] = isnan(count[j]) ? 2 : count[j] > 0;
    return ERR_OK;
}

/* Months before anything was counted say nothing about foresight. */
static enum err_code first_month(const struct value_query *q, const struct index_def *d,
                                 struct arena *a, size_t *n_months, struct err *err) {
    struct value_query then = *q;
    double *count = ARENA_NEW(a, double, q->areas->n + 1);
    if (count == NULL) return nomem(err);
    *n_months = 0;
    for (size_t k = 0; k < BACKTEST_MONTHS; k++) {
        bool any = false;
        TRY(values_of(&then, d->outcome, count, err));
        for (size_t j = 0; j < q->areas->n; j++) any = any || count[j] > 0;
        if (any) *n_months = k + 1;
        then.period = period_step(&then.period, -1);
    }
    return ERR_OK;
}

static enum err_code fill(const struct value_query *q, struct backtest_table *t, struct err *err) {
    size_t rows = t->n_months * t->n;
    t->n_x = 2 + t->d->n_leaves;
    t->x = ARENA_NEW(t->a, double, t->n_x *rows + 1);
    t->y = ARENA_NEW(t->a, uint8_t, rows + 1);
    if (t->x == NULL || t->y == NULL) return nomem(err);
    for (size_t m = 0; m < t->n_months; m++) {
        struct value_query then = *q;
        then.period = period_step(&q->period, (int)m - (int)t->n_months + 1);
        TRY(fill_month(&then, t, m, err));
        TRY(fill_outcome(&then, t, m, err));
    }
    return ERR_OK;
}

/* ---- one model */

struct model {
    size_t col[MAX_COLS], n_col; /* predictors */
    double mean[MAX_COLS], sd[MAX_COLS];
    struct model_fit fit;
    size_t n_fit;
    const char *why; /* NULL: fitted */
};

static bool usable(const struct backtest_table *t, const struct model *m, size_t row) {
    size_t rows = t->n_months * t->n;
    bool ok = t->y[row] < 2;
    for (size_t k = 0; k < m->n_col; k++) ok = ok && !isnan(t->x[m->col[k] * rows + row]);
    return ok;
}

static bool standardise(const struct backtest_table *t, struct model *m) {
    size_t rows = t->n_months * t->n;
    for (size_t k = 0; k < m->n_col; k++) {
        double sum = 0, square = 0;
        size_t n = 0;
        for (size_t i = 0; i < t->n_fit * t->n; i++) {
            if (!usable(t, m, i)) continue;
            double x = t->x[m->col[k] * rows + i];
            n++;
            double d = x - sum;
            sum += d / (double)n; /* running mean */
            square += d * (x - sum);
        }
        m->mean[k] = sum;
        m->sd[k] = n < 2 ? 0 : sqrt(square / (double)(n - 1));
        if (!(m->sd[k] > 1e-12 * (1 + fabs(sum)))) return false;
    }
    return true;
}

static void put_row(const struct backtest_table *t, const struct model *m, size_t row,
                    double *out) {
    size_t rows = t->n_months * t->n;
    out[0] = 1;
    for (size_t k = 0; k < m->n_col; k++)
        out[k + 1] = (t->x[m->col[k] * rows + row] - m->mean[k]) / m->sd[k];
}

static enum err_code fit_model(const struct backtest_table *t, struct model *m, struct err *err) {
    static const char *const names[] = {"one", "first", "second", "third"};
    size_t n = 0, events = 0, most = t->n_fit * t->n;
    double *x = ARENA_NEW(t->a, double, most *(MAX_COLS + 1) + 1);
    double *y = ARENA_NEW(t->a, double, most + 1);
    if (x == NULL || y == NULL) return nomem(err);
    m->why = NULL;
    for (size_t i = 0; i < most; i++) n += usable(t, m, i) ? 1 : 0;
    if (n == 0) m->why = "no_data";
    if (n > 0 && !standardise(t, m)) m->why = "constant";
    if (m->why != NULL) return ERR_OK;
    n = 0;
    for (size_t i = 0; i < most; i++) {
        if (!usable(t, m, i)) continue;
        put_row(t, m, i, x + n * (m->n_col + 1));
        y[n++] = t->y[i];
        events += t->y[i];
    }
    m->n_fit = n;
    if (n < BACKTEST_LEAST_ROWS || events < 5 || n - events < 5) {
        m->why = "too_few";
        return ERR_OK;
    }
    struct model_data data = {.n_row = n, .n_col = m->n_col + 1, .x = x, .name = names, .y = y};
    return model_glm_fit(&data, MODEL_LOGISTIC, 0, NULL, t->a, &m->fit, err);
}

/* Chances of later rows that every one of the models can say something about. */
struct judging {
    double *chance[3];
    uint8_t *y;
    size_t n, events;
};

static enum err_code judge(const struct backtest_table *t, const struct model *const *m,
                           size_t n_models, struct judging *out, struct err *err) {
    size_t from = t->n_fit * t->n, to = t->n_months * t->n;
    *out = (struct judging){.y = ARENA_NEW(t->a, uint8_t, to - from + 1)};
    if (out->y == NULL) return nomem(err);
    for (size_t k = 0; k < n_models; k++) {
        out->chance[k] = ARENA_NEW(t->a, double, to - from + 1);
        if (out->chance[k] == NULL) return nomem(err);
    }
    for (size_t i = from; i < to; i++) {
        double x[MAX_COLS + 1];
        bool all = true;
        for (size_t k = 0; k < n_models; k++) all = all && usable(t, m[k], i);
        if (!all) continue;
        for (size_t k = 0; k < n_models; k++) {
            put_row(t, m[k], i, x);
            model_glm_predict(&m[k]->fit, x, 1, NULL, NULL, &out->chance[k][out->n]);
        }
        out->events += t->y[i];
        out->y[out->n++] = t->y[i];
    }
    return ERR_OK;
}

static bool enough(const struct judging *j) {
    return j->n >= BACKTEST_LEAST_ROWS && j->events >= 5 && j->n - j->events >= 5;
}

/* ---- the rows of the answer */

static enum err_code score_row(const struct judging *j, struct backtest_row *row, struct err *err) {
    struct model_scores s;
    TRY(model_evaluate(j->chance[0], j->y, j->n, &s, err));
    row->judged = true;
    row->n = j->n;
    row->auc = s.auc;
    row->brier = s.brier;
    row->slope = s.slope;
    return ERR_OK;
}

static enum err_code baseline_row(const struct backtest_table *t, struct model *m,
                                  struct backtest_row *row, struct err *err) {
    const struct model *models[] = {m};
    struct judging j;
    TRY(fit_model(t, m, err));
    row->n_fit = m->n_fit;
    row->why = m->why;
    if (m->why != NULL) return ERR_OK;
    TRY(judge(t, models, 1, &j, err));
    row->coefficient = m->fit.coef[1].value;
    if (!enough(&j)) {
        m->why = row->why = "too_few";
        return ERR_OK;
    }
    return score_row(&j, row, err);
}

/* What an indicator adds to last month's count. */
static enum err_code gain_of(const struct backtest_table *t, size_t col, struct backtest_row *row,
                             struct err *err) {
    struct model with = {.col = {0, col}, .n_col = 2}, without = {.col = {0}, .n_col = 1};
    const struct model *both[] = {&with, &without};
    struct judging j;
    struct model_auc_difference d;
    TRY(fit_model(t, &with, err));
    TRY(fit_model(t, &without, err));
    if (with.why != NULL || without.why != NULL) return ERR_OK;
    TRY(judge(t, both, 2, &j, err));
    if (!enough(&j)) return ERR_OK;
    TRY(model_auc_compare(j.chance[0], j.chance[1], j.y, j.n, &d, err));
    row->gain = d.difference;
    row->gain_p = d.p;
    return ERR_OK;
}

static enum err_code indicator_row(const struct backtest_table *t, size_t leaf,
                                   const struct model *base, double share, struct backtest_row *row,
                                   struct err *err) {
    struct model m = {.col = {2 + leaf}, .n_col = 1};
    const struct model *models[] = {&m, base};
    struct judging j;
    struct model_auc_difference d;
    row->node = &t->d->node[leaf];
    TRY(fit_model(t, &m, err));
    row->n_fit = m.n_fit;
    row->why = m.why;
    if (m.why != NULL) return ERR_OK;
    row->coefficient = m.fit.coef[1].value;
    TRY(judge(t, models, base == NULL ? 1 : 2, &j, err));
    if (!enough(&j)) {
        row->why = "too_few";
        return ERR_OK;
    }
    TRY(score_row(&j, row, err));
    if (base == NULL) return ERR_OK;
    TRY(model_auc_compare(j.chance[0], j.chance[1], j.y, j.n, &d, err));
    row->baseline_auc = d.auc_b;
    row->p = d.p;
    row->better = d.difference > 0 && d.p < share;
    return gain_of(t, 2 + leaf, row, err);
}

static enum err_code form_rows(struct backtest_table *t, struct backtest *out, struct err *err) {
    static const struct backtest_row blank = {.coefficient = NAN,
                                              .auc = NAN,
                                              .brier = NAN,
                                              .slope = NAN,
                                              .baseline_auc = NAN,
                                              .p = NAN,
                                              .gain = NAN,
                                              .gain_p = NAN};
    size_t n = 2 + t->d->n_leaves;
    struct backtest_row *row = ARENA_NEW(t->a, struct backtest_row, n);
    struct model base[2] = {{.col = {0}, .n_col = 1}, {.col = {1}, .n_col = 1}};
    const struct model *best = NULL;
    double best_auc = 0;
    if (row == NULL) return nomem(err);
    out->row = row;
    out->n = n;
    out->verdict = BACKTEST_TOO_LITTLE;
    for (size_t k = 0; k < n; k++) row[k] = blank;
    for (size_t k = 0; k < 2; k++) {
        row[k].kind = k == 0 ? BACKTEST_LAST_COUNT : BACKTEST_POPULATION;
        TRY(baseline_row(t, &base[k], &row[k], err));
        if (row[k].judged && row[k].auc > best_auc) {
            best = &base[k];
            best_auc = row[k].auc;
        }
    }
    for (size_t i = 0; i < t->d->n_leaves; i++) {
        struct backtest_row *x = &row[2 + i];
        x->kind = BACKTEST_INDICATOR;
        TRY(indicator_row(t, i, best, 0.05 / (double)t->d->n_leaves, x, err));
        if (x->judged && best != NULL && out->verdict == BACKTEST_TOO_LITTLE)
            out->verdict = BACKTEST_NONE_BETTER;
        if (x->better) out->verdict = BACKTEST_SOME_BETTER;
    }
    return ERR_OK;
}

enum err_code backtest_judge(struct backtest_table *t, struct backtest *out, struct err *err) {
    for (size_t i = t->n_fit * t->n; i < t->n_months * t->n; i++) {
        out->n_rows += t->y[i] < 2;
        out->n_events += t->y[i] == 1;
    }
    return form_rows(t, out, err);
}

enum err_code backtest_run(const struct value_query *q, const struct index_def *d, struct arena *a,
                           struct backtest *out, struct err *err) {
    struct backtest_table t = {.d = d, .n = q->areas->n, .a = a};
    *out = (struct backtest){.def = d,
                             .level = q->areas->level,
                             .n_areas = q->areas->n,
                             .last = q->period,
                             .first = q->period,
                             .last_fit = q->period,
                             .verdict = BACKTEST_TOO_LITTLE};
    if (d->outcome == NULL)
        return err_fail(err, ERR_INVALID,
                        "index %s names no outcome: what should have been foreseen", d->name);
    TRY(first_month(q, d, a, &t.n_months, err));
    out->n_months = t.n_months;
    if (t.n_months < BACKTEST_LEAST_MONTHS || t.n == 0) return ERR_OK;
    t.n_fit = t.n_months * 2 / 3;
    out->n_fit_months = t.n_fit;
    out->first = period_step(&q->period, 1 - (int)t.n_months);
    out->last_fit = period_step(&out->first, (int)t.n_fit - 1);
    TRY(fill(q, &t, err));
    return backtest_judge(&t, out, err);
}
