/* Compiled for AVX2 (CMakeLists.txt); run only where the processor has it. */
#define LANES_BYTES 32
#include "num/scan/lanes.h"

const struct spatial_lanes spatial_lanes_avx2 = {scan_light, scan_heavy, scan_wide};
