/* domain/measure/cube.h - additive atoms: one integer for each atom (a counted thing of an
 * indicator), local day and place. Sparse, eight bytes a filled count, until more than half of a
 * day's places are filled, then dense, four bytes a place. Sums run over integers, so no order of
 * writing or reading changes them. Not safe against a writer: the caller locks. */
#ifndef DOMAIN_MEASURE_CUBE_H
#define DOMAIN_MEASURE_CUBE_H
#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"
#include "num/core/run.h"

/* Where rows lie, by the codes in the row itself: a row keeps the areas it was filed under when a
 * cell is split or an area is renamed. "" where a code is missing. */
struct cube_place {
    const char *cell, *community, *town, *county, *city;
};
enum { CUBE_DAY_MIN = -25000, CUBE_DAY_MAX = 100000 }; /* days since 1970 that are kept */
enum { CUBE_CODES = 5, CUBE_MAX_ATOMS = 4096, CUBE_MAX_PLACES = 1 << 22 };

struct cube;
/* wide[i]: atom i holds 64-bit sums (hours, amounts), else 32-bit counts. */
enum err_code cube_new(size_t n_atoms, const bool *wide, struct cube **out,
                       struct err *err) NODISCARD;
void cube_free(struct cube *c); /* NULL is legal */
/* Number of the place, added when it is new. Errors: ERR_LIMIT, ERR_NOMEM. O(1). */
enum err_code cube_place_of(struct cube *c, const struct cube_place *p, uint32_t *out,
                            struct err *err) NODISCARD;
/* The same without adding: false when it is not there. */
bool cube_find(const struct cube *c, const struct cube_place *p, uint32_t *out);
/* Codes of a place; valid until the cube is freed. */
const struct cube_place *cube_places(const struct cube *c, size_t *n);
/* Add delta (also below 0) at an atom, day and place. Days from CUBE_DAY_MIN to CUBE_DAY_MAX.
 * Errors: ERR_LIMIT (day; a count beyond 32 bits), ERR_NOMEM; the cube is unchanged then. O(log n
 * + n) of the day's filled places. */
enum err_code cube_add(struct cube *c, size_t atom, int32_t day, uint32_t place, int64_t delta,
                       struct err *err) NODISCARD;
/* out[place] += the atom's sum over days [from, to). out has room for every place. */
void cube_sum(const struct cube *c, size_t atom, int32_t from, int32_t to, int64_t *out);
/* The same of one place, a value a day: out[day - from]. */
void cube_days(const struct cube *c, size_t atom, int32_t from, int32_t to,
               const unsigned char *in_area, int64_t *out);
/* First and last day + 1 that hold anything; false when the cube is empty. */
bool cube_span(const struct cube *c, int32_t *from, int32_t *to);
size_t cube_filled(const struct cube *c); /* places with a value, over all atoms and days */
size_t cube_bytes(const struct cube *c);
/* Whether two cubes hold the same sums at the same places, whatever the order of writing. */
bool cube_equal(const struct cube *a, const struct cube *b);

/* A snapshot on a stream, and back; tag names what it was made by (packs and format). Errors of
 * reading: ERR_CORRUPT (also another tag), ERR_NOMEM; nothing is left half-read. */
enum err_code cube_save(const struct cube *c, const unsigned char tag[32], int64_t seq, FILE *out,
                        struct err *err) NODISCARD;
enum err_code cube_load(FILE *in, size_t n_atoms, const bool *wide, const unsigned char tag[32],
                        int64_t *seq, struct cube **out, struct err *err) NODISCARD;
#endif
