#include "helper/photo_sandbox.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/sanitizer.h"

#define N_OF(list) (sizeof(list) / sizeof((list)[0]))

static bool limit(int what, rlim_t soft, rlim_t hard) {
    struct rlimit r = {soft, hard};
    return setrlimit(what, &r) == 0;
}

bool photo_limit_resources(void) {
    if (!limit(RLIMIT_CPU, 5, 6) || !limit(RLIMIT_CORE, 0, 0) ||
        !limit(RLIMIT_FSIZE, (rlim_t)64 << 20, (rlim_t)64 << 20))
        return false;
    if (under_sanitizer()) return true;
    return limit(RLIMIT_DATA, (rlim_t)512 << 20, (rlim_t)512 << 20) &&
           limit(RLIMIT_AS, (rlim_t)1536 << 20, (rlim_t)1536 << 20);
}

/* What the picture libraries, the threads of glib and the C library need once everything is loaded.
 */
static const int allowed[] = {
    SCMP_SYS(read),
    SCMP_SYS(write),
    SCMP_SYS(writev),
    SCMP_SYS(close),
    SCMP_SYS(fstat),
    SCMP_SYS(lseek),
    SCMP_SYS(mmap),
    SCMP_SYS(munmap),
    SCMP_SYS(mprotect),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    SCMP_SYS(brk),
    SCMP_SYS(futex),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq),
    SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(sched_getattr),
    SCMP_SYS(getrandom),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_getres),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(nanosleep),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(tgkill),
    SCMP_SYS(sysinfo),
    SCMP_SYS(uname),
    SCMP_SYS(getrusage),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(membarrier),
};
/* Nobody here asks for these but an intruder: end at once and be seen. */
static const int deadly[] = {
    SCMP_SYS(execve),  SCMP_SYS(execveat), SCMP_SYS(socket),      SCMP_SYS(socketpair),
    SCMP_SYS(connect), SCMP_SYS(bind),     SCMP_SYS(ptrace),      SCMP_SYS(fork),
    SCMP_SYS(vfork),   SCMP_SYS(bpf),      SCMP_SYS(init_module),
};

static bool add_rules(scmp_filter_ctx f) {
    for (size_t i = 0; i < N_OF(allowed); i++)
        if (seccomp_rule_add(f, SCMP_ACT_ALLOW, allowed[i], 0) != 0) return false;
    for (size_t i = 0; i < N_OF(deadly); i++)
        if (seccomp_rule_add(f, SCMP_ACT_KILL_PROCESS, deadly[i], 0) != 0) return false;
    /* A thread, never a process; clone3 hides its flags behind a pointer, so that the C library
     * must use clone. */
    struct scmp_arg_cmp thread = SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD);
    struct scmp_arg_cmp name = SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME);
    return seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1, thread) == 0 &&
           seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1, name) == 0 &&
           seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) == 0;
}

bool photo_limit_calls(void) {
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return false;
    scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (!f) return false;
    bool ok = add_rules(f) && seccomp_load(f) == 0;
    seccomp_release(f);
    return ok;
}
