/* Rows at risk from assets and events, worked by hand. */
#include "digits.h"

#include "base/civil.h"
#include "num/model/exposure.h"

static int32_t day(int y, int m, int d) { return (int32_t)civil_days(y, m, d); }

static void by_year(void **state) {
    (void)state;
    struct arena *a = test_arena();
    const struct model_asset assets[] = {{day(2000, 1, 1), MODEL_EVER},
                                         {day(2011, 7, 1), day(2012, 4, 1)},
                                         {day(2020, 1, 1), MODEL_EVER}};
    const struct model_asset_event events[] = {
        {0, day(2011, 3, 1)}, {0, day(2010, 5, 1)}, {0, day(2011, 9, 1)}, {0, day(1999, 1, 1)},
        {0, day(2009, 6, 1)}, {1, day(2012, 6, 1)}, {1, day(2012, 1, 1)}};
    struct model_exposure_spec s = {2010, 2012, MODEL_EVER, false, 5};
    struct model_exposure e;
    assert_int_equal(model_exposure_make(a, assets, 3, events, 7, &s, &e, NULL), ERR_OK);
    assert_int_equal(e.n_rows, 5);
    static const uint32_t count[] = {1, 2, 0, 0, 1}, earlier[] = {0, 1, 3, 0, 0},
                          last[] = {1, 1, 2, 0, 0}, recent[] = {1, 2, 4, 0, 0};
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(e.row[i].count, count[i]);
        assert_int_equal(e.row[i].earlier, earlier[i]);
        assert_int_equal(e.row[i].recent, recent[i]);
        assert_int_equal(e.row[i].last_year, last[i]);
        assert_int_equal(e.row[i].year, i < 3 ? 2010 + (int)i : 2008 + (int)i);
    }
    check_digits("exposure", e.row[4].exposure, 91 / 365.25, 1e-12, 0);
    check_digits("age", e.row[0].age_start, 3653 / 365.25, 1e-12, 0);
    assert_true(e.row[0].since_last == -1 && e.row[2].since_last > 0.3);
    assert_int_equal(e.n_counted, 4);
    assert_int_equal(e.n_before_laid, 1);
    assert_int_equal(e.n_after_removed, 1);
    assert_int_equal(e.n_outside, 1);
    assert_int_equal(e.n_never, 1);
    arena_free(a);
}

static void cut_at_events(void **state) {
    (void)state;
    struct arena *a = test_arena();
    const struct model_asset assets[] = {{day(2010, 1, 1), MODEL_EVER}};
    const struct model_asset_event events[] = {
        {0, day(2010, 1, 10)}, {0, day(2010, 1, 10)}, {0, day(2010, 3, 1)}, {0, day(2010, 12, 31)}};
    struct model_exposure_spec s = {2010, 2011, day(2011, 6, 30), true, 5};
    struct model_exposure e;
    assert_int_equal(model_exposure_make(a, assets, 1, events, 4, &s, &e, NULL), ERR_OK);
    /* 10 January (two), 1 March, the rest of the year with 31 December, and half of 2011. */
    assert_int_equal(e.n_rows, 4);
    static const uint32_t count[] = {2, 1, 1, 0}, earlier[] = {0, 2, 3, 4};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(e.row[i].count, count[i]);
        assert_int_equal(e.row[i].earlier, earlier[i]);
        if (i > 0) check_digits("rows join", e.row[i].age_start, e.row[i - 1].age_stop, 1e-14, 0);
    }
    check_digits("last day", e.row[3].age_stop, (365 + 181) / 365.25, 1e-14, 0);
    arena_free(a);
}

/* History never holds the year itself: changing this year's events leaves it alone. */
static void no_look_ahead(void **state) {
    (void)state;
    struct arena *a = test_arena();
    const struct model_asset assets[] = {{day(1990, 1, 1), MODEL_EVER}};
    struct model_asset_event events[] = {
        {0, day(2009, 5, 5)}, {0, day(2010, 5, 5)}, {0, day(2012, 5, 5)}};
    struct model_exposure_spec s = {2008, 2012, MODEL_EVER, false, 3};
    struct model_exposure with, without;
    assert_int_equal(model_exposure_make(a, assets, 1, events, 3, &s, &with, NULL), ERR_OK);
    assert_int_equal(model_exposure_make(a, assets, 1, events, 2, &s, &without, NULL), ERR_OK);
    assert_int_equal(with.n_rows, without.n_rows);
    for (size_t i = 0; i < with.n_rows; i++) {
        assert_int_equal(with.row[i].earlier, without.row[i].earlier);
        assert_int_equal(with.row[i].recent, without.row[i].recent);
        assert_int_equal(with.row[i].last_year, without.row[i].last_year);
    }
    assert_int_equal(with.row[4].count, 1);
    struct err err = {0};
    s.to_year = 2000;
    assert_int_equal(model_exposure_make(a, assets, 1, events, 3, &s, &with, &err), ERR_INVALID);
    s.to_year = 2012;
    events[0].asset = 1;
    assert_int_equal(model_exposure_make(a, assets, 1, events, 3, &s, &with, &err), ERR_INVALID);
    arena_free(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(by_year), cmocka_unit_test(cut_at_events),
                                       cmocka_unit_test(no_look_ahead)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
