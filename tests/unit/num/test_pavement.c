/* Pavement condition index: the procedure by hand-worked sections, and planted curves come back. */
#include "digits.h"

#include "base/rng.h"
#include "num/model/pavement.h"

static void curves(void **state) {
    (void)state;
    struct model_curve c = {3, {1, 10, 100}, {5, 20, 50}};
    check_digits("curve", model_curve_at(&c, sqrt(10), false), 12.5, 1e-14, 0);
    check_digits("curve low", model_curve_at(&c, 0.1, false), 5, 0, 0);
    check_digits("curve high", model_curve_at(&c, 1000, false), 50, 0, 0);
    check_digits("curve linear", model_curve_at(&c, 55, true), 35, 1e-14, 0);
}

/* Two kinds; deducts 40 and 30 at these densities. */
static void procedure(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct model_curve deduct[2] = {{1, {1}, {40}}, {2, {1, 100}, {0, 60}}};
    struct model_distress found[] = {{1, 0, 3}, {1, 1, 4}, {1, 1, 6}, {2, 0, 9}};
    struct model_pci_config c = {.rule = MODEL_PCI_PRODUCT, .n_kinds = 2, .deduct = deduct};
    double pci[3];
    assert_int_equal(model_pci(a, &c, found, 4, pci, 3, NULL), ERR_OK);
    check_digits("product none", pci[0], 100, 0, 0);
    check_digits("product two", pci[1], 100 * 0.6 * 0.7, 1e-14, 0);
    check_digits("product one", pci[2], 60, 1e-14, 0);
    /* q = 2: total 70 -> 52; then 30 becomes 2, q = 1: total 42. The larger is 52. */
    c.rule = MODEL_PCI_CORRECTED;
    c.n_corrected = 2;
    c.corrected[0] = (struct model_curve){2, {0, 200}, {0, 200}};
    c.corrected[1] = (struct model_curve){3, {0, 70, 200}, {0, 52, 100}};
    assert_int_equal(model_pci(a, &c, found, 4, pci, 3, NULL), ERR_OK);
    check_digits("corrected two", pci[1], 48, 1e-13, 0);
    check_digits("corrected one", pci[2], 60, 1e-13, 0);
    const double weight[] = {0.8, 1};
    c = (struct model_pci_config){
        .rule = MODEL_PCI_RATIO, .n_kinds = 2, .weight = weight, .a0 = 15, .a1 = 0.412};
    assert_int_equal(model_pci(a, &c, found, 4, pci, 3, NULL), ERR_OK);
    check_digits("ratio", pci[1], 100 - 15 * pow(0.8 * 3 + 10, 0.412), 1e-13, 0);
    struct err err = {0};
    found[2].density = 0;
    assert_int_equal(model_pci(a, &c, found, 4, pci, 3, &err), ERR_INVALID);
    assert_non_null(strstr(err.detail, "distress 3"));
    c.weight = NULL;
    assert_int_equal(model_pci(a, &c, found, 4, pci, 3, &err), ERR_INVALID);
    arena_free(a);
}

static void planted_curves_come_back(void **state) {
    (void)state;
    struct arena *a = test_arena();
    enum { SECTIONS = 800, KINDS = 4 };
    static const double knots[] = {0.1, 1, 10, 100};
    struct model_curve truth[KINDS] = {{4, {0.1, 1, 10, 100}, {2, 8, 25, 60}},
                                       {4, {0.1, 1, 10, 100}, {0, 3, 10, 20}},
                                       {4, {0.1, 1, 10, 100}, {5, 20, 40, 70}},
                                       {4, {0.1, 1, 10, 100}, {0, 0, 5, 30}}};
    struct model_distress *found = ARENA_NEW(a, struct model_distress, (size_t)SECTIONS * KINDS);
    double *pci = ARENA_NEW(a, double, SECTIONS), *fit = ARENA_NEW(a, double, SECTIONS);
    bool *use = ARENA_NEW(a, bool, SECTIONS);
    struct rng r = rng_new(9, 0);
    size_t n = 0;
    for (size_t s = 0; s < SECTIONS; s++)
        for (size_t k = 0; k < KINDS; k++)
            if (rng_unit(&r) < 0.5)
                found[n++] = (struct model_distress){s, k, pow(10, 3 * rng_unit(&r) - 1)};
    struct model_pci_config c = {.rule = MODEL_PCI_PRODUCT, .n_kinds = KINDS, .deduct = truth};
    assert_int_equal(model_pci(a, &c, found, n, pci, SECTIONS, NULL), ERR_OK);
    for (size_t s = 0; s < SECTIONS; s++) use[s] = s % 4 != 0;
    struct model_pci_fitted f;
    struct err err = {0};
    if (model_pci_fit(a, found, n, KINDS, pci, use, SECTIONS, knots, 4, 1e-3, &f, &err) != ERR_OK)
        fail_msg("%s", err.detail);
    assert_true(f.converged);
    assert_int_equal(f.n_used, SECTIONS * 3 / 4);
    c.deduct = f.deduct;
    assert_int_equal(model_pci(a, &c, found, n, fit, SECTIONS, NULL), ERR_OK);
    double worst = 0;
    for (size_t s = 0; s < SECTIONS; s += 4) worst = fmax(worst, fabs(fit[s] - pci[s]));
    printf("planted curves: rmse %.3f, worst held-out section %.2f points\n", f.rmse, worst);
    assert_true(f.rmse < 1.5 && worst < 6);
    for (size_t k = 0; k < KINDS; k++)
        for (size_t j = 1; j < f.deduct[k].n_knots; j++)
            assert_true(f.deduct[k].value[j] >= f.deduct[k].value[j - 1]);
    assert_int_equal(model_pci_fit(a, found, n, KINDS, pci, use, SECTIONS, knots, 4, 0, &f, &err),
                     ERR_INVALID);
    arena_free(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(curves), cmocka_unit_test(procedure),
                                       cmocka_unit_test(planted_curves_come_back)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
