/* The worked examples of docs/statistics/risk.md on the shared data: Kitchener's mains, the sewer
 * inspections, Bloomington's pavement. */
#include "../base/testing.h"

#include <stdio.h>

#include "base/sanitizer.h"
#include "study/risk/pavement.h"
#include "study/risk/prepare.h"
#include "study/risk/study.h"

#define DATA SOURCE_DIR "/../shared/data/03-reference/"

static const struct table *load(struct arena *a, const char *path) {
    const struct table *t = NULL;
    struct err err = {0};
    enum err_code rc = table_load(a, path, 0, 2000000, &t, &err);
    if (rc == ERR_NOT_FOUND) {
        printf("skipped: there is no %s\n", path);
        skip();
    }
    if (rc != ERR_OK) fail_msg("%s", err.detail);
    return t;
}

static void kitchener(void **state) {
    (void)state;
    struct arena *a = arena_new((size_t)4 << 30);
    static const char yaml[] =
        "assets:\n  file: mains\n  id: WATMAINID\n  laid: INSTALLATION_DATE\n"
        "  keep: {diameter: PIPE_SIZE, material: MATERIAL, length: Shape__Length}\n"
        "events:\n  file: breaks\n  id: ASSETID\n  date: INCIDENT_DATE\n"
        "from: 1999\nto: 2022\n";
    const struct table *mains = load(a, DATA "pipes-kitchener/water_mains.csv.gz");
    const struct table *breaks = load(a, DATA "pipes-kitchener/water_main_breaks.csv.gz");
    struct risk_prepare_spec p;
    struct risk_prepared done;
    struct err err = {0};
    assert_int_equal(risk_prepare_parse(a, "k.yaml", yaml, sizeof yaml - 1, &p, &err), ERR_OK);
    if (risk_prepare(a, &p, mains, breaks, &done, &err) != ERR_OK) fail_msg("%s", err.detail);
    printf("Kitchener: %zu mains, %zu breaks, %zu not joined, %zu before the main was laid, %zu "
           "counted, %zu rows\n",
           done.n_assets, done.n_events, done.n_not_joined, done.exposure.n_before_laid,
           done.exposure.n_counted, done.exposure.n_rows);
    assert_int_equal(done.n_assets + done.n_no_laid, 15903);
    assert_int_equal(done.n_events, 2766);
    /* 427 do not join; the rest of these belong to mains without a date of laying. */
    assert_true(done.n_not_joined + done.n_no_id >= 427 && done.n_not_joined + done.n_no_id < 470);
    struct buf b;
    buf_init(&b, (size_t)256 << 20);
    assert_int_equal(risk_prepared_csv(&p, mains, &done, &b, &err), ERR_OK);
    const struct table *t = NULL;
    assert_int_equal(table_parse(a, "kitchener", buf_text(&b), b.n, 0, 1000000, &t, &err), ERR_OK);
    buf_deinit(&b);
    struct risk_spec s;
    struct risk_result *r = ARENA_NEW(a, struct risk_result, 1);
    risk_spec_init(&s);
    s.model = "logistic";
    s.response = "count";
    s.terms = "log(length) diameter material age square(age) log1p(earlier) last_year";
    s.cluster = "id";
    s.length = "length";
    s.age = "age";
    s.last = "last_year";
    s.split = "year";
    s.train_to = "2015";
    s.join_rare = 2000;
    if (risk_study(a, t, &s, NULL, r, &err) != ERR_OK) fail_msg("%s", err.detail);
    const struct risk_standing *w = r->evaluation.who;
    printf("Kitchener 2016 on: AUC %.3f, age only %.3f, last year %.3f; first 10 %% of rows catch "
           "%.1f %%; %.0f events, %.0f expected\n",
           w[0].scores.auc, w[1].scores.auc, w[2].scores.auc, 100 * w[0].by_count[2].event_share,
           r->evaluation.events, r->evaluation.expected);
    assert_true(w[0].scores.auc > 0.90 && w[0].by_count[2].event_share > 0.70);
    assert_true(w[1].model_is_better && w[2].model_is_better);
    arena_free(a);
}

static void sewers(void **state) {
    (void)state;
    struct arena *a = arena_new((size_t)4 << 30);
    const struct table *t = load(a, DATA "sewer-cctv/sewer_cctv_inspections.csv.gz");
    struct risk_spec s;
    struct risk_result *r = ARENA_NEW(a, struct risk_result, 1);
    struct err err = {0};
    risk_spec_init(&s);
    s.model = "logistic";
    s.response = "target";
    s.terms = "material pipe_age log(pipe_length) pipe_height depth_avg slope connection_surface "
              "log1p(upstream_length) num_upstream_pipes type_pipe Tiefe LKnFK GW Coord_X Coord_Y "
              "land_residential land_industrial ver_hoch ver_sehr_hoch boden_Lehm/Schluff "
              "boden_Sand";
    s.age = "pipe_age";
    s.cluster = "pipe_id";
    s.folds = UNDER_SANITIZER ? 3 : 10;
    s.join_rare = 30;
    if (risk_study(a, t, &s, NULL, r, &err) != ERR_OK) fail_msg("%s", err.detail);
    double auc = r->evaluation.who[0].scores.auc;
    printf("sewers: cross-validated AUC %.3f (published 0.856), age only %.3f\n", auc,
           r->evaluation.who[1].scores.auc);
    assert_true(auc > 0.84 && auc < 0.87);
    assert_true(r->evaluation.who[1].model_is_better);
    arena_free(a);
}

static void bloomington(void **state) {
    (void)state;
    struct arena *a = arena_new((size_t)1 << 30);
    static const char yaml[] =
        "columns: {section: Section ID, area: True Area (Ft2), distress: Distress Description, "
        "severity: Severity, quantity: Quantity, pci: PCI}\n"
        "fit: {knots: [0.1, 1, 3, 10, 30, 100], ridge: 30, hold_out: 0.25}\n";
    const struct table *t = load(a, DATA "pavement-bloomington/pavement_distress_2018.csv.gz");
    struct risk_pavement_spec *s = ARENA_NEW(a, struct risk_pavement_spec, 1);
    struct risk_pavement r;
    struct err err = {0};
    assert_int_equal(risk_pavement_parse(a, "b.yaml", yaml, sizeof yaml - 1, s, &err), ERR_OK);
    if (risk_pavement_study(a, t, s, &r, &err) != ERR_OK) fail_msg("%s", err.detail);
    printf("Bloomington: %zu sections, held out %zu: rmse %.2f, mean error %.2f, within 10 points "
           "%.1f %%; by the mean rmse %.2f\n",
           r.n_sections, r.test.n, r.test.rmse, r.test.mae, 100 * r.test.within_10,
           r.test_mean.rmse);
    assert_int_equal(r.n_sections, 2844);
    assert_true(r.fit.converged && r.test.rmse < 6.5 && r.test.within_10 > 0.9);
    assert_true(r.test_mean.rmse > 3 * r.test.rmse);
    arena_free(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(kitchener), cmocka_unit_test(sewers),
                                       cmocka_unit_test(bloomington)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
