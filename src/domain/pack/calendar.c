#include <string.h>

#include "base/civil.h"
#include "domain/pack/load.h"

enum { MAX_EXCEPTIONS = 2000, MAX_SPANS = 8 };

static bool two_digits(const char *s, int *out) {
    if (s[0] < '0' || s[0] > '9' || s[1] < '0' || s[1] > '9') return false;
    *out = (s[0] - '0') * 10 + (s[1] - '0');
    return true;
}

/* "08:30-12:00" */
static bool read_span(const char *s, struct work_span *out) {
    int h1, m1, h2, m2;
    if (strlen(s) != 11 || s[2] != ':' || s[5] != '-' || s[8] != ':') return false;
    if (!two_digits(s, &h1) || !two_digits(s + 3, &m1) || !two_digits(s + 6, &h2) ||
        !two_digits(s + 9, &m2) || m1 > 59 || m2 > 59)
        return false;
    *out = (struct work_span){h1 * 60 + m1, h2 * 60 + m2};
    return out->from_min < out->to_min && out->to_min <= 1440;
}

/* "2026-02-15" */
static bool read_day(const char *s, int year, int32_t *out) {
    int century, rest, month, day, y, m, d;
    for (size_t i = 0; i < 10; i++)
        if (s[i] == '\0') return false;
    if (!two_digits(s, &century) || !two_digits(s + 2, &rest) || s[4] != '-' ||
        !two_digits(s + 5, &month) || s[7] != '-' || !two_digits(s + 8, &day))
        return false;
    if (century * 100 + rest != year || month < 1 || month > 12 || day < 1) return false;
    int64_t days = civil_days(year, month, day);
    civil_from_days(days, &y, &m, &d);
    *out = (int32_t)days;
    return y == year && m == month && d == day;
}

/* "2026-02-15" or "2026-02-15..2026-02-23" */
static bool read_days(const char *s, int year, int32_t *from, int32_t *to) {
    size_t n = strlen(s);
    if (!read_day(s, year, from)) return false;
    *to = *from;
    if (n == 10) return true;
    return n == 22 && s[10] == '.' && s[11] == '.' && read_day(s + 12, year, to) && *from <= *to;
}

static void add_day(struct load *l, const char *file, int line, struct calendar_def *c,
                    struct work_exception *list, int32_t day, bool working) {
    for (size_t i = 0; i < c->n_exceptions; i++) {
        if (list[i].day != day) continue;
        load_problem(l, ERR_INVALID, file, line, "a day stands here twice");
        return;
    }
    if (c->n_exceptions == MAX_EXCEPTIONS) {
        load_problem(l, ERR_LIMIT, file, line, "more than %d days", MAX_EXCEPTIONS);
        return;
    }
    list[c->n_exceptions++] = (struct work_exception){.day = day, .working = working};
}

static void read_list(struct load *l, const char *file, const struct val *v, const char *key,
                      int year, struct calendar_def *c, struct work_exception *list) {
    const char *const *days;
    bool working = strcmp(key, "workdays") == 0;
    size_t n = rd_texts(l, file, v, key, false, &days);
    for (size_t i = 0; i < n; i++) {
        int32_t from, to;
        int line = val_get(v, key)->line;
        if (!read_days(days[i], year, &from, &to)) {
            load_problem(l, ERR_INVALID, file, line,
                         "\"%.40s\": write a day of %d as \"%d-02-15\" or days as "
                         "\"%d-02-15..%d-02-23\"",
                         days[i], year, year, year, year);
            continue;
        }
        for (int32_t day = from; day <= to; day++) add_day(l, file, line, c, list, day, working);
    }
}

static void read_year(struct load *l, const char *file, const struct val *v, struct calendar_def *c,
                      struct work_exception *list) {
    static const char *const known[] = {"year",     "source",   "confirmed",
                                        "holidays", "workdays", NULL};
    if (!rd_known(l, file, v, "a year", known)) return;
    int year = (int)rd_int(l, file, v, "year", 1970, 2200, 0);
    if (year == 0) {
        load_problem(l, ERR_INVALID, file, v->line, "\"year\" is missing");
        return;
    }
    (void)rd_text(l, file, v, "source", true, 300);
    if (rd_bool(l, file, v, "confirmed", false)) {
        if (c->last_year != 0 && year != c->last_year + 1)
            load_problem(l, ERR_INVALID, file, v->line,
                         "confirmed years follow one another without a gap");
        if (c->first_year == 0) c->first_year = year;
        c->last_year = year;
    }
    read_list(l, file, v, "holidays", year, c, list);
    read_list(l, file, v, "workdays", year, c, list);
}

static void read_weekdays(struct load *l, const char *file, const struct val *v,
                          struct calendar_def *c) {
    static const char *const names[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun", NULL};
    const char *const *days;
    size_t n = rd_texts(l, file, v, "weekdays", true, &days);
    for (size_t i = 0; i < n; i++) {
        unsigned k = 0;
        while (names[k] != NULL && strcmp(names[k], days[i]) != 0) k++;
        if (names[k] == NULL)
            load_unknown(l, file, v->line, "weekday", days[i], names);
        else
            c->weekday_mask |= 1u << k;
    }
}

static enum err_code read_spans(struct load *l, const char *file, const struct val *v,
                                struct calendar_def *c) {
    const char *const *texts;
    struct work_span *spans = ARENA_NEW(l->a, struct work_span, MAX_SPANS);
    if (spans == NULL) return load_nomem(l);
    size_t n = rd_texts(l, file, v, "spans", true, &texts);
    c->spans = spans;
    for (size_t i = 0; i < n && c->n_spans < MAX_SPANS; i++) {
        struct work_span s;
        bool ok = read_span(texts[i], &s);
        if (ok && c->n_spans > 0) ok = s.from_min >= spans[c->n_spans - 1].to_min;
        if (ok)
            spans[c->n_spans++] = s;
        else
            load_problem(l, ERR_INVALID, file, v->line,
                         "\"%.40s\": write spans of the day in order, as \"08:30-12:00\"",
                         texts[i]);
    }
    return ERR_OK;
}

enum err_code load_calendar_file(struct load *l, const char *file, const struct val *v) {
    static const char *const known[] = {"calendar", "title", "source", "weekdays",
                                        "spans",    "years", NULL};
    if (!rd_known(l, file, v, "a calendar", known)) return ERR_OK;
    if (l->set.n_calendars == LOAD_MAX_CALENDARS) {
        load_problem(l, ERR_LIMIT, file, 0, "more than %d calendars", LOAD_MAX_CALENDARS);
        return ERR_OK;
    }
    struct calendar_def *c = &l->calendars[l->set.n_calendars];
    struct work_exception *list = ARENA_NEW(l->a, struct work_exception, MAX_EXCEPTIONS);
    if (list == NULL) return load_nomem(l);
    *c = (struct calendar_def){.exceptions = list};
    c->name = rd_name(l, file, v, "calendar", true);
    c->source = rd_text(l, file, v, "source", true, 500);
    (void)rd_title(l, file, v, "title", true);
    read_weekdays(l, file, v, c);
    TRY(read_spans(l, file, v, c));
    const struct val *years = rd_list(l, file, v, "years", true);
    for (size_t i = 0; years != NULL && i < years->n; i++)
        read_year(l, file, &years->u.list[i], c, list);
    if (c->weekday_mask == 0 || c->n_spans == 0)
        load_problem(l, ERR_INVALID, file, v->line, "the calendar has no working time");
    for (size_t i = 0; i < l->set.n_calendars; i++)
        if (strcmp(l->calendars[i].name, c->name) == 0)
            load_problem(l, ERR_INVALID, file, v->line, "calendar \"%s\" is declared twice",
                         c->name);
    l->set.n_calendars++;
    return ERR_OK;
}
