/* Survey weights and shares: worked by hand, against R survey 4.1.1 (survey_fixture.h), and how
 * often the interval holds the truth in simulated surveys with non-response. */
#include "digits.h"

#include "base/rng.h"
#include "base/sanitizer.h"
#include "num/survey/survey.h"
#include "survey_fixture.h"

/* ---- by hand */

static void rates(void **state) {
    (void)state;
    /* 200 interviews, 10 broken off, 150 refusals, 90 never reached, 10 other, 500 unknown, 40 out.
     */
    const size_t count[SURVEY_N_OUTCOMES] = {200, 10, 150, 90, 10, 500, 40};
    struct survey_rates r = survey_rates_of(count);
    check_digits("RR1", r.response, 200.0 / 960, 1e-15, 0);
    check_digits("COOP1", r.cooperation, 200.0 / 370, 1e-15, 0);
    check_digits("CON1", r.contact, 370.0 / 960, 1e-15, 0);
    check_digits("REF1", r.refusal, 150.0 / 960, 1e-15, 0);
    const size_t none[SURVEY_N_OUTCOMES] = {0, 0, 0, 0, 0, 0, 5};
    assert_true(isnan(survey_rates_of(none).response));
    for (int o = 0; o < SURVEY_N_OUTCOMES; o++)
        assert_int_equal(survey_outcome_parse(survey_outcome_name((enum survey_outcome)o)), o);
    assert_int_equal(survey_outcome_parse("Completed"), -1);
}

static void interval(void **state) {
    (void)state;
    double low, high;
    /* 95 of 100 at z = 2: middle (0.95 + 0.02) / 1.04, half 2 sqrt(0.000475 + 0.0001) / 1.04. */
    survey_wilson(0.95, 100, 2, &low, &high);
    check_digits("low", low, 0.97 / 1.04 - 2 * sqrt(0.000575) / 1.04, 1e-14, 0);
    check_digits("high", high, 0.97 / 1.04 + 2 * sqrt(0.000575) / 1.04, 1e-14, 0);
    /* Nobody of ten: up to z^2 / (n + z^2). */
    survey_wilson(0, 10, 2, &low, &high);
    assert_true(low == 0);
    check_digits("none of ten", high, 4.0 / 14, 1e-14, 0);
    survey_wilson(1, 10, 2, &low, &high);
    assert_true(high == 1);
    check_digits("ten of ten", low, 10.0 / 14, 1e-14, 0);
}

/* Two cells. In the first four drawn: one answers, one refuses, one unknown, one not eligible; in
 * the second two drawn, both answer. With least = 1 the first answer stands for 1 * (4/3) * (2/1) =
 * 8/3, the others for 1 each; scaled to a sum of 3: 12/7, 9/14, 9/14. */
static void cells_by_hand(void **state) {
    (void)state;
    const unsigned char outcome[] = {SURVEY_COMPLETED,    SURVEY_REFUSED,   SURVEY_UNKNOWN,
                                     SURVEY_NOT_ELIGIBLE, SURVEY_COMPLETED, SURVEY_COMPLETED};
    const double design[] = {1, 1, 1, 1, 1, 1};
    const int32_t cell[] = {0, 0, 0, 0, 1, 1};
    const int16_t answer[] = {1, -1, -1, -1, 1, 0};
    struct survey_sample s = {6, outcome, design, cell, 2, NULL, 0, 1, 5};
    struct survey_weights w;
    struct survey_share e;
    struct arena *a = test_arena();
    assert_int_equal(survey_weigh(&s, a, &w, NULL), ERR_OK);
    const double expected[] = {12.0 / 7, 0, 0, 0, 9.0 / 14, 9.0 / 14};
    check_all("weights", w.weight, expected, 6, 1e-14, 0);
    assert_int_equal(survey_estimate(&w, 6, answer, a, &e, NULL), ERR_OK);
    check_digits("share", e.value, (12.0 / 7 + 9.0 / 14) / 3, 1e-14, 0);
    /* sum w^2 = 144/49 + 2 * 81/196 = 369/98 */
    check_digits("effective", e.n_effective, 9.0 * 98 / 369, 1e-14, 0);
    assert_true(isnan(e.se)); /* the first cell has one answer */
    /* With the floor of ten both cells are one: 3 answers for 5 * (6/5) * ... alike. */
    s.least = 10;
    assert_int_equal(survey_weigh(&s, a, &w, NULL), ERR_OK);
    assert_int_equal(w.n_cells, 1);
    assert_int_equal(w.n_joined, 1);
    check_digits("smallest", w.smallest, 1, 1e-14, 0);
    check_digits("largest", w.largest, 1, 1e-14, 0);
    assert_int_equal(survey_estimate(&w, 6, answer, a, &e, NULL), ERR_OK);
    /* Plain random sample: s^2 / n with s^2 = (2/3)(1/3) 3/2, so 1/9. */
    check_digits("se", e.se, 1.0 / 3, 1e-14, 0);
    check_digits("no effect", e.effect, 1, 1e-14, 0);
    arena_free(a);
}

static void refused_input(void **state) {
    (void)state;
    const unsigned char outcome[] = {SURVEY_COMPLETED, SURVEY_REFUSED};
    double design[] = {1, 1};
    const int32_t cell[] = {0, 0};
    double total[] = {1, 0};
    const struct survey_margin margin = {2, total, cell};
    struct survey_sample s = {2, outcome, design, cell, 1, &margin, 1, 10, 5};
    struct survey_weights w;
    struct arena *a = test_arena();
    assert_int_equal(survey_weigh(&s, a, &w, NULL), ERR_INVALID); /* a total of 0 */
    total[1] = 1;
    design[1] = 0;
    assert_int_equal(survey_weigh(&s, a, &w, NULL), ERR_INVALID);
    design[1] = 1;
    assert_int_equal(survey_weigh(&s, a, &w, NULL), ERR_OK);
    s.n = 0;
    assert_int_equal(survey_weigh(&s, a, &w, NULL), ERR_INVALID); /* nobody answered */
    arena_free(a);
}

/* ---- against R: the data of make_survey_fixture.R again */

static double u(size_t i, size_t k) { return (double)((i * k + 17) % 1009) / 1009; }

struct fixture_units {
    unsigned char outcome[FIXTURE_UNITS];
    double design[FIXTURE_UNITS];
    int32_t area[FIXTURE_UNITS], sex[FIXTURE_UNITS], age[FIXTURE_UNITS];
    int16_t all[FIXTURE_UNITS], women[FIXTURE_UNITS], one[FIXTURE_UNITS];
};

static unsigned char fixture_outcome(double o, int32_t age) {
    if (o < 0.4 + 0.1 * age) return SURVEY_COMPLETED;
    if (o < 0.75) return SURVEY_REFUSED;
    if (o < 0.8) return SURVEY_NO_CONTACT;
    return o < 0.92 ? SURVEY_UNKNOWN : SURVEY_NOT_ELIGIBLE;
}

static void fixture_draw(struct fixture_units *f) {
    static const double base[] = {2, 1, 3, 1.5, 4};
    for (size_t i = 0; i < FIXTURE_UNITS; i++) {
        f->area[i] = (int32_t)(i % 5);
        f->sex[i] = u(i, 371) > 0.45;
        f->age[i] = (u(i, 577) > 0.3) + (u(i, 577) > 0.7);
        f->design[i] = base[f->area[i]] * (double)(1 + i % 2);
        f->outcome[i] = fixture_outcome(u(i, 733), f->age[i]);
        bool safe = u(i, 211) < 0.6 + 0.08 * f->area[i] - 0.1 * f->sex[i] + 0.05 * f->age[i];
        f->all[i] = safe ? 1 : 0;
        f->women[i] = (int16_t)(f->sex[i] == 0 ? f->all[i] : -1);
    }
}

static void against_r(void **state) {
    (void)state;
    static struct fixture_units f;
    fixture_draw(&f);
    static const double by_area[] = {0.1, 0.3, 0.2, 0.25, 0.15}, by_sex[] = {0.49, 0.51},
                        by_age[] = {0.3, 0.45, 0.25};
    const struct survey_margin m[] = {{5, by_area, f.area}, {2, by_sex, f.sex}, {3, by_age, f.age}};
    const struct survey_sample s = {FIXTURE_UNITS, f.outcome, f.design, f.area, 5, m, 3, 10, 100};
    struct survey_weights w;
    struct survey_share e;
    struct arena *a = test_arena();
    assert_int_equal(survey_weigh(&s, a, &w, NULL), ERR_OK);
    size_t n = 0;
    for (size_t i = 0; i < FIXTURE_UNITS; i++) {
        if (f.outcome[i] != SURVEY_COMPLETED) continue;
        if (n < 12) check_digits("weight", w.weight[i], fixture_weight[n], 1e-8, 0);
        n++;
    }
    assert_int_equal(n, FIXTURE_ANSWERS);
    assert_true(w.off < 1e-9 && w.n_trimmed == 0 && w.n_joined == 0);
    assert_int_equal(survey_estimate(&w, FIXTURE_UNITS, f.all, a, &e, NULL), ERR_OK);
    check_digits("mean", e.value, fixture_mean[0], 1e-8, 0);
    check_digits("se", e.se, fixture_se[0], 1e-8, 0);
    check_digits("effect", e.effect, fixture_effect[0], 1e-8, 0);
    assert_int_equal(survey_estimate(&w, FIXTURE_UNITS, f.women, a, &e, NULL), ERR_OK);
    check_digits("mean of women", e.value, fixture_mean[1], 1e-8, 0);
    check_digits("se of women", e.se, fixture_se[1], 1e-8, 0);
    for (int k = 0; k < 5; k++) {
        for (size_t i = 0; i < FIXTURE_UNITS; i++)
            f.one[i] = (int16_t)(f.area[i] == k ? f.all[i] : -1);
        assert_int_equal(survey_estimate(&w, FIXTURE_UNITS, f.one, a, &e, NULL), ERR_OK);
        check_digits("mean of an area", e.value, fixture_area_mean[k], 1e-8, 0);
        check_digits("se of an area", e.se, fixture_area_se[k], 1e-8, 0);
    }
    arena_free(a);
}

/* Trimmed weights stay within their limits, and the report says what that cost the margins. */
static void trimming(void **state) {
    (void)state;
    enum { N = 400 };
    static unsigned char outcome[N];
    static double design[N];
    static int32_t cell[N], group[N];
    for (size_t i = 0; i < N; i++) {
        design[i] = 1;
        group[i] = i % 20 == 0; /* 20 of 400 answers stand for half of the people */
    }
    const double total[] = {1, 1};
    const struct survey_margin m = {2, total, group};
    const struct survey_sample s = {N, outcome, design, cell, 1, &m, 1, 10, 4};
    struct survey_weights w;
    struct arena *a = test_arena();
    assert_int_equal(survey_weigh(&s, a, &w, NULL), ERR_OK);
    assert_int_equal(w.n_trimmed, 20);
    check_digits("limit", w.largest, 4, 1e-6, 0);
    assert_true(w.off > 0.1);
    double sum = 0;
    for (size_t i = 0; i < N; i++) sum += w.weight[i];
    check_digits("sum of weights", sum, N, 1e-12, 0);
    arena_free(a);
}

/* ---- coverage: four towns of unlike size, answers and readiness to answer go with age and sex */

enum { TOWNS = 4, DRAWN = 300, UNITS = TOWNS * DRAWN, SURVEYS = UNDER_SANITIZER ? 250 : 1500 };
static const double town_share[] = {0.08, 0.17, 0.25, 0.5}, sex_share[] = {0.48, 0.52},
                    age_share[] = {0.28, 0.41, 0.31};

static double feels_safe(int town, int sex, int age) {
    return 0.78 + 0.03 * town + (sex ? -0.08 : 0.04) + 0.04 * age;
}
static double answers(int sex, int age) { return 0.25 + 0.15 * age + (sex ? 0.1 : 0); }

struct truth {
    double town[TOWNS], all;
};
static struct truth truth_of_population(void) {
    struct truth t = {0};
    for (int k = 0; k < TOWNS; k++) {
        for (int s = 0; s < 2; s++)
            for (int g = 0; g < 3; g++)
                t.town[k] += sex_share[s] * age_share[g] * feels_safe(k, s, g);
        t.all += town_share[k] * t.town[k];
    }
    return t;
}

struct drawn {
    unsigned char outcome[UNITS];
    double design[UNITS];
    int32_t town[UNITS], sex[UNITS], age[UNITS];
    int16_t safe[UNITS];
};
static void draw(struct rng *r, struct drawn *d) {
    for (size_t i = 0; i < UNITS; i++) {
        double g = rng_unit(r);
        d->design[i] = 1;
        d->town[i] = (int32_t)(i / DRAWN);
        d->sex[i] = rng_unit(r) >= sex_share[0];
        d->age[i] = (g >= age_share[0]) + (g >= age_share[0] + age_share[1]);
        d->outcome[i] = rng_unit(r) < answers(d->sex[i], d->age[i]) ? SURVEY_COMPLETED
                        : rng_unit(r) < 0.5                         ? SURVEY_REFUSED
                                                                    : SURVEY_UNKNOWN;
        d->safe[i] = rng_unit(r) < feels_safe(d->town[i], d->sex[i], d->age[i]) ? 1 : 0;
    }
}

static void coverage(void **state) {
    (void)state;
    static struct drawn d;
    static int16_t one[UNITS];
    const struct survey_margin m[] = {
        {TOWNS, town_share, d.town}, {2, sex_share, d.sex}, {3, age_share, d.age}};
    const struct survey_sample s = {UNITS, d.outcome, d.design, d.town, TOWNS, m, 3, 10, 5};
    const struct truth truth = truth_of_population();
    struct rng r = rng_new(20261123, 7);
    size_t all = 0, towns = 0;
    double raw = 0, weighted = 0;
    for (int k = 0; k < SURVEYS; k++) {
        struct arena *a = test_arena();
        struct survey_weights w;
        struct survey_share e;
        size_t n = 0, yes = 0;
        draw(&r, &d);
        assert_int_equal(survey_weigh(&s, a, &w, NULL), ERR_OK);
        assert_int_equal(survey_estimate(&w, UNITS, d.safe, a, &e, NULL), ERR_OK);
        all += e.low <= truth.all && truth.all <= e.high;
        weighted += e.value / SURVEYS;
        for (size_t i = 0; i < UNITS; i++) {
            n += d.outcome[i] == SURVEY_COMPLETED;
            yes += d.outcome[i] == SURVEY_COMPLETED && d.safe[i] > 0;
        }
        raw += (double)yes / (double)n / SURVEYS;
        for (int t = 0; t < TOWNS; t++) {
            for (size_t i = 0; i < UNITS; i++) one[i] = (int16_t)(d.town[i] == t ? d.safe[i] : -1);
            assert_int_equal(survey_estimate(&w, UNITS, one, a, &e, NULL), ERR_OK);
            towns += e.low <= truth.town[t] && truth.town[t] <= e.high;
        }
        arena_free(a);
    }
    double of_all = (double)all / SURVEYS, of_towns = (double)towns / SURVEYS / TOWNS;
    printf(
        "coverage of 95 %%: city %.3f, towns %.3f in %d surveys; truth %.4f, weighted mean %.4f, "
        "plain mean %.4f\n",
        of_all, of_towns, SURVEYS, truth.all, weighted, raw);
    assert_true(of_all >= 0.93 && of_all <= 0.97);
    assert_true(of_towns >= 0.93 && of_towns <= 0.97);
    /* What weighting is for: the plain mean is off, the weighted one is not. */
    assert_true(fabs(weighted - truth.all) < 0.002 && fabs(raw - truth.all) > 0.01);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rates),         cmocka_unit_test(interval),
        cmocka_unit_test(cells_by_hand), cmocka_unit_test(refused_input),
        cmocka_unit_test(against_r),     cmocka_unit_test(trimming),
        cmocka_unit_test(coverage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
