/* gezhi pack check: the packs themselves, and the indices that they declare. */
#include "cli/cli.h"
#include "domain/measure/index_def.h"
#include "domain/pack/cmd.h"

static enum err_code check_indices(struct arena *a, const struct pack_set *p, struct err *err) {
    const struct index_set *indices = NULL;
    return index_load(a, p, &indices, err);
}

int cli_pack_check(int argc, char **argv) { return pack_cmd_check(argc, argv, check_indices); }
