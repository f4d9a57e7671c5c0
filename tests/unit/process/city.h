/* A small real city for tests: a temporary folder with the shipped packs, two counties, two towns,
 * two cells, desks and a worker's post. */
#ifndef TESTS_PROCESS_CITY_H
#define TESTS_PROCESS_CITY_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "domain/grid/folder.h"
#include "domain/process/engine.h"

struct test_city {
    char dir[64];
    struct folder folder;
    struct grid_service *grid;
    struct engine *engine;
    struct arena *a;
};
/* cmocka group setup and teardown; state is a struct test_city *. */
int city_setup(void **state);
int city_teardown(void **state);
/* Run a command and fail the test when it fails. */
void city_run(struct test_city *c,
              enum err_code (*apply)(struct tx *tx, void *arg, struct err *err), void *arg);
/* A principal of a role: unit and cell may be NULL. */
struct principal city_who(const struct test_city *c, const char *role, const char *name,
                          const char *unit, const char *cell);

/* One move and its result. */
struct city_move {
    struct test_city *city;
    const char *code, *move, *inputs; /* JSON */
    struct actor actor;
    int64_t at_us;
    enum err_code rc;
    struct err err;
    struct case_row row;
};
/* Report (with who NULL: a stranger) at cell A or, when in_b, at cell B; returns the case's code
 * (arena). */
const char *city_report(struct test_city *c, const char *cls, bool in_b, int64_t at_us,
                        struct reported *out);
/* Make a move; the result is in m->rc, the row in m->row. */
void city_move(struct city_move *m);
/* The same and fail unless it worked. */
void city_must(struct test_city *c, const char *code, const char *move, struct principal who,
               const char *inputs, int64_t at_us, struct case_row *row);
/* The same, whether it works or not. */
struct city_move city_try(struct test_city *c, const char *code, const char *move,
                          const struct principal *who, const char *inputs, int64_t at_us);
/* A report at cell A, filed and with unit U1 an hour and a half later; its code. */
const char *city_dispatched(struct test_city *c, int64_t at_us);
struct case_row city_row(struct test_city *c, const char *code);
#endif
