/* Rules of warnings: what is in force with its text and how good it was, and changes by page. */
#include <string.h>

#include "api/app.h"
#include "api/handlers.h"
#include "api/index_view.h"
#include "base/file.h"
#include "base/yaml.h"
#include "domain/warning/quality.h"

enum { YEAR = 365 };

/* ---- the text of a rule */

static size_t indent_of(const char *line) {
    size_t n = strspn(line, " ");
    return line[n] == '\n' || line[n] == '\0' || line[n] == '#' ? SIZE_MAX : n;
}

static const char *next_line(const char *at) {
    const char *end = strchr(at, '\n');
    return end == NULL ? at + strlen(at) : end + 1;
}

/* The item of a list that begins in that line (from 1), up to the next one of its depth, as a
 * document of its own. */
static const char *cut_rule(struct arena *a, const char *text, int line) {
    const char *from = text;
    for (int i = 1; i < line && *from != '\0'; i++) from = next_line(from);
    size_t depth = indent_of(from), lines = 0;
    const char *to = from;
    do {
        to = next_line(to);
        lines++;
    } while (*to != '\0' && (indent_of(to) == SIZE_MAX || indent_of(to) > depth));
    return arena_printf(a, "rules:\n%.*s", (int)(to - from), from);
}

/* What the packs say of a rule; NULL when they have none of the name, or its file is gone. */
static const char *pack_text(struct call *c, const struct warn_rule *r) {
    struct buf b;
    if (r == NULL) return NULL;
    buf_init(&b, 1 << 20);
    const char *out = NULL;
    if (file_read(r->file, &b, NULL) == ERR_OK) out = cut_rule(c->a, buf_text(&b), r->line);
    buf_deinit(&b);
    return out;
}

static const char *file_in_pack(const struct warn_rule *r) {
    const char *at = strstr(r->file, r->pack);
    return at == NULL ? r->pack : at;
}

/* ---- the list */

/* What is told from: the snapshot, the packs alone, rows by page, quality. */
struct listing {
    struct call *c;
    const struct definitions *d;
    const struct warn_set *packs;
    struct definition_row *row;
    size_t n_rows;
    const struct warn_quality *quality;
    size_t n_quality;
};

/* The newest edition of a name that counts; NULL: none by page. */
static const struct definition_row *page_row(const struct listing *l, const char *name) {
    const struct definition_row *out = NULL;
    for (size_t i = 0; i < l->n_rows; i++) {
        const struct definition_row *x = &l->row[i];
        bool counts = x->state == DEFINITION_IN_FORCE || x->state == DEFINITION_OFF;
        if (counts && strcmp(x->name, name) == 0 && (out == NULL || x->edition > out->edition))
            out = x;
    }
    return out;
}

static void put_rule(struct listing *l, struct jw *w, const struct warn_rule *r,
                     const struct definition_row *page, bool off) {
    const struct warn_rule *pack = warn_find(l->packs, r->name);
    const char *shipped = pack_text(l->c, pack);
    bool by_page = page != NULL && page->state == DEFINITION_IN_FORCE;
    jw_obj(w);
    jw_kstr(w, "name", r->name);
    jw_key(w, "title");
    jw_obj(w);
    jw_kstr(w, "en", r->title.en);
    jw_kstr(w, "zh", r->title.zh);
    jw_end(w, '}');
    jw_kstr(w, "color", warn_color_name(r->color));
    jw_kstr(w, "method", warn_method_name(r->method));
    jw_kstr(w, "level", warn_level_name(r->level));
    jw_kbool(w, "off", off);
    jw_kstr(w, "source", page != NULL ? "page" : "pack");
    jw_kstr(w, "file", pack == NULL ? NULL : file_in_pack(pack));
    jw_kint(w, "version", page == NULL ? 0 : page->edition);
    jw_kstr(w, "by", page == NULL ? NULL : page->author);
    if (page == NULL)
        jw_kstr(w, "at", NULL);
    else
        jw_ktime(w, "at", page->at_us);
    jw_kstr(w, "yaml", by_page ? page->yaml : shipped);
    jw_kstr(w, "pack_yaml", shipped);
    jw_key(w, "quality");
    warn_quality_json(w, warn_quality_find(l->quality, l->n_quality, r->name));
    jw_end(w, '}');
}

/* A rule that is off is told by what the packs say, else by its last text. */
static enum err_code put_off(struct listing *l, struct jw *w, const struct definition_row *off,
                             struct err *err) {
    const struct warn_rule *r = warn_find(l->packs, off->name);
    for (size_t i = l->n_rows; r == NULL && i > 0; i--) {
        const struct definition_row *x = &l->row[i - 1];
        struct definitions alone;
        if (strcmp(x->name, off->name) != 0 || x->yaml == NULL || x->yaml[0] == '\0') continue;
        enum err_code rc =
            definition_read(l->c->a, l->c->app->packs, "warnings", x->name, x->yaml, &alone, NULL);
        if (rc == ERR_NOMEM) return err_fail(err, rc, "rules");
        if (rc == ERR_OK) r = warn_find(alone.warnings, x->name);
    }
    if (r != NULL) put_rule(l, w, r, off, true); /* an event that is off is no rule */
    return ERR_OK;
}

static enum err_code gather(struct listing *l, struct err *err) {
    struct call *c = l->c;
    struct reader *r = NULL;
    TRY(call_definitions(c, &l->d, err));
    TRY(warn_load(c->a, c->app->packs, &l->packs, err));
    TRY(ledger_read_begin(c->app->ledger, &r, err));
    enum err_code rc =
        definition_rows(reader_db(r), 1, "warnings", NULL, c->a, &l->row, &l->n_rows, err);
    if (rc == ERR_OK)
        rc = warn_quality_form(reader_db(r), c->app->engine, call_today(c) - YEAR, c->a,
                               &l->quality, &l->n_quality, err);
    ledger_read_end(r);
    return rc;
}

enum err_code warning_rules_get(struct call *c, struct err *err) {
    struct listing l = {.c = c};
    TRY(gather(&l, err));
    struct jw w = call_json(c);
    jw_obj(&w);
    jw_key(&w, "rules");
    jw_arr(&w);
    for (size_t i = 0; i < l.d->warnings->n_rules; i++) {
        const struct warn_rule *r = &l.d->warnings->rule[i];
        put_rule(&l, &w, r, page_row(&l, r->name), false);
    }
    for (size_t i = 0; i < l.n_rows; i++)
        if (l.row[i].state == DEFINITION_OFF && page_row(&l, l.row[i].name) == &l.row[i])
            TRY(put_off(&l, &w, &l.row[i], err));
    jw_end(&w, ']');
    jw_end(&w, '}');
    return buf_check(&c->reply.body, err);
}

/* ---- changes */

static void tell_rule(struct jw *w, const struct definition_change *x) {
    jw_kstr(w, "name", x->name);
    jw_kint(w, "version", x->made);
    jw_kbool(w, "off", x->state == DEFINITION_OFF);
}

static enum err_code change(struct call *c, enum definition_state state, const char *yaml,
                            struct err *err) {
    struct definition_change *x = ARENA_NEW(c->a, struct definition_change, 1);
    if (x == NULL) return err_fail(err, ERR_NOMEM, "rule");
    *x = (struct definition_change){.folder = "warnings",
                                    .name = c->param[0],
                                    .state = state,
                                    .yaml = yaml,
                                    .valid_from = "",
                                    .author = c->who->name};
    return call_definition_change(c, "warning.rule", x, tell_rule, err);
}

/* By the reader of packs: what is wrong names the line. */
enum err_code warning_rule_put(struct call *c, struct err *err) {
    const struct val *body = NULL;
    const struct definitions *d = NULL;
    const char *yaml = NULL;
    struct definitions read;
    TRY(definition_name_check(c->param[0], err));
    TRY(call_body(c, &body, err));
    TRY(val_str(body, "yaml", true, DEFINITION_MAX_YAML, &yaml, err));
    TRY(call_definitions(c, &d, err));
    enum err_code rc =
        definition_read(c->a, c->app->packs, "warnings", c->param[0], yaml, &read, err);
    if (rc == ERR_OK && read.warnings->n_rules != 1)
        rc = err_fail(err, ERR_INVALID, "warnings/%s:1: this is an event, not a rule", c->param[0]);
    if (rc == ERR_OK) rc = warn_check_indices(read.warnings, d->indices, err);
    if (rc != ERR_OK) return rc == ERR_INVALID ? err_field(err, rc, "/yaml") : rc;
    return change(c, DEFINITION_IN_FORCE, yaml, err);
}

enum err_code warning_rule_delete(struct call *c, struct err *err) {
    const struct definitions *d = NULL;
    TRY(call_definitions(c, &d, err));
    if (warn_find(d->warnings, c->param[0]) == NULL)
        return err_fail(err, ERR_NOT_FOUND, "no rule \"%.40s\" is in force", c->param[0]);
    return change(c, DEFINITION_OFF, NULL, err);
}
