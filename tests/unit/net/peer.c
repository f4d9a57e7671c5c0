#include "peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

int peer_connect(int port) {
    int one = 1;
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) != 0) {
        if (fd >= 0) (void)close(fd);
        return -1;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

/* A peer that was cut off mid-sentence is no failure of the client: what was read tells. */
void peer_send(int fd, const void *p, size_t n) {
    const char *c = p;
    while (n > 0) {
        ssize_t k = send(fd, c, n, MSG_NOSIGNAL);
        if (k <= 0) return;
        c += k;
        n -= (size_t)k;
    }
}

void peer_say(int fd, const char *text) { peer_send(fd, text, strlen(text)); }

struct peer_text peer_read_either(int fd, const char *a, const char *b, int timeout_ms) {
    struct peer_text t = {.p = calloc(1, 1)};
    int64_t end = clock_mono_us() + (int64_t)timeout_ms * 1000;
    size_t looked = 0;
    for (;;) {
        char chunk[65536];
        if (a != NULL && strstr(t.p + looked, a) != NULL) return t;
        if (b != NULL && strstr(t.p + looked, b) != NULL) return t;
        looked = t.n < 100 ? 0 : t.n - 100; /* longer than what is looked for */
        int64_t left = (end - clock_mono_us()) / 1000;
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (left <= 0 || poll(&p, 1, (int)left) == 0) {
            t.timed_out = true;
            return t;
        }
        ssize_t k = recv(fd, chunk, sizeof chunk, 0);
        if (k <= 0) {
            t.closed = true;
            return t;
        }
        char *q = realloc(t.p, t.n + (size_t)k + 1);
        if (q == NULL) abort();
        t.p = q;
        memcpy(t.p + t.n, chunk, (size_t)k);
        t.n += (size_t)k;
        t.p[t.n] = '\0';
    }
}

struct peer_text peer_read(int fd, const char *until, int timeout_ms) {
    return peer_read_either(fd, until, NULL, timeout_ms);
}

struct peer_text peer_answer(int fd, int timeout_ms) {
    struct peer_text t = {.p = calloc(1, 1)};
    int64_t end = clock_mono_us() + (int64_t)timeout_ms * 1000;
    size_t want = SIZE_MAX;
    while (t.n < want) {
        int64_t left = (end - clock_mono_us()) / 1000;
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (left <= 0 || poll(&p, 1, (int)left) == 0) {
            t.timed_out = true;
            return t;
        }
        char *q = realloc(t.p, t.n + 65537);
        if (q == NULL) abort();
        t.p = q;
        size_t room = want == SIZE_MAX ? 1 : want - t.n;
        ssize_t k = recv(fd, t.p + t.n, room < 65536 ? room : 65536, 0);
        if (k <= 0) {
            t.closed = true;
            return t;
        }
        t.n += (size_t)k;
        t.p[t.n] = '\0';
        if (want == SIZE_MAX && t.n >= 4 && memcmp(t.p + t.n - 4, "\r\n\r\n", 4) == 0) {
            const char *length = strstr(t.p, "Content-Length: ");
            want = t.n + (length == NULL ? 0 : strtoul(length + 16, NULL, 10));
        }
    }
    return t;
}

struct peer_text peer_all(int fd, int timeout_ms) {
    return peer_read(fd, NULL, timeout_ms);
}

void peer_free(struct peer_text *t) { free(t->p); }

int peer_status(const struct peer_text *t) {
    if (t->n < 12 || strncmp(t->p, "HTTP/1.1 ", 9) != 0) return 0;
    return (int)strtol(t->p + 9, NULL, 10);
}

size_t peer_count(const struct peer_text *t, const char *what) {
    size_t n = 0;
    for (const char *p = t->p; (p = strstr(p, what)) != NULL; p += strlen(what)) n++;
    return n;
}

void peer_sleep_ms(int ms) {
    struct timespec ts = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    while (nanosleep(&ts, &ts) != 0 && errno == EINTR) continue;
}

struct http_server *peer_server(const struct http_options *opt, http_handler *handler, void *ctx) {
    struct http_options o = opt == NULL ? (struct http_options){0} : *opt;
    struct http_server *s = NULL;
    struct err err = {0};
    if (o.loops == 0) o.loops = 2;
    if (http_server_new(&o, handler, ctx, &s, &err) != ERR_OK ||
        http_server_start(s, &err) != ERR_OK) {
        (void)fprintf(stderr, "server: %s\n", err.detail);
        abort();
    }
    return s;
}

void peer_server_end(struct http_server *s) {
    http_server_drain(s, 0);
    http_server_wait(s);
    http_server_free(s);
}
