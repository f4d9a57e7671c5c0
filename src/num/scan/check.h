/* num/scan/check.h - what is asked of a scan makes sense. */
#ifndef NUM_SCAN_CHECK_H
#define NUM_SCAN_CHECK_H
#include "num/scan/scan.h"

/* ERR_INVALID or ERR_LIMIT name what does not. */
enum err_code scan_check(const struct scan_data *d, const struct scan_options *o,
                         struct err *err) NODISCARD;
#endif
