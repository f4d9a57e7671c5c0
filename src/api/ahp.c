/* Pairwise comparison: weights from judgements, and which of them contradict the others most. */
#include <math.h>
#include <stdlib.h>

#include "api/app.h"
#include "api/handlers.h"
#include "num/composite/weigh.h"

enum { MAX_COMPARED = 15, MOST_TOLD = 3 };

struct odd {
    size_t row, col;
    double given, fitting, factor;
};

static enum err_code read_row(const struct val *row, size_t n, double *out, struct err *err) {
    for (size_t j = 0; row->type == VAL_LIST && row->n == n && j < n; j++) {
        const struct val *x = &row->u.list[j];
        out[j] = x->type == VAL_INT ? (double)x->u.i : x->type == VAL_DOUBLE ? x->u.d : NAN;
        if (!(out[j] > 0) || out[j] > 1e6) break;
        if (j + 1 == n) return ERR_OK;
    }
    (void)err_fail(err, ERR_INVALID, "expected a square matrix of numbers above 0");
    return err_field(err, ERR_INVALID, "/pairwise");
}

static int by_factor(const void *a, const void *b) {
    const struct odd *x = a, *y = b;
    if (x->factor != y->factor) return x->factor < y->factor ? 1 : -1;
    return x->row != y->row ? (x->row < y->row ? -1 : 1) : (x->col > y->col) - (x->col < y->col);
}

/* A judgement fits when it is the quotient of the two weights. */
static size_t find_odd(const double *matrix, const double *weight, size_t n, struct odd *out) {
    size_t k = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++) {
            double given = matrix[i * n + j], fitting = weight[i] / weight[j];
            double factor = given > fitting ? given / fitting : fitting / given;
            if (factor > 1 + 1e-9) out[k++] = (struct odd){i, j, given, fitting, factor};
        }
    qsort(out, k, sizeof *out, by_factor);
    return k < MOST_TOLD ? k : MOST_TOLD;
}

static void put_odd(struct jw *w, const struct odd *odd, size_t n) {
    jw_key(w, "most_inconsistent");
    jw_arr(w);
    for (size_t i = 0; i < n; i++) {
        jw_obj(w);
        jw_kint(w, "row", (int64_t)odd[i].row);
        jw_kint(w, "col", (int64_t)odd[i].col);
        jw_kdouble(w, "given", odd[i].given);
        jw_kdouble(w, "fitting", odd[i].fitting);
        jw_kdouble(w, "factor", odd[i].factor);
        jw_end(w, '}');
    }
    jw_end(w, ']');
}

enum err_code index_ahp(struct call *c, struct err *err) {
    const struct val *body = NULL;
    double matrix[MAX_COMPARED * MAX_COMPARED] = {0}, weight[MAX_COMPARED] = {0};
    struct odd odd[MAX_COMPARED * MAX_COMPARED];
    struct composite_ahp_told told = {0};
    TRY(call_body(c, &body, err));
    const struct val *m = val_get(body, "pairwise");
    size_t n = m != NULL && m->type == VAL_LIST ? m->n : 0;
    if (n < 1 || n > MAX_COMPARED) {
        (void)err_fail(err, ERR_INVALID, "expected 1 to %d rows", MAX_COMPARED);
        return err_field(err, ERR_INVALID, "/pairwise");
    }
    for (size_t i = 0; i < n; i++) TRY(read_row(&m->u.list[i], n, matrix + i * n, err));
    enum err_code rc = composite_weigh_ahp(matrix, n, false, weight, &told, err);
    if (rc != ERR_OK) return err_field(err, rc, "/pairwise");
    struct jw w = call_json(c);
    jw_obj(&w);
    jw_key(&w, "weights");
    jw_arr(&w);
    for (size_t i = 0; i < n; i++) jw_double(&w, weight[i]);
    jw_end(&w, ']');
    jw_kdouble(&w, "lambda_max", told.lambda_max);
    jw_kdouble(&w, "consistency_index", told.ci);
    jw_kdouble(&w, "consistency_ratio", told.cr);
    jw_kbool(&w, "inconsistent", told.inconsistent);
    put_odd(&w, odd, find_odd(matrix, weight, n, odd));
    jw_end(&w, '}');
    return buf_check(&c->reply.body, err);
}
