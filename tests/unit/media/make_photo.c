/* make_photo WIDTH HEIGHT KIND: a picture for the tests on stdout. Kinds: jpg gray.jpg cmyk.jpg
 * p3.jpg png alpha.png deep.png webp heic avif gif moving.webp bomb.png */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vips/vips.h>
#include <zlib.h>

static void put32(uint8_t *p, uint32_t v) {
    for (int i = 0; i < 4; i++) p[i] = (uint8_t)(v >> (24 - 8 * i));
}

static void chunk(const char *name, const uint8_t *p, uint32_t n) {
    uint8_t word[8];
    put32(word, n);
    memcpy(word + 4, name, 4);
    uLong crc = crc32(crc32(0, word + 4, 4), p, n);
    if (n == 0) crc = crc32(0, word + 4, 4);
    (void)fwrite(word, 1, 8, stdout);
    (void)fwrite(p, 1, n, stdout);
    put32(word, (uint32_t)crc);
    (void)fwrite(word, 1, 4, stdout);
}

/* Rows of zeros, one bit a pixel: a thousandth of its size on the wire. */
static int bomb(uint32_t w, uint32_t h) {
    size_t row = (w + 7) / 8 + 1, n = row * h;
    uint8_t head[13] = {0}, *raw = calloc(1, n);
    uLongf packed_n = compressBound(n);
    uint8_t *packed = malloc(packed_n);
    int rc = raw && packed ? compress2(packed, &packed_n, raw, n, 9) : Z_MEM_ERROR;
    if (rc == Z_OK) {
        put32(head, w);
        put32(head + 4, h);
        head[8] = 1;
        (void)fwrite("\x89PNG\r\n\x1a\n", 1, 8, stdout);
        chunk("IHDR", head, 13);
        chunk("IDAT", packed, (uint32_t)packed_n);
        chunk("IEND", head, 0);
    }
    free(raw);
    free(packed);
    return rc == Z_OK ? 0 : 1;
}

static VipsImage *picture(int w, int h, const char *kind) {
    VipsImage *a, *b, *c, *d;
    if (vips_worley(&a, w, h, "cell_size", 64, "seed", 5, NULL)) return NULL;
    if (vips_cast(a, &b, VIPS_FORMAT_UCHAR, NULL) || vips_invert(b, &c, NULL)) return NULL;
    VipsImage *bands[] = {b, c, b, c};
    int n = strcmp(kind, "gray.jpg") == 0    ? 1
            : strcmp(kind, "cmyk.jpg") == 0  ? 4
            : strcmp(kind, "alpha.png") == 0 ? 4
                                             : 3;
    VipsInterpretation what = n == 1                          ? VIPS_INTERPRETATION_B_W
                              : strcmp(kind, "cmyk.jpg") == 0 ? VIPS_INTERPRETATION_CMYK
                                                              : VIPS_INTERPRETATION_sRGB;
    VipsImage *joined;
    if (vips_bandjoin(bands, &joined, n, NULL)) return NULL;
    if (vips_copy(joined, &d, "interpretation", what, NULL)) return NULL;
    if (strcmp(kind, "deep.png") != 0) return d;
    VipsImage *e, *f;
    if (vips_colourspace(d, &e, VIPS_INTERPRETATION_RGB16, NULL)) return NULL;
    return vips_copy(e, &f, NULL) ? NULL : f;
}

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    int w = (int)strtol(argv[1], NULL, 10), h = (int)strtol(argv[2], NULL, 10);
    const char *kind = argv[3];
    if (strcmp(kind, "bomb.png") == 0) return bomb((uint32_t)w, (uint32_t)h);
    if (VIPS_INIT(argv[0])) return 1;
    VipsImage *im = picture(w, h, kind);
    void *p = NULL;
    size_t n = 0;
    int rc = -1;
    if (!im) return 1;
    if (strcmp(kind, "moving.webp") == 0) vips_image_set_int(im, "page-height", h / 2);
    if (strcmp(kind, "p3.jpg") == 0)
        rc = vips_icc_export(im, &im, "output_profile", "p3", NULL) ||
             vips_jpegsave_buffer(im, &p, &n, NULL);
    else if (strstr(kind, "jpg"))
        rc = vips_jpegsave_buffer(im, &p, &n, NULL);
    else if (strstr(kind, "png"))
        rc = vips_pngsave_buffer(im, &p, &n, NULL);
    else if (strstr(kind, "webp"))
        rc = vips_webpsave_buffer(im, &p, &n, NULL);
    else if (strcmp(kind, "heic") == 0)
        rc = vips_heifsave_buffer(im, &p, &n, "compression", VIPS_FOREIGN_HEIF_COMPRESSION_HEVC,
                                  NULL);
    else if (strcmp(kind, "avif") == 0)
        rc = vips_heifsave_buffer(im, &p, &n, "compression", VIPS_FOREIGN_HEIF_COMPRESSION_AV1,
                                  "effort", 0, NULL);
    else if (strcmp(kind, "gif") == 0)
        rc = vips_gifsave_buffer(im, &p, &n, NULL);
    if (rc) {
        (void)fprintf(stderr, "%s", vips_error_buffer());
        return 1;
    }
    return fwrite(p, 1, n, stdout) == n ? 0 : 1;
}
