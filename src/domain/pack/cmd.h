/* domain/pack/cmd.h - the subcommands `gezhi pack check` and `gezhi pack show`. They print to
 * stdout (a person's text, or JSON with --json), problems of the files to stderr, and return the
 * exit code: 0, 1 (a pack has problems), 2 (wrong use). */
#ifndef DOMAIN_PACK_CMD_H
#define DOMAIN_PACK_CMD_H
#include "domain/pack/pack.h"

/* What a higher floor has to say of the packs' documents (indices): ERR_INVALID with file and line.
 */
typedef enum err_code pack_further(struct arena *a, const struct pack_set *p, struct err *err);
/* gezhi pack check [DIR] [--json]: argv holds what follows "check". DIR is "packs" unless given.
 * further may be NULL. */
int pack_cmd_check(int argc, char **argv, pack_further *further);
/* gezhi pack show [DIR] [--pack NAME] [--type T] [--process P] [--classes] [--json]. */
int pack_cmd_show(int argc, char **argv);
#endif
