/* api/workers.h - the reader pool: threads that run handlers off the event loops. A full queue is
 * refused (503), never grown. */
#ifndef API_WORKERS_H
#define API_WORKERS_H
#include <stddef.h>

#include "base/err.h"

struct workers;
enum err_code workers_new(unsigned n_threads, size_t max_queue, struct workers **out,
                          struct err *err) NODISCARD;
/* Run fn(arg) on some thread; ERR_BUSY when the queue is full. Any thread. */
enum err_code workers_post(struct workers *w, void (*fn)(void *), void *arg,
                           struct err *err) NODISCARD;
/* Run what is queued, then end the threads. */
void workers_free(struct workers *w);
#endif
