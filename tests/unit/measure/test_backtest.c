/* The back-test finds planted foresight, and says that none is better where there is none. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "domain/measure/backtest.h"

enum { AREAS = 40, MONTHS = 24, LEAVES = 3 };

struct planted {
    struct index_def d;
    struct index_node node[LEAVES];
    double x[(2 + LEAVES) * AREAS * MONTHS];
    uint8_t y[AREAS * MONTHS];
    struct backtest_table t;
};

/* Places have a level of their own, which residents and last month's count show; leaf 0 tells of
 * the next month with the given strength, the others of nothing. */
static void plant(struct planted *p, struct rng *r, double strength, struct arena *a) {
    size_t rows = AREAS * MONTHS;
    double last[AREAS] = {0};
    memset(p, 0, sizeof *p);
    p->d = (struct index_def){.name = "planted", .node = p->node, .n_leaves = LEAVES};
    for (size_t m = 0; m < MONTHS; m++)
        for (size_t j = 0; j < AREAS; j++) {
            size_t at = m * AREAS + j;
            double place = -1 + 2 * (double)j / AREAS, sign = rng_normal(r);
            double chance = 1 / (1 + exp(-(place + strength * sign)));
            p->y[at] = rng_unit(r) < chance;
            p->x[at] = last[j];
            p->x[rows + at] = place;
            p->x[2 * rows + at] = sign;
            for (size_t i = 1; i < LEAVES; i++) p->x[(2 + i) * rows + at] = rng_normal(r);
            last[j] = log1p(p->y[at] + (double)rng_poisson(r, 0.5 + p->y[at]));
        }
    p->t = (struct backtest_table){.d = &p->d,
                                   .n = AREAS,
                                   .n_months = MONTHS,
                                   .n_fit = MONTHS * 2 / 3,
                                   .n_x = 2 + LEAVES,
                                   .x = p->x,
                                   .y = p->y,
                                   .a = a};
}

static void judge(struct planted *p, struct backtest *out) {
    struct err err = {0};
    *out = (struct backtest){.def = &p->d, .n_areas = AREAS, .n_months = MONTHS};
    if (backtest_judge(&p->t, out, &err) != ERR_OK) fail_msg("%s", err.detail);
}

/* Judged on the later months alone, against the better baseline, at 0.05 shared among all. */
static void check_rows(const struct planted *p, const struct backtest *b) {
    double best = fmax(b->row[0].auc, b->row[1].auc);
    for (size_t i = 0; i < 2 + LEAVES; i++) {
        const struct backtest_row *x = &b->row[i];
        assert_int_equal(x->n, (p->t.n_months - p->t.n_fit) * AREAS);
        assert_int_equal(x->n_fit, p->t.n_fit * AREAS);
        if (i < 2) continue;
        assert_true(fabs(x->baseline_auc - best) < 1e-12);
        assert_int_equal(x->better, x->auc > best && x->p < 0.05 / LEAVES);
    }
}

/* What comes later is unknown to the model: other numbers there change nothing of it. */
static void test_the_future_is_not_fitted(void **state) {
    static struct planted p;
    size_t rows = AREAS * MONTHS;
    double coefficient[2], slope[2];
    (void)state;
    for (int k = 0; k < 2; k++) {
        struct rng r = rng_new(9, 3);
        struct arena *a = arena_new(64u << 20);
        struct backtest b;
        plant(&p, &r, 1.5, a);
        for (size_t i = p.t.n_fit * AREAS; k == 1 && i < rows; i++) p.x[2 * rows + i] *= 50;
        judge(&p, &b);
        coefficient[k] = b.row[2].coefficient;
        slope[k] = b.row[2].slope;
        arena_free(a);
    }
    assert_true(coefficient[0] == coefficient[1]);
    assert_true(slope[0] != slope[1]);
}

static void test_finds_what_is_planted(void **state) {
    static struct planted p;
    size_t found = 0, wrong = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        struct rng r = rng_new(seed, 3);
        struct arena *a = arena_new(64u << 20);
        struct backtest b;
        plant(&p, &r, 1.5, a);
        judge(&p, &b);
        found += b.verdict == BACKTEST_SOME_BETTER && b.row[2].better;
        wrong += b.row[3].better || b.row[4].better;
        assert_true(b.row[2].coefficient > 0 && b.row[2].gain > 0);
        assert_true(b.row[2].slope > 0.3 && b.row[2].slope < 2.5);
        check_rows(&p, &b);
        arena_free(a);
    }
    print_message("planted foresight found in %zu of 30 cities\n", found);
    assert_true(found >= 25);
    assert_int_equal(wrong, 0);
}

static void test_none_better(void **state) {
    static struct planted p;
    size_t claimed = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct rng r = rng_new(seed, 4);
        struct arena *a = arena_new(64u << 20);
        struct backtest b;
        plant(&p, &r, 0, a);
        judge(&p, &b);
        claimed += b.verdict != BACKTEST_NONE_BETTER;
        check_rows(&p, &b);
        arena_free(a);
    }
    print_message("foresight claimed of noise in %zu of 60 cities\n", claimed);
    assert_true(claimed <= 3);
}

/* Weak foresight: what one indicator alone would pass for is not enough among three. */
static void test_shared_among_all(void **state) {
    static struct planted p;
    size_t between = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct rng r = rng_new(seed, 6);
        struct arena *a = arena_new(64u << 20);
        struct backtest b;
        plant(&p, &r, 0.9, a);
        judge(&p, &b);
        check_rows(&p, &b);
        double x = b.row[2].p;
        between += b.row[2].auc > b.row[2].baseline_auc && x < 0.05 && x > 0.05 / LEAVES;
        arena_free(a);
    }
    assert_true(between > 0);
}

/* One kind of outcome only, a predictor that never varies, one without values. */
static void test_says_what_is_missing(void **state) {
    static struct planted p;
    struct rng r = rng_new(1, 5);
    struct arena *a = arena_new(64u << 20);
    struct backtest b;
    size_t rows = AREAS * MONTHS;
    (void)state;
    plant(&p, &r, 1, a);
    for (size_t i = 0; i < rows; i++) {
        p.x[2 * rows + i] = 5;
        p.x[3 * rows + i] = NAN;
    }
    judge(&p, &b);
    assert_false(b.row[2].judged);
    assert_string_equal(b.row[2].why, "constant");
    assert_string_equal(b.row[3].why, "no_data");
    assert_true(b.row[4].judged);
    /* Fewer than forty rows to judge on say nothing. */
    for (size_t i = 0; i < 5; i++) p.x[4 * rows + p.t.n_fit * AREAS + i] = NAN;
    for (size_t i = (p.t.n_fit + 1) * AREAS; i < rows; i++) p.y[i] = 2;
    judge(&p, &b);
    assert_false(b.row[4].judged);
    assert_string_equal(b.row[4].why, "too_few");
    memset(p.y, 0, sizeof p.y);
    judge(&p, &b);
    assert_int_equal(b.verdict, BACKTEST_TOO_LITTLE);
    assert_string_equal(b.row[0].why, "too_few");
    arena_free(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds_what_is_planted),
        cmocka_unit_test(test_the_future_is_not_fitted),
        cmocka_unit_test(test_shared_among_all),
        cmocka_unit_test(test_none_better),
        cmocka_unit_test(test_says_what_is_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
