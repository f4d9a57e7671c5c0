/* helper/run.h - run one of our sandboxed helper programs (gezhi-geo, gezhi-photo) and stream what
 * it prints. The child gets an empty environment, no inherited descriptor but 0, 1, 2, its own
 * process group, default signals and no shell. Its input is a sealed memory file, so the child may
 * seek in it and the parent never blocks on writing. Blocking: call it from a job thread, never
 * from an event loop. Any number of threads may run helpers at once.
 *
 * Convention for the exit codes of a helper; what it printed on stderr (one English line) becomes
 * err->detail. */
#ifndef HELPER_RUN_H
#define HELPER_RUN_H
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum helper_exit {
    HELPER_EXIT_OK = 0,
    HELPER_EXIT_INPUT = 1,       /* the input is wrong              -> ERR_INVALID */
    HELPER_EXIT_USAGE = 2,       /* called wrongly: our bug         -> ERR_INTERNAL */
    HELPER_EXIT_LIMIT = 3,       /* a size limit is exceeded        -> ERR_LIMIT */
    HELPER_EXIT_UNSUPPORTED = 4, /* this kind of file is not taken  -> ERR_UNSUPPORTED */
    HELPER_EXIT_FAILED = 5       /* the helper's own trouble        -> ERR_INTERNAL */
};

/* One piece of the helper's stdout, in order; any other code than ERR_OK kills the helper and is
 * handed to the caller. */
typedef enum err_code helper_output_fn(void *arg, const char *p, size_t n, struct err *err);

struct helper_limits {
    int64_t wall_ms; /* from start to exit, > 0; beyond it the whole process group is killed:
                        ERR_TIMEOUT */
    uint64_t
        memory_bytes; /* address space (RLIMIT_AS), 0: not limited; ignored under the sanitizers */
    uint64_t output_bytes; /* most bytes on stdout, > 0; beyond it: ERR_LIMIT */
};

struct helper_cmd {
    const char *path;        /* absolute or relative path of the program; never searched in PATH */
    const char *const *argv; /* NULL-terminated, argv[0] included */
    const void *in;          /* in_n bytes for its stdin; NULL when in_n is 0 */
    size_t in_n;
    struct helper_limits limits;
    helper_output_fn *on_output; /* NULL: output is counted and dropped */
    void *arg;
};

struct helper_result {
    int exit_code; /* -1 when it was ended by a signal */
    int signal;    /* 0 when it exited */
    uint64_t out_bytes;
    int64_t wall_ms;
    char message[512]; /* the start of its stderr, control characters replaced by blanks */
};

/* Run to the end. `out` may be NULL; it is filled in every case. Errors: ERR_NOT_FOUND (no such
 * program), ERR_TIMEOUT, ERR_LIMIT (output, or ended by a CPU or memory limit), the codes of the
 * exit convention above, ERR_INVALID when it crashed on the input (the signal is named), ERR_NOMEM,
 * ERR_INTERNAL, or what on_output returned. */
enum err_code helper_run(const struct helper_cmd *cmd, struct helper_result *out,
                         struct err *err) NODISCARD;

/* Path of a helper program into out[n]: in `dir` when given, else beside the running executable,
 * else in
 * ../libexec/gezhi from there. Errors: ERR_NOT_FOUND naming the places looked at; ERR_LIMIT (path
 * too long). */
enum err_code helper_find(const char *dir, const char *name, char *out, size_t n,
                          struct err *err) NODISCARD;
#endif
