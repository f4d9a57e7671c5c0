/* domain/measure/warn_rows.h - what warnings look at: when, where, as what and by whom cases were
 * reported. Only what is known at the report is held, nothing that a later step changes; so a past
 * day is seen as it was. Private to one thread until all rows are in; then immutable. */
#ifndef DOMAIN_MEASURE_WARN_ROWS_H
#define DOMAIN_MEASURE_WARN_ROWS_H
#include "domain/measure/warn_def.h"
#include "store/db.h"

enum { WARN_CODES = WARN_CELL + 1 };
struct warn_row {
    const char *code;
    int64_t opened_us;
    double lon, lat;                                             /* NaN: none */
    const char *channel, *source, *reporter, *place[WARN_CODES]; /* "" when absent; by level */
    uint32_t cls;                                                /* index in packs->classes */
    int32_t day;                                                 /* local day of the report */
    int64_t joined_us; /* when it was joined to an earlier case of the same thing; 0: never. The one
                          thing here that a later step writes, so it comes with its time */
};
struct warn_rows {
    struct arena *a;
    const struct pack_set *packs;
    const struct tz *tz;
    struct warn_row *row; /* by opened_us, then code, once warn_rows_sort was called */
    size_t n, cap;
    const char **word; /* every text once: equal texts are equal pointers */
    size_t n_word, word_cap;
};
/* Free with warn_rows_free. The arena holds the texts. */
void warn_rows_init(struct warn_rows *s, struct arena *a, const struct pack_set *packs,
                    const struct tz *tz);
void warn_rows_free(struct warn_rows *s);
/* Copies the row and sets its day. Errors: ERR_NOMEM, ERR_LIMIT. */
enum err_code warn_rows_add(struct warn_rows *s, const struct warn_row *row,
                            struct err *err) NODISCARD;
void warn_rows_sort(struct warn_rows *s);
/* Every case reported before the end of the day `until` (INT32_MAX: all), sorted. Rows of classes
 * that the packs no longer have are left out. O(rows). */
enum err_code warn_rows_load(struct warn_rows *s, struct db *db, int64_t ledger, int32_t until,
                             struct err *err) NODISCARD;
/* The same from the start of the day `from` on (INT32_MIN: all before too). */
enum err_code warn_rows_load_days(struct warn_rows *s, struct db *db, int64_t ledger, int32_t from,
                                  int32_t until, struct err *err) NODISCARD;
/* First row of a day or later; n when there is none. O(log n). */
size_t warn_rows_from(const struct warn_rows *s, int32_t day);
#endif
