/* api/index_view.h - what the handlers of indicators and indices share: a period, a level, and the
 * view formed for them. */
#ifndef API_INDEX_VIEW_H
#define API_INDEX_VIEW_H
#include "api/api.h"
#include "domain/grid/grid.h"
#include "domain/measure/definitions.h"
#include "domain/measure/index_json.h"

/* A snapshot of everything a value rests on. index_look_end is to be called after each
 * index_look_begin that returned ERR_OK. */
struct index_look {
    const struct grid *grid;
    struct reader *reader;
    struct value_query q;
    int64_t seq;
    int level;
    bool exact;      /* the tables and the cube are of one journal row: what is formed now can be
                        formed again from seq */
    struct arena *a; /* until index_look_end: goes with the size of the city, not of the request */
};
/* period and level: the query's or the body's; level NULL: the first level of `levels` (bits) with
 * more than one area. Errors: ERR_INVALID naming the parameter. */
enum err_code index_look_begin(struct call *c, const char *period, const char *level,
                               unsigned levels, struct index_look *out, struct err *err) NODISCARD;
/* The same for an index: its levels, and a period of a kind that it is formed for. */
enum err_code index_look_at(struct call *c, const struct index_def *d, const char *period,
                            const char *level, struct index_look *out, struct err *err) NODISCARD;
/* Gives the cube and the reader back early: draws and sorting need neither, and others wait. */
void index_look_release(struct call *c, struct index_look *look);
void index_look_end(struct call *c, struct index_look *look);
/* What is in force, held until the answer is written. */
enum err_code call_definitions(struct call *c, const struct definitions **out,
                               struct err *err) NODISCARD;
/* Run a change of what is in force as the named command, and take it up unless it is a draft; what
 * `tell` writes of the change that was made is the object answered. x: filled but for .made, lives
 * in c->a. Errors: those of definition_change_apply. */
typedef void definition_tell(struct jw *w, const struct definition_change *x);
enum err_code call_definition_change(struct call *c, const char *command,
                                     struct definition_change *x, definition_tell *tell,
                                     struct err *err) NODISCARD;
/* Of an index or a rule that is made by page. ERR_INVALID. */
enum err_code definition_name_check(const char *s, struct err *err) NODISCARD;
/* The index named in the path, as the edition that the period is formed by (NULL or "": the last
 * month that is over); held like that. ERR_NOT_FOUND; ERR_INVALID naming the period. */
enum err_code index_of_call(struct call *c, const char *period, const struct index_def **out,
                            struct err *err) NODISCARD;
/* Today by the city's clock. */
int32_t call_today(const struct call *c);
#endif
