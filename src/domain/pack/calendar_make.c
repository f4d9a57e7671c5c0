#include <string.h>

#include "domain/pack/pack.h"

enum err_code pack_calendar(struct arena *a, const struct pack_set *p, const char *name,
                            const struct tz *tz, const struct work_calendar **out,
                            struct err *err) {
    for (size_t i = 0; i < p->n_calendars; i++) {
        const struct calendar_def *c = &p->calendars[i];
        if (strcmp(c->name, name) != 0) continue;
        return work_calendar_new(a, tz, c->weekday_mask, c->spans, c->n_spans, c->exceptions,
                                 c->n_exceptions, c->first_year, c->last_year, out, err);
    }
    return err_fail(err, ERR_NOT_FOUND, "the packs have no calendar \"%.60s\"", name);
}
