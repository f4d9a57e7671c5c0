#include "helper/geo_stream.h"

#include <string.h>

#include "base/utf8.h"

enum { LENGTH = 4 };
#define NO_TEXT 0xFFFFFFFFu

static void store_u32(unsigned char *p, uint32_t v) {
    for (int i = 0; i < 4; i++) p[i] = (unsigned char)(v >> 8 * i);
}

size_t geo_frame_begin(struct buf *b, enum geo_frame_type type) {
    size_t at = b->n;
    geo_put_u32(b, 0);
    geo_put_u8(b, (unsigned)type);
    return at;
}

void geo_frame_end(struct buf *b, size_t begun) {
    if (b->failed) return;
    store_u32((unsigned char *)b->p + begun, (uint32_t)(b->n - begun - LENGTH));
}

void geo_put_u8(struct buf *b, unsigned v) { buf_char(b, (char)v); }

void geo_put_u32(struct buf *b, uint32_t v) {
    unsigned char p[4];
    store_u32(p, v);
    buf_add(b, p, sizeof p);
}

void geo_put_i64(struct buf *b, int64_t v) {
    geo_put_u32(b, (uint32_t)(uint64_t)v);
    geo_put_u32(b, (uint32_t)((uint64_t)v >> 32));
}

void geo_put_f64(struct buf *b, double v) {
    int64_t bits;
    memcpy(&bits, &v, sizeof bits);
    geo_put_i64(b, bits);
}

void geo_put_text(struct buf *b, const char *s) {
    if (s == NULL) {
        geo_put_u32(b, NO_TEXT);
        return;
    }
    size_t n = strlen(s);
    geo_put_u32(b, (uint32_t)n);
    buf_add(b, s, n + 1);
}

void geo_put_bytes(struct buf *b, const void *p, size_t n) {
    geo_put_u32(b, (uint32_t)n);
    if (n > 0) buf_add(b, p, n);
}

static const unsigned char *take(struct geo_cursor *c, size_t n) {
    static const unsigned char zeros[8];
    if (c->bad || n > c->n - c->at) {
        c->bad = true;
        return n <= sizeof zeros ? zeros : NULL;
    }
    const unsigned char *p = c->p + c->at;
    c->at += n;
    return p;
}

unsigned geo_get_u8(struct geo_cursor *c) { return *take(c, 1); }

static uint32_t load_u32(const unsigned char *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

uint32_t geo_get_u32(struct geo_cursor *c) { return load_u32(take(c, 4)); }

int64_t geo_get_i64(struct geo_cursor *c) {
    const unsigned char *p = take(c, 8);
    return (int64_t)(load_u32(p) | (uint64_t)load_u32(p + 4) << 32);
}

double geo_get_f64(struct geo_cursor *c) {
    int64_t bits = geo_get_i64(c);
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

const char *geo_get_text(struct geo_cursor *c) {
    uint32_t n = geo_get_u32(c);
    if (c->bad || n == NO_TEXT) return NULL;
    const unsigned char *p = take(c, (size_t)n + 1);
    if (c->bad || p[n] != '\0' || memchr(p, '\0', n) != NULL || !utf8_valid((const char *)p, n)) {
        c->bad = true;
        return NULL;
    }
    return (const char *)p;
}

const void *geo_get_bytes(struct geo_cursor *c, size_t *n) {
    *n = geo_get_u32(c);
    const void *p = take(c, *n);
    if (c->bad) *n = 0;
    return c->bad ? NULL : p;
}

void geo_stream_init(struct geo_stream *s) {
    memset(s, 0, sizeof *s);
    buf_init(&s->b, (size_t)GEO_FRAME_MAX + 65536);
}

void geo_stream_deinit(struct geo_stream *s) { buf_deinit(&s->b); }

static enum err_code one_frame(const struct geo_stream *s, const unsigned char *p, size_t n,
                               struct err *err) {
    struct geo_cursor c = {.p = p, .n = n};
    unsigned type = geo_get_u8(&c);
    if (strchr("HFRE", (int)type) == NULL || type == 0)
        return err_fail(err, ERR_INTERNAL, "the helper sent a frame of type %u", type);
    TRY(s->on_frame(s->arg, (enum geo_frame_type)type, &c, err));
    if (c.bad || c.at != c.n)
        return err_fail(err, ERR_INTERNAL, "the helper sent a malformed frame '%c'", (int)type);
    return ERR_OK;
}

enum err_code geo_stream_feed(struct geo_stream *s, const char *p, size_t n, struct err *err) {
    buf_add(&s->b, p, n);
    TRY(buf_check(&s->b, err));
    const unsigned char *all = (const unsigned char *)s->b.p;
    size_t at = 0;
    while (s->b.n - at >= LENGTH) {
        uint32_t len = load_u32(all + at);
        if (len == 0) return err_fail(err, ERR_INTERNAL, "the helper sent an empty frame");
        if (len > GEO_FRAME_MAX)
            return err_fail(err, ERR_LIMIT, "one feature takes more than %d bytes", GEO_FRAME_MAX);
        if (s->b.n - at - LENGTH < len) break;
        TRY(one_frame(s, all + at + LENGTH, len, err));
        at += LENGTH + len;
    }
    if (at > 0) {
        memmove(s->b.p, s->b.p + at, s->b.n - at);
        s->b.n -= at;
        s->b.p[s->b.n] = '\0';
    }
    return ERR_OK;
}

bool geo_stream_at_end(const struct geo_stream *s) { return s->b.n == 0; }
