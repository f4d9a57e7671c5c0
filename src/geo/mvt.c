#include "geo/mvt.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "geo/crs.h"

enum {
    MAX_KEYS = 64,
    MAX_BYTES = 64 << 20,
    POLY = 8, /* coefficients of the projection's polynomial */
    COMMAND_MOVE = 1,
    COMMAND_LINE = 2,
    COMMAND_CLOSE = 7,
    TYPE_POINT = 1,
    TYPE_LINE = 2,
    TYPE_POLYGON = 3
};
/* Protobuf keys: field number << 3 | wire type (0 varint, 1 eight bytes, 2 counted bytes). */
enum {
    TILE_LAYER = 3 << 3 | 2,
    LAYER_NAME = 1 << 3 | 2,
    LAYER_FEATURE = 2 << 3 | 2,
    LAYER_KEY = 3 << 3 | 2,
    LAYER_VALUE = 4 << 3 | 2,
    LAYER_EXTENT = 5 << 3,
    LAYER_VERSION = 15 << 3,
    FEATURE_ID = 1 << 3,
    FEATURE_TAGS = 2 << 3 | 2,
    FEATURE_TYPE = 3 << 3,
    FEATURE_GEOMETRY = 4 << 3 | 2,
    VALUE_STRING = 1 << 3 | 2,
    VALUE_DOUBLE = 3 << 3 | 1,
    VALUE_INT = 4 << 3,
    VALUE_BOOL = 7 << 3
};

/* A value of the layer: bytes values.p[at .. at + n). index1 is 0 in a free slot. */
struct slot {
    uint32_t hash, at, n, index1;
};

struct layer {
    struct layer *next;
    const char *name;
    const char *key[MAX_KEYS];
    uint32_t n_keys, n_values, n_features;
    struct buf values, features;
    struct slot *slot; /* open addressing, n_slots a power of two, at most half full */
    uint32_t n_slots;
};

/* A point in units of the tile, y down. */
struct pixel {
    int32_t x, y;
};

struct mvt {
    struct arena *a;
    double scale, y0;       /* y unit = world * scale - y0 */
    double per_lon, zero_x; /* x unit = lon * per_lon + zero_x */
    double lat0, per_lat;   /* t = (lat - lat0) * per_lat is in [-1, 1] over the tile */
    double poly[POLY];      /* y unit = sum poly[k] t^k */
    bool exact;             /* the polynomial is not good enough here: low zooms */
    bool cubic;             /* its first four terms are enough: all but low zooms */
    int32_t grid;           /* points are rounded to multiples of this many units */
    double per_grid;        /* 1 / grid */
    struct layer *first, *last;
    struct pixel *px;     /* the ring being made */
    double *work, *spare; /* the ring being clipped: x, y, ... */
    size_t cap;           /* points that px, work and spare hold */
    struct buf geometry;  /* commands of the feature being made */
    struct pixel cursor;
};

static enum err_code full(struct err *err) { return err_fail(err, ERR_NOMEM, "vector tile"); }

/* ---- projection ---- */

static double exact_y(const struct mvt *t, double lat) {
    double x, y;
    mercator_from_lonlat(0, lat, &x, &y);
    return y * t->scale - t->y0;
}

/* Newton's interpolation at Chebyshev's nodes, turned into powers of t: projecting by a logarithm a
 * point would take most of the time of a tile. */
static void poly_fit(struct mvt *t, double south, double north) {
    double node[POLY], d[POLY], basis[POLY] = {1};
    t->lat0 = (south + north) / 2;
    t->per_lat = 2 / (north - south);
    for (int i = 0; i < POLY; i++) {
        node[i] = cos(3.14159265358979323846 * (2 * i + 1) / (2 * POLY));
        d[i] = exact_y(t, t->lat0 + node[i] / t->per_lat);
    }
    for (int k = 1; k < POLY; k++)
        for (int i = POLY - 1; i >= k; i--) d[i] = (d[i] - d[i - 1]) / (node[i] - node[i - k]);
    for (int k = 0; k < POLY; k++) {
        for (int i = 0; i <= k; i++) t->poly[i] += d[k] * basis[i];
        for (int i = k + 1; i > 0 && i < POLY; i--) basis[i] = basis[i - 1] - node[k] * basis[i];
        basis[0] *= -node[k];
    }
}

static double cubic_y(const struct mvt *t, double u) {
    const double *c = t->poly;
    return c[0] + u * (c[1] + u * (c[2] + u * c[3]));
}

static double poly_y(const struct mvt *t, double u) {
    double sum = 0;
    for (int k = POLY; k-- > 0;) sum = sum * u + t->poly[k];
    return sum;
}

static double project_y(const struct mvt *t, double lat) {
    double u = (lat - t->lat0) * t->per_lat;
    if (t->exact || !(u >= -1 && u <= 1)) return exact_y(t, lat);
    return t->cubic ? cubic_y(t, u) : poly_y(t, u);
}

static double project_x(const struct mvt *t, double lon) { return lon * t->per_lon + t->zero_x; }

static enum err_code tile_check(unsigned z, uint32_t x, uint32_t y, struct err *err) {
    if (z > MVT_MAX_ZOOM || x >> z != 0 || y >> z != 0)
        return err_fail(err, ERR_INVALID, "there is no tile %u/%u/%u", z, x, y);
    return ERR_OK;
}

enum err_code mvt_tile_box(unsigned z, uint32_t x, uint32_t y, double box[4], struct err *err) {
    TRY(tile_check(z, x, y, err));
    double side = 1 / (double)(1u << z), margin = (double)MVT_MARGIN / MVT_EXTENT;
    mercator_to_lonlat((x - margin) * side, (y + 1 + margin) * side, &box[0], &box[1]);
    mercator_to_lonlat((x + 1 + margin) * side, (y - margin) * side, &box[2], &box[3]);
    box[0] = fmax(box[0], -180);
    box[2] = fmin(box[2], 180);
    return ERR_OK;
}

static void buffers_free(void *arg) {
    struct mvt *t = arg;
    for (struct layer *l = t->first; l != NULL; l = l->next) {
        buf_deinit(&l->values);
        buf_deinit(&l->features);
        mem_free(l->slot);
    }
    buf_deinit(&t->geometry);
    mem_free(t->px);
    mem_free(t->work);
    mem_free(t->spare);
}

enum err_code mvt_new(struct arena *a, unsigned z, uint32_t x, uint32_t y, struct mvt **out,
                      struct err *err) {
    double box[4];
    TRY(mvt_tile_box(z, x, y, box, err));
    struct mvt *t = ARENA_NEW(a, struct mvt, 1);
    if (t == NULL || arena_defer(a, buffers_free, t) != ERR_OK) return full(err);
    buf_init(&t->geometry, MAX_BYTES);
    t->a = a;
    t->scale = (double)MVT_EXTENT * (double)(1u << z);
    t->per_lon = t->scale / 360;
    t->zero_x = 180 * t->per_lon - (double)x * MVT_EXTENT;
    t->y0 = (double)y * MVT_EXTENT;
    /* A screen shows 512 pixels a tile, eight units a pixel, and twice as many when it is dense or
     * zoomed in between: half a pixel is the coarsest that shows no steps. */
    t->grid = z <= 11 ? 4 : z <= 13 ? 2 : 1;
    t->per_grid = 1.0 / t->grid;
    poly_fit(t, box[1], box[3]);
    for (int i = -16; i <= 16; i++) {
        double lat = t->lat0 + i / 16.0 / t->per_lat;
        if (fabs(poly_y(t, i / 16.0) - exact_y(t, lat)) > 0.01) t->exact = true;
    }
    double rest = 0;
    for (int k = 4; k < POLY; k++) rest += fabs(t->poly[k]);
    t->cubic = !t->exact && rest < 0.01;
    for (int k = 4; k < POLY && t->cubic; k++)
        t->poly[k] = 0; /* one answer for a place on every way */
    *out = t;
    return ERR_OK;
}

/* ---- protobuf ---- */

static char *varint(char *p, uint64_t v) {
    for (; v >= 0x80; v >>= 7) *p++ = (char)(v | 0x80);
    *p++ = (char)v;
    return p;
}

static void put_varint(struct buf *b, uint64_t v) {
    char *p = buf_room(b, 10);
    if (p != NULL) b->n += (size_t)(varint(p, v) - p);
}

static void put_bytes(struct buf *b, unsigned key, const void *p, size_t n) {
    put_varint(b, key);
    put_varint(b, n);
    if (n > 0) buf_add(b, p, n);
}

static size_t varint_size(uint64_t v) {
    size_t n = 1;
    for (; v >= 0x80; v >>= 7) n++;
    return n;
}

/* ---- layers, keys, values ---- */

enum err_code mvt_layer(struct mvt *t, const char *name, struct err *err) {
    struct layer *l = ARENA_NEW(t->a, struct layer, 1);
    if (l == NULL) return full(err);
    l->name = name;
    buf_init(&l->values, MAX_BYTES);
    buf_init(&l->features, MAX_BYTES);
    if (t->last == NULL)
        t->first = l;
    else
        t->last->next = l;
    t->last = l;
    return ERR_OK;
}

static enum err_code key_index(struct mvt *t, const char *key, uint32_t *out, struct err *err) {
    struct layer *l = t->last;
    for (uint32_t i = 0; i < l->n_keys; i++) {
        if (strcmp(l->key[i], key) != 0) continue;
        *out = i;
        return ERR_OK;
    }
    if (l->n_keys == MAX_KEYS)
        return err_fail(err, ERR_LIMIT, "more than %d keys in a layer", MAX_KEYS);
    l->key[l->n_keys] = arena_strdup(t->a, key);
    if (l->key[l->n_keys] == NULL) return full(err);
    *out = l->n_keys++;
    return ERR_OK;
}

/* Multiply and fold, eight bytes a step; good enough for a table that nobody attacks: values are
 * ours. */
static uint32_t hash_of(const char *p, size_t n) {
    uint64_t h = n * 0x9e3779b97f4a7c15u;
    for (; n > 0; n -= n < 8 ? n : 8) {
        uint64_t word = 0;
        memcpy(&word, p, n < 8 ? n : 8);
        h = (h ^ word) * 0x9fb21c651e98df25u;
        h ^= h >> 32;
        p += 8;
    }
    h *= 0x9e3779b97f4a7c15u; /* now every byte has reached the high half */
    return (uint32_t)(h >> 32);
}

static bool slots_grow(struct layer *l) {
    uint32_t n = l->n_slots == 0 ? 256 : l->n_slots * 2;
    struct slot *slot = mem_new(n, sizeof *slot);
    if (slot == NULL) return false;
    for (uint32_t i = 0; i < l->n_slots; i++) {
        if (l->slot[i].index1 == 0) continue;
        uint32_t at = l->slot[i].hash & (n - 1);
        while (slot[at].index1 != 0) at = (at + 1) & (n - 1);
        slot[at] = l->slot[i];
    }
    mem_free(l->slot);
    l->slot = slot;
    l->n_slots = n;
    return true;
}

/* Index of the encoded value that stands at the end of values, which is taken off again when it is
 * not new. */
static enum err_code value_index(struct layer *l, size_t at, uint32_t *out, struct err *err) {
    TRY(buf_check(&l->values, err));
    if (l->n_values * 2 >= l->n_slots && !slots_grow(l)) return full(err);
    const char *p = l->values.p + at;
    size_t n = l->values.n - at;
    uint32_t hash = hash_of(p, n);
    uint32_t i = hash & (l->n_slots - 1);
    for (; l->slot[i].index1 != 0; i = (i + 1) & (l->n_slots - 1)) {
        const struct slot *s = l->slot + i;
        if (s->hash != hash || s->n != n || memcmp(l->values.p + s->at, p, n) != 0) continue;
        l->values.n = at;
        *out = s->index1 - 1;
        return ERR_OK;
    }
    l->slot[i] = (struct slot){hash, (uint32_t)at, (uint32_t)n, ++l->n_values};
    *out = l->n_values - 1;
    return ERR_OK;
}

static enum err_code tag_value(struct layer *l, const struct mvt_tag *tag, uint32_t *out,
                               struct err *err) {
    struct buf *b = &l->values;
    size_t at = b->n;
    if (tag->type == MVT_STRING) {
        size_t n = strlen(tag->u.s);
        put_varint(b, LAYER_VALUE);
        put_varint(b, 1 + varint_size(n) + n);
        put_bytes(b, VALUE_STRING, tag->u.s, n);
    } else if (tag->type == MVT_INT) {
        put_varint(b, LAYER_VALUE);
        put_varint(b, 1 + varint_size((uint64_t)tag->u.i));
        put_varint(b, VALUE_INT);
        put_varint(b, (uint64_t)tag->u.i);
    } else if (tag->type == MVT_DOUBLE) {
        uint64_t bits;
        memcpy(&bits, &tag->u.d, sizeof bits);
        char le[8];
        for (int i = 0; i < 8; i++) le[i] = (char)(bits >> 8 * i);
        put_varint(b, LAYER_VALUE);
        put_varint(b, 9);
        put_varint(b, VALUE_DOUBLE);
        buf_add(b, le, sizeof le);
    } else {
        put_varint(b, LAYER_VALUE);
        put_varint(b, 2);
        put_varint(b, VALUE_BOOL);
        put_varint(b, tag->u.b);
    }
    return value_index(l, at, out, err);
}

/* The feature whose commands stand in t->geometry. */
static enum err_code feature_write(struct mvt *t, uint64_t id, unsigned type,
                                   const struct mvt_tag *tags, size_t n_tags, struct err *err) {
    struct layer *l = t->last;
    char packed[MAX_KEYS * 2 * 5], head[64], *q = packed, *h = head;
    if (n_tags > MAX_KEYS) return err_fail(err, ERR_LIMIT, "more than %d tags", MAX_KEYS);
    TRY(buf_check(&t->geometry, err));
    for (size_t i = 0; i < n_tags; i++) {
        if (tags[i].type == MVT_STRING && tags[i].u.s == NULL) continue;
        uint32_t key = 0, value = 0;
        TRY(key_index(t, tags[i].key, &key, err));
        TRY(tag_value(l, &tags[i], &value, err));
        q = varint(varint(q, key), value);
    }
    size_t n = (size_t)(q - packed);
    if (id != 0) h = varint(varint(h, FEATURE_ID), id);
    if (n > 0) h = varint(varint(h, FEATURE_TAGS), n);
    size_t head_n = (size_t)(h - head);
    size_t size = head_n + n + 2 + 1 + varint_size(t->geometry.n) + t->geometry.n;
    put_varint(&l->features, LAYER_FEATURE);
    put_varint(&l->features, size);
    buf_add(&l->features, head, head_n);
    buf_add(&l->features, packed, n);
    put_varint(&l->features, FEATURE_TYPE);
    put_varint(&l->features, type);
    put_bytes(&l->features, FEATURE_GEOMETRY, t->geometry.p, t->geometry.n);
    l->n_features++;
    return buf_check(&l->features, err);
}

/* ---- commands ---- */

static void geometry_begin(struct mvt *t) {
    buf_clear(&t->geometry);
    t->cursor = (struct pixel){0, 0};
}

static char *command(char *p, unsigned id, uint32_t count) { return varint(p, id | count << 3); }

/* Signed as unsigned, small magnitudes first: 0, -1, 1, -2, ... */
static uint64_t zigzag(int64_t v) { return v < 0 ? ~((uint64_t)v << 1) : (uint64_t)v << 1; }

static char *step(struct mvt *t, char *p, struct pixel to) {
    int64_t dx = (int64_t)to.x - t->cursor.x, dy = (int64_t)to.y - t->cursor.y;
    t->cursor = to;
    return varint(varint(p, zigzag(dx)), zigzag(dy));
}

/* MoveTo the first, LineTo the others, and ClosePath when it is a ring; from the last to the first
 * when `backwards`. */
static void path_write(struct mvt *t, const struct pixel *px, size_t n, bool ring, bool backwards) {
    char *p = buf_room(&t->geometry, 20 + n * 10), *start = p;
    if (p == NULL) return;
    p = command(p, COMMAND_MOVE, 1);
    p = step(t, p, backwards ? px[n - 1] : px[0]);
    p = command(p, COMMAND_LINE, (uint32_t)(n - 1));
    for (size_t i = 1; i < n; i++) p = step(t, p, backwards ? px[n - 1 - i] : px[i]);
    if (ring) p = command(p, COMMAND_CLOSE, 1);
    t->geometry.n += (size_t)(p - start);
}

/* ---- points on the grid ---- */

static bool room_for(struct mvt *t, size_t points) {
    if (points <= t->cap) return true;
    size_t cap = t->cap < 256 ? 256 : t->cap;
    while (cap < points) cap *= 2;
    struct pixel *px = mem_resize(t->px, cap, sizeof *px);
    if (px != NULL) t->px = px;
    double *work = mem_resize(t->work, cap, 2 * sizeof *work);
    if (work != NULL) t->work = work;
    double *spare = mem_resize(t->spare, cap, 2 * sizeof *spare);
    if (spare != NULL) t->spare = spare;
    if (px == NULL || work == NULL || spare == NULL) return false;
    t->cap = cap;
    return true;
}

/* Nearest multiple of the grid; v within a margin of the tile. Truncation is a single instruction,
 * rounding is not. */
static int32_t on_grid(const struct mvt *t, double v) {
    return ((int32_t)(v * t->per_grid + 65536.5) - 65536) * t->grid;
}

static int64_t cross(struct pixel a, struct pixel b, struct pixel c) {
    return (int64_t)(b.x - a.x) * (c.y - a.y) - (int64_t)(b.y - a.y) * (c.x - a.x);
}

static int64_t forward(struct pixel a, struct pixel b, struct pixel c) {
    return (int64_t)(b.x - a.x) * (c.x - b.x) + (int64_t)(b.y - a.y) * (c.y - b.y);
}

/* Add a point to the n there are, leaving out what lies on a straight line. In a ring a way there
 * and back vanishes too; in a line it is part of the shape. Returns the new count. */
static size_t px_add(struct pixel *px, size_t n, struct pixel p, bool ring) {
    while (n > 0) {
        if (px[n - 1].x == p.x && px[n - 1].y == p.y) return n;
        if (n < 2 || cross(px[n - 2], px[n - 1], p) != 0) break;
        if (!ring && forward(px[n - 2], px[n - 1], p) < 0) break;
        n--;
    }
    px[n] = p;
    return n + 1;
}

/* Make ends meet: the same rules over the seam of a ring. *first moves up where points fall away at
 * the start. */
static size_t px_close(const struct pixel *px, size_t n, size_t *first) {
    size_t from = 0;
    while (n - from >= 3) {
        struct pixel a = px[n - 2], b = px[n - 1], c = px[from], d = px[from + 1];
        if ((b.x == c.x && b.y == c.y) || cross(a, b, c) == 0)
            n--;
        else if (cross(b, c, d) == 0)
            from++;
        else
            break;
    }
    *first = from;
    return n - from;
}

static int64_t double_area(const struct pixel *px, size_t n) {
    int64_t sum = 0;
    for (size_t i = 1; i + 1 < n; i++) sum += cross(px[0], px[i], px[i + 1]);
    return sum;
}

/* ---- clipping ---- */

static const double clip_low = -MVT_MARGIN, clip_high = MVT_EXTENT + MVT_MARGIN;

/* Sutherland and Hodgman 1974: keep what is on the inner side of one border. axis 0: x, 1: y. */
static size_t clip_side(const double *in, size_t n, double *out, size_t axis, double limit,
                        int sign) {
    size_t m = 0;
    for (size_t i = 0; i < n; i++) {
        const double *a = in + 2 * i, *b = in + 2 * (i + 1 < n ? i + 1 : 0);
        bool a_in = (a[axis] - limit) * sign >= 0, b_in = (b[axis] - limit) * sign >= 0;
        if (a_in) {
            out[2 * m] = a[0];
            out[2 * m + 1] = a[1];
            m++;
        }
        if (a_in != b_in) {
            double s = (limit - a[axis]) / (b[axis] - a[axis]);
            out[2 * m + axis] = limit;
            out[2 * m + 1 - axis] = a[1 - axis] + s * (b[1 - axis] - a[1 - axis]);
            m++;
        }
    }
    return m;
}

/* Project a ring (n points, the last is the first again), clip it, put it on the grid. */
static enum err_code ring_clipped(struct mvt *t, const double *xy, size_t n, size_t *n_px,
                                  struct err *err) {
    /* A side can add a point for each edge that crosses it: at most twice as many a side. */
    *n_px = 0;
    if (!room_for(t, 2 * n + 16)) return full(err);
    for (size_t i = 0; i + 1 < n; i++) {
        t->work[2 * i] = project_x(t, xy[2 * i]);
        t->work[2 * i + 1] = project_y(t, xy[2 * i + 1]);
    }
    size_t m = n - 1;
    for (int side = 0; side < 4 && m > 0; side++) {
        if (!room_for(t, 2 * m + 16)) return full(err);
        m = clip_side(t->work, m, t->spare, (size_t)side / 2, side % 2 == 0 ? clip_low : clip_high,
                      side % 2 == 0 ? 1 : -1);
        double *swap = t->work;
        t->work = t->spare;
        t->spare = swap;
    }
    for (size_t i = 0; i < m; i++) {
        struct pixel p = {on_grid(t, t->work[2 * i]), on_grid(t, t->work[2 * i + 1])};
        *n_px = px_add(t->px, *n_px, p, true);
    }
    return ERR_OK;
}

/* Points of the margin onto the grid without a branch a point: this loop is most of the time of a
 * tile. */
static void project_whole(const struct mvt *t, const double *xy, size_t n, struct pixel *px) {
    for (size_t i = 0; i < n; i++) {
        px[i].x = on_grid(t, project_x(t, xy[2 * i]));
        px[i].y = on_grid(t, cubic_y(t, (xy[2 * i + 1] - t->lat0) * t->per_lat));
    }
}

/* The same for a ring that lies wholly within the margin. */
static enum err_code ring_whole(struct mvt *t, const double *xy, size_t n, size_t *n_px,
                                struct err *err) {
    *n_px = 0;
    if (!room_for(t, n)) return full(err);
    struct pixel *px = t->px;
    if (t->cubic) {
        project_whole(t, xy, n - 1, px);
    } else {
        for (size_t i = 0; i + 1 < n; i++)
            px[i] = (struct pixel){on_grid(t, project_x(t, xy[2 * i])),
                                   on_grid(t, project_y(t, xy[2 * i + 1]))};
    }
    size_t distinct = 0, k = 0;
    struct pixel last = {INT32_MIN, 0};
    for (size_t i = 0; i + 1 < n;
         i++) { /* again without a branch: about half the points fall away */
        struct pixel p = px[i];
        px[distinct] = p;
        distinct += (p.x != last.x) | (p.y != last.y);
        last = p;
    }
    for (size_t i = 0; i < distinct; i++) k = px_add(px, k, px[i], true);
    *n_px = k;
    return ERR_OK;
}

/* ---- features ---- */

enum err_code mvt_point(struct mvt *t, uint64_t id, double lon_deg, double lat_deg,
                        const struct mvt_tag *tags, size_t n_tags, struct err *err) {
    app_assert(t->last != NULL);
    if (!crs_is_lonlat(lon_deg, lat_deg)) return ERR_OK;
    double x = project_x(t, lon_deg), y = project_y(t, lat_deg);
    if (!(x >= clip_low && x <= clip_high && y >= clip_low && y <= clip_high)) return ERR_OK;
    geometry_begin(t);
    char *p = buf_room(&t->geometry, 30), *start = p;
    if (p == NULL) return buf_check(&t->geometry, err);
    struct pixel at = {(int32_t)lround(x),
                       (int32_t)lround(y)}; /* a place is never put on a coarse grid */
    p = step(t, command(p, COMMAND_MOVE, 1), at);
    t->geometry.n += (size_t)(p - start);
    return feature_write(t, id, TYPE_POINT, tags, n_tags, err);
}

/* The part of the segment a-b within the margin (Liang and Barsky 1984); false when there is none.
 */
static bool segment_clip(const double *a, const double *b, double out[4]) {
    double from = 0, to = 1;
    for (int axis = 0; axis < 2; axis++) {
        double d = b[axis] - a[axis], low = clip_low - a[axis], high = clip_high - a[axis];
        if (d == 0) {
            if (low > 0 || high < 0) return false;
            continue;
        }
        double s = low / d, e = high / d;
        from = fmax(from, fmin(s, e));
        to = fmin(to, fmax(s, e));
    }
    if (from > to) return false;
    for (int axis = 0; axis < 2; axis++) {
        out[axis] = a[axis] + from * (b[axis] - a[axis]);
        out[2 + axis] = to == 1 ? b[axis] : a[axis] + to * (b[axis] - a[axis]);
    }
    return true;
}

static size_t line_flush(struct mvt *t, size_t n) {
    if (n >= 2) path_write(t, t->px, n, false, false);
    return 0;
}

enum err_code mvt_line(struct mvt *t, uint64_t id, const double *lonlat, size_t n,
                       const struct mvt_tag *tags, size_t n_tags, struct err *err) {
    app_assert(t->last != NULL);
    geometry_begin(t);
    if (n > POLYGON_MAX_POINTS) return err_fail(err, ERR_LIMIT, "a line of %zu points", n);
    if (!room_for(t, n + 2)) return full(err);
    size_t k = 0;
    double a[2] = {0, 0}, b[2], part[4];
    for (size_t i = 0; i < n; i++) {
        if (!crs_is_lonlat(lonlat[2 * i], lonlat[2 * i + 1])) return ERR_OK;
        b[0] = project_x(t, lonlat[2 * i]);
        b[1] = project_y(t, lonlat[2 * i + 1]);
        if (i > 0 && segment_clip(a, b, part)) {
            struct pixel from = {on_grid(t, part[0]), on_grid(t, part[1])};
            struct pixel to = {on_grid(t, part[2]), on_grid(t, part[3])};
            /* A piece that does not go on from the last one begins a new path. */
            if (part[0] != a[0] || part[1] != a[1]) k = line_flush(t, k);
            k = px_add(t->px, px_add(t->px, k, from, false), to, false);
            if (part[2] != b[0] || part[3] != b[1]) k = line_flush(t, k);
        } else {
            k = line_flush(t, k);
        }
        a[0] = b[0];
        a[1] = b[1];
    }
    (void)line_flush(t, k);
    if (t->geometry.n == 0) return buf_check(&t->geometry, err);
    return feature_write(t, id, TYPE_LINE, tags, n_tags, err);
}

/* Write one ring; *kept tells whether something of it is left. Outer rings come out with positive
 * area as the specification counts it (y down), holes with negative: both are the input's order
 * backwards. */
static enum err_code ring_write(struct mvt *t, const double *xy, size_t n, bool whole, bool outer,
                                bool *kept, struct err *err) {
    size_t n_px, first;
    *kept = false;
    TRY(whole ? ring_whole(t, xy, n, &n_px, err) : ring_clipped(t, xy, n, &n_px, err));
    n_px = px_close(t->px, n_px, &first);
    if (n_px < 3) return ERR_OK;
    const struct pixel *px = t->px + first;
    int64_t area = double_area(px, n_px) * (outer ? -1 : 1);
    if (area < 2 * (int64_t)t->grid * t->grid)
        return ERR_OK; /* under a pixel, or turned over by rounding */
    path_write(t, px, n_px, true, true);
    *kept = true;
    return ERR_OK;
}

enum err_code mvt_polygon(struct mvt *t, uint64_t id, const struct polygon *p,
                          const struct mvt_tag *tags, size_t n_tags, struct err *err) {
    app_assert(t->last != NULL);
    double x0 = project_x(t, p->box[0]), x1 = project_x(t, p->box[2]);
    double y0 = project_y(t, p->box[3]), y1 = project_y(t, p->box[1]);
    if (x1 < clip_low || x0 > clip_high || y1 < clip_low || y0 > clip_high) return ERR_OK;
    if ((x1 - x0 + 1) * (y1 - y0 + 1) < t->grid) return ERR_OK; /* far too small: save the work */
    bool whole = x0 >= clip_low && x1 <= clip_high && y0 >= clip_low && y1 <= clip_high;
    geometry_begin(t);
    for (uint32_t part = 0; part < p->n_part; part++) {
        bool outer_kept = true, kept;
        for (uint32_t r = p->part[part]; r < p->part[part + 1] && outer_kept; r++) {
            bool outer = r == p->part[part];
            TRY(ring_write(t, p->xy + 2 * (size_t)p->ring[r], p->ring[r + 1] - p->ring[r], whole,
                           outer, &kept, err));
            if (outer) outer_kept = kept;
        }
    }
    if (t->geometry.n == 0) return buf_check(&t->geometry, err);
    return feature_write(t, id, TYPE_POLYGON, tags, n_tags, err);
}

/* ---- the end ---- */

enum err_code mvt_finish(struct mvt *t, struct buf *out, struct err *err) {
    for (const struct layer *l = t->first; l != NULL; l = l->next) {
        if (l->n_features == 0) continue;
        size_t name = strlen(l->name), keys = 0;
        for (uint32_t i = 0; i < l->n_keys; i++) {
            size_t n = strlen(l->key[i]);
            keys += 1 + varint_size(n) + n;
        }
        size_t size = 2 + 1 + varint_size(name) + name + l->features.n + keys + l->values.n + 1 +
                      varint_size(MVT_EXTENT);
        put_varint(out, TILE_LAYER);
        put_varint(out, size);
        put_varint(out, LAYER_VERSION);
        put_varint(out, 2);
        put_bytes(out, LAYER_NAME, l->name, name);
        buf_add(out, l->features.p, l->features.n);
        for (uint32_t i = 0; i < l->n_keys; i++)
            put_bytes(out, LAYER_KEY, l->key[i], strlen(l->key[i]));
        if (l->values.n > 0) buf_add(out, l->values.p, l->values.n);
        put_varint(out, LAYER_EXTENT);
        put_varint(out, MVT_EXTENT);
    }
    return buf_check(out, err);
}
