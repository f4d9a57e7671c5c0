/* domain/briefing/schedule.h - which briefings are formed by themselves, and when: documents of the
 * folder "briefings" of the packs. Immutable. docs/packs.md tells the format. */
#ifndef DOMAIN_BRIEFING_SCHEDULE_H
#define DOMAIN_BRIEFING_SCHEDULE_H
#include "domain/measure/period.h"
#include "domain/pack/pack.h"

enum { SCHEDULE_MAX = 64, SCHEDULE_KINDS = 3 };
struct schedule_kind {
    enum period_kind kind;
    int minute; /* of the local day */
    int days;   /* days after the period's end: 0 is the day after its last day */
};
struct schedule_row {
    const char *name, *index;
    unsigned levels; /* bit per enum area_level: a briefing for each area of these */
    struct schedule_kind kind[SCHEDULE_KINDS];
    size_t n_kinds;
};
struct schedule {
    const struct schedule_row *row;
    size_t n;
};
/* Arena-owned; borrows the packs. Errors: ERR_INVALID naming file and line. */
enum err_code schedule_load(struct arena *a, const struct pack_set *packs,
                            const struct schedule **out, struct err *err) NODISCARD;
/* The period whose briefing is due at a local time (microseconds), the newest one; false when that
 * day is more than a day past: what was missed longer ago a person may form. */
bool schedule_due(const struct schedule_kind *k, int64_t local_us, struct period *out);
#endif
