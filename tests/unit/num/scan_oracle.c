#include "scan_oracle.h"

#include <math.h>

#include "base/rng.h"

static const double pi = 3.14159265358979323846;

double oracle_distance(const struct oracle *o, double x, double y, double px, double py,
                       double shape, double angle) {
    if (o->data->metric == SCAN_SPHERE) {
        double r = pi / 180.0, h = sin((y - py) * r / 2), v = sin((x - px) * r / 2);
        return 2 * 6367.0 * asin(sqrt(h * h + cos(y * r) * cos(py * r) * v * v));
    }
    double dx = x - px, dy = y - py;
    if (shape <= 1.0) return sqrt(dx * dx + dy * dy);
    double along = (dx * cos(angle) + dy * sin(angle)) / shape;
    double across = dy * cos(angle) - dx * sin(angle);
    return sqrt(along * along + across * across);
}

void oracle_init(struct oracle *o, const struct scan_data *data,
                 const struct scan_options *options) {
    *o = (struct oracle){.data = data, .options = options};
    double sum = 0;
    for (size_t i = 0; i < data->n_cases; i++) {
        o->cases[data->cases[i].place] += data->cases[i].n;
        o->total += data->cases[i].n;
    }
    for (size_t p = 0; p < data->n_places && data->model == SCAN_POISSON; p++)
        sum += data->expected[p];
    for (size_t i = 0; i < data->n_controls; i++)
        o->persons[data->controls[i].place] += data->controls[i].n;
    for (size_t p = 0; p < data->n_places; p++) {
        o->persons[p] += o->cases[p];
        o->all_persons += o->persons[p];
        if (data->model == SCAN_POISSON) o->expected[p] = data->expected[p] * o->total / sum;
        o->size[p] = data->size != NULL              ? data->size[p]
                     : data->model == SCAN_BERNOULLI ? o->persons[p]
                                                     : o->expected[p];
        o->total_size += o->size[p];
    }
}

static double term(double c, double e) { return c > 0 ? c * log(c / e) : 0; }

static double ratio(const struct oracle *o, double c, double e, double n) {
    double C = o->total, N = o->all_persons;
    const struct scan_options *opt = o->options;
    double least = opt->min_cases > 0 ? opt->min_cases : 2;
    bool high = c > e && (opt->rates & SCAN_HIGH) != 0 && c >= least;
    bool low = c < e && (opt->rates & SCAN_LOW) != 0;
    if (!high && !low) return 0;
    if (o->data->model == SCAN_POISSON) return e < C ? term(c, e) + term(C - c, C - e) : 0;
    if (n >= N || C >= N) return 0;
    /* Kulldorff 1997, eq. 3, as printed: the likelihoods of two rates and of one. */
    return term(c, n) + term(n - c, n) + term(C - c, N - n) + term(N - n - C + c, N - n) -
           term(C, N) - term(N - C, N);
}

static void judge(const struct oracle *o, const double *cases, const uint32_t *place, size_t n,
                  double weight, struct oracle_found *out) {
    double c = 0, e = 0, persons = 0;
    for (size_t i = 0; i < n; i++) {
        c += cases[place[i]];
        e += o->expected[place[i]];
        persons += o->persons[place[i]];
    }
    if (o->data->model == SCAN_BERNOULLI) e = persons * o->total / o->all_persons;
    double llr = ratio(o, c, e, persons) * weight;
    /* Sums in another order differ in the last digits: the earlier of equals stays. */
    if (llr <= out->llr * (1 + 1e-12)) return;
    out->llr = llr;
    out->observed = c;
    out->expected = e;
    out->n = n;
    for (size_t i = 0; i < n; i++) out->place[i] = place[i];
}

struct spot {
    double d, x, y, z;
    uint32_t place;
};
static int compare(const void *a, const void *b) {
    const struct spot *p = a, *q = b;
    if (p->d != q->d) return p->d < q->d ? -1 : 1;
    if (p->x != q->x) return p->x < q->x ? -1 : 1;
    if (p->y != q->y) return p->y < q->y ? -1 : 1;
    return p->place < q->place ? -1 : 1;
}

static void prefixes(const struct oracle *o, const double *cases, const struct spot *spot, size_t n,
                     double weight, struct oracle_found *out) {
    uint32_t place[ORACLE_MOST];
    size_t len = 0;
    double size = 0, share = o->options->max_size > 0 ? o->options->max_size : 0.5;
    for (size_t i = 0; i < n; i++) {
        if (o->options->max_radius > 0 && spot[i].d > o->options->max_radius) break;
        if (!isfinite(spot[i].d) ||
            size + o->size[spot[i].place] > share * o->total_size * (1 + 1e-12))
            break;
        size += o->size[spot[i].place];
        place[len++] = spot[i].place;
        bool bernoulli = o->data->model == SCAN_BERNOULLI;
        if (!((bernoulli ? o->persons : o->expected)[spot[i].place] > 0)) continue;
        out->n_zones++;
        judge(o, cases, place, len, weight, out);
    }
}

static void shape_scan(const struct oracle *o, const double *cases, double shape, double angle,
                       struct oracle_found *out) {
    const struct scan_data *d = o->data;
    const struct scan_points *centers = d->grid.n > 0 ? &d->grid : &d->points;
    double weight = pow(4 * shape / ((shape + 1) * (shape + 1)), o->options->ellipse_penalty);
    for (size_t c = 0; c < centers->n; c++) {
        struct spot spot[ORACLE_MOST];
        for (size_t i = 0; i < d->points.n; i++) {
            double x = d->points.x[i], y = d->points.y[i];
            spot[i] =
                (struct spot){oracle_distance(o, centers->x[c], centers->y[c], x, y, shape, angle),
                              x, y, 0, (uint32_t)i};
        }
        qsort(spot, d->points.n, sizeof *spot, compare);
        prefixes(o, cases, spot, d->points.n, weight, out);
    }
}

static void network_scan(const struct oracle *o, const double *cases, struct oracle_found *out) {
    static double way[ORACLE_MOST][ORACLE_MOST];
    size_t n = o->data->n_places;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) way[i][j] = i == j ? 0 : INFINITY;
    for (size_t e = 0; e < o->data->n_edges; e++) {
        const struct scan_edge *x = &o->data->edges[e];
        way[x->from][x->to] = fmin(way[x->from][x->to], x->length);
        way[x->to][x->from] = way[x->from][x->to];
    }
    for (size_t k = 0; k < n; k++)
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < n; j++) way[i][j] = fmin(way[i][j], way[i][k] + way[k][j]);
    for (size_t i = 0; i < n; i++) {
        struct spot spot[ORACLE_MOST];
        for (size_t j = 0; j < n; j++)
            spot[j] = (struct spot){way[i][j], o->data->points.x[j], o->data->points.y[j], 0,
                                    (uint32_t)j};
        qsort(spot, n, sizeof *spot, compare);
        prefixes(o, cases, spot, n, 1, out);
    }
}

static bool connected(const struct scan_data *d, const uint32_t *place, size_t n) {
    bool reached[ORACLE_MOST] = {true};
    for (size_t round = 0; round < n; round++)
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < n; j++)
                for (size_t e = 0; e < d->n_edges && reached[i] && !reached[j]; e++)
                    reached[j] = (d->edges[e].from == place[i] && d->edges[e].to == place[j]) ||
                                 (d->edges[e].to == place[i] && d->edges[e].from == place[j]);
    for (size_t i = 0; i < n; i++)
        if (!reached[i]) return false;
    return true;
}

static void flexible_scan(const struct oracle *o, const double *cases, struct oracle_found *out) {
    const struct scan_data *d = o->data;
    size_t k = o->options->flexible_k;
    for (size_t c = 0; c < d->n_places; c++) {
        struct spot spot[ORACLE_MOST];
        for (size_t i = 0; i < d->n_places; i++)
            spot[i] = (struct spot){oracle_distance(o, d->points.x[c], d->points.y[c],
                                                    d->points.x[i], d->points.y[i], 1, 0),
                                    d->points.x[i], d->points.y[i], 0, (uint32_t)i};
        qsort(spot, d->n_places, sizeof *spot, compare);
        for (uint32_t set = 1; set < 1U << k; set += 2) {
            uint32_t place[ORACLE_MOST];
            size_t n = 0;
            double size = 0;
            for (uint32_t b = 0; b < k; b++)
                if (set >> b & 1U) {
                    place[n++] = spot[b].place;
                    size += o->size[spot[b].place];
                }
            if (size > 0.5 * o->total_size * (1 + 1e-12) || !connected(d, place, n)) continue;
            judge(o, cases, place, n, 1, out);
        }
    }
}

void oracle_scan(const struct oracle *o, const double *cases, struct oracle_found *out) {
    *out = (struct oracle_found){0};
    if (cases == NULL) cases = o->cases;
    if (o->options->shape == SCAN_FLEXIBLE) {
        flexible_scan(o, cases, out);
        return;
    }
    if (o->data->metric == SCAN_NETWORK) {
        network_scan(o, cases, out);
        return;
    }
    shape_scan(o, cases, 1, 0, out);
    for (size_t e = 0; o->options->shape == SCAN_ELLIPSE && e < o->options->n_ellipses; e++)
        for (unsigned k = 0; k < o->options->ellipse_angles[e]; k++)
            shape_scan(o, cases, o->options->ellipse_shape[e],
                       pi * k / o->options->ellipse_angles[e], out);
}

void city_make(struct city *c, size_t n, unsigned kind, size_t n_cases, uint64_t seed) {
    *c = (struct city){.n = n};
    struct rng r = rng_new(seed, 77);
    for (size_t i = 0; i < n; i++) {
        c->x[i] = rng_unit(&r) * 10;
        c->y[i] = rng_unit(&r) * 10;
        if (kind & CITY_GRID) {
            c->x[i] = (double)(i % 6);
            size_t line = i / 6;
            c->y[i] = (double)line;
        }
        if (kind & CITY_SPHERE) {
            c->x[i] = 118 + c->x[i] / 5;
            c->y[i] = 32 + c->y[i] / 5;
        }
        c->expected[i] = 1 + rng_below(&r, 20);
        if ((kind & CITY_ZEROS) && rng_below(&r, 4) == 0) c->expected[i] = 0;
        c->cases[i].place = c->controls[i].place = (uint32_t)i;
    }
    for (size_t k = 0; k < n_cases;) {
        size_t i = rng_below(&r, (uint32_t)n);
        if (rng_unit(&r) * 21 >= c->expected[i]) continue;
        c->cases[i].n++;
        k++;
    }
    for (size_t i = 0; i < n; i++)
        if (c->expected[i] > 0) c->controls[i].n = rng_below(&r, (uint32_t)c->expected[i] + 1);
    c->data = (struct scan_data){.model = SCAN_POISSON,
                                 .n_places = n,
                                 .n_slots = 1,
                                 .metric = kind & CITY_SPHERE ? SCAN_SPHERE : SCAN_PLANE,
                                 .points = {n, c->x, c->y},
                                 .cases = c->cases,
                                 .n_cases = n,
                                 .expected = c->expected};
    if (!(kind & CITY_BERNOULLI)) return;
    c->data.model = SCAN_BERNOULLI;
    c->data.expected = NULL;
    c->data.controls = c->controls;
    c->data.n_controls = n;
}
