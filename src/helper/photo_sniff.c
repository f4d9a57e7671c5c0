#include "helper/photo_sniff.h"

#include <string.h>

static uint32_t be32(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static bool is_brand(const uint8_t *p, const char *const *list) {
    for (; *list; list++)
        if (memcmp(p, *list, 4) == 0) return true;
    return false;
}

/* "ftyp" box: size, "ftyp", major brand, minor version, compatible brands. AVIF uses the same box
 * and is not taken. */
static bool is_heic(const uint8_t *p, size_t n, bool *animated) {
    static const char *const still[] = {"heic", "heix", "heim", "heis", NULL};
    static const char *const sequence[] = {"hevc", "hevx", "hevm", "hevs", "msf1", NULL};
    if (n < 16 || memcmp(p + 4, "ftyp", 4) != 0) return false;
    uint32_t size = be32(p);
    if (size < 16 || size > n || size > 1024) return false;
    bool found = is_brand(p + 8, still);
    *animated = is_brand(p + 8, sequence);
    for (uint32_t i = 16; i + 4 <= size; i += 4) found |= is_brand(p + i, still);
    return found || *animated;
}

/* An "acTL" chunk before the first "IDAT" makes an APNG. */
static bool is_apng(const uint8_t *p, size_t n) {
    size_t at = 8;
    while (n - at >= 12) {
        uint32_t len = be32(p + at);
        if (memcmp(p + at + 4, "acTL", 4) == 0) return true;
        if (memcmp(p + at + 4, "IDAT", 4) == 0 || len > n - at - 12) return false;
        at += 12 + (size_t)len;
    }
    return false;
}

enum photo_kind photo_sniff(const uint8_t *p, size_t n, bool *animated) {
    static const uint8_t png[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    *animated = false;
    if (n >= 4 && p[0] == 0xff && p[1] == 0xd8 && p[2] == 0xff) return PHOTO_JPEG;
    if (n >= 8 && memcmp(p, png, 8) == 0) {
        *animated = is_apng(p, n);
        return PHOTO_PNG;
    }
    if (n >= 21 && memcmp(p, "RIFF", 4) == 0 && memcmp(p + 8, "WEBP", 4) == 0) {
        *animated = memcmp(p + 12, "VP8X", 4) == 0 && (p[20] & 0x02) != 0;
        return PHOTO_WEBP;
    }
    return is_heic(p, n, animated) ? PHOTO_HEIC : PHOTO_OTHER;
}

/* Markers that stand alone: TEM, RST0 to RST7, SOI; 0x00 is a stuffed 0xff of the picture data (ISO
 * 10918-1, B.1.1). */
static bool stands_alone(uint8_t marker) {
    return marker <= 0x01 || (marker >= 0xd0 && marker <= 0xd8);
}

bool photo_jpeg_is_whole(const uint8_t *p, size_t n) {
    size_t at = 0;
    while (n - at >= 2) {
        if (p[at] != 0xff || p[at + 1] == 0xff) {
            at++;
            continue;
        }
        uint8_t marker = p[at + 1];
        if (marker == 0xd9) return true;
        at += 2;
        if (stands_alone(marker)) continue;
        if (n - at < 2) return false;
        size_t len = (size_t)p[at] << 8 | p[at + 1];
        if (len > n - at) return false;
        at += len;
    }
    return false;
}

const char *photo_kind_type(enum photo_kind k) {
    static const char *const type[] = {NULL, "image/jpeg", "image/png", "image/webp", "image/heic"};
    return type[k];
}
