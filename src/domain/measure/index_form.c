#include "domain/measure/index_form.h"

#include <math.h>
#include <string.h>

#include "base/hash.h"
#include "domain/measure/figure_floor.h"
#include "domain/measure/index_inside.h"

enum { SCRATCH_ARENA = 1 << 28 };

static enum err_code nomem(struct err *err) { return err_fail(err, ERR_NOMEM, "index"); }

enum err_code index_gather(const struct value_query *q, const struct index_def *d, struct arena *a,
                           struct index_view *out, struct err *err) {
    size_t n = q->areas->n;
    *out = (struct index_view){.def = d, .period = q->period, .areas = q->areas, .n = n};
    if (n == 0) return err_fail(err, ERR_INVALID, "the city has no area of this level");
    struct indicator_value *raw = ARENA_NEW(a, struct indicator_value, d->n_leaves * n + 1);
    if (raw == NULL) return nomem(err);
    for (size_t i = 0; i < d->n_leaves; i++) {
        /* What an indicator needs on the way goes with the size of the city: not kept. */
        struct arena *scratch = arena_new(SCRATCH_ARENA);
        if (scratch == NULL) return nomem(err);
        enum err_code rc = value_form(q, d->node[i].indicator, scratch, raw + i * n, err);
        arena_free(scratch);
        TRY(rc);
    }
    out->raw = raw;
    return index_noise_kinds(q->atoms->packs, d, a, &out->noise, err);
}

enum err_code index_hide(const struct value_query *q, struct arena *a, struct index_view *v,
                         struct err *err) {
    unsigned char *hidden = ARENA_NEW(a, unsigned char, v->def->n_leaves * v->n + 1);
    if (hidden == NULL) return nomem(err);
    for (size_t i = 0; i < v->def->n_leaves; i++) {
        struct arena *scratch = arena_new(SCRATCH_ARENA);
        if (scratch == NULL) return nomem(err);
        enum err_code rc = figure_floor_of(q, v->def->node[i].indicator, v->raw + i * v->n, scratch,
                                           hidden + i * v->n, err);
        arena_free(scratch);
        TRY(rc);
    }
    v->hidden = hidden;
    return ERR_OK;
}

enum err_code index_form(const struct value_query *q, const struct index_ask *ask, struct arena *a,
                         struct index_view *out, struct err *err) {
    TRY(index_gather(q, ask->def, a, out, err));
    return index_score(out, ask, a, err);
}

/* Weights that the period's own values gave, and what bent the values: without such things nothing
 * is added. */
static void hash_computed(const struct index_view *v, unsigned char hash[32]) {
    const struct index_def *d = v->def;
    bool computed = v->bend != NULL;
    for (size_t k = d->n_leaves; k < d->n_nodes; k++)
        computed = computed || d->node[k].weigh > INDEX_WEIGH_AHP;
    if (!computed) return;
    unsigned char before[32];
    memcpy(before, hash, sizeof before);
    struct hash_piece pieces[] = {{before, sizeof before},
                                  {v->weight, d->n_nodes * sizeof *v->weight},
                                  {v->bend, v->bend == NULL ? 0 : d->n_leaves * sizeof *v->bend}};
    hash_sha256(pieces, sizeof pieces / sizeof pieces[0], hash);
}

void index_view_hash(const struct index_view *v, unsigned char out[32]) {
    const struct index_def *d = v->def;
    memcpy(out, d->hash, 32);
    for (size_t j = 0; j < v->n; j++) {
        unsigned char before[32];
        memcpy(before, out, sizeof before);
        const char *code = v->areas->area[j]->code;
        double found = v->value[(d->n_nodes - 1) * v->n + j];
        double score = isnan(found) ? NAN : found;
        uint64_t sum = 0;
        for (size_t i = 0; i < d->n_leaves; i++) {
            const struct indicator_value *x = &v->raw[i * v->n + j];
            /* One NaN for all: its bits are no part of a result. */
            double parts[3] = {isnan(x->value) ? NAN : x->value,
                               isnan(x->numerator) ? NAN : x->numerator,
                               isnan(x->denominator) ? NAN : x->denominator};
            int state = (int)x->state;
            sum = hash_xxh64(parts, sizeof parts, sum);
            sum = hash_xxh64(&state, sizeof state, sum);
        }
        struct hash_piece pieces[] = {{before, sizeof before},
                                      {&v->period, sizeof v->period},
                                      {code, strlen(code) + 1},
                                      {&score, sizeof score},
                                      {&sum, sizeof sum}};
        hash_sha256(pieces, sizeof pieces / sizeof pieces[0], out);
    }
    hash_computed(v, out);
}
