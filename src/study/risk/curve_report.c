/* Reports of gezhi risk curve: JSON and plain text. */
#include <math.h>

#include "base/json.h"
#include "study/risk/curve.h"

enum { MOST_LINES = 30, FEW = 10 };

static void write_km(struct jw *w, const struct model_km *km) {
    jw_kdouble(w, "median", km->median);
    jw_key(w, "curve");
    jw_arr(w);
    for (size_t i = 0; i < km->n_rows; i++) {
        const struct model_km_row *r = &km->row[i];
        jw_obj(w);
        jw_kdouble(w, "time", r->time);
        jw_kdouble(w, "at_risk", r->at_risk);
        jw_kdouble(w, "events", r->events);
        jw_kdouble(w, "survival", r->survival);
        jw_kdouble(w, "se", r->se);
        jw_kdouble(w, "lower", r->lower);
        jw_kdouble(w, "upper", r->upper);
        jw_kdouble(w, "hazard", r->hazard);
        jw_kdouble(w, "hazard_se", r->hazard_se);
        jw_end(w, '}');
    }
    jw_end(w, ']');
}

static void write_mcf(struct jw *w, const struct model_mcf *m) {
    jw_key(w, "curve");
    jw_arr(w);
    for (size_t i = 0; i < m->n_rows; i++) {
        const struct model_mcf_row *r = &m->row[i];
        jw_obj(w);
        jw_kdouble(w, "time", r->time);
        jw_kdouble(w, "at_risk", r->at_risk);
        jw_kdouble(w, "events", r->events);
        jw_kdouble(w, "mcf", r->mcf);
        jw_kdouble(w, "se", r->se);
        jw_end(w, '}');
    }
    jw_end(w, ']');
}

static void write_groups(struct jw *w, const struct risk_curve *r) {
    jw_key(w, "groups");
    jw_arr(w);
    for (size_t k = 0; k < r->n_groups; k++) {
        const struct risk_curve_group *g = &r->group[k];
        jw_obj(w);
        jw_kstr(w, "group", g->name);
        jw_kint(w, "rows", (int64_t)g->n);
        if (r->recurrent) jw_kint(w, "units", (int64_t)g->n_units);
        jw_kint(w, "events", (int64_t)g->n_events);
        if (r->recurrent)
            write_mcf(w, &g->mcf);
        else
            write_km(w, &g->km);
        jw_end(w, '}');
    }
    jw_end(w, ']');
}

static void write_logrank(struct jw *w, const struct risk_curve *r) {
    jw_key(w, "log_rank");
    if (!r->has_logrank) {
        jw_null(w);
        return;
    }
    jw_obj(w);
    jw_kdouble(w, "chi_squared", r->logrank.chisq);
    jw_kdouble(w, "df", r->logrank.df);
    jw_kdouble(w, "p", r->logrank.p);
    jw_key(w, "groups");
    jw_arr(w);
    for (size_t k = 0; k < r->n_groups; k++) {
        jw_obj(w);
        jw_kstr(w, "group", r->group[k].name);
        jw_kdouble(w, "observed", r->logrank.observed[k]);
        jw_kdouble(w, "expected", r->logrank.expected[k]);
        jw_end(w, '}');
    }
    jw_end(w, ']');
    jw_end(w, '}');
}

/* What has to be known beside the numbers; into the JSON, or (w NULL) as lines of text. */
static void note(struct jw *w, struct buf *b, const char *flag, const char *group,
                 const char *text) {
    const char *of = group == NULL ? "" : group, *sep = group == NULL ? "" : ": ";
    if (w == NULL) {
        buf_printf(b, "note %s: %s%s%s\n", flag, of, sep, text);
        return;
    }
    jw_obj(w);
    jw_kstr(w, "flag", flag);
    jw_kstr(w, "group", group);
    jw_kstr(w, "text", text);
    jw_end(w, '}');
}

/* With late entry the curve may begin on a handful. The group has an event. */
static double first_at_risk(const struct risk_curve *r, const struct risk_curve_group *g) {
    return r->recurrent ? g->mcf.row[0].at_risk : g->km.row[0].at_risk;
}

static void notes(const struct risk_curve *r, struct jw *w, struct buf *b) {
    for (size_t k = 0; k < r->n_groups; k++) {
        const struct risk_curve_group *g = &r->group[k];
        if (g->n_events == 0) {
            note(w, b, "no_events", g->name, "nothing failed: there is no curve");
            continue;
        }
        if (g->km.risk_set_emptied)
            note(w, b, "risk_set_emptied", g->name,
                 "the curve fell to 0 while others entered later; it tells nothing from there on");
        if (r->late_entry && first_at_risk(r, g) < FEW)
            note(w, b, "few_at_risk", g->name,
                 "fewer than 10 were watched at the first failure; its step stays in the whole "
                 "curve");
    }
    if (r->no_logrank)
        note(w, b, "no_log_rank", NULL,
             "no event happened while two groups were at risk: they cannot be compared");
    if (!r->verified)
        note(w, b, "not_verified", NULL,
             "no other program's values exist for the log-rank test with late entry");
}

void risk_curve_json(const struct risk_curve *r, struct buf *b) {
    struct jw w;
    jw_init(&w, b);
    jw_obj(&w);
    jw_kstr(&w, "model", r->recurrent ? "mean_cumulative_function" : "kaplan_meier");
    jw_kbool(&w, "verified", r->verified);
    jw_kbool(&w, "late_entry", r->late_entry);
    jw_kint(&w, "rows", (int64_t)r->n);
    if (r->recurrent) jw_kint(&w, "units", (int64_t)r->n_units);
    jw_kint(&w, "events", (int64_t)r->n_events);
    if (!r->recurrent) jw_kdouble(&w, "level", r->level);
    write_groups(&w, r);
    if (!r->recurrent) write_logrank(&w, r);
    jw_key(&w, "notes");
    jw_arr(&w);
    notes(r, &w, b);
    jw_end(&w, ']');
    jw_end(&w, '}');
    buf_char(b, '\n');
}

/* Every so many of n times, and the last. */
static bool is_shown(size_t i, size_t n) {
    size_t step = (n + MOST_LINES - 1) / MOST_LINES;
    return step < 2 || i % step == 0 || i + 1 == n;
}

static void say_shown(size_t n, struct buf *b) {
    if (n > MOST_LINES) buf_printf(b, "(some of %zu times; --json has all)\n", n);
}

static void say_km(const struct model_km *km, struct buf *b) {
    if (isnan(km->median))
        buf_str(b, "median: never reached\n");
    else
        buf_printf(b, "median: %.6g\n", km->median);
    if (km->n_rows == 0) return;
    buf_printf(b, "%12s %8s %7s %9s %7s %7s %7s %8s %7s\n", "time", "at risk", "events", "survival",
               "se", "lower", "upper", "hazard", "se");
    for (size_t i = 0; i < km->n_rows; i++) {
        const struct model_km_row *k = &km->row[i];
        if (!is_shown(i, km->n_rows)) continue;
        buf_printf(b, "%12.6g %8.0f %7.0f %9.4f %7.4f %7.4f %7.4f %8.4f %7.4f\n", k->time,
                   k->at_risk, k->events, k->survival, k->se, k->lower, k->upper, k->hazard,
                   k->hazard_se);
    }
    say_shown(km->n_rows, b);
}

static void say_mcf(const struct model_mcf *m, struct buf *b) {
    if (m->n_rows == 0) return;
    buf_printf(b, "%12s %8s %7s %9s %9s\n", "time", "at risk", "events", "mean", "se");
    for (size_t i = 0; i < m->n_rows; i++) {
        const struct model_mcf_row *k = &m->row[i];
        if (!is_shown(i, m->n_rows)) continue;
        buf_printf(b, "%12.6g %8.0f %7.0f %9.4f %9.4f\n", k->time, k->at_risk, k->events, k->mcf,
                   k->se);
    }
    say_shown(m->n_rows, b);
}

void risk_curve_text(const struct risk_curve *r, struct buf *b) {
    buf_str(b, r->recurrent
                   ? "Mean cumulative function: events a unit by each time, robust error\n"
                   : "Kaplan-Meier (Greenwood error, 95 % log-log limits) and Nelson-Aalen "
                     "hazard\n");
    for (size_t k = 0; k < r->n_groups; k++) {
        const struct risk_curve_group *g = &r->group[k];
        buf_str(b, "\n");
        if (g->name != NULL) buf_printf(b, "%s: ", g->name);
        if (r->recurrent) buf_printf(b, "%zu units, ", g->n_units);
        buf_printf(b, "%zu rows, %zu events\n", g->n, g->n_events);
        if (r->recurrent)
            say_mcf(&g->mcf, b);
        else
            say_km(&g->km, b);
    }
    buf_str(b, "\n");
    if (r->has_logrank) {
        for (size_t k = 0; k < r->n_groups; k++)
            buf_printf(b, "log-rank %s: observed %.0f, expected %.2f\n", r->group[k].name,
                       r->logrank.observed[k], r->logrank.expected[k]);
        buf_printf(b, "log-rank: chi-squared %.4f, df %.0f, p %.4g\n", r->logrank.chisq,
                   r->logrank.df, r->logrank.p);
    }
    notes(r, NULL, b);
}
