#include <string.h>

#include "domain/pack/load.h"

static const char *const permissions[] = {
#define X(name, text, en, zh) text,
#include "../../../decl/permissions.def"
#undef X
    NULL};

/* Rights of the three administrators: no role holds two of these kinds, nor one of them beside
 * rights on cases. */
static const struct {
    const char *grant, *kind;
} administration[] = {
    {"account.manage", "system administration"},  {"setting.manage", "system administration"},
    {"pack.manage", "system administration"},     {"session.manage", "security administration"},
    {"rights.review", "security administration"}, {"audit.read", "audit administration"},
};

static void check_apart(struct load *l, const char *file, int line, const struct role_def *r) {
    const char *kind = NULL;
    bool cases = r->cases != SCOPE_NONE;
    for (size_t i = 0; i < r->n_grants; i++) {
        if (strncmp(r->grants[i], "case.", 5) == 0) cases = true;
        for (size_t k = 0; k < sizeof administration / sizeof *administration; k++) {
            if (strcmp(administration[k].grant, r->grants[i]) != 0) continue;
            if (kind != NULL && strcmp(kind, administration[k].kind) != 0)
                load_problem(l, ERR_INVALID, file, line,
                             "role \"%s\" holds %s and %s: the three administrators are apart",
                             r->name, kind, administration[k].kind);
            kind = administration[k].kind;
        }
    }
    if (kind != NULL && cases)
        load_problem(l, ERR_INVALID, file, line,
                     "role \"%s\" holds %s and rights on cases: these are kept apart", r->name,
                     kind);
}

static enum err_code read_role(struct load *l, const char *file, const struct val *v) {
    static const char *const known[] = {"role",     "title",     "cases",  "private_cases",
                                        "personal", "sensitive", "grants", NULL};
    static const char *const scopes[] = {"none", "own_cells", "unit", "area", "all", NULL};
    static const char *const pseudo[] = {"reporter", "party", "system", "public", NULL};
    if (!rd_known(l, file, v, "a role", known)) return ERR_OK;
    if (l->set.n_roles == LOAD_MAX_ROLES) {
        load_problem(l, ERR_LIMIT, file, v->line, "more than %d roles", LOAD_MAX_ROLES);
        return ERR_OK;
    }
    struct role_def *r = &l->roles[l->set.n_roles];
    *r = (struct role_def){0};
    r->name = rd_name(l, file, v, "role", true);
    r->title = rd_title(l, file, v, "title", true);
    int scope = rd_enum(l, file, v, "cases", scopes, true, 0);
    r->cases = (enum role_scope)(scope < 0 ? 0 : scope);
    r->private_cases = rd_bool(l, file, v, "private_cases", false);
    r->personal = rd_bool(l, file, v, "personal", false);
    r->sensitive = rd_bool(l, file, v, "sensitive", false);
    r->n_grants = rd_texts(l, file, v, "grants", false, &r->grants);
    for (size_t i = 0; i < r->n_grants; i++) {
        size_t k = 0;
        while (permissions[k] != NULL && strcmp(permissions[k], r->grants[i]) != 0) k++;
        if (permissions[k] == NULL)
            load_unknown(l, file, v->line, "grant", r->grants[i], permissions);
    }
    for (size_t i = 0; pseudo[i] != NULL; i++)
        if (strcmp(pseudo[i], r->name) == 0)
            load_problem(l, ERR_INVALID, file, v->line,
                         "\"%s\" is known to every process and cannot be declared as a role",
                         r->name);
    if (r->name[0] != '\0' && pack_role(&l->set, r->name) != NULL)
        load_problem(l, ERR_INVALID, file, v->line, "role \"%s\" is declared twice", r->name);
    (void)load_not_refused(l, file, v->line, "role", r->name, &r->title);
    check_apart(l, file, v->line, r);
    l->set.n_roles++;
    return ERR_OK;
}

enum err_code load_roles_file(struct load *l, const char *file, const struct val *v) {
    static const char *const known[] = {"roles", NULL};
    if (!rd_known(l, file, v, "the roles", known)) return ERR_OK;
    const struct val *list = rd_list(l, file, v, "roles", true);
    for (size_t i = 0; list != NULL && i < list->n; i++) TRY(read_role(l, file, &list->u.list[i]));
    return ERR_OK;
}
