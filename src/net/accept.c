#include "net/accept.h"

#include <string.h>
#include <strings.h>

enum { HEADER_MAX = 1024, N_FORMATS = 7 };

static const struct {
    enum accept_format format;
    const char *name, *major, *minor, *content_type;
} row[N_FORMATS] = {
    {ACCEPT_JSON, "json", "application", "json", "application/json"},
    {ACCEPT_CSV, "csv", "text", "csv", "text/csv; charset=utf-8"},
    {ACCEPT_GEOJSON, "geojson", "application", "geo+json", "application/geo+json"},
    {ACCEPT_NDJSON, "ndjson", "application", "x-ndjson", "application/x-ndjson"},
    {ACCEPT_XML, "xml", "application", "xml", "application/xml"},
    {ACCEPT_HTML, "html", "text", "html", "text/html; charset=utf-8"},
    {ACCEPT_XLSX, "xlsx", "application", "vnd.openxmlformats-officedocument.spreadsheetml.sheet",
     "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
};

const char *accept_content_type(enum accept_format f) {
    for (int i = 0; i < N_FORMATS; i++)
        if (row[i].format == f) return row[i].content_type;
    return "application/octet-stream";
}

const char *accept_name(enum accept_format f) {
    for (int i = 0; i < N_FORMATS; i++)
        if (row[i].format == f) return row[i].name;
    return "";
}

/* One member of a comma-separated list: its word and its quality in thousandths. */
struct member {
    const char *p;
    size_t n;
    int q;
};

/* "0.85" to 850; anything malformed counts as 1. RFC 9110 12.4.2 */
static int parse_quality(const char *p, size_t n) {
    int v = 0;
    if (n == 0 || (p[0] != '0' && p[0] != '1') || n > 5 || (n > 1 && p[1] != '.')) return 1000;
    int scale = 100;
    for (size_t i = 2; i < n; i++, scale /= 10) {
        if (p[i] < '0' || p[i] > '9') return 1000;
        v += (p[i] - '0') * scale;
    }
    v += (p[0] - '0') * 1000;
    return v > 1000 ? 1000 : v;
}

static void trim(const char **p, size_t *n) {
    while (*n > 0 && (**p == ' ' || **p == '\t')) {
        (*p)++;
        (*n)--;
    }
    while (*n > 0 && ((*p)[*n - 1] == ' ' || (*p)[*n - 1] == '\t')) (*n)--;
}

static void read_member(const char *p, size_t n, struct member *out) {
    const char *semi = memchr(p, ';', n);
    out->p = p;
    out->n = semi == NULL ? n : (size_t)(semi - p);
    out->q = 1000;
    trim(&out->p, &out->n);
    while (semi != NULL) {
        const char *from = semi + 1;
        size_t left = n - (size_t)(from - p);
        semi = memchr(from, ';', left);
        size_t k = semi == NULL ? left : (size_t)(semi - from);
        trim(&from, &k);
        if (k >= 2 && (from[0] == 'q' || from[0] == 'Q') && from[1] == '=')
            out->q = parse_quality(from + 2, k - 2);
    }
}

/* The next member, or false at the end. */
static bool next_member(const char **p, const char *end, struct member *out) {
    if (*p >= end) return false;
    const char *comma = memchr(*p, ',', (size_t)(end - *p));
    const char *stop = comma == NULL ? end : comma;
    read_member(*p, (size_t)(stop - *p), out);
    *p = comma == NULL ? end : comma + 1;
    return true;
}

static bool is_word(const struct member *m, const char *word) {
    return strlen(word) == m->n && strncasecmp(m->p, word, m->n) == 0;
}

/* 0: no match, 1: any type, 2: any subtype, 3: exactly this one. */
static int specificity(const struct member *m, int i) {
    const char *slash = memchr(m->p, '/', m->n);
    if (is_word(m, "*/*") || is_word(m, "*")) return 1;
    if (slash == NULL) return 0;
    struct member major = {m->p, (size_t)(slash - m->p), 0};
    struct member minor = {slash + 1, m->n - major.n - 1, 0};
    bool same = is_word(&major, row[i].major);
    if (row[i].format == ACCEPT_XML && is_word(&major, "text")) same = true;
    if (!same) return 0;
    if (is_word(&minor, "*")) return 2;
    if (row[i].format == ACCEPT_NDJSON && is_word(&minor, "ndjson")) return 3;
    return is_word(&minor, row[i].minor) ? 3 : 0;
}

static void rate(const char *header, size_t n, int i, int *q, int *best) {
    struct member m;
    *q = 0;
    *best = 0;
    for (const char *p = header; next_member(&p, header + n, &m);) {
        int s = specificity(&m, i);
        if (s > *best || (s == *best && s > 0 && m.q > *q)) {
            *best = s;
            *q = m.q;
        }
    }
}

enum accept_format accept_choose(const char *header, const char *format, unsigned offered,
                                 enum accept_format fallback) {
    if (format != NULL && format[0] != '\0') {
        for (int i = 0; i < N_FORMATS; i++)
            if (strcasecmp(format, row[i].name) == 0)
                return (offered & row[i].format) != 0 ? row[i].format : ACCEPT_NONE;
        return ACCEPT_NONE;
    }
    if (header == NULL || header[strspn(header, " \t,")] == '\0') return fallback;
    size_t n = strnlen(header, HEADER_MAX);
    enum accept_format chosen = ACCEPT_NONE;
    int chosen_q = 0, chosen_s = 0;
    for (int i = 0; i < N_FORMATS; i++) {
        int q, s;
        if ((offered & row[i].format) == 0) continue;
        rate(header, n, i, &q, &s);
        bool better = q > chosen_q || (q == chosen_q && s > chosen_s) ||
                      (q == chosen_q && s == chosen_s && row[i].format == fallback);
        if (q > 0 && better) {
            chosen = row[i].format;
            chosen_q = q;
            chosen_s = s;
        }
    }
    return chosen;
}

int accept_quality(const char *header, const char *token, bool prefix) {
    struct member m;
    int any = -1, found = -1;
    if (header == NULL) return -1;
    size_t token_n = strlen(token);
    const char *end = header + strnlen(header, HEADER_MAX);
    for (const char *p = header; next_member(&p, end, &m);) {
        bool longer =
            prefix && m.n > token_n && m.p[token_n] == '-' && strncasecmp(m.p, token, token_n) == 0;
        if (is_word(&m, token) || longer)
            found = m.q > found ? m.q : found;
        else if (is_word(&m, "*"))
            any = m.q;
    }
    return found >= 0 ? found : any;
}
