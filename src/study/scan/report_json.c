#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "study/scan/report.h"

static void day(struct jw *w, const char *key, const struct scan_study *s, int64_t at) {
    char text[24];
    if (!s->dated) {
        jw_key(w, key);
        jw_null(w);
        return;
    }
    time_format(at, s->generic, text);
    jw_kstr(w, key, text);
}

static void center(struct jw *w, const struct scan_study *s, const struct scan_cluster *c) {
    bool grid = s->data.grid.n > 0;
    jw_key(w, "center");
    if (s->options.analysis == SCAN_TEMPORAL || c->n_places == 0) {
        jw_null(w);
        return;
    }
    jw_obj(w);
    jw_key(w, "id");
    if (grid)
        jw_null(w);
    else
        jw_str(w, s->id[s->first_id[c->center]]);
    double x = grid ? s->data.grid.x[c->center] : s->x[c->center];
    double y = grid ? s->data.grid.y[c->center] : s->y[c->center];
    if (s->has_places && s->sphere) {
        jw_kdouble(w, "lat", y);
        jw_kdouble(w, "lon", x);
    } else if (s->has_places) {
        jw_kdouble(w, "x", x);
        jw_kdouble(w, "y", y);
    }
    jw_end(w, '}');
}

static void locations(struct jw *w, const struct scan_study *s, const struct scan_cluster *c) {
    jw_key(w, "locations");
    jw_arr(w);
    if (s->options.analysis == SCAN_TEMPORAL) {
        jw_str(w, "All");
    } else {
        for (size_t i = 0; i < c->n_places; i++)
            for (size_t k = s->first_id[c->places[i]]; k < s->first_id[c->places[i] + 1]; k++)
                jw_str(w, s->id[k]);
    }
    jw_end(w, ']');
}

static void cluster(struct jw *w, const struct scan_told *told, size_t i) {
    const struct scan_study *s = told->study;
    const struct scan_cluster *c = &told->result->clusters[i];
    bool temporal = s->options.analysis == SCAN_TEMPORAL;
    bool round = !temporal && s->options.shape != SCAN_FLEXIBLE && s->data.metric != SCAN_LISTED;
    int64_t first, last;
    scan_study_days(s, c, &first, &last);
    jw_obj(w);
    jw_kint(w, "rank", (int64_t)i + 1);
    center(w, s, c);
    jw_kdouble(w, "radius", round ? c->radius : NAN);
    locations(w, s, c);
    day(w, "start", s, first);
    day(w, "end", s, last);
    jw_kint(w, "observed", c->observed);
    jw_kdouble(w, "expected", c->expected);
    jw_kdouble(w, "relative_risk", c->relative_risk);
    jw_kdouble(w, "llr", c->llr);
    jw_kdouble(w, "p_value", c->p_value);
    jw_kdouble(w, "gumbel_p", c->p_gumbel);
    if (c->p_mode != told->result->p_mode) jw_kstr(w, "p_mode", scan_p_word(c->p_mode));
    jw_kdouble(w, "recurrence_days", c->recurrence_days);
    jw_kdouble(w, "observed_over_expected",
               c->expected > 0 ? (double)c->observed / c->expected : NAN);
    jw_kstr(w, "direction", c->low ? "low" : "high");
    jw_kdouble(w, "population", temporal ? NAN : scan_study_population(s, c));
    jw_kint(w, "rank_in", c->rank_in);
    if (s->options.shape == SCAN_ELLIPSE) {
        jw_kdouble(w, "ellipse_shape", c->ellipse_shape);
        jw_kdouble(w, "ellipse_angle", c->ellipse_angle);
    }
    if (s->options.iterative) jw_kint(w, "iteration", (int64_t)c->iteration);
    jw_end(w, '}');
}

static int falling(const void *pa, const void *pb) {
    const double *a = pa, *b = pb;
    return *a > *b ? -1 : *a < *b;
}

/* The statistic that only a share `level` of the replicas reaches: the k-th largest maximum, k =
 * level (R + 1). NaN when k is no whole number of at least 1, or when replicas were left out. */
static double critical_value(const struct scan_result *r, const double *sorted, double level) {
    double k = level * ((double)r->replicas_run + 1);
    if (sorted == NULL || r->stopped_early || fabs(k - round(k)) > 1e-9 || k < 0.5) return NAN;
    return sorted[(size_t)round(k) - 1];
}

static enum err_code critical_values(struct jw *w, struct arena *a, const struct scan_result *r,
                                     struct err *err) {
    double *sorted = NULL;
    if (r->replica_max != NULL && r->replicas_run > 0) {
        sorted = ARENA_NEW(a, double, r->replicas_run);
        if (sorted == NULL)
            return err_fail(err, ERR_NOMEM, "%u replicas", (unsigned)r->replicas_run);
        memcpy(sorted, r->replica_max, r->replicas_run * sizeof *sorted);
        qsort(sorted, r->replicas_run, sizeof *sorted, falling);
    }
    jw_kdouble(w, "critical_05", critical_value(r, sorted, 0.05));
    jw_kdouble(w, "critical_01", critical_value(r, sorted, 0.01));
    return ERR_OK;
}

static void unverified(struct jw *w, const struct scan_study *s) {
    jw_kbool(w, "verified", s->unverified[0] == '\0');
    jw_key(w, "unverified");
    jw_arr(w);
    for (const char *p = s->unverified; *p != '\0';) {
        size_t n = strcspn(p, ";");
        jw_strn(w, p, n);
        p += n;
        if (*p == ';') p += 2;
    }
    jw_end(w, ']');
}

static void settings(struct jw *w, const struct scan_told *told) {
    static const char *const metrics[] = {"plane", "sphere", "network", "listed"};
    const struct scan_study *s = told->study;
    const struct scan_result *r = told->result;
    if (told->title != NULL && *told->title != '\0') jw_kstr(w, "title", told->title);
    jw_kbool(w, "prospective", s->options.prospective);
    jw_kstr(w, "rates", scan_rates_word(s->options.rates));
    jw_kstr(w, "shape", scan_shape_word(s->options.shape));
    jw_kstr(w, "distance", metrics[s->data.metric]);
    jw_kstr(w, "overlap", scan_overlap_word(s->options.overlap));
    day(w, "start", s, s->start);
    day(w, "end", s, s->end);
    jw_kint(w, "slots", (int64_t)s->slots.n);
    jw_kint(w, "locations", (int64_t)s->n_ids);
    jw_kint(w, "places", (int64_t)s->data.n_places);
    if (s->data.model == SCAN_BERNOULLI) jw_kint(w, "total_controls", s->total_controls);
    jw_kint(w, "zones", (int64_t)r->n_zones);
    jw_kint(w, "replicas_run", r->replicas_run);
    jw_kbool(w, "stopped_early", r->stopped_early);
    jw_kdouble(w, "gumbel_mu", r->gumbel_mu);
    jw_kdouble(w, "gumbel_beta", r->gumbel_beta);
    if (r->replicas_run > 0 && r->gumbel != SCAN_GUMBEL_FITTED)
        jw_kstr(w, "gumbel_refused", scan_gumbel_word(r->gumbel));
    jw_kint(w, "left_out_unknown_places", s->left_out_places);
    jw_kint(w, "left_out_other_times", s->left_out_times);
    unverified(w, s);
}

static void location_f(struct jw *w, const struct scan_told *told) {
    const struct scan_study *s = told->study;
    if (told->result->location_f == NULL) return;
    jw_key(w, "location_f");
    jw_arr(w);
    for (size_t p = 0; p < s->data.n_places; p++) {
        if (told->result->location_f[p] <= 0) continue;
        for (size_t k = s->first_id[p]; k < s->first_id[p + 1]; k++) {
            jw_obj(w);
            jw_kstr(w, "location", s->id[k]);
            jw_kdouble(w, "f", told->result->location_f[p]);
            jw_end(w, '}');
        }
    }
    jw_end(w, ']');
}

enum err_code scan_report_json(struct buf *b, struct arena *a, const struct scan_told *told,
                               struct err *err) {
    const struct scan_study *s = told->study;
    const struct scan_result *r = told->result;
    struct jw w;
    jw_init(&w, b);
    jw_obj(&w);
    jw_kstr(&w, "model", scan_model_word(s->data.model));
    jw_kstr(&w, "analysis", scan_analysis_word(s->options.analysis));
    jw_kint(&w, "total_cases", r->total_cases);
    jw_kint(&w, "replicas", s->options.replicas);
    jw_kint(&w, "seed", (int64_t)s->options.seed);
    jw_key(&w, "elapsed_ms");
    if (told->elapsed_ms < 0)
        jw_null(&w);
    else
        jw_int(&w, told->elapsed_ms);
    jw_kstr(&w, "p_mode", scan_p_word(r->p_mode));
    jw_key(&w, "clusters");
    jw_arr(&w);
    for (size_t i = 0; i < r->n_clusters; i++) cluster(&w, told, i);
    jw_end(&w, ']');
    settings(&w, told);
    TRY(critical_values(&w, a, r, err));
    location_f(&w, told);
    jw_end(&w, '}');
    buf_char(b, '\n');
    return ERR_OK;
}
