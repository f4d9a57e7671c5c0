/* net/accept.h - which representation a client wants (RFC 9110 12.5.1), by ?format= first, then by
 * Accept. Pure; safe from any thread. */
#ifndef NET_ACCEPT_H
#define NET_ACCEPT_H
#include <stdbool.h>
#include <stddef.h>

enum accept_format {
    ACCEPT_NONE = 0, /* nothing acceptable: 406 */
    ACCEPT_JSON = 1,
    ACCEPT_CSV = 2,
    ACCEPT_GEOJSON = 4,
    ACCEPT_NDJSON = 8,
    ACCEPT_XML = 16,
    ACCEPT_HTML = 32,
    ACCEPT_XLSX = 64,
    ACCEPT_ALL = 127
};

/* The best of the `offered` set (bits). A format parameter ("json", "csv", ...) beats the header
 * and must be offered. header NULL or "*" + "/" + "*": the fallback. Equal qualities: the more
 * specific range, then the fallback, then the lower bit. Never reads more than 1 KiB of the header.
 */
enum accept_format accept_choose(const char *header, const char *format, unsigned offered,
                                 enum accept_format fallback);
/* "application/json", "text/csv; charset=utf-8", ... */
const char *accept_content_type(enum accept_format f);
/* "json", "csv", ...; the extension of a downloaded file. */
const char *accept_name(enum accept_format f);
/* Quality of a token in a list such as Accept-Encoding or Accept-Language, 0..1000 (thousandths);
 * -1 when not listed and no "*" is. "zh" is found in "zh-CN;q=0.9" too when prefix is set. */
int accept_quality(const char *header, const char *token, bool prefix);
#endif
