#include "num/composite/rank_interval.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "num/composite/order.h"

enum { BLOCK = 32 };

/* ---- bands ---- */

struct bands {
    const uint16_t *rank, *nominal;
    size_t n_draw, n_area, n_block, n_task;
    double level;
    const struct num_run *run;
    uint32_t *count; /* n_task x BLOCK x (n_area + 1) */
    struct rank_interval *out;
};

/* The k-th smallest rank, k from 1. */
static uint16_t kth(const uint32_t *count, size_t n_area, size_t k) {
    size_t before = 0;
    for (size_t r = 1; r <= n_area; r++) {
        before += count[r];
        if (before >= k) return (uint16_t)r;
    }
    return (uint16_t)n_area;
}

static struct rank_interval band(const uint32_t *count, size_t n_area, uint16_t nominal,
                                 double level) {
    struct rank_interval out = {.n = 0};
    double sum = 0, shift = 0, better = 0;
    for (size_t r = 1; r <= n_area; r++) {
        if (count[r] == 0) continue;
        double c = (double)count[r], way = (double)r - (double)nominal;
        out.n += count[r];
        out.min = out.min == 0 ? (uint16_t)r : out.min;
        out.max = (uint16_t)r;
        sum += c * (double)r;
        shift += c * fabs(way);
        better += way < 0.0 ? c : 0.0;
    }
    if (out.n == 0) return out;
    double n = (double)out.n;
    /* Guards against 0.05 * n falling a rounding below a whole number. */
    size_t tail = (size_t)floor(0.5 * (1.0 - level) * n + 1e-9);
    out.low = kth(count, n_area, tail + 1);
    out.high = kth(count, n_area, out.n - tail);
    out.median = 0.5 * (kth(count, n_area, (out.n + 1) / 2) + kth(count, n_area, out.n / 2 + 1));
    out.mean = sum / n;
    if (nominal == 0) return out;
    out.shift = shift / n;
    out.better = better / n;
    return out;
}

static void bands_task(void *arg, size_t t) {
    const struct bands *b = arg;
    size_t n = b->n_area, row = n + 1;
    uint32_t *count = b->count + t * BLOCK * row;
    for (size_t k = b->n_block * t / b->n_task; k < b->n_block * (t + 1) / b->n_task; k++) {
        size_t from = k * BLOCK, m = n - from < BLOCK ? n - from : BLOCK;
        if (num_run_stopped(b->run)) return;
        memset(count, 0, BLOCK * row * sizeof *count);
        for (size_t d = 0; d < b->n_draw; d++) {
            const uint16_t *rank = b->rank + d * n + from;
            for (size_t i = 0; i < m; i++) count[i * row + rank[i]]++;
        }
        for (size_t i = 0; i < m; i++)
            b->out[from + i] = band(count + i * row, n, b->nominal[from + i], b->level);
    }
}

enum err_code rank_intervals(const uint16_t *rank, size_t n_draw, size_t n_area,
                             const uint16_t *nominal, double level, const struct num_run *run,
                             struct rank_interval *out, struct err *err) {
    if (!(level > 0.0 && level < 1.0))
        return err_fail(err, ERR_INVALID, "a band of %g of the draws; expected one in (0, 1)",
                        level);
    struct bands b = {.rank = rank,
                      .nominal = nominal,
                      .n_draw = n_draw,
                      .n_area = n_area,
                      .n_block = (n_area + BLOCK - 1) / BLOCK,
                      .level = level,
                      .run = run,
                      .out = out};
    size_t most = 4 * num_run_threads(run);
    b.n_task = b.n_block < most ? b.n_block : most;
    b.count = mem_new(b.n_task * BLOCK, (n_area + 1) * sizeof *b.count);
    if (b.count == NULL) return err_fail(err, ERR_NOMEM, "no memory for counting ranks");
    num_run_each(run, b.n_task, bands_task, &b);
    mem_free(b.count);
    return num_run_stopped(run) ? err_fail(err, ERR_TIMEOUT, "stopped while counting ranks")
                                : ERR_OK;
}

/* ---- neighbours ---- */

/* A missing rank as the last of all. */
static uint16_t placed(uint16_t rank) { return rank == 0 ? UINT16_MAX : rank; }

enum err_code rank_neighbours(const uint16_t *rank, size_t n_draw, size_t n_area,
                              const uint16_t *nominal, uint32_t *order, double *holds, size_t *n,
                              struct err *err) {
    uint32_t *at = mem_new(n_area + 2, sizeof *at), *count = mem_new(n_area + 1, sizeof *count);
    if (at == NULL || count == NULL) {
        mem_free(at);
        mem_free(count);
        return err_fail(err, ERR_NOMEM, "no memory for %zu neighbours", n_area);
    }
    for (size_t i = 0; i < n_area; i++) at[nominal[i] + 1]++;
    uint32_t missing = at[1];
    for (size_t r = 0; r <= n_area; r++) at[r + 1] += at[r];
    for (size_t i = 0; i < n_area; i++)
        if (nominal[i] != 0) order[at[nominal[i]]++ - missing] = (uint32_t)i;
    *n = n_area - missing;
    for (size_t d = 0; d < n_draw; d++) {
        const uint16_t *r = rank + d * n_area;
        for (size_t k = 0; k + 1 < *n; k++)
            count[k] += placed(r[order[k]]) < placed(r[order[k + 1]]);
    }
    for (size_t k = 0; k + 1 < *n; k++)
        holds[k] = n_draw > 0 ? (double)count[k] / (double)n_draw : 0.0;
    mem_free(at);
    mem_free(count);
    return ERR_OK;
}

/* ---- pairs ---- */

/* Ranks lie area by area, biased so that signed comparison orders them; whole vectors of LANES
 * draws, the last filled up with equal values. */
enum { LANES = 16, STRIP = 8192 };
typedef int16_t lanes __attribute__((vector_size(32), aligned(2)));

struct pairs {
    const uint16_t *rank;
    size_t n_draw, n_area, width;
    int16_t *turned; /* n_area x width */
    uint16_t *min, *max;
    const struct num_run *run;
    uint32_t *above;
};

static inline __attribute__((always_inline)) void
compare(const int16_t *a, const int16_t *b, size_t width, uint32_t *a_above, uint32_t *b_above) {
    uint32_t na = 0, nb = 0;
    for (size_t from = 0; from < width; from += STRIP) {
        size_t to = from + STRIP < width ? from + STRIP : width;
        lanes less = {0}, more = {0};
        for (size_t d = from; d < to; d += LANES) {
            lanes x = *(const lanes *)(const void *)(a + d);
            lanes y = *(const lanes *)(const void *)(b + d);
            less -= x < y;
            more -= x > y;
        }
        for (size_t k = 0; k < LANES; k++) {
            na += (uint16_t)less[k];
            nb += (uint16_t)more[k];
        }
    }
    *a_above = na;
    *b_above = nb;
}

static void compare_plain(const int16_t *a, const int16_t *b, size_t width, uint32_t *na,
                          uint32_t *nb) {
    compare(a, b, width, na, nb);
}
#if defined __x86_64__
__attribute__((target("avx2"))) static void compare_avx2(const int16_t *a, const int16_t *b,
                                                         size_t width, uint32_t *na, uint32_t *nb) {
    compare(a, b, width, na, nb);
}
static bool has_avx2(void) { return __builtin_cpu_supports("avx2") != 0; }
#else
static bool has_avx2(void) { return false; }
static void compare_avx2(const int16_t *a, const int16_t *b, size_t width, uint32_t *na,
                         uint32_t *nb) {
    compare(a, b, width, na, nb);
}
#endif

static void turn_block(void *arg, size_t k) {
    struct pairs *p = arg;
    size_t from = k * BLOCK, to = from + BLOCK < p->n_area ? from + BLOCK : p->n_area;
    for (size_t i = from; i < to; i++) p->min[i] = UINT16_MAX;
    for (size_t d = 0; d < p->n_draw; d++) {
        for (size_t i = from; i < to; i++) {
            uint16_t r = placed(p->rank[d * p->n_area + i]);
            p->turned[i * p->width + d] = (int16_t)((int32_t)r - 32768);
            p->min[i] = r < p->min[i] ? r : p->min[i];
            p->max[i] = r > p->max[i] ? r : p->max[i];
        }
    }
}

static void pairs_of(void *arg, size_t a) {
    const struct pairs *p = arg;
    size_t n = p->n_area;
    bool fast = has_avx2();
    if (num_run_stopped(p->run)) return;
    p->above[a * n + a] = 0;
    for (size_t b = a + 1; b < n; b++) {
        uint32_t *over = &p->above[a * n + b], *under = &p->above[b * n + a];
        const int16_t *x = p->turned + a * p->width, *y = p->turned + b * p->width;
        *over = *under = 0;
        if (p->max[a] < p->min[b])
            *over = (uint32_t)p->n_draw;
        else if (p->max[b] < p->min[a])
            *under = (uint32_t)p->n_draw;
        else if (fast)
            compare_avx2(x, y, p->width, over, under);
        else
            compare_plain(x, y, p->width, over, under);
    }
}

enum err_code rank_dominance(const uint16_t *rank, size_t n_draw, size_t n_area,
                             const struct num_run *run, uint32_t *above, struct err *err) {
    if (n_draw > UINT32_MAX) return err_fail(err, ERR_LIMIT, "too many draws to count");
    size_t width = (n_draw + LANES - 1) / LANES * LANES;
    double n = (double)n_area;
    TRY(num_run_afford(run, n * n * sizeof *above + 2.0 * n * (double)width,
                       "counting all pairs of areas", err));
    struct pairs p = {.rank = rank,
                      .n_draw = n_draw,
                      .n_area = n_area,
                      .width = width,
                      .run = run,
                      .above = above};
    p.turned = mem_new(n_area * width + 1, sizeof *p.turned);
    p.min = mem_new(n_area + 1, sizeof *p.min);
    p.max = mem_new(n_area + 1, sizeof *p.max);
    enum err_code rc = ERR_OK;
    if (p.turned == NULL || p.min == NULL || p.max == NULL) {
        rc = err_fail(err, ERR_NOMEM, "no memory for %zu areas", n_area);
    } else {
        num_run_each(run, (n_area + BLOCK - 1) / BLOCK, turn_block, &p);
        num_run_each(run, n_area, pairs_of, &p);
        if (num_run_stopped(run)) rc = err_fail(err, ERR_TIMEOUT, "stopped while counting pairs");
    }
    mem_free(p.turned);
    mem_free(p.min);
    mem_free(p.max);
    return rc;
}
