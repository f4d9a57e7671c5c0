/* gezhi alarm, gezhi alarm evaluate */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/pool.h"
#include "cli/cli.h"
#include "study/alarm/plot.h"
#include "study/alarm/report.h"
#include "study/alarm/settings.h"

enum { MAX_ROWS = 20000000, MAX_METHODS = 16, MAX_PICTURE = 64 << 20 };
static const size_t most_memory = (size_t)12 << 30;

struct args {
    const char *series, *method, *holidays, *step, *gaps, *duplicates;
    const char *csv, *svg, *lang;
    struct alarm_when when;
    struct series_options columns;
    struct settings settings;
    int64_t threads;
    bool json, all, zh;
};

/* What one run of the command holds. */
struct opened {
    struct arena *arena;
    struct pool *pool;
    const struct series_set *set;
    struct alarm_spec spec[MAX_METHODS];
    char name[MAX_METHODS][48];
    size_t n_method;
};

static void args_init(struct args *a) {
    *a = (struct args){.when = {NULL, -1, -1}};
    settings_init(&a->settings);
}

/* The options of both commands; returns how many. */
static size_t shared_options(struct args *a, const char *method_help, struct opt *out) {
    const struct opt own[] = {
        {"series", OPT_STR, &a->series, true, "FILE.csv",
         "date, count, and perhaps population, group"},
        {"method", OPT_STR, &a->method, true, "NAME", method_help},
        {"from", OPT_STR, &a->when.from, false, "DATE", "first date to judge"},
        {"last", OPT_INT, &a->when.last, false, "N", "judge the last N dates of each group"},
        {"history", OPT_INT, &a->when.history, false, "N", "judge all but the first N dates"},
        {"step", OPT_STR, &a->step, false, "day|week", "of the series; found out without it"},
        {"gaps", OPT_STR, &a->gaps, false, "error|zero", "what a missing date means (error)"},
        {"duplicates", OPT_STR, &a->duplicates, false, "error|sum", "two rows of one date (error)"},
        {"date", OPT_STR, &a->columns.date, false, "NAME", "column (date); may hold whole numbers"},
        {"count", OPT_STR, &a->columns.count, false, "NAME", "column (count)"},
        {"population", OPT_STR, &a->columns.population, false, "NAME", "column (population)"},
        {"group", OPT_STR, &a->columns.group, false, "NAME", "column (group)"},
        {"expected", OPT_STR, &a->columns.expected, false, "NAME",
         "column of known in-control means, for cusum, lr, glr, ewma"},
        {"holidays", OPT_STR, &a->holidays, false, "FILE.csv",
         "column date; needs days, and weekday factors (8 weeks unless said)"},
        {"threads", OPT_INT, &a->threads, false, "N", "how many (all cores)"},
        {"json", OPT_FLAG, &a->json, false, NULL, "JSON instead of the report"},
        {"lang", OPT_STR, &a->lang, false, "en|zh", "language of the report (en)"}};
    memcpy(out, own, sizeof own);
    return sizeof own / sizeof own[0] +
           settings_options(&a->settings, out + sizeof own / sizeof own[0]);
}

static enum err_code choice(const char *option, const char *text, const char *const words[3],
                            size_t *out, struct err *err) {
    *out = 0;
    if (text == NULL) return ERR_OK;
    for (size_t k = 0; k < 3 && words[k] != NULL; k++) {
        if (strcmp(words[k], text) != 0) continue;
        *out = k;
        return ERR_OK;
    }
    return err_fail(err, ERR_INVALID, "--%s: expected %s or %s, found \"%.40s\"", option, words[0],
                    words[1], text);
}

/* Everything that can be wrong with the command line itself, before any file is read. */
static enum err_code check_args(struct args *a, struct err *err) {
    static const char *const steps[] = {"day", "week", NULL},
                             *const gaps[] = {"error", "zero", NULL},
                             *const twice[] = {"error", "sum", NULL},
                             *const langs[] = {"en", "zh", NULL};
    size_t k = 0;
    TRY(choice("step", a->step, steps, &k, err));
    if (a->step != NULL) a->columns.step = k == 0 ? SERIES_DAY : SERIES_WEEK;
    TRY(choice("gaps", a->gaps, gaps, &k, err));
    a->columns.fill_zero = k == 1;
    TRY(choice("duplicates", a->duplicates, twice, &k, err));
    a->columns.sum_duplicates = k == 1;
    TRY(choice("lang", a->lang, langs, &k, err));
    a->zh = k == 1;
    if (a->threads < 0 || a->threads > 64)
        return err_fail(err, ERR_INVALID, "--threads: expected 0 to 64");
    if ((a->when.from != NULL) + (a->when.last != -1) + (a->when.history != -1) > 1)
        return err_fail(err, ERR_INVALID, "--from, --last and --history exclude one another");
    if (a->when.last < -1 || a->when.history < -1)
        return err_fail(err, ERR_INVALID, "--last and --history: expected 0 or more");
    return ERR_OK;
}

/* Specs of the methods named, split at commas. */
static enum err_code read_methods(const struct args *a, bool calendar, struct opened *o,
                                  struct err *err) {
    const char *p = a->method;
    o->n_method = 0;
    while (*p != '\0') {
        size_t n = strcspn(p, ",");
        if (o->n_method == MAX_METHODS)
            return err_fail(err, ERR_INVALID, "--method: at most %d methods", MAX_METHODS);
        char *name = o->name[o->n_method];
        struct alarm_spec *s = &o->spec[o->n_method++];
        (void)snprintf(name, sizeof o->name[0], "%.*s", (int)(n < 47 ? n : 47), p);
        TRY(settings_spec(&a->settings, name, calendar, s, err));
        bool regression = s->method == ALARM_CLASSIC || s->method == ALARM_FLEXIBLE;
        if (a->holidays != NULL && regression)
            return err_fail(err, ERR_INVALID, "--holidays means nothing to %s", name);
        if (a->holidays != NULL && s->weekday_weeks == 0) s->weekday_weeks = 8;
        p += n + (p[n] == ',' ? 1 : 0);
    }
    if (o->n_method == 0)
        return err_fail(err, ERR_INVALID, "--method: expected one of %s", settings_methods());
    return settings_all_used(&a->settings, o->spec, o->n_method, err);
}

static enum err_code open_all(struct args *a, struct opened *o, struct err *err) {
    const struct table *t = NULL;
    o->arena = arena_new(most_memory);
    if (o->arena == NULL) return err_fail(err, ERR_NOMEM, "no memory");
    TRY(pool_new((size_t)a->threads, &o->pool, err));
    TRY(table_load(o->arena, a->series, 0, MAX_ROWS, &t, err));
    if (a->holidays != NULL)
        TRY(table_load(o->arena, a->holidays, 0, 100000, &a->columns.holidays, err));
    TRY(series_read(o->arena, t, &a->columns, &o->set, err));
    return o->set->numbered ? read_methods(a, false, o, err) : ERR_OK;
}

static void close_all(struct opened *o) {
    pool_free(o->pool);
    if (o->arena != NULL) arena_free(o->arena);
}

static enum err_code ask(const struct args *a, const struct opened *o, size_t method,
                         struct alarm_answer *out, struct err *err) {
    struct num_run run = {.parallel = pool_run,
                          .pool = o->pool,
                          .n_threads = pool_threads(o->pool),
                          .max_bytes = most_memory};
    TRY(alarm_answer(o->arena, &run, o->set, &o->spec[method], &a->when, out, err));
    out->name = o->name[method];
    return ERR_OK;
}

static enum err_code write_pictures(const char *path, const struct alarm_answer *answer,
                                    struct arena *arena, struct err *err) {
    size_t stem = strlen(path);
    if (stem > 4 && strcmp(path + stem - 4, ".svg") == 0) stem -= 4;
    for (size_t g = 0; g < answer->set->n_group; g++) {
        struct buf b;
        const char *name = answer->set->n_group == 1
                               ? path
                               : arena_printf(arena, "%.*s-%zu.svg", (int)stem, path, g + 1);
        if (name == NULL) return err_fail(err, ERR_NOMEM, "no memory for the pictures");
        buf_init(&b, MAX_PICTURE);
        plot_svg(answer, g, &b);
        enum err_code rc = buf_check(&b, err);
        if (rc == ERR_OK) rc = file_write(name, b.p, b.n, 0644, err);
        buf_deinit(&b);
        if (rc != ERR_OK) return rc;
    }
    return ERR_OK;
}

static enum err_code write_csv(const char *path, const struct alarm_answer *answer,
                               struct err *err) {
    if (strcmp(path, "-") == 0) return report_csv(answer, stdout, err);
    FILE *out = fopen(path, "w");
    if (out == NULL) return err_fail(err, ERR_IO, "cannot write %s", path);
    enum err_code rc = report_csv(answer, out, err);
    if (fclose(out) != 0 && rc == ERR_OK)
        return err_fail(err, ERR_IO, "%s could not be written whole", path);
    return rc;
}

static enum err_code tell(const struct args *a, const struct opened *o,
                          const struct alarm_answer *answer, struct err *err) {
    bool csv_out = a->csv != NULL && strcmp(a->csv, "-") == 0;
    if (a->svg != NULL) TRY(write_pictures(a->svg, answer, o->arena, err));
    if (a->csv != NULL) TRY(write_csv(a->csv, answer, err));
    if (a->json)
        TRY(report_json(answer, stdout, err));
    else if (!csv_out)
        TRY(report_text(answer, a->all, a->zh, stdout, err));
    return fflush(stdout) == 0 ? ERR_OK : err_fail(err, ERR_IO, "the result could not be written");
}

int cli_alarm(int argc, char **argv) {
    struct args a;
    struct opened o = {0};
    struct alarm_answer answer;
    struct opt opts[64];
    struct err err = {0};
    args_init(&a);
    size_t n = shared_options(&a, settings_methods(), opts);
    const struct opt own[] = {
        {"csv", OPT_STR, &a.csv, false, "FILE",
         "write every date as CSV (-: instead of the report)"},
        {"svg", OPT_STR, &a.svg, false, "FILE.svg",
         "draw each group (FILE-1.svg, ... when several)"},
        {"all", OPT_FLAG, &a.all, false, NULL, "report every date, not alarms only"}};
    memcpy(opts + n, own, sizeof own);
    const struct opt_command cmd = {
        .name = "alarm",
        .opts = opts,
        .n_opts = n + sizeof own / sizeof own[0],
        .summary = "Judge counts by date: is the newest higher than its own past lets one expect?",
        .example = "gezhi alarm --series samples/alarm_weekly.csv --method farrington-flexible "
                   "--years 3 --last 20"};
    int done = cli_parse(&cmd, argc, argv);
    if (done != CLI_GO_ON) return done;
    if (check_args(&a, &err) != ERR_OK || read_methods(&a, true, &o, &err) != ERR_OK)
        return cli_usage(&cmd, &err);
    if (o.n_method > 1) {
        (void)err_fail(&err, ERR_INVALID, "--method: one method; evaluate compares several");
        return cli_usage(&cmd, &err);
    }
    enum err_code rc = open_all(&a, &o, &err);
    if (rc == ERR_OK) rc = ask(&a, &o, 0, &answer, &err);
    if (rc == ERR_OK) rc = tell(&a, &o, &answer, &err);
    close_all(&o);
    return rc == ERR_OK ? 0 : cli_fail("alarm", &err);
}

int cli_alarm_evaluate(int argc, char **argv) {
    struct args a;
    struct opened o = {0};
    struct alarm_answer answer[MAX_METHODS];
    struct opt opts[64];
    struct err err = {0};
    args_init(&a);
    size_t n = shared_options(&a, "one or several, separated by commas", opts);
    opts[n++] =
        (struct opt){"outbreak", OPT_STR, &a.columns.label,
                     false,      "NAME",  "column of known outbreaks, 0 or 1 (outbreak, or state)"};
    const struct opt_command cmd = {
        .name = "alarm evaluate",
        .opts = opts,
        .n_opts = n,
        .summary = "Compare methods on series with known outbreaks: false alarms, outbreaks found, "
                   "days to detection.",
        .example = "gezhi alarm evaluate --series samples/alarm_outbreaks.csv --method "
                   "c1,c3,cusum,ewma"};
    int done = cli_parse(&cmd, argc, argv);
    if (done != CLI_GO_ON) return done;
    if (check_args(&a, &err) != ERR_OK || read_methods(&a, true, &o, &err) != ERR_OK)
        return cli_usage(&cmd, &err);
    a.columns.need_label = true;
    enum err_code rc = open_all(&a, &o, &err);
    for (size_t m = 0; m < o.n_method && rc == ERR_OK; m++) rc = ask(&a, &o, m, &answer[m], &err);
    if (rc == ERR_OK)
        rc = a.json ? report_score_json(answer, o.n_method, stdout, &err)
                    : report_score_text(answer, o.n_method, a.zh, stdout, &err);
    close_all(&o);
    return rc == ERR_OK ? 0 : cli_fail("alarm evaluate", &err);
}
