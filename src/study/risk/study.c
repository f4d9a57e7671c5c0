#include "study/risk/study.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/rng.h"
#include "num/model/survdata.h"

static enum err_code all_rows(struct arena *a, const struct risk_data *d, bool held_out, bool want,
                              bool **out, struct err *err) {
    *out = ARENA_NEW(a, bool, d->n + 1);
    if (*out == NULL) return err_fail(err, ERR_NOMEM, "%zu rows", d->n);
    for (size_t i = 0; i < d->n; i++)
        (*out)[i] = !held_out || d->held_out == NULL || d->held_out[i] == want;
    return ERR_OK;
}

static enum err_code score_baselines(struct arena *a, const struct risk_data *d,
                                     const struct risk_baseline base[RISK_N_BASELINES],
                                     const double *chance[RISK_N_BASELINES], struct err *err) {
    for (size_t k = 0; k < RISK_N_BASELINES; k++)
        TRY(risk_baseline_score(a, d, k, &base[k], &chance[k], err));
    return ERR_OK;
}

static enum err_code by_years(struct arena *a, const struct table *t, const struct risk_data *d,
                              struct risk_result *out, struct err *err) {
    struct risk_scores s;
    const double *chance[RISK_N_BASELINES];
    bool *test = NULL;
    struct risk_evaluation *e = &out->evaluation;
    TRY(all_rows(a, d, true, true, &test, err));
    TRY(risk_score(a, &out->fit, t, d, &s, err));
    TRY(score_baselines(a, d, out->baseline, chance, err));
    e->how = "held_out_years";
    e->what = arena_printf(a, "fitted to %s up to %s, tested on the rows after it",
                           out->fit.spec.split, out->fit.spec.train_to);
    if (e->what == NULL) return err_fail(err, ERR_NOMEM, "sentences");
    TRY(risk_evaluate(a, d, test, &s, out->baseline, chance, (uint64_t)out->fit.spec.seed, e, err));
    out->evaluated = true;
    return ERR_OK;
}

/* Part of each row; rows of one cluster stay together, so that no asset helps to foretell itself.
 */
static uint32_t *draw_parts(struct arena *a, const struct risk_data *d, const struct risk_spec *s) {
    uint32_t *part = ARENA_NEW(a, uint32_t, d->n + 1);
    size_t n = d->cluster == NULL ? d->n : d->clusters.n;
    uint32_t *of = ARENA_NEW(a, uint32_t, n + 1);
    if (part == NULL || of == NULL) return NULL;
    struct rng r = rng_new((uint64_t)s->seed, 0xf01d);
    for (size_t i = 0; i < n; i++) of[i] = (uint32_t)(i % (size_t)s->folds);
    for (size_t i = n; i > 1; i--) {
        size_t j = rng_below(&r, (uint32_t)i);
        uint32_t keep = of[i - 1];
        of[i - 1] = of[j];
        of[j] = keep;
    }
    for (size_t i = 0; i < d->n; i++) part[i] = of[d->cluster == NULL ? i : d->cluster[i]];
    return part;
}

struct folds {
    struct risk_scores all;
    double *chance[RISK_N_BASELINES];
    bool usable[RISK_N_BASELINES];
};

static enum err_code one_fold(struct arena *a, const struct table *t, const struct risk_data *d,
                              const struct risk_result *whole, const uint32_t *part, uint32_t k,
                              const struct num_run *run, struct folds *f, struct err *err) {
    struct risk_fitted fit;
    struct risk_scores s;
    struct risk_baseline base[RISK_N_BASELINES];
    const double *chance[RISK_N_BASELINES];
    bool *use = ARENA_NEW(a, bool, d->n + 1);
    if (use == NULL) return err_fail(err, ERR_NOMEM, "%zu rows", d->n);
    for (size_t i = 0; i < d->n; i++) use[i] = part[i] != k;
    TRY(risk_fit(a, t, &whole->fit.spec, whole->fit.model, d, use, run, &fit, err));
    TRY(risk_score(a, &fit, t, d, &s, err));
    TRY(risk_baselines_fit(a, &fit.spec, d, use, base, err));
    TRY(score_baselines(a, d, base, chance, err));
    for (size_t i = 0; i < d->n; i++) {
        if (part[i] != k) continue;
        f->all.expected[i] = s.expected[i];
        f->all.chance[i] = s.chance[i];
        f->all.missing[i] = s.missing[i];
        for (size_t b = 0; b < RISK_N_BASELINES; b++)
            f->chance[b][i] = chance[b] == NULL ? NAN : chance[b][i];
    }
    for (size_t b = 0; b < RISK_N_BASELINES; b++) f->usable[b] = f->usable[b] && chance[b] != NULL;
    return ERR_OK;
}

static enum err_code by_folds(struct arena *a, const struct table *t, const struct risk_data *d,
                              const struct num_run *run, struct risk_result *out, struct err *err) {
    struct folds f = {.usable = {true, true}};
    struct risk_evaluation *e = &out->evaluation;
    const struct risk_spec *s = &out->fit.spec;
    uint32_t *part = draw_parts(a, d, s);
    bool *test = NULL;
    f.all.n = d->n;
    f.all.expected = ARENA_NEW(a, double, d->n + 1);
    f.all.chance = ARENA_NEW(a, double, d->n + 1);
    f.all.missing = ARENA_NEW(a, bool, d->n + 1);
    for (size_t b = 0; b < RISK_N_BASELINES; b++) f.chance[b] = ARENA_NEW(a, double, d->n + 1);
    if (part == NULL || f.all.expected == NULL || f.all.chance == NULL || f.all.missing == NULL ||
        f.chance[0] == NULL || f.chance[1] == NULL)
        return err_fail(err, ERR_NOMEM, "%zu rows", d->n);
    for (uint32_t k = 0; k < (uint32_t)s->folds; k++)
        TRY(one_fold(a, t, d, out, part, k, run, &f, err));
    TRY(all_rows(a, d, false, true, &test, err));
    const double *chance[RISK_N_BASELINES];
    for (size_t b = 0; b < RISK_N_BASELINES; b++) chance[b] = f.usable[b] ? f.chance[b] : NULL;
    e->how = "folds";
    e->what =
        arena_printf(a,
                     "%lld parts, each foretold by a fit to the others; there are no years to "
                     "hold out, so this is kinder than a forecast of later years",
                     (long long)s->folds);
    if (e->what == NULL) return err_fail(err, ERR_NOMEM, "sentences");
    TRY(risk_evaluate(a, d, test, &f.all, out->baseline, chance, (uint64_t)s->seed, e, err));
    out->evaluated = true;
    return ERR_OK;
}

/* The last period up to train_to is taken out of use[] and into last[]. */
static enum err_code part_last(struct arena *a, const struct risk_data *d, bool *use, bool **last,
                               struct err *err) {
    double top = -INFINITY;
    uint32_t best = UINT32_MAX;
    size_t left = 0;
    for (size_t i = 0; i < d->n; i++) {
        const char *label = d->periods.label[d->period[i]];
        if (!use[i] || label[0] == '\0') continue;
        /* Labels are sorted as texts; years compare as numbers too. */
        double v = strtod(label, NULL);
        bool later = best == UINT32_MAX || v > top || (v == top && d->period[i] > best);
        if (later) top = v, best = d->period[i];
    }
    *last = ARENA_NEW(a, bool, d->n + 1);
    if (*last == NULL) return err_fail(err, ERR_NOMEM, "%zu rows", d->n);
    for (size_t i = 0; i < d->n; i++) {
        (*last)[i] = use[i] && d->period[i] == best;
        if ((*last)[i]) use[i] = false;
        left += use[i];
    }
    return left > 0 ? ERR_OK
                    : err_fail(err, ERR_INVALID,
                               "calibrate: there is one year only up to train_to, nothing is left "
                               "to fit to");
}

enum err_code risk_study(struct arena *a, const struct table *t, const struct risk_spec *spec,
                         const struct num_run *run, struct risk_result *out, struct err *err) {
    enum risk_model model;
    struct risk_data d;
    bool *use = NULL, *last = NULL;
    memset(out, 0, sizeof *out);
    TRY(risk_spec_check(spec, &model, err));
    TRY(risk_data_read(a, t, spec, model, true, NULL, &d, err));
    TRY(all_rows(a, &d, true, false, &use, err));
    TRY(risk_baselines_fit(a, spec, &d, use, out->baseline, err));
    if (spec->calibrate != NULL) TRY(part_last(a, &d, use, &last, err));
    TRY(risk_fit(a, t, spec, model, &d, use, run, &out->fit, err));
    if (last != NULL) TRY(risk_calibrate(a, &out->fit, t, &d, last, err));
    if (spec->split != NULL) return by_years(a, t, &d, out, err);
    if (spec->folds > 0) return by_folds(a, t, &d, run, out, err);
    risk_note_add(&out->fit, "not_evaluated",
                  "nothing was held out (--split and --train-to, or --folds), so nothing is said "
                  "about how well this foretells");
    return ERR_OK;
}

enum err_code risk_study_again(struct arena *a, const struct table *t,
                               const struct risk_result *saved, struct risk_evaluation *out,
                               struct err *err) {
    const struct risk_fitted *f = &saved->fit;
    struct risk_spec spec = f->spec;
    struct risk_data d;
    struct risk_scores s;
    const double *chance[RISK_N_BASELINES];
    bool *test = NULL;
    memset(out, 0, sizeof *out);
    size_t col = SIZE_MAX;
    if (spec.split != NULL) TRY(table_column(t, spec.split, true, &col, err));
    const char *train_to = spec.train_to;
    spec.split = spec.train_to = NULL; /* all rows may be later ones: that is no error here */
    TRY(risk_data_read(a, t, &spec, f->model, true, f->model == RISK_COX ? &f->strata : NULL, &d,
                       err));
    TRY(all_rows(a, &d, false, true, &test, err));
    size_t n_later = 0;
    for (size_t i = 0; i < d.n && train_to != NULL; i++) {
        char *end_a = NULL, *end_b = NULL;
        const char *v = table_text(t, i, col);
        double x = strtod(v, &end_a), y = strtod(train_to, &end_b);
        bool numbers = *v != '\0' && *end_a == '\0' && *end_b == '\0';
        test[i] = numbers ? x > y : strcmp(v, train_to) > 0;
        n_later += test[i];
    }
    if (train_to != NULL && n_later == 0)
        return err_fail(err, ERR_INVALID,
                        "%s: no row is later than %s, up to which the model was fitted", t->path,
                        train_to);
    TRY(risk_score(a, f, t, &d, &s, err));
    TRY(score_baselines(a, &d, saved->baseline, chance, err));
    out->how = train_to != NULL ? "held_out_years" : "given_rows";
    out->what = train_to != NULL
                    ? arena_printf(a, "rows with %s after %s", f->spec.split, train_to)
                    : "all rows given: that none of them was fitted to is for you to know";
    if (out->what == NULL) return err_fail(err, ERR_NOMEM, "sentences");
    return risk_evaluate(a, &d, test, &s, saved->baseline, chance, (uint64_t)spec.seed, out, err);
}

enum err_code risk_predict_csv(struct arena *a, const struct risk_result *saved,
                               const struct table *t, size_t top, struct buf *out,
                               size_t *n_missing, size_t *n_unseen, struct err *err) {
    const struct risk_fitted *f = &saved->fit;
    struct risk_spec spec = f->spec;
    struct risk_data d;
    struct risk_scores s;
    uint32_t *order = NULL;
    spec.length = spec.age = spec.last = spec.cluster = NULL; /* of no use to a score */
    TRY(risk_data_read(a, t, &spec, f->model, false, f->model == RISK_COX ? &f->strata : NULL, &d,
                       err));
    TRY(risk_score(a, f, t, &d, &s, err));
    double *key = ARENA_NEW(a, double, t->n_row + 1);
    if (key == NULL) return err_fail(err, ERR_NOMEM, "%zu rows", t->n_row);
    for (size_t i = 0; i < t->n_row; i++) key[i] = s.missing[i] ? INFINITY : -s.expected[i];
    TRY(model_order(a, key, t->n_row, &order, err));
    buf_str(out, "id,expected,chance,rank\n");
    *n_missing = 0;
    *n_unseen = s.n_unseen;
    for (size_t k = 0; k < t->n_row; k++) {
        size_t i = order[k];
        if (s.missing[i]) {
            (*n_missing)++;
            continue;
        }
        if (top > 0 && k >= top) continue;
        if (d.id_column == SIZE_MAX)
            buf_printf(out, "%zu", i + 1);
        else
            csv_safe_field(out, table_text(t, i, d.id_column), true);
        buf_printf(out, ",%.10g,%.10g,%zu\n", s.expected[i], s.chance[i], k + 1);
    }
    return buf_check(out, err);
}
