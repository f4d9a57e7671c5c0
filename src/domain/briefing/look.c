/* What a briefing takes from the cases themselves: public matters only, no single case. */
#include <stdlib.h>
#include <string.h>

#include "domain/briefing/inside.h"
#include "store/sql.h"

static const int64_t day_us = 86400000000;

int64_t briefing_day_us(const struct briefing_data *d, int32_t day) {
    return tz_to_utc(d->source.tz, day * day_us);
}

int32_t briefing_local_day(const struct briefing_data *d, int64_t at_us) {
    int64_t local = tz_to_local(d->source.tz, at_us);
    return (int32_t)((local - (((local % day_us) + day_us) % day_us)) / day_us);
}

static void column(struct sql *s, const struct type_def *t, const char *name) {
    sql_column(s, &t->table, type_field(t, name), "c.");
}

/* A city alone on top also has the cases without any place. */
void briefing_within(const struct briefing_data *d, const struct type_def *cases, struct sql *s) {
    static const char *const levels[] = {"city", "city", "county", "town", "community"};
    size_t tops = 0;
    for (size_t i = 0; i < d->source.grid->n_areas; i++)
        tops += d->source.grid->areas[i].level == d->level;
    if (d->level <= LEVEL_CITY && tops == 1) return;
    sql_add(s, " AND ");
    column(s, cases, levels[d->level]);
    sql_add(s, " = ");
    (void)sql_value(s, cell_text(d->area->code));
}

/* FROM ... WHERE: public cases of the area; warnings and supervision are told by themselves. */
static void from_cases(const struct briefing_data *d, const struct type_def *t, struct sql *s) {
    sql_add(s, " FROM ");
    sql_table(s, &t->table);
    sql_add(s, " c WHERE c.ledger = ");
    (void)sql_value(s, cell_int(d->source.ledger));
    sql_add(s, " AND ");
    column(s, t, "private");
    sql_add(s, " = 0 AND ");
    column(s, t, "process");
    sql_add(s, " NOT IN ('warning', 'supervision')");
    briefing_within(d, t, s);
}

static void between(const struct briefing_data *d, const struct type_def *t, const char *time,
                    const struct period *p, struct sql *s) {
    sql_add(s, " AND ");
    column(s, t, time);
    sql_add(s, " >= ");
    (void)sql_value(s, cell_int(briefing_day_us(d, p->from)));
    sql_add(s, " AND ");
    column(s, t, time);
    sql_add(s, " < ");
    (void)sql_value(s, cell_int(briefing_day_us(d, p->to)));
}

struct tally {
    struct briefing_class *by_class; /* one a class of the packs */
    int which;                       /* 0 now, 1 before, 2 last year */
};

static enum err_code tally_classes(const struct briefing_data *d, const struct type_def *t,
                                   const struct period *p, struct arena *a, struct tally *out,
                                   struct err *err) {
    const struct pack_set *packs = d->source.packs;
    struct sql s;
    struct cursor *c = NULL;
    TRY(sql_begin(&s, a, err));
    sql_add(&s, "SELECT ");
    column(&s, t, "class");
    sql_add(&s, ", COUNT(*)");
    from_cases(d, t, &s);
    between(d, t, "opened_at", p, &s);
    sql_add(&s, " GROUP BY 1 ORDER BY 1");
    TRY(sql_query(&s, d->source.db, &c, err));
    enum err_code rc = ERR_OK;
    for (bool has = true; rc == ERR_OK && has;) {
        rc = cursor_next(c, &has, err);
        const struct case_class *cls =
            rc == ERR_OK && has ? pack_class(packs, cursor_text(c, 0)) : NULL;
        if (cls == NULL || cls->is_private) continue;
        struct briefing_class *k = &out->by_class[cls - packs->classes];
        k->cls = cls;
        *(out->which == 0   ? &k->now
          : out->which == 1 ? &k->before
                            : &k->last_year) = cursor_int(c, 1);
    }
    cursor_close(c);
    return rc;
}

static enum err_code read_classes(struct briefing_data *d, const struct type_def *t,
                                  struct arena *a, struct err *err) {
    size_t n = d->source.packs->n_classes, kept = 0;
    struct tally tally = {.by_class = ARENA_NEW(a, struct briefing_class, n + 1)};
    if (tally.by_class == NULL) return err_fail(err, ERR_NOMEM, "briefing");
    struct period periods[] = {d->ask.period, period_step(&d->ask.period, -1),
                               period_last_year(&d->ask.period)};
    for (tally.which = 0; tally.which < 3; tally.which++)
        TRY(tally_classes(d, t, &periods[tally.which], a, &tally, err));
    for (size_t i = 0; i < n; i++)
        if (tally.by_class[i].cls != NULL) tally.by_class[kept++] = tally.by_class[i];
    d->cls = tally.by_class;
    d->n_cls = kept;
    return ERR_OK;
}

static enum err_code count_between(const struct briefing_data *d, const struct type_def *t,
                                   const char *time, const struct period *p, struct arena *a,
                                   int64_t *out, struct err *err) {
    struct sql s;
    struct cursor *c = NULL;
    bool has = false;
    TRY(sql_begin(&s, a, err));
    sql_add(&s, "SELECT COUNT(*)");
    from_cases(d, t, &s);
    if (p != NULL) {
        between(d, t, time, p, &s);
    } else {
        sql_add(&s, " AND c.closed_at IS NULL AND c.due_at < ");
        (void)sql_value(&s, cell_int(d->source.at_us));
    }
    TRY(sql_query(&s, d->source.db, &c, err));
    enum err_code rc = cursor_next(c, &has, err);
    *out = rc == ERR_OK && has ? cursor_int(c, 0) : 0;
    cursor_close(c);
    return rc;
}

static enum err_code read_done(struct briefing_data *d, const struct type_def *t, struct arena *a,
                               struct err *err) {
    struct period before = period_step(&d->ask.period, -1);
    const struct period *now = &d->ask.period;
    struct briefing_done *x = &d->done;
    TRY(count_between(d, t, "opened_at", now, a, &x->reported, err));
    TRY(count_between(d, t, "opened_at", &before, a, &x->reported_before, err));
    TRY(count_between(d, t, "closed_at", now, a, &x->closed, err));
    TRY(count_between(d, t, "closed_at", &before, a, &x->closed_before, err));
    return count_between(d, t, NULL, NULL, a, &x->overdue, err);
}

enum err_code briefing_look(struct briefing_data *d, struct arena *a, struct err *err) {
    const struct type_def *t = pack_type(d->source.packs, "case");
    if (t == NULL) return err_fail(err, ERR_INVALID, "the packs have no type \"case\"");
    TRY(briefing_score(d, a, err));
    TRY(read_classes(d, t, a, err));
    TRY(read_done(d, t, a, err));
    return briefing_watch_read(d, a, err);
}
