/* gezhi init, and how all subcommands fail */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "domain/grid/folder.h"

int cli_fail(const char *command, const struct err *err) {
    (void)fprintf(stderr, "gezhi %s: %s\n", command, err->detail);
    return 1;
}

int cli_usage(const struct opt_command *cmd, const struct err *err) {
    (void)fprintf(stderr, "gezhi %s: %s\nTry: gezhi %s --help\n", cmd->name, err->detail,
                  cmd->name);
    return 2;
}

int cli_parse(const struct opt_command *cmd, int argc, char **argv) {
    struct err err = {0};
    size_t n = 0;
    if (opt_wants_help(argc, argv)) {
        opt_help(cmd);
        return 0;
    }
    return opt_parse(cmd, argc, argv, &n, &err) == ERR_OK ? CLI_GO_ON : cli_usage(cmd, &err);
}

int cli_init(int argc, char **argv) {
    const char *data = NULL, *name = "", *timezone = "Asia/Shanghai", *codes = "free",
               *packs = NULL;
    const struct opt opts[] = {
        {"data", OPT_STR, &data, true, "DIR", "the folder to make"},
        {"name", OPT_STR, &name, false, "TEXT", "name of the city"},
        {"timezone", OPT_STR, &timezone, false, "ZONE",
         "time zone, as in Asia/Shanghai (the default)"},
        {"codes", OPT_STR, &codes, false, "gb|free",
         "12-digit division codes, or any codes (free, the default)"},
        {"packs", OPT_STR, &packs, false, "DIR", "packs to copy instead of the shipped ones"}};
    const struct opt_command cmd = {"init", NULL, 0, 0, opts, 5, "Make an empty city.", NULL};
    struct err err = {0};
    int done = cli_parse(&cmd, argc, argv);
    if (done != CLI_GO_ON) return done;
    struct city city = {name, timezone, codes, false};
    if (folder_create(data, packs, &city, NULL, &err) != ERR_OK) return cli_fail("init", &err);
    (void)printf("made an empty city in %s\n", data);
    return 0;
}
