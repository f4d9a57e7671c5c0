#include "base/utf8.h"

#include <string.h>

struct range {
    uint32_t from, to;
};

static bool in_ranges(uint32_t cp, const struct range *r, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (cp >= r[i].from && cp <= r[i].to) return true;
    return false;
}

static bool is_tail(unsigned char c) { return (c & 0xC0U) == 0x80U; }

size_t utf8_next(const char *p, size_t n, uint32_t *cp) {
    const unsigned char *s = (const unsigned char *)p;
    if (n == 0) return 0;
    if (s[0] < 0x80) {
        *cp = s[0];
        return 1;
    }
    size_t len = s[0] >= 0xF0 ? 4 : s[0] >= 0xE0 ? 3 : 2;
    if (s[0] < 0xC2 || s[0] > 0xF4 || n < len) return 0;
    uint32_t v = s[0] & (0xFFU >> (len + 1));
    for (size_t i = 1; i < len; i++) {
        if (!is_tail(s[i])) return 0;
        v = v << 6 | (s[i] & 0x3FU);
    }
    if (len == 3 && (v < 0x800 || (v >= 0xD800 && v <= 0xDFFF))) return 0;
    if (len == 4 && (v < 0x10000 || v > 0x10FFFF)) return 0;
    *cp = v;
    return len;
}

bool utf8_valid(const char *p, size_t n) {
    size_t i = 0;
    while (i < n) {
        uint32_t cp;
        if ((unsigned char)p[i] < 0x80) {
            i++;
            continue;
        }
        size_t len = utf8_next(p + i, n - i, &cp);
        if (len == 0) return false;
        i += len;
    }
    return true;
}

size_t utf8_encode(uint32_t cp, char out[4]) {
    if (cp < 0x80) {
        out[0] = (char)cp;
        return 1;
    }
    if (cp > 0x10FFFF || (cp >= 0xD800 && cp <= 0xDFFF)) return 0;
    size_t len = cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
    uint32_t rest = cp;
    for (size_t i = len - 1; i > 0; i--) {
        out[i] = (char)(0x80U | (rest & 0x3FU));
        rest >>= 6;
    }
    out[0] = (char)((0xF00U >> len & 0xFFU) | rest);
    return len;
}

size_t utf8_count(const char *p, size_t n) {
    size_t count = 0;
    for (size_t i = 0; i < n; count++) {
        uint32_t cp;
        size_t len = utf8_next(p + i, n - i, &cp);
        i += len == 0 ? 1 : len;
    }
    return count;
}

size_t utf8_clip(const char *p, size_t n, size_t max) {
    if (n <= max) return n;
    size_t cut = max;
    /* At most three tail bytes belong to one code point; more are not UTF-8 and may be cut
     * anywhere. */
    for (int back = 0; back < 3 && cut > 0 && is_tail((unsigned char)p[cut]); back++) cut--;
    return is_tail((unsigned char)p[cut]) ? max : cut;
}

bool utf8_is_cjk(uint32_t cp) {
    static const struct range cjk[] = {
        {0x4E00, 0x9FFF}, {0x3400, 0x4DBF}, {0x3005, 0x3007},   {0x3040, 0x30FF},
        {0x3100, 0x312F}, {0x31A0, 0x31BF}, {0x31F0, 0x31FF},   {0xAC00, 0xD7AF},
        {0xF900, 0xFAFF}, {0xFF66, 0xFF9D}, {0x20000, 0x323AF},
    };
    return cp >= 0x3005 && in_ranges(cp, cjk, sizeof cjk / sizeof cjk[0]);
}

size_t utf8_columns(const char *p, size_t n) {
    size_t columns = 0;
    for (size_t i = 0; i < n;) {
        uint32_t cp = 0;
        size_t step = utf8_next(p + i, n - i, &cp);
        columns += utf8_is_cjk(cp) ? 2 : 1;
        i += step == 0 ? 1 : step;
    }
    return columns;
}

uint32_t utf8_fold(uint32_t cp) {
    if (cp < 0x80) return cp >= 'A' && cp <= 'Z' ? cp + 32 : cp;
    if (cp >= 0xFF01 && cp <= 0xFF5E) return utf8_fold(cp - 0xFEE0);
    if ((cp >= 0xC0 && cp <= 0xDE && cp != 0xD7) || (cp >= 0x391 && cp <= 0x3A9)) return cp + 32;
    if (cp >= 0x410 && cp <= 0x42F) return cp + 32;
    if (cp >= 0x400 && cp <= 0x40F) return cp + 80;
    /* Latin Extended-A: upper and lower case alternate; U+0130, U+0131, U+0138 and U+0149 stand
     * outside the pairs. */
    if ((cp >= 0x100 && cp <= 0x12F) || (cp >= 0x132 && cp <= 0x137) ||
        (cp >= 0x14A && cp <= 0x177))
        return cp | 1U;
    if ((cp >= 0x139 && cp <= 0x148) || (cp >= 0x179 && cp <= 0x17E)) return cp + (cp & 1U);
    return cp == 0x178 ? 0xFF : cp;
}

static bool is_word(uint32_t cp) {
    static const struct range gaps[] = {
        {0x80, 0xA9},     {0xAB, 0xB4},     {0xB6, 0xB9},     {0xBB, 0xBF},     {0xD7, 0xD7},
        {0xF7, 0xF7},     {0x2000, 0x206F}, {0x20A0, 0x20CF}, {0x2190, 0x2BFF}, {0x2E00, 0x2E7F},
        {0x3000, 0x3004}, {0x3008, 0x3020}, {0x3030, 0x303F}, {0xFE10, 0xFE1F}, {0xFE30, 0xFE6F},
        {0xFF5F, 0xFF65}, {0xFFE0, 0xFFFF}, {0xE000, 0xF8FF}, {0xFEFF, 0xFEFF}, {0x1F000, 0x1FAFF},
    };
    if (cp < 0x80) return (cp >= '0' && cp <= '9') || (cp >= 'a' && cp <= 'z');
    return !in_ranges(cp, gaps, sizeof gaps / sizeof gaps[0]);
}

static void add_cp(struct buf *out, uint32_t cp) {
    char c[4];
    buf_add(out, c, utf8_encode(cp, c));
}

static void add_gap(struct buf *out) {
    if (out->n > 0 && out->p[out->n - 1] != ' ') buf_char(out, ' ');
}

void utf8_bigrams(struct buf *out, const char *p, size_t n) {
    uint32_t held = 0;       /* the CJK character before, 0 when there is none */
    bool held_alone = false; /* it stands in no pair yet */
    bool in_word = false;
    for (size_t i = 0; i <= n;) {
        uint32_t cp = 0;
        size_t len = i < n ? utf8_next(p + i, n - i, &cp) : 0;
        i += len == 0 ? 1 : len;
        cp = len == 0 ? 0 : utf8_fold(cp);
        bool cjk = utf8_is_cjk(cp);
        if (held != 0) {
            if (cjk) {
                add_gap(out);
                add_cp(out, held);
                add_cp(out, cp);
            } else if (held_alone) {
                add_gap(out);
                add_cp(out, held);
            }
        }
        held_alone = cjk && held == 0;
        held = cjk ? cp : 0;
        if (!cjk && is_word(cp)) {
            if (!in_word) add_gap(out);
            add_cp(out, cp);
            in_word = true;
        } else {
            in_word = false;
        }
    }
}
