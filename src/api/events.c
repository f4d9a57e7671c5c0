/* The live stream: committed case changes and notices, each seen only by those whose rights allow.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "api/app.h"
#include "api/jobs.h"
#include "base/mem.h"
#include "domain/identity/session.h"

/* What decides who sees an item; copied into the hub beside it, never sent. */
struct event_meta {
    char county[40], town[40], community[40], cell[40], unit[40], holder[64];
    char account[64]; /* a notice: only for this account; a job: who started it */
    bool is_private, is_task, is_job;
    enum permission perm; /* a job: who else may look at it */
};
struct event_stream {
    struct app *app;
};

static bool sees(const void *scope, const struct sse_item *item) {
    const struct principal *p = scope;
    const struct event_meta *m = item->meta;
    if (m == NULL || item->meta_n != sizeof *m) return false;
    if (m->is_job) return strcmp(m->account, p->name) == 0 || principal_may(p, m->perm);
    if (m->account[0] != '\0') return strcmp(m->account, p->name) == 0;
    struct rights_case c = {.county = m->county,
                            .town = m->town,
                            .community = m->community,
                            .cell = m->cell,
                            .unit = m->unit,
                            .holder = m->holder,
                            .is_private = m->is_private,
                            .is_task = m->is_task};
    return rights_case_may(p, &c);
}

static const char *member(const struct val *v, const char *key) {
    const struct val *m = val_get(v, key);
    return m != NULL && m->type == VAL_STR ? m->u.s : "";
}

static int64_t number(const struct val *v, const char *key) {
    const struct val *m = val_get(v, key);
    if (m != NULL && m->type == VAL_BOOL) return m->u.b ? 1 : 0;
    return m != NULL && m->type == VAL_INT ? m->u.i : 0;
}

static double real(const struct val *v, const char *key) {
    const struct val *m = val_get(v, key);
    if (m != NULL && m->type == VAL_INT) return (double)m->u.i;
    return m != NULL && m->type == VAL_DOUBLE ? m->u.d : (double)NAN;
}

static void put(char *out, size_t n, const char *s) { (void)snprintf(out, n, "%s", s); }

static const char *light_of(const struct val *v, int64_t now_us) {
    int64_t due = number(v, "due_at"), yellow = number(v, "yellow_at");
    if (number(v, "paused_at") != 0) return "paused";
    if (due == 0) return NULL;
    return now_us > due ? "red" : (yellow != 0 && now_us > yellow ? "yellow" : "green");
}

static void case_data(const struct jrow *j, const struct val *v, int64_t now_us, struct buf *out) {
    static const char *const texts[] = {"code",   "class", "state",     "stage", "cell",
                                        "county", "town",  "community", "unit"};
    struct jw w;
    jw_init(&w, out);
    jw_obj(&w);
    jw_kint(&w, "seq", j->seq);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const char *s = member(v, texts[i]);
        jw_kstr(&w, texts[i], s[0] == '\0' ? NULL : s);
    }
    jw_kstr(&w, "light", light_of(v, now_us));
    jw_kdouble(&w, "lon", real(v, "lon"));
    jw_kdouble(&w, "lat", real(v, "lat"));
    jw_kbool(&w, "urgent", number(v, "urgent") != 0);
    jw_kbool(&w, "open",
             val_get(v, "closed_at") == NULL || val_get(v, "closed_at")->type == VAL_NULL);
    const char *dot = strchr(j->command, '.');
    jw_kstr(&w, "move", dot == NULL ? j->command : dot + 1);
    jw_ktime(&w, "at", j->at_us);
    jw_end(&w, '}');
}

static void publish_case(struct event_stream *s, struct arena *a, const struct jrow *j,
                         struct buf *data) {
    const struct val *v = NULL;
    if (json_parse(a, j->image, j->image_n, &v, NULL) != ERR_OK) return;
    struct event_meta m = {.is_private = number(v, "private") != 0,
                           .is_task = class_is_task(member(v, "class"))};
    put(m.county, sizeof m.county, member(v, "county"));
    put(m.town, sizeof m.town, member(v, "town"));
    put(m.community, sizeof m.community, member(v, "community"));
    put(m.cell, sizeof m.cell, member(v, "cell"));
    put(m.unit, sizeof m.unit, member(v, "unit"));
    put(m.holder, sizeof m.holder, member(v, "holder"));
    buf_clear(data);
    case_data(j, v, clock_now_us(&s->app->clock), data);
    struct sse_item item = {.id = (uint64_t)j->seq,
                            .event = "case",
                            .key = member(v, "code"),
                            .data = buf_text(data),
                            .data_n = data->n,
                            .meta = &m,
                            .meta_n = sizeof m};
    if (data->failed || sse_publish(s->app->hub, &item, NULL) != ERR_OK)
        sse_skip(s->app->hub, (uint64_t)j->seq);
}

static void publish_notice(struct event_stream *s, struct arena *a, const struct jrow *j) {
    const struct val *v = NULL;
    if (json_parse(a, j->image, j->image_n, &v, NULL) != ERR_OK) return;
    struct event_meta m = {0};
    put(m.account, sizeof m.account, member(v, "account"));
    if (m.account[0] == '\0') return;
    struct sse_item item = {.id = (uint64_t)j->seq,
                            .event = "notice",
                            .data = j->image,
                            .data_n = j->image_n,
                            .meta = &m,
                            .meta_n = sizeof m};
    if (sse_publish(s->app->hub, &item, NULL) != ERR_OK) sse_skip(s->app->hub, (uint64_t)j->seq);
}

/* How far a job is: told to those who may look at it, when they listen. */
static void job_told(void *ctx, const struct job_view *v) {
    struct app *app = ctx;
    struct event_meta m = {.is_job = true, .perm = v->perm};
    char key[24];
    struct buf data;
    struct jw w;
    if (sse_clients(app->hub) == 0) return;
    put(m.account, sizeof m.account, v->account);
    (void)snprintf(key, sizeof key, "%lld", (long long)v->id);
    buf_init(&data, (size_t)2 * JOB_RESULT);
    jw_init(&w, &data);
    job_json(&w, v);
    struct sse_item item = {.event = "job",
                            .key = key,
                            .data = buf_text(&data),
                            .data_n = data.n,
                            .meta = &m,
                            .meta_n = sizeof m};
    struct err err = {0};
    if (data.failed || sse_pass(app->hub, &item, &err) != ERR_OK)
        log_event(app->log, LOG_WARN, "events.job", LOG_STR("detail", err.detail));
    buf_deinit(&data);
}

/* Streams that were opened under other rights. */
struct ended {
    char account[64];
    int64_t session;
};

static bool is_ended(const void *scope, const void *arg) {
    const struct principal *p = scope;
    const struct ended *e = arg;
    return strcmp(p->name, e->account) == 0 && (e->session == 0 || e->session == p->session);
}

void events_drop(struct app *app, const char *account, int64_t session) {
    struct ended e = {.session = session};
    if (account[0] == '\0' || app->hub == NULL) return;
    put(e.account, sizeof e.account, account);
    struct err err = {0};
    if (sse_drop(app->hub, is_ended, &e, sizeof e, &err) != ERR_OK)
        log_event(app->log, LOG_ERROR, "events.drop", LOG_STR("detail", err.detail));
}

/* A changed account or post changes what its people may see. */
static void rights_changed(struct event_stream *s, struct arena *a, const struct jrow *j) {
    const struct val *v = NULL;
    if (json_parse(a, j->image, j->image_n, &v, NULL) != ERR_OK) return;
    static const char *const names[] = {"name", "account", "cover"};
    bool is_account = strcmp(j->type, "account") == 0;
    for (size_t i = is_account ? 0 : 1; i < (is_account ? 1 : 3); i++)
        events_drop(s->app, member(v, names[i]), 0);
}

static void seen(const struct jrow *rows, size_t n, void *ctx) {
    struct event_stream *s = ctx;
    if (sse_clients(s->app->hub) == 0) {
        sse_skip(s->app->hub, (uint64_t)rows[n - 1].seq);
        return;
    }
    struct arena *a = arena_new(64u << 20);
    struct buf data;
    buf_init(&data, 8192);
    const char *case_table = s->app->engine->case_type->table.name;
    for (size_t i = 0; a != NULL && i < n; i++) {
        if (strcmp(rows[i].type, case_table) == 0)
            publish_case(s, a, &rows[i], &data);
        else if (strcmp(rows[i].type, "notice") == 0)
            publish_notice(s, a, &rows[i]);
        else if (strcmp(rows[i].type, "account") == 0 || strcmp(rows[i].type, "post") == 0)
            rights_changed(s, a, &rows[i]);
    }
    buf_deinit(&data);
    if (a == NULL) sse_skip(s->app->hub, (uint64_t)rows[n - 1].seq);
    arena_free(a);
}

enum err_code events_start(struct app *app, struct err *err) {
    struct event_stream *s = ARENA_NEW(app->arena, struct event_stream, 1);
    if (s == NULL) return err_fail(err, ERR_NOMEM, "events");
    s->app = app;
    struct sse_options o = {.sees = sees, .start_id = (uint64_t)ledger_last_seq(app->ledger)};
    TRY(sse_hub_new(app->server, &o, &app->hub, err));
    jobs_watch(app->jobs, job_told, app);
    struct follower f = {
        .name = "events", .seen = seen, .from_seq = ledger_last_seq(app->ledger), .ctx = s};
    return ledger_follow(app->ledger, &f, err);
}

void events_open(struct app *app, struct http_request *req, const struct principal *who) {
    uint64_t after = 0;
    bool resume = sse_resume_point(req, &after);
    struct principal *copy = mem_new(1, sizeof *copy);
    if (copy == NULL) {
        http_reply(req, NULL);
        return;
    }
    *copy = *who;
    sse_open(app->hub, req, copy, mem_free, resume, after);
}
