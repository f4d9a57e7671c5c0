#include "domain/briefing/schedule.h"

#include <string.h>

#include "domain/grid/grid.h"
#include "domain/measure/document.h"

static const int64_t day_us = 86400000000, minute_us = 60000000;
enum { MAX_DAYS = 20, MISSED_DAYS = 1, MAX_LIST = 20 };

struct reading {
    const struct pack_document *doc;
    struct arena *a;
    struct err *err;
};

static bool two_digits(const char *s, int max, int *out) {
    if (s[0] < '0' || s[0] > '9' || s[1] < '0' || s[1] > '9') return false;
    *out = (s[0] - '0') * 10 + (s[1] - '0');
    return *out <= max;
}

/* "07:30" */
static bool read_minute(const char *s, int *out) {
    int hour = 0, minute = 0;
    if (strlen(s) != 5 || s[2] != ':' || !two_digits(s, 23, &hour) ||
        !two_digits(s + 3, 59, &minute))
        return false;
    *out = hour * 60 + minute;
    return true;
}

static enum err_code read_kind(const struct reading *r, const struct val *v,
                               struct schedule_kind *out) {
    static const char *const keys[] = {"kind", "at", "days", NULL};
    const char *kind = "", *at = "";
    struct err why = {0};
    int64_t days = 0;
    TRY(document_known(r->doc, v, "kind, at, days", keys, r->err));
    TRY(document_text(r->doc, v, "kind", true, &kind, r->err));
    TRY(document_text(r->doc, v, "at", true, &at, r->err));
    TRY(document_said(r->doc, v, val_int(v, "days", false, 0, MAX_DAYS, &days, &why), &why,
                      r->err));
    int k = period_kind_parse(kind);
    if (k < PERIOD_DAY || k > PERIOD_MONTH)
        return document_fault(r->doc, v, "expected day, ten_day or month", kind, r->err);
    out->kind = (enum period_kind)k;
    out->days = (int)days;
    if (!read_minute(at, &out->minute))
        return document_fault(r->doc, v, "expected a time such as 07:30", at, r->err);
    return ERR_OK;
}

static enum err_code read_levels(const struct reading *r, const struct val *v, unsigned *out) {
    const struct val *list = val_get(v, "levels");
    if (list == NULL || list->type != VAL_LIST || list->n == 0 || list->n > MAX_LIST)
        return document_fault(r->doc, v, "a list of levels is missing", "levels", r->err);
    for (size_t i = 0; i < list->n; i++) {
        const struct val *x = &list->u.list[i];
        int level = x->type == VAL_STR ? area_level_parse(x->u.s) : -1;
        if (level < 0)
            return document_fault(r->doc, v, "expected levels such as city", NULL, r->err);
        *out |= 1u << (unsigned)level;
    }
    return ERR_OK;
}

static enum err_code read_row(const struct reading *r, struct schedule_row *out) {
    static const char *const keys[] = {"briefing", "index", "levels", "kinds", NULL};
    const struct val *v = r->doc->v;
    TRY(document_known(r->doc, v, "briefing, index, levels, kinds", keys, r->err));
    TRY(document_text(r->doc, v, "briefing", true, &out->name, r->err));
    TRY(document_text(r->doc, v, "index", true, &out->index, r->err));
    TRY(read_levels(r, v, &out->levels));
    const struct val *list = val_get(v, "kinds");
    if (list == NULL || list->type != VAL_LIST || list->n == 0 || list->n > SCHEDULE_KINDS)
        return document_fault(r->doc, v, "expected one to three kinds", "kinds", r->err);
    for (size_t i = 0; i < list->n; i++)
        TRY(read_kind(r, &list->u.list[i], &out->kind[out->n_kinds++]));
    return ERR_OK;
}

enum err_code schedule_load(struct arena *a, const struct pack_set *packs,
                            const struct schedule **out, struct err *err) {
    struct schedule *s = ARENA_NEW(a, struct schedule, 1);
    struct schedule_row *row = ARENA_NEW(a, struct schedule_row, SCHEDULE_MAX);
    if (s == NULL || row == NULL) return err_fail(err, ERR_NOMEM, "briefings");
    for (size_t i = 0; i < packs->n_documents; i++) {
        struct reading r = {&packs->documents[i], a, err};
        if (strcmp(r.doc->folder, "briefings") != 0) continue;
        if (s->n == SCHEDULE_MAX)
            return document_fault(r.doc, r.doc->v, "too many briefings", NULL, err);
        TRY(read_row(&r, &row[s->n++]));
    }
    s->row = row;
    *out = s;
    return ERR_OK;
}

bool schedule_due(const struct schedule_kind *k, int64_t local_us, struct period *out) {
    int32_t day = (int32_t)(local_us / day_us);
    int minute = (int)((local_us % day_us) / minute_us);
    struct period now = period_of(k->kind, day);
    /* The newest period whose time has come. */
    for (int back = 1; back <= 3; back++) {
        struct period p = period_step(&now, -back);
        int32_t due = p.to + k->days;
        if (day < due || (day == due && minute < k->minute)) continue;
        *out = p;
        return day <= due + MISSED_DAYS;
    }
    return false;
}
