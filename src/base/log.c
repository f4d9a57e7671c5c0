#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/civil.h"
#include "base/clock.h"
#include "base/utf8.h"

/* A line is built on the stack: logging must work when memory is short. Values are cut, and a pair
 * that does not fit any more is left out, so that the line always stays whole. */
enum { LINE_MAX_BYTES = 4096, VALUE_MAX_BYTES = 1024, TAIL_ROOM = 32 };

struct line {
    char p[LINE_MAX_BYTES];
    size_t n;
    bool full; /* something did not fit */
};

static void put(struct line *l, const char *s, size_t n) {
    if (l->full || n > LINE_MAX_BYTES - TAIL_ROOM - l->n) {
        l->full = true;
        return;
    }
    memcpy(l->p + l->n, s, n);
    l->n += n;
}

static void put_str(struct line *l, const char *s) { put(l, s, strlen(s)); }

static void put_escaped(struct line *l, unsigned char c) {
    if (c == '"' || c == '\\') {
        put(l, "\\", 1);
        put(l, (const char *)&c, 1);
    } else {
        char text[8];
        int n = snprintf(text, sizeof text, "\\u%04x", c);
        put(l, text, (size_t)n);
    }
}

/* Quoted for both forms. Control characters are escaped (a value cannot begin a line of its own),
 * bad UTF-8 becomes U+FFFD. */
static void put_quoted(struct line *l, const char *s) {
    size_t n = strnlen(s, VALUE_MAX_BYTES + 4);
    size_t end = utf8_clip(s, n, VALUE_MAX_BYTES);
    put(l, "\"", 1);
    for (size_t i = 0; i < end;) {
        uint32_t cp = 0;
        size_t len = utf8_next(s + i, end - i, &cp);
        if (len == 0)
            put(l, "\xEF\xBF\xBD", 3);
        else if (cp < 0x20 || cp == 0x7F || cp == '"' || cp == '\\')
            put_escaped(l, (unsigned char)cp);
        else
            put(l, s + i, len);
        i += len == 0 ? 1 : len;
    }
    if (end < n) put(l, "\xE2\x80\xA6", 3);
    put(l, "\"", 1);
}

static bool is_bare(const char *s) {
    if (*s == '\0') return false;
    return s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.:/+")] ==
               '\0' &&
           strlen(s) <= VALUE_MAX_BYTES;
}

static void put_value(struct line *l, const struct log_kv *kv, bool json) {
    char text[24];
    int n = snprintf(text, sizeof text, "%" PRId64, kv->i);
    if (kv->s == NULL)
        put(l, text, (size_t)n);
    else if (!json && is_bare(kv->s))
        put_str(l, kv->s);
    else
        put_quoted(l, kv->s);
}

static void put_pair(struct line *l, const struct log_kv *kv, bool json) {
    size_t before = l->n;
    if (l->full) return;
    put_str(l, json ? ",\"" : " ");
    put_str(l, kv->key);
    put_str(l, json ? "\":" : "=");
    put_value(l, kv, json);
    if (l->full) l->n = before;
}

static void put_head(struct line *l, const char *time, const char *level, const char *event,
                     bool json) {
    put_str(l, json ? "{\"time\":\"" : "");
    put_str(l, time);
    put_str(l, json ? "\",\"level\":\"" : " ");
    put_str(l, level);
    put_str(l, json ? "\",\"event\":" : " ");
    if (json)
        put_quoted(l, event);
    else
        put_str(l, event);
}

void log_write(const struct log *log, enum log_level level, const char *event,
               const struct log_kv *kv, unsigned n) {
    static const char *const names[] = {"error", "warn", "info", "debug"};
    if (level > log->level) return;
    struct clock clock = clock_system();
    char time[32];
    rfc3339_format(clock_now_us(&clock), time);
    struct line l;
    l.n = 0;
    l.full = false;
    bool json = log->json != 0;
    put_head(&l, time, names[level], event, json);
    for (unsigned i = 0; i < n; i++) put_pair(&l, &kv[i], json);
    const char *tail = l.full ? (json ? ",\"cut\":true}\n" : " cut=true\n") : (json ? "}\n" : "\n");
    memcpy(l.p + l.n, tail, strlen(tail));
    l.n += strlen(tail);
    /* A log that cannot be written has nobody to tell. */
    while (write(log->fd, l.p, l.n) < 0 && errno == EINTR) {
    }
}
