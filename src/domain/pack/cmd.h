/* domain/pack/cmd.h - the subcommands `gezhi pack check` and `gezhi pack show`. They print to
 * stdout (a person's text, or JSON with --json), problems of the files to stderr, and return the
 * exit code: 0, 1 (a pack has problems), 2 (wrong use). */
#ifndef DOMAIN_PACK_CMD_H
#define DOMAIN_PACK_CMD_H

/* gezhi pack check [DIR] [--json]: argv holds what follows "check". DIR is "packs" unless given. */
int pack_cmd_check(int argc, char **argv);
/* gezhi pack show [DIR] [--pack NAME] [--type T] [--process P] [--classes] [--json]. */
int pack_cmd_show(int argc, char **argv);
#endif
