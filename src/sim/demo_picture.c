/* Pictures of the demo: plain coloured tiles, so that the same picture used twice can be seen. They
 * take the way of any photo. */
#include <string.h>
#include <zlib.h>

#include "domain/media/photo.h"
#include "sim/demo_inside.h"

enum { SIZE = 96, MAX_PICTURES = 24, PNG_MAX = 64 * 1024 };

struct demo_pictures {
    uint32_t key[MAX_PICTURES];
    char hash[MAX_PICTURES][65];
    size_t n;
};

static void be32(unsigned char *p, uint32_t v) {
    for (int i = 0; i < 4; i++) p[i] = (unsigned char)(v >> (24 - 8 * i));
}

static void chunk(struct buf *out, const char type[4], const unsigned char *data, size_t n) {
    unsigned char head[8], tail[4];
    be32(head, (uint32_t)n);
    memcpy(head + 4, type, 4);
    uLong crc = crc32(crc32(0, head + 4, 4), data, (uInt)n);
    be32(tail, (uint32_t)crc);
    buf_add(out, head, 8);
    buf_add(out, data, n);
    buf_add(out, tail, 4);
}

/* A PNG (ISO 15948) of stripes whose colours and width come from the key. */
static enum err_code draw(struct arena *a, uint32_t key, struct buf *out, struct err *err) {
    static const size_t row = 1 + (size_t)3 * SIZE;
    struct rng r = rng_new(key, 7);
    unsigned char colour[2][3];
    for (int i = 0; i < 6; i++) colour[i / 3][i % 3] = (unsigned char)(60 + rng_below(&r, 160));
    unsigned width = 4 + rng_below(&r, 12);
    unsigned char *raw = ARENA_NEW(a, unsigned char, row *SIZE),
                  *packed = ARENA_NEW(a, unsigned char, PNG_MAX);
    if (raw == NULL || packed == NULL) return err_fail(err, ERR_NOMEM, "picture");
    for (unsigned y = 0; y < SIZE; y++) {
        for (unsigned x = 0; x < SIZE; x++)
            memcpy(raw + y * row + 1 + 3 * (size_t)x, colour[(x + y) / width % 2], 3);
    }
    uLongf n = PNG_MAX;
    if (compress2(packed, &n, raw, row * SIZE, 9) != Z_OK)
        return err_fail(err, ERR_INTERNAL, "picture");
    unsigned char head[13] = {0};
    be32(head, SIZE);
    be32(head + 4, SIZE);
    head[8] = 8;
    head[9] = 2;
    buf_add(out, "\x89PNG\r\n\x1a\n", 8);
    chunk(out, "IHDR", head, 13);
    chunk(out, "IDAT", packed, n);
    chunk(out, "IEND", head, 0);
    return buf_check(out, err);
}

enum err_code demo_picture(struct demo *d, uint32_t key, const char **hash, struct err *err) {
    if (d->pictures == NULL) d->pictures = ARENA_NEW(d->a, struct demo_pictures, 1);
    struct demo_pictures *p = d->pictures;
    *hash = NULL;
    if (p == NULL) return err_fail(err, ERR_NOMEM, "picture");
    for (size_t i = 0; i < p->n; i++) {
        if (p->key[i] == key) *hash = p->hash[i];
    }
    if (*hash != NULL || p->n == MAX_PICTURES) return ERR_OK;
    struct arena *a = arena_new(16u << 20);
    if (a == NULL) return err_fail(err, ERR_NOMEM, "picture");
    struct buf png;
    buf_init(&png, (size_t)PNG_MAX * 2);
    const struct photo *photo = NULL;
    char thumb[65];
    enum err_code rc = draw(a, key, &png, err);
    if (rc == ERR_OK) rc = photo_take(a, d->o->helper_dir, buf_text(&png), png.n, &photo, err);
    if (rc == ERR_OK) rc = blob_put(d->folder->ledger, photo->p, photo->n, p->hash[p->n], err);
    if (rc == ERR_OK) rc = blob_put(d->folder->ledger, photo->thumb, photo->thumb_n, thumb, err);
    if (rc == ERR_OK) {
        p->key[p->n] = key;
        *hash = p->hash[p->n++];
    }
    buf_deinit(&png);
    arena_free(a);
    return rc;
}
