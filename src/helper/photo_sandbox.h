/* helper/photo_sandbox.h - what gezhi-photo may do: compute, read its input, write its output. One
 * call each, before outside bytes are looked at. For gezhi-photo only. */
#ifndef HELPER_PHOTO_SANDBOX_H
#define HELPER_PHOTO_SANDBOX_H
#include <stdbool.h>

/* 5 s of processor time, 512 MB of data, 1.5 GiB of address space (the libraries map most of it),
 * no file beyond 64 MB, no core. Under the sanitizers the two memory limits are left out. False
 * when the system refuses. */
bool photo_limit_resources(void);
/* A system-call filter: no network, no other program, no new file or folder; threads may start.
 * False when the system has no such filter. */
bool photo_limit_calls(void);
#endif
