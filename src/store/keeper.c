/* The keeper does the slow disk work that no command should wait for: folding the log into the
 * database file and writing DIR/checkpoint. It works on a connection of its own. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "store/inside.h"

static void write_note(const struct ledger *l, const char *note) {
    char path[LEDGER_PATH];
    struct err err;
    (void)snprintf(path, sizeof path, "%s/checkpoint", l->dir);
    enum err_code rc = file_write(path, note, strlen(note), 0644, &err);
    if (rc != ERR_OK && l->log != NULL)
        log_event(l->log, LOG_WARN, "ledger.checkpoint_file", LOG_STR("detail", err.detail));
}

/* Folds what is committed. An erased value also stands in old pages of the log: after an erasure
 * the log is emptied. */
static void fold(struct ledger *l, struct db *db, int64_t *folded_seq) {
    int64_t seq = atomic_load(&l->last_seq), bytes = 0;
    bool empty = atomic_load(&l->empty_log);
    if (seq == *folded_seq && !empty) return;
    if (empty && db_fold(db, true, &bytes, NULL) == ERR_OK) atomic_store(&l->empty_log, false);
    if (!empty && db_fold(db, false, &bytes, NULL) == ERR_OK) {
        *folded_seq = seq;
        if (bytes > l->log_bytes) atomic_store(&l->fold_now, true);
    }
    db_clear_broken(db);
}

void *keeper_main(void *arg) {
    struct ledger *l = arg;
    struct db *db = NULL;
    int64_t folded_seq = -1;
    struct err err;
    /* Emptying the log keeps the writer out while it waits for readers: never for long, rather
     * again later. */
    if (ledger_open_keeper_db(l, &db, &err) != ERR_OK && l->log != NULL)
        log_event(l->log, LOG_WARN, "ledger.keeper", LOG_STR("detail", err.detail));
    for (bool stop = false; !stop;) {
        char note[NOTE_MAX];
        int64_t until = clock_mono_us() + l->fold_every_us;
        (void)pthread_mutex_lock(&l->keeper_mu);
        while (!l->keeper_stop && l->pending_note[0] == '\0' && clock_mono_us() < until)
            ledger_wait_until(&l->keeper_more, &l->keeper_mu, until);
        memcpy(note, l->pending_note, sizeof note);
        l->pending_note[0] = '\0';
        stop = l->keeper_stop;
        (void)pthread_mutex_unlock(&l->keeper_mu);
        if (note[0] != '\0') write_note(l, note);
        if (db != NULL) fold(l, db, &folded_seq);
    }
    db_close(db, false);
    return NULL;
}
