/* Compiled for AVX2 (CMakeLists.txt); run only where the processor has it. */
#define LANES_BYTES 32
#define LANES_TABLE spatial_lanes_avx2
#include "num/scan/lanes.h"
