#define ST_LANE int16_t
#define ST_ULANE uint16_t
#define ST_BYTES 32
#include "num/scan/space_time_walk.h"

const struct st_walk st_walk16_avx2 = {.tail = st_tail, .any = st_any_walk};
