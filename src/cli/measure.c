/* gezhi import indicators */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "cli/cli.h"
#include "domain/measure/figure.h"

struct import_args {
    const char *file, *data, *errors;
    bool dry_run, json;
};

static void print_counts(const struct import_args *a, const struct figure_imported *n) {
    const struct {
        const char *name;
        int64_t n;
    } rows[] = {{"read", n->read},
                {"added", n->added},
                {"restated", n->restated},
                {"unchanged", n->unchanged},
                {"rejected", n->rejected}};
    struct buf b;
    struct jw w;
    buf_init(&b, 4096);
    jw_init(&w, &b);
    jw_obj(&w);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) jw_kint(&w, rows[i].name, rows[i].n);
    jw_end(&w, '}');
    (void)printf("%s\n", buf_text(&b));
    buf_deinit(&b);
    if (a->json) return;
    if (a->dry_run) (void)fprintf(stderr, "nothing was written: --dry-run\n");
    if (n->rejected > 0 && a->errors == NULL)
        (void)fprintf(stderr, "--errors OUT.csv keeps the rejected rows\n");
}

static enum err_code open_file(const char *path, const char *mode, FILE **out, struct err *err) {
    *out = fopen(path, mode);
    return *out != NULL ? ERR_OK : err_fail(err, ERR_IO, "cannot open %s", path);
}

static enum err_code import_file(const struct import_args *a, struct folder *f,
                                 struct figure_imported *n, struct err *err) {
    const struct grid *g = NULL;
    struct reader *r = NULL;
    struct figure_import in = {
        .name = a->file, .in = stdin, .restated = a->json ? NULL : stderr, .dry_run = a->dry_run};
    TRY(ledger_read_begin(f->ledger, &r, err));
    enum err_code rc = grid_build(reader_db(r), 1, f->packs, NULL, &g, err);
    ledger_read_end(r);
    TRY(rc);
    if (strcmp(a->file, "-") != 0) rc = open_file(a->file, "r", &in.in, err);
    if (rc == ERR_OK && a->errors != NULL) rc = open_file(a->errors, "w", &in.rejected, err);
    if (rc == ERR_OK) rc = figure_import_run(f, g, &in, n, err);
    if (in.rejected != NULL && fclose(in.rejected) != 0 && rc == ERR_OK)
        rc = err_fail(err, ERR_IO, "cannot write %s", a->errors);
    if (in.in != NULL && in.in != stdin) (void)fclose(in.in);
    grid_unref(g);
    return rc;
}

int cli_import_indicators(int argc, char **argv) {
    struct import_args a = {0};
    const struct opt opts[] = {
        {"data", OPT_STR, &a.data, true, "DIR", "the city's folder"},
        {"dry-run", OPT_FLAG, &a.dry_run, false, NULL, "check every row, write nothing"},
        {"errors", OPT_STR, &a.errors, false, "OUT.csv", "rejected rows, with a column reason"},
        {"json", OPT_FLAG, &a.json, false, NULL, "print nothing but the counts"}};
    const struct opt_command cmd = {
        .name = "import indicators",
        .positional = "FILE.csv",
        .min_args = 1,
        .max_args = 1,
        .opts = opts,
        .n_opts = 4,
        .summary = "Import outside figures: indicator,area,period,value[,denominator][,note]. A "
                   "figure that is there already is restated.",
        .example = "gezhi import indicators samples/residents.csv --data build/demo --dry-run"};
    struct err err = {0};
    struct folder f;
    struct figure_imported n = {0};
    int done = cli_parse(&cmd, argc, argv);
    if (done != CLI_GO_ON) return done;
    a.file = argv[0];
    if (folder_open(a.data, 2, NULL, &f, &err) != ERR_OK)
        return cli_fail("import indicators", &err);
    enum err_code rc = import_file(&a, &f, &n, &err);
    folder_close(&f);
    if (rc != ERR_OK) return cli_fail("import indicators", &err);
    print_counts(&a, &n);
    return n.rejected > 0 ? 1 : 0;
}
