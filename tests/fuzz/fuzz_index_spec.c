/* The spec of an index: any bytes end in choices that run, or in an error that names the spec, or a
 * numeric refusal that names what met it. */
#include <math.h>
#include <string.h>

#include "study/composite/index.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char meta_text[] = "Level,iCode,Direction,Weight,Target,Denominator,Parent,Type\n"
                                "1,A,1,2,9,,P,Indicator\n1,B,-1,1,0.1,Pop,P,Indicator\n"
                                "1,C,1,1,8,,Q,Indicator\n1,D,1,1,9,,Q,Indicator\n"
                                "2,P,1,1,,,X,Aggregate\n2,Q,1,3,,,X,Aggregate\n"
                                "3,X,1,1,,,,Aggregate\n,G,,,,,,Group\n";
static const char data_text[] = "uCode,Time,G,Pop,A,B,C,D\n"
                                "a,1,g,10,1,40,7,3\nb,1,g,20,3,20,,2\nc,1,h,40,2,,5,8\n"
                                "a,2,g,10,8,10,1,6\nb,2,g,25,4,30,2,\nc,2,h,44,7,35,6,5\n";

static void check_result(const struct index_study *s) {
    const struct composite_result *r = &s->result;
    size_t n = r->n_area[COMPOSITE_AGGREGATED];
    for (size_t k = 0; k < s->tree.n_node * n; k++)
        app_assert(!isinf(r->stage[COMPOSITE_AGGREGATED][k]));
    for (size_t j = 0; j < n; j++) app_assert(r->rank[j] <= n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena *a = arena_new((size_t)256 << 20);
    struct index_study s = {0};
    struct err err = {0};
    const struct table *t;
    app_assert(a != NULL);
    app_assert(table_parse(a, "meta", meta_text, sizeof meta_text - 1, ',', 99, &t, &err) ==
                   ERR_OK &&
               index_frame_read(t, a, &s.frame, &err) == ERR_OK);
    app_assert(table_parse(a, "data", data_text, sizeof data_text - 1, ',', 99, &t, &err) ==
                   ERR_OK &&
               index_data_read(t, NULL, &s.frame, a, &s.data, &err) == ERR_OK);
    enum err_code rc =
        index_spec_parse("spec", (const char *)data, size, &s.frame, &s.data, a, &s.spec, &err);
    if (rc != ERR_OK) {
        app_assert(strncmp(err.detail, "spec", 4) == 0);
        arena_free(a);
        return 0;
    }
    if (s.spec.group == NULL || index_data_group(&s.data, s.spec.group, a, &err) == ERR_OK) {
        s.tree = s.frame.tree;
        if (s.spec.flat)
            app_assert(composite_tree_flatten(&s.frame.tree, a, &s.tree, &err) == ERR_OK);
        rc = index_study_run(&s, NULL, a, &err);
        app_assert(rc == ERR_OK || rc == ERR_NUMERIC || rc == ERR_INVALID);
        if (rc == ERR_OK) check_result(&s);
    }
    arena_free(a);
    return 0;
}
