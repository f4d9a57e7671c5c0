/* domain/process/import_time.h - dates and times as other systems write them. Pure. */
#ifndef DOMAIN_PROCESS_IMPORT_TIME_H
#define DOMAIN_PROCESS_IMPORT_TIME_H
#include "base/civil.h"

/* Whether a format uses only what is known: %Y (four digits), %y (two, 2000 to 2099), %m, %d, %b
 * (English month, three letters or in full), %H, %I with %p (AM, PM), %M, %S, %f (fraction of the
 * second), %z (Z, +08:00, +0800, +08), %% and plain characters; a blank stands for one or more
 * blanks. It must hold year, month and day. Errors: ERR_INVALID naming what is wrong. */
enum err_code import_time_check(const char *format, struct err *err) NODISCARD;

/* One or two digits are taken for %m %d %H %I %M %S. Without %z the zone is `tz`. The whole text
 * must be used up, the date must exist, the year lie in 1900..2199. *utc_us: microseconds. */
bool import_time_parse(const char *format, const char *text, const struct tz *tz, int64_t *utc_us);
#endif
