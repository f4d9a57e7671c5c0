#define ST_LANE int16_t
#define ST_ULANE uint16_t
#define ST_BYTES 16
#include "num/scan/space_time_batch.h"

const struct st_walk st_walk16 = {.tail = st_tail,
                                  .any = st_any_walk,
                                  .width = ST_WIDTH,
                                  .batch = st_batch_walk,
                                  .batch_add = st_batch_add,
                                  .batch_close = st_batch_close};
