#include "measured.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "domain/measure/figure.h"

void must(enum err_code rc, const struct err *err) {
    if (rc != ERR_OK) fail_msg("%s: %s %s", err_name(rc), err->field, err->detail);
}

void measured_open(struct measured *out) {
    struct err err = {0};
    void *city = NULL;
    assert_int_equal(city_setup(&city), 0);
    out->city = city;
    const struct folder *f = &out->city->folder;
    must(measure_open(f->ledger, f->packs, f->tz, NULL, &out->m, &err), &err);
    must(index_load(out->city->a, f->packs, &out->indices, &err), &err);
    out->grid = grid_ref(out->city->grid);
}

void measured_close(struct measured *x) {
    void *city = x->city;
    ledger_close(x->city->folder.ledger);
    x->city->folder.ledger = NULL;
    measure_close(x->m);
    grid_unref(x->grid);
    assert_int_equal(city_teardown(&city), 0);
}

void measured_import(const struct measured *x, const char *csv) {
    struct figure_imported out;
    struct err err = {0};
    struct figure_import in = {.name = "f.csv",
                               .in = fmemopen((void *)(uintptr_t)csv, strlen(csv), "r")};
    must(figure_import_run(&x->city->folder, x->grid, &in, &out, &err), &err);
    assert_int_equal(out.rejected, 0);
    (void)fclose(in.in);
}

void measured_import_months(const struct measured *x, uint64_t seed, unsigned crimes) {
    static const char *const names[] = {"traffic_injuries", "fires", "hazards_removed",
                                        "food_failed"};
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    struct rng r = rng_new(seed, 1);
    (void)fputs("indicator,area,period,value\n", f);
    for (int k = 0; k < 2; k++) {
        const char *area = k == 0 ? "990101000000" : "990102000000";
        (void)fprintf(f, "residents,%s,2025,50000\nvehicles,%s,2025,9000\n", area, area);
        (void)fprintf(f, "survey_safe,%s,2025,9%d\n", area, k + 3);
        for (int month = 1; month <= 6; month++) {
            for (size_t i = 0; i < 4; i++)
                (void)fprintf(f, "%s,%s,2026-%02d,%u\n", names[i], area, month,
                              1 + rng_below(&r, 3));
            (void)fprintf(f, "serious_crimes,%s,2026-%02d,%u\n", area, month,
                          crimes + rng_below(&r, 3));
            (void)fprintf(f, "hazards_due,%s,2026-%02d,4\nfood_samples,%s,2026-%02d,60\n", area,
                          month, area, month);
        }
    }
    (void)fclose(f);
    measured_import(x, text);
    free(text);
}
