/* Processor time of the purely spatial scan on a made-up city: n places laid out at random, four
 * cases a place, circles up to half of the city, one thread. Prints the set-up and the milliseconds
 * a replica, those of the first round (512) left out of both.
 * Usage: scan_spatial N [REPLICAS] [FILES]: FILES writes the same data as SaTScan reads it. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/rng.h"
#include "num/scan/scan.h"

struct city {
    size_t n;
    double *x, *y, *expected;
    struct scan_count *cases;
};

static double cpu_ms(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static struct city make_city(struct arena *a, size_t n) {
    struct city c = {.n = n,
                     .x = ARENA_NEW(a, double, n),
                     .y = ARENA_NEW(a, double, n),
                     .expected = ARENA_NEW(a, double, n),
                     .cases = ARENA_NEW(a, struct scan_count, n)};
    if (c.x == NULL || c.y == NULL || c.expected == NULL || c.cases == NULL) abort();
    struct rng r = rng_new(20, n);
    for (size_t i = 0; i < n; i++) {
        c.x[i] = rng_unit(&r) * 20000.0;
        c.y[i] = rng_unit(&r) * 20000.0;
        c.expected[i] = 100.0 + rng_below(&r, 1800);
        c.cases[i].place = (uint32_t)i;
    }
    for (size_t k = 0; k < 4 * n;) {
        uint32_t i = rng_below(&r, (uint32_t)n);
        if (rng_unit(&r) * 1900.0 >= c.expected[i]) continue;
        c.cases[i].n++;
        k++;
    }
    return c;
}

static void write_file(const char *stem, const char *end, const struct city *c) {
    char name[512];
    (void)snprintf(name, sizeof name, "%s.%s", stem, end);
    FILE *f = fopen(name, "w");
    if (f == NULL) {
        perror(name);
        exit(1);
    }
    for (size_t i = 0; i < c->n; i++) {
        if (end[0] == 'g') (void)fprintf(f, "%zu %.6f %.6f\n", i, c->x[i], c->y[i]);
        if (end[0] == 'p') (void)fprintf(f, "%zu 2000 %.0f\n", i, c->expected[i]);
        if (end[0] == 'c' && c->cases[i].n > 0) (void)fprintf(f, "%zu %u\n", i, c->cases[i].n);
    }
    if (fclose(f) != 0) perror(name);
}

/* Processor time when the first and the last round of replicas ended. */
struct rounds {
    double first_ms, last_ms, first_share;
};
static void note(void *arg, const char *stage, double share) {
    struct rounds *r = arg;
    if (stage[0] != 'r') return;
    r->last_ms = cpu_ms();
    if (r->first_share > 0.0) return;
    r->first_ms = r->last_ms;
    r->first_share = share;
}

static void run(const struct city *c, uint32_t replicas) {
    struct scan_data data = {.model = SCAN_POISSON,
                             .n_places = c->n,
                             .n_slots = 1,
                             .points = {c->n, c->x, c->y},
                             .cases = c->cases,
                             .n_cases = c->n,
                             .expected = c->expected};
    struct scan_options options = {
        .analysis = SCAN_SPATIAL, .rates = SCAN_HIGH, .replicas = replicas, .seed = 1};
    struct rounds rounds = {0};
    struct num_run one = {.progress = note, .arg = &rounds, .max_bytes = (size_t)16 << 30};
    struct scan_result result;
    struct err err = {0};
    struct arena *a = arena_new((size_t)1 << 40);
    double before = cpu_ms();
    enum err_code code = scan_run(&data, &options, &one, a, &result, &err);
    if (code != ERR_OK) {
        (void)fprintf(stderr, "%s\n", err.detail);
        exit(1);
    }
    double first = rounds.first_share * replicas;
    double each = (rounds.last_ms - rounds.first_ms) / (replicas - first);
    if (result.n_clusters > 0)
        (void)printf("  %zu zones; strongest %.6f, p %.4f, Gumbel %.4f\n", result.n_zones,
                     result.clusters[0].llr, result.clusters[0].p_value,
                     result.clusters[0].p_gumbel);
    (void)printf("  %.3f ms a replica, set-up %.0f ms\n", each,
                 rounds.first_ms - before - first * each);
    arena_free(a);
}

int main(int argc, char **argv) {
    size_t n = argc > 1 ? (size_t)strtoul(argv[1], NULL, 10) : 5000;
    uint32_t replicas = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 0;
    if (replicas <= 512) replicas = 2048;
    struct arena *a = arena_new((size_t)1 << 32);
    struct city c = make_city(a, n);
    if (argc > 3) {
        write_file(argv[3], "geo", &c);
        write_file(argv[3], "pop", &c);
        write_file(argv[3], "cas", &c);
    }
    (void)printf("n = %zu\n", n);
    run(&c, replicas);
    arena_free(a);
    return 0;
}
