/* The application of the HTTP tests: a handler that shows what a request may lead to. */
#ifndef TEST_NET_HTTP_APP_H
#define TEST_NET_HTTP_APP_H
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "net/metrics.h"
#include "peer.h"

struct app {
    struct metrics *metrics;
    atomic_uint handled, fault_fired;
    pthread_mutex_t lock;
    struct http_token parked[512];
    struct http_server *server;
    size_t n_parked;
};
struct fixture {
    struct app app;
    struct http_server *s;
    int port;
    long live;
};

void app_init(struct app *app);
void app_deinit(struct app *app);
void app_handle(void *app, struct http_request *req);
/* Until n requests of /park wait for their answer. */
void app_wait_parked(struct app *app, size_t n);
/* A server of two loops with the application; end also checks that all memory was given back. */
struct fixture *app_begin(struct http_options o);
void app_end(struct fixture *f);
/* One request on a connection of its own. */
struct peer_text app_ask(int port, const char *text, int timeout_ms);

#define ASSERT_STATUS(port, text, status)                                                          \
    do {                                                                                           \
        struct peer_text t_ = app_ask((port), (text), 5000);                                       \
        assert_int_equal(peer_status(&t_), (status));                                              \
        peer_free(&t_);                                                                            \
    } while (0)
#define ASSERT_BODY(port, text, part)                                                              \
    do {                                                                                           \
        struct peer_text t_ = app_ask((port), (text), 5000);                                       \
        if (strstr(t_.p, (part)) == NULL) fail_msg("no \"%s\" in: %s", (part), t_.p);              \
        peer_free(&t_);                                                                            \
    } while (0)
#endif
