/* net/assets.h - the web page, built into the program (tools/embed.c) or, for development, read
 * from a folder. */
#ifndef NET_ASSETS_H
#define NET_ASSETS_H
#include <stdbool.h>
#include <stddef.h>

#include "net/http.h"

/* One file of the built page; the table is sorted by path (strcmp) and made at build time. */
struct asset_file {
    const char *path;          /* "/assets/index-Bx3f.js" */
    const unsigned char *data; /* n bytes, gzipped or as they are */
    size_t n, raw_n;           /* stored, and unpacked */
    bool gzip;
    const char *sha256; /* of the unpacked bytes, 64 hexadecimal digits */
};
extern const struct asset_file asset_files[];
extern const size_t asset_n_files;

struct assets;

/* web_dir NULL: what was built in; else the files of that folder, read anew at each request (never
 * for production: no compression, no hashes). Errors: ERR_NOT_FOUND (no such folder), ERR_NOMEM.
 * Immutable afterwards: any thread may serve. */
enum err_code assets_new(const char *web_dir, struct assets **out, struct err *err) NODISCARD;
void assets_free(struct assets *a);
/* Whether there is a page to serve. */
bool assets_is_built(const struct assets *a);

/* Answers a request that no route of the API takes; in its handler; the one answer of the request:
 *   a file of that path      with its type and entity tag; below /assets/ (hashed names) immutable
 *                            for a year, else no-cache
 *   "/" and any other path whose last segment has no dot: index.html, so that the page's own
 *                            addresses can be reloaded
 *   "/" without a built page: a plain page that says how to build it
 *   anything else            404, and 405 for methods but GET and HEAD, as problem+json; also below
 *                            /api/ and the other interfaces, which never get the page */
void assets_serve(const struct assets *a, struct http_request *req);
/* Content type by the extension of a path. */
const char *assets_type(const char *path);
#endif
