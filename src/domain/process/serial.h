/* domain/process/serial.h - case codes area-date-serial: "990101-261122-00042". Unique in the
 * ledger, readable aloud; they name a case and open nothing. Writer thread only. */
#ifndef DOMAIN_PROCESS_SERIAL_H
#define DOMAIN_PROCESS_SERIAL_H
#include "store/ledger.h"

struct case_serials;
enum { CASE_CODE_MAX = 48 };

struct case_serials *case_serials_new(struct arena *a);
/* The next code for an area and a local day (days since 1970). area_code: the area's code; its
 * first six characters of [0-9A-Z] are taken (letters in upper case), "CITY" when there is none.
 * table: the case table. A serial drawn by a command that fails later is skipped. Errors: of the
 * store. */
enum err_code case_serial_next(struct case_serials *s, struct tx *tx, const struct table *table,
                               const char *area_code, int64_t local_day, char out[CASE_CODE_MAX],
                               struct err *err) NODISCARD;
#endif
