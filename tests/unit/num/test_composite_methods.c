/* Methods without a value in the shared references, against values worked out in base R by other
 * ways (composite/make_expected.R), or by hand. */
#include "composite_asem.h"

#include "num/composite/weigh.h"

/* clang-format off */
#include "composite/expected.h"
/* clang-format on */

enum { N = 10, M = 4 };
static const double sample[M * N] = {12.5, 8.25, 30,  17,   4.5,  9,   22,   14.75, 6,   90,
                                     3,    7,    5.5, 2,    9,    8,   4,    6.25,  1,   5,
                                     101,  140,  98,  133,  120,  87,  155,  110,   126, 143,
                                     0.2,  0.9,  0.4, 0.65, 0.35, 0.8, 0.15, 0.5,   0.7, 0.1};
static const char *const code[] = {"A", "B", "C", "D", "Index"};
static const char *const area[] = {"a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8", "a9", "a10"};
static const uint8_t level[] = {1, 1, 1, 1, 2};
static const uint32_t parent[] = {4, 4, 4, 4, COMPOSITE_NONE};
static const int8_t direction[] = {1, -1, 1, -1, 1};
static const int8_t all_good[] = {1, 1, 1, 1, 1};
static const double weight[] = {2, 1, 1, 3, 1};
static const struct composite_norm plain = {.kind = COMPOSITE_NORM_NONE};
static const struct composite_norm min_max = {
    .kind = COMPOSITE_NORM_MIN_MAX, .low = 1, .high = 100};

static struct composite_tree framework(struct arena *a, const int8_t *sense) {
    struct composite_tree t = {.n_ind = M,
                               .n_node = M + 1,
                               .n_level = 2,
                               .code = code,
                               .level = level,
                               .parent = parent,
                               .direction = sense,
                               .weight = weight};
    struct err err;
    assert_int_equal(composite_tree_init(&t, a, &err), ERR_OK);
    return t;
}

static enum err_code try_run(struct arena *a, const double *value, const int8_t *sense,
                             const struct composite_spec *spec, struct composite_result *r,
                             struct err *err) {
    struct composite_tree t = framework(a, sense);
    static const uint32_t group[] = {0, 0, 1, 1, 0, 1, 0, 1, 1, 0};
    struct composite_data d = {.n_area = N, .value = value, .area = area, .group = group};
    struct composite_tree *kept = ARENA_NEW(a, struct composite_tree, 1);
    *kept = t;
    return composite_run(&d, kept, spec, COMPOSITE_RAW, NULL, a, r, err);
}

static struct composite_result run(struct arena *a, const double *value, const int8_t *sense,
                                   const struct composite_spec *spec) {
    struct composite_result r;
    struct err err;
    if (try_run(a, value, sense, spec, &r, &err) != ERR_OK) fail_msg("%s", err.detail);
    return r;
}

static void compare(const char *what, const double *got, const double *want, size_t n,
                    double least) {
    struct digits d = {.what = what};
    for (size_t k = 0; k < n; k++) digits_add(&d, got[k], want[k], 1e-3);
    digits_end(&d, least);
}

static void one_norm(const char *what, struct composite_norm norm, const double *want, size_t n) {
    struct arena *a = test_arena();
    struct composite_spec spec = {.normalise = {.n_norm = 1, .norm = &norm}};
    struct composite_result r = run(a, sample, direction, &spec);
    compare(what, r.stage[COMPOSITE_NORMALISED], want, n, 12);
    arena_free(a);
}

static void normalisations(void **state) {
    (void)state;
    static const double target[] = {60, 2, 150, 0.15}, score[] = {0, 30, 60, 100},
                        quantile[] = {0.25, 0.5, 0.75};
    one_norm("percentile",
             (struct composite_norm){.kind = COMPOSITE_NORM_PERCENTILE, .low = 0, .high = 100},
             percentile, 40);
    one_norm("borda", (struct composite_norm){.kind = COMPOSITE_NORM_BORDA}, borda, 40);
    one_norm("distance_to_max", (struct composite_norm){.kind = COMPOSITE_NORM_DIST_MAX}, dist_max,
             40);
    one_norm("distance_to_reference",
             (struct composite_norm){.kind = COMPOSITE_NORM_DIST_REF, .reference = 2}, dist_ref,
             40);
    one_norm(
        "distance_to_target",
        (struct composite_norm){.kind = COMPOSITE_NORM_DIST_TARGET, .target = target, .cap = true},
        dist_target, 40);
    one_norm("fraction_of_max", (struct composite_norm){.kind = COMPOSITE_NORM_FRACTION_MAX},
             fraction_max, 40);
    one_norm("bands_by_quantile",
             (struct composite_norm){
                 .kind = COMPOSITE_NORM_BANDS, .n_band = 4, .score = score, .quantile = quantile},
             bands_quantile, 20);
    one_norm("exponential", (struct composite_norm){.kind = COMPOSITE_NORM_EXPONENTIAL},
             exponential, 40);
}

/* Cuts are in the indicator's own sense; a value on a cut is in the better class. */
static void bands_by_cut(void **state) {
    (void)state;
    static const double cut[] = {9, 22, 4, 7, 100, 120, 0.2, 0.5}, score[] = {1, 2, 3};
    static const double want[] = {2, 1, 3, 2, 1, 2, 3, 2, 1, 3,  /* 9 and 22 reach the class */
                                  3, 2, 2, 3, 1, 1, 3, 2, 3, 2}; /* less is better: 4 is best */
    one_norm("bands_by_cut",
             (struct composite_norm){
                 .kind = COMPOSITE_NORM_BANDS, .n_band = 3, .score = score, .cut = cut},
             want, 20);
}

static void one_mean(const char *what, const double *value, struct composite_norm norm,
                     struct composite_agg agg, const int8_t *sense, const double *want) {
    struct arena *a = test_arena();
    struct composite_spec spec = {.normalise = {.n_norm = 1, .norm = &norm}};
    spec.aggregate.level[0] = agg;
    struct composite_result r = run(a, value, sense, &spec);
    compare(what, r.stage[COMPOSITE_AGGREGATED] + M * N, want, N, 12);
    arena_free(a);
}

static void means(void **state) {
    (void)state;
    const struct composite_norm z = {.kind = COMPOSITE_NORM_Z, .mean = 100, .sd = 10};
    one_mean("harmonic", sample, min_max, (struct composite_agg){.kind = COMPOSITE_HARMONIC},
             direction, harmonic);
    one_mean("power_3", sample, min_max,
             (struct composite_agg){.kind = COMPOSITE_POWER, .power = 3}, direction, power_3);
    one_mean("power_minus_2", sample, min_max,
             (struct composite_agg){.kind = COMPOSITE_POWER, .power = -2}, direction, power_m2);
    one_mean("mazziotta_pareto_minus", sample, z,
             (struct composite_agg){.kind = COMPOSITE_MPI_MINUS}, direction, mpi_minus);
    one_mean("mazziotta_pareto_plus", sample, z, (struct composite_agg){.kind = COMPOSITE_MPI_PLUS},
             direction, mpi_plus);
    /* Powers 1, 0 and -1 are the three classical means. */
    static const enum composite_agg_kind kinds[] = {COMPOSITE_HARMONIC, COMPOSITE_GEOMETRIC,
                                                    COMPOSITE_ARITHMETIC};
    for (int p = -1; p <= 1; p++) {
        struct arena *a = test_arena();
        struct composite_spec spec = {.normalise = {.n_norm = 1, .norm = &min_max}};
        spec.aggregate.level[0] = (struct composite_agg){.kind = kinds[p + 1]};
        struct composite_result r = run(a, sample, direction, &spec);
        one_mean("power_of_means", sample, min_max,
                 (struct composite_agg){.kind = COMPOSITE_POWER, .power = p}, direction,
                 r.stage[COMPOSITE_AGGREGATED] + M * N);
        arena_free(a);
    }
}

/* Normalised values with the gaps of the R script: A of area 2, C and D of area 5. */
static void with_gaps(struct arena *a, double *v) {
    struct composite_spec spec = {.normalise = {.n_norm = 1, .norm = &min_max}};
    struct composite_result r = run(a, sample, direction, &spec);
    memcpy(v, r.stage[COMPOSITE_NORMALISED], M * N * sizeof *v);
    v[1] = v[2 * N + 4] = v[3 * N + 4] = NAN;
}

static void gaps(void **state) {
    (void)state;
    struct arena *a = test_arena();
    double v[M * N], want[N];
    with_gaps(a, v);
    one_mean("gaps_arithmetic", v, plain, (struct composite_agg){.kind = COMPOSITE_ARITHMETIC},
             all_good, gaps_arithmetic);
    one_mean("gaps_geometric", v, plain, (struct composite_agg){.kind = COMPOSITE_GEOMETRIC},
             all_good, gaps_geometric);
    one_mean("gaps_copeland", v, plain, (struct composite_agg){.kind = COMPOSITE_COPELAND},
             all_good, copeland_weighted);
    for (size_t j = 0; j < N; j++) want[j] = 0.5 + copeland_weighted[j] / 18;
    one_mean("gaps_majority", v, plain, (struct composite_agg){.kind = COMPOSITE_MAJORITY},
             all_good, want);
    /* Area 5 has two of four values, 3 of 7 of the weight; area 2 three of four, 5 of 7. */
    memcpy(want, gaps_arithmetic, sizeof want);
    one_mean("gaps_half", v, plain, (struct composite_agg){.min_share = 0.5}, all_good, want);
    want[4] = NAN;
    one_mean("gaps_half_of_weight", v, plain,
             (struct composite_agg){.min_share = 0.5, .by_weight = true}, all_good, want);
    one_mean("gaps_three_quarters", v, plain, (struct composite_agg){.min_share = 0.75}, all_good,
             want);
    want[1] = NAN;
    one_mean("gaps_three_quarters_of_weight", v, plain,
             (struct composite_agg){.min_share = 0.75, .by_weight = true}, all_good, want);
    arena_free(a);
}

static void exponential_after(void **state) {
    (void)state;
    /* By hand: ranks of the arithmetic mean as shares, put through the same formula. */
    struct arena *a = test_arena();
    struct composite_spec spec = {.normalise = {.n_norm = 1, .norm = &min_max}};
    struct composite_result r = run(a, sample, direction, &spec);
    double want[N];
    for (size_t j = 0; j < N; j++)
        want[j] = -23 * log(1 - (N + 1 - (double)r.rank[j]) / N * (1 - exp(-100.0 / 23)));
    one_mean("exponential_after", sample, min_max, (struct composite_agg){.exponential = 23},
             direction, want);
    arena_free(a);
}

static void weights(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct composite_spec spec = {.normalise = {.n_norm = 1, .norm = &min_max}};
    spec.weights.level[0] = COMPOSITE_WEIGHT_PCA_VARIANCE;
    struct composite_result r = run(a, sample, direction, &spec);
    compare("pca_variance_weights", r.weight, pca_variance, M, 12);
    spec.weights.level[0] = COMPOSITE_WEIGHT_OPTIMISED;
    double importance[M + 1] = {0};
    memcpy(importance, importance_of_weights, sizeof importance_of_weights);
    spec.weights.importance = importance;
    static const double asked[] = {0.3, 0.2, 0.1, 0.4};
    r = run(a, sample, direction, &spec);
    compare("weights_from_importance", r.weight, asked, M, 9);
    assert_true(r.importance_miss < 1e-10);
    /* Importances that cannot be had are missed, and it is told by how much. */
    static const double too_much[] = {1, 1, 100, 1, 0};
    spec.weights.importance = too_much;
    r = run(a, sample, direction, &spec);
    assert_true(r.importance_miss > 0.05);
    static const double contradictory[] = {1, 5, 1.0 / 3, 0.2, 1, 4, 3, 0.25, 1};
    struct composite_ahp_told told = {0};
    struct err err;
    double w[6];
    assert_int_equal(composite_weigh_ahp(contradictory, 3, false, w, &told, &err), ERR_OK);
    w[3] = told.lambda_max;
    w[4] = told.ci;
    w[5] = told.cr;
    compare("contradictory_judgements", w, judgements, 6, 12);
    assert_true(told.inconsistent);
    arena_free(a);
}

static void doubt(void **state) {
    (void)state;
    one_mean("doubt_with_shares", sample, min_max,
             (struct composite_agg){.kind = COMPOSITE_BOD_SCORE, .bod_min = 0.1, .bod_max = 0.5},
             direction, doubt_shares);
}

static struct composite_treated treat(const struct composite_treat *how, const double *value,
                                      const char *what, const double *want) {
    struct arena *a = test_arena();
    struct composite_spec spec = {.normalise = {.n_norm = 1, .norm = &plain}, .treat = *how};
    struct composite_result r = run(a, value, all_good, &spec);
    struct composite_treated told = r.treated[0];
    if (want != NULL) compare(what, r.stage[COMPOSITE_TREATED], want, N, 10);
    arena_free(a);
    return told;
}

static void treatments(void **state) {
    (void)state;
    struct composite_treat how = {
        .first = COMPOSITE_TREAT_LOG_CT, .always = true, .box_cox_lambda = NAN};
    double negative[M * N];
    for (size_t k = 0; k < M * N; k++) negative[k] = -sample[k];
    (void)treat(&how, sample, "log_ct", log_ct);
    how.first = COMPOSITE_TREAT_LOG_SHIFT;
    (void)treat(&how, sample, "log_shift", log_shift);
    how.first = COMPOSITE_TREAT_LOG_CT_PLUS;
    (void)treat(&how, sample, "log_ct_plus", log_ct);
    (void)treat(&how, negative, "log_ct_plus_mirrored", log_ct_plus_negative);
    how.first = COMPOSITE_TREAT_BOX_COX;
    struct composite_treated told = treat(&how, sample, NULL, NULL);
    compare("box_cox_lambda", &told.lambda, box_cox_lambda, 1, 7);
    how.box_cox_lambda = box_cox_lambda[0];
    (void)treat(&how, sample, "box_cox", box_cox_a);
    how.box_cox_lambda = 0.5;
    (void)treat(&how, sample, "box_cox_half", box_cox_half);
    /* The rule: one value far out is pulled in; with nothing allowed the second way is taken, on
     * the values as they were. */
    how = (struct composite_treat){.first = COMPOSITE_TREAT_WINSORISE, .max_winsorised = 1};
    told = treat(&how, sample, NULL, NULL);
    assert_false(told.pass_before);
    assert_true(told.pass_after);
    assert_int_equal(told.n_high, 1);
    double two_out[M * N], want[N];
    memcpy(two_out, sample, sizeof two_out);
    two_out[2] = 60; /* with 90 brought to 60: skewness 1.52, kurtosis 0.86 */
    for (size_t j = 0; j < N; j++) want[j] = log(two_out[j] - 4.5 + 0.855);
    how.max_skew = how.max_kurtosis = 0.5;
    how.second = COMPOSITE_TREAT_LOG_CT;
    told = treat(&how, two_out, "second_on_the_untreated", want);
    assert_int_equal(told.kind, COMPOSITE_TREAT_LOG_CT);
    assert_int_equal(told.n_high, 0);
}

static void imputations(void **state) {
    (void)state;
    struct arena *a = test_arena();
    static const struct {
        const char *what;
        enum composite_impute_kind kind;
        const double *want;
        double least;
    } row[] = {{"imputed_mean", COMPOSITE_IMPUTE_MEAN, imputed_mean, 13},
               {"imputed_median", COMPOSITE_IMPUTE_MEDIAN, imputed_median, 13},
               {"imputed_group_mean", COMPOSITE_IMPUTE_GROUP_MEAN, imputed_group_mean, 13},
               {"imputed_group_median", COMPOSITE_IMPUTE_GROUP_MEDIAN, imputed_group_median, 13},
               {"imputed_em", COMPOSITE_IMPUTE_EM, imputed_em, 5}};
    for (size_t k = 0; k < sizeof row / sizeof row[0]; k++) {
        struct composite_spec spec = {.normalise = {.n_norm = 1, .norm = &plain}};
        double v[M * N];
        memcpy(v, sample, sizeof v);
        v[1] = v[N + 8] = v[2 * N + 4] = v[3 * N + 4] = NAN;
        spec.impute.kind = row[k].kind;
        struct composite_result r = run(a, v, all_good, &spec);
        const double *x = r.stage[COMPOSITE_IMPUTED];
        double got[] = {x[1], x[N + 8], x[2 * N + 4], x[3 * N + 4]};
        compare(row[k].what, got, row[k].want, 4, row[k].least);
        assert_int_equal(r.n_imputed, 4);
        assert_int_equal(r.n_still_missing, 0);
        for (size_t c = 0; c < M * N; c++) {
            if (!isnan(v[c])) assert_true(x[c] == v[c]);
        }
    }
    arena_free(a);
}

/* Three areas at 2000, 2001, 2003, 2004; by hand. */
static void panel(void **state) {
    (void)state;
    struct arena *a = test_arena();
    static const uint8_t two[] = {1, 2};
    static const uint32_t up[] = {1, COMPOSITE_NONE}, unit[] = {0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2};
    static const int8_t good[] = {1, 1};
    static const double one[] = {1, 1};
    static const double time[] = {2000, 2000, 2000, 2001, 2001, 2001,
                                  2003, 2003, 2003, 2004, 2004, 2004};
    static const double v[] = {10, NAN, 1, NAN, NAN, 2, 16, 8, NAN, NAN, 9, NAN};
    static const double last[] = {10, NAN, 1, 10, NAN, 2, 16, 8, 2, 16, 9, 2};
    static const double linear[] = {10, 8, 1, 12, 8, 2, 16, 8, 2, 16, 9, 2};
    static const double within_1[] = {10, NAN, 1, 10, NAN, 2, 16, 8, NAN, 16, 9, NAN};
    struct composite_tree t = {.n_ind = 1,
                               .n_node = 2,
                               .n_level = 2,
                               .code = code,
                               .level = two,
                               .parent = up,
                               .direction = good,
                               .weight = one};
    struct err err;
    assert_int_equal(composite_tree_init(&t, a, &err), ERR_OK);
    struct composite_data d = {.n_area = 12, .value = v, .unit = unit, .time = time};
    struct composite_spec spec = {.normalise = {.n_norm = 1, .norm = &plain}};
    struct composite_result r;
    spec.impute.kind = COMPOSITE_IMPUTE_PANEL_LAST;
    assert_int_equal(composite_run(&d, &t, &spec, COMPOSITE_RAW, NULL, a, &r, &err), ERR_OK);
    compare("panel_last", r.stage[COMPOSITE_IMPUTED], last, 12, 15);
    assert_int_equal(r.n_still_missing, 2);
    spec.impute.max_gap = 1;
    assert_int_equal(composite_run(&d, &t, &spec, COMPOSITE_RAW, NULL, a, &r, &err), ERR_OK);
    compare("panel_last_within_1", r.stage[COMPOSITE_IMPUTED], within_1, 12, 15);
    spec.impute.max_gap = 0;
    spec.impute.kind = COMPOSITE_IMPUTE_PANEL_LINEAR;
    assert_int_equal(composite_run(&d, &t, &spec, COMPOSITE_RAW, NULL, a, &r, &err), ERR_OK);
    compare("panel_linear", r.stage[COMPOSITE_IMPUTED], linear, 12, 15);
    arena_free(a);
}

static void screening(void **state) {
    (void)state;
    struct arena *a = test_arena();
    double v[M * N];
    memcpy(v, sample, sizeof v);
    v[4] = v[N + 4] = v[2 * N + 4] = NAN; /* area 5 has one of four */
    v[7] = v[N + 7] = v[2 * N + 7] = 0;   /* area 8 has three zeros */
    struct composite_spec spec = {.normalise = {.n_norm = 1, .norm = &min_max},
                                  .screen = {.kind = COMPOSITE_SCREEN_MISSING,
                                             .before_impute = true,
                                             .min_share = 0.5,
                                             .min_nonzero = 0.5}};
    struct composite_result r = run(a, v, direction, &spec);
    assert_int_equal(r.n_area[COMPOSITE_AGGREGATED], 9);
    assert_int_equal(r.area[COMPOSITE_AGGREGATED][4], 5);
    assert_int_equal(r.n_area[COMPOSITE_DENOMINATED], 10);
    spec.screen.kind = COMPOSITE_SCREEN_ZEROS;
    r = run(a, v, direction, &spec);
    assert_int_equal(r.n_area[COMPOSITE_AGGREGATED], 9);
    assert_int_equal(r.area[COMPOSITE_AGGREGATED][7], 8);
    spec.screen.kind = COMPOSITE_SCREEN_MISSING_OR_ZEROS;
    r = run(a, v, direction, &spec);
    assert_int_equal(r.n_area[COMPOSITE_AGGREGATED], 8);
    assert_true(r.stage[COMPOSITE_SCREENED][5] == v[6]);
    /* An indicator with too few areas is dropped and its siblings take its weight. */
    spec.screen = (struct composite_screen){.min_indicator_share = 0.95};
    v[4] = sample[4];
    v[N + 4] = sample[N + 4];
    r = run(a, v, direction, &spec);
    assert_int_equal(r.dropped[2], COMPOSITE_DROPPED_AVAILABILITY);
    assert_int_equal(r.dropped[0], COMPOSITE_KEPT);
    assert_true(r.weight[2] == 0 && fabs(r.weight[0] - 2.0 / 6) < 1e-15);
    arena_free(a);
}

static void constants(void **state) {
    (void)state;
    struct arena *a = test_arena();
    double v[M * N];
    memcpy(v, sample, sizeof v);
    for (size_t j = 0; j < N; j++) v[N + j] = 3;
    struct composite_spec spec = {.normalise = {.n_norm = 1, .norm = &min_max}};
    struct composite_result r = run(a, v, direction, &spec);
    const double *x = r.stage[COMPOSITE_NORMALISED];
    assert_int_equal(r.dropped[1], COMPOSITE_DROPPED_CONSTANT);
    assert_true(r.weight[1] == 0);
    for (size_t j = 0; j < N; j++) {
        double want = (2 * x[j] + x[2 * N + j] + 3 * x[3 * N + j]) / 6;
        assert_true(fabs(r.stage[COMPOSITE_AGGREGATED][M * N + j] - want) < 1e-12);
    }
    const struct composite_norm z = {.kind = COMPOSITE_NORM_Z, .sd = 1};
    spec.normalise.norm = &z;
    r = run(a, v, direction, &spec);
    assert_int_equal(r.dropped[1], COMPOSITE_DROPPED_CONSTANT);
    for (size_t k = 0; k < M * N; k++) {
        size_t row = k / N;
        v[k] = (double)row;
    }
    struct err err;
    assert_int_equal(try_run(a, v, direction, &spec, &r, &err), ERR_NUMERIC);
    arena_free(a);
}

static void refused(struct composite_spec spec, const double *value, enum err_code want,
                    const char *word) {
    struct arena *a = test_arena();
    struct composite_result r;
    struct err err = {0};
    assert_int_equal(try_run(a, value, direction, &spec, &r, &err), want);
    if (strstr(err.detail, word) == NULL) fail_msg("\"%s\" does not name %s", err.detail, word);
    arena_free(a);
}

static void refusals(void **state) {
    (void)state;
    const struct composite_norm z = {.kind = COMPOSITE_NORM_Z, .sd = 1};
    static const double easy[] = {1, 20, 50, 2}, missing[] = {60, NAN, 150, 0.15};
    const struct composite_norm low = {.kind = COMPOSITE_NORM_DIST_TARGET, .target = easy};
    const struct composite_norm none = {.kind = COMPOSITE_NORM_DIST_TARGET, .target = missing};
    const struct composite_norm range = {.kind = COMPOSITE_NORM_MIN_MAX};
    const struct composite_norm share = {.kind = COMPOSITE_NORM_FRACTION_MAX};
    struct composite_spec s = {.normalise = {.n_norm = 1, .norm = &z}};
    s.aggregate.level[0].kind = COMPOSITE_GEOMETRIC;
    refused(s, sample, ERR_NUMERIC, "A, a1");
    s.aggregate.level[0].kind = COMPOSITE_BOD_SCORE;
    refused(s, sample, ERR_NUMERIC, "A, a1");
    s.aggregate.level[0].kind = COMPOSITE_MPI_MINUS;
    refused(s, sample, ERR_NUMERIC, "Index, a2");
    s.aggregate.level[0].kind = COMPOSITE_ARITHMETIC;
    s.weights.level[0] = COMPOSITE_WEIGHT_ENTROPY;
    refused(s, sample, ERR_NUMERIC, "A");
    s.weights.level[0] = COMPOSITE_WEIGHT_AHP;
    refused(s, sample, ERR_INVALID, "Index");
    s.weights.level[0] = COMPOSITE_WEIGHT_GIVEN;
    s.normalise.norm = &low;
    refused(s, sample, ERR_NUMERIC, "A");
    s.normalise.norm = &none;
    refused(s, sample, ERR_NUMERIC, "B");
    s.normalise.norm = &range;
    refused(s, sample, ERR_INVALID, "range");
    double v[M * N];
    memcpy(v, sample, sizeof v);
    v[2 * N + 3] = -1;
    s.normalise.norm = &share;
    refused(s, v, ERR_NUMERIC, "C, a4");
    s.normalise.norm = &min_max;
    s.treat.first = COMPOSITE_TREAT_LOG;
    s.treat.always = true;
    refused(s, v, ERR_NUMERIC, "C, a4");
    s.treat.first = COMPOSITE_TREAT_NONE;
    s.impute.kind = COMPOSITE_IMPUTE_PANEL_LAST;
    refused(s, sample, ERR_INVALID, "panel");
    s.impute.kind = COMPOSITE_IMPUTE_NONE;
    v[5] = INFINITY;
    refused(s, v, ERR_INVALID, "A, a6");
    /* EM on two indicators that are one: no estimate. */
    for (size_t j = 0; j < N; j++) v[N + j] = 2 * sample[j];
    memcpy(v, sample, N * sizeof *v);
    v[2 * N + 3] = NAN;
    s.impute.kind = COMPOSITE_IMPUTE_EM;
    refused(s, v, ERR_NUMERIC, "EM");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(normalisations),
        cmocka_unit_test(bands_by_cut),
        cmocka_unit_test(means),
        cmocka_unit_test(gaps),
        cmocka_unit_test(exponential_after),
        cmocka_unit_test(weights),
        cmocka_unit_test(doubt),
        cmocka_unit_test(treatments),
        cmocka_unit_test(imputations),
        cmocka_unit_test(panel),
        cmocka_unit_test(screening),
        cmocka_unit_test(constants),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
