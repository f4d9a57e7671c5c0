/* What the fuzz targets of the scan's files share: a reading over known places, and a source from
 * the bytes, as text or (when the first byte is odd) as text divided by commas. */
#ifndef FUZZ_SCAN_RECORDS_H
#define FUZZ_SCAN_RECORDS_H
#include <stdint.h>
#include <string.h>

#include "base/civil.h"
#include "study/scan/records.h"

static const struct layout fuzz_layout = {.id = 0,
                                          .count = 1,
                                          .date = 2,
                                          .x = SOURCE_ABSENT,
                                          .y = SOURCE_ABSENT,
                                          .other = SOURCE_ABSENT,
                                          .length = SOURCE_ABSENT,
                                          .first_covariate = 3};

/* false: the bytes are no text, and the error names the file. The first byte chooses options. */
static inline bool fuzz_begin(struct arena *a, const uint8_t *data, size_t size, struct reading *r,
                              struct source *s) {
    static const char *const known[] = {"A", "B", "C1"};
    struct err err = {0};
    uint8_t choice = data[0];
    uint32_t number;
    *r = (struct reading){.a = a,
                          .n_covariates = SIZE_MAX,
                          .strata_open = true,
                          .precision = (enum time_unit)(choice >> 1 & 3),
                          .generic = (choice & 8) != 0,
                          .has_period = (choice & 16) != 0,
                          .start = civil_days(1973, 1, 1),
                          .end = civil_days(1991, 12, 31),
                          .relaxed_places = (choice & 32) != 0,
                          .relaxed_times = (choice & 32) != 0,
                          .ids_open = (choice & 64) != 0};
    names_init(&r->ids, a);
    names_init(&r->strata, a);
    for (size_t i = 0; i < 3; i++)
        app_assert(names_add(&r->ids, known[i], &number, NULL) == ERR_OK);
    char separator = (choice & 1) != 0 ? ',' : 0;
    enum err_code rc =
        source_text(a, "fuzz", (const char *)data + 1, size - 1, separator, 0, s, &err);
    if (rc != ERR_OK) {
        app_assert(rc == ERR_SYNTAX || rc == ERR_LIMIT);
        app_assert(strncmp(err.detail, "fuzz:", 5) == 0);
        return false;
    }
    for (size_t i = 0; i < s->n_rows; i++) {
        app_assert(source_width(s, i) >= 1 && s->line[i] >= 1);
        for (size_t k = 0; k < source_width(s, i); k++)
            app_assert(source_get(s, i, k) != NULL && s->column[s->first[i] + k] >= 1);
    }
    return true;
}

static inline bool fuzz_refused(enum err_code rc, const struct err *err) {
    if (rc == ERR_OK) return false;
    app_assert(rc == ERR_INVALID && strncmp(err->detail, "fuzz:", 5) == 0);
    return true;
}
#endif
