/* The cube from what is stored: from the tables as they stand, or from the journal as of a sequence
 * number. */
#include "domain/measure/as_of.h"
#include "domain/measure/measure.h"
#include "domain/measure/row_scan.h"

enum { ROW_ARENA = 4 << 20 };

struct adding {
    const struct atoms *atoms;
    struct cube *cube;
};

static enum err_code add_row(void *ctx, const struct measured_row *row, struct err *err) {
    const struct adding *x = ctx;
    return row_add(x->atoms, row, 1, x->cube, err);
}

enum err_code measure_recompute(struct db *db, int64_t ledger, const struct atoms *t,
                                struct cube **out, struct err *err) {
    struct cube *cube = NULL;
    *out = NULL;
    TRY(cube_new(t->n, t->wide, &cube, err));
    enum err_code rc = ERR_OK;
    struct adding x = {t, cube};
    for (size_t i = 0; rc == ERR_OK && i < t->n_types; i++) {
        struct row_window all = {t->types[i], -1, 0, 0};
        rc = row_scan(db, ledger, t, &all, add_row, &x, err);
    }
    if (rc == ERR_OK)
        *out = cube;
    else
        cube_free(cube);
    return rc;
}

/* ---- as of a sequence number */

struct replaying {
    struct adding to;
    const struct type_def *type;
};

static enum err_code add_image(void *ctx, const char *image, size_t n, struct err *err) {
    const struct replaying *x = ctx;
    struct cell cells[TABLE_MAX_COLS];
    const struct measured_row row = {x->type, cells};
    struct arena *a = arena_new(ROW_ARENA);
    enum err_code rc = a == NULL ? err_fail(err, ERR_NOMEM, "indicators")
                                 : row_of_image(x->to.atoms, x->type, a, image, n, cells, err);
    if (rc == ERR_OK) rc = row_add(x->to.atoms, &row, 1, x->to.cube, err);
    arena_free(a);
    return rc;
}

enum err_code measure_as_of(struct db *db, int64_t ledger, const struct atoms *t, int64_t seq,
                            struct cube **out, struct err *err) {
    struct cube *cube = NULL;
    *out = NULL;
    TRY(cube_new(t->n, t->wide, &cube, err));
    enum err_code rc = ERR_OK;
    for (size_t i = 0; rc == ERR_OK && i < t->n_types; i++) {
        struct replaying x = {{t, cube}, t->types[i]};
        rc = images_as_of(db, ledger, t->types[i]->table.name, seq, add_image, &x, err);
    }
    if (rc == ERR_OK)
        *out = cube;
    else
        cube_free(cube);
    return rc;
}
