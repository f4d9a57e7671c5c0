/* The generated pipes of the reference (known logistic truth), split as they say. */
#ifndef TEST_NUM_PIPES_H
#define TEST_NUM_PIPES_H
#include "model_frame.h"

struct pipes {
    struct frame train, test;
    const double *length; /* of the test rows */
};

/* The columns of the reference's logit: logs of diameter and length, dummies of the material. */
static inline struct pipes pipes_load(struct arena *a) {
    const struct table *t = shared_table(a, SHARED("reference/failure/pipes_linear.csv"));
    const double *is_test = shared_column(a, t, "is_test"), *y = shared_column(a, t, "failed"),
                 *age = shared_column(a, t, "age"), *dia = shared_column(a, t, "diameter_mm"),
                 *len = shared_column(a, t, "length_m"), *soil = shared_column(a, t, "soil_class"),
                 *prior = shared_column(a, t, "prior_breaks"),
                 *pressure = shared_column(a, t, "pressure"),
                 *ci = level_of(a, t, "material", "CI"), *pvc = level_of(a, t, "material", "PVC"),
                 *ac = level_of(a, t, "material", "AC");
    static const char *const name[] = {
        "const",        "age",      "log(dia/150)", "log(len/100)", "soil_class",
        "prior_breaks", "pressure", "CI",           "PVC",          "AC"};
    struct pipes p = {frame_new(a, t->n_row), frame_new(a, t->n_row), NULL};
    double *length = ARENA_NEW(a, double, t->n_row);
    assert_non_null(length);
    for (size_t j = 0; j < 10; j++) p.train.name[j] = p.test.name[j] = name[j];
    p.train.p = p.test.p = 10;
    p.train.n = p.test.n = 0;
    for (size_t i = 0; i < t->n_row; i++) {
        struct frame *f = is_test[i] != 0 ? &p.test : &p.train;
        const double row[10] = {1,       age[i],   log(dia[i] / 150), log(len[i] / 100),
                                soil[i], prior[i], pressure[i],       ci[i],
                                pvc[i],  ac[i]};
        memcpy(f->x + f->n * 16, row, sizeof row);
        if (f == &p.test) length[f->n] = len[i];
        f->y[f->n++] = y[i];
    }
    p.length = length;
    return p;
}
#endif
