/* gezhi import areas, gezhi import cells, gezhi locate */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "cli/cli.h"
#include "domain/grid/import.h"
#include "store/look.h"

static int run_import(const char *name, const char *data, const struct grid_import *in, bool cells,
                      bool quiet) {
    struct err err = {0};
    struct folder f;
    struct grid_imported out;
    if (folder_open(data, 2, NULL, &f, &err) != ERR_OK) return cli_fail(name, &err);
    struct grid_import i = *in;
    i.helper_dir = folder_helpers(f.arena);
    i.warnings = quiet ? NULL : stderr;
    enum err_code rc = grid_import_run(&f, &i, &out, &err);
    folder_close(&f);
    if (rc != ERR_OK) return cli_fail(name, &err);
    (void)printf("read %lld, added %lld, changed %lld, unchanged %lld, repaired %lld\n",
                 (long long)out.read, (long long)out.added, (long long)out.changed,
                 (long long)out.unchanged, (long long)out.repaired);
    if (cells && out.without_parent > 0) {
        (void)fprintf(stderr, "%lld cells lie in no area: nobody above them will be asked\n",
                      (long long)out.without_parent);
    }
    if (!cells && out.without_parent > 0 && out.without_parent < out.read) {
        (void)fprintf(stderr, "%lld areas lie in no area above them; name it with --parent\n",
                      (long long)out.without_parent);
    }
    return 0;
}

int cli_import_areas(int argc, char **argv) {
    const char *data = NULL, *level = NULL;
    bool quiet = false;
    struct grid_import in = {.level = -1, .problems = stderr};
    const struct opt opts[] = {
        {"data", OPT_STR, &data, true, "DIR", "the city's folder"},
        {"code", OPT_STR, &in.code_field, false, "FIELD",
         "attribute with the code; the name without it"},
        {"name", OPT_STR, &in.name_field, true, "FIELD", "attribute with the name"},
        {"level", OPT_STR, &level, false, "LEVEL", "province, city, county, town or community"},
        {"parent", OPT_STR, &in.parent, false, "CODE", "area above all of them"},
        {"crs", OPT_STR, &in.crs, false, "CRS",
         "wgs84, gcj02, bd09 or EPSG:n, against what the file says"},
        {"repair", OPT_FLAG, &in.repair, false, NULL, "mend shapes that are not valid"},
        {"quiet", OPT_FLAG, &quiet, false, NULL, "do not report overlaps and gaps"}};
    const struct opt_command cmd = {
        "import areas", "FILE", 1, 1, opts, 8, "Import areas from what OGR reads.", NULL};
    struct err err = {0};
    int done = cli_parse(&cmd, argc, argv);
    if (done != CLI_GO_ON) return done;
    if (level != NULL && (in.level = area_level_parse(level)) < 0) {
        (void)err_fail(&err, ERR_INVALID,
                       "--level \"%s\": expected province, city, county, town or community", level);
        return cli_usage(&cmd, &err);
    }
    in.file = argv[0];
    return run_import("import areas", data, &in, false, quiet);
}

int cli_import_cells(int argc, char **argv) {
    const char *data = NULL;
    bool quiet = false;
    struct grid_import in = {.level = -1, .problems = stderr};
    const struct opt opts[] = {
        {"data", OPT_STR, &data, true, "DIR", "the city's folder"},
        {"layer", OPT_STR, &in.layer, true, "LAYER", "name of the layer, such as social"},
        {"name", OPT_STR, &in.name_field, true, "FIELD", "attribute with the name"},
        {"code", OPT_STR, &in.code_field, false, "FIELD",
         "attribute with the code; the name without it"},
        {"parent", OPT_STR, &in.parent_field, false, "FIELD",
         "attribute with the area's code; by shape without it"},
        {"crs", OPT_STR, &in.crs, false, "CRS",
         "wgs84, gcj02, bd09 or EPSG:n, against what the file says"},
        {"repair", OPT_FLAG, &in.repair, false, NULL, "mend shapes that are not valid"},
        {"quiet", OPT_FLAG, &quiet, false, NULL, "do not report overlaps and gaps"}};
    const struct opt_command cmd = {"import cells",
                                    "FILE",
                                    1,
                                    1,
                                    opts,
                                    8,
                                    "Import a layer of cells from what OGR reads.",
                                    NULL};
    int done = cli_parse(&cmd, argc, argv);
    if (done != CLI_GO_ON) return done;
    in.file = argv[0];
    return run_import("import cells", data, &in, true, quiet);
}

/* ---- locate ---- */

struct locating {
    const struct grid *grid;
    const char *layer, *prefix;
    FILE *in, *out, *errors;
    size_t lon, lat;
    int64_t n_bad;
};

static int column(const struct csv_record *head, const char *name) {
    for (size_t i = 0; i < head->n; i++) {
        if (strcmp(head->field[i], name) == 0) return (int)i;
    }
    return -1;
}

static bool number(const char *text, double max, double *out) {
    char *end = NULL;
    *out = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*out) && fabs(*out) <= max;
}

static enum err_code put_line(FILE *out, struct buf *b, struct err *err) {
    TRY(buf_check(b, err));
    if (fwrite(buf_text(b), 1, b->n, out) != b->n)
        return err_fail(err, ERR_IO, "cannot write the output");
    buf_clear(b);
    return ERR_OK;
}

static enum err_code locate_head(struct locating *l, const struct csv_record *head, struct buf *b,
                                 struct err *err) {
    int lon = column(head, "lon"), lat = column(head, "lat");
    if (lon < 0 || lat < 0)
        return err_fail(err, ERR_INVALID, "the input has no columns lon and lat");
    l->lon = (size_t)lon;
    l->lat = (size_t)lat;
    static const char *const added[] = {"code", "name"};
    buf_add(b, head->raw, head->raw_n);
    for (size_t i = 0; i < 2; i++) {
        char name[128];
        (void)snprintf(name, sizeof name, "%s%s", l->prefix, added[i]);
        if (column(head, name) >= 0) {
            return err_fail(err, ERR_INVALID,
                            "the input has a column \"%s\" already; give --prefix", name);
        }
        csv_field(b, name, false);
    }
    csv_end(b);
    return put_line(l->out, b, err);
}

static enum err_code locate_row(struct locating *l, const struct csv_record *r, struct buf *b,
                                struct err *err) {
    double lon = 0, lat = 0;
    bool good = r->n > l->lon && r->n > l->lat && number(r->field[l->lon], 180, &lon) &&
                number(r->field[l->lat], 90, &lat);
    const char *code = "", *name = "";
    if (good) {
        struct place p = grid_place(l->grid, l->layer, lon, lat, 0);
        if (p.cell != GRID_NONE) {
            code = l->grid->cells[p.cell].code;
            name = l->grid->cells[p.cell].name;
        }
    } else {
        l->n_bad++;
        if (l->errors != NULL)
            (void)fprintf(l->errors, "line %ld: lon or lat is no number in range: %.*s\n", r->line,
                          (int)r->raw_n, r->raw);
    }
    buf_add(b, r->raw, r->raw_n);
    csv_field(b, code, false);
    csv_field(b, name, false);
    csv_end(b);
    return put_line(l->out, b, err);
}

static enum err_code locate_stream(struct locating *l, struct err *err) {
    struct csv_reader *reader = csv_reader_new(l->in, ',');
    if (reader == NULL) return err_fail(err, ERR_NOMEM, "locate");
    struct buf b;
    buf_init(&b, 4u << 20);
    struct csv_record r;
    bool more = false;
    enum err_code rc = csv_read(reader, &r, &more, err);
    if (rc == ERR_OK && !more)
        rc = err_fail(err, ERR_INVALID, "the input is empty; expected a header with lon and lat");
    if (rc == ERR_OK) rc = locate_head(l, &r, &b, err);
    while (rc == ERR_OK && more) {
        rc = csv_read(reader, &r, &more, err);
        if (rc == ERR_OK && more) rc = locate_row(l, &r, &b, err);
    }
    buf_deinit(&b);
    csv_reader_free(reader);
    return rc;
}

static bool has_layer(const struct grid *g, const char *layer) {
    for (size_t i = 0; i < g->n_layers; i++) {
        if (strcmp(g->layers[i].name, layer) == 0) return true;
    }
    return false;
}

static enum err_code locate_open(const char *data, struct folder *f, struct locating *l,
                                 struct err *err) {
    TRY(folder_look(data, f, err));
    enum err_code rc = grid_build(f->look, 1, f->packs, NULL, &l->grid, err);
    ledger_look_end(f->look); /* a long stream must not hold the snapshot of a served folder */
    f->look = NULL;
    if (rc == ERR_OK && !has_layer(l->grid, l->layer)) {
        rc = err_fail(err, ERR_INVALID, "there is no layer \"%s\" of cells", l->layer);
    }
    if (rc != ERR_OK) {
        grid_unref(l->grid);
        folder_close(f);
    }
    return rc;
}

static FILE *open_or(const char *path, const char *mode, FILE *fallback, struct err *err) {
    if (path == NULL) return fallback;
    FILE *f = fopen(path, mode);
    if (f == NULL) (void)err_fail(err, ERR_IO, "cannot open %s", path);
    return f;
}

int cli_locate(int argc, char **argv) {
    const char *data = NULL, *in = NULL, *errors = NULL;
    struct locating l = {.prefix = "", .out = stdout};
    const struct opt opts[] = {
        {"data", OPT_STR, &data, true, "DIR", "the city's folder"},
        {"layer", OPT_STR, &l.layer, true, "LAYER", "layer of cells"},
        {"in", OPT_STR, &in, false, "FILE", "CSV with columns lon,lat (standard input)"},
        {"errors", OPT_STR, &errors, false, "FILE", "rows with a bad lon or lat"},
        {"prefix", OPT_STR, &l.prefix, false, "P",
         "before the names of the added columns code and name"}};
    const struct opt_command cmd = {
        "locate", NULL, 0, 0, opts, 5, "Add the code and name of the cell to each row of a CSV.",
        NULL};
    struct err err = {0};
    struct folder f;
    int done = cli_parse(&cmd, argc, argv);
    if (done != CLI_GO_ON) return done;
    l.in = open_or(in, "r", stdin, &err);
    if (l.in == NULL) return cli_fail("locate", &err);
    l.errors = open_or(errors, "w", NULL, &err);
    if (errors != NULL && l.errors == NULL) return cli_fail("locate", &err);
    if (locate_open(data, &f, &l, &err) != ERR_OK) return cli_fail("locate", &err);
    enum err_code rc = locate_stream(&l, &err);
    grid_unref(l.grid);
    folder_close(&f);
    if (l.errors != NULL) (void)fclose(l.errors);
    if (l.n_bad > 0) (void)fprintf(stderr, "%lld rows have a bad lon or lat\n", (long long)l.n_bad);
    if (rc == ERR_OK) return 0;
    return rc == ERR_INVALID ? cli_usage(&cmd, &err) : cli_fail("locate", &err);
}
