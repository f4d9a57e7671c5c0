#include "domain/measure/figure.h"

#include <math.h>
#include <string.h>

#include "base/json.h"
#include "domain/measure/as_of.h"
#include "store/statements.h"
#include "store/tables.h"

enum { IMAGE_ARENA = 1 << 20, MAX_CODE = 200 };

/* The figure that holds for an area in the period. */
struct standing {
    int32_t from; /* of its period; INT32_MIN: none */
    int kind;     /* of two that begin on one day the one of the shorter period holds */
    double value, denominator;
};

static bool takes(const struct value_query *q, const struct indicator_def *d,
                  const struct period *p) {
    if (d->stock) return p->from < q->period.to;
    return p->kind == q->period.kind && p->from == q->period.from;
}

struct reading {
    const struct value_query *q;
    const struct indicator_def *d;
    const struct grid *grid;
    struct standing *by_area; /* by index in the grid's array */
};

/* The newest figure that the query takes stands. */
static void take(const struct reading *r, const char *area_code, const char *period_text,
                 double value, double denominator) {
    struct period period;
    int area = grid_area_index(r->grid, area_code);
    if (area == GRID_NONE || period_parse(period_text, &period, NULL) != ERR_OK ||
        !takes(r->q, r->d, &period))
        return;
    const struct standing *s = &r->by_area[area];
    if (period.from < s->from || (period.from == s->from && (int)period.kind > s->kind)) return;
    r->by_area[area] = (struct standing){period.from, (int)period.kind, value, denominator};
}

static enum err_code read_now(const struct reading *r, struct err *err) {
    struct cell p[2] = {cell_int(r->q->ledger), cell_text(r->d->name)};
    struct cursor *c = NULL;
    TRY(db_query(r->q->db, stmt_sql(STMT_FIGURES_OF), p, 2, &c, err));
    enum err_code rc = ERR_OK;
    for (bool has = true; rc == ERR_OK && has;) {
        rc = cursor_next(c, &has, err);
        if (rc == ERR_OK && has)
            take(r, cursor_text(c, 0), cursor_text(c, 1), cursor_real(c, 2),
                 cursor_is_null(c, 3) ? NAN : cursor_real(c, 3));
    }
    cursor_close(c);
    return rc;
}

static enum err_code take_image(void *ctx, const char *image, size_t n, struct err *err) {
    const struct reading *r = ctx;
    const char *indicator = "", *area = "", *period = "";
    double value = NAN, denominator = NAN;
    const struct val *v = NULL;
    struct arena *a = arena_new(IMAGE_ARENA);
    if (a == NULL) return err_fail(err, ERR_NOMEM, "figures");
    enum err_code rc = json_parse(a, image, n, &v, err);
    if (rc == ERR_OK) rc = val_str(v, "indicator", true, MAX_CODE, &indicator, err);
    if (rc == ERR_OK) rc = val_str(v, "area", true, MAX_CODE, &area, err);
    if (rc == ERR_OK) rc = val_str(v, "period", true, MAX_CODE, &period, err);
    if (rc == ERR_OK) rc = val_double(v, "value", true, -1e300, 1e300, &value, err);
    if (rc == ERR_OK) rc = val_double(v, "denominator", false, -1e300, 1e300, &denominator, err);
    if (rc == ERR_OK && strcmp(indicator, r->d->name) == 0)
        take(r, area, period, value, denominator);
    arena_free(a);
    return rc;
}

struct gathered {
    double value, denominator, weighted;
    size_t n;
};

/* What an area without a figure of its own has from the areas below; each of them once, the highest
 * that has one. */
static void gather(const struct grid *g, const struct standing *by_area, int area,
                   struct gathered *out, int depth) {
    for (size_t i = 0; i < g->n_areas && depth < GRID_LEVELS; i++) {
        if (g->areas[i].parent != area) continue;
        const struct standing *s = &by_area[i];
        if (s->from == INT32_MIN) {
            gather(g, by_area, (int)i, out, depth + 1);
            continue;
        }
        out->n++;
        out->value += s->value;
        out->denominator += isnan(s->denominator) ? 0 : s->denominator;
        out->weighted += isnan(s->denominator) ? 0 : s->value * s->denominator;
    }
}

static void set_value(const struct indicator_def *d, const struct grid *g,
                      const struct standing *by_area, int area, struct indicator_value *out) {
    const struct standing *s = &by_area[area];
    struct gathered below = {0};
    *out = (struct indicator_value){VALUE_OK, s->value, s->value, s->denominator};
    if (s->from != INT32_MIN) return;
    gather(g, by_area, area, &below, 0);
    bool weighted = !d->sum_up && below.denominator > 0;
    double value = weighted ? below.weighted / below.denominator : below.value;
    if (below.n > 0 && (d->sum_up || weighted))
        *out = (struct indicator_value){VALUE_OK, value, value,
                                        below.denominator > 0 ? below.denominator : NAN};
    else
        *out = (struct indicator_value){VALUE_NO_DATA, NAN, NAN, NAN};
}

enum err_code figure_values(const struct value_query *q, const struct indicator_def *d,
                            struct arena *a, struct indicator_value *out, struct err *err) {
    const struct grid *g = q->areas->grid;
    struct standing *by_area = ARENA_NEW(a, struct standing, g->n_areas + 1);
    if (by_area == NULL) return err_fail(err, ERR_NOMEM, "figures");
    for (size_t i = 0; i < g->n_areas; i++)
        by_area[i] = (struct standing){INT32_MIN, PERIOD_YEAR, NAN, NAN};
    struct reading r = {q, d, g, by_area};
    if (q->as_of_seq > 0)
        TRY(images_as_of(q->db, q->ledger, table_figure.name, q->as_of_seq, take_image, &r, err));
    else
        TRY(read_now(&r, err));
    for (size_t i = 0; i < q->areas->n; i++)
        set_value(d, g, by_area, (int)(q->areas->area[i] - g->areas), &out[i]);
    return ERR_OK;
}
