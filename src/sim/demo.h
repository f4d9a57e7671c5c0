/* sim/demo.h - makes the invented city as a real data folder: areas, cells, posts, units, accounts,
 * a year of cases through the process engine, the base map and planted.json. The same seed and
 * moment give the same cases; keys, secrets and passwords differ. */
#ifndef SIM_DEMO_H
#define SIM_DEMO_H
#include <stdio.h>

#include "base/err.h"
#include "base/log.h"

struct demo_options {
    const char *dir, *packs_dir, *helper_dir; /* packs_dir NULL: the shipped ones */
    int64_t seed, until_us, n_cells, n_cases; /* until_us 0: now, to the full hour */
    FILE *accounts;                           /* lines "account ROLE NAME PASSWORD" */
    FILE *progress;                           /* a line now and then, or NULL */
    const struct log *log;
};
/* Errors: ERR_CONFLICT the folder holds a city; ERR_INVALID counts out of range; those of packs,
 * plan and ledger. */
enum err_code demo_make(const struct demo_options *o, struct err *err) NODISCARD;
#endif
