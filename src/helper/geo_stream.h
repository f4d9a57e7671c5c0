/* helper/geo_stream.h - the bytes between gezhi-geo and its caller, both ways.
 * A frame is its length (4 bytes, little endian) and that many bytes, the first of which is the
 * type. Numbers are little endian; a text is its length, its bytes and a NUL (no other NUL inside),
 * or 0xFFFFFFFF for none; bytes are their length and themselves. What the helper sends is checked
 * like bytes from outside, since the helper reads untrusted files. */
#ifndef HELPER_GEO_STREAM_H
#define HELPER_GEO_STREAM_H
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum geo_frame_type {
    GEO_FRAME_HEAD = 'H',    /* driver, layer, crs, i64 features, u32 n, n names */
    GEO_FRAME_FEATURE = 'F', /* i64 number, u8 flags, values (as many as names), [bytes wkb],
                                [text reason, f64 lon, f64 lat] */
    GEO_FRAME_FINDING = 'R', /* u8 relation, u32 a, u32 b, f64 area, share, width, lon, lat */
    GEO_FRAME_END = 'E'      /* i64 how many frames F or R came */
};
enum { GEO_FLAG_WKB = 1, GEO_FLAG_INVALID = 2, GEO_FLAG_REPAIRED = 4 };
enum { GEO_FRAME_MAX = 80 << 20 };

/* Writing: a frame is begun, filled and ended in one buffer. */
size_t geo_frame_begin(struct buf *b, enum geo_frame_type type);
void geo_frame_end(struct buf *b, size_t begun);
void geo_put_u8(struct buf *b, unsigned v);
void geo_put_u32(struct buf *b, uint32_t v);
void geo_put_i64(struct buf *b, int64_t v);
void geo_put_f64(struct buf *b, double v);
void geo_put_text(struct buf *b, const char *s); /* NULL: none */
void geo_put_bytes(struct buf *b, const void *p, size_t n);

/* Reading one frame. The first reading beyond the end, or of a malformed text, sets bad and gives
 * zeros from there. */
struct geo_cursor {
    const unsigned char *p;
    size_t n, at;
    bool bad;
};
unsigned geo_get_u8(struct geo_cursor *c);
uint32_t geo_get_u32(struct geo_cursor *c);
int64_t geo_get_i64(struct geo_cursor *c);
double geo_get_f64(struct geo_cursor *c);
const char *geo_get_text(struct geo_cursor *c); /* NULL for none; UTF-8 */
const void *geo_get_bytes(struct geo_cursor *c, size_t *n);

/* Frames out of a stream of pieces. on_frame gets a cursor behind the type; it must read the frame
 * to its end. */
struct geo_stream {
    struct buf b;
    enum err_code (*on_frame)(void *arg, enum geo_frame_type type, struct geo_cursor *c,
                              struct err *err);
    void *arg;
};
void geo_stream_init(struct geo_stream *s);
void geo_stream_deinit(struct geo_stream *s);
/* Errors: ERR_INTERNAL (malformed), ERR_LIMIT (a frame beyond GEO_FRAME_MAX), ERR_NOMEM, or what
 * on_frame returns. */
enum err_code geo_stream_feed(struct geo_stream *s, const char *p, size_t n,
                              struct err *err) NODISCARD;
/* Whether the stream ended between two frames. */
bool geo_stream_at_end(const struct geo_stream *s);
#endif
