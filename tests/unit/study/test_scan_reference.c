/* Every shared reference of the scan statistic, from the files through the readers and the scan:
 * six cases of SaTScan 10.3.2 (their settings made into a parameter file), its three samples by
 * their own parameter files, and the Pennsylvania lung cancer data of SpatialEpi. */
#include "../num/digits.h"

#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/json.h"
#include "base/pool.h"
#include "base/sanitizer.h"
#include "study/scan/prm.h"
#include "study/scan/study.h"
#include "study/table/table.h"

#define REFERENCE SOURCE_DIR "/../shared/data/reference/scan"
#define SAMPLES SOURCE_DIR "/../shared/data/03-reference/scan-satscan-samples"
#define PENN SOURCE_DIR "/../shared/data/03-reference/scan-pennlc"

static void need(const char *path) {
    if (access(path, R_OK) == 0) return;
    printf("skipped: there is no %s\n", path);
    skip();
}

static const struct val *load_json(struct arena *a, const char *path) {
    struct buf b;
    const struct val *v = NULL;
    struct err err = {0};
    buf_init(&b, 16 << 20);
    if (file_read(path, &b, &err) != ERR_OK || json_parse(a, b.p, b.n, &v, &err) != ERR_OK)
        fail_msg("%s", err.detail);
    buf_deinit(&b);
    return v;
}

static double number_of(const struct val *v) {
    if (v == NULL) return NAN;
    if (v->type == VAL_INT) return (double)v->u.i;
    return v->type == VAL_DOUBLE ? v->u.d : NAN;
}

/* ---- running ---- */

struct outcome {
    struct arena *a;
    struct scan_study study;
    struct scan_result result;
};

static void run_settings(struct outcome *o, const struct scan_settings *s) {
    struct err err = {0};
    struct pool *pool = NULL;
    if (scan_study_load(o->a, s, &o->study, &err) != ERR_OK) fail_msg("%s", err.detail);
    assert_int_equal(pool_new(2, &pool, &err), ERR_OK);
    struct num_run run = {.parallel = pool_run, .pool = pool, .n_threads = 2};
    if (scan_study_run(&o->study, &run, o->a, &o->result, &err) != ERR_OK)
        fail_msg("%s", err.detail);
    pool_free(pool);
}

/* The settings of a case of expected.json as a parameter file. */
static void settings_of_case(struct arena *a, const struct val *c, long replicas,
                             struct scan_settings *s) {
    const struct val *settings = val_get(c, "settings");
    size_t n_rows;
    const struct prm_row *rows = prm_rows(&n_rows);
    struct prm_read read;
    struct err err = {0};
    struct buf b;
    buf_init(&b, 1 << 16);
    assert_non_null(settings);
    for (size_t i = 0; i < settings->n; i++) {
        const char *key = settings->u.map[i].key;
        const struct val *v = &settings->u.map[i].v;
        const char *section = NULL;
        for (size_t k = 0; k < n_rows; k++)
            if (strcmp(rows[k].key, key) == 0) section = rows[k].section;
        if (section == NULL) fail_msg("no row for %s", key);
        buf_printf(&b, "[%s]\n%s=", section == NULL ? "" : section, key);
        if (strcmp(key, "MonteCarloReps") == 0)
            buf_printf(&b, "%ld\n", replicas);
        else if (v->type == VAL_STR)
            buf_printf(&b, "%s\n", v->u.s);
        else
            buf_printf(&b, "%.10g\n", number_of(v));
    }
    if (prm_parse(a, "case.prm", b.p, b.n, REFERENCE, false, s, &read, &err) != ERR_OK)
        fail_msg("%s", err.detail);
    buf_deinit(&b);
}

/* ---- comparing ---- */

static size_t n_locations(const struct outcome *o, const struct scan_cluster *c) {
    size_t n = 0;
    for (size_t i = 0; i < c->n_places; i++)
        n += o->study.first_id[c->places[i] + 1] - o->study.first_id[c->places[i]];
    return n;
}

static bool same_ids(const struct outcome *o, const struct scan_cluster *c, const struct val *ids) {
    if (o->study.options.analysis == SCAN_TEMPORAL) return strcmp(ids->u.list[0].u.s, "All") == 0;
    if (n_locations(o, c) != ids->n) return false;
    size_t at = 0;
    for (size_t i = 0; i < c->n_places; i++)
        for (size_t k = o->study.first_id[c->places[i]]; k < o->study.first_id[c->places[i] + 1];
             k++)
            if (strcmp(o->study.id[k], ids->u.list[at++].u.s) != 0) return false;
    return true;
}

/* The cluster with these ids in this order; among exact ties of the statistic any rank will do. */
static const struct scan_cluster *find(const struct outcome *o, const struct val *expected,
                                       size_t rank) {
    double llr = number_of(val_get(expected, "llr"));
    if (isnan(llr)) llr = number_of(val_get(expected, "test_statistic"));
    for (size_t i = 0; i < o->result.n_clusters; i++) {
        const struct scan_cluster *c = &o->result.clusters[i];
        if (!same_ids(o, c, val_get(expected, "ids"))) continue;
        if (i != rank && fabs(o->result.clusters[rank].llr - llr) > 1e-6)
            fail_msg("cluster %zu stands at rank %zu", rank + 1, i + 1);
        return c;
    }
    fail_msg("cluster %zu is not found", rank + 1);
    return NULL;
}

static void check_when(const struct outcome *o, const struct scan_cluster *c,
                       const struct val *frame) {
    int64_t first, last;
    char from[24], to[24], text[64];
    int y1, m1 = 1, d1 = 1, y2, m2 = 12, d2 = 31;
    if (frame == NULL) return;
    scan_study_days(&o->study, c, &first, &last);
    time_format(first, false, from);
    time_format(last, false, to);
    const char *s = frame->u.s;
    char *end = NULL;
    y1 = (int)strtol(s, &end, 10);
    if (*end == '/') m1 = (int)strtol(end + 1, &end, 10), d1 = (int)strtol(end + 1, &end, 10);
    end += strlen(" to ");
    y2 = (int)strtol(end, &end, 10);
    if (*end == '/') m2 = (int)strtol(end + 1, &end, 10), d2 = (int)strtol(end + 1, &end, 10);
    (void)snprintf(text, sizeof text, "%04d-%02d-%02d %04d-%02d-%02d", y1, m1, d1, y2, m2, d2);
    char found[64];
    (void)snprintf(found, sizeof found, "%s %s", from, to);
    assert_string_equal(found, text);
}

static double centre_radius(const struct val *v) {
    const char *slash = v == NULL ? NULL : strstr(v->u.s, "/ ");
    return slash == NULL ? NAN : strtod(slash + 2, NULL);
}

static void check_p(const char *name, size_t rank, double p, double ref, double replicas) {
    double room = 4 * sqrt(ref * (1 - ref) * (1 / replicas + 1 / 9999.0));
    printf("digits %s.%zu p %.4f, SaTScan's %.4f, room %.4f\n", name, rank + 1, p, ref, room);
    if (!(fabs(p - ref) <= room)) fail_msg("p %g, expected %g within %g", p, ref, room);
}

static void check_cluster(const char *name, const struct outcome *o, const struct val *e,
                          size_t rank, double replicas) {
    const struct scan_cluster *c = find(o, e, rank);
    char what[96];
    double llr = number_of(val_get(e, "llr")), stat = number_of(val_get(e, "test_statistic"));
    double rr = number_of(val_get(e, "rr")), pop = number_of(val_get(e, "population"));
    double radius = centre_radius(val_get(e, "center_radius"));
    (void)snprintf(what, sizeof what, "%s.%zu llr", name, rank + 1);
    check_digits(what, c->llr, isnan(llr) ? stat : llr, 0, 1e-6);
    assert_int_equal(c->observed, (int64_t)number_of(val_get(e, "observed")));
    assert_true(fabs(c->expected - number_of(val_get(e, "expected"))) <= 0.005 + 1e-9);
    if (!isnan(rr)) assert_true(fabs(c->relative_risk - rr) <= 0.005 + 1e-9);
    if (isnan(llr)) assert_true(isnan(c->relative_risk)); /* pitfall 6: none for permutation */
    if (!isnan(pop) && o->study.population != NULL && o->study.options.analysis != SCAN_TEMPORAL)
        assert_true(fabs(scan_study_population(&o->study, c) - pop) <= 0.5 + 1e-6);
    if (!isnan(radius)) assert_true(fabs(c->radius - radius) <= 0.005 + 1e-9);
    check_when(o, c, o->study.options.analysis == SCAN_SPATIAL ? NULL : val_get(e, "time_frame"));
    check_p(name, rank, c->p_value, number_of(val_get(e, "p_9999")), replicas);
    /* Gumbel: an approximation, fitted to few maxima. */
    double gumbel = number_of(val_get(e, "p_gumbel_9999"));
    printf("digits %s.%zu gumbel %.4f, SaTScan's %.4f\n", name, rank + 1, c->p_gumbel, gumbel);
    if (!isnan(gumbel)) assert_true(fabs(c->p_gumbel - gumbel) <= 0.005 + 0.25 * gumbel);
    double interval = number_of(val_get(e, "ri_9999"));
    if (!isnan(interval)) assert_true(fabs(c->recurrence_days - 1 / c->p_value) < 1e-9);
}

/* The reference ran 9,999; the bound on p goes by what is run here. */
enum { MANY = UNDER_SANITIZER ? 1999 : 9999 };

static void check_case(const char *name, long replicas) {
    need(REFERENCE "/expected.json");
    struct outcome o = {.a = arena_new((size_t)1 << 30)};
    const struct val *all = load_json(o.a, REFERENCE "/expected.json");
    const struct val *c = val_get(all, name);
    struct scan_settings s;
    assert_non_null(c);
    settings_of_case(o.a, c, replicas, &s);
    run_settings(&o, &s);
    const struct val *clusters = val_get(c, "clusters");
    assert_int_equal(o.result.total_cases, (int64_t)number_of(val_get(c, "Total number of cases")));
    double places = number_of(val_get(c, "Number of locations"));
    if (!isnan(places)) assert_int_equal(o.study.n_ids, (size_t)places);
    for (size_t i = 0; i < clusters->n; i++)
        check_cluster(name, &o, &clusters->u.list[i], i, (double)replicas);
    assert_string_equal(o.study.unverified, "");
    arena_free(o.a);
}

static void nm_spatial(void **state) {
    (void)state;
    check_case("nm_spatial_poisson_high", 999);
    check_case("nm_spatial_poisson_high", MANY);
}
static void nm_spatial_nocov(void **state) {
    (void)state;
    check_case("nm_spatial_poisson_nocov_high", 999);
    check_case("nm_spatial_poisson_nocov_high", MANY);
}
static void nm_space_time(void **state) {
    (void)state;
    check_case("nm_spacetime_poisson_high", 999);
}
static void nm_temporal(void **state) {
    (void)state;
    check_case("nm_temporal_poisson_high", 999);
    check_case("nm_temporal_poisson_high", MANY);
}
static void nyc(void **state) {
    (void)state;
    check_case("nyc_stp_prospective_3km_7d", 999);
    check_case("nyc_stp_prospective_3km_7d", MANY);
}
static void humberside(void **state) {
    (void)state;
    check_case("nh_spatial_bernoulli_high", 999);
    check_case("nh_spatial_bernoulli_high", MANY);
}

/* ---- the samples by their own parameter files ---- */

static void check_sample(const char *prm, const char *name) {
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", SAMPLES, prm);
    need(path);
    need(REFERENCE "/expected.json");
    struct outcome o = {.a = arena_new((size_t)1 << 30)};
    struct scan_settings s;
    struct prm_read read;
    struct err err = {0};
    if (prm_load(o.a, path, false, &s, &read, &err) != ERR_OK) fail_msg("%s", err.detail);
    assert_true(read.default_p_value); /* pitfall 1: here all replicas are run */
    assert_int_equal(s.options.p_mode, SCAN_P_STANDARD);
    run_settings(&o, &s);
    assert_int_equal(o.result.replicas_run, 999);
    const struct val *c = val_get(load_json(o.a, REFERENCE "/expected.json"), name);
    const struct val *clusters = val_get(c, "clusters");
    for (size_t i = 0; i < clusters->n; i++) check_cluster(prm, &o, &clusters->u.list[i], i, 999);
    arena_free(o.a);
}

static void samples(void **state) {
    (void)state;
    check_sample("NewMexicoSpaceTimePoisson.prm", "nm_spacetime_poisson_high");
    check_sample("NYCSpaceTimePermutation.prm", "nyc_stp_prospective_3km_7d");
    check_sample("NHumbersideSpatialBernoulli.prm", "nh_spatial_bernoulli_high");
}

/* ---- Pennsylvania lung cancer ---- */

static void penn_settings(struct scan_settings *s) {
    scan_settings_init(s);
    s->cases = PENN "/pennLC_cases.csv";
    s->geo[0] = PENN "/pennLC_grid_expected.csv";
    s->n_geo = 1;
    s->columns = "id=county,x=x_km,y=y_km";
    s->places = PLACES_PLANE;
}

static void check_counties(const struct outcome *o, size_t rank, const char *const *ids, size_t n,
                           int64_t observed, double expected, double llr, const char *name) {
    char what[64];
    assert_true(rank < o->result.n_clusters);
    const struct scan_cluster *c = &o->result.clusters[rank];
    assert_int_equal(n_locations(o, c), n);
    for (size_t i = 0; i < n; i++)
        assert_string_equal(o->study.id[o->study.first_id[c->places[i]]], ids[i]);
    assert_int_equal(c->observed, observed);
    (void)snprintf(what, sizeof what, "%s.%zu expected", name, rank + 1);
    check_digits(what, c->expected, expected, 1e-9, 0);
    (void)snprintf(what, sizeof what, "%s.%zu llr", name, rank + 1);
    check_digits(what, c->llr, llr, 0, 1e-6);
}

static const char *const west[] = {"washington", "greene",       "allegheny", "beaver",
                                   "fayette",    "westmoreland", "butler"};
static const char *const east[] = {"delaware", "philadelphia"};

static void penn_poisson(void **state) {
    (void)state;
    need(PENN "/pennLC_cases.csv");
    struct outcome o = {.a = arena_new((size_t)1 << 30)};
    struct scan_settings s;
    penn_settings(&s);
    s.population = PENN "/pennLC_cases.csv";
    s.covariates = "race,gender,age";
    run_settings(&o, &s);
    /* Indirect standardisation: the expected counts of the other tool, county by county. */
    const struct table *t;
    size_t col;
    assert_int_equal(table_load(o.a, PENN "/pennLC_grid_expected.csv", 0, 1000, &t, NULL), ERR_OK);
    assert_int_equal(table_column(t, "expected_stratified", true, &col, NULL), ERR_OK);
    assert_int_equal(t->n_row, o.study.data.n_places);
    double *expected = ARENA_NEW(o.a, double, t->n_row);
    for (size_t i = 0; i < t->n_row; i++)
        assert_int_equal(table_number(t, i, col, false, &expected[i], NULL), ERR_OK);
    check_all("pennLC expected", o.study.data.expected, expected, t->n_row, 1e-12, 0);
    check_counties(&o, 0, east, 2, 1900, 1673.64866679, 17.6628831254, "pennLC_poisson");
    check_counties(&o, 1, west, 7, 2359, 2200.9610664, 7.09894423265, "pennLC_poisson");
    assert_true(o.result.clusters[0].p_value == 0.001);
    check_p("pennLC_poisson", 1, o.result.clusters[1].p_value, 0.036, 499.5);
    arena_free(o.a);
}

/* Bernoulli: the people who are not cases are the controls. */
static void penn_bernoulli(void **state) {
    (void)state;
    need(PENN "/pennLC_cases.csv");
    struct outcome o = {.a = arena_new((size_t)1 << 30)};
    struct scan_settings s;
    const struct table *t;
    size_t county, cases, population;
    char path[] = "/tmp/test_scan_controls_XXXXXX.csv";
    int fd = mkstemps(path, 4);
    FILE *f = fdopen(fd, "w");
    assert_non_null(f);
    assert_int_equal(table_load(o.a, PENN "/pennLC_cases.csv", 0, 10000, &t, NULL), ERR_OK);
    assert_int_equal(table_column(t, "county", true, &county, NULL), ERR_OK);
    assert_int_equal(table_column(t, "cases", true, &cases, NULL), ERR_OK);
    assert_int_equal(table_column(t, "population", true, &population, NULL), ERR_OK);
    (void)fprintf(f, "county,controls\n");
    for (size_t i = 0; i < t->n_row; i++) {
        int64_t n, c;
        assert_int_equal(table_int(t, i, population, 0, INT32_MAX, &n, NULL), ERR_OK);
        assert_int_equal(table_int(t, i, cases, 0, INT32_MAX, &c, NULL), ERR_OK);
        (void)fprintf(f, "%s,%lld\n", table_text(t, i, county), (long long)(n - c));
    }
    assert_int_equal(fclose(f), 0);
    penn_settings(&s);
    s.model = SCAN_BERNOULLI;
    s.controls = path;
    run_settings(&o, &s);
    (void)unlink(path);
    check_counties(&o, 0, west, 7, 2359, 2008.22286043, 36.5705106083, "pennLC_bernoulli");
    check_counties(&o, 1, east, 2, 1900, 1731.22172625, 9.65777862569, "pennLC_bernoulli");
    assert_true(o.result.clusters[0].p_value == 0.001);
    check_p("pennLC_bernoulli", 1, o.result.clusters[1].p_value, 0.005, 499.5);
    arena_free(o.a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nm_spatial),
        cmocka_unit_test(nm_spatial_nocov),
        cmocka_unit_test(nm_space_time),
        cmocka_unit_test(nm_temporal),
        cmocka_unit_test(nyc),
        cmocka_unit_test(humberside),
        cmocka_unit_test(samples),
        cmocka_unit_test(penn_poisson),
        cmocka_unit_test(penn_bernoulli),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
