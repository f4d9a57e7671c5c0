/* api/auto_freeze.h - freezing of ended periods as a job. */
#ifndef API_AUTO_FREEZE_H
#define API_AUTO_FREEZE_H

struct app;
/* Queues the job unless one is open. Any thread. */
void auto_freeze_start(struct app *app);
#endif
