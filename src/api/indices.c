/* Indices: their definitions, values with their parts, what-if, freezing, signing off, and what the
 * public sees. */
#include <string.h>

#include "api/app.h"
#include "api/handlers.h"
#include "api/index_table.h"
#include "api/index_view.h"
#include "domain/measure/index_freeze.h"
#include "store/statements.h"

enum { DRAWS = 1000, SEED = 1, MAX_SIGNED = 400 };

/* ---- definitions */

/* How the children are weighed, and how values become scores, where not by given weights on a
 * straight line. */
static void put_ways(struct jw *w, const struct index_node *n) {
    static const char *const curves[] = {"linear", "log", "box_cox"};
    if (n->indicator == NULL) jw_kstr(w, "weights_by", index_weigh_name(n->weigh));
    if (n->weigh == INDEX_WEIGH_AHP) jw_kdouble(w, "consistency_ratio", n->consistency);
    if (n->indicator == NULL || (n->treat.curve == INDEX_CURVE_LINEAR && n->treat.winsorise == 0))
        return;
    jw_key(w, "treat");
    jw_obj(w);
    jw_kstr(w, "curve", curves[n->treat.curve]);
    jw_kdouble(w, "shift", n->treat.shift);
    jw_kdouble(w, "lambda", n->treat.lambda);
    jw_kint(w, "winsorise", n->treat.winsorise);
    jw_end(w, '}');
}

static void put_nodes(struct jw *w, const struct index_def *d) {
    jw_key(w, "nodes");
    jw_arr(w);
    for (size_t i = 0; i + 1 < d->n_nodes; i++) {
        const struct index_node *n = &d->node[i];
        jw_obj(w);
        jw_kstr(w, "node", n->name);
        index_text_json(w, "title", &n->title);
        jw_kstr(w, "group", n->parent < 0 ? NULL : d->node[n->parent].name);
        jw_kdouble(w, "weight", n->weight);
        jw_kbool(w, "indicator", n->indicator != NULL);
        jw_kdouble(w, "low", n->low);
        jw_kdouble(w, "high", n->high);
        put_ways(w, n);
        jw_end(w, '}');
    }
    jw_end(w, ']');
}

static void put_words(struct jw *w, const char *key, unsigned bits, bool levels) {
    jw_key(w, key);
    jw_arr(w);
    for (unsigned i = 0; i < 8; i++) {
        if ((bits & (1u << i)) == 0) continue;
        jw_str(w, levels ? area_level_name((int)i) : period_kind_name((enum period_kind)i));
    }
    jw_end(w, ']');
}

static void put_index(struct jw *w, const struct index_def *d) {
    char hash[65];
    index_hash_text(d->hash, hash);
    jw_kstr(w, "index", d->name);
    index_text_json(w, "title", &d->title);
    index_text_json(w, "stands_for", &d->stands_for);
    jw_kint(w, "version", d->version);
    jw_kstr(w, "valid_from", d->valid_from);
    jw_kstr(w, "formula_hash", hash);
    put_words(w, "levels", d->levels, true);
    put_words(w, "periods", d->periods, false);
    index_bands_json(w, d);
    put_nodes(w, d);
}

/* The periods and levels that are signed off, newest first. */
static enum err_code put_signed(struct jw *w, struct db *db, const char *index, struct err *err) {
    struct cell p[3] = {cell_int(1), cell_text(index), cell_int(MAX_SIGNED)};
    struct cursor *cur = NULL;
    TRY(db_query(db, stmt_sql(STMT_INDEX_SIGNED), p, 3, &cur, err));
    enum err_code rc = ERR_OK;
    jw_key(w, "published");
    jw_arr(w);
    for (bool has = true; rc == ERR_OK && has;) {
        rc = cursor_next(cur, &has, err);
        if (rc != ERR_OK || !has) break;
        jw_obj(w);
        jw_kstr(w, "period", cursor_text(cur, 0));
        jw_kstr(w, "level", area_level_name((int)cursor_int(cur, 1)));
        jw_end(w, '}');
    }
    jw_end(w, ']');
    cursor_close(cur);
    return rc;
}

/* db: also what is signed off; NULL: the definitions alone. */
static enum err_code list_indices(struct call *c, struct db *db, struct err *err) {
    struct jw w = call_json(c);
    const struct definitions *all = NULL;
    TRY(call_definitions(c, &all, err));
    jw_obj(&w);
    jw_key(&w, "items");
    jw_arr(&w);
    for (size_t i = 0; i < all->indices->n; i++) {
        const struct index_def *d =
            index_find_at(all->indices, all->indices->index[i].name, call_today(c));
        jw_obj(&w);
        put_index(&w, d);
        if (db != NULL) TRY(put_signed(&w, db, d->name, err));
        jw_end(&w, '}');
    }
    jw_end(&w, ']');
    jw_end(&w, '}');
    return buf_check(&c->reply.body, err);
}

enum err_code index_list(struct call *c, struct err *err) { return list_indices(c, NULL, err); }

enum err_code public_index_list(struct call *c, struct err *err) {
    struct reader *r = NULL;
    TRY(ledger_read_begin(c->app->ledger, &r, err));
    enum err_code rc = list_indices(c, reader_db(r), err);
    ledger_read_end(r);
    return rc;
}

/* ---- values, formed now */

/* What stands for the period beside what is formed now; what is only tried out has no standing. */
static enum err_code standing(const struct index_look *look, const struct index_view *v,
                              bool tried_out, struct index_told *told, struct err *err) {
    struct frozen_run run;
    char period[PERIOD_TEXT];
    bool found = false;
    *told =
        (struct index_told){look->seq, look->q.today, tried_out ? "what_if" : "provisional", NULL};
    if (tried_out) return ERR_OK;
    period_format(&look->q.period, period);
    TRY(frozen_run_get(look->q.db, 1, v->def->name, look->level, period, look->a, &run, &found,
                       err));
    if (!found) return ERR_OK;
    told->state = run.published_at_us != 0 ? "published" : "frozen";
    told->frozen_hash = run.hash;
    return ERR_OK;
}

static enum err_code form_values(struct call *c, struct index_look *look,
                                 const struct index_ask *ask, bool tried_out, struct err *err) {
    struct index_view v;
    struct index_told told;
    TRY(index_gather(&look->q, ask->def, look->a, &v, err));
    TRY(index_hide(&look->q, look->a, &v, err));
    TRY(standing(look, &v, tried_out, &told, err));
    index_look_release(c, look);
    TRY(index_score(&v, ask, look->a, err));
    struct jw w = call_json(c);
    index_view_json(&w, &v, &told);
    return buf_check(&c->reply.body, err);
}

enum err_code index_values(struct call *c, struct err *err) {
    struct index_ask ask = {.seed = SEED};
    struct index_look look;
    enum accept_format format = ACCEPT_JSON;
    int64_t draws = DRAWS;
    TRY(table_wanted(c, &format, err));
    TRY(index_of_call(c, call_query(c, "period"), &ask.def, err));
    TRY(call_query_int(c, "draws", 0, 10000, &draws, err));
    ask.n_draws = (size_t)draws;
    TRY(index_look_at(c, ask.def, call_query(c, "period"), call_query(c, "level"), &look, err));
    enum err_code rc = form_values(c, &look, &ask, false, err);
    index_look_end(c, &look);
    return rc == ERR_OK ? index_table_reply(c, ask.def, format, err) : rc;
}

/* ---- what if */

static int node_named(const struct index_def *d, const char *name) {
    for (size_t i = 0; i + 1 < d->n_nodes; i++)
        if (strcmp(d->node[i].name, name) == 0) return (int)i;
    return -1;
}

static enum err_code change_weights(const struct val *weights, const struct index_def *d,
                                    double *weight, struct err *err) {
    for (size_t i = 0; weights != NULL && weights->type == VAL_MAP && i < weights->n; i++) {
        const struct val_pair *p = &weights->u.map[i];
        int at = node_named(d, p->key);
        double v = p->v.type == VAL_INT      ? (double)p->v.u.i
                   : p->v.type == VAL_DOUBLE ? p->v.u.d
                                             : -1;
        if (at < 0 || !(v >= 0) || v > 1e6) {
            (void)err_fail(err, ERR_INVALID, "\"%.60s\": expected a node and a weight of 0 or more",
                           p->key);
            return err_field(err, ERR_INVALID, "/weights");
        }
        weight[at] = v;
    }
    return ERR_OK;
}

static enum err_code change_mean(const struct val *body, struct index_def *d, struct err *err) {
    static const struct {
        const char *word;
        enum composite_agg_kind kind;
    } means[] = {{"arithmetic", COMPOSITE_ARITHMETIC},
                 {"geometric", COMPOSITE_GEOMETRIC},
                 {"harmonic", COMPOSITE_HARMONIC}};
    const char *mean = NULL;
    TRY(val_str(body, "mean", false, 40, &mean, err));
    if (mean == NULL) return ERR_OK;
    for (size_t i = 0; i < sizeof means / sizeof means[0]; i++) {
        if (strcmp(means[i].word, mean) != 0) continue;
        for (size_t k = 0; k < COMPOSITE_MAX_LEVELS; k++)
            d->spec.aggregate.level[k].kind = means[i].kind;
        return ERR_OK;
    }
    (void)err_fail(err, ERR_INVALID, "\"%.40s\": expected arithmetic, geometric or harmonic", mean);
    return err_field(err, ERR_INVALID, "/mean");
}

/* A copy of the definition with other weights; a node of weight 0 is dropped. */
static enum err_code changed_index(struct call *c, const struct index_def *d,
                                   const struct val *body, const struct index_def **out,
                                   struct err *err) {
    struct index_def *copy = ARENA_NEW(c->a, struct index_def, 1);
    double *weight = ARENA_NEW(c->a, double, d->n_nodes);
    if (copy == NULL || weight == NULL) return err_fail(err, ERR_NOMEM, "what-if");
    *copy = *d;
    memcpy(weight, d->tree.weight, d->n_nodes * sizeof *weight);
    TRY(change_weights(val_get(body, "weights"), d, weight, err));
    TRY(change_mean(body, copy, err));
    copy->tree.weight = weight;
    TRY(composite_tree_init(&copy->tree, c->a, err));
    *out = copy;
    return ERR_OK;
}

enum err_code index_what_if(struct call *c, struct err *err) {
    const struct index_def *base = NULL;
    const struct val *body = NULL;
    const char *period = NULL, *level = NULL;
    struct index_ask ask = {.seed = SEED};
    struct index_look look;
    TRY(call_body(c, &body, err));
    TRY(val_str(body, "period", false, 20, &period, err));
    TRY(index_of_call(c, period, &base, err));
    TRY(val_str(body, "level", false, 20, &level, err));
    TRY(changed_index(c, base, body, &ask.def, err));
    ask.drop_hidden = true;
    TRY(index_look_at(c, base, period, level, &look, err));
    enum err_code rc = form_values(c, &look, &ask, true, err);
    index_look_end(c, &look);
    return rc;
}

/* ---- freezing and signing off */

static enum err_code freeze_and_tell(struct tx *tx, void *arg, struct err *err) {
    struct freeze *f = arg;
    static const char *const words[] = {"new", "unchanged", "restated"};
    TRY(freeze_apply(tx, f, err));
    struct reply *reply = tx_reply(tx);
    struct jw w;
    unsigned char of_view[32];
    char hash[65];
    index_view_hash(f->view, of_view);
    index_hash_text(of_view, hash);
    reply->status = 200;
    jw_init(&w, &reply->body);
    jw_obj(&w);
    jw_kstr(&w, "outcome", words[f->outcome - 1]);
    jw_kint(&w, "areas_changed", f->n_changed);
    jw_kint(&w, "data_seq", f->data_seq);
    jw_kstr(&w, "hash", hash);
    jw_end(&w, '}');
    return buf_check(&reply->body, err);
}

/* The view borrows areas from the look's grid, which is held until the command is done; the cube is
 * not. */
static enum err_code freeze_look(struct call *c, struct index_look *look,
                                 const struct index_ask *ask, const char *note, struct err *err) {
    struct index_view view;
    struct freeze freeze = {
        .view = &view, .data_seq = look->seq, .today = look->q.today, .seed = SEED, .note = note};
    if (look->q.period.to > look->q.today)
        return err_fail(err, ERR_CONFLICT, "the period is not over yet: its figures still grow");
    if (!look->exact) return err_fail(err, ERR_BUSY, "figures come in without a pause; try again");
    TRY(index_gather(&look->q, ask->def, look->a, &view, err));
    index_look_release(c, look);
    TRY(index_score(&view, ask, look->a, err));
    return call_run(c, "index.freeze", NULL, freeze_and_tell, &freeze, err);
}

enum err_code index_freeze(struct call *c, struct err *err) {
    const struct val *body = NULL;
    const char *period = NULL, *level = NULL, *note = NULL;
    struct index_ask ask = {.n_draws = DRAWS, .seed = SEED};
    struct index_look look;
    TRY(call_body(c, &body, err));
    TRY(val_str(body, "period", true, 20, &period, err));
    TRY(index_of_call(c, period, &ask.def, err));
    TRY(val_str(body, "level", true, 20, &level, err));
    TRY(val_str(body, "note", false, 500, &note, err));
    TRY(index_look_at(c, ask.def, period, level, &look, err));
    enum err_code rc = freeze_look(c, &look, &ask, note, err);
    index_look_end(c, &look);
    return rc;
}

static enum err_code publish_and_tell(struct tx *tx, void *arg, struct err *err) {
    TRY(publish_apply(tx, arg, err));
    tx_reply(tx)->status = 200;
    buf_str(&tx_reply(tx)->body, "{\"published\":true}");
    return buf_check(&tx_reply(tx)->body, err);
}

enum err_code index_publish(struct call *c, struct err *err) {
    const struct val *body = NULL;
    const struct index_def *d = NULL;
    const char *period = NULL, *level = NULL, *hash = NULL;
    struct publish *p = ARENA_NEW(c->a, struct publish, 1);
    if (p == NULL) return err_fail(err, ERR_NOMEM, "publish");
    TRY(call_body(c, &body, err));
    TRY(val_str(body, "period", true, 20, &period, err));
    TRY(index_of_call(c, period, &d, err));
    TRY(val_str(body, "level", true, 20, &level, err));
    TRY(val_str(body, "hash", true, 64, &hash, err));
    *p = (struct publish){d->name, period, c->who->name, area_level_parse(level), hash};
    if (p->level < 0) {
        (void)err_fail(err, ERR_INVALID, "\"%.20s\": expected a level", level);
        return err_field(err, ERR_INVALID, "/level");
    }
    return call_run(c, "index.publish", NULL, publish_and_tell, p, err);
}
