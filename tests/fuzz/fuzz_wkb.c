/* Any bytes to polygon_from_wkb: what is accepted must survive writing and reading again, and
 * answer every question. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "geo/polygon.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena *a = arena_new(16 << 20);
    if (a == NULL) return 0;
    const struct polygon *p, *q;
    struct err err;
    if (polygon_from_wkb(a, data, size, &p, &err) == ERR_OK) {
        struct buf b;
        buf_init(&b, 16 << 20);
        polygon_to_wkb(p, &b);
        if (buf_check(&b, &err) == ERR_OK) {
            if (polygon_from_wkb(a, b.p, b.n, &q, &err) != ERR_OK) abort();
            if (q->n_pt != p->n_pt || memcmp(p->xy, q->xy, 16 * (size_t)p->n_pt) != 0) abort();
        }
        double lon, lat;
        polygon_label_point(p, &lon, &lat);
        (void)polygon_area_m2(p);
        if (!(lon >= p->box[0] && lon <= p->box[2])) abort();
        for (uint32_t i = 0; i < p->n_pt && i < 64; i++)
            (void)polygon_contains(p, p->xy[2 * (size_t)i], p->xy[2 * (size_t)i + 1]);
        buf_clear(&b);
        struct jw w;
        jw_init(&w, &b);
        polygon_write_geojson(p, &w);
        buf_deinit(&b);
    }
    arena_free(a);
    return 0;
}
