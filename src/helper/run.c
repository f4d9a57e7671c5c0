#include "helper/run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/sanitizer.h"

enum { READ_PIECE = 65536, REAP_PAUSE_MS = 2 };

struct run {
    const struct helper_cmd *cmd;
    struct helper_result *res;
    pid_t pid;    /* > 0 while the child is not reaped */
    int in;       /* memory file, -1 when closed */
    int out[2];   /* pipe of its stdout: [0] ours */
    int errfd[2]; /* pipe of its stderr */
    size_t err_n; /* bytes kept in res->message */
    int64_t start_ms;
};

static int64_t mono_ms(void) { return clock_mono_us() / 1000; }

static void fd_close(int *fd) {
    if (*fd >= 0) (void)close(*fd);
    *fd = -1;
}

/* A sealed memory file with the input, positioned at its start. */
static enum err_code input_open(struct run *r, struct err *err) {
    r->in = memfd_create("helper-input", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (r->in < 0) return err_fail(err, ERR_INTERNAL, "memfd_create: errno %d", errno);
    const char *p = r->cmd->in;
    size_t left = r->cmd->in_n;
    while (left > 0) {
        ssize_t n = write(r->in, p, left);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return err_fail(err, ERR_NOMEM, "no room for %zu bytes of input", r->cmd->in_n);
        p += n;
        left -= (size_t)n;
    }
    (void)fcntl(r->in, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
    if (lseek(r->in, 0, SEEK_SET) != 0)
        return err_fail(err, ERR_INTERNAL, "lseek: errno %d", errno);
    return ERR_OK;
}

static int spawn_actions(posix_spawn_file_actions_t *fa, const struct run *r) {
    int rc = posix_spawn_file_actions_adddup2(fa, r->in, 0);
    if (rc == 0) rc = posix_spawn_file_actions_adddup2(fa, r->out[1], 1);
    if (rc == 0) rc = posix_spawn_file_actions_adddup2(fa, r->errfd[1], 2);
    if (rc == 0) rc = posix_spawn_file_actions_addclosefrom_np(fa, 3);
    return rc;
}

static int spawn_attributes(posix_spawnattr_t *at) {
    sigset_t none, all;
    (void)sigemptyset(&none);
    (void)sigfillset(&all);
    int rc = posix_spawnattr_setflags(at, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                              POSIX_SPAWN_SETSIGDEF);
    if (rc == 0) rc = posix_spawnattr_setpgroup(at, 0);
    if (rc == 0) rc = posix_spawnattr_setsigmask(at, &none);
    if (rc == 0) rc = posix_spawnattr_setsigdefault(at, &all);
    return rc;
}

/* argv of posix_spawn is char *const[] for history's sake; it is never written to. */
union argv_view {
    const char *const *in;
    char *const *out;
};

static int spawn(struct run *r) {
    posix_spawn_file_actions_t fa;
    posix_spawnattr_t at;
    int rc = posix_spawn_file_actions_init(&fa);
    if (rc != 0) return rc;
    rc = posix_spawnattr_init(&at);
    if (rc != 0) {
        (void)posix_spawn_file_actions_destroy(&fa);
        return rc;
    }
    union argv_view argv = {.in = r->cmd->argv};
    char *const no_env[] = {NULL};
    pid_t pid = 0;
    rc = spawn_actions(&fa, r);
    if (rc == 0) rc = spawn_attributes(&at);
    if (rc == 0) rc = posix_spawn(&pid, r->cmd->path, &fa, &at, argv.out, no_env);
    if (rc == 0) r->pid = pid;
    (void)posix_spawnattr_destroy(&at);
    (void)posix_spawn_file_actions_destroy(&fa);
    return rc;
}

/* The helper sets the same limits itself; these hold even when it does not come that far. */
static void child_limits(const struct run *r) {
    struct rlimit none = {0, 0};
    (void)prlimit(r->pid, RLIMIT_CORE, &none, NULL);
    rlim_t cpu_s = (rlim_t)(r->cmd->limits.wall_ms / 1000 + 1);
    struct rlimit cpu = {cpu_s, cpu_s + 1};
    (void)prlimit(r->pid, RLIMIT_CPU, &cpu, NULL);
    if (UNDER_SANITIZER || r->cmd->limits.memory_bytes == 0) return;
    struct rlimit as = {r->cmd->limits.memory_bytes, r->cmd->limits.memory_bytes};
    (void)prlimit(r->pid, RLIMIT_AS, &as, NULL);
}

static enum err_code child_start(struct run *r, struct err *err) {
    TRY(input_open(r, err));
    if (pipe2(r->out, O_CLOEXEC) != 0 || pipe2(r->errfd, O_CLOEXEC) != 0)
        return err_fail(err, ERR_INTERNAL, "pipe2: errno %d", errno);
    int rc = spawn(r);
    if (rc == ENOENT || rc == EACCES || rc == ENOTDIR)
        return err_fail(err, ERR_NOT_FOUND, "the helper program %s cannot be run", r->cmd->path);
    if (rc == ENOMEM || rc == EAGAIN)
        return err_fail(err, ERR_NOMEM, "no room to start %s", r->cmd->path);
    if (rc != 0) return err_fail(err, ERR_INTERNAL, "posix_spawn %s: errno %d", r->cmd->path, rc);
    child_limits(r);
    fd_close(&r->in);
    fd_close(&r->out[1]);
    fd_close(&r->errfd[1]);
    return ERR_OK;
}

static void message_add(struct run *r, const char *p, size_t n) {
    for (size_t i = 0; i < n && r->err_n + 1 < sizeof r->res->message; i++) {
        unsigned char c = (unsigned char)p[i];
        bool is_control = c < 0x20 || c == 0x7f;
        r->res->message[r->err_n] = p[i];
        if (is_control) r->res->message[r->err_n] = ' ';
        r->err_n++;
    }
}

/* Read what is there; *fd becomes -1 at the end of the stream. */
static enum err_code pump(struct run *r, int *fd, bool is_out, char *piece, struct err *err) {
    ssize_t n = read(*fd, piece, READ_PIECE);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) return ERR_OK;
    if (n <= 0) {
        fd_close(fd);
        return ERR_OK;
    }
    if (!is_out) {
        message_add(r, piece, (size_t)n);
        return ERR_OK;
    }
    if ((uint64_t)n > r->cmd->limits.output_bytes - r->res->out_bytes)
        return err_fail(err, ERR_LIMIT, "the helper printed more than %llu bytes",
                        (unsigned long long)r->cmd->limits.output_bytes);
    r->res->out_bytes += (uint64_t)n;
    if (r->cmd->on_output == NULL) return ERR_OK;
    return r->cmd->on_output(r->cmd->arg, piece, (size_t)n, err);
}

static enum err_code timed_out(const struct run *r, struct err *err) {
    return err_fail(err, ERR_TIMEOUT, "the helper took more than %lld ms",
                    (long long)r->cmd->limits.wall_ms);
}

static enum err_code child_stream(struct run *r, struct err *err) {
    char piece[READ_PIECE];
    while (r->out[0] >= 0 || r->errfd[0] >= 0) {
        int64_t left = r->start_ms + r->cmd->limits.wall_ms - mono_ms();
        if (left <= 0) return timed_out(r, err);
        struct pollfd fds[2] = {{r->out[0], POLLIN, 0}, {r->errfd[0], POLLIN, 0}};
        int n = poll(fds, 2, left > 60000 ? 60000 : (int)left);
        if (n < 0 && errno != EINTR) return err_fail(err, ERR_INTERNAL, "poll: errno %d", errno);
        if (n <= 0) continue;
        if (fds[1].revents != 0) TRY(pump(r, &r->errfd[0], false, piece, err));
        if (fds[0].revents != 0) TRY(pump(r, &r->out[0], true, piece, err));
    }
    return ERR_OK;
}

static void child_kill(const struct run *r) {
    (void)kill(-r->pid, SIGKILL);
    (void)kill(r->pid, SIGKILL); /* in case it has not reached its own group yet */
}

static enum err_code child_reap(struct run *r, enum err_code rc, struct err *err) {
    if (rc != ERR_OK) child_kill(r);
    int status = 0;
    for (;;) {
        pid_t got = waitpid(r->pid, &status, rc == ERR_OK ? WNOHANG : 0);
        if (got == r->pid) break;
        if (got < 0 &&
            errno != EINTR) { /* the embedding program reaps by itself: SIGCHLD ignored */
            r->pid = 0;
            return rc != ERR_OK ? rc : err_fail(err, ERR_INTERNAL, "waitpid: errno %d", errno);
        }
        if (rc != ERR_OK) continue;
        if (mono_ms() - r->start_ms > r->cmd->limits.wall_ms) {
            rc = timed_out(r, err);
            child_kill(r);
            continue;
        }
        (void)poll(NULL, 0, REAP_PAUSE_MS);
    }
    r->pid = 0;
    r->res->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    r->res->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    return rc;
}

static enum err_code exit_to_code(const struct helper_result *res, struct err *err) {
    static const struct {
        int exit_code;
        enum err_code code;
    } map[] = {{HELPER_EXIT_INPUT, ERR_INVALID},
               {HELPER_EXIT_LIMIT, ERR_LIMIT},
               {HELPER_EXIT_UNSUPPORTED, ERR_UNSUPPORTED}};
    if (res->signal == SIGXCPU)
        return err_fail(err, ERR_LIMIT, "the helper used too much processor time");
    if (res->signal == SIGKILL)
        return err_fail(err, ERR_LIMIT, "the helper was killed by the system (memory or time)");
    if (res->signal != 0)
        return err_fail(err, ERR_INVALID, "the helper crashed on this input (signal %d) %s",
                        res->signal, res->message);
    if (res->exit_code == HELPER_EXIT_OK) return ERR_OK;
    for (size_t i = 0; i < sizeof map / sizeof map[0]; i++)
        if (map[i].exit_code == res->exit_code)
            return err_fail(err, map[i].code, "%s", res->message);
    return err_fail(err, ERR_INTERNAL, "the helper ended with %d: %s", res->exit_code,
                    res->message);
}

enum err_code helper_run(const struct helper_cmd *cmd, struct helper_result *out, struct err *err) {
    struct helper_result local = {0};
    struct run r = {.cmd = cmd,
                    .res = out != NULL ? out : &local,
                    .in = -1,
                    .out = {-1, -1},
                    .errfd = {-1, -1},
                    .start_ms = mono_ms()};
    memset(r.res, 0, sizeof *r.res);
    app_assert(cmd->path != NULL && cmd->argv != NULL && cmd->argv[0] != NULL);
    app_assert(cmd->limits.wall_ms > 0 && cmd->limits.output_bytes > 0);
    enum err_code rc = child_start(&r, err);
    if (rc == ERR_OK) rc = child_stream(&r, err);
    if (r.pid > 0) rc = child_reap(&r, rc, err);
    fd_close(&r.in);
    for (int i = 0; i < 2; i++) {
        fd_close(&r.out[i]);
        fd_close(&r.errfd[i]);
    }
    r.res->wall_ms = mono_ms() - r.start_ms;
    if (rc != ERR_OK) return rc;
    return exit_to_code(r.res, err);
}

static enum err_code try_place(const char *dir, const char *middle, const char *name, char *out,
                               size_t n, struct err *err) {
    int len = snprintf(out, n, "%s%s/%s", dir, middle, name);
    if (len < 0 || (size_t)len >= n)
        return err_fail(err, ERR_LIMIT, "the path of the helper %s is too long", name);
    return access(out, X_OK) == 0 ? ERR_OK : ERR_NOT_FOUND;
}

enum err_code helper_find(const char *dir, const char *name, char *out, size_t n, struct err *err) {
    if (dir != NULL) {
        enum err_code rc = try_place(dir, "", name, out, n, err);
        if (rc != ERR_NOT_FOUND) return rc;
        return err_fail(err, ERR_NOT_FOUND, "there is no program %s in %s", name, dir);
    }
    char self[4096];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    if (len <= 0) return err_fail(err, ERR_INTERNAL, "/proc/self/exe cannot be read");
    self[len] = '\0';
    char *slash = strrchr(self, '/');
    if (slash != NULL) *slash = '\0';
    static const char *const middle[] = {"", "/../libexec/gezhi"};
    for (size_t i = 0; i < sizeof middle / sizeof middle[0]; i++) {
        enum err_code rc = try_place(self, middle[i], name, out, n, err);
        if (rc != ERR_NOT_FOUND) return rc;
    }
    return err_fail(err, ERR_NOT_FOUND, "there is no program %s in %s or in %s/../libexec/gezhi",
                    name, self, self);
}
