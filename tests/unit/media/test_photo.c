#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "domain/media/photo.h"
#include "helper/run.h"

static const char make_photo[] = BUILD_DIR "/tests/unit/media/make_photo";

static enum err_code collect(void *arg, const char *p, size_t n, struct err *err) {
    buf_add(arg, p, n);
    return buf_check(arg, err);
}

/* Output of a program; the test fails when the program does. */
static void output_of(const char *const *argv, const struct buf *in, struct buf *out) {
    struct helper_cmd cmd = {.path = argv[0],
                             .argv = argv,
                             .in = in ? in->p : NULL,
                             .in_n = in ? in->n : 0,
                             .limits = {60000, 0, 64 << 20},
                             .on_output = collect,
                             .arg = out};
    struct err err = {0};
    buf_init(out, 64 << 20);
    if (helper_run(&cmd, NULL, &err) != ERR_OK) fail_msg("%s: %s", argv[0], err.detail);
}

static void make(const char *w, const char *h, const char *kind, struct buf *out) {
    const char *const argv[] = {make_photo, w, h, kind, NULL};
    output_of(argv, NULL, out);
}

static bool have_exiftool(void) { return access("/usr/bin/exiftool", X_OK) == 0; }

static void add_exif(struct buf *b) {
    const char *const argv[] = {"/usr/bin/exiftool",
                                "-q",
                                "-DateTimeOriginal=2024:05:01 12:00:09",
                                "-OffsetTimeOriginal=+08:00",
                                "-GPSLatitude=32.8513",
                                "-GPSLatitudeRef=N",
                                "-GPSLongitude=119.3",
                                "-GPSLongitudeRef=E",
                                "-Orientation#=6",
                                "-Artist=Somebody Known",
                                "-XMP:Creator=Known",
                                "-o",
                                "-",
                                "-",
                                NULL};
    struct buf out;
    output_of(argv, b, &out);
    buf_deinit(b);
    *b = out;
}

static struct arena *arena;
static long live;

static int set_up(void **state) {
    (void)state;
    live = mem_live();
    arena = arena_new(64 << 20);
    return arena ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    arena_free(arena);
    return mem_live() == live ? 0 : -1;
}

static const struct photo *take(const struct buf *b) {
    const struct photo *ph = NULL;
    struct err err = {0};
    enum err_code rc = photo_take(arena, BUILD_DIR, b->p, b->n, &ph, &err);
    if (rc != ERR_OK) fail_msg("%s: %s", err_name(rc), err.detail);
    return ph;
}

static void refuse(const void *p, size_t n, enum err_code want, const char *word) {
    const struct photo *ph = NULL;
    struct err err = {0};
    enum err_code rc = photo_take(arena, BUILD_DIR, p, n, &ph, &err);
    print_message("%s: %s\n", err_name(rc), err.detail);
    assert_int_equal(rc, want);
    assert_null(ph);
    assert_non_null(strstr(err.detail, word));
}

static bool holds(const uint8_t *p, size_t n, const char *word) {
    return memmem(p, n, word, strlen(word)) != NULL;
}

/* A JPEG without APPn segments but JFIF, and without comments. */
static void check_bare_jpeg(const uint8_t *p, size_t n) {
    size_t at = 2;
    assert_true(n > 100 && p[0] == 0xff && p[1] == 0xd8);
    while (p[at + 1] != 0xda) {
        assert_int_equal(p[at], 0xff);
        assert_true(p[at + 1] < 0xe0 || p[at + 1] == 0xe0);
        if (p[at + 1] == 0xe0) assert_memory_equal(p + at + 4, "JFIF", 5);
        at += 2 + ((size_t)p[at + 2] << 8 | p[at + 3]);
        assert_true(at + 4 < n);
    }
}

static void check_stripped(const struct photo *ph) {
    static const char *const word[] = {"Exif", "GPS", "Known", "2024:05:01", "xmp", "ICC_PROFILE"};
    for (size_t i = 0; i < sizeof word / sizeof word[0]; i++) {
        assert_false(holds(ph->p, ph->n, word[i]));
        assert_false(holds(ph->thumb, ph->thumb_n, word[i]));
    }
    check_bare_jpeg(ph->p, ph->n);
    check_bare_jpeg(ph->thumb, ph->thumb_n);
}

static void phone_photo_is_turned_and_stripped(void **state) {
    (void)state;
    if (!have_exiftool()) {
        print_message("exiftool is absent\n");
        skip();
    }
    static const struct {
        const char *kind, *type;
        int width, height;
        bool turned;
    } kind[] = {{"jpg", "image/jpeg", 4000, 3000, true},
                /* Just above the width that is kept: to write one of a phone's size takes long. */
                {"png", "image/png", 2640, 660, true},
                /* HEIC turns by its own box, not by EXIF (ISO 23008-12). */
                {"heic", "image/heic", 2640, 660, false}};
    for (size_t i = 0; i < 3; i++) {
        struct buf b;
        char width[8], height[8];
        (void)snprintf(width, sizeof width, "%d", kind[i].width);
        (void)snprintf(height, sizeof height, "%d", kind[i].height);
        make(width, height, kind[i].kind, &b);
        add_exif(&b);
        assert_true(holds((const uint8_t *)b.p, b.n, "Somebody Known"));
        const struct photo *ph = take(&b);
        assert_string_equal(ph->source_type, kind[i].type);
        assert_int_equal(ph->source_width, kind[i].width);
        assert_int_equal(ph->source_height, kind[i].height);
        int kept = 2560 * kind[i].height / kind[i].width;
        int thumb = 320 * kind[i].height / kind[i].width;
        assert_int_equal(ph->width, kind[i].turned ? kept : 2560);
        assert_int_equal(ph->height, kind[i].turned ? 2560 : kept);
        assert_int_equal(ph->thumb_width, kind[i].turned ? thumb : 320);
        assert_int_equal(ph->thumb_height, kind[i].turned ? 320 : thumb);
        assert_string_equal(ph->exif_time, "2024-05-01T12:00:09");
        assert_string_equal(ph->exif_offset, "+08:00");
        assert_true(ph->has_place);
        assert_true(ph->lon > 119.29999 && ph->lon < 119.30001);
        assert_true(ph->lat > 32.85129 && ph->lat < 32.85131);
        check_stripped(ph);
        assert_true(ph->n < 2000000 && ph->thumb_n < 40000);
        buf_deinit(&b);
    }
}

static void other_colours_and_sizes(void **state) {
    (void)state;
    static const char *const kind[] = {"gray.jpg",  "cmyk.jpg", "p3.jpg",
                                       "alpha.png", "deep.png", "webp"};
    for (size_t i = 0; i < sizeof kind / sizeof kind[0]; i++) {
        struct buf b;
        make("300", "200", kind[i], &b);
        const struct photo *ph = take(&b);
        assert_int_equal(ph->width, 300);
        assert_int_equal(ph->height, 200);
        assert_int_equal(ph->thumb_width, 300);
        assert_null(ph->exif_time);
        assert_false(ph->has_place);
        check_stripped(ph);
        assert_int_equal(strlen(ph->sha256), 64);
        assert_string_not_equal(ph->sha256, ph->source_sha256);
        buf_deinit(&b);
    }
}

static void same_bytes_same_names(void **state) {
    (void)state;
    struct buf b;
    make("640", "480", "jpg", &b);
    const struct photo *x = take(&b), *y = take(&b);
    assert_string_equal(x->source_sha256, y->source_sha256);
    assert_string_equal(x->sha256, y->sha256);
    assert_string_equal(x->thumb_sha256, y->thumb_sha256);
    buf_deinit(&b);
}

static void damaged_and_cut_off(void **state) {
    (void)state;
    static const char *const kind[] = {"jpg", "png", "webp", "heic"};
    for (size_t i = 0; i < 4; i++) {
        struct buf b;
        make("1200", "900", kind[i], &b);
        refuse(b.p, b.n * 6 / 10, ERR_INVALID, "JPEG, PNG, WebP and HEIC");
        refuse(b.p, 40, ERR_INVALID, "JPEG, PNG, WebP and HEIC");
        memset(b.p + b.n / 3, 0x55, b.n / 3);
        /* Garbage in the middle of a JPEG still decodes; the process must end well either way. */
        const struct photo *ph = NULL;
        struct err err = {0};
        enum err_code rc = photo_take(arena, BUILD_DIR, b.p, b.n, &ph, &err);
        assert_true(rc == ERR_OK || rc == ERR_INVALID);
        buf_deinit(&b);
    }
}

static void other_kinds_are_named(void **state) {
    (void)state;
    static const char svg[] = "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>";
    static const char pdf[] = "%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>";
    static const char ppm[] = "P6\n2 2\n255\nabcdefghijkl";
    refuse(svg, sizeof svg - 1, ERR_UNSUPPORTED, "JPEG, PNG, WebP and HEIC");
    refuse(pdf, sizeof pdf - 1, ERR_UNSUPPORTED, "20 MB");
    refuse(ppm, sizeof ppm - 1, ERR_UNSUPPORTED, "JPEG, PNG, WebP and HEIC");
    refuse("x", 1, ERR_UNSUPPORTED, "JPEG");
    refuse("", 0, ERR_INVALID, "empty");
    static const char *const kind[] = {"gif", "avif", "moving.webp"};
    for (size_t i = 0; i < 3; i++) {
        struct buf b;
        make("64", "64", kind[i], &b);
        refuse(b.p, b.n, ERR_UNSUPPORTED, i == 2 ? "moving" : "JPEG, PNG, WebP and HEIC");
        buf_deinit(&b);
    }
}

static void animated_png_is_refused(void **state) {
    (void)state;
    struct buf b, moving;
    make("64", "64", "png", &b);
    buf_init(&moving, 1 << 20);
    /* An acTL chunk behind IHDR (33 bytes from the start); its checksum is not looked at before it
     * is refused. */
    buf_add(&moving, b.p, 33);
    buf_add(&moving, "\0\0\0\10acTL\0\0\0\2\0\0\0\0\0\0\0\0", 20);
    buf_add(&moving, b.p + 33, b.n - 33);
    refuse(moving.p, moving.n, ERR_UNSUPPORTED, "moving");
    buf_deinit(&b);
    buf_deinit(&moving);
}

static void bombs_cost_little(void **state) {
    (void)state;
    struct buf b;
    make("40000", "30000", "bomb.png", &b);
    print_message("a bomb of %zu bytes\n", b.n);
    assert_true(b.n < 1000000);
    int64_t start = clock_mono_us();
    refuse(b.p, b.n, ERR_LIMIT, "60 million");
    assert_true(clock_mono_us() - start < 3000000);
    buf_deinit(&b);
    /* The largest that is taken: it must pass, or stop at the time limit; never more than that. */
    make("7700", "7700", "bomb.png", &b);
    const struct photo *ph = NULL;
    struct err err = {0};
    start = clock_mono_us();
    enum err_code rc = photo_take(arena, BUILD_DIR, b.p, b.n, &ph, &err);
    print_message("59 megapixels: %s in %lld ms\n", err_name(rc),
                  (long long)((clock_mono_us() - start) / 1000));
    assert_true(rc == ERR_OK || rc == ERR_LIMIT);
    buf_deinit(&b);
}

static void too_many_bytes(void **state) {
    (void)state;
    void *p = mem_new(PHOTO_MAX_BYTES + 1, 1);
    assert_non_null(p);
    refuse(p, PHOTO_MAX_BYTES + 1, ERR_TOO_LARGE, "20 MB");
    refuse(p, PHOTO_MAX_BYTES, ERR_UNSUPPORTED, "JPEG");
    mem_free(p);
}

static void missing_helper_is_said(void **state) {
    (void)state;
    const struct photo *ph = NULL;
    struct err err = {0};
    assert_int_equal(photo_take(arena, "/nowhere", "x", 1, &ph, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.detail, "gezhi-photo"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(phone_photo_is_turned_and_stripped),
        TEST(other_colours_and_sizes),
        TEST(same_bytes_same_names),
        TEST(damaged_and_cut_off),
        TEST(other_kinds_are_named),
        TEST(animated_png_is_refused),
        TEST(bombs_cost_little),
        TEST(too_many_bytes),
        TEST(missing_helper_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
