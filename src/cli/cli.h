/* cli/cli.h - subcommands of gezhi: each takes its own arguments (argv[0] is the first after its
 * name) and returns the exit code: 0 done, 1 the work failed, 2 wrong use. */
#ifndef CLI_CLI_H
#define CLI_CLI_H
#include "base/buf.h"
#include "base/err.h"
#include "base/opt.h"

/* Print "gezhi COMMAND: ..." to stderr; 2 for ERR_INVALID of the command line itself, else 1. */
int cli_fail(const char *command, const struct err *err);
int cli_usage(const struct opt_command *cmd, const struct err *err);

/* Read the command line of a subcommand: CLI_GO_ON, or the exit code after --help (0) or wrong use
 * (2). */
enum { CLI_GO_ON = -1 };
int cli_parse(const struct opt_command *cmd, int argc, char **argv);

/* All of b to standard output, or to the file (NULL: standard output). Errors: those b holds,
 * ERR_IO. */
enum err_code cli_print(const struct buf *b, struct err *err) NODISCARD;
enum err_code cli_write(const char *path, const struct buf *b, struct err *err) NODISCARD;

int cli_init(int argc, char **argv);
int cli_serve(int argc, char **argv);
int cli_demo(int argc, char **argv);
int cli_import_areas(int argc, char **argv);
int cli_import_cells(int argc, char **argv);
int cli_import_cases(int argc, char **argv);
int cli_import_indicators(int argc, char **argv);
int cli_import_survey(int argc, char **argv);
int cli_export_cases(int argc, char **argv);
int cli_pack_check(int argc, char **argv);
int cli_locate(int argc, char **argv);
int cli_scan(int argc, char **argv);
int cli_alarm(int argc, char **argv);
int cli_alarm_evaluate(int argc, char **argv);
int cli_index(int argc, char **argv);
int cli_index_audit(int argc, char **argv);
int cli_index_run(int argc, char **argv);
int cli_index_backtest(int argc, char **argv);
int cli_warn_run(int argc, char **argv);
int cli_warn_replay(int argc, char **argv);
int cli_warn_record(int argc, char **argv);
int cli_briefing(int argc, char **argv);
int cli_erase(int argc, char **argv);
int cli_verify(int argc, char **argv);
int cli_backup(int argc, char **argv);
int cli_restore(int argc, char **argv);
int cli_risk_prepare(int argc, char **argv);
int cli_risk_fit(int argc, char **argv);
int cli_risk_predict(int argc, char **argv);
int cli_risk_evaluate(int argc, char **argv);
int cli_risk_curve(int argc, char **argv);
int cli_risk_incidents(int argc, char **argv);
int cli_risk_pavement(int argc, char **argv);
#endif
