/* domain/measure/atoms.h - what the indicators of the packs need counted, and what one row adds to
 * it. Pure; immutable once made. */
#ifndef DOMAIN_MEASURE_ATOMS_H
#define DOMAIN_MEASURE_ATOMS_H
#include "domain/measure/cube.h"
#include "domain/pack/pack.h"

/* What an atom holds of its indicator. */
enum atom_role {
    ATOM_ROWS = 1, /* rows that pass the filter and have what is measured */
    ATOM_PART,     /* of them those that pass `part` too */
    ATOM_SUM       /* sum of the value: whole numbers; a decimal field in millionths; seconds */
};
struct atom {
    const struct indicator_def *def;
    enum atom_role role;
};
struct atoms {
    const struct pack_set *packs;
    const struct tz *tz;
    const struct atom *atom;
    size_t n;
    const bool *wide;    /* n */
    const size_t *first; /* by index in packs->indicators: its first atom, or SIZE_MAX */
    const struct type_def *const *types; /* counted types */
    size_t n_types;
    const bool *const *needed; /* n_types: by column, whether an indicator looks at it */
    unsigned char tag[32];     /* changes when a snapshot made before would be wrong */
};
/* Everything is arena-owned; tz borrowed. Median, distinct, figures and formulas need no atom. */
enum err_code atoms_new(struct arena *a, const struct pack_set *packs, const struct tz *tz,
                        const struct atoms **out, struct err *err) NODISCARD;
/* The atom of an indicator that has the role, or SIZE_MAX. */
size_t atoms_find(const struct atoms *t, const struct indicator_def *d, enum atom_role role);

/* A row as cells by column of the type; personal columns are never looked at. */
struct measured_row {
    const struct type_def *type;
    const struct cell *cells;
};
/* Cells from a journal row's image (columns that indicators use; the others are null); they borrow
 * from the image and the arena. Errors: ERR_CORRUPT, ERR_NOMEM. */
enum err_code row_of_image(const struct atoms *t, const struct type_def *type, struct arena *a,
                           const char *image, size_t n, struct cell *cells,
                           struct err *err) NODISCARD;
/* Whether the row passes the indicator's filter and has its time; *day is its local day. A time
 * outside the calendar kept counts nowhere: one slip in a date must not stop the others. */
bool row_counts(const struct atoms *t, const struct measured_row *r, const struct indicator_def *d,
                int32_t *day);
/* Whether it passes the filter, whatever its time. */
bool row_filtered(const struct atoms *t, const struct measured_row *r,
                  const struct indicator_def *d);
/* Whether it counts and has what is measured; *part: it passes the indicator's `part` too. */
bool row_gives(const struct atoms *t, const struct measured_row *r, const struct indicator_def *d,
               bool *part);
/* Where the row lies. */
struct cube_place row_place(const struct measured_row *r);
/* Add (sign +1) or take away (-1) what the row gives to every atom. */
enum err_code row_add(const struct atoms *t, const struct measured_row *r, int sign,
                      struct cube *cube, struct err *err) NODISCARD;
#endif
