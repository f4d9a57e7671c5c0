/* study/risk/incidents.h - gezhi risk incidents: do incidents set off others? Hawkes in time, ETAS
 * in time and space, from a table of incidents. */
#ifndef STUDY_RISK_INCIDENTS_H
#define STUDY_RISK_INCIDENTS_H
#include "base/buf.h"
#include "num/model/hawkes.h"
#include "study/table/table.h"

struct risk_incidents_spec {
    const char *time, *x, *y; /* columns; x and y NULL: time only */
    const char *from, *to;    /* window as a number or a date; NULL: first and last incident */
    double area, bandwidth, max_lag, max_reach; /* as in num/model/hawkes.h; area 0: of the box */
};
struct risk_incidents {
    bool in_space, dates; /* dates: times are days since 1970-01-01 */
    double from, to, area;
    size_t n, n_outside;
    struct model_hawkes hawkes;
    struct model_etas etas;
};
/* Times are numbers or dates with an optional hour and minute ("2019-03-01 14:05"), then in days.
 * Errors: ERR_INVALID by file, line, column. */
enum err_code risk_incidents_study(struct arena *a, const struct table *t,
                                   const struct risk_incidents_spec *s, const struct num_run *run,
                                   struct risk_incidents *out, struct err *err) NODISCARD;
void risk_incidents_json(const struct risk_incidents *r, struct buf *b);
void risk_incidents_text(const struct risk_incidents *r, struct buf *b);
#endif
