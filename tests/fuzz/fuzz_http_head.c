/* The head of a request and chunk sizes, fed as the server does: the end is looked for in pieces,
 * then the head is read. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "net/http_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Looking at growing prefixes must find what looking at the whole finds. */
static size_t find_end(const char *p, size_t n, bool *bad) {
    size_t end = 0, seen = 0;
    for (size_t k = 1; end == 0 && !*bad && seen < n; k = k * 2 + 1) {
        size_t upto = seen + k < n ? seen + k : n;
        end = http_head_end(p, upto, seen, bad);
        seen = upto;
    }
    return end;
}

static void check(const struct http_head *h) {
    if (h->method < HTTP_GET || h->method > HTTP_OPTIONS || http_method_name(h->method)[0] == '\0')
        abort();
    if (!utf8_valid(h->path, strlen(h->path)) || strstr(h->path, "/../") != NULL ||
        strstr(h->path, "//") != NULL)
        abort();
    if (h->path[0] != '/' && strcmp(h->path, "*") != 0) abort();
    if (h->has_length && h->chunked) abort();
    if (h->n > HTTP_MAX_HEADERS) abort();
    for (size_t i = 0; i < h->n; i++) {
        if (http_head_get(h, h->field[i].name) == NULL) abort();
        for (const char *c = h->field[i].value; *c != '\0'; c++)
            if (((unsigned char)*c < 0x20 && *c != '\t') || *c == 0x7f) abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0 || size > 65536) return 0;
    const char *p = (const char *)data;
    bool bad = false, bad_whole = false;
    (void)http_chunk_size(p, size);
    size_t end = find_end(p, size, &bad);
    size_t whole = http_head_end(p, size, 0, &bad_whole);
    if (end != whole || bad != bad_whole) abort();
    struct arena *a = arena_new((size_t)1 << 22);
    struct http_head h;
    const char *why = "";
    if (a == NULL) return 0;
    int status = http_head_parse(a, p, end > 0 ? end : size, &h, &why);
    if (status == 0)
        check(&h);
    else if (status < 400 || status > 505 || why[0] == '\0')
        abort();
    arena_free(a);
    return 0;
}
