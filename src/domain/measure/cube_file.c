/* The cube on disk: a header, the places, then every block; a hash over all of it at the end.
 * Little endian, as all machines we run on. */
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "domain/measure/cube_inside.h"

static const char magic[8] = {'g', 'z', 'c', 'u', 'b', 'e', '0', '1'};
enum { NAME_MAX_BYTES = 200 };

struct stream {
    FILE *f;
    uint64_t hash;
    bool bad;
};

static void put(struct stream *s, const void *p, size_t n) {
    s->hash = hash_xxh64(p, n, s->hash);
    if (n > 0 && fwrite(p, 1, n, s->f) != n) s->bad = true;
}

static void put_u64(struct stream *s, uint64_t v) { put(s, &v, sizeof v); }

static void put_text(struct stream *s, const char *text) {
    size_t n = strlen(text);
    put_u64(s, n);
    put(s, text, n);
}

/* Only what differs from 0 is kept. */
static void put_block(struct stream *s, const struct cube_atom *a, const struct cube_block *b) {
    uint64_t n = 0;
    for (uint32_t i = 0; i < b->n; i++) n += cube_value_at(a, b, i) != 0;
    put_u64(s, n);
    for (uint32_t i = 0; i < b->n; i++) {
        int64_t v = cube_value_at(a, b, i);
        uint32_t place = b->dense ? i : b->place[i];
        if (v == 0) continue;
        put(s, &place, sizeof place);
        put(s, &v, sizeof v);
    }
}

enum err_code cube_save(const struct cube *c, const unsigned char tag[32], int64_t seq, FILE *out,
                        struct err *err) {
    struct stream s = {.f = out};
    put(&s, magic, sizeof magic);
    put(&s, tag, 32);
    put_u64(&s, (uint64_t)seq);
    put_u64(&s, c->n_places);
    for (size_t i = 0; i < c->n_places; i++) {
        for (int k = 0; k < CUBE_CODES; k++) put_text(&s, cube_code(&c->place[i], k));
    }
    put_u64(&s, c->n_atoms);
    for (size_t i = 0; i < c->n_atoms; i++) {
        const struct cube_atom *a = &c->atom[i];
        put_u64(&s, (uint64_t)(int64_t)a->first);
        put_u64(&s, a->n_days);
        for (size_t d = 0; d < a->n_days; d++) put_block(&s, a, &a->block[d]);
    }
    uint64_t hash = s.hash;
    put_u64(&s, hash);
    return s.bad ? err_fail(err, ERR_IO, "the snapshot of the indicator cube was not written")
                 : ERR_OK;
}

/* ---- reading */

static void get(struct stream *s, void *p, size_t n) {
    if (s->bad || (n > 0 && fread(p, 1, n, s->f) != n)) {
        s->bad = true;
        memset(p, 0, n);
        return;
    }
    s->hash = hash_xxh64(p, n, s->hash);
}

static uint64_t get_u64(struct stream *s, uint64_t max) {
    uint64_t v = 0;
    get(s, &v, sizeof v);
    if (v > max) s->bad = true;
    return s->bad ? 0 : v;
}

static enum err_code get_places(struct stream *s, struct cube *c, struct err *err) {
    uint64_t n = get_u64(s, CUBE_MAX_PLACES);
    for (uint64_t i = 0; i < n && !s->bad; i++) {
        char text[CUBE_CODES][NAME_MAX_BYTES + 1];
        uint32_t number = 0;
        for (int k = 0; k < CUBE_CODES; k++) {
            size_t len = (size_t)get_u64(s, NAME_MAX_BYTES);
            get(s, text[k], len);
            text[k][len] = '\0';
        }
        const struct cube_place p = {text[0], text[1], text[2], text[3], text[4]};
        TRY(cube_place_of(c, &p, &number, err));
        if (number != i) s->bad = true; /* a place twice */
    }
    return ERR_OK;
}

static enum err_code get_atom(struct stream *s, struct cube *c, size_t atom, struct err *err) {
    uint64_t first = 0;
    get(s, &first, sizeof first);
    uint64_t n_days = get_u64(s, CUBE_DAY_MAX - CUBE_DAY_MIN + 1);
    int64_t from = (int64_t)first;
    if (n_days > 0 && (from < CUBE_DAY_MIN || from > CUBE_DAY_MAX)) s->bad = true;
    for (uint64_t d = 0; d < n_days && !s->bad; d++) {
        uint64_t n = get_u64(s, c->n_places);
        for (uint64_t i = 0; i < n && !s->bad; i++) {
            uint32_t place = 0;
            int64_t v = 0;
            get(s, &place, sizeof place);
            get(s, &v, sizeof v);
            if (s->bad || place >= c->n_places) {
                s->bad = true;
                break;
            }
            enum err_code rc = cube_add(c, atom, (int32_t)(from + (int64_t)d), place, v, err);
            if (rc == ERR_LIMIT) s->bad = true;
            if (rc != ERR_OK && rc != ERR_LIMIT) return rc;
        }
    }
    return ERR_OK;
}

static enum err_code get_all(struct stream *s, struct cube *c, const unsigned char tag[32],
                             int64_t *seq, struct err *err) {
    char head[8];
    unsigned char found[32];
    get(s, head, sizeof head);
    get(s, found, sizeof found);
    if (s->bad || memcmp(head, magic, sizeof head) != 0 || memcmp(found, tag, 32) != 0)
        return err_fail(err, ERR_CORRUPT, "the snapshot was made by other packs or another format");
    *seq = (int64_t)get_u64(s, INT64_MAX);
    TRY(get_places(s, c, err));
    if (get_u64(s, CUBE_MAX_ATOMS) != c->n_atoms) s->bad = true;
    for (size_t i = 0; i < c->n_atoms && !s->bad; i++) TRY(get_atom(s, c, i, err));
    uint64_t hash = s->hash, said = get_u64(s, UINT64_MAX);
    if (s->bad || hash != said)
        return err_fail(err, ERR_CORRUPT, "the snapshot of the indicator cube is damaged");
    return ERR_OK;
}

enum err_code cube_load(FILE *in, size_t n_atoms, const bool *wide, const unsigned char tag[32],
                        int64_t *seq, struct cube **out, struct err *err) {
    struct stream s = {.f = in};
    struct cube *c = NULL;
    *out = NULL;
    TRY(cube_new(n_atoms, wide, &c, err));
    enum err_code rc = get_all(&s, c, tag, seq, err);
    if (rc != ERR_OK) {
        cube_free(c);
        return rc;
    }
    *out = c;
    return ERR_OK;
}

/* ---- equality, for tests and for checking a rebuilt cube */

static int64_t find_value(const struct cube *c, size_t atom, int32_t day, uint32_t place) {
    const struct cube_atom *a = &c->atom[atom];
    int64_t d = (int64_t)day - a->first;
    if (d < 0 || d >= (int64_t)a->n_days) return 0;
    const struct cube_block *b = &a->block[d];
    if (b->dense) return place < b->n ? cube_value_at(a, b, place) : 0;
    uint32_t lo = 0, hi = b->n;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (b->place[mid] < place)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < b->n && b->place[lo] == place ? cube_value_at(a, b, lo) : 0;
}

/* Every value of a that is not 0 stands in b too. */
static bool holds(const struct cube *b, const struct cube *a, const uint32_t *in_b) {
    for (size_t i = 0; i < a->n_atoms; i++) {
        const struct cube_atom *x = &a->atom[i];
        for (size_t d = 0; d < x->n_days; d++) {
            const struct cube_block *k = &x->block[d];
            for (uint32_t j = 0; j < k->n; j++) {
                int64_t v = cube_value_at(x, k, j);
                uint32_t place = in_b[k->dense ? j : k->place[j]];
                if (v != 0 &&
                    (place == UINT32_MAX || find_value(b, i, x->first + (int32_t)d, place) != v))
                    return false;
            }
        }
    }
    return true;
}

static bool map_places(const struct cube *from, const struct cube *to, uint32_t **out) {
    uint32_t *map = mem_new(from->n_places + 1, sizeof *map);
    if (map == NULL) return false;
    for (size_t i = 0; i < from->n_places; i++)
        if (!cube_find(to, &from->place[i], &map[i])) map[i] = UINT32_MAX;
    *out = map;
    return true;
}

bool cube_equal(const struct cube *a, const struct cube *b) {
    uint32_t *a_in_b = NULL, *b_in_a = NULL;
    bool same = a->n_atoms == b->n_atoms && map_places(a, b, &a_in_b) &&
                map_places(b, a, &b_in_a) && holds(b, a, a_in_b) && holds(a, b, b_in_a);
    mem_free(a_in_b);
    mem_free(b_in_a);
    return same;
}
