/* Residents' surveys: what is asked, and what a wave says by area with its doubt. */
#include "api/app.h"
#include "api/handlers.h"
#include "domain/measure/survey_json.h"

static enum err_code list_surveys(struct call *c, struct db *db, struct err *err) {
    struct jw w = call_json(c);
    jw_obj(&w);
    jw_key(&w, "items");
    jw_arr(&w);
    for (size_t i = 0; i < c->app->surveys->n; i++)
        TRY(survey_json(&w, &c->app->surveys->survey[i], db, err));
    jw_end(&w, ']');
    jw_end(&w, '}');
    return buf_check(&c->reply.body, err);
}

enum err_code survey_list(struct call *c, struct err *err) {
    struct reader *r = NULL;
    TRY(ledger_read_begin(c->app->ledger, &r, err));
    enum err_code rc = list_surveys(c, reader_db(r), err);
    ledger_read_end(r);
    return rc;
}

enum err_code survey_wave(struct call *c, struct err *err) {
    const struct survey_def *d = survey_find(c->app->surveys, c->param[0]);
    struct reader *r = NULL;
    if (d == NULL) return err_fail(err, ERR_NOT_FOUND, "there is no survey \"%.60s\"", c->param[0]);
    TRY(ledger_read_begin(c->app->ledger, &r, err));
    const struct grid *g = grid_ref(c->app->grid);
    struct jw w = call_json(c);
    enum err_code rc = survey_wave_json(&w, d, c->param[1], g, reader_db(r), err);
    grid_unref(g);
    ledger_read_end(r);
    return rc == ERR_OK ? buf_check(&c->reply.body, err) : rc;
}
