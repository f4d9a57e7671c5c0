/* Any bytes as one file of a pack: the first byte says which kind, the rest is the file. It is read
 * beside a small type, role and process, checked as a whole, and shown when nothing is wrong. No
 * bytes may crash the loader or pass unchecked. */
#include "base/mem.h"
#include "base/yaml.h"
#include "domain/pack/load.h"
#include "domain/pack/show.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *p, size_t n);

static const char type_yaml[] =
    "type: case\ntitle: {en: C, zh: 案}\npurpose: {en: P, zh: 的}\nfields:\n"
    "  - {name: state, kind: text, sensitivity: public, engine: true, title: {en: S, zh: 状}}\n"
    "  - {name: n, kind: int, sensitivity: public, engine: true, title: {en: N, zh: 数}}\n";
static const char roles_yaml[] = "roles:\n  - {role: op, title: {en: O, zh: 员}, cases: area, "
                                 "grants: [case.read, case.move]}\n";
static const char process_yaml[] =
    "process: p\ntitle: {en: P, zh: 流}\ntype: case\nstates:\n"
    "  - {name: a, title: {en: A, zh: 一}, stage: collect, initial: true, holder: desk, limit: 1 "
    "work_day}\n  - {name: b, title: {en: B, zh: 二}, stage: close, final: true}\nmoves:\n"
    "  - {name: go, title: {en: G, zh: 办}, done: {en: D, zh: 了}, from: [a], to: b, roles: "
    "[op]}\n";

typedef enum err_code reader(struct load *, const char *, const struct val *);

static enum err_code read_pack(struct load *l, const char *file, const struct val *v) {
    return load_pack_file(l, file, "d", "d", v);
}

static enum err_code read_text(struct load *l, reader *read, const char *p, size_t n) {
    const struct val *v = NULL;
    struct err err;
    enum err_code rc = yaml_parse(l->a, "fuzz.yaml", p, n, &v, &err);
    if (rc == ERR_NOMEM) return rc;
    if (rc != ERR_OK) {
        load_problem(l, rc, "fuzz.yaml", 0, "%s", err.detail);
        return ERR_OK;
    }
    return read(l, "fuzz.yaml", v);
}

static enum err_code read_csv(struct load *l, const char *p, size_t n) {
    struct code_list *list = &l->lists[l->set.n_lists];
    *list = (struct code_list){.id = "fuzz",
                               .version = "",
                               .valid_from = "",
                               .valid_to = "",
                               .source = "",
                               .trust = "",
                               .pack = "",
                               .file = "",
                               .title = {"", ""}};
    TRY(load_codes_csv(l, "fuzz.csv", p, n, list));
    l->set.n_lists++;
    return ERR_OK;
}

static enum err_code read_all(struct load *l, unsigned kind, const char *p, size_t n) {
    static reader *const readers[] = {load_type_file,    load_process_file,  load_roles_file,
                                      load_classes_file, load_calendar_file, read_pack};
    enum { N = sizeof readers / sizeof *readers };
    TRY(read_text(l, load_type_file, type_yaml, sizeof type_yaml - 1));
    TRY(read_text(l, load_roles_file, roles_yaml, sizeof roles_yaml - 1));
    TRY(read_text(l, load_process_file, process_yaml, sizeof process_yaml - 1));
    app_assert(l->n_problems == 0);
    if (kind % (N + 1) == N)
        TRY(read_csv(l, p, n));
    else
        TRY(read_text(l, readers[kind % (N + 1)], p, n));
    TRY(load_check_types(l));
    TRY(load_check_classes(l));
    return load_check_processes(l);
}

/* What has passed every check keeps the promises of pack.h. */
static void check_promises(const struct load *l) {
    for (size_t i = 0; i < l->set.n_types; i++) {
        const struct type_def *t = &l->types[i];
        app_assert(t->name[0] != '\0' && t->purpose[0] != '\0' && t->n_fields > 0);
        for (size_t k = 0; k < t->n_fields; k++) {
            const struct field_def *f = &t->fields[k];
            app_assert(refuse_name(f->name) == NULL);
            app_assert(f->sensitivity < SENS_PERSONAL || f->basis[0] != '\0');
        }
    }
    for (size_t i = 0; i < l->set.n_processes; i++) {
        const struct process_def *p = &l->processes[i];
        for (size_t k = 0; k < p->n_states; k++)
            app_assert(p->states[k].final || p->states[k].clock);
        for (size_t k = 0; k < p->n_moves; k++) app_assert(p->moves[k].n_roles > 0);
    }
}

int LLVMFuzzerTestOneInput(const unsigned char *p, size_t n) {
    struct load l;
    struct err err;
    struct buf report, out;
    if (n == 0 || n > 16384) return 0;
    struct arena *a = arena_new(64u << 20);
    app_assert(a != NULL);
    buf_init(&report, 1 << 20);
    buf_init(&out, 1 << 22);
    enum err_code rc = load_init(&l, a, &report, &err);
    app_assert(rc == ERR_OK);
    l.pack = "fuzz";
    rc = read_all(&l, p[0], (const char *)p + 1, n - 1);
    if (rc == ERR_OK && l.n_problems == 0) {
        struct show everything = {NULL, NULL, NULL, false}, classes = {NULL, NULL, NULL, true};
        check_promises(&l);
        app_assert(show_text(&l.set, &everything, &out, NULL) == ERR_OK);
        app_assert(show_text(&l.set, &classes, &out, NULL) == ERR_OK);
        buf_clear(&out);
        app_assert(show_json(&l.set, &everything, &out, NULL) == ERR_OK);
    }
    buf_deinit(&report);
    buf_deinit(&out);
    arena_free(a);
    return 0;
}
