/* Requests of another system: times, map files, records, whole imports, and half a year of Boston.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/sanitizer.h"
#include "domain/grid/folder.h"
#include "domain/grid/import.h"
#include "domain/process/export_cases.h"
#include "domain/process/import_cases.h"
#include "domain/process/import_row.h"
#include "domain/process/import_time.h"

#define SHARED SOURCE_DIR "/../shared/data/"

/* ---- a city in a temporary folder ---- */

struct town {
    char dir[128];
    struct folder f;
    struct grid_service *grid;
    struct engine *engine;
};

static void open_town(struct town *t) {
    struct err err = {0};
    if (folder_open(t->dir, 3, NULL, &t->f, &err) != ERR_OK) fail_msg("%s", err.detail);
    assert_int_equal(grid_open(t->f.ledger, t->f.packs, &t->grid, &err), ERR_OK);
    assert_int_equal(engine_new(t->f.arena, t->f.packs, t->f.tz, ledger_secret(t->f.ledger),
                                t->grid, &t->engine, &err),
                     ERR_OK);
}

static void close_town(struct town *t) {
    ledger_close(t->f.ledger);
    t->f.ledger = NULL;
    grid_close(t->grid);
    folder_close(&t->f);
}

static void new_town(struct town *t, const char *zone) {
    static const struct city city = {"Test", NULL, "free", true};
    struct city c = city;
    struct err err = {0};
    c.timezone = zone;
    (void)snprintf(t->dir, sizeof t->dir, "/tmp/gezhi-import-XXXXXX");
    assert_non_null(mkdtemp(t->dir));
    char data[128];
    (void)snprintf(data, sizeof data, "%.60s/d", t->dir);
    if (folder_create(data, SOURCE_DIR "/packs", &c, NULL, &err) != ERR_OK)
        fail_msg("%s", err.detail);
    (void)snprintf(t->dir, sizeof t->dir, "%.100s", data);
}

static void run(const char *const argv[]) {
    pid_t pid = fork();
    if (pid == 0) {
        (void)execvp(argv[0], (char *const *)argv);
        _exit(127);
    }
    int status = 1;
    assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
    assert_int_equal(status, 0);
}

static void drop_town(struct town *t) {
    t->dir[strlen(t->dir) - 2] = '\0'; /* without "/d" */
    run((const char *const[]){"rm", "-rf", t->dir, NULL});
}

static int64_t number(struct town *t, const char *sql) {
    struct reader *r = NULL;
    int64_t n = -1;
    assert_int_equal(ledger_read_begin(t->f.ledger, &r, NULL), ERR_OK);
    assert_int_equal(db_int(reader_db(r), sql, NULL, 0, -1, &n, NULL), ERR_OK);
    ledger_read_end(r);
    return n;
}

/* ---- times ---- */

static void test_times(void **state) {
    (void)state;
    static const struct {
        const char *format, *text, *utc; /* utc NULL: refused */
    } rows[] = {
        {"%Y-%m-%d %H:%M:%S", "2011-07-01 01:32:33", "2011-07-01T05:32:33Z"},
        {"%Y-%m-%d %H:%M:%S", "2011-12-01 01:32:33", "2011-12-01T06:32:33Z"},
        {"%Y-%m-%d %H:%M:%S", "2011-02-29 01:32:33", NULL},
        {"%Y-%m-%d %H:%M:%S", "2011-07-01 24:00:00", NULL},
        {"%Y-%m-%d %H:%M:%S", "2011-07-01 01:32:33 ", NULL},
        {"%Y-%m-%d %H:%M:%S", "2011-07-01  01:32:33", "2011-07-01T05:32:33Z"},
        {"%Y-%m-%d %H:%M:%S", "1899-07-01 01:32:33", NULL},
        {"%Y-%m-%d", "2011-7-1", "2011-07-01T04:00:00Z"},
        {"%Y-%m-%d", "2011-07", NULL},
        {"%m/%d/%Y %I:%M:%S %p", "07/01/2011 12:05:00 AM", "2011-07-01T04:05:00Z"},
        {"%m/%d/%Y %I:%M:%S %p", "07/01/2011 12:05:00 pm", "2011-07-01T16:05:00Z"},
        {"%m/%d/%Y %I:%M:%S %p", "07/01/2011 13:05:00 PM", NULL},
        {"%d %b %Y", "1 jul 2011", "2011-07-01T04:00:00Z"},
        {"%d %b %Y", "1 July 2011", "2011-07-01T04:00:00Z"},
        {"%d %b %Y", "1 Jux 2011", NULL},
        {"%d.%m.%y %H:%M", "01.07.11 00:05", "2011-07-01T04:05:00Z"},
        {"%Y-%m-%dT%H:%M:%S%z", "2011-07-01T01:00:00+08:00", "2011-06-30T17:00:00Z"},
        {"%Y-%m-%dT%H:%M:%S%z", "2011-07-01T01:00:00-0330", "2011-07-01T04:30:00Z"},
        {"%Y-%m-%dT%H:%M:%S%z", "2011-07-01T01:00:00Z", "2011-07-01T01:00:00Z"},
        {"%Y-%m-%dT%H:%M:%S.%f%z", "2011-07-01T01:00:00.25Z", "2011-07-01T01:00:00.250000Z"},
        {"%Y年%m月%d日", "2011年7月1日", "2011-07-01T04:00:00Z"},
        {"%d%%%m%%%Y", "1%7%2011", "2011-07-01T04:00:00Z"},
        {"%Y-%m-%d", "", NULL},
    };
    struct arena *a = arena_new(1 << 20);
    const struct tz *tz = NULL;
    assert_int_equal(tz_load(a, "America/New_York", &tz, NULL), ERR_OK);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t us = 0;
        char got[32] = "";
        assert_int_equal(import_time_check(rows[i].format, NULL), ERR_OK);
        bool good = import_time_parse(rows[i].format, rows[i].text, tz, &us);
        if (good != (rows[i].utc != NULL)) fail_msg("%s with %s", rows[i].text, rows[i].format);
        if (!good) continue;
        rfc3339_format(us, got);
        assert_string_equal(got, rows[i].utc);
    }
    static const char *const bad[] = {"%Y-%m",       "%Y-%m-%d %I:%M", "%Y-%m-%d %p",
                                      "%Y-%m-%d %Q", "%Y-%m-%d %",     "x"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(import_time_check(bad[i], NULL), ERR_INVALID);
    arena_free(a);
}

/* ---- map files ---- */

#define MAP_HEAD "map: m\ntitle: {en: M, zh: 图}\ntimes: [\"%Y-%m-%d\"]\n"
#define MAP_COLS "columns: {id: n, opened: o, closed: c, due: d, lon: x, lat: y, place: p}\n"
#define MAP_CLASS "class: {column: t, words: {trash: event-0102}, otherwise: event-0199}\n"
#define MAP_REST                                                                                   \
    "state: {column: s, words: {Open: filed, Done: closed}}\nchannel: {otherwise: web}\n"

static void test_map_errors(void **state) {
    struct town *t = *state;
    static const struct {
        const char *yaml, *says;
        enum err_code rc;
    } rows[] = {
        {MAP_HEAD MAP_COLS MAP_CLASS MAP_REST, NULL, ERR_OK},
        {MAP_HEAD MAP_COLS MAP_CLASS MAP_REST "zone: UTC\n", "zone", ERR_INVALID},
        {MAP_HEAD MAP_COLS MAP_CLASS MAP_REST "timezone: Mars/Base\n", "m.yaml:8", ERR_INVALID},
        {MAP_HEAD MAP_COLS MAP_CLASS MAP_REST "crs: nad27\n", "m.yaml:8", ERR_INVALID},
        {MAP_HEAD MAP_COLS MAP_CLASS MAP_REST "separator: x\n", "separator", ERR_INVALID},
        {MAP_HEAD MAP_COLS MAP_CLASS MAP_REST "as_of: soon\n", "as_of \"soon\"", ERR_INVALID},
        {MAP_HEAD MAP_COLS MAP_CLASS MAP_REST "fields: {state: x}\n", "\"state\"", ERR_INVALID},
        {MAP_HEAD MAP_COLS MAP_CLASS MAP_REST "on_time: {column: o, words: {A: late}}\n",
         "expected on_time or overdue", ERR_INVALID},
        {MAP_HEAD MAP_CLASS MAP_REST, "columns", ERR_INVALID},
        {MAP_HEAD "columns: {id: n}\n" MAP_CLASS MAP_REST, "opened", ERR_INVALID},
        {MAP_HEAD "columns: {id: n, opened: o, lon: x}\n" MAP_CLASS MAP_REST, "lon and lat",
         ERR_INVALID},
        {MAP_HEAD "columns: {id: n, opened: o, place: credit_score}\n" MAP_CLASS MAP_REST,
         "信用惩戒", ERR_REFUSED},
        {MAP_HEAD "columns: {id: n, opened: o, place: 重点人员}\n" MAP_CLASS MAP_REST, "重点人员",
         ERR_REFUSED},
        {MAP_HEAD MAP_COLS "class: {column: face_id}\n" MAP_REST, "街面管控", ERR_REFUSED},
        {MAP_HEAD MAP_COLS "class: {column: t, otherwise: event-9999}\n" MAP_REST, "event-9999",
         ERR_INVALID},
        {MAP_HEAD MAP_COLS "class: {words: {a: event-0102}}\n" MAP_REST, "needs a column",
         ERR_INVALID},
        {MAP_HEAD MAP_COLS "class: {column: t, words: {a: 7}}\n" MAP_REST, "must be text",
         ERR_INVALID},
        {MAP_HEAD MAP_COLS MAP_CLASS "state: {column: s, words: {Open: nowhere}}\n", "nowhere",
         ERR_INVALID},
        {MAP_HEAD MAP_COLS
         "class: {column: t, words: {a: dispute-01}, otherwise: event-0199}\n" MAP_REST,
         "", ERR_INVALID},
        {"map: m\ntitle: {en: M, zh: 图}\n" MAP_COLS MAP_CLASS MAP_REST, "times", ERR_INVALID},
        {"map: m\ntitle: {en: M, zh: 图}\ntimes: [\"%H\"]\n" MAP_COLS MAP_CLASS MAP_REST,
         "m.yaml:3", ERR_INVALID},
        {"- a\n", "key: value", ERR_INVALID},
        {"", "key: value", ERR_INVALID},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct arena *a = arena_new(8 << 20);
        const struct case_map *m = NULL;
        struct err err = {0};
        enum err_code rc = map_parse(a, "m.yaml", rows[i].yaml, strlen(rows[i].yaml), t->engine,
                                     t->f.tz, &m, &err);
        if (rc != rows[i].rc) fail_msg("row %zu: %s: %s", i, err_name(rc), err.detail);
        if (rows[i].says != NULL && strstr(err.detail, rows[i].says) == NULL)
            fail_msg("row %zu says %s", i, err.detail);
        arena_free(a);
    }
}

/* ---- a small table ---- */

static const char small_map[] = MAP_HEAD MAP_COLS MAP_CLASS MAP_REST;
static const char small_csv[] =
    "n,o,c,d,x,y,p,t,s\n"
    "1,2026-01-02,2026-01-05,2026-01-04,-71.1,42.3,\"Elm St, 5\",trash,Done\n"
    "2,2026-01-02,,2026-01-09,-71.1,42.3,,other,Open\n"
    "3,2026-01-02,,,-71.1,42.3,,other,Gone\n"
    "4,2026-13-02,,,-71.1,42.3,,other,Open\n"
    "5,2026-01-02,,,0x10,42.3,,other,Open\n"
    "6,2026-01-02,,,,,,other,Open\n"
    "7,2026-01-02,2026-01-01,,-71.1,42.3,,other,Done\n"
    "8,2026-01-02,,,-71.1,42.3,,other,Done\n"
    "9,2026-01-02,2026-01-03,,-71.1,42.3,,other,Open\n"
    "10,2026-01-02\n"
    "1,2026-01-02,,,-71.1,42.3,,other,Open\n"
    "11,2199-01-02,,,-71.1,42.3,,other,Open\n"
    ",2026-01-02,,,-71.1,42.3,,other,Open\n"
    "12,2026-01-02,,,0,0,,other,Open\n"
    "13,2026-01-02,,,\"-71.1\"x,42.3,,other,Open\n"
    "14,2026-01-02,2026-01-03,2026-01-03,-71.1,42.3,,trash,Done\n";

struct bytes {
    char text[4096];
};

static struct case_imported import_text(struct town *t, const char *map, const char *csv, bool dry,
                                        struct bytes *errors, enum err_code want, struct err *err) {
    struct case_imported n = {0};
    struct arena *a = arena_new(8 << 20);
    struct case_import in = {.engine = t->engine,
                             .ledger = t->f.ledger,
                             .dry_run = dry,
                             .now_us = INT64_C(1790000000000000)};
    if (map_parse(a, "m.yaml", map, strlen(map), t->engine, t->f.tz, &in.map, err) != ERR_OK)
        fail_msg("%s", err->detail);
    in.in = fmemopen((void *)(uintptr_t)csv, strlen(csv), "r");
    in.errors = errors == NULL ? NULL : tmpfile();
    enum err_code rc = import_cases(&in, &n, err);
    if (rc != want) fail_msg("%s: %s", err_name(rc), err->detail);
    if (errors != NULL) {
        rewind(in.errors);
        errors->text[fread(errors->text, 1, sizeof errors->text - 1, in.errors)] = '\0';
        (void)fclose(in.errors);
    }
    (void)fclose(in.in);
    arena_free(a);
    return n;
}

static void test_small(void **state) {
    (void)state;
    struct town t;
    struct err err = {0};
    struct bytes e;
    new_town(&t, "America/New_York");
    open_town(&t);
    struct case_imported n = import_text(&t, small_map, small_csv, true, NULL, ERR_OK, &err);
    assert_int_equal(n.imported, 3);
    assert_int_equal(number(&t, "SELECT count(*) FROM case_"), 0);
    n = import_text(&t, small_map, small_csv, false, &e, ERR_OK, &err);
    assert_int_equal(n.read, 16);
    assert_int_equal(n.imported, 3);
    assert_int_equal(n.unchanged, 0);
    assert_int_equal(n.rejected, 13);
    static const char *const reasons[] = {
        "n,o,c,d,x,y,p,t,s,reason\n",
        "3,2026-01-02,,,-71.1,42.3,,other,Gone,\"s \"\"Gone\"\" is not in the map's words\"\n",
        "no time of the map",
        "no longitude and latitude",
        "lon and lat are blank",
        "closed before it was opened",
        "c is blank",
        "c is set",
        "\"10,2026-01-02\",,,,,,,,,\"2 fields; the header has 9\"\n",
        "stands twice",
        "in the future",
        "n is blank",
        "lies in the sea"};
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (strstr(e.text, reasons[i]) == NULL) fail_msg("no \"%s\" in\n%s", reasons[i], e.text);
    }
    n = import_text(&t, small_map, small_csv, false, NULL, ERR_OK, &err);
    assert_int_equal(n.imported, 0);
    assert_int_equal(n.unchanged, 3);
    assert_int_equal(n.rejected, 13);
    assert_int_equal(number(&t, "SELECT count(*) FROM case_"), 3);
    assert_int_equal(number(&t, "SELECT count(*) FROM step"), 6);
    assert_int_equal(number(&t, "SELECT overdue FROM case_ WHERE source_id = '1'"), 1);
    assert_int_equal(number(&t, "SELECT overdue FROM case_ WHERE source_id = '2'"), 1);
    assert_int_equal(number(&t, "SELECT overdue FROM case_ WHERE source_id = '14'"), 0);
    assert_int_equal(
        number(&t, "SELECT count(*) FROM case_ WHERE source_id = '1' AND state = 'closed' AND "
                   "stage = 'close'"
                   " AND class = 'event-0102' AND place_text = 'Elm St, 5' AND source = 'm'"),
        1);
    /* A mended file of errors goes in as it is, with its column of reasons. */
    n = import_text(
        &t, small_map,
        "n,o,c,d,x,y,p,t,s,reason\n4,2026-01-03,,,-71.1,42.3,,other,Open,\"was wrong\"\n", false,
        NULL, ERR_OK, &err);
    assert_int_equal(n.imported, 1);
    close_town(&t);
    drop_town(&t);
}

/* ---- export ---- */

static void export_text(struct town *t, struct case_export x, struct bytes *out,
                        enum err_code want) {
    int64_t n = 0;
    struct err err = {0};
    x.engine = t->engine;
    x.ledger = t->f.ledger;
    x.out = tmpfile();
    if (x.to_us == 0) {
        x.from_us = INT64_MIN;
        x.to_us = INT64_MAX;
    }
    enum err_code rc = export_cases(&x, &n, &err);
    if (rc != want) fail_msg("%s: %s", err_name(rc), err.detail);
    rewind(x.out);
    out->text[fread(out->text, 1, sizeof out->text - 1, x.out)] = '\0';
    (void)fclose(x.out);
}

static void test_export(void **state) {
    (void)state;
    static const char map[] =
        MAP_HEAD "columns: {id: n, opened: o, description: p}\nclass: {otherwise: dispute-02}\n"
                 "state: {otherwise: registered}\nchannel: {otherwise: desk}\n";
    struct town t;
    struct err err = {0};
    struct bytes a, b;
    new_town(&t, "UTC");
    open_town(&t);
    struct case_imported n = import_text(
        &t, map, "n,o,p\n1,2026-01-02,loud music\n2,2026-01-03,=1+1\n", false, NULL, ERR_OK, &err);
    assert_int_equal(n.imported, 2);
    export_text(&t, (struct case_export){.format = EXPORT_NDJSON}, &a, ERR_OK);
    export_text(&t, (struct case_export){.format = EXPORT_NDJSON}, &b, ERR_OK);
    assert_string_equal(a.text, b.text);
    assert_non_null(strstr(a.text, "\"source_id\":\"1\""));
    assert_non_null(strstr(a.text, "\"route\":[{\"move\":\"report\",\"to_state\":\"registered\","
                                   "\"at\":\"2026-01-02T00:00:00Z\""));
    assert_null(strstr(a.text, "loud"));
    assert_null(strstr(a.text, "follow_hash"));
    export_text(&t, (struct case_export){.format = EXPORT_CSV, .personal = true}, &a, ERR_INVALID);
    assert_string_equal(a.text, "");
    assert_int_equal(number(&t, "SELECT count(*) FROM journal WHERE type = 'export'"), 0);
    export_text(&t,
                (struct case_export){.format = EXPORT_CSV, .personal = true, .purpose = "a test"},
                &a, ERR_OK);
    assert_non_null(strstr(a.text, ",loud music,"));
    assert_non_null(strstr(a.text, ",'=1+1,"));
    assert_null(strstr(a.text, "follow_hash"));
    assert_int_equal(number(&t, "SELECT count(*) FROM journal WHERE type = 'export'"), 1);
    export_text(&t,
                (struct case_export){.format = EXPORT_GEOJSON,
                                     .from_us = INT64_C(1767398400000000),
                                     .to_us = INT64_MAX},
                &a, ERR_OK);
    assert_null(strstr(a.text, "\"source_id\":\"1\""));
    assert_non_null(strstr(a.text, "\"geometry\":null,"));
    assert_non_null(strstr(a.text, "\"source_id\":\"2\""));
    close_town(&t);
    drop_town(&t);
}

static void test_headers(void **state) {
    struct town *t = *state;
    struct err err = {0};
    (void)import_text(t, small_map, "n,o,c,d,x,y,p,t,s,积分\n", false, NULL, ERR_REFUSED, &err);
    assert_non_null(strstr(err.detail, "信用惩戒"));
    (void)import_text(t, small_map, "n,o,c,d,x,y,p,t\n", false, NULL, ERR_INVALID, &err);
    assert_non_null(strstr(err.detail, "no column \"s\""));
    (void)import_text(t, small_map, "n,o,c,d,x,y,p,t,s,s\n", false, NULL, ERR_INVALID, &err);
    assert_non_null(strstr(err.detail, "stands twice"));
    (void)import_text(t, small_map, "\n", false, NULL, ERR_INVALID, &err);
    assert_non_null(strstr(err.detail, "empty"));
}

static void test_rule(void **state) {
    (void)state;
    assert_false(import_overdue(0, 0, 100));
    assert_false(import_overdue(0, 50, 100));
    assert_false(import_overdue(50, 50, 100));
    assert_true(import_overdue(50, 51, 100));
    assert_true(import_overdue(50, 0, 100));
    assert_false(import_overdue(100, 0, 100));
}

/* ---- Boston ---- */

static void unpack(const char *gz, const char *to) {
    pid_t pid = fork();
    if (pid == 0) {
        if (freopen(to, "w", stdout) == NULL) _exit(126);
        (void)execlp("gzip", "gzip", "-dc", gz, (char *)NULL);
        _exit(127);
    }
    int status = 1;
    assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
    assert_int_equal(status, 0);
}

static void make_boston(struct town *t) {
    struct err err = {0};
    struct grid_imported n;
    new_town(t, "America/New_York");
    if (folder_open(t->dir, 2, NULL, &t->f, &err) != ERR_OK) fail_msg("%s", err.detail);
    struct grid_import in = {.file = SHARED "02-boundaries/boston_neighborhoods.geojson",
                             .helper_dir = BUILD_DIR,
                             .name_field = "name",
                             .level = -1,
                             .repair = true,
                             .problems = stderr};
    if (grid_import_run(&t->f, &in, &n, &err) != ERR_OK) fail_msg("%s", err.detail);
    in.layer = "social";
    if (grid_import_run(&t->f, &in, &n, &err) != ERR_OK) fail_msg("%s", err.detail);
    folder_close(&t->f);
}

static struct case_imported import_boston(struct town *t, const char *csv) {
    struct err err = {0};
    struct case_imported n;
    struct case_import in = {.engine = t->engine,
                             .ledger = t->f.ledger,
                             .now_us = INT64_C(1790000000000000),
                             .log = stderr};
    if (map_load(t->f.arena, SOURCE_DIR "/packs/cases/maps/boston311.yaml", t->engine, t->f.tz,
                 &in.map, &err) != ERR_OK)
        fail_msg("%s", err.detail);
    in.in = fopen(csv, "r");
    assert_non_null(in.in);
    if (import_cases(&in, &n, &err) != ERR_OK) fail_msg("%s", err.detail);
    (void)fclose(in.in);
    return n;
}

static int64_t in_cell(struct town *t, const char *cell) {
    struct reader *r = NULL;
    struct cell key = cell_text(cell);
    int64_t n = -1;
    assert_int_equal(ledger_read_begin(t->f.ledger, &r, NULL), ERR_OK);
    assert_int_equal(db_int(reader_db(r),
                            "SELECT count(*) FROM case_ WHERE cell = ?1 AND community IS NULL",
                            &key, 1, -1, &n, NULL),
                     ERR_OK);
    ledger_read_end(r);
    return n;
}

static void check_neighbourhoods(struct town *t) {
    FILE *f = fopen(SHARED "01-service-requests/boston_expected_point_in_polygon.csv", "r");
    assert_non_null(f);
    struct csv_reader *csv = csv_reader_new(f, ',');
    struct csv_record rec;
    bool more = false;
    size_t n = 0;
    assert_int_equal(csv_read(csv, &rec, &more, NULL), ERR_OK);
    while (csv_read(csv, &rec, &more, NULL) == ERR_OK && more) {
        int64_t got = in_cell(t, rec.field[0]);
        if (got != strtoll(rec.field[1], NULL, 10))
            fail_msg("%s: %lld, expected %s", rec.field[0], (long long)got, rec.field[1]);
        n++;
    }
    assert_int_equal(n, 26);
    csv_reader_free(csv);
    (void)fclose(f);
}

static void test_boston(void **state) {
    (void)state;
    struct town t;
    char csv[128];
    if (access(SHARED "01-service-requests/boston_311_2011H2.csv.gz", R_OK) != 0) {
        print_message("skipped: the shared data are not here\n");
        skip();
    }
    if (access(BUILD_DIR "/gezhi-geo", X_OK) != 0) {
        print_message("skipped: gezhi-geo is not built\n");
        skip();
    }
    if (UNDER_SANITIZER) {
        print_message("skipped: under a sanitizer test_warn_boston imports this file\n");
        skip();
    }
    make_boston(&t);
    open_town(&t);
    (void)snprintf(csv, sizeof csv, "%.60s/b.csv", t.dir);
    unpack(SHARED "01-service-requests/boston_311_2011H2.csv.gz", csv);
    struct case_imported n = import_boston(&t, csv);
    assert_int_equal(n.read, 58251);
    assert_int_equal(n.imported, 58251);
    assert_int_equal(n.rejected, 0);
    assert_int_equal(n.on_time_same, 58093);
    assert_int_equal(n.on_time_differs, 0);
    assert_int_equal(n.on_time_blank, 158);
    check_neighbourhoods(&t);
    assert_int_equal(number(&t, "SELECT count(*) FROM case_ WHERE cell IS NULL"), 15);
    assert_int_equal(number(&t, "SELECT count(*) FROM case_ WHERE overdue = 1"), 8073 + 3448 + 158);
    assert_int_equal(number(&t, "SELECT count(*) FROM case_ WHERE state = 'closed'"), 58251 - 3681);
    assert_int_equal(number(&t, "SELECT count(DISTINCT source_class) FROM case_"), 141);
    assert_int_equal(number(&t, "SELECT count(*) FROM step"), 2 * 58251);
    n = import_boston(&t, csv);
    assert_int_equal(n.imported, 0);
    assert_int_equal(n.unchanged, 58251);
    assert_int_equal(n.rejected, 0);
    close_town(&t);
    drop_town(&t);
}

static int setup(void **state) {
    static struct town t;
    new_town(&t, "UTC");
    open_town(&t);
    *state = &t;
    return 0;
}

static int teardown(void **state) {
    close_town(*state);
    drop_town(*state);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_times),      cmocka_unit_test(test_rule),
        cmocka_unit_test(test_map_errors), cmocka_unit_test(test_small),
        cmocka_unit_test(test_headers),    cmocka_unit_test(test_boston),
        cmocka_unit_test(test_export),
    };
    return cmocka_run_group_tests_name("import", tests, setup, teardown);
}
