#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "num/scan/window.h"

/* The heap holds places by way, equal ways by position (smaller x first, then y), then number. */
static bool nearer(const struct windows *w, const struct window_scratch *s, uint32_t a,
                   uint32_t b) {
    if (s->way[a] != s->way[b]) return s->way[a] < s->way[b];
    const struct scan_points *p = &w->data->points;
    if (p->n == w->data->n_places && w->data->place_of == NULL) {
        if (p->x[a] != p->x[b]) return p->x[a] < p->x[b];
        if (p->y[a] != p->y[b]) return p->y[a] < p->y[b];
    }
    return a < b;
}

static void put(struct window_scratch *s, size_t i, uint32_t place) {
    s->heap[i] = place;
    s->at[place] = (uint32_t)i + 1;
}

static void rise(const struct windows *w, struct window_scratch *s, size_t i) {
    uint32_t place = s->heap[i];
    for (; i > 0 && nearer(w, s, place, s->heap[(i - 1) / 2]); i = (i - 1) / 2)
        put(s, i, s->heap[(i - 1) / 2]);
    put(s, i, place);
}

static uint32_t take_nearest(const struct windows *w, struct window_scratch *s, size_t *n) {
    uint32_t nearest = s->heap[0], place = s->heap[--*n];
    size_t i = 0;
    for (size_t child = 1; child < *n; child = 2 * i + 1) {
        if (child + 1 < *n && nearer(w, s, s->heap[child + 1], s->heap[child])) child++;
        if (!nearer(w, s, s->heap[child], place)) break;
        put(s, i, s->heap[child]);
        i = child;
    }
    if (*n > 0) put(s, i, place);
    return nearest;
}

void window_network(const struct windows *w, uint32_t center, struct window_scratch *s) {
    const struct window_graph *g = &w->graph;
    for (size_t p = 0; p < g->n; p++) s->way[p] = INFINITY;
    memset(s->at, 0, g->n * sizeof *s->at);
    s->n_members = 0;
    s->way[center] = 0.0;
    size_t n = 1;
    put(s, 0, center);
    double size = 0.0;
    while (n > 0) {
        uint32_t place = take_nearest(w, s, &n);
        if (s->way[place] > w->max_distance || !window_take(w, s, place, &size)) return;
        for (size_t k = g->first[place]; k < g->first[place + 1]; k++) {
            uint32_t next = g->to[k];
            double way = s->way[place] + g->length[k];
            if (!(way < s->way[next])) continue;
            s->way[next] = way;
            if (s->at[next] == 0) put(s, n++, next);
            rise(w, s, s->at[next] - 1);
        }
    }
}

enum err_code window_graph_new(const struct scan_data *data, struct arena *a,
                               struct window_graph *out, struct err *err) {
    size_t n = data->n_places;
    size_t *first = window_keep(a, n + 2, sizeof *first);
    uint32_t *to = window_keep(a, 2 * data->n_edges, sizeof *to);
    double *length = window_keep(a, 2 * data->n_edges, sizeof *length);
    if (first == NULL || to == NULL || length == NULL) return err_fail(err, ERR_NOMEM, "network");
    for (size_t e = 0; e < data->n_edges; e++) {
        first[data->edges[e].from + 2]++;
        first[data->edges[e].to + 2]++;
    }
    for (size_t p = 0; p < n; p++) first[p + 2] += first[p + 1];
    /* first[p + 1] is where the next neighbour of p goes, and in the end where those of p + 1
     * begin. */
    for (size_t e = 0; e < data->n_edges; e++) {
        const struct scan_edge *edge = &data->edges[e];
        size_t i = first[edge->from + 1]++, j = first[edge->to + 1]++;
        to[i] = edge->to;
        to[j] = edge->from;
        length[i] = length[j] = edge->length;
    }
    *out = (struct window_graph){.n = n, .first = first, .to = to, .length = length};
    return ERR_OK;
}

double window_way(const struct scan_data *data, uint32_t from, uint32_t to) {
    double *way = mem_new(data->n_places, sizeof *way);
    if (way == NULL) return NAN;
    for (size_t p = 0; p < data->n_places; p++) way[p] = INFINITY;
    way[from] = 0.0;
    /* Bellman 1958: asked only for the few clusters that are told. */
    for (bool moved = true; moved;) {
        moved = false;
        for (size_t e = 0; e < data->n_edges; e++) {
            const struct scan_edge *edge = &data->edges[e];
            double there = way[edge->from] + edge->length, back = way[edge->to] + edge->length;
            moved = moved || there < way[edge->to] || back < way[edge->from];
            way[edge->to] = fmin(way[edge->to], there);
            way[edge->from] = fmin(way[edge->from], back);
        }
    }
    double found = way[to];
    mem_free(way);
    return found;
}
