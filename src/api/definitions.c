/* What is in force by pack and by page: the list, a draft, putting an index in force, and trying
 * one out before. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/app.h"
#include "api/handlers.h"
#include "api/index_view.h"
#include "base/civil.h"
#include "base/file.h"
#include "base/yaml.h"

enum { MAX_NAME = 40 };

/* ---- the list */

/* From the pack's folder on: where the data folder lies is nobody's business. */
static const char *file_in_pack(const struct pack_document *doc) {
    const char *at = strstr(doc->file, doc->pack);
    return at == NULL ? doc->pack : at;
}

static enum err_code read_text(struct call *c, const char *path, const char **out,
                               struct err *err) {
    struct buf b;
    buf_init(&b, 1 << 20);
    enum err_code rc = file_read(path, &b, err);
    if (rc == ERR_OK) {
        *out = arena_dup(c->a, buf_text(&b), b.n);
        if (*out == NULL) rc = err_fail(err, ERR_NOMEM, "definitions");
    }
    buf_deinit(&b);
    return rc;
}

static enum err_code put_pack_documents(struct call *c, struct jw *w, const char *folder,
                                        struct err *err) {
    for (size_t i = 0; i < c->app->packs->n_documents; i++) {
        const struct pack_document *doc = &c->app->packs->documents[i];
        const struct val *name = val_get(doc->v, "index"), *version = val_get(doc->v, "version"),
                         *from = val_get(doc->v, "valid_from");
        const char *text = NULL;
        if (strcmp(doc->folder, folder) != 0) continue;
        TRY(read_text(c, doc->file, &text, err));
        jw_obj(w);
        jw_kstr(w, "name", name != NULL && name->type == VAL_STR ? name->u.s : NULL);
        jw_kstr(w, "source", "pack");
        jw_kstr(w, "file", file_in_pack(doc));
        jw_kint(w, "version", version != NULL && version->type == VAL_INT ? version->u.i : 0);
        jw_kstr(w, "state", definition_state_name(DEFINITION_IN_FORCE));
        jw_kstr(w, "valid_from", from != NULL && from->type == VAL_STR ? from->u.s : NULL);
        jw_kstr(w, "yaml", text);
        jw_end(w, '}');
    }
    return ERR_OK;
}

static void put_row(struct jw *w, const struct definition_row *x) {
    jw_obj(w);
    jw_kstr(w, "name", x->name);
    jw_kstr(w, "source", "page");
    jw_kint(w, "version", x->edition);
    jw_kstr(w, "state", definition_state_name(x->state));
    jw_kstr(w, "valid_from", x->valid_from[0] == '\0' ? NULL : x->valid_from);
    jw_kstr(w, "by", x->author);
    jw_ktime(w, "at", x->at_us);
    jw_kstr(w, "yaml", x->yaml);
    jw_end(w, '}');
}

static enum err_code put_rows(struct call *c, struct jw *w, const char *folder, struct err *err) {
    struct reader *r = NULL;
    struct definition_row *rows = NULL;
    size_t n = 0;
    TRY(ledger_read_begin(c->app->ledger, &r, err));
    enum err_code rc = definition_rows(reader_db(r), 1, folder, NULL, c->a, &rows, &n, err);
    ledger_read_end(r);
    TRY(rc);
    for (size_t i = 0; i < n; i++) put_row(w, &rows[i]);
    return ERR_OK;
}

enum err_code definition_list(struct call *c, struct err *err) {
    const char *folder = c->param[0];
    bool indices = strcmp(folder, "indices") == 0;
    const struct definitions *d = NULL;
    if (!indices && strcmp(folder, "warnings") != 0)
        return err_fail(err, ERR_NOT_FOUND, "there are indices and warnings, not \"%.40s\"",
                        folder);
    if (!principal_may(c->who, indices ? PERM_INDEX_READ : PERM_WARNING_READ))
        return err_fail(err, ERR_FORBIDDEN, "this account may not read them");
    TRY(call_definitions(c, &d, err));
    struct jw w = call_json(c);
    jw_obj(&w);
    jw_kstr(&w, "folder", folder);
    jw_key(&w, "problems");
    jw_arr(&w);
    for (size_t i = 0; i < d->n_problems; i++)
        if (strncmp(d->problem[i], folder, strlen(folder)) == 0) jw_str(&w, d->problem[i]);
    jw_end(&w, ']');
    jw_key(&w, "items");
    jw_arr(&w);
    TRY(put_pack_documents(c, &w, folder, err));
    TRY(put_rows(c, &w, folder, err));
    jw_end(&w, ']');
    jw_end(&w, '}');
    return buf_check(&c->reply.body, err);
}

/* ---- trying one out */

/* "indices/safety:12: text" or "...:12:3: text": the line, and the text behind it. */
static int line_of(const char *said, const char **text) {
    const char *at = strchr(said, ':');
    char *end = NULL;
    *text = said;
    if (at == NULL) return 0;
    long line = strtol(at + 1, &end, 10);
    if (end == at + 1 || *end != ':') return 0;
    const char *rest = end + 1;
    (void)strtol(rest, &end, 10);
    if (end != rest && *end == ':') rest = end + 1;
    while (*rest == ' ') rest++;
    *text = rest;
    return (int)line;
}

/* The text as it was read, for a page that edits it; null where it is no YAML. */
static void put_doc(struct call *c, struct jw *w, const char *yaml) {
    const struct val *v = NULL;
    jw_key(w, "doc");
    if (yaml_parse(c->a, "index", yaml, strlen(yaml), &v, NULL) == ERR_OK)
        jw_val(w, v);
    else
        jw_null(w);
}

static enum err_code put_fault(struct call *c, const char *yaml, const struct err *said,
                               struct err *err) {
    const char *text = NULL;
    int line = line_of(said->detail, &text);
    struct jw w = call_json(c);
    jw_obj(&w);
    jw_kbool(&w, "ok", false);
    jw_key(&w, "faults");
    jw_arr(&w);
    jw_obj(&w);
    jw_kint(&w, "line", line);
    jw_kstr(&w, "text", text);
    jw_end(&w, '}');
    jw_end(&w, ']');
    jw_key(&w, "preview");
    jw_null(&w);
    put_doc(c, &w, yaml);
    jw_end(&w, '}');
    return buf_check(&c->reply.body, err);
}

/* Without the figures that are below the floor on either side, so that a text made for it does not
 * tell them. */
static void put_side(struct jw *w, const char *key, const struct index_view *v, size_t j) {
    if (v == NULL) {
        jw_key(w, key);
        jw_null(w);
        return;
    }
    double value = v->value[(v->def->n_nodes - 1) * v->n + j];
    int band = index_band_of(v->def, value, -1);
    jw_key(w, key);
    jw_obj(w);
    jw_kdouble(w, "value", value);
    jw_kstr(w, "band", band < 0 ? NULL : v->def->band[band].name);
    jw_key(w, "rank");
    if (v->rank[j] == 0)
        jw_null(w);
    else
        jw_int(w, v->rank[j]);
    jw_end(w, '}');
}

static enum err_code put_preview(struct call *c, const struct index_look *look, const char *yaml,
                                 const struct index_view *tried, const struct index_view *stands,
                                 struct err *err) {
    char period[PERIOD_TEXT], hash[65];
    struct jw w = call_json(c);
    period_format(&look->q.period, period);
    index_hash_text(tried->def->hash, hash);
    jw_obj(&w);
    jw_kbool(&w, "ok", true);
    jw_key(&w, "faults");
    jw_arr(&w);
    jw_end(&w, ']');
    jw_key(&w, "preview");
    jw_obj(&w);
    jw_kstr(&w, "index", tried->def->name);
    jw_kint(&w, "version", tried->def->version);
    jw_kstr(&w, "formula_hash", hash);
    jw_kstr(&w, "period", period);
    jw_kstr(&w, "level", area_level_name(look->level));
    index_bands_json(&w, tried->def);
    jw_key(&w, "areas");
    jw_arr(&w);
    for (size_t k = 0; k < tried->n; k++) {
        size_t j = tried->order[k];
        jw_obj(&w);
        jw_kstr(&w, "area", tried->areas->area[j]->code);
        jw_kstr(&w, "name", tried->areas->area[j]->name);
        jw_kstr(&w, "name_en", tried->areas->area[j]->name_en);
        put_side(&w, "tried", tried, j);
        put_side(&w, "in_force", stands, j);
        jw_end(&w, '}');
    }
    jw_end(&w, ']');
    jw_end(&w, '}');
    put_doc(c, &w, yaml);
    jw_end(&w, '}');
    return buf_check(&c->reply.body, err);
}

/* The name that the text gives itself; the reader says what is wrong with the rest. */
static const char *named(struct arena *a, const char *yaml) {
    const struct val *v = NULL;
    if (strlen(yaml) > DEFINITION_MAX_YAML ||
        yaml_parse(a, "index", yaml, strlen(yaml), &v, NULL) != ERR_OK)
        return "index";
    const struct val *name = val_get(v, "index");
    return name != NULL && name->type == VAL_STR && strlen(name->u.s) <= MAX_NAME ? name->u.s
                                                                                  : "index";
}

static enum err_code try_out(struct call *c, struct index_look *look, const char *yaml,
                             const struct index_def *tried, const struct index_def *stands,
                             struct err *err) {
    struct index_view a, b;
    struct index_ask ask = {.def = tried, .drop_hidden = true},
                     other = {.def = stands, .drop_hidden = true};
    TRY(index_gather(&look->q, tried, look->a, &a, err));
    TRY(index_hide(&look->q, look->a, &a, err));
    if (stands != NULL) TRY(index_gather(&look->q, stands, look->a, &b, err));
    if (stands != NULL) TRY(index_hide(&look->q, look->a, &b, err));
    index_look_release(c, look);
    TRY(index_score(&a, &ask, look->a, err));
    if (stands != NULL) TRY(index_score(&b, &other, look->a, err));
    return put_preview(c, look, yaml, &a, stands == NULL ? NULL : &b, err);
}

enum err_code index_check(struct call *c, struct err *err) {
    const struct val *body = NULL;
    const char *yaml = NULL, *period = NULL, *level = NULL;
    const struct definitions *in_force = NULL;
    struct definitions tried;
    struct index_look look;
    struct err said = {0};
    TRY(call_body(c, &body, err));
    TRY(val_str(body, "yaml", true, DEFINITION_MAX_YAML, &yaml, err));
    TRY(val_str(body, "period", false, 20, &period, err));
    TRY(val_str(body, "level", false, 20, &level, err));
    enum err_code rc =
        definition_read(c->a, c->app->packs, "indices", named(c->a, yaml), yaml, &tried, &said);
    if (rc == ERR_INVALID) return put_fault(c, yaml, &said, err);
    if (rc != ERR_OK) return err_fail(err, rc, "%.300s", said.detail);
    const struct index_def *d = &tried.indices->index[0];
    TRY(call_definitions(c, &in_force, err));
    TRY(index_look_at(c, d, period, level, &look, err));
    rc = try_out(c, &look, yaml, d, index_find_at(in_force->indices, d->name, look.q.period.from),
                 err);
    index_look_end(c, &look);
    return rc;
}

/* ---- drafts and putting in force */

struct told_change {
    struct definition_change *change;
    definition_tell *tell;
};

static enum err_code change_and_tell(struct tx *tx, void *arg, struct err *err) {
    const struct told_change *x = arg;
    TRY(definition_change_apply(tx, x->change, err));
    struct reply *reply = tx_reply(tx);
    struct jw w;
    reply->status = 200;
    jw_init(&w, &reply->body);
    jw_obj(&w);
    x->tell(&w, x->change);
    jw_end(&w, '}');
    return buf_check(&reply->body, err);
}

enum err_code call_definition_change(struct call *c, const char *command,
                                     struct definition_change *x, definition_tell *tell,
                                     struct err *err) {
    struct told_change *told = ARENA_NEW(c->a, struct told_change, 1);
    if (told == NULL) return err_fail(err, ERR_NOMEM, "definition");
    *told = (struct told_change){x, tell};
    TRY(call_run(c, command, NULL, change_and_tell, told, err));
    if (x->state != DEFINITION_DRAFT) call_seen(c, "definitions");
    return ERR_OK;
}

enum err_code definition_name_check(const char *s, struct err *err) {
    size_t n = strlen(s);
    if (n > 0 && n <= MAX_NAME && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == n)
        return ERR_OK;
    return err_fail(err, ERR_INVALID, "a name has 1 to %d of a-z, 0-9 and _", MAX_NAME);
}

static void tell_index(struct jw *w, const struct definition_change *x) {
    jw_kstr(w, "folder", x->folder);
    jw_kstr(w, "name", x->name);
    jw_kint(w, "version", x->made);
    jw_kstr(w, "state", definition_state_name(x->state));
    jw_kstr(w, "valid_from", x->valid_from[0] == '\0' ? NULL : x->valid_from);
}

static enum err_code start_change(struct call *c, enum definition_state state,
                                  const struct val **body, struct definition_change **out,
                                  struct err *err) {
    struct definition_change *x = ARENA_NEW(c->a, struct definition_change, 1);
    if (x == NULL) return err_fail(err, ERR_NOMEM, "definition");
    *x = (struct definition_change){.folder = "indices",
                                    .name = c->param[0],
                                    .state = state,
                                    .valid_from = "",
                                    .author = c->who->name};
    *out = x;
    TRY(call_body(c, body, err));
    TRY(val_str(*body, "yaml", state == DEFINITION_DRAFT, DEFINITION_MAX_YAML, &x->yaml, err));
    return definition_name_check(x->name, err);
}

/* A draft may be wrong: it is kept as it was written. */
enum err_code index_draft(struct call *c, struct err *err) {
    const struct val *body = NULL;
    struct definition_change *x = NULL;
    TRY(start_change(c, DEFINITION_DRAFT, &body, &x, err));
    return call_definition_change(c, "index.draft", x, tell_index, err);
}

static enum err_code draft_of(struct call *c, struct definition_change *x, struct err *err) {
    struct reader *r = NULL;
    struct definition_row *rows = NULL;
    size_t n = 0;
    TRY(ledger_read_begin(c->app->ledger, &r, err));
    enum err_code rc = definition_rows(reader_db(r), 1, x->folder, x->name, c->a, &rows, &n, err);
    ledger_read_end(r);
    TRY(rc);
    if (n == 0 || rows[0].edition != 0 || rows[0].state != DEFINITION_DRAFT)
        return err_fail(err, ERR_NOT_FOUND, "there is no draft of \"%.60s\"", x->name);
    x->yaml = rows[0].yaml;
    return ERR_OK;
}

/* The text with `key: value` as its line of that key at the margin; at the end when it has none.
 * Version and date stand in the text itself, so that it says what it is wherever it is read. */
static enum err_code set_line(struct call *c, const char *key, const char *value, const char **yaml,
                              struct err *err) {
    size_t n = strlen(key);
    app_assert(*yaml != NULL);
    const char *at = *yaml, *text = *yaml;
    while (at != NULL && (strncmp(at, key, n) != 0 || at[n] != ':')) {
        at = strchr(at, '\n');
        if (at != NULL) at++;
    }
    const char *rest = at == NULL ? NULL : strchr(at, '\n');
    size_t head = at == NULL ? strlen(text) : (size_t)(at - text);
    bool closed = head == 0 || text[head - 1] == '\n';
    *yaml = arena_printf(c->a, "%.*s%s%s: %s%s", (int)head, text, closed ? "" : "\n", key, value,
                         rest == NULL ? "\n" : rest);
    return *yaml != NULL ? ERR_OK : err_fail(err, ERR_NOMEM, "definition");
}

static enum err_code stamp(struct call *c, const struct val *body, struct definition_change *x,
                           struct err *err) {
    int64_t day = 0;
    TRY(val_int(body, "version", true, 1, 100000, &x->edition, err));
    TRY(val_str(body, "valid_from", true, 10, &x->valid_from, err));
    if (!civil_date_parse(x->valid_from, &day)) {
        (void)err_fail(err, ERR_INVALID, "\"%.20s\" is no date", x->valid_from);
        return err_field(err, ERR_INVALID, "/valid_from");
    }
    const char *number = arena_printf(c->a, "%lld", (long long)x->edition);
    const char *date = arena_printf(c->a, "\"%s\"", x->valid_from);
    if (number == NULL || date == NULL) return err_fail(err, ERR_NOMEM, "definition");
    TRY(set_line(c, "version", number, &x->yaml, err));
    return set_line(c, "valid_from", date, &x->yaml, err);
}

/* Above every version there is, and not before the one it follows: an older period keeps its
 * formula. */
static enum err_code follows(struct call *c, struct definition_change *x, struct err *err) {
    const struct definitions *in_force = NULL;
    struct definitions read;
    struct err said = {0};
    TRY(call_definitions(c, &in_force, err));
    enum err_code rc =
        definition_read(c->a, c->app->packs, x->folder, x->name, x->yaml, &read, &said);
    if (rc != ERR_OK) return err_fail(err, rc, "%.300s", said.detail);
    const struct index_def *d = &read.indices->index[0];
    const struct index_def *last = index_find(in_force->indices, x->name);
    if (d->version != x->edition)
        return err_fail(err, ERR_INVALID, "the text gives version %lld", (long long)d->version);
    if (last == NULL) return ERR_OK;
    x->above = last->version;
    if (d->valid_day >= last->valid_day) return ERR_OK;
    (void)err_fail(err, ERR_INVALID, "version %lld is valid from %s: this one cannot begin earlier",
                   (long long)last->version, last->valid_from);
    return err_field(err, ERR_INVALID, "/valid_from");
}

enum err_code index_enforce(struct call *c, struct err *err) {
    const struct val *body = NULL;
    struct definition_change *x = NULL;
    TRY(start_change(c, DEFINITION_IN_FORCE, &body, &x, err));
    if (x->yaml == NULL) TRY(draft_of(c, x, err));
    TRY(stamp(c, body, x, err));
    TRY(follows(c, x, err));
    return call_definition_change(c, "index.enforce", x, tell_index, err);
}
