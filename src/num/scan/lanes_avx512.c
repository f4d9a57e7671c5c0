/* Compiled for AVX-512 with bytes and words (CMakeLists.txt); run only where the processor has
 * it. */
#define LANES_BYTES 64
#define LANES_TABLE spatial_lanes_avx512
#include "num/scan/lanes.h"
