/* gezhi risk from table to verdict, on made-up assets whose truth is known. */
#include "../base/testing.h"

#include <math.h>
#include <stdio.h>

#include "base/rng.h"
#include "study/risk/study.h"

/* Assets of ten years; `kind` doubles the rate when it tells something, else only age does. */
static const struct table *assets(struct arena *a, size_t n, bool only_age) {
    struct buf b;
    const struct table *t = NULL;
    struct err err = {0};
    buf_init(&b, (size_t)64 << 20);
    buf_str(&b, "id,year,age_start,age_stop,exposure,count,event,earlier,last_year,kind,length\n");
    for (size_t i = 0; i < n; i++) {
        struct rng r = rng_new(only_age ? 2 : 1, i);
        uint32_t age = rng_below(&r, 60), kind = rng_below(&r, 3), earlier = 0, last = 0;
        double length = 20 + 100 * rng_unit(&r);
        for (uint32_t y = 0; y < 10; y++) {
            double mu = 0.0015 * (age + y + 1);
            if (!only_age) mu *= kind == 0 ? 0.3 : kind == 1 ? 1 : 3;
            uint32_t count = rng_poisson(&r, mu);
            buf_printf(&b, "%zu,%u,%u,%u,1,%u,%d,%u,%u,k%u,%.1f\n", i, 2010 + y, age + y,
                       age + y + 1, count, count > 0, earlier, last, kind, length);
            earlier += count;
            last = count;
        }
    }
    if (table_parse(a, "assets.csv", buf_text(&b), b.n, 0, 1000000, &t, &err) != ERR_OK)
        fail_msg("%s", err.detail);
    buf_deinit(&b);
    return t;
}

static struct risk_spec spec_of(const char *model) {
    struct risk_spec s;
    risk_spec_init(&s);
    s.model = model;
    s.response = "count";
    s.terms = "kind age_start";
    s.cluster = s.id = "id";
    s.length = "length";
    s.age = "age_start";
    s.last = "last_year";
    s.split = "year";
    s.train_to = "2015";
    return s;
}

static struct risk_result *study(struct arena *a, const struct table *t,
                                 const struct risk_spec *s) {
    struct risk_result *r = ARENA_NEW(a, struct risk_result, 1);
    struct err err = {0};
    assert_non_null(r);
    if (risk_study(a, t, s, NULL, r, &err) != ERR_OK) fail_msg("%s: %s", s->model, err.detail);
    return r;
}

static bool has_note(const struct risk_result *r, const char *flag) {
    for (size_t k = 0; k < r->fit.n_notes; k++)
        if (strcmp(r->fit.note[k].flag, flag) == 0) return true;
    return false;
}

static const char *const models[] = {"logistic",  "poisson",     "negbin",   "elastic",
                                     "trees",     "cox",         "weibull",  "exponential",
                                     "lognormal", "loglogistic", "powerlaw", "leyp"};

static struct risk_spec any_spec(const char *model) {
    struct risk_spec s = spec_of(model);
    enum risk_model m = 0;
    while (strcmp(risk_model_word(m), model) != 0) m++;
    if (risk_model_is_survival(m)) {
        s.start = "age_start";
        s.stop = "age_stop";
        s.terms = m == RISK_EXPONENTIAL ? "kind age_start" : "kind"; /* no ageing of its own */
    }
    if (m == RISK_POISSON || m == RISK_NEGBIN) s.exposure = "exposure";
    if (m == RISK_LEYP) s.earlier = "earlier";
    if (risk_model_is_life(m)) s.response = "event";
    return s;
}

/* Every model finds the kinds, beats the baselines, and says the same once saved and read back. */
static void every_model(void **state) {
    (void)state;
    struct arena *kept = arena_new((size_t)256 << 20);
    const struct table *t = assets(kept, 500, false);
    for (size_t k = 0; k < sizeof models / sizeof models[0]; k++) {
        struct arena *a = arena_new((size_t)1 << 30);
        struct risk_spec s = any_spec(models[k]);
        struct risk_result *r = study(a, t, &s), *back = ARENA_NEW(a, struct risk_result, 1);
        const struct risk_standing *w = r->evaluation.who;
        printf("%s: AUC %.3f, age only %.3f, last year %.3f, slope %.2f\n", models[k],
               w[0].scores.auc, w[1].scores.auc, w[2].scores.auc, w[0].scores.slope);
        assert_true(r->evaluated && r->fit.converged);
        assert_string_equal(r->evaluation.how, "held_out_years");
        assert_int_equal(r->evaluation.n, 2000);
        assert_true(w[1].model_is_better && w[2].model_is_better && !r->evaluation.no_better);
        assert_true(w[0].scores.auc > 0.62);
        assert_int_equal(r->evaluation.n_periods, 4);
        assert_int_equal(has_note(r, "not_verified"), strcmp(models[k], "leyp") == 0);
        struct buf b;
        struct err err = {0};
        buf_init(&b, (size_t)32 << 20);
        risk_model_write(r, &b);
        if (risk_model_parse(a, "m.json", buf_text(&b), b.n, back, &err) != ERR_OK)
            fail_msg("%s: %s", models[k], err.detail);
        struct risk_evaluation again;
        if (risk_study_again(a, t, back, &again, &err) != ERR_OK) fail_msg("%s", err.detail);
        assert_true(again.who[0].scores.auc == w[0].scores.auc);
        assert_true(again.who[0].scores.brier == w[0].scores.brier);
        assert_true(again.who[1].scores.brier == w[1].scores.brier);
        buf_clear(&b);
        size_t missing = 9, unseen = 9;
        assert_int_equal(risk_predict_csv(a, back, t, 5, &b, &missing, &unseen, &err), ERR_OK);
        assert_true(missing == 0 && unseen == 0);
        size_t lines = 0;
        for (const char *p = buf_text(&b); *p != '\0'; p++) lines += *p == '\n';
        assert_int_equal(lines, 6);
        buf_clear(&b);
        risk_report_text(r, &b);
        risk_report_json(r, &b);
        assert_true(!b.failed && b.n > 1000);
        buf_deinit(&b);
        arena_free(a);
    }
    arena_free(kept);
}

/* Where age is all there is, more columns must not be praised. */
static void says_when_no_better(void **state) {
    (void)state;
    struct arena *a = arena_new((size_t)512 << 20);
    const struct table *t = assets(a, 500, true);
    struct risk_spec s = spec_of("poisson");
    struct risk_result *r = study(a, t, &s);
    assert_true(r->evaluation.no_better);
    assert_non_null(strstr(r->evaluation.verdict, "no better than age only"));
    assert_non_null(strstr(r->evaluation.who[1].sentence, "NO BETTER than age only"));
    arena_free(a);
}

/* Trees that are mended by either curve keep their ranking, and a saved one says the same. */
static void calibrated(void **state) {
    (void)state;
    struct arena *a = arena_new((size_t)1 << 30);
    const struct table *t = assets(a, 500, false);
    struct risk_spec s = any_spec("logistic");
    for (int k = 0; k < 2; k++) {
        s.calibrate = k == 0 ? "platt" : "isotonic";
        struct risk_result *r = study(a, t, &s), *back = ARENA_NEW(a, struct risk_result, 1);
        struct risk_evaluation again;
        struct buf b;
        struct err err = {0};
        assert_true(r->fit.calibrated && (r->fit.isotonic.n_knots > 0) == (k == 1));
        assert_int_equal(r->fit.n_rows, 2500); /* 2015 is for the curve */
        assert_true(r->evaluation.who[0].scores.auc > 0.7);
        buf_init(&b, (size_t)8 << 20);
        risk_model_write(r, &b);
        if (risk_model_parse(a, "m.json", buf_text(&b), b.n, back, &err) != ERR_OK)
            fail_msg("%s", err.detail);
        assert_int_equal(risk_study_again(a, t, back, &again, &err), ERR_OK);
        assert_true(again.who[0].scores.brier == r->evaluation.who[0].scores.brier);
        buf_deinit(&b);
    }
    struct risk_result *r = ARENA_NEW(a, struct risk_result, 1);
    struct err err = {0};
    s.train_to = "2010";
    assert_int_equal(risk_study(a, t, &s, NULL, r, &err), ERR_INVALID);
    s.calibrate = "x";
    assert_int_equal(risk_study(a, t, &s, NULL, r, &err), ERR_INVALID);
    arena_free(a);
}

static void folds_keep_assets_together(void **state) {
    (void)state;
    struct arena *a = arena_new((size_t)512 << 20);
    const struct table *t = assets(a, 200, false);
    struct risk_spec s = spec_of("logistic");
    s.split = s.train_to = s.last = NULL;
    s.folds = 5;
    struct risk_result *r = study(a, t, &s);
    assert_string_equal(r->evaluation.how, "folds");
    assert_int_equal(r->evaluation.n, 2000);
    assert_non_null(strstr(r->evaluation.verdict, "no column for the baseline"));
    double auc = r->evaluation.who[0].scores.auc;
    assert_true(study(a, t, &s)->evaluation.who[0].scores.auc == auc);
    s.folds = 0;
    r = study(a, t, &s);
    assert_false(r->evaluated);
    assert_true(has_note(r, "not_evaluated"));
    arena_free(a);
}

static void names_trouble(void **state) {
    (void)state;
    struct arena *a = arena_new((size_t)512 << 20);
    const struct table *t = NULL;
    struct err err = {0};
    struct risk_result *r = ARENA_NEW(a, struct risk_result, 1);
    struct risk_spec s;
    risk_spec_init(&s);
    s.model = "cox";
    s.response = "y";
    s.stop = "t";
    s.terms = "x z w";
    static const char csv[] = "t,y,x,z,w\n1,1,0,1,2\n2,0,1,3,6\n3,1,0,2,4\n4,0,1,5,10\n5,1,0,4,8\n"
                              "6,0,1,1,2\n7,1,0,2,4\n7,1,0,3,6\n9,0,1,9,18\n,1,0,3,6\n";
    assert_int_equal(table_parse(a, "t.csv", csv, sizeof csv - 1, 0, 100, &t, &err), ERR_OK);
    if (risk_study(a, t, &s, NULL, r, &err) != ERR_OK) fail_msg("%s", err.detail);
    assert_true(has_note(r, "monotone_likelihood"));
    assert_true(has_note(r, "rank_deficient"));
    assert_true(has_note(r, "missing_rows"));
    assert_true(r->fit.coef[0].infinite && r->fit.coef[2].aliased);
    s.age = "x";
    s.split = "t";
    s.train_to = "100";
    assert_int_equal(risk_study(a, t, &s, NULL, r, &err), ERR_INVALID);
    assert_non_null(strstr(err.detail, "leaves no rows to test on"));
    s.split = s.train_to = NULL;
    s.response = "nope";
    assert_int_equal(risk_study(a, t, &s, NULL, r, &err), ERR_INVALID);
    assert_non_null(strstr(err.detail, "nope"));
    static const char neg[] = "t,y,x\n1,-1,0\n";
    s.response = "y";
    s.terms = "x";
    assert_int_equal(table_parse(a, "neg.csv", neg, sizeof neg - 1, 0, 100, &t, &err), ERR_OK);
    assert_int_equal(risk_study(a, t, &s, NULL, r, &err), ERR_INVALID);
    assert_non_null(strstr(err.detail, "neg.csv:2"));
    static const char none[] = "t,y,x\n1,0,0\n2,0,1\n";
    assert_int_equal(table_parse(a, "none.csv", none, sizeof none - 1, 0, 100, &t, &err), ERR_OK);
    assert_int_equal(risk_study(a, t, &s, NULL, r, &err), ERR_NUMERIC);
    arena_free(a);
}

static void refuses_broken_models(void **state) {
    (void)state;
    struct arena *a = arena_new((size_t)512 << 20);
    const struct table *t = assets(a, 100, false);
    struct risk_spec s = any_spec("trees");
    struct risk_result *r = study(a, t, &s), *back = ARENA_NEW(a, struct risk_result, 1);
    struct buf b;
    struct err err = {0};
    buf_init(&b, (size_t)8 << 20);
    risk_model_write(r, &b);
    static const char *const bad[] = {
        "",
        "{}",
        "[]",
        "{\"format\":\"x\"}",
        "{\"format\":\"gezhi-risk-model\",\"version\":2}",
        "{\"format\":\"gezhi-risk-model\",\"version\":1,\"spec\":{\"model\":\"poisson\"}}"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_not_equal(risk_model_parse(a, "m.json", bad[i], strlen(bad[i]), back, &err),
                             ERR_OK);
    /* Cut anywhere, it is refused. */
    for (size_t n = 0; n + 2 < b.n; n += b.n / 37 + 1)
        assert_int_not_equal(risk_model_parse(a, "m.json", buf_text(&b), n, back, &err), ERR_OK);
    buf_deinit(&b);
    arena_free(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_model),   cmocka_unit_test(says_when_no_better),
        cmocka_unit_test(calibrated),    cmocka_unit_test(folds_keep_assets_together),
        cmocka_unit_test(names_trouble), cmocka_unit_test(refuses_broken_models)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
