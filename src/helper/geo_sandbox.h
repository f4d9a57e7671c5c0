/* helper/geo_sandbox.h - what gezhi-geo may do: compute, read files, write to its two pipes. For
 * gezhi-geo only. */
#ifndef HELPER_GEO_SANDBOX_H
#define HELPER_GEO_SANDBOX_H
#include <stdbool.h>
#include <stdint.h>

/* Processor seconds, bytes of address space (left out under the sanitizers), no file writing, no
 * core; ended with the thread that started it. False when the system refuses. */
bool geo_limit_resources(uint64_t cpu_s, uint64_t memory_bytes);
/* A system-call filter for the rest of the run: no socket, no other program or thread, files only
 * for reading, output only to stdout and stderr; with read_files false no file at all. False when
 * the system has no such filter. */
bool geo_limit_calls(bool read_files);
#endif
