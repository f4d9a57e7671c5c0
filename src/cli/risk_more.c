/* gezhi risk curve, gezhi risk incidents and gezhi risk pavement */
#include "base/file.h"
#include "cli/cli.h"
#include "cli/risk_command.h"
#include "study/risk/curve.h"
#include "study/risk/incidents.h"
#include "study/risk/pavement.h"

struct curve_args {
    const char *data;
    struct risk_curve_spec spec;
    bool json;
};

static enum err_code curve(struct arena *a, void *args, struct buf *b, struct err *err) {
    const struct curve_args *g = args;
    const struct table *t = NULL;
    struct risk_curve *r = ARENA_NEW(a, struct risk_curve, 1);
    if (r == NULL) return err_fail(err, ERR_NOMEM, "there is no memory");
    TRY(table_load(a, g->data, 0, RISK_MAX_ROWS, &t, err));
    TRY(risk_curve_study(a, t, &g->spec, r, err));
    if (g->json)
        risk_curve_json(r, b);
    else
        risk_curve_text(r, b);
    return cli_print(b, err);
}

int cli_risk_curve(int argc, char **argv) {
    struct curve_args g = {0};
    const struct opt opts[] = {
        {"data", OPT_STR, &g.data, true, "FILE", "CSV with a row a life, or with --unit more"},
        {"start", OPT_STR, &g.spec.start, false, "COLUMN", "age when the row's watching began (0)"},
        {"time", OPT_STR, &g.spec.time, true, "COLUMN", "age when it failed or watching ended"},
        {"event", OPT_STR, &g.spec.event, true, "COLUMN", "1: it failed then; 0: it did not"},
        {"group", OPT_STR, &g.spec.group, false, "COLUMN", "a curve each, and the log-rank test"},
        {"unit", OPT_STR, &g.spec.unit, false, "COLUMN",
         "whose row it is, when one thing fails several times: the mean cumulative function"},
        {"json", OPT_FLAG, &g.json, false, NULL, "JSON instead of the report"}};
    const struct opt_command cmd = {
        "risk curve",
        NULL,
        0,
        0,
        opts,
        sizeof opts / sizeof opts[0],
        "How long things last, without a model: Kaplan-Meier, Nelson-Aalen, median, log-rank test; "
        "with --unit the mean number of failures by age.",
        "gezhi risk curve --data samples/risk_pumps.csv --time hours --event failed --group maker"};
    return risk_command(&cmd, argc, argv, curve, &g);
}

struct incidents_args {
    const char *data;
    struct risk_incidents_spec spec;
    bool json;
};

static enum err_code incidents(struct arena *a, void *args, struct buf *b, struct err *err) {
    const struct incidents_args *g = args;
    const struct table *t = NULL;
    struct risk_incidents r;
    TRY(table_load(a, g->data, 0, RISK_MAX_ROWS, &t, err));
    TRY(risk_incidents_study(a, t, &g->spec, NULL, &r, err));
    if (g->json)
        risk_incidents_json(&r, b);
    else
        risk_incidents_text(&r, b);
    return cli_print(b, err);
}

int cli_risk_incidents(int argc, char **argv) {
    struct incidents_args g = {.spec = {.time = "time"}};
    const struct opt opts[] = {
        {"data", OPT_STR, &g.data, true, "FILE", "CSV with a row an incident"},
        {"time", OPT_STR, &g.spec.time, false, "COLUMN", "a number, or a date and time (time)"},
        {"x", OPT_STR, &g.spec.x, false, "COLUMN", "place in a plane, for time and space"},
        {"y", OPT_STR, &g.spec.y, false, "COLUMN", "the same"},
        {"from", OPT_STR, &g.spec.from, false, "TIME", "the window's start (first incident)"},
        {"to", OPT_STR, &g.spec.to, false, "TIME", "the window's end (after the last)"},
        {"area", OPT_DOUBLE, &g.spec.area, false, "A", "of the region (box of the places)"},
        {"bandwidth", OPT_DOUBLE, &g.spec.bandwidth, false, "D",
         "background by a kernel of this spread (even over the area)"},
        {"max-lag", OPT_DOUBLE, &g.spec.max_lag, false, "T", "longest time to an offspring"},
        {"max-reach", OPT_DOUBLE, &g.spec.max_reach, false, "D", "longest way to an offspring"},
        {"json", OPT_FLAG, &g.json, false, NULL, "JSON instead of the report"}};
    const struct opt_command cmd = {
        "risk incidents",
        NULL,
        0,
        0,
        opts,
        sizeof opts / sizeof opts[0],
        "Do incidents set off others? A Hawkes process in time; with --x and --y ETAS in time and "
        "space.",
        "gezhi risk incidents --data samples/risk_incidents.csv --time day"};
    return risk_command(&cmd, argc, argv, incidents, &g);
}

struct pavement_args {
    const char *data, *config, *csv, *save;
    bool json;
};

static enum err_code pavement(struct arena *a, void *args, struct buf *b, struct err *err) {
    const struct pavement_args *g = args;
    const struct table *t = NULL;
    struct risk_pavement_spec *s = ARENA_NEW(a, struct risk_pavement_spec, 1);
    struct risk_pavement r;
    if (s == NULL) return err_fail(err, ERR_NOMEM, "there is no memory");
    TRY(file_read(g->config, b, err));
    TRY(risk_pavement_parse(a, g->config, buf_text(b), b->n, s, err));
    if (g->save != NULL && !s->fit)
        return err_fail(err, ERR_INVALID, "--save is for curves that are fitted (\"fit\")");
    TRY(table_load(a, g->data, 0, RISK_MAX_ROWS, &t, err));
    TRY(risk_pavement_study(a, t, s, &r, err));
    buf_clear(b);
    if (g->csv != NULL) {
        risk_pavement_csv(&r, b);
        TRY(cli_write(g->csv, b, err));
        buf_clear(b);
    }
    if (g->save != NULL) {
        risk_pavement_config(s, &r, b);
        TRY(cli_write(g->save, b, err));
        buf_clear(b);
    }
    if (g->json)
        risk_pavement_json(&r, b);
    else
        risk_pavement_text(&r, b);
    return cli_print(b, err);
}

int cli_risk_pavement(int argc, char **argv) {
    struct pavement_args g = {0};
    const struct opt opts[] = {
        {"data", OPT_STR, &g.data, true, "FILE", "CSV with a row a distress of a section"},
        {"config", OPT_STR, &g.config, true, "FILE", "YAML: columns, and curves or fit"},
        {"csv", OPT_STR, &g.csv, false, "FILE", "write the index of each section"},
        {"save", OPT_STR, &g.save, false, "FILE", "write the fitted curves as a config"},
        {"json", OPT_FLAG, &g.json, false, NULL, "JSON instead of the report"}};
    const struct opt_command cmd = {
        "risk pavement",
        NULL,
        0,
        0,
        opts,
        5,
        "Pavement condition index by configured deduct curves, or curves fitted to published "
        "indices and judged on sections held out.",
        "gezhi risk pavement --data samples/risk_pavement.csv --config samples/risk_pavement.yaml"};
    return risk_command(&cmd, argc, argv, pavement, &g);
}
