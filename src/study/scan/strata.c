#include "study/scan/strata.h"

#include <stdlib.h>
#include <string.h>

struct item {
    uint32_t place, category;
    int64_t day;
    bool exact; /* to the day */
    double population;
    size_t seq;
};

static int by_cell(const void *pa, const void *pb) {
    const struct item *a = pa, *b = pb;
    if (a->place != b->place) return a->place < b->place ? -1 : 1;
    if (a->category != b->category) return a->category < b->category ? -1 : 1;
    return a->seq < b->seq ? -1 : a->seq > b->seq; /* sums in the order of the input */
}
static int by_day(const void *pa, const void *pb) {
    const int64_t *a = pa, *b = pb;
    return *a < *b ? -1 : *a > *b;
}

static size_t unique_days(int64_t *day, size_t n) {
    size_t kept = 0;
    qsort(day, n, sizeof *day, by_day);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || day[i] != day[kept - 1]) day[kept++] = day[i];
    return kept;
}

static size_t index_of(const int64_t *day, size_t n, int64_t wanted) {
    size_t low = 0, high = n;
    while (high - low > 1) {
        size_t mid = low + (high - low) / 2;
        if (day[mid] <= wanted)
            low = mid;
        else
            high = mid;
    }
    return low;
}

struct census {
    int64_t *day;
    bool *told; /* a date of the file; else the day behind one */
    size_t n;
};

static enum err_code census_times(struct arena *a, const struct item *item, size_t n,
                                  struct census *out, struct err *err) {
    int64_t *day = ARENA_NEW(a, int64_t, 2 * n);
    int64_t *told_day = ARENA_NEW(a, int64_t, n);
    bool *told = ARENA_NEW(a, bool, 2 * n);
    size_t n_day = 0;
    if (day == NULL || told_day == NULL || told == NULL)
        return err_fail(err, ERR_NOMEM, "%zu populations", n);
    for (size_t i = 0; i < n; i++) {
        told_day[i] = day[n_day++] = item[i].day;
        if (item[i].exact) day[n_day++] = item[i].day + 1;
    }
    size_t n_told = unique_days(told_day, n);
    *out = (struct census){.day = day, .told = told, .n = unique_days(day, n_day)};
    for (size_t i = 0; i < out->n; i++)
        told[i] = told_day[index_of(told_day, n_told, day[i])] == day[i];
    return ERR_OK;
}

static void fill(const struct item *item, size_t n, const struct census *census, uint32_t *place,
                 uint32_t *category, double *population, size_t *n_cells) {
    *n_cells = 0;
    for (size_t i = 0; i < n; i++) {
        bool new_cell = i == 0 || item[i].place != item[i - 1].place ||
                        item[i].category != item[i - 1].category;
        if (new_cell) {
            place[*n_cells] = item[i].place;
            category[(*n_cells)++] = item[i].category;
        }
        if (population == NULL) continue;
        double *row = population + (*n_cells - 1) * census->n;
        size_t at = index_of(census->day, census->n, item[i].day);
        row[at] += item[i].population;
        /* The day behind has the same population unless the file tells of it. */
        if (item[i].exact && !census->told[at + 1]) row[at + 1] += item[i].population;
    }
}

enum err_code strata_build(struct arena *a, const struct population_rows *rows,
                           const uint32_t *place_of_id, size_t n_places, size_t n_categories,
                           struct scan_strata *out, struct err *err) {
    size_t n = rows->n, n_cells;
    struct item *item = ARENA_NEW(a, struct item, n + 1);
    uint32_t *place = ARENA_NEW(a, uint32_t, n + 1), *category = ARENA_NEW(a, uint32_t, n + 1);
    if (item == NULL || place == NULL || category == NULL)
        return err_fail(err, ERR_NOMEM, "%zu populations", n);
    for (size_t i = 0; i < n; i++) {
        const struct population_row *r = &rows->row[i];
        item[i] = (struct item){place_of_id[r->id],
                                r->category,
                                r->dated ? r->at.day : 0,
                                r->dated && r->at.precision == TIME_DAY,
                                r->population,
                                r->seq};
    }
    if (n == 0) return err_fail(err, ERR_INVALID, "no place of the study has a population");
    qsort(item, n, sizeof *item, by_cell);
    struct census census = {0};
    TRY(census_times(a, item, n, &census, err));
    fill(item, n, &census, place, category, NULL, &n_cells);
    double *population = ARENA_NEW(a, double, n_cells *census.n);
    double *time = ARENA_NEW(a, double, census.n);
    if (population == NULL || time == NULL)
        return err_fail(err, ERR_NOMEM, "%zu populations at %zu times", n_cells, census.n);
    fill(item, n, &census, place, category, population, &n_cells);
    for (size_t i = 0; i < census.n; i++) time[i] = (double)census.day[i];
    *out = (struct scan_strata){.n_places = n_places,
                                .n_categories = n_categories,
                                .n_cells = n_cells,
                                .place = place,
                                .category = category,
                                .n_times = census.n,
                                .time = time,
                                .population = population};
    return ERR_OK;
}
