/* Tables: any bytes end in a whole table or a clean error; every cell can be asked for every kind
 * of value. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "study/table/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(const struct table *t, size_t row, size_t col) {
    struct err err;
    double number = 0;
    int64_t whole = 0;
    int32_t date = 0;
    app_assert(table_text(t, row, col) != NULL);
    if (table_number(t, row, col, false, &number, &err) == ERR_OK) app_assert(isfinite(number));
    if (table_int(t, row, col, -5, 1000, &whole, &err) == ERR_OK)
        app_assert(whole >= -5 && whole <= 1000);
    enum err_code rc = table_date(t, row, col, &date, &err);
    app_assert(rc == ERR_OK || strstr(err.detail, t->name[col]) != NULL ||
               strlen(t->name[col]) > 100);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena *a = arena_new((size_t)64 << 20);
    const struct table *t = NULL;
    struct err err;
    app_assert(a != NULL);
    enum err_code rc = table_parse(a, "t.csv", (const char *)data, size, 0, 2000, &t, &err);
    app_assert((rc == ERR_OK) == (t != NULL));
    for (size_t i = 0; t != NULL && i < t->n_row; i++)
        for (size_t j = 0; j < t->n_col && j < 20; j++) ask(t, i, j);
    arena_free(a);
    return 0;
}
