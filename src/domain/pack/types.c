#include <string.h>

#include "domain/pack/load.h"

enum { MAX_TEXT = 4000, HARD_MAX_TEXT = 65536, MAX_INDEX_COLS = 6 };

static const char *const kinds[] = {"text",  "int", "number", "bool", "time",  "date", "code",
                                    "class", "ref", "photos", "json", "shape", NULL};
static const char *const sensitivities[] = {"public", "internal", "personal", "sensitive", NULL};

static enum col_type column_type(enum field_kind k) {
    switch (k) {
    case FIELD_INT:
    case FIELD_REF:
        return COL_INT;
    case FIELD_NUMBER:
        return COL_REAL;
    case FIELD_BOOL:
        return COL_BOOL;
    case FIELD_TIME:
        return COL_TIME;
    case FIELD_PHOTOS:
    case FIELD_JSON:
        return COL_JSON;
    case FIELD_SHAPE:
        return COL_BLOB;
    default:
        return COL_TEXT;
    }
}

static void read_range(struct load *l, const char *file, const struct val *v, struct field_def *f) {
    static const int64_t exact = (int64_t)1 << 53;
    f->min = 0;
    f->max = 0;
    if (f->kind == FIELD_TEXT) {
        f->max = rd_int(l, file, v, "max", 1, HARD_MAX_TEXT, MAX_TEXT);
    } else if (f->kind == FIELD_INT) {
        f->min = rd_int(l, file, v, "min", -exact, exact, -exact);
        f->max = rd_int(l, file, v, "max", -exact, exact, exact);
        if (f->min > f->max)
            load_problem(l, ERR_INVALID, file, f->line, "field \"%s\": min is above max", f->name);
    } else if (val_get(v, "min") != NULL || val_get(v, "max") != NULL) {
        load_problem(l, ERR_INVALID, file, f->line,
                     "field \"%s\": min and max are for kinds text (max only) and int", f->name);
    }
    if (f->kind == FIELD_TEXT && val_get(v, "min") != NULL)
        load_problem(l, ERR_INVALID, file, f->line, "field \"%s\": a text has no min", f->name);
}

static void check_protection(struct load *l, const char *file, const struct field_def *f) {
    if (f->sensitivity < SENS_PERSONAL) return;
    if (f->basis[0] == '\0')
        load_problem(l, ERR_INVALID, file, f->line,
                     "field \"%s\" is %s and needs a \"basis\": the law or purpose for holding it",
                     f->name, sensitivities[f->sensitivity - 1]);
    enum col_type t = column_type(f->kind);
    if (t != COL_TEXT && t != COL_JSON)
        load_problem(l, ERR_INVALID, file, f->line,
                     "field \"%s\": a %s field is kept as a commitment, so its kind is text, date, "
                     "code, photos or json",
                     f->name, sensitivities[f->sensitivity - 1]);
}

static void check_name(struct load *l, const char *file, const struct field_def *f) {
    static const char *const implicit[] = {"id", "version", "ledger", NULL};
    for (size_t i = 0; implicit[i] != NULL; i++)
        if (strcmp(f->name, implicit[i]) == 0)
            load_problem(l, ERR_INVALID, file, f->line,
                         "field \"%s\" is there in every type and cannot be declared", f->name);
    if (expr_is_reserved(f->name))
        load_problem(l, ERR_INVALID, file, f->line,
                     "field \"%s\": the word has a meaning in conditions; choose another", f->name);
}

static void read_field(struct load *l, const char *file, const struct val *v, struct field_def *f) {
    static const char *const known[] = {"name",  "title",  "hint", "kind",     "codes",
                                        "ref",   "max",    "min",  "required", "sensitivity",
                                        "basis", "engine", "form", "show_if",  NULL};
    *f = (struct field_def){.name = "",
                            .title = {"", ""},
                            .hint = {"", ""},
                            .kind = FIELD_TEXT,
                            .codes = "",
                            .ref = "",
                            .basis = "",
                            .file = file,
                            .line = v->line,
                            .sensitivity = SENS_INTERNAL};
    if (!rd_known(l, file, v, "a field", known)) return;
    f->name = rd_name(l, file, v, "name", true);
    f->title = rd_title(l, file, v, "title", true);
    f->hint = rd_title(l, file, v, "hint", false);
    int kind = rd_enum(l, file, v, "kind", kinds, true, 0);
    f->kind = (enum field_kind)(kind < 0 ? FIELD_TEXT : kind + 1);
    f->codes = rd_text(l, file, v, "codes", f->kind == FIELD_CODE, 80);
    f->ref = rd_text(l, file, v, "ref", f->kind == FIELD_REF, 80);
    f->required = rd_bool(l, file, v, "required", false);
    int s = rd_enum(l, file, v, "sensitivity", sensitivities, true, SENS_INTERNAL - 1);
    f->sensitivity = (enum sensitivity)(s < 0 ? SENS_SENSITIVE : s + 1);
    f->basis = rd_text(l, file, v, "basis", false, 500);
    f->engine = rd_bool(l, file, v, "engine", false);
    f->form = rd_bool(l, file, v, "form", false);
    if (!f->engine && (f->kind == FIELD_JSON || f->kind == FIELD_SHAPE))
        load_problem(l, ERR_INVALID, file, f->line,
                     "field \"%s\": kinds json and shape are for fields marked engine", f->name);
    if (f->engine && f->form)
        load_problem(l, ERR_INVALID, file, f->line,
                     "field \"%s\": what the engine sets is not asked in a form", f->name);
    read_range(l, file, v, f);
    check_name(l, file, f);
    if (s >= 0) check_protection(l, file, f);
    (void)load_not_refused(l, file, f->line, "field", f->name, &f->title);
}

static enum err_code read_fields(struct load *l, const char *file, const struct val *v,
                                 struct type_def *t) {
    const struct val *list = rd_list(l, file, v, "fields", true);
    size_t n = list == NULL ? 0 : list->n;
    if (list != NULL && (n == 0 || n > PACK_MAX_FIELDS)) {
        load_problem(l, ERR_LIMIT, file, list->line, "%zu fields; 1 to %d are possible", n,
                     PACK_MAX_FIELDS);
        n = 0;
    }
    struct field_def *f = ARENA_NEW(l->a, struct field_def, n + 1);
    struct column *c = ARENA_NEW(l->a, struct column, n + 1);
    if (f == NULL || c == NULL) return load_nomem(l);
    for (size_t i = 0; i < n; i++) {
        read_field(l, file, &list->u.list[i], &f[i]);
        for (size_t k = 0; k < i; k++)
            if (f[i].name[0] != '\0' && strcmp(f[k].name, f[i].name) == 0)
                load_problem(l, ERR_INVALID, file, f[i].line,
                             "field \"%s\" stands here twice, first in line %d", f[i].name,
                             f[k].line);
        c[i] = (struct column){.name = f[i].name,
                               .type = column_type(f[i].kind),
                               .required = f[i].required && f[i].engine,
                               .personal = f[i].sensitivity >= SENS_PERSONAL};
    }
    t->fields = f;
    t->n_fields = n;
    t->table.cols = c;
    t->table.n_cols = n;
    return ERR_OK;
}

static enum err_code read_index(struct load *l, const char *file, const struct val *v,
                                const struct type_def *t, struct index *x) {
    static const char *const known[] = {"columns", "unique", "present", "absent", NULL};
    if (!rd_known(l, file, v, "an index", known)) return ERR_OK;
    const char *const *cols;
    size_t n = rd_texts(l, file, v, "columns", true, &cols);
    if (n == 0 || n > MAX_INDEX_COLS)
        load_problem(l, ERR_LIMIT, file, v->line, "an index has 1 to %d columns", MAX_INDEX_COLS);
    const char **names = ARENA_NEW(l->a, const char *, t->n_fields + 2);
    if (names == NULL) return load_nomem(l);
    for (size_t i = 0; i < t->n_fields; i++) names[i] = t->fields[i].name;
    names[t->n_fields] = "id";
    for (size_t i = 0; i < n && i < MAX_INDEX_COLS; i++) {
        bool is_id = strcmp(cols[i], "id") == 0;
        int f = type_field(t, cols[i]);
        if (f < 0 && !is_id) load_unknown(l, file, v->line, "column", cols[i], names);
        if (f >= 0 && t->fields[f].sensitivity >= SENS_PERSONAL)
            load_problem(l, ERR_INVALID, file, v->line,
                         "field \"%s\" is personal: there is no index over it", cols[i]);
        x->cols[i] = cols[i];
    }
    x->unique = rd_bool(l, file, v, "unique", false);
    const char *present = rd_text(l, file, v, "present", false, 80);
    const char *absent = rd_text(l, file, v, "absent", false, 80);
    const char *field = present[0] != '\0' ? present : absent;
    if (field[0] == '\0') return ERR_OK;
    if (type_field(t, field) < 0)
        load_unknown(l, file, v->line, "field", field, names);
    else if ((x->where = arena_printf(l->a, "\"%s\" IS %s", field,
                                      field == present ? "NOT NULL" : "NULL")) == NULL)
        return load_nomem(l);
    return ERR_OK;
}

static enum err_code read_indexes(struct load *l, const char *file, const struct val *v,
                                  struct type_def *t) {
    const struct val *list = rd_list(l, file, v, "indexes", false);
    size_t n = list == NULL ? 0 : list->n;
    if (n > 32) {
        load_problem(l, ERR_LIMIT, file, list->line, "%zu indexes; at most 32 are possible", n);
        n = 0;
    }
    struct index *x = ARENA_NEW(l->a, struct index, n + 1);
    if (x == NULL) return load_nomem(l);
    for (size_t i = 0; i < n; i++) TRY(read_index(l, file, &list->u.list[i], t, &x[i]));
    t->table.indexes = x;
    t->table.n_indexes = n;
    return ERR_OK;
}

/* SQL words get a trailing underscore as table names; the built-in tables have their own. */
static const char *table_name(struct load *l, const char *file, const struct type_def *t) {
    static const char *const words[] = {"case",  "order", "group",  "index",  "table",
                                        "user",  "check", "column", "select", "values",
                                        "limit", "end",   NULL};
    static const char *const taken[] = {
#define TABLE(name, kind) #name,
#define COL(...)
#define INDEX(...)
#define END(name)
#include "../../../decl/tables.def"
#undef TABLE
#undef COL
#undef INDEX
#undef END
        "journal", "personal", "checkpoint", "meta", NULL};
    for (size_t i = 0; taken[i] != NULL; i++)
        if (strcmp(taken[i], t->name) == 0)
            load_problem(l, ERR_INVALID, file, t->line,
                         "type \"%s\" has the name of a table of "
                         "the program itself; choose another",
                         t->name);
    for (size_t i = 0; words[i] != NULL; i++)
        if (strcmp(words[i], t->name) == 0) return arena_printf(l->a, "%s_", t->name);
    return t->name;
}

/* show_if of each field, once all fields are known. */
static enum err_code read_conditions(struct load *l, const char *file, const struct val *v,
                                     struct type_def *t) {
    const struct val *list = val_get(v, "fields");
    struct expr_env *env = ARENA_NEW(l->a, struct expr_env, 1);
    if (env == NULL) return load_nomem(l);
    TRY(load_env(l, t, NULL, 0, false, env));
    struct field_def *fields = (struct field_def *)t->fields;
    for (size_t i = 0; i < t->n_fields; i++) {
        const struct val *x = &list->u.list[i];
        if (x->type != VAL_MAP) continue;
        const char *text = rd_text(l, file, x, "show_if", false, EXPR_MAX_TEXT);
        if (text[0] == '\0') continue;
        TRY(load_condition(l, file, val_get(x, "show_if")->line, text, env, &fields[i].show_if));
    }
    return ERR_OK;
}

enum err_code load_type_file(struct load *l, const char *file, const struct val *v) {
    static const char *const known[] = {"type", "title", "purpose", "fields", "indexes", NULL};
    if (!rd_known(l, file, v, "a type", known)) return ERR_OK;
    if (l->set.n_types == LOAD_MAX_TYPES) {
        load_problem(l, ERR_LIMIT, file, 0, "more than %d types", LOAD_MAX_TYPES);
        return ERR_OK;
    }
    struct type_def *t = &l->types[l->set.n_types];
    *t = (struct type_def){.pack = l->pack, .file = file, .line = v->line};
    t->name = rd_name(l, file, v, "type", true);
    t->title = rd_title(l, file, v, "title", true);
    struct text purpose = rd_title(l, file, v, "purpose", true);
    t->purpose = purpose.en;
    t->purpose_zh = purpose.zh;
    for (size_t i = 0; i < l->set.n_types; i++)
        if (strcmp(l->types[i].name, t->name) == 0)
            load_problem(l, ERR_INVALID, file, v->line, "type \"%s\" is declared in %s already",
                         t->name, l->types[i].file);
    (void)load_not_refused(l, file, v->line, "type", t->name, &t->title);
    t->table.kind = TABLE_LEDGER;
    t->table.name = table_name(l, file, t);
    if (t->table.name == NULL) return load_nomem(l);
    TRY(read_fields(l, file, v, t));
    TRY(read_indexes(l, file, v, t));
    TRY(read_conditions(l, file, v, t));
    l->set.n_types++;
    return ERR_OK;
}

/* ---- references between types and lists */

enum err_code load_check_types(struct load *l) {
    const char **types = ARENA_NEW(l->a, const char *, l->set.n_types + 1);
    const char **lists = ARENA_NEW(l->a, const char *, l->set.n_lists + 1);
    if (types == NULL || lists == NULL) return load_nomem(l);
    for (size_t i = 0; i < l->set.n_types; i++) types[i] = l->types[i].name;
    for (size_t i = 0; i < l->set.n_lists; i++) lists[i] = l->lists[i].id;
    for (size_t i = 0; i < l->set.n_types; i++) {
        for (size_t k = 0; k < l->types[i].n_fields; k++) {
            const struct field_def *f = &l->types[i].fields[k];
            if (f->kind == FIELD_REF && f->ref[0] != '\0' && pack_type(&l->set, f->ref) == NULL)
                load_unknown(l, f->file, f->line, "type", f->ref, types);
            if (f->kind == FIELD_CODE && f->codes[0] != '\0' &&
                pack_list(&l->set, f->codes) == NULL)
                load_unknown(l, f->file, f->line, "code list", f->codes, lists);
        }
    }
    return ERR_OK;
}

/* ---- conditions and their variables */

enum err_code load_condition(struct load *l, const char *file, int line, const char *text,
                             const struct expr_env *env, const struct expr **out) {
    struct err why;
    enum err_code rc = expr_parse(l->a, text, "", line, env, out, &why);
    if (rc == ERR_NOMEM) return load_nomem(l);
    const char *said = rc == ERR_OK ? NULL : strstr(why.detail, "condition: ");
    if (said != NULL) load_problem(l, rc, file, line, "%s", said);
    return ERR_OK;
}

static enum expr_type expr_kind(enum field_kind k) {
    switch (k) {
    case FIELD_INT:
    case FIELD_REF:
        return EXPR_INT;
    case FIELD_NUMBER:
        return EXPR_DOUBLE;
    case FIELD_BOOL:
        return EXPR_BOOL;
    case FIELD_TIME:
        return EXPR_TIME;
    case FIELD_PHOTOS:
    case FIELD_JSON:
    case FIELD_SHAPE:
        return EXPR_MISSING;
    default:
        return EXPR_STRING;
    }
}

static enum expr_type input_kind(const struct type_def *t, const struct input_def *in) {
    int f = type_field(t, in->name);
    if (strcmp(in->kind, "field") == 0) return f < 0 ? EXPR_MISSING : expr_kind(t->fields[f].kind);
    if (strcmp(in->kind, "bool") == 0) return EXPR_BOOL;
    if (strcmp(in->kind, "score") == 0 || strcmp(in->kind, "post") == 0) return EXPR_INT;
    return strcmp(in->kind, "photos") == 0 ? EXPR_MISSING : EXPR_STRING;
}

enum err_code load_env(struct load *l, const struct type_def *t, const struct input_def *inputs,
                       size_t n_inputs, bool move, struct expr_env *out) {
    static const struct expr_var fixed[] = {{"now", EXPR_TIME, PACK_SLOT_NOW},
                                            {"actor.name", EXPR_STRING, PACK_SLOT_ACTOR_NAME},
                                            {"actor.role", EXPR_STRING, PACK_SLOT_ACTOR_ROLE},
                                            {"actor.unit", EXPR_STRING, PACK_SLOT_ACTOR_UNIT},
                                            {"actor.area", EXPR_STRING, PACK_SLOT_ACTOR_AREA}};
    enum { N_FIXED = sizeof fixed / sizeof *fixed };
    struct expr_var *v = ARENA_NEW(l->a, struct expr_var, 2 * t->n_fields + n_inputs + N_FIXED);
    if (v == NULL) return load_nomem(l);
    size_t n = 0;
    for (size_t i = 0; i < t->n_fields; i++) {
        enum expr_type type = expr_kind(t->fields[i].kind);
        if (type == EXPR_MISSING || t->fields[i].sensitivity >= SENS_PERSONAL) continue;
        const char *dotted = arena_printf(l->a, "%s.%s", t->name, t->fields[i].name);
        if (dotted == NULL) return load_nomem(l);
        v[n++] = (struct expr_var){t->fields[i].name, type, (int)i};
        v[n++] = (struct expr_var){dotted, type, (int)i};
    }
    for (size_t i = 0; move && i < N_FIXED; i++) v[n++] = fixed[i];
    for (size_t i = 0; i < n_inputs; i++) {
        enum expr_type type = input_kind(t, &inputs[i]);
        const char *name = arena_printf(l->a, "input.%s", inputs[i].name);
        if (name == NULL) return load_nomem(l);
        if (type != EXPR_MISSING) v[n++] = (struct expr_var){name, type, PACK_SLOT_INPUT - (int)i};
    }
    *out = (struct expr_env){.vars = v, .n = n};
    return ERR_OK;
}
