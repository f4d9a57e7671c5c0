/* warnings/NAME.yaml: rules, guards, expected events. The format is told in docs/warnings.md. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "domain/measure/document.h"
#include "domain/measure/warn_def.h"

enum { MAX_LIST = 500 };

static const char *const method_names[] = {
    "ears_c1", "ears_c2", "ears_c3", "farrington_flexible", "cusum",       "threshold",
    "change",  "silence", "scan",    "indicator",           "index_color", "overdue_share",
    NULL};
static const char *const level_names[] = {"city", "county", "town", "community",
                                          "cell", "point",  "unit", NULL};
static const char *const color_names[] = {"blue", "yellow", "orange", "red", NULL};

const char *warn_method_name(enum warn_method m) { return method_names[m - 1]; }
const char *warn_level_name(enum warn_level l) { return level_names[l]; }
const char *warn_color_name(int color) { return color_names[color - 1]; }

struct reading {
    struct arena *a;
    const struct pack_set *packs;
    const struct pack_document *doc;
    struct warn_set *set;
    struct warn_rule *rule;
    struct warn_event *event;
    struct err *err;
};

static enum err_code fault(const struct reading *r, const struct val *v, const char *what,
                           const char *found) {
    return document_fault(r->doc, v, what, found, r->err);
}

static enum err_code located(const struct reading *r, const struct val *v, enum err_code rc,
                             const struct err *why) {
    return document_said(r->doc, v, rc, why, r->err);
}

static enum err_code text_of(const struct reading *r, const struct val *v, const char *key,
                             bool required, const char **out) {
    return document_text(r->doc, v, key, required, out, r->err);
}

static enum err_code known(const struct reading *r, const struct val *v, const char *what,
                           const char *const *keys) {
    return document_known(r->doc, v, what, keys, r->err);
}

static enum err_code title_of(const struct reading *r, const struct val *v, struct text *out) {
    return document_title(r->doc, v, "title", out, r->err);
}

static enum err_code word_of(const struct reading *r, const struct val *v, const char *key,
                             const char *const *names, int *out) {
    const char *word = "";
    TRY(text_of(r, v, key, true, &word));
    for (int i = 0; names[i] != NULL; i++)
        if (strcmp(names[i], word) == 0) {
            *out = i;
            return ERR_OK;
        }
    return fault(r, v, "this word is not known here", word);
}

struct number {
    const char *key;
    double *out;
    double fallback, min, max;
};
static enum err_code numbers(const struct reading *r, const struct val *v, const struct number *n,
                             size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct err why = {0};
        *n[i].out = n[i].fallback;
        if (v == NULL) continue;
        TRY(located(r, v, val_double(v, n[i].key, false, n[i].min, n[i].max, n[i].out, &why),
                    &why));
    }
    return ERR_OK;
}

/* ---- classes */

static bool one_of(const struct val *list, const char *word) {
    for (size_t i = 0; i < list->n; i++)
        if (strcmp(list->u.list[i].u.s, word) == 0) return true;
    return false;
}

static enum err_code texts(const struct reading *r, const struct val *v, const char *key,
                           const struct val **out) {
    const struct val *list = val_get(v, key);
    *out = list;
    if (list == NULL) return ERR_OK;
    if (list->type != VAL_LIST || list->n == 0 || list->n > MAX_LIST)
        return fault(r, list, "expected a list of words in", key);
    for (size_t i = 0; i < list->n; i++)
        if (list->u.list[i].type != VAL_STR)
            return fault(r, &list->u.list[i], "a code must be quoted in", key);
    return ERR_OK;
}

/* The program's own work (warnings, supervision) is nothing that happened in the city. */
static const char task_kind[] = "task";

/* {kind, major: [...], classes: [...]}: what passes all that is told. Private classes only when
 * they are named one by one. */
static enum err_code read_watch(const struct reading *r, const struct val *v, const bool **out) {
    static const char *const keys[] = {"kind", "major", "classes", NULL};
    const struct val *major = NULL, *classes = NULL;
    const char *kind = "";
    bool *flag = ARENA_NEW(r->a, bool, r->packs->n_classes + 1), any = false;
    if (flag == NULL) return err_fail(r->err, ERR_NOMEM, "warnings");
    *out = flag;
    if (v != NULL) {
        TRY(known(r, v, "classes", keys));
        TRY(text_of(r, v, "kind", false, &kind));
        TRY(texts(r, v, "major", &major));
        TRY(texts(r, v, "classes", &classes));
    }
    for (size_t i = 0; classes != NULL && i < classes->n; i++)
        if (pack_class(r->packs, classes->u.list[i].u.s) == NULL)
            return fault(r, &classes->u.list[i], "there is no such class", classes->u.list[i].u.s);
    for (size_t i = 0; i < r->packs->n_classes; i++) {
        const struct case_class *c = &r->packs->classes[i];
        flag[i] = (kind[0] == '\0' ? strcmp(c->kind, task_kind) != 0 || classes != NULL
                                   : strcmp(c->kind, kind) == 0) &&
                  (major == NULL || one_of(major, c->major_code)) &&
                  (classes == NULL ? !c->is_private : one_of(classes, c->id));
        any |= flag[i];
    }
    return any || v == NULL ? ERR_OK : fault(r, v, "no class is watched here", NULL);
}

/* ---- a rule */

static enum err_code read_by(const struct reading *r, const struct val *v, struct warn_rule *x) {
    const char *by = "all", *model = "permutation";
    TRY(text_of(r, v, "by", false, &by));
    TRY(text_of(r, v, "model", false, &model));
    x->by_class = strcmp(by, "class") == 0;
    x->by_group = strcmp(by, "group") == 0;
    x->poisson = strcmp(model, "poisson") == 0;
    if (!x->by_class && !x->by_group && strcmp(by, "all") != 0)
        return fault(r, v, "\"by\" is class, group or all", by);
    if (!x->poisson && strcmp(model, "permutation") != 0)
        return fault(r, v, "\"model\" is permutation or poisson", model);
    return ERR_OK;
}

static enum err_code read_choice(const struct reading *r, const struct val *v,
                                 struct warn_rule *x) {
    int method = 0, level = 0, color = 0;
    TRY(word_of(r, v, "method", method_names, &method));
    TRY(word_of(r, v, "level", level_names, &level));
    TRY(word_of(r, v, "color", color_names, &color));
    x->method = (enum warn_method)(method + 1);
    x->level = (enum warn_level)level;
    x->color = color + 1;
    TRY(read_by(r, v, x));
    if (x->method != WARN_SCAN && x->level == WARN_POINT)
        return fault(r, v, "only a scan goes over points", NULL);
    if (x->method != WARN_OVERDUE_SHARE && x->level == WARN_UNIT)
        return fault(r, v, "only overdue shares go by unit", NULL);
    if (warn_by_figures(x->method) && x->level == WARN_CELL)
        return fault(r, v, "figures are formed for areas, not for cells", NULL);
    if (warn_by_figures(x->method) && (x->by_class || x->by_group))
        return fault(r, v, "figures are not split by class; \"watch\" chooses classes", NULL);
    if (x->method == WARN_SCAN && (x->level < WARN_COMMUNITY || x->level > WARN_POINT))
        return fault(r, v, "a scan goes over communities, cells or points", level_names[x->level]);
    return ERR_OK;
}

static enum err_code read_period(const struct reading *r, const struct val *v,
                                 struct warn_rule *x) {
    const char *period = "";
    TRY(text_of(r, v, "period", true, &period));
    int kind = period_kind_parse(period);
    if (kind < 0) return fault(r, v, "\"period\" is day, ten_day, month or year", period);
    x->period = (enum period_kind)kind;
    return ERR_OK;
}

static enum err_code read_indicator(const struct reading *r, const struct val *v,
                                    struct warn_rule *x) {
    const char *name = "", *against = "value";
    struct err why = {0};
    TRY(text_of(r, v, "indicator", true, &name));
    TRY(text_of(r, v, "against", false, &against));
    TRY(read_period(r, v, x));
    TRY(located(r, v, val_bool(v, "weekday", false, &x->weekday, &why), &why));
    x->indicator = pack_indicator(r->packs, name);
    if (x->indicator == NULL) return fault(r, v, "there is no such indicator", name);
    x->against_before = strcmp(against, "before") == 0;
    if (!x->against_before && strcmp(against, "value") != 0)
        return fault(r, v, "\"against\" is value or before", against);
    if (x->weekday && !(x->against_before && x->period == PERIOD_DAY))
        return fault(r, v, "\"weekday\" is for days held against days before", NULL);
    if (val_get(v, "raise") == NULL || val_get(v, "clear") == NULL || x->raise == x->clear)
        return fault(r, v, "an indicator's rule needs \"raise\" and \"clear\", not equal", x->name);
    return ERR_OK;
}

static enum err_code read_index(const struct reading *r, const struct val *v, struct warn_rule *x) {
    TRY(text_of(r, v, "index", true, &x->index));
    TRY(text_of(r, v, "band", true, &x->band));
    return read_period(r, v, x);
}

static enum err_code read_overdue(const struct reading *r, const struct val *v,
                                  struct warn_rule *x) {
    const char *of = "open";
    TRY(text_of(r, v, "of", false, &of));
    x->due = strcmp(of, "due") == 0;
    if (!x->due && strcmp(of, "open") != 0) return fault(r, v, "\"of\" is open or due", of);
    if (!(x->raise > x->clear && x->raise <= 1))
        return fault(r, v, "an overdue share needs \"raise\" of at most 1 above \"clear\"",
                     x->name);
    return ERR_OK;
}

/* What only one method has, and what must fit together. */
static enum err_code read_method(const struct reading *r, const struct val *v,
                                 struct warn_rule *x) {
    if (x->method == WARN_INDICATOR) return read_indicator(r, v, x);
    if (x->method == WARN_INDEX_COLOR) return read_index(r, v, x);
    if (x->method == WARN_OVERDUE_SHARE) return read_overdue(r, v, x);
    if (x->method == WARN_THRESHOLD && !(x->raise > 0 && x->clear < x->raise))
        return fault(r, v, "a threshold needs \"raise\" above \"clear\"", x->name);
    if (x->method == WARN_SCAN && x->history < 4 * x->max_days)
        return fault(r, v, "\"history\" must be four times \"max_days\" or more", x->name);
    if (x->method == WARN_CHANGE && x->history < x->window + x->baseline)
        return fault(r, v, "\"history\" must hold \"window\" and \"baseline\"", x->name);
    return ERR_OK;
}

static double usual_history(enum warn_method m) {
    if (m == WARN_FARRINGTON) return 7 * 53 * 5;
    if (m == WARN_SILENCE) return 180;
    return m == WARN_CUSUM ? 84 : 56;
}

static enum err_code read_numbers(const struct reading *r, const struct val *v,
                                  struct warn_rule *x) {
    bool any_sign = x->method == WARN_INDICATOR, share = x->method == WARN_OVERDUE_SHARE;
    const struct number n[] = {
        {"history", &x->history, usual_history(x->method), 14, 3660},
        {"window", &x->window,
         x->method == WARN_THRESHOLD ? 1
         : share                     ? 28
                                     : 7,
         1, 366},
        {"baseline", &x->baseline, x->method == WARN_CHANGE ? 28 : 7, 3, 365},
        {"weekday_weeks", &x->weekday_weeks, 0, 0, 52},
        {"min", &x->min, share ? 20 : 5, 1, 1e6},
        {"alpha", &x->alpha, 0.001, 1e-9, 0.5},
        {"years", &x->years, 3, 1, 10},
        {"k", &x->k, 1, 0, 100},
        {"h", &x->h, 5, 0.1, 1000},
        {"raise", &x->raise, 0, any_sign ? -1e12 : 0, any_sign ? 1e12 : 1e6},
        {"clear", &x->clear, 0, any_sign ? -1e12 : 0, any_sign ? 1e12 : 1e6},
        {"ratio", &x->ratio, 2, 1, 1000},
        {"gap_times", &x->gap_times, 2, 1, 100},
        {"max_days", &x->max_days, 7, 1, 60},
        {"max_radius_m", &x->max_radius_m, 1500, 50, 1e6},
        {"max_share", &x->max_share, 0.3, 0.001, 0.5},
        {"replicas", &x->replicas, 999, 99, 99999},
        {"recurrence", &x->recurrence, 365, 2, 100000},
        {"grid_m", &x->grid_m, 300, 20, 20000},
        {"look", &x->look, share ? 14 : 6, 1, 60},
        {"periods", &x->periods, 4, 1, 24}};
    return numbers(r, v, n, sizeof n / sizeof n[0]);
}

/* Beyond its colour: when a signal is red. */
static enum err_code read_red(const struct reading *r, const struct val *v, struct warn_rule *x) {
    static const char *const keys[] = {"min", "ratio", "recurrence", "periods", NULL};
    struct warn_red *red = &x->red;
    if (v == NULL) return ERR_OK;
    TRY(known(r, v, "\"red\"", keys));
    const struct number n[] = {{"min", &red->min, NAN, 1, 1e6},
                               {"ratio", &red->ratio, NAN, 1, 1e6},
                               {"recurrence", &red->recurrence, NAN, 2, 1e12},
                               {"periods", &red->periods, NAN, 2, 60}};
    TRY(numbers(r, v, n, sizeof n / sizeof n[0]));
    bool counts = !isnan(red->min) || !isnan(red->ratio) || !isnan(red->recurrence);
    bool lasts = !isnan(red->periods), figures = warn_by_figures(x->method);
    if (!counts && !lasts) return fault(r, v, "\"red\" says when a signal is red", x->name);
    if (x->color == WARN_RED) return fault(r, v, "the rule is red already", x->name);
    if (figures ? counts : lasts)
        return fault(r, v,
                     figures ? "over figures \"red\" goes by \"periods\""
                             : "\"periods\" is for rules over figures",
                     x->name);
    if (x->method == WARN_SILENCE) return fault(r, v, "silence is never red", x->name);
    if (lasts && red->periods > x->look)
        return fault(r, v, "\"periods\" is at most \"look\"", x->name);
    red->on = true;
    return ERR_OK;
}

static enum err_code read_rule(struct reading *r, const struct val *v) {
    static const char *const keys[] = {"rule",       "title",
                                       "watch",      "by",
                                       "level",      "method",
                                       "color",      "history",
                                       "window",     "baseline",
                                       "min",        "weekday_weeks",
                                       "alpha",      "years",
                                       "k",          "h",
                                       "raise",      "clear",
                                       "ratio",      "gap_times",
                                       "model",      "max_days",
                                       "max_share",  "replicas",
                                       "recurrence", "max_radius_m",
                                       "grid_m",     "indicator",
                                       "index",      "band",
                                       "period",     "against",
                                       "periods",    "weekday",
                                       "look",       "of",
                                       "red",        NULL};
    if (r->set->n_rules == WARN_MAX_RULES) return fault(r, v, "too many rules", NULL);
    struct warn_rule *x = &r->rule[r->set->n_rules++];
    *x = (struct warn_rule){.file = r->doc->file, .pack = r->doc->pack, .line = v->line};
    TRY(known(r, v, "a rule", keys));
    TRY(text_of(r, v, "rule", true, &x->name));
    TRY(title_of(r, v, &x->title));
    TRY(read_watch(r, val_get(v, "watch"), &x->watched));
    TRY(read_choice(r, v, x));
    TRY(read_numbers(r, v, x));
    TRY(read_red(r, val_get(v, "red"), x));
    return read_method(r, v, x);
}

/* ---- guards and events */

static enum err_code read_guards(const struct reading *r, const struct val *v,
                                 struct warn_guards *g) {
    static const char *const keys[] = {"default_point", "batch", "repeat", "new_channel", NULL};
    static const char *const point_keys[] = {"days", "min", "classes", "share", NULL};
    static const char *const repeat_keys[] = {"hours", "minutes", NULL};
    static const char *const min_key[] = {"min", NULL}, *const days_key[] = {"days", NULL};
    const struct val *point = val_get(v, "default_point"), *batch = val_get(v, "batch");
    const struct val *repeat = val_get(v, "repeat"), *channel = val_get(v, "new_channel");
    if (v != NULL) TRY(known(r, v, "guards", keys));
    if (point != NULL) TRY(known(r, point, "a guard", point_keys));
    if (batch != NULL) TRY(known(r, batch, "a guard", min_key));
    if (repeat != NULL) TRY(known(r, repeat, "a guard", repeat_keys));
    if (channel != NULL) TRY(known(r, channel, "a guard", days_key));
    const struct number p[] = {{"days", &g->point_days, 90, 1, 3660},
                               {"min", &g->point_min, 20, 2, 1e6},
                               {"classes", &g->point_classes, 5, 1, 1000},
                               {"share", &g->point_share, 0.001, 0, 1}};
    const struct number b[] = {{"min", &g->batch_min, 10, 2, 1e6}};
    const struct number s[] = {{"hours", &g->repeat_hours, 24, 0, 8760},
                               {"minutes", &g->repeat_minutes, 30, 0, 1440}};
    const struct number c[] = {{"days", &g->channel_days, 28, 0, 366}};
    TRY(numbers(r, point, p, 4));
    TRY(numbers(r, batch, b, 1));
    TRY(numbers(r, repeat, s, 2));
    return numbers(r, channel, c, 1);
}

static enum err_code read_date(const struct reading *r, const struct val *v, const char *key,
                               int32_t *out) {
    const char *text = "";
    int64_t day = 0;
    TRY(text_of(r, v, key, true, &text));
    if (!civil_date_parse(text, &day)) return fault(r, v, "this is no date", text);
    *out = (int32_t)day;
    return ERR_OK;
}

static enum err_code read_event(struct reading *r, const struct val *v) {
    static const char *const keys[] = {"event", "title", "from", "to",       "watch", "area",
                                       "lon",   "lat",   "most", "radius_m", NULL};
    if (r->set->n_events == WARN_MAX_EVENTS) return fault(r, v, "too many events", NULL);
    struct warn_event *x = &r->event[r->set->n_events++];
    *x = (struct warn_event){.area = ""};
    TRY(known(r, v, "an event", keys));
    TRY(text_of(r, v, "event", true, &x->name));
    TRY(title_of(r, v, &x->title));
    TRY(read_date(r, v, "from", &x->from));
    TRY(read_date(r, v, "to", &x->to));
    TRY(text_of(r, v, "area", false, &x->area));
    if (val_get(v, "watch") != NULL) TRY(read_watch(r, val_get(v, "watch"), &x->classes));
    const struct number n[] = {{"lon", &x->lon, NAN, -180, 180},
                               {"lat", &x->lat, NAN, -90, 90},
                               {"radius_m", &x->radius_m, 0, 0, 1e6},
                               {"most", &x->most, 0, 0, 1e6}};
    TRY(numbers(r, v, n, 4));
    if (x->to < x->from) return fault(r, v, "it ends before it begins", x->name);
    if (isnan(x->lon) != isnan(x->lat) || isnan(x->lon) == (x->radius_m > 0))
        return fault(r, v, "a circle is told by lon, lat and radius_m together", x->name);
    return ERR_OK;
}

/* ---- a document */

static enum err_code each(struct reading *r, const char *key,
                          enum err_code (*read)(struct reading *r, const struct val *v)) {
    const struct val *list = val_get(r->doc->v, key);
    if (list == NULL || list->type == VAL_NULL) return ERR_OK;
    if (list->type != VAL_LIST) return fault(r, list, "expected a list in", key);
    for (size_t i = 0; i < list->n; i++) TRY(read(r, &list->u.list[i]));
    return ERR_OK;
}

/* "00:30": local time. */
static enum err_code read_nightly(const struct reading *r, const struct val *v) {
    const char *text = "";
    TRY(text_of(r, v, "nightly", false, &text));
    if (text[0] == '\0') return ERR_OK;
    bool ok = strlen(text) == 5 && text[2] == ':';
    for (int i = 0; ok && i < 5; i++) ok = i == 2 || (text[i] >= '0' && text[i] <= '9');
    int hour = ok ? (text[0] - '0') * 10 + text[1] - '0' : 24;
    int minute = ok ? (text[3] - '0') * 10 + text[4] - '0' : 60;
    if (hour > 23 || minute > 59) return fault(r, v, "expected a time such as \"00:30\"", text);
    r->set->nightly_minute = 60 * hour + minute;
    return ERR_OK;
}

static enum err_code read_document(struct reading *r) {
    static const char *const keys[] = {"rules",      "guards",  "events",          "calendar",
                                       "merge_days", "nightly", "repeat_red_days", NULL};
    const struct val *v = r->doc->v;
    const char *calendar = "";
    struct err why = {0};
    TRY(known(r, v, "warnings", keys));
    TRY(each(r, "rules", read_rule));
    TRY(each(r, "events", read_event));
    if (val_get(v, "guards") != NULL) TRY(read_guards(r, val_get(v, "guards"), &r->set->guards));
    TRY(located(r, v, val_double(v, "merge_days", false, 0, 60, &r->set->merge_days, &why), &why));
    TRY(located(r, v, val_int(v, "repeat_red_days", false, 1, 3660, &r->set->repeat_red_days, &why),
                &why));
    TRY(read_nightly(r, v));
    TRY(text_of(r, v, "calendar", false, &calendar));
    if (calendar[0] == '\0') return ERR_OK;
    for (size_t i = 0; i < r->packs->n_calendars; i++)
        if (strcmp(r->packs->calendars[i].name, calendar) == 0)
            r->set->calendar = &r->packs->calendars[i];
    return r->set->calendar != NULL ? ERR_OK
                                    : fault(r, v, "the packs have no such calendar", calendar);
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const struct warn_rule *)a)->name, ((const struct warn_rule *)b)->name);
}

enum err_code warn_load(struct arena *a, const struct pack_set *packs, const struct warn_set **out,
                        struct err *err) {
    struct warn_set *s = ARENA_NEW(a, struct warn_set, 1);
    /* The defaults come from no file. */
    static const struct pack_document none = {.pack = "", .folder = "", .file = ""};
    struct reading r = {.a = a, .packs = packs, .doc = &none, .set = s, .err = err};
    r.rule = ARENA_NEW(a, struct warn_rule, WARN_MAX_RULES);
    r.event = ARENA_NEW(a, struct warn_event, WARN_MAX_EVENTS);
    if (s == NULL || r.rule == NULL || r.event == NULL) return err_fail(err, ERR_NOMEM, "warnings");
    *s = (struct warn_set){.rule = r.rule,
                           .event = r.event,
                           .merge_days = 3,
                           .nightly_minute = 30,
                           .repeat_red_days = 90};
    TRY(read_guards(&r, NULL, &s->guards));
    for (size_t i = 0; i < packs->n_documents; i++) {
        if (strcmp(packs->documents[i].folder, "warnings") != 0) continue;
        r.doc = &packs->documents[i];
        TRY(read_document(&r));
    }
    qsort(r.rule, s->n_rules, sizeof *r.rule, by_name);
    for (size_t i = 1; i < s->n_rules; i++)
        if (strcmp(r.rule[i].name, r.rule[i - 1].name) == 0)
            return err_fail(err, ERR_INVALID, "%s:%d: rule \"%s\" is declared in %s:%d already",
                            r.rule[i].file, r.rule[i].line, r.rule[i].name, r.rule[i - 1].file,
                            r.rule[i - 1].line);
    *out = s;
    return ERR_OK;
}

const struct warn_rule *warn_find(const struct warn_set *s, const char *name) {
    for (size_t i = 0; i < s->n_rules; i++)
        if (strcmp(s->rule[i].name, name) == 0) return &s->rule[i];
    return NULL;
}
