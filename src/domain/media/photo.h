/* domain/media/photo.h - takes in a photo from outside: gezhi-photo checks it in a process of its
 * own, turns it upright, takes away all metadata and makes it small. Blocking (up to some seconds
 * of processor time): call it from a job thread. Any number of threads may call it at once. */
#ifndef DOMAIN_MEDIA_PHOTO_H
#define DOMAIN_MEDIA_PHOTO_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/hash.h"

enum { PHOTO_MAX_BYTES = 20 << 20 };

struct photo {
    const char *source_type; /* "image/jpeg", "image/png", "image/webp", "image/heic" */
    int source_width, source_height;
    char source_sha256[HASH_HEX]; /* of the bytes that came in: the same photo sent twice */
    /* What may be kept and shown: JPEG in sRGB, at most 2560 pixels a side, without any metadata.
     */
    const char *type; /* "image/jpeg" */
    const uint8_t *p;
    size_t n;
    char sha256[HASH_HEX];
    int width, height;
    /* At most 320 pixels a side, "image/jpeg" too. */
    const uint8_t *thumb;
    size_t thumb_n;
    char thumb_sha256[HASH_HEX];
    int thumb_width, thumb_height;
    /* What the camera wrote; internal, never shown to the public. */
    const char *exif_time;   /* "2024-05-01T12:00:09" in the camera's local time, or NULL */
    const char *exif_offset; /* "+08:00" when the camera knew it, or NULL */
    bool has_place;
    double lon, lat; /* WGS-84 degrees as the camera states them */
};

/* Take n bytes. helper_dir: the folder of gezhi-photo, NULL for the usual places (helper/run.h).
 * *out and all it points to is the arena's (up to about 4 MB a photo). Errors: ERR_TOO_LARGE (over
 * 20 MB), ERR_UNSUPPORTED (no JPEG, PNG, WebP or HEIC; a moving picture), ERR_INVALID (empty,
 * damaged, cut off), ERR_LIMIT (over 60 megapixels, or too much time or memory to decode),
 * ERR_TIMEOUT, ERR_NOT_FOUND (no helper program), ERR_NOMEM, ERR_INTERNAL. The detail names what is
 * accepted. */
enum err_code photo_take(struct arena *a, const char *helper_dir, const void *p, size_t n,
                         const struct photo **out, struct err *err) NODISCARD;
#endif
