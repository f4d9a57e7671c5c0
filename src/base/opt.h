/* base/opt.h - options of a subcommand as a table: parse, check, help. */
#ifndef BASE_OPT_H
#define BASE_OPT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum opt_kind { OPT_STR, OPT_INT, OPT_DOUBLE, OPT_FLAG };
struct opt {
    const char *name; /* "data" for --data VALUE or --data=VALUE */
    enum opt_kind kind;
    void *out; /* const char **, int64_t *, double *, bool *: holds the default before */
    bool required;
    const char *value; /* "DIR", shown in help; NULL for a flag */
    const char *help;
};
struct opt_command {
    const char *name;       /* "import areas" */
    const char *positional; /* "FILE" or NULL, for help */
    size_t min_args, max_args;
    const struct opt *opts;
    size_t n_opts;
    const char *summary;
    const char *example; /* a whole command line, shown at the end of the help; NULL: none */
};
/* Positional arguments are left in argv[0 .. *n_args). Errors: ERR_INVALID naming the option
 * (unknown ones with a did-you-mean). "--" ends the options; "-" is an argument. The last of
 * two equal options holds. At most 64 options. */
enum err_code opt_parse(const struct opt_command *cmd, int argc, char **argv, size_t *n_args,
                        struct err *err) NODISCARD;
/* Whether --help or -h stands among the arguments (before a "--"). */
bool opt_wants_help(int argc, char **argv);
/* Help text to stdout. */
void opt_help(const struct opt_command *cmd);
#endif
