/* application/x-www-form-urlencoded bodies: what is taken is text; what decodes can be encoded and
 * read again to the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "net/form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void encode(struct buf *b, const char *p, size_t n) {
    for (size_t i = 0; i < n; i++) buf_printf(b, "%%%02X", (unsigned char)p[i]);
}

static void check_again(struct arena *a, const struct query *q) {
    struct buf b;
    struct query again;
    buf_init(&b, (size_t)1 << 24);
    for (size_t i = 0; i < q->n; i++) {
        if (i > 0) buf_char(&b, '&');
        encode(&b, q->pair[i].key, q->pair[i].key_n);
        buf_char(&b, '=');
        encode(&b, q->pair[i].value, q->pair[i].value_n);
    }
    if (b.n <= FORM_MAX_BYTES && !b.failed) {
        if (form_parse(a, buf_text(&b), b.n, &again, NULL) != ERR_OK || again.n != q->n) abort();
        for (size_t i = 0; i < q->n; i++)
            if (strcmp(again.pair[i].key, q->pair[i].key) != 0 ||
                strcmp(again.pair[i].value, q->pair[i].value) != 0)
                abort();
    }
    buf_deinit(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena *a = arena_new((size_t)1 << 24);
    struct query q;
    struct err err = {0};
    if (a == NULL) return 0;
    if (form_parse(a, size == 0 ? "" : (const char *)data, size, &q, &err) == ERR_OK)
        check_again(a, &q);
    else if (err.detail[0] == '\0')
        abort();
    arena_free(a);
    return 0;
}
