#include <math.h>

#include "domain/process/engine.h"
#include "geo/crs.h"

/* A box of radius metres around the point; the exact distance is checked row by row. */
static enum err_code box_query(const struct engine *e, struct db *db, const char *cls, double lon,
                               double lat, double radius_m, struct arena *a, struct cursor **out,
                               struct err *err) {
    double dlat = radius_m / 111000.0;
    double dlon = dlat / fmax(0.01, cos(lat * 3.14159265358979323846 / 180.0));
    struct sql s;
    TRY(sql_begin(&s, a, err));
    sql_add(&s, "SELECT id, code, state, lon, lat, opened_at FROM ");
    sql_table(&s, &e->case_type->table);
    sql_add(&s, " WHERE ledger = 1 AND closed_at IS NULL AND private = 0 AND class = ");
    sql_value(&s, cell_text(cls));
    sql_add(&s, " AND lon > ");
    sql_value(&s, cell_real(lon - dlon));
    sql_add(&s, " AND lon < ");
    sql_value(&s, cell_real(lon + dlon));
    sql_add(&s, " AND lat > ");
    sql_value(&s, cell_real(lat - dlat));
    sql_add(&s, " AND lat < ");
    sql_value(&s, cell_real(lat + dlat));
    sql_add(&s, " ORDER BY opened_at DESC LIMIT 200");
    return sql_query(&s, db, out, err);
}

enum err_code case_similar(const struct engine *e, struct db *db, const char *cls, double lon,
                           double lat, double radius_m, int64_t not_id, struct arena *a,
                           struct similar *out, size_t max, size_t *n, struct err *err) {
    struct cursor *c = NULL;
    TRY(box_query(e, db, cls, lon, lat, radius_m, a, &c, err));
    enum err_code rc = ERR_OK;
    bool has = true;
    *n = 0;
    while (rc == ERR_OK && has && *n < max) {
        rc = cursor_next(c, &has, err);
        if (rc != ERR_OK || !has || cursor_int(c, 0) == not_id) continue;
        double d = geo_distance_m(lon, lat, cursor_real(c, 3), cursor_real(c, 4));
        if (d > radius_m) continue;
        struct similar *s = &out[(*n)++];
        *s = (struct similar){.id = cursor_int(c, 0),
                              .code = arena_strdup(a, cursor_text(c, 1)),
                              .cls = cls,
                              .state = arena_strdup(a, cursor_text(c, 2)),
                              .distance_m = d,
                              .lon = cursor_real(c, 3),
                              .lat = cursor_real(c, 4),
                              .opened_us = cursor_int(c, 5)};
        if (s->code == NULL || s->state == NULL) rc = err_fail(err, ERR_NOMEM, "similar cases");
    }
    cursor_close(c);
    return rc;
}
