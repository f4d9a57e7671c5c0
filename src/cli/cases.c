/* gezhi import cases, gezhi export cases */
#include <stdio.h>
#include <string.h>

#include "base/civil.h"
#include "base/json.h"
#include "cli/cli.h"
#include "domain/grid/folder.h"
#include "domain/process/export_cases.h"
#include "domain/process/import_cases.h"

/* The folder of a city with its places and process engine, as a command needs them. */
struct opened {
    struct folder f;
    struct grid_service *grid;
    struct engine *engine;
};

static enum err_code open_city(const char *data, struct opened *o, struct err *err) {
    *o = (struct opened){0};
    TRY(folder_open(data, 2, NULL, &o->f, err));
    enum err_code rc = grid_open(o->f.ledger, o->f.packs, &o->grid, err);
    if (rc == ERR_OK) {
        rc = engine_new(o->f.arena, o->f.packs, o->f.tz, ledger_secret(o->f.ledger), o->grid,
                        &o->engine, err);
    }
    return rc;
}

static void close_city(struct opened *o) {
    if (o->f.ledger != NULL)
        ledger_close(o->f.ledger); /* ends the follower that the grid hangs on */
    o->f.ledger = NULL;
    if (o->grid != NULL) grid_close(o->grid);
    if (o->f.arena != NULL) folder_close(&o->f);
}

static enum err_code open_file(const char *path, const char *mode, FILE **out, struct err *err) {
    *out = fopen(path, mode);
    return *out != NULL ? ERR_OK : err_fail(err, ERR_IO, "cannot open %s", path);
}

static enum err_code close_file(FILE *f, enum err_code rc, struct err *err) {
    if (f == NULL || f == stdin || f == stdout) return rc;
    bool bad = ferror(f) != 0;
    if ((fclose(f) != 0 || bad) && rc == ERR_OK)
        return err_fail(err, ERR_IO, "a file could not be written whole");
    return rc;
}

/* ---- import ---- */

struct import_args {
    const char *file, *data, *map, *errors;
    bool dry_run, json;
};

static void print_counts(const struct import_args *a, const struct case_import *in,
                         const struct case_imported *n) {
    struct buf b;
    struct jw w;
    buf_init(&b, 4096);
    jw_init(&w, &b);
    jw_obj(&w);
    jw_kint(&w, "read", n->read);
    jw_kint(&w, "imported", n->imported);
    jw_kint(&w, "unchanged", n->unchanged);
    jw_kint(&w, "rejected", n->rejected);
    jw_end(&w, '}');
    (void)printf("%s\n", buf_text(&b));
    buf_deinit(&b);
    if (a->json) return;
    if (a->dry_run) (void)fprintf(stderr, "nothing was written: --dry-run\n");
    if (in->map->on_time.column != NULL) {
        (void)fprintf(stderr,
                      "column %s: %lld rows agree with the rule (late when closed, or still open, "
                      "after the due time), %lld differ, %lld are blank\n",
                      in->map->on_time.column, (long long)n->on_time_same,
                      (long long)n->on_time_differs, (long long)n->on_time_blank);
    }
    if (n->rejected > 0 && a->errors == NULL)
        (void)fprintf(stderr, "--errors OUT.csv keeps the rejected rows\n");
}

static enum err_code run_import(const struct import_args *a, struct opened *o, struct err *err) {
    struct clock clock = clock_system();
    struct case_import in = {.engine = o->engine,
                             .ledger = o->f.ledger,
                             .now_us = clock_now_us(&clock),
                             .dry_run = a->dry_run,
                             .in = stdin,
                             .log = stderr};
    struct case_imported n = {0};
    TRY(map_load(o->f.arena, a->map, o->engine, o->f.tz, &in.map, err));
    if (strcmp(a->file, "-") != 0) TRY(open_file(a->file, "r", &in.in, err));
    enum err_code rc = a->errors == NULL ? ERR_OK : open_file(a->errors, "w", &in.errors, err);
    if (rc == ERR_OK) rc = import_cases(&in, &n, err);
    rc = close_file(in.errors, rc, err);
    if (in.in != stdin) (void)fclose(in.in);
    if (rc == ERR_OK)
        print_counts(a, &in, &n);
    else if (n.imported > 0)
        (void)fprintf(stderr,
                      "%lld cases had been imported before the fault; run it again to go on\n",
                      (long long)n.imported);
    return rc;
}

int cli_import_cases(int argc, char **argv) {
    struct import_args a = {0};
    const struct opt opts[] = {
        {"data", OPT_STR, &a.data, true, "DIR", "the city's folder"},
        {"map", OPT_STR, &a.map, true, "MAP.yaml", "how the table is to be read (docs/import.md)"},
        {"dry-run", OPT_FLAG, &a.dry_run, false, NULL, "check every row, write nothing"},
        {"errors", OPT_STR, &a.errors, false, "OUT.csv", "rejected rows, with a column reason"},
        {"json", OPT_FLAG, &a.json, false, NULL, "print nothing but the counts"}};
    const struct opt_command cmd = {
        "import cases",
        "FILE.csv",
        1,
        1,
        opts,
        5,
        "Import requests of another system from a CSV; - reads standard input.",
        NULL};
    struct err err = {0};
    struct opened o;
    int done = cli_parse(&cmd, argc, argv);
    if (done != CLI_GO_ON) return done;
    a.file = argv[0];
    enum err_code rc = open_city(a.data, &o, &err);
    if (rc == ERR_OK) rc = run_import(&a, &o, &err);
    close_city(&o);
    return rc == ERR_OK ? 0 : cli_fail("import cases", &err);
}

/* ---- export ---- */

/* A day of the city's calendar, or an instant as RFC 3339. */
static enum err_code read_when(const char *name, const char *text, const struct tz *tz, int64_t *us,
                               struct err *err) {
    int64_t days = 0;
    if (text == NULL) return ERR_OK;
    if (civil_date_parse(text, &days)) {
        *us = tz_to_utc(tz, days * INT64_C(86400000000));
        return ERR_OK;
    }
    if (rfc3339_parse(text, us, NULL) == ERR_OK) return ERR_OK;
    return err_fail(err, ERR_INVALID,
                    "--%s \"%.60s\": expected a date such as 2026-01-31, or a time with its zone",
                    name, text);
}

struct export_args {
    const char *data, *format, *from, *to, *out, *purpose;
    bool personal;
};

static enum err_code run_export(const struct export_args *a, struct opened *o, struct err *err) {
    struct case_export x = {.engine = o->engine,
                            .ledger = o->f.ledger,
                            .from_us = INT64_MIN,
                            .to_us = INT64_MAX,
                            .personal = a->personal,
                            .purpose = a->purpose,
                            .out = stdout};
    int64_t n = 0;
    TRY(export_format_parse(a->format, &x.format, err));
    TRY(read_when("from", a->from, o->f.tz, &x.from_us, err));
    TRY(read_when("to", a->to, o->f.tz, &x.to_us, err));
    if (a->out != NULL) TRY(open_file(a->out, "w", &x.out, err));
    enum err_code rc = export_cases(&x, &n, err);
    rc = close_file(x.out, rc, err);
    if (rc == ERR_OK) (void)fprintf(stderr, "%lld cases\n", (long long)n);
    return rc;
}

int cli_export_cases(int argc, char **argv) {
    struct export_args a = {.format = "ndjson"};
    const struct opt opts[] = {
        {"data", OPT_STR, &a.data, true, "DIR", "the city's folder"},
        {"format", OPT_STR, &a.format, false, "F", "ndjson (with routes), csv or geojson"},
        {"from", OPT_STR, &a.from, false, "DATE", "opened on this day or later"},
        {"to", OPT_STR, &a.to, false, "DATE", "opened before this day"},
        {"out", OPT_STR, &a.out, false, "FILE", "standard output without it"},
        {"personal", OPT_FLAG, &a.personal, false, NULL, "also personal values; journalled"},
        {"purpose", OPT_STR, &a.purpose, false, "TEXT", "why personal values are needed"}};
    const struct opt_command cmd = {
        "export cases",
        NULL,
        0,
        0,
        opts,
        7,
        "Export all cases, in order of their ids; no personal values unless asked for.",
        NULL};
    struct err err = {0};
    struct opened o;
    int done = cli_parse(&cmd, argc, argv);
    if (done != CLI_GO_ON) return done;
    enum err_code rc = open_city(a.data, &o, &err);
    if (rc == ERR_OK) rc = run_export(&a, &o, &err);
    close_city(&o);
    return rc == ERR_OK ? 0 : cli_fail("export cases", &err);
}
