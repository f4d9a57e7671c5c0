/* The query string, and the Accept family that reads outside text of the same kind. First byte:
 * which. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/accept.h"
#include "net/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_query(const char *p, size_t n) {
    struct arena *a = arena_new((size_t)1 << 22);
    struct query q;
    struct err err = {0};
    if (a == NULL) return;
    if (query_parse(a, p, n, QUERY_MAX_PAIRS, &q, &err) == ERR_OK) {
        if (q.n > QUERY_MAX_PAIRS) abort();
        for (size_t i = 0; i < q.n; i++) {
            if (strlen(q.pair[i].key) != q.pair[i].key_n ||
                strlen(q.pair[i].value) != q.pair[i].value_n)
                abort();
            if (query_get(&q, q.pair[i].key) == NULL || query_count(&q, q.pair[i].key) == 0)
                abort();
        }
    } else if (err.detail[0] == '\0') {
        abort();
    }
    arena_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) return 0;
    if (data[0] != 'A') {
        check_query((const char *)data, size);
        return 0;
    }
    char *text = mem_dup((const char *)data + 1, size - 1);
    if (text == NULL) return 0;
    enum accept_format f = accept_choose(text, NULL, ACCEPT_ALL, ACCEPT_JSON);
    if (f != ACCEPT_NONE && accept_name(f)[0] == '\0') abort();
    (void)accept_choose("*/*", text, ACCEPT_ALL, ACCEPT_JSON);
    int q = accept_quality(text, "gzip", true);
    if (q < -1 || q > 1000) abort();
    mem_free(text);
    return 0;
}
