/* gezhi serve */
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "api/app.h"
#include "cli/cli.h"
#include "cli/settings.h"

enum { MAX_PROXIES = 16 };

/* Signals are handled by sigwait in the main thread; threads made later inherit the mask. */
static void block_signals(void) {
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    (void)sigaction(SIGPIPE, &ignore, NULL);
}

static size_t split_proxies(char *text, const char **out, size_t max) {
    size_t n = 0;
    for (char *p = text; *p != '\0' && n < max;) {
        size_t len = strcspn(p, ",");
        bool last = p[len] == '\0';
        p[len] = '\0';
        if (len > 0) out[n++] = p;
        p += last ? len : len + 1;
    }
    return n;
}

/* What the command line says wins over file and environment. */
static void override(const char **text, const char *given) {
    if (given != NULL) *text = given;
}

static int serve(const struct app_options *o) {
    struct err err = {0};
    struct app *app = NULL;
    if (app_open(o, &app, &err) != ERR_OK) return cli_fail("serve", &err);
    int exit_code = app_serve(app, o, &err) == ERR_OK ? 0 : cli_fail("serve", &err);
    app_close(app);
    return exit_code;
}

static int serve_with(struct arena *a, const char *data, const char *web,
                      const struct settings *s) {
    const char *trusted[MAX_PROXIES];
    char *list = arena_strdup(a, s->trusted_proxies);
    if (list == NULL) return 1;
    struct log log = {.level = strcmp(s->log, "debug") == 0 ? LOG_DEBUG : LOG_INFO,
                      .fd = STDERR_FILENO,
                      .json = isatty(STDERR_FILENO) ? 0 : 1};
    struct app_options o = {.data_dir = data,
                            .listen = s->listen,
                            .port = (int)s->port,
                            .web_dir = web,
                            .helper_dir = folder_helpers(a),
                            .n_loops = (int)s->loops,
                            .n_workers = (int)s->workers,
                            .idle_s = s->idle_minutes * 60,
                            .absolute_s = s->session_hours * 3600,
                            .password_bytes = (size_t)s->password_mib << 20,
                            .freeze_after_s = s->freeze_after_s,
                            .trusted_proxies = trusted,
                            .log = &log};
    o.n_trusted_proxies = split_proxies(list, trusted, MAX_PROXIES);
    return serve(&o);
}

int cli_serve(int argc, char **argv) {
    const char *data = NULL, *listen = NULL, *web = NULL, *proxies = NULL;
    int64_t port = -1, loops = -1, workers = -1, freeze_after = -1;
    const struct opt opts[] = {
        {"data", OPT_STR, &data, true, "DIR", "the city's folder; DIR/settings.yaml is read"},
        {"listen", OPT_STR, &listen, false, "ADDRESS", "numeric address (127.0.0.1)"},
        {"port", OPT_INT, &port, false, "PORT", "port (8080); 0 takes a free one"},
        {"web", OPT_STR, &web, false, "DIR",
         "serve the page from a folder instead of the built-in one"},
        {"loops", OPT_INT, &loops, false, "N", "event loops"},
        {"workers", OPT_INT, &workers, false, "N", "reader threads"},
        {"freeze-after", OPT_INT, &freeze_after, false, "SECONDS",
         "until periods that are over are first frozen (600)"},
        {"trusted-proxies", OPT_STR, &proxies, false, "LIST",
         "addresses whose forwarding headers are believed"}};
    const struct opt_command cmd = {"serve", NULL, 0, 0, opts, 8, "Serve a city over HTTP.", NULL};
    struct err err = {0};
    int done = cli_parse(&cmd, argc, argv);
    if (done != CLI_GO_ON) return done;
    struct arena *a = arena_new(4 << 20);
    struct settings s;
    if (a == NULL || settings_load(a, data, &s, &err) != ERR_OK) {
        arena_free(a);
        return cli_fail("serve", &err);
    }
    override(&s.listen, listen);
    override(&s.trusted_proxies, proxies);
    if (port >= 0) s.port = port;
    if (loops >= 0) s.loops = loops;
    if (workers >= 0) s.workers = workers;
    if (freeze_after >= 0) s.freeze_after_s = freeze_after;
    block_signals();
    int exit_code = serve_with(a, data, web, &s);
    arena_free(a);
    return exit_code;
}
