#include "domain/media/photo.h"

#include <string.h>

#include "base/json.h"
#include "helper/run.h"

enum { WALL_MS = 15000, MAX_OUTPUT = 24 << 20 };
#define ACCEPTED "accepted are JPEG, PNG, WebP and HEIC pictures of at most 20 MB"

static enum err_code collect(void *arg, const char *p, size_t n, struct err *err) {
    struct buf *b = arg;
    buf_add(b, p, n);
    return buf_check(b, err);
}

/* One part of the helper's stream: a 32-bit big-endian length and that many bytes. */
static bool part(const uint8_t **at, size_t *left, const uint8_t **p, size_t *n) {
    if (*left < 4) return false;
    const uint8_t *l = *at;
    size_t len = (size_t)l[0] << 24 | (size_t)l[1] << 16 | (size_t)l[2] << 8 | l[3];
    if (len > *left - 4) return false;
    *p = *at + 4;
    *n = len;
    *at += 4 + len;
    *left -= 4 + len;
    return true;
}

static void name_bytes(const void *p, size_t n, char hex[HASH_HEX]) {
    uint8_t sum[HASH_SHA256];
    struct hash_piece piece = {p, n};
    hash_sha256(&piece, 1, sum);
    hash_hex(sum, sizeof sum, hex);
}

static enum err_code size_of(const struct val *v, const char *key, int *out, struct err *err) {
    int64_t i = 0;
    TRY(val_int(v, key, true, 1, 100000, &i, err));
    *out = (int)i;
    return ERR_OK;
}

static enum err_code read_facts(struct arena *a, const uint8_t *json, size_t n, struct photo *out,
                                struct err *err) {
    const struct val *v = NULL;
    TRY(json_parse(a, (const char *)json, n, &v, err));
    TRY(val_str(v, "type", true, 32, &out->source_type, err));
    TRY(size_of(v, "width", &out->source_width, err));
    TRY(size_of(v, "height", &out->source_height, err));
    TRY(size_of(v, "out_width", &out->width, err));
    TRY(size_of(v, "out_height", &out->height, err));
    TRY(size_of(v, "thumb_width", &out->thumb_width, err));
    TRY(size_of(v, "thumb_height", &out->thumb_height, err));
    TRY(val_str(v, "exif_time", false, 32, &out->exif_time, err));
    TRY(val_str(v, "exif_offset", false, 8, &out->exif_offset, err));
    const struct val *lon = val_get(v, "lon");
    out->has_place = lon != NULL && lon->type != VAL_NULL;
    if (!out->has_place) return ERR_OK;
    TRY(val_double(v, "lon", true, -180, 180, &out->lon, err));
    return val_double(v, "lat", true, -90, 90, &out->lat, err);
}

static enum err_code read_answer(struct arena *a, const struct buf *b, struct photo *out,
                                 struct err *err) {
    const uint8_t *at = (const uint8_t *)b->p, *json, *pic, *thumb;
    size_t left = b->n, json_n, pic_n, thumb_n;
    bool ok = left >= 4 && memcmp(at, "GZP1", 4) == 0;
    if (ok) {
        at += 4;
        left -= 4;
    }
    if (!ok || !part(&at, &left, &json, &json_n) || !part(&at, &left, &pic, &pic_n) ||
        !part(&at, &left, &thumb, &thumb_n) || left != 0 || pic_n == 0 || thumb_n == 0)
        return err_fail(err, ERR_INTERNAL, "gezhi-photo gave an answer that cannot be read");
    enum err_code rc = read_facts(a, json, json_n, out, err);
    if (rc == ERR_NOMEM) return rc;
    if (rc != ERR_OK)
        return err_fail(err, ERR_INTERNAL, "gezhi-photo described the picture wrongly");
    out->type = "image/jpeg";
    out->p = (const uint8_t *)arena_dup(a, (const char *)pic, pic_n);
    out->n = pic_n;
    out->thumb = (const uint8_t *)arena_dup(a, (const char *)thumb, thumb_n);
    out->thumb_n = thumb_n;
    if (!out->p || !out->thumb) return err_fail(err, ERR_NOMEM, "no memory for the photo");
    name_bytes(out->p, out->n, out->sha256);
    name_bytes(out->thumb, out->thumb_n, out->thumb_sha256);
    return ERR_OK;
}

static enum err_code run_helper(const char *path, const void *p, size_t n, struct buf *b,
                                struct err *err) {
    const char *const argv[] = {"gezhi-photo", NULL};
    /* The helper limits its own memory and processor time; the wall clock is for a loaded machine.
     */
    struct helper_cmd cmd = {.path = path,
                             .argv = argv,
                             .in = p,
                             .in_n = n,
                             .limits = {WALL_MS, 0, MAX_OUTPUT},
                             .on_output = collect,
                             .arg = b};
    return helper_run(&cmd, NULL, err);
}

enum err_code photo_take(struct arena *a, const char *helper_dir, const void *p, size_t n,
                         const struct photo **out, struct err *err) {
    if (n == 0) return err_fail(err, ERR_INVALID, "the picture is empty; " ACCEPTED);
    if (n > PHOTO_MAX_BYTES)
        return err_fail(err, ERR_TOO_LARGE, "the picture has %zu bytes; " ACCEPTED, n);
    char path[4096];
    TRY(helper_find(helper_dir, "gezhi-photo", path, sizeof path, err));
    struct photo *ph = ARENA_NEW(a, struct photo, 1);
    if (!ph) return err_fail(err, ERR_NOMEM, "no memory for the photo");
    struct buf b;
    buf_init(&b, MAX_OUTPUT);
    enum err_code rc = run_helper(path, p, n, &b, err);
    if (rc == ERR_OK) rc = read_answer(a, &b, ph, err);
    buf_deinit(&b);
    TRY(rc);
    name_bytes(p, n, ph->source_sha256);
    *out = ph;
    return ERR_OK;
}
