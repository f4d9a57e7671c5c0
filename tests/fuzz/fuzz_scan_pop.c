/* Populations: any bytes end in cells of finite people at rising census times, or an error that
 * names file, line and column. The expectation of them adds up to the cases. */
#include <math.h>

#include "fuzz_scan_records.h"
#include "study/scan/strata.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(struct arena *a, const struct reading *r, const struct population_rows *rows) {
    uint32_t *of_id = ARENA_NEW(a, uint32_t, r->ids.n);
    struct scan_strata strata;
    struct err err = {0};
    app_assert(of_id != NULL);
    for (uint32_t i = 0; i < r->ids.n; i++) of_id[i] = i;
    if (strata_build(a, rows, of_id, r->ids.n, r->strata.n, &strata, &err) != ERR_OK) return;
    double *cases = ARENA_NEW(a, double, r->strata.n);
    double *expected = ARENA_NEW(a, double, 2 * r->ids.n);
    const double border[] = {1000, 1365, 1731};
    size_t bad;
    app_assert(cases != NULL && expected != NULL);
    for (size_t k = 0; k < r->strata.n; k++) cases[k] = 7;
    strata.cases = cases;
    strata.n_slots = 2;
    strata.slot_border = border;
    if (scan_expected(&strata, a, expected, NULL, &bad, &err) != ERR_OK) return;
    double sum = 0;
    for (size_t i = 0; i < 2 * r->ids.n; i++) {
        app_assert(expected[i] >= 0);
        sum += expected[i];
    }
    /* People of 1e300 overflow to an infinite exposure; the scan refuses what is not finite. */
    if (isfinite(sum) && sum > 0) app_assert(sum < 7.0 * (double)r->strata.n * (1 + 1e-6));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) return 0;
    struct arena *a = arena_new((size_t)256 << 20);
    struct reading r;
    struct source s;
    struct population_rows rows;
    struct layout l = fuzz_layout;
    struct err err = {0};
    l.date = 1;
    l.count = 2;
    app_assert(a != NULL);
    if (fuzz_begin(a, data, size, &r, &s) &&
        !fuzz_refused(records_population(&r, &s, &l, &rows, &err), &err)) {
        for (size_t i = 0; i < rows.n; i++) {
            app_assert(rows.row[i].id < r.ids.n && rows.row[i].category < r.strata.n);
            app_assert(rows.row[i].population >= 0 && isfinite(rows.row[i].population));
        }
        expect(a, &r, &rows);
    }
    arena_free(a);
    return 0;
}
