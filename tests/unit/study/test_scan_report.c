/* Telling a result: the schema of the JSON, GeoJSON that a map can draw, a row a location, both
 * languages; and what must not change it: the kind of input file, the number of threads, the order
 * of the places, the unit of the coordinates. */
#include "scan_fixture.h"

#include <math.h>

#include "base/json.h"
#include "study/scan/prm.h"

#define SAMPLE SOURCE_DIR "/samples/"

static void sample_csv(struct bench *b) {
    b->s.cases = SAMPLE "scan_cases.csv";
    b->s.population = SAMPLE "scan_population.csv";
    b->s.geo[0] = SAMPLE "scan_places.csv";
    b->s.n_geo = 1;
    b->s.covariates = "age";
    b->s.options.analysis = SCAN_SPACE_TIME;
    b->s.start = "2026-01-01";
    b->s.end = "2026-03-25";
    b->s.options.max_size = 0.25;
    b->s.max_time = 28;
}

static const struct val *parsed(struct bench *b, const char *text) {
    const struct val *v = NULL;
    if (json_parse(b->a, text, strlen(text), &v, &b->err) != ERR_OK) fail_msg("%s", b->err.detail);
    return v;
}

static double number(const struct val *map, const char *key) {
    const struct val *v = val_get(map, key);
    if (v == NULL || v->type == VAL_NULL) return NAN;
    return v->type == VAL_INT ? (double)v->u.i : v->u.d;
}
static const char *text_of(const struct val *map, const char *key) {
    const struct val *v = val_get(map, key);
    return v != NULL && v->type == VAL_STR ? v->u.s : "";
}

static void json_schema(void **state) {
    (void)state;
    struct bench b = bench_open();
    sample_csv(&b);
    bench_run(&b, 2);
    const struct val *v = parsed(&b, bench_json(&b));
    static const char *const top[] = {"model", "analysis",   "total_cases", "replicas",
                                      "seed",  "elapsed_ms", "p_mode",      "clusters"};
    for (size_t i = 0; i < 8; i++) assert_string_equal(v->u.map[i].key, top[i]);
    assert_string_equal(text_of(v, "model"), "poisson");
    assert_string_equal(text_of(v, "analysis"), "space-time");
    assert_string_equal(text_of(v, "p_mode"), "standard");
    assert_int_equal(number(v, "total_cases"), 186);
    assert_true(val_get(v, "verified")->u.b);
    const struct val *clusters = val_get(v, "clusters");
    assert_int_equal(clusters->n, b.result.n_clusters);
    static const char *const keys[] = {"rank",           "center", "radius",   "locations",
                                       "start",          "end",    "observed", "expected",
                                       "relative_risk",  "llr",    "p_value",  "gumbel_p",
                                       "recurrence_days"};
    for (size_t i = 0; i < clusters->n; i++) {
        const struct val *c = &clusters->u.list[i];
        for (size_t k = 0; k < 13; k++) assert_string_equal(c->u.map[k].key, keys[k]);
        assert_int_equal(number(c, "rank"), i + 1);
        assert_true(number(c, "p_value") >= 0.001); /* pitfall 1: never below 1 / (R + 1) */
        assert_true(isnan(number(c, "recurrence_days")));
    }
    /* The planted cluster: four neighbourhoods, from 8 March (70 days in). */
    const struct val *c = &clusters->u.list[0];
    assert_string_equal(text_of(c, "start"), "2026-03-08");
    assert_string_equal(text_of(c, "end"), "2026-03-17");
    assert_int_equal(val_get(c, "locations")->n, 4);
    assert_string_equal(text_of(val_get(c, "center"), "id"), "G20");
    assert_true(number(c, "observed") == 20 && number(c, "p_value") == 0.001);
    /* Pitfall 5: the relative risk is against the rest, not against the expectation. */
    double e = number(c, "expected"), all = 186;
    assert_true(fabs(number(c, "relative_risk") - (20 / e) / ((all - 20) / (all - e))) < 1e-9);
    assert_true(number(v, "critical_05") < number(v, "critical_01"));
    bench_close(&b);
}

/* Lists what has no peer value. */
static void unverified_is_named(void **state) {
    (void)state;
    struct bench b = bench_open();
    sample_csv(&b);
    b.s.options.rates = SCAN_BOTH;
    b.s.options.iterative = true;
    b.s.options.replicas = 19;
    bench_run(&b, 2);
    const struct val *v = parsed(&b, bench_json(&b));
    assert_false(val_get(v, "verified")->u.b);
    const struct val *names = val_get(v, "unverified");
    assert_int_equal(names->n, 2);
    assert_string_equal(names->u.list[0].u.s, "low rates");
    assert_string_equal(names->u.list[1].u.s, "iterative");
    bench_close(&b);
}

static void same_from_either_kind_of_file(void **state) {
    (void)state;
    struct bench b = bench_open(), d = bench_open();
    struct prm_read read;
    sample_csv(&b);
    bench_run(&b, 2);
    if (prm_load(d.a, SAMPLE "scan.prm", false, &d.s, &read, &d.err) != ERR_OK)
        fail_msg("%s", d.err.detail);
    bench_run(&d, 2);
    assert_string_equal(bench_json(&b), bench_json(&d));
    bench_close(&b);
    bench_close(&d);
}

/* SaTScan's import of a CSV: delimiter, header and field map. */
static void same_from_mapped_fields(void **state) {
    (void)state;
    struct bench b = bench_open(), d = bench_open();
    struct prm_read read;
    struct buf text;
    FILE *f = fopen(SAMPLE "scan.prm", "r");
    char line[200];
    buf_init(&text, 1 << 16);
    assert_non_null(f);
    while (fgets(line, sizeof line, f) != NULL)
        if (strncmp(line, "CaseFile", 8) != 0 && strncmp(line, "Pop", 3) != 0 &&
            strncmp(line, "CoordinatesFile", 15) != 0)
            buf_str(&text, line);
    (void)fclose(f);
    buf_str(&text, "[Input]\nCaseFile=" SAMPLE "scan_cases.csv\nCaseFile-SourceType=0\n"
                   "CaseFile-SourceFieldMap=1,3,2,4\nCaseFile-SourceDelimiter=,\n"
                   "CaseFile-SourceGrouper=\"\nCaseFile-SourceFirstRowHeader=y\n"
                   "PopulationFile=" SAMPLE "scan_population.csv\n"
                   "PopulationFile-SourceFieldMap=1, 2,3,4\nPopulationFile-SourceDelimiter=,\n"
                   "PopulationFile-SourceSkip=1\nCoordinatesFile=" SAMPLE "scan_places.csv\n"
                   "CoordinatesFile-SourceDelimiter=,\nCoordinatesFile-SourceFirstRowHeader=1\n");
    if (prm_parse(b.a, "x.prm", text.p, text.n, "", false, &b.s, &read, &b.err) != ERR_OK)
        fail_msg("%s", b.err.detail);
    bench_run(&b, 2);
    sample_csv(&d);
    bench_run(&d, 2);
    assert_string_equal(bench_json(&b), bench_json(&d));
    /* Each row one case, no date: the same as told. */
    b.s.format[FILE_CASES].map = "1,oneCount,2,4";
    bench_load(&b);
    assert_int_equal(b.study.total_cases, 183);
    static const char *const bad[][2] = {
        {"1", "cases is missing: expected a whole number of 0 or more"},
        {"1,shapeX,2,4", "its field map has \"shapeX\": not supported"},
        {"1,0,2,4", "its field map has \"0\": not supported"},
        {"9,3,2,4", "id is missing: expected a text"},
        {"1,4,2,3", "cases: expected a whole number of 0 or more"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        b.s.format[FILE_CASES].map = bad[i][0];
        assert_int_equal(scan_study_load(b.a, &b.s, &b.study, &b.err), ERR_INVALID);
        if (strstr(b.err.detail, bad[i][1]) == NULL) fail_msg("%s: %s", bad[i][0], b.err.detail);
    }
    buf_deinit(&text);
    bench_close(&b);
    bench_close(&d);
}

static void same_on_any_number_of_threads(void **state) {
    (void)state;
    static const enum scan_analysis analyses[] = {SCAN_SPATIAL, SCAN_TEMPORAL, SCAN_SPACE_TIME};
    static const size_t threads[] = {1, 2, 4};
    for (size_t k = 0; k < 3; k++) {
        const char *first = NULL;
        struct bench keep = bench_open();
        for (size_t t = 0; t < 3; t++) {
            struct bench b = bench_open();
            sample_csv(&b);
            b.s.options.analysis = analyses[k];
            b.s.precision = TIME_DAY;
            b.s.precision_given = true;
            b.s.options.replicas = 199;
            b.s.options.seed = 7;
            bench_run(&b, threads[t]);
            const char *json = arena_strdup(keep.a, bench_json(&b));
            if (first == NULL) first = json;
            assert_string_equal(first, json);
            bench_close(&b);
        }
        bench_close(&keep);
    }
}

/* The lines of a file behind its head, last first. */
static const char *reversed(struct bench *b, const char *path, const char *name, double scale) {
    char line[200];
    const char *lines[200];
    size_t n = 0;
    FILE *in = fopen(path, "r");
    struct buf out;
    assert_non_null(in);
    buf_init(&out, 1 << 20);
    assert_non_null(fgets(line, sizeof line, in));
    buf_str(&out, scale == 1 ? line : "id,x,y\n");
    while (n < 200 && fgets(line, sizeof line, in) != NULL) lines[n++] = arena_strdup(b->a, line);
    (void)fclose(in);
    while (n > 0) {
        const char *text = lines[--n];
        if (scale == 1) {
            buf_str(&out, text);
            continue;
        }
        char *end = NULL;
        const char *comma = strchr(text, ',');
        double y = strtod(comma + 1, &end), x = strtod(end + 1, NULL);
        buf_printf(&out, "%.*s,%.17g,%.17g\n", (int)(comma - text), text, x * scale, y * scale);
    }
    const char *path_out = bench_file(b, name, buf_text(&out));
    buf_deinit(&out);
    return path_out;
}

static void order_of_places_does_not_matter(void **state) {
    (void)state;
    struct bench b = bench_open(), d = bench_open();
    sample_csv(&b);
    sample_csv(&d);
    d.s.geo[0] = reversed(&d, SAMPLE "scan_places.csv", "places.csv", 1);
    b.s.options.replicas = d.s.options.replicas = 0;
    bench_run(&b, 1);
    bench_run(&d, 1);
    assert_int_equal(b.result.n_clusters, d.result.n_clusters);
    for (size_t i = 0; i < b.result.n_clusters; i++) {
        const struct scan_cluster *p = &b.result.clusters[i], *q = &d.result.clusters[i];
        assert_int_equal(p->observed, q->observed);
        assert_true(fabs(p->llr - q->llr) < 1e-9 && p->n_places == q->n_places);
    }
    bench_close(&b);
    bench_close(&d);
}

static void unit_of_coordinates_does_not_matter(void **state) {
    (void)state;
    struct bench b = bench_open(), d = bench_open();
    sample_csv(&b);
    sample_csv(&d);
    b.s.geo[0] = reversed(&b, SAMPLE "scan_places.csv", "places.csv", 2);
    d.s.geo[0] = reversed(&d, SAMPLE "scan_places.csv", "places.csv", 4096);
    b.s.options.replicas = d.s.options.replicas = 99;
    bench_run(&b, 1);
    bench_run(&d, 1);
    assert_false(b.study.sphere);
    assert_int_equal(b.result.n_clusters, d.result.n_clusters);
    for (size_t i = 0; i < b.result.n_clusters; i++) {
        const struct scan_cluster *p = &b.result.clusters[i], *q = &d.result.clusters[i];
        assert_true(p->llr == q->llr && p->rank_in == q->rank_in && p->n_places == q->n_places);
        assert_true(fabs(p->radius * 2048 - q->radius) <= 1e-9 * q->radius);
    }
    bench_close(&b);
    bench_close(&d);
}

/* ---- GeoJSON ---- */

static double angle_km(double x1, double y1, double x2, double y2) {
    const double r = acos(-1.0) / 180;
    double s = sin((y2 - y1) * r / 2), t = sin((x2 - x1) * r / 2);
    return 2 * 6367 * asin(sqrt(s * s + cos(y1 * r) * cos(y2 * r) * t * t));
}

static double coordinate(const struct val *pair, size_t i) {
    const struct val *v = &pair->u.list[i];
    return v->type == VAL_INT ? (double)v->u.i : v->u.d;
}

static void check_ring(const struct val *ring, const struct scan_cluster *c, double x, double y) {
    double area = 0;
    assert_true(ring->n > 30);
    for (size_t i = 0; i + 1 < ring->n; i++) {
        const struct val *p = &ring->u.list[i], *q = &ring->u.list[i + 1];
        area += coordinate(p, 0) * coordinate(q, 1) - coordinate(q, 0) * coordinate(p, 1);
        double km = angle_km(x, y, coordinate(p, 0), coordinate(p, 1));
        assert_true(fabs(km - c->radius) < 1e-6 * c->radius);
    }
    assert_true(area > 0); /* anticlockwise */
    const struct val *first = &ring->u.list[0], *last = &ring->u.list[ring->n - 1];
    assert_true(coordinate(first, 0) == coordinate(last, 0));
    assert_true(coordinate(first, 1) == coordinate(last, 1));
}

static void geojson(void **state) {
    (void)state;
    struct bench b = bench_open();
    struct buf out;
    sample_csv(&b);
    b.s.options.replicas = 19;
    bench_run(&b, 1);
    struct scan_told told = {.study = &b.study, .result = &b.result};
    buf_init(&out, 16 << 20);
    assert_int_equal(scan_report_geojson(&out, &told, &b.err), ERR_OK);
    const struct val *v = parsed(&b, buf_text(&out));
    assert_string_equal(text_of(v, "type"), "FeatureCollection");
    const struct val *features = val_get(v, "features");
    size_t locations = 0, clusters = 0, rings = 0;
    for (size_t i = 0; i < features->n; i++) {
        const struct val *f = &features->u.list[i], *g = val_get(f, "geometry");
        const struct val *p = val_get(f, "properties");
        if (strcmp(text_of(p, "kind"), "location") == 0) {
            assert_string_equal(text_of(g, "type"), "Point");
            locations++;
            continue;
        }
        const struct scan_cluster *c = &b.result.clusters[clusters++];
        assert_int_equal(number(p, "rank"), clusters);
        if (c->radius == 0) {
            assert_string_equal(text_of(g, "type"), "MultiPoint");
            continue;
        }
        rings++;
        check_ring(&val_get(g, "coordinates")->u.list[0], c, b.study.x[c->center],
                   b.study.y[c->center]);
    }
    size_t members = 0;
    for (size_t i = 0; i < b.result.n_clusters; i++) members += b.result.clusters[i].n_places;
    assert_int_equal(clusters, b.result.n_clusters);
    assert_int_equal(locations, members);
    assert_true(rings > 0);
    buf_deinit(&out);
    bench_close(&b);
}

/* Every member of an ellipse lies inside the polygon that is drawn for it. */
static void geojson_ellipse(void **state) {
    (void)state;
    struct bench b = bench_open();
    struct buf out;
    sample_csv(&b);
    b.s.geo[0] = bench_file(
        &b, "g.csv", "id,x,y\nA,0,0\nB,2,2.1\nC,4,4.2\nD,6,6.1\nE,6,0\nF,0,6\nG,7,2\nH,2,7\n");
    b.s.population = bench_file(&b, "p.csv",
                                "id,population\nA,9\nB,9\nC,9\nD,9\nE,50\nF,50\nG,50\n"
                                "H,50\n");
    b.s.cases = bench_file(&b, "c.csv", "id,cases\nA,8\nB,9\nC,7\nD,8\nE,1\nF,1\nG,1\nH,2\n");
    b.s.covariates = NULL;
    b.s.options.analysis = SCAN_SPATIAL;
    b.s.options.shape = SCAN_ELLIPSE;
    b.s.options.max_size = 0.5;
    b.s.options.replicas = 19;
    b.s.start = b.s.end = NULL;
    assert_true(scan_ellipses_parse("2,4", "8,12", &b.s));
    bench_run(&b, 1);
    const struct scan_cluster *c = &b.result.clusters[0];
    assert_int_equal(c->n_places, 4);
    assert_true(c->ellipse_shape > 1);
    struct scan_told told = {.study = &b.study, .result = &b.result};
    buf_init(&out, 1 << 20);
    assert_int_equal(scan_report_geojson(&out, &told, &b.err), ERR_OK);
    const struct val *v = parsed(&b, buf_text(&out));
    const struct val *ring =
        &val_get(val_get(&val_get(v, "features")->u.list[0], "geometry"), "coordinates")->u.list[0];
    for (size_t m = 0; m < c->n_places; m++) {
        /* A hair towards the centre: the last member lies on the border. */
        double x0 = b.study.x[c->center], y0 = b.study.y[c->center];
        double x = x0 + 0.99 * (b.study.x[c->places[m]] - x0);
        double y = y0 + 0.99 * (b.study.y[c->places[m]] - y0);
        for (size_t i = 0; i + 1 < ring->n; i++) {
            const struct val *p = &ring->u.list[i], *q = &ring->u.list[i + 1];
            double ax = coordinate(p, 0), ay = coordinate(p, 1);
            double cross = (coordinate(q, 0) - ax) * (y - ay) - (coordinate(q, 1) - ay) * (x - ax);
            if (cross < 0) fail_msg("member %zu is outside", m);
        }
    }
    buf_deinit(&out);
    bench_close(&b);
}

/* ---- text and CSV ---- */

static void text_and_csv(void **state) {
    (void)state;
    struct bench b = bench_open();
    struct buf out;
    sample_csv(&b);
    b.s.options.replicas = 99;
    b.s.relaxed_places = true;
    bench_run(&b, 2);
    b.study.left_out_places = 3;
    struct scan_told told = {
        .study = &b.study, .result = &b.result, .title = "City", .default_p_value = true};
    buf_init(&out, 1 << 20);
    scan_report_text(&out, &told, false);
    static const char *const english[] = {"City\n",
                                          "Space-time scan, Poisson model, looking for high rates",
                                          "Study period: 2026-01-01 to 2026-03-25, slots: 84",
                                          "Left out, unknown places: 3",
                                          "1. G20, G21, G12, G13\n",
                                          "time 2026-03-08 to 2026-03-17",
                                          "cases 20, expected 2.07",
                                          "p 0.01",
                                          "SaTScan's default combination"};
    for (size_t i = 0; i < sizeof english / sizeof english[0]; i++)
        if (strstr(buf_text(&out), english[i]) == NULL) fail_msg("no \"%s\"", english[i]);
    buf_clear(&out);
    scan_report_text(&out, &told, true);
    static const char *const chinese[] = {"时空扫描，泊松模型，查找高发聚集",
                                          "研究期：",
                                          "未计入（位置未知）：3",
                                          "北纬 32.033580 度",
                                          "病例 20，期望 2.07",
                                          "对数似然比"};
    for (size_t i = 0; i < sizeof chinese / sizeof chinese[0]; i++)
        if (strstr(buf_text(&out), chinese[i]) == NULL) fail_msg("no \"%s\"", chinese[i]);
    assert_null(strstr(buf_text(&out), "cases"));
    buf_clear(&out);
    assert_int_equal(scan_report_csv(&out, b.a, &told, &b.err), ERR_OK);
    size_t lines = 0;
    for (const char *p = buf_text(&out); *p != '\0'; p++) lines += *p == '\n';
    assert_int_equal(lines, 49);
    assert_non_null(strstr(buf_text(&out), "location,lon,lat,cases,expected,"));
    assert_non_null(strstr(buf_text(&out), "\nG20,"));
    assert_non_null(strstr(buf_text(&out), ",1,2026-03-08,2026-03-17,"));
    buf_deinit(&out);
    bench_close(&b);
}

/* The expected cases of all locations add up to the cases, in each model that has them. */
static void csv_adds_up(void **state) {
    (void)state;
    struct bench b = bench_open();
    struct buf out;
    b.s.model = SCAN_BERNOULLI;
    b.s.geo[0] = bench_file(&b, "g.geo", "A 0 0\nB 3 4\n=C 0 10\n");
    b.s.n_geo = 1;
    b.s.cases = bench_file(&b, "c.cas", "A 9\nB 1\n");
    b.s.controls = bench_file(&b, "c.ctl", "A 1\nB 9\n=C 20\n");
    b.s.options.replicas = 9;
    bench_run(&b, 1);
    struct scan_told told = {.study = &b.study, .result = &b.result};
    buf_init(&out, 1 << 20);
    assert_int_equal(scan_report_csv(&out, b.a, &told, &b.err), ERR_OK);
    assert_non_null(strstr(buf_text(&out), "\nA,0,0,9,2.5,3.6,"));
    assert_non_null(strstr(buf_text(&out), "\nB,3,4,1,2.5,0.4,"));
    assert_non_null(strstr(buf_text(&out), "\n'=C,0,10,0,5,0,")); /* no formula for a spreadsheet */
    buf_clear(&out);
    b.study.has_places = false;
    assert_int_equal(scan_report_geojson(&out, &told, &b.err), ERR_INVALID);
    b.study.options.analysis = SCAN_TEMPORAL;
    assert_int_equal(scan_report_csv(&out, b.a, &told, &b.err), ERR_INVALID);
    buf_deinit(&out);
    bench_close(&b);
}

/* ---- every kind of run is told ---- */

static void tell_all(struct bench *b, const char *english, const char *chinese) {
    struct scan_told told = {.study = &b->study, .result = &b->result, .elapsed_ms = 12};
    struct buf out;
    buf_init(&out, 16 << 20);
    scan_report_text(&out, &told, false);
    if (strstr(buf_text(&out), english) == NULL) fail_msg("no \"%s\"", english);
    assert_null(strstr(buf_text(&out), "nan"));
    buf_clear(&out);
    scan_report_text(&out, &told, true);
    if (strstr(buf_text(&out), chinese) == NULL) fail_msg("no \"%s\"", chinese);
    buf_clear(&out);
    assert_int_equal(scan_report_json(&out, b->a, &told, &b->err), ERR_OK);
    const struct val *v = parsed(b, buf_text(&out));
    assert_int_equal(number(v, "elapsed_ms"), 12);
    assert_int_equal(val_get(v, "clusters")->n, b->result.n_clusters);
    buf_deinit(&out);
}

static void small_city(struct bench *b) {
    b->s.geo[0] = bench_file(b, "g.geo", "A 0 0\nB 3 4\nC 0 10\nD 9 9\nE 2 2\n");
    b->s.n_geo = 1;
    b->s.cases = bench_file(b, "c.cas",
                            "A 9 2001/1/4\nB 1 2001/1/2\nE 4 2001/1/5\nC 1 2001/1/1\nD 2 2001/1/3\n"
                            "B 3 2001/1/5\nA 2 2001/1/5\n");
    b->s.precision = TIME_DAY;
    b->s.precision_given = true;
    b->s.options.replicas = 39;
}

static void prospective_permutation(void **state) {
    (void)state;
    struct bench b = bench_open();
    small_city(&b);
    b.s.model = SCAN_PERMUTATION;
    b.s.options.analysis = SCAN_SPACE_TIME;
    b.s.options.prospective = true;
    bench_run(&b, 1);
    tell_all(&b, "recurrence interval", "重现间隔");
    tell_all(&b, "test statistic", "检验统计量");
    tell_all(&b, "Space-time scan, prospective, space-time permutation model", "时空前瞻性扫描");
    const struct val *c = &val_get(parsed(&b, bench_json(&b)), "clusters")->u.list[0];
    assert_true(fabs(number(c, "recurrence_days") * number(c, "p_value") - 1) < 1e-12);
    assert_true(isnan(number(c, "relative_risk")));
    bench_close(&b);
}

static void bernoulli_low_and_high(void **state) {
    (void)state;
    struct bench b = bench_open();
    small_city(&b);
    b.s.model = SCAN_BERNOULLI;
    b.s.controls =
        bench_file(&b, "c.ctl", "A 1 2001/1/1\nB 9 2001/1/1\nC 20 2001/1/5\nD 30 2001/1/3\n");
    b.s.options.rates = SCAN_BOTH;
    b.s.options.p_mode = SCAN_P_SEQUENTIAL;
    b.s.options.overlap = SCAN_ANY_OVERLAP;
    bench_run(&b, 1);
    tell_all(&b, "controls: 60", "对照 60");
    tell_all(&b, " (low)", "（低发）");
    tell_all(&b, "sequential Monte Carlo", "序贯蒙特卡罗");
    tell_all(&b, "No peer value to check against: low rates; overlap rule", "没有可对照的外部结果");
    bench_close(&b);
}

/* All cases in one place: no relative risk; and nothing at all to find. */
static void all_in_one_and_none(void **state) {
    (void)state;
    struct bench b = bench_open();
    small_city(&b);
    b.s.cases = bench_file(&b, "c.cas", "A 9 2001/1/4\n");
    b.s.population =
        bench_file(&b, "p.pop", "A unspecified 10\nB unspecified 900\nC unspecified 90\n");
    b.s.relaxed_times = true;
    b.s.start = "2001/1/1";
    b.s.end = "2001/1/5";
    bench_run(&b, 1);
    assert_true(isinf(b.result.clusters[0].relative_risk));
    tell_all(&b, "all cases are in it", "全部病例都在其中");
    assert_non_null(strstr(bench_json(&b), "\"relative_risk\":null"));
    b.s.cases = bench_file(&b, "c.cas", "A 1 2001/1/4\nB 8 2001/1/9\n");
    bench_run(&b, 1);
    assert_int_equal(b.result.n_clusters, 0); /* one case is no high cluster */
    b.study.left_out_places = 2;
    tell_all(&b, "No cluster was found.", "没有找到聚集。");
    tell_all(&b, "Left out, outside the period: 8", "未计入（在研究期之外）：8");
    bench_close(&b);
}

static void time_alone_is_told(void **state) {
    (void)state;
    struct bench b = bench_open();
    small_city(&b);
    b.s.n_geo = 0;
    b.s.options.analysis = SCAN_TEMPORAL;
    b.s.options.p_mode = SCAN_P_GUMBEL;
    bench_run(&b, 1);
    tell_all(&b, "All locations", "全部位置");
    /* A handful of cases: the curve is refused, and the rank told as what it is. */
    assert_int_equal(b.result.gumbel, SCAN_GUMBEL_FEW_VALUES);
    tell_all(&b, "standard Monte Carlo", "标准蒙特卡罗");
    tell_all(&b, "No Gumbel p-values: the maxima of the replicas are only a few values",
             "不给出耿贝尔 p 值：各次重复的最大值种类太少");
    const char *json = bench_json(&b);
    assert_non_null(strstr(json, "\"p_mode\":\"standard\""));
    assert_non_null(strstr(json, "\"gumbel_p\":null"));
    assert_non_null(strstr(json, "\"gumbel_refused\":\"few distinct maxima\""));
    b.s.cases = bench_file(&b, "c.cas",
                           "A 31000 2001/1/1\nA 25000 2001/1/2\nA 42000 2001/1/3\n"
                           "A 28000 2001/1/4\nA 30000 2001/1/5\n");
    b.s.options.replicas = 199;
    bench_run(&b, 1);
    tell_all(&b, "Gumbel distribution", "耿贝尔分布");
    assert_null(strstr(bench_json(&b), "gumbel_refused"));
    bench_close(&b);
}

static void certainty_of_places(void **state) {
    (void)state;
    struct bench b = bench_open();
    small_city(&b);
    b.s.population = bench_file(&b, "p.pop",
                                "A unspecified 90\nB unspecified 900\nC unspecified 900\n"
                                "D unspecified 900\nE unspecified 90\n");
    b.s.start = "2001/1/1";
    b.s.end = "2001/1/5";
    b.s.options.location_f = true;
    b.s.options.shape = SCAN_ELLIPSE;
    assert_true(scan_ellipses_parse("2", "4", &b.s));
    bench_run(&b, 1);
    tell_all(&b, "cases", "病例");
    const struct val *v = parsed(&b, bench_json(&b));
    const struct val *f = val_get(v, "location_f");
    assert_true(f->n >= 1 && number(&f->u.list[0], "f") > 0.5);
    assert_string_equal(text_of(&f->u.list[0], "location"), "A");
    const struct val *c = &val_get(v, "clusters")->u.list[0];
    assert_true(number(c, "ellipse_shape") >= 1);
    b.s.options.location_f = false;
    b.s.options.iterative = true;
    b.s.options.iterate_p = 0.5;
    bench_run(&b, 1);
    c = &val_get(parsed(&b, bench_json(&b)), "clusters")->u.list[0];
    assert_int_equal(number(c, "iteration"), 1);
    bench_close(&b);
}

/* A report that finds no memory says so. */
static void short_of_memory(void **state) {
    (void)state;
    struct bench b = bench_open();
    struct buf out;
    sample_csv(&b);
    b.s.options.replicas = 19;
    bench_run(&b, 1);
    struct arena *tiny = arena_new(64);
    struct scan_told told = {.study = &b.study, .result = &b.result};
    buf_init(&out, 1 << 20);
    assert_int_equal(scan_report_csv(&out, tiny, &told, &b.err), ERR_NOMEM);
    assert_int_equal(scan_report_json(&out, tiny, &told, &b.err), ERR_NOMEM);
    arena_free(tiny);
    buf_deinit(&out);
    bench_close(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_schema),
        cmocka_unit_test(unverified_is_named),
        cmocka_unit_test(same_from_either_kind_of_file),
        cmocka_unit_test(same_from_mapped_fields),
        cmocka_unit_test(same_on_any_number_of_threads),
        cmocka_unit_test(order_of_places_does_not_matter),
        cmocka_unit_test(unit_of_coordinates_does_not_matter),
        cmocka_unit_test(geojson),
        cmocka_unit_test(geojson_ellipse),
        cmocka_unit_test(text_and_csv),
        cmocka_unit_test(csv_adds_up),
        cmocka_unit_test(prospective_permutation),
        cmocka_unit_test(bernoulli_low_and_high),
        cmocka_unit_test(all_in_one_and_none),
        cmocka_unit_test(time_alone_is_told),
        cmocka_unit_test(certainty_of_places),
        cmocka_unit_test(short_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
