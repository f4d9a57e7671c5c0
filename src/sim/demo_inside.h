/* sim/demo_inside.h - what the parts of the demo share. Private to src/sim. */
#ifndef SIM_DEMO_INSIDE_H
#define SIM_DEMO_INSIDE_H
#include "domain/grid/folder.h"
#include "domain/process/engine.h"
#include "sim/city_plan.h"
#include "sim/city_year.h"
#include "sim/demo.h"

enum { DEMO_CODE = 48, DEMO_ACCOUNT = 32 };
struct demo {
    const struct demo_options *o;
    struct arena *a;
    struct folder *folder;
    const struct city_plan *plan;
    const struct city_year *year;
    struct engine *engine;
    int64_t until_us;
    uint32_t show_worker, show_unit; /* posts whose people are the accounts that are printed */
    char (*codes)[DEMO_CODE];        /* case code by number in the year */
    struct demo_pictures *pictures;
};
/* Areas, cells, units, posts and their accounts, each kind in one command. */
enum err_code demo_write_city(struct demo *d, struct err *err) NODISCARD;
/* Name of the account that holds a post. */
void demo_account(const struct demo *d, uint32_t post, char out[DEMO_ACCOUNT]);
/* One account a role with a password of its own; printed. */
enum err_code demo_write_accounts(struct demo *d, struct err *err) NODISCARD;
/* The year through the process engine. */
enum err_code demo_write_cases(struct demo *d, struct err *err) NODISCARD;
/* What other offices would send, four years of months. */
enum err_code demo_write_figures(struct demo *d, struct err *err) NODISCARD;
/* A residents' survey a year, in towns, after the figures that it weighs them by. */
enum err_code demo_write_survey(struct demo *d, const struct grid *g, struct err *err) NODISCARD;
/* The last ten days of warnings and what was made of them, after the accounts. */
enum err_code demo_write_warnings(struct demo *d, struct err *err) NODISCARD;
/* The last complete months of the index, frozen and signed off by the leader, after all else. */
enum err_code demo_write_signed(struct demo *d, struct err *err) NODISCARD;
/* Hash of the picture with this key, made when first asked for; NULL when there are enough pictures
 * already. */
enum err_code demo_picture(struct demo *d, uint32_t key, const char **hash,
                           struct err *err) NODISCARD;
#endif
