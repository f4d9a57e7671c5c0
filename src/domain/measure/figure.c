#include "domain/measure/figure.h"

#include <math.h>
#include <string.h>

#include "store/sql.h"
#include "store/statements.h"

/* The figure that holds for an area in the period. */
struct standing {
    int32_t from; /* of its period; INT32_MIN: none */
    double value, denominator;
};

static bool takes(const struct value_query *q, const struct indicator_def *d,
                  const struct period *p) {
    if (d->stock) return p->from < q->period.to;
    return p->kind == q->period.kind && p->from == q->period.from;
}

/* Newest figure a grid area, by index in the grid's array. */
static enum err_code read_standing(const struct value_query *q, const struct indicator_def *d,
                                   const struct grid *g, struct standing *by_area,
                                   struct err *err) {
    struct cell p[2] = {cell_int(q->ledger), cell_text(d->name)};
    struct cursor *c = NULL;
    TRY(db_query(q->db, stmt_sql(STMT_FIGURES_OF), p, 2, &c, err));
    enum err_code rc = ERR_OK;
    for (bool has = true; rc == ERR_OK && has;) {
        rc = cursor_next(c, &has, err);
        if (rc != ERR_OK || !has) break;
        struct period period;
        int area = grid_area_index(g, cursor_text(c, 0));
        if (area == GRID_NONE || period_parse(cursor_text(c, 1), &period, NULL) != ERR_OK ||
            !takes(q, d, &period) || period.from < by_area[area].from)
            continue;
        by_area[area] = (struct standing){period.from, cursor_real(c, 2),
                                          cursor_is_null(c, 3) ? NAN : cursor_real(c, 3)};
    }
    cursor_close(c);
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
    for (size_t i = 0; i < g->n_areas; i++) by_area[i] = (struct standing){INT32_MIN, NAN, NAN};
    TRY(read_standing(q, d, g, by_area, err));
    for (size_t i = 0; i < q->areas->n; i++)
        set_value(d, g, by_area, (int)(q->areas->area[i] - g->areas), &out[i]);
    return ERR_OK;
}
