/* The member "audit" of a spec: any YAML ends in a plan in range, or an error that names the file.
 */
#include <stdint.h>
#include <string.h>

#include "study/composite/audit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char meta_text[] = "Level,iCode,Direction,Weight,Parent,Type\n"
                                "1,A,1,1,P,Indicator\n1,B,-1,2,P,Indicator\n1,C,1,1,Q,Indicator\n"
                                "2,P,1,1,X,Aggregate\n2,Q,1,1,X,Aggregate\n3,X,1,1,,Aggregate\n";
static const char data_text[] = "uCode,A,B,C\na,1,2,3\nb,2,1,4\nc,4,9,1\nd,3,3,8\n";

static void check(const struct index_study *s, const struct audit_plan *p) {
    const struct choices *c = &p->choices;
    app_assert(p->draws >= 1 && p->draws <= AUDIT_MAX_DRAWS && p->band > 0 && p->band < 1);
    app_assert(p->distinguish >= 0.5 && p->distinguish <= 1 && p->dominance >= 0.5);
    app_assert(c->n_impute <= AUDIT_MAX_ALTERNATIVES && c->n_weights <= AUDIT_MAX_ALTERNATIVES);
    app_assert(c->noise == CHOICE_STILL || c->noise_amount > 0);
    for (size_t k = 0; k < c->n_drop; k++)
        app_assert(c->drop[k] == COMPOSITE_NONE || c->drop[k] + 1 < s->tree.n_node);
    app_assert(p->sobol.n != 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena *a = arena_new((size_t)64 << 20);
    const struct table *meta, *values;
    struct index_study s;
    struct audit_plan plan;
    struct err err = {0};
    app_assert(a != NULL);
    memset(&s, 0, sizeof s);
    app_assert(table_parse(a, "meta", meta_text, sizeof meta_text - 1, 0, 100, &meta, &err) ==
               ERR_OK);
    app_assert(table_parse(a, "data", data_text, sizeof data_text - 1, 0, 100, &values, &err) ==
               ERR_OK);
    app_assert(index_frame_read(meta, a, &s.frame, &err) == ERR_OK);
    app_assert(index_data_read(values, NULL, &s.frame, a, &s.data, &err) == ERR_OK);
    s.tree = s.frame.tree;
    s.columns = s.data.data;
    enum err_code rc = index_spec_parse("fuzz", size == 0 ? "" : (const char *)data, size, &s.frame,
                                        &s.data, a, &s.spec, &err);
    if (rc == ERR_OK) {
        rc = audit_plan_read(&s, s.spec.audit, a, &plan, &err);
        app_assert(rc == ERR_OK || rc == ERR_INVALID || rc == ERR_NOMEM);
        if (rc == ERR_OK)
            check(&s, &plan);
        else
            app_assert(strncmp(err.detail, "fuzz:", 5) == 0);
    }
    arena_free(a);
    return 0;
}
