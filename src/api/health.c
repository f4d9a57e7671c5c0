/* Liveness and metrics. */
#include "api/app.h"
#include "api/handlers.h"
#include "net/metrics.h"

enum err_code health_get(struct call *c, struct err *err) {
    bool ok = !ledger_read_only(c->app->ledger);
    struct jw w = call_json(c);
    jw_obj(&w);
    jw_kstr(&w, "status", ok ? "ok" : "read-only");
    jw_kint(&w, "seq", ledger_last_seq(c->app->ledger));
    jw_end(&w, '}');
    c->reply.status = ok ? 200 : 503;
    return buf_check(&c->reply.body, err);
}

enum err_code metrics_get(struct call *c, struct err *err) {
    c->reply.content_type = METRICS_CONTENT_TYPE;
    metrics_text(c->app->metrics, &c->reply.body);
    return buf_check(&c->reply.body, err);
}

/* The dispatcher hands the request to the hub; this row of the table is never called. */
enum err_code events_get(struct call *c, struct err *err) {
    (void)c;
    return err_fail(err, ERR_INTERNAL, "the event stream is opened by the dispatcher");
}
