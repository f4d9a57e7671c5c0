#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "num/scan/space_time.h"

__extension__ typedef unsigned __int128 wide;

enum err_code st_set_new(const struct st_kernel *k, struct st_set **out, struct err *err) {
    struct st_set *s = mem_new(1, sizeof *s);
    if (s == NULL) return err_fail(err, ERR_NOMEM, "no memory for a replica");
    size_t n_case = (size_t)k->model.cases;
    bool ok = true;
    if (k->tail) {
        /* As many rows as places can bear a case that counts, and the empty one. */
        s->rows_room = (n_case < k->n_places ? n_case : k->n_places) + 1;
        size_t lane = k->wide ? sizeof(int32_t) : sizeof(int16_t);
        s->row = mem_new(k->n_places, sizeof *s->row);
        s->rows = mem_new(s->rows_room * k->n_pad, lane);
        ok = s->row != NULL && s->rows != NULL;
    } else if (!k->temporal_only) {
        s->first = mem_new(k->n_places + 2, sizeof *s->first);
        s->slot = mem_new(n_case + 1, sizeof *s->slot);
        ok = s->first != NULL && s->slot != NULL;
    }
    s->mark = mem_new(k->n_places, sizeof *s->mark);
    s->event = mem_new(n_case + 1, sizeof *s->event);
    s->by_slot = mem_new(k->n_slots + 1, sizeof *s->by_slot);
    ok = ok && s->mark != NULL && s->event != NULL && s->by_slot != NULL;
    if (k->spatial_too) {
        s->whole = mem_new(k->n_places, sizeof *s->whole);
        ok = ok && s->whole != NULL;
    }
    if (k->model.kind == SCAN_PERMUTATION) {
        s->shuffled = mem_new(n_case + 1, sizeof *s->shuffled);
        ok = ok && s->shuffled != NULL;
    } else if (k->model.kind == SCAN_BERNOULLI) {
        s->taken = mem_new(k->draw.n_person / 64 + 1, sizeof *s->taken);
        ok = ok && s->taken != NULL;
    }
    if (!ok) {
        st_set_free(s);
        return err_fail(err, ERR_NOMEM, "no memory for a replica");
    }
    *out = s;
    return ERR_OK;
}

void st_set_free(struct st_set *s) {
    if (s == NULL) return;
    mem_free(s->mark);
    mem_free(s->row);
    mem_free(s->rows);
    mem_free(s->first);
    mem_free(s->slot);
    mem_free(s->event);
    mem_free(s->by_slot);
    mem_free(s->whole);
    mem_free(s->shuffled);
    mem_free(s->taken);
    mem_free(s);
}

/* Cumulative cases by slot, and the most that one window of time can hold. */
static uint32_t lay_time(const struct st_kernel *k, struct st_set *s) {
    uint32_t *by = s->by_slot;
    memset(by, 0, (k->n_slots + 1) * sizeof *by);
    for (size_t i = 0; i < s->n_event; i++) {
        size_t column = s->event[i].column;
        if (!k->tail)
            by[column + 1]++;
        else if (column < k->max_len)
            by[k->n_slots - column]++;
    }
    uint32_t most = 0;
    for (size_t t = 1; t <= k->n_slots; t++) {
        by[t] += by[t - 1];
        uint32_t n = by[t] - by[t > k->max_len ? t - k->max_len : 0];
        if (n > most) most = n;
    }
    return most;
}

/* A case of age a is in the windows longer than a. */
static void lay_rows(const struct st_kernel *k, struct st_set *s) {
    size_t n = k->n_pad, lane = s->wide ? sizeof(int32_t) : sizeof(int16_t);
    memset(s->mark, 0, k->n_places);
    memset(s->row, 0, k->n_places * sizeof *s->row);
    s->n_row = 1;
    for (size_t i = 0; i < s->n_event; i++) {
        const struct st_event *e = &s->event[i];
        if (e->column >= k->max_len) continue;
        uint32_t *row = &s->row[e->place];
        if (*row == 0) {
            *row = (uint32_t)s->n_row++;
            s->mark[e->place] = 1;
            memset((char *)s->rows + *row * n * lane, 0, n * lane);
        }
        size_t from = e->column + 1 > k->min_len ? e->column + 1 - k->min_len : 0;
        if (s->wide) {
            int32_t *c = (int32_t *)s->rows + *row * n;
            for (size_t l = from; l < k->n_lane; l++) c[l]++;
        } else {
            int16_t *c = (int16_t *)s->rows + *row * n;
            for (size_t l = from; l < k->n_lane; l++) c[l] = (int16_t)(c[l] + 1);
        }
    }
}

static void lay_slots(const struct st_kernel *k, struct st_set *s) {
    memset(s->first, 0, (k->n_places + 2) * sizeof *s->first);
    for (size_t i = 0; i < s->n_event; i++) s->first[s->event[i].place + 2]++;
    for (size_t p = 0; p < k->n_places; p++) s->mark[p] = s->first[p + 2] > 0;
    for (size_t p = 1; p < k->n_places + 2; p++) s->first[p] += s->first[p - 1];
    for (size_t i = 0; i < s->n_event; i++)
        s->slot[s->first[s->event[i].place + 1]++] = s->event[i].column;
}

void st_set_lay(const struct st_kernel *k, struct st_set *s) {
    uint32_t most = lay_time(k, s);
    s->wide = !k->narrow || most >= INT16_MAX;
    if (s->whole != NULL) {
        memset(s->whole, 0, k->n_places * sizeof *s->whole);
        for (size_t i = 0; i < s->n_event; i++) s->whole[s->event[i].place]++;
    }
    if (k->temporal_only) return;
    if (k->tail)
        lay_rows(k, s);
    else
        lay_slots(k, s);
}

static struct st_event cell_event(const struct st_draw *d, uint32_t cell) {
    return (struct st_event){cell / (uint32_t)d->n_column, cell % (uint32_t)d->n_column};
}

/* Cases to pass over until the next that falls into a cell: each does with probability `inside`,
 * so their number is geometric (inversion: floor(ln(1 - u) / ln(1 - inside))). */
static size_t skipped(const struct st_draw *d, struct rng *r) {
    if (d->inside >= 1.0) return 0;
    double n = floor(log1p(-rng_unit(r)) / log1p(-d->inside));
    return n < (double)d->n_cases ? (size_t)n : d->n_cases;
}

/* Kulldorff 1997, section 3: given their total, the cases fall into cells as the expectations. */
static void draw_poisson(const struct st_draw *d, struct rng *r, struct st_set *s) {
    s->n_event = 0;
    for (size_t i = skipped(d, r); i < d->n_cases; i += 1 + skipped(d, r)) {
        wide both = (wide)rng_u64(r) * d->cell.n_places;
        uint32_t cell = (uint32_t)(both >> 64);
        if ((uint64_t)both >= d->cell.keep[cell]) cell = d->cell.other[cell];
        s->event[s->n_event++] = cell_event(d, cell);
    }
}

/* Any n_cases of the persons, all sets equally likely; of the smaller side numbers are drawn and
 * repeated ones refused. */
static void draw_bernoulli(const struct st_draw *d, struct rng *r, struct st_set *s) {
    bool controls = d->n_cases > d->n_person / 2;
    size_t n = controls ? d->n_person - d->n_cases : d->n_cases;
    s->n_event = 0;
    memset(s->taken, 0, (d->n_person / 64 + 1) * sizeof *s->taken);
    for (size_t i = 0; i < n; i++) {
        uint32_t who;
        do who = rng_below(r, (uint32_t)d->n_person);
        while ((s->taken[who / 64] >> who % 64 & 1) != 0);
        s->taken[who / 64] |= (uint64_t)1 << who % 64;
        if (!controls) s->event[s->n_event++] = cell_event(d, d->person[who]);
    }
    for (size_t who = 0; controls && who < d->n_person; who++)
        if ((s->taken[who / 64] >> who % 64 & 1) == 0)
            s->event[s->n_event++] = cell_event(d, d->person[who]);
}

/* Kulldorff et al. 2005: the dates are dealt anew to the cases, both margins stay. For tail windows
 * only the recent dates are dealt, to as many cases drawn in turn. */
static void draw_permutation(const struct st_draw *d, bool tail, struct rng *r, struct st_set *s) {
    size_t n = d->n_cases, m = tail ? d->n_recent : n;
    memcpy(s->shuffled, tail ? d->case_place : d->case_column, n * sizeof *s->shuffled);
    for (size_t i = 0; i < m; i++) {
        size_t j = i + rng_below(r, (uint32_t)(n - i));
        uint32_t x = s->shuffled[j];
        s->shuffled[j] = s->shuffled[i];
        s->shuffled[i] = x;
        s->event[i] =
            tail ? (struct st_event){x, d->case_column[i]} : (struct st_event){d->case_place[i], x};
    }
    s->n_event = m;
}

void st_draw_null(const struct st_kernel *k, struct rng *r, struct st_set *s) {
    if (k->draw.kind == SCAN_POISSON)
        draw_poisson(&k->draw, r, s);
    else if (k->draw.kind == SCAN_BERNOULLI)
        draw_bernoulli(&k->draw, r, s);
    else
        draw_permutation(&k->draw, k->tail, r, s);
}
