/* Any bytes as the definition of an index, and as a list of indicators (first byte odd): read or
 * refused with a place, and what is taken keeps the promises of index_def.h. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "base/yaml.h"
#include "domain/measure/index_def.h"
#include "domain/pack/load.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct indicator_def known[] = {
    {.name = "crime",
     .measure = MEASURE_FIGURE,
     .direction = -1,
     .of = "",
     .to = "",
     .per = 1,
     .filter_text = "",
     .part_text = "",
     .time_col = -1,
     .value_col = -1,
     .from_col = -1,
     .to_col = -1},
    {.name = "effort",
     .measure = MEASURE_FIGURE,
     .direction = 1,
     .effort = true,
     .of = "",
     .to = "",
     .per = 1,
     .filter_text = "",
     .part_text = "",
     .time_col = -1,
     .value_col = -1,
     .from_col = -1,
     .to_col = -1},
    {.name = "late",
     .measure = MEASURE_FIGURE,
     .direction = -1,
     .of = "",
     .to = "",
     .per = 1,
     .filter_text = "",
     .part_text = "",
     .time_col = -1,
     .value_col = -1,
     .from_col = -1,
     .to_col = -1},
    {.name = "voice",
     .measure = MEASURE_RATIO,
     .direction = 1,
     .of = "crime",
     .to = "voice",
     .per = 100,
     .filter_text = "",
     .part_text = "",
     .time_col = -1,
     .value_col = -1,
     .from_col = -1,
     .to_col = -1},
};

static void check_index(const struct index_def *d) {
    app_assert(d->n_leaves > 0 && d->n_nodes > d->n_leaves && d->n_nodes <= INDEX_MAX_NODES);
    app_assert(d->n_bands > 0 && d->n_bands <= INDEX_MAX_BANDS);
    for (size_t i = 0; i < d->n_nodes; i++) {
        const struct index_node *n = &d->node[i];
        app_assert((n->indicator != NULL) == (i < d->n_leaves));
        app_assert(i + 1 == d->n_nodes ? n->parent == -1 : n->parent > (int)i);
        app_assert(n->weight >= 0 && isfinite(n->weight));
        if (n->indicator != NULL) app_assert(n->low < n->high && !n->indicator->effort);
    }
    for (size_t i = 1; i < d->n_bands; i++) app_assert(d->band[i - 1].from <= d->band[i].from);
    for (int v = -10; v <= 110; v++)
        for (int was = -1; was < (int)d->n_bands; was++) {
            int band = index_band_of(d, v, was);
            app_assert(band >= 0 && band < (int)d->n_bands);
        }
}

static void read_index(struct arena *a, const struct val *v) {
    const struct pack_document doc = {"p", "indices", "fuzz.yaml", v};
    struct pack_set packs = {.indicators = known,
                             .n_indicators = sizeof known / sizeof known[0],
                             .documents = &doc,
                             .n_documents = 1};
    const struct index_set *set = NULL;
    struct err err = {0};
    enum err_code rc = index_load(a, &packs, &set, &err);
    if (rc != ERR_OK)
        app_assert(rc == ERR_NOMEM || strncmp(err.detail, "fuzz.yaml", 9) == 0);
    else
        check_index(&set->index[0]);
}

static void read_indicators(struct arena *a, const struct val *v) {
    struct load l;
    struct buf report;
    struct err err;
    buf_init(&report, 1 << 20);
    app_assert(load_init(&l, a, &report, &err) == ERR_OK);
    l.pack = "fuzz";
    enum err_code rc = load_indicators_file(&l, "fuzz.yaml", v);
    if (rc == ERR_OK) rc = load_check_indicators(&l);
    for (size_t i = 0; rc == ERR_OK && l.n_problems == 0 && i < l.set.n_indicators; i++) {
        const struct indicator_def *d = &l.indicators[i];
        app_assert(d->name[0] != '\0' && d->per > 0);
        app_assert(pack_indicator(&l.set, d->name) != NULL);
        app_assert(d->measure != MEASURE_RATIO || pack_indicator(&l.set, d->of) != NULL);
    }
    buf_deinit(&report);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const struct val *v = NULL;
    struct err err;
    if (size < 1 || size > 16384) return 0;
    struct arena *a = arena_new((size_t)64 << 20);
    app_assert(a != NULL);
    if (yaml_parse(a, "fuzz.yaml", (const char *)data + 1, size - 1, &v, &err) == ERR_OK) {
        if (data[0] % 2 == 0)
            read_index(a, v);
        else
            read_indicators(a, v);
    }
    arena_free(a);
    return 0;
}
