/* Vectors of 16 bytes are what every x86-64 and ARM64 has; elsewhere the compiler takes them
 * apart. */
#define LANES_BYTES 16
#include "num/scan/lanes.h"

const struct spatial_lanes spatial_lanes_plain = {scan_light, scan_heavy, scan_wide};
