#include "study/scan/prm.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "study/scan/source.h"

/* A value that is honoured, as it was written and as a number. */
struct cell {
    const char *text;
    double number;
};

struct source_cells {
    struct cell map, delimiter, skip, header;
};

/* Every member is a cell or made of cells; a row's field is the offset of one. */
struct raw {
    struct source_cells cases_source, controls_source, population_source, geo_source, grid_source;
    struct cell cases, controls, population, geo, grid, edges, neighbors;
    struct cell use_grid, use_edges, use_neighbors, positions, sphere;
    struct cell precision, start, end, unit, unit_length;
    struct cell analysis, model, rates, relaxed_times, relaxed_places;
    struct cell max_size, use_radius, max_radius, min_cases, overlap, hierarchical;
    struct cell shape, penalty, ellipse_shapes, ellipse_angles;
    struct cell min_time, max_time, max_time_units, also_temporal, also_spatial;
    struct cell p_mode, stop_after, replicas, seed, threads;
    struct cell iterative, iterations, iterate_p, location_f, bootstrap, bootstrap_p, title;
};

#define PRM_NO_FIELD SIZE_MAX
#define FIELD(name) offsetof(struct raw, name)

static const struct prm_row table[] = {
#define PRM(section, key, kind, allowed, min, max, field, meaning)                                 \
    {section, key, kind, allowed, min, max, meaning, field},
#include "study/scan/prm.def"
#undef PRM
};
enum { N_ROWS = sizeof table / sizeof table[0] };

const struct prm_row *prm_rows(size_t *n) {
    *n = N_ROWS;
    return table;
}

/* ---- one value ---- */

/* SaTScan's own defaults. */
static void set_defaults(struct raw *r) {
    *r = (struct raw){.unit = {.number = TIME_YEAR},
                      .start = {.text = "2000/1/1"},
                      .end = {.text = "2000/12/31"},
                      .unit_length = {.number = 1},
                      .analysis = {.number = 1},
                      .rates = {.number = 1},
                      .max_size = {.number = 50},
                      .max_radius = {.number = 1},
                      .min_cases = {.number = 2},
                      .hierarchical = {.number = 1},
                      .ellipse_shapes = {.text = "1.5,2,3,4,5"},
                      .ellipse_angles = {.text = "4,6,9,12,15"},
                      .min_time = {.number = 1},
                      .max_time = {.number = 50},
                      .stop_after = {.number = 50},
                      .replicas = {.number = 999},
                      .seed = {.number = 12345678},
                      .iterations = {.number = 10},
                      .iterate_p = {.number = 0.05},
                      .bootstrap = {.number = 1000},
                      .bootstrap_p = {.number = 0.05},
                      .title = {.text = ""}};
}

static bool in_list(const char *list, const char *value) {
    size_t n = strlen(value);
    for (const char *p = list;;) {
        size_t len = strcspn(p, "|");
        if (len == n && strncasecmp(p, value, n) == 0) return true;
        if (p[len] == '\0') return false;
        p += len + 1;
    }
}

static bool parse_number(const char *text, double *out) {
    char *end = NULL;
    *out = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*out) && strpbrk(text, "xX") == NULL;
}
static bool parse_flag(const char *text, double *out) {
    bool yes = strcasecmp(text, "y") == 0 || strcasecmp(text, "yes") == 0 || strcmp(text, "1") == 0;
    bool no = strcasecmp(text, "n") == 0 || strcasecmp(text, "no") == 0 || strcmp(text, "0") == 0 ||
              *text == '\0';
    *out = yes;
    return yes || no;
}

/* NULL, or why the value is not taken. */
static const char *take(const struct prm_row *row, const char *value, struct raw *raw) {
    struct cell unused = {0};
    struct cell *cell =
        row->field == PRM_NO_FIELD ? &unused : (struct cell *)(void *)((char *)raw + row->field);
    double number = 0;
    switch (row->kind) {
    case PRM_PATH:
    case PRM_TEXT:
        cell->text = value;
        return NULL;
    case PRM_FLAG:
        if (!parse_flag(value, &number)) return "expected y or n";
        /* One value may have an older and a newer name. */
        cell->number = cell->number != 0 && row->field == FIELD(location_f) ? 1 : number;
        return NULL;
    case PRM_NUMBER:
        if (!parse_number(value, &number)) return "expected a number";
        if (number < row->min || number > row->max) return "out of range";
        cell->number = number;
        return NULL;
    case PRM_CHOICE:
        if (!in_list(row->allowed, value)) return "not supported";
        return parse_number(value, &cell->number) ? NULL : "expected a number";
    case PRM_ONLY:
        return in_list(row->allowed, value) ? NULL : "not supported";
    case PRM_OUTPUT:
        if (!parse_flag(value, &number)) return "expected y or n";
        return number == 0 ? NULL : "an output that gezhi does not write";
    case PRM_NEUTRAL:
        return NULL;
    }
    return NULL;
}

/* ---- the lines ---- */

struct parsing {
    struct arena *a;
    const char *path;
    bool skip_outputs;
    const char *section;
    long line;
    long seen[N_ROWS]; /* the line of each row, 0 */
    struct raw raw;
    struct prm_problem *problem, *skipped;
    size_t n_problems, n_skipped;
};

static enum err_code add_problem(struct parsing *p, const char *key, const char *value,
                                 const char *why, bool output) {
    struct prm_problem *to = output ? &p->skipped[p->n_skipped++] : &p->problem[p->n_problems++];
    *to = (struct prm_problem){p->line, p->section, key, value, why};
    return ERR_OK;
}

static enum err_code take_pair(struct parsing *p, const char *key, const char *value) {
    for (size_t i = 0; i < N_ROWS; i++) {
        if (strcasecmp(table[i].section, p->section) != 0 || strcasecmp(table[i].key, key) != 0)
            continue;
        if (p->seen[i] != 0) return add_problem(p, key, value, "given twice", false);
        p->seen[i] = p->line;
        const char *why = take(&table[i], value, &p->raw);
        if (why == NULL) return ERR_OK;
        return add_problem(p, key, value, why, p->skip_outputs && table[i].kind == PRM_OUTPUT);
    }
    return add_problem(p, key, value, "an unknown parameter", false);
}

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

static enum err_code take_line(struct parsing *p, const char *begin, const char *end,
                               struct err *err) {
    const char *line = begin;
    while (begin < end && is_blank(*begin)) begin++;
    while (end > begin && is_blank(end[-1])) end--;
    if (begin == end || *begin == ';') return ERR_OK;
    if (*begin == '[') {
        if (end[-1] != ']')
            return err_fail(err, ERR_SYNTAX, "%s:%ld:%ld: a section's name does not end with ]",
                            p->path, p->line, (long)(end - line) + 1);
        p->section = arena_dup(p->a, begin + 1, (size_t)(end - begin) - 2);
        return p->section != NULL ? ERR_OK : err_fail(err, ERR_NOMEM, "%s: no memory", p->path);
    }
    const char *equal = memchr(begin, '=', (size_t)(end - begin));
    if (equal == NULL || equal == begin)
        return err_fail(err, ERR_SYNTAX, "%s:%ld:%ld: expected [Section], Key=value or ;comment",
                        p->path, p->line, (long)(begin - line) + 1);
    if (p->section == NULL)
        return err_fail(err, ERR_SYNTAX, "%s:%ld:%ld: a parameter before the first [Section]",
                        p->path, p->line, (long)(begin - line) + 1);
    const char *key_end = equal, *value = equal + 1;
    while (key_end > begin && is_blank(key_end[-1])) key_end--;
    while (value < end && is_blank(*value)) value++;
    const char *key = arena_dup(p->a, begin, (size_t)(key_end - begin));
    const char *text = arena_dup(p->a, value, (size_t)(end - value));
    if (key == NULL || text == NULL) return err_fail(err, ERR_NOMEM, "%s: no memory", p->path);
    return take_pair(p, key, text);
}

static enum err_code take_lines(struct parsing *p, const char *text, size_t n, struct err *err) {
    size_t lines = 1;
    TRY(source_check(p->path, text, n, err));
    if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        text += 3;
        n -= 3;
    }
    for (size_t i = 0; i < n; i++) lines += text[i] == '\n';
    /* Each line makes at most one problem, and each setting that does not fit one more. */
    p->problem = ARENA_NEW(p->a, struct prm_problem, lines + 32);
    p->skipped = ARENA_NEW(p->a, struct prm_problem, lines);
    if (p->problem == NULL || p->skipped == NULL)
        return err_fail(err, ERR_NOMEM, "%s: no memory", p->path);
    for (const char *at = text, *end = n == 0 ? text : text + n; at < end;) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        if (stop == NULL) stop = end;
        p->line++;
        TRY(take_line(p, at, stop, err));
        at = stop < end ? stop + 1 : end;
    }
    return ERR_OK;
}

/* ---- from values to settings ---- */

static void blame(struct parsing *p, const char *section, const char *key, const char *value,
                  const char *why) {
    p->line = 0;
    for (size_t i = 0; i < N_ROWS; i++)
        if (strcmp(table[i].key, key) == 0 && p->seen[i] != 0) p->line = p->seen[i];
    p->section = section;
    (void)add_problem(p, key, value, why, false);
}

static const char *resolve(struct parsing *p, const char *dir, const struct cell *cell) {
    if (cell->text == NULL || *cell->text == '\0') return NULL;
    return file_join(p->a, dir, cell->text);
}

static void set_files(struct parsing *p, const char *dir, struct scan_settings *s) {
    const struct raw *r = &p->raw;
    s->kind = FILE_SATSCAN;
    s->cases = resolve(p, dir, &r->cases);
    /* SaTScan reads only the files that the model needs. */
    if (s->model == SCAN_BERNOULLI) s->controls = resolve(p, dir, &r->controls);
    if (s->model == SCAN_POISSON) s->population = resolve(p, dir, &r->population);
    if (s->options.analysis == SCAN_TEMPORAL) return;
    s->geo[0] = resolve(p, dir, &r->geo);
    s->n_geo = s->geo[0] != NULL;
    if (r->use_grid.number != 0) {
        s->grid = resolve(p, dir, &r->grid);
        if (s->grid == NULL) blame(p, "Input", "GridFile", "", "UseGridFile asks for it");
    }
    if (r->use_edges.number != 0) {
        s->edges = resolve(p, dir, &r->edges);
        if (s->edges == NULL)
            blame(p, "Locations Network", "LocationsNetworkFilename", "",
                  "UseLocationsNetworkFile asks for it");
    }
    if (r->use_neighbors.number != 0) {
        s->neighbors = resolve(p, dir, &r->neighbors);
        s->n_geo = 0; /* as SaTScan, which then has no coordinates */
        if (s->neighbors == NULL)
            blame(p, "Spatial Neighbors", "NeighborsFilename", "", "UseNeighborsFile asks for it");
    }
}

static void set_format(struct parsing *p, const struct source_cells *c, const char *key,
                       struct text_format *f) {
    const char *delimiter = c->delimiter.text == NULL ? "" : c->delimiter.text;
    f->map = c->map.text;
    f->separator = delimiter[0];
    f->skip = (size_t)c->skip.number + (c->header.number != 0);
    if (strlen(delimiter) > 1 || delimiter[0] == '"')
        blame(p, "Input", key, delimiter, "expected one character");
}

static void set_formats(struct parsing *p, struct scan_settings *s) {
    const struct raw *r = &p->raw;
    set_format(p, &r->cases_source, "CaseFile-SourceDelimiter", &s->format[FILE_CASES]);
    set_format(p, &r->controls_source, "ControlFile-SourceDelimiter", &s->format[FILE_CONTROLS]);
    set_format(p, &r->population_source, "PopulationFile-SourceDelimiter",
               &s->format[FILE_POPULATION]);
    set_format(p, &r->geo_source, "CoordinatesFile-SourceDelimiter", &s->format[FILE_PLACES]);
    set_format(p, &r->grid_source, "GridFile-SourceDelimiter", &s->format[FILE_GRID]);
}

static void set_time(struct parsing *p, struct scan_settings *s) {
    const struct raw *r = &p->raw;
    s->precision = (enum time_unit)(int)r->precision.number;
    s->precision_given = true;
    s->unit = (enum time_unit)(int)r->unit.number;
    s->unit_length = (int64_t)r->unit_length.number;
    s->start = *r->start.text == '\0' ? NULL : r->start.text;
    s->end = *r->end.text == '\0' ? NULL : r->end.text;
    s->min_time = r->min_time.number;
    s->max_time = r->max_time.number;
    s->max_time_percent = r->max_time_units.number == 0;
    s->relaxed_times = r->relaxed_times.number != 0;
    s->relaxed_places = r->relaxed_places.number != 0;
    if (s->options.analysis == SCAN_SPATIAL) return;
    if (s->max_time_percent && s->max_time > 90)
        blame(p, "Temporal Window", "MaxTemporalSize", r->max_time.text, "more than 90 percent");
    if (s->unit == TIME_NONE)
        blame(p, "Analysis", "TimeAggregationUnits", "0", "a scan in time needs a unit");
    else if (s->unit != TIME_GENERIC && s->precision < s->unit)
        blame(p, "Input", "PrecisionCaseTimes", "",
              "the times of cases must be as exact as the unit of time");
}

static void set_model(struct parsing *p, struct scan_settings *s) {
    static const enum scan_analysis analysis[] = {SCAN_SPATIAL,    SCAN_SPATIAL,    SCAN_TEMPORAL,
                                                  SCAN_SPACE_TIME, SCAN_SPACE_TIME, SCAN_SPATIAL,
                                                  SCAN_TEMPORAL};
    static const enum scan_p_mode modes[] = {SCAN_P_STANDARD, SCAN_P_STANDARD, SCAN_P_SEQUENTIAL,
                                             SCAN_P_GUMBEL};
    const struct raw *r = &p->raw;
    struct scan_options *o = &s->options;
    int kind = (int)r->analysis.number;
    s->model = (enum scan_model)(int)r->model.number;
    s->places = r->sphere.number != 0 ? PLACES_SPHERE : PLACES_PLANE;
    s->many_positions = r->positions.number != 0;
    s->all_positions = r->positions.number == 2;
    o->analysis = analysis[kind];
    o->prospective = kind == 4 || kind == 6;
    o->rates = (enum scan_rates)(int)r->rates.number;
    o->max_size = r->max_size.number / 100;
    o->max_radius = r->use_radius.number != 0 ? r->max_radius.number : 0;
    o->min_cases = (unsigned)r->min_cases.number;
    o->also_temporal = o->analysis == SCAN_SPACE_TIME && r->also_temporal.number != 0;
    o->also_spatial = o->analysis == SCAN_SPACE_TIME && r->also_spatial.number != 0;
    o->p_mode = modes[(int)r->p_mode.number];
    o->stop_after = o->p_mode == SCAN_P_SEQUENTIAL ? (uint32_t)r->stop_after.number : 0;
    o->replicas = (uint32_t)r->replicas.number;
    o->seed = (uint64_t)r->seed.number;
    o->overlap = r->hierarchical.number != 0 ? (enum scan_overlap)(int)r->overlap.number
                                             : SCAN_ONLY_MOST_LIKELY;
    o->iterative = r->iterative.number != 0;
    o->iterate_p = r->iterate_p.number;
    if (o->iterative) o->max_clusters = (size_t)fmax(1, r->iterations.number);
    o->location_f = r->location_f.number != 0;
}

bool scan_ellipses_parse(const char *shapes, const char *angles, struct scan_settings *s) {
    size_t n = 0;
    for (const char *a = shapes, *b = angles;; a++, b++) {
        char *a_end = NULL, *b_end = NULL;
        double shape = strtod(a, &a_end);
        double angle = strtod(b, &b_end);
        bool good = a_end != a && b_end != b && shape > 1 && shape <= 1000 && angle >= 1 &&
                    angle <= 1000 && angle == floor(angle) && *a_end == *b_end;
        if (!good || n == STUDY_MAX_ELLIPSES) return false;
        s->ellipse_shape[n] = shape;
        s->ellipse_angles[n++] = (unsigned)angle;
        a = a_end;
        b = b_end;
        if (*a == '\0') break;
        if (*a != ',') return false;
    }
    s->options.n_ellipses = n;
    return true;
}

static void check_bootstrap(struct parsing *p, const struct scan_settings *s) {
    const char *why = "only 1000 samples and a cutoff of 0.05 are supported";
    if (!s->options.location_f) return;
    if (p->raw.bootstrap.number != 1000)
        blame(p, "Miscellaneous Analysis", "NumBootstrapReplications", NULL, why);
    if (p->raw.bootstrap_p.number != 0.05)
        blame(p, "Miscellaneous Analysis", "OliveiraPvalueCutoff", NULL, why);
}

static void set_ellipses(struct parsing *p, struct scan_settings *s) {
    const struct raw *r = &p->raw;
    if (r->shape.number == 0) return;
    s->options.shape = SCAN_ELLIPSE;
    s->options.ellipse_penalty = r->penalty.number / 2;
    if (!scan_ellipses_parse(r->ellipse_shapes.text, r->ellipse_angles.text, s))
        blame(p, "Elliptic Scan", "EllipseShapes", r->ellipse_shapes.text,
              "expected shapes over 1, and as many whole numbers of angles");
}

static int by_line(const void *pa, const void *pb) {
    const struct prm_problem *a = pa, *b = pb;
    return a->line < b->line ? -1 : a->line > b->line;
}

static enum err_code tell_problems(const struct parsing *p, struct err *err) {
    char text[360];
    size_t at = 0;
    text[0] = '\0';
    for (size_t i = 0; i < p->n_problems && at < sizeof text - 1; i++) {
        const struct prm_problem *q = &p->problem[i];
        int n = snprintf(text + at, sizeof text - at, "; line %ld: %.60s=%.40s: %s", q->line,
                         q->key, q->value == NULL ? "" : q->value, q->why);
        at += n < 0 ? 0 : (size_t)n;
    }
    return err_fail(err, ERR_INVALID, "%s: %zu parameters are not supported%s", p->path,
                    p->n_problems, text);
}

enum err_code prm_parse(struct arena *a, const char *path, const char *text, size_t n,
                        const char *dir, bool skip_outputs, struct scan_settings *s,
                        struct prm_read *out, struct err *err) {
    struct parsing *p = ARENA_NEW(a, struct parsing, 1);
    if (p == NULL) return err_fail(err, ERR_NOMEM, "%s: no memory", path);
    *out = (struct prm_read){.title = ""};
    p->a = a;
    p->path = path;
    p->skip_outputs = skip_outputs;
    set_defaults(&p->raw);
    TRY(take_lines(p, text, n, err));
    scan_settings_init(s);
    if (p->n_problems == 0) { /* else a value may not be what its place expects */
        set_model(p, s);
        set_files(p, dir, s);
        set_formats(p, s);
        set_time(p, s);
        set_ellipses(p, s);
        check_bootstrap(p, s);
    }
    qsort(p->problem, p->n_problems, sizeof *p->problem, by_line);
    *out = (struct prm_read){.n_problems = p->n_problems,
                             .problem = p->problem,
                             .n_skipped = p->n_skipped,
                             .skipped = p->skipped,
                             .title = p->raw.title.text,
                             .n_threads = (size_t)p->raw.threads.number,
                             .default_p_value = p->raw.p_mode.number == 0};
    if (p->n_problems > 0) return tell_problems(p, err);
    if (s->cases == NULL)
        return err_fail(err, ERR_INVALID, "%s: [Input] CaseFile names no file", path);
    return ERR_OK;
}

static void free_text(void *text) { buf_deinit(text); }

enum err_code prm_load(struct arena *a, const char *path, bool skip_outputs,
                       struct scan_settings *settings, struct prm_read *out, struct err *err) {
    enum { MAX_TEXT = 1 << 20 };
    *out = (struct prm_read){.title = ""};
    struct buf *text = ARENA_NEW(a, struct buf, 1);
    const char *slash = strrchr(path, '/');
    const char *dir =
        arena_dup(a, path, slash == NULL ? 0 : (size_t)(slash - path) + (slash == path));
    if (text == NULL || dir == NULL) return err_fail(err, ERR_NOMEM, "%s: no memory", path);
    buf_init(text, MAX_TEXT);
    TRY(arena_defer(a, free_text, text));
    TRY(file_read(path, text, err));
    return prm_parse(a, path, buf_text(text), text->n, dir, skip_outputs, settings, out, err);
}
