/* domain/warning/inside.h - what the files of this folder share. */
#ifndef DOMAIN_WARNING_INSIDE_H
#define DOMAIN_WARNING_INSIDE_H
#include "domain/warning/warning.h"

/* The signal that a warning is told by: the highest colour, then the most cases beyond what was
 * expected. n > 0. */
const struct warn_signal *warn_strongest(const struct warn_signal *const *s, size_t n);
/* Open the case of a new warning by its strongest signal; fills code, case_id, titles, class, area
 * and place of k. */
enum err_code warn_open(struct tx *tx, const struct warn_record *r, const struct warn_signal *main,
                        struct warn_kept *k, struct case_row *row, struct err *err) NODISCARD;
/* What a signal says into the row: place, numbers, held. */
enum err_code warn_kept_by(struct arena *a, const struct warn_signal *main, struct warn_kept *k,
                           struct err *err) NODISCARD;
/* A JSON text that `write` makes. Arena-owned. */
enum err_code warn_json(struct arena *a, void (*write)(struct jw *w, const void *ctx),
                        const void *ctx, const char **out, struct err *err) NODISCARD;
/* Open the supervision of a red warning: level 1, or one above those of earlier red ones of the
 * same place and class within repeat_red_days. */
enum err_code warn_red(struct tx *tx, const struct warn_record *r, const struct warn_kept *k,
                       const struct case_row *row, bool *opened, struct err *err) NODISCARD;
#endif
