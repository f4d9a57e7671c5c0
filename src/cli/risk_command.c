#include "cli/risk_command.h"

#include "cli/cli.h"

static const size_t text_bytes = (size_t)2 << 30;

int risk_command(const struct opt_command *cmd, int argc, char **argv,
                 enum err_code (*work)(struct arena *a, void *args, struct buf *b, struct err *err),
                 void *args) {
    int done = cli_parse(cmd, argc, argv);
    if (done != CLI_GO_ON) return done;
    struct err err = {0};
    struct arena *a = arena_new(RISK_MOST_MEMORY);
    struct buf b;
    buf_init(&b, text_bytes);
    enum err_code rc =
        a == NULL ? err_fail(&err, ERR_NOMEM, "there is no memory") : work(a, args, &b, &err);
    buf_deinit(&b);
    arena_free(a);
    return rc == ERR_OK ? 0 : cli_fail(cmd->name, &err);
}
