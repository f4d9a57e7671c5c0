#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "num/scan/space_time_build.h"

/* Adds n at place p and slot t to the table: cumulated afterwards for windows anywhere. */
static void table_add(const struct st_kernel *k, double *table, size_t p, size_t t, double n) {
    double *row = table + p * k->table_width;
    if (!k->tail) {
        row[t + 1] += n;
        return;
    }
    size_t age = k->n_slots - 1 - t;
    for (size_t l = age + 1 > k->min_len ? age + 1 - k->min_len : 0; l < k->n_lane; l++)
        row[l] += n;
}

static void add_rows(const struct st_kernel *k, const struct scan_count *rows, size_t n,
                     double *table, double *time, double *whole) {
    for (size_t i = 0; i < n; i++) {
        if (table != NULL) table_add(k, table, rows[i].place, rows[i].slot, rows[i].n);
        time[rows[i].slot + 1] += rows[i].n;
        whole[rows[i].place] += rows[i].n;
    }
}

static void add_expected(const struct st_kernel *k, const double *expected, double *table,
                         double *time, double *whole) {
    for (size_t p = 0; p < k->n_places; p++) {
        for (size_t t = 0; t < k->n_slots; t++) {
            double e = expected[p * k->n_slots + t];
            if (table != NULL) table_add(k, table, p, t, e);
            time[t + 1] += e;
            whole[p] += e;
        }
    }
}

enum err_code st_build_measure(const struct scan_data *data, const double *expected,
                               struct arena *a, struct st_kernel *k, double **key,
                               struct err *err) {
    bool table_wanted = !k->temporal_only && k->model.kind != SCAN_PERMUTATION;
    k->table_width = !table_wanted ? 0 : k->tail ? k->n_lane : k->n_slots + 1;
    double *table = table_wanted ? ARENA_NEW(a, double, k->n_places * k->table_width) : NULL;
    double *time = ARENA_NEW(a, double, k->n_slots + 1), *whole = ARENA_NEW(a, double, k->n_places);
    *key = ARENA_NEW(a, double, k->n_places);
    if ((table_wanted && table == NULL) || time == NULL || whole == NULL || *key == NULL)
        return err_fail(err, ERR_NOMEM, "no memory for the expectations of %zu places x %zu slots",
                        k->n_places, k->n_slots);
    if (k->model.kind == SCAN_POISSON) {
        add_expected(k, expected, table, time, whole);
    } else {
        add_rows(k, data->cases, data->n_cases, table, time, whole);
        if (k->model.kind == SCAN_BERNOULLI)
            add_rows(k, data->controls, data->n_controls, table, time, whole);
    }
    for (size_t t = 1; t <= k->n_slots; t++) time[t] += time[t - 1];
    for (size_t p = 0; table != NULL && !k->tail && p < k->n_places; p++)
        for (size_t t = 1; t <= k->n_slots; t++)
            table[p * k->table_width + t] += table[p * k->table_width + t - 1];
    for (size_t p = 0; p < k->n_places; p++)
        (*key)[p] = table != NULL && k->tail ? table[p * k->table_width + k->n_lane - 1] : whole[p];
    k->table = table;
    k->time_cum = time;
    k->key = *key;
    if (k->spatial_too) k->whole = whole;
    return ERR_OK;
}

/* ---- draws ---- */

static enum err_code draw_poisson(const double *expected, struct arena *a, struct st_kernel *k,
                                  struct err *err) {
    struct st_draw *d = &k->draw;
    size_t n_place = k->temporal_only ? 1 : k->n_places, n_slot = k->n_slots,
           n = n_place * d->n_column;
    if ((double)n_place * (double)d->n_column > (double)UINT32_MAX)
        return err_fail(err, ERR_LIMIT,
                        "%zu places x %zu slots are more cells than can be drawn from", k->n_places,
                        n_slot);
    double *cell = mem_new(n, sizeof *cell);
    if (cell == NULL) return err_fail(err, ERR_NOMEM, "no memory for %zu cells", n);
    for (size_t p = 0; p < k->n_places; p++) {
        for (size_t t = 0; t < n_slot; t++) {
            size_t column = k->tail ? n_slot - 1 - t : t;
            if (k->tail && column >= k->max_len) {
                if (!k->spatial_too) continue;
                column = k->max_len;
            }
            cell[(n_place == 1 ? 0 : p) * d->n_column + column] += expected[p * n_slot + t];
        }
    }
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) sum += cell[i];
    /* Expectations are rounded: all is all. */
    d->inside = sum < (1.0 - 1e-6) * k->model.cases ? sum / k->model.cases : 1.0;
    enum err_code rc = ERR_OK;
    if (sum > 0.0)
        rc = scan_draw_multinomial(cell, n, (uint32_t)d->n_cases, a, &d->cell, err);
    else
        d->n_cases = 0; /* nothing is expected where it would count */
    mem_free(cell);
    return rc;
}

static size_t column_of(const struct st_kernel *k, const struct scan_count *row) {
    size_t column = k->tail ? k->n_slots - 1 - row->slot : row->slot;
    return column < k->draw.n_column ? column : k->draw.n_column - 1;
}

static size_t add_people(const struct st_kernel *k, const struct scan_count *rows, size_t n_rows,
                         uint32_t *person, size_t n) {
    for (size_t i = 0; i < n_rows; i++) {
        size_t p = k->temporal_only ? 0 : rows[i].place;
        uint32_t cell = (uint32_t)(p * k->draw.n_column + column_of(k, &rows[i]));
        for (uint32_t c = 0; c < rows[i].n; c++) person[n++] = cell;
    }
    return n;
}

static enum err_code draw_bernoulli(const struct scan_data *data, struct arena *a,
                                    struct st_kernel *k, struct err *err) {
    struct st_draw *d = &k->draw;
    if (k->model.persons > (double)UINT32_MAX ||
        (double)k->n_places * (double)d->n_column > (double)UINT32_MAX)
        return err_fail(err, ERR_LIMIT, "more cases and controls than can be drawn from");
    d->n_person = (size_t)k->model.persons;
    uint32_t *person = ARENA_NEW(a, uint32_t, d->n_person);
    if (person == NULL) return err_fail(err, ERR_NOMEM, "no memory for %zu persons", d->n_person);
    size_t n = add_people(k, data->cases, data->n_cases, person, 0);
    (void)add_people(k, data->controls, data->n_controls, person, n);
    d->person = person;
    return ERR_OK;
}

/* Cases of one place together; recent ones of all places first, by turns of the same sort. */
static enum err_code draw_permutation(struct arena *a, struct st_kernel *k, struct err *err) {
    struct st_draw *d = &k->draw;
    size_t n = k->n_events;
    uint32_t *place = ARENA_NEW(a, uint32_t, n), *column = ARENA_NEW(a, uint32_t, n);
    size_t *first = mem_new(k->n_places + 1, sizeof *first);
    if (place == NULL || column == NULL || first == NULL) {
        mem_free(first);
        return err_fail(err, ERR_NOMEM, "no memory for %zu cases", n);
    }
    for (size_t i = 0; i < n; i++) first[k->events[i].place + 1]++;
    for (size_t p = 1; p <= k->n_places; p++) first[p] += first[p - 1];
    for (size_t i = 0; i < n; i++) {
        size_t at = first[k->events[i].place]++;
        place[at] = k->events[i].place;
        column[at] = k->events[i].column;
    }
    mem_free(first);
    /* Dates that count stand first: in which order they are dealt does not matter. */
    if (k->tail) {
        for (size_t i = 0; i < n; i++) {
            if (column[i] >= k->max_len) continue;
            uint32_t recent = column[i];
            column[i] = column[d->n_recent];
            column[d->n_recent++] = recent;
        }
    }
    d->case_place = place;
    d->case_column = column;
    return ERR_OK;
}

static enum err_code expand_events(const struct scan_data *data, struct arena *a,
                                   struct st_kernel *k, struct err *err) {
    struct st_event *e = ARENA_NEW(a, struct st_event, (size_t)k->model.cases);
    if (e == NULL) return err_fail(err, ERR_NOMEM, "no memory for the cases");
    for (size_t i = 0; i < data->n_cases; i++)
        for (uint32_t c = 0; c < data->cases[i].n; c++)
            e[k->n_events++] = (struct st_event){k->temporal_only ? 0 : data->cases[i].place,
                                                 (uint32_t)column_of(k, &data->cases[i])};
    k->events = e;
    return ERR_OK;
}

enum err_code st_build_draw(const struct scan_data *data, const double *expected, struct arena *a,
                            struct st_kernel *k, struct err *err) {
    k->draw = (struct st_draw){.kind = k->model.kind,
                               .n_cases = (size_t)k->model.cases,
                               .n_column = k->tail ? k->max_len + 1 : k->n_slots};
    if (k->tail && k->max_len == k->n_slots) k->draw.n_column = k->n_slots;
    TRY(expand_events(data, a, k, err));
    if (k->model.kind == SCAN_POISSON) return draw_poisson(expected, a, k, err);
    if (k->model.kind == SCAN_BERNOULLI) return draw_bernoulli(data, a, k, err);
    return draw_permutation(a, k, err);
}
