/* base/civil.h - civil dates, RFC 3339 text and IANA time zones (TZif files, RFC 8536). Pure but
 * for tz_load. Years -9999..9999 unless said; int64 microseconds reach from about -290000 to
 * 290000. */
#ifndef BASE_CIVIL_H
#define BASE_CIVIL_H
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

struct civil {
    int year, month, day, hour, minute, second; /* month 1..12, day 1..31 */
    int usec;
};
/* Days since 1970-01-01 of a proleptic Gregorian date, and back; weekday 0 = Monday .. 6 = Sunday.
 */
int64_t civil_days(int year, int month, int day);
void civil_from_days(int64_t days, int *year, int *month, int *day);
int civil_weekday(int64_t days);
/* Number of days of a month; 0 when month is not 1..12. */
int civil_month_days(int year, int month);
/* "2026-01-02" exactly, a date that exists, to days since 1970-01-01; false otherwise. And back
 * (years 0..9999). */
bool civil_date_parse(const char *s, int64_t *days);
void civil_date_format(int64_t days, char out[16]);
/* Naive (zone-less) microseconds of a civil time, and back. */
int64_t civil_to_us(const struct civil *c);
void civil_from_us(int64_t us, struct civil *out);

struct tz;
/* "Asia/Shanghai", "UTC", ... from the system's zoneinfo; names are checked ([A-Za-z0-9_+/-], no
 * ".."). Arena-owned, immutable. Errors: ERR_INVALID unknown zone; ERR_NOMEM. "UTC" needs no file.
 * Zones with leap seconds ("right/...") are refused. */
enum err_code tz_load(struct arena *a, const char *name, const struct tz **out,
                      struct err *err) NODISCARD;
/* The same from the bytes of a TZif file of version 2 or later. Errors: ERR_INVALID, ERR_NOMEM. */
enum err_code tz_parse(struct arena *a, const void *p, size_t n, const struct tz **out,
                       struct err *err) NODISCARD;
/* Seconds east of UTC. Exact for any instant: after the file's last entry its POSIX rule is
 * computed. O(log n). */
int32_t tz_offset_s(const struct tz *tz, int64_t utc_us);
/* The first instant after utc_us at which the offset changes; false when there is none any more. */
bool tz_next_change(const struct tz *tz, int64_t utc_us, int64_t *at_us);
/* Local naive microseconds <-> UTC. In a gap the later offset, in an overlap the earlier instant is
 * taken. */
int64_t tz_to_local(const struct tz *tz, int64_t utc_us);
int64_t tz_to_utc(const struct tz *tz, int64_t local_us);

/* RFC 3339 (years 0000..9999) with zone ("2026-01-02T03:04:05+08:00", "...Z", fraction allowed) to
 * UTC us. Errors: ERR_INVALID. */
enum err_code rfc3339_parse(const char *s, int64_t *utc_us, struct err *err) NODISCARD;
/* "2026-01-02T03:04:05Z" into out (>= 32 bytes); fraction only when not whole seconds. */
void rfc3339_format(int64_t utc_us, char out[32]);
/* With the zone's offset: "2026-01-02T11:04:05+08:00". */
void rfc3339_format_tz(int64_t utc_us, const struct tz *tz, char out[40]);
#endif
