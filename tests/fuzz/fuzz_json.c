/* JSON: any bytes end in a tree or a clean error; a tree, written, reads back and writes the same
 * text again. */
#include <stdint.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_tree(struct buf *b, const struct val *v) {
    struct jw w;
    jw_init(&w, b);
    jw_val(&w, v);
    app_assert(!b->failed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena *a = arena_new((size_t)256 << 20);
    const struct val *v, *again;
    struct err err;
    app_assert(a != NULL);
    enum err_code rc = json_parse(a, (const char *)data, size, &v, &err);
    app_assert(rc == ERR_OK || rc == ERR_SYNTAX);
    if (rc == ERR_OK) {
        struct buf one, two;
        buf_init(&one, (size_t)64 << 20);
        buf_init(&two, (size_t)64 << 20);
        write_tree(&one, v);
        app_assert(utf8_valid(buf_text(&one), one.n));
        app_assert(json_parse(a, buf_text(&one), one.n, &again, &err) == ERR_OK);
        write_tree(&two, again);
        app_assert(one.n == two.n && memcmp(one.p, two.p, one.n) == 0);
        buf_deinit(&one);
        buf_deinit(&two);
    } else {
        app_assert(v == NULL && err.detail[0] != '\0');
    }
    arena_free(a);
    return 0;
}
