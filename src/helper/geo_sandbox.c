#include "helper/geo_sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/sanitizer.h"

#if UNDER_SANITIZER
/* The leak check at exit would start a tracing process, which the filter forbids. */
const char *asan_options(void) __asm__("__asan_default_options");
const char *asan_options(void) { return "detect_leaks=0"; }
#endif

#define N_OF(list) (sizeof(list) / sizeof((list)[0]))

static bool limit(__rlimit_resource_t what, rlim_t soft, rlim_t hard) {
    struct rlimit r = {soft, hard};
    return setrlimit(what, &r) == 0;
}

bool geo_limit_resources(uint64_t cpu_s, uint64_t memory_bytes) {
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) return false;
    if (!limit(RLIMIT_CPU, cpu_s, cpu_s + 1) || !limit(RLIMIT_CORE, 0, 0)) return false;
    return under_sanitizer() || limit(RLIMIT_AS, memory_bytes, memory_bytes);
}

/* Memory, time and signals: what any program needs. */
static const int basic[] = {
    SCMP_SYS(read),
    SCMP_SYS(pread64),
    SCMP_SYS(readv),
    SCMP_SYS(lseek),
    SCMP_SYS(close),
    SCMP_SYS(fstat),
    SCMP_SYS(mmap),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(mprotect),
    SCMP_SYS(madvise),
    SCMP_SYS(brk),
    SCMP_SYS(futex),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(getrandom),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_getres),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(getuid),
    SCMP_SYS(geteuid),
    SCMP_SYS(getgid),
    SCMP_SYS(getegid),
    SCMP_SYS(sysinfo),
    SCMP_SYS(uname),
    SCMP_SYS(getrusage),
    SCMP_SYS(sched_yield),
    SCMP_SYS(tgkill),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(sched_getaffinity),
};
/* Looking at files; opening them is allowed by a rule on the flags. */
static const int files[] = {
    SCMP_SYS(stat),       SCMP_SYS(lstat),     SCMP_SYS(newfstatat), SCMP_SYS(statx),
    SCMP_SYS(access),     SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(readlink),
    SCMP_SYS(readlinkat), SCMP_SYS(getcwd),    SCMP_SYS(getdents64), SCMP_SYS(fcntl),
    SCMP_SYS(fstatfs),    SCMP_SYS(statfs),    SCMP_SYS(fadvise64),
};
/* Nobody here asks for these but an intruder: end at once and be seen. */
static const int deadly[] = {
    SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(socket), SCMP_SYS(socketpair), SCMP_SYS(connect),
    SCMP_SYS(bind),   SCMP_SYS(ptrace),   SCMP_SYS(fork),   SCMP_SYS(vfork),      SCMP_SYS(bpf),
};

static bool add_list(scmp_filter_ctx f, uint32_t action, const int *list, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (seccomp_rule_add(f, action, list[i], 0) != 0) return false;
    return true;
}

static bool add_rules(scmp_filter_ctx f, bool read_files) {
    struct scmp_arg_cmp out = SCMP_A0(SCMP_CMP_EQ, 1, 0), err = SCMP_A0(SCMP_CMP_EQ, 2, 0);
    struct scmp_arg_cmp is_terminal = SCMP_A1(SCMP_CMP_EQ, TCGETS, 0);
    struct scmp_arg_cmp own_limits = SCMP_A2(SCMP_CMP_EQ, 0, 0); /* prlimit64 without new limits */
    if (!add_list(f, SCMP_ACT_ALLOW, basic, N_OF(basic)) ||
        !add_list(f, SCMP_ACT_KILL_PROCESS, deadly, N_OF(deadly)) ||
        seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(write), 1, out) != 0 ||
        seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(write), 1, err) != 0 ||
        seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(writev), 1, out) != 0 ||
        seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(writev), 1, err) != 0 ||
        seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1, own_limits) != 0 ||
        seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, is_terminal) != 0)
        return false;
    if (!read_files) return true;
    scmp_datum_t changes = O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND;
    struct scmp_arg_cmp open_ro = SCMP_A1(SCMP_CMP_MASKED_EQ, changes, O_RDONLY);
    struct scmp_arg_cmp openat_ro = SCMP_A2(SCMP_CMP_MASKED_EQ, changes, O_RDONLY);
    return add_list(f, SCMP_ACT_ALLOW, files, N_OF(files)) &&
           seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(open), 1, open_ro) == 0 &&
           seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1, openat_ro) == 0;
}

bool geo_limit_calls(bool read_files) {
    scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (f == NULL) return false;
    bool ok = add_rules(f, read_files) && seccomp_load(f) == 0;
    seccomp_release(f);
    return ok;
}
