#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "num/scan/space_time.h"

size_t st_batch_width(void) { return st_walk_choose(false)->width; }

enum err_code st_batch_new(const struct st_kernel *k, struct st_batch **out, struct err *err) {
    struct st_batch *b = mem_new(1, sizeof *b);
    if (b == NULL) return err_fail(err, ERR_NOMEM, "no memory for replicas");
    enum { ALIGN = 64 };
    size_t row = (k->n_slots + 1) * st_batch_width() * sizeof(uint16_t);
    b->mark = mem_new(k->n_places, sizeof *b->mark);
    b->memory = mem_new((k->n_places + 1) * row + ALIGN, 1);
    if (b->mark == NULL || b->memory == NULL) {
        st_batch_free(b);
        return err_fail(err, ERR_NOMEM, "no memory for replicas");
    }
    b->cum = (char *)b->memory + (ALIGN - (uintptr_t)b->memory % ALIGN) % ALIGN;
    b->by = (char *)b->cum + k->n_places * row;
    *out = b;
    return ERR_OK;
}

void st_batch_free(struct st_batch *b) {
    if (b == NULL) return;
    mem_free(b->mark);
    mem_free(b->memory);
    mem_free(b);
}

void st_batch_run(struct st_seek *s, struct st_set *set, struct st_batch *b, uint64_t seed,
                  uint64_t first, size_t n, double floor_at, double *maxima) {
    const struct st_kernel *k = s->k;
    const struct st_walk *walk = st_walk_choose(false);
    b->n = n;
    b->lanes = n * sizeof(uint16_t) < 32 ? (1U << n * sizeof(uint16_t)) - 1 : UINT32_MAX;
    memset(b->mark, 0, k->n_places);
    memset(b->cum, 0, k->n_places * (k->n_slots + 1) * walk->width * sizeof(uint16_t));
    for (size_t i = 0; i < n; i++) {
        struct rng rng = rng_new(seed, first + i);
        st_draw_null(k, &rng, set);
        walk->batch_add(k, b, i, set);
        b->best[i] = floor_at;
    }
    walk->batch_close(k, b);
    s->told = NULL;
    s->set = set;
    size_t n_list = k->zones->n_lists;
    for (size_t i = 0; i < n_list; i += ST_APART)
        if (st_seek_open(s, i)) walk->batch(s, b);
    for (size_t i = 0; i < n_list; i++)
        if (i % ST_APART != 0 && st_seek_open(s, i)) walk->batch(s, b);
    for (size_t i = 0; i < n; i++) maxima[i] = b->best[i] > floor_at ? b->best[i] : 0.0;
}
