/* gezhi init, gezhi serve */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/app.h"
#include "cli/cli.h"

int cli_fail(const char *command, const struct err *err) {
    (void)fprintf(stderr, "gezhi %s: %s\n", command, err->detail);
    return 1;
}

int cli_usage(const struct opt_command *cmd, const struct err *err) {
    (void)fprintf(stderr, "gezhi %s: %s\nTry: gezhi %s --help\n", cmd->name, err->detail,
                  cmd->name);
    return 2;
}

int cli_init(int argc, char **argv) {
    const char *data = NULL, *name = "", *timezone = "Asia/Shanghai", *codes = "free",
               *packs = NULL;
    const struct opt opts[] = {
        {"data", OPT_STR, &data, true, "DIR", "the folder to make"},
        {"name", OPT_STR, &name, false, "TEXT", "name of the city"},
        {"timezone", OPT_STR, &timezone, false, "ZONE",
         "time zone, as in Asia/Shanghai (the default)"},
        {"codes", OPT_STR, &codes, false, "gb|free",
         "12-digit division codes, or any codes (free, the default)"},
        {"packs", OPT_STR, &packs, false, "DIR", "packs to copy instead of the shipped ones"}};
    const struct opt_command cmd = {"init", NULL, 0, 0, opts, 5, "Make an empty city."};
    struct err err = {0};
    size_t n = 0;
    if (argc > 0 && strcmp(argv[0], "--help") == 0) {
        opt_help(&cmd);
        return 0;
    }
    if (opt_parse(&cmd, argc, argv, &n, &err) != ERR_OK) return cli_usage(&cmd, &err);
    struct city city = {name, timezone, codes, false};
    if (folder_create(data, packs, &city, NULL, &err) != ERR_OK) return cli_fail("init", &err);
    (void)printf("made an empty city in %s\n", data);
    return 0;
}

/* Settings: the command line wins over the environment (GEZHI_LISTEN, GEZHI_PORT, GEZHI_LOG,
 * GEZHI_PROXIES). */
static const char *env_or(const char *name, const char *fallback) {
    const char *v = getenv(name); /* NOLINT(concurrency-mt-unsafe): before any thread is started */
    return v == NULL || v[0] == '\0' ? fallback : v;
}

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

int cli_serve(int argc, char **argv) {
    const char *data = NULL, *listen = env_or("GEZHI_LISTEN", "127.0.0.1"), *web = NULL;
    int64_t port = strtol(env_or("GEZHI_PORT", "8080"), NULL, 10), loops = 0, workers = 0;
    const char *proxies = env_or("GEZHI_PROXIES", "");
    const struct opt opts[] = {
        {"data", OPT_STR, &data, true, "DIR", "the city's folder"},
        {"listen", OPT_STR, &listen, false, "ADDRESS", "numeric address (127.0.0.1)"},
        {"port", OPT_INT, &port, false, "PORT", "port (8080); 0 takes a free one"},
        {"web", OPT_STR, &web, false, "DIR",
         "serve the page from a folder instead of the built-in one"},
        {"loops", OPT_INT, &loops, false, "N", "event loops"},
        {"workers", OPT_INT, &workers, false, "N", "reader threads"},
        {"trusted-proxies", OPT_STR, &proxies, false, "LIST",
         "addresses whose forwarding headers are believed"}};
    const struct opt_command cmd = {"serve", NULL, 0, 0, opts, 7, "Serve a city over HTTP."};
    struct err err = {0};
    size_t n = 0;
    if (argc > 0 && strcmp(argv[0], "--help") == 0) {
        opt_help(&cmd);
        return 0;
    }
    if (opt_parse(&cmd, argc, argv, &n, &err) != ERR_OK) return cli_usage(&cmd, &err);
    block_signals();
    struct log log = {.level =
                          strcmp(env_or("GEZHI_LOG", "info"), "debug") == 0 ? LOG_DEBUG : LOG_INFO,
                      .fd = STDERR_FILENO,
                      .json = isatty(STDERR_FILENO) ? 0 : 1};
    struct arena *a = arena_new(1 << 20);
    char *list = a == NULL ? NULL : arena_strdup(a, proxies);
    if (list == NULL) return cli_fail("serve", &err);
    const char *trusted[16];
    size_t n_trusted = split_proxies(list, trusted, 16);
    struct app_options o = {.data_dir = data,
                            .listen = listen,
                            .port = (int)port,
                            .web_dir = web,
                            .helper_dir = folder_helpers(a),
                            .n_loops = (int)loops,
                            .n_workers = (int)workers,
                            .trusted_proxies = trusted,
                            .n_trusted_proxies = n_trusted,
                            .log = &log};
    struct app *app = NULL;
    int exit_code = 0;
    if (app_open(&o, &app, &err) != ERR_OK)
        exit_code = cli_fail("serve", &err);
    else {
        if (app_serve(app, &o, &err) != ERR_OK) exit_code = cli_fail("serve", &err);
        app_close(app);
    }
    arena_free(a);
    return exit_code;
}
