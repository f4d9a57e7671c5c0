/* What is wrong in a pack is told with file, line and what was meant: each row edits a copy of the
 * shipped packs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "domain/pack/pack.h"
#include "folder.h"

struct slip {
    const char *file, *from, *to; /* the first `from` becomes `to` */
    const char *says;             /* must stand in the report */
};

static const char street[] = "cases/processes/street.yaml";
static const char case_yaml[] = "cases/types/case.yaml";
static const char classes[] = "cases/classes.yaml";
static const char calendar[] = "city/calendars/cn.yaml";

static const struct slip slips[] = {
    /* YAML itself */
    {street, "type: case\n", "type: case\ntype: case\n", "street.yaml:"},
    {street, "type: case\n", "type: &a case\n", "street.yaml:"},
    /* keys and values of any file */
    {case_yaml, "sensitivity: public, engine: true, title: {en: Case number",
     "sevrity: public, engine: true, title: {en: Case number",
     "types/case.yaml:6: key \"sevrity\" is not known"},
    {case_yaml, "kind: text", "kind: tekst",
     "case.yaml:6: kind \"tekst\" is not known; did you mean "
     "\"text\"?"},
    {case_yaml, "name: code,", "name: Code,", "\"Code\" is no name: small letters"},
    {case_yaml, "max: 40", "max: forty", "\"max\": found text, expected a whole number"},
    {case_yaml, "max: 40", "max: 0", "\"max\": 0 is outside 1 to 65536"},
    {case_yaml, "required: true", "required: 1", "\"required\": found "},
    {case_yaml, "{en: Case number, zh: 案件编号}", "{en: Case number}", "\"zh\" is missing"},
    {case_yaml, "{en: Case number, zh: 案件编号}", "Case number",
     "\"title\": found text, expected {en: ..., zh: ...}"},
    {"cases/pack.yaml", "version: \"1\"", "version: 1", "expected text; put it in quotes"},
    {"cases/pack.yaml", "pack: cases", "pack: case", "lies in a folder named \"cases\""},
    {"cases/pack.yaml", "needs: [city]", "needs: [citty]", "did you mean \"city\"?"},
    {"cases/pack.yaml", "purpose:", "purpos:", "did you mean \"purpose\"?"},
    /* types */
    {case_yaml, "sensitivity: public, ", "", "\"sensitivity\" is missing"},
    {case_yaml, "basis: \"PIPL art. 13(1)(3)", "ref: \"PIPL", "is personal and needs a \"basis\""},
    {case_yaml, "name: overdue, kind: bool, sensitivity: internal",
     "name: overdue, kind: bool, basis: x, sensitivity: personal", "is kept as a commitment"},
    {case_yaml, "purpose: {", "purpos: {", "case.yaml:2: \"purpose\" is missing"},
    {case_yaml, "name: lat,", "name: lon,", "field \"lon\" stands here twice, first in line 12"},
    {case_yaml, "name: lat,", "name: version,", "is there in every type"},
    {case_yaml, "name: lat,", "name: import,", "has a meaning in conditions"},
    {case_yaml, "ref: post", "ref: poost", "type \"poost\" is not known; did you mean \"post\"?"},
    {case_yaml, "[town, opened_at]", "[toun, opened_at]",
     "column \"toun\" is not known; did you mean "
     "\"town\"?"},
    {case_yaml, "[town, opened_at]", "[contact, opened_at]",
     "is personal: there is no index over it"},
    {"city/types/unit.yaml", "codes: unit_kinds", "codes: unit_kind",
     "did you mean \"unit_kinds\"?"},
    {"city/types/unit.yaml", "type: unit", "type: area", "type \"area\" is declared in"},
    {"city/types/unit.yaml", "type: unit", "type: session", "the name of a table of the program"},
    {case_yaml, "form: true, title: {en: Place in words",
     "form: true, show_if: 'proces == \"street\"', title: {en: Place in words",
     "case.yaml:14: condition: \"proces\" is not known; did you mean \"process\"?"},
    {case_yaml, "form: true, title: {en: Place in words",
     "form: true, show_if: 'contact == \"x\"', title: {en: Place in words",
     "\"contact\" is not known"},
    {"city/types/area.yaml", "kind: shape, sensitivity: public, engine: true",
     "kind: shape, sensitivity: public", "kinds json and shape are for fields marked engine"},
    /* processes: the checks of the chart */
    {street, "initial: true", "initial: false", "has 0 initial states; it needs exactly one"},
    {street, "stage: file\n", "stage: file\n    initial: true\n", "has 2 initial states"},
    {street, "    to: verified\n", "    to: handled\n", "state \"verified\" cannot be reached"},
    {street, "from: [verified]", "from: [handled]", "state \"verified\" is a dead end"},
    {street, "limit: 5 work_day", "clock: true", "state \"dispatched\" waits without a limit"},
    {street, "limit: 5 work_day", "limit: 5 days", "\"5 days\" is no time limit"},
    {street, "limit: 5 work_day", "limit: 5 work_day\n    clock: false", "waits without a clock"},
    {street, "holder: verifier", "holder: none", "waits, but nobody holds it"},
    {street, "holder: verifier", "holder: verfier",
     "holder \"verfier\" is not known; did you mean "
     "\"verifier\"?"},
    {street, "roles: [department]", "roles: []", "move \"return\" can be made by nobody"},
    {street, "roles: [department]", "roles: [departement]",
     "role \"departement\" is not known; did you "
     "mean \"department\"?"},
    {street, "roles: [department]", "roles: [audit_admin]", "sees no cases or lacks the grant"},
    {"cases/processes/dispute.yaml", "    roles: [mediator]\n    inputs: [note]\n    set: {handler",
     "    roles: [department]\n    inputs: [note]\n    set: {handler",
     "move \"accept\" can be made by nobody"},
    {street, "from: [accepted]\n    to: filed", "from: [acepted]\n    to: filed",
     "state \"acepted\" is not known; did you mean \"accepted\"?"},
    {street, "to: filed\n    roles: [operator", "to: filled\n    roles: [operator",
     "state \"filled\" is not known; did you mean \"filed\"?"},
    {street, "set: {unit: \"input:unit\"}", "set: {uint: \"input:unit\"}",
     "field \"uint\" is not known; did you mean \"unit\"?"},
    {street, "set: {unit: \"input:unit\"}", "set: {unit: \"input:post\"}",
     "field \"unit\" cannot be set from \"input:post\""},
    {street, "set: {unit: \"input:unit\"}", "set: {opened_at: \"input:unit\"}",
     "cannot be set from"},
    {street, "handler: actor", "handler: actr",
     "source \"actr\" is not known; did you mean \"actor\"?"},
    {street, "actor.name != handler", "actor.nam != handler",
     "condition: \"actor.nam\" is not known; did you mean \"actor.name\"?"},
    {street, "actor.name != handler", "returns != handler", "compares an int with a string"},
    {street, "actor.name != handler", "handler.matches(\"x\")",
     "function \"matches\" is not supported"},
    {street, "when: 'private == false'", "when: 'false'", "its condition never holds"},
    {street, "when: 'private == false'", "when: 'true'", "always holds: leave it out"},
    {street, "max_times: 2", "max_times: 2\n    counts_as: return", "street.yaml:"},
    {street, "    counts_as: return\n", "", "has max_times, which needs counts_as"},
    {street, "counts_as: rework", "counts_as: rewrok", "did you mean \"rework\"?"},
    /* processes: clocks that stand and are moved */
    {street, "clock: ask_pause", "clock: ask_paws", "did you mean \"ask_pause\"?"},
    {street, "{name: until, required: true}", "until", "it requires the input \"until\""},
    {street, "{name: days, required: true}", "days", "it requires the input \"days\""},
    {street, "kind: date, max: 366", "kind: text, max: 366", "it requires the input \"until\""},
    {street, "    clock: resume\n", "", "stops a clock that no move resumes"},
    {street, "    clock: refuse\n", "", "asks for what no move refuses"},
    {street, "    clock: ask_extend\n", "", "grants what no move asks for: clock: ask_extend"},
    {street, "    clock: pause\n", "", "asks for what no move grants: clock: pause"},
    {street, "    clock: pause\n", "", "counts_as: suspend and clock: pause go together"},
    {street, "    counts_as: extend\n", "", "counts_as: extend and clock: extend go together"},
    {street, "    max_times: 2\n    public: true\n  - name: refuse_request",
     "    public: true\n  - name: refuse_request", "gives more time without end: say max_times"},
    {street, "    clock: resume\n", "    clock: resume\n    to: handled\n",
     "so it stays in its state"},
    {case_yaml, "  - {name: clock_left_us,", "  - {name: clock_left,",
     "needs the field \"clock_left_us\""},
    /* processes: confirmed on the spot before filing */
    {case_yaml, "  - {name: confirm_left_us,", "  - {name: confirm_left,",
     "needs the field \"confirm_left_us\""},
    {street, "stage: confirm\n    holder: worker", "stage: confirm\n    holder: desk",
     "is of stage confirm, so its holder is the worker"},
    {street, "from: [accepted]\n    to: confirming",
     "from: [reported, accepted]\n    to: confirming", "is entered from states of stage file"},
    {street, "stage: confirm\n", "stage: confrim\n", "did you mean \"confirm\"?"},
    {street, "overdue: escalate", "overdue: accept",
     "the overdue move \"accept\" must be a move from "
     "here that the role system may make"},
    {street, "- {name: unit, kind: unit,", "- {name: unitt, kind: unit,",
     "input \"unit\" has no kind"},
    {street, "    from: []\n    to: reported", "    from: []\n    to: accepted",
     "so it leads to the initial state"},
    {street, "type: case\n", "type: cse\n", "type \"cse\" is not known; did you mean \"case\"?"},
    {street, "stage: feedback", "stage: feedbak", "did you mean \"feedback\"?"},
    {street, "name: accepted", "name: filed", "state \"filed\" stands here twice"},
    {street, "    public: {en: Received", "    final: true\n    public: {en: Received",
     "is final: no limit runs there"},
    /* classes, lists */
    {classes, "process: street", "process: stret",
     "process \"stret\" is not known; did you mean "
     "\"street\"?"},
    {classes, "list: cjt214_events", "list: cjt214_event", "did you mean \"cjt214_events\"?"},
    {classes, "codes: [\"0502\"]", "codes: [\"0592\"]",
     "the rule names 1 codes or majors, but only 0"},
    {classes, "limits: {dispatched: 20 work_day}", "limits: {dispached: 20 work_day}",
     "process \"street\" has no state \"dispached\""},
    {classes, "    private: true\n", "", "must say whether it is private"},
    {classes, "classes: []", "classes:\n  - {kind: event, code: \"0102\", title: {en: A, zh: 甲}}",
     "class \"event-0102\" is declared twice"},
    {classes, "- {kind: event, major: \"03\"", "- {kind: evnt, major: \"03\"",
     "did you mean \"event\"?"},
    {"cases/codes/lists.yaml", "file: events.csv", "file: event.csv", "there is no such file"},
    {"cases/codes/lists.yaml", "file: events.csv", "file: ../../city/codes/duties.csv",
     "is a name in the same folder"},
    {"cases/codes/lists.yaml", "valid_from: unknown", "valid_from: soon", "write a date"},
    {"cases/codes/events.csv", "0103,Accum", "0102,Accum",
     "events.csv:4: code \"0102\" stands in line 3"},
    {"cases/codes/events.csv", "name_zh,", "name_cn,", "column \"name_cn\" is not known"},
    {"cases/codes/events.csv", "Dirty road,", "\"Dirty road,", "events.csv"},
    /* roles */
    {"city/roles.yaml", "case.export, ", "case.exprt, ", "did you mean \"case.export\"?"},
    {"city/roles.yaml", "grants: [audit.read, pack.read]", "grants: [audit.read, case.read]",
     "rights on cases: these are kept apart"},
    {"city/roles.yaml", "grants: [audit.read, pack.read]", "grants: [audit.read, account.manage]",
     "the three administrators are apart"},
    {"city/roles.yaml", "role: mediator", "role: worker", "role \"worker\" is declared twice"},
    {"city/roles.yaml", "role: mediator", "role: reporter", "cannot be declared as a role"},
    {"city/roles.yaml", "cases: own_cells", "cases: own_cell", "did you mean \"own_cells\"?"},
    /* calendar */
    {calendar, "\"2024-06-10\"", "\"2025-06-10\"", "write a day of 2024"},
    {calendar, "\"2024-06-10\"", "\"2024-02-30\"", "write a day of 2024"},
    {calendar, "\"2024-06-10\"", "\"2024-05-01\"", "a day stands here twice"},
    {calendar, "08:30-12:00", "08:30-25:00", "write spans of the day in order"},
    {calendar, "mon, tue", "mon, tues", "did you mean \"tue\"?"},
    {calendar, "year: 2025", "year: 2028", "without a gap"},
};

/* NULL when the slip is told as it should be, else what was said instead. */
static const char *try_slip(const char *work, const struct slip *s, struct arena *a,
                            struct buf *report) {
    const struct pack_set *p = NULL;
    struct err err = {.code = ERR_OK};
    folder_edit(work, s->file, s->from, s->to);
    enum err_code rc = pack_load(a, work, report, &p, &err);
    folder_restore(SOURCE_DIR "/packs", work, s->file);
    const char *name = strrchr(s->file, '/') + 1;
    if (rc == ERR_OK) return "it was taken";
    if (err.code != rc) return "the error and the code differ";
    if (strstr(buf_text(report), s->says) == NULL) return buf_text(report);
    if (strstr(buf_text(report), name) == NULL && strcmp(name, "pack.yaml") != 0)
        return "the file is not named";
    return NULL;
}

static void test_each_slip(void **state) {
    char dir[FOLDER_PATH], work[2 * FOLDER_PATH];
    size_t n_bad = 0;
    (void)state;
    folder_make(dir);
    folder_path(work, dir, "packs");
    folder_copy(SOURCE_DIR "/packs", work);
    for (size_t i = 0; i < sizeof slips / sizeof *slips; i++) {
        const struct slip *s = &slips[i];
        struct arena *a = arena_new(64u << 20);
        struct buf report;
        buf_init(&report, 1 << 20);
        const char *said = try_slip(work, s, a, &report);
        if (said != NULL) {
            n_bad++;
            print_error("%s: \"%s\"\n  wanted: %s\n  said: %.600s\n", s->file, s->to, s->says,
                        said);
        }
        buf_deinit(&report);
        arena_free(a);
    }
    folder_remove(dir);
    assert_int_equal(n_bad, 0);
    print_message("%zu slips, each told\n", sizeof slips / sizeof *slips);
}

static void test_all_problems_in_one_run(void **state) {
    char dir[FOLDER_PATH];
    (void)state;
    folder_make(dir);
    folder_copy(SOURCE_DIR "/packs", dir);
    folder_edit(dir, case_yaml, "kind: text", "kind: tekst");
    folder_edit(dir, street, "holder: verifier", "holder: verfier");
    folder_edit(dir, classes, "list: cjt214_events", "list: cjt214_event");
    folder_edit(dir, "city/roles.yaml", "cases: own_cells", "cases: own_cell");
    struct arena *a = arena_new(64u << 20);
    const struct pack_set *p = NULL;
    struct buf report;
    buf_init(&report, 1 << 20);
    assert_int_not_equal(pack_load(a, dir, &report, &p, NULL), ERR_OK);
    assert_non_null(strstr(buf_text(&report), "tekst"));
    assert_non_null(strstr(buf_text(&report), "verfier"));
    assert_non_null(strstr(buf_text(&report), "cjt214_event\""));
    assert_non_null(strstr(buf_text(&report), "own_cell\""));
    buf_deinit(&report);
    arena_free(a);
    folder_remove(dir);
}

static enum err_code load_only(const char *dir, struct err *err) {
    struct arena *a = arena_new(64u << 20);
    const struct pack_set *p = NULL;
    enum err_code rc = pack_load(a, dir, NULL, &p, err);
    arena_free(a);
    return rc;
}

static void test_folders(void **state) {
    char dir[FOLDER_PATH];
    struct err err;
    (void)state;
    folder_make(dir);
    assert_int_equal(load_only("/nowhere/at/all", &err), ERR_NOT_FOUND);
    assert_int_equal(load_only(dir, &err), ERR_NOT_FOUND);
    folder_put(dir, "x/readme.txt", "hello");
    assert_int_not_equal(load_only(dir, &err), ERR_OK);
    assert_non_null(strstr(err.detail, "pack.yaml"));
    folder_put(dir, "x/pack.yaml",
               "pack: x\nversion: \"1\"\ntitle: {en: X, zh: 测试}\n"
               "purpose: {en: Test, zh: 测试}\n");
    assert_int_equal(load_only(dir, &err), ERR_OK);
    folder_put(dir, "x/type/a.yaml", "");
    assert_int_equal(load_only(dir, &err), ERR_INVALID);
    assert_non_null(strstr(err.detail, "did you mean \"types\"?"));
    folder_remove(dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_slip),
        cmocka_unit_test(test_all_problems_in_one_run),
        cmocka_unit_test(test_folders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
