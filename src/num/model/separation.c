#include <math.h>
#include <string.h>

#include "num/core/optim.h"
#include "num/model/glm_core.h"

/* A direction b in which the likelihood rises for ever: x_i b >= 0 where the outcome is at its top,
 * <= 0 where it is 0, = 0 elsewhere, and not all 0. Found as the largest sum of |x_i b| with every
 * |b_j| <= 1 (Konis 2007, section 4.2): all columns that can be infinite are not 0 in it but for
 * ties. It is given to the simplex as its dual, whose rows are the few columns; the prices are b +
 * 1. */
struct direction {
    size_t p, n_var;
    double *a, *c, *b;
    enum num_relation *relation;
};

/* +1, -1: the side the row may move to; 0: it may not move. */
static int side_of(const struct glm_core *c, size_t i) {
    double y = c->data->y[i];
    if (y == 0) return -1;
    return c->family == MODEL_LOGISTIC && y == 1 ? 1 : 0;
}

/* Primal in g = b + 1 >= 0: maximise s'g, s = sum of sided rows; -side_i x_i g <= -side_i x_i 1;
 * +-x_i g <= +-x_i 1 where it may not move; g_j <= 2. Its dual: minimise the right sides times w
 * with A'w >= s. */
static void put(struct direction *d, size_t var, const double *row, double sign) {
    double sum = 0;
    for (size_t j = 0; j < d->p; j++) {
        d->a[j * d->n_var + var] = sign * row[j];
        sum += sign * row[j];
    }
    d->c[var] = -sum; /* maximise minus what is to be minimised */
}

static void build(const struct glm_core *c, struct direction *d) {
    size_t var = 0;
    for (size_t i = 0; i < c->n; i++) {
        const double *row = c->x + i * c->p;
        if (glm_weight(c->data, i) == 0) continue;
        int side = side_of(c, i);
        if (side == 0) {
            put(d, var++, row, 1);
            put(d, var++, row, -1);
            continue;
        }
        put(d, var++, row, -side);
        for (size_t j = 0; j < c->p; j++) d->b[j] += side * row[j];
    }
    for (size_t j = 0; j < c->p; j++) {
        d->a[j * d->n_var + var] = 1;
        d->c[var++] = -2;
        d->relation[j] = NUM_AT_LEAST;
    }
}

static void read_direction(const struct glm_core *c, const double *price, bool *infinite,
                           bool *any) {
    double moved = 0;
    for (size_t i = 0; i < c->n; i++) {
        if (glm_weight(c->data, i) == 0) continue;
        double sum = 0;
        for (size_t j = 0; j < c->p; j++) sum += c->x[i * c->p + j] * (price[j] - 1);
        if (side_of(c, i) != 0) moved = fmax(moved, side_of(c, i) * sum);
    }
    *any = moved > 1e-6;
    /* In the columns of the data the intercept also carries what the centres took. */
    double shift = 0;
    for (size_t j = 0; j < c->p; j++) {
        infinite[j] = *any && fabs(price[j] - 1) > 1e-6;
        if (j != c->constant) shift += (price[j] - 1) * c->center[j] / c->scale[j];
    }
    if (c->constant != SIZE_MAX)
        infinite[c->constant] = *any && fabs(price[c->constant] - 1 - shift) > 1e-6;
}

/* One column at a time, for tables too large for the programme: all rows above its least value (or
 * below its largest) are at one end of the outcomes; the intercept takes up the shift. */
static bool column_separates(const struct glm_core *c, size_t j) {
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < c->n; i++) {
        if (glm_weight(c->data, i) == 0) continue;
        low = fmin(low, c->x[i * c->p + j]);
        high = fmax(high, c->x[i * c->p + j]);
    }
    bool all[4] = {true, true, true, true}; /* above low: all -1, all 1; below high: the same */
    for (size_t i = 0; i < c->n; i++) {
        double x = c->x[i * c->p + j];
        int side = side_of(c, i);
        if (glm_weight(c->data, i) == 0) continue;
        for (int s = 0; s < 2; s++) {
            bool other = side != 2 * s - 1;
            if (x > low && other) all[s] = false;
            if (x < high && other) all[2 + s] = false;
        }
    }
    return all[0] || all[1] || all[2] || all[3];
}

static void columns_alone(const struct glm_core *c, bool *infinite, bool *any) {
    for (size_t j = 0; c->constant != SIZE_MAX && j < c->p; j++) {
        if (j == c->constant) continue;
        infinite[j] = column_separates(c, j);
        *any = *any || infinite[j];
    }
}

enum err_code glm_separation(const struct glm_core *c, bool *infinite, bool *any, bool *checked,
                             struct err *err) {
    *any = false;
    *checked = false;
    memset(infinite, 0, c->p * sizeof *infinite);
    size_t n_var = c->p;
    for (size_t i = 0; i < c->n; i++)
        if (glm_weight(c->data, i) > 0) n_var += side_of(c, i) == 0 ? 2 : 1;
    if ((c->p + 1) * (n_var + 2 * c->p + 1) > (size_t)1 << 22) {
        columns_alone(c, infinite, any);
        return ERR_OK;
    }
    struct direction d = {.p = c->p, .n_var = n_var};
    d.a = ARENA_NEW(c->a, double, c->p *n_var);
    d.c = ARENA_NEW(c->a, double, n_var);
    d.b = ARENA_NEW(c->a, double, c->p);
    d.relation = ARENA_NEW(c->a, enum num_relation, c->p);
    double *w = ARENA_NEW(c->a, double, n_var), *price = ARENA_NEW(c->a, double, c->p);
    if (d.a == NULL || d.c == NULL || d.b == NULL || d.relation == NULL || w == NULL ||
        price == NULL)
        return err_fail(err, ERR_NOMEM, "test of separation");
    build(c, &d);
    struct num_linear lp = {c->p, n_var, d.a, d.b, d.relation, d.c};
    struct num_linear_found found;
    struct err ignored;
    enum err_code rc = num_linear_solve(&lp, w, price, &found, &ignored);
    if (rc == ERR_NUMERIC || rc == ERR_LIMIT || (rc == ERR_OK && found.end != NUM_OPTIMAL))
        return ERR_OK;
    if (rc != ERR_OK) return err_fail(err, rc, "test of separation");
    *checked = true;
    /* Prices of "at least" rows of a maximum are negative. */
    for (size_t j = 0; j < c->p; j++) price[j] = -price[j];
    read_direction(c, price, infinite, any);
    return ERR_OK;
}
