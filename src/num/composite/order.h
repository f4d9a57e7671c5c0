/* num/composite/order.h - sorting, quantiles and ranks of plain arrays. Pure; any thread. */
#ifndef NUM_COMPOSITE_ORDER_H
#define NUM_COMPOSITE_ORDER_H
#include <stddef.h>
#include <stdint.h>

/* Most values that order_rank takes: ranks are 16 bits wide. */
enum { ORDER_MAX = 65534 };

/* Ascending, in place; no NaN. O(n log n), no memory. */
void order_sort(double *x, size_t n);
/* Quantile p in [0, 1] of sorted values, n >= 1: Hyndman and Fan 1996, definition 7 (R's default):
 * linear between order statistics. */
double order_quantile(const double *sorted, size_t n, double p);

/* Ranks from the best: 1 is the largest value, ties share the smallest rank ("1224"). NaN (no
 * value) has rank 0 and takes no place. n <= ORDER_MAX; work holds order_rank_bytes(n) bytes,
 * 16-byte aligned. About n log2 n / 60 microseconds per thousand in the worst case; when values
 * are spread evenly enough a distribution sort makes it linear. The result depends on the values
 * alone. */
size_t order_rank_bytes(size_t n);
void order_rank(const double *x, size_t n, uint16_t *rank, void *work);
/* The same order as average ranks ascending (1 is the smallest, ties share the mean): what
 * Spearman's correlation takes. index is workspace of n. No NaN. */
void order_rank_mean(const double *x, size_t n, double *rank, uint32_t *index);
/* Stable ascending order: index[0] is the position of the smallest. work holds n. No NaN. */
void order_index(const double *x, size_t n, uint32_t *index, uint32_t *work);
#endif
