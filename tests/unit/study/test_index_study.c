/* The index from files: tables, spec, panel, reports, and what each malformed input is told. */
#include "../base/testing.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "study/composite/index.h"

#define COINR SOURCE_DIR "/../shared/data/03-reference/composite-asem/"

static const char meta_text[] =
    "Level,iCode,iName,Direction,Weight,Target,Denominator,Parent,Type\n"
    "1,A,Alpha,1,2,9,,P,Indicator\n"
    "1,B,,-1,1,,Pop,P,Indicator\n"
    "1,C,,1,1,,,Q,Indicator\n"
    "2,P,,1,1,,,X,Aggregate\n"
    "2,Q,,1,3,,,X,Aggregate\n"
    "3,X,The index,1,1,,,,Aggregate\n"
    ",G,,,,,,,Group\n"
    ",Pop,,,,,,,Denominator\n";
static const char data_text[] = "uCode,uName,G,Pop,A,B,C\n"
                                "a,Ay,g1,10,1,40,7\n"
                                "b,Bee,g1,20,3,20,NA\n"
                                "c,,g2,40,2,,5\n"
                                "d,Dee,g2,10,8,10,1\n";

struct files {
    const char *meta, *data, *by, *spec;
};

/* Loads from texts; the code of the first error. */
static enum err_code load(struct arena *a, const struct files *f, struct index_study *s,
                          struct err *err) {
    const struct table *meta, *data, *by = NULL;
    const char *m = f->meta == NULL ? meta_text : f->meta,
               *d = f->data == NULL ? data_text : f->data;
    const char *spec = f->spec == NULL ? "index: 1\n" : f->spec;
    *s = (struct index_study){0};
    TRY(table_parse(a, "meta.csv", m, strlen(m), ',', 1000, &meta, err));
    TRY(index_frame_read(meta, a, &s->frame, err));
    TRY(table_parse(a, "data.csv", d, strlen(d), ',', 1000, &data, err));
    if (f->by != NULL) TRY(table_parse(a, "by.csv", f->by, strlen(f->by), ',', 1000, &by, err));
    TRY(index_data_read(data, by, &s->frame, a, &s->data, err));
    TRY(index_spec_parse("spec.yaml", spec, strlen(spec), &s->frame, &s->data, a, &s->spec, err));
    if (s->spec.group != NULL) TRY(index_data_group(&s->data, s->spec.group, a, err));
    s->tree = s->frame.tree;
    if (s->spec.flat) TRY(composite_tree_flatten(&s->frame.tree, a, &s->tree, err));
    return index_study_run(s, NULL, a, err);
}

static void told(const struct files *f, const char *want) {
    struct arena *a = test_arena();
    struct index_study s;
    struct err err = {0};
    if (load(a, f, &s, &err) == ERR_OK) fail_msg("taken: %s", want);
    if (strstr(err.detail, want) == NULL) fail_msg("\"%s\", expected \"%s\"", err.detail, want);
    arena_free(a);
}

static void by_hand(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct index_study s;
    struct err err = {0};
    struct files f = {.spec =
                          "group: G\nimpute: {method: group_mean}\nnormalise: {range: [0, 10]}\n"};
    if (load(a, &f, &s, &err) != ERR_OK) fail_msg("%s", err.detail);
    /* B per Pop: 4, 1, missing -> 1 (d's), 1; C: 7, 7 (a's), 5, 1. */
    const double *x = s.result.stage[COMPOSITE_AGGREGATED];
    static const double want[6][4] = {
        {0, 20.0 / 7, 10.0 / 7, 10}, {0, 10, 10, 10},
        {10, 10, 20.0 / 3, 0},       {0, (40.0 / 7 + 10) / 3, (20.0 / 7 + 10) / 3, 10},
        {10, 10, 20.0 / 3, 0},       {7.5, 0, 0, 2.5}};
    for (size_t i = 0; i < 5; i++)
        for (size_t j = 0; j < 4; j++)
            if (fabs(x[i * 4 + j] - want[i][j]) > 1e-12)
                fail_msg("%zu %zu: %.17g, expected %g", i, j, x[i * 4 + j], want[i][j]);
    for (size_t j = 0; j < 4; j++)
        assert_true(fabs(x[20 + j] - (want[3][j] + 3 * want[4][j]) / 4) < 1e-12);
    assert_int_equal(s.result.rank[0], 2);
    assert_int_equal(s.result.rank[1], 1);
    assert_int_equal(s.result.rank[3], 4);
    assert_string_equal(s.data.name[2], "c");
    assert_string_equal(s.frame.name[0], "Alpha");
    arena_free(a);
}

static void denominators_of_their_own(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct index_study s;
    struct err err = {0};
    struct files f = {.by = "uCode,Pop,Other\nz,1,1\nd,20,1\nb,40,1\na,20,1\nc,80,1\n"};
    if (load(a, &f, &s, &err) != ERR_OK) fail_msg("%s", err.detail);
    assert_true(s.result.stage[COMPOSITE_DENOMINATED][4] == 2);
    f.spec = "denominate: false\n";
    assert_int_equal(load(a, &f, &s, &err), ERR_OK);
    assert_true(s.result.stage[COMPOSITE_DENOMINATED][4] == 40);
    arena_free(a);
    f.spec = NULL;
    f.by = "uCode,Pop\nd,20\nb,40\na,20\n";
    told(&f, "by.csv: no row for area c (data.csv:4)");
    f.by = "uCode,Pop\nd,20\nb,40\na,x\nc,1\n";
    told(&f, "by.csv:4: column Pop: expected a number, found \"x\"");
    f.by = "uCode,Pop\nd,20\nb,0\na,1\nc,1\n";
    told(&f, "B, b: denominator 0");
}

static const char panel_text[] = "uCode,Time,G,Pop,A,B,C\n"
                                 "a,2001,g1,1,1,1,1\n"
                                 "b,2001,g1,1,2,5,2\n"
                                 "a,2002,g1,1,,2,2\n"
                                 "b,2002,g1,1,4,1,5\n"
                                 "a,2003,g1,1,5,3,1\n"
                                 "b,2003,g1,1,4,2,\n";

static void panel(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct index_study s;
    struct err err = {0};
    struct files f = {.data = panel_text, .spec = "time: 2002\nimpute: {method: panel_linear}\n"};
    if (load(a, &f, &s, &err) != ERR_OK) fail_msg("%s", err.detail);
    assert_int_equal(s.result.n_area[COMPOSITE_AGGREGATED], 2);
    assert_true(isnan(s.result.stage[COMPOSITE_RAW][0]));
    assert_true(s.result.stage[COMPOSITE_IMPUTED][0] == 3);
    assert_int_equal(s.result.n_imputed, 1);
    assert_int_equal(s.column_of[0], 2);
    /* All times: ranks are within a time, goal posts over all. */
    f.spec = "impute: {method: panel_last}\n";
    assert_int_equal(load(a, &f, &s, &err), ERR_OK);
    assert_int_equal(s.result.n_area[COMPOSITE_AGGREGATED], 6);
    for (size_t j = 0; j < 6; j += 2) assert_int_equal(s.result.rank[j] + s.result.rank[j + 1], 3);
    assert_true(s.result.stage[COMPOSITE_IMPUTED][2 * 6 + 5] == 5);
    arena_free(a);
    f.spec = "time: 1999\n";
    told(&f, "spec.yaml: data.csv has no row of Time 1999");
    f.data = NULL;
    told(&f, "has no column Time");
    f.spec = "impute: {method: panel_last}\n";
    told(&f, "needs areas at several times");
}

static void malformed_tables(void **state) {
    (void)state;
    static const struct files rows[] = {
        {.meta = "Level,iCode\n1,A\n"},
        {.meta =
             "Level,iCode,Direction,Weight,Parent,Type\n1,A,2,1,X,Indicator\n2,X,1,1,,Aggregate\n"},
        {.meta =
             "Level,iCode,Direction,Weight,Parent,Type\n1,A,1,1,Y,Indicator\n2,X,1,1,,Aggregate\n"},
        {.meta = "Level,iCode,Direction,Weight,Parent,Type\n1,A,1,1,X,Thing\n2,X,1,1,,Aggregate\n"},
        {.meta = "Level,iCode,Direction,Weight,Parent,Type\n1,A,1,1,X,Indicator\n1,A,1,1,X,"
                 "Indicator\n"},
        {.meta = "Level,iCode,Direction,Weight,Parent,Type\n1,A,1,-1,X,Indicator\n2,X,1,1,,"
                 "Aggregate\n"},
        {.meta =
             "Level,iCode,Direction,Weight,Parent,Type\n1,A,1,1,,Indicator\n2,X,1,1,,Aggregate\n"},
        {.meta =
             "Level,iCode,Direction,Weight,Parent,Type\n1,A,1,0,X,Indicator\n2,X,1,1,,Aggregate\n"},
        {.meta = "Level,iCode,Direction,Weight,Parent,Type\n2,X,1,1,,Aggregate\n"},
        {.meta =
             "Level,iCode,Direction,Weight,Parent,Type\n1,A,1,1,X,Indicator\n9,X,1,1,,Aggregate\n"},
        {.data = "uCode,A,B,Pop\na,1,2,3\n"},
        {.data = "uCode,A,B,C,Pop\na,1,x2,3,4\n"},
        {.data = "uCode,A,B,C,Pop\na,1,2,3,4\na,1,2,3,4\n"},
        {.data = "uCode,A,B,C\na,1,2,3\n"},
        {.data = "uCode,A,B,C,Pop\n"},
        {.data = "uCode,A,B,C,Pop\n,1,2,3,4\n"},
        {.data = "uCode,A,B,C,Pop\na,1,2,3,-4\nb,1,2,3,4\n"},
    };
    static const char *const want[] = {
        "meta.csv:1: there is no column \"Direction\"",
        "meta.csv:2: column Direction: expected a whole number from -1 to 1, found \"2\"",
        "meta.csv:2: column Parent: expected the iCode of an aggregate, found \"Y\"",
        "meta.csv:2: column Type: expected Indicator",
        "meta.csv:3: column iCode: expected a code that no row above has, found \"A\"",
        "meta.csv:2: column Weight: expected 0 or more, found \"-1\"",
        "meta.csv:3: column Parent: expected a parent: another row has none already",
        "meta.csv: X: the weights below it sum to 0",
        "meta.csv: expected rows of Type Indicator",
        "meta.csv:3: column Level: expected a whole number from 2 to 8, found \"9\"",
        "data.csv",
        "data.csv:2: column B: expected a number, found \"x2\" (area a)",
        "data.csv:3: column uCode: expected an area that no row above has, found \"a\"",
        "denominator \"Pop\" is a column neither of data.csv",
        "data.csv",
        "data.csv:2: column uCode: expected the code of an area, found nothing",
        "B, a: denominator -4",
    };
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) told(&rows[k], want[k]);
}

static void malformed_specs(void **state) {
    (void)state;
    static const char *const rows[][2] = {
        {"imputes: {}\n", "spec.yaml:1:1: unknown key \"imputes\"; did you mean \"impute\"?"},
        {"impute:\n  method: meen\n",
         "spec.yaml:2:11: there is no \"meen\"; did you mean \"mean\"?"},
        {"impute: 3\n", "spec.yaml:1:9: expected a map, found an integer"},
        {"treat: {max_skew: -1}\n", "spec.yaml:1:19: max_skew: expected"},
        {"treat: {indicators: {P: log}}\n",
         "spec.yaml:1:22: \"P\" is not an indicator of meta.csv"},
        {"normalise: {range: [5, 1]}\n", "spec.yaml:1:20: range: expected [low, high]"},
        {"normalise: {range: [5]}\n", "spec.yaml:1:20: expected a list of 2 numbers"},
        {"normalise: {method: distance_to_reference, reference: zz}\n", "there is no area \"zz\""},
        {"normalise: {method: distance_to_target}\n", "B: there is no target"},
        {"normalise: {method: goalposts, goalposts: {A: [0, 1]}}\n", "B: there are no goalposts"},
        {"normalise: {method: bands, scores: [1]}\n", "spec.yaml:1:36: scores: expected a list"},
        {"normalise: {method: bands, scores: [1, 2], quantiles: [1.5]}\n", "quantiles must rise"},
        {"weights: {levels: [equal]}\n", "spec.yaml:1:19: levels: expected a list of 2"},
        {"weights: {levels: [equal, ahp]}\n", "X: there is no pairwise comparison"},
        {"weights: {comparisons: {X: [[1, 2]]}}\n", "spec.yaml:1:28: X: expected 2 rows"},
        {"weights: {levels: [equal, ahp], comparisons: {X: [[1, 2], [2, 1]]}}\n",
         "row 1 column 2 is 2"},
        {"weights: {levels: [equal, ahp], comparisons: {X: [[1, \"1/x\"], [2, 1]]}}\n",
         "spec.yaml:1:55: expected a number or \"1/3\""},
        {"weights: {comparisons: {A: [[1]]}}\n", "nothing stands below an indicator"},
        {"weights: {importance: {A: 0}}\n", "spec.yaml:1:27: A: expected above 0"},
        {"aggregate: {method: geometric}\n", "a geometric mean needs values above 0"},
        {"aggregate: {flat: 1}\n", "flat: expected true or false"},
        {"aggregate: {power: x}\n", "spec.yaml:1:20: expected a number"},
        {"screen: {min_share: 2}\n", "min_share: expected 0 to 1, found 2"},
        {"group: H\n", "H"},
        {"index: 2\n", "index: expected 1 to 1"},
        {"impute: {method: group_mean}\n", "needs a grouping"},
        {"a: [\n", "spec.yaml:"},
    };
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++)
        told(&(struct files){.spec = rows[k][0]}, rows[k][1]);
}

/* Everything a spec can say, at once. */
static void all_of_the_spec(void **state) {
    (void)state;
    static const char *const specs[] = {
        "treat: {method: box_cox, always: true, lambda: 0.5, indicators: {A: none, C: "
        "log_ct_plus}}\n"
        "normalise: {method: z, mean: 100, sd: 10, indicators: {A: {method: distance_to_target, "
        "cap: "
        "true}, C: {method: rank}}}\n"
        "weights: {levels: [entropy, importance], importance: {P: 1, Q: 2}}\n"
        "impute: {method: em, then: median, max_iterations: 500, tolerance: 1e-8, together: true}\n"
        "aggregate: {levels: [power, mazziotta_pareto_minus], power: 2, min_share: 0.5, share_of: "
        "weight}\n",
        "normalise: {method: goalposts, scale: 10, goalposts: {A: [0, 10], B: [0, 5], C: [1, 7]}}\n"
        "weights: {levels: [benefit_of_doubt, equal], min_share: 0.1, max_share: 0.9}\n",
        "normalise: {method: bands, scores: [0, 50, 100], cuts: {A: [2, 4], B: [1, 2], C: [3, "
        "6]}}\n"
        "screen: {rule: missing_or_zeros, min_share: 0.5, min_nonzero: 0.1, min_indicator_share: "
        "0.1, when: after_imputation}\n",
        "normalise: {method: exponential, rate: 20}\nweights: {levels: [pca_variance, "
        "pca_variance], "
        "min_eigenvalue: 0.9}\nimpute: {method: mean}\n",
        "normalise: {method: percentile}\naggregate: {method: copeland, flat: true, ties: "
        "rounded}\n",
        "impute: {method: mean}\nnormalise: {method: distance_to_reference, reference: b, cap: "
        "true}\n",
        "normalise: {method: min_max, range: [1, 2]}\naggregate: {method: harmonic, exponential: "
        "23}\n"
        "weights: {levels: [given, ahp], priorities: geometric_mean, comparisons: {X: [[1, 3], "
        "[\"1/3\", 1]]}}\n",
    };
    for (size_t k = 0; k < sizeof specs / sizeof specs[0]; k++) {
        struct arena *a = test_arena();
        struct index_study s;
        struct err err = {0};
        struct buf out;
        const struct val *v;
        if (load(a, &(struct files){.spec = specs[k]}, &s, &err) != ERR_OK) {
            /* One family of two indicators of three areas may have no EM; the rest must work. */
            fail_msg("%zu: %s", k, err.detail);
        }
        buf_init(&out, 1 << 20);
        for (int stage = 0; stage <= COMPOSITE_N_STAGES; stage++) {
            buf_clear(&out);
            index_report_json(&s, (enum composite_stage)stage, &out);
            if (json_parse(a, buf_text(&out), out.n, &v, &err) != ERR_OK)
                fail_msg("%s", err.detail);
            buf_clear(&out);
            index_report_csv(&s, (enum composite_stage)stage, &out);
            const struct table *t;
            assert_int_equal(table_parse(a, "out.csv", buf_text(&out), out.n, ',', 100, &t, &err),
                             ERR_OK);
        }
        buf_clear(&out);
        index_report_text(&s, k % 2 == 1, &out);
        assert_int_equal(buf_check(&out, &err), ERR_OK);
        buf_deinit(&out);
        arena_free(a);
    }
}

/* Each level its own rule for missing values: with half of Q's children wanted at its level and all
 * of P's, an area without C has no Q but an index, as half of the index's children will do. */
static void rules_by_level(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct index_study s;
    struct err err = {0};
    struct files f = {
        .spec = "aggregate: {min_share: [1, 0.5], power: [1, 2], exponential: [23, 0]}\n"};
    if (load(a, &f, &s, &err) != ERR_OK) fail_msg("%s", err.detail);
    const double *x = s.result.stage[COMPOSITE_AGGREGATED];
    assert_true(isnan(x[4 * 4 + 1]) && !isnan(x[5 * 4 + 1]));
    assert_true(isnan(x[3 * 4 + 2]) && !isnan(x[5 * 4 + 2]));
    assert_true(s.spec.spec.aggregate.level[0].exponential == 23);
    assert_true(s.spec.spec.aggregate.level[1].exponential == 0);
    f.spec = "aggregate: {min_share: 1}\n";
    assert_int_equal(load(a, &f, &s, &err), ERR_OK);
    x = s.result.stage[COMPOSITE_AGGREGATED];
    assert_true(isnan(x[5 * 4 + 1]) && s.result.rank[1] == 0);
    arena_free(a);
    told(&(struct files){.spec = "aggregate: {min_share: [1, 2]}\n"}, "min_share: expected 0 to 1");
    told(&(struct files){.spec = "aggregate: {min_share: [1]}\n"}, "expected a list of 2 numbers");
}

static void no_memory(void **state) {
    (void)state;
    for (long n = 0;; n++) {
        long before = mem_live();
        struct index_study s;
        struct err err = {0};
        struct arena *a = test_arena();
        mem_fault_arm(n);
        enum err_code rc = load(a, &(struct files){.spec = "impute: {method: em}\n"}, &s, &err);
        int fired = mem_fault_disarm();
        arena_free(a);
        assert_int_equal(mem_live(), before);
        if (!fired) {
            assert_int_equal(rc, ERR_OK);
            break;
        }
        if (rc != ERR_NOMEM) fail_msg("allocation %ld: %s", n, err.detail);
    }
}

static void asem_by_files(void **state) {
    (void)state;
    if (access(COINR "asem_iData.csv", R_OK) != 0) {
        (void)printf("skipped: %s is not there\n", COINR);
        return;
    }
    static const char spec[] = "group: EurAsia_group\nimpute: {method: group_mean}\n"
                               "screen: {min_share: 0.9, when: after_imputation}\n"
                               "treat: {method: winsorise, otherwise: log_ct}\n";
    struct arena *a = test_arena();
    struct index_study s;
    struct err err = {0};
    struct index_files files = {.data = COINR "asem_iData.csv", .meta = COINR "asem_iMeta.csv"};
    assert_int_equal(index_study_load(&files, a, &s, &err), ERR_OK);
    assert_int_equal(
        index_spec_parse("spec.yaml", spec, strlen(spec), &s.frame, &s.data, a, &s.spec, &err),
        ERR_OK);
    assert_int_equal(index_data_group(&s.data, s.spec.group, a, &err), ERR_OK);
    if (index_study_run(&s, NULL, a, &err) != ERR_OK) fail_msg("%s", err.detail);
    const struct table *t;
    assert_int_equal(table_load(a, COINR "asem_results_ranked.csv", ',', 100, &t, &err), ERR_OK);
    double worst = 0;
    size_t n = s.result.n_area[COMPOSITE_AGGREGATED], col;
    assert_int_equal(table_column(t, "Index", true, &col, &err), ERR_OK);
    for (size_t j = 0; j < n; j++) {
        double want;
        size_t row = s.result.rank[j] - 1;
        assert_string_equal(table_text(t, row, 0), s.data.data.area[j]);
        assert_int_equal(table_number(t, row, col, false, &want, &err), ERR_OK);
        double got = s.result.stage[COMPOSITE_AGGREGATED][(s.tree.n_node - 1) * n + j];
        worst = fmax(worst, fabs(got - want) / want);
    }
    (void)printf("digits index files_to_scores %.1f (%zu values)\n", -log10(worst), n);
    assert_true(worst < 1e-9);
    arena_free(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_hand),         cmocka_unit_test(denominators_of_their_own),
        cmocka_unit_test(panel),           cmocka_unit_test(malformed_tables),
        cmocka_unit_test(malformed_specs), cmocka_unit_test(all_of_the_spec),
        cmocka_unit_test(asem_by_files),   cmocka_unit_test(rules_by_level),
        cmocka_unit_test(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
