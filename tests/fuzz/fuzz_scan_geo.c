/* Places, grid points, edges and neighbours: any bytes end in positions in range and lists without
 * repeats, or an error that names file, line and column. */
#include <math.h>

#include "fuzz_scan_records.h"
#include "study/scan/places.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void places(struct arena *a, struct reading *r, const struct source *s, bool sphere) {
    struct place_file file = {.source = s};
    struct layout l = fuzz_layout;
    struct places p;
    struct err err = {0};
    l.x = sphere ? 2 : 1;
    l.y = sphere ? 1 : 2;
    r->ids.n = 0; /* only the places of the file */
    names_init(&r->ids, a);
    if (fuzz_refused(records_places(r, s, &l, sphere, &file.rows, &err), &err)) return;
    for (int many = 0; many < 2; many++) {
        if (fuzz_refused(places_build(a, &r->ids, &file, 1, many == 1, &p, &err), &err)) continue;
        app_assert(p.n >= 1 && p.n <= r->ids.n && p.n_points >= p.n);
        app_assert(p.first_id[0] == 0 && p.first_id[p.n] == r->ids.n);
        for (size_t i = 0; i < p.n; i++) app_assert(p.first_id[i] < p.first_id[i + 1]);
        for (size_t i = 0; i < r->ids.n; i++) app_assert(p.of_id[i] < p.n);
        for (size_t i = 0; i < p.n_points; i++) {
            app_assert(isfinite(p.x[i]) && isfinite(p.y[i]));
            if (sphere) app_assert(fabs(p.x[i]) <= 180 && fabs(p.y[i]) <= 90);
        }
    }
}

static void neighbors(struct reading *r, const struct source *s) {
    struct neighbor_rows n;
    struct err err = {0};
    if (fuzz_refused(records_neighbors(r, s, &n, &err), &err)) return;
    for (size_t i = 0; i < n.n; i++) {
        app_assert(n.first[i] < n.first[i + 1] && n.neighbor[n.first[i]] == n.owner[i]);
        for (size_t k = n.first[i]; k < n.first[i + 1]; k++) app_assert(n.neighbor[k] < r->ids.n);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) return 0;
    struct arena *a = arena_new((size_t)256 << 20);
    struct reading r;
    struct source s;
    struct edge_rows edges;
    struct err err = {0};
    struct layout l = fuzz_layout;
    l.other = 1;
    l.length = 2;
    app_assert(a != NULL);
    if (fuzz_begin(a, data, size, &r, &s)) {
        if (!fuzz_refused(records_edges(&r, &s, &l, &edges, &err), &err))
            for (size_t i = 0; i < edges.n; i++)
                app_assert(edges.row[i].from != edges.row[i].to && edges.row[i].to < r.ids.n);
        neighbors(&r, &s);
        places(a, &r, &s, (data[0] & 128) != 0);
    }
    arena_free(a);
    return 0;
}
