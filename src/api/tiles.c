/* Vector tiles: cells and areas from the snapshot, cases by right, public cases rounded. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/case_view.h"
#include "api/handlers.h"
#include "geo/mvt.h"

enum { MAX_CELLS = 20000, MAX_CASES = 5000, TILE_MAX = 4 << 20, CELLS_FROM_ZOOM = 12 };

struct tile_call {
    struct call *call;
    unsigned z;
    uint32_t x, y;
    double box[4];
    struct mvt *mvt;
};

static enum err_code read_number(const char *text, uint32_t max, uint32_t *out, struct err *err) {
    char *end = NULL;
    unsigned long v = strtoul(text, &end, 10);
    if (end == text || *end != '\0' || text[0] == '-' || v > max) {
        return err_fail(err, ERR_NOT_FOUND, "there is no such tile");
    }
    *out = (uint32_t)v;
    return ERR_OK;
}

static enum err_code begin(struct call *c, struct tile_call *t, struct err *err) {
    uint32_t z = 0;
    t->call = c;
    TRY(read_number(c->param[1], MVT_MAX_ZOOM, &z, err));
    TRY(read_number(c->param[2], 1u << 22, &t->x, err));
    TRY(read_number(c->param[3], 1u << 22, &t->y, err));
    t->z = z;
    if (mvt_tile_box(t->z, t->x, t->y, t->box, err) != ERR_OK) {
        return err_fail(err, ERR_NOT_FOUND, "there is no such tile");
    }
    return mvt_new(c->a, t->z, t->x, t->y, &t->mvt, err);
}

static bool touches(const double a[4], const double b[4]) {
    return a[0] <= b[2] && a[2] >= b[0] && a[1] <= b[3] && a[3] >= b[1];
}

/* Which level of areas is drawn at a zoom: whole counties from afar, communities near. */
static int area_level_at(unsigned z) {
    if (z < 9) return LEVEL_COUNTY;
    return z < 12 ? LEVEL_TOWN : LEVEL_COMMUNITY;
}

static struct mvt_tag text_tag(const char *key, const char *s) {
    return (struct mvt_tag){.key = key, .type = MVT_STRING, .u.s = s[0] == '\0' ? NULL : s};
}

static enum err_code areas_layer(struct tile_call *t, const struct grid *g, struct err *err) {
    TRY(mvt_layer(t->mvt, "areas", err));
    int level = area_level_at(t->z);
    for (size_t i = 0; i < g->n_areas; i++) {
        const struct grid_area *a = &g->areas[i];
        if (a->level > level || a->shape == NULL || !touches(a->bbox, t->box)) continue;
        struct mvt_tag tags[] = {text_tag("code", a->code),
                                 text_tag("name", a->name),
                                 text_tag("name_en", a->name_en),
                                 {.key = "level", .type = MVT_INT, .u.i = a->level}};
        TRY(mvt_polygon(t->mvt, (uint64_t)a->id, a->shape, tags, 4, err));
    }
    return ERR_OK;
}

static enum err_code cells_layer(struct tile_call *t, const struct grid *g, struct err *err) {
    TRY(mvt_layer(t->mvt, "cells", err));
    int32_t *found = ARENA_NEW(t->call->a, int32_t, MAX_CELLS);
    if (found == NULL) return err_fail(err, ERR_NOMEM, "tile");
    int64_t now = clock_now_us(&t->call->app->clock);
    for (size_t l = 0; l < g->n_layers; l++) {
        const struct grid_layer *layer = &g->layers[l];
        /* A layer of few large cells (neighbourhoods) is drawn at any zoom. */
        if (t->z < CELLS_FROM_ZOOM && layer->n_cells > 200) continue;
        size_t n = locate_in_bbox(layer->index, t->box, found, MAX_CELLS);
        for (size_t i = 0; i < n && i < MAX_CELLS; i++) {
            const struct polygon *shape = layer->shapes[found[i]];
            const struct grid_cell *cell = &g->cells[layer->cells[found[i]]];
            struct place pl = grid_place_of_cell(g, layer->cells[found[i]], now);
            struct mvt_tag tags[] = {text_tag("code", cell->code),
                                     text_tag("name", cell->name),
                                     text_tag("layer", cell->layer),
                                     {.key = "on_duty", .type = MVT_BOOL, .u.b = !pl.unbound}};
            if (shape != NULL) TRY(mvt_polygon(t->mvt, (uint64_t)cell->id, shape, tags, 4, err));
        }
    }
    return ERR_OK;
}

/* Open cases in the box, urgent and newest first, as far as the tile can hold them. */
static enum err_code cases_query(struct tile_call *t, bool is_public, struct db *db,
                                 struct cursor **out, struct err *err) {
    struct call *c = t->call;
    const struct engine *e = c->app->engine;
    struct sql s;
    TRY(sql_begin(&s, c->a, err));
    sql_add(&s, "SELECT ");
    case_select(e, &s, "c.");
    sql_add(&s, " FROM ");
    sql_table(&s, &e->case_type->table);
    sql_add(&s, " c WHERE c.ledger = 1 AND c.closed_at IS NULL AND ");
    if (is_public) {
        sql_add(&s, "c.private = 0");
    } else {
        rights_case_where(c->who, &e->case_type->table, "c.", &s);
        sql_add(&s, " AND ");
        rights_tasks_where(&e->case_type->table, "c.", false, &s);
    }
    double box[4] = {t->box[0], t->box[1], t->box[2], t->box[3]};
    if (is_public) view_widen_box(box);
    sql_add(&s, " AND c.lon >= ");
    sql_value(&s, cell_real(box[0]));
    sql_add(&s, " AND c.lon <= ");
    sql_value(&s, cell_real(box[2]));
    sql_add(&s, " AND c.lat >= ");
    sql_value(&s, cell_real(box[1]));
    sql_add(&s, " AND c.lat <= ");
    sql_value(&s, cell_real(box[3]));
    sql_add(&s, " ORDER BY c.urgent DESC, c.id DESC LIMIT ");
    sql_value(&s, cell_int(MAX_CASES));
    return sql_query(&s, db, out, err);
}

static enum err_code case_feature(struct tile_call *t, const struct case_row *r, bool is_public,
                                  struct err *err) {
    const struct engine *e = t->call->app->engine;
    double lon = case_real(e, r, CASE_lon), lat = case_real(e, r, CASE_lat);
    if (isnan(lon) || isnan(lat)) return ERR_OK;
    if (is_public) {
        view_round_place(pack_class(e->packs, case_text(e, r, CASE_class)), &lon, &lat);
        if (!view_in_box(t->box, lon, lat)) return ERR_OK;
    }
    const char *light = view_light(case_light(e, r, clock_now_us(&t->call->app->clock)));
    struct mvt_tag tags[] = {
        text_tag("code", case_text(e, r, CASE_code)),
        text_tag("class", case_text(e, r, CASE_class)),
        text_tag("state", case_text(e, r, CASE_state)),
        text_tag("light", light == NULL || is_public ? "" : light),
        {.key = "urgent", .type = MVT_BOOL, .u.b = case_int(e, r, CASE_urgent) != 0}};
    /* A stranger's tile carries no row number, which would tell the order of private cases. */
    return mvt_point(t->mvt, is_public ? 0 : (uint64_t)r->id, lon, lat, tags, 5, err);
}

static enum err_code cases_layer(struct tile_call *t, bool is_public, struct err *err) {
    struct call *c = t->call;
    TRY(mvt_layer(t->mvt, "cases", err));
    struct reader *rd = NULL;
    TRY(ledger_read_begin(c->app->ledger, &rd, err));
    struct cursor *cur = NULL;
    struct case_row *row = ARENA_NEW(c->a, struct case_row, 1);
    enum err_code rc = row == NULL ? err_fail(err, ERR_NOMEM, "tile")
                                   : cases_query(t, is_public, reader_db(rd), &cur, err);
    for (bool has = rc == ERR_OK; rc == ERR_OK && has;) {
        rc = cursor_next(cur, &has, err);
        if (rc != ERR_OK || !has) break;
        struct arena *scratch = arena_new(1 << 20);
        if (scratch == NULL)
            rc = err_fail(err, ERR_NOMEM, "tile");
        else {
            case_row_read(c->app->engine, cur, 0, scratch, row);
            rc = case_feature(t, row, is_public, err);
        }
        arena_free(scratch);
    }
    cursor_close(cur);
    ledger_read_end(rd);
    return rc;
}

enum err_code tile_get(struct call *c, struct err *err) {
    struct tile_call t;
    TRY(begin(c, &t, err));
    enum err_code rc = ERR_OK;
    if (strcmp(c->param[0], "cells") == 0) {
        const struct grid *g = grid_ref(c->app->grid);
        rc = areas_layer(&t, g, err);
        if (rc == ERR_OK) rc = cells_layer(&t, g, err);
        grid_unref(g);
        c->reply.cache = "public, max-age=300";
    } else if (strcmp(c->param[0], "cases") == 0) {
        if (c->who->anonymous) return err_fail(err, ERR_UNAUTHORIZED, "please sign in");
        if (!principal_may(c->who, PERM_CASE_READ))
            return err_fail(err, ERR_FORBIDDEN, "your role does not read cases");
        rc = cases_layer(&t, false, err);
    } else if (strcmp(c->param[0], "public-cases") == 0) {
        rc = cases_layer(&t, true, err);
    } else {
        return err_fail(err, ERR_NOT_FOUND, "layers: cells, cases, public-cases");
    }
    TRY(rc);
    c->reply.content_type = "application/vnd.mapbox-vector-tile";
    TRY(mvt_finish(t.mvt, &c->reply.body, err));
    if (c->reply.body.n == 0) c->reply.status = 204;
    return ERR_OK;
}
