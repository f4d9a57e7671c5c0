/* Any bytes as the answer of the geometry helper, cut into pieces of a length that the first byte
 * chooses. */
#include <stddef.h>
#include <stdint.h>

#include "helper/geo_stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads a frame as its type says; whatever is left over makes it malformed. */
static enum err_code on_frame(void *arg, enum geo_frame_type type, struct geo_cursor *c,
                              struct err *err) {
    uint32_t *fields = arg;
    size_t n;
    (void)err;
    if (type == GEO_FRAME_HEAD) {
        for (int i = 0; i < 3; i++) (void)geo_get_text(c);
        (void)geo_get_i64(c);
        *fields = geo_get_u32(c) % 64;
        for (uint32_t i = 0; i < *fields; i++) (void)geo_get_text(c);
    } else if (type == GEO_FRAME_FEATURE) {
        (void)geo_get_i64(c);
        unsigned flags = geo_get_u8(c);
        for (uint32_t i = 0; i < *fields; i++) (void)geo_get_text(c);
        if ((flags & GEO_FLAG_WKB) != 0) (void)geo_get_bytes(c, &n);
        if ((flags & GEO_FLAG_INVALID) != 0) (void)geo_get_text(c);
    } else if (type == GEO_FRAME_FINDING) {
        (void)geo_get_u8(c);
        for (int i = 0; i < 2; i++) (void)geo_get_u32(c);
        for (int i = 0; i < 5; i++) (void)geo_get_f64(c);
    } else {
        (void)geo_get_i64(c);
    }
    return ERR_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) return 0;
    struct geo_stream s;
    uint32_t fields = 0;
    size_t piece = data[0] == 0 ? size : data[0];
    geo_stream_init(&s);
    s.on_frame = on_frame;
    s.arg = &fields;
    for (size_t i = 1; i < size; i += piece) {
        size_t n = size - i < piece ? size - i : piece;
        if (geo_stream_feed(&s, (const char *)data + i, n, NULL) != ERR_OK) break;
    }
    (void)geo_stream_at_end(&s);
    geo_stream_deinit(&s);
    return 0;
}
