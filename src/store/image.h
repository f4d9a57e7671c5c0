/* store/image.h - row images: canonical JSON {"col":value,...} in column order, null columns left
 * out, personal columns as
 * {"c":"<64 hex>","at":<seq>}. Equal rows give equal bytes. Pure; safe from any thread. */
#ifndef STORE_IMAGE_H
#define STORE_IMAGE_H
#include "base/buf.h"
#include "store/db.h"
#include "store/table.h"

/* A commitment as it stands in a table: "c:" + 64 hex + "@" + the journal sequence number under
 * which the value was first written, which is also where table personal keeps the value: in the
 * order of writing, so that inserts stay on its last page. */
enum { COMMIT_HEX = 64, COMMIT_MAX = 2 + COMMIT_HEX + 1 + 19 };
struct commitment {
    const char *hex; /* 64 digits, borrowed */
    int64_t seq;     /* >= 1 */
};

/* Append the image of a row. order[k] = cell of the k-th column to write (NULL: 0, 1, 2 ...).
 * Personal cells hold "c:" + hex. A type that does not fit, a missing required value, text that is
 * not UTF-8 or holds NUL, JSON that is none: ERR_INVALID with the field. Cost: one pass. */
enum err_code image_write(struct buf *b, const struct table *t, const unsigned short *order,
                          const struct cell *cells, struct err *err) NODISCARD;

/* Walk the members of an image (any bytes are survived). */
struct image_iter {
    const char *p, *end;
    bool started;
};
struct image_member {
    const char *key, *value; /* key without quotes (as written), value as JSON text; borrowed */
    size_t key_n, value_n;
};
struct image_iter image_walk(const char *image, size_t n);
/* 1: *m is the next member; 0: the end; -1: not an image. */
int image_next(struct image_iter *it, struct image_member *m);
/* Whether the value is a commitment {"c":"...","at":n}. */
bool image_commitment(const struct image_member *m, struct commitment *out);
/* Whether n bytes are one JSON value (structure, escapes, numbers; depth 32). */
bool image_is_json(const char *p, size_t n);
/* Whether text is a commitment as tables hold it. */
bool commitment_parse(const char *p, size_t n, struct commitment *out);
#endif
