/* The indicator cube: a year of 100 indicators over 20,000 cells, every atom filled, and what it
 * takes to sum the year up the tree of areas; and one case added and seen in an index.
 * Usage: cube PLACES INDICATORS DAYS THREADS ROUNDS [EXPORT.csv ROWS] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/pool.h"
#include "domain/measure/cube.h"

enum { FIRST_DAY = 20000, PER_COMMUNITY = 20, PER_TOWN = 200, PER_COUNTY = 2000 };

struct bench {
    struct cube *cube;
    size_t places, indicators, days;
    int64_t **by_place; /* one a thread's indicator */
    int64_t *county;    /* indicators x counties */
    size_t counties;
};

static double now_s(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void die(const struct err *err) {
    (void)fprintf(stderr, "cube: %s\n", err->detail);
    exit(1);
}

/* Counts of 0 to 3, the same for every build. */
static int64_t count_of(size_t indicator, size_t day, size_t place) {
    return (int64_t)((indicator * 7919 + day * 104729 + place * 1299709) >> 3) % 4;
}

static void fill(struct bench *b) {
    struct err err = {0};
    for (size_t p = 0; p < b->places; p++) {
        char text[4][24];
        uint32_t number = 0;
        (void)snprintf(text[0], 24, "cell%zu", p);
        (void)snprintf(text[1], 24, "community%zu", p / PER_COMMUNITY);
        (void)snprintf(text[2], 24, "town%zu", p / PER_TOWN);
        (void)snprintf(text[3], 24, "county%zu", p / PER_COUNTY);
        const struct cube_place place = {text[0], text[1], text[2], text[3], "city"};
        if (cube_place_of(b->cube, &place, &number, &err) != ERR_OK) die(&err);
    }
    for (size_t i = 0; i < b->indicators; i++)
        for (size_t d = 0; d < b->days; d++)
            for (size_t p = 0; p < b->places; p++)
                if (cube_add(b->cube, i, (int32_t)(FIRST_DAY + d), (uint32_t)p, count_of(i, d, p),
                             &err) != ERR_OK)
                    die(&err);
}

static void sum_one(void *arg, size_t i) {
    struct bench *b = arg;
    int64_t *by_place = b->by_place[i];
    memset(by_place, 0, b->places * sizeof *by_place);
    cube_sum(b->cube, i, FIRST_DAY, (int32_t)(FIRST_DAY + b->days), by_place);
    int64_t *county = b->county + i * b->counties;
    memset(county, 0, b->counties * sizeof *county);
    for (size_t p = 0; p < b->places; p++) county[p / PER_COUNTY] += by_place[p];
}

static void export_rows(const struct bench *b, const char *path, size_t rows) {
    FILE *f = fopen(path, "w");
    if (f == NULL) exit(1);
    (void)fputs("indicator,day,cell,county,n\n", f);
    size_t left = rows;
    for (size_t i = 0; i < b->indicators && left > 0; i++)
        for (size_t d = 0; d < b->days && left > 0; d++)
            for (size_t p = 0; p < b->places && left > 0; p++, left--)
                (void)fprintf(f, "%zu,%zu,%zu,%zu,%lld\n", i, d, p, p / PER_COUNTY,
                              (long long)count_of(i, d, p));
    (void)fclose(f);
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv) {
    if (argc < 6) return 2;
    struct bench b = {.places = strtoul(argv[1], NULL, 10),
                      .indicators = strtoul(argv[2], NULL, 10),
                      .days = strtoul(argv[3], NULL, 10)};
    size_t threads = strtoul(argv[4], NULL, 10), rounds = strtoul(argv[5], NULL, 10);
    struct err err = {0};
    struct pool *pool = NULL;
    bool *wide = calloc(b.indicators, sizeof *wide);
    double seconds[100];
    b.counties = b.places / PER_COUNTY + 1;
    b.by_place = calloc(b.indicators, sizeof *b.by_place);
    b.county = calloc(b.indicators * b.counties, sizeof *b.county);
    if (wide == NULL || b.by_place == NULL || b.county == NULL || rounds > 100) return 1;
    for (size_t i = 0; i < b.indicators; i++) b.by_place[i] = calloc(b.places, sizeof **b.by_place);
    if (cube_new(b.indicators, wide, &b.cube, &err) != ERR_OK) die(&err);
    if (pool_new(threads, &pool, &err) != ERR_OK) die(&err);
    if (argc > 7) export_rows(&b, argv[6], strtoul(argv[7], NULL, 10));
    fill(&b);
    clock_t cpu = clock();
    for (size_t k = 0; k < rounds; k++) {
        double from = now_s();
        pool_run(pool, b.indicators, sum_one, &b);
        seconds[k] = now_s() - from;
    }
    double cpu_s = (double)(clock() - cpu) / CLOCKS_PER_SEC / (double)rounds;
    qsort(seconds, rounds, sizeof *seconds, by_value);
    double add = now_s();
    for (uint32_t k = 0; k < 100000; k++)
        if (cube_add(b.cube, k % b.indicators, FIRST_DAY, k % (uint32_t)b.places, 1, &err) !=
            ERR_OK)
            die(&err);
    add = (now_s() - add) / 100000;
    int64_t check = 0;
    for (size_t i = 0; i < b.indicators * b.counties; i++) check += b.county[i];
    (void)printf("{\"places\":%zu,\"indicators\":%zu,\"days\":%zu,\"threads\":%zu,"
                 "\"recompute_s\":%.4f,\"recompute_min_s\":%.4f,\"recompute_max_s\":%.4f,"
                 "\"recompute_cpu_s\":%.4f,"
                 "\"bytes\":%zu,\"add_us\":%.3f,\"sum\":%lld}\n",
                 b.places, b.indicators, b.days, threads, seconds[rounds / 2], seconds[0],
                 seconds[rounds - 1], cpu_s, cube_bytes(b.cube), add * 1e6, (long long)check);
    pool_free(pool);
    cube_free(b.cube);
    return 0;
}
