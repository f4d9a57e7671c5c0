/* cli/risk_command.h - what the commands of gezhi risk share. */
#ifndef CLI_RISK_COMMAND_H
#define CLI_RISK_COMMAND_H
#include "base/arena.h"
#include "base/buf.h"
#include "base/opt.h"

enum { RISK_MAX_ROWS = 20000000 };
#define RISK_MOST_MEMORY ((size_t)12 << 30)

/* Read the command line and do the work with an arena and one buffer for files and reports, both
 * gone afterwards. The exit code. */
int risk_command(const struct opt_command *cmd, int argc, char **argv,
                 enum err_code (*work)(struct arena *a, void *args, struct buf *b, struct err *err),
                 void *args);
#endif
