/* domain/warning/run.h - the rules over a folder's cases, day by day, each day recorded by a
 * command of its own: what a night does, what "run now" does, and the command line. Whoever is
 * ended in the middle goes on with the next day. */
#ifndef DOMAIN_WARNING_RUN_H
#define DOMAIN_WARNING_RUN_H
#include "domain/warning/warning.h"
#include "num/core/run.h"

struct warn_run {
    struct ledger *ledger;
    const struct engine *engine;
    const struct warn_set *set;
    const struct warn_rule *only; /* NULL: every rule */
    uint64_t seed;
    const struct num_run *run; /* threads and stop; may be NULL */
    /* For rules over figures. measure NULL: the figures are counted from the tables, once. */
    struct measure *measure;
    const struct index_set *indices; /* NULL: rules on colours say nothing */
    /* true: cases open and moves are made in the night after their day, to fill a folder with its
     * past; false: now. */
    bool backdate;
    /* Told after each day, from the calling thread; may be NULL. */
    void (*told)(void *ctx, int32_t day, const struct warn_record *r);
    void *ctx;
};
/* Record the days [from, to]. Not from the writer's thread; holds a reader while rows are read, not
 * while rules run. Errors: those of rules and of warn_record_apply; ERR_TIMEOUT when it was stopped
 * (days before are recorded). Cost: one read of the cases, then the rules of each day. */
enum err_code warn_run_days(const struct warn_run *r, int32_t from, int32_t to,
                            struct err *err) NODISCARD;

/* The emergencies of the ledger as the rules take them. Arena-owned. */
enum err_code warn_emergencies(struct db *db, const struct pack_set *packs, struct arena *a,
                               const struct warn_emergency **out, size_t *n,
                               struct err *err) NODISCARD;

/* The local day of a moment, and the first moment after at_us that is the set's local time of the
 * night. */
int32_t warn_local_day(const struct tz *tz, int64_t at_us);
int64_t warn_next_night(const struct tz *tz, const struct warn_set *set, int64_t at_us);
/* What a night at now_us records: the days after the last recorded one up to yesterday; yesterday
 * alone when none was recorded before. false: nothing is due. */
bool warn_days_due(const struct tz *tz, int64_t now_us, bool any, int32_t last, int32_t *from,
                   int32_t *to);
#endif
