/* Regression, penalties and trees on a made-up table of 100,000 rows and 20 columns: processor
 * seconds of one thread. With a path the table is written there (doubles: y of counts, y of 0/1,
 * then the columns one after another) for the peers. Arguments: [PATH]. */
#include <math.h>
#include <stdio.h>
#include <time.h>

#include "base/rng.h"
#include "num/model/elastic.h"
#include "num/model/negbin.h"
#include "num/model/trees.h"

enum { ROWS = 100000, COLS = 20 };

static double now(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
static void must(enum err_code rc, const struct err *err) {
    if (rc == ERR_OK) return;
    (void)fprintf(stderr, "models: %s\n", err->detail);
    _Exit(1);
}

static void put(FILE *out, const double *v, size_t stride) {
    for (size_t i = 0; i < ROWS; i++)
        if (fwrite(v + i * stride, sizeof *v, 1, out) != 1) _Exit(1);
}

int main(int argc, char **argv) {
    struct arena *a = arena_new((size_t)4 << 30);
    double *x = a == NULL ? NULL : ARENA_NEW(a, double, (size_t)ROWS *COLS);
    double *count = ARENA_NEW(a, double, ROWS), *event = ARENA_NEW(a, double, ROWS);
    if (x == NULL || count == NULL || event == NULL) return 1;
    static const char *name[COLS];
    struct rng r = rng_new(1, 1);
    for (size_t j = 0; j < COLS; j++) name[j] = "x";
    for (size_t i = 0; i < ROWS; i++) {
        double *row = x + i * COLS;
        row[0] = 1;
        for (size_t j = 1; j < COLS; j++) row[j] = rng_normal(&r);
        double eta = -1 + 0.3 * row[1] - 0.2 * row[2];
        count[i] = rng_poisson(&r, rng_exp(&r) * exp(eta));
        event[i] = rng_unit(&r) < 1 / (1 + exp(-eta));
    }
    if (argc > 1) {
        FILE *out = fopen(argv[1], "wbe");
        if (out == NULL) return 1;
        put(out, count, 1);
        put(out, event, 1);
        for (size_t j = 0; j < COLS; j++) put(out, x + j, COLS);
        if (fclose(out) != 0) return 1;
    }
    struct model_data counts = {ROWS, COLS, x, name, count, NULL, NULL}, events = counts;
    events.y = event;
    struct model_fit fit;
    struct err err;
    double t = now();
    must(model_glm_fit(&events, MODEL_LOGISTIC, 0, NULL, a, &fit, &err), &err);
    printf("logistic            CPU %6.2f s   x1 %.9f se %.9f\n", now() - t, fit.coef[1].value,
           fit.coef[1].se);
    t = now();
    must(model_negbin_fit(&counts, NULL, a, &fit, &err), &err);
    printf("negative binomial   CPU %6.2f s   x1 %.9f theta %.9f\n", now() - t, fit.coef[1].value,
           fit.theta);
    struct model_path path;
    struct model_elastic_options lasso = {.alpha = 1};
    t = now();
    must(model_elastic_path(&events, MODEL_LOGISTIC, &lasso, NULL, a, &path, &err), &err);
    printf("lasso, 100 lambdas  CPU %6.2f s   x1 at the 50th %.9f\n", now() - t,
           path.coef[49 * COLS + 1]);
    struct model_trees trees;
    struct model_trees_options boosting = {.n_trees = 100};
    t = now();
    must(model_trees_fit(&events, MODEL_LOGISTIC, &boosting, NULL, a, &trees, &err), &err);
    printf("trees, 100 x 8      CPU %6.2f s   deviance %.9f\n", now() - t, trees.deviance[100]);
    arena_free(a);
    return 0;
}
