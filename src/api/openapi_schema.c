#include "api/openapi_schema.h"

#include <stdio.h>
#include <string.h>

/* Types of members in the tables below: s text, n text or null, i integer, d number, e number or
 * null, b truth value, t time or null, o object or null, a list, @Name another schema, * a list of
 * it. */
struct member {
    const char *name, *type;
    bool required;
};

static const struct member problem[] = {
    {"type", "s", true}, {"title", "s", true},   {"title_zh", "s", false}, {"status", "i", true},
    {"code", "s", true}, {"detail", "s", false}, {"pointer", "s", false}};
static const struct member words[] = {{"en", "s", true}, {"zh", "s", true}};
static const struct member photo[] = {
    {"media", "s", true}, {"url", "s", false}, {"thumb", "s", true}};
static const struct member reported[] = {
    {"id", "i", true},   {"code", "s", true}, {"secret", "s", true}, {"state", "s", true},
    {"cell", "o", true}, {"post", "o", true}, {"due", "t", true},    {"link", "s", true}};
static const struct member public_case[] = {{"code", "s", true},
                                            {"class", "s", true},
                                            {"class_title", "@Words", true},
                                            {"state", "s", true},
                                            {"state_title", "@Words", true},
                                            {"stage", "s", true},
                                            {"opened", "t", true},
                                            {"closed", "t", true},
                                            {"due", "t", true},
                                            {"paused", "o", true},
                                            {"unit", "o", true},
                                            {"lon", "e", true},
                                            {"lat", "e", true},
                                            {"exact", "b", true},
                                            {"released", "b", true},
                                            {"description", "n", false},
                                            {"place", "n", false},
                                            {"photos", "*Photo", false}};
static const struct member full_case[] = {{"id", "i", true},
                                          {"code", "s", true},
                                          {"version", "i", true},
                                          {"process", "s", true},
                                          {"class", "s", true},
                                          {"class_title", "@Words", true},
                                          {"state", "s", true},
                                          {"state_title", "@Words", true},
                                          {"stage", "s", true},
                                          {"channel", "s", true},
                                          {"lon", "e", true},
                                          {"lat", "e", true},
                                          {"place", "n", true},
                                          {"description", "n", true},
                                          {"cell", "o", true},
                                          {"community", "n", true},
                                          {"town", "n", true},
                                          {"county", "n", true},
                                          {"unit", "o", true},
                                          {"post", "o", true},
                                          {"holder", "n", true},
                                          {"handler", "n", true},
                                          {"opened", "t", true},
                                          {"filed", "t", true},
                                          {"dispatched", "t", true},
                                          {"handled", "t", true},
                                          {"closed", "t", true},
                                          {"due", "t", true},
                                          {"since", "t", true},
                                          {"light", "n", true},
                                          {"paused", "o", true},
                                          {"asked", "o", true},
                                          {"due_unconfirmed", "b", true},
                                          {"overdue", "b", true},
                                          {"urgent", "b", true},
                                          {"private", "b", true},
                                          {"released", "b", true},
                                          {"settled_in_cell", "b", true},
                                          {"returns", "i", true},
                                          {"reworks", "i", true},
                                          {"escalated", "i", true},
                                          {"suspensions", "i", true},
                                          {"extensions", "i", true},
                                          {"score", "e", true},
                                          {"photos", "*Photo", true},
                                          {"result", "o", true},
                                          {"duplicate_of", "n", true},
                                          {"reporters", "i", true},
                                          {"urgency", "o", true},
                                          {"fields", "o", true},
                                          {"route", "a", false},
                                          {"parties", "a", false},
                                          {"moves", "a", false},
                                          {"similar", "a", false}};
static const struct member case_list_[] = {{"items", "*Case", true}, {"next", "n", true}};
static const struct member public_list_[] = {{"items", "*PublicCase", true}, {"next", "n", true}};
static const struct member sign_in[] = {{"name", "s", true}, {"password", "s", true}};
static const struct member follow[] = {{"code", "s", true}, {"word", "s", true}};
static const struct member open311_in[] = {
    {"service_code", "s", true},    {"lat", "d", false},         {"long", "d", false},
    {"address_string", "s", false}, {"description", "s", false}, {"first_name", "s", false},
    {"last_name", "s", false},      {"phone", "s", false},       {"email", "s", false},
    {"media_url", "s", false},      {"api_key", "s", false}};
static const struct member upload[] = {{"file", "s", true}};

#define ROWS(t) t, sizeof(t) / sizeof((t)[0])
static const struct {
    const char *name;
    const struct member *members;
    size_t n;
} shapes[] = {{"Problem", ROWS(problem)},
              {"Words", ROWS(words)},

              {"Photo", ROWS(photo)},
              {"Reported", ROWS(reported)},
              {"PublicCase", ROWS(public_case)},
              {"Case", ROWS(full_case)},
              {"CaseList", ROWS(case_list_)},
              {"PublicCaseList", ROWS(public_list_)},
              {"SignIn", ROWS(sign_in)},
              {"Follow", ROWS(follow)},
              {"Open311Request", ROWS(open311_in)},
              {"Upload", ROWS(upload)}};

static const struct {
    enum http_method method;
    const char *path, *body, *answer;
} uses[] = {{HTTP_POST, "/api/v1/cases", "Report", "Reported"},
            {HTTP_GET, "/api/v1/cases", NULL, "CaseList"},
            {HTTP_GET, "/api/v1/cases/{code}", NULL, "Case"},
            {HTTP_POST, "/api/v1/cases/{code}/{move}", "MoveInputs", "Case"},
            {HTTP_GET, "/api/v1/public/cases", NULL, "PublicCaseList"},
            {HTTP_GET, "/api/v1/public/cases/{code}", NULL, "PublicCase"},
            {HTTP_POST, "/api/v1/session", "SignIn", NULL},
            {HTTP_POST, "/api/v1/follow", "Follow", NULL},
            {HTTP_POST, "/api/v1/follow/{move}", "Follow", NULL},
            {HTTP_POST, "/api/v1/media", "Upload", NULL},
            {HTTP_POST, "/open311/v2/requests.{format}", "Open311Request", NULL}};

static size_t use_of(enum http_method method, const char *path) {
    size_t n = sizeof uses / sizeof uses[0], i = 0;
    while (i < n && (uses[i].method != method || strcmp(uses[i].path, path) != 0)) i++;
    return i;
}

const char *openapi_body_of(enum http_method method, const char *path) {
    size_t i = use_of(method, path);
    return i < sizeof uses / sizeof uses[0] ? uses[i].body : NULL;
}

const char *openapi_answer_of(enum http_method method, const char *path) {
    size_t i = use_of(method, path);
    return i < sizeof uses / sizeof uses[0] ? uses[i].answer : NULL;
}

void openapi_ref(struct jw *w, const char *name) {
    char ref[96];
    (void)snprintf(ref, sizeof ref, "#/components/schemas/%.60s", name == NULL ? "" : name);
    jw_obj(w);
    if (name == NULL)
        jw_kstr(w, "type", "object");
    else
        jw_kstr(w, "$ref", ref);
    jw_end(w, '}');
}

/* "type": one word, or the word and null. */
static void type(struct jw *w, const char *word, bool null_too) {
    if (!null_too) {
        jw_kstr(w, "type", word);
        return;
    }
    jw_key(w, "type");
    jw_arr(w);
    jw_str(w, word);
    jw_str(w, "null");
    jw_end(w, ']');
}

static void member(struct jw *w, const struct member *m) {
    jw_key(w, m->name);
    if (m->type[0] == '@') {
        openapi_ref(w, m->type + 1);
        return;
    }
    jw_obj(w);
    switch (m->type[0]) {
    case 's':
        type(w, "string", false);
        break;
    case 'n':
        type(w, "string", true);
        break;
    case 'i':
        type(w, "integer", false);
        break;
    case 'd':
        type(w, "number", false);
        break;
    case 'e':
        type(w, "number", true);
        break;
    case 'b':
        type(w, "boolean", false);
        break;
    case 't':
        type(w, "string", true);
        jw_kstr(w, "format", "date-time");
        break;
    case 'o':
        type(w, "object", true);
        break;
    default:
        type(w, "array", false);
        jw_key(w, "items");
        openapi_ref(w, m->type[0] == '*' ? m->type + 1 : NULL);
        break;
    }
    jw_end(w, '}');
}

static void shape(struct jw *w, const char *name, const struct member *m, size_t n) {
    jw_key(w, name);
    jw_obj(w);
    jw_kstr(w, "type", "object");
    jw_key(w, "properties");
    jw_obj(w);
    for (size_t i = 0; i < n; i++) member(w, &m[i]);
    jw_end(w, '}');
    jw_key(w, "required");
    jw_arr(w);
    for (size_t i = 0; i < n; i++) {
        if (m[i].required) jw_str(w, m[i].name);
    }
    jw_end(w, ']');
    jw_end(w, '}');
}

/* ---- what follows from the packs ---- */

static void titled(struct jw *w, const struct text *t) {
    char both[512];
    (void)snprintf(both, sizeof both, "%.240s / %.240s", t->en, t->zh);
    jw_kstr(w, "title", both);
}

static void own_field(const struct app *app, struct jw *w, const struct field_def *f) {
    jw_key(w, f->name);
    jw_obj(w);
    titled(w, &f->title);
    const struct code_list *l = f->codes == NULL ? NULL : pack_list(app->packs, f->codes);
    if (f->kind == FIELD_INT)
        type(w, "integer", false);
    else if (f->kind == FIELD_NUMBER)
        type(w, "number", false);
    else if (f->kind == FIELD_BOOL)
        type(w, "boolean", false);
    else
        type(w, "string", false);
    if (f->kind == FIELD_TIME) jw_kstr(w, "format", "date-time");
    if (f->kind == FIELD_DATE) jw_kstr(w, "format", "date");
    if (l != NULL && l->n_rows > 0) {
        jw_key(w, "enum");
        jw_arr(w);
        for (size_t i = 0; i < l->n_rows; i++) jw_str(w, l->rows[i].code);
        jw_end(w, ']');
    }
    jw_end(w, '}');
}

static void report_fields(const struct app *app, struct jw *w) {
    const struct type_def *t = app->engine->case_type;
    jw_key(w, "fields");
    jw_obj(w);
    jw_kstr(w, "type", "object");
    jw_kstr(w, "description", "Fields that the city added to the report form.");
    jw_key(w, "properties");
    jw_obj(w);
    for (size_t i = 0; i < t->n_fields; i++) {
        if (t->fields[i].form && !t->fields[i].engine &&
            !case_is_engine_column(app->engine, (int)i))
            own_field(app, w, &t->fields[i]);
    }
    jw_end(w, '}');
    jw_end(w, '}');
}

static void report(const struct app *app, struct jw *w) {
    static const struct member members[] = {{"lon", "d", false},         {"lat", "d", false},
                                            {"area", "s", false},        {"place", "s", false},
                                            {"description", "s", false}, {"contact", "s", false},
                                            {"channel", "s", false},     {"parties", "a", false}};
    const struct pack_set *p = app->packs;
    jw_key(w, "Report");
    jw_obj(w);
    jw_kstr(w, "type", "object");
    jw_key(w, "properties");
    jw_obj(w);
    jw_key(w, "class");
    jw_obj(w);
    jw_kstr(w, "type", "string");
    jw_key(w, "enum");
    jw_arr(w);
    for (size_t i = 0; i < p->n_classes; i++) {
        if (p->classes[i].is_open) jw_str(w, p->classes[i].id);
    }
    jw_end(w, ']');
    jw_end(w, '}');
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) member(w, &members[i]);
    jw_key(w, "media");
    jw_obj(w);
    jw_kstr(w, "type", "array");
    jw_kint(w, "maxItems", 9);
    jw_key(w, "items");
    jw_obj(w);
    jw_kstr(w, "type", "string");
    jw_end(w, '}');
    jw_end(w, '}');
    report_fields(app, w);
    jw_end(w, '}');
    jw_key(w, "required");
    jw_arr(w);
    jw_str(w, "class");
    jw_end(w, ']');
    jw_end(w, '}');
}

static void input(struct jw *w, const struct input_def *in) {
    bool score = strcmp(in->kind, "score") == 0;
    jw_key(w, in->name);
    jw_obj(w);
    titled(w, &in->title);
    if (strcmp(in->kind, "photos") == 0) {
        jw_kstr(w, "type", "array");
        jw_key(w, "items");
        jw_obj(w);
        jw_kstr(w, "type", "string");
        jw_end(w, '}');
    } else {
        jw_kstr(w, "type",
                score ? "integer" : (strcmp(in->kind, "bool") == 0 ? "boolean" : "string"));
    }
    if (score) {
        jw_kint(w, "minimum", in->min);
        jw_kint(w, "maximum", in->max);
    } else if (strcmp(in->kind, "text") == 0 && in->max > 0) {
        jw_kint(w, "maxLength", in->max);
    }
    jw_end(w, '}');
}

static void move(struct jw *w, const struct process_def *p, const struct move_def *m) {
    jw_obj(w);
    char name[120];
    (void)snprintf(name, sizeof name, "%.50s of process %.50s", m->name, p->name);
    jw_kstr(w, "title", name);
    jw_kstr(w, "description", m->title.zh);
    jw_kstr(w, "type", "object");
    jw_key(w, "properties");
    jw_obj(w);
    for (size_t i = 0; i < m->n_inputs; i++) input(w, &m->inputs[i]);
    jw_end(w, '}');
    jw_key(w, "required");
    jw_arr(w);
    for (size_t i = 0; i < m->n_inputs; i++) {
        if (m->inputs[i].required) jw_str(w, m->inputs[i].name);
    }
    jw_end(w, ']');
    jw_end(w, '}');
}

/* One alternative a move of a process; a move without `from` opens the case and is no call. */
static void moves(const struct app *app, struct jw *w) {
    const struct pack_set *p = app->packs;
    jw_key(w, "MoveInputs");
    jw_obj(w);
    jw_kstr(w, "description", "What a move asks for: the alternative with its name.");
    jw_key(w, "anyOf");
    jw_arr(w);
    for (size_t i = 0; i < p->n_processes; i++) {
        for (size_t k = 0; k < p->processes[i].n_moves; k++) {
            if (p->processes[i].moves[k].n_from > 0)
                move(w, &p->processes[i], &p->processes[i].moves[k]);
        }
    }
    jw_end(w, ']');
    jw_end(w, '}');
}

void openapi_schemas(const struct app *app, struct jw *w) {
    jw_key(w, "schemas");
    jw_obj(w);
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        shape(w, shapes[i].name, shapes[i].members, shapes[i].n);
    report(app, w);
    moves(app, w);
    jw_end(w, '}');
}
