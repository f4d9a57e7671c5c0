/* What is wrong in a file of indicators is told with file and line: each row edits a copy of the
 * shipped packs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "domain/pack/pack.h"
#include "folder.h"

struct slip {
    const char *from, *to; /* the first `from` of safety.yaml becomes `to` */
    const char *says;      /* must stand in the report */
};

static const char file[] = "safety-index/indicators/safety.yaml";

static const struct slip slips[] = {
    {"indicators:\n", "indicator:\n", "safety.yaml:2: key \"indicator\" is not known"},
    {"measure: ratio", "measure: rato", "safety.yaml:4: measure \"rato\" is not known"},
    {"measure: ratio, ", "", "safety.yaml:4: \"measure\" is missing"},
    {"of: serious_crimes", "of: serious_crime", "did you mean \"serious_crimes\"?"},
    {"of: serious_crimes, ", "", "safety.yaml:4: \"of\" is missing"},
    {"to: residents, ", "", "safety.yaml:4: \"to\" is missing"},
    {"to: residents", "to: residnts", "did you mean \"residents\"?"},
    {"of: serious_crimes, to", "of: serious_crime_rate, to", "stands on itself"},
    {"per: 10000", "per: 0", "safety.yaml:4: \"per\": expected a number above 0"},
    {"per: 10000", "per: many", "safety.yaml:4: \"per\": expected a number"},
    {"per: 10000", "per: .nan", "safety.yaml:4: only finite numbers are allowed"},
    {"direction: more_is_worse", "direction: worse", "direction \"worse\" is not known"},
    {"direction: more_is_worse, ", "", "safety.yaml:4: \"direction\" is missing"},
    {"unit: {en: \"per 10,000 residents\", zh: 起/万人}", "unit: {en: x}", "\"zh\" is missing"},
    {"explain: {en: Serious crimes per 10 000 residents., zh: 每万常住人口八类严重刑事案件数。}",
     "note: x", "safety.yaml:4: key \"note\" is not known"},
    {"indicator: theft_rate", "indicator: serious_crime_rate", "is declared in"},
    {"indicator: theft_rate", "indicator: Theft", "\"Theft\" is no name"},
    {"indicator: theft_rate", "indicator: resident_score", "stands for what Gezhi refuses"},
    {"type: case, filter: 'process == \"dispute\"'",
     "type: cases, filter: 'process == \"dispute\"'", "there is no type \"cases\""},
    {"filter: 'process == \"dispute\"'", "filter: 'proces == \"dispute\"'", "proces"},
    {"filter: 'process == \"dispute\"'", "filter: 'process =='", "safety.yaml:11:"},
    {"filter: 'process == \"dispute\"'", "filter: 'contact == \"x\"'", "safety.yaml:11:"},
    {"time: promised_at", "time: promissed_at", "has no field \"promissed_at\""},
    {"time: promised_at", "time: unit", "is of kind text, expected time"},
    {"time: promised_at, ", "", "safety.yaml:11: \"time\" is missing"},
    {"basis: due", "basis: dew", "basis \"dew\" is not known"},
    {"basis: due, ", "", "safety.yaml:11: \"basis\" is missing"},
    {"part: 'handled_at <= promised_at', ", "", "safety.yaml:12: \"part\" is missing"},
    {"enough: 10", "enough: -1", "\"enough\": -1 is outside 0 to 1000000"},
    {"guarded: true", "guarded: 1", "\"guarded\": found "},
    {"from: opened_at", "from: score", "is of kind int, expected time"},
    {"until: handled_at, ", "", "\"until\" is missing"},
    {"against: three_years, per", "against: ten_years, per", "against \"ten_years\" is not known"},
    {"against: three_years, per", "per", "\"against\" is missing"},
    {"measure: ratio, of: serious_crimes, to: residents",
     "measure: distinct, type: case, value: contact, time: opened_at, basis: filed",
     "is personal; an indicator never reads it"},
    {"measure: ratio, of: serious_crimes, to: residents",
     "measure: sum, type: case, value: unit, time: opened_at, basis: filed",
     "is of kind text, expected int or number"},
    {"measure: ratio, of: serious_crimes, to: residents",
     "measure: total, terms: [{indicator: nothing_such}]", "nothing_such"},
    {"measure: ratio, of: serious_crimes, to: residents",
     "measure: total, terms: [{indicator: fires, wieght: 2}]", "key \"wieght\" is not known"},
    {"measure: ratio, of: serious_crimes, to: residents, per: 10000",
     "measure: figure, version: 2, valid_from: 2026-13-01, per: 1", "is no date"},
    {"measure: ratio, of: serious_crimes, to: residents, per: 10000",
     "measure: figure, version: 2, history: [{version: 1, from: 2025-01-01}], per: 1",
     "\"note\" is missing"},
};

static const char *try_slip(const char *work, const struct slip *s, struct arena *a,
                            struct buf *report) {
    const struct pack_set *p = NULL;
    struct err err = {.code = ERR_OK};
    folder_edit(work, file, s->from, s->to);
    enum err_code rc = pack_load(a, work, report, &p, &err);
    folder_restore(SOURCE_DIR "/packs", work, file);
    if (rc == ERR_OK) return "it was taken";
    const char *said = buf_text(report);
    return strstr(said, s->says) == NULL || strstr(said, "safety.yaml:") == NULL ? said : NULL;
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
            print_error("\"%s\"\n  wanted: %s\n  said: %.600s\n", s->to, s->says, said);
        }
        buf_deinit(&report);
        arena_free(a);
    }
    folder_remove(dir);
    assert_int_equal(n_bad, 0);
    print_message("%zu slips, each told\n", sizeof slips / sizeof *slips);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_each_slip)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
