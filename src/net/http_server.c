#include "net/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/http_internal.h"
#include "net/metrics.h"

/* One connection a turn: loops that wake for the same port share them evenly. */
enum { BACKLOG = 1024, ACCEPT_MAX = 1, FILES_BESIDE = 256 };
enum { REFUSED_LIMIT, REFUSED_ADDRESS, REFUSED_FILES };

/* ---- tasks ---- */

void http_loop_post(struct http_loop *loop, struct http_task *task) {
    uint64_t one = 1;
    task->next = NULL;
    (void)pthread_mutex_lock(&loop->lock);
    bool was_empty = loop->first == NULL;
    *loop->last = task;
    loop->last = &task->next;
    (void)pthread_mutex_unlock(&loop->lock);
    /* A full counter (2^64 - 2) cannot be reached; any other failure leaves the wake-up to the
     * tick. */
    if (was_empty && write(loop->wake_fd, &one, sizeof one) != (ssize_t)sizeof one) return;
}

static void run_tasks(struct http_loop *loop) {
    (void)pthread_mutex_lock(&loop->lock);
    struct http_task *task = loop->first;
    loop->first = NULL;
    loop->last = &loop->first;
    (void)pthread_mutex_unlock(&loop->lock);
    while (task != NULL) {
        struct http_task *next = task->next;
        task->run(loop, task);
        task = next;
    }
}

static void on_wake(evutil_socket_t fd, short what, void *arg) {
    uint64_t n;
    (void)what;
    if (read((int)fd, &n, sizeof n) < 0 && errno != EAGAIN) return;
    run_tasks(arg);
}

/* ---- accepting ---- */

static void refuse_connection(struct http_loop *loop, int fd, unsigned reason) {
    static const char busy[] =
        "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\nContent-Length: 0\r\n"
        "Connection: close\r\n\r\n";
    metrics_add(loop->server->opt.metrics, loop->index, METRIC_HTTP_REFUSED_TOTAL, reason, 1);
    /* As much courtesy as fits without waiting: a client that is not reading gets none. */
    (void)send(fd, busy, sizeof busy - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    (void)close(fd);
}

static void take_connection(struct http_loop *loop, int fd, const struct sockaddr_storage *peer) {
    struct http_server *s = loop->server;
    unsigned char address[16];
    bool counted = false;
    if (atomic_fetch_add(&s->n_conns, 1) >= s->opt.max_connections) {
        atomic_fetch_sub(&s->n_conns, 1);
        refuse_connection(loop, fd, REFUSED_LIMIT);
        return;
    }
    http_address_of(peer, address);
    if (s->opt.max_per_address > 0 && !http_address_trusted(s, address)) {
        if (!http_address_enter(s, address)) {
            atomic_fetch_sub(&s->n_conns, 1);
            refuse_connection(loop, fd, REFUSED_ADDRESS);
            return;
        }
        counted = true;
    }
    http_conn_open(loop, fd, peer, counted);
}

static void on_accept(evutil_socket_t listen_fd, short what, void *arg) {
    struct http_loop *loop = arg;
    (void)what;
    for (int i = 0; i < ACCEPT_MAX; i++) {
        struct sockaddr_storage peer = {0};
        socklen_t n = sizeof peer;
        int fd =
            accept4((int)listen_fd, (struct sockaddr *)&peer, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            take_connection(loop, fd, &peer);
            continue;
        }
        if (errno == ECONNABORTED || errno == EINTR) continue;
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            /* The waiting connection would wake this loop again and again: look again at the next
             * tick. */
            metrics_add(loop->server->opt.metrics, loop->index, METRIC_HTTP_REFUSED_TOTAL,
                        REFUSED_FILES, 1);
            if (!loop->accept_paused && loop->server->opt.log != NULL)
                log_event(loop->server->opt.log, LOG_WARN, "http.no_files",
                          LOG_INT("connections", loop->n_conns));
            (void)event_del(loop->accept);
            loop->accept_paused = true;
        }
        return;
    }
}

/* ---- time ---- */

static void free_dead(struct http_loop *loop) {
    while (loop->dead != NULL) {
        struct http_conn *c = loop->dead;
        loop->dead = c->next;
        mem_free(c);
    }
}

static void close_all(struct http_loop *loop) {
    while (loop->conns != NULL) http_conn_close(loop->conns);
}

static void on_tick(evutil_socket_t fd, short what, void *arg) {
    struct http_loop *loop = arg;
    int64_t now = clock_mono_us();
    (void)fd;
    (void)what;
    free_dead(loop);
    run_tasks(loop);
    for (struct http_conn *c = loop->conns; c != NULL;) {
        struct http_conn *next = c->next;
        http_conn_tick(c, now);
        c = next;
    }
    if (loop->accept_paused && !loop->draining && event_add(loop->accept, NULL) == 0)
        loop->accept_paused = false;
    if (!loop->draining) return;
    if (now >= loop->drain_until_us) close_all(loop);
    if (loop->conns == NULL) (void)event_base_loopbreak(loop->base);
}

const char *http_loop_date(struct http_loop *loop) {
    static const char *const day[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const month[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct clock system = clock_system();
    int64_t now_s = clock_now_us(&system) / 1000000;
    if (now_s == loop->date_s) return loop->date;
    time_t t = (time_t)now_s;
    struct tm tm;
    if (gmtime_r(&t, &tm) == NULL) return "Thu, 01 Jan 1970 00:00:00 GMT";
    char text[96];
    (void)snprintf(text, sizeof text, "%s, %02d %s %04d %02d:%02d:%02d GMT", day[tm.tm_wday],
                   tm.tm_mday, month[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
                   tm.tm_sec);
    memcpy(loop->date, text, sizeof loop->date - 1);
    loop->date[sizeof loop->date - 1] = '\0';
    loop->date_s = now_s;
    return loop->date;
}

/* ---- making a server ---- */

static void fill_defaults(struct http_options *o) {
    if (o->listen == NULL) o->listen = "127.0.0.1";
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (o->loops == 0) o->loops = cores < 1 ? 1 : (unsigned)cores;
    if (o->loops > HTTP_MAX_LOOPS) o->loops = HTTP_MAX_LOOPS;
    if (o->max_header == 0) o->max_header = (size_t)16 * 1024;
    if (o->max_header > HTTP_READ_AHEAD) o->max_header = HTTP_READ_AHEAD;
    if (o->max_json == 0) o->max_json = (size_t)1024 * 1024;
    if (o->max_upload == 0) o->max_upload = (size_t)20 * 1024 * 1024;
    if (o->max_arena == 0) o->max_arena = (size_t)8 * 1024 * 1024;
    if (o->request_ms == 0) o->request_ms = 30000;
    if (o->reply_ms == 0) o->reply_ms = 60000;
    if (o->idle_ms == 0) o->idle_ms = 75000;
    if (o->max_connections == 0) o->max_connections = 4096;
    if (o->max_unsent == 0) o->max_unsent = (size_t)256 * 1024;
}

static enum err_code parse_listen(const struct http_options *o, struct sockaddr_storage *out,
                                  socklen_t *n, struct err *err) {
    struct sockaddr_in *v4 = (struct sockaddr_in *)out;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
    memset(out, 0, sizeof *out);
    if (o->port < 0 || o->port > 65535)
        return err_fail(err, ERR_INVALID, "port %d is outside 0..65535", o->port);
    if (inet_pton(AF_INET, o->listen, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)o->port);
        *n = sizeof *v4;
        return ERR_OK;
    }
    if (inet_pton(AF_INET6, o->listen, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons((uint16_t)o->port);
        *n = sizeof *v6;
        return ERR_OK;
    }
    return err_fail(err, ERR_INVALID, "listen address \"%s\" is no numeric IPv4 or IPv6 address",
                    o->listen);
}

static enum err_code open_port(struct http_server *s, struct err *err) {
    struct sockaddr_storage ss;
    socklen_t n;
    int one = 1;
    TRY(parse_listen(&s->opt, &ss, &n, err));
    s->listen_fd = socket(ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s->listen_fd < 0) return err_fail(err, ERR_IO, "cannot make a socket: errno %d", errno);
    (void)setsockopt(s->listen_fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(s->listen_fd, (struct sockaddr *)&ss, n) != 0 || listen(s->listen_fd, BACKLOG) != 0) {
        int e = errno;
        if (e == EADDRINUSE)
            return err_fail(err, ERR_BUSY, "port %d on %s is in use by another program",
                            s->opt.port, s->opt.listen);
        if (e == EACCES)
            return err_fail(err, ERR_IO, "port %d on %s may not be opened by this user",
                            s->opt.port, s->opt.listen);
        return err_fail(err, ERR_IO, "cannot listen on %s port %d: errno %d", s->opt.listen,
                        s->opt.port, e);
    }
    n = sizeof ss;
    if (getsockname(s->listen_fd, (struct sockaddr *)&ss, &n) != 0)
        return err_fail(err, ERR_IO, "cannot read the port: errno %d", errno);
    s->port = ntohs(ss.ss_family == AF_INET ? ((struct sockaddr_in *)&ss)->sin_port
                                            : ((struct sockaddr_in6 *)&ss)->sin6_port);
    return ERR_OK;
}

static enum err_code init_loop(struct http_server *s, unsigned i, struct err *err) {
    struct http_loop *loop = &s->loop[i];
    struct timeval tick = {.tv_sec = 0, .tv_usec = HTTP_TICK_MS * 1000L};
    loop->server = s;
    loop->index = i;
    loop->last = &loop->first;
    loop->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (pthread_mutex_init(&loop->lock, NULL) != 0 || loop->wake_fd < 0)
        return err_fail(err, ERR_IO, "cannot make an eventfd: errno %d", errno);
    s->n_loops = i + 1;
    struct event_config *config = event_config_new();
    if (config == NULL) return err_fail(err, ERR_NOMEM, "no memory for an event loop");
    /* Only its own thread ever touches a base: others go through the eventfd. */
    int rc = event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    loop->base = rc == 0 ? event_base_new_with_config(config) : NULL;
    event_config_free(config);
    if (loop->base == NULL) return err_fail(err, ERR_IO, "cannot make an event loop");
    loop->wake = event_new(loop->base, loop->wake_fd, EV_READ | EV_PERSIST, on_wake, loop);
    loop->accept = event_new(loop->base, s->listen_fd, EV_READ | EV_PERSIST, on_accept, loop);
    loop->tick = event_new(loop->base, -1, EV_PERSIST, on_tick, loop);
    if (loop->wake == NULL || loop->accept == NULL || loop->tick == NULL ||
        event_add(loop->wake, NULL) != 0 || event_add(loop->accept, NULL) != 0 ||
        event_add(loop->tick, &tick) != 0)
        return err_fail(err, ERR_NOMEM, "no memory for an event loop");
    return ERR_OK;
}

/* Every connection is a descriptor: the soft limit is raised as far as the hard one allows. Without
 * room for all of them connections beyond it wait in the backlog (on_accept). */
static void raise_file_limit(const struct http_server *s) {
    struct rlimit lim;
    rlim_t want = (rlim_t)s->opt.max_connections + FILES_BESIDE;
    if (getrlimit(RLIMIT_NOFILE, &lim) != 0 || lim.rlim_cur >= want) return;
    lim.rlim_cur = lim.rlim_max < want ? lim.rlim_max : want;
    if (setrlimit(RLIMIT_NOFILE, &lim) == 0 && lim.rlim_cur >= want) return;
    if (s->opt.log != NULL)
        log_event(s->opt.log, LOG_WARN, "http.files", LOG_INT("limit", lim.rlim_cur),
                  LOG_INT("wanted", want));
}

static enum err_code init_server(struct http_server *s, struct err *err) {
    s->stop_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (s->stop_fd < 0) return err_fail(err, ERR_IO, "cannot make an eventfd: errno %d", errno);
    raise_file_limit(s);
    TRY(http_address_trust(s, err));
    if (s->opt.max_per_address > 0) {
        s->n_addresses = (size_t)s->opt.max_connections * 2 + 1;
        s->addresses = mem_new(s->n_addresses, sizeof *s->addresses);
        if (s->addresses == NULL) return err_fail(err, ERR_NOMEM, "no memory for the addresses");
    }
    TRY(open_port(s, err));
    for (unsigned i = 0; i < s->opt.loops; i++) TRY(init_loop(s, i, err));
    return ERR_OK;
}

enum err_code http_server_new(const struct http_options *opt, http_handler *handler, void *ctx,
                              struct http_server **out, struct err *err) {
    *out = NULL;
    struct http_server *s = mem_new(1, sizeof *s);
    if (s == NULL) return err_fail(err, ERR_NOMEM, "no memory for the server");
    s->opt = *opt;
    fill_defaults(&s->opt);
    s->handler = handler;
    s->ctx = ctx;
    s->listen_fd = s->stop_fd = -1;
    if (pthread_mutex_init(&s->address_lock, NULL) != 0) {
        mem_free(s);
        return err_fail(err, ERR_IO, "cannot make a lock");
    }
    enum err_code rc = init_server(s, err);
    if (rc != ERR_OK)
        http_server_free(s);
    else
        *out = s;
    return rc;
}

int http_server_port(const struct http_server *s) { return s->port; }
unsigned http_server_loops(const struct http_server *s) { return s->opt.loops; }

/* ---- running ---- */

static void *loop_main(void *arg) {
    struct http_loop *loop = arg;
    struct http_server *s = loop->server;
    (void)event_base_dispatch(loop->base);
    close_all(loop);
    free_dead(loop);
    if (atomic_fetch_sub(&s->n_running, 1) == 1) {
        uint64_t one = 1;
        if (write(s->stop_fd, &one, sizeof one) < 0) return NULL;
    }
    return NULL;
}

enum err_code http_server_start(struct http_server *s, struct err *err) {
    sigset_t all, before;
    (void)sigfillset(&all);
    /* Signals belong to the main thread; a broken connection must not raise SIGPIPE here either. */
    (void)pthread_sigmask(SIG_BLOCK, &all, &before);
    unsigned n = 0;
    atomic_store(&s->n_accepting, s->n_loops);
    for (; n < s->n_loops; n++) {
        atomic_fetch_add(&s->n_running, 1);
        if (pthread_create(&s->loop[n].thread, NULL, loop_main, &s->loop[n]) != 0) break;
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    s->started = n > 0;
    if (n == s->n_loops) return ERR_OK;
    atomic_fetch_sub(&s->n_running, 1);
    unsigned all_loops = s->n_loops;
    s->n_loops = n;
    http_server_drain(s, 0);
    http_server_wait(s);
    s->n_loops = all_loops;
    return err_fail(err, ERR_IO, "cannot start thread %u of %u", n + 1, all_loops);
}

struct drain_task {
    struct http_task task;
    int64_t until_us;
};

static void run_drain(struct http_loop *loop, struct http_task *task) {
    struct drain_task *t = (struct drain_task *)task;
    struct http_server *s = loop->server;
    if (!loop->draining) {
        loop->draining = true;
        loop->drain_until_us = t->until_us;
        (void)event_del(loop->accept);
        /* The last loop to let go of it closes the port, so that new clients are refused at once.
         */
        if (atomic_fetch_sub(&s->n_accepting, 1) == 1) {
            (void)close(s->listen_fd);
            s->listen_fd = -1;
        }
        for (struct http_conn *c = loop->conns; c != NULL;) {
            struct http_conn *next = c->next;
            http_conn_drain(c);
            c = next;
        }
    }
    if (t->until_us < loop->drain_until_us) loop->drain_until_us = t->until_us;
    if (loop->conns == NULL) (void)event_base_loopbreak(loop->base);
    mem_free(t);
}

void http_server_drain(struct http_server *s, int64_t grace_ms) {
    int64_t until_us = clock_mono_us() + grace_ms * 1000;
    for (unsigned i = 0; i < s->n_loops; i++) {
        struct drain_task *t = mem_new(1, sizeof *t);
        if (t == NULL) continue;
        *t = (struct drain_task){.task = {.run = run_drain}, .until_us = until_us};
        http_loop_post(&s->loop[i], &t->task);
    }
}

void http_server_wait(struct http_server *s) {
    if (!s->started) return;
    for (unsigned i = 0; i < s->n_loops; i++) (void)pthread_join(s->loop[i].thread, NULL);
    s->started = false;
}

enum err_code http_server_run(struct http_server *s, int64_t grace_ms, struct err *err) {
    sigset_t stop, before;
    (void)sigemptyset(&stop);
    (void)sigaddset(&stop, SIGTERM);
    (void)sigaddset(&stop, SIGINT);
    (void)pthread_sigmask(SIG_BLOCK, &stop, &before);
    int fd = signalfd(-1, &stop, SFD_NONBLOCK | SFD_CLOEXEC);
    enum err_code rc = fd < 0 ? err_fail(err, ERR_IO, "cannot make a signalfd: errno %d", errno)
                              : http_server_start(s, err);
    for (bool draining = false; rc == ERR_OK;) {
        struct pollfd p[2] = {{.fd = fd, .events = POLLIN}, {.fd = s->stop_fd, .events = POLLIN}};
        struct signalfd_siginfo info;
        if (poll(p, 2, -1) < 0 && errno != EINTR) break;
        if ((p[1].revents & POLLIN) != 0) break;
        if ((p[0].revents & POLLIN) == 0 || read(fd, &info, sizeof info) <= 0) continue;
        http_server_drain(s, draining ? 0 : grace_ms);
        draining = true;
    }
    if (rc == ERR_OK) http_server_wait(s);
    if (fd >= 0) (void)close(fd);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc;
}

static void free_loop(struct http_loop *loop) {
    close_all(loop);
    run_tasks(loop);
    free_dead(loop);
    http_flights_deinit(loop);
    if (loop->wake != NULL) event_free(loop->wake);
    if (loop->accept != NULL) event_free(loop->accept);
    if (loop->tick != NULL) event_free(loop->tick);
    if (loop->base != NULL) event_base_free(loop->base);
    if (loop->wake_fd >= 0) (void)close(loop->wake_fd);
    (void)pthread_mutex_destroy(&loop->lock);
}

void http_server_free(struct http_server *s) {
    if (s == NULL) return;
    for (unsigned i = 0; i < s->n_loops; i++) free_loop(&s->loop[i]);
    if (s->listen_fd >= 0) (void)close(s->listen_fd);
    if (s->stop_fd >= 0) (void)close(s->stop_fd);
    (void)pthread_mutex_destroy(&s->address_lock);
    mem_free(s->addresses);
    mem_free(s->trusted);
    mem_free(s);
}
