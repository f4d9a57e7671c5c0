/* domain/briefing/inside.h - what the parts of forming share. Private to domain/briefing. */
#ifndef DOMAIN_BRIEFING_INSIDE_H
#define DOMAIN_BRIEFING_INSIDE_H
#include "domain/briefing/words.h"
#include "store/sql.h"

/* Whether an area is `in` or lies below it. */
bool briefing_lies_in(const struct grid *g, const struct grid_area *area,
                      const struct grid_area *in);
/* Adds " AND <column of the area's level> = ?" over the case table, nothing for the whole city. */
void briefing_within(const struct briefing_data *d, const struct type_def *cases, struct sql *s);
/* Local days [from, to) as instants. */
int64_t briefing_day_us(const struct briefing_data *d, int32_t day);
int32_t briefing_local_day(const struct briefing_data *d, int64_t at_us);

/* gather.c: scores, colours and parts of what was gathered. */
enum err_code briefing_score(struct briefing_data *d, struct arena *a, struct err *err) NODISCARD;
/* watch.c: warnings and supervision of the area. */
enum err_code briefing_watch_read(struct briefing_data *d, struct arena *a,
                                  struct err *err) NODISCARD;

/* One document in the making. */
struct forming {
    const struct briefing_data *d;
    struct jw w;
    struct words t;
};
const struct index_view *forming_now(const struct forming *f);
const struct index_view *forming_before(const struct forming *f);
/* Value of the index for an area of a view. */
double forming_value(const struct index_view *v, size_t at);

void form_head(struct forming *f);     /* form_index.c */
void form_trend(struct forming *f);    /* form_index.c */
void form_steps(struct forming *f);    /* form_steps.c: "moved" */
void form_areas(struct forming *f);    /* form_areas.c */
void form_map(struct forming *f);      /* form_map.c */
void form_warnings(struct forming *f); /* form_watch.c: "warnings" and "supervision" */
void form_risks(struct forming *f);    /* form_risks.c: "risks" */
void form_done(struct forming *f);     /* form_risks.c: "done" */
void form_quality(struct forming *f);  /* form_quality.c */
#endif
