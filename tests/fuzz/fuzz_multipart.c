/* multipart/form-data. The input up to its first line feed is the Content-Type, the rest the body.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "net/multipart.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct arena *a, const struct multipart *m, const char *body, size_t n) {
    if (m->n > MULTIPART_MAX_PARTS) abort();
    const char *at = body;
    for (size_t i = 0; i < m->n; i++) {
        const struct multipart_part *p = &m->part[i];
        const char *text;
        if (p->name == NULL || p->name[0] == '\0' || p->type == NULL) abort();
        if (p->filename != NULL && strpbrk(p->filename, "/\\") != NULL) abort();
        /* In order, inside the body, not overlapping. */
        if (p->data < at || p->n > n || p->data + p->n > body + n) abort();
        at = p->data + p->n;
        if (multipart_get(m, p->name) == NULL) abort();
        if (multipart_text(a, m, p->name, 1000, &text, NULL) == ERR_OK && text == NULL) abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const uint8_t *nl = size == 0 ? NULL : memchr(data, '\n', size);
    if (nl == NULL) return 0;
    struct arena *a = arena_new((size_t)1 << 22);
    struct multipart m;
    struct err err = {0};
    if (a == NULL) return 0;
    const char *type = arena_dup(a, (const char *)data, (size_t)(nl - data));
    const char *body = (const char *)nl + 1;
    size_t n = size - (size_t)(nl + 1 - data);
    if (type != NULL) {
        if (multipart_parse(a, type, body, n, &m, &err) == ERR_OK)
            check(a, &m, body, n);
        else if (err.detail[0] == '\0')
            abort();
    }
    arena_free(a);
    return 0;
}
