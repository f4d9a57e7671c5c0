/* A client made of plain sockets, and a server with a small handler, for the tests of src/net. */
#ifndef TEST_NET_PEER_H
#define TEST_NET_PEER_H
#include <stdbool.h>
#include <stddef.h>

#include "net/http.h"

int peer_connect(int port);
void peer_send(int fd, const void *p, size_t n);
void peer_say(int fd, const char *text);
/* Reads until `until` is in what was read, the peer closes, or timeout_ms is over; NUL-terminated.
 */
struct peer_text {
    char *p;
    size_t n;
    bool closed, timed_out;
};
struct peer_text peer_read(int fd, const char *until, int timeout_ms);
/* The same with two texts, either of which ends it; b may be NULL. */
struct peer_text peer_read_either(int fd, const char *a, const char *b, int timeout_ms);
/* One answer, head and body by its Content-Length. */
struct peer_text peer_answer(int fd, int timeout_ms);
/* Until the peer closes. */
struct peer_text peer_all(int fd, int timeout_ms);
void peer_free(struct peer_text *t);
int peer_status(const struct peer_text *t);
size_t peer_count(const struct peer_text *t, const char *what);
void peer_sleep_ms(int ms);

/* A started server on a free port of 127.0.0.1. */
struct http_server *peer_server(const struct http_options *opt, http_handler *handler, void *ctx);
void peer_server_end(struct http_server *s);
#endif
