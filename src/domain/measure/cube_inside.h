/* domain/measure/cube_inside.h - how the cube lies in memory. Private to cube*.c. */
#ifndef DOMAIN_MEASURE_CUBE_INSIDE_H
#define DOMAIN_MEASURE_CUBE_INSIDE_H
#include "domain/measure/cube.h"

/* One atom on one day. Sparse: place[0..n) ascending, value[i] belongs to place[i]; a value may be
 * 0 after corrections. Dense: place is NULL, value[i] belongs to place i. */
struct cube_block {
    uint32_t n, cap;
    bool dense;
    uint32_t *place;
    void *value; /* int32_t, or int64_t of a wide atom */
};
struct cube_atom {
    bool wide;
    int32_t first; /* day of block[0] */
    size_t n_days; /* blocks */
    struct cube_block *block;
};
struct cube {
    size_t n_atoms;
    struct cube_atom *atom;
    struct arena *names;
    struct cube_place *place;
    size_t n_places, cap_places;
    uint32_t *slot; /* n_slots, a power of two: place + 1, or 0 */
    size_t n_slots;
};
/* Codes of a place in order, from the cell up. */
static inline const char *cube_code(const struct cube_place *p, int i) {
    const char *const all[CUBE_CODES] = {p->cell, p->community, p->town, p->county, p->city};
    return all[i];
}
int64_t cube_value_at(const struct cube_atom *a, const struct cube_block *b, uint32_t i);
#endif
