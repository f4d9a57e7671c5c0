/* Load for the durable reports per second: keep-alive connections that post one report after the
 * other, and screens that follow the event stream meanwhile. Prints one line of JSON.
 * Usage: report PORT SECONDS CONNECTIONS WEST SOUTH EAST NORTH [SCREENS COOKIE] */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX_CONN = 512, IN_MAX = 8192, OUT_MAX = 2048, MAX_SAMPLES = 8000000 };

struct conn {
    int fd;
    int is_screen;
    size_t n_in;
    uint64_t sent_us;
    char in[IN_MAX];
};

struct run {
    int ep;
    double box[4];
    uint64_t seed, n_ok, n_bad, n_frames;
    uint32_t *us; /* one a report */
    size_t n_us;
    char first_bad[200];
};

static uint64_t now_us(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static _Noreturn void fail(const char *what) {
    (void)fprintf(stderr, "report: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double uniform(struct run *r) { /* splitmix64 */
    uint64_t z = (r->seed += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (double)((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
}

static void send_all(int fd, const char *p, size_t n) {
    while (n > 0) {
        ssize_t k = write(fd, p, n);
        if (k <= 0) fail("write");
        p += k;
        n -= (size_t)k;
    }
}

static void send_report(struct run *r, struct conn *c) {
    char body[OUT_MAX / 2], out[OUT_MAX];
    double lon = r->box[0] + uniform(r) * (r->box[2] - r->box[0]);
    double lat = r->box[1] + uniform(r) * (r->box[3] - r->box[1]);
    int n = snprintf(body, sizeof body,
                     "{\"class\":\"event-0102\",\"lon\":%.6f,\"lat\":%.6f,\"place\":\"in front of "
                     "house %d\",\"description\":\"Refuse has been lying here for two days, and "
                     "it is getting more.\",\"contact\":\"13800000000\"}",
                     lon, lat, (int)(uniform(r) * 400));
    int m = snprintf(out, sizeof out,
                     "POST /api/v1/cases HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                     "application/json\r\nContent-Length: %d\r\n\r\n%s",
                     n, body);
    c->sent_us = now_us();
    send_all(c->fd, out, (size_t)m);
}

static void open_conn(struct run *r, struct conn *c, int port, const char *cookie) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int one = 1;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    c->is_screen = cookie != NULL;
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&a, sizeof a) != 0) fail("connect");
    (void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
    if (epoll_ctl(r->ep, EPOLL_CTL_ADD, c->fd, &e) != 0) fail("epoll");
    if (cookie == NULL) return;
    char out[OUT_MAX];
    int m = snprintf(out, sizeof out,
                     "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nAccept: "
                     "text/event-stream\r\nCookie: %s\r\n\r\n",
                     cookie);
    send_all(c->fd, out, (size_t)m);
}

/* Length of the whole response in the buffer, 0 when it has not come yet. */
static size_t response_length(struct conn *c) {
    c->in[c->n_in] = '\0';
    char *end = strstr(c->in, "\r\n\r\n"), *length = strstr(c->in, "Content-Length: ");
    if (end == NULL || length == NULL || length > end) return 0;
    size_t all = (size_t)(end + 4 - c->in) + strtoul(length + 16, NULL, 10);
    return all <= c->n_in ? all : 0;
}

static void read_screen(struct run *r, struct conn *c) {
    ssize_t n = read(c->fd, c->in, IN_MAX - 1);
    if (n <= 0) fail("a screen was closed");
    c->in[n] = '\0';
    for (const char *p = c->in; (p = strstr(p, "event: case")) != NULL; p++) r->n_frames++;
}

static void read_report(struct run *r, struct conn *c, int go_on) {
    ssize_t n = read(c->fd, c->in + c->n_in, IN_MAX - 1 - c->n_in);
    if (n <= 0) fail("the server closed a connection");
    c->n_in += (size_t)n;
    if (response_length(c) == 0) return;
    if (strncmp(c->in, "HTTP/1.1 201", 12) == 0) {
        r->n_ok++;
        if (r->n_us < MAX_SAMPLES) r->us[r->n_us++] = (uint32_t)(now_us() - c->sent_us);
    } else if (r->n_bad++ == 0) {
        (void)snprintf(r->first_bad, sizeof r->first_bad, "%.180s", c->in);
    }
    c->n_in = 0;
    c->sent_us = 0;
    if (go_on) send_report(r, c);
}

static int by_size(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static void print(struct run *r, double seconds) {
    qsort(r->us, r->n_us, sizeof *r->us, by_size);
    if (r->n_us == 0) {
        (void)fprintf(stderr, "report: nothing was acknowledged: %s\n", r->first_bad);
        exit(1);
    }
    (void)printf(
        "{\"reports\":%llu,\"bad\":%llu,\"seconds\":%.3f,\"per_second\":%.0f,\"p50_ms\":%.2f,"
        "\"p99_ms\":%.2f,\"max_ms\":%.2f,\"frames\":%llu}\n",
        (unsigned long long)r->n_ok, (unsigned long long)r->n_bad, seconds,
        (double)r->n_ok / seconds, r->us[r->n_us / 2] / 1000.0, r->us[r->n_us * 99 / 100] / 1000.0,
        r->us[r->n_us - 1] / 1000.0, (unsigned long long)r->n_frames);
    if (r->n_bad > 0)
        (void)fprintf(stderr, "report: first answer that was not 201: %s\n", r->first_bad);
}

int main(int argc, char **argv) {
    if (argc != 8 && argc != 10) {
        (void)fprintf(stderr, "usage: report PORT SECONDS CONNECTIONS W S E N [SCREENS COOKIE]\n");
        return 2;
    }
    int port = (int)strtol(argv[1], NULL, 10), n_conn = (int)strtol(argv[3], NULL, 10);
    int n_screen = argc == 10 ? (int)strtol(argv[8], NULL, 10) : 0;
    double seconds = strtod(argv[2], NULL);
    struct run r = {.ep = epoll_create1(0), .seed = 1};
    for (int i = 0; i < 4; i++) r.box[i] = strtod(argv[4 + i], NULL);
    struct conn *conns = calloc(MAX_CONN, sizeof *conns);
    r.us = calloc(MAX_SAMPLES, sizeof *r.us);
    if (conns == NULL || r.us == NULL || n_conn < 1 || n_conn + n_screen > MAX_CONN) fail("start");
    for (int i = 0; i < n_screen; i++) open_conn(&r, &conns[i], port, argv[9]);
    for (int i = n_screen; i < n_screen + n_conn; i++) open_conn(&r, &conns[i], port, NULL);
    uint64_t start = now_us(), end = start + (uint64_t)(seconds * 1e6);
    for (int i = n_screen; i < n_screen + n_conn; i++) send_report(&r, &conns[i]);
    int waiting = n_conn;
    while (waiting > 0) {
        struct epoll_event ev[64];
        int n = epoll_wait(r.ep, ev, 64, 10000);
        if (n == 0) fail("no answer for ten seconds");
        int go_on = now_us() < end;
        for (int i = 0; i < n; i++) {
            struct conn *c = ev[i].data.ptr;
            if (c->is_screen) {
                read_screen(&r, c);
                continue;
            }
            read_report(&r, c, go_on);
            if (c->sent_us == 0) waiting--;
        }
    }
    print(&r, (double)(now_us() - start) / 1e6);
    return 0;
}
