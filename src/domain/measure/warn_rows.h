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
/* The first day of a source's channel. */
struct warn_past {
    const char *channel, *source;
    int32_t day;
};
struct warn_rows {
    struct arena *a;
    const struct pack_set *packs;
    const struct tz *tz;
    struct warn_row *row; /* by opened_us, then code, once warn_rows_sort was called */
    size_t n, cap;
    const char **word; /* every text once: equal texts are equal pointers */
    size_t n_word, word_cap;
    int32_t begin; /* first day of all, also of rows that are not held; INT32_MAX: no row at all */
    /* Channels that may have begun before the first row that is held. */
    struct warn_past *past;
    size_t n_past;
};
/* Free with warn_rows_free. The arena holds the texts. */
void warn_rows_init(struct warn_rows *s, struct arena *a, const struct pack_set *packs,
                    const struct tz *tz);
void warn_rows_free(struct warn_rows *s);
/* Copies the row and sets its day. Errors: ERR_NOMEM, ERR_LIMIT. */
enum err_code warn_rows_add(struct warn_rows *s, const struct warn_row *row,
                            struct err *err) NODISCARD;
void warn_rows_sort(struct warn_rows *s);
/* Every case reported from the start of the day `from` (INT32_MIN: all) to the end of the day
 * `until` (INT32_MAX: all), sorted. Rows of classes that the packs no longer have are left out.
 * O(rows). */
enum err_code warn_rows_load_days(struct warn_rows *s, struct db *db, int64_t ledger, int32_t from,
                                  int32_t until, struct err *err) NODISCARD;
/* What the rules and guards of the set can look at on the days `from` to `until`, and what they ask
 * of the time before it (begin, past). So the days of a city of any age need the memory of the
 * longest history among the rules. Cost: rows held; a channel younger than the guard asks is looked
 * for in the time before. */
enum err_code warn_rows_load_for(struct warn_rows *s, struct db *db, int64_t ledger,
                                 const struct warn_set *set, int32_t from, int32_t until,
                                 struct err *err) NODISCARD;
/* Days that the rules and guards look back, the day itself included. */
int32_t warn_longest(const struct warn_set *set);
/* Days back within which cases of kept signals are looked up again. */
enum { WARN_KEPT_DAYS = 60 };
/* First row of a day or later; n when there is none. O(log n). */
size_t warn_rows_from(const struct warn_rows *s, int32_t day);
#endif
