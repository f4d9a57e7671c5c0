/* What anybody may know of the city: its name and extent, the classes a report may have, cells and
 * areas by point and code, the public card of a cell. */
#include <math.h>
#include <string.h>

#include "api/case_view.h"
#include "api/handlers.h"

static void bbox(struct jw *w, const char *key, const double box[4]) {
    jw_key(w, key);
    if (isnan(box[0])) {
        jw_null(w);
        return;
    }
    jw_arr(w);
    for (int i = 0; i < 4; i++) jw_double(w, box[i]);
    jw_end(w, ']');
}

enum err_code city_get(struct call *c, struct err *err) {
    const struct app *app = c->app;
    const struct grid *g = grid_ref(app->grid);
    struct jw w = call_json(c);
    jw_obj(&w);
    jw_kstr(&w, "name", app->folder.city.name);
    jw_kbool(&w, "invented", app->folder.city.invented);
    jw_kstr(&w, "timezone", app->folder.city.timezone);
    jw_key(&w, "centre");
    if (isnan(g->bbox[0]))
        jw_null(&w);
    else {
        jw_arr(&w);
        jw_double(&w, (g->bbox[0] + g->bbox[2]) / 2);
        jw_double(&w, (g->bbox[1] + g->bbox[3]) / 2);
        jw_end(&w, ']');
    }
    bbox(&w, "bbox", g->bbox);
    jw_key(&w, "layers");
    jw_arr(&w);
    for (size_t i = 0; i < g->n_layers; i++) jw_str(&w, g->layers[i].name);
    jw_end(&w, ']');
    jw_kstr(&w, "main_layer", g->main_layer);
    jw_kint(&w, "cells", (int64_t)g->n_cells);
    jw_kint(&w, "areas", (int64_t)g->n_areas);
    jw_kbool(&w, "basemap", app->basemap != NULL);
    jw_key(&w, "locales");
    jw_arr(&w);
    jw_str(&w, "zh-CN");
    jw_str(&w, "en");
    jw_end(&w, ']');
    jw_end(&w, '}');
    grid_unref(g);
    return buf_check(&c->reply.body, err);
}

/* Fields of the report form that a city added to the case type. */
static void form_fields(const struct app *app, struct jw *w) {
    static const char *const kinds[] = {"",     "text",  "int", "number", "bool", "time", "date",
                                        "code", "class", "ref", "photos", "json", "shape"};
    const struct type_def *t = app->engine->case_type;
    jw_key(w, "fields");
    jw_arr(w);
    for (size_t i = 0; i < t->n_fields; i++) {
        const struct field_def *f = &t->fields[i];
        if (!f->form || f->engine || case_is_engine_column(app->engine, (int)i)) continue;
        jw_obj(w);
        jw_kstr(w, "name", f->name);
        view_text(w, "title", &f->title);
        view_text(w, "hint", &f->hint);
        jw_kstr(w, "kind", kinds[f->kind]);
        jw_kbool(w, "required", f->required);
        jw_kint(w, "max", f->max);
        const struct code_list *l = f->codes == NULL ? NULL : pack_list(app->packs, f->codes);
        jw_key(w, "options");
        jw_arr(w);
        for (size_t k = 0; l != NULL && k < l->n_rows; k++) {
            jw_obj(w);
            jw_kstr(w, "code", l->rows[k].code);
            view_text(w, "title", &l->rows[k].title);
            jw_end(w, '}');
        }
        jw_end(w, ']');
        jw_end(w, '}');
    }
    jw_end(w, ']');
}

enum err_code class_list(struct call *c, struct err *err) {
    const struct pack_set *p = c->app->packs;
    struct jw w = call_json(c);
    jw_obj(&w);
    jw_key(&w, "items");
    jw_arr(&w);
    for (size_t i = 0; i < p->n_classes; i++) {
        const struct case_class *k = &p->classes[i];
        if (!k->is_open) continue;
        jw_obj(&w);
        jw_kstr(&w, "id", k->id);
        jw_kstr(&w, "kind", k->kind);
        jw_kstr(&w, "code", k->code);
        view_text(&w, "title", &k->title);
        jw_key(&w, "major");
        jw_obj(&w);
        jw_kstr(&w, "code", k->major_code);
        jw_kstr(&w, "en", k->major.en);
        jw_kstr(&w, "zh", k->major.zh);
        jw_end(&w, '}');
        jw_kstr(&w, "process", k->process);
        jw_kbool(&w, "needs_place", k->needs_place);
        jw_kbool(&w, "urgent", k->urgent);
        jw_kbool(&w, "private", k->is_private);
        jw_kbool(&w, "public_asset", k->public_asset);
        jw_end(&w, '}');
    }
    jw_end(&w, ']');
    form_fields(c->app, &w);
    jw_end(&w, '}');
    c->reply.cache = "public, max-age=60";
    return buf_check(&c->reply.body, err);
}

static void area_ref(struct jw *w, const char *key, const struct grid *g, int i) {
    jw_key(w, key);
    if (i == GRID_NONE) {
        jw_null(w);
        return;
    }
    jw_obj(w);
    jw_kstr(w, "code", g->areas[i].code);
    jw_kstr(w, "name", g->areas[i].name);
    jw_kstr(w, "name_en", g->areas[i].name_en);
    jw_end(w, '}');
}

/* The public card: extent, who looks after it, and the work phone. */
static void public_post(struct jw *w, const struct grid *g, const struct place *pl) {
    jw_key(w, "post");
    if (pl->post == GRID_NONE) {
        jw_null(w);
        return;
    }
    const struct grid_post *p = &g->posts[pl->post];
    jw_obj(w);
    jw_kstr(w, "title", p->title);
    jw_kstr(w, "worker", p->display[0] == '\0' ? NULL : p->display);
    jw_kstr(w, "phone", p->phone[0] == '\0' ? NULL : p->phone);
    jw_kstr(w, "hours", p->hours[0] == '\0' ? NULL : p->hours);
    jw_kbool(w, "on_duty", !pl->is_desk);
    jw_kbool(w, "desk", pl->is_desk);
    jw_end(w, '}');
}

static void place_members(struct jw *w, const struct grid *g, const struct place *pl) {
    area_ref(w, "community", g, pl->at[LEVEL_COMMUNITY]);
    area_ref(w, "town", g, pl->at[LEVEL_TOWN]);
    area_ref(w, "county", g, pl->at[LEVEL_COUNTY]);
    public_post(w, g, pl);
}

enum err_code locate_get(struct call *c, struct err *err) {
    double lon = 0, lat = 0;
    bool has_lon = false, has_lat = false;
    TRY(call_query_double(c, "lon", -180, 180, &has_lon, &lon, err));
    TRY(call_query_double(c, "lat", -90, 90, &has_lat, &lat, err));
    if (!has_lon || !has_lat) return err_fail(err, ERR_INVALID, "lon and lat are needed");
    const struct grid *g = grid_ref(c->app->grid);
    const char *layer = call_query(c, "layer");
    struct place pl = grid_place(g, layer == NULL ? g->main_layer : layer, lon, lat,
                                 clock_now_us(&c->app->clock));
    struct jw w = call_json(c);
    jw_obj(&w);
    jw_key(&w, "cell");
    if (pl.cell == GRID_NONE)
        jw_null(&w);
    else {
        jw_obj(&w);
        jw_kstr(&w, "code", g->cells[pl.cell].code);
        jw_kstr(&w, "name", g->cells[pl.cell].name);
        jw_kstr(&w, "layer", g->cells[pl.cell].layer);
        jw_end(&w, '}');
        place_members(&w, g, &pl);
    }
    jw_end(&w, '}');
    grid_unref(g);
    return buf_check(&c->reply.body, err);
}

/* ---- areas ---- */

static void area_object(struct jw *w, const struct grid *g, int i) {
    const struct grid_area *a = &g->areas[i];
    int64_t children = 0;
    for (size_t k = 0; k < g->n_areas; k++) children += g->areas[k].parent == i ? 1 : 0;
    jw_obj(w);
    jw_kstr(w, "code", a->code);
    jw_kstr(w, "name", a->name);
    jw_kstr(w, "name_en", a->name_en);
    jw_kstr(w, "level", area_level_name(a->level));
    jw_kstr(w, "parent", a->parent == GRID_NONE ? NULL : g->areas[a->parent].code);
    jw_kint(w, "children", children);
    bbox(w, "bbox", a->bbox);
    jw_end(w, '}');
}

static bool area_wanted(const struct call *c, const struct grid *g, int i, bool *by_parent) {
    const char *parent = call_query(c, "parent"), *level = call_query(c, "level"),
               *q = call_query(c, "q");
    const struct grid_area *a = &g->areas[i];
    *by_parent = parent != NULL || level != NULL || q != NULL;
    if (parent != NULL) {
        const char *has = a->parent == GRID_NONE ? "" : g->areas[a->parent].code;
        if (strcmp(has, parent) != 0) return false;
    }
    if (level != NULL && strcmp(area_level_name(a->level), level) != 0) return false;
    if (q != NULL && strstr(a->name, q) == NULL && strstr(a->name_en, q) == NULL &&
        strncmp(a->code, q, strlen(q)) != 0) {
        return false;
    }
    return *by_parent || a->parent == GRID_NONE;
}

enum err_code area_list(struct call *c, struct err *err) {
    int64_t limit = 500, n = 0;
    TRY(call_query_int(c, "limit", 1, 500, &limit, err));
    const struct grid *g = grid_ref(c->app->grid);
    struct jw w = call_json(c);
    jw_obj(&w);
    jw_key(&w, "items");
    jw_arr(&w);
    bool filtered = false;
    for (size_t i = 0; i < g->n_areas && n < limit; i++) {
        if (!area_wanted(c, g, (int)i, &filtered)) continue;
        area_object(&w, g, (int)i);
        n++;
    }
    jw_end(&w, ']');
    jw_end(&w, '}');
    grid_unref(g);
    return buf_check(&c->reply.body, err);
}

enum err_code area_get(struct call *c, struct err *err) {
    const struct grid *g = grid_ref(c->app->grid);
    int i = grid_area_index(g, c->param[0]);
    enum err_code rc =
        i == GRID_NONE ? err_fail(err, ERR_NOT_FOUND, "there is no area %s", c->param[0]) : ERR_OK;
    if (rc == ERR_OK) {
        struct jw w = call_json(c);
        area_object(&w, g, i);
    }
    grid_unref(g);
    return rc;
}

/* ---- cells ---- */

static int cell_by_code(const struct call *c, const struct grid *g, const char *code) {
    const char *layer = call_query(c, "layer");
    int i = grid_cell_index(g, layer == NULL ? g->main_layer : layer, code);
    for (size_t k = 0; i == GRID_NONE && layer == NULL && k < g->n_layers; k++) {
        i = grid_cell_index(g, g->layers[k].name, code);
    }
    return i;
}

static void cell_object(struct jw *w, const struct grid *g, int i, int64_t now_us) {
    struct place pl = grid_place_of_cell(g, i, now_us);
    jw_obj(w);
    jw_kstr(w, "code", g->cells[i].code);
    jw_kstr(w, "name", g->cells[i].name);
    jw_kstr(w, "layer", g->cells[i].layer);
    bbox(w, "bbox", g->cells[i].bbox);
    place_members(w, g, &pl);
    jw_kint(w, "post_id", g->cells[i].post == GRID_NONE ? 0 : g->posts[g->cells[i].post].id);
    jw_end(w, '}');
}

enum err_code cell_get(struct call *c, struct err *err) {
    const struct grid *g = grid_ref(c->app->grid);
    int i = cell_by_code(c, g, c->param[0]);
    enum err_code rc =
        i == GRID_NONE ? err_fail(err, ERR_NOT_FOUND, "there is no cell %s", c->param[0]) : ERR_OK;
    if (rc == ERR_OK) {
        struct jw w = call_json(c);
        cell_object(&w, g, i, clock_now_us(&c->app->clock));
    }
    grid_unref(g);
    return rc;
}

/* Within the area of the caller (a worker's cells are few: he sees his community's). */
static bool cell_in_scope(const struct principal *p, const struct grid *g,
                          const struct grid_cell *cell) {
    if (p->area[0] == '\0') return true;
    int area = grid_area_index(g, p->area);
    return area != GRID_NONE && cell->at[g->areas[area].level] == area;
}

enum err_code cell_list(struct call *c, struct err *err) {
    int64_t limit = 100, after = 0, n = 0;
    TRY(call_query_int(c, "limit", 1, 500, &limit, err));
    TRY(call_query_int(c, "after", 0, INT64_MAX, &after, err));
    const char *layer = call_query(c, "layer"), *area_code = call_query(c, "area"),
               *no_post = call_query(c, "no_post");
    const struct grid *g = grid_ref(c->app->grid);
    int area = area_code == NULL ? GRID_NONE : grid_area_index(g, area_code);
    int64_t now = clock_now_us(&c->app->clock), next = 0;
    struct jw w = call_json(c);
    jw_obj(&w);
    jw_key(&w, "items");
    jw_arr(&w);
    for (size_t i = (size_t)after; i < g->n_cells && next == 0; i++) {
        const struct grid_cell *cell = &g->cells[i];
        if (layer != NULL && strcmp(cell->layer, layer) != 0) continue;
        if (area_code != NULL && (area == GRID_NONE || cell->at[g->areas[area].level] != area))
            continue;
        if (!cell_in_scope(c->who, g, cell)) continue;
        struct place pl = grid_place_of_cell(g, (int)i, now);
        if (no_post != NULL && strcmp(no_post, "1") == 0 && !pl.unbound) continue;
        if (n == limit) {
            next = (int64_t)i;
            break;
        }
        cell_object(&w, g, (int)i, now);
        n++;
    }
    jw_end(&w, ']');
    jw_kstr(&w, "next", next == 0 ? NULL : arena_printf(c->a, "%lld", (long long)next));
    jw_end(&w, '}');
    grid_unref(g);
    return buf_check(&c->reply.body, err);
}

enum err_code unit_list(struct call *c, struct err *err) {
    const struct grid *g = grid_ref(c->app->grid);
    struct jw w = call_json(c);
    jw_obj(&w);
    jw_key(&w, "items");
    jw_arr(&w);
    for (size_t i = 0; i < g->n_units; i++) {
        struct text name = {g->units[i].name_en, g->units[i].name};
        jw_obj(&w);
        jw_kstr(&w, "code", g->units[i].code);
        view_text(&w, "name", &name);
        jw_kstr(&w, "area", g->units[i].area == GRID_NONE ? NULL : g->areas[g->units[i].area].code);
        jw_kstr(&w, "duties", g->units[i].duties);
        jw_end(&w, '}');
    }
    jw_end(&w, ']');
    jw_end(&w, '}');
    grid_unref(g);
    return buf_check(&c->reply.body, err);
}
