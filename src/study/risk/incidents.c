#include "study/risk/incidents.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "base/json.h"
#include "num/model/survdata.h"

/* A number, or a date with an optional time of day, as days since 1970. */
static bool read_time(const char *s, double *out, bool *date) {
    char *end = NULL;
    *out = strtod(s, &end);
    *date = false;
    if (s[0] != '\0' && *end == '\0' && isfinite(*out) && s[strspn(s, "+-.0123456789eE")] == '\0')
        return true;
    char day[16] = {0};
    int64_t days = 0;
    long hour = 0, minute = 0;
    if (strlen(s) < 10) return false;
    memcpy(day, s, 10);
    if (!civil_date_parse(day, &days)) return false;
    const char *p = s + 10;
    if (*p == ' ' || *p == 'T') {
        hour = strtol(p + 1, &end, 10);
        if (end == p + 1 || *end != ':' || hour < 0 || hour > 23) return false;
        p = end + 1;
        minute = strtol(p, &end, 10);
        if (end == p || minute < 0 || minute > 59) return false;
    } else if (*p != '\0') {
        return false;
    }
    *out = (double)days + (double)hour / 24 + (double)minute / 1440;
    *date = true;
    return true;
}

struct places {
    double *t, *x, *y;
};

static enum err_code read_columns(struct arena *a, const struct table *t,
                                  const struct risk_incidents_spec *s, struct places *p,
                                  struct risk_incidents *out, struct err *err) {
    size_t time = 0, x = 0, y = 0;
    TRY(table_column(t, s->time, true, &time, err));
    if (out->in_space) TRY(table_column(t, s->x, true, &x, err));
    if (out->in_space) TRY(table_column(t, s->y, true, &y, err));
    p->t = ARENA_NEW(a, double, t->n_row + 1);
    p->x = ARENA_NEW(a, double, t->n_row + 1);
    p->y = ARENA_NEW(a, double, t->n_row + 1);
    if (p->t == NULL || p->x == NULL || p->y == NULL)
        return err_fail(err, ERR_NOMEM, "%zu incidents", t->n_row);
    for (size_t i = 0; i < t->n_row; i++) {
        bool date = false;
        if (!read_time(table_text(t, i, time), &p->t[i], &date) || (i > 0 && date != out->dates))
            return table_fail(t, i, time, "a number or a date, the same in all rows", err);
        out->dates = date;
        if (out->in_space) TRY(table_number(t, i, x, false, &p->x[i], err));
        if (out->in_space) TRY(table_number(t, i, y, false, &p->y[i], err));
    }
    return ERR_OK;
}

static enum err_code read_bound(const char *option, const char *text, double fallback, bool dates,
                                double *out, struct err *err) {
    bool date = false;
    *out = fallback;
    if (text == NULL) return ERR_OK;
    if (!read_time(text, out, &date) || date != dates)
        return err_fail(err, ERR_INVALID, "--%s %.40s: expected a %s", option, text,
                        dates ? "date such as 2019-12-31" : "number");
    return ERR_OK;
}

/* Within the window, in order of time. */
static enum err_code order_in_window(struct arena *a, const struct table *t, struct places *p,
                                     struct risk_incidents *out, struct err *err) {
    uint32_t *order = NULL;
    struct places q;
    TRY(model_order(a, p->t, t->n_row, &order, err));
    q.t = ARENA_NEW(a, double, t->n_row + 1);
    q.x = ARENA_NEW(a, double, t->n_row + 1);
    q.y = ARENA_NEW(a, double, t->n_row + 1);
    if (q.t == NULL || q.x == NULL || q.y == NULL)
        return err_fail(err, ERR_NOMEM, "%zu incidents", t->n_row);
    for (size_t k = 0; k < t->n_row; k++) {
        size_t i = order[k];
        if (!(p->t[i] >= out->from && p->t[i] < out->to)) {
            out->n_outside++;
            continue;
        }
        q.t[out->n] = p->t[i];
        q.x[out->n] = p->x[i];
        q.y[out->n++] = p->y[i];
    }
    *p = q;
    return ERR_OK;
}

static double box_area(const struct places *p, size_t n) {
    double x0 = INFINITY, x1 = -INFINITY, y0 = INFINITY, y1 = -INFINITY;
    for (size_t i = 0; i < n; i++) {
        x0 = fmin(x0, p->x[i]);
        x1 = fmax(x1, p->x[i]);
        y0 = fmin(y0, p->y[i]);
        y1 = fmax(y1, p->y[i]);
    }
    return (x1 - x0) * (y1 - y0);
}

enum err_code risk_incidents_study(struct arena *a, const struct table *t,
                                   const struct risk_incidents_spec *s, const struct num_run *run,
                                   struct risk_incidents *out, struct err *err) {
    struct places p;
    memset(out, 0, sizeof *out);
    if ((s->x == NULL) != (s->y == NULL)) return err_fail(err, ERR_INVALID, "x and y go together");
    if (t->n_row == 0) return err_fail(err, ERR_INVALID, "%s: there are no incidents", t->path);
    out->in_space = s->x != NULL;
    TRY(read_columns(a, t, s, &p, out, err));
    double first = INFINITY, last = -INFINITY;
    for (size_t i = 0; i < t->n_row; i++) {
        first = fmin(first, p.t[i]);
        last = fmax(last, p.t[i]);
    }
    double rest = out->dates ? floor(last) + 1 : last + (last - first) / (double)t->n_row + 1e-9;
    TRY(read_bound("from", s->from, out->dates ? floor(first) : first, out->dates, &out->from,
                   err));
    TRY(read_bound("to", s->to, rest, out->dates, &out->to, err));
    TRY(order_in_window(a, t, &p, out, err));
    if (!out->in_space)
        return model_hawkes_fit(a, p.t, out->n, out->from, out->to, run, &out->hawkes, err);
    out->area = s->area > 0 ? s->area : box_area(&p, out->n);
    struct model_etas_spec spec = {.t = p.t,
                                   .x = p.x,
                                   .y = p.y,
                                   .n = out->n,
                                   .from = out->from,
                                   .to = out->to,
                                   .area = out->area,
                                   .bandwidth = s->bandwidth,
                                   .max_lag = s->max_lag,
                                   .max_reach = s->max_reach};
    return model_etas_fit(a, &spec, run, &out->etas, err);
}

void risk_incidents_json(const struct risk_incidents *r, struct buf *b) {
    struct jw w;
    const struct model_hawkes *h = &r->hawkes;
    const struct model_etas *e = &r->etas;
    jw_init(&w, b);
    jw_obj(&w);
    jw_kstr(&w, "model", r->in_space ? "etas" : "hawkes");
    jw_kbool(&w, "verified", !r->in_space);
    jw_kint(&w, "events", (int64_t)r->n);
    jw_kint(&w, "events_outside", (int64_t)r->n_outside);
    jw_kdouble(&w, "from", r->from);
    jw_kdouble(&w, "to", r->to);
    jw_kbool(&w, "converged", r->in_space ? e->converged : h->converged);
    jw_kbool(&w, "explosive", r->in_space ? e->explosive : h->explosive);
    jw_kdouble(&w, "background", r->in_space ? e->mu : h->mu);
    jw_kdouble(&w, "branching_ratio", r->in_space ? e->kappa : h->alpha);
    jw_kdouble(&w, "decay", r->in_space ? e->omega : h->beta);
    jw_kdouble(&w, "log_likelihood", r->in_space ? e->loglik : h->loglik);
    if (r->in_space) {
        jw_kdouble(&w, "reach", e->sigma);
        jw_kdouble(&w, "area", r->area);
    } else {
        jw_kdouble(&w, "log_likelihood_poisson", h->loglik_poisson);
        jw_kbool(&w, "no_clustering", h->at_boundary);
        jw_key(&w, "log_se");
        jw_arr(&w);
        for (size_t k = 0; k < 3; k++) jw_double(&w, h->at_boundary ? NAN : h->log_se[k]);
        jw_end(&w, ']');
        jw_kint(&w, "starts", (int64_t)h->n_starts);
        jw_kint(&w, "starts_that_agree", (int64_t)h->n_agree);
        jw_kint(&w, "tied_events", (int64_t)h->n_tied);
        jw_kdouble(&w, "ks_distance", h->ks);
        jw_kdouble(&w, "ks_p", h->ks_p);
    }
    jw_end(&w, '}');
    buf_char(b, '\n');
}

void risk_incidents_text(const struct risk_incidents *r, struct buf *b) {
    const struct model_hawkes *h = &r->hawkes;
    const struct model_etas *e = &r->etas;
    const char *unit = r->dates ? "day" : "unit of time", *units = r->dates ? "days" : "units";
    double branching = r->in_space ? e->kappa : h->alpha, decay = r->in_space ? e->omega : h->beta;
    buf_printf(b, "%zu incidents (%zu outside the window)\n", r->n, r->n_outside);
    buf_printf(b, "background %.4g a %s; each sets off %.3f others on average, %.4g %s later",
               r->in_space ? e->mu : h->mu, unit, branching, 1 / decay, units);
    if (r->in_space) buf_printf(b, " and within about %.4g", 2 * e->sigma);
    buf_str(b, "\n");
    if (!(r->in_space ? e->converged : h->converged))
        buf_str(b, "note not_converged: the search did not settle\n");
    if (r->in_space ? e->explosive : h->explosive)
        buf_str(b,
                "note explosive: one sets off one or more; the fit holds for this window only\n");
    if (r->in_space) {
        buf_str(b, "note not_verified: no other program's values exist for this model\n");
        return;
    }
    if (h->at_boundary)
        buf_str(b, "note no_clustering: incidents do not set off others (Poisson)\n");
    if (h->n_tied > 0)
        buf_printf(b, "note ties: %zu incidents at the same time as another\n", h->n_tied);
    buf_printf(b, "log-likelihood %.6g, without clustering %.6g; %zu of %zu searches agree\n",
               h->loglik, h->loglik_poisson, h->n_agree, h->n_starts);
    buf_printf(b, "residual check: distance %.3f, p %.3g%s\n", h->ks, h->ks_p,
               h->ks_p < 0.05 ? ": this model does not describe the times" : "");
}
