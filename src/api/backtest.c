/* The back-test of an index: what of a month told of the next one. */
#include "api/app.h"
#include "api/handlers.h"
#include "api/index_view.h"
#include "domain/measure/backtest_json.h"

/* The outcome's month has to be over: the last month of the predictors is the one before. */
static enum err_code run(struct call *c, struct index_look *look, const struct index_def *d,
                         struct err *err) {
    struct backtest b;
    look->q.period = period_step(&look->q.period, -1);
    TRY(backtest_run(&look->q, d, look->a, &b, err));
    struct jw w = call_json(c);
    backtest_json(&w, &b);
    return buf_check(&c->reply.body, err);
}

enum err_code index_backtest(struct call *c, struct err *err) {
    const struct index_def *d = NULL;
    struct index_look look;
    TRY(index_of_call(c, NULL, &d, err));
    TRY(index_look_at(c, d, NULL, call_query(c, "level"), &look, err));
    enum err_code rc = run(c, &look, d, err);
    index_look_end(c, &look);
    return rc;
}
