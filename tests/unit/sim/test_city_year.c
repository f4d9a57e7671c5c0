/* The year of the invented city: it is deterministic, its cases hold together, and what was planted
 * is there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/civil.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "sim/city_year.h"

static const int64_t MINUTE_US = 60000000, HOUR_US = 3600000000, DAY_US = 86400000000;
enum { OFFSET_S = 28800 };
/* 2026-06-01T00:00:00+08:00 */
static int64_t until_us(void) { return (civil_days(2026, 6, 1) * 86400 - OFFSET_S) * 1000000; }

struct fix {
    struct arena *a;
    const struct city_plan *p;
    const struct city_year *y;
    struct year_params params;
};

static struct fix make(uint64_t seed, size_t n_cell, size_t n_case, int64_t until) {
    struct fix f = {.a = arena_new((size_t)512 << 20)};
    struct err err = {0};
    assert_non_null(f.a);
    f.params = (struct year_params){
        .seed = seed, .until_us = until, .utc_offset_s = OFFSET_S, .n_case = n_case};
    f.params.cls = year_class_default(&f.params.n_cls);
    if (city_plan_build(f.a, seed, n_cell, &f.p, &err) != ERR_OK ||
        city_year_new(f.a, f.p, &f.params, &f.y, &err) != ERR_OK)
        fail_msg("%s", err.detail);
    return f;
}

static struct fix big;
static struct year_case *all; /* every case of `big` */

static int set_up(void **state) {
    (void)state;
    int64_t start = clock_mono_us();
    big = make(1, 5000, 100000, until_us());
    all = calloc(100000, sizeof *all);
    if (!all) return -1;
    int64_t drawn = clock_mono_us();
    for (size_t i = 0; i < 100000; i++) city_year_case(big.y, i, &all[i]);
    print_message("plan and seeds %lld ms, 100000 cases %lld ms\n",
                  (long long)(drawn - start) / 1000, (long long)(clock_mono_us() - drawn) / 1000);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    free(all);
    arena_free(big.a);
    return 0;
}

static void check_steps(const struct year_case *c) {
    int64_t at = c->open_us;
    uint32_t handler = CITY_NONE, unit = CITY_NONE;
    for (size_t k = 0; k < c->n_step; k++) {
        const struct year_step *s = &c->step[k];
        assert_true(s->at_us >= at && s->at_us < big.params.until_us);
        at = s->at_us;
        if (s->post != CITY_NONE) assert_true(s->post < big.p->n_post);
        if (s->move == YEAR_DISPATCH) {
            assert_true(s->unit < big.p->n_unit);
            unit = s->unit;
        }
        if (s->move == YEAR_SETTLE) assert_int_equal(s->post, big.p->cell[c->cell].worker);
        if (s->move == YEAR_HANDLE) assert_int_equal(s->post, big.p->unit[unit].post);
        if (s->move == YEAR_CONFIRM || s->move == YEAR_DENY) {
            assert_int_equal(c->step[k - 1].move, YEAR_ORDER_CONFIRM);
            assert_int_equal(s->post, big.p->cell[c->cell].worker);
            assert_true(c->channel == YEAR_BY_RESIDENT || c->channel == YEAR_BY_HOTLINE);
        }
        if (s->move == YEAR_HANDLE || s->move == YEAR_SETTLE) handler = s->post;
        if (s->move == YEAR_VERIFY || s->move == YEAR_REWORK)
            assert_true(handler != CITY_NONE && handler != s->post);
        if (s->move == YEAR_RATE) assert_in_range(s->score, 1, 5);
        if (s->move == YEAR_RATE || s->move == YEAR_REOPEN) assert_int_equal(s->post, CITY_NONE);
    }
}

static void cases_hold_together(void **state) {
    (void)state;
    int64_t at = big.params.until_us - 365 * DAY_US;
    for (size_t i = 0; i < 100000; i++) {
        const struct year_case *c = &all[i];
        assert_int_equal(c->number, i);
        assert_true(c->open_us >= at && c->open_us < big.params.until_us);
        at = c->open_us;
        assert_true(city_plan_holds(big.p, c->cell, c->at));
        assert_int_equal(c->has_place, !c->is_private);
        assert_true(strlen(c->text) > 9 && strlen(c->text) < 300);
        if (c->channel == YEAR_BY_PATROL) {
            assert_int_equal(c->reporter, big.p->cell[c->cell].worker);
            assert_true(c->reporter != CITY_NONE);
        }
        if (*c->contact) assert_int_equal(strncmp(c->contact, "100", 3), 0);
        check_steps(c);
    }
}

static double share(size_t n, size_t of) { return (double)n / (double)of; }

static void weekdays_seasons_and_hours(void **state) {
    (void)state;
    size_t week[7] = {0}, channel[YEAR_N_CHANNEL] = {0}, night = 0, ice = 0, ice_winter = 0;
    for (size_t i = 0; i < 100000; i++) {
        int64_t local = all[i].open_us + OFFSET_S * (int64_t)1000000, day = local / DAY_US;
        int y, m, d;
        civil_from_days(day, &y, &m, &d);
        week[civil_weekday(day)]++;
        channel[all[i].channel]++;
        night += local % DAY_US < 6 * HOUR_US;
        if (strcmp(big.params.cls[all[i].cls].id, "event-0407") == 0) {
            ice++;
            ice_winter += m == 12 || m <= 2;
        }
    }
    print_message("Mon..Sun %zu %zu %zu %zu %zu %zu %zu; resident %zu hotline %zu patrol %zu "
                  "department %zu; before six %zu; ice %zu, in winter %zu\n",
                  week[0], week[1], week[2], week[3], week[4], week[5], week[6], channel[0],
                  channel[1], channel[2], channel[3], night, ice, ice_winter);
    assert_true(week[0] > week[1] && week[1] > week[5] && week[5] > week[6]);
    assert_in_range(week[0], 15500, 17800);
    assert_in_range(week[6], 9800, 11800);
    for (int i = 0; i < YEAR_N_CHANNEL; i++) assert_true(channel[i] > 2000);
    assert_true(share(night, 100000) < 0.08);
    assert_true(ice > 300 && share(ice_winter, ice) > 0.9);
}

static size_t count(unsigned bit) {
    size_t n = 0;
    for (size_t i = 0; i < 100000; i++) n += (all[i].planted & bit) != 0;
    return n;
}

static void waves_are_there(void **state) {
    (void)state;
    assert_int_equal(count(YEAR_IS_FESTIVAL), 800);
    assert_int_equal(count(YEAR_IS_FLOOD), 2000);
    assert_int_equal(count(YEAR_IS_CLUSTER_A), 60);
    assert_int_equal(count(YEAR_IS_CLUSTER_B), 45);
    int64_t lo[2] = {INT64_MAX, INT64_MAX}, hi[2] = {0, 0};
    for (size_t i = 0; i < 100000; i++) {
        const struct year_case *c = &all[i];
        int k = c->planted & YEAR_IS_FESTIVAL ? 0 : c->planted & YEAR_IS_FLOOD ? 1 : -1;
        if (k < 0) continue;
        if (c->open_us < lo[k]) lo[k] = c->open_us;
        if (c->open_us > hi[k]) hi[k] = c->open_us;
        if (k == 1) assert_true(big.p->cell[c->cell].river_m < 1500);
    }
    assert_true(hi[0] - lo[0] < 2 * DAY_US && hi[0] - lo[0] > DAY_US);
    assert_true(hi[1] - lo[1] < 7 * DAY_US && hi[1] - lo[1] > 6 * DAY_US);
    /* The festival starts on a Saturday, the flood on 8 July. */
    int64_t day = (lo[0] + OFFSET_S * (int64_t)1000000) / DAY_US;
    assert_int_equal(civil_weekday(day), 5);
    int y, m, d;
    civil_from_days((lo[1] + OFFSET_S * (int64_t)1000000) / DAY_US, &y, &m, &d);
    assert_int_equal(y * 10000 + m * 100 + d, 20250708);
}

static void clusters_are_dense(void **state) {
    (void)state;
    for (unsigned bit = YEAR_IS_CLUSTER_A; bit <= YEAR_IS_CLUSTER_B; bit *= 2) {
        struct shape_point mid = {0, 0};
        int64_t lo = INT64_MAX, hi = 0, lon = 0, lat = 0, n = 0;
        uint32_t cls = CITY_NONE;
        for (size_t i = 0; i < 100000; i++) {
            const struct year_case *c = &all[i];
            if (!(c->planted & bit)) continue;
            lo = c->open_us < lo ? c->open_us : lo;
            hi = c->open_us > hi ? c->open_us : hi;
            lon += c->at.lon_e7;
            lat += c->at.lat_e7;
            n++;
            assert_true(cls == CITY_NONE || cls == c->cls);
            cls = c->cls;
        }
        mid = (struct shape_point){(int32_t)(lon / n), (int32_t)(lat / n)};
        size_t inside = 0;
        for (size_t i = 0; i < 100000; i++) {
            const struct year_case *c = &all[i];
            bool there = c->cls == cls && c->open_us >= lo && c->open_us <= hi &&
                         city_dist_m(c->at, mid) < 2500;
            inside += there;
            if (c->planted & bit) assert_true(city_dist_m(c->at, mid) < 2500);
        }
        print_message("cluster of %s: %zu of that class in %.1f days, %zu planted\n",
                      big.params.cls[cls].id, inside, (double)(hi - lo) / (double)DAY_US,
                      (size_t)n);
        assert_true(hi - lo <= 14 * DAY_US);
        assert_true((size_t)n * 2 > inside);
    }
    /* The second one is still going on at the end. */
    for (size_t i = 99999;; i--)
        if (all[i].planted & YEAR_IS_CLUSTER_B) {
            assert_true(big.params.until_us - all[i].open_us < 3 * DAY_US);
            break;
        }
}

static void duplicates_are_near(void **state) {
    (void)state;
    size_t n = 0;
    for (size_t i = 0; i < 100000; i++) {
        const struct year_case *c = &all[i];
        if (c->duplicate_of == CITY_NONE) continue;
        const struct year_case *o = &all[c->duplicate_of];
        n++;
        assert_true(c->duplicate_of < i);
        assert_int_equal(o->duplicate_of, CITY_NONE);
        assert_int_equal(c->cls, o->cls);
        assert_int_equal(c->cell, o->cell);
        assert_true(city_dist_m(c->at, o->at) < 30);
        assert_true(c->open_us - o->open_us < DAY_US);
    }
    assert_int_equal(n, 1500);
    assert_int_equal(count(YEAR_IS_DUPLICATE), n);
}

static int64_t took(const struct year_case *c, enum year_move from, enum year_move to) {
    int64_t at = -1;
    for (size_t k = 0; k < c->n_step; k++) {
        if (c->step[k].move == from && at < 0) at = c->step[k].at_us;
        if (c->step[k].move == to && at >= 0) return c->step[k].at_us - at;
    }
    return -1;
}

static void lazy_and_gaming_units(void **state) {
    (void)state;
    double lazy_h = 0, other_h = 0;
    size_t lazy = 0, other = 0, gamed = 0, old_photo = 0;
    for (size_t i = 0; i < 100000; i++) {
        const struct year_case *c = &all[i];
        int64_t us = took(c, YEAR_DISPATCH, YEAR_HANDLE);
        if (c->planted & YEAR_IS_GAMED) {
            gamed++;
            int64_t close = took(c, YEAR_FILE, YEAR_CLOSE);
            if (close >= 0) assert_true(close < 12 * MINUTE_US);
            for (size_t k = 0; k < c->n_step; k++) old_photo += c->step[k].photo >= 0x70000000;
        } else if (us >= 0 && big.params.cls[c->cls].unit == CITY_UNIT_WORKS) {
            double h = (double)us / (double)HOUR_US;
            if (c->planted & YEAR_IS_LAZY) {
                lazy++;
                lazy_h += h;
            } else {
                other++;
                other_h += h;
            }
        }
    }
    print_message("lazy %zu cases, mean %.0f h; works elsewhere %zu, %.0f h; gamed %zu\n", lazy,
                  lazy_h / (double)lazy, other, other_h / (double)other, gamed);
    assert_true(lazy > 500 && lazy_h / (double)lazy > 3 * other_h / (double)other);
    assert_true(gamed > 100 && old_photo >= gamed);
}

static void each_stage_has_open_cases(void **state) {
    (void)state;
    size_t by_last[YEAR_N_MOVE] = {0}, fresh = 0, closed = 0, disputes = 0;
    for (size_t i = 0; i < 100000; i++) {
        const struct year_case *c = &all[i];
        disputes += c->is_private;
        if (c->n_step == 0)
            fresh++;
        else
            by_last[c->step[c->n_step - 1].move]++;
        for (size_t k = 0; k < c->n_step; k++) closed += c->step[k].move == YEAR_CLOSE;
    }
    for (int m = 0; m < YEAR_N_MOVE; m++)
        print_message("%s %zu  ", year_move_name((enum year_move)m), by_last[m]);
    print_message("fresh %zu, closings %zu, disputes %zu\n", fresh, closed, disputes);
    static const enum year_move must[] = {
        YEAR_ACCEPT, YEAR_FILE,   YEAR_DISPATCH, YEAR_RETURN, YEAR_HANDLE, YEAR_VERIFY,
        YEAR_REWORK, YEAR_SETTLE, YEAR_REFUSE,   YEAR_TRIAGE, YEAR_AGREE,  YEAR_ORDER_CONFIRM};
    for (size_t i = 0; i < sizeof must / sizeof must[0]; i++) assert_true(by_last[must[i]] > 0);
    assert_true(fresh > 10 && closed > 85000 && disputes > 500);
}

/* Some answered late, some not at all, some not so; what was planted in waves keeps its way. */
static void confirmations_are_of_every_kind(void **state) {
    (void)state;
    size_t orders = 0, yes = 0, no = 0, back = 0, late = 0, refused = 0;
    for (size_t i = 0; i < 100000; i++) {
        const struct year_case *c = &all[i];
        for (size_t k = 0; k < c->n_step; k++) {
            enum year_move move = c->step[k].move;
            if (move == YEAR_ORDER_CONFIRM) {
                orders++;
                assert_true((c->planted & ~(unsigned)(YEAR_IS_OPEN_NOW | YEAR_IS_LAZY)) == 0);
                assert_int_equal(
                    c->step[k - 1].move == YEAR_ACCEPT || c->step[k - 1].move == YEAR_ESCALATE, 1);
                int64_t us = took(c, YEAR_ORDER_CONFIRM, YEAR_CONFIRM);
                late += us > DAY_US;
            }
            yes += move == YEAR_CONFIRM;
            no += move == YEAR_DENY;
            back += move == YEAR_TAKE_BACK;
            refused += move == YEAR_REFUSE && k > 0 && c->step[k - 1].move == YEAR_DENY;
        }
    }
    print_message("confirmations: %zu ordered, %zu so, %zu not so, %zu taken back, %zu late\n",
                  orders, yes, no, back, late);
    assert_in_range(orders, 2500, 7000);
    assert_true(yes > 4 * no && no > 200 && back > 50 && late > 100 && refused + 5 > no);
}

static void same_seed_same_year(void **state) {
    (void)state;
    struct fix f = make(4, 300, 2000, until_us()), g = make(4, 300, 2000, until_us());
    struct fix h = make(5, 300, 2000, until_us());
    struct buf x, y, z;
    buf_init(&x, 1 << 20);
    buf_init(&y, 1 << 20);
    buf_init(&z, 1 << 20);
    city_year_write_planted(f.y, NULL, NULL, &x);
    city_year_write_planted(g.y, NULL, NULL, &y);
    city_year_write_planted(h.y, NULL, NULL, &z);
    assert_string_equal(buf_text(&x), buf_text(&y));
    assert_string_not_equal(buf_text(&x), buf_text(&z));
    /* In any order and twice: a case does not depend on what was asked before. */
    for (size_t i = 2000; i-- > 0;) {
        struct year_case a, b;
        memset(&a, 0, sizeof a);
        memset(&b, 0xff, sizeof b);
        city_year_case(f.y, i, &a);
        city_year_case(g.y, 1999 - i, &b);
        city_year_case(g.y, i, &b);
        assert_int_equal(a.open_us, b.open_us);
        assert_int_equal(a.at.lon_e7, b.at.lon_e7);
        assert_string_equal(a.text, b.text);
        assert_string_equal(a.contact, b.contact);
        assert_int_equal(a.n_step, b.n_step);
        for (size_t k = 0; k < a.n_step; k++) {
            assert_int_equal(a.step[k].at_us, b.step[k].at_us);
            assert_int_equal(a.step[k].move, b.step[k].move);
            assert_int_equal(a.step[k].post, b.step[k].post);
            assert_int_equal(a.step[k].photo, b.step[k].photo);
        }
    }
    buf_deinit(&x);
    buf_deinit(&y);
    buf_deinit(&z);
    arena_free(f.a);
    arena_free(g.a);
    arena_free(h.a);
}

static const char *code_of(void *arg, uint32_t number) {
    static char code[32];
    (void)arg;
    (void)snprintf(code, sizeof code, "990101-250708-%05u", number);
    return code;
}

static void planted_json_reads_back(void **state) {
    (void)state;
    struct buf b;
    buf_init(&b, 4 << 20);
    city_year_write_planted(big.y, code_of, NULL, &b);
    struct err err = {0};
    const struct val *v = NULL;
    struct arena *a = arena_new(64 << 20);
    assert_int_equal(buf_check(&b, &err), ERR_OK);
    if (json_parse(a, b.p, b.n, &v, &err) != ERR_OK) fail_msg("%s", err.detail);
    static const struct {
        const char *kind;
        int64_t lo, hi;
    } want[] = {{"festival", 800, 800},
                {"flood", 2000, 2000},
                {"cluster", 60, 60},
                {"cluster", 45, 45},
                {"lazy_department", 500, 100000},
                {"gaming_team", 100, 100000},
                {"duplicates", 1500, 1500},
                {"open_now", 300, 300}};
    const struct val *list = val_get(v, "planted");
    assert_int_equal(list->n, 8);
    for (size_t i = 0; i < 8; i++) {
        const struct val *x = &list->u.list[i];
        assert_string_equal(val_get(x, "kind")->u.s, want[i].kind);
        assert_in_range(val_get(x, "count")->u.i, want[i].lo, want[i].hi);
        assert_int_equal(val_get(x, "cases")->n, val_get(x, "count")->u.i);
    }
    assert_int_equal(strncmp(val_get(&list->u.list[0], "cases")->u.list[0].u.s, "990101-", 7), 0);
    arena_free(a);
    buf_deinit(&b);
}

static void any_date_and_size(void **state) {
    (void)state;
    for (int month = 1; month <= 12; month++) {
        int64_t until = (civil_days(2026, month, 3 + month) * 86400 - 5000) * 1000000;
        struct fix f = make((uint64_t)month, 60, 100 + 37 * (size_t)month, until);
        struct year_case c;
        for (size_t i = 0; i < city_year_count(f.y); i++) {
            city_year_case(f.y, i, &c);
            assert_true(c.open_us >= until - 365 * DAY_US && c.open_us < until);
        }
        arena_free(f.a);
    }
}

static void wrong_wishes_are_refused(void **state) {
    (void)state;
    struct year_params p = big.params;
    const struct city_year *y;
    struct err err = {0};
    long live = mem_live();
    struct arena *a = arena_new(1 << 20);
    p.n_case = 99;
    assert_int_equal(city_year_new(a, big.p, &p, &y, &err), ERR_INVALID);
    p = big.params;
    p.n_cls = 0;
    assert_int_equal(city_year_new(a, big.p, &p, &y, &err), ERR_INVALID);
    struct year_class bad = big.params.cls[0];
    bad.weight = 0;
    p.cls = &bad;
    p.n_cls = 1;
    assert_int_equal(city_year_new(a, big.p, &p, &y, &err), ERR_INVALID);
    assert_non_null(strstr(err.detail, "event-0102"));
    p = big.params;
    assert_int_equal(city_year_new(a, big.p, &p, &y, &err), ERR_NOMEM);
    arena_free(a);
    assert_int_equal(mem_live(), live);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cases_hold_together),
        cmocka_unit_test(weekdays_seasons_and_hours),
        cmocka_unit_test(waves_are_there),
        cmocka_unit_test(clusters_are_dense),
        cmocka_unit_test(duplicates_are_near),
        cmocka_unit_test(lazy_and_gaming_units),
        cmocka_unit_test(each_stage_has_open_cases),
        cmocka_unit_test(confirmations_are_of_every_kind),
        cmocka_unit_test(same_seed_same_year),
        cmocka_unit_test(planted_json_reads_back),
        cmocka_unit_test(any_date_and_size),
        cmocka_unit_test(wrong_wishes_are_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
