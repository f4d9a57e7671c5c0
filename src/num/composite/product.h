/* num/composite/product.h - weighted sums of many draws at once: the product of a matrix of weights
 * (draws x indicators) with one of values (indicators x areas). Each sum is taken in the order of
 * the indicators, without fused multiply-adds, so a draw has the same bits alone or in a batch,
 * with or without AVX2. Pure, any thread. */
#ifndef NUM_COMPOSITE_PRODUCT_H
#define NUM_COMPOSITE_PRODUCT_H
#include <stddef.h>

/* Areas that stand side by side in a tile; draws that are worked on together. */
enum { PRODUCT_TILE = 8, PRODUCT_DRAWS = 4 };

/* Areas rounded up to whole tiles: doubles a row of the outcome. */
size_t product_width(size_t n_area);
/* Put value (n_ind x n_area, row i at value + i * stride) into tiles: n_ind * product_width(n_area)
 * doubles: tile by tile, indicator by indicator, PRODUCT_TILE areas. at[c], when not NULL, is the
 * column of value that stands at c; a column beyond stride is 0. Rows with skip[i] != 0 are 0. */
void product_pack(const double *value, size_t stride, const size_t *at, const unsigned char *skip,
                  size_t n_ind, size_t n_area, double *packed);
/* out[r * product_width(n_area) + c] = sum over i of weight[r * n_ind + i] * value(i, c) for n_draw
 * draws. weight has room for whole groups of PRODUCT_DRAWS rows, as has out. */
void product_run(const double *packed, size_t n_ind, size_t n_area, const double *weight,
                 size_t n_draw, double *out);
#endif
