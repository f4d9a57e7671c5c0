#include "domain/warning/quality.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"

static const double hour_us = 3600e6;
enum { MAX_WARNINGS = 100000 };

/* One rule on one warning. */
struct share {
    const char *rule;
    bool open, called_false, acted;
    double lead, delay, acknowledged; /* NaN: not known */
};
struct gathering {
    const struct engine *e;
    struct arena *a;
    struct share *share;
    size_t n, cap;
};

static enum err_code keep(struct gathering *g, const struct share *s, struct err *err) {
    if (g->n == g->cap) {
        size_t cap = g->cap == 0 ? 256 : 2 * g->cap;
        struct share *grown = ARENA_NEW(g->a, struct share, cap);
        if (grown == NULL) return err_fail(err, ERR_NOMEM, "warnings");
        if (g->n > 0) memcpy(grown, g->share, g->n * sizeof *grown);
        g->share = grown;
        g->cap = cap;
    }
    g->share[g->n++] = *s;
    return ERR_OK;
}

static double day_at(const struct val *signal, const char *key) {
    const struct val *v = val_get(signal, key);
    int64_t day = 0;
    return v != NULL && v->type == VAL_STR && civil_date_parse(v->u.s, &day) ? (double)day : NAN;
}

static double number_at(const struct val *signal, const char *key) {
    const struct val *v = val_get(signal, key);
    if (v == NULL) return NAN;
    return v->type == VAL_DOUBLE ? v->u.d : v->type == VAL_INT ? (double)v->u.i : NAN;
}

/* The rule's own signals: when the first window began, and the day of the highest number. */
static void walk_signals(const struct val *signals, const char *rule, int32_t raised,
                         struct share *out) {
    double first = NAN, from = NAN, peak = NAN, most = NAN;
    for (size_t i = 0; signals->type == VAL_LIST && i < signals->n; i++) {
        const struct val *s = &signals->u.list[i], *name = val_get(s, "rule");
        if (name == NULL || name->type != VAL_STR || strcmp(name->u.s, rule) != 0) continue;
        double day = day_at(s, "day"), observed = number_at(s, "observed");
        if (isnan(first) || day < first) {
            first = day;
            from = day_at(s, "from");
        }
        if (isnan(most) || observed > most) {
            most = observed;
            peak = day;
        }
    }
    out->lead = peak - raised;
    out->delay = raised - from;
}

static enum err_code take(struct gathering *g, const struct warn_kept *k, const struct case_row *r,
                          struct err *err) {
    const struct engine *e = g->e;
    const struct val *rules = NULL, *signals = NULL;
    if (json_parse(g->a, k->rules, strlen(k->rules), &rules, err) != ERR_OK ||
        json_parse(g->a, k->signals, strlen(k->signals), &signals, err) != ERR_OK ||
        rules->type != VAL_LIST)
        return err_fail(err, ERR_CORRUPT, "warning %.48s: what its rules said is no list", k->code);
    int64_t taken_us = case_int(e, r, CASE_accepted_at) - case_int(e, r, CASE_opened_at);
    struct share s = {.open = !case_has(e, r, CASE_closed_at),
                      .called_false = strcmp(case_text(e, r, CASE_state), "false") == 0,
                      .acted = task_text(e, r, "measures")[0] != '\0',
                      .acknowledged =
                          case_has(e, r, CASE_accepted_at) ? (double)taken_us / hour_us : NAN};
    for (size_t i = 0; i < rules->n; i++) {
        if (rules->u.list[i].type != VAL_STR) continue;
        s.rule = rules->u.list[i].u.s;
        walk_signals(signals, s.rule, k->raised, &s);
        TRY(keep(g, &s, err));
    }
    return ERR_OK;
}

static enum err_code gather(struct gathering *g, struct db *db, int32_t since, struct err *err) {
    struct cursor *c = NULL;
    struct sql s;
    TRY(sql_begin(&s, g->a, err));
    sql_add(&s, "SELECT ");
    warn_kept_select(&s, "w.");
    sql_add(&s, ", ");
    case_select(g->e, &s, "c.");
    sql_add(&s, " FROM warning w JOIN ");
    sql_table(&s, &g->e->case_type->table);
    sql_add(&s, " c ON c.ledger = 1 AND c.id = w.case_id WHERE w.ledger = 1 AND w.joined IS NULL "
                "AND w.raised >= ");
    sql_value(&s, cell_int(since));
    sql_add(&s, " ORDER BY w.raised DESC, w.id LIMIT ");
    sql_value(&s, cell_int(MAX_WARNINGS));
    TRY(sql_query(&s, db, &c, err));
    enum err_code rc = ERR_OK;
    for (bool has = true; rc == ERR_OK && has;) {
        struct warn_kept k;
        struct case_row r;
        rc = cursor_next(c, &has, err);
        if (rc != ERR_OK || !has) break;
        warn_kept_read(c, 0, g->a, &k);
        case_row_read(g->e, c, KEPT_COLUMNS, g->a, &r);
        rc = take(g, &k, &r, err);
    }
    cursor_close(c);
    return rc;
}

/* ---- shares and medians */

static int by_rule(const void *a, const void *b) {
    return strcmp(((const struct share *)a)->rule, ((const struct share *)b)->rule);
}

static int by_number(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *x, size_t n) {
    size_t known = 0;
    for (size_t i = 0; i < n; i++)
        if (!isnan(x[i])) x[known++] = x[i];
    if (known == 0) return NAN;
    qsort(x, known, sizeof *x, by_number);
    return known % 2 == 1 ? x[known / 2] : (x[known / 2 - 1] + x[known / 2]) / 2;
}

static double share_of(size_t part, size_t all) {
    return all == 0 ? NAN : (double)part / (double)all;
}

/* room: 3 n numbers. */
static void sum_up(const struct share *s, size_t n, double *room, struct warn_quality *q) {
    double *lead = room, *delay = room + n, *taken = room + 2 * n;
    size_t k = 0, acted = 0;
    *q = (struct warn_quality){.rule = s[0].rule, .raised = n};
    for (size_t i = 0; i < n; i++) {
        taken[i] = s[i].acknowledged;
        q->open += s[i].open;
        q->called_false += !s[i].open && s[i].called_false;
        acted += !s[i].open && s[i].acted;
        if (s[i].open || s[i].called_false) continue;
        lead[k] = s[i].lead;
        delay[k++] = s[i].delay;
    }
    q->closed = n - q->open - q->called_false;
    q->false_share = share_of(q->called_false, n - q->open);
    q->acted_share = share_of(acted, n - q->open);
    q->lead_days = median(lead, k);
    q->delay_days = median(delay, k);
    q->acknowledge_hours = median(taken, n);
}

enum err_code warn_quality_form(struct db *db, const struct engine *e, int32_t since,
                                struct arena *a, const struct warn_quality **out, size_t *n,
                                struct err *err) {
    struct gathering g = {.e = e, .a = a};
    *n = 0;
    TRY(gather(&g, db, since, err));
    struct warn_quality *q = ARENA_NEW(a, struct warn_quality, g.n + 1);
    double *room = ARENA_NEW(a, double, 3 * g.n + 1);
    if (q == NULL || room == NULL) return err_fail(err, ERR_NOMEM, "warnings");
    if (g.n > 1) qsort(g.share, g.n, sizeof *g.share, by_rule);
    for (size_t i = 0, k = 0; i < g.n; i = k) {
        while (k < g.n && strcmp(g.share[k].rule, g.share[i].rule) == 0) k++;
        sum_up(g.share + i, k - i, room, &q[(*n)++]);
    }
    *out = q;
    return ERR_OK;
}

const struct warn_quality *warn_quality_find(const struct warn_quality *q, size_t n,
                                             const char *rule) {
    for (size_t i = 0; i < n; i++)
        if (strcmp(q[i].rule, rule) == 0) return &q[i];
    return NULL;
}

void warn_quality_json(struct jw *w, const struct warn_quality *q) {
    static const struct warn_quality none = {.false_share = NAN,
                                             .lead_days = NAN,
                                             .delay_days = NAN,
                                             .acknowledge_hours = NAN,
                                             .acted_share = NAN};
    if (q == NULL) q = &none;
    jw_obj(w);
    jw_kint(w, "raised", (int64_t)q->raised);
    jw_kint(w, "open", (int64_t)q->open);
    jw_kint(w, "closed", (int64_t)q->closed);
    jw_kint(w, "false", (int64_t)q->called_false);
    jw_kdouble(w, "false_share", q->false_share);
    jw_kdouble(w, "lead_days_median", q->lead_days);
    jw_kdouble(w, "delay_days_median", q->delay_days);
    jw_kdouble(w, "acknowledge_hours_median", q->acknowledge_hours);
    jw_kdouble(w, "acted_share", q->acted_share);
    jw_end(w, '}');
}
