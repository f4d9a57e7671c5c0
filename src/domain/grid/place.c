/* Questions to a snapshot: where a point is and who is on duty there. */
#include <stdlib.h>
#include <string.h>

#include "domain/grid/snapshot.h"

static const char *const level_names[GRID_LEVELS] = {"province", "city", "county", "town",
                                                     "community"};

const char *area_level_name(int level) { return level_names[level]; }

int area_level_parse(const char *text) {
    for (int i = 0; i < GRID_LEVELS; i++)
        if (strcmp(level_names[i], text) == 0) return i;
    return -1;
}

/* ---- places in the sorted lists */

static int by_area(const void *code, const void *item) {
    return strcmp(code, ((const struct grid_area *)item)->code);
}

static int by_unit(const void *code, const void *item) {
    return strcmp(code, ((const struct grid_unit *)item)->code);
}

struct cell_key {
    const char *layer, *code;
};

static int by_cell(const void *key, const void *item) {
    const struct cell_key *k = key;
    const struct grid_cell *c = item;
    int d = strcmp(k->layer, c->layer);
    return d != 0 ? d : strcmp(k->code, c->code);
}

static int by_post(const void *key, const void *item) {
    int64_t id = *(const int64_t *)key, other = ((const struct grid_post *)item)->id;
    return (id > other) - (id < other);
}

static int index_of(const void *key, const void *items, size_t n, size_t size,
                    int (*compare)(const void *key, const void *item)) {
    if (n == 0) return GRID_NONE; /* the library takes no null pointer, not even to no items */
    const char *at = bsearch(key, items, n, size, compare);
    return at == NULL ? GRID_NONE : (int)((size_t)(at - (const char *)items) / size);
}

int grid_area_index(const struct grid *g, const char *code) {
    return index_of(code, g->areas, g->n_areas, sizeof *g->areas, by_area);
}

int grid_unit_index(const struct grid *g, const char *code) {
    return index_of(code, g->units, g->n_units, sizeof *g->units, by_unit);
}

int grid_cell_index(const struct grid *g, const char *layer, const char *code) {
    const struct cell_key k = {layer, code};
    return index_of(&k, g->cells, g->n_cells, sizeof *g->cells, by_cell);
}

int grid_post_index(const struct grid *g, int64_t id) {
    return index_of(&id, g->posts, g->n_posts, sizeof *g->posts, by_post);
}

const char *grid_post_account(const struct grid_post *p, int64_t now_us) {
    return p->cover[0] != '\0' && now_us < p->cover_until_us ? p->cover : p->account;
}

int grid_desk(const struct grid *g, int area) {
    for (int depth = 0; area != GRID_NONE && depth < 16; depth++) {
        if (g->desks[area] != GRID_NONE) return g->desks[area];
        area = g->areas[area].parent;
    }
    return GRID_NONE;
}

static bool on_duty(const struct grid *g, const struct grid_post *p, int64_t now_us) {
    if (p->on.n == 0) return true;
    const int64_t minute_us = 60000000;
    int64_t minute = (g->tz == NULL ? now_us : tz_to_local(g->tz, now_us)) / minute_us;
    return hours_on(&p->on, (int)(((minute % HOURS_DAY_MIN) + HOURS_DAY_MIN) % HOURS_DAY_MIN));
}

/* The nearest desk that is on duty, else the nearest. */
static int desk_now(const struct grid *g, int area, int64_t now_us) {
    int nearest = grid_desk(g, area);
    for (int depth = 0; area != GRID_NONE && depth < 16; depth++) {
        int desk = g->desks[area];
        if (desk != GRID_NONE && on_duty(g, &g->posts[desk], now_us)) return desk;
        area = g->areas[area].parent;
    }
    return nearest;
}

static struct place nowhere(void) {
    struct place p = {.cell = GRID_NONE, .post = GRID_NONE, .unbound = true};
    for (int i = 0; i < GRID_LEVELS; i++) p.at[i] = GRID_NONE;
    return p;
}

static int deepest(const int at[GRID_LEVELS]) {
    for (int i = GRID_LEVELS - 1; i >= 0; i--) {
        if (at[i] != GRID_NONE) return at[i];
    }
    return GRID_NONE;
}

/* The top area of the tree: where a case without a place belongs. */
static int top_area(const struct grid *g) {
    int best = GRID_NONE;
    for (size_t i = 0; i < g->n_areas; i++) {
        if (best == GRID_NONE || g->areas[i].level < g->areas[best].level) best = (int)i;
    }
    return best;
}

struct place grid_place_of_area(const struct grid *g, int area, int64_t now_us) {
    struct place p = nowhere();
    if (area == GRID_NONE) area = top_area(g);
    if (area == GRID_NONE) return p;
    snapshot_levels(g, area, p.at);
    p.post = desk_now(g, area, now_us);
    p.is_desk = true;
    return p;
}

struct place grid_place_of_cell(const struct grid *g, int cell, int64_t now_us) {
    struct place p = nowhere();
    const struct grid_cell *c = &g->cells[cell];
    p.cell = cell;
    memcpy(p.at, c->at, sizeof p.at);
    p.unbound = c->post == GRID_NONE || grid_post_account(&g->posts[c->post], now_us)[0] == '\0';
    if (!p.unbound && on_duty(g, &g->posts[c->post], now_us)) {
        p.post = c->post;
        return p;
    }
    int area = deepest(c->at);
    p.is_desk = true;
    p.post = area == GRID_NONE ? GRID_NONE : desk_now(g, area, now_us);
    return p;
}

struct place grid_place(const struct grid *g, const char *layer, double lon, double lat,
                        int64_t now_us) {
    for (size_t i = 0; i < g->n_layers; i++) {
        if (strcmp(g->layers[i].name, layer) != 0) continue;
        int32_t k = locate_find(g->layers[i].index, lon, lat);
        if (k >= 0) return grid_place_of_cell(g, g->layers[i].cells[k], now_us);
    }
    return grid_place_of_area(g, GRID_NONE, now_us);
}

static bool has_word(const char *words, const char *word) {
    size_t n = strlen(word);
    for (const char *p = words; n > 0 && (p = strstr(p, word)) != NULL; p += n) {
        if ((p == words || p[-1] == ' ') && (p[n] == ' ' || p[n] == '\0')) return true;
    }
    return false;
}

int grid_unit_for(const struct grid *g, const char *duty, const int at[GRID_LEVELS]) {
    int best = GRID_NONE, best_level = -1;
    for (size_t i = 0; i < g->n_units; i++) {
        const struct grid_unit *u = &g->units[i];
        int level = u->area == GRID_NONE ? 0 : g->areas[u->area].level;
        bool covers = u->area == GRID_NONE || at[level] == u->area;
        if (!covers || level <= best_level || !has_word(u->duties, duty)) continue;
        best = (int)i;
        best_level = level;
    }
    return best;
}
