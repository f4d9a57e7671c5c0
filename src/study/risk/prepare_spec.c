/* The YAML of gezhi risk prepare. */
#include <string.h>

#include "base/civil.h"
#include "base/yaml.h"
#include "study/risk/prepare.h"

enum { MAX_TEXT = 1000, MAX_VALUES = 200 };

static enum err_code at_value(const char *name, const struct val *v, const char *what,
                              struct err *err) {
    return err_fail(err, ERR_INVALID, "%s:%d:%d: %s", name, v->line, v->col, what);
}

/* The message of a value reader, with file and line before it. */
static enum err_code placed(const char *name, const struct val *v, enum err_code rc,
                            struct err *err) {
    if (rc != ERR_INVALID || err == NULL) return rc;
    struct err first = *err;
    return err_fail(err, rc, "%s:%d:%d: %s: %s", name, v->line, v->col,
                    first.field[0] == '\0' ? "" : first.field, first.detail);
}

static enum err_code scalar(struct arena *a, const char *name, const struct val *v,
                            const char **out, struct err *err) {
    if (v->type == VAL_STR)
        *out = v->u.s;
    else if (v->type == VAL_INT)
        *out = arena_printf(a, "%lld", (long long)v->u.i);
    else
        return at_value(name, v, "expected a text or a whole number", err);
    if (*out == NULL) return err_fail(err, ERR_NOMEM, "%s", name);
    return strlen(*out) <= MAX_TEXT ? ERR_OK : at_value(name, v, "the text is too long", err);
}

static enum err_code read_only(struct arena *a, const char *name, const struct val *v,
                               struct risk_only *only, size_t *n, struct err *err) {
    if (v == NULL || v->type == VAL_NULL) return ERR_OK;
    if (v->type != VAL_MAP)
        return at_value(name, v, "only: expected columns with the values that are taken", err);
    if (v->n > RISK_MAX_ONLY) return at_value(name, v, "only: too many columns", err);
    for (size_t i = 0; i < v->n; i++) {
        const struct val *list = &v->u.map[i].v;
        size_t m = list->type == VAL_LIST ? list->n : 1;
        if (m > MAX_VALUES) return at_value(name, list, "only: too many values", err);
        const char **value = ARENA_NEW(a, const char *, m + 1);
        if (value == NULL) return err_fail(err, ERR_NOMEM, "%s", name);
        for (size_t k = 0; k < m; k++)
            TRY(scalar(a, name, list->type == VAL_LIST ? &list->u.list[k] : list, &value[k], err));
        only[(*n)++] = (struct risk_only){v->u.map[i].key, m, value};
    }
    return ERR_OK;
}

static enum err_code read_keep(struct arena *a, const char *name, const struct val *v,
                               struct risk_prepare_spec *out, struct err *err) {
    static const char *const taken[] = {"id",      "year",      "age_start", "age_stop",
                                        "age",     "exposure",  "count",     "event",
                                        "earlier", "last_year", "recent",    "since_last"};
    if (v == NULL || v->type == VAL_NULL) return ERR_OK;
    if (v->type != VAL_MAP && v->type != VAL_LIST)
        return at_value(name, v, "keep: expected new names with the columns they are from", err);
    if (v->n > RISK_MAX_KEEP) return at_value(name, v, "keep: too many columns", err);
    for (size_t i = 0; i < v->n; i++) {
        const struct val *from = v->type == VAL_MAP ? &v->u.map[i].v : &v->u.list[i];
        TRY(scalar(a, name, from, &out->keep[i], err));
        out->keep_as[i] = v->type == VAL_MAP ? v->u.map[i].key : out->keep[i];
        for (size_t k = 0; k < sizeof taken / sizeof taken[0]; k++)
            if (strcmp(taken[k], out->keep_as[i]) == 0)
                return at_value(name, from, "keep: that name is one of the made columns", err);
        for (size_t k = 0; k < i; k++)
            if (strcmp(out->keep_as[k], out->keep_as[i]) == 0)
                return at_value(name, from, "keep: the name stands twice", err);
        out->n_keep++;
    }
    return ERR_OK;
}

static enum err_code read_span(const char *name, const struct val *top,
                               struct risk_prepare_spec *out, struct err *err) {
    int64_t from = 0, to = 0, recent = 5;
    const char *last = NULL;
    int64_t day = 0;
    TRY(placed(name, top, val_int(top, "from", true, 1800, 9000, &from, err), err));
    TRY(placed(name, top, val_int(top, "to", true, 1800, 9000, &to, err), err));
    TRY(placed(name, top, val_int(top, "recent", false, 0, 100, &recent, err), err));
    TRY(placed(name, top, val_bool(top, "cut_at_events", false, &out->span.cut_at_events, err),
               err));
    TRY(placed(name, top, val_str(top, "last_day", false, 20, &last, err), err));
    if (from > to) return at_value(name, val_get(top, "to"), "to is before from", err);
    out->span.last_day = MODEL_EVER;
    if (last != NULL && !civil_date_parse(last, &day))
        return at_value(name, val_get(top, "last_day"), "expected a date such as 2020-06-30", err);
    if (last != NULL) out->span.last_day = (int32_t)day;
    out->span.from_year = (int)from;
    out->span.to_year = (int)to;
    out->span.recent_years = (int)recent;
    return ERR_OK;
}

static enum err_code need_map(const char *name, const struct val *top, const char *key,
                              const struct val **out, struct err *err) {
    *out = val_get(top, key);
    if (*out == NULL)
        return err_fail(err, ERR_INVALID, "%s:%d:%d: \"%s\" is missing", name, top->line, top->col,
                        key);
    return (*out)->type == VAL_MAP ? ERR_OK : at_value(name, *out, "expected fields", err);
}

enum err_code risk_prepare_parse(struct arena *a, const char *name, const char *p, size_t n,
                                 struct risk_prepare_spec *out, struct err *err) {
    static const char *const top_keys[] = {"assets", "events",        "from",     "to",
                                           "recent", "cut_at_events", "last_day", NULL};
    static const char *const asset_keys[] = {"file", "id", "laid", "removed", "keep", "only", NULL};
    static const char *const event_keys[] = {"file", "id", "date", "only", NULL};
    const struct val *top = NULL, *as = NULL, *ev = NULL;
    memset(out, 0, sizeof *out);
    TRY(yaml_parse(a, name, p, n, &top, err));
    if (top->type != VAL_MAP)
        return err_fail(err, ERR_INVALID, "%s: expected assets, events, from and to", name);
    TRY(placed(name, top, val_only(top, top_keys, err), err));
    TRY(need_map(name, top, "assets", &as, err));
    TRY(need_map(name, top, "events", &ev, err));
    TRY(placed(name, as, val_only(as, asset_keys, err), err));
    TRY(placed(name, ev, val_only(ev, event_keys, err), err));
    TRY(placed(name, as, val_str(as, "file", true, MAX_TEXT, &out->assets, err), err));
    TRY(placed(name, as, val_str(as, "id", true, MAX_TEXT, &out->asset_id, err), err));
    TRY(placed(name, as, val_str(as, "laid", true, MAX_TEXT, &out->laid, err), err));
    TRY(placed(name, as, val_str(as, "removed", false, MAX_TEXT, &out->removed, err), err));
    TRY(placed(name, ev, val_str(ev, "file", true, MAX_TEXT, &out->events, err), err));
    TRY(placed(name, ev, val_str(ev, "id", true, MAX_TEXT, &out->event_id, err), err));
    TRY(placed(name, ev, val_str(ev, "date", true, MAX_TEXT, &out->date, err), err));
    TRY(read_keep(a, name, val_get(as, "keep"), out, err));
    TRY(read_only(a, name, val_get(as, "only"), out->asset_only, &out->n_asset_only, err));
    TRY(read_only(a, name, val_get(ev, "only"), out->event_only, &out->n_event_only, err));
    return read_span(name, top, out, err);
}
