/* domain/measure/index_freeze.h - index values as they were formed, for good: with the data version
 * they rest on, the formula and a hash, so that they can be formed again to the bit. Late data or
 * a corrected figure makes a restatement with a note, never a silent change. */
#ifndef DOMAIN_MEASURE_INDEX_FREEZE_H
#define DOMAIN_MEASURE_INDEX_FREEZE_H
#include "domain/measure/index_json.h"

struct frozen_run {
    int64_t id, version; /* version 1: never restated */
    int64_t formula, data_seq, seed, draws;
    int32_t today;
    const char *formula_hash, *hash, *note, *published_by; /* note, published_by: "" when absent */
    int64_t published_at_us;                               /* 0: not signed off */
};
/* *found is false when the period was never frozen. Arena-owned. */
enum err_code frozen_run_get(struct db *db, int64_t ledger, const char *index, int level,
                             const char *period, struct arena *a, struct frozen_run *out,
                             bool *found, struct err *err) NODISCARD;

enum freeze_outcome { FREEZE_NEW = 1, FREEZE_UNCHANGED, FREEZE_RESTATED };
struct freeze {
    const struct index_view *view;
    int64_t data_seq;
    int32_t today;
    uint64_t seed;
    const char *note; /* why it is restated; NULL: "late data" with the two data versions */
    /* set by the command */
    enum freeze_outcome outcome;
    int64_t n_changed; /* areas whose value or band differs from what stood there */
};
/* Command "index.freeze": arg is a struct freeze. A run that was signed off keeps its signature
 * only while nothing changes: a restated one has to be signed again. Colours follow the hysteresis
 * against the period before. */
enum err_code freeze_apply(struct tx *tx, void *arg, struct err *err) NODISCARD;

struct publish {
    const char *index, *period, *by;
    int level;
    const char *hash; /* what the person saw; another one is ERR_STALE */
};
/* Command "index.publish". Errors: ERR_NOT_FOUND, ERR_STALE, ERR_CONFLICT (signed already). */
enum err_code publish_apply(struct tx *tx, void *arg, struct err *err) NODISCARD;
#endif
