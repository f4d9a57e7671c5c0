#include <math.h>

#include "base/csv.h"
#include "base/json.h"
#include "num/scan/window.h"
#include "study/scan/report.h"

enum { CORNERS = 72 };

static void pair(struct jw *w, double x, double y) {
    jw_arr(w);
    jw_double(w, x);
    jw_double(w, y);
    jw_end(w, ']');
}

/* The point at a bearing (radians, anticlockwise from the x axis) and distance from (x, y); on the
 * sphere along the great circle. */
static void corner(struct jw *w, bool sphere, double x, double y, double distance, double bearing) {
    if (!sphere) {
        pair(w, x + distance * cos(bearing), y + distance * sin(bearing));
        return;
    }
    const double radian = acos(-1.0) / 180;
    double d = distance / SCAN_EARTH_KM, lat = y * radian;
    double s = sin(lat) * cos(d) + cos(lat) * sin(d) * sin(bearing);
    double to = asin(fmax(-1, fmin(1, s)));
    double turn = atan2(cos(bearing) * sin(d) * cos(lat), cos(d) - sin(lat) * s);
    pair(w, x + turn / radian, to / radian);
}

static void ring(struct jw *w, const struct scan_study *s, const struct scan_cluster *c, double x,
                 double y) {
    const double full = 2 * acos(-1.0);
    double shape = s->options.shape == SCAN_ELLIPSE ? c->ellipse_shape : 1;
    jw_kstr(w, "type", "Polygon");
    jw_key(w, "coordinates");
    jw_arr(w);
    jw_arr(w);
    for (unsigned i = 0; i <= CORNERS; i++) {
        double turn = full * (i % CORNERS) / CORNERS;
        /* Long axis at the angle of the ellipse. */
        double u = c->radius * shape * cos(turn), v = c->radius * sin(turn);
        corner(w, s->sphere, x, y, hypot(u, v), atan2(v, u) + (shape > 1 ? c->ellipse_angle : 0));
    }
    jw_end(w, ']');
    jw_end(w, ']');
}

static void geometry(struct jw *w, const struct scan_study *s, const struct scan_cluster *c) {
    bool grid = s->data.grid.n > 0;
    bool round = s->options.shape != SCAN_FLEXIBLE &&
                 (s->data.metric == SCAN_PLANE || s->data.metric == SCAN_SPHERE) && c->radius > 0;
    jw_key(w, "geometry");
    jw_obj(w);
    if (round) {
        ring(w, s, c, grid ? s->data.grid.x[c->center] : s->x[c->center],
             grid ? s->data.grid.y[c->center] : s->y[c->center]);
    } else {
        jw_kstr(w, "type", "MultiPoint");
        jw_key(w, "coordinates");
        jw_arr(w);
        for (size_t i = 0; i < c->n_places; i++) pair(w, s->x[c->places[i]], s->y[c->places[i]]);
        jw_end(w, ']');
    }
    jw_end(w, '}');
}

static void kday(struct jw *w, const char *key, const struct scan_study *s, int64_t at) {
    char text[24];
    time_format(at, s->generic, text);
    jw_kstr(w, key, s->dated ? text : NULL);
}

static void cluster_feature(struct jw *w, const struct scan_study *s, const struct scan_cluster *c,
                            size_t rank) {
    int64_t first, last;
    scan_study_days(s, c, &first, &last);
    jw_obj(w);
    jw_kstr(w, "type", "Feature");
    geometry(w, s, c);
    jw_key(w, "properties");
    jw_obj(w);
    jw_kstr(w, "kind", "cluster");
    jw_kint(w, "rank", (int64_t)rank);
    jw_kdouble(w, "radius", c->radius);
    jw_kint(w, "places", (int64_t)c->n_places);
    kday(w, "start", s, first);
    kday(w, "end", s, last);
    jw_kint(w, "observed", c->observed);
    jw_kdouble(w, "expected", c->expected);
    jw_kdouble(w, "relative_risk", c->relative_risk);
    jw_kdouble(w, "llr", c->llr);
    jw_kdouble(w, "p_value", c->p_value);
    jw_kdouble(w, "gumbel_p", c->p_gumbel);
    jw_kdouble(w, "recurrence_days", c->recurrence_days);
    jw_kstr(w, "direction", c->low ? "low" : "high");
    jw_end(w, '}');
    jw_end(w, '}');
}

static void location_features(struct jw *w, const struct scan_study *s,
                              const struct scan_cluster *c, size_t rank) {
    for (size_t i = 0; i < c->n_places; i++) {
        uint32_t p = c->places[i];
        for (size_t k = s->first_id[p]; k < s->first_id[p + 1]; k++) {
            jw_obj(w);
            jw_kstr(w, "type", "Feature");
            jw_key(w, "geometry");
            jw_obj(w);
            jw_kstr(w, "type", "Point");
            jw_key(w, "coordinates");
            pair(w, s->x[p], s->y[p]);
            jw_end(w, '}');
            jw_key(w, "properties");
            jw_obj(w);
            jw_kstr(w, "kind", "location");
            jw_kint(w, "cluster", (int64_t)rank);
            jw_kstr(w, "location", s->id[k]);
            jw_kint(w, "cases", s->place_cases[p]);
            jw_end(w, '}');
            jw_end(w, '}');
        }
    }
}

enum err_code scan_report_geojson(struct buf *b, const struct scan_told *told, struct err *err) {
    const struct scan_study *s = told->study;
    struct jw w;
    if (!s->has_places || s->options.analysis == SCAN_TEMPORAL)
        return err_fail(err, ERR_INVALID, "there are no coordinates to make GeoJSON of");
    jw_init(&w, b);
    jw_obj(&w);
    jw_kstr(&w, "type", "FeatureCollection");
    jw_key(&w, "features");
    jw_arr(&w);
    for (size_t i = 0; i < told->result->n_clusters; i++) {
        cluster_feature(&w, s, &told->result->clusters[i], i + 1);
        location_features(&w, s, &told->result->clusters[i], i + 1);
    }
    jw_end(&w, ']');
    jw_end(&w, '}');
    buf_char(b, '\n');
    return ERR_OK;
}

/* ---- CSV ---- */

static void number(struct buf *b, double v) {
    struct buf text;
    struct jw w;
    buf_init(&text, 64);
    jw_init(&w, &text);
    if (isfinite(v)) jw_double(&w, v);
    csv_field(b, buf_text(&text), false);
    buf_deinit(&text);
}

/* Cases that the null hypothesis expects at each place over the whole period; NaN when the model
 * has no such number. */
static void expected_of_places(const struct scan_study *s, double *expected) {
    size_t n = s->data.n_places;
    double sum = 0;
    for (size_t p = 0; p < n; p++) expected[p] = s->data.model == SCAN_PERMUTATION ? NAN : 0;
    if (s->data.model == SCAN_POISSON) {
        for (size_t p = 0; p < n; p++)
            for (size_t t = 0; t < s->slots.n; t++)
                expected[p] += s->data.expected[p * s->slots.n + t];
    } else if (s->data.model == SCAN_BERNOULLI) {
        for (size_t p = 0; p < n; p++) expected[p] = (double)s->place_cases[p];
        for (size_t i = 0; i < s->data.n_controls; i++)
            expected[s->data.controls[i].place] += s->data.controls[i].n;
    }
    for (size_t p = 0; p < n; p++) sum += expected[p];
    for (size_t p = 0; p < n; p++) expected[p] *= (double)s->total_cases / sum;
}

static void location_row(struct buf *b, const struct scan_told *told, size_t p, size_t k,
                         double expected, size_t rank) {
    const struct scan_study *s = told->study;
    csv_safe_field(b, s->id[k], true);
    number(b, s->has_places ? s->x[p] : NAN);
    number(b, s->has_places ? s->y[p] : NAN);
    number(b, (double)s->place_cases[p]);
    number(b, expected);
    number(b, expected > 0 ? (double)s->place_cases[p] / expected : NAN);
    number(b, s->population != NULL ? s->population[p] : NAN);
    char first[24] = "", last[24] = "";
    if (rank > 0) {
        const struct scan_cluster *c = &told->result->clusters[rank - 1];
        int64_t from, to;
        scan_study_days(s, c, &from, &to);
        if (s->dated) {
            time_format(from, s->generic, first);
            time_format(to, s->generic, last);
        }
        number(b, (double)rank);
        csv_field(b, first, false);
        csv_field(b, last, false);
        number(b, c->relative_risk);
        number(b, c->p_value);
    } else {
        for (int i = 0; i < 5; i++) csv_field(b, "", false);
    }
    number(b, told->result->location_f != NULL ? told->result->location_f[p] : NAN);
    csv_end(b);
}

enum err_code scan_report_csv(struct buf *b, struct arena *a, const struct scan_told *told,
                              struct err *err) {
    const struct scan_study *s = told->study;
    size_t n = s->data.n_places;
    if (s->options.analysis == SCAN_TEMPORAL)
        return err_fail(err, ERR_INVALID, "a purely temporal scan has no places to list");
    double *expected = ARENA_NEW(a, double, n);
    size_t *rank = ARENA_NEW(a, size_t, n);
    if (expected == NULL || rank == NULL) return err_fail(err, ERR_NOMEM, "%zu places", n);
    expected_of_places(s, expected);
    for (size_t i = told->result->n_clusters; i > 0; i--) {
        const struct scan_cluster *c = &told->result->clusters[i - 1];
        for (size_t k = 0; k < c->n_places; k++) rank[c->places[k]] = i;
    }
    static const char *const head[] = {
        "cases",         "expected",    "observed_over_expected", "population",      "cluster",
        "cluster_start", "cluster_end", "cluster_relative_risk",  "cluster_p_value", "location_f"};
    csv_field(b, "location", true);
    csv_field(b, s->sphere ? "lon" : "x", false);
    csv_field(b, s->sphere ? "lat" : "y", false);
    for (size_t i = 0; i < sizeof head / sizeof head[0]; i++) csv_field(b, head[i], false);
    csv_end(b);
    for (size_t p = 0; p < n; p++)
        for (size_t k = s->first_id[p]; k < s->first_id[p + 1]; k++)
            location_row(b, told, p, k, expected[p], rank[p]);
    return ERR_OK;
}
