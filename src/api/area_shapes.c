/* Borders of the areas of one level, coarse enough for a map of the whole city on one screen.
 * Borders are public facts: the tiles show them to anybody too. */
#include <stdio.h>
#include <string.h>

#include "api/app.h"
#include "api/handlers.h"
#include "base/hash.h"
#include "geo/tiling.h"
#include "net/http.h"

enum { SIDE = 1600, MAX_AREAS = 20000, SCRATCH = 256 << 20 };

/* Changes when one of the shapes does, and not when a post gets another cover. */
static void tag_of(const struct grid *g, const int *area, size_t n, char tag[40]) {
    uint64_t h = SIDE;
    for (size_t i = 0; i < n; i++) {
        const int64_t key[3] = {(int64_t)h, g->areas[area[i]].id, g->areas[area[i]].version};
        h = hash_xxh64(key, sizeof key, 0);
    }
    (void)snprintf(tag, 40, "s%016llx", (unsigned long long)h);
}

static bool is_known(const struct call *c, const char *tag) {
    char quoted[44];
    (void)snprintf(quoted, sizeof quoted, "\"%s\"", tag);
    return http_if_none_match(c->req, quoted);
}

static void put_feature(struct jw *w, const struct grid_area *a, const struct polygon *shape) {
    double lon = 0, lat = 0;
    jw_obj(w);
    jw_kstr(w, "type", "Feature");
    jw_kstr(w, "id", a->code);
    jw_key(w, "properties");
    jw_obj(w);
    jw_kstr(w, "code", a->code);
    jw_kstr(w, "name", a->name);
    jw_kstr(w, "name_en", a->name_en);
    jw_key(w, "label");
    if (shape == NULL) {
        jw_null(w);
    } else {
        polygon_label_point(shape, &lon, &lat);
        jw_arr(w);
        jw_double(w, (double)(int64_t)(lon * 1e5) / 1e5);
        jw_double(w, (double)(int64_t)(lat * 1e5) / 1e5);
        jw_end(w, ']');
    }
    jw_end(w, '}');
    jw_key(w, "geometry");
    if (shape == NULL)
        jw_null(w);
    else
        polygon_write_geojson(shape, w);
    jw_end(w, '}');
}

static enum err_code write_shapes(struct call *c, const struct grid *g, const char *level,
                                  const int *area, size_t n, struct arena *scratch,
                                  struct err *err) {
    const struct polygon **in = ARENA_NEW(scratch, const struct polygon *, n + 1),
                         **out = ARENA_NEW(scratch, const struct polygon *, n + 1);
    if (in == NULL || out == NULL) return err_fail(err, ERR_NOMEM, "shapes");
    for (size_t i = 0; i < n; i++) in[i] = g->areas[area[i]].shape;
    TRY(tiling_coarse(scratch, in, n, SIDE, out, err));
    struct jw w = call_json(c);
    jw_obj(&w);
    jw_kstr(&w, "type", "FeatureCollection");
    jw_kstr(&w, "level", level);
    jw_key(&w, "features");
    jw_arr(&w);
    for (size_t i = 0; i < n; i++) put_feature(&w, &g->areas[area[i]], out[i]);
    jw_end(&w, ']');
    jw_end(&w, '}');
    return buf_check(&c->reply.body, err);
}

static enum err_code shapes_of(struct call *c, const struct grid *g, int level, struct err *err) {
    int *area = ARENA_NEW(c->a, int, g->n_areas + 1);
    size_t n = 0;
    if (area == NULL) return err_fail(err, ERR_NOMEM, "shapes");
    for (size_t i = 0; i < g->n_areas; i++)
        if (g->areas[i].level == level) area[n++] = (int)i;
    if (n > MAX_AREAS) return err_fail(err, ERR_LIMIT, "more than %d areas", MAX_AREAS);
    tag_of(g, area, n, c->reply.etag);
    c->reply.cache = "public, max-age=300";
    if (is_known(c, c->reply.etag)) {
        c->reply.status = 304;
        return ERR_OK;
    }
    struct arena *scratch = arena_new(SCRATCH);
    if (scratch == NULL) return err_fail(err, ERR_NOMEM, "shapes");
    enum err_code rc = write_shapes(c, g, area_level_name(level), area, n, scratch, err);
    arena_free(scratch);
    return rc;
}

enum err_code area_shapes(struct call *c, struct err *err) {
    const char *text = call_query(c, "level");
    int level = text == NULL ? LEVEL_TOWN : area_level_parse(text);
    if (level < 0) {
        (void)err_fail(err, ERR_INVALID,
                       "\"%.40s\": expected province, city, county, town or community", text);
        return err_field(err, ERR_INVALID, "/level");
    }
    const struct grid *g = grid_ref(c->app->grid);
    enum err_code rc = shapes_of(c, g, level, err);
    grid_unref(g);
    return rc;
}
