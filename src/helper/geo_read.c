#include "helper/geo_read.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "helper/geo_stream.h"
#include "helper/run.h"

enum { MAX_ARGS = 32 + 2 * GEO_READ_MAX_FIELDS, MAX_FINDINGS = 1000001 };
#define DEFAULT_WALL_MS 600000
#define DEFAULT_MEMORY ((uint64_t)2 << 30)
#define MAX_OUTPUT ((uint64_t)8 << 30)

/* GEOS's names of what can be wrong with a polygon. */
static const char *reason_zh(const char *reason) {
    static const struct {
        const char *en, *zh;
    } known[] = {
        {"Ring Self-intersection", "环与自身相接或相交"},
        {"Self-intersection", "边界自相交"},
        {"Hole lies outside shell", "内环位于外环之外"},
        {"Holes are nested", "内环嵌套"},
        {"Nested shells", "多个外环互相嵌套"},
        {"Interior is disconnected", "内部不连通"},
        {"Duplicate Rings", "有重复的环"},
        {"Too few points in geometry component", "点数太少，不成面"},
        {"Invalid Coordinate", "坐标无效"},
        {"Ring is not closed", "环未闭合"},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(reason, known[i].en) == 0) return known[i].zh;
    return "几何图形无效";
}

struct args {
    const char *v[MAX_ARGS];
    size_t n;
    char cpu[24], memory[24], min_overlap[40];
};

static void add(struct args *a, const char *s) {
    app_assert(a->n + 1 < MAX_ARGS);
    a->v[a->n++] = s;
    a->v[a->n] = NULL;
}

static void add_pair(struct args *a, const char *name, const char *value) {
    if (value == NULL) return;
    add(a, name);
    add(a, value);
}

static void add_limits(struct args *a, struct helper_limits *l, int64_t wall_ms, uint64_t memory) {
    l->wall_ms = wall_ms > 0 ? wall_ms : DEFAULT_WALL_MS;
    l->memory_bytes = memory > 0 ? memory : DEFAULT_MEMORY;
    l->output_bytes = MAX_OUTPUT;
    (void)snprintf(a->cpu, sizeof a->cpu, "%lld", (long long)l->wall_ms / 1000 + 1);
    (void)snprintf(a->memory, sizeof a->memory, "%llu", (unsigned long long)l->memory_bytes);
    add_pair(a, "--cpu-seconds", a->cpu);
    add_pair(a, "--memory", a->memory);
}

static enum err_code feed(void *arg, const char *p, size_t n, struct err *err) {
    return geo_stream_feed(arg, p, n, err);
}

struct reading {
    struct arena *a;
    struct geo_read_head head;
    const char **values; /* head.n_fields */
    geo_feature_fn *fn;
    void *arg;
    int64_t n;
    bool has_head, ended;
};

static enum err_code take_head(struct reading *r, struct geo_cursor *c, struct err *err) {
    const char *driver = geo_get_text(c), *layer = geo_get_text(c), *crs = geo_get_text(c);
    r->head.n_features = geo_get_i64(c);
    uint32_t n = geo_get_u32(c);
    if (c->bad || driver == NULL || layer == NULL || crs == NULL || n > GEO_READ_MAX_FIELDS)
        return err_fail(err, ERR_INTERNAL, "the helper sent a malformed head");
    const char **fields = ARENA_NEW(r->a, const char *, n);
    r->values = ARENA_NEW(r->a, const char *, n);
    r->head.driver = arena_strdup(r->a, driver);
    r->head.layer = arena_strdup(r->a, layer);
    r->head.crs = arena_strdup(r->a, crs);
    bool full = fields == NULL || r->values == NULL || r->head.driver == NULL ||
                r->head.layer == NULL || r->head.crs == NULL;
    for (uint32_t i = 0; i < n && !full; i++) {
        const char *name = geo_get_text(c);
        if (name == NULL) return err_fail(err, ERR_INTERNAL, "the helper sent a malformed head");
        fields[i] = arena_strdup(r->a, name);
        full = fields[i] == NULL;
    }
    if (full) return err_fail(err, ERR_NOMEM, "head of a vector file");
    r->head.n_fields = n;
    r->head.fields = fields;
    r->has_head = true;
    return ERR_OK;
}

static enum err_code take_feature(struct reading *r, struct geo_cursor *c, struct err *err) {
    struct geo_feature f = {.number = geo_get_i64(c), .values = r->values};
    unsigned flags = geo_get_u8(c);
    for (size_t i = 0; i < r->head.n_fields; i++) r->values[i] = geo_get_text(c);
    if ((flags & GEO_FLAG_WKB) != 0) f.wkb = geo_get_bytes(c, &f.wkb_n);
    if ((flags & GEO_FLAG_INVALID) != 0) {
        f.invalid = geo_get_text(c);
        f.invalid_lon = geo_get_f64(c);
        f.invalid_lat = geo_get_f64(c);
        if (f.invalid == NULL) c->bad = true;
    }
    f.repaired = (flags & GEO_FLAG_REPAIRED) != 0;
    if (c->bad) return err_fail(err, ERR_INTERNAL, "the helper sent a malformed feature");
    if (f.invalid != NULL) f.invalid_zh = reason_zh(f.invalid);
    r->n++;
    return r->fn(r->arg, &r->head, &f, err);
}

static enum err_code reading_frame(void *arg, enum geo_frame_type type, struct geo_cursor *c,
                                   struct err *err) {
    struct reading *r = arg;
    if (!r->ended && type == GEO_FRAME_HEAD && !r->has_head) return take_head(r, c, err);
    if (!r->ended && type == GEO_FRAME_FEATURE && r->has_head) return take_feature(r, c, err);
    if (!r->ended && type == GEO_FRAME_END && r->has_head) {
        r->ended = geo_get_i64(c) == r->n;
        if (r->ended) return ERR_OK;
    }
    return err_fail(err, ERR_INTERNAL, "the helper sent frame '%c' out of order", (int)type);
}

enum err_code geo_read_file(struct arena *a, const char *helper_path,
                            const struct geo_read_options *o, struct geo_read_head *head,
                            geo_feature_fn *fn, void *arg, struct err *err) {
    struct args args = {.n = 0};
    struct helper_cmd cmd = {.path = helper_path, .argv = args.v, .on_output = feed};
    if (o->n_fields > GEO_READ_MAX_FIELDS)
        return err_fail(err, ERR_LIMIT, "at most %d fields", GEO_READ_MAX_FIELDS);
    add(&args, "gezhi-geo");
    add(&args, "read");
    add_limits(&args, &cmd.limits, o->wall_ms, o->memory_bytes);
    add_pair(&args, "--crs", o->crs);
    add_pair(&args, "--layer", o->layer);
    add_pair(&args, "--encoding", o->encoding);
    for (size_t i = 0; i < o->n_fields; i++) add_pair(&args, "--field", o->fields[i]);
    if (o->repair) add(&args, "--repair");
    add(&args, "--");
    add(&args, o->path);
    struct reading r = {.a = a, .fn = fn, .arg = arg};
    struct geo_stream s;
    geo_stream_init(&s);
    s.on_frame = reading_frame;
    s.arg = &r;
    cmd.arg = &s;
    enum err_code rc = helper_run(&cmd, NULL, err);
    if (rc == ERR_OK && (!r.ended || !geo_stream_at_end(&s)))
        rc = err_fail(err, ERR_INTERNAL, "the helper's answer is cut short");
    geo_stream_deinit(&s);
    if (head != NULL) *head = r.head;
    return rc;
}

struct topology {
    struct buf found; /* struct geo_finding, one after the other */
    size_t n, n_child, n_parent;
    bool ended;
};

static bool finding_fits(const struct topology *t, const struct geo_finding *f) {
    bool finite = isfinite(f->area_m2) && isfinite(f->share) && isfinite(f->width_m) &&
                  isfinite(f->lon) && isfinite(f->lat);
    if (!finite) return false;
    if (f->relation == GEO_GAP) return f->a == -1 && f->b == -1;
    if (f->a < 0 || (size_t)f->a >= t->n_child || f->b < 0) return false;
    if (f->relation == GEO_OVERLAP) return (size_t)f->b < t->n_child;
    return f->relation == GEO_INSIDE && (size_t)f->b < t->n_parent;
}

static enum err_code topology_frame(void *arg, enum geo_frame_type type, struct geo_cursor *c,
                                    struct err *err) {
    struct topology *t = arg;
    if (type == GEO_FRAME_END && !t->ended) {
        t->ended = geo_get_i64(c) == (int64_t)t->n;
        if (t->ended) return ERR_OK;
    }
    if (type != GEO_FRAME_FINDING || t->ended)
        return err_fail(err, ERR_INTERNAL, "the helper sent frame '%c' out of order", (int)type);
    struct geo_finding f = {.relation = (enum geo_relation)geo_get_u8(c)};
    f.a = (int32_t)geo_get_u32(c);
    f.b = (int32_t)geo_get_u32(c);
    f.area_m2 = geo_get_f64(c);
    f.share = geo_get_f64(c);
    f.width_m = geo_get_f64(c);
    f.lon = geo_get_f64(c);
    f.lat = geo_get_f64(c);
    if (c->bad || !finding_fits(t, &f))
        return err_fail(err, ERR_INTERNAL, "the helper sent a malformed finding");
    buf_add(&t->found, &f, sizeof f);
    t->n++;
    return buf_check(&t->found, err);
}

static int finding_order(const void *pa, const void *pb) {
    const struct geo_finding *a = pa, *b = pb;
    if (a->relation != b->relation) return a->relation < b->relation ? -1 : 1;
    if (a->a != b->a) return a->a < b->a ? -1 : 1;
    return (a->b > b->b) - (a->b < b->b);
}

static enum err_code findings_take(struct arena *a, const struct topology *t,
                                   const struct geo_finding **out, size_t *n_out, struct err *err) {
    struct geo_finding *f = ARENA_NEW(a, struct geo_finding, t->n);
    if (f == NULL) return err_fail(err, ERR_NOMEM, "%zu findings", t->n);
    if (t->n > 0) {
        memcpy(f, t->found.p, t->n * sizeof *f);
        qsort(f, t->n, sizeof *f, finding_order);
    }
    *out = f;
    *n_out = t->n;
    return ERR_OK;
}

enum err_code geo_topology(struct arena *a, const char *helper_path, const struct geo_shape *child,
                           size_t n_child, const struct geo_shape *parent, size_t n_parent,
                           const struct geo_topology_options *o, const struct geo_finding **out,
                           size_t *n_out, struct err *err) {
    struct args args = {.n = 0};
    struct helper_cmd cmd = {.path = helper_path, .argv = args.v, .on_output = feed};
    add(&args, "gezhi-geo");
    add(&args, "topology");
    add_limits(&args, &cmd.limits, o->wall_ms, o->memory_bytes);
    if (o->gaps) add(&args, "--gaps");
    (void)snprintf(args.min_overlap, sizeof args.min_overlap, "%.17g",
                   o->min_overlap_m2 > 0 ? o->min_overlap_m2 : 0.01);
    add_pair(&args, "--min-overlap", args.min_overlap);
    struct topology t = {.n_child = n_child, .n_parent = n_parent};
    struct buf in;
    struct geo_stream s;
    buf_init(&in, (size_t)1 << 30);
    buf_init(&t.found, MAX_FINDINGS * sizeof(struct geo_finding));
    geo_stream_init(&s);
    s.on_frame = topology_frame;
    s.arg = &t;
    cmd.arg = &s;
    geo_put_u32(&in, (uint32_t)n_child);
    geo_put_u32(&in, (uint32_t)n_parent);
    for (size_t i = 0; i < n_child; i++) geo_put_bytes(&in, child[i].wkb, child[i].n);
    for (size_t i = 0; i < n_parent; i++) geo_put_bytes(&in, parent[i].wkb, parent[i].n);
    enum err_code rc = buf_check(&in, err);
    cmd.in = in.p;
    cmd.in_n = in.n;
    if (rc == ERR_OK) rc = helper_run(&cmd, NULL, err);
    if (rc == ERR_OK && (!t.ended || !geo_stream_at_end(&s)))
        rc = err_fail(err, ERR_INTERNAL, "the helper's answer is cut short");
    if (rc == ERR_OK) rc = findings_take(a, &t, out, n_out, err);
    geo_stream_deinit(&s);
    buf_deinit(&t.found);
    buf_deinit(&in);
    return rc;
}
