#include "domain/measure/warn_guard.h"

#include <math.h>
#include <string.h>

#include "base/civil.h"
#include "base/mem.h"
#include "geo/crs.h"

static const int64_t minute_us = 60000000, hour_us = 3600000000, day_us = 86400000000;

const char *warn_held_name(enum warn_held h) {
    static const char *const names[] = {"kept",        "default_point", "batch", "repeat",
                                        "new_channel", "expected",      "joined"};
    return names[h];
}

/* A key of three words; `value` is the guard's own. Linear probing. */
struct key {
    uint64_t a, b, c;
};
struct entry {
    struct key key;
    bool used;
    int64_t n, value;
    uint64_t classes[2]; /* a small sketch of which classes were there */
};
struct keyed {
    struct entry *entry;
    size_t cap, n;
};

static uint64_t mix(uint64_t h) {
    h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9u;
    h = (h ^ (h >> 27)) * 0x94d049bb133111ebu;
    return h ^ (h >> 31);
}

static enum err_code keyed_new(struct keyed *t, size_t n, struct err *err) {
    t->cap = 64;
    t->n = 0;
    while (t->cap < 2 * n + 2) t->cap *= 2;
    t->entry = mem_new(t->cap, sizeof *t->entry);
    return t->entry == NULL ? err_fail(err, ERR_NOMEM, "guards") : ERR_OK;
}

/* The entry of the key, or the free one where it belongs. */
static struct entry *keyed_place(const struct keyed *t, struct key k) {
    size_t i = (size_t)mix(k.a ^ mix(k.b ^ mix(k.c))) & (t->cap - 1);
    while (t->entry[i].used &&
           (t->entry[i].key.a != k.a || t->entry[i].key.b != k.b || t->entry[i].key.c != k.c))
        i = (i + 1) & (t->cap - 1);
    return &t->entry[i];
}

/* The entry of the key, made when it is new. */
static struct entry *keyed_at(struct keyed *t, struct key k) {
    struct entry *e = keyed_place(t, k);
    if (e->used) return e;
    *e = (struct entry){.key = k, .used = true};
    t->n++;
    return e;
}

/* Room for one more: entries whose value is older are let go first, so that the table is as large
 * as what is alive. */
static enum err_code keyed_sweep(struct keyed *t, int64_t oldest, struct err *err) {
    if (2 * (t->n + 1) <= t->cap) return ERR_OK;
    struct keyed next;
    size_t alive = 0;
    for (size_t i = 0; i < t->cap; i++) alive += t->entry[i].used && t->entry[i].value >= oldest;
    TRY(keyed_new(&next, 2 * (alive + 1), err));
    for (size_t i = 0; i < t->cap; i++) {
        const struct entry *e = &t->entry[i];
        if (!e->used || e->value < oldest) continue;
        *keyed_place(&next, e->key) = *e;
        next.n++;
    }
    mem_free(t->entry);
    *t = next;
    return ERR_OK;
}

static uint64_t bits(double x) {
    uint64_t u = 0;
    memcpy(&u, &x, sizeof u);
    return u;
}

static struct key point_key(const struct warn_row *r) {
    return (struct key){bits(r->lon), bits(r->lat), 0};
}

static void hold(struct warn_view *v, size_t i, enum warn_held why) {
    if (v->why[i - v->low] == WARN_KEPT) v->why[i - v->low] = (uint8_t)why;
}

/* ---- one point for everything that has none */

static int classes_seen(const struct entry *e) {
    return __builtin_popcountll(e->classes[0]) + __builtin_popcountll(e->classes[1]);
}

enum err_code warn_guard_point(struct warn_view *v, struct err *err) {
    const struct warn_guards *g = &v->set->guards;
    struct keyed t;
    size_t located = 0;
    int32_t first = (int32_t)floor((double)v->day - g->point_days) + 1;
    size_t from = warn_rows_from(v->rows, first);
    if (from < v->low) from = v->low;
    TRY(keyed_new(&t, v->high - from, err));
    for (size_t i = from; i < v->high; i++) {
        const struct warn_row *r = &v->rows->row[i];
        if (isnan(r->lon)) continue;
        struct entry *e = keyed_at(&t, point_key(r));
        uint64_t h = mix(r->cls + 1) % 128;
        e->n++;
        e->classes[h / 64] |= 1ull << (h % 64);
        located++;
    }
    for (size_t i = v->low; i < v->high; i++) {
        const struct warn_row *r = &v->rows->row[i];
        if (isnan(r->lon)) continue;
        const struct entry *e = keyed_place(&t, point_key(r));
        if (e->used && (double)e->n >= g->point_min && classes_seen(e) >= (int)g->point_classes &&
            (double)e->n >= g->point_share * (double)located)
            hold(v, i, WARN_DEFAULT_POINT);
    }
    mem_free(t.entry);
    return ERR_OK;
}

/* ---- many rows of one source with one instant */

static bool at_midnight(const struct warn_rows *rows, const struct warn_row *r) {
    return tz_to_local(rows->tz, r->opened_us) % day_us == 0;
}

static struct key source_key(const struct warn_row *r) {
    return (struct key){0, (uint64_t)(uintptr_t)r->source, 2};
}

/* End of the rows with the instant of row i. */
static size_t instant_end(const struct warn_view *v, size_t i) {
    size_t end = i + 1;
    while (end < v->high && v->rows->row[end].opened_us == v->rows->row[i].opened_us) end++;
    return end;
}

/* Holds the rows of one instant, by source. */
static enum err_code hold_instant(struct warn_view *v, const struct keyed *sources, size_t from,
                                  size_t end, struct err *err) {
    struct keyed t;
    TRY(keyed_new(&t, end - from, err));
    for (size_t i = from; i < end; i++) keyed_at(&t, source_key(&v->rows->row[i]))->n++;
    for (size_t i = from; i < end; i++) {
        const struct warn_row *r = &v->rows->row[i];
        if ((double)keyed_place(&t, source_key(r))->n < v->set->guards.batch_min) continue;
        /* A source that tells days only has all of a day at midnight. */
        const struct entry *s = keyed_place(sources, source_key(r));
        if (at_midnight(v->rows, r) && 2 * s->value > s->n) continue;
        hold(v, i, WARN_BATCH);
    }
    mem_free(t.entry);
    return ERR_OK;
}

enum err_code warn_guard_batch(struct warn_view *v, struct err *err) {
    struct keyed sources;
    TRY(keyed_new(&sources, v->rows->n_word, err));
    for (size_t i = v->low; i < v->high; i++) {
        const struct warn_row *r = &v->rows->row[i];
        struct entry *source = keyed_at(&sources, source_key(r));
        source->n++;
        source->value += at_midnight(v->rows, r);
    }
    enum err_code rc = ERR_OK;
    for (size_t i = v->low, end = 0; rc == ERR_OK && i < v->high; i = end) {
        end = instant_end(v, i);
        if ((double)(end - i) >= v->set->guards.batch_min)
            rc = hold_instant(v, &sources, i, end, err);
    }
    mem_free(sources.entry);
    return rc;
}

/* ---- one sender's repeats */

/* What is the same thing again: of an account by class and cell (or square of about 100 m), of
 * strangers by class and exact point. */
static bool repeat_key(const struct warn_row *r, struct key *out) {
    bool named = r->reporter[0] != '\0';
    uint64_t who = mix(r->cls + 1) ^ (named ? (uint64_t)(uintptr_t)r->reporter : 3);
    if (named && r->place[WARN_CELL][0] != '\0') {
        *out = (struct key){who, (uint64_t)(uintptr_t)r->place[WARN_CELL], 4};
        return true;
    }
    if (isnan(r->lon)) return false;
    *out = (struct key){who, bits(r->lon), bits(r->lat)};
    if (named) *out = (struct key){who, bits(floor(r->lon * 1e3)), bits(floor(r->lat * 1e3))};
    return true;
}

enum err_code warn_guard_repeat(struct warn_view *v, struct err *err) {
    const struct warn_guards *g = &v->set->guards;
    double named = g->repeat_hours * (double)hour_us;
    double unnamed = g->repeat_minutes * (double)minute_us;
    /* What is older than either holds nothing back. */
    int64_t longest = (int64_t)(named > unnamed ? named : unnamed) + 1;
    struct keyed t;
    TRY(keyed_new(&t, 0, err));
    enum err_code rc = ERR_OK;
    for (size_t i = v->low; i < v->high; i++) {
        const struct warn_row *r = &v->rows->row[i];
        struct key k;
        if (!repeat_key(r, &k)) continue;
        rc = keyed_sweep(&t, r->opened_us - longest, err);
        if (rc != ERR_OK) break;
        double within = r->reporter[0] != '\0' ? named : unnamed;
        struct entry *e = keyed_at(&t, k);
        if (e->n > 0 && (double)(r->opened_us - e->value) <= within) {
            hold(v, i, WARN_REPEAT);
            continue; /* the first one counts, and the next after the time is over */
        }
        e->n = 1;
        e->value = r->opened_us;
    }
    mem_free(t.entry);
    return rc;
}

/* ---- channels without a past */

static struct key channel_key(const char *channel, const char *source) {
    return (struct key){(uint64_t)(uintptr_t)channel, (uint64_t)(uintptr_t)source, 5};
}

enum err_code warn_guard_channel(struct warn_view *v, struct err *err) {
    double young = v->set->guards.channel_days;
    struct keyed t;
    if (v->high == 0 || young <= 0) return ERR_OK;
    size_t n = 0, most = v->high + v->rows->n_past;
    TRY(keyed_new(&t, most < 4096 ? most : 4096, err));
    int32_t begin = v->rows->begin;
    for (size_t i = 0; i < v->rows->n_past; i++) {
        const struct warn_past *p = &v->rows->past[i];
        struct entry *e = keyed_at(&t, channel_key(p->channel, p->source));
        e->n = 1;
        e->value = p->day;
        n++;
    }
    for (size_t i = 0; i < v->high && 2 * n < t.cap; i++) {
        const struct warn_row *r = &v->rows->row[i];
        struct entry *e = keyed_at(&t, channel_key(r->channel, r->source));
        if (e->n++ == 0) {
            e->value = r->day;
            n++;
        }
    }
    for (size_t i = v->low; i < v->high && 2 * n < t.cap; i++) {
        const struct warn_row *r = &v->rows->row[i];
        const struct entry *e = keyed_at(&t, channel_key(r->channel, r->source));
        if ((double)(v->day - e->value) < young && (double)(e->value - begin) >= young)
            hold(v, i, WARN_NEW_CHANNEL);
    }
    mem_free(t.entry);
    return ERR_OK;
}

/* ---- what the calendar expects */

static bool event_takes(const struct warn_event *e, const struct warn_row *r) {
    if (r->day < e->from || r->day > e->to) return false;
    if (e->classes != NULL && !e->classes[r->cls]) return false;
    bool in_area = e->area[0] == '\0';
    for (int l = 0; l < WARN_CODES && !in_area; l++) in_area = strcmp(r->place[l], e->area) == 0;
    if (!in_area || isnan(e->lon)) return in_area;
    return !isnan(r->lon) && geo_distance_m(e->lon, e->lat, r->lon, r->lat) <= e->radius_m;
}

void warn_guard_events(struct warn_view *v) {
    for (size_t k = 0; k < v->set->n_events; k++) {
        const struct warn_event *e = &v->set->event[k];
        for (int32_t day = e->from; day <= e->to && day <= v->day; day++) {
            size_t from = warn_rows_from(v->rows, day), to = warn_rows_from(v->rows, day + 1);
            size_t n = 0;
            if (from < v->low) from = v->low;
            if (to > v->high) to = v->high;
            for (size_t i = from; i < to; i++) n += event_takes(e, &v->rows->row[i]);
            if (e->most > 0 && (double)n > e->most) continue; /* more than was expected */
            for (size_t i = from; i < to; i++)
                if (event_takes(e, &v->rows->row[i])) hold(v, i, WARN_EXPECTED);
        }
    }
}

/* ---- one thing, told by many */

static void guard_joined(struct warn_view *v) {
    int64_t end = tz_to_utc(v->rows->tz, ((int64_t)v->day + 1) * day_us);
    for (size_t i = v->low; i < v->high; i++) {
        int64_t at = v->rows->row[i].joined_us;
        if (at > 0 && at < end) hold(v, i, WARN_JOINED);
    }
}

/* ---- emergencies */

static bool covers(const struct warn_emergency *e, const struct warn_row *r) {
    if (r->opened_us < e->from_us || r->opened_us >= e->to_us) return false;
    if (e->classes != NULL && !e->classes[r->cls]) return false;
    bool here = e->area[0] == '\0';
    for (int l = 0; l < WARN_CODES && !here; l++) here = strcmp(r->place[l], e->area) == 0;
    return here;
}

void warn_guard_lift(struct warn_view *v, const struct warn_emergency *e, size_t n) {
    for (size_t k = 0; k < n; k++)
        for (size_t i = v->low; i < v->high; i++) {
            uint8_t *why = &v->why[i - v->low];
            /* A joined report is the same report still. */
            if (*why == WARN_KEPT || *why == WARN_DEFAULT_POINT || *why == WARN_JOINED) continue;
            if (covers(&e[k], &v->rows->row[i])) *why = WARN_KEPT;
        }
}

bool warn_emergency_lasts(const struct warn_emergency *e, size_t n, const struct tz *tz,
                          int32_t day) {
    int64_t end = tz_to_utc(tz, ((int64_t)day + 1) * day_us);
    for (size_t k = 0; k < n; k++)
        if (e[k].from_us < end && e[k].to_us >= end) return true;
    return false;
}

/* ---- a day */

static bool same_group(const struct case_class *x, const struct case_class *y) {
    return strcmp(x->kind, y->kind) == 0 && strcmp(x->major_code, y->major_code) == 0;
}

static enum err_code group_classes(struct arena *a, const struct pack_set *p, const uint32_t **out,
                                   struct err *err) {
    uint32_t *group = ARENA_NEW(a, uint32_t, p->n_classes + 1);
    if (group == NULL) return err_fail(err, ERR_NOMEM, "guards");
    for (uint32_t i = 0; i < p->n_classes; i++) {
        group[i] = i;
        /* The first class of each group stands for it; neighbours share one nearly always. */
        if (i > 0 && same_group(&p->classes[i], &p->classes[i - 1])) group[i] = group[i - 1];
        for (uint32_t k = 0; k < i && group[i] == i; k++)
            if (group[k] == k && same_group(&p->classes[i], &p->classes[k])) group[i] = k;
    }
    *out = group;
    return ERR_OK;
}

enum err_code warn_view_new(struct arena *a, const struct warn_rows *rows,
                            const struct warn_set *set, int32_t day, int32_t history,
                            struct warn_view *out, struct err *err) {
    *out = (struct warn_view){.rows = rows, .set = set, .day = day};
    out->low = warn_rows_from(rows, day - history + 1);
    out->high = warn_rows_from(rows, day + 1);
    out->why = ARENA_NEW(a, uint8_t, out->high - out->low + 1);
    if (out->why == NULL) return err_fail(err, ERR_NOMEM, "warnings");
    TRY(group_classes(a, rows->packs, &out->group, err));
    TRY(warn_guard_point(out, err));
    TRY(warn_guard_batch(out, err));
    TRY(warn_guard_repeat(out, err));
    TRY(warn_guard_channel(out, err));
    warn_guard_events(out);
    guard_joined(out);
    return ERR_OK;
}
