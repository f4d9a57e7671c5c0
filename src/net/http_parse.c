#include "net/http_parse.h"

#include <string.h>
#include <strings.h>

#include "base/utf8.h"

const char *http_method_name(enum http_method m) {
    static const char *const name[] = {"",    "GET",   "HEAD",   "POST",
                                       "PUT", "PATCH", "DELETE", "OPTIONS"};
    return m >= HTTP_GET && m <= HTTP_OPTIONS ? name[m] : "";
}

/* tchar of RFC 9110 5.6.2 */
static bool is_token_char(unsigned char c) {
    if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')) return true;
    return c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

/* CRs at the very start (an empty line after the body of the request before) are tolerated, as RFC
 * 9112 2.2 asks. */
static size_t leading_breaks(const char *p, size_t n) {
    size_t i = 0;
    while (i + 1 < n && i < 4 && p[i] == '\r' && p[i + 1] == '\n') i += 2;
    return i;
}

size_t http_head_end(const char *p, size_t n, size_t seen, bool *bad) {
    size_t start = leading_breaks(p, n);
    *bad = false;
    for (size_t i = seen < start ? start : seen; i < n; i++) {
        unsigned char c = (unsigned char)p[i];
        if (c == '\n' && (i == start || p[i - 1] != '\r')) *bad = true;
        if (c != '\n' && i > start && p[i - 1] == '\r') *bad = true;
        if ((c < 0x20 && c != '\r' && c != '\n' && c != '\t') || c == 0x7f) *bad = true;
        if (i == start && c != '\r' && !is_token_char(c)) *bad = true;
        if (*bad) return 0;
        if (c == '\n' && i >= start + 3 && p[i - 2] == '\n') return i + 1;
    }
    return 0;
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

int64_t http_chunk_size(const char *p, size_t n) {
    int64_t v = 0;
    size_t i = 0;
    for (; i < n && hex_digit(p[i]) >= 0; i++) {
        if (i >= 8) return -1;
        v = v * 16 + hex_digit(p[i]);
    }
    if (i == 0) return -1;
    /* Chunk extensions carry nothing for us; they end the number only at ';' (spaces before it are
     * refused). */
    if (i < n && p[i] != ';') return -1;
    for (; i < n; i++)
        if ((unsigned char)p[i] < 0x20 || p[i] == 0x7f) return -1;
    return v;
}

static bool segments_are_clean(const char *path) {
    for (const char *s = path; *s != '\0';) {
        size_t n = strcspn(s + 1, "/");
        bool is_last = s[1 + n] == '\0';
        if (n == 0 && !is_last) return false;
        if ((n == 1 && s[1] == '.') || (n == 2 && s[1] == '.' && s[2] == '.')) return false;
        s += 1 + n;
    }
    return true;
}

const char *http_path_clean(struct arena *a, const char *p, size_t n) {
    char *q = arena_alloc(a, n + 1, 1);
    size_t m = 0;
    if (q == NULL || n == 0 || p[0] != '/') return NULL;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)p[i];
        if (c == '%') {
            if (i + 2 >= n || hex_digit(p[i + 1]) < 0 || hex_digit(p[i + 2]) < 0) return NULL;
            c = (unsigned char)(hex_digit(p[i + 1]) * 16 + hex_digit(p[i + 2]));
            i += 2;
            if (c == '/') return NULL;
        }
        if (c < 0x20 || c == 0x7f || c == '\\') return NULL;
        q[m++] = (char)c;
    }
    q[m] = '\0';
    return utf8_valid(q, m) && segments_are_clean(q) ? q : NULL;
}

static enum http_method method_of(const char *p, size_t n) {
    for (int m = HTTP_GET; m <= HTTP_OPTIONS; m++) {
        const char *name = http_method_name((enum http_method)m);
        if (strlen(name) == n && memcmp(name, p, n) == 0) return (enum http_method)m;
    }
    return 0;
}

/* The target: "/path?query", "http://host/path?query", or "*" for OPTIONS. */
static const char *parse_target(struct arena *a, const char *p, size_t n, struct http_head *h) {
    h->authority = "";
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)p[i] <= 0x20 || p[i] == 0x7f || p[i] == '#') return "bad request target";
    if (n == 1 && p[0] == '*' && h->method == HTTP_OPTIONS) {
        h->path = "*";
        h->query = "";
        return NULL;
    }
    size_t scheme = n > 7 && strncasecmp(p, "http://", 7) == 0    ? 7
                    : n > 8 && strncasecmp(p, "https://", 8) == 0 ? 8
                                                                  : 0;
    if (scheme > 0) {
        size_t i = scheme;
        while (i < n && p[i] != '/' && p[i] != '?') i++;
        if (i == scheme) return "no host in the request target";
        h->authority = arena_dup(a, p + scheme, i - scheme);
        p += i;
        n -= i;
        if (n == 0) {
            p = "/";
            n = 1;
        }
    }
    const char *mark = memchr(p, '?', n);
    size_t path_n = mark == NULL ? n : (size_t)(mark - p);
    h->path = http_path_clean(a, p, path_n);
    h->query = mark == NULL ? "" : arena_dup(a, mark + 1, n - path_n - 1);
    return h->path == NULL || h->query == NULL || h->authority == NULL ? "bad request path" : NULL;
}

static int parse_request_line(struct arena *a, const char *p, size_t n, struct http_head *h,
                              const char **why) {
    const char *sp1 = memchr(p, ' ', n);
    *why = "malformed request line";
    if (sp1 == NULL || sp1 == p) return 400;
    size_t left = n - (size_t)(sp1 + 1 - p);
    const char *sp2 = memchr(sp1 + 1, ' ', left);
    if (sp2 == NULL) return 400;
    const char *version = sp2 + 1;
    size_t version_n = n - (size_t)(version - p);
    if (version_n != 8 || memcmp(version, "HTTP/", 5) != 0 || version[6] != '.') return 400;
    if (version[5] != '1' || (version[7] != '0' && version[7] != '1')) {
        *why = "only HTTP/1.0 and HTTP/1.1 are spoken";
        return 505;
    }
    h->minor = version[7] - '0';
    h->method = method_of(p, (size_t)(sp1 - p));
    if (h->method == 0) {
        for (const char *c = p; c < sp1; c++)
            if (!is_token_char((unsigned char)*c)) return 400;
        *why = "unknown method";
        return 501;
    }
    const char *bad = parse_target(a, sp1 + 1, (size_t)(sp2 - sp1 - 1), h);
    if (bad == NULL) return 0;
    *why = bad;
    return 400;
}

static int parse_field(struct arena *a, const char *p, size_t n, struct http_field *out) {
    size_t k = 0;
    while (k < n && is_token_char((unsigned char)p[k])) k++;
    if (k == 0 || k >= n || p[k] != ':') return 400;
    char *name = arena_dup(a, p, k);
    size_t v = k + 1;
    while (v < n && (p[v] == ' ' || p[v] == '\t')) v++;
    while (n > v && (p[n - 1] == ' ' || p[n - 1] == '\t')) n--;
    for (size_t i = v; i < n; i++)
        if (((unsigned char)p[i] < 0x20 && p[i] != '\t') || p[i] == 0x7f) return 400;
    out->value = arena_dup(a, p + v, n - v);
    if (name == NULL || out->value == NULL) return 503;
    for (char *c = name; *c != '\0'; c++)
        if (*c >= 'A' && *c <= 'Z') *c = (char)(*c - 'A' + 'a');
    out->name = name;
    return 0;
}

static int parse_fields(struct arena *a, const char *p, const char *end, struct http_head *h,
                        const char **why) {
    size_t lines = 0;
    for (const char *q = p; q < end; q++) lines += *q == '\n';
    *why = "too many header fields";
    if (lines > HTTP_MAX_HEADERS) return 431;
    struct http_field *field = ARENA_NEW(a, struct http_field, lines + 1);
    *why = "out of memory";
    if (field == NULL) return 503;
    while (p < end) {
        const char *nl = memchr(p, '\n', (size_t)(end - p));
        size_t n = nl == NULL || nl == p ? 0 : (size_t)(nl - p) - 1;
        *why = "malformed header field";
        int status = parse_field(a, p, n, &field[h->n]);
        if (status != 0) return status;
        h->n++;
        p = nl == NULL ? end : nl + 1;
    }
    h->field = field;
    return 0;
}

static size_t count_field(const struct http_head *h, const char *name) {
    size_t n = 0;
    for (size_t i = 0; i < h->n; i++) n += strcmp(h->field[i].name, name) == 0;
    return n;
}

const char *http_head_get(const struct http_head *h, const char *name) {
    for (size_t i = 0; i < h->n; i++)
        if (strcmp(h->field[i].name, name) == 0) return h->field[i].value;
    return NULL;
}

static int parse_length(struct http_head *h, const char **why) {
    const char *text = http_head_get(h, "content-length");
    if (text == NULL) return 0;
    *why = "bad Content-Length";
    if (count_field(h, "content-length") != 1 || text[0] == '\0') return 400;
    for (const char *c = text; *c != '\0'; c++) {
        if (*c < '0' || *c > '9') return 400;
        if (h->length > ((uint64_t)1 << 53)) return 413;
        h->length = h->length * 10 + (uint64_t)(*c - '0');
    }
    h->has_length = true;
    return 0;
}

static int parse_coding(struct http_head *h, const char **why) {
    const char *coding = http_head_get(h, "transfer-encoding");
    if (coding == NULL) return 0;
    *why = "Transfer-Encoding beside Content-Length or in HTTP/1.0";
    if (h->has_length || h->minor == 0) return 400;
    *why = "only the chunked transfer coding is spoken";
    if (count_field(h, "transfer-encoding") != 1 || strcasecmp(coding, "chunked") != 0) return 501;
    h->chunked = true;
    return 0;
}

/* Whether a comma-separated list names the token. */
static bool list_has(const char *list, const char *token) {
    size_t n = strlen(token);
    for (const char *p = list; *p != '\0';) {
        p += strspn(p, " \t,");
        size_t k = strcspn(p, ",");
        size_t word = k;
        while (word > 0 && (p[word - 1] == ' ' || p[word - 1] == '\t')) word--;
        if (word == n && strncasecmp(p, token, n) == 0) return true;
        p += k;
    }
    return false;
}

static int check_connection(struct http_head *h, const char **why) {
    h->keep_alive = h->minor == 1;
    for (size_t i = 0; i < h->n; i++) {
        if (strcmp(h->field[i].name, "connection") != 0) continue;
        if (list_has(h->field[i].value, "close")) h->keep_alive = false;
        if (h->minor == 0 && list_has(h->field[i].value, "keep-alive")) h->keep_alive = true;
    }
    const char *expect = http_head_get(h, "expect");
    *why = "unknown expectation";
    if (expect != NULL && strcasecmp(expect, "100-continue") != 0) return 417;
    h->expect_continue = expect != NULL && h->minor == 1;
    size_t hosts = count_field(h, "host");
    *why = "exactly one Host header is needed";
    if (hosts > 1 || (hosts == 0 && h->minor == 1)) return 400;
    const char *host = http_head_get(h, "host");
    if (h->authority[0] == '\0' && host != NULL) h->authority = host;
    *why = "bad Host header";
    for (const char *c = h->authority; *c != '\0'; c++)
        if ((unsigned char)*c <= 0x20 || (unsigned char)*c >= 0x7f ||
            strchr("/\\<>\"'@,?#", *c) != NULL)
            return 400;
    return 0;
}

int http_head_parse(struct arena *a, const char *p, size_t n, struct http_head *out,
                    const char **why) {
    *out = (struct http_head){0};
    size_t skip = leading_breaks(p, n);
    p += skip;
    n -= skip;
    *why = "malformed request";
    if (n < 4 || memcmp(p + n - 4, "\r\n\r\n", 4) != 0) return 400;
    const char *nl = memchr(p, '\n', n);
    if (nl == p) return 400;
    const char *end = p + n - 2;
    int status = parse_request_line(a, p, (size_t)(nl - p) - 1, out, why);
    if (status == 0 && nl + 1 < end) status = parse_fields(a, nl + 1, end, out, why);
    if (status == 0) status = parse_length(out, why);
    if (status == 0) status = parse_coding(out, why);
    if (status == 0) status = check_connection(out, why);
    return status;
}
