/* gezhi scan */
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/pool.h"
#include "cli/cli.h"
#include "study/scan/prm.h"
#include "study/scan/report.h"

/* What stands on the command line; what is not given keeps NULL, -1, NaN or false. */
struct args {
    const char *prm, *cases, *controls, *population, *geo, *grid, *edges, *neighbors;
    const char *format, *columns, *covariates, *coordinates, *model, *analysis, *rates, *shape;
    const char *ellipse_shapes, *ellipse_angles, *ellipse_penalty, *precision, *unit, *start, *end;
    const char *p_mode, *overlap, *geojson, *csv, *lang;
    int64_t flexible_k, length, min_cases, replicas, seed, stop_after, max_clusters, threads;
    double max_size, max_radius, min_time, max_time, max_time_percent, iterate_p;
    bool prospective, also_spatial, also_temporal, iterative, location_f, relaxed, all_positions;
    bool skip_outputs, json, quiet;
};

struct row {
    const char *name;
    enum opt_kind kind;
    size_t at;
    const char *value, *help;
};
#define AT(member) offsetof(struct args, member)
static const struct row rows[] = {
    {"prm", OPT_STR, AT(prm), "FILE", "SaTScan parameter file; the options below win over it"},
    {"cases", OPT_STR, AT(cases), "FILE", "cases: id, cases, date, covariates"},
    {"controls", OPT_STR, AT(controls), "FILE", "controls, for the Bernoulli model"},
    {"population", OPT_STR, AT(population), "FILE", "population: id, date, population, covariates"},
    {"geo", OPT_STR, AT(geo), "FILE,...", "places: id and lat, lon (or x, y)"},
    {"grid", OPT_STR, AT(grid), "FILE", "centres of windows instead of the places"},
    {"edges", OPT_STR, AT(edges), "FILE",
     "network: from, to, length; for flexible windows, which places touch"},
    {"neighbors", OPT_STR, AT(neighbors), "FILE",
     "each line: id and its neighbours, nearest first"},
    {"format", OPT_STR, AT(format), "csv|satscan", "of the files; by their names without it"},
    {"columns", OPT_STR, AT(columns), "ROLE=NAME,...",
     "CSV: other names of the columns id, cases, controls, population, date, lon, lat, x, y, from, "
     "to, length"},
    {"covariates", OPT_STR, AT(covariates), "NAME,...",
     "CSV: columns of cases and population to adjust for"},
    {"coordinates", OPT_STR, AT(coordinates), "plane|sphere",
     "x, y in one unit, or latitude, longitude"},
    {"model", OPT_STR, AT(model), "M", "poisson (the default), bernoulli or permutation"},
    {"analysis", OPT_STR, AT(analysis), "A", "spatial (the default), temporal or space-time"},
    {"prospective", OPT_FLAG, AT(prospective), NULL, "only windows that last to the end"},
    {"rates", OPT_STR, AT(rates), "R", "high (the default), low or both"},
    {"shape", OPT_STR, AT(shape), "S", "circle (the default), ellipse or flexible"},
    {"ellipse-shapes", OPT_STR, AT(ellipse_shapes), "S,...", "long to short axis (1.5,2,3,4,5)"},
    {"ellipse-angles", OPT_STR, AT(ellipse_angles), "N,...", "angles of each (4,6,9,12,15)"},
    {"ellipse-penalty", OPT_STR, AT(ellipse_penalty), "P", "none (the default), medium or strong"},
    {"flexible-k", OPT_INT, AT(flexible_k), "N", "most places in a flexible window, up to 20 (12)"},
    {"precision", OPT_STR, AT(precision), "P",
     "of the times of cases: none, year, month, day or generic; by unit without it"},
    {"unit", OPT_STR, AT(unit), "U", "of slots of time: year, month, day (the default), generic"},
    {"length", OPT_INT, AT(length), "N", "units of a slot (1)"},
    {"start", OPT_STR, AT(start), "DATE", "first day of the study period"},
    {"end", OPT_STR, AT(end), "DATE", "last day of the study period"},
    {"max-size", OPT_DOUBLE, AT(max_size), "SHARE",
     "largest window, as a share of the population (0.5)"},
    {"max-radius", OPT_DOUBLE, AT(max_radius), "R", "largest radius, km on the sphere"},
    {"min-time", OPT_DOUBLE, AT(min_time), "N", "shortest window, in units (one slot)"},
    {"max-time", OPT_DOUBLE, AT(max_time), "N", "longest window, in units"},
    {"max-time-percent", OPT_DOUBLE, AT(max_time_percent), "P",
     "longest window, percent of the study period (50)"},
    {"also-spatial", OPT_FLAG, AT(also_spatial), NULL, "space-time: windows over all time too"},
    {"also-temporal", OPT_FLAG, AT(also_temporal), NULL, "space-time: windows over all places too"},
    {"min-cases", OPT_INT, AT(min_cases), "N", "least cases in a high cluster (2)"},
    {"replicas", OPT_INT, AT(replicas), "N", "random replicas for the p-values (999)"},
    {"seed", OPT_INT, AT(seed), "N", "of the replicas (1); the same seed gives the same bits"},
    {"p-mode", OPT_STR, AT(p_mode), "M", "standard (the default), sequential or gumbel"},
    {"stop-after", OPT_INT, AT(stop_after), "N",
     "sequential: stop at so many replicas above the strongest"},
    {"overlap", OPT_STR, AT(overlap), "RULE",
     "secondary clusters: none (the default), no-center-in-other, no-center-in-more, "
     "no-center-in-less, no-pairs, any, only-first"},
    {"max-clusters", OPT_INT, AT(max_clusters), "N", "most clusters to tell (100)"},
    {"iterative", OPT_FLAG, AT(iterative), NULL, "take the strongest out and scan again"},
    {"iterate-p", OPT_DOUBLE, AT(iterate_p), "P", "until the p-value is above it (0.05)"},
    {"location-f", OPT_FLAG, AT(location_f), NULL, "how surely each location belongs (slow)"},
    {"all-positions", OPT_FLAG, AT(all_positions), NULL,
     "a place of several positions is in a window when all of them are"},
    {"relaxed", OPT_FLAG, AT(relaxed), NULL,
     "leave out, and count, unknown places and times outside the period"},
    {"skip-outputs", OPT_FLAG, AT(skip_outputs), NULL,
     "leave out the files that a parameter file asks for and gezhi does not write"},
    {"threads", OPT_INT, AT(threads), "N", "how many (all cores)"},
    {"json", OPT_FLAG, AT(json), NULL, "JSON instead of the report"},
    {"geojson", OPT_STR, AT(geojson), "FILE", "write the clusters as GeoJSON too"},
    {"csv", OPT_STR, AT(csv), "FILE", "write the locations as CSV too"},
    {"lang", OPT_STR, AT(lang), "en|zh", "language of the report (en)"},
    {"quiet", OPT_FLAG, AT(quiet), NULL, "no progress"}};
enum { N_ROWS = sizeof rows / sizeof rows[0] };

/* ---- from arguments to settings ---- */

/* Index of a word in a list that ends with NULL. */
static enum err_code choose(const char *option, const char *given, const char *const *words,
                            int *out, struct err *err) {
    char all[160] = "";
    size_t at = 0;
    if (given == NULL) return ERR_OK;
    for (int i = 0; words[i] != NULL; i++) {
        if (strcmp(words[i], given) == 0) {
            *out = i;
            return ERR_OK;
        }
        int n = snprintf(all + at, sizeof all - at, "%s%s", i > 0 ? ", " : "", words[i]);
        if (n > 0 && (size_t)n < sizeof all - at) at += (size_t)n;
    }
    return err_fail(err, ERR_INVALID, "--%s \"%.60s\": expected one of %s", option, given, all);
}

static enum err_code within(const char *option, int64_t given, int64_t min, int64_t max,
                            struct err *err) {
    if (given == -1 || (given >= min && given <= max)) return ERR_OK;
    return err_fail(err, ERR_INVALID, "--%s %lld: expected %lld to %lld", option, (long long)given,
                    (long long)min, (long long)max);
}

static enum err_code take_words(const struct args *g, struct scan_settings *s, struct err *err) {
    static const char *const models[] = {"poisson", "bernoulli", "permutation", NULL};
    static const char *const analyses[] = {"spatial", "temporal", "space-time", NULL};
    static const char *const rates[] = {"high", "low", "both", NULL};
    static const char *const shapes[] = {"circle", "ellipse", "flexible", NULL};
    static const char *const units[] = {"none", "year", "month", "day", "generic", NULL};
    static const char *const modes[] = {"standard", "sequential", "gumbel", NULL};
    static const char *const formats[] = {"", "satscan", "csv", NULL};
    static const char *const places[] = {"", "plane", "sphere", NULL};
    static const char *const penalties[] = {"none", "medium", "strong", NULL};
    static const char *const overlaps[] = {"none",
                                           "no-center-in-other",
                                           "no-center-in-more",
                                           "no-center-in-less",
                                           "no-pairs",
                                           "any",
                                           "only-first",
                                           NULL};
    struct scan_options *o = &s->options;
    int model = (int)s->model, analysis = (int)o->analysis, rate = (int)o->rates - 1;
    int shape = (int)o->shape, unit = (int)s->unit, precision = (int)s->precision;
    int mode = (int)o->p_mode, format = (int)s->kind, place = (int)s->places;
    int penalty = (int)(o->ellipse_penalty * 2), overlap = (int)o->overlap;
    TRY(choose("model", g->model, models, &model, err));
    TRY(choose("analysis", g->analysis, analyses, &analysis, err));
    TRY(choose("rates", g->rates, rates, &rate, err));
    TRY(choose("shape", g->shape, shapes, &shape, err));
    TRY(choose("unit", g->unit, units, &unit, err));
    TRY(choose("precision", g->precision, units, &precision, err));
    TRY(choose("p-mode", g->p_mode, modes, &mode, err));
    TRY(choose("format", g->format, formats, &format, err));
    TRY(choose("coordinates", g->coordinates, places, &place, err));
    TRY(choose("ellipse-penalty", g->ellipse_penalty, penalties, &penalty, err));
    TRY(choose("overlap", g->overlap, overlaps, &overlap, err));
    s->model = (enum scan_model)model;
    o->analysis = (enum scan_analysis)analysis;
    o->rates = (enum scan_rates)(rate + 1);
    o->shape = (enum scan_shape)shape;
    s->unit = (enum time_unit)unit;
    s->precision = (enum time_unit)precision;
    s->precision_given = s->precision_given || g->precision != NULL;
    o->p_mode = (enum scan_p_mode)mode;
    s->kind = (enum file_kind)format;
    s->places = (enum place_kind)place;
    o->ellipse_penalty = penalty / 2.0;
    o->overlap = (enum scan_overlap)overlap;
    return ERR_OK;
}

static enum err_code take_numbers(const struct args *g, struct scan_settings *s, struct err *err) {
    struct scan_options *o = &s->options;
    TRY(within("flexible-k", g->flexible_k, 1, 20, err));
    TRY(within("length", g->length, 1, 1000000, err));
    TRY(within("min-cases", g->min_cases, 1, INT32_MAX, err));
    TRY(within("replicas", g->replicas, 0, 999999, err));
    TRY(within("seed", g->seed, 0, INT64_MAX, err));
    TRY(within("stop-after", g->stop_after, 1, 999999, err));
    TRY(within("max-clusters", g->max_clusters, 1, 1000000, err));
    TRY(within("threads", g->threads, 1, 64, err));
    if (!isnan(g->max_size) && !(g->max_size > 0 && g->max_size <= 0.5))
        return err_fail(err, ERR_INVALID, "--max-size %g: expected a share in (0, 0.5]",
                        g->max_size);
    const double positive[] = {g->max_radius, g->min_time, g->max_time, g->max_time_percent};
    static const char *const names[] = {"max-radius", "min-time", "max-time", "max-time-percent"};
    for (size_t i = 0; i < 4; i++)
        if (!isnan(positive[i]) && !(positive[i] > 0 && positive[i] < 1e15))
            return err_fail(err, ERR_INVALID, "--%s %g: expected a number over 0", names[i],
                            positive[i]);
    if (!isnan(g->max_time_percent) && g->max_time_percent > 90)
        return err_fail(err, ERR_INVALID, "--max-time-percent %g: expected at most 90",
                        g->max_time_percent);
    if (!isnan(g->iterate_p) && !(g->iterate_p >= 0 && g->iterate_p <= 1))
        return err_fail(err, ERR_INVALID, "--iterate-p %g: expected 0 to 1", g->iterate_p);
    if (g->flexible_k >= 0) o->flexible_k = (size_t)g->flexible_k;
    if (o->shape == SCAN_FLEXIBLE && o->flexible_k == 0) o->flexible_k = 12;
    if (g->length >= 0) s->unit_length = g->length;
    if (g->min_cases >= 0) o->min_cases = (unsigned)g->min_cases;
    if (g->replicas >= 0) o->replicas = (uint32_t)g->replicas;
    if (g->seed >= 0) o->seed = (uint64_t)g->seed;
    if (g->stop_after >= 0) o->stop_after = (uint32_t)g->stop_after;
    if (g->max_clusters >= 0) o->max_clusters = (size_t)g->max_clusters;
    if (!isnan(g->max_size)) o->max_size = g->max_size;
    if (!isnan(g->max_radius)) o->max_radius = g->max_radius;
    if (!isnan(g->min_time)) s->min_time = g->min_time;
    if (!isnan(g->iterate_p)) o->iterate_p = g->iterate_p;
    return ERR_OK;
}

static void take(const char **to, const char *given) {
    if (given != NULL) *to = given;
}

static enum err_code take_files(struct arena *a, const struct args *g, struct scan_settings *s,
                                struct err *err) {
    take(&s->cases, g->cases);
    take(&s->controls, g->controls);
    take(&s->population, g->population);
    take(&s->grid, g->grid);
    take(&s->edges, g->edges);
    take(&s->neighbors, g->neighbors);
    take(&s->columns, g->columns);
    take(&s->covariates, g->covariates);
    take(&s->start, g->start);
    take(&s->end, g->end);
    if (g->geo == NULL) return ERR_OK;
    s->n_geo = 0;
    for (const char *p = g->geo;;) {
        size_t n = strcspn(p, ",");
        if (s->n_geo == STUDY_MAX_GEO)
            return err_fail(err, ERR_INVALID, "--geo: more than %d files", (int)STUDY_MAX_GEO);
        if (n == 0) return err_fail(err, ERR_INVALID, "--geo: an empty name");
        s->geo[s->n_geo] = arena_dup(a, p, n);
        if (s->geo[s->n_geo++] == NULL) return err_fail(err, ERR_NOMEM, "no memory");
        if (p[n] == '\0') return ERR_OK;
        p += n + 1;
    }
}

static enum err_code take_args(struct arena *a, const struct args *g, struct scan_settings *s,
                               struct err *err) {
    struct scan_options *o = &s->options;
    TRY(take_files(a, g, s, err));
    TRY(take_words(g, s, err));
    TRY(take_numbers(g, s, err));
    o->prospective = o->prospective || g->prospective;
    o->also_spatial = o->also_spatial || g->also_spatial;
    o->also_temporal = o->also_temporal || g->also_temporal;
    o->iterative = o->iterative || g->iterative;
    o->location_f = o->location_f || g->location_f;
    s->all_positions = s->all_positions || g->all_positions;
    s->relaxed_places = s->relaxed_places || g->relaxed;
    s->relaxed_times = s->relaxed_times || g->relaxed;
    if (!isnan(g->max_time) && !isnan(g->max_time_percent))
        return err_fail(err, ERR_INVALID, "give --max-time or --max-time-percent, not both");
    if (!isnan(g->max_time) || !isnan(g->max_time_percent)) {
        s->max_time_percent = isnan(g->max_time);
        s->max_time = s->max_time_percent ? g->max_time_percent : g->max_time;
    }
    if (o->shape == SCAN_ELLIPSE && (o->n_ellipses == 0 || g->ellipse_shapes != NULL)) {
        const char *shapes = g->ellipse_shapes == NULL ? "1.5,2,3,4,5" : g->ellipse_shapes;
        const char *angles = g->ellipse_angles == NULL ? "4,6,9,12,15" : g->ellipse_angles;
        if (!scan_ellipses_parse(shapes, angles, s))
            return err_fail(err, ERR_INVALID,
                            "--ellipse-shapes and --ellipse-angles: expected shapes over 1, and as "
                            "many whole numbers of angles");
    }
    return scan_settings_check(s, err);
}

/* ---- running ---- */

struct watching {
    bool tell;
    int last;
    const char *stage;
    bool stopped;
};

/* SIGINT and SIGTERM are blocked while a scan runs; a pending one asks it to stop. */
static bool stop_wanted(void *arg) {
    (void)arg;
    sigset_t pending;
    return sigpending(&pending) == 0 &&
           (sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGTERM) == 1);
}

static void tell_progress(void *arg, const char *stage, double share) {
    struct watching *w = arg;
    int percent = (int)(share * 100);
    if (!w->tell || (percent == w->last && w->stage == stage)) return;
    w->last = percent;
    w->stage = stage;
    (void)fprintf(stderr, "\r%-24.24s %3d %%", stage, percent);
    (void)fflush(stderr);
}

static enum err_code tell(struct arena *a, const struct args *g, const struct scan_told *told,
                          struct err *err) {
    struct buf b;
    bool zh = g->lang != NULL && strcmp(g->lang, "zh") == 0;
    enum err_code rc = ERR_OK;
    buf_init(&b, (size_t)2 << 30);
    if (g->geojson != NULL) {
        rc = scan_report_geojson(&b, told, err);
        if (rc == ERR_OK) rc = cli_write(g->geojson, &b, err);
    }
    buf_clear(&b);
    if (rc == ERR_OK && g->csv != NULL) {
        rc = scan_report_csv(&b, a, told, err);
        if (rc == ERR_OK) rc = cli_write(g->csv, &b, err);
    }
    buf_clear(&b);
    if (rc == ERR_OK && g->json)
        rc = scan_report_json(&b, a, told, err);
    else if (rc == ERR_OK)
        scan_report_text(&b, told, zh);
    if (rc == ERR_OK) rc = cli_print(&b, err);
    buf_deinit(&b);
    return rc;
}

static enum err_code run(struct arena *a, const struct args *g, const struct scan_settings *s,
                         const struct prm_read *prm, struct err *err) {
    struct watching watch = {.tell = !g->quiet && isatty(STDERR_FILENO) == 1, .last = -1};
    size_t threads = g->threads > 0 ? (size_t)g->threads : prm->n_threads;
    struct pool *pool = NULL;
    struct scan_study study;
    struct scan_result result;
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGTERM);
    int64_t began = clock_mono_us();
    TRY(scan_study_load(a, s, &study, err));
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL); /* threads made from here on inherit it */
    TRY(pool_new(threads > 64 ? 64 : threads, &pool, err));
    struct num_run how = {.parallel = pool_run,
                          .pool = pool,
                          .n_threads = pool_threads(pool),
                          .stop = stop_wanted,
                          .progress = tell_progress,
                          .arg = &watch};
    enum err_code rc = scan_study_run(&study, &how, a, &result, err);
    pool_free(pool);
    if (watch.tell && watch.stage != NULL) (void)fprintf(stderr, "\r%-32s\r", "");
    if (rc == ERR_TIMEOUT && stop_wanted(NULL)) return err_fail(err, rc, "stopped by a signal");
    TRY(rc);
    (void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    struct scan_told told = {.study = &study,
                             .result = &result,
                             .title = prm->title,
                             .elapsed_ms = (clock_mono_us() - began) / 1000,
                             .default_p_value = prm->default_p_value};
    return tell(a, g, &told, err);
}

static void tell_lines(const char *path, const struct prm_problem *p, size_t n, const char *word) {
    for (size_t i = 0; i < n; i++)
        (void)fprintf(stderr, "%s:%ld: [%s] %s%s%s: %s%s\n", path, p[i].line, p[i].section,
                      p[i].key, p[i].value == NULL ? "" : "=", p[i].value == NULL ? "" : p[i].value,
                      p[i].why, word);
}

static int scan(struct arena *a, const struct opt_command *cmd, const struct args *g) {
    struct err err = {0};
    struct scan_settings s;
    struct prm_read prm = {.title = ""};
    scan_settings_init(&s);
    if (g->prm != NULL) {
        enum err_code rc = prm_load(a, g->prm, g->skip_outputs, &s, &prm, &err);
        tell_lines(g->prm, prm.skipped, prm.n_skipped, ", left out");
        tell_lines(g->prm, prm.problem, prm.n_problems, "");
        if (rc != ERR_OK && prm.n_problems > 0)
            (void)err_fail(&err, rc, "%s: %zu parameters are not supported (named above)", g->prm,
                           prm.n_problems);
        if (rc != ERR_OK) return cli_fail("scan", &err);
    }
    if (g->lang != NULL && strcmp(g->lang, "en") != 0 && strcmp(g->lang, "zh") != 0) {
        (void)err_fail(&err, ERR_INVALID, "--lang \"%.20s\": expected en or zh", g->lang);
        return cli_usage(cmd, &err);
    }
    if (take_args(a, g, &s, &err) != ERR_OK) return cli_usage(cmd, &err);
    return run(a, g, &s, &prm, &err) == ERR_OK ? 0 : cli_fail("scan", &err);
}

int cli_scan(int argc, char **argv) {
    struct args g = {.flexible_k = -1,
                     .length = -1,
                     .min_cases = -1,
                     .replicas = -1,
                     .seed = -1,
                     .stop_after = -1,
                     .max_clusters = -1,
                     .threads = -1,
                     .max_size = NAN,
                     .max_radius = NAN,
                     .min_time = NAN,
                     .max_time = NAN,
                     .max_time_percent = NAN,
                     .iterate_p = NAN};
    struct opt opts[N_ROWS];
    for (size_t i = 0; i < N_ROWS; i++)
        opts[i] = (struct opt){rows[i].name, rows[i].kind,  (char *)&g + rows[i].at,
                               false,        rows[i].value, rows[i].help};
    const struct opt_command cmd = {
        "scan",
        NULL,
        0,
        0,
        opts,
        N_ROWS,
        "Scan statistics: where and when there are more cases than chance explains.",
        "gezhi scan --cases samples/scan_cases.csv --population samples/scan_population.csv --geo "
        "samples/scan_places.csv --analysis space-time"};
    int done = cli_parse(&cmd, argc, argv);
    if (done != CLI_GO_ON) return done;
    struct arena *a = arena_new(SIZE_MAX / 2);
    if (a == NULL) return 1;
    int code = scan(a, &cmd, &g);
    arena_free(a);
    return code;
}
