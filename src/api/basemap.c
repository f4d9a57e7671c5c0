/* The city's own base map: streets, water, parks and place names from a file in the data folder, as
 * vector tiles. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/app.h"
#include "api/handlers.h"
#include "base/file.h"
#include "geo/mvt.h"

enum { MAX_FILE = 128 << 20, MAX_POINTS = 100000, MAX_FEATURES = 500000 };
static const char *const layer_names[] = {"water", "park", "street", "place"};
enum { N_LAYERS = sizeof layer_names / sizeof layer_names[0] };

struct basemap_feature {
    int layer;
    const char *class_, *name_zh, *name_en;
    double box[4];
    const double *xy; /* line or point: n pairs */
    size_t n;
    const struct polygon *shape; /* areas; xy is NULL then */
};
struct basemap {
    struct basemap_feature *features;
    size_t n;
};

static enum err_code read_point(const struct val *v, double *out, struct err *err) {
    if (v->type != VAL_LIST || v->n < 2) return err_fail(err, ERR_INVALID, "expected [lon, lat]");
    for (int i = 0; i < 2; i++) {
        const struct val *c = &v->u.list[i];
        if (c->type != VAL_DOUBLE && c->type != VAL_INT)
            return err_fail(err, ERR_INVALID, "expected numbers");
        out[i] = c->type == VAL_INT ? (double)c->u.i : c->u.d;
    }
    if (fabs(out[0]) > 180 || fabs(out[1]) > 90)
        return err_fail(err, ERR_INVALID, "a coordinate is out of range");
    return ERR_OK;
}

static enum err_code read_points(struct arena *a, const struct val *list, double **out, size_t *n,
                                 struct err *err) {
    if (list == NULL || list->type != VAL_LIST || list->n == 0 || list->n > MAX_POINTS) {
        return err_fail(err, ERR_INVALID, "expected a list of points");
    }
    double *xy = ARENA_NEW(a, double, 2 * list->n);
    if (xy == NULL) return err_fail(err, ERR_NOMEM, "base map");
    for (size_t i = 0; i < list->n; i++) TRY(read_point(&list->u.list[i], &xy[2 * i], err));
    *out = xy;
    *n = list->n;
    return ERR_OK;
}

static enum err_code read_polygon(struct arena *a, const struct val *rings,
                                  struct basemap_feature *f, struct err *err) {
    if (rings == NULL || rings->type != VAL_LIST || rings->n == 0 || rings->n > 1000) {
        return err_fail(err, ERR_INVALID, "expected a list of rings");
    }
    uint32_t *ring_n = ARENA_NEW(a, uint32_t, rings->n);
    double *all = NULL;
    size_t total = 0;
    for (size_t i = 0; ring_n != NULL && i < rings->n; i++) total += rings->u.list[i].n;
    all = total > MAX_POINTS ? NULL : ARENA_NEW(a, double, 2 * total);
    if (ring_n == NULL || all == NULL) return err_fail(err, ERR_LIMIT, "the polygon is too large");
    size_t at = 0;
    for (size_t i = 0; i < rings->n; i++) {
        double *xy = NULL;
        size_t n = 0;
        TRY(read_points(a, &rings->u.list[i], &xy, &n, err));
        memcpy(all + 2 * at, xy, 2 * n * sizeof *xy);
        ring_n[i] = (uint32_t)n;
        at += n;
    }
    uint32_t part_n = (uint32_t)rings->n;
    return polygon_from_rings(a, all, ring_n, part_n, &part_n, 1, &f->shape, err);
}

static void line_box(struct basemap_feature *f) {
    f->box[0] = f->box[2] = f->xy[0];
    f->box[1] = f->box[3] = f->xy[1];
    for (size_t i = 1; i < f->n; i++) {
        f->box[0] = fmin(f->box[0], f->xy[2 * i]);
        f->box[2] = fmax(f->box[2], f->xy[2 * i]);
        f->box[1] = fmin(f->box[1], f->xy[2 * i + 1]);
        f->box[3] = fmax(f->box[3], f->xy[2 * i + 1]);
    }
}

static enum err_code read_geometry(struct arena *a, const struct val *g, struct basemap_feature *f,
                                   struct err *err) {
    const char *type = NULL;
    TRY(val_str(g, "type", true, 40, &type, err));
    const struct val *coordinates = val_get(g, "coordinates");
    double *xy = NULL;
    if (coordinates == NULL) return err_fail(err, ERR_INVALID, "a geometry has no coordinates");
    if (strcmp(type, "Polygon") == 0) {
        TRY(read_polygon(a, coordinates, f, err));
        memcpy(f->box, f->shape->box, sizeof f->box);
        return ERR_OK;
    }
    if (strcmp(type, "LineString") == 0) {
        TRY(read_points(a, coordinates, &xy, &f->n, err));
    } else if (strcmp(type, "Point") == 0) {
        xy = ARENA_NEW(a, double, 2);
        if (xy == NULL) return err_fail(err, ERR_NOMEM, "base map");
        TRY(read_point(coordinates, xy, err));
        f->n = 1;
    } else {
        return err_fail(err, ERR_INVALID,
                        "geometry type \"%s\"; expected LineString, Polygon or Point", type);
    }
    f->xy = xy;
    line_box(f);
    return ERR_OK;
}

static enum err_code read_feature(struct arena *a, const struct val *v, struct basemap_feature *f,
                                  struct err *err) {
    const char *layer = NULL;
    f->class_ = f->name_zh = f->name_en = "";
    TRY(val_str(v, "layer", true, 40, &layer, err));
    TRY(val_str(v, "class", false, 80, &f->class_, err));
    TRY(val_str(v, "name_zh", false, 200, &f->name_zh, err));
    TRY(val_str(v, "name_en", false, 200, &f->name_en, err));
    f->layer = -1;
    for (int i = 0; i < N_LAYERS; i++) f->layer = strcmp(layer, layer_names[i]) == 0 ? i : f->layer;
    if (f->layer < 0) return err_fail(err, ERR_INVALID, "layer \"%s\" is not known", layer);
    const struct val *g = val_get(v, "geometry");
    if (g == NULL) return err_fail(err, ERR_INVALID, "a feature has no geometry");
    TRY(read_geometry(a, g, f, err));
    f->class_ = arena_strdup(a, f->class_);
    f->name_zh = arena_strdup(a, f->name_zh);
    f->name_en = arena_strdup(a, f->name_en);
    return f->class_ == NULL || f->name_zh == NULL || f->name_en == NULL
               ? err_fail(err, ERR_NOMEM, "base map")
               : ERR_OK;
}

static enum err_code read_lines(struct arena *a, const char *path, const char *text,
                                struct basemap *m, struct err *err) {
    long line = 0;
    for (const char *p = text; *p != '\0';) {
        size_t n = strcspn(p, "\n");
        line++;
        if (n > 0 && m->n < MAX_FEATURES) {
            struct arena *scratch = arena_new(64u << 20);
            const struct val *v = NULL;
            enum err_code rc = scratch == NULL ? err_fail(err, ERR_NOMEM, "base map")
                                               : json_parse(scratch, p, n, &v, err);
            if (rc == ERR_OK) rc = read_feature(a, v, &m->features[m->n], err);
            arena_free(scratch);
            if (rc != ERR_OK) {
                char detail[256];
                (void)snprintf(detail, sizeof detail, "%.255s", err == NULL ? "" : err->detail);
                return err_fail(err, rc, "%s:%ld: %s", path, line, detail);
            }
            m->n++;
        }
        p += p[n] == '\n' ? n + 1 : n;
    }
    return ERR_OK;
}

enum err_code basemap_load(struct arena *a, const char *data_dir, const struct basemap **out,
                           struct err *err) {
    char *path = arena_printf(a, "%s/basemap.ndjson", data_dir);
    struct basemap *m = ARENA_NEW(a, struct basemap, 1);
    if (path == NULL || m == NULL) return err_fail(err, ERR_NOMEM, "base map");
    struct buf text;
    buf_init(&text, MAX_FILE);
    *out = NULL;
    enum err_code rc = file_read(path, &text, err);
    if (rc == ERR_OK) {
        size_t lines = 1;
        for (size_t i = 0; i < text.n; i++) lines += text.p[i] == '\n' ? 1 : 0;
        m->features =
            ARENA_NEW(a, struct basemap_feature, lines < MAX_FEATURES ? lines : MAX_FEATURES);
        rc = m->features == NULL ? err_fail(err, ERR_NOMEM, "base map")
                                 : read_lines(a, path, buf_text(&text), m, err);
        if (rc == ERR_OK) *out = m;
    } else if (rc == ERR_NOT_FOUND) {
        rc = ERR_OK; /* a city without a base map: the page draws its cells */
    }
    buf_deinit(&text);
    return rc;
}

/* ---- tiles ---- */

/* From which zoom on a class is drawn: main streets from afar, lanes near. */
static unsigned min_zoom(const struct basemap_feature *f) {
    static const struct {
        const char *class_;
        unsigned zoom;
    } rows[] = {{"primary", 8}, {"secondary", 10}, {"city", 6},      {"county", 7},
                {"town", 10},   {"river", 6},      {"community", 13}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(rows[i].class_, f->class_) == 0) return rows[i].zoom;
    }
    return f->layer == 0 || f->layer == 1 ? 9 : 12;
}

static enum err_code add_feature(struct mvt *t, const struct basemap_feature *f, size_t id,
                                 struct err *err) {
    struct mvt_tag tags[] = {
        {.key = "class", .type = MVT_STRING, .u.s = f->class_},
        {.key = "name_zh", .type = MVT_STRING, .u.s = f->name_zh[0] == '\0' ? NULL : f->name_zh},
        {.key = "name_en", .type = MVT_STRING, .u.s = f->name_en[0] == '\0' ? NULL : f->name_en}};
    if (f->shape != NULL) return mvt_polygon(t, id + 1, f->shape, tags, 3, err);
    if (f->n == 1) return mvt_point(t, id + 1, f->xy[0], f->xy[1], tags, 3, err);
    return mvt_line(t, id + 1, f->xy, f->n, tags, 3, err);
}

enum err_code basemap_get(struct call *c, struct err *err) {
    const struct basemap *m = c->app->basemap;
    if (m == NULL || strcmp(c->param[0], "city") != 0)
        return err_fail(err, ERR_NOT_FOUND, "there is no such base map");
    long at[3];
    for (int i = 0; i < 3; i++) {
        char *end = NULL;
        at[i] = strtol(c->param[i + 1], &end, 10);
        bool ok = end != c->param[i + 1] && (*end == '\0' || (i == 2 && strcmp(end, ".mvt") == 0));
        if (!ok || at[i] < 0 || at[i] > (1l << MVT_MAX_ZOOM))
            return err_fail(err, ERR_NOT_FOUND, "there is no such tile");
    }
    double box[4];
    struct mvt *t = NULL;
    if (mvt_tile_box((unsigned)at[0], (uint32_t)at[1], (uint32_t)at[2], box, err) != ERR_OK) {
        return err_fail(err, ERR_NOT_FOUND, "there is no such tile");
    }
    TRY(mvt_new(c->a, (unsigned)at[0], (uint32_t)at[1], (uint32_t)at[2], &t, err));
    for (int layer = 0; layer < N_LAYERS; layer++) {
        TRY(mvt_layer(t, layer_names[layer], err));
        for (size_t i = 0; i < m->n; i++) {
            const struct basemap_feature *f = &m->features[i];
            bool touches = f->box[0] <= box[2] && f->box[2] >= box[0] && f->box[1] <= box[3] &&
                           f->box[3] >= box[1];
            if (f->layer == layer && touches && (unsigned)at[0] >= min_zoom(f))
                TRY(add_feature(t, f, i, err));
        }
    }
    TRY(mvt_finish(t, &c->reply.body, err));
    c->reply.content_type = "application/vnd.mapbox-vector-tile";
    c->reply.cache = "public, max-age=3600";
    if (c->reply.body.n == 0) c->reply.status = 204;
    return ERR_OK;
}
