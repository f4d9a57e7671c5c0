/* gezhi-photo [FILE]: takes one picture (JPEG, PNG, WebP or HEIC; at most 20 MiB and 60 megapixels)
 * from the file or stdin and writes to stdout: "GZP1", then three parts, each a 32-bit big-endian
 * length and that many bytes:
 *   1. JSON
 * {type,width,height,out_width,out_height,thumb_width,thumb_height,exif_time,exif_offset,lon,lat}
 *   2. the picture, turned upright, at most 2560 pixels a side, JPEG in sRGB without any metadata
 *   3. a thumbnail of at most 320 pixels a side, likewise
 * Exit codes as in helper/run.h; one English line on stderr says what is wrong. */
#include <dlfcn.h>
#include <fcntl.h>
#include <gmodule.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <vips/vips.h>

#include "base/json.h"
#include "base/mem.h"
#include "helper/photo_exif.h"
#include "helper/photo_sandbox.h"
#include "helper/photo_sniff.h"
#include "helper/run.h"

enum {
    MAX_BYTES = 20 << 20,
    MAX_PIXELS = 60000000,
    MAX_SIDE = 40000,
    OUT_SIDE = 2560,
    THUMB_SIDE = 320
};
static const char ACCEPTED[] = "accepted are JPEG, PNG, WebP and HEIC pictures of at most 20 MB";

#ifdef __SANITIZE_ADDRESS__
/* The filter stops the leak checker's helper process; the process ends anyway after one picture. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "detect_leaks=0"; }
#endif

struct shot {
    uint8_t *in;
    size_t in_n;
    enum photo_kind kind;
    int width, height; /* as stored, before turning */
    char time[PHOTO_TIME], offset[PHOTO_OFFSET];
    bool has_time, has_offset, has_place;
    double lon, lat;
    VipsImage *out, *thumb;
    void *out_p, *thumb_p;
    size_t out_n, thumb_n;
};

static int say(int code, const char *what) {
    (void)fprintf(stderr, "%s; %s\n", what, ACCEPTED);
    return code;
}

/* The library's own words, on one line. */
static int say_vips(const char *what) {
    char text[200];
    (void)snprintf(text, sizeof text, "%s", vips_error_buffer());
    for (char *c = text; *c; c++)
        if (*c == '\n' || *c == '\r') *c = ' ';
    if (strstr(text, "out of memory") != NULL)
        return say(HELPER_EXIT_LIMIT, "the picture needs too much memory");
    if (*text == '\0') return say(HELPER_EXIT_INPUT, what);
    (void)fprintf(stderr, "%s (%s); %s\n", what, text, ACCEPTED);
    return HELPER_EXIT_INPUT;
}

static int read_input(const char *path, struct shot *s) {
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : 0;
    if (fd < 0) return say(HELPER_EXIT_INPUT, "the file cannot be opened");
    s->in = mem_new(MAX_BYTES + 1, 1);
    if (!s->in) return say(HELPER_EXIT_FAILED, "out of memory");
    for (;;) {
        ssize_t n = read(fd, s->in + s->in_n, MAX_BYTES + 1 - s->in_n);
        if (n < 0) return say(HELPER_EXIT_INPUT, "the picture cannot be read");
        if (n == 0) break;
        s->in_n += (size_t)n;
        if (s->in_n > MAX_BYTES) return say(HELPER_EXIT_LIMIT, "the picture is over 20 MB");
    }
    if (path) (void)close(fd);
    return HELPER_EXIT_OK;
}

static int check_kind(struct shot *s) {
    bool animated = false;
    s->kind = photo_sniff(s->in, s->in_n, &animated);
    if (s->in_n == 0) return say(HELPER_EXIT_INPUT, "the picture is empty");
    if (s->kind == PHOTO_OTHER)
        return say(HELPER_EXIT_UNSUPPORTED, "this is no picture of an accepted kind");
    if (s->kind == PHOTO_JPEG && !photo_jpeg_is_whole(s->in, s->in_n))
        return say(HELPER_EXIT_INPUT, "the picture is damaged or cut off");
    if (animated) return say(HELPER_EXIT_UNSUPPORTED, "moving pictures are not accepted");
    return HELPER_EXIT_OK;
}

static void quiet(const gchar *domain, GLogLevelFlags level, const gchar *text, gpointer arg) {
    (void)domain;
    (void)level;
    (void)text;
    (void)arg;
}

/* The HEIF reader is a module beside the library; the other modules (PDF, slides, ImageMagick) are
 * never loaded. */
static bool load_heif(void) {
    Dl_info lib;
    char path[4096];
    if (dladdr((const void *)(uintptr_t)vips_init, &lib) == 0 || !lib.dli_fname) return false;
    const char *slash = strrchr(lib.dli_fname, '/');
    int dir = slash ? (int)(slash - lib.dli_fname) : 0;
    int n = snprintf(path, sizeof path, "%.*s/vips-modules-%d.%d/vips-heif.so", dir, lib.dli_fname,
                     vips_version(0), vips_version(1));
    if (n < 0 || (size_t)n >= sizeof path) return false;
    if (g_type_from_name("VipsForeignLoadHeif") == 0) (void)g_module_open(path, G_MODULE_BIND_LAZY);
    return g_type_from_name("VipsForeignLoadHeif") != 0;
}

static bool start_vips(enum photo_kind kind) {
    static const char *const loader[] = {NULL, "VipsForeignLoadJpeg", "VipsForeignLoadPng",
                                         "VipsForeignLoadWebp", "VipsForeignLoadHeif"};
    (void)g_log_set_default_handler(quiet, NULL);
    /* A place without modules keeps vips_init from loading those it finds. */
    (void)g_setenv("VIPSHOME", "/nonexistent", TRUE);
    if (VIPS_INIT("gezhi-photo") != 0) return false;
    if (kind == PHOTO_HEIC && !load_heif()) return false;
    vips_concurrency_set(1);
    vips_cache_set_max(0);
    vips_block_untrusted_set(TRUE);
    vips_operation_block_set("VipsForeignLoad", TRUE);
    vips_operation_block_set(loader[kind], FALSE);
    return true;
}

/* ---- the header: size and EXIF ---- */

static const char *field(VipsImage *im, const char *name) {
    const char *text = NULL;
    if (vips_image_get_typeof(im, name) == 0) return "";
    return vips_image_get_string(im, name, &text) == 0 && text ? text : "";
}

static void read_exif(VipsImage *im, struct shot *s) {
    const char *taken = field(im, "exif-ifd2-DateTimeOriginal");
    if (*taken == '\0') taken = field(im, "exif-ifd0-DateTime");
    s->has_time = photo_exif_time(taken, s->time);
    s->has_offset = photo_exif_offset(field(im, "exif-ifd2-OffsetTimeOriginal"), s->offset);
    s->has_place = photo_exif_degrees(field(im, "exif-ifd3-GPSLatitude"),
                                      field(im, "exif-ifd3-GPSLatitudeRef"), 90, &s->lat) &&
                   photo_exif_degrees(field(im, "exif-ifd3-GPSLongitude"),
                                      field(im, "exif-ifd3-GPSLongitudeRef"), 180, &s->lon);
}

/* shrink: 1, 2, 4 or 8, for JPEG and WebP: fewer pixels are decoded. What is cut off is an error,
 * never a grey rest. */
static VipsImage *open_picture(const struct shot *s, int shrink) {
    VipsImage *im = NULL;
    void *p = s->in;
    int rc = -1;
    switch (s->kind) {
    case PHOTO_JPEG:
        rc = vips_jpegload_buffer(p, s->in_n, &im, "access", VIPS_ACCESS_SEQUENTIAL, "fail_on",
                                  VIPS_FAIL_ON_TRUNCATED, "shrink", shrink, NULL);
        break;
    case PHOTO_PNG:
        rc = vips_pngload_buffer(p, s->in_n, &im, "access", VIPS_ACCESS_SEQUENTIAL, "fail_on",
                                 VIPS_FAIL_ON_TRUNCATED, NULL);
        break;
    case PHOTO_WEBP:
        rc = vips_webpload_buffer(p, s->in_n, &im, "access", VIPS_ACCESS_SEQUENTIAL, "fail_on",
                                  VIPS_FAIL_ON_TRUNCATED, "scale", 1.0 / shrink, NULL);
        break;
    case PHOTO_HEIC:
        rc = vips_heifload_buffer(p, s->in_n, &im, "access", VIPS_ACCESS_SEQUENTIAL, "fail_on",
                                  VIPS_FAIL_ON_TRUNCATED, NULL);
        break;
    default:
        break;
    }
    return rc == 0 ? im : NULL;
}

static int read_header(struct shot *s) {
    VipsImage *im = open_picture(s, 1);
    if (!im) return say_vips("the picture is damaged");
    s->width = vips_image_get_width(im);
    s->height = vips_image_get_height(im);
    read_exif(im, s);
    g_object_unref(im);
    if ((int64_t)s->width * s->height > MAX_PIXELS || s->width > MAX_SIDE || s->height > MAX_SIDE) {
        (void)fprintf(stderr, "the picture has %d x %d pixels, at most 60 million are accepted\n",
                      s->width, s->height);
        return HELPER_EXIT_LIMIT;
    }
    return HELPER_EXIT_OK;
}

/* ---- pixels ---- */

/* A new picture from the bare bytes: what has no metadata can write none. (libvips 8.14 copies EXIF
 * into a WebP even when it is told to strip.) */
static VipsImage *bare(VipsImage *in) {
    VipsImage *raw = NULL, *out = NULL;
    size_t n = 0;
    void *p = vips_image_write_to_memory(in, &n);
    if (!p) return NULL;
    raw = vips_image_new_from_memory_copy(p, n, vips_image_get_width(in), vips_image_get_height(in),
                                          vips_image_get_bands(in), VIPS_FORMAT_UCHAR);
    g_free(p);
    if (raw) (void)vips_copy(raw, &out, "interpretation", VIPS_INTERPRETATION_sRGB, NULL);
    VIPS_UNREF(raw);
    return out;
}

/* Whatever came out of decoding, as three bytes a pixel in sRGB on white. */
static VipsImage *plain(VipsImage *in) {
    VipsImage *a = NULL, *b = NULL, *c = NULL, *d = NULL;
    VipsArrayDouble *white = vips_array_double_newv(3, 255.0, 255.0, 255.0);
    if (vips_colourspace(in, &a, VIPS_INTERPRETATION_sRGB, NULL) == 0) {
        bool ok = vips_image_hasalpha(a) ? vips_flatten(a, &b, "background", white, NULL) == 0
                                         : vips_copy(a, &b, NULL) == 0;
        if (ok && vips_cast(b, &c, VIPS_FORMAT_UCHAR, NULL) == 0) d = bare(c);
    }
    vips_area_unref(VIPS_AREA(white));
    VIPS_UNREF(a);
    VIPS_UNREF(b);
    VIPS_UNREF(c);
    return d;
}

static int shrink_of(const struct shot *s) {
    int side = s->width > s->height ? s->width : s->height, shrink = 1;
    while (shrink < 8 && side / (shrink * 2) >= OUT_SIDE) shrink *= 2;
    return shrink;
}

static int make_pictures(struct shot *s) {
    VipsImage *big = NULL, *small = NULL, *im = open_picture(s, shrink_of(s));
    if (!im) return say_vips("the picture is damaged");
    int rc = vips_thumbnail_image(im, &big, OUT_SIDE, "height", OUT_SIDE, "size", VIPS_SIZE_DOWN,
                                  "export_profile", "srgb", NULL);
    g_object_unref(im);
    if (rc != 0) return say_vips("the picture is damaged or cut off");
    s->out = plain(big);
    g_object_unref(big);
    if (!s->out) return say_vips("the picture is damaged or cut off");
    if (vips_thumbnail_image(s->out, &small, THUMB_SIDE, "height", THUMB_SIDE, "size",
                             VIPS_SIZE_DOWN, "no_rotate", TRUE, NULL) != 0)
        return say_vips("no thumbnail could be made");
    s->thumb = bare(small);
    g_object_unref(small);
    if (!s->thumb) return say_vips("no thumbnail could be made");
    if (vips_jpegsave_buffer(s->out, &s->out_p, &s->out_n, "Q", 85, "strip", TRUE, NULL) != 0 ||
        vips_jpegsave_buffer(s->thumb, &s->thumb_p, &s->thumb_n, "Q", 78, "strip", TRUE, NULL) != 0)
        return say_vips("the picture could not be written anew");
    return HELPER_EXIT_OK;
}

/* ---- output ---- */

static bool put(const void *p, size_t n) {
    uint8_t len[4] = {(uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};
    return fwrite(len, 1, 4, stdout) == 4 && fwrite(p, 1, n, stdout) == n;
}

static void describe(const struct shot *s, struct buf *b) {
    struct jw w;
    jw_init(&w, b);
    jw_obj(&w);
    jw_kstr(&w, "type", photo_kind_type(s->kind));
    jw_kint(&w, "width", s->width);
    jw_kint(&w, "height", s->height);
    jw_kint(&w, "out_width", vips_image_get_width(s->out));
    jw_kint(&w, "out_height", vips_image_get_height(s->out));
    jw_kint(&w, "thumb_width", vips_image_get_width(s->thumb));
    jw_kint(&w, "thumb_height", vips_image_get_height(s->thumb));
    jw_kstr(&w, "exif_time", s->has_time ? s->time : NULL);
    jw_kstr(&w, "exif_offset", s->has_offset ? s->offset : NULL);
    jw_key(&w, "lon");
    s->has_place ? jw_double(&w, s->lon) : jw_null(&w);
    jw_key(&w, "lat");
    s->has_place ? jw_double(&w, s->lat) : jw_null(&w);
    jw_end(&w, '}');
}

static int write_out(const struct shot *s) {
    struct buf b;
    buf_init(&b, 4096);
    describe(s, &b);
    bool ok = !b.failed && fwrite("GZP1", 1, 4, stdout) == 4 && put(b.p, b.n) &&
              put(s->out_p, s->out_n) && put(s->thumb_p, s->thumb_n) && fflush(stdout) == 0;
    buf_deinit(&b);
    return ok ? HELPER_EXIT_OK : say(HELPER_EXIT_FAILED, "the result cannot be written");
}

static int run(const char *path, struct shot *s) {
    int rc = read_input(path, s);
    if (rc == HELPER_EXIT_OK) rc = check_kind(s);
    if (rc != HELPER_EXIT_OK) return rc;
    if (!start_vips(s->kind)) return say(HELPER_EXIT_FAILED, "libvips cannot be started");
    if (!photo_limit_calls()) return say(HELPER_EXIT_FAILED, "no system-call filter");
    rc = read_header(s);
    if (rc == HELPER_EXIT_OK) rc = make_pictures(s);
    if (rc == HELPER_EXIT_OK) rc = write_out(s);
    return rc;
}

/* The libraries abort when the memory limit is reached. */
static void on_abort(int signal) {
    static const char text[] = "the picture needs too much memory or is damaged\n";
    (void)signal;
    (void)!write(2, text, sizeof text - 1);
    _exit(HELPER_EXIT_LIMIT);
}

int main(int argc, char **argv) {
    struct shot s;
    memset(&s, 0, sizeof s);
    if (argc > 2 || (argc == 2 && argv[1][0] == '-')) {
        (void)fprintf(stderr, "usage: gezhi-photo [FILE]\n");
        return HELPER_EXIT_USAGE;
    }
    if (!photo_limit_resources()) return say(HELPER_EXIT_FAILED, "the limits cannot be set");
    (void)signal(SIGABRT, on_abort);
    (void)signal(SIGTRAP, on_abort);
    int rc = run(argc == 2 ? argv[1] : NULL, &s);
    /* One picture a process: the rest goes with it, without running the libraries' exit code on
     * what they read. */
    (void)fflush(stderr);
    _exit(rc);
}
