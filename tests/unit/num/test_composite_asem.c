/* Every stage of the ASEM references, as COINr 1.1.14 has computed them, to 1e-9 relative. */
#include "composite_asem.h"

#include "base/file.h"
#include "base/json.h"
#include "num/composite/aggregate.h"
#include "num/composite/weigh.h"

static struct composite_result run(struct asem *s, const struct composite_spec *spec) {
    struct composite_result r;
    struct err err;
    if (composite_run(&s->data, &s->tree, spec, COMPOSITE_RAW, NULL, s->a, &r, &err) != ERR_OK)
        fail_msg("%s", err.detail);
    return r;
}

static const struct composite_norm to_100 = {.kind = COMPOSITE_NORM_MIN_MAX, .high = 100};
static const struct composite_norm from_1 = {.kind = COMPOSITE_NORM_MIN_MAX, .low = 1, .high = 100};

static void stages(void **state) {
    (void)state;
    if (asem_absent()) return;
    struct asem s = asem_load();
    struct composite_spec spec = asem_spec(&to_100, COMPOSITE_ARITHMETIC);
    struct composite_result r = run(&s, &spec);
    size_t m = s.tree.n_ind;
    assert_int_equal(r.n_area[COMPOSITE_SCREENED], 51);
    digits_matrix(&s, "denominated", r.stage[COMPOSITE_DENOMINATED],
                  REFERENCE "asem.denominated.expected.csv", 0, m, 9);
    digits_matrix(&s, "imputed", r.stage[COMPOSITE_IMPUTED], REFERENCE "asem.imputed.expected.csv",
                  0, m, 9);
    digits_matrix(&s, "treated", r.stage[COMPOSITE_TREATED], REFERENCE "asem.treated.csv", 0, m, 9);
    digits_matrix(&s, "minmax_0_100", r.stage[COMPOSITE_NORMALISED],
                  REFERENCE "asem.norm_minmax_0_100.expected.csv", 0, m, 9);
    digits_matrix(&s, "coinr_denominated", r.stage[COMPOSITE_DENOMINATED],
                  COINR "asem_result_Denominated.csv", 0, m, 9);
    digits_matrix(&s, "coinr_imputed", r.stage[COMPOSITE_IMPUTED], COINR "asem_result_Imputed.csv",
                  0, m, 9);
    digits_matrix(&s, "coinr_screened", r.stage[COMPOSITE_SCREENED],
                  COINR "asem_result_Screened.csv", 0, m, 9);
    digits_matrix(&s, "coinr_treated", r.stage[COMPOSITE_TREATED], COINR "asem_result_Treated.csv",
                  0, m, 9);
    digits_matrix(&s, "coinr_normalised", r.stage[COMPOSITE_NORMALISED],
                  COINR "asem_result_Normalised.csv", 0, m, 9);
    digits_matrix(&s, "coinr_aggregated", r.stage[COMPOSITE_AGGREGATED],
                  COINR "asem_result_Aggregated.csv", 0, s.tree.n_node, 9);
    arena_free(s.a);
}

static void ranks_and_published_digits(void **state) {
    (void)state;
    if (asem_absent()) return;
    struct asem s = asem_load();
    struct composite_spec spec = asem_spec(&to_100, COMPOSITE_ARITHMETIC);
    struct composite_result r = run(&s, &spec);
    const struct table *t = asem_table(s.a, COINR "asem_results_ranked.csv");
    struct digits d = {.what = "coinr_ranked_index"};
    size_t n = s.data.n_area;
    for (size_t j = 0; j < n; j++) {
        size_t row = asem_row(t, "uCode", s.area[j]);
        assert_int_equal(r.rank[j], (int)asem_number(t, row, "Rank"));
        digits_add(&d, r.stage[COMPOSITE_AGGREGATED][(s.tree.n_node - 1) * n + j],
                   asem_number(t, row, "Index"), 0);
    }
    digits_end(&d, 9); /* printed there with eight decimals */
    assert_string_equal(table_text(t, 0, 0), "CHE");
    arena_free(s.a);
}

static void treatment_table(void **state) {
    (void)state;
    if (asem_absent()) return;
    struct asem s = asem_load();
    struct composite_spec spec = asem_spec(&to_100, COMPOSITE_ARITHMETIC);
    struct composite_result r = run(&s, &spec);
    const struct table *t = asem_table(s.a, COINR "asem_treatment_table.csv");
    struct digits d = {.what = "skew_kurtosis"};
    for (size_t i = 0; i < s.tree.n_ind; i++) {
        size_t row = asem_row(t, "iCode", s.code[i]);
        const struct composite_treated *got = &r.treated[i];
        const char *pass = table_text(t, row, asem_column(t, "check_SkewKurt0.Pass"));
        assert_int_equal(got->pass_before, strcmp(pass, "TRUE") == 0);
        digits_add(&d, got->skew_before, asem_number(t, row, "check_SkewKurt0.Skew"), 0);
        digits_add(&d, got->kurtosis_before, asem_number(t, row, "check_SkewKurt0.Kurt"), 0);
        if (got->pass_before) continue;
        assert_int_equal(got->kind, COMPOSITE_TREAT_WINSORISE);
        if (got->n_high + got->n_low != (unsigned)asem_number(t, row, "winsorise.nwin"))
            fail_msg("%s: %u winsorised", s.code[i], got->n_high + got->n_low);
        digits_add(&d, got->skew_after, asem_number(t, row, "check_SkewKurt1.Skew"), 0);
        digits_add(&d, got->kurtosis_after, asem_number(t, row, "check_SkewKurt1.Kurt"), 0);
    }
    digits_end(&d, 9);
    arena_free(s.a);
}

/* The stages up to the treated one, then one more normalisation and its score. */
static const double *normalised(struct asem *s, const struct composite_norm *norm) {
    struct composite_spec spec = asem_spec(norm, COMPOSITE_ARITHMETIC);
    struct composite_result r = run(s, &spec);
    return r.stage[COMPOSITE_NORMALISED];
}

/* The reference ranks values apart that its own data file prints alike in 15 digits (three of
 * TolMin): there any rank of the tied ones is as good. */
static void ranks_by_indicator(struct asem *s, const double *got) {
    const struct table *t = asem_table(s->a, REFERENCE "asem.norm_rank_min.expected.csv");
    size_t n = s->data.n_area, exact = 0, alike = 0;
    for (size_t i = 0; i < s->tree.n_ind; i++) {
        for (size_t j = 0; j < n; j++) {
            double want = asem_number(t, asem_row(t, "uCode", s->area[j]), s->code[i]);
            size_t ties = 0;
            for (size_t k = 0; k < n; k++) ties += got[i * n + k] == got[i * n + j];
            if (got[i * n + j] == want)
                exact++;
            else if (want > got[i * n + j] && want < got[i * n + j] + (double)ties)
                alike++;
            else
                fail_msg("%s %s: rank %g, expected %g", s->code[i], s->area[j], got[i * n + j],
                         want);
        }
    }
    (void)printf("digits index rank 17.0 (%zu values; %zu alike in the printed data)\n", exact,
                 alike);
    assert_int_equal(alike, 3);
}

static void normalisations(void **state) {
    (void)state;
    if (asem_absent()) return;
    struct asem s = asem_load();
    size_t m = s.tree.n_ind;
    const struct composite_norm z = {.kind = COMPOSITE_NORM_Z, .sd = 1};
    const struct composite_norm z_10_2 = {.kind = COMPOSITE_NORM_Z, .mean = 10, .sd = 2};
    const struct composite_norm rank = {.kind = COMPOSITE_NORM_RANK};
    digits_matrix(&s, "minmax_1_100", normalised(&s, &from_1),
                  REFERENCE "asem.norm_minmax_1_100.expected.csv", 0, m, 9);
    digits_matrix(&s, "zscore", normalised(&s, &z), REFERENCE "asem.norm_zscore_0_1.expected.csv",
                  0, m, 9);
    ranks_by_indicator(&s, normalised(&s, &rank));
    digits_matrix(&s, "coinr_minmax_1_100", normalised(&s, &from_1),
                  COINR "asem_alt_normalised_minmax_1_100.csv", 0, m, 9);
    digits_matrix(&s, "coinr_zscore_10_2", normalised(&s, &z_10_2),
                  COINR "asem_alt_normalised_zscore_10_2.csv", 0, m, 9);
    const struct table *g = asem_table(s.a, REFERENCE "asem.goalposts.csv");
    double *post = ARENA_NEW(s.a, double, 3 * m);
    for (size_t i = 0; i < m; i++) {
        size_t row = asem_row(g, "iCode", s.code[i]);
        post[i] = asem_number(g, row, "low");
        post[m + i] = asem_number(g, row, "high");
        post[2 * m + i] = asem_number(g, row, "scale");
        assert_int_equal(s.tree.direction[i], (int)asem_number(g, row, "direction"));
    }
    const struct composite_norm goal = {.kind = COMPOSITE_NORM_GOALPOSTS,
                                        .cap = true,
                                        .goal_low = post,
                                        .goal_high = post + m,
                                        .goal_scale = post + 2 * m};
    digits_matrix(&s, "goalposts", normalised(&s, &goal),
                  REFERENCE "asem.norm_goalposts.expected.csv", 0, m, 9);
    arena_free(s.a);
}

static void one_mean(struct asem *s, enum composite_agg_kind kind, const char *what,
                     const char *path) {
    struct composite_spec spec = asem_spec(&from_1, kind);
    struct composite_result r = run(s, &spec);
    size_t m = s->tree.n_ind, n = s->data.n_area;
    digits_matrix(s, what, r.stage[COMPOSITE_AGGREGATED] + m * n, path, m, s->tree.n_node - m, 9);
    const struct table *t = asem_table(s->a, path);
    for (size_t j = 0; j < n && asem_column(t, "uCode") == 0 && t->n_col < 20; j++) {
        size_t row = asem_row(t, "uCode", s->area[j]);
        assert_int_equal(r.rank[j], (int)asem_number(t, row, "rank"));
    }
}

static void means(void **state) {
    (void)state;
    if (asem_absent()) return;
    struct asem s = asem_load();
    one_mean(&s, COMPOSITE_ARITHMETIC, "arithmetic", REFERENCE "asem.agg_arithmetic.expected.csv");
    one_mean(&s, COMPOSITE_GEOMETRIC, "geometric", REFERENCE "asem.agg_geometric.expected.csv");
    one_mean(&s, COMPOSITE_GEOMETRIC, "coinr_geometric", COINR "asem_alt_aggregated_gmean.csv");
    arena_free(s.a);
}

/* Balance of every pair counted in whole numbers: what Copeland's score is without rounding. */
static void count_pairs(const struct asem *s, const double *v, int *score, int *level) {
    size_t n = s->data.n_area;
    for (size_t a = 0; a < n; a++) {
        score[a] = level[a] = 0;
        for (size_t b = 0; b < n; b++) {
            int balance = 0;
            for (size_t i = 0; i < s->tree.n_ind; i++)
                balance += (v[i * n + a] > v[i * n + b]) - (v[i * n + a] < v[i * n + b]);
            score[a] += (balance > 0) - (balance < 0);
            level[a] += a != b && balance == 0;
        }
    }
}

static struct composite_result copeland_of(struct asem *s, bool rounded) {
    struct composite_tree *flat = ARENA_NEW(s->a, struct composite_tree, 1);
    struct err err;
    assert_int_equal(composite_tree_flatten(&s->tree, s->a, flat, &err), ERR_OK);
    double *equal = ARENA_NEW(s->a, double, flat->n_node);
    for (size_t i = 0; i < flat->n_node; i++) equal[i] = 1;
    flat->weight = equal;
    struct composite_spec spec = asem_spec(&from_1, COMPOSITE_COPELAND);
    spec.aggregate.level[0].rounded_ties = rounded;
    struct composite_result r = {0};
    r.stage[COMPOSITE_NORMALISED] =
        asem_matrix(s, asem_table(s->a, REFERENCE "asem.norm_minmax_1_100.expected.csv"));
    r.n_area[COMPOSITE_NORMALISED] = s->data.n_area;
    if (composite_run(&s->data, flat, &spec, COMPOSITE_WEIGHTED, NULL, s->a, &r, &err) != ERR_OK)
        fail_msg("%s", err.detail);
    return r;
}

/* From the printed normalised values, which keep the three values of TolMin apart. The reference
 * was computed in rounded sums, which tell 16 pairs of areas apart that are exactly level (24.5 of
 * 49 each): its own sums are reproduced, and so is the exact count. */
static void copeland(void **state) {
    (void)state;
    if (asem_absent()) return;
    struct asem s = asem_load();
    struct composite_result r = copeland_of(&s, true), exact = copeland_of(&s, false);
    const struct table *t = asem_table(s.a, REFERENCE "asem.copeland_equal.expected.csv");
    struct digits d = {.what = "copeland"}, d_exact = {.what = "copeland_exact"};
    size_t n = s.data.n_area, at = s.tree.n_ind * n;
    int score[64], level[64], pairs = 0;
    count_pairs(&s, r.stage[COMPOSITE_NORMALISED], score, level);
    for (size_t j = 0; j < n; j++) {
        size_t row = asem_row(t, "uCode", s.area[j]);
        double want = asem_number(t, row, "copeland");
        digits_add(&d, r.stage[COMPOSITE_AGGREGATED][at + j], want, 0);
        assert_int_equal(r.rank[j], (int)asem_number(t, row, "rank"));
        digits_add(&d_exact, exact.stage[COMPOSITE_AGGREGATED][at + j], score[j], 0);
        assert_true(fabs(want - score[j]) <= level[j]);
        pairs += level[j];
    }
    assert_int_equal(pairs, 32);
    digits_end(&d, 15);
    digits_end(&d_exact, 15);
    arena_free(s.a);
}

static void components(void **state) {
    (void)state;
    if (asem_absent()) return;
    struct asem s = asem_load();
    const double *v = normalised(&s, &to_100);
    const struct table *value = asem_table(s.a, REFERENCE "asem.pca_eigenvalues.expected.csv");
    const struct table *load =
        asem_table(s.a, REFERENCE "asem.pca_loadings_by_pillar.expected.csv");
    struct digits d_value = {.what = "pca_eigenvalues"}, d_load = {.what = "pca_loadings"};
    for (size_t up = s.tree.n_ind; s.tree.level[up] == 2; up++) {
        size_t n = s.tree.first[up + 1] - s.tree.first[up], seen = 0;
        const double *rows[32];
        const char *name[32];
        double weight[32], eigen[32], expected[32], sign = 0;
        for (size_t k = 0; k < n; k++) {
            uint32_t id = s.tree.child[s.tree.first[up] + k];
            rows[k] = v + id * s.data.n_area;
            name[k] = s.code[id];
            expected[k] = asem_number(load, asem_row(load, "iCode", name[k]), "Weight");
        }
        struct err err;
        assert_int_equal(
            composite_weigh_pca(rows, name, n, s.data.n_area, false, 0, weight, eigen, &err),
            ERR_OK);
        for (size_t k = 0; k < n; k++) sign += weight[k] * expected[k];
        for (size_t k = 0; k < n; k++)
            digits_add(&d_load, sign > 0 ? weight[k] : -weight[k], expected[k], 1);
        for (size_t i = 0; i < value->n_row; i++) {
            if (strcmp(table_text(value, i, 0), s.code[up]) != 0) continue;
            size_t pc = (size_t)asem_number(value, i, "pc");
            digits_add(&d_value, eigen[pc - 1], asem_number(value, i, "eigenvalue"), 0);
            seen++;
        }
        assert_int_equal(seen, n);
    }
    digits_end(&d_value, 9);
    digits_end(&d_load, 9);
    arena_free(s.a);
}

/* The pillars as rows of their own. */
static size_t pillars(struct asem *s, const double **rows, const char **name) {
    const struct table *t = asem_table(s->a, REFERENCE "asem.pillars_minmax1_100.csv");
    size_t n = 0;
    for (size_t c = 1; c < t->n_col; c++) {
        double *v = ARENA_NEW(s->a, double, s->data.n_area);
        for (size_t j = 0; j < s->data.n_area; j++)
            v[j] = asem_number(t, asem_row(t, "uCode", s->area[j]), t->name[c]);
        name[n] = t->name[c];
        rows[n++] = v;
    }
    return n;
}

static void entropy(void **state) {
    (void)state;
    if (asem_absent()) return;
    struct asem s = asem_load();
    const double *rows[16];
    const char *name[16];
    double weight[16], e[16];
    struct err err;
    size_t n = pillars(&s, rows, name);
    assert_int_equal(composite_weigh_entropy(rows, name, n, s.data.n_area, weight, e, &err),
                     ERR_OK);
    const struct table *t = asem_table(s.a, REFERENCE "asem.entropy_weights.expected.csv");
    struct digits d_e = {.what = "entropy"}, d_w = {.what = "entropy_weights"};
    for (size_t k = 0; k < n; k++) {
        size_t row = asem_row(t, "pillar", name[k]);
        digits_add(&d_e, e[k], asem_number(t, row, "entropy"), 0);
        digits_add(&d_w, weight[k], asem_number(t, row, "weight"), 0);
    }
    digits_end(&d_e, 9);
    digits_end(&d_w, 9);
    arena_free(s.a);
}

static void doubt(void **state) {
    (void)state;
    if (asem_absent()) return;
    struct asem s = asem_load();
    const double *rows[16];
    const char *name[16];
    size_t k = pillars(&s, rows, name), n = s.data.n_area;
    double *value = ARENA_NEW(s.a, double, k *n);
    uint8_t level[17];
    uint32_t parent[17];
    int8_t direction[17];
    double weight[17];
    const char *code[17];
    for (size_t i = 0; i <= k; i++) {
        level[i] = i == k ? 2 : 1;
        parent[i] = i == k ? COMPOSITE_NONE : (uint32_t)k;
        direction[i] = 1;
        weight[i] = 1;
        code[i] = i == k ? "Index" : name[i];
        if (i < k) memcpy(value + i * n, rows[i], n * sizeof *value);
    }
    struct composite_tree t = {.n_ind = k,
                               .n_node = k + 1,
                               .n_level = 2,
                               .code = code,
                               .level = level,
                               .parent = parent,
                               .direction = direction,
                               .weight = weight};
    struct err err;
    assert_int_equal(composite_tree_init(&t, s.a, &err), ERR_OK);
    const struct composite_norm none = {.kind = COMPOSITE_NORM_NONE};
    struct composite_spec spec = {.normalise = {.n_norm = 1, .norm = &none}};
    spec.aggregate.level[0].kind = COMPOSITE_BOD_SCORE;
    struct composite_data data = {.n_area = n, .value = value, .area = s.data.area};
    struct composite_result r;
    if (composite_run(&data, &t, &spec, COMPOSITE_RAW, NULL, s.a, &r, &err) != ERR_OK)
        fail_msg("%s", err.detail);
    const struct table *b = asem_table(s.a, REFERENCE "asem.bod_unrestricted.expected.csv");
    struct digits d = {.what = "bod_scores"};
    for (size_t j = 0; j < n; j++)
        digits_add(&d, r.stage[COMPOSITE_AGGREGATED][k * n + j],
                   asem_number(b, asem_row(b, "uCode", s.area[j]), "score"), 0);
    digits_end(&d, 9);
    arena_free(s.a);
}

static double number_at(const struct val *v) {
    return v->type == VAL_INT ? (double)v->u.i : v->u.d;
}

static void judgements(void **state) {
    (void)state;
    if (asem_absent()) return;
    struct arena *a = test_arena();
    struct buf b;
    struct err err;
    const struct val *all;
    buf_init(&b, 1 << 20);
    assert_int_equal(file_read(REFERENCE "ahp.expected.json", &b, &err), ERR_OK);
    assert_int_equal(json_parse(a, buf_text(&b), b.n, &all, &err), ERR_OK);
    assert_int_equal(all->n, 2);
    for (size_t k = 0; k < all->n; k++) {
        const struct val *c = &all->u.map[k].v, *rows = val_get(c, "matrix");
        struct digits d = {.what = all->u.map[k].key};
        size_t n = rows->n;
        double m[225], w[15];
        for (size_t i = 0; i < n * n; i++) m[i] = number_at(&rows->u.list[i / n].u.list[i % n]);
        for (int geometric = 0; geometric < 2; geometric++) {
            struct composite_ahp_told told;
            const struct val *want = val_get(c, geometric ? "w_geomean" : "w_eigen");
            if (composite_weigh_ahp(m, n, geometric, w, &told, &err) != ERR_OK)
                fail_msg("%s", err.detail);
            for (size_t i = 0; i < n; i++) digits_add(&d, w[i], number_at(&want->u.list[i]), 0);
            digits_add(&d, told.lambda_max, number_at(val_get(c, "lambda_max")), 0);
            digits_add(&d, told.ci, number_at(val_get(c, "CI")), 1);
            digits_add(&d, told.cr, number_at(val_get(c, "CR")), 1);
            assert_false(told.inconsistent);
        }
        digits_end(&d, 9);
    }
    buf_deinit(&b);
    arena_free(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stages),          cmocka_unit_test(ranks_and_published_digits),
        cmocka_unit_test(treatment_table), cmocka_unit_test(normalisations),
        cmocka_unit_test(means),           cmocka_unit_test(copeland),
        cmocka_unit_test(components),      cmocka_unit_test(entropy),
        cmocka_unit_test(doubt),           cmocka_unit_test(judgements),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
