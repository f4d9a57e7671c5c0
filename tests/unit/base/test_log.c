#include "testing.h"

#include <stdio.h>
#include <unistd.h>

#include "base/civil.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/utf8.h"

struct sink {
    int fd[2];
    struct log log;
    char text[8192];
};

static void sink_open(struct sink *s, int json) {
    assert_int_equal(pipe(s->fd), 0);
    s->log = (struct log){.level = LOG_INFO, .fd = s->fd[1], .json = json};
}

/* What stands in the pipe now: one line. */
static const char *sink_take(struct sink *s) {
    ssize_t n = read(s->fd[0], s->text, sizeof s->text - 1);
    assert_true(n > 0);
    s->text[n] = '\0';
    assert_int_equal(s->text[n - 1], '\n');
    assert_ptr_equal(strchr(s->text, '\n'), s->text + n - 1);
    return s->text;
}

static void sink_close(struct sink *s) {
    (void)close(s->fd[0]);
    (void)close(s->fd[1]);
}

static const struct val *line_of(struct arena *a, const char *text) {
    const struct val *v;
    struct err err;
    if (json_parse(a, text, strlen(text), &v, &err) != ERR_OK) fail_msg("%s: %s", err.detail, text);
    return v;
}

static void json_lines(void **state) {
    (void)state;
    struct sink s;
    struct arena *a = test_arena();
    sink_open(&s, 1);
    log_event(&s.log, LOG_WARN, "mqtt.drop", LOG_STR("topic", "a\"b\\c\n\x01井\xFF"),
              LOG_INT("bytes", INT64_MIN));
    const struct val *v = line_of(a, sink_take(&s));
    assert_string_equal(val_get(v, "level")->u.s, "warn");
    assert_string_equal(val_get(v, "event")->u.s, "mqtt.drop");
    assert_string_equal(val_get(v, "topic")->u.s, "a\"b\\c\n\x01井\xEF\xBF\xBD");
    assert_true(val_get(v, "bytes")->u.i == INT64_MIN);
    int64_t us;
    assert_int_equal(rfc3339_parse(val_get(v, "time")->u.s, &us, NULL), ERR_OK);
    struct clock clock = clock_system();
    assert_true(clock_now_us(&clock) >= us && clock_now_us(&clock) - us < 60000000);
    log_write(&s.log, LOG_ERROR, "bare", NULL, 0);
    assert_int_equal(line_of(a, sink_take(&s))->n, 3);
    log_write(&s.log, LOG_DEBUG, "quiet", NULL, 0);
    log_write(&s.log, LOG_INFO, "loud", NULL, 0);
    assert_string_equal(val_get(line_of(a, sink_take(&s)), "event")->u.s, "loud");
    sink_close(&s);
    arena_free(a);
}

static void text_lines(void **state) {
    (void)state;
    struct sink s;
    sink_open(&s, 0);
    log_event(&s.log, LOG_INFO, "http.listen", LOG_STR("at", "127.0.0.1:8080"),
              LOG_STR("name", "x y\nerror fake"), LOG_STR("none", ""), LOG_INT("n", 7));
    const char *line = sink_take(&s);
    assert_non_null(strstr(
        line,
        "Z info http.listen at=127.0.0.1:8080 name=\"x y\\u000aerror fake\" none=\"\" n=7\n"));
    sink_close(&s);
}

static void long_lines_are_cut_and_stay_whole(void **state) {
    (void)state;
    struct sink s;
    struct arena *a = test_arena();
    static char text[5000];
    for (size_t i = 0; i + 3 < sizeof text; i += 3) memcpy(text + i, "井", 3);
    for (int json = 0; json < 2; json++) {
        sink_open(&s, json);
        log_event(&s.log, LOG_INFO, "one", LOG_STR("t", text), LOG_INT("after", 1));
        const char *line = sink_take(&s);
        assert_true(strlen(line) < 1300);
        assert_true(utf8_valid(line, strlen(line)));
        if (json == 1) assert_int_equal(val_get(line_of(a, line), "after")->u.i, 1);
        log_event(&s.log, LOG_INFO, "five", LOG_STR("a", text), LOG_STR("b", text),
                  LOG_STR("c", text), LOG_STR("d", text), LOG_STR("e", text));
        line = sink_take(&s);
        assert_true(strlen(line) <= 4096);
        if (json == 1) {
            const struct val *v = line_of(a, line);
            assert_non_null(val_get(v, "c"));
            assert_null(val_get(v, "d"));
            assert_true(val_get(v, "cut")->u.b);
        } else {
            assert_non_null(strstr(line, " cut=true\n"));
        }
        sink_close(&s);
    }
    arena_free(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_lines),
        cmocka_unit_test(text_lines),
        cmocka_unit_test(long_lines_are_cut_and_stay_whole),
    };
    return cmocka_run_group_tests_name("base/log", tests, NULL, NULL);
}
