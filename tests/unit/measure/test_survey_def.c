/* Slips in the declaration of a survey are told with file and line; what is right is read as it
 * stands. */
#include "../base/testing.h"

#include "base/yaml.h"
#include "domain/grid/grid.h"
#include "domain/measure/survey_def.h"

static const char head[] = "survey: safety\n"
                           "version: 2\n"
                           "title: {en: Survey, zh: 调查}\n"
                           "population: {en: Residents, zh: 居民}\n"
                           "drawn_by: town\n"
                           "told_for: [city, town]\n"
                           "waves: [month]\n"
                           "frame: people\n";
static const char strata[] = "strata:\n"
                             "  - stratum: sex\n"
                             "    title: {en: Sex, zh: 性别}\n"
                             "    values:\n"
                             "      - {value: f, share: 0.48, title: {en: Female, zh: 女}}\n"
                             "      - {value: m, share: 0.52, title: {en: Male, zh: 男}}\n";
static const char questions[] =
    "questions:\n"
    "  - question: safe\n"
    "    title: {en: Safe, zh: 安全}\n"
    "    text: {en: Do you feel safe?, zh: 您觉得安全吗？}\n"
    "    feeds: felt\n"
    "    answers:\n"
    "      - {answer: yes_safe, counts: true, title: {en: Safe, zh: 安全}}\n"
    "      - {answer: no_safe, title: {en: Not safe, zh: 不安全}}\n"
    "      - {answer: none, missing: true, title: {en: No answer, zh: 不答}}\n";

static const struct indicator_def known[] = {
    {.name = "counted", .measure = MEASURE_COUNT, .of = "", .to = ""},
    {.name = "felt", .measure = MEASURE_FIGURE, .of = "", .to = ""},
    {.name = "people", .measure = MEASURE_FIGURE, .of = "", .to = ""}};

static enum err_code load(struct arena *a, const char *text, const struct survey_set **out,
                          struct err *err) {
    const struct val *v = NULL;
    struct pack_document *doc = ARENA_NEW(a, struct pack_document, 1);
    struct pack_set *packs = ARENA_NEW(a, struct pack_set, 1);
    assert_true(doc != NULL && packs != NULL);
    if (yaml_parse(a, "s.yaml", text, strlen(text), &v, err) != ERR_OK) fail_msg("%s", err->detail);
    *doc = (struct pack_document){"p", "surveys", "s.yaml", v};
    *packs = (struct pack_set){
        .indicators = known, .n_indicators = 3, .documents = doc, .n_documents = 1};
    return survey_load(a, packs, out, err);
}

static void what_is_right_is_read(void **state) {
    (void)state;
    struct arena *a = test_arena();
    const struct survey_set *set = NULL;
    struct err err = {0};
    const char *text = arena_printf(a, "%s%s%s", head, strata, questions);
    if (load(a, text, &set, &err) != ERR_OK) fail_msg("%s", err.detail);
    const struct survey_def *d = survey_find(set, "safety");
    assert_non_null(d);
    assert_null(survey_find(set, "other"));
    assert_int_equal(d->level, LEVEL_TOWN);
    assert_int_equal(d->levels, 1u << LEVEL_CITY | 1u << LEVEL_TOWN);
    assert_string_equal(d->frame->name, "people");
    assert_true(d->n_strata == 1 && d->stratum[0].n_values == 2);
    assert_true(d->stratum[0].value[1].share == 0.52);
    assert_true(d->trim == 4 && d->enough == 50 && d->widest == 20);
    const struct survey_question *q = &d->question[0];
    assert_string_equal(q->feeds->name, "felt");
    assert_true(q->answer[0].counts == 1 && q->answer[1].counts == 0 && q->answer[2].counts == -1);
    arena_free(a);
}

static void slips_are_told(void **state) {
    (void)state;
    static const struct {
        const char *was, *now, *told;
        enum err_code code;
    } slips[] = {
        {"drawn_by: town", "drawn_by: village", "\"drawn_by\" is no level", ERR_INVALID},
        {"[city, town]", "[city, community]", "areas below", ERR_INVALID},
        {"waves: [month]", "waves: [week]", "not known here: \"week\"", ERR_INVALID},
        {"frame: people", "frame: counted", "takes no figures: \"counted\"", ERR_INVALID},
        {"feeds: felt", "feeds: fellt", "there is no such indicator: \"fellt\"", ERR_INVALID},
        {"share: 0.48", "share: 0.58", "add up to 1.1", ERR_INVALID},
        {"share: 0.48", "share: 0", "share", ERR_INVALID},
        {"value: m,", "value: f,", "twice the value", ERR_INVALID},
        {"stratum: sex", "stratum: safe", "two columns of the name", ERR_INVALID},
        {"stratum: sex", "stratum: outcome", "meaning of its own", ERR_INVALID},
        {"stratum: sex", "stratum: face_id", "refuses to hold", ERR_REFUSED},
        {"question: safe", "question: Safe", "this is no name", ERR_INVALID},
        {"no_safe, title", "no_safe, counts: true, title", "and some not", ERR_INVALID},
        {"missing: true", "missing: true, counts: true", "both count and be missing", ERR_INVALID},
        {"version: 2", "version: 2\ntrim: 1", "trim", ERR_INVALID},
        {"version: 2", "version: 2\ncolour: red", "colour", ERR_INVALID},
    };
    for (size_t i = 0; i < sizeof slips / sizeof slips[0]; i++) {
        struct arena *a = test_arena();
        const struct survey_set *set = NULL;
        struct err err = {0};
        const char *text = arena_printf(a, "%s%s%s", head, strata, questions);
        const char *at = strstr(text, slips[i].was);
        assert_non_null(at);
        text = arena_printf(a, "%.*s%s%s", (int)(at - text), text, slips[i].now,
                            at + strlen(slips[i].was));
        enum err_code rc = load(a, text, &set, &err);
        if (rc != slips[i].code || strncmp(err.detail, "s.yaml:", 7) != 0 ||
            strstr(err.detail, slips[i].told) == NULL)
            fail_msg("%s: %s", slips[i].now, err.detail);
        arena_free(a);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_right_is_read),
                                       cmocka_unit_test(slips_are_told)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
