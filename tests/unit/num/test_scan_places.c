/* Purely spatial reference cases: SaTScan 10.3.2 (expected.json) and SpatialEpi's pennLC. Places
 * are numbered in the order of their names as text, as SaTScan does: it settles exact ties. */
#include "digits.h"

#include "base/civil.h"
#include "base/pool.h"
#include "num/scan/expected.h"
#include "num/scan/scan.h"

#define SHARED SOURCE_DIR "/../shared/data/"
enum { MOST = 256, FIELDS = 8, REPLICAS = 9999 };

struct row {
    char field[FIELDS][32];
    int n;
};

/* Rows of words; separated by spaces, tabs or commas, quotes left out. */
static struct row *read_rows(const char *path, size_t *n) {
    FILE *f = fopen(path, "r");
    if (f == NULL) {
        printf("skipped: there is no %s\n", path);
        skip();
        return NULL;
    }
    struct row *rows = calloc(4000, sizeof *rows);
    assert_non_null(rows);
    char line[512];
    for (*n = 0; fgets(line, sizeof line, f) != NULL; (*n)++) {
        assert_true(*n < 4000);
        struct row *r = &rows[*n];
        size_t at = 0;
        for (const char *c = line; *c != '\0' && r->n < FIELDS; c++) {
            if (*c == '"' || *c == '\r') continue;
            bool word = *c != ' ' && *c != '\t' && *c != ',' && *c != '\n';
            if (word && at + 1 < sizeof r->field[0]) r->field[r->n][at++] = *c;
            if (word || at == 0) continue;
            r->n++;
            at = 0;
        }
    }
    (void)fclose(f);
    return rows;
}
static double number(const struct row *r, int field) { return strtod(r->field[field], NULL); }

struct study {
    struct scan_data data;
    char name[MOST][32];
    double x[MOST], y[MOST], expected[MOST];
    struct scan_count cases[MOST], controls[MOST];
};

static int compare_names(const void *a, const void *b) {
    return strcmp(((const struct row *)a)->field[0], ((const struct row *)b)->field[0]);
}

static void read_places(struct study *s, const char *path, int x, int y, size_t skipped) {
    size_t n;
    struct row *rows = read_rows(path, &n);
    qsort(rows + skipped, n - skipped, sizeof *rows, compare_names);
    *s = (struct study){.data = {.n_slots = 1}};
    for (size_t i = skipped; i < n; i++) {
        size_t p = s->data.n_places++;
        memcpy(s->name[p], rows[i].field[0], sizeof s->name[p]);
        s->x[p] = number(&rows[i], x);
        s->y[p] = number(&rows[i], y);
        s->cases[p].place = s->controls[p].place = (uint32_t)p;
    }
    s->data.points = (struct scan_points){s->data.n_places, s->x, s->y};
    s->data.cases = s->cases;
    s->data.n_cases = s->data.n_places;
    free(rows);
}

static size_t place_of(const struct study *s, const char *name) {
    for (size_t p = 0; p < s->data.n_places; p++)
        if (strcmp(s->name[p], name) == 0) return p;
    fail_msg("no place %s", name);
    return 0;
}

static void read_counts(struct study *s, const char *path, struct scan_count *counts) {
    size_t n;
    struct row *rows = read_rows(path, &n);
    for (size_t i = 0; i < n; i++)
        counts[place_of(s, rows[i].field[0])].n += (uint32_t)number(&rows[i], 1);
    free(rows);
}

/* A cluster as the reference prints it. */
struct told {
    const char *ids[8];
    double observed, expected, rr, llr, p, gumbel, radius;
};

static void check_p(const char *what, double found, double expected) {
    double sd = sqrt(expected * (1 - expected) * (1.0 / REPLICAS + 1.0 / 9999));
    printf("p %s found %.4f expected %.4f (%.1f sd)\n", what, found, expected,
           fabs(found - expected) / sd);
    assert_true(fabs(found - expected) <= 4 * sd);
}

static void check_cluster(const char *what, const struct study *s, const struct scan_cluster *c,
                          const struct told *t) {
    char label[128];
    size_t n = 0;
    while (n < 8 && t->ids[n] != NULL) n++;
    assert_int_equal(c->n_places, n);
    for (size_t i = 0; i < n; i++) assert_string_equal(s->name[c->places[i]], t->ids[i]);
    assert_int_equal(c->observed, (int64_t)t->observed);
    (void)snprintf(label, sizeof label, "%s %s llr", what, t->ids[0]);
    check_digits(label, c->llr, t->llr, 0, 0.6e-6); /* printed to six decimals */
    (void)snprintf(label, sizeof label, "%s %s expected", what, t->ids[0]);
    check_digits(label, c->expected, t->expected, 0, 0.006);
    (void)snprintf(label, sizeof label, "%s %s relative risk", what, t->ids[0]);
    check_digits(label, c->relative_risk, t->rr, 0, 0.006);
    (void)snprintf(label, sizeof label, "%s %s radius", what, t->ids[0]);
    check_digits(label, c->radius, t->radius, 0, 0.006);
    check_p(what, c->p_value, t->p);
    (void)snprintf(label, sizeof label, "%s %s gumbel p", what, t->ids[0]);
    check_digits(label, c->p_gumbel, t->gumbel, 0.15, 0);
}

static void run_case(const char *what, const struct study *s, enum scan_rates rates,
                     const struct told *told, size_t n_told) {
    struct arena *a = test_arena();
    struct scan_options options = {.rates = rates, .replicas = REPLICAS, .seed = 12345};
    struct scan_result result;
    struct err err = {0};
    if (scan_run(&s->data, &options, NULL, a, &result, &err) != ERR_OK) fail_msg("%s", err.detail);
    assert_int_equal(result.replicas_run, REPLICAS);
    assert_true(result.n_clusters >= n_told);
    for (size_t i = 0; i < n_told; i++) check_cluster(what, s, &result.clusters[i], &told[i]);
    arena_free(a);
}

/* Census years stand for the first of July; covariates are age and sex. */
static void standardise(struct study *s, const char *cas, const char *pop, bool covariates) {
    size_t n_pop, n_cas, n_cells = 0;
    struct row *p = read_rows(pop, &n_pop), *c = read_rows(cas, &n_cas);
    struct arena *a = test_arena();
    enum { AGES = 40, TIMES = 3 };
    size_t n_places = s->data.n_places;
    uint32_t *place = ARENA_NEW(a, uint32_t, n_pop), *category = ARENA_NEW(a, uint32_t, n_pop);
    double *population = ARENA_NEW(a, double, n_pop *TIMES), cases[2 * AGES] = {0};
    assert_true(place != NULL && category != NULL && population != NULL);
    const int years[TIMES] = {73, 82, 91};
    for (size_t i = 0; i < n_pop; i++) {
        uint32_t at = (uint32_t)place_of(s, p[i].field[0]);
        uint32_t k = covariates ? (uint32_t)(2 * number(&p[i], 3) + number(&p[i], 4) - 1) : 0;
        size_t cell = 0;
        while (cell < n_cells && (place[cell] != at || category[cell] != k)) cell++;
        if (cell == n_cells) n_cells++;
        place[cell] = at;
        category[cell] = k;
        for (size_t t = 0; t < TIMES; t++)
            if ((int)number(&p[i], 1) == years[t]) population[cell * TIMES + t] += number(&p[i], 2);
    }
    for (size_t i = 0; i < n_cas; i++) {
        uint32_t k = covariates ? (uint32_t)(2 * number(&c[i], 3) + number(&c[i], 4) - 1) : 0;
        assert_true(k < 2 * AGES);
        cases[k] += number(&c[i], 1);
        s->cases[place_of(s, c[i].field[0])].n += (uint32_t)number(&c[i], 1);
    }
    double times[TIMES],
        border[2] = {(double)civil_days(1973, 1, 1), (double)civil_days(1992, 1, 1)};
    for (size_t t = 0; t < TIMES; t++) times[t] = (double)civil_days(1900 + years[t], 7, 1);
    struct scan_strata strata = {.n_places = n_places,
                                 .n_categories = 2 * AGES,
                                 .n_cells = n_cells,
                                 .place = place,
                                 .category = category,
                                 .n_times = TIMES,
                                 .time = times,
                                 .population = population,
                                 .cases = cases,
                                 .n_slots = 1,
                                 .slot_border = border};
    struct err err = {0};
    if (scan_expected(&strata, a, s->expected, NULL, NULL, &err) != ERR_OK)
        fail_msg("%s", err.detail);
    s->data.expected = s->expected;
    arena_free(a);
    free(p);
    free(c);
}

static void new_mexico_with_age_and_sex(void **state) {
    (void)state;
    struct study s;
    read_places(&s, SHARED "reference/scan/nm.geo", 2, 1, 0);
    s.data.metric = SCAN_SPHERE;
    standardise(&s, SHARED "reference/scan/nm.cas", SHARED "reference/scan/nm.pop", true);
    const struct told told[] = {
        {{"Torrance", "Bernalillo", "Valencia", "SantaFe", "Guadelupe", "Socorro"},
         576,
         512.66,
         1.24,
         6.890841,
         0.0138,
         0.013,
         113.54},
        {{"Chaves"}, 64, 52.26, 1.24, 1.290459, 0.9555, 0.94, 0},
        {{"RioArriba", "LosAlamos"}, 49, 41.30, 1.19, 0.703703, 0.9979, 0.99, 75.18}};
    run_case("nm_spatial", &s, SCAN_HIGH, told, 3);
}

static void new_mexico_without_covariates(void **state) {
    (void)state;
    struct study s;
    read_places(&s, SHARED "reference/scan/nm.geo", 2, 1, 0);
    s.data.metric = SCAN_SPHERE;
    standardise(&s, SHARED "reference/scan/nm_nocov.cas", SHARED "reference/scan/nm_nocov.pop",
                false);
    const struct told told[] = {
        {{"Torrance", "Bernalillo", "Valencia", "SantaFe", "Guadelupe", "Socorro"},
         576,
         517.74,
         1.22,
         5.824431,
         0.0381,
         0.035,
         113.54},
        {{"Sierra"}, 17, 7.86, 2.18, 4.009136, 0.1824, 0.18, 0},
        {{"Chaves"}, 64, 46.11, 1.41, 3.234271, 0.3469, 0.35, 0},
        {{"RioArriba", "LosAlamos"}, 49, 41.65, 1.18, 0.637371, 0.9992, 0.99, 75.18}};
    run_case("nm_nocov", &s, SCAN_HIGH, told, 4);
}

static void north_humberside_bernoulli(void **state) {
    (void)state;
    struct study s;
    read_places(&s, SHARED "reference/scan/NHumberside.geo", 1, 2, 0);
    s.data.model = SCAN_BERNOULLI;
    s.data.controls = s.controls;
    s.data.n_controls = s.data.n_places;
    read_counts(&s, SHARED "reference/scan/NHumberside.cas", s.cases);
    read_counts(&s, SHARED "reference/scan/NHumberside.ctl", s.controls);
    const struct told told[] = {
        {{"170", "173", "172", "169"}, 4, 1.22, 3.43, 4.836516, 0.6788, 0.56, 5.83},
        {{"18", "19", "14", "26"}, 4, 1.22, 3.43, 4.836516, 0.6788, 0.56, 4.12},
        {{"130", "134", "135", "118", "115", "124"}, 5, 1.83, 2.88, 3.712697, 0.8578, 0.90, 7.62},
        {{"152", "158", "153", "154", "148", "155"}, 5, 1.83, 2.88, 3.712697, 0.8578, 0.90, 12.04},
        {{"3", "4", "5"}, 3, 0.92, 3.39, 3.609718, 0.9754, 0.92, 76.84},
        {{"85", "86", "82"}, 3, 0.92, 3.39, 3.609718, 0.9754, 0.92, 5.00}};
    run_case("nh_bernoulli", &s, SCAN_HIGH, told, 6);
}

/* pennLC: rows of the expectation file, numbered from 1 as the result names them. */
static void read_penn(struct study *s, double *population) {
    size_t n;
    struct row *rows = read_rows(SHARED "03-reference/scan-pennlc/pennLC_grid_expected.csv", &n);
    *s = (struct study){.data = {.n_slots = 1, .n_places = n - 1}};
    for (size_t i = 1; i < n; i++) {
        size_t p = i - 1;
        (void)snprintf(s->name[p], sizeof s->name[p], "%zu", i);
        s->x[p] = number(&rows[i], 1);
        s->y[p] = number(&rows[i], 2);
        population[p] = number(&rows[i], 3);
        s->cases[p] = (struct scan_count){.place = (uint32_t)p, .n = (uint32_t)number(&rows[i], 4)};
        s->expected[p] = number(&rows[i], 5);
    }
    free(rows);
    s->data.points = (struct scan_points){s->data.n_places, s->x, s->y};
    s->data.cases = s->cases;
    s->data.n_cases = s->data.n_places;
    s->data.expected = s->expected;
    s->data.size = population;
}

static void check_penn(const char *what, const struct study *s, const char *const *ids, double llr,
                       double observed, double expected) {
    struct arena *a = test_arena();
    struct scan_options options = {.rates = SCAN_HIGH, .replicas = 999, .seed = 1};
    struct scan_result result;
    struct err err = {0};
    if (scan_run(&s->data, &options, NULL, a, &result, &err) != ERR_OK) fail_msg("%s", err.detail);
    const struct scan_cluster *c = &result.clusters[0];
    for (size_t i = 0; ids[i] != NULL || i < c->n_places; i++)
        assert_string_equal(s->name[c->places[i]], ids[i]);
    char label[64];
    (void)snprintf(label, sizeof label, "%s llr", what);
    check_digits(label, c->llr, llr, 1e-9, 0);
    (void)snprintf(label, sizeof label, "%s expected", what);
    check_digits(label, c->expected, expected, 1e-9, 0);
    assert_int_equal(c->observed, (int64_t)observed);
    assert_true(c->p_value == 0.001); /* none of 999 reaches it */
    arena_free(a);
}

static void pennsylvania_poisson(void **state) {
    (void)state;
    struct study s;
    double population[MOST];
    read_penn(&s, population);
    const char *const ids[] = {"23", "51", NULL};
    check_penn("pennlc_poisson", &s, ids, 17.6628831254, 1900, 1673.64866679);
}

static void pennsylvania_binomial(void **state) {
    (void)state;
    struct study s;
    double population[MOST];
    read_penn(&s, population);
    s.data.model = SCAN_BERNOULLI;
    s.data.expected = NULL;
    for (size_t p = 0; p < s.data.n_places; p++)
        s.controls[p] =
            (struct scan_count){.place = (uint32_t)p, .n = (uint32_t)population[p] - s.cases[p].n};
    s.data.controls = s.controls;
    s.data.n_controls = s.data.n_places;
    const char *const ids[] = {"63", "30", "2", "4", "26", "65", "10", NULL};
    check_penn("pennlc_binomial", &s, ids, 36.5705106083, 2359, 2008.22286043);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_mexico_with_age_and_sex),
        cmocka_unit_test(new_mexico_without_covariates),
        cmocka_unit_test(north_humberside_bernoulli),
        cmocka_unit_test(pennsylvania_poisson),
        cmocka_unit_test(pennsylvania_binomial),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
