/* A saved risk model: any bytes are refused cleanly or make a model that scores a small table. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "study/risk/study.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char table[] = "id,year,age,start,stop,x,m,length,exposure,earlier,last\n"
                            "1,2020,3,3,4,1.5,a,10,1,0,0\n2,2021,0,0,1,-2,b,20,0.5,2,1\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena *a = arena_new((size_t)64 << 20);
    app_assert(a != NULL);
    struct risk_result *r = ARENA_NEW(a, struct risk_result, 1);
    const struct table *t = NULL;
    struct err err;
    struct buf b;
    size_t missing = 0, unseen = 0;
    app_assert(r != NULL);
    buf_init(&b, (size_t)16 << 20);
    if (risk_model_parse(a, "m.json", (const char *)data, size, r, &err) == ERR_OK) {
        app_assert(r->fit.model < RISK_N_MODELS && r->fit.n_coef == r->fit.design.n_columns);
        if (table_parse(a, "t.csv", table, sizeof table - 1, 0, 10, &t, &err) == ERR_OK &&
            risk_predict_csv(a, r, t, 0, &b, &missing, &unseen, &err) == ERR_OK)
            app_assert(missing <= 2);
        buf_clear(&b);
        risk_model_write(r, &b);
        app_assert(b.failed || b.n > 10);
    } else {
        app_assert(err.detail[0] != '\0');
    }
    buf_deinit(&b);
    arena_free(a);
    return 0;
}
