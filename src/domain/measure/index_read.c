/* indices/NAME.yaml: the definition of an index. The format is told in docs/packs.md. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "base/mem.h"
#include "domain/grid/grid.h"
#include "domain/measure/document.h"
#include "domain/measure/index_inside.h"

/* A definition being read: nodes in the order of the file, sorted afterwards. */
struct reading {
    struct arena *a;
    const struct pack_set *packs;
    const struct pack_document *doc;
    struct index_def *d;
    struct index_node *node;
    int *depth; /* of each node: 1 for a leaf, 1 + its highest child for a group */
    size_t n;
    struct err *err;
};

static enum err_code fault(const struct reading *r, const struct val *v, const char *what,
                           const char *found) {
    return document_fault(r->doc, v, what, found, r->err);
}

/* The same with what a typed reader said ("/low": expected a number). */
static enum err_code located(const struct reading *r, const struct val *v, enum err_code rc,
                             const struct err *why) {
    return document_said(r->doc, v, rc, why, r->err);
}

static enum err_code text_of(const struct reading *r, const struct val *v, const char *key,
                             bool required, const char **out) {
    return document_text(r->doc, v, key, required, out, r->err);
}

static enum err_code number_of(const struct reading *r, const struct val *v, const char *key,
                               bool required, double min, double max, double *out) {
    struct err why = {0};
    return located(r, v, val_double(v, key, required, min, max, out, &why), &why);
}

static enum err_code known(const struct reading *r, const struct val *v, const char *what,
                           const char *const *keys) {
    return document_known(r->doc, v, what, keys, r->err);
}

static enum err_code title_of(const struct reading *r, const struct val *v, const char *key,
                              struct text *out) {
    return document_title(r->doc, v, key, out, r->err);
}

/* A list of words as bits. */
static enum err_code words(const struct reading *r, const struct val *v, const char *key,
                           int (*parse)(const char *word), unsigned *out) {
    const struct val *list = val_get(v, key);
    if (list == NULL || list->type != VAL_LIST || list->n == 0)
        return fault(r, v, "expected a list of words in", key);
    for (size_t i = 0; i < list->n; i++) {
        const struct val *x = &list->u.list[i];
        int at = x->type == VAL_STR ? parse(x->u.s) : -1;
        if (at < 0)
            return fault(r, x, "this word is not known here", x->type == VAL_STR ? x->u.s : key);
        *out |= 1u << (unsigned)at;
    }
    return ERR_OK;
}

/* ---- the tree */

static enum err_code new_node(struct reading *r, const struct val *v, int parent, int *out) {
    if (r->n == INDEX_MAX_NODES) return fault(r, v, "too many nodes", NULL);
    struct index_node *n = &r->node[r->n];
    *n = (struct index_node){
        .name = "", .parent = parent, .weight = 1, .consistency = NAN, .low = NAN, .high = NAN};
    r->depth[r->n] = 1;
    *out = (int)r->n++;
    return number_of(r, v, "weight", false, 0, 1e6, &n->weight);
}

static enum err_code own_name(const struct reading *r, const struct val *v, const char *name) {
    for (size_t i = 0; i + 1 < r->n; i++)
        if (strcmp(r->node[i].name, name) == 0)
            return fault(r, v, "this name stands twice in the tree", name);
    return ERR_OK;
}

static enum err_code read_leaf(struct reading *r, const struct val *v, int parent) {
    static const char *const keys[] = {"indicator", "weight", "low", "high", "treat", NULL};
    int at = 0;
    TRY(known(r, v, "an indicator of an index", keys));
    TRY(new_node(r, v, parent, &at));
    struct index_node *n = &r->node[at];
    TRY(text_of(r, v, "indicator", true, &n->name));
    TRY(own_name(r, v, n->name));
    n->indicator = pack_indicator(r->packs, n->name);
    if (n->indicator == NULL) return fault(r, v, "there is no such indicator", n->name);
    n->title = n->indicator->title;
    if (n->indicator->direction == 0)
        return fault(r, v, "an indicator that is neither better nor worse cannot be a term",
                     n->name);
    /* No term falls when fewer people report: an index would then reward silence. */
    if (n->indicator->effort)
        return fault(r, v, "this indicator moves with how much people report: no term of an index",
                     n->name);
    TRY(number_of(r, v, "low", true, -1e12, 1e12, &n->low));
    TRY(number_of(r, v, "high", true, -1e12, 1e12, &n->high));
    if (!(n->low < n->high)) return fault(r, v, "\"low\" must lie below \"high\"", NULL);
    TRY(index_text_treat(r->doc, v, n, r->err));
    r->d->n_leaves++;
    return ERR_OK;
}

/* Weights of the children of a node by another way than given ones. */
static enum err_code weigh_children(struct reading *r, const struct val *v, int self) {
    double weight[INDEX_MAX_JUDGED];
    size_t n = 0, child[INDEX_MAX_NODES];
    struct index_node *node = &r->node[self];
    for (size_t i = 0; i < r->n; i++)
        if (r->node[i].parent == self) child[n++] = i;
    TRY(index_text_weights(r->doc, v, node, weight, n, r->err));
    for (size_t i = 0; node->weigh == INDEX_WEIGH_AHP && i < n; i++)
        r->node[child[i]].weight = weight[i];
    return ERR_OK;
}

static enum err_code read_children(struct reading *r, const struct val *v, int self, int level);

static enum err_code read_group(struct reading *r, const struct val *v, int parent, int level) {
    static const char *const keys[] = {"group",  "title", "weight",  "indicators",
                                       "groups", "ahp",   "weights", NULL};
    int at = 0;
    TRY(known(r, v, "a group of an index", keys));
    TRY(new_node(r, v, parent, &at));
    TRY(text_of(r, v, "group", true, &r->node[at].name));
    TRY(own_name(r, v, r->node[at].name));
    TRY(title_of(r, v, "title", &r->node[at].title));
    return read_children(r, v, at, level + 1);
}

static enum err_code read_children(struct reading *r, const struct val *v, int self, int level) {
    const struct val *leaves = val_get(v, "indicators"), *groups = val_get(v, "groups");
    size_t before = r->n;
    if (level > INDEX_MAX_DEPTH) return fault(r, v, "groups are nested too deep", NULL);
    for (size_t i = 0; leaves != NULL && leaves->type == VAL_LIST && i < leaves->n; i++)
        TRY(read_leaf(r, &leaves->u.list[i], self));
    for (size_t i = 0; groups != NULL && groups->type == VAL_LIST && i < groups->n; i++)
        TRY(read_group(r, &groups->u.list[i], self, level));
    if (r->n == before) return fault(r, v, "there is neither an indicator nor a group here", NULL);
    for (size_t i = before; i < r->n; i++)
        if (r->node[i].parent == self && r->depth[self] <= r->depth[i])
            r->depth[self] = r->depth[i] + 1;
    return weigh_children(r, v, self);
}

/* Leaves first, then groups by rising height; the index, which is node 0 of the file, comes last.
 */
static enum err_code sort_nodes(struct reading *r) {
    struct index_node *sorted = ARENA_NEW(r->a, struct index_node, r->n);
    uint8_t *level = ARENA_NEW(r->a, uint8_t, r->n);
    int *to = ARENA_NEW(r->a, int, r->n);
    size_t k = 0;
    if (sorted == NULL || level == NULL || to == NULL)
        return err_fail(r->err, ERR_NOMEM, "indices");
    for (int depth = 1; depth <= r->depth[0]; depth++)
        for (size_t i = 0; i < r->n; i++)
            if (r->depth[i] == depth) to[i] = (int)k++;
    for (size_t i = 0; i < r->n; i++) {
        sorted[to[i]] = r->node[i];
        sorted[to[i]].parent = r->node[i].parent < 0 ? -1 : to[r->node[i].parent];
        level[to[i]] = (uint8_t)r->depth[i];
    }
    r->d->node = sorted;
    r->d->n_nodes = r->n;
    r->d->tree.level = level;
    r->d->tree.n_level = (size_t)r->depth[0];
    return ERR_OK;
}

static enum err_code make_tree(struct reading *r) {
    struct index_def *d = r->d;
    const char **code = ARENA_NEW(r->a, const char *, d->n_nodes);
    uint32_t *parent = ARENA_NEW(r->a, uint32_t, d->n_nodes);
    int8_t *direction = ARENA_NEW(r->a, int8_t, d->n_nodes);
    double *weight = ARENA_NEW(r->a, double, d->n_nodes);
    if (code == NULL || parent == NULL || direction == NULL || weight == NULL)
        return err_fail(r->err, ERR_NOMEM, "indices");
    for (size_t i = 0; i < d->n_nodes; i++) {
        code[i] = d->node[i].name;
        parent[i] = d->node[i].parent < 0 ? COMPOSITE_NONE : (uint32_t)d->node[i].parent;
        direction[i] = (int8_t)(d->node[i].indicator == NULL ? 1 : d->node[i].indicator->direction);
        weight[i] = d->node[i].weight;
    }
    d->tree.n_ind = d->n_leaves;
    d->tree.n_node = d->n_nodes;
    d->tree.code = code;
    d->tree.parent = parent;
    d->tree.direction = direction;
    d->tree.weight = weight;
    struct err why = {0};
    enum err_code rc = composite_tree_init(&d->tree, r->a, &why);
    return rc == ERR_OK ? rc : err_fail(r->err, rc, "%s: %.300s", r->doc->file, why.detail);
}

/* ---- choices */

/* One word for every level, or a list from the bottom up. */
static enum err_code read_means(struct reading *r, const struct val *v) {
    const struct val *m = val_get(v, "mean");
    struct index_def *d = r->d;
    for (size_t k = 0; k < COMPOSITE_MAX_LEVELS; k++) {
        const struct val *x = m;
        d->spec.aggregate.level[k] = (struct composite_agg){
            .kind = COMPOSITE_ARITHMETIC, .min_share = d->missing, .by_weight = true};
        if (m == NULL) continue;
        if (m->type == VAL_LIST && m->n == 0) return fault(r, m, "an empty list", "mean");
        if (m->type == VAL_LIST) x = &m->u.list[k < m->n ? k : m->n - 1];
        TRY(index_text_mean(r->doc, x, &d->spec.aggregate.level[k], r->err));
    }
    return ERR_OK;
}

static enum err_code read_doubt(struct reading *r, const struct val *v) {
    static const char *const keys[] = {"weights", "means", NULL};
    const struct val *x = val_get(v, "doubt");
    struct composite_agg *list = ARENA_NEW(r->a, struct composite_agg, 3);
    if (list == NULL) return err_fail(r->err, ERR_NOMEM, "indices");
    r->d->doubt_means = list;
    r->d->doubt_weights = 0.25;
    list[r->d->n_doubt_means++] = r->d->spec.aggregate.level[0];
    if (x == NULL) return ERR_OK;
    TRY(known(r, x, "doubt", keys));
    TRY(number_of(r, x, "weights", false, 0, 1, &r->d->doubt_weights));
    const struct val *m = val_get(x, "means");
    if (m == NULL) return ERR_OK;
    if (m->type != VAL_LIST || m->n == 0 || m->n > 3)
        return fault(r, m, "one to three means", NULL);
    r->d->n_doubt_means = 0;
    for (size_t i = 0; i < m->n; i++) {
        list[i] = r->d->spec.aggregate.level[0];
        TRY(index_text_mean(r->doc, &m->u.list[i], &list[r->d->n_doubt_means++], r->err));
    }
    return ERR_OK;
}

static enum err_code make_goalposts(struct reading *r) {
    struct index_def *d = r->d;
    struct composite_norm *n = ARENA_NEW(r->a, struct composite_norm, 1);
    double *low = ARENA_NEW(r->a, double, d->n_leaves + 1);
    double *high = ARENA_NEW(r->a, double, d->n_leaves + 1);
    double *scale = ARENA_NEW(r->a, double, d->n_leaves + 1);
    if (n == NULL || low == NULL || high == NULL || scale == NULL)
        return err_fail(r->err, ERR_NOMEM, "indices");
    for (size_t i = 0; i < d->n_leaves; i++) {
        low[i] = d->node[i].low;
        high[i] = d->node[i].high;
        scale[i] = 100;
    }
    *n = (struct composite_norm){.kind = COMPOSITE_NORM_GOALPOSTS,
                                 .cap = true,
                                 .goal_low = low,
                                 .goal_high = high,
                                 .goal_scale = scale};
    d->spec.normalise = (struct composite_normalise){.n_norm = 1, .norm = n};
    return ERR_OK;
}

/* ---- colours */

static int by_from(const void *a, const void *b) {
    const struct index_band *x = a, *y = b;
    return (x->from > y->from) - (x->from < y->from);
}

static enum err_code read_bands(struct reading *r, const struct val *v) {
    static const char *const keys[] = {"band", "title", "color", "severity", "from", NULL};
    const struct val *list = val_get(v, "bands");
    if (list == NULL || list->type != VAL_LIST || list->n == 0 || list->n > INDEX_MAX_BANDS)
        return fault(r, v, "expected one to eight \"bands\"", NULL);
    struct index_band *b = ARENA_NEW(r->a, struct index_band, list->n);
    if (b == NULL) return err_fail(r->err, ERR_NOMEM, "indices");
    for (size_t i = 0; i < list->n; i++) {
        const struct val *x = &list->u.list[i];
        double severity = 0;
        TRY(known(r, x, "a band", keys));
        TRY(text_of(r, x, "band", true, &b[i].name));
        TRY(title_of(r, x, "title", &b[i].title));
        TRY(text_of(r, x, "color", true, &b[i].color));
        TRY(number_of(r, x, "severity", true, 0, INDEX_MAX_BANDS, &severity));
        TRY(number_of(r, x, "from", true, -1e9, 1e9, &b[i].from));
        b[i].severity = (int)severity;
        if (b[i].color[0] != '#' || strlen(b[i].color) != 7 ||
            strspn(b[i].color + 1, "0123456789abcdefABCDEF") != 6)
            return fault(r, x, "expected a colour such as \"#1a6fb5\"", b[i].color);
    }
    qsort(b, list->n, sizeof *b, by_from);
    r->d->band = b;
    r->d->n_bands = list->n;
    return number_of(r, v, "hysteresis", false, 0, 50, &r->d->hysteresis);
}

int index_band_of(const struct index_def *d, double value, int was) {
    if (isnan(value)) return -1;
    int now = 0;
    for (size_t i = 1; i < d->n_bands; i++)
        if (value >= d->band[i].from) now = (int)i;
    if (was < 0 || was >= (int)d->n_bands || now == was) return now;
    /* It stays while the value is within the hysteresis of the border it crossed. */
    if (now > was && value < d->band[was + 1].from + d->hysteresis) return was;
    if (now < was && value >= d->band[was].from - d->hysteresis) return was;
    return now;
}

/* ---- a document */

/* What should have been foreseen: an indicator. */
static enum err_code read_outcome(struct reading *r, const struct val *v, const char *key,
                                  const struct indicator_def **out) {
    const char *name = "";
    TRY(text_of(r, v, key, false, &name));
    if (name[0] == '\0') return ERR_OK;
    *out = pack_indicator(r->packs, name);
    return *out != NULL ? ERR_OK : fault(r, val_get(v, key), "there is no such indicator", name);
}

static enum err_code read_head(struct reading *r, const struct val *v) {
    struct index_def *d = r->d;
    int64_t days = 0;
    struct err why = {0};
    d->valid_from = "";
    TRY(text_of(r, v, "index", true, &d->name));
    TRY(title_of(r, v, "title", &d->title));
    TRY(title_of(r, v, "stands_for", &d->stands_for));
    TRY(located(r, v, val_int(v, "version", true, 1, 100000, &d->version, &why), &why));
    TRY(text_of(r, v, "valid_from", false, &d->valid_from));
    if (d->valid_from[0] != '\0' && !civil_date_parse(d->valid_from, &days))
        return fault(r, v, "\"valid_from\" is no date", d->valid_from);
    d->valid_day = d->valid_from[0] == '\0' ? INT32_MIN : (int32_t)days;
    TRY(words(r, v, "levels", area_level_parse, &d->levels));
    TRY(words(r, v, "periods", period_kind_parse, &d->periods));
    TRY(read_outcome(r, v, "outcome", &d->outcome));
    TRY(read_outcome(r, v, "population", &d->population));
    d->missing = 0.6;
    return number_of(r, v, "missing", false, 0, 1, &d->missing);
}

static enum err_code read_index(struct arena *a, const struct pack_set *packs,
                                const struct pack_document *doc, struct index_def *d,
                                struct err *err) {
    static const char *const keys[] = {
        "index",   "title",   "stands_for", "version",    "valid_from", "levels", "periods",
        "missing", "mean",    "bands",      "hysteresis", "doubt",      "groups", "indicators",
        "ahp",     "weights", "outcome",    "population", NULL};
    struct reading r = {.a = a, .packs = packs, .doc = doc, .d = d, .err = err};
    int root = 0;
    *d = (struct index_def){.file = doc->file, .pack = doc->pack};
    r.node = ARENA_NEW(a, struct index_node, INDEX_MAX_NODES);
    r.depth = ARENA_NEW(a, int, INDEX_MAX_NODES);
    if (r.node == NULL || r.depth == NULL) return err_fail(err, ERR_NOMEM, "indices");
    TRY(known(&r, doc->v, "an index", keys));
    TRY(read_head(&r, doc->v));
    TRY(new_node(&r, doc->v, -1, &root));
    r.node[root].name = d->name;
    r.node[root].title = d->title;
    TRY(read_children(&r, doc->v, root, 1));
    TRY(sort_nodes(&r));
    TRY(make_tree(&r));
    TRY(read_means(&r, doc->v));
    TRY(make_goalposts(&r));
    TRY(read_doubt(&r, doc->v));
    TRY(read_bands(&r, doc->v));
    index_make_hash(packs, d);
    return ERR_OK;
}

static int by_edition(const void *a, const void *b) {
    const struct index_def *x = a, *y = b;
    int way = strcmp(x->name, y->name);
    return way != 0 ? way : (x->version > y->version) - (x->version < y->version);
}

enum err_code index_load(struct arena *a, const struct pack_set *packs,
                         const struct index_set **out, struct err *err) {
    struct index_set *s = ARENA_NEW(a, struct index_set, 1);
    struct index_def *d = ARENA_NEW(a, struct index_def, packs->n_documents + 1);
    struct index_def *newest = ARENA_NEW(a, struct index_def, packs->n_documents + 1);
    if (s == NULL || d == NULL || newest == NULL) return err_fail(err, ERR_NOMEM, "indices");
    *s = (struct index_set){.index = newest, .edition = d};
    for (size_t i = 0; i < packs->n_documents; i++) {
        if (strcmp(packs->documents[i].folder, "indices") != 0) continue;
        TRY(read_index(a, packs, &packs->documents[i], &d[s->n_editions], err));
        s->n_editions++;
    }
    qsort(d, s->n_editions, sizeof *d, by_edition);
    for (size_t i = 0; i < s->n_editions; i++) {
        bool again = i > 0 && strcmp(d[i].name, d[i - 1].name) == 0;
        if (again && d[i].version == d[i - 1].version)
            return err_fail(err, ERR_INVALID, "%s: index \"%s\" is declared in %s already",
                            d[i].file, d[i].name, d[i - 1].file);
        if (!again) s->n++;
        newest[s->n - 1] = d[i];
    }
    *out = s;
    return ERR_OK;
}

const struct index_def *index_find(const struct index_set *s, const char *name) {
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->index[i].name, name) == 0) return &s->index[i];
    return NULL;
}

const struct index_def *index_find_at(const struct index_set *s, const char *name, int32_t day) {
    const struct index_def *found = NULL;
    for (size_t i = 0; i < s->n_editions; i++) {
        const struct index_def *d = &s->edition[i];
        if (strcmp(d->name, name) == 0 && (found == NULL || d->valid_day <= day)) found = d;
    }
    return found;
}
