/* api/index_view.h - what the handlers of indicators and indices share: a period, a level, and the
 * view formed for them. */
#ifndef API_INDEX_VIEW_H
#define API_INDEX_VIEW_H
#include "api/api.h"
#include "domain/grid/grid.h"
#include "domain/measure/index_json.h"

/* A snapshot of everything a value rests on. index_look_end is to be called after each
 * index_look_begin that returned ERR_OK. */
struct index_look {
    const struct grid *grid;
    struct reader *reader;
    struct value_query q;
    int64_t seq;
    int level;
};
/* period and level: the query's or the body's; level NULL: the first level of `levels` (bits) with
 * more than one area. Errors: ERR_INVALID naming the parameter. */
enum err_code index_look_begin(struct call *c, const char *period, const char *level,
                               unsigned levels, struct index_look *out, struct err *err) NODISCARD;
void index_look_end(struct call *c, struct index_look *look);
/* The index named in the path. ERR_NOT_FOUND. */
enum err_code index_of_call(struct call *c, const struct index_def **out,
                            struct err *err) NODISCARD;
const char *index_level_name(int level);
#endif
