/* Vectors of 16 bytes are what every x86-64 and ARM64 has; elsewhere the compiler takes them
 * apart. */
#define LANES_BYTES 16
#define LANES_TABLE spatial_lanes_plain
#include "num/scan/lanes.h"
