/* domain/emergency/inside.h - what the files of this folder share. */
#ifndef DOMAIN_EMERGENCY_INSIDE_H
#define DOMAIN_EMERGENCY_INSIDE_H
#include "domain/emergency/emergency.h"
#include "store/statements.h"

/* What is still to be gone through, as the column sweep names it. */
#define SWEEP_PAUSE "pause"
#define SWEEP_RESUME "resume"

/* All rows of a statement whose columns are those of EMERGENCY_LIST. */
enum err_code emergency_read_all(struct db *db, enum stmt query, const struct cell *params,
                                 size_t n_params, struct arena *a, const struct emergency **out,
                                 size_t *n, struct err *err) NODISCARD;
/* Whether a name of a class, kind, or kind and major class is this class's. Pure. */
bool emergency_class_named(const char *name, const struct case_class *c);
#endif
