#include <math.h>
#include <string.h>

#include "num/model/recurrent.h"

struct mcf_work {
    const struct model_survival *d;
    uint32_t *asset, *by_stop;
    size_t n_assets;
    double *own;      /* events of each asset at the time in hand */
    double *at_risk;  /* rows of each asset at risk: 0 or 1 in sound data */
    double *residual; /* running sum of (own - mean) / n of each asset */
};

/* At time t: who is at risk, who has events; adds the step and renews the residuals. */
static void mcf_time(struct mcf_work *w, double t, struct model_mcf_row *r) {
    const struct model_survival *d = w->d;
    memset(w->own, 0, w->n_assets * sizeof *w->own);
    memset(w->at_risk, 0, w->n_assets * sizeof *w->at_risk);
    for (size_t i = 0; i < d->n; i++) {
        if (d->stop[i] < t || (d->start != NULL && d->start[i] >= t)) continue;
        w->at_risk[w->asset[i]] = 1;
        if (d->stop[i] == t) w->own[w->asset[i]] += d->event[i];
    }
    r->time = t;
    r->at_risk = r->events = 0;
    for (size_t k = 0; k < w->n_assets; k++) r->at_risk += w->at_risk[k], r->events += w->own[k];
    double mean = r->events / r->at_risk, var = 0;
    for (size_t k = 0; k < w->n_assets; k++) {
        w->residual[k] += w->at_risk[k] * (w->own[k] - mean) / r->at_risk;
        var += w->residual[k] * w->residual[k];
    }
    r->mcf += mean;
    r->se = sqrt(var);
}

enum err_code model_mcf(struct arena *a, const struct model_survival *d, struct model_mcf *out,
                        struct err *err) {
    struct mcf_work w = {.d = d};
    memset(out, 0, sizeof *out);
    TRY(model_survival_check(d, 255, err));
    if (d->cluster == NULL)
        return err_fail(err, ERR_INVALID, "the mean cumulative function needs the asset of a row");
    TRY(model_dense_groups(a, d->cluster, d->n, &w.asset, &w.n_assets, err));
    TRY(model_order(a, d->stop, d->n, &w.by_stop, err));
    size_t n_events = 0;
    for (size_t i = 0; i < d->n; i++) n_events += d->event[i];
    w.own = ARENA_NEW(a, double, w.n_assets);
    w.at_risk = ARENA_NEW(a, double, w.n_assets);
    w.residual = ARENA_NEW(a, double, w.n_assets);
    out->row = ARENA_NEW(a, struct model_mcf_row, n_events + 1);
    if (w.own == NULL || w.at_risk == NULL || w.residual == NULL || out->row == NULL)
        return err_fail(err, ERR_NOMEM, "%zu assets", w.n_assets);
    out->n_assets = w.n_assets;
    double last = 0, mcf = 0;
    for (size_t k = 0; k < d->n; k++) {
        uint32_t i = w.by_stop[k];
        if (!d->event[i] || (out->n_rows > 0 && d->stop[i] == last)) continue;
        last = d->stop[i];
        struct model_mcf_row *r = &out->row[out->n_rows++];
        r->mcf = mcf;
        mcf_time(&w, last, r);
        mcf = r->mcf;
    }
    return ERR_OK;
}
