#define ST_LANE int16_t
#define ST_ULANE uint16_t
#define ST_BYTES 32
#include "num/scan/space_time_batch.h"

const struct st_walk st_walk16_avx2 = {.tail = st_tail,
                                       .any = st_any_walk,
                                       .width = ST_WIDTH,
                                       .batch = st_batch_walk,
                                       .batch_add = st_batch_add,
                                       .batch_close = st_batch_close};
