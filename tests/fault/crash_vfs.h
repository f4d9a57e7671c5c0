/* tests/fault/crash_vfs.h - an SQLite VFS over the system's own that keeps a model of the disk
 * beside it: bytes that were synced, and writes since then. At a crash each unsynced write may be
 * kept, dropped, torn by sector or turned to garbage, in any order; everything after it fails. One
 * model a process; safe from any thread. */
#ifndef TEST_CRASH_VFS_H
#define TEST_CRASH_VFS_H
#include <stdbool.h>
#include <stdint.h>

#define CRASH_VFS "crash"

/* Registers the VFS once; forgets all files and the crash of before. */
void crash_begin(uint64_t seed);
/* Crash at the n-th write, sync, truncation or deletion from now (0 = the next). */
void crash_after(long n);
bool crash_happened(void);
/* Operations since crash_begin. */
long crash_ops(void);
/* With everything closed: turn the real files into what a disk could hold after the crash (without
 * one: as they are). */
void crash_settle(void);
/* Until told otherwise: writes and syncs fail with this SQLite code (SQLITE_OK: they work again).
 */
void crash_fail_writes(int sqlite_code);
#endif
