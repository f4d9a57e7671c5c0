#include "domain/briefing/pdf.h"

#include "base/json.h"
#include "helper/run.h"

enum { WALL_MS = 20000, MAX_INPUT = 2 << 20 };
static const uint64_t memory = (uint64_t)2 << 30; /* fonts are mapped: 100 MB of CJK and more */

static enum err_code collect(void *arg, const char *p, size_t n, struct err *err) {
    struct buf *b = arg;
    buf_add(b, p, n);
    return buf_check(b, err);
}

static void put_input(struct jw *w, const char *document, size_t n,
                      const struct briefing_seal *seal, const struct tz *tz, const char *lang) {
    char at[40];
    jw_obj(w);
    jw_kstr(w, "lang", lang);
    jw_kstr(w, "state", seal->state);
    jw_kstr(w, "signed_by", seal->signed_by[0] == '\0' ? NULL : seal->signed_by);
    rfc3339_format_tz(seal->signed_at_us, tz, at);
    jw_kstr(w, "signed_at", seal->signed_at_us == 0 ? NULL : at);
    rfc3339_format_tz(seal->formed_at_us, tz, at);
    jw_kstr(w, "formed_at", at);
    jw_kstr(w, "note", seal->note[0] == '\0' ? NULL : seal->note);
    jw_kstr(w, "hash", seal->hash);
    jw_key(w, "document");
    jw_raw(w, document, n);
    jw_end(w, '}');
}

static enum err_code draw(const char *path, const struct buf *in, struct buf *out,
                          struct err *err) {
    const char *const argv[] = {"gezhi-print", NULL};
    struct helper_cmd cmd = {.path = path,
                             .argv = argv,
                             .in = in->p,
                             .in_n = in->n,
                             .limits = {WALL_MS, memory, BRIEFING_PDF_MAX},
                             .on_output = collect,
                             .arg = out};
    return helper_run(&cmd, NULL, err);
}

enum err_code briefing_pdf(struct arena *a, const char *helper_dir, const char *document, size_t n,
                           const struct briefing_seal *seal, const struct tz *tz, const char *lang,
                           struct buf *out, struct err *err) {
    char *path = arena_alloc(a, 4096, 1);
    struct buf in;
    struct jw w;
    if (path == NULL) return err_fail(err, ERR_NOMEM, "briefing");
    TRY(helper_find(helper_dir, "gezhi-print", path, 4096, err));
    buf_init(&in, MAX_INPUT);
    jw_init(&w, &in);
    put_input(&w, document, n, seal, tz, lang);
    enum err_code rc = buf_check(&in, err);
    struct err why = {0};
    if (rc == ERR_OK) {
        rc = draw(path, &in, out, &why);
        if (rc == ERR_UNSUPPORTED) rc = ERR_NOT_ACCEPTABLE; /* there is no PDF without a font */
        if (rc != ERR_OK) rc = err_fail(err, rc, "%s", why.detail);
    }
    buf_deinit(&in);
    return rc;
}
