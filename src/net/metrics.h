/* net/metrics.h - counters, gauges and histograms declared in decl/metrics.def, as Prometheus text
 * (exposition 0.0.4). Every function but new and free may be called from any thread; counting is
 * one relaxed atomic add. A slot keeps the counts of one loop apart, so that loops do not share
 * cache lines; the text gives the sums. */
#ifndef NET_METRICS_H
#define NET_METRICS_H
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum metric {
#define X(id, name, kind, unit, label, values, help) METRIC_##id,
#include "../../decl/metrics.def"
#undef X
    METRIC_N
};
enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };
struct metric_info {
    const char *name;
    enum metric_kind kind;
    const char *unit;
    const char *label;  /* "" when it has none */
    const char *values; /* of the label, separated by '|' */
    const char *help;
};
enum { METRIC_BUCKETS = 12 };

struct metrics;
/* slots >= 1. NULL when there is no memory. */
struct metrics *metrics_new(unsigned slots);
void metrics_free(struct metrics *m);
const struct metric_info *metrics_info(enum metric id);

/* m may be NULL (nothing is counted); a slot beyond the last is taken modulo their number. `which`
 * is the index of the label value (0 without a label); out of range: the last one. */
void metrics_add(struct metrics *m, unsigned slot, enum metric id, unsigned which, int64_t n);
/* A gauge as a whole (not in parts by slot). */
void metrics_set(struct metrics *m, enum metric id, unsigned which, int64_t value);
/* A histogram: one observation in microseconds. Buckets: 0.5 ms to 10 s, metrics.c. */
void metrics_observe(struct metrics *m, unsigned slot, enum metric id, int64_t us);
/* Sum over the slots; for a histogram the number of observations. */
int64_t metrics_value(const struct metrics *m, enum metric id, unsigned which);
/* The whole text for /metrics, type METRICS_CONTENT_TYPE. */
void metrics_text(const struct metrics *m, struct buf *out);
#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"
#endif
