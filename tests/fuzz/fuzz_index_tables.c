/* Framework and data of an index: any bytes end in a framework whose index stands above all, in
 * areas with finite values, or in an error that names the file; what is taken runs or is refused
 * by name, and its reports are read back. The two tables are parted by a line of "==". */
#include <math.h>
#include <string.h>

#include "base/json.h"
#include "study/composite/index.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_study(const struct index_study *s) {
    const struct composite_tree *t = &s->tree;
    app_assert(t->n_ind > 0 && t->n_node > t->n_ind && t->parent[t->n_node - 1] == COMPOSITE_NONE);
    for (size_t i = 0; i + 1 < t->n_node; i++)
        app_assert(t->parent[i] < t->n_node && t->level[t->parent[i]] > t->level[i]);
    for (size_t k = 0; k < t->n_ind * s->data.data.n_area; k++)
        app_assert(!isinf(s->data.data.value[k]));
}

static void check_report(const struct index_study *s, struct arena *a) {
    struct buf out;
    struct err err = {0};
    const struct val *v;
    buf_init(&out, (size_t)64 << 20);
    index_report_json(s, COMPOSITE_N_STAGES, &out);
    app_assert(buf_check(&out, &err) == ERR_OK);
    app_assert(json_parse(a, buf_text(&out), out.n, &v, &err) == ERR_OK);
    buf_clear(&out);
    index_report_text(s, true, &out);
    app_assert(buf_check(&out, &err) == ERR_OK);
    buf_deinit(&out);
}

static void study(struct arena *a, const char *meta, size_t n_meta, const char *data,
                  size_t n_data) {
    struct index_study s = {0};
    struct err err = {0};
    const struct table *t;
    if (table_parse(a, "meta", meta, n_meta, 0, 300, &t, &err) != ERR_OK) return;
    if (index_frame_read(t, a, &s.frame, &err) != ERR_OK) {
        app_assert(strncmp(err.detail, "meta", 4) == 0);
        return;
    }
    if (table_parse(a, "data", data, n_data, 0, 300, &t, &err) != ERR_OK) return;
    if (index_data_read(t, NULL, &s.frame, a, &s.data, &err) != ERR_OK) {
        app_assert(err.code == ERR_INVALID);
        return;
    }
    static const char spec[] = "impute: {method: median}\ntreat: {method: winsorise}\n";
    app_assert(index_spec_parse("spec", spec, sizeof spec - 1, &s.frame, &s.data, a, &s.spec,
                                &err) == ERR_OK);
    s.tree = s.frame.tree;
    check_study(&s);
    enum err_code rc = index_study_run(&s, NULL, a, &err);
    app_assert(rc == ERR_OK || rc == ERR_NUMERIC || rc == ERR_INVALID);
    if (rc == ERR_OK) check_report(&s, a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena *a = arena_new((size_t)256 << 20);
    const char *p = (const char *)data;
    size_t cut = 0;
    app_assert(a != NULL);
    while (cut + 4 <= size && memcmp(p + cut, "\n==\n", 4) != 0) cut++;
    if (cut + 4 <= size) study(a, p, cut + 1, p + cut + 4, size - cut - 4);
    arena_free(a);
    return 0;
}
