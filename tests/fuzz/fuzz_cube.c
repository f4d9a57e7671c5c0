/* A snapshot of the cube: any bytes end in a whole cube or a clean error; a cube drawn from the
 * input is saved and read again to the same, and with one bit aside it is not taken. The first byte
 * says how many atoms are asked for. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "domain/measure/cube.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_ATOMS = 4, MAX_INPUT = 1 << 16 };
static const bool wide[MAX_ATOMS] = {false, true, false, true};

static struct cube *draw_cube(const uint8_t *p, size_t n, size_t n_atoms) {
    static const char *const names[] = {"", "a", "b", "c", "990101001001"};
    struct cube *c = NULL;
    struct err err;
    if (cube_new(n_atoms, wide, &c, &err) != ERR_OK) return NULL;
    for (size_t i = 0; i + 4 <= n; i += 4) {
        const struct cube_place at = {names[p[i] % 5], names[p[i] / 5 % 5], names[p[i] / 25 % 5],
                                      "x", "y"};
        uint32_t place = 0;
        int32_t day = (int32_t)p[i + 1] * 40 - 5000;
        app_assert(cube_place_of(c, &at, &place, &err) == ERR_OK);
        app_assert(cube_add(c, p[i + 2] % n_atoms, day, place, (int8_t)p[i + 3], &err) == ERR_OK);
    }
    return c;
}

static enum err_code load(char *bytes, size_t n, size_t n_atoms, struct cube **out, int64_t *seq) {
    static const unsigned char tag[32] = {0};
    struct err err;
    FILE *f = fmemopen(bytes, n, "rb");
    app_assert(f != NULL);
    enum err_code rc = cube_load(f, n_atoms, wide, tag, seq, out, &err);
    (void)fclose(f);
    app_assert((rc == ERR_OK) == (*out != NULL));
    return rc;
}

static void check_round(const struct cube *c, size_t n_atoms, int64_t seq) {
    static const unsigned char tag[32] = {0};
    struct cube *again = NULL;
    char *bytes = NULL;
    size_t n = 0;
    int64_t then = 0;
    struct err err;
    FILE *f = open_memstream(&bytes, &n);
    app_assert(f != NULL && cube_save(c, tag, seq, f, &err) == ERR_OK);
    (void)fclose(f);
    app_assert(load(bytes, n, n_atoms, &again, &then) == ERR_OK && then == seq);
    app_assert(cube_equal(c, again));
    cube_free(again);
    /* One bit aside, and it is not taken. */
    bytes[n / 2] ^= 1;
    app_assert(load(bytes, n, n_atoms, &again, &then) != ERR_OK);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct cube *c = NULL;
    int64_t seq = 0;
    if (size < 2 || size > MAX_INPUT) return 0;
    size_t n_atoms = 1 + data[0] % MAX_ATOMS;
    char *bytes = malloc(size - 1);
    app_assert(bytes != NULL);
    memcpy(bytes, data + 1, size - 1);
    if (load(bytes, size - 1, n_atoms, &c, &seq) == ERR_OK) check_round(c, n_atoms, seq);
    cube_free(c);
    free(bytes);
    c = draw_cube(data + 1, size - 1, n_atoms);
    app_assert(c != NULL);
    check_round(c, n_atoms, 7);
    cube_free(c);
    return 0;
}
