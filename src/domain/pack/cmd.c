#include "domain/pack/cmd.h"

#include "base/hash.h"
#include "base/json.h"
#include "base/opt.h"
#include "domain/pack/pack.h"
#include "domain/pack/show.h"

#include <stdio.h>
#include <string.h>

enum { MAX_MEMORY = 256 << 20, MAX_REPORT = 1 << 20, MAX_OUTPUT = 16 << 20 };

static int wrong_use(const char *command, const struct err *err) {
    (void)fprintf(stderr, "gezhi pack %s: %s\n", command, err->detail);
    return 2;
}

static bool asks_help(int argc, char **argv) {
    for (int i = 0; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) return true;
    return false;
}

static void print_counts(const struct pack_set *p) {
    (void)printf("all is well; packs: %zu, types: %zu, code lists: %zu, classes: %zu, processes: "
                 "%zu, roles: %zu, calendars: %zu\n",
                 p->n_packs, p->n_types, p->n_lists, p->n_classes, p->n_processes, p->n_roles,
                 p->n_calendars);
    for (size_t i = 0; i < p->n_lists; i++)
        if (p->lists[i].n_not_loaded > 0)
            (void)printf("list %s: %zu rows without a code are not loaded (gezhi pack show "
                         "--classes lists them)\n",
                         p->lists[i].id, p->lists[i].n_not_loaded);
}

static void report_json(struct jw *w, const char *report) {
    jw_key(w, "problems");
    jw_arr(w);
    while (*report != '\0') {
        size_t n = strcspn(report, "\n");
        jw_strn(w, report, n);
        report += n + (report[n] == '\n' ? 1 : 0);
    }
    jw_end(w, ']');
}

static void check_json(enum err_code rc, const struct err *err, const char *report,
                       const struct pack_set *p) {
    struct buf out;
    struct jw w;
    buf_init(&out, MAX_OUTPUT);
    jw_init(&w, &out);
    jw_obj(&w);
    jw_kbool(&w, "ok", rc == ERR_OK);
    /* A fault before any file was read has no line in the report. */
    report_json(&w, rc != ERR_OK && report[0] == '\0' ? err->detail : report);
    if (p != NULL) {
        char hex[65];
        hash_hex(p->hash, sizeof p->hash, hex);
        jw_kstr(&w, "hash", hex);
        jw_kint(&w, "packs", (int64_t)p->n_packs);
        jw_kint(&w, "types", (int64_t)p->n_types);
        jw_kint(&w, "lists", (int64_t)p->n_lists);
        jw_kint(&w, "classes", (int64_t)p->n_classes);
        jw_kint(&w, "processes", (int64_t)p->n_processes);
        jw_kint(&w, "roles", (int64_t)p->n_roles);
    }
    jw_end(&w, '}');
    (void)puts(buf_text(&out));
    buf_deinit(&out);
}

int pack_cmd_check(int argc, char **argv, pack_further *further) {
    bool json = false;
    const struct opt opts[] = {{"json", OPT_FLAG, &json, false, NULL, "print the result as JSON"}};
    const struct opt_command cmd = {"pack check",
                                    "[DIR]",
                                    0,
                                    1,
                                    opts,
                                    1,
                                    "check a folder of packs and say what is wrong and where",
                                    NULL};
    size_t n = 0;
    struct err err = {.code = ERR_OK};
    if (asks_help(argc, argv)) {
        opt_help(&cmd);
        return 0;
    }
    if (opt_parse(&cmd, argc, argv, &n, &err) != ERR_OK) return wrong_use("check", &err);
    struct buf report;
    buf_init(&report, MAX_REPORT);
    struct arena *a = arena_new(MAX_MEMORY);
    const struct pack_set *p = NULL;
    enum err_code rc = a == NULL ? err_fail(&err, ERR_NOMEM, "out of memory")
                                 : pack_load(a, n > 0 ? argv[0] : "packs", &report, &p, &err);
    if (rc == ERR_OK && further != NULL) rc = further(a, p, &err);
    if (json)
        check_json(rc, &err, buf_text(&report), p);
    else if (rc == ERR_OK)
        print_counts(p);
    else if (report.n > 0)
        (void)fputs(buf_text(&report), stderr);
    else
        (void)fprintf(stderr, "%s\n", err.detail);
    buf_deinit(&report);
    arena_free(a);
    return rc == ERR_OK ? 0 : 1;
}

static int print_packs(const char *dir, const struct show *what, bool json) {
    struct err err = {.code = ERR_OK};
    struct buf report, out;
    buf_init(&report, MAX_REPORT);
    buf_init(&out, MAX_OUTPUT);
    struct arena *a = arena_new(MAX_MEMORY);
    const struct pack_set *p = NULL;
    enum err_code rc = a == NULL ? err_fail(&err, ERR_NOMEM, "out of memory")
                                 : pack_load(a, dir, &report, &p, &err);
    if (rc == ERR_OK) rc = json ? show_json(p, what, &out, &err) : show_text(p, what, &out, &err);
    if (rc != ERR_OK)
        (void)fprintf(stderr, "%s%s", report.n > 0 ? buf_text(&report) : err.detail,
                      report.n > 0 ? "" : "\n");
    else
        (void)printf("%s%s", buf_text(&out), json ? "\n" : "");
    buf_deinit(&report);
    buf_deinit(&out);
    arena_free(a);
    return rc == ERR_OK ? 0 : 1;
}

int pack_cmd_show(int argc, char **argv) {
    struct show what = {NULL, NULL, NULL, false};
    bool json = false;
    const struct opt opts[] = {
        {"pack", OPT_STR, &what.pack, false, "NAME", "only what this pack holds"},
        {"type", OPT_STR, &what.type, false, "NAME", "only this type"},
        {"process", OPT_STR, &what.process, false, "NAME", "only this process"},
        {"classes", OPT_FLAG, &what.classes, false, NULL,
         "code lists and classes, with rows not loaded"},
        {"json", OPT_FLAG, &json, false, NULL, "print as JSON"}};
    const struct opt_command cmd = {
        "pack show", "[DIR]", 0, 1, opts, sizeof opts / sizeof *opts, "show what the packs say",
        NULL};
    size_t n = 0;
    struct err err = {.code = ERR_OK};
    if (asks_help(argc, argv)) {
        opt_help(&cmd);
        return 0;
    }
    if (opt_parse(&cmd, argc, argv, &n, &err) != ERR_OK) return wrong_use("show", &err);
    return print_packs(n > 0 ? argv[0] : "packs", &what, json);
}
