#include <math.h>
#include <string.h>

#include "base/civil.h"
#include "base/mem.h"
#include "sim/year_inside.h"

enum { BY_PEOPLE, BY_SHOPS, BY_GREEN, BY_RIVER, N_WAY };
static const double PI = 3.14159265358979323846;

/* Running sums of the cells' weights, one row a way to choose. */
struct draw {
    struct city_year *y;
    struct rng rng;
    double *sum[N_WAY];
    double *class_sum;
    size_t at; /* next stream */
};

int64_t year_local(const struct city_year *y, int64_t utc_us) {
    return utc_us + y->params.utc_offset_s * YEAR_SECOND_US;
}

uint32_t year_unit_of(const struct city_year *y, uint32_t cell, enum city_unit_kind kind) {
    const struct city_plan *p = y->plan;
    uint32_t county = city_plan_ancestor(p, p->cell[cell].community, CITY_LEVEL_COUNTY);
    return (county - p->level_first[CITY_LEVEL_COUNTY]) * CITY_N_UNIT_KIND + (uint32_t)kind;
}

/* ---- where ---- */

static double cell_weight(const struct city_plan *p, const struct city_cell *c, int way,
                          double luck) {
    double w = (60 + c->residents) * (p->area[c->community].is_urban ? 1.25 : 0.6) * luck;
    switch (way) {
    case BY_SHOPS:
        return w * (c->kind == CITY_CELL_SHOPS ? 5 : c->kind == CITY_CELL_MARKET ? 25 : 0.6);
    case BY_GREEN:
        return w * (c->kind == CITY_CELL_PARK ? 20 : c->kind == CITY_CELL_FARM ? 1.5 : 1);
    case BY_RIVER:
        return c->river_m < 1500 ? exp(-c->river_m / 500) : 0;
    default:
        return w;
    }
}

static enum err_code load_weights(struct draw *d, struct err *err) {
    const struct city_plan *p = d->y->plan;
    struct rng r = rng_new(d->y->params.seed, 50);
    for (int way = 0; way < N_WAY; way++) {
        d->sum[way] = mem_new(p->n_cell, sizeof(double));
        if (!d->sum[way]) return err_fail(err, ERR_NOMEM, "no memory for the year");
    }
    double total[N_WAY] = {0};
    for (size_t i = 0; i < p->n_cell; i++) {
        double luck = exp(0.5 * rng_normal(&r));
        for (int way = 0; way < N_WAY; way++)
            d->sum[way][i] = total[way] += cell_weight(p, &p->cell[i], way, luck);
    }
    d->class_sum = mem_new(d->y->params.n_cls, sizeof(double));
    if (!d->class_sum) return err_fail(err, ERR_NOMEM, "no memory for the year");
    double sum = 0;
    for (size_t i = 0; i < d->y->params.n_cls; i++)
        d->class_sum[i] = sum += d->y->params.cls[i].weight;
    return ERR_OK;
}

static uint32_t pick(struct rng *r, const double *sum, size_t n) {
    double want = rng_unit(r) * sum[n - 1];
    size_t lo = 0, hi = n - 1;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (sum[mid] > want)
            hi = mid;
        else
            lo = mid + 1;
    }
    return (uint32_t)lo;
}

/* A cell whose inside lies in the circle, the nearer the likelier; the middle one when luck fails.
 */
static uint32_t pick_near(struct draw *d, const struct year_where *w) {
    const struct city_plan *p = d->y->plan;
    struct shape_point mid = p->cell[w->cell].inside;
    for (int tries = 0; tries < 400; tries++) {
        uint32_t c = rng_below(&d->rng, (uint32_t)p->n_cell);
        /* Cells of a community and its neighbours stand near each other in the table. */
        if (tries % 2)
            c = (w->cell + (uint32_t)p->n_cell + rng_below(&d->rng, 40) - 20) % (uint32_t)p->n_cell;
        double m = city_dist_m(p->cell[c].inside, mid);
        if (m < w->radius_m && rng_unit(&d->rng) < 1 - 0.6 * m / w->radius_m) return c;
    }
    return w->cell;
}

/* ---- when ---- */

static double weekday_factor(int64_t day, enum year_channel c) {
    static const double all[7] = {1.14, 1.08, 1.04, 1.02, 1.06, 0.86, 0.80};
    static const double staff[7] = {1.18, 1.12, 1.10, 1.08, 1.08, 0.80, 0.64};
    int w = civil_weekday(day);
    return c == YEAR_BY_PATROL || c == YEAR_BY_DEPARTMENT ? staff[w] : all[w];
}

/* Day of the year that a season peaks at, and how strongly; northern summer. */
static double season_factor(int64_t day, unsigned traits) {
    int year, month, mday;
    civil_from_days(day, &year, &month, &mday);
    double turn = 2 * PI * (double)(day - civil_days(year, 1, 1)) / 365;
    double f = 1 + 0.08 * cos(turn - 2 * PI * 200 / 365);
    if (traits & YEAR_SUMMER) f *= 1 + 0.75 * cos(turn - 2 * PI * 205 / 365);
    if (traits & YEAR_RAIN) f *= 1 + 0.8 * cos(turn - 2 * PI * 190 / 365);
    if (traits & YEAR_AUTUMN) f *= 1 + 0.6 * cos(turn - 2 * PI * 310 / 365);
    if (traits & YEAR_WINTER) f *= month == 12 || month <= 2 ? 3 : 0.02;
    return f;
}

static int64_t pick_minute(struct rng *r, unsigned traits, enum year_channel c) {
    static const uint8_t day[24] = {1, 1, 1,  1,  1,  2, 5, 9, 13, 14, 13, 9,
                                    6, 8, 11, 11, 10, 9, 8, 8, 7,  5,  3,  2};
    static const uint8_t night[24] = {10, 8, 5, 3, 2, 2, 3, 3,  3,  3,  3,  3,
                                      3,  3, 3, 3, 4, 6, 9, 12, 14, 15, 14, 12};
    static const uint8_t duty[24] = {0, 0, 0,  0,  0,  0, 1, 5, 14, 17, 16, 9,
                                     3, 8, 14, 14, 11, 6, 2, 1, 1,  0,  0,  0};
    const uint8_t *w = c == YEAR_BY_PATROL || c == YEAR_BY_DEPARTMENT ? duty
                       : traits & YEAR_NIGHT                          ? night
                                                                      : day;
    uint32_t total = 0;
    for (int h = 0; h < 24; h++) total += w[h];
    uint32_t k = rng_below(r, total);
    int h = 0;
    while (k >= w[h]) k -= w[h++];
    return (int64_t)h * 60 + rng_below(r, 60);
}

static enum year_channel pick_channel(struct draw *d, const struct year_class *cls, uint32_t cell) {
    uint32_t k = rng_below(&d->rng, 100);
    if (cls->traits & YEAR_PRIVATE) return k < 45 ? YEAR_BY_RESIDENT : YEAR_BY_HOTLINE;
    if (cls->traits & YEAR_NIGHT) return k < 55 ? YEAR_BY_RESIDENT : YEAR_BY_HOTLINE;
    if (k < 44)
        return d->y->plan->cell[cell].worker == CITY_NONE ? YEAR_BY_HOTLINE : YEAR_BY_PATROL;
    return k < 75 ? YEAR_BY_RESIDENT : k < 95 ? YEAR_BY_HOTLINE : YEAR_BY_DEPARTMENT;
}

/* A moment in from..to by weekday, season and hour. */
static int64_t pick_moment(struct draw *d, int64_t from_us, int64_t to_us, unsigned traits,
                           enum year_channel c) {
    const struct city_year *y = d->y;
    int64_t offset = y->params.utc_offset_s * YEAR_SECOND_US;
    int64_t first = (from_us + offset) / YEAR_DAY_US, last = (to_us + offset - 1) / YEAR_DAY_US;
    for (int tries = 0; tries < 2000; tries++) {
        int64_t day = first + rng_below(&d->rng, (uint32_t)(last - first + 1));
        double f = weekday_factor(day, c) * season_factor(day, traits);
        if (rng_unit(&d->rng) * 4.2 > f) continue;
        int64_t at = day * YEAR_DAY_US + pick_minute(&d->rng, traits, c) * YEAR_MINUTE_US +
                     rng_below(&d->rng, 60) * YEAR_SECOND_US - offset;
        if (at >= from_us && at < to_us) return at;
    }
    return from_us + (to_us - from_us) / 2;
}

/* ---- one case ---- */

static struct year_seed *next(struct draw *d) {
    struct year_seed *s = &d->y->seed[d->at];
    s->stream = (uint32_t)d->at++;
    s->original = CITY_NONE;
    return s;
}

static void draw_plain(struct draw *d) {
    struct city_year *y = d->y;
    struct year_seed *s = next(d);
    s->cls = (uint16_t)pick(&d->rng, d->class_sum, y->params.n_cls);
    const struct year_class *cls = &y->params.cls[s->cls];
    int way = cls->traits & YEAR_SHOPS ? BY_SHOPS : cls->traits & YEAR_GREEN ? BY_GREEN : BY_PEOPLE;
    s->cell = pick(&d->rng, d->sum[way], y->plan->n_cell);
    enum year_channel c = pick_channel(d, cls, s->cell);
    s->channel = (uint8_t)c;
    s->open_us = pick_moment(d, y->from_us, y->params.until_us, cls->traits, c);
}

/* Any class with the trait, by weight. */
static uint16_t pick_class_with(struct draw *d, unsigned trait) {
    for (int tries = 0; tries < 2000; tries++) {
        uint32_t k = pick(&d->rng, d->class_sum, d->y->params.n_cls);
        if (d->y->params.cls[k].traits & trait) return (uint16_t)k;
    }
    return (uint16_t)pick(&d->rng, d->class_sum, d->y->params.n_cls);
}

static void draw_wave(struct draw *d, const struct year_where *w, unsigned trait,
                      enum year_planted_bit bit) {
    struct year_seed *s = next(d);
    s->cls = w->cls == CITY_NONE ? pick_class_with(d, trait) : (uint16_t)w->cls;
    const struct year_class *cls = &d->y->params.cls[s->cls];
    s->cell = bit == YEAR_IS_FLOOD ? pick(&d->rng, d->sum[BY_RIVER], d->y->plan->n_cell)
                                   : pick_near(d, w);
    s->channel = (uint8_t)pick_channel(d, cls, s->cell);
    /* The wave has its own time: the season of the class must not thin it out. */
    s->open_us = pick_moment(d, w->from_us, w->to_us, cls->traits & YEAR_NIGHT,
                             (enum year_channel)s->channel);
    s->planted = (uint8_t)bit;
}

static void draw_duplicate(struct draw *d, size_t n_before) {
    struct city_year *y = d->y;
    struct year_seed *s = next(d);
    for (int tries = 0; tries < 4000; tries++) {
        const struct year_seed *o = &y->seed[rng_below(&d->rng, (uint32_t)n_before)];
        int64_t at = o->open_us + 10 * YEAR_MINUTE_US +
                     (int64_t)(rng_unit(&d->rng) * 20 * (double)YEAR_HOUR_US);
        if (o->original != CITY_NONE || at >= y->params.until_us) continue;
        if (y->params.cls[o->cls].traits & YEAR_PRIVATE) continue;
        s->original = o->stream;
        s->cls = o->cls;
        s->cell = o->cell;
        s->open_us = at;
        s->channel = rng_below(&d->rng, 3) ? YEAR_BY_RESIDENT : YEAR_BY_HOTLINE;
        s->planted = YEAR_IS_DUPLICATE;
        return;
    }
    d->at--;
    draw_plain(d);
}

/* Reported in the last days; year_route stops the i-th of them after i steps. */
static void draw_open_now(struct draw *d, bool is_dispute) {
    struct city_year *y = d->y;
    draw_plain(d);
    struct year_seed *s = &y->seed[d->at - 1];
    for (size_t i = 0; is_dispute && i < y->params.n_cls; i++)
        if (y->params.cls[i].traits & YEAR_PRIVATE) {
            s->cls = (uint16_t)i;
            s->channel = YEAR_BY_RESIDENT;
        }
    int64_t from = y->params.until_us - 9 * YEAR_DAY_US;
    s->open_us = pick_moment(d, from, y->params.until_us - 4 * YEAR_DAY_US, 0,
                             (enum year_channel)s->channel);
    s->planted = YEAR_IS_OPEN_NOW;
}

/* ---- what is planted ---- */

static uint32_t class_with(const struct city_year *y, unsigned trait) {
    for (uint32_t i = 0; i < y->params.n_cls; i++)
        if (y->params.cls[i].traits & trait) return i;
    return 0;
}

/* Local midnight of the day that is `days` before the end. */
static int64_t days_before(const struct city_year *y, int64_t days) {
    int64_t offset = y->params.utc_offset_s * YEAR_SECOND_US;
    return ((y->params.until_us + offset) / YEAR_DAY_US - days) * YEAR_DAY_US - offset;
}

/* Somewhere in town, where cells are small: a circle of some hundred metres then holds several. */
static uint32_t pick_town_cell(struct draw *d, uint32_t away_from) {
    const struct city_plan *p = d->y->plan;
    uint32_t c = 0;
    for (int tries = 0; tries < 400; tries++) {
        c = pick(&d->rng, d->sum[BY_PEOPLE], p->n_cell);
        if (p->cell[c].centre_m > 9000) continue;
        if (away_from == CITY_NONE ||
            city_dist_m(p->cell[c].inside, p->cell[away_from].inside) > 6000)
            return c;
    }
    return c;
}

static void plan_waves(struct draw *d) {
    struct city_year *y = d->y;
    const struct city_plan *p = y->plan;
    int64_t day = (days_before(y, 190) + y->params.utc_offset_s * YEAR_SECOND_US) / YEAR_DAY_US;
    int64_t saturday = 190 - (5 - civil_weekday(day) + 7) % 7;
    y->festival = (struct year_where){p->place[0].cell, 1500, days_before(y, saturday),
                                      days_before(y, saturday - 2), CITY_NONE};
    for (size_t i = 0; i < p->n_place; i++)
        if (p->place[i].kind == CITY_PLACE_SQUARE) {
            y->festival.cell = p->place[i].cell;
            break;
        }
    /* The rain of early July, the last one that is over. */
    int year, month, mday;
    int64_t end_day = year_local(y, y->params.until_us) / YEAR_DAY_US;
    civil_from_days(end_day, &year, &month, &mday);
    int64_t july = civil_days(year, 7, 8);
    if (july + 9 > end_day) july = civil_days(year - 1, 7, 8);
    if (end_day - july > YEAR_DAYS - 1) july = end_day - YEAR_DAYS + 1;
    y->flood = (struct year_where){CITY_NONE, 1500, days_before(y, end_day - july),
                                   days_before(y, end_day - july - 7), CITY_NONE};
    y->flood.cell = pick(&d->rng, d->sum[BY_RIVER], p->n_cell);
    for (int k = 0; k < 2; k++) {
        int64_t from = k ? 14 : 150, len = k ? 14 : 10;
        y->cluster[k] = (struct year_where){
            pick_town_cell(d, k ? y->cluster[0].cell : CITY_NONE), k ? 700 : 900,
            days_before(y, from), from == len ? y->params.until_us : days_before(y, from - len),
            class_with(y, k ? YEAR_CLUSTER_B : YEAR_CLUSTER_A)};
    }
}

static void plan_units(struct draw *d) {
    struct city_year *y = d->y;
    uint32_t n = y->plan->level_n[CITY_LEVEL_COUNTY];
    uint32_t lazy = rng_below(&d->rng, n), gaming = n > 1 ? (lazy + 1) % n : lazy;
    y->lazy_unit = lazy * CITY_N_UNIT_KIND + CITY_UNIT_WORKS;
    y->gaming_unit = gaming * CITY_N_UNIT_KIND + CITY_UNIT_SANITATION;
    y->gaming_from_us = days_before(y, 120);
}

static size_t between(size_t lo, double x, size_t hi) {
    size_t n = (size_t)lround(x);
    return n < lo ? lo : n > hi ? hi : n;
}

static void draw_all(struct draw *d) {
    struct city_year *y = d->y;
    double n = (double)y->params.n_case;
    plan_waves(d);
    plan_units(d);
    size_t festival = between(6, n * 0.008, 20000), flood = between(8, n * 0.02, 50000);
    size_t cluster[2] = {between(10, n * 0.0006, 60), between(8, n * 0.00045, 45)};
    size_t duplicate = between(4, n * 0.015, 50000), open = between(16, n * 0.003, 400);
    size_t planted = festival + flood + cluster[0] + cluster[1] + duplicate + open;
    while (d->at < y->params.n_case - planted) draw_plain(d);
    for (size_t i = 0; i < festival; i++)
        draw_wave(d, &y->festival, YEAR_FESTIVAL, YEAR_IS_FESTIVAL);
    for (size_t i = 0; i < flood; i++) draw_wave(d, &y->flood, YEAR_FLOOD, YEAR_IS_FLOOD);
    for (int k = 0; k < 2; k++)
        for (size_t i = 0; i < cluster[k]; i++)
            draw_wave(d, &y->cluster[k], 0, k ? YEAR_IS_CLUSTER_B : YEAR_IS_CLUSTER_A);
    size_t n_before = d->at;
    for (size_t i = 0; i < duplicate; i++) draw_duplicate(d, n_before);
    for (size_t i = 0; i < open; i++) draw_open_now(d, i % 5 == 4);
}

enum err_code year_draw_seeds(struct city_year *y, struct err *err) {
    struct draw d = {.y = y, .rng = rng_new(y->params.seed, 51)};
    enum err_code rc = load_weights(&d, err);
    if (rc == ERR_OK) draw_all(&d);
    for (int way = 0; way < N_WAY; way++) mem_free(d.sum[way]);
    mem_free(d.class_sum);
    return rc;
}
