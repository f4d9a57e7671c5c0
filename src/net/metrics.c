#include "net/metrics.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <string.h>

#include "base/mem.h"

static const struct metric_info table[METRIC_N] = {
#define X(id, name, kind, unit, label, values, help)                                               \
    {name, METRIC_##kind, unit, label, values, help},
#include "../../decl/metrics.def"
#undef X
};

/* Upper bounds in microseconds; the last bucket is +Inf. */
static const int64_t bound_us[METRIC_BUCKETS] = {500,   1000,   2500,   5000,    10000,   25000,
                                                 50000, 100000, 250000, 1000000, 2500000, 10000000};
static const char *const bound_text[METRIC_BUCKETS] = {
    "0.0005", "0.001", "0.0025", "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "1", "2.5", "10"};

/* Cells of a histogram: one a bucket, +Inf, then the sum in microseconds. */
enum { HISTOGRAM_CELLS = METRIC_BUCKETS + 2, LINE_CELLS = 8 };

struct metrics {
    unsigned slots;
    size_t cells;           /* of one slot, rounded up to a cache line */
    size_t first[METRIC_N]; /* the first cell of each metric */
    size_t n[METRIC_N];     /* cells of each metric */
    _Atomic int64_t *cell;  /* slots * cells */
};

static size_t count_values(const char *values) {
    size_t n = 1;
    for (const char *p = values; *p != '\0'; p++) n += *p == '|';
    return n;
}

struct metrics *metrics_new(unsigned slots) {
    struct metrics *m = mem_new(1, sizeof *m);
    if (m == NULL) return NULL;
    m->slots = slots == 0 ? 1 : slots;
    size_t total = 0;
    for (int i = 0; i < METRIC_N; i++) {
        m->first[i] = total;
        m->n[i] = table[i].kind == METRIC_HISTOGRAM ? (size_t)HISTOGRAM_CELLS
                                                    : count_values(table[i].values);
        total += m->n[i];
    }
    m->cells = (total + LINE_CELLS - 1) / LINE_CELLS * LINE_CELLS;
    m->cell = mem_new(m->slots * m->cells, sizeof *m->cell);
    if (m->cell == NULL) {
        mem_free(m);
        return NULL;
    }
    return m;
}

void metrics_free(struct metrics *m) {
    if (m == NULL) return;
    mem_free(m->cell);
    mem_free(m);
}

const struct metric_info *metrics_info(enum metric id) { return &table[id]; }

static void add(struct metrics *m, unsigned slot, enum metric id, size_t which, int64_t n) {
    atomic_fetch_add_explicit(&m->cell[(slot % m->slots) * m->cells + m->first[id] + which], n,
                              memory_order_relaxed);
}

void metrics_add(struct metrics *m, unsigned slot, enum metric id, unsigned which, int64_t n) {
    if (m == NULL || table[id].kind == METRIC_HISTOGRAM) return;
    add(m, slot, id, which < m->n[id] ? which : m->n[id] - 1, n);
}

void metrics_set(struct metrics *m, enum metric id, unsigned which, int64_t value) {
    if (m == NULL || table[id].kind != METRIC_GAUGE) return;
    size_t at = m->first[id] + (which < m->n[id] ? which : m->n[id] - 1);
    for (unsigned s = 0; s < m->slots; s++)
        atomic_store_explicit(&m->cell[s * m->cells + at], s == 0 ? value : 0,
                              memory_order_relaxed);
}

void metrics_observe(struct metrics *m, unsigned slot, enum metric id, int64_t us) {
    if (m == NULL || table[id].kind != METRIC_HISTOGRAM) return;
    size_t b = 0;
    while (b < METRIC_BUCKETS && us > bound_us[b]) b++;
    add(m, slot, id, b, 1);
    add(m, slot, id, HISTOGRAM_CELLS - 1, us);
}

static int64_t sum_cell(const struct metrics *m, enum metric id, size_t which) {
    int64_t sum = 0;
    for (unsigned s = 0; s < m->slots; s++)
        sum += atomic_load_explicit(&m->cell[s * m->cells + m->first[id] + which],
                                    memory_order_relaxed);
    return sum;
}

int64_t metrics_value(const struct metrics *m, enum metric id, unsigned which) {
    if (table[id].kind != METRIC_HISTOGRAM)
        return sum_cell(m, id, which < m->n[id] ? which : m->n[id] - 1);
    int64_t n = 0;
    for (size_t b = 0; b <= METRIC_BUCKETS; b++) n += sum_cell(m, id, b);
    return n;
}

static void text_histogram(const struct metrics *m, enum metric id, struct buf *out) {
    const char *name = table[id].name;
    int64_t n = 0;
    for (size_t b = 0; b <= METRIC_BUCKETS; b++) {
        n += sum_cell(m, id, b);
        buf_printf(out, "%s_bucket{le=\"%s\"} %" PRId64 "\n", name,
                   b == METRIC_BUCKETS ? "+Inf" : bound_text[b], n);
    }
    int64_t us = sum_cell(m, id, HISTOGRAM_CELLS - 1);
    buf_printf(out, "%s_sum %" PRId64 ".%06d\n%s_count %" PRId64 "\n", name, us / 1000000,
               (int)(us % 1000000), name, n);
}

static void text_plain(const struct metrics *m, enum metric id, struct buf *out) {
    const struct metric_info *t = &table[id];
    if (t->label[0] == '\0') {
        buf_printf(out, "%s %" PRId64 "\n", t->name, sum_cell(m, id, 0));
        return;
    }
    const char *value = t->values;
    for (size_t i = 0; i < m->n[id]; i++) {
        size_t n = strcspn(value, "|");
        buf_printf(out, "%s{%s=\"%.*s\"} %" PRId64 "\n", t->name, t->label, (int)n, value,
                   sum_cell(m, id, i));
        value += n + (value[n] == '|');
    }
}

void metrics_text(const struct metrics *m, struct buf *out) {
    static const char *const kinds[] = {"counter", "gauge", "histogram"};
    for (int i = 0; i < METRIC_N; i++) {
        const struct metric_info *t = &table[i];
        buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", t->name, t->help, t->name, kinds[t->kind]);
        if (t->kind == METRIC_HISTOGRAM)
            text_histogram(m, (enum metric)i, out);
        else
            text_plain(m, (enum metric)i, out);
    }
}
