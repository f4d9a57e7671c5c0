#include "helper/photo_exif.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static bool two_digits(const char *s, int max) {
    if (s[0] < '0' || s[0] > '9' || s[1] < '0' || s[1] > '9') return false;
    return (s[0] - '0') * 10 + (s[1] - '0') <= max;
}

bool photo_exif_time(const char *text, char out[PHOTO_TIME]) {
    static const char shape[] = "dddd:dd:dd dd:dd:dd";
    for (size_t i = 0; i < PHOTO_TIME - 1; i++) {
        char c = text[i]; /* a NUL fits no place of the shape, so that nothing behind it is read */
        if (shape[i] == 'd' ? c < '0' || c > '9' : c != shape[i]) return false;
    }
    if (text[PHOTO_TIME - 1] != '\0' && text[PHOTO_TIME - 1] != ' ') return false;
    if (!two_digits(text + 5, 12) || !two_digits(text + 8, 31) || !two_digits(text + 11, 23) ||
        !two_digits(text + 14, 59) || !two_digits(text + 17, 59))
        return false;
    /* Cameras without a set clock write zeros. */
    if (memcmp(text, "0000", 4) == 0 || memcmp(text + 5, "00", 2) == 0 ||
        memcmp(text + 8, "00", 2) == 0)
        return false;
    memcpy(out, text, PHOTO_TIME - 1);
    out[PHOTO_TIME - 1] = '\0';
    out[4] = out[7] = '-';
    out[10] = 'T';
    return true;
}

bool photo_exif_offset(const char *text, char out[PHOTO_OFFSET]) {
    if (text[0] != '+' && text[0] != '-') return false;
    if (!two_digits(text + 1, 14) || text[3] != ':' || !two_digits(text + 4, 59)) return false;
    if (text[6] != '\0' && text[6] != ' ') return false;
    memcpy(out, text, PHOTO_OFFSET - 1);
    out[PHOTO_OFFSET - 1] = '\0';
    return true;
}

/* "a/b" with b > 0; *text moves behind it. */
static bool ratio(const char **text, double *out) {
    char *end = NULL;
    if (**text < '0' || **text > '9') return false;
    unsigned long a = strtoul(*text, &end, 10);
    if (*end != '/' || end[1] < '0' || end[1] > '9') return false;
    unsigned long b = strtoul(end + 1, &end, 10);
    if (b == 0 || a > UINT32_MAX || b > UINT32_MAX) return false;
    *text = *end == ' ' ? end + 1 : end;
    *out = (double)a / (double)b;
    return true;
}

bool photo_exif_degrees(const char *text, const char *ref, double limit, double *out) {
    double d, m, s;
    if (!ratio(&text, &d) || !ratio(&text, &m) || !ratio(&text, &s)) return false;
    double v = d + m / 60 + s / 3600;
    if (!(v <= limit) || m >= 60.001 || s >= 60.001) return false;
    if (strchr("NSEW", ref[0]) == NULL || ref[0] == '\0') return false;
    *out = ref[0] == 'S' || ref[0] == 'W' ? -v : v;
    return true;
}
