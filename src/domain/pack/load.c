#include "domain/pack/load.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/yaml.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_FILE = 4 << 20, MAX_NAMES = 256 };

enum err_code load_init(struct load *l, struct arena *a, struct buf *report, struct err *err) {
    *l = (struct load){.a = a, .report = report, .err = err, .pack = ""};
    l->packs = ARENA_NEW(a, struct pack_info, LOAD_MAX_PACKS);
    l->types = ARENA_NEW(a, struct type_def, LOAD_MAX_TYPES);
    l->lists = ARENA_NEW(a, struct code_list, LOAD_MAX_LISTS);
    l->classes = ARENA_NEW(a, struct case_class, PACK_MAX_CLASSES);
    l->processes = ARENA_NEW(a, struct process_def, LOAD_MAX_PROCESSES);
    l->roles = ARENA_NEW(a, struct role_def, LOAD_MAX_ROLES);
    l->calendars = ARENA_NEW(a, struct calendar_def, LOAD_MAX_CALENDARS);
    l->indicators = ARENA_NEW(a, struct indicator_def, LOAD_MAX_INDICATORS);
    l->documents = ARENA_NEW(a, struct pack_document, LOAD_MAX_DOCUMENTS);
    if (l->packs == NULL || l->types == NULL || l->lists == NULL || l->classes == NULL ||
        l->processes == NULL || l->roles == NULL || l->calendars == NULL || l->indicators == NULL ||
        l->documents == NULL)
        return load_nomem(l);
    l->set.packs = l->packs;
    l->set.types = l->types;
    l->set.lists = l->lists;
    l->set.classes = l->classes;
    l->set.processes = l->processes;
    l->set.roles = l->roles;
    l->set.calendars = l->calendars;
    l->set.indicators = l->indicators;
    l->set.documents = l->documents;
    return ERR_OK;
}

/* The hash runs over path, length and content of each file, in the order of reading. */
static void add_hash(struct load *l, const char *path, const char *p, size_t n) {
    uint64_t len = n;
    struct hash_piece pieces[] = {
        {l->hash, sizeof l->hash}, {path, strlen(path) + 1}, {&len, sizeof len}, {p, n}};
    unsigned char next[32];
    hash_sha256(pieces, sizeof pieces / sizeof *pieces, next);
    memcpy(l->hash, next, sizeof next);
}

enum err_code load_read(struct load *l, const char *path, const char **p, size_t *n) {
    struct buf b;
    struct err why;
    buf_init(&b, MAX_FILE);
    enum err_code rc = file_read(path, &b, &why);
    if (rc == ERR_NOMEM) {
        buf_deinit(&b);
        return load_nomem(l);
    }
    *p = NULL;
    *n = 0;
    if (rc != ERR_OK) {
        load_problem(l, rc, path, 0, "%s",
                     rc == ERR_NOT_FOUND ? "there is no such file" : why.detail);
    } else {
        *n = b.n;
        *p = arena_dup(l->a, buf_text(&b), b.n);
        if (*p == NULL) {
            buf_deinit(&b);
            return load_nomem(l);
        }
        add_hash(l, path, *p, *n);
    }
    buf_deinit(&b);
    return ERR_OK;
}

/* The parser says "path:line:column: text" already. */
static void yaml_problem(struct load *l, enum err_code code, const char *path, const char *said) {
    size_t len = strlen(path);
    int line = 0;
    if (strncmp(said, path, len) == 0 && said[len] == ':') {
        char *end;
        long at = strtol(said + len + 1, &end, 10);
        if (at > 0 && at < 1000000 && *end == ':') {
            line = (int)at;
            (void)strtol(end + 1, &end, 10);
            said = *end == ':' ? end + 1 : end;
            while (*said == ' ') said++;
        }
    }
    load_problem(l, code, path, line, "%s", said);
}

/* Parse a YAML file; *v is NULL when it has a problem. */
static enum err_code read_yaml(struct load *l, const char *path, const struct val **v) {
    const char *p = NULL;
    size_t n = 0;
    struct err why;
    *v = NULL;
    TRY(load_read(l, path, &p, &n));
    if (p == NULL) return ERR_OK;
    enum err_code rc = yaml_parse(l->a, path, p, n, v, &why);
    if (rc == ERR_NOMEM) return load_nomem(l);
    if (rc == ERR_OK) return ERR_OK;
    yaml_problem(l, rc, path, why.detail);
    *v = NULL;
    return ERR_OK;
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names in a folder, sorted, without those that begin with a dot. A folder that is not there has
 * none. */
static enum err_code list_dir(struct load *l, const char *dir, const char ***out, size_t *n) {
    *n = 0;
    *out = ARENA_NEW(l->a, const char *, MAX_NAMES + 1);
    if (*out == NULL) return load_nomem(l);
    DIR *d = opendir(dir);
    if (d == NULL) {
        if (errno != ENOENT) load_problem(l, ERR_IO, dir, 0, "the folder cannot be read");
        return ERR_OK;
    }
    enum err_code rc = ERR_OK;
    for (struct dirent *e = readdir(d); e != NULL && rc == ERR_OK; e = readdir(d)) {
        if (e->d_name[0] == '.') continue;
        if (*n == MAX_NAMES) {
            load_problem(l, ERR_LIMIT, dir, 0, "more than %d files", MAX_NAMES);
            break;
        }
        (*out)[*n] = arena_strdup(l->a, e->d_name);
        if ((*out)[(*n)++] == NULL) rc = load_nomem(l);
    }
    (void)closedir(d);
    if (rc == ERR_OK) qsort(*out, *n, sizeof **out, by_name);
    return rc;
}

static bool is_yaml(const char *name) {
    size_t n = strlen(name);
    return n > 5 && strcmp(name + n - 5, ".yaml") == 0;
}

static bool is_dir(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Every *.yaml of dir/sub goes to fn. */
static enum err_code each_yaml(struct load *l, const char *dir, const char *sub,
                               enum err_code (*fn)(struct load *, const char *,
                                                   const struct val *)) {
    const char **names;
    size_t n;
    const char *folder = file_join(l->a, dir, sub);
    if (folder == NULL) return load_nomem(l);
    TRY(list_dir(l, folder, &names, &n));
    for (size_t i = 0; i < n; i++) {
        if (!is_yaml(names[i])) continue;
        const struct val *v;
        const char *path = file_join(l->a, folder, names[i]);
        if (path == NULL) return load_nomem(l);
        TRY(read_yaml(l, path, &v));
        if (v != NULL) TRY(fn(l, path, v));
    }
    return ERR_OK;
}

/* dir/name goes to fn when it is there. */
static enum err_code one_yaml(struct load *l, const char *dir, const char *name,
                              enum err_code (*fn)(struct load *, const char *,
                                                  const struct val *)) {
    struct stat st;
    const struct val *v;
    const char *path = file_join(l->a, dir, name);
    if (path == NULL) return load_nomem(l);
    if (stat(path, &st) != 0 && errno == ENOENT) return ERR_OK;
    TRY(read_yaml(l, path, &v));
    return v == NULL ? ERR_OK : fn(l, path, v);
}

enum err_code load_pack_file(struct load *l, const char *file, const char *dir, const char *folder,
                             const struct val *v) {
    static const char *const known[] = {"pack",  "version",    "title", "purpose",
                                        "needs", "assessment", NULL};
    if (!rd_known(l, file, v, "a pack", known)) return ERR_OK;
    struct pack_info *p = &l->packs[l->set.n_packs];
    *p = (struct pack_info){.dir = dir};
    p->name = rd_pack_name(l, file, v, "pack");
    p->version = rd_text(l, file, v, "version", true, 40);
    p->title = rd_title(l, file, v, "title", true);
    struct text purpose = rd_title(l, file, v, "purpose", true);
    p->purpose = purpose.en;
    p->purpose_zh = purpose.zh;
    p->n_needs = rd_texts(l, file, v, "needs", false, &p->needs);
    (void)rd_title(l, file, v, "assessment", false);
    (void)load_not_refused(l, file, v->line, "pack", p->name, &p->title);
    if (p->name[0] != '\0' && strcmp(p->name, folder) != 0)
        load_problem(l, ERR_INVALID, file, v->line, "pack \"%s\" lies in a folder named \"%s\"",
                     p->name, folder);
    l->set.n_packs++;
    return ERR_OK;
}

/* What lies in a pack's folder under a name that nothing reads is most likely a slip. */
static enum err_code check_folder(struct load *l, const char *dir) {
    static const char *const folders[] = {"types",    "processes",  "codes",   "calendars",
                                          "samples",  "indicators", "maps",    "indices",
                                          "warnings", "briefings",  "surveys", NULL};
    static const char *const files[] = {"pack.yaml", "roles.yaml", "classes.yaml", "pages.yaml",
                                        NULL};
    const char **names;
    size_t n;
    TRY(list_dir(l, dir, &names, &n));
    for (size_t i = 0; i < n; i++) {
        const char *path = file_join(l->a, dir, names[i]);
        if (path == NULL) return load_nomem(l);
        const char *const *known = is_dir(path) ? folders : files;
        if (known == files && !is_yaml(names[i])) continue;
        size_t k = 0;
        while (known[k] != NULL && strcmp(known[k], names[i]) != 0) k++;
        if (known[k] == NULL)
            load_unknown(l, path, 0, known == files ? "file" : "folder", names[i], known);
    }
    return ERR_OK;
}

static enum err_code read_packs(struct load *l, const char *dir) {
    const char **names;
    size_t n;
    if (!is_dir(dir)) return err_fail(l->err, ERR_NOT_FOUND, "%s: there is no such folder", dir);
    TRY(list_dir(l, dir, &names, &n));
    for (size_t i = 0; i < n; i++) {
        const char *folder = file_join(l->a, dir, names[i]);
        if (folder == NULL) return load_nomem(l);
        if (!is_dir(folder)) continue;
        const char *file = file_join(l->a, folder, "pack.yaml");
        const struct val *v = NULL;
        if (file == NULL) return load_nomem(l);
        if (l->set.n_packs == LOAD_MAX_PACKS) {
            load_problem(l, ERR_LIMIT, folder, 0, "more than %d packs", LOAD_MAX_PACKS);
            return ERR_OK;
        }
        TRY(read_yaml(l, file, &v));
        if (v != NULL) TRY(load_pack_file(l, file, folder, names[i], v));
        TRY(check_folder(l, folder));
    }
    if (l->set.n_packs == 0 && l->n_problems == 0)
        load_problem(l, ERR_NOT_FOUND, dir, 0, "there is no pack here");
    return ERR_OK;
}

static enum err_code check_needs(struct load *l) {
    const char **names = ARENA_NEW(l->a, const char *, l->set.n_packs + 1);
    if (names == NULL) return load_nomem(l);
    for (size_t i = 0; i < l->set.n_packs; i++) names[i] = l->packs[i].name;
    for (size_t i = 0; i < l->set.n_packs; i++) {
        const struct pack_info *p = &l->packs[i];
        for (size_t k = 0; k < p->n_needs; k++) {
            size_t at = 0;
            while (at < l->set.n_packs && strcmp(names[at], p->needs[k]) != 0) at++;
            if (at == l->set.n_packs) load_unknown(l, p->dir, 0, "needed pack", p->needs[k], names);
        }
    }
    return ERR_OK;
}

static enum err_code keep_index(struct load *l, const char *file, const struct val *v) {
    return load_document(l, file, v, "indices");
}

static enum err_code keep_warning(struct load *l, const char *file, const struct val *v) {
    return load_document(l, file, v, "warnings");
}

static enum err_code keep_survey(struct load *l, const char *file, const struct val *v) {
    return load_document(l, file, v, "surveys");
}

static enum err_code keep_briefing(struct load *l, const char *file, const struct val *v) {
    return load_document(l, file, v, "briefings");
}

/* One kind of file after the other over all packs, since processes need types and roles, and
 * classes need processes; indicators stand on types. */
static enum err_code read_all(struct load *l, const char *dir) {
    TRY(read_packs(l, dir));
    TRY(check_needs(l));
    for (int round = 0; round < 5; round++) {
        for (size_t i = 0; i < l->set.n_packs; i++) {
            const char *at = l->packs[i].dir;
            l->pack = l->packs[i].name;
            if (round == 0) {
                TRY(each_yaml(l, at, "types", load_type_file));
                const char *codes = file_join(l->a, at, "codes");
                if (codes == NULL) return load_nomem(l);
                TRY(one_yaml(l, codes, "lists.yaml", load_lists_file));
                TRY(each_yaml(l, at, "calendars", load_calendar_file));
            } else if (round == 1) {
                TRY(one_yaml(l, at, "roles.yaml", load_roles_file));
            } else if (round == 2) {
                TRY(each_yaml(l, at, "processes", load_process_file));
            } else if (round == 3) {
                TRY(one_yaml(l, at, "classes.yaml", load_classes_file));
            } else {
                TRY(each_yaml(l, at, "indicators", load_indicators_file));
                TRY(each_yaml(l, at, "indices", keep_index));
                TRY(each_yaml(l, at, "warnings", keep_warning));
                TRY(each_yaml(l, at, "briefings", keep_briefing));
                TRY(each_yaml(l, at, "surveys", keep_survey));
            }
        }
    }
    TRY(load_check_types(l));
    TRY(load_check_classes(l));
    TRY(load_check_indicators(l));
    return load_check_processes(l);
}

static enum err_code finish(struct load *l, const struct pack_set **out) {
    const struct table **tables = ARENA_NEW(l->a, const struct table *, l->set.n_types + 1);
    struct pack_set *set = ARENA_NEW(l->a, struct pack_set, 1);
    if (tables == NULL || set == NULL) return load_nomem(l);
    for (size_t i = 0; i < l->set.n_types; i++) tables[i] = &l->types[i].table;
    *set = l->set;
    set->tables = tables;
    set->n_tables = l->set.n_types;
    memcpy(set->hash, l->hash, sizeof set->hash);
    *out = set;
    return ERR_OK;
}

enum err_code pack_load(struct arena *a, const char *dir, struct buf *report,
                        const struct pack_set **out, struct err *err) {
    struct load l;
    TRY(load_init(&l, a, report, err));
    TRY(read_all(&l, dir));
    if (l.nomem) return load_nomem(&l);
    if (l.n_problems > 0) return l.code;
    return finish(&l, out);
}
