/* The packs that are shipped: what the program relies on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/civil.h"
#include "base/json.h"
#include "base/mem.h"
#include "domain/pack/cmd.h"
#include "domain/pack/pack.h"
#include "domain/pack/show.h"
#include "folder.h"

static struct arena *arena;
static const struct pack_set *packs;

static int setup(void **state) {
    struct buf report;
    struct err err;
    (void)state;
    arena = arena_new(64u << 20);
    buf_init(&report, 1 << 20);
    if (pack_load(arena, SOURCE_DIR "/packs", &report, &packs, &err) != ERR_OK)
        fail_msg("%s\n%s", err.detail, buf_text(&report));
    assert_int_equal(report.n, 0);
    buf_deinit(&report);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    arena_free(arena);
    return 0;
}

static const struct case_class *class_of(const char *id) {
    const struct case_class *c = pack_class(packs, id);
    if (c == NULL) fail_msg("no class %s", id);
    return c;
}

static void test_classes(void **state) {
    (void)state;
    size_t n[3] = {0};
    for (size_t i = 0; i < packs->n_classes; i++) {
        const struct case_class *c = &packs->classes[i];
        if (i > 0) assert_true(strcmp(packs->classes[i - 1].id, c->id) < 0);
        n[0] += strcmp(c->kind, "event") == 0;
        n[1] += strcmp(c->kind, "component") == 0;
        n[2] += strcmp(c->kind, "dispute") == 0;
        assert_true(c->title.en[0] != '\0' && c->title.zh[0] != '\0');
        /* A task is of no code list, and nobody's standing duty. */
        assert_true(class_is_task(c->id) || (c->trust[0] != '\0' && c->duty[0] != '\0'));
        assert_non_null(pack_process(packs, c->process));
        assert_ptr_equal(pack_class(packs, c->id), c);
    }
    assert_int_equal(n[0], 55);
    assert_int_equal(n[1], 107);
    assert_int_equal(n[2], 20);
    assert_string_equal(class_of("event-0101")->title.en, "Unauthorised building");
    assert_string_equal(class_of("component-0101")->title.en, "Water-supply manhole cover");
    assert_true(class_of("component-0118")->public_asset);
    assert_false(class_of("event-0102")->public_asset);
    assert_true(class_of("event-0402")->urgent);
    assert_true(class_of("component-0102")->urgent);
    assert_false(class_of("component-0118")->urgent);
    assert_true(class_of("dispute-02")->is_private);
    assert_false(class_of("dispute-02")->needs_place);
    assert_null(pack_class(packs, "event-9999"));
    assert_null(pack_class(packs, ""));
}

/* A person in need: private, a service task, and nothing that says why. */
static void test_vagrancy_is_private(void **state) {
    (void)state;
    const struct case_class *c = class_of("event-0502");
    assert_true(c->is_private);
    assert_string_equal(c->duty, "service");
}

static void test_limits(void **state) {
    (void)state;
    const struct case_class *c = class_of("event-0102");
    assert_int_equal(c->n_limits, 1);
    assert_string_equal(c->limits[0].state, "dispatched");
    assert_int_equal(c->limits[0].n_milli, 4000);
    assert_int_equal(c->limits[0].unit, WORK_HOUR);
    assert_true(c->limits[0].example);
    c = class_of("event-0402");
    assert_int_equal(c->n_limits, 6);
    assert_int_equal(c->limits[0].n_milli, 500);
    assert_int_equal(c->limits[0].unit, WORK_URGENT_HOUR);
    assert_false(c->limits[0].example);
}

static void test_lists_keep_rows_without_code(void **state) {
    (void)state;
    const struct code_list *l = pack_list(packs, "cjt214_events");
    assert_non_null(l);
    assert_int_equal(l->n_rows, 55);
    assert_int_equal(l->n_not_loaded, 26);
    assert_int_equal(pack_list(packs, "cjt214_components")->n_not_loaded, 8);
    for (size_t i = 0; i < packs->n_lists; i++) {
        const struct code_list *x = &packs->lists[i];
        assert_true(x->version[0] && x->source[0] && x->trust[0] && x->valid_from[0]);
    }
}

static bool has_move(const char *process, const char *name) {
    return process_move(pack_process(packs, process), name) != NULL;
}

static void test_moves_of_the_api(void **state) {
    (void)state;
    static const char *const street[] = {"report", "accept", "refuse",   "file",   "dispatch",
                                         "return", "handle", "verify",   "rework", "close",
                                         "rate",   "settle", "escalate", "reopen", "release"};
    static const char *const dispute[] = {"report",    "triage",    "accept", "refuse",  "agree",
                                          "not_agree", "follow_up", "close",  "withdraw"};
    for (size_t i = 0; i < sizeof street / sizeof *street; i++)
        assert_true(has_move("street", street[i]));
    for (size_t i = 0; i < sizeof dispute / sizeof *dispute; i++)
        assert_true(has_move("dispute", dispute[i]));
    const struct process_def *p = pack_process(packs, "street");
    static const char *const stages[] = {"collect",  "file",   "dispatch", "handle",
                                         "feedback", "verify", "close",    "rate"};
    for (size_t i = 0; i < sizeof stages / sizeof *stages; i++) {
        bool found = false;
        for (size_t k = 0; k < p->n_states; k++)
            found |= strcmp(p->states[k].stage, stages[i]) == 0;
        assert_true(found);
    }
    assert_int_equal(process_move(p, "return")->max_times, 2);
    assert_string_equal(process_move(p, "settle")->counts_as, "settled_in_cell");
    assert_null(process_state(p, "nowhere"));
}

struct who {
    const char *actor, *role, *handler;
    int64_t returns;
};

static void who_lookup(void *ctx, const struct expr_var *var, struct expr_value *out) {
    const struct who *w = ctx;
    const char *s = NULL;
    if (var->slot == PACK_SLOT_ACTOR_NAME) s = w->actor;
    if (var->slot == PACK_SLOT_ACTOR_ROLE) s = w->role;
    if (strcmp(var->name, "handler") == 0 || strcmp(var->name, "case.handler") == 0) s = w->handler;
    if (s != NULL) *out = (struct expr_value){.type = EXPR_STRING, .s = s};
    if (strcmp(var->name, "returns") == 0 || strcmp(var->name, "case.returns") == 0)
        *out = (struct expr_value){.type = EXPR_INT, .i = w->returns};
}

static bool may(const char *move, struct who w) {
    return expr_eval(process_move(pack_process(packs, "street"), move)->guard, who_lookup, &w);
}

static void test_guards(void **state) {
    (void)state;
    assert_false(may("verify", (struct who){"li", "verifier", "li", 0}));
    assert_true(may("verify", (struct who){"wang", "verifier", "li", 0}));
    assert_false(may("rework", (struct who){"li", "verifier", "li", 0}));
    assert_false(may("verify", (struct who){NULL, "verifier", "li", 0}));
    assert_true(may("dispatch", (struct who){"op", "operator", NULL, 1}));
    assert_false(may("dispatch", (struct who){"op", "operator", NULL, 2}));
    assert_true(may("dispatch", (struct who){"boss", "supervisor", NULL, 2}));
}

static bool grants(const struct role_def *r, const char *what) {
    for (size_t i = 0; i < r->n_grants; i++)
        if (strncmp(r->grants[i], what, strlen(what)) == 0) return true;
    return false;
}

static void test_three_administrators_apart(void **state) {
    (void)state;
    static const char *const admins[] = {"system_admin", "security_admin", "audit_admin"};
    static const char *const own[] = {"account.manage", "session.manage", "audit.read"};
    for (size_t i = 0; i < 3; i++) {
        const struct role_def *r = pack_role(packs, admins[i]);
        assert_int_equal(r->cases, SCOPE_NONE);
        assert_false(grants(r, "case."));
        assert_false(r->personal || r->sensitive || r->private_cases);
        for (size_t k = 0; k < 3; k++) assert_int_equal(grants(r, own[k]), i == k);
    }
    assert_int_equal(pack_role(packs, "worker")->cases, SCOPE_OWN_CELLS);
    assert_int_equal(pack_role(packs, "department")->cases, SCOPE_UNIT);
    assert_false(pack_role(packs, "worker")->private_cases);
    assert_null(pack_role(packs, "nobody"));
}

static void test_personal_fields_are_commitments(void **state) {
    (void)state;
    size_t n = 0;
    for (size_t i = 0; i < packs->n_types; i++) {
        const struct type_def *t = &packs->types[i];
        assert_true(t->purpose[0] != '\0' && t->purpose_zh[0] != '\0');
        assert_ptr_equal(packs->tables[i], &t->table);
        assert_int_equal(t->table.kind, TABLE_LEDGER);
        for (size_t k = 0; k < t->n_fields; k++) {
            const struct field_def *f = &t->fields[k];
            const struct column *c = &t->table.cols[k];
            assert_string_equal(f->name, c->name);
            assert_int_equal(c->personal, f->sensitivity >= SENS_PERSONAL);
            if (!c->personal) continue;
            assert_true(f->basis[0] != '\0');
            assert_true(c->type == COL_TEXT || c->type == COL_JSON);
            n++;
        }
    }
    assert_int_equal(n, 11); /* person 4, case 3, step 1, party 3 */
    assert_string_equal(pack_type(packs, "case")->table.name, "case_");
    assert_string_equal(pack_type(packs, "area")->table.name, "area");
}

static int64_t at(const struct tz *tz, const char *local) {
    int64_t us = 0;
    char text[64];
    (void)snprintf(text, sizeof text, "%s+08:00", local);
    (void)tz;
    assert_int_equal(rfc3339_parse(text, &us, NULL), ERR_OK);
    return us;
}

static void test_calendar(void **state) {
    (void)state;
    const struct tz *tz;
    const struct work_calendar *cal;
    struct err err;
    bool unconfirmed = false;
    assert_int_equal(tz_load(arena, "Asia/Shanghai", &tz, &err), ERR_OK);
    if (pack_calendar(arena, packs, "cn", tz, &cal, &err) != ERR_OK) fail_msg("%s", err.detail);
    /* Shifted working Sundays and Saturdays of the three notices, and days off. */
    static const char *const open[] = {"2024-02-04", "2024-10-12", "2025-01-26", "2025-10-11",
                                       "2026-01-04", "2026-02-14", "2026-02-28", "2026-10-10"};
    static const char *const shut[] = {"2024-02-12", "2024-06-10", "2025-01-28", "2025-10-08",
                                       "2026-02-23", "2026-05-05", "2026-09-25", "2026-01-10"};
    for (size_t i = 0; i < 8; i++) {
        char t[40];
        (void)snprintf(t, sizeof t, "%sT10:00:00", open[i]);
        assert_true(work_is_open(cal, at(tz, t)));
        (void)snprintf(t, sizeof t, "%sT10:00:00", shut[i]);
        assert_false(work_is_open(cal, at(tz, t)));
    }
    /* Four working hours from Saturday noon before the 2026 Spring Festival: 3 h remain that
     * afternoon... */
    int64_t due = work_deadline(cal, at(tz, "2026-02-14T13:30:00"), 5000, WORK_HOUR, &unconfirmed);
    assert_int_equal(due, at(tz, "2026-02-24T09:30:00"));
    assert_false(unconfirmed);
    (void)work_deadline(cal, at(tz, "2026-12-31T13:30:00"), 5000, WORK_HOUR, &unconfirmed);
    assert_true(unconfirmed);
    assert_int_equal(pack_calendar(arena, packs, "mars", tz, &cal, &err), ERR_NOT_FOUND);
}

static void test_hash_notices_a_change(void **state) {
    (void)state;
    char dir[FOLDER_PATH];
    const struct pack_set *again, *changed;
    struct arena *a = arena_new(64u << 20);
    folder_make(dir);
    folder_copy(SOURCE_DIR "/packs", dir);
    assert_int_equal(pack_load(a, dir, NULL, &again, NULL), ERR_OK);
    folder_edit(dir, "cases/codes/events.csv", "Exposed refuse", "Exposed garbage");
    assert_int_equal(pack_load(a, dir, NULL, &changed, NULL), ERR_OK);
    assert_memory_not_equal(again->hash, changed->hash, sizeof again->hash);
    folder_remove(dir);
    arena_free(a);
}

static void test_show(void **state) {
    (void)state;
    struct buf text;
    struct err err;
    struct show what = {.classes = true};
    buf_init(&text, 4 << 20);
    assert_int_equal(show_text(packs, &what, &text, &err), ERR_OK);
    assert_non_null(strstr(buf_text(&text), "not loaded, since they have no code: 26"));
    assert_non_null(strstr(buf_text(&text), "违规户外广告"));
    assert_non_null(strstr(buf_text(&text), "event-0502"));
    buf_clear(&text);
    what = (struct show){.type = "case"};
    assert_int_equal(show_text(packs, &what, &text, &err), ERR_OK);
    assert_non_null(strstr(buf_text(&text), "description"));
    assert_null(strstr(buf_text(&text), "process street"));
    what = (struct show){.type = "csae"};
    assert_int_equal(show_text(packs, &what, &text, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.detail, "did you mean \"case\""));
    buf_clear(&text);
    what = (struct show){.pack = "cases"};
    assert_int_equal(show_json(packs, &what, &text, &err), ERR_OK);
    assert_non_null(strstr(buf_text(&text), "\"not_loaded\":["));
    assert_null(strstr(buf_text(&text), "\"pack\":\"city\""));
    buf_clear(&text);
    what = (struct show){.pack = NULL};
    assert_int_equal(show_text(packs, &what, &text, &err), ERR_OK);
    for (size_t i = 0; i < packs->n_types; i++)
        assert_non_null(strstr(buf_text(&text), packs->types[i].purpose_zh));
    buf_clear(&text);
    assert_int_equal(show_json(packs, &what, &text, &err), ERR_OK);
    const struct val *v = NULL;
    if (json_parse(arena, text.p, text.n, &v, &err) != ERR_OK) fail_msg("%s", err.detail);
    assert_int_equal(val_get(v, "classes")->n, packs->n_classes);
    assert_int_equal(val_get(v, "types")->n, packs->n_types);
    assert_int_equal(val_get(v, "roles")->n, packs->n_roles);
    buf_deinit(&text);
}

static int check_alone(int argc, char **argv) { return pack_cmd_check(argc, argv, NULL); }

static int run(int (*cmd)(int, char **), const char *a, const char *b) {
    char arg[2][256];
    char *argv[] = {arg[0], arg[1], NULL};
    int argc = 0;
    const char *given[] = {a, b};
    for (int i = 0; i < 2; i++)
        if (given[i] != NULL) (void)snprintf(arg[argc++], sizeof arg[0], "%s", given[i]);
    return cmd(argc, argv);
}

static void test_exit_codes(void **state) {
    (void)state;
    assert_int_equal(run(check_alone, SOURCE_DIR "/packs", "--json"), 0);
    assert_int_equal(run(check_alone, SOURCE_DIR "/packs", NULL), 0);
    assert_int_equal(run(check_alone, "/nowhere", NULL), 1);
    assert_int_equal(run(check_alone, "--jason", NULL), 2);
    assert_int_equal(run(pack_cmd_show, SOURCE_DIR "/packs", "--process=dispute"), 0);
    assert_int_equal(run(pack_cmd_show, SOURCE_DIR "/packs", "--process=disputte"), 1);
    assert_int_equal(run(pack_cmd_show, "--no", NULL), 2);
}

static void test_memory_faults(void **state) {
    (void)state;
    long live = mem_live();
    /* Every chunk of the arena and every buffer may be refused; steps keep the time in bounds. */
    for (long n = 0;; n += n < 40 ? 1 : 37) {
        const struct pack_set *p = NULL;
        mem_fault_arm(n);
        struct arena *a = arena_new(64u << 20);
        enum err_code rc =
            a == NULL ? ERR_NOMEM : pack_load(a, SOURCE_DIR "/packs", NULL, &p, NULL);
        int fired = mem_fault_disarm();
        arena_free(a);
        assert_int_equal(mem_live(), live);
        if (!fired) {
            assert_int_equal(rc, ERR_OK);
            break;
        }
        assert_int_not_equal(rc, ERR_OK);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_vagrancy_is_private),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_lists_keep_rows_without_code),
        cmocka_unit_test(test_moves_of_the_api),
        cmocka_unit_test(test_guards),
        cmocka_unit_test(test_three_administrators_apart),
        cmocka_unit_test(test_personal_fields_are_commitments),
        cmocka_unit_test(test_calendar),
        cmocka_unit_test(test_hash_notices_a_change),
        cmocka_unit_test(test_show),
        cmocka_unit_test(test_exit_codes),
        cmocka_unit_test(test_memory_faults),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
