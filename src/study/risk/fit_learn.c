/* Elastic net and boosted trees: for ranking, without standard errors. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "num/model/elastic.h"
#include "study/risk/fit_int.h"

enum { CV_FOLDS = 10 };

static struct model_data data_of(const struct risk_rows *r) {
    return (struct model_data){.n_row = r->n,
                               .n_col = r->p,
                               .x = r->x,
                               .name = r->name,
                               .y = r->y,
                               .offset = r->offset,
                               .weight = r->weight};
}

/* Outcomes of the logistic family are 0 and 1. */
static enum model_family prepare(const struct risk_rows *r, const struct risk_fitted *f) {
    if (!risk_is_logistic(f)) return MODEL_POISSON;
    for (size_t i = 0; i < r->n; i++) r->y[i] = r->y[i] > 0;
    return MODEL_LOGISTIC;
}

/* Folds by cluster, so that no asset is on both sides. */
static uint32_t *folds_of(struct arena *a, const struct risk_rows *r, uint64_t seed) {
    size_t n = r->n;
    for (size_t i = 0; r->cluster != NULL && i < r->n; i++)
        if (r->cluster[i] >= n) n = (size_t)r->cluster[i] + 1;
    uint32_t *of = ARENA_NEW(a, uint32_t, n + 1), *fold = ARENA_NEW(a, uint32_t, r->n + 1);
    if (of == NULL || fold == NULL) return NULL;
    model_folds_random(n, CV_FOLDS, seed, of);
    for (size_t i = 0; i < r->n; i++) fold[i] = of[r->cluster == NULL ? i : r->cluster[i]];
    return fold;
}

enum err_code risk_fit_elastic(struct arena *a, const struct risk_rows *r,
                               const struct num_run *run, struct risk_fitted *f, struct err *err) {
    enum model_family family = prepare(r, f);
    struct model_data d = data_of(r);
    struct model_elastic_options o = {.alpha = f->spec.mix, .n_lambda = 60};
    struct model_path path;
    struct model_cv cv;
    if (family == MODEL_LOGISTIC && r->offset != NULL)
        return err_fail(err, ERR_INVALID,
                        "elastic with the logistic family takes no exposure or "
                        "offset; give family poisson");
    uint32_t *fold = folds_of(a, r, (uint64_t)f->spec.seed);
    if (fold == NULL) return err_fail(err, ERR_NOMEM, "%zu rows", r->n);
    TRY(model_elastic_path(&d, family, &o, run, a, &path, err));
    TRY(model_elastic_cv(&d, &path, &o, fold, CV_FOLDS, false, run, a, &cv, err));
    size_t best = cv.one_se;
    f->converged = path.converged[best];
    for (size_t j = 0; j < r->p; j++) {
        double v = path.coef[best * r->p + j];
        f->coef[j].aliased = isnan(v);
        f->coef[j].value = isnan(v) ? 0 : v;
        f->coef[j].se = f->coef[j].z = f->coef[j].p = NAN;
    }
    risk_extra_add(f, "lambda", path.lambda[best], NAN);
    risk_extra_add(f, "columns_used", (double)path.n_nonzero[best], NAN);
    risk_extra_add(f, "deviance_ratio", path.deviance_ratio[best], NAN);
    risk_extra_add(f, "cv_deviance", cv.mean[best], cv.se[best]);
    risk_note_add(f, "no_standard_errors",
                  "a penalised fit has no standard errors or tests: it is for ranking");
    return ERR_OK;
}

enum err_code risk_fit_trees(struct arena *a, const struct risk_rows *r, const struct num_run *run,
                             struct risk_fitted *f, struct err *err) {
    enum model_family family = prepare(r, f);
    struct model_data d = data_of(r);
    uint8_t *held = ARENA_NEW(a, uint8_t, r->n + 1);
    uint32_t *fold = folds_of(a, r, (uint64_t)f->spec.seed);
    if (held == NULL || fold == NULL) return err_fail(err, ERR_NOMEM, "%zu rows", r->n);
    if (family == MODEL_LOGISTIC && r->offset != NULL)
        return err_fail(err, ERR_INVALID,
                        "trees with the logistic family take no exposure or "
                        "offset; give family poisson");
    for (size_t i = 0; i < r->n; i++) held[i] = fold[i] == 0;
    struct model_trees_options o = {.n_trees = 500,
                                    .rate = 0.05,
                                    .ridge = 1,
                                    .seed = (uint64_t)f->spec.seed,
                                    .held = held,
                                    .patience = 30};
    TRY(model_trees_fit(&d, family, &o, run, a, &f->trees, err));
    f->converged = true;
    for (size_t j = 0; j < r->p; j++) {
        f->coef[j].value = f->trees.importance[j];
        f->coef[j].se = f->coef[j].z = f->coef[j].p = NAN;
    }
    risk_extra_add(f, "trees", (double)f->trees.n_trees, NAN);
    if (f->trees.held_deviance != NULL)
        risk_extra_add(f, "watched_deviance", f->trees.held_deviance[f->trees.n_trees], NAN);
    for (unsigned flag = 1; flag <= MODEL_TREES_ONE_OUTCOME; flag *= 2)
        if ((f->trees.flags & flag) && flag != MODEL_TREES_STOPPED_EARLY)
            risk_note_add(f, model_trees_flag_name(flag), "the trees tell nothing here");
    risk_note_add(f, "importance",
                  "values are shares of the gain, not effects: trees are for ranking");
    return ERR_OK;
}
