#include "domain/measure/document.h"

enum { MAX_TEXT = 1000 };

enum err_code document_fault(const struct pack_document *doc, const struct val *v, const char *what,
                             const char *found, struct err *err) {
    return err_fail(err, ERR_INVALID, "%s:%d: %s%s%.60s%s", doc->file, v->line, what,
                    found == NULL ? "" : ": \"", found == NULL ? "" : found,
                    found == NULL ? "" : "\"");
}

enum err_code document_said(const struct pack_document *doc, const struct val *v, enum err_code rc,
                            const struct err *why, struct err *err) {
    if (rc == ERR_OK) return ERR_OK;
    /* The line of what is wrong, where the reader names it. */
    const struct val *at = why->field[0] == '/' ? val_get(v, why->field + 1) : NULL;
    return err_fail(err, rc, "%s:%d: %.300s", doc->file, at == NULL ? v->line : at->line,
                    why->detail);
}

enum err_code document_text(const struct pack_document *doc, const struct val *v, const char *key,
                            bool required, const char **out, struct err *err) {
    struct err why = {0};
    return document_said(doc, v, val_str(v, key, required, MAX_TEXT, out, &why), &why, err);
}

enum err_code document_known(const struct pack_document *doc, const struct val *v, const char *what,
                             const char *const *keys, struct err *err) {
    struct err why = {0};
    if (v->type != VAL_MAP) return document_fault(doc, v, "expected a map of", what, err);
    return document_said(doc, v, val_only(v, keys, &why), &why, err);
}

enum err_code document_title(const struct pack_document *doc, const struct val *v, const char *key,
                             struct text *out, struct err *err) {
    const struct val *t = val_get(v, key);
    if (t == NULL || t->type != VAL_MAP)
        return document_fault(doc, v, "a title {en: ..., zh: ...} is missing", key, err);
    TRY(document_text(doc, t, "en", true, &out->en, err));
    return document_text(doc, t, "zh", true, &out->zh, err);
}
