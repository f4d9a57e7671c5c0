/* Processor milliseconds a replica of temporal and space-time scans of a made-up city: `locations`
 * random points with 4 cases each on average over 365 days, nowhere more than by chance. Prints one
 * JSON object a line; bench/scan_time.sh builds it and compares. Usage:
 *   scan_time CASE LOCATIONS REPLICAS THREADS [DIR]
 * CASE: poisson or permutation, then -prospective or -retrospective (28 days, 5 %), or nyc
 * (LOCATIONS ignored: the cases of stdin as "place slot n x y" lines). With DIR the same data are
 * written there as SaTScan's files. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/pool.h"
#include "base/rng.h"
#include "num/scan/kernel.h"

enum { DAYS = 365, CASES_EACH = 4 };

struct city {
    size_t n, n_slots, n_case;
    double *x, *y, *population, *expected, *size;
    struct scan_count *cases;
};

static double seconds(clockid_t clock) {
    struct timespec t;
    (void)clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void *room(size_t n, size_t size) {
    void *p = calloc(n, size);
    if (p == NULL) abort();
    return p;
}

static void new_rooms(struct city *c, size_t n, size_t n_slots, size_t n_case) {
    c->n = n;
    c->n_slots = n_slots;
    c->n_case = n_case;
    c->x = room(n, sizeof(double));
    c->y = room(n, sizeof(double));
    c->population = room(n, sizeof(double));
    c->size = room(n, sizeof(double));
    c->expected = room(n * n_slots, sizeof(double));
    c->cases = room(n_case, sizeof *c->cases);
}

static void make_city(struct city *c, size_t n) {
    struct rng r = rng_new(2026, n);
    new_rooms(c, n, DAYS, n * CASES_EACH);
    double *sum = room(n + 1, sizeof(double));
    for (size_t i = 0; i < n; i++) {
        c->x[i] = rng_unit(&r) * 100.0;
        c->y[i] = rng_unit(&r) * 100.0;
        c->population[i] = floor(500.0 * exp(0.5 * rng_normal(&r))) + 1.0;
        sum[i + 1] = sum[i] + c->population[i];
    }
    for (size_t i = 0; i < c->n_case; i++) {
        double u = rng_unit(&r) * sum[n];
        size_t from = 0, to = n;
        while (to - from > 1) {
            size_t mid = (from + to) / 2;
            if (sum[mid] <= u)
                from = mid;
            else
                to = mid;
        }
        c->cases[i] = (struct scan_count){(uint32_t)from, rng_below(&r, DAYS), 1};
    }
    /* Multiples of so small a power of two that sums are exact, as kernels want them. */
    for (size_t i = 0; i < n * DAYS; i++)
        c->expected[i] =
            nearbyint(c->population[i / DAYS] / sum[n] * (double)c->n_case / DAYS * 0x1p34) *
            0x1p-34;
    free(sum);
}

static void read_city(struct city *c) {
    enum { MOST = 100000 };
    new_rooms(c, MOST, 1, MOST);
    size_t n = 0, most_place = 0, most_slot = 0;
    char line[256];
    while (n < MOST && fgets(line, sizeof line, stdin) != NULL) {
        char *end;
        unsigned long place = strtoul(line, &end, 10), slot = strtoul(end, &end, 10);
        unsigned long count = strtoul(end, &end, 10);
        if (place >= MOST) abort();
        c->x[place] = strtod(end, &end);
        c->y[place] = strtod(end, &end);
        if (place > most_place) most_place = place;
        if (slot > most_slot) most_slot = slot;
        if (count > 0)
            c->cases[n++] = (struct scan_count){(uint32_t)place, (uint32_t)slot, (uint32_t)count};
    }
    c->n_case = n;
    c->n = most_place + 1;
    c->n_slots = most_slot + 1;
}

static FILE *open_out(const char *dir, const char *name) {
    char path[4096];
    int n = snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = n > 0 && (size_t)n < sizeof path ? fopen(path, "w") : NULL;
    if (f == NULL) {
        perror(name);
        exit(1);
    }
    return f;
}

static void write_files(const struct city *c, const char *dir) {
    FILE *cas = open_out(dir, "city.cas"), *pop = open_out(dir, "city.pop"),
         *geo = open_out(dir, "city.geo");
    static const int month_end[] = {31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
    for (size_t i = 0; i < c->n_case; i++) {
        int day = (int)c->cases[i].slot, m = 0;
        while (day >= month_end[m]) m++;
        (void)fprintf(cas, "p%u %u 2025/%d/%d\n", c->cases[i].place, c->cases[i].n, m + 1,
                      day - (m > 0 ? month_end[m - 1] : 0) + 1);
    }
    for (size_t i = 0; i < c->n; i++) {
        (void)fprintf(pop, "p%zu 2025 %.0f\n", i, c->population[i]);
        (void)fprintf(geo, "p%zu %.9f %.9f\n", i, c->x[i], c->y[i]);
    }
    if (fclose(cas) != 0 || fclose(pop) != 0 || fclose(geo) != 0) abort();
}

static void must(enum err_code rc, const struct err *err) {
    if (rc == ERR_OK) return;
    (void)fprintf(stderr, "scan_time: %s: %s\n", err_name(rc), err->detail);
    exit(1);
}

struct clocks {
    double cpu, wall;
};
static struct clocks now(void) {
    return (struct clocks){seconds(CLOCK_PROCESS_CPUTIME_ID), seconds(CLOCK_MONOTONIC)};
}

static void measure(const char *name, const struct scan_data *data,
                    const struct scan_options *options, const double *size, double total,
                    const double *expected, const struct num_run *run) {
    struct arena *a = arena_new((size_t)16 << 30);
    struct scan_zones zones;
    struct scan_kernel kernel;
    struct err err = {0};
    struct clocks t0 = now();
    must(scan_zones_build(data, options, size, total, run, a, &zones, &err), &err);
    struct clocks t1 = now();
    must(scan_space_time_kernel(data, options, &zones, expected, run, a, &kernel, &err), &err);
    struct clocks t2 = now();
    struct scan_best *best = room(zones.n_lists + 1, sizeof *best);
    must(kernel.observe(kernel.self, run, best, &err), &err);
    double top = 0.0;
    for (size_t i = 0; i < zones.n_lists; i++) top = fmax(top, best[i].llr);
    struct clocks t3 = now();
    double *maxima = room(options->replicas, sizeof *maxima), mean = 0.0;
    must(kernel.replicate(kernel.self, run, 1, 1, options->replicas, 0.0, maxima, &err), &err);
    struct clocks t4 = now();
    for (uint32_t i = 0; i < options->replicas; i++) mean += maxima[i] / options->replicas;
    (void)printf("{\"case\":\"%s\",\"locations\":%zu,\"threads\":%zu,\"zones\":%zu,"
                 "\"zones_cpu_s\":%.4g,\"tables_cpu_s\":%.4g,\"data_cpu_s\":%.4g,"
                 "\"replica_cpu_ms\":%.5g,\"replicas\":%u,\"wall_s\":%.4g,\"wall_999_s\":%.4g,"
                 "\"llr\":%.9g,\"mean_max\":%.9g}\n",
                 name, data->n_places, num_run_threads(run), zones.n_zones, t1.cpu - t0.cpu,
                 t2.cpu - t1.cpu, t3.cpu - t2.cpu, (t4.cpu - t3.cpu) * 1e3 / options->replicas,
                 options->replicas, t4.wall - t0.wall,
                 t3.wall - t0.wall + (t4.wall - t3.wall) / options->replicas * 999.0, top, mean);
    free(best);
    free(maxima);
    arena_free(a);
}

int main(int argc, char **argv) {
    if (argc < 5) {
        (void)fprintf(stderr, "usage: scan_time CASE LOCATIONS REPLICAS THREADS [DIR]\n");
        return 2;
    }
    const char *name = argv[1];
    bool nyc = strncmp(name, "nyc", 3) == 0, poisson = strncmp(name, "poisson", 7) == 0;
    struct city c = {0};
    if (nyc)
        read_city(&c);
    else
        make_city(&c, strtoul(argv[2], NULL, 10));
    if (argc > 5) write_files(&c, argv[5]);
    struct pool *pool;
    struct err err;
    must(pool_new(strtoul(argv[4], NULL, 10), &pool, &err), &err);
    struct num_run run = {.parallel = pool_run,
                          .pool = pool,
                          .n_threads = pool_threads(pool),
                          .max_bytes = (size_t)16 << 30};
    struct scan_data data = {.model = poisson ? SCAN_POISSON : SCAN_PERMUTATION,
                             .n_places = c.n,
                             .n_slots = c.n_slots,
                             .slot_days = 1.0,
                             .metric = nyc ? SCAN_SPHERE : SCAN_PLANE,
                             .points = {c.n, c.x, c.y},
                             .cases = c.cases,
                             .n_cases = c.n_case,
                             .expected = poisson ? c.expected : NULL};
    struct scan_options options = {.analysis = SCAN_SPACE_TIME,
                                   .prospective = strstr(name, "prospective") != NULL,
                                   .rates = SCAN_HIGH,
                                   .max_size = nyc ? 0.5 : 0.05,
                                   .max_slots = nyc ? 0 : 28,
                                   .replicas = (uint32_t)strtoul(argv[3], NULL, 10)};
    double total = 0.0;
    for (size_t i = 0; i < c.n_case; i++)
        if (!poisson) c.size[c.cases[i].place] += c.cases[i].n;
    for (size_t i = 0; i < c.n; i++) {
        if (poisson) c.size[i] = c.population[i];
        total += c.size[i];
    }
    measure(name, &data, &options, c.size, total, data.expected, &run);
    pool_free(pool);
    return 0;
}
