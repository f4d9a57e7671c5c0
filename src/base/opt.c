#include "base/opt.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/val.h"

enum { OPT_MAX = 64 };

static const struct opt *find(const struct opt_command *cmd, const char *name, size_t n) {
    for (size_t i = 0; i < cmd->n_opts; i++)
        if (strlen(cmd->opts[i].name) == n && memcmp(cmd->opts[i].name, name, n) == 0)
            return &cmd->opts[i];
    return NULL;
}

static enum err_code unknown(const struct opt_command *cmd, const char *name, size_t n,
                             struct err *err) {
    const char *names[OPT_MAX + 1] = {0};
    char word[64];
    for (size_t i = 0; i < cmd->n_opts; i++) names[i] = cmd->opts[i].name;
    (void)snprintf(word, sizeof word, "%.*s", (int)(n < 63 ? n : 63), name);
    const char *near = val_nearest(word, names);
    if (near != NULL)
        return err_fail(err, ERR_INVALID, "--%s is not an option of %s; did you mean --%s?", word,
                        cmd->name, near);
    return err_fail(err, ERR_INVALID, "--%s is not an option of %s", word, cmd->name);
}

static enum err_code set_int(const struct opt *o, const char *text, struct err *err) {
    char *end;
    errno = 0;
    long long v = strtoll(text, &end, 10);
    bool digits =
        text[0] == '-' ? text[1] >= '0' && text[1] <= '9' : text[0] >= '0' && text[0] <= '9';
    if (!digits || *end != '\0' || errno == ERANGE)
        return err_fail(err, ERR_INVALID, "--%s %s: expected an integer, found \"%.60s\"", o->name,
                        o->value == NULL ? "N" : o->value, text);
    *(int64_t *)o->out = v;
    return ERR_OK;
}

static enum err_code set_double(const struct opt *o, const char *text, struct err *err) {
    char *end = NULL;
    double v = strtod(text, &end);
    /* strtod alone would take hexadecimal, "inf" and "nan". */
    if (text[0] == '\0' || text[strspn(text, "+-.0123456789eE")] != '\0' || end == text ||
        *end != '\0' || !isfinite(v))
        return err_fail(err, ERR_INVALID, "--%s %s: expected a number, found \"%.60s\"", o->name,
                        o->value == NULL ? "X" : o->value, text);
    *(double *)o->out = v;
    return ERR_OK;
}

/* argv[*i] is an option; a value in the next argument moves *i on. */
static enum err_code take_option(const struct opt_command *cmd, int argc, char **argv, int *i,
                                 bool *seen, struct err *err) {
    const char *name = argv[*i] + 2;
    const char *equals = strchr(name, '=');
    size_t n = equals == NULL ? strlen(name) : (size_t)(equals - name);
    const struct opt *o = find(cmd, name, n);
    if (o == NULL) return unknown(cmd, name, n, err);
    seen[o - cmd->opts] = true;
    if (o->kind == OPT_FLAG) {
        if (equals != NULL) return err_fail(err, ERR_INVALID, "--%s takes no value", o->name);
        *(bool *)o->out = true;
        return ERR_OK;
    }
    const char *text = equals == NULL ? NULL : equals + 1;
    if (text == NULL && *i + 1 < argc) text = argv[++*i];
    if (text == NULL)
        return err_fail(err, ERR_INVALID, "--%s needs a value: --%s %s", o->name, o->name,
                        o->value == NULL ? "VALUE" : o->value);
    if (o->kind == OPT_INT) return set_int(o, text, err);
    if (o->kind == OPT_DOUBLE) return set_double(o, text, err);
    *(const char **)o->out = text;
    return ERR_OK;
}

static enum err_code check_counts(const struct opt_command *cmd, size_t n, const bool *seen,
                                  struct err *err) {
    for (size_t i = 0; i < cmd->n_opts; i++) {
        const struct opt *o = &cmd->opts[i];
        if (o->required && !seen[i])
            return err_fail(err, ERR_INVALID, "%s needs --%s %s", cmd->name, o->name,
                            o->value == NULL ? "" : o->value);
    }
    if (n < cmd->min_args)
        return err_fail(err, ERR_INVALID, "%s needs %s", cmd->name,
                        cmd->positional == NULL ? "an argument" : cmd->positional);
    return ERR_OK;
}

enum err_code opt_parse(const struct opt_command *cmd, int argc, char **argv, size_t *n_args,
                        struct err *err) {
    bool seen[OPT_MAX] = {0}, only_args = false;
    size_t n = 0;
    app_assert(cmd->n_opts <= OPT_MAX);
    *n_args = 0;
    for (int i = 0; i < argc; i++) {
        char *arg = argv[i];
        if (!only_args && strcmp(arg, "--") == 0) {
            only_args = true;
            continue;
        }
        if (!only_args && strncmp(arg, "--", 2) == 0) {
            TRY(take_option(cmd, argc, argv, &i, seen, err));
            continue;
        }
        /* "-" alone is an argument: standard input. */
        if (!only_args && arg[0] == '-' && arg[1] != '\0')
            return err_fail(err, ERR_INVALID, "%.60s is not an option of %s", arg, cmd->name);
        if (n == cmd->max_args)
            return err_fail(err, ERR_INVALID, "%s does not take \"%.60s\"", cmd->name, arg);
        argv[n++] = arg;
    }
    TRY(check_counts(cmd, n, seen, err));
    *n_args = n;
    return ERR_OK;
}

bool opt_wants_help(int argc, char **argv) {
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) return true;
    return false;
}

void opt_help(const struct opt_command *cmd) {
    size_t width = 0;
    (void)printf("usage: gezhi %s", cmd->name);
    for (size_t i = 0; i < cmd->n_opts; i++) {
        const struct opt *o = &cmd->opts[i];
        size_t w = strlen(o->name) + (o->value == NULL ? 0 : strlen(o->value) + 1);
        if (w > width) width = w;
        if (o->required) (void)printf(" --%s %s", o->name, o->value == NULL ? "" : o->value);
    }
    (void)printf("%s%s%s\n\n%s\n", cmd->n_opts > 0 ? " [options]" : "",
                 cmd->positional == NULL ? "" : " ", cmd->positional == NULL ? "" : cmd->positional,
                 cmd->summary);
    if (cmd->n_opts > 0) (void)printf("\n");
    for (size_t i = 0; i < cmd->n_opts; i++) {
        const struct opt *o = &cmd->opts[i];
        int used = printf("  --%s%s%s", o->name, o->value == NULL ? "" : " ",
                          o->value == NULL ? "" : o->value);
        (void)printf("%*s%s%s\n", (int)width + 6 - (used < 0 ? 0 : used), "", o->help,
                     o->required ? " (required)" : "");
    }
    if (cmd->example != NULL) (void)printf("\nexample: %s\n", cmd->example);
}
