#define ST_LANE int32_t
#define ST_ULANE uint32_t
#define ST_BYTES 32
#include "num/scan/space_time_walk.h"

const struct st_walk st_walk32_avx2 = {.tail = st_tail, .any = st_any_walk};
