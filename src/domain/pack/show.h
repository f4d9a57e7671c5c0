/* domain/pack/show.h - what the packs say, as text for a person or as JSON. Pure but for the
 * buffer. */
#ifndef DOMAIN_PACK_SHOW_H
#define DOMAIN_PACK_SHOW_H
#include "base/buf.h"
#include "domain/pack/pack.h"

/* What to show; everything when all are NULL and false. */
struct show {
    const char *pack, *type, *process; /* names, or NULL */
    bool classes;
};
/* Append to out. ERR_NOT_FOUND names a pack, type or process that is not there (with a
 * did-you-mean). */
enum err_code show_text(const struct pack_set *p, const struct show *what, struct buf *out,
                        struct err *err) NODISCARD;
enum err_code show_json(const struct pack_set *p, const struct show *what, struct buf *out,
                        struct err *err) NODISCARD;
#endif
