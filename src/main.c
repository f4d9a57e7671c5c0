/* gezhi - the command line: one table of subcommands. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "domain/identity/session.h"
#include "domain/pack/cmd.h"

struct subcommand {
    const char *name, *second; /* second word, or NULL */
    int (*run)(int argc, char **argv);
    const char *summary;
};

static const struct subcommand subcommands[] = {
    {"serve", NULL, cli_serve, "serve a city over HTTP"},
    {"init", NULL, cli_init, "make an empty city"},
    {"demo", NULL, cli_demo, "make the invented demo city"},
    {"import", "areas", cli_import_areas, "import areas from a vector file"},
    {"import", "cells", cli_import_cells, "import a layer of cells from a vector file"},
    {"import", "cases", cli_import_cases, "import requests of another system from a CSV"},
    {"import", "indicators", cli_import_indicators, "import outside figures from a CSV"},
    {"import", "survey", cli_import_survey, "import a wave of a residents' survey from a CSV"},
    {"export", "cases", cli_export_cases, "export all cases as NDJSON, CSV or GeoJSON"},
    {"locate", NULL, cli_locate, "add the cell to each row of a CSV"},
    {"scan", NULL, cli_scan, "find where and when there are more cases than chance explains"},
    {"alarm", "evaluate", cli_alarm_evaluate, "compare alarm methods on known outbreaks"},
    {"alarm", NULL, cli_alarm, "judge counts by date against their own past"},
    {"index", "run", cli_index_run, "form an index of a city for a period"},
    {"index", "backtest", cli_index_backtest, "which indicators foresaw serious cases"},
    {"index", "audit", cli_index_audit,
     "how sure an index's ranks are, and what scores are made of"},
    {"risk", "prepare", cli_risk_prepare, "rows at risk from assets and their events"},
    {"risk", "fit", cli_risk_fit, "fit a failure model and judge it on later years"},
    {"risk", "predict", cli_risk_predict, "score assets by a saved failure model"},
    {"risk", "evaluate", cli_risk_evaluate, "judge a saved failure model on later years"},
    {"risk", "curve", cli_risk_curve, "curves of survival and of repeated failures"},
    {"risk", "incidents", cli_risk_incidents, "whether incidents set off others"},
    {"risk", "pavement", cli_risk_pavement, "pavement condition from distresses"},
    {"index", NULL, cli_index, "a composite index from indicators of areas"},
    {"warn", "run", cli_warn_run, "what the rules of the packs find on a day"},
    {"warn", "replay", cli_warn_replay, "walk day by day as if live and tell what is raised"},
    {"warn", "record", cli_warn_record, "record what the rules find: warnings become cases"},
    {"briefing", NULL, cli_briefing, "what changed and why, as JSON or PDF"},
    {"pack", "check", cli_pack_check, "check packs"},
    {"pack", "show", pack_cmd_show, "show what packs mean"},
    {"user", NULL, identity_cmd_user, "add accounts, make tokens"},
    {"erase", NULL, cli_erase, "erase the personal values of a case for good"},
    {"verify", NULL, cli_verify, "prove that nothing was changed behind the ledger's back"},
    {"backup", NULL, cli_backup, "copy a city into one file"},
    {"restore", NULL, cli_restore, "make a city from a backup"},
};
enum { N_SUBCOMMANDS = sizeof subcommands / sizeof subcommands[0] };

/* All commands, or those whose first word is `first`. */
static int help(FILE *out, const char *first) {
    (void)fprintf(out, "Gezhi, municipal governance platform.\n\nUsage: gezhi COMMAND ...\n\n");
    for (size_t i = 0; i < N_SUBCOMMANDS; i++) {
        char name[64];
        if (first != NULL && strcmp(first, subcommands[i].name) != 0) continue;
        (void)snprintf(name, sizeof name, "%s%s%s", subcommands[i].name,
                       subcommands[i].second == NULL ? "" : " ",
                       subcommands[i].second == NULL ? "" : subcommands[i].second);
        (void)fprintf(out, "  %-16s %s\n", name, subcommands[i].summary);
    }
    (void)fprintf(out, "\ngezhi COMMAND --help tells its options.\n");
    return out == stdout ? 0 : 2;
}

int main(int argc, char **argv) {
    bool begun = false; /* the first word is that of a command of two */
    if (argc < 2) return help(stderr, NULL);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) return help(stdout, NULL);
    if (strcmp(argv[1], "--version") == 0) {
        (void)printf("gezhi %s\n", GEZHI_VERSION);
        return 0;
    }
    for (size_t i = 0; i < N_SUBCOMMANDS; i++) {
        const struct subcommand *s = &subcommands[i];
        if (strcmp(argv[1], s->name) != 0) continue;
        if (s->second == NULL) return s->run(argc - 2, argv + 2);
        if (argc > 2 && strcmp(argv[2], s->second) == 0) return s->run(argc - 3, argv + 3);
        begun = true;
    }
    if (begun && argc > 2 && strcmp(argv[2], "--help") == 0) return help(stdout, argv[1]);
    (void)fprintf(stderr, "gezhi: there is no command \"%s%s%s\"\n\n", argv[1],
                  begun && argc > 2 ? " " : "", begun && argc > 2 ? argv[2] : "");
    return help(stderr, begun ? argv[1] : NULL);
}
