/* api/case_list.h - the query behind every list of cases: filters from the request, rights in the
 * query, keyset paging. */
#ifndef API_CASE_LIST_H
#define API_CASE_LIST_H
#include "api/case_view.h"

enum list_kind { LIST_STAFF = 1, LIST_PUBLIC = 2 };
struct case_list_query {
    struct sql sql;
    int64_t limit;
    int sort; /* index in the sort table */
    bool has_box;
    double box[4]; /* as asked for: west south east north, degrees */
};
/* Read filters of the call and build "SELECT ... ORDER BY ... LIMIT limit + 1". Errors: ERR_INVALID
 * naming the parameter. */
enum err_code case_list_build(struct call *c, enum list_kind kind, struct case_list_query *out,
                              struct err *err) NODISCARD;
/* The words of "a,b,c" as cells, at most `most` of them; in the call's arena. Errors: ERR_NOMEM. */
enum err_code case_list_words(struct call *c, const char *list, struct cell *out, size_t most,
                              size_t *n, struct err *err) NODISCARD;
/* The cursor text after a row of the list. */
char *case_list_after(const struct call *c, const struct case_list_query *q,
                      const struct case_row *last);
#endif
