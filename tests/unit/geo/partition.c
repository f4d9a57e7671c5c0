#include "partition.h"

#include <math.h>

uint64_t test_next(uint64_t *state) {
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

double test_unit(uint64_t *state) { return (double)(test_next(state) >> 11) * 0x1p-53; }

struct maker {
    uint64_t seed;
    uint32_t nx, ny, inner;
    const double *box;
    double step;
    double *xy; /* the ring being made */
    uint32_t n;
};

/* The same noise for the same key, in [-1, 1). */
static double noise(const struct maker *m, uint32_t kind, uint32_t i, uint32_t j, uint32_t k) {
    uint64_t s = m->seed * 1000003 + kind;
    s = test_next(&s) ^ ((uint64_t)i << 40 | (uint64_t)j << 16 | k);
    (void)test_next(&s);
    return 2 * test_unit(&s) - 1;
}

static double snap(const struct maker *m, double v) {
    return m->step > 0 ? round(v / m->step) * m->step : v;
}

static void corner(const struct maker *m, uint32_t i, uint32_t j, double at[2]) {
    double w = (m->box[2] - m->box[0]) / m->nx, h = (m->box[3] - m->box[1]) / m->ny;
    double dx = i == 0 || i == m->nx ? 0 : 0.15 * noise(m, 1, i, j, 0);
    double dy = j == 0 || j == m->ny ? 0 : 0.15 * noise(m, 2, i, j, 0);
    at[0] = snap(m, m->box[0] + (i + dx) * w);
    at[1] = snap(m, m->box[1] + (j + dy) * h);
}

/* Points of the side from corner (i, j) eastwards or northwards, its far end left out, backwards
 * when asked: then the near end is left out. */
static void side(struct maker *m, uint32_t i, uint32_t j, int north, int backwards) {
    double a[2], b[2];
    corner(m, i, j, a);
    corner(m, i + !north, j + (north != 0), b);
    int rim = north ? i == 0 || i == m->nx : j == 0 || j == m->ny;
    uint32_t n = m->inner / 4 + ((north != 0) && m->inner % 4 >= 2);
    for (uint32_t s = 0; s <= n; s++) {
        uint32_t k = backwards ? n + 1 - s : s;
        double *at = m->xy + 2 * (size_t)m->n++;
        if (k == 0 || k == n + 1) {
            at[0] = k == 0 ? a[0] : b[0];
            at[1] = k == 0 ? a[1] : b[1];
            continue;
        }
        double t = (double)k / (n + 1);
        /* Within 19 degrees of the straight line, so that sides that meet at a corner do not cross.
         */
        double bend = rim ? 0 : 0.35 * fmin(t, 1 - t) * noise(m, 3 + (north != 0), i, j, k);
        at[0] = snap(m, a[0] + t * (b[0] - a[0]) - bend * (b[1] - a[1]));
        at[1] = snap(m, a[1] + t * (b[1] - a[1]) + bend * (b[0] - a[0]));
    }
}

struct partition partition_make(struct arena *a, uint64_t seed, uint32_t nx, uint32_t ny,
                                uint32_t inner, const double box[4], double step) {
    struct maker m = {.seed = seed, .nx = nx, .ny = ny, .inner = inner, .box = box, .step = step};
    struct partition out = {.n = nx * ny, .box = {box[0], box[1], box[2], box[3]}};
    m.xy = ARENA_NEW(a, double, 2 * ((size_t)inner + 16));
    out.cell = ARENA_NEW(a, const struct polygon *, out.n);
    app_assert(m.xy != NULL && out.cell != NULL);
    uint32_t one = 1;
    for (uint32_t j = 0; j < ny; j++) {
        for (uint32_t i = 0; i < nx; i++) {
            m.n = 0;
            side(&m, i, j, 0, 0);
            side(&m, i + 1, j, 1, 0);
            side(&m, i, j + 1, 0, 1);
            side(&m, i, j, 1, 1);
            m.xy[2 * (size_t)m.n] = m.xy[0];
            m.xy[2 * (size_t)m.n + 1] = m.xy[1];
            m.n++;
            enum err_code rc =
                polygon_from_rings(a, m.xy, &m.n, 1, &one, 1, &out.cell[(size_t)j * nx + i], NULL);
            app_assert(rc == ERR_OK);
        }
    }
    return out;
}
