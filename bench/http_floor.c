/* http_floor - CPU time of the server a GET: the floor under everything the program answers.
 *
 *   http_floor [SECONDS]              the own server, one loop, a constant JSON answer of 11 bytes
 *   http_floor SECONDS PORT PID       any other server on this machine, by its port and process id
 *
 * One client thread keeps 64 connections busy, one request each at a time. The client's own time is
 * not counted. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/http.h"

enum { CONNECTIONS = 64 };

static void handle(void *ctx, struct http_request *req) {
    struct http_response *r = http_response_new(200);
    (void)ctx;
    http_response_ref(r, "application/json", "{\"ok\":true}", 11, NULL, NULL);
    http_reply(req, r);
}

static int connect_to(int port) {
    int one = 1;
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) != 0) {
        perror("http_floor: connect");
        _exit(1);
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static void ask(int fd) {
    static const char text[] =
        "GET /floor HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: http_floor\r\nAccept: */*\r\n\r\n";
    if (send(fd, text, sizeof text - 1, MSG_NOSIGNAL) != (ssize_t)sizeof text - 1) {
        perror("http_floor: send");
        _exit(1);
    }
}

/* Answers are small and come whole; one read is one answer. */
static long drive(int port, double seconds) {
    struct pollfd p[CONNECTIONS];
    long answers = 0;
    for (int i = 0; i < CONNECTIONS; i++) {
        p[i] = (struct pollfd){.fd = connect_to(port), .events = POLLIN};
        ask(p[i].fd);
    }
    int64_t end = clock_mono_us() + (int64_t)(seconds * 1e6);
    while (clock_mono_us() < end) {
        if (poll(p, CONNECTIONS, 1000) < 0 && errno != EINTR) break;
        for (int i = 0; i < CONNECTIONS; i++) {
            char answer[4096];
            if ((p[i].revents & (POLLIN | POLLHUP)) == 0) continue;
            ssize_t n = recv(p[i].fd, answer, sizeof answer, 0);
            if (n < 12 || memcmp(answer, "HTTP/1.1 200", 12) != 0) {
                (void)fprintf(stderr, "http_floor: no answer\n");
                _exit(1);
            }
            answers++;
            ask(p[i].fd);
        }
    }
    for (int i = 0; i < CONNECTIONS; i++) (void)close(p[i].fd);
    return answers;
}

static double clock_s(clockid_t id) {
    struct timespec ts;
    if (clock_gettime(id, &ts) != 0) return 0;
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static double own_server_s(void) {
    return clock_s(CLOCK_PROCESS_CPUTIME_ID) - clock_s(CLOCK_THREAD_CPUTIME_ID);
}

static double foreign_s(pid_t pid) {
    clockid_t id;
    if (clock_getcpuclockid(pid, &id) != 0) {
        (void)fprintf(stderr, "http_floor: no process %ld\n", (long)pid);
        _exit(1);
    }
    return clock_s(id);
}

static void print(long answers, double cpu_s, double wall_s) {
    (void)printf("answers %ld  per_second %.0f  server_cpu_us_per_get %.2f\n", answers,
                 (double)answers / wall_s, cpu_s * 1e6 / (double)answers);
}

int main(int argc, char **argv) {
    double seconds = argc > 1 ? strtod(argv[1], NULL) : 3;
    if (argc == 4) {
        pid_t pid = (pid_t)strtol(argv[3], NULL, 10);
        double before = foreign_s(pid);
        long answers = drive((int)strtol(argv[2], NULL, 10), seconds);
        print(answers, foreign_s(pid) - before, seconds);
        return 0;
    }
    struct http_options o = {.loops = 1};
    struct http_server *s = NULL;
    struct err err = {0};
    if (http_server_new(&o, handle, NULL, &s, &err) != ERR_OK ||
        http_server_start(s, &err) != ERR_OK) {
        (void)fprintf(stderr, "http_floor: %s\n", err.detail);
        return 1;
    }
    double before = own_server_s();
    long answers = drive(http_server_port(s), seconds);
    print(answers, own_server_s() - before, seconds);
    http_server_drain(s, 0);
    http_server_wait(s);
    http_server_free(s);
    return 0;
}
