/* A small real city (city.h) with its cube of figures, its indices and its places. */
#ifndef TESTS_MEASURE_MEASURED_H
#define TESTS_MEASURE_MEASURED_H
#include "city.h"
#include "domain/measure/index_def.h"
#include "domain/measure/measure.h"

struct measured {
    struct test_city *city;
    struct measure *m;
    const struct index_set *indices;
    const struct grid *grid; /* views borrow its areas */
};
void measured_open(struct measured *out);
void measured_close(struct measured *x);
/* Outside figures from a CSV, none of which is rejected. */
void measured_import(const struct measured *x, const char *csv);
/* Everything that the index of safety asks outside for, of two counties from January to June 2026;
 * of serious crimes at least so many a month. */
void measured_import_months(const struct measured *x, uint64_t seed, unsigned crimes);
/* Fail the test unless it worked. */
void must(enum err_code rc, const struct err *err);
#endif
