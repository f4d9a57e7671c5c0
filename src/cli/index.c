/* gezhi index */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "study/composite/index.h"

struct index_args {
    struct index_files files;
    const char *stage, *lang;
    bool json, csv;
};

/* ERR_INVALID of the command line. */
static enum err_code check_args(const struct index_args *g, enum composite_stage *stage,
                                struct err *err) {
    *stage = COMPOSITE_N_STAGES;
    if (g->json && g->csv) return err_fail(err, ERR_INVALID, "--json or --csv, not both");
    if (g->lang != NULL && strcmp(g->lang, "en") != 0 && strcmp(g->lang, "zh") != 0)
        return err_fail(err, ERR_INVALID, "--lang \"%.20s\": expected en or zh", g->lang);
    if (g->stage == NULL) return ERR_OK;
    *stage = index_stage(g->stage);
    if (*stage == COMPOSITE_N_STAGES)
        return err_fail(err, ERR_INVALID, "--stage \"%.40s\": expected one of %s", g->stage,
                        index_stage_names());
    return ERR_OK;
}

static void warn(const struct index_study *s) {
    for (size_t k = 0; k < s->result.n_ahp; k++) {
        if (s->result.ahp[k].inconsistent)
            (void)fprintf(stderr,
                          "gezhi index: %s: the pairwise comparisons contradict one another: "
                          "consistency ratio %.3f is above 0.1\n",
                          s->tree.code[s->result.ahp[k].parent], s->result.ahp[k].cr);
    }
}

static enum err_code write_report(const struct index_args *g, enum composite_stage stage,
                                  const struct index_study *s, struct err *err) {
    struct buf out;
    buf_init(&out, (size_t)2 << 30);
    if (g->json)
        index_report_json(s, stage, &out);
    else if (g->csv || stage != COMPOSITE_N_STAGES)
        index_report_csv(s, stage, &out);
    else
        index_report_text(s, g->lang != NULL && strcmp(g->lang, "zh") == 0, &out);
    enum err_code rc = cli_print(&out, err);
    buf_deinit(&out);
    return rc;
}

static enum err_code run_index(const struct index_args *g, enum composite_stage stage,
                               struct arena *a, struct err *err) {
    struct index_study s;
    TRY(index_study_load(&g->files, a, &s, err));
    TRY(index_study_run(&s, NULL, a, err));
    warn(&s);
    return write_report(g, stage, &s, err);
}

int cli_index(int argc, char **argv) {
    struct index_args g = {0};
    const struct opt opts[] = {
        {"data", OPT_STR, &g.files.data, true, "FILE", "iData: uCode and a column an indicator"},
        {"meta", OPT_STR, &g.files.meta, true, "FILE", "iMeta: the framework"},
        {"spec", OPT_STR, &g.files.spec, false, "FILE",
         "YAML: the choices; without it shares of the range, given weights, arithmetic means"},
        {"denominators", OPT_STR, &g.files.denominators, false, "FILE",
         "uCode and a column a denominator; those in the data without it"},
        {"stage", OPT_STR, &g.stage, false, "NAME",
         "print a stage: raw, denominated, imputed, screened, treated, normalised, weights, "
         "aggregated (CSV unless --json)"},
        {"json", OPT_FLAG, &g.json, false, NULL, "JSON instead of the report"},
        {"csv", OPT_FLAG, &g.csv, false, NULL, "CSV instead of the report"},
        {"lang", OPT_STR, &g.lang, false, "en|zh", "language of the report (en)"}};
    const struct opt_command cmd = {"index",
                                    NULL,
                                    0,
                                    0,
                                    opts,
                                    sizeof opts / sizeof opts[0],
                                    "A composite index from indicators of areas.",
                                    "gezhi index --data samples/index_data.csv --meta "
                                    "samples/index_meta.csv --spec samples/index_spec.yaml"};
    struct err err = {0};
    enum composite_stage stage;
    int done = cli_parse(&cmd, argc, argv);
    if (done != CLI_GO_ON) return done;
    if (check_args(&g, &stage, &err) != ERR_OK) return cli_usage(&cmd, &err);
    struct arena *a = arena_new(SIZE_MAX / 2);
    if (a == NULL) return 1;
    int code = run_index(&g, stage, a, &err) == ERR_OK ? 0 : cli_fail("index", &err);
    arena_free(a);
    return code;
}
