#include "study/alarm/answer.h"

#include <stdlib.h>
#include <string.h>

#include "base/civil.h"

static enum err_code read_from(const struct series_set *set, const char *text, int32_t *day,
                               struct err *err) {
    int64_t days = 0;
    char *end = NULL;
    if (set->numbered) {
        long n = text[strspn(text, "0123456789")] == '\0' ? strtol(text, &end, 10) : -1;
        if (n < 0 || n > INT32_MAX || end == text)
            return err_fail(err, ERR_INVALID, "--from \"%.40s\": expected a number of the series",
                            text);
        *day = (int32_t)n;
        return ERR_OK;
    }
    if (!civil_date_parse(text, &days))
        return err_fail(err, ERR_INVALID, "--from \"%.40s\": expected a date such as 2026-01-31",
                        text);
    *day = (int32_t)days;
    return ERR_OK;
}

static size_t start_of(const struct series_set *set, const struct series_group *g,
                       const struct alarm_spec *spec, const struct alarm_when *when, int32_t day) {
    size_t history = alarm_needs_before(spec) ? (set->weekly ? 52 : 56) : 0, at = 0;
    if (spec->weekday_weeks * 7 > history && history > 0) history = spec->weekday_weeks * 7;
    if (when->from != NULL) {
        while (at < g->n && g->day[at] < day) at++;
        return at;
    }
    if (when->last >= 0) return (size_t)when->last < g->n ? g->n - (size_t)when->last : 0;
    if (when->history >= 0) history = (size_t)when->history;
    return history < g->n ? history : g->n;
}

enum err_code alarm_answer(struct arena *a, const struct num_run *run, const struct series_set *set,
                           const struct alarm_spec *spec, const struct alarm_when *when,
                           struct alarm_answer *out, struct err *err) {
    int32_t day = 0;
    *out =
        (struct alarm_answer){.name = alarm_method_name(spec->method), .set = set, .spec = *spec};
    if (when->from != NULL) TRY(read_from(set, when->from, &day, err));
    out->series = ARENA_NEW(a, struct alarm_series, set->n_group);
    out->point = ARENA_NEW(a, struct alarm_point *, set->n_group);
    if (out->series == NULL || out->point == NULL) return err_fail(err, ERR_NOMEM, "no memory");
    for (size_t i = 0; i < set->n_group; i++) {
        const struct series_group *g = &set->group[i];
        struct alarm_series *x = &out->series[i];
        struct err why = {0};
        *x = (struct alarm_series){.n = g->n,
                                   .from = start_of(set, g, spec, when, day),
                                   .count = g->count,
                                   .population = g->population,
                                   .mean = g->mean,
                                   .day = set->numbered ? NULL : g->day,
                                   .class_of = g->class_of,
                                   .year_steps = set->weekly ? 52 : 365};
        enum err_code rc = alarm_series_check(spec, x, &why);
        if (rc != ERR_OK)
            return err_fail(err, rc, "%s%.80s%s%s", g->name[0] == '\0' ? "" : "group ", g->name,
                            g->name[0] == '\0' ? "" : ": ", why.detail);
        out->point[i] = ARENA_NEW(a, struct alarm_point, x->n - x->from + 1);
        if (out->point[i] == NULL)
            return err_fail(err, ERR_NOMEM, "no memory for the results of %zu groups",
                            set->n_group);
    }
    return alarm_run_many(run, spec, set->n_group, out->series, out->point, err);
}

void alarm_answer_score(const struct alarm_answer *a, size_t group, struct alarm_score *out) {
    *out = (struct alarm_score){0};
    for (size_t i = 0; i < a->set->n_group; i++) {
        const struct alarm_series *x = &a->series[i];
        if (group != SIZE_MAX && group != i) continue;
        alarm_evaluate(a->point[i], a->set->group[i].label, x->from, x->n, x->day,
                       a->set->weekly ? 7 : 1, out);
    }
}

size_t alarm_answer_alarms(const struct alarm_answer *a, size_t group) {
    size_t n = 0;
    for (size_t k = 0; k < a->series[group].n - a->series[group].from; k++)
        if (a->point[group][k].alarm) n++;
    return n;
}
