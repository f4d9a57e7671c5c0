/* The hash of an index: over its text and over the formulas of its indicators. */
#include <math.h>
#include <string.h>

#include "base/hash.h"
#include "domain/measure/index_inside.h"

/* hash = SHA-256(hash, pieces). */
static void chain(unsigned char hash[32], const struct hash_piece *pieces, size_t n) {
    struct hash_piece all[12] = {{hash, 32}};
    unsigned char next[32];
    app_assert(n < sizeof all / sizeof all[0]);
    memcpy(all + 1, pieces, n * sizeof *pieces);
    hash_sha256(all, n + 1, next);
    memcpy(hash, next, sizeof next);
}

static struct hash_piece piece_text(const char *s) { return (struct hash_piece){s, strlen(s) + 1}; }

static struct hash_piece piece_column(const struct indicator_def *d, int col) {
    return piece_text(col < 0 || d->type == NULL ? "" : d->type->fields[col].name);
}

/* Everything that a value is formed by, of the indicator and of those it stands on. */
static void hash_indicator(const struct pack_set *packs, const struct indicator_def *d, int depth,
                           unsigned char hash[32]) {
    if (d == NULL || depth > INDICATOR_MAX_DEPTH) return;
    const int kinds[] = {(int)d->measure, (int)d->basis, (int)d->against, d->stock,
                         d->direction,    d->sum_up,     (int)d->n_terms};
    const int64_t numbers[] = {d->version, d->enough};
    const double factors[] = {d->per, d->constant};
    struct hash_piece head[] = {
        piece_text(d->name),        piece_text(d->type == NULL ? "" : d->type->name),
        piece_text(d->filter_text), piece_text(d->part_text),
        {kinds, sizeof kinds},      {numbers, sizeof numbers},
        {factors, sizeof factors}};
    struct hash_piece cols[] = {piece_column(d, d->time_col), piece_column(d, d->value_col),
                                piece_column(d, d->from_col), piece_column(d, d->to_col)};
    chain(hash, head, sizeof head / sizeof head[0]);
    chain(hash, cols, sizeof cols / sizeof cols[0]);
    if (d->of[0] != '\0') hash_indicator(packs, pack_indicator(packs, d->of), depth + 1, hash);
    if (d->to[0] != '\0') hash_indicator(packs, pack_indicator(packs, d->to), depth + 1, hash);
    for (size_t i = 0; i < d->n_terms; i++) {
        struct hash_piece weight = {&d->terms[i].weight, sizeof d->terms[i].weight};
        chain(hash, &weight, 1);
        hash_indicator(packs, pack_indicator(packs, d->terms[i].indicator), depth + 1, hash);
    }
}

static void hash_bands(struct index_def *d) {
    for (size_t i = 0; i < d->n_bands; i++) {
        struct hash_piece band[] = {piece_text(d->band[i].name),
                                    {&d->band[i].severity, sizeof d->band[i].severity},
                                    {&d->band[i].from, sizeof d->band[i].from}};
        chain(d->hash, band, sizeof band / sizeof band[0]);
    }
    struct hash_piece last = {&d->hysteresis, sizeof d->hysteresis};
    chain(d->hash, &last, 1);
}

/* What an index need not have: one without it keeps the hash that it had before there was such a
 * thing. */
static void hash_further(struct index_def *d) {
    for (size_t i = 0; i < d->n_nodes; i++) {
        const struct index_node *n = &d->node[i];
        struct hash_piece weigh[] = {
            {&n->weigh, sizeof n->weigh}, {&n->least, sizeof n->least}, {&n->most, sizeof n->most}};
        if (n->weigh > INDEX_WEIGH_AHP) chain(d->hash, weigh, 3);
        double lambda = isnan(n->treat.lambda) ? NAN : n->treat.lambda;
        struct hash_piece treat[] = {{&n->treat.curve, sizeof n->treat.curve},
                                     {&n->treat.shift, sizeof n->treat.shift},
                                     {&lambda, sizeof lambda},
                                     {&n->treat.winsorise, sizeof n->treat.winsorise}};
        if (n->treat.curve != INDEX_CURVE_LINEAR || n->treat.winsorise > 0)
            chain(d->hash, treat, 4);
    }
    for (size_t k = 0; k < COMPOSITE_MAX_LEVELS; k++) {
        struct hash_piece power = {&d->spec.aggregate.level[k].power, sizeof(double)};
        if (d->spec.aggregate.level[k].kind == COMPOSITE_POWER) chain(d->hash, &power, 1);
    }
}

void index_make_hash(const struct pack_set *packs, struct index_def *d) {
    memset(d->hash, 0, sizeof d->hash);
    for (size_t i = 0; i < d->n_nodes; i++) {
        const struct index_node *n = &d->node[i];
        struct hash_piece node[] = {piece_text(n->name),
                                    {&n->parent, sizeof n->parent},
                                    {&n->weight, sizeof n->weight},
                                    {&n->low, sizeof n->low},
                                    {&n->high, sizeof n->high}};
        chain(d->hash, node, sizeof node / sizeof node[0]);
        hash_indicator(packs, n->indicator, 0, d->hash);
    }
    unsigned char kinds[COMPOSITE_MAX_LEVELS]; /* a struct would bring its padding */
    for (size_t k = 0; k < COMPOSITE_MAX_LEVELS; k++)
        kinds[k] = (unsigned char)d->spec.aggregate.level[k].kind;
    unsigned char doubt[3] = {0};
    for (size_t k = 0; k < d->n_doubt_means; k++) doubt[k] = (unsigned char)d->doubt_means[k].kind;
    struct hash_piece rest[] = {piece_text(d->name),
                                {&d->version, sizeof d->version},
                                {&d->missing, sizeof d->missing},
                                {&d->doubt_weights, sizeof d->doubt_weights},
                                {doubt, sizeof doubt},
                                {kinds, sizeof kinds}};
    chain(d->hash, rest, sizeof rest / sizeof rest[0]);
    hash_bands(d);
    hash_further(d);
}
