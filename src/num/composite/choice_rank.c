#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "num/composite/choice_draw.h"
#include "num/composite/choices.h"
#include "num/composite/order.h"
#include "num/composite/product.h"

/* Draws of one combination that are worked on together: their sums stay in the cache. */
enum { BATCH = 32, TASKS_A_THREAD = 8 };

struct batch {
    uint32_t first, n; /* into order */
};
struct work {
    const struct choice_space *s;
    const struct choice_points *points;
    const struct num_run *run;
    const struct choice_ranks *out;
    uint32_t *order; /* draws, those of one combination together */
    struct batch *batch;
    size_t n_batch, n_task;
    struct err *err; /* n_task */
};

void choice_random_point(void *arg, size_t k, double *u) {
    const struct choice_random *c = arg;
    struct rng r = rng_new(c->seed, k);
    for (size_t i = 0; i < c->n_input; i++) u[i] = rng_unit(&r);
}

/* One task's memory. */
struct desk {
    double *weight;  /* n_node */
    double *share;   /* n_node */
    double *rows;    /* BATCH x n_ind */
    double *score;   /* BATCH x width */
    double *scratch; /* composite_evaluate's, or NULL */
    double *node;
    uint16_t *rank; /* n_column */
    void *sort;
};

static bool desk_init(struct desk *d, const struct choice_space *s) {
    size_t above = s->tree->n_node - s->tree->n_ind, scratch = 0, n_area = 0;
    size_t n_plan = s->n_of[CHOICE_IMPUTE] * s->n_of[CHOICE_TREAT];
    for (size_t k = 0; k < n_plan; k++) {
        size_t need = composite_scratch(&s->plan[k]);
        scratch = need > scratch ? need : scratch;
        n_area = s->plan[k].n_area > n_area ? s->plan[k].n_area : n_area;
    }
    size_t n_layer = n_plan * s->n_of[CHOICE_NORMALISE] * s->n_of[CHOICE_AGGREGATE];
    bool all_sums = true;
    for (size_t k = 0; k < n_layer; k++) all_sums = all_sums && s->packed[k] != NULL;
    if (all_sums) scratch = n_area = 0;
    *d = (struct desk){
        .weight = mem_new(s->tree->n_node, sizeof(double)),
        .share = mem_new(s->tree->n_node, sizeof(double)),
        .rows = mem_new(BATCH * s->tree->n_ind, sizeof(double)),
        .score = mem_new(BATCH * product_width(s->n_column), sizeof(double)),
        .scratch = mem_new(scratch + 1, sizeof(double)),
        .node = mem_new(above * n_area + 1, sizeof(double)),
        .rank = mem_new(s->n_column, sizeof(uint16_t)),
        .sort = mem_new(order_rank_bytes(s->n_column), 1),
    };
    return d->weight != NULL && d->share != NULL && d->rows != NULL && d->score != NULL &&
           d->scratch != NULL && d->node != NULL && d->rank != NULL && d->sort != NULL;
}

static void desk_deinit(struct desk *d) {
    mem_free(d->weight);
    mem_free(d->share);
    mem_free(d->rows);
    mem_free(d->score);
    mem_free(d->scratch);
    mem_free(d->node);
    mem_free(d->rank);
    mem_free(d->sort);
}

/* Ranks of a draw whose scores are known. */
static void keep(const struct work *w, struct desk *desk, uint32_t draw, const double *score) {
    const struct choice_space *s = w->s;
    const struct choice_ranks *out = w->out;
    size_t n = s->n_column;
    uint16_t *rank = out->rank == NULL ? desk->rank : out->rank + (size_t)draw * n;
    order_rank(score, n, rank, desk->sort);
    for (size_t i = 0; i < out->n_watch; i++)
        out->watched[(size_t)draw * out->n_watch + i] = rank[out->watch[i]];
    if (out->shift == NULL) return;
    uint32_t sum = 0, both = 0;
    for (size_t i = 0; i < n; i++) {
        int32_t change = (int32_t)rank[i] - (int32_t)s->nominal[i];
        uint32_t has = rank[i] != 0 && s->nominal[i] != 0;
        sum += has * (uint32_t)(change < 0 ? -change : change);
        both += has;
    }
    out->shift[draw] = both > 0 ? (double)sum / (double)both : 0.0;
}

static void point_of(const struct work *w, uint32_t draw, struct choice_draw *d) {
    double u[CHOICE_KINDS];
    w->points->point(w->points->arg, draw, u);
    *d = choice_draw_of(w->s, u);
}

static void batch_sums(const struct work *w, struct desk *desk, const uint32_t *draws, size_t n) {
    const struct choice_space *s = w->s;
    size_t n_ind = s->tree->n_ind, width = product_width(s->n_column);
    struct choice_draw d = {.noise = 0};
    for (size_t k = 0; k < n; k++) {
        point_of(w, draws[k], &d);
        choice_draw_weights(s, &d, w->points->seed, desk->weight);
        choice_draw_shares(s->tree, desk->weight, desk->share);
        memcpy(desk->rows + k * n_ind, desk->share, n_ind * sizeof(double));
    }
    product_run(s->packed[d.sum], n_ind, s->n_column, desk->rows, n, desk->score);
    for (size_t k = 0; k < n; k++) {
        double *score = desk->score + k * width;
        const size_t *at = s->at[d.plan];
        for (size_t i = 0; i < s->n_column; i++)
            if (at[i] == SIZE_MAX) score[i] = NAN;
        keep(w, desk, draws[k], score);
    }
}

static enum err_code batch_evaluated(const struct work *w, struct desk *desk, const uint32_t *draws,
                                     size_t n, struct err *err) {
    const struct choice_space *s = w->s;
    for (size_t k = 0; k < n; k++) {
        struct choice_draw d;
        point_of(w, draws[k], &d);
        choice_draw_weights(s, &d, w->points->seed, desk->weight);
        const struct composite_plan *p = &s->plan[d.plan];
        struct composite_draw draw = {.layer = &s->layer[d.layer],
                                      .weight = desk->weight,
                                      .aggregate = &s->aggregate[d.of[CHOICE_AGGREGATE]]};
        TRY(composite_evaluate(p, &draw, desk->scratch, desk->node, NULL, err));
        const double *index = desk->node + (s->tree->n_node - s->tree->n_ind - 1) * p->n_area;
        for (size_t i = 0; i < s->n_column; i++) {
            size_t at = s->at[d.plan][i];
            desk->score[i] = at == SIZE_MAX ? NAN : index[at];
        }
        keep(w, desk, draws[k], desk->score);
    }
    return ERR_OK;
}

static void task(void *arg, size_t t) {
    const struct work *w = arg;
    struct desk desk;
    struct err *err = &w->err[t];
    if (!desk_init(&desk, w->s)) {
        (void)err_fail(err, ERR_NOMEM, "no memory for ranking the draws");
        desk_deinit(&desk);
        return;
    }
    size_t to = w->n_batch * (t + 1) / w->n_task;
    for (size_t b = w->n_batch * t / w->n_task; b < to && err->code == ERR_OK; b++) {
        if (num_run_stopped(w->run)) break;
        const uint32_t *draws = w->order + w->batch[b].first;
        struct choice_draw d;
        point_of(w, draws[0], &d);
        if (w->s->packed[d.sum] != NULL)
            batch_sums(w, &desk, draws, w->batch[b].n);
        else if (batch_evaluated(w, &desk, draws, w->batch[b].n, err) != ERR_OK)
            break;
    }
    desk_deinit(&desk);
}

/* Order the draws by combination of prepared matrices and cut them into batches. */
static void arrange(struct work *w, size_t n_draw, uint32_t *sum_of, uint32_t *count,
                    size_t n_sum) {
    for (size_t k = 0; k < n_draw; k++) {
        struct choice_draw d;
        point_of(w, (uint32_t)k, &d);
        sum_of[k] = (uint32_t)d.sum;
        count[d.sum + 1]++;
    }
    for (size_t c = 0; c < n_sum; c++) {
        for (uint32_t k = 0; k < count[c + 1]; k += BATCH) {
            uint32_t left = count[c + 1] - k;
            w->batch[w->n_batch++] =
                (struct batch){.first = count[c] + k, .n = left < BATCH ? left : BATCH};
        }
        count[c + 1] += count[c];
    }
    for (size_t k = 0; k < n_draw; k++) w->order[count[sum_of[k]]++] = (uint32_t)k;
}

static enum err_code rank_all(struct work *w, struct err *err) {
    size_t most = TASKS_A_THREAD * num_run_threads(w->run);
    w->n_task = w->n_batch < most ? w->n_batch : most;
    w->err = mem_new(w->n_task, sizeof *w->err);
    if (w->err == NULL) return err_fail(err, ERR_NOMEM, "no memory for the draws");
    num_run_each(w->run, w->n_task, task, w);
    enum err_code rc = num_run_stopped(w->run)
                           ? err_fail(err, ERR_TIMEOUT, "stopped while ranking the draws")
                           : ERR_OK;
    /* The first in the order of the draws, whatever the number of threads. */
    for (size_t t = 0; t < w->n_task && rc == ERR_OK; t++) {
        if (w->err[t].code == ERR_OK) continue;
        rc = w->err[t].code;
        if (err != NULL) *err = w->err[t];
    }
    mem_free(w->err);
    return rc;
}

enum err_code choice_space_rank(const struct choice_space *s, size_t n_draw,
                                const struct choice_points *points, const struct num_run *run,
                                const struct choice_ranks *out, struct err *err) {
    if (n_draw == 0) return ERR_OK;
    if (n_draw > ((size_t)1 << 30)) return err_fail(err, ERR_LIMIT, "at most 2^30 draws");
    size_t n_sum = s->n_of[CHOICE_IMPUTE] * s->n_of[CHOICE_TREAT] * s->n_of[CHOICE_NORMALISE] *
                   s->n_of[CHOICE_AGGREGATE];
    struct work w = {.s = s, .points = points, .run = run, .out = out};
    w.order = mem_new(n_draw, sizeof *w.order);
    w.batch = mem_new(n_draw / BATCH + n_sum + 1, sizeof *w.batch);
    uint32_t *sum_of = mem_new(n_draw, sizeof *sum_of);
    uint32_t *count = mem_new(n_sum + 2, sizeof *count);
    enum err_code rc = ERR_OK;
    if (w.order == NULL || w.batch == NULL || sum_of == NULL || count == NULL) {
        rc = err_fail(err, ERR_NOMEM, "no memory for %zu draws", n_draw);
    } else {
        arrange(&w, n_draw, sum_of, count, n_sum);
        rc = rank_all(&w, err);
    }
    mem_free(w.order);
    mem_free(w.batch);
    mem_free(sum_of);
    mem_free(count);
    return rc;
}
