#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include <zlib.h>

#include "base/json.h"
#include "base/mem.h"
#include "net/http_internal.h"

enum { GZIP_FROM = 1024, GZIP_LEVEL = 4 };

const char *http_reason(int status) {
    static const struct {
        int status;
        const char *text;
    } row[] = {{200, "OK"},
               {201, "Created"},
               {202, "Accepted"},
               {204, "No Content"},
               {206, "Partial Content"},
               {301, "Moved Permanently"},
               {302, "Found"},
               {303, "See Other"},
               {304, "Not Modified"},
               {307, "Temporary Redirect"},
               {308, "Permanent Redirect"},
               {400, "Bad Request"},
               {401, "Unauthorized"},
               {403, "Forbidden"},
               {404, "Not Found"},
               {405, "Method Not Allowed"},
               {406, "Not Acceptable"},
               {408, "Request Timeout"},
               {409, "Conflict"},
               {410, "Gone"},
               {412, "Precondition Failed"},
               {413, "Content Too Large"},
               {414, "URI Too Long"},
               {415, "Unsupported Media Type"},
               {417, "Expectation Failed"},
               {422, "Unprocessable Content"},
               {428, "Precondition Required"},
               {429, "Too Many Requests"},
               {431, "Request Header Fields Too Large"},
               {500, "Internal Server Error"},
               {501, "Not Implemented"},
               {502, "Bad Gateway"},
               {503, "Service Unavailable"},
               {504, "Gateway Timeout"},
               {505, "HTTP Version Not Supported"},
               {507, "Insufficient Storage"}};
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
        if (row[i].status == status) return row[i].text;
    return "Status";
}

struct http_response *http_response_new(int status) {
    struct http_response *r = mem_new(1, sizeof *r);
    if (r == NULL) return NULL;
    r->status = status >= 200 && status <= 599 ? status : 500;
    r->fd = -1;
    buf_init(&r->headers, HTTP_MAX_RESPONSE_HEAD / 2);
    buf_init(&r->body, 0);
    return r;
}

static void drop_body(struct http_response *r) {
    buf_deinit(&r->body);
    if (r->fd >= 0) (void)close(r->fd);
    r->fd = -1;
    if (r->kind == HTTP_BODY_REF && r->release != NULL) r->release(r->release_ctx);
    r->release = NULL;
    r->kind = HTTP_BODY_NONE;
}

void http_response_free(struct http_response *r) {
    if (r == NULL) return;
    drop_body(r);
    buf_deinit(&r->headers);
    mem_free(r->type);
    mem_free(r);
}

int http_response_status(const struct http_response *r) { return r == NULL ? 503 : r->status; }

void http_response_plain(struct http_response *r) {
    if (r != NULL) r->plain = true;
}

static bool is_clean(const char *s, bool is_name) {
    if (is_name && *s == '\0') return false;
    for (; *s != '\0'; s++) {
        unsigned char c = (unsigned char)*s;
        if (c < 0x20 || c == 0x7f || (is_name && (c <= 0x20 || c >= 0x7f || c == ':')))
            return false;
    }
    return true;
}

static bool is_servers_own(const char *name) {
    static const char *const own[] = {"content-length",    "date",         "connection",
                                      "transfer-encoding", "content-type", "server"};
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        if (strcasecmp(name, own[i]) == 0) return true;
    return false;
}

void http_response_header(struct http_response *r, const char *name, const char *value) {
    if (r == NULL) return;
    if (!is_clean(name, true) || !is_clean(value, false) || is_servers_own(name)) {
        r->illegal = true;
        return;
    }
    if (strcasecmp(name, "content-security-policy") == 0) r->has_csp = true;
    if (strcasecmp(name, "content-encoding") == 0) r->has_encoding = true;
    buf_printf(&r->headers, "%s: %s\r\n", name, value);
    if (r->headers.failed) r->failed = true;
}

void http_response_headerf(struct http_response *r, const char *name, const char *fmt, ...) {
    char value[2048];
    if (r == NULL) return;
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(value, sizeof value, fmt, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= sizeof value)
        r->illegal = true;
    else
        http_response_header(r, name, value);
}

void http_response_cookie(struct http_response *r, const char *name, const char *value,
                          int64_t max_age_s, bool secure) {
    static const char legal[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
    char age[48] = "";
    if (r == NULL) return;
    if (value[strspn(value, legal)] != '\0' || name[strspn(name, legal)] != '\0') {
        r->illegal = true;
        return;
    }
    if (max_age_s >= 0) (void)snprintf(age, sizeof age, "; Max-Age=%" PRId64, max_age_s);
    http_response_headerf(r, "Set-Cookie", "%s=%s; Path=/; HttpOnly; SameSite=Strict%s%s", name,
                          value, age, secure ? "; Secure" : "");
}

static void set_type(struct http_response *r, const char *type) {
    if (type == NULL) return;
    if (!is_clean(type, false)) {
        r->illegal = true;
        return;
    }
    mem_free(r->type);
    r->type = mem_dup(type, strlen(type));
    if (r->type == NULL) r->failed = true;
}

void http_response_copy(struct http_response *r, const char *type, const void *p, size_t n) {
    if (r == NULL) return;
    drop_body(r);
    set_type(r, type);
    buf_init(&r->body, n + 1);
    buf_add(&r->body, p, n);
    if (r->body.failed) r->failed = true;
    r->kind = HTTP_BODY_BUF;
}

void http_response_take(struct http_response *r, const char *type, struct buf *body) {
    if (r == NULL) {
        buf_deinit(body);
        return;
    }
    drop_body(r);
    set_type(r, type);
    if (body->failed) r->failed = true;
    r->body = *body;
    buf_init(body, body->max);
    r->kind = HTTP_BODY_BUF;
}

void http_response_ref(struct http_response *r, const char *type, const void *p, size_t n,
                       void (*release)(void *), void *ctx) {
    if (r == NULL) {
        if (release != NULL) release(ctx);
        return;
    }
    drop_body(r);
    set_type(r, type);
    r->kind = HTTP_BODY_REF;
    r->ref = p;
    r->ref_n = n;
    r->release = release;
    r->release_ctx = ctx;
}

void http_response_fd(struct http_response *r, const char *type, int fd, int64_t offset,
                      int64_t n) {
    if (r == NULL) {
        (void)close(fd);
        return;
    }
    drop_body(r);
    set_type(r, type);
    r->kind = HTTP_BODY_FD;
    r->fd = fd;
    r->fd_offset = offset;
    r->fd_n = n;
}

int64_t http_response_length(const struct http_response *r) {
    switch (r->kind) {
    case HTTP_BODY_BUF:
        return (int64_t)r->body.n;
    case HTTP_BODY_REF:
        return (int64_t)r->ref_n;
    case HTTP_BODY_FD:
        return r->fd_n;
    case HTTP_BODY_NONE:
        break;
    }
    return 0;
}

static bool is_compressible(const char *type) {
    static const char *const has[] = {"json", "xml", "javascript", "ndjson", "svg"};
    if (type == NULL || strncmp(type, "text/event-stream", 17) == 0) return false;
    if (strncmp(type, "text/", 5) == 0 || strncmp(type, "application/vnd.mapbox", 22) == 0)
        return true;
    for (size_t i = 0; i < sizeof has / sizeof has[0]; i++)
        if (strstr(type, has[i]) != NULL) return true;
    return false;
}

void http_response_compress(struct http_response *r) {
    if (r == NULL || r->failed || r->plain || r->has_encoding || !is_compressible(r->type)) return;
    if (r->kind != HTTP_BODY_BUF && r->kind != HTTP_BODY_REF) return;
    int64_t n = http_response_length(r);
    if (n <= GZIP_FROM || n > (int64_t)UINT32_MAX / 2) return;
    z_stream z = {0};
    /* 16 + 15: a gzip wrapper round the largest window. */
    if (deflateInit2(&z, GZIP_LEVEL, Z_DEFLATED, 16 + 15, 8, Z_DEFAULT_STRATEGY) != Z_OK) return;
    struct buf out;
    uLong bound = deflateBound(&z, (uLong)n);
    buf_init(&out, bound);
    z.next_out = (Bytef *)buf_room(&out, bound);
    z.avail_out = (uInt)bound;
    const void *src = r->kind == HTTP_BODY_BUF ? (const void *)r->body.p : r->ref;
    memcpy(&z.next_in, &src,
           sizeof src); /* zlib takes a pointer that is not const but does not write through it */
    z.avail_in = (uInt)n;
    bool ok = z.next_out != NULL && deflate(&z, Z_FINISH) == Z_STREAM_END;
    out.n = ok ? z.total_out : 0;
    (void)deflateEnd(&z);
    if (!ok || (int64_t)out.n >= n) {
        buf_deinit(&out);
        return;
    }
    drop_body(r);
    r->body = out;
    r->kind = HTTP_BODY_BUF;
    buf_str(&r->headers, "Content-Encoding: gzip\r\nVary: Accept-Encoding\r\n");
    r->has_encoding = true;
}

#define SECURITY_POLICY                                                                            \
    "Content-Security-Policy: default-src 'self'; script-src 'self'; worker-src 'self' blob:; "    \
    "img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; object-src 'none'; "            \
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'\r\n"
#define SECURITY_HEADERS                                                                           \
    "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n"                          \
    "Permissions-Policy: geolocation=(self), camera=(self)\r\n"                                    \
    "Cross-Origin-Resource-Policy: same-origin\r\n"

void http_response_head(const struct http_response *r, struct buf *out, int64_t length,
                        bool keep_alive, bool secure, const char *date) {
    buf_printf(out, "HTTP/1.1 %d %s\r\nDate: %s\r\n", r->status, http_reason(r->status), date);
    buf_str(out, SECURITY_HEADERS);
    if (!r->has_csp) buf_str(out, SECURITY_POLICY);
    /* Browsers heed these two over TLS only, and complain about the second elsewhere. */
    if (secure)
        buf_str(out, "Strict-Transport-Security: max-age=31536000\r\n"
                     "Cross-Origin-Opener-Policy: same-origin\r\n");
    if (r->headers.n > 0) buf_add(out, r->headers.p, r->headers.n);
    if (r->type != NULL) buf_printf(out, "Content-Type: %s\r\n", r->type);
    if (length == -1)
        buf_str(out, "Transfer-Encoding: chunked\r\n");
    else if (length >= 0 && r->status != 204 && r->status != 304)
        buf_printf(out, "Content-Length: %" PRId64 "\r\n", length);
    buf_str(out, keep_alive ? "\r\n" : "Connection: close\r\n\r\n");
}

/* The error code whose public text fits a status that the engine itself answers. */
static enum err_code code_of_status(int status) {
    switch (status) {
    case 413:
    case 431:
        return ERR_TOO_LARGE;
    case 404:
        return ERR_NOT_FOUND;
    case 405:
        return ERR_METHOD;
    case 408:
        return ERR_TIMEOUT;
    case 429:
        return ERR_TOO_MANY;
    case 500:
        return ERR_INTERNAL;
    case 503:
        return ERR_BUSY;
    default:
        return ERR_SYNTAX;
    }
}

struct http_response *http_response_problem(int status, const char *detail) {
    struct http_response *r = http_response_new(status);
    struct buf b;
    struct jw w;
    enum err_code code = code_of_status(status);
    buf_init(&b, 4096);
    jw_init(&w, &b);
    jw_obj(&w);
    jw_kstr(&w, "type", "about:blank");
    jw_kstr(&w, "title", err_text(code, false));
    jw_kstr(&w, "title_zh", err_text(code, true));
    jw_kint(&w, "status", status);
    jw_kstr(&w, "code", err_name(code));
    jw_kstr(&w, "detail", detail);
    jw_end(&w, '}');
    http_response_take(r, "application/problem+json", &b);
    http_response_header(r, "Cache-Control", "no-store");
    if (status == 503) http_response_header(r, "Retry-After", "2");
    return r;
}
