/* The residents' survey of the invented city: a wave a year, drawn town by town, with people who
 * are not at home and people who do not wish to answer, weighted as a real one is. How safe people
 * feel and who answers go with age and sex, so that the plain mean would be off. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/civil.h"
#include "base/rng.h"
#include "domain/measure/survey_take.h"
#include "sim/demo_inside.h"

enum { WAVES = 5, DRAWN = 800, STREAM = 9000001, SURVEY_ARENA = 1 << 28 };
static const int64_t day_us = 86400000000;
static const char survey_name[] = "safety";

struct drawing {
    const struct survey_def *d;
    struct rng r;
    double level; /* of the town in this year: log odds of feeling safe */
    int *area;
    unsigned char *outcome;
    double *design;
    int16_t *value, *answer;
};

static size_t by_share(struct rng *r, const struct survey_stratum *s) {
    double u = rng_unit(r);
    size_t k = 0;
    while (k + 1 < s->n_values && u >= s->value[k].share) u -= s->value[k++].share;
    return k;
}

static unsigned char draw_outcome(struct rng *r, double readiness) {
    static const struct {
        double share;
        enum survey_outcome outcome;
    } others[] = {{0.4, SURVEY_UNKNOWN},    {0.25, SURVEY_REFUSED}, {0.15, SURVEY_NOT_ELIGIBLE},
                  {0.1, SURVEY_NO_CONTACT}, {0.05, SURVEY_PARTIAL}, {0.05, SURVEY_OTHER}};
    if (rng_unit(r) < readiness) return SURVEY_COMPLETED;
    double u = rng_unit(r);
    size_t k = 0;
    while (k + 1 < sizeof others / sizeof others[0] && u >= others[k].share) u -= others[k++].share;
    return (unsigned char)others[k].outcome;
}

/* One of the answers that count, or of those that do not; now and then none. */
static int16_t draw_answer(struct rng *r, const struct survey_question *q, double share) {
    int want = rng_unit(r) < 0.03 ? -1 : rng_unit(r) < share ? 1 : 0;
    int16_t fit[SURVEY_MAX_ANSWERS];
    uint32_t n = 0;
    for (size_t k = 0; k < q->n_answers; k++)
        if (q->answer[k].counts == want) fit[n++] = (int16_t)k;
    if (n == 0) return -1;
    return fit[rng_below(r, n)];
}

static void draw_unit(struct drawing *x, size_t i, int area) {
    const struct survey_def *d = x->d;
    double lean = 0, ready = 0.16;
    x->area[i] = area;
    x->design[i] = 1;
    for (size_t s = 0; s < d->n_strata; s++) {
        size_t k = by_share(&x->r, &d->stratum[s]);
        double at = (double)k / (double)(d->stratum[s].n_values - 1);
        x->value[i * d->n_strata + s] = (int16_t)k;
        ready += 0.1 * at;
        lean += 0.5 * at - 0.25;
    }
    x->outcome[i] = draw_outcome(&x->r, ready);
    for (size_t q = 0; q < d->n_questions; q++) {
        double share = 1 / (1 + exp(-(x->level + lean - 0.2 * (double)q)));
        x->answer[i * d->n_questions + q] = (int16_t)-1;
        if (x->outcome[i] == SURVEY_COMPLETED)
            x->answer[i * d->n_questions + q] = draw_answer(&x->r, &d->question[q], share);
    }
}

static enum err_code draw_wave(const struct demo *d, struct arena *a, const struct survey_def *s,
                               const struct grid *g, int year, struct survey_rows *out,
                               struct err *err) {
    size_t towns = 0, n = 0;
    for (size_t k = 0; k < g->n_areas; k++) towns += g->areas[k].level == s->level;
    size_t most = towns * DRAWN;
    struct drawing x = {.d = s,
                        .area = ARENA_NEW(a, int, most + 1),
                        .outcome = ARENA_NEW(a, unsigned char, most + 1),
                        .design = ARENA_NEW(a, double, most + 1),
                        .value = ARENA_NEW(a, int16_t, most * s->n_strata + 1),
                        .answer = ARENA_NEW(a, int16_t, most * s->n_questions + 1)};
    if (x.area == NULL || x.outcome == NULL || x.design == NULL || x.value == NULL ||
        x.answer == NULL)
        return err_fail(err, ERR_NOMEM, "demo");
    for (size_t k = 0; k < g->n_areas; k++) {
        if (g->areas[k].level != s->level) continue;
        struct rng own = rng_new((uint64_t)d->o->seed, (uint64_t)STREAM * 2 + k);
        x.level = 2.6 + 0.35 * rng_normal(&own);
        x.r = rng_new((uint64_t)d->o->seed, (uint64_t)STREAM + k * 4096 + (uint64_t)year);
        x.level += 0.1 * rng_normal(&x.r);
        for (size_t i = 0; i < DRAWN; i++) draw_unit(&x, n++, (int)k);
    }
    *out = (struct survey_rows){n, x.area, x.outcome, x.design, x.value, x.answer};
    return ERR_OK;
}

static enum err_code form_wave(struct demo *d, const struct survey_def *s,
                               const struct period *wave, const struct grid *g,
                               const struct survey_rows *rows, struct arena *a,
                               struct survey_result *out, struct err *err) {
    struct reader *r = NULL;
    TRY(ledger_read_begin(d->folder->ledger, &r, err));
    enum err_code rc = survey_form(s, wave, g, reader_db(r), rows, a, out, err);
    ledger_read_end(r);
    return rc;
}

static enum err_code write_wave(struct demo *d, const struct survey_def *s, const struct grid *g,
                                int year, struct err *err) {
    struct survey_rows rows;
    struct survey_result result;
    struct survey_put put = {.result = &result};
    struct period wave;
    char text[PERIOD_TEXT];
    (void)snprintf(text, sizeof text, "%04d", year);
    TRY(period_parse(text, &wave, err));
    struct arena *a = arena_new(SURVEY_ARENA);
    if (a == NULL) return err_fail(err, ERR_NOMEM, "demo");
    enum err_code rc = draw_wave(d, a, s, g, year, &rows, err);
    if (rc == ERR_OK && rows.n > 0) rc = form_wave(d, s, &wave, g, &rows, a, &result, err);
    struct command c = {
        .name = "survey.import", .actor = "demo", .apply = survey_put_apply, .arg = &put};
    if (rc == ERR_OK && rows.n > 0) rc = ledger_run(d->folder->ledger, &c, NULL, NULL, err);
    arena_free(a);
    return rc;
}

enum err_code demo_write_survey(struct demo *d, const struct grid *g, struct err *err) {
    const struct survey_set *set = NULL;
    int year = 0, m = 0, dom = 0;
    TRY(survey_load(d->a, d->folder->packs, &set, err));
    const struct survey_def *s = survey_find(set, survey_name);
    if (s == NULL) return ERR_OK; /* packs without it */
    civil_from_days((int32_t)(tz_to_local(d->folder->tz, d->until_us) / day_us), &year, &m, &dom);
    for (int k = WAVES - 1; k >= 0; k--) TRY(write_wave(d, s, g, year - k, err));
    return ERR_OK;
}
