#include "study/scan/places.h"

#include <stdlib.h>
#include <string.h>

/* A position of an id; seq is its place in the input. */
struct position {
    double x, y;
    uint32_t id;
    size_t seq, file;
};

static int compare_doubles(double a, double b) { return (a > b) - (a < b); }
static int compare_sizes(size_t a, size_t b) { return (a > b) - (a < b); }

static int by_id(const void *pa, const void *pb) {
    const struct position *a = pa, *b = pb;
    if (a->id != b->id) return a->id < b->id ? -1 : 1;
    return compare_sizes(a->seq, b->seq);
}
static int by_place(const void *pa, const void *pb) {
    const struct position *a = pa, *b = pb;
    int c = compare_doubles(a->x, b->x);
    if (c == 0) c = compare_doubles(a->y, b->y);
    return c != 0 ? c : by_id(pa, pb);
}
static bool same(const struct position *a, const struct position *b) {
    return compare_doubles(a->x, b->x) == 0 && compare_doubles(a->y, b->y) == 0;
}

struct building {
    struct arena *a;
    const struct names *ids;
    struct position *pos; /* distinct positions of each id, by id */
    size_t n_pos;
    uint32_t *n_of_id; /* positions of an id */
    uint32_t *leader;  /* the first id at the position of an id that has but one */
};

static enum err_code gather(struct building *b, const struct place_file *files, size_t n_files,
                            bool many, struct err *err) {
    size_t n = 0, kept = 0;
    for (size_t f = 0; f < n_files; f++) n += files[f].rows.n;
    b->pos = ARENA_NEW(b->a, struct position, n);
    b->n_of_id = ARENA_NEW(b->a, uint32_t, b->ids->n);
    b->leader = ARENA_NEW(b->a, uint32_t, b->ids->n);
    if (b->pos == NULL || b->n_of_id == NULL || b->leader == NULL)
        return err_fail(err, ERR_NOMEM, "%zu positions", n);
    for (size_t f = 0, i = 0; f < n_files; f++) {
        for (size_t r = 0; r < files[f].rows.n; r++, i++) {
            const struct place_row *row = &files[f].rows.row[r];
            b->pos[i] = (struct position){row->x, row->y, row->id, i, f};
        }
    }
    qsort(b->pos, n, sizeof *b->pos, by_id);
    for (size_t i = 0; i < n; i++) {
        struct position p = b->pos[i];
        bool known = false;
        for (size_t k = kept; k > 0 && b->pos[k - 1].id == p.id && !known; k--)
            known = same(&b->pos[k - 1], &p);
        if (known) continue;
        if (!many && kept > 0 && b->pos[kept - 1].id == p.id) {
            size_t row = p.seq;
            for (size_t f = 0; f < p.file; f++) row -= files[f].rows.n;
            return source_fail(files[p.file].source, files[p.file].rows.row[row].row, 0, "id",
                               "each id at one position (it had another before)", err);
        }
        b->n_of_id[p.id]++;
        b->pos[kept++] = p;
    }
    b->n_pos = kept;
    return ERR_OK;
}

static enum err_code find_leaders(struct building *b, struct err *err) {
    struct position *sorted = ARENA_NEW(b->a, struct position, b->n_pos);
    if (sorted == NULL) return err_fail(err, ERR_NOMEM, "%zu positions", b->n_pos);
    memcpy(sorted, b->pos, b->n_pos * sizeof *sorted);
    qsort(sorted, b->n_pos, sizeof *sorted, by_place);
    for (uint32_t i = 0; i < b->ids->n; i++) b->leader[i] = i;
    const struct position *head = NULL; /* first of those with one position only */
    for (size_t i = 0; i < b->n_pos; i++) {
        if (b->n_of_id[sorted[i].id] > 1) continue;
        if (head == NULL || !same(head, &sorted[i])) head = &sorted[i];
        b->leader[sorted[i].id] = head->id;
    }
    return ERR_OK;
}

/* Ids of each place, by counting. */
static enum err_code list_ids(struct arena *a, const struct names *ids, struct places *out,
                              struct err *err) {
    size_t *first = ARENA_NEW(a, size_t, out->n + 2);
    const char **id = ARENA_NEW(a, const char *, ids->n + 1);
    if (first == NULL || id == NULL) return err_fail(err, ERR_NOMEM, "%zu ids", ids->n);
    for (size_t i = 0; i < ids->n; i++) first[out->of_id[i] + 2]++;
    for (size_t p = 0; p < out->n; p++) first[p + 2] += first[p + 1];
    for (size_t i = 0; i < ids->n; i++) id[first[out->of_id[i] + 1]++] = ids->text[i];
    out->first_id = first;
    out->id = id;
    return ERR_OK;
}

static enum err_code number_places(struct building *b, struct places *out, struct err *err) {
    uint32_t *of_id = ARENA_NEW(b->a, uint32_t, b->ids->n + 1);
    double *x = ARENA_NEW(b->a, double, b->n_pos + 1), *y = ARENA_NEW(b->a, double, b->n_pos + 1);
    double *fx = ARENA_NEW(b->a, double, b->n_pos + 1), *fy = ARENA_NEW(b->a, double, b->n_pos + 1);
    uint32_t *place_of = ARENA_NEW(b->a, uint32_t, b->n_pos + 1);
    if (of_id == NULL || x == NULL || y == NULL || fx == NULL || fy == NULL || place_of == NULL)
        return err_fail(err, ERR_NOMEM, "%zu places", b->ids->n);
    *out = (struct places){.of_id = of_id, .x = x, .y = y, .first_x = fx, .first_y = fy};
    bool many = false;
    for (size_t i = 0; i < b->n_pos; i++) {
        const struct position *p = &b->pos[i];
        bool new_id = i == 0 || b->pos[i - 1].id != p->id;
        if (new_id && b->leader[p->id] != p->id) {
            /* Ids go up, and the leader is the least of its position. */
            of_id[p->id] = of_id[b->leader[p->id]];
            continue;
        }
        if (new_id) {
            of_id[p->id] = (uint32_t)out->n;
            fx[out->n] = p->x;
            fy[out->n++] = p->y;
        } else {
            many = true;
        }
        x[out->n_points] = p->x;
        y[out->n_points] = p->y;
        place_of[out->n_points++] = of_id[p->id];
    }
    out->place_of = many ? place_of : NULL;
    return list_ids(b->a, b->ids, out, err);
}

enum err_code places_build(struct arena *a, const struct names *ids, const struct place_file *files,
                           size_t n_files, bool many, struct places *out, struct err *err) {
    struct building b = {.a = a, .ids = ids};
    TRY(gather(&b, files, n_files, many, err));
    TRY(find_leaders(&b, err));
    return number_places(&b, out, err);
}

static enum err_code without_positions(struct arena *a, const struct names *ids, bool one,
                                       struct places *out, struct err *err) {
    size_t n = one ? 1 : ids->n;
    double *zero = ARENA_NEW(a, double, n + 1);
    uint32_t *of_id = ARENA_NEW(a, uint32_t, ids->n + 1);
    if (zero == NULL || of_id == NULL) return err_fail(err, ERR_NOMEM, "%zu places", n);
    for (size_t i = 0; i < ids->n; i++) of_id[i] = one ? 0 : (uint32_t)i;
    *out = (struct places){.n = n,
                           .n_points = n,
                           .x = zero,
                           .y = zero,
                           .first_x = zero,
                           .first_y = zero,
                           .of_id = of_id};
    return list_ids(a, ids, out, err);
}

enum err_code places_of_ids(struct arena *a, const struct names *ids, struct places *out,
                            struct err *err) {
    return without_positions(a, ids, false, out, err);
}
enum err_code places_all_in_one(struct arena *a, const struct names *ids, struct places *out,
                                struct err *err) {
    return without_positions(a, ids, true, out, err);
}
