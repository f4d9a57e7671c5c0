/* num/scan/gumbel.h - the Gumbel curve through the maxima of the replicas: inside pass.c. */
#ifndef NUM_SCAN_GUMBEL_H
#define NUM_SCAN_GUMBEL_H
#include "num/scan/scan.h"

/* By moments (Abrams, Kleinman, Kulldorff 2010): mean = mu + gamma beta, sd = beta pi / sqrt 6.
 * mu and beta are NaN unless SCAN_GUMBEL_FITTED comes back. Sorts the maxima. O(n log n). */
enum scan_gumbel scan_gumbel_fit(double *maxima, uint32_t n, double *mu, double *beta);
/* Chance of a maximum of at least x; NaN when there is no curve. */
double scan_gumbel_p(double x, double mu, double beta);
#endif
