/* Photos: taken in, checked and stripped before anything else sees them; given out by right, by
 * ticket, or once released. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/case_view.h"
#include "api/handlers.h"
#include "api/media_token.h"
#include "base/file.h"
#include "base/hash.h"
#include "domain/media/photo.h"
#include "net/multipart.h"
#include "store/statements.h"
#include "store/tables.h"

enum { TOKEN_VALID_S = 3600, MAX_CLAIM = 9, TICKET_S = 3600 };

/* ---- tickets: a link to a photo that works for an hour, for who showed the follow word ---- */

static void ticket_mac(const struct app *app, const char *hash, int64_t until_s,
                       char out[HASH_HEX]) {
    char text[128];
    int n = snprintf(text, sizeof text, "photo ticket\n%.64s\n%lld", hash, (long long)until_s);
    uint8_t mac[HASH_SHA256];
    struct hash_piece pieces[] = {
        {app->engine->secret, 32}, {text, (size_t)n}, {app->engine->secret, 32}};
    hash_sha256(pieces, 3, mac);
    hash_hex(mac, sizeof mac, out);
}

char *media_ticket(const struct app *app, struct arena *a, const char *hash, int64_t now_us) {
    int64_t until = now_us / 1000000 + TICKET_S;
    char mac[HASH_HEX];
    ticket_mac(app, hash, until, mac);
    return arena_printf(a, "%lld.%.32s", (long long)until, mac);
}

static bool ticket_good(const struct app *app, const char *hash, const char *ticket,
                        int64_t now_us) {
    char *end = NULL;
    long long until = strtoll(ticket, &end, 10); /* a wrong one fails its code */
    if (end == ticket || *end != '.') return false;
    char mac[HASH_HEX];
    ticket_mac(app, hash, until, mac);
    return strlen(end + 1) == 32 && hash_equal(end + 1, mac, 32) && until > now_us / 1000000;
}

/* ---- taking in ---- */

struct new_media {
    const struct photo *photo;
    char token[2 * 16 + 1];
};

static enum err_code media_insert(struct tx *tx, void *arg, struct err *err) {
    struct new_media *m = arg;
    struct cell cells[] = {
        cell_text(m->token),       cell_text(m->photo->sha256), cell_text(m->photo->thumb_sha256),
        cell_int(m->photo->width), cell_int(m->photo->height),  cell_int(tx_now_us(tx))};
    TRY(db_exec(tx_db(tx), stmt_sql(STMT_MEDIA_ADD), cells, 6, NULL, err));
    struct reply *r = tx_reply(tx);
    r->status = 201;
    struct jw w;
    jw_init(&w, &r->body);
    jw_obj(&w);
    jw_kstr(&w, "media", m->token);
    jw_kint(&w, "width", m->photo->width);
    jw_kint(&w, "height", m->photo->height);
    char thumb[96];
    (void)snprintf(thumb, sizeof thumb, "/api/v1/media/%s?size=thumb", m->token);
    jw_kstr(&w, "thumb", thumb);
    jw_end(&w, '}');
    return buf_check(&r->body, err);
}

enum err_code media_post(struct call *c, struct err *err) {
    struct multipart parts;
    const char *type = http_header(c->req, "Content-Type");
    TRY(multipart_parse(c->a, type == NULL ? "" : type, c->req->body, c->req->body_n, &parts, err));
    const struct multipart_part *file = multipart_get(&parts, "file");
    if (file == NULL) {
        (void)err_fail(err, ERR_INVALID, "the form has no part \"file\"");
        return err_field(err, ERR_INVALID, "/file");
    }
    /* A picture is some megabytes: it gets an arena of its own, gone when this handler returns. */
    struct arena *a = arena_new(64u << 20);
    if (a == NULL) return err_fail(err, ERR_NOMEM, "photo");
    struct new_media m = {0};
    char hash[65];
    enum err_code rc = photo_take(a, c->app->helper_dir, file->data, file->n, &m.photo, err);
    if (rc == ERR_OK) rc = blob_put(c->app->ledger, m.photo->p, m.photo->n, hash, err);
    if (rc == ERR_OK) rc = blob_put(c->app->ledger, m.photo->thumb, m.photo->thumb_n, hash, err);
    uint8_t random[16];
    if (rc == ERR_OK) rc = hash_random(random, sizeof random, err);
    if (rc == ERR_OK) {
        hash_hex(random, sizeof random, m.token);
        rc = call_run(c, "media.take", NULL, media_insert, &m, err);
    }
    arena_free(a);
    return rc;
}

static enum err_code claim_one(struct tx *tx, const char *token, const char **hash,
                               struct err *err) {
    struct cell params[] = {cell_text(token),
                            cell_int(tx_now_us(tx) - (int64_t)TOKEN_VALID_S * 1000000)};
    struct cursor *c = NULL;
    TRY(db_query(tx_db(tx), stmt_sql(STMT_MEDIA_UNCLAIMED), params, 2, &c, err));
    bool has = false;
    enum err_code rc = cursor_next(c, &has, err);
    if (rc == ERR_OK && has) *hash = arena_strdup(tx_arena(tx), cursor_text(c, 0));
    cursor_close(c);
    if (rc != ERR_OK) return rc;
    if (!has) {
        (void)err_fail(
            err, ERR_INVALID,
            "a photo is unknown, was used already or is older than an hour; send it again");
        return err_field(err, ERR_INVALID, "/media");
    }
    return *hash == NULL ? err_fail(err, ERR_NOMEM, "photo") : ERR_OK;
}

enum err_code media_claim(struct tx *tx, const struct val *tokens, const char *const **hashes,
                          size_t *n, struct err *err) {
    *hashes = NULL;
    *n = 0;
    if (tokens == NULL || tokens->type == VAL_NULL) return ERR_OK;
    if (tokens->type != VAL_LIST || tokens->n > MAX_CLAIM) {
        (void)err_fail(err, ERR_INVALID, "expected a list of at most nine photos");
        return err_field(err, ERR_INVALID, "/media");
    }
    const char **list = ARENA_NEW(tx_arena(tx), const char *, tokens->n);
    if (list == NULL) return err_fail(err, ERR_NOMEM, "photos");
    for (size_t i = 0; i < tokens->n; i++) {
        const struct val *v = &tokens->u.list[i];
        if (v->type != VAL_STR) {
            (void)err_fail(err, ERR_INVALID, "expected the \"media\" value of an uploaded photo");
            return err_field(err, ERR_INVALID, "/media");
        }
        TRY(claim_one(tx, v->u.s, &list[i], err));
    }
    *hashes = list;
    *n = tokens->n;
    return ERR_OK;
}

enum err_code media_bind(struct tx *tx, const struct val *tokens, int64_t case_id,
                         struct err *err) {
    for (size_t i = 0; tokens != NULL && tokens->type == VAL_LIST && i < tokens->n; i++) {
        struct cell params[] = {cell_int(case_id), cell_text(tokens->u.list[i].u.s)};
        TRY(db_exec(tx_db(tx), stmt_sql(STMT_MEDIA_BIND), params, 2, NULL, err));
    }
    return ERR_OK;
}

/* ---- giving out ---- */

struct media_row {
    char hash[65], thumb[65];
    int64_t case_id; /* 0: not claimed yet */
};

static enum err_code find_media(struct call *c, struct db *db, const char *name,
                                struct media_row *out, struct err *err) {
    struct cell p = cell_text(name);
    struct cursor *cur = NULL;
    TRY(db_query(db, stmt_sql(strlen(name) == 64 ? STMT_MEDIA_BY_HASH : STMT_MEDIA_BY_TOKEN), &p, 1,
                 &cur, err));
    bool has = false;
    enum err_code rc = cursor_next(cur, &has, err);
    if (rc == ERR_OK && has) {
        (void)snprintf(out->hash, sizeof out->hash, "%s", cursor_text(cur, 0));
        (void)snprintf(out->thumb, sizeof out->thumb, "%s", cursor_text(cur, 1));
        out->case_id = cursor_int(cur, 2);
    }
    cursor_close(cur);
    if (rc == ERR_OK && !has) rc = err_fail(err, ERR_NOT_FOUND, "there is no such photo");
    (void)c;
    return rc;
}

/* Staff by their right to the case; anybody once it is released; who just sent it, by its token,
 * until it belongs to a case. */
static enum err_code may_see(struct call *c, struct db *db, const struct media_row *m,
                             bool by_token, struct err *err) {
    const struct engine *e = c->app->engine;
    const char *ticket = call_query(c, "ticket");
    if (ticket != NULL && ticket_good(c->app, m->hash, ticket, clock_now_us(&c->app->clock)))
        return ERR_OK;
    if (m->case_id == 0)
        return by_token ? ERR_OK : err_fail(err, ERR_NOT_FOUND, "there is no such photo");
    struct sql s;
    TRY(sql_begin(&s, c->a, err));
    sql_add(&s, "SELECT ");
    case_select(e, &s, "");
    sql_add(&s, " FROM ");
    sql_table(&s, &e->case_type->table);
    sql_add(&s, " WHERE ledger = 1 AND id = ");
    sql_value(&s, cell_int(m->case_id));
    struct cursor *cur = NULL;
    TRY(sql_query(&s, db, &cur, err));
    struct case_row *row = ARENA_NEW(c->a, struct case_row, 1);
    bool has = false;
    enum err_code rc =
        row == NULL ? err_fail(err, ERR_NOMEM, "photo") : cursor_next(cur, &has, err);
    if (rc == ERR_OK && has) case_row_read(e, cur, 0, c->a, row);
    cursor_close(cur);
    TRY(rc);
    bool is_public = has && case_int(e, row, CASE_private) == 0 &&
                     case_int(e, row, CASE_released) != 0 &&
                     strstr(case_text(e, row, CASE_photos), m->hash) != NULL;
    bool staff = has && principal_may(c->who, PERM_CASE_READ) && case_may(e, row, c->who);
    return is_public || staff ? ERR_OK : err_fail(err, ERR_NOT_FOUND, "there is no such photo");
}

enum err_code media_get(struct call *c, struct err *err) {
    struct media_row m = {0};
    struct reader *rd = NULL;
    TRY(ledger_read_begin(c->app->ledger, &rd, err));
    enum err_code rc = find_media(c, reader_db(rd), c->param[0], &m, err);
    if (rc == ERR_OK) rc = may_see(c, reader_db(rd), &m, strlen(c->param[0]) != 64, err);
    ledger_read_end(rd);
    TRY(rc);
    const char *size = call_query(c, "size");
    char path[4096];
    TRY(blob_path(c->app->ledger, size != NULL && strcmp(size, "thumb") == 0 ? m.thumb : m.hash,
                  path, sizeof path, err));
    c->reply.content_type = "image/jpeg";
    c->reply.cache = "private, max-age=3600";
    return file_read(path, &c->reply.body, err);
}
