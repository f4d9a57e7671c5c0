/* SaTScan's parameter file: every row of the table with values that are taken and values that are
 * not, all problems at once, malformed files, and paths. */
#include "../base/testing.h"

#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "study/scan/prm.h"

#define SAMPLES SOURCE_DIR "/../shared/data/03-reference/scan-satscan-samples/"

struct parsed {
    struct arena *a;
    struct scan_settings s;
    struct prm_read read;
    struct err err;
    enum err_code rc;
};

static struct parsed parse(const char *text, bool skip_outputs) {
    struct parsed p = {.a = test_arena()};
    p.rc =
        prm_parse(p.a, "x.prm", text, strlen(text), "folder", skip_outputs, &p.s, &p.read, &p.err);
    return p;
}

static const char *sane(const struct prm_row *row) {
    switch (row->kind) {
    case PRM_PATH:
        return "some.file";
    case PRM_TEXT:
        if (strcmp(row->key, "EllipseShapes") == 0) return "1.5,2";
        if (strcmp(row->key, "EllipseAngles") == 0) return "4,6";
        return "2000/1/1";
    case PRM_FLAG:
    case PRM_OUTPUT:
        return "n";
    case PRM_NEUTRAL:
        return "anything at all";
    case PRM_NUMBER:
        return row->min > 1 ? "1000" : "1";
    case PRM_CHOICE:
    case PRM_ONLY:
        break;
    }
    return NULL;
}

/* "[section]\nkey=value\n" with the file of cases that every run needs. */
static struct parsed one(const char *section, const char *key, const char *value) {
    char text[600];
    const char *cases = strcmp(key, "CaseFile") == 0 ? "" : "[Input]\nCaseFile=c.cas\n";
    (void)snprintf(text, sizeof text, "%s[%s]\n%s=%s\n", cases, section, key, value);
    return parse(text, false);
}

static void refused(const struct prm_row *row, const char *value) {
    struct parsed p = one(row->section, row->key, value);
    if (p.rc != ERR_INVALID || p.read.n_problems != 1)
        fail_msg("[%s] %s=%s is taken", row->section, row->key, value);
    assert_int_equal(p.read.problem[0].line, strcmp(row->key, "CaseFile") == 0 ? 2 : 4);
    assert_string_equal(p.read.problem[0].key, row->key);
    assert_string_equal(p.read.problem[0].value, value);
    assert_non_null(strstr(p.err.detail, row->key));
    arena_free(p.a);
}

static void taken(const struct prm_row *row, const char *value) {
    struct parsed p = one(row->section, row->key, value);
    /* Alone, a value may ask for what another line would give: it is then blamed by name. */
    if (p.rc != ERR_OK && p.read.n_problems == 0)
        fail_msg("[%s] %s=%s: %s", row->section, row->key, value, p.err.detail);
    for (size_t i = 0; i < p.read.n_problems; i++)
        if (strcmp(p.read.problem[i].why, "not supported") == 0 ||
            strcmp(p.read.problem[i].why, "an unknown parameter") == 0)
            fail_msg("[%s] %s=%s is refused", row->section, row->key, value);
    arena_free(p.a);
}

static void each_in_list(const struct prm_row *row) {
    char value[32];
    for (const char *p = row->allowed;;) {
        size_t n = strcspn(p, "|");
        (void)snprintf(value, sizeof value, "%.*s", (int)n, p);
        taken(row, value);
        if (p[n] == '\0') break;
        p += n + 1;
    }
}

static void every_row(void **state) {
    (void)state;
    size_t n;
    const struct prm_row *rows = prm_rows(&n);
    assert_true(n > 130);
    for (size_t i = 0; i < n; i++) {
        const struct prm_row *row = &rows[i];
        assert_true(strlen(row->meaning) > 2);
        for (size_t k = 0; k < i; k++)
            assert_false(strcmp(rows[k].section, row->section) == 0 &&
                         strcmp(rows[k].key, row->key) == 0);
        if (row->allowed != NULL)
            each_in_list(row);
        else
            taken(row, sane(row));
        if (row->kind == PRM_CHOICE || row->kind == PRM_ONLY) refused(row, "99");
        if (row->kind == PRM_OUTPUT) refused(row, "y");
        if (row->kind == PRM_FLAG || row->kind == PRM_OUTPUT) refused(row, "perhaps");
        if (row->kind == PRM_NUMBER) {
            refused(row, "many");
            refused(row, "1e300");
            refused(row, "-1");
        }
    }
}

static void everything_unsupported_is_named(void **state) {
    (void)state;
    struct parsed p = parse("[Input]\nCaseFile=c.cas\nCaseFile2=d.cas\n\n; a comment\n"
                            "[Analysis]\nAnalysisType=5\nModelType=6\n"
                            "[Inference]\nAdjustForEarlierAnalyses=y\nMonteCarloReps=-9\n"
                            "[Output]\nOutputShapefiles=y\nOutputShapefiles=n\n",
                            false);
    static const struct {
        long line;
        const char *key, *why;
    } expected[] = {{3, "CaseFile2", "an unknown parameter"},
                    {7, "AnalysisType", "not supported"},
                    {8, "ModelType", "not supported"},
                    {10, "AdjustForEarlierAnalyses", "not supported"},
                    {11, "MonteCarloReps", "out of range"},
                    {13, "OutputShapefiles", "an output that gezhi does not write"},
                    {14, "OutputShapefiles", "given twice"}};
    assert_int_equal(p.rc, ERR_INVALID);
    assert_int_equal(p.read.n_problems, 7);
    for (size_t i = 0; i < 7; i++) {
        assert_int_equal(p.read.problem[i].line, expected[i].line);
        assert_string_equal(p.read.problem[i].key, expected[i].key);
        assert_string_equal(p.read.problem[i].why, expected[i].why);
    }
    assert_non_null(
        strstr(p.err.detail, "x.prm: 7 parameters are not supported; line 3: CaseFile2"));
    arena_free(p.a);
}

static void outputs_may_be_left_out(void **state) {
    (void)state;
    struct parsed p =
        parse("[Input]\nCaseFile=c.cas\n[Output]\nOutputShapefiles=y\nOutputGoogleMaps=1\n", true);
    assert_int_equal(p.rc, ERR_OK);
    assert_int_equal(p.read.n_skipped, 2);
    assert_int_equal(p.read.skipped[1].line, 5);
    arena_free(p.a);
}

static void malformed(void **state) {
    (void)state;
    static const struct {
        const char *text, *expected;
        enum err_code rc;
    } rows[] = {
        {"[Input\nCaseFile=c", "x.prm:1:7: a section's name does not end with ]", ERR_SYNTAX},
        {"CaseFile=c", "x.prm:1:1: a parameter before the first [Section]", ERR_SYNTAX},
        {"[Input]\n  CaseFile", "x.prm:2:3: expected [Section], Key=value or ;comment", ERR_SYNTAX},
        {"[Input]\n=c", "x.prm:2:1: expected [Section], Key=value or ;comment", ERR_SYNTAX},
        {"[Input]\nCaseFile=\xff", "x.prm:2:10: the bytes are not UTF-8", ERR_SYNTAX},
        {"", "x.prm: [Input] CaseFile names no file", ERR_INVALID},
        {"[Input]\nCaseFile=\n", "x.prm: [Input] CaseFile names no file", ERR_INVALID},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct parsed p = parse(rows[i].text, false);
        assert_int_equal(p.rc, rows[i].rc);
        assert_string_equal(p.err.detail, rows[i].expected);
        arena_free(p.a);
    }
}

static void settings_that_do_not_fit(void **state) {
    (void)state;
    static const char *const texts[] = {
        "[Input]\nCaseFile=c\nUseGridFile=y\n",
        "[Input]\nCaseFile=c\n[Locations Network]\nUseLocationsNetworkFile=y\n",
        "[Input]\nCaseFile=c\n[Spatial Neighbors]\nUseNeighborsFile=y\n",
        "[Input]\nCaseFile=c\nPrecisionCaseTimes=1\n[Analysis]\nAnalysisType=3\n"
        "TimeAggregationUnits=0\n",
        "[Input]\nCaseFile=c\nPrecisionCaseTimes=1\n[Analysis]\nAnalysisType=3\n"
        "TimeAggregationUnits=3\n",
        "[Input]\nCaseFile=c\nPrecisionCaseTimes=1\n[Analysis]\nAnalysisType=3\n[Temporal Window]\n"
        "MaxTemporalSize=95\n",
        "[Input]\nCaseFile=c\n[Spatial Window]\nSpatialWindowShapeType=1\n[Elliptic Scan]\n"
        "EllipseShapes=1.5,2\n",
        "[Input]\nCaseFile=c\n[Spatial Window]\nSpatialWindowShapeType=1\n[Elliptic Scan]\n"
        "EllipseShapes=0.5,2\nEllipseAngles=4,6\n",
        "[Input]\nCaseFile=c\n[Miscellaneous Analysis]\nCalculateOliveira=y\n"
        "NumBootstrapReplications=500\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct parsed p = parse(texts[i], false);
        assert_int_equal(p.rc, ERR_INVALID);
        assert_int_equal(p.read.n_problems, 1);
        arena_free(p.a);
    }
}

static void what_is_honoured(void **state) {
    (void)state;
    struct parsed p = parse(
        " [input] \r\ncasefile = my cases.cas "
        "\r\nPopulationFile=/abs/p.pop\nCoordinatesFile=g.geo\n"
        "CoordinatesType=1\nPrecisionCaseTimes=3\nStartDate=2001/11/1\nEndDate=2001/11/24\n"
        "[Analysis]\nAnalysisType=4\nScanAreas=3\nTimeAggregationUnits=3\nTimeAggregationLength=2\n"
        "[Spatial Window]\nMaxSpatialSizeInPopulationAtRisk=12.5\nUseDistanceFromCenterOption=y\n"
        "MaxSpatialSizeInDistanceFromCenter=3\nIncludePurelyTemporal=y\n"
        "[Temporal Window]\nMinimumTemporalClusterSize=2\nMaxTemporalSizeInterpretation=1\n"
        "MaxTemporalSize=8\n[Inference]\nPValueReportType=2\nEarlyTerminationThreshold=30\n"
        "MonteCarloReps=9999\n[Spatial Output]\nCriteriaForReportingSecondaryClusters=4\n"
        "[Run Options]\nRandomSeed=77\nNumberParallelProcesses=3\n[Other Output]\n"
        "ResultsTitle=\"A\" title\n",
        false);
    if (p.rc != ERR_OK) fail_msg("%s", p.err.detail);
    assert_string_equal(p.s.cases, "folder/my cases.cas");
    assert_string_equal(p.s.population, "/abs/p.pop");
    assert_string_equal(p.s.geo[0], "folder/g.geo");
    assert_int_equal(p.s.places, PLACES_SPHERE);
    assert_int_equal(p.s.options.analysis, SCAN_SPACE_TIME);
    assert_true(p.s.options.prospective && p.s.options.also_temporal);
    assert_int_equal(p.s.options.rates, SCAN_BOTH);
    assert_int_equal(p.s.unit, TIME_DAY);
    assert_int_equal(p.s.unit_length, 2);
    assert_true(p.s.options.max_size == 0.125 && p.s.options.max_radius == 3);
    assert_true(p.s.min_time == 2 && p.s.max_time == 8 && !p.s.max_time_percent);
    assert_int_equal(p.s.options.p_mode, SCAN_P_SEQUENTIAL);
    assert_int_equal(p.s.options.stop_after, 30);
    assert_int_equal(p.s.options.replicas, 9999);
    assert_int_equal(p.s.options.overlap, SCAN_NO_PAIRS_IN_EACH);
    assert_int_equal(p.s.options.seed, 77);
    assert_int_equal(p.read.n_threads, 3);
    assert_false(p.read.default_p_value);
    assert_string_equal(p.read.title, "\"A\" title");
    arena_free(p.a);
    p = parse("[Input]\nCaseFile=c\n", false); /* SaTScan's defaults */
    assert_int_equal(p.rc, ERR_OK);
    assert_int_equal(p.s.options.analysis, SCAN_SPATIAL);
    assert_int_equal(p.s.options.replicas, 999);
    assert_true(p.s.options.max_size == 0.5 && p.s.options.max_radius == 0);
    assert_int_equal(p.s.options.min_cases, 2);
    assert_string_equal(p.s.start, "2000/1/1");
    assert_true(p.read.default_p_value);
    assert_int_equal(p.s.options.p_mode, SCAN_P_STANDARD); /* pitfall 1 */
    arena_free(p.a);
}

/* All lines of the files that SaTScan itself wrote have a row. */
static void samples(void **state) {
    (void)state;
    static const char *const names[] = {"NewMexicoSpaceTimePoisson.prm",
                                        "NYCSpaceTimePermutation.prm",
                                        "NHumbersideSpatialBernoulli.prm"};
    for (size_t i = 0; i < 3; i++) {
        char path[512];
        struct parsed p = {.a = test_arena()};
        (void)snprintf(path, sizeof path, "%s%s", SAMPLES, names[i]);
        if (access(path, R_OK) != 0) {
            printf("skipped: there is no %s\n", path);
            arena_free(p.a);
            skip();
        }
        p.rc = prm_load(p.a, path, false, &p.s, &p.read, &p.err);
        if (p.rc != ERR_OK) fail_msg("%s", p.err.detail);
        assert_int_equal(access(p.s.cases, R_OK), 0);
        assert_int_equal(access(p.s.geo[0], R_OK), 0);
        arena_free(p.a);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row),
        cmocka_unit_test(everything_unsupported_is_named),
        cmocka_unit_test(outputs_may_be_left_out),
        cmocka_unit_test(malformed),
        cmocka_unit_test(settings_that_do_not_fit),
        cmocka_unit_test(what_is_honoured),
        cmocka_unit_test(samples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
