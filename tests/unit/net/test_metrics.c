/* Every metric is documented and named as Prometheus asks; the text is what a scraper reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctype.h>
#include <pthread.h>
#include <string.h>

#include "net/metrics.h"

static bool ends_with(const char *s, const char *end) {
    size_t n = strlen(s), k = strlen(end);
    return n >= k && strcmp(s + n - k, end) == 0;
}

static bool is_metric_name(const char *name) {
    for (const char *c = name; *c != '\0'; c++)
        if (!(islower((unsigned char)*c) || isdigit((unsigned char)*c) || *c == '_')) return false;
    return strncmp(name, "gezhi_", 6) == 0;
}

static bool is_label(const char *label) {
    for (const char *c = label; *c != '\0'; c++)
        if (!islower((unsigned char)*c) && *c != '_') return false;
    return true;
}

/* What is wrong with a row, or NULL. https://prometheus.io/docs/practices/naming/ */
static const char *fault_of(const struct metric_info *t) {
    if (!is_metric_name(t->name)) return "the name is not gezhi_ and lower case";
    if (strlen(t->help) < 10 || !ends_with(t->help, ".")) return "the help is no sentence";
    if (strpbrk(t->help, "\\\n") != NULL) return "the help would need escapes";
    if (t->unit[0] == '\0') return "no unit";
    if ((t->kind == METRIC_COUNTER) != ends_with(t->name, "_total"))
        return "_total is for counters";
    if (t->kind == METRIC_HISTOGRAM && !ends_with(t->name, "_seconds")) return "no _seconds";
    if (strcmp(t->unit, "bytes") == 0 && strstr(t->name, "bytes") == NULL)
        return "no bytes in the name";
    if ((t->label[0] == '\0') != (t->values[0] == '\0')) return "label and values go together";
    if (t->kind == METRIC_HISTOGRAM && t->label[0] != '\0') return "a histogram has no label here";
    return is_label(t->label) ? NULL : "bad label";
}

static void test_every_row(void **state) {
    (void)state;
    for (int i = 0; i < METRIC_N; i++) {
        const struct metric_info *t = metrics_info((enum metric)i);
        const char *fault = fault_of(t);
        if (fault != NULL) fail_msg("%s: %s", t->name, fault);
        for (int k = 0; k < i; k++)
            assert_string_not_equal(t->name, metrics_info((enum metric)k)->name);
    }
}

static void *count(void *arg) {
    for (int i = 0; i < 10000; i++) metrics_add(arg, (unsigned)i, METRIC_HTTP_REQUESTS_TOTAL, 1, 1);
    return NULL;
}

static void test_text(void **state) {
    (void)state;
    struct metrics *m = metrics_new(3);
    struct buf b;
    pthread_t thread[3];
    for (int i = 0; i < 3; i++) assert_int_equal(pthread_create(&thread[i], NULL, count, m), 0);
    for (int i = 0; i < 3; i++) (void)pthread_join(thread[i], NULL);
    assert_int_equal(metrics_value(m, METRIC_HTTP_REQUESTS_TOTAL, 1), 30000);
    metrics_add(m, 0, METRIC_HTTP_REQUESTS_TOTAL, 99, 7); /* beyond the labels: the last */
    metrics_add(m, 0, METRIC_HTTP_CONNECTIONS, 0, 5);
    metrics_add(m, 1, METRIC_HTTP_CONNECTIONS, 0, -2);
    metrics_observe(m, 0, METRIC_HTTP_REQUEST_SECONDS, 400);
    metrics_observe(m, 1, METRIC_HTTP_REQUEST_SECONDS, 500);
    metrics_observe(m, 2, METRIC_HTTP_REQUEST_SECONDS, 20000000);
    metrics_add(NULL, 0, METRIC_HTTP_CONNECTIONS, 0, 1);
    buf_init(&b, 100000);
    metrics_text(m, &b);
    static const char *const want[] = {
        "# HELP gezhi_http_requests_total Answers given, by class of the status.\n",
        "# TYPE gezhi_http_requests_total counter\n",
        "gezhi_http_requests_total{class=\"2xx\"} 30000\n",
        "gezhi_http_requests_total{class=\"5xx\"} 7\n",
        "gezhi_http_connections 3\n",
        "gezhi_http_request_seconds_bucket{le=\"0.0005\"} 2\n",
        "gezhi_http_request_seconds_bucket{le=\"10\"} 2\n",
        "gezhi_http_request_seconds_bucket{le=\"+Inf\"} 3\n",
        "gezhi_http_request_seconds_sum 20.000900\n",
        "gezhi_http_request_seconds_count 3\n",
    };
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++)
        if (strstr(buf_text(&b), want[i]) == NULL) fail_msg("no %s in:\n%s", want[i], buf_text(&b));
    metrics_set(m, METRIC_HTTP_CONNECTIONS, 0, 42);
    assert_int_equal(metrics_value(m, METRIC_HTTP_CONNECTIONS, 0), 42);
    assert_int_equal(metrics_value(m, METRIC_HTTP_REQUEST_SECONDS, 0), 3);
    buf_deinit(&b);
    metrics_free(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_row),
        cmocka_unit_test(test_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
