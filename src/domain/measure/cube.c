#include "domain/measure/cube.h"

#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "domain/measure/cube_inside.h"

enum { FIRST_SLOTS = 1024 };
static const size_t names_bytes = (size_t)1 << 30;

static enum err_code nomem(struct err *err) {
    return err_fail(err, ERR_NOMEM, "no memory for the indicator cube");
}

enum err_code cube_new(size_t n_atoms, const bool *wide, struct cube **out, struct err *err) {
    *out = NULL;
    if (n_atoms > CUBE_MAX_ATOMS)
        return err_fail(err, ERR_LIMIT, "%zu atoms; at most %d are kept", n_atoms, CUBE_MAX_ATOMS);
    struct cube *c = mem_new(1, sizeof *c);
    if (c == NULL) return nomem(err);
    c->n_atoms = n_atoms;
    c->atom = mem_new(n_atoms + 1, sizeof *c->atom);
    c->names = arena_new(names_bytes);
    c->slot = mem_new(FIRST_SLOTS, sizeof *c->slot);
    c->n_slots = FIRST_SLOTS;
    if (c->atom == NULL || c->names == NULL || c->slot == NULL) {
        cube_free(c);
        return nomem(err);
    }
    for (size_t i = 0; i < n_atoms; i++) c->atom[i].wide = wide[i];
    *out = c;
    return ERR_OK;
}

void cube_free(struct cube *c) {
    if (c == NULL) return;
    for (size_t i = 0; c->atom != NULL && i < c->n_atoms; i++) {
        for (size_t d = 0; d < c->atom[i].n_days; d++) {
            mem_free(c->atom[i].block[d].place);
            mem_free(c->atom[i].block[d].value);
        }
        mem_free(c->atom[i].block);
    }
    mem_free(c->atom);
    mem_free(c->place);
    mem_free(c->slot);
    arena_free(c->names);
    mem_free(c);
}

/* ---- places */

static uint64_t place_hash(const struct cube_place *p) {
    uint64_t h = 0;
    for (int i = 0; i < CUBE_CODES; i++)
        h = hash_xxh64(cube_code(p, i), strlen(cube_code(p, i)) + 1, h);
    return h;
}

static bool same_place(const struct cube_place *a, const struct cube_place *b) {
    for (int i = 0; i < CUBE_CODES; i++)
        if (strcmp(cube_code(a, i), cube_code(b, i)) != 0) return false;
    return true;
}

static void put_slot(uint32_t *slot, size_t n_slots, const struct cube_place *p, uint32_t number) {
    size_t at = (size_t)place_hash(p) & (n_slots - 1);
    while (slot[at] != 0) at = (at + 1) & (n_slots - 1);
    slot[at] = number + 1;
}

static bool grow_places(struct cube *c) {
    if (c->n_places == c->cap_places) {
        size_t cap = c->cap_places == 0 ? 256 : c->cap_places * 2;
        struct cube_place *more = mem_resize(c->place, cap, sizeof *more);
        if (more == NULL) return false;
        c->place = more;
        c->cap_places = cap;
    }
    if (c->n_places * 2 < c->n_slots) return true;
    uint32_t *slot = mem_new(c->n_slots * 2, sizeof *slot);
    if (slot == NULL) return false;
    for (size_t i = 0; i < c->n_places; i++)
        put_slot(slot, c->n_slots * 2, &c->place[i], (uint32_t)i);
    mem_free(c->slot);
    c->slot = slot;
    c->n_slots *= 2;
    return true;
}

bool cube_find(const struct cube *c, const struct cube_place *p, uint32_t *out) {
    size_t at = (size_t)place_hash(p) & (c->n_slots - 1);
    for (; c->slot[at] != 0; at = (at + 1) & (c->n_slots - 1)) {
        if (!same_place(&c->place[c->slot[at] - 1], p)) continue;
        *out = c->slot[at] - 1;
        return true;
    }
    return false;
}

enum err_code cube_place_of(struct cube *c, const struct cube_place *p, uint32_t *out,
                            struct err *err) {
    if (cube_find(c, p, out)) return ERR_OK;
    if (c->n_places == CUBE_MAX_PLACES)
        return err_fail(err, ERR_LIMIT, "more than %d places", CUBE_MAX_PLACES);
    if (!grow_places(c)) return nomem(err);
    const char *to[CUBE_CODES];
    for (int i = 0; i < CUBE_CODES; i++) {
        to[i] = cube_code(p, i)[0] == '\0' ? "" : arena_strdup(c->names, cube_code(p, i));
        if (to[i] == NULL) return nomem(err);
    }
    const struct cube_place copy = {to[0], to[1], to[2], to[3], to[4]};
    c->place[c->n_places] = copy;
    put_slot(c->slot, c->n_slots, &copy, (uint32_t)c->n_places);
    *out = (uint32_t)c->n_places++;
    return ERR_OK;
}

const struct cube_place *cube_places(const struct cube *c, size_t *n) {
    *n = c->n_places;
    return c->place;
}

/* ---- atoms */

static size_t width(const struct cube_atom *a) { return a->wide ? 8 : 4; }

int64_t cube_value_at(const struct cube_atom *a, const struct cube_block *b, uint32_t i) {
    return a->wide ? ((const int64_t *)b->value)[i] : ((const int32_t *)b->value)[i];
}

/* The block of a day, with the days between made; NULL when there is no memory. */
static struct cube_block *block_of(struct cube_atom *a, int32_t day) {
    if (a->n_days == 0) a->first = day;
    int32_t first = day < a->first ? day : a->first;
    int32_t last = a->first + (int32_t)a->n_days; /* day after the last */
    size_t n = (size_t)((day + 1 > last ? day + 1 : last) - first);
    if (n > a->n_days) {
        struct cube_block *more = mem_resize(a->block, n, sizeof *more);
        if (more == NULL) return NULL;
        size_t shift = (size_t)(a->first - first);
        memmove(more + shift, more, a->n_days * sizeof *more);
        memset(more, 0, shift * sizeof *more);
        memset(more + shift + a->n_days, 0, (n - shift - a->n_days) * sizeof *more);
        a->block = more;
        a->first = first;
        a->n_days = n;
    }
    return &a->block[day - a->first];
}

/* First position whose place is not below `place`. */
static uint32_t position(const struct cube_block *b, uint32_t place) {
    uint32_t lo = 0, hi = b->n;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (b->place[mid] < place)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static bool make_dense(const struct cube_atom *a, struct cube_block *b, size_t n_places) {
    void *value = mem_new(n_places, width(a));
    if (value == NULL) return false;
    for (uint32_t i = 0; i < b->n; i++) {
        if (a->wide)
            ((int64_t *)value)[b->place[i]] = ((int64_t *)b->value)[i];
        else
            ((int32_t *)value)[b->place[i]] = ((int32_t *)b->value)[i];
    }
    mem_free(b->place);
    mem_free(b->value);
    *b = (struct cube_block){(uint32_t)n_places, (uint32_t)n_places, true, NULL, value};
    return true;
}

/* Room for a place: its position in value[], or UINT32_MAX without memory. */
static uint32_t room(const struct cube_atom *a, struct cube_block *b, uint32_t place,
                     size_t n_places) {
    if (b->dense && place < b->n) return place;
    if (b->dense) {
        void *value = mem_resize(b->value, n_places, width(a));
        if (value == NULL) return UINT32_MAX;
        memset((char *)value + b->n * width(a), 0, (n_places - b->n) * width(a));
        b->value = value;
        b->n = b->cap = (uint32_t)n_places;
        return place;
    }
    uint32_t at = position(b, place);
    if (at < b->n && b->place[at] == place) return at;
    if (b->n == b->cap) {
        uint32_t cap = b->cap < 4 ? 4 : b->cap + b->cap / 2;
        uint32_t *p = mem_resize(b->place, cap, sizeof *p);
        if (p != NULL) b->place = p;
        void *v = p == NULL ? NULL : mem_resize(b->value, cap, width(a));
        if (v == NULL) return UINT32_MAX;
        b->value = v;
        b->cap = cap;
    }
    size_t w = width(a), tail = b->n - at;
    char *v = b->value;
    memmove(b->place + at + 1, b->place + at, tail * sizeof *b->place);
    memmove(v + (at + 1) * w, v + at * w, tail * w);
    b->place[at] = place;
    memset(v + at * w, 0, w);
    b->n++;
    return at;
}

enum err_code cube_add(struct cube *c, size_t atom, int32_t day, uint32_t place, int64_t delta,
                       struct err *err) {
    struct cube_atom *a = &c->atom[atom];
    if (day < CUBE_DAY_MIN || day > CUBE_DAY_MAX)
        return err_fail(err, ERR_LIMIT, "day %d since 1970 is outside the calendar kept", day);
    app_assert(atom < c->n_atoms && place < c->n_places);
    struct cube_block *b = block_of(a, day);
    if (b == NULL) return nomem(err);
    /* Half full: a dense block is smaller from here on, and quicker to sum. */
    if (!b->dense && b->n > 64 && (size_t)b->n * 2 > c->n_places && !make_dense(a, b, c->n_places))
        return nomem(err);
    uint32_t at = room(a, b, place, c->n_places);
    if (at == UINT32_MAX) return nomem(err);
    int64_t sum = 0;
    if (__builtin_add_overflow(cube_value_at(a, b, at), delta, &sum) ||
        (!a->wide && (sum > INT32_MAX || sum < INT32_MIN)))
        return err_fail(err, ERR_LIMIT, "a count of one day and place is beyond its range");
    if (a->wide)
        ((int64_t *)b->value)[at] = sum;
    else
        ((int32_t *)b->value)[at] = (int32_t)sum;
    return ERR_OK;
}

/* ---- sums */

static void sum_block(const struct cube_atom *a, const struct cube_block *b, int64_t *out) {
    if (b->dense && a->wide) {
        const int64_t *v = b->value;
        for (uint32_t i = 0; i < b->n; i++) out[i] += v[i];
    } else if (b->dense) {
        const int32_t *v = b->value;
        for (uint32_t i = 0; i < b->n; i++) out[i] += v[i];
    } else {
        for (uint32_t i = 0; i < b->n; i++) out[b->place[i]] += cube_value_at(a, b, i);
    }
}

/* The blocks of days [from, to): *lo to *hi. */
static void window(const struct cube_atom *a, int32_t from, int32_t to, size_t *lo, size_t *hi) {
    int64_t first = (int64_t)from - a->first, last = (int64_t)to - a->first;
    int64_t n = (int64_t)a->n_days;
    *lo = (size_t)(first < 0 ? 0 : first > n ? n : first);
    *hi = (size_t)(last < 0 ? 0 : last > n ? n : last);
}

void cube_sum(const struct cube *c, size_t atom, int32_t from, int32_t to, int64_t *out) {
    const struct cube_atom *a = &c->atom[atom];
    size_t lo = 0, hi = 0;
    window(a, from, to, &lo, &hi);
    for (size_t d = lo; d < hi; d++) sum_block(a, &a->block[d], out);
}

void cube_days(const struct cube *c, size_t atom, int32_t from, int32_t to,
               const unsigned char *in_area, int64_t *out) {
    const struct cube_atom *a = &c->atom[atom];
    size_t lo = 0, hi = 0;
    window(a, from, to, &lo, &hi);
    for (size_t d = lo; d < hi; d++) {
        const struct cube_block *b = &a->block[d];
        int64_t sum = 0;
        for (uint32_t i = 0; i < b->n; i++)
            if (in_area[b->dense ? i : b->place[i]]) sum += cube_value_at(a, b, i);
        out[a->first + (int32_t)d - from] += sum;
    }
}

bool cube_span(const struct cube *c, int32_t *from, int32_t *to) {
    bool any = false;
    for (size_t i = 0; i < c->n_atoms; i++) {
        const struct cube_atom *a = &c->atom[i];
        int32_t end = a->first + (int32_t)a->n_days;
        if (a->n_days == 0) continue;
        *from = !any || a->first < *from ? a->first : *from;
        *to = !any || end > *to ? end : *to;
        any = true;
    }
    return any;
}

size_t cube_filled(const struct cube *c) {
    size_t n = 0;
    for (size_t i = 0; i < c->n_atoms; i++)
        for (size_t d = 0; d < c->atom[i].n_days; d++)
            for (uint32_t k = 0; k < c->atom[i].block[d].n; k++)
                n += cube_value_at(&c->atom[i], &c->atom[i].block[d], k) != 0;
    return n;
}

size_t cube_bytes(const struct cube *c) {
    size_t n = sizeof *c + c->n_slots * sizeof *c->slot + c->cap_places * sizeof *c->place +
               arena_used(c->names);
    for (size_t i = 0; i < c->n_atoms; i++) {
        const struct cube_atom *a = &c->atom[i];
        n += sizeof *a + a->n_days * sizeof *a->block;
        for (size_t d = 0; d < a->n_days; d++)
            n += a->block[d].cap * (width(a) + (a->block[d].dense ? 0 : sizeof(uint32_t)));
    }
    return n;
}
