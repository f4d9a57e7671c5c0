/* Compiled for AVX-512 with bytes and words (CMakeLists.txt); run only where the processor has
 * it. */
#define LANES_BYTES 64
#include "num/scan/lanes.h"

const struct spatial_lanes spatial_lanes_avx512 = {scan_light, scan_heavy, scan_wide};
