#include <math.h>
#include <stddef.h>
#include <string.h>

#include "num/survey/survey.h"

enum { MAX_ROUNDS = 500, TRIM_TIMES = 10 };
static const double settled = 1e-10, still_off = 1e-6, slack = 1e-9;

struct weighing {
    const struct survey_sample *s;
    struct survey_weights *w;
    struct arena *a;
    struct err *err;
    struct survey_margin *joined; /* of the answers, categories joined */
    double *sum;                  /* scratch, by the longest margin */
};

static bool answered(const struct survey_sample *s, size_t i) {
    return s->outcome[i] == SURVEY_COMPLETED;
}

static enum err_code check(const struct weighing *x) {
    const struct survey_sample *s = x->s;
    size_t answers = 0;
    if (s->n > SURVEY_MAX_UNITS)
        return err_fail(x->err, ERR_LIMIT, "a wave of more than %d rows", SURVEY_MAX_UNITS);
    if (s->n_margins > SURVEY_MAX_MARGINS)
        return err_fail(x->err, ERR_LIMIT, "more than %d margins", SURVEY_MAX_MARGINS);
    for (size_t i = 0; i < s->n; i++) {
        answers += answered(s, i);
        if (!(s->design[i] > 0) || !isfinite(s->design[i]))
            return err_fail(x->err, ERR_INVALID, "a design weight is not above 0");
    }
    for (size_t m = 0; m < s->n_margins; m++)
        for (size_t k = 0; k < s->margin[m].n; k++)
            if (!(s->margin[m].total[k] > 0) || !isfinite(s->margin[m].total[k]))
                return err_fail(x->err, ERR_INVALID, "a total of the population is not above 0");
    return answers > 0 ? ERR_OK : err_fail(x->err, ERR_INVALID, "nobody answered");
}

/* Neighbours with too few answers go together; what is left at the end joins those before. *n_out
 * groups; map by old number. */
static void join(const size_t *count, size_t n, size_t least, int32_t *map, size_t *n_out) {
    size_t group = 0, in_group = 0;
    for (size_t i = 0; i < n; i++) {
        map[i] = (int32_t)group;
        in_group += count[i];
        if (in_group < least) continue;
        group++;
        in_group = 0;
    }
    /* What is open at the end, with or without answers, has a group only when it is the only one.
     */
    if (group == 0) {
        *n_out = 1;
        return;
    }
    for (size_t i = 0; i < n; i++)
        if (map[i] == (int32_t)group) map[i] = (int32_t)group - 1;
    *n_out = group;
}

static enum err_code count_and_join(struct weighing *x, const int32_t *of, size_t n, int32_t **map,
                                    size_t *n_out) {
    size_t *count = ARENA_NEW(x->a, size_t, n + 1);
    *map = ARENA_NEW(x->a, int32_t, n + 1);
    if (count == NULL || *map == NULL) return err_fail(x->err, ERR_NOMEM, "survey");
    for (size_t i = 0; i < x->s->n; i++)
        if (answered(x->s, i)) count[of[i]]++;
    join(count, n, x->s->least == 0 ? 1 : x->s->least, *map, n_out);
    x->w->n_joined += n - *n_out;
    return ERR_OK;
}

/* ---- by cell */

struct cell_sums {
    double all, known, eligible, answers;
};

static enum err_code by_cell(struct weighing *x) {
    const struct survey_sample *s = x->s;
    struct survey_weights *w = x->w;
    int32_t *map = NULL;
    TRY(count_and_join(x, s->cell, s->n_cells, &map, &w->n_cells));
    struct cell_sums *c = ARENA_NEW(x->a, struct cell_sums, w->n_cells);
    if (c == NULL) return err_fail(x->err, ERR_NOMEM, "survey");
    for (size_t i = 0; i < s->n; i++) {
        w->cell[i] = map[s->cell[i]];
        struct cell_sums *at = &c[w->cell[i]];
        bool known = s->outcome[i] != SURVEY_UNKNOWN;
        at->all += s->design[i];
        if (known) at->known += s->design[i];
        if (known && s->outcome[i] != SURVEY_NOT_ELIGIBLE) at->eligible += s->design[i];
        if (answered(s, i)) at->answers += s->design[i];
    }
    for (size_t i = 0; i < s->n; i++) {
        const struct cell_sums *at = &c[w->cell[i]];
        if (answered(s, i))
            w->weight[i] = s->design[i] * (at->all / at->known) * (at->eligible / at->answers);
    }
    return ERR_OK;
}

/* ---- margins */

static enum err_code join_margin(struct weighing *x, const struct survey_margin *m,
                                 struct survey_margin *out) {
    int32_t *map = NULL, *of = ARENA_NEW(x->a, int32_t, x->s->n + 1);
    double *total = ARENA_NEW(x->a, double, m->n + 1), all = 0;
    size_t n = 0;
    if (of == NULL || total == NULL) {
        (void)err_fail(x->err, ERR_NOMEM, "survey");
        return ERR_NOMEM;
    }
    TRY(count_and_join(x, m->of, m->n, &map, &n));
    for (size_t k = 0; k < m->n; k++) {
        total[map[k]] += m->total[k];
        all += m->total[k];
    }
    for (size_t k = 0; k < n; k++) total[k] /= all;
    for (size_t i = 0; i < x->s->n; i++)
        if (answered(x->s, i)) of[i] = map[m->of[i]];
    *out = (struct survey_margin){n, total, of};
    return ERR_OK;
}

static enum err_code join_margins(struct weighing *x) {
    size_t longest = 1;
    x->joined = ARENA_NEW(x->a, struct survey_margin, x->s->n_margins + 1);
    if (x->joined == NULL) return err_fail(x->err, ERR_NOMEM, "survey");
    for (size_t m = 0; m < x->s->n_margins; m++) {
        TRY(join_margin(x, &x->s->margin[m], &x->joined[m]));
        if (x->joined[m].n > longest) longest = x->joined[m].n;
    }
    x->sum = ARENA_NEW(x->a, double, longest);
    return x->sum != NULL ? ERR_OK : err_fail(x->err, ERR_NOMEM, "survey");
}

/* Weighted sums by category; the sum of all is returned. */
static double margin_sums(const struct weighing *x, const struct survey_margin *m) {
    double all = 0;
    memset(x->sum, 0, m->n * sizeof *x->sum);
    for (size_t i = 0; i < x->s->n; i++) {
        if (!answered(x->s, i)) continue;
        x->sum[m->of[i]] += x->w->weight[i];
        all += x->w->weight[i];
    }
    return all;
}

static double margins_off(const struct weighing *x) {
    double off = 0;
    for (size_t m = 0; m < x->s->n_margins; m++) {
        double all = margin_sums(x, &x->joined[m]);
        for (size_t k = 0; k < x->joined[m].n; k++)
            off = fmax(off, fabs(x->sum[k] / all / x->joined[m].total[k] - 1));
    }
    return off;
}

static enum err_code rake(struct weighing *x) {
    double off = margins_off(x);
    size_t round = 0;
    for (; off > settled && round < MAX_ROUNDS; round++) {
        for (size_t m = 0; m < x->s->n_margins; m++) {
            const struct survey_margin *g = &x->joined[m];
            double all = margin_sums(x, g);
            for (size_t i = 0; i < x->s->n; i++)
                if (answered(x->s, i))
                    x->w->weight[i] *= g->total[g->of[i]] * all / x->sum[g->of[i]];
        }
        off = margins_off(x);
    }
    x->w->rounds += round;
    return off <= still_off
               ? ERR_OK
               : err_fail(x->err, ERR_NUMERIC,
                          "raking does not settle: after %zu rounds a share is still off by %.2g",
                          x->w->rounds, off);
}

/* ---- trimming */

struct mean {
    double sum, n;
};

/* Weights beyond the limits go to them; how many stand there now. */
static size_t clip(const struct weighing *x, struct mean *mean) {
    const struct survey_sample *s = x->s;
    struct survey_weights *w = x->w;
    size_t n = 0;
    memset(mean, 0, w->n_cells * sizeof *mean);
    for (size_t i = 0; i < s->n; i++) {
        if (!answered(s, i)) continue;
        mean[w->cell[i]].sum += w->weight[i];
        mean[w->cell[i]].n++;
    }
    for (size_t i = 0; i < s->n; i++) {
        if (!answered(s, i)) continue;
        double middle = mean[w->cell[i]].sum / mean[w->cell[i]].n;
        double low = middle / s->trim, high = middle * s->trim;
        if (w->weight[i] >= low * (1 - slack) && w->weight[i] <= high * (1 + slack)) continue;
        w->weight[i] = w->weight[i] < low ? low : high;
        n++;
    }
    return n;
}

static enum err_code trim(struct weighing *x) {
    struct mean *mean = ARENA_NEW(x->a, struct mean, x->w->n_cells + 1);
    if (mean == NULL) return err_fail(x->err, ERR_NOMEM, "survey");
    for (int k = 0; k < TRIM_TIMES; k++) {
        size_t n = clip(x, mean);
        if (k == 0) x->w->n_trimmed = n;
        if (n == 0) return ERR_OK;
        TRY(rake(x));
    }
    /* Margins and limits cannot both be had: the limits hold. Each clip moves the mean a little. */
    for (int k = 0; k < MAX_ROUNDS && clip(x, mean) > 0; k++) continue;
    return ERR_OK;
}

static void scale(struct weighing *x) {
    double sum = 0;
    size_t n = 0;
    for (size_t i = 0; i < x->s->n; i++) {
        sum += x->w->weight[i];
        n += answered(x->s, i);
    }
    x->w->smallest = INFINITY;
    for (size_t i = 0; i < x->s->n; i++) {
        if (!answered(x->s, i)) continue;
        x->w->weight[i] *= (double)n / sum;
        x->w->smallest = fmin(x->w->smallest, x->w->weight[i]);
        x->w->largest = fmax(x->w->largest, x->w->weight[i]);
    }
}

enum err_code survey_weigh(const struct survey_sample *s, struct arena *a,
                           struct survey_weights *out, struct err *err) {
    struct weighing x = {.s = s, .w = out, .a = a, .err = err};
    *out = (struct survey_weights){.weight = ARENA_NEW(a, double, s->n + 1),
                                   .cell = ARENA_NEW(a, int32_t, s->n + 1)};
    if (out->weight == NULL || out->cell == NULL) return err_fail(err, ERR_NOMEM, "survey");
    TRY(check(&x));
    TRY(by_cell(&x));
    TRY(join_margins(&x));
    TRY(rake(&x));
    TRY(trim(&x));
    out->off = margins_off(&x);
    scale(&x);
    return ERR_OK;
}
