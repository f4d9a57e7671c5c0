/* domain/briefing/pdf.h - a briefing on paper: gezhi-print draws it in a process of its own. */
#ifndef DOMAIN_BRIEFING_PDF_H
#define DOMAIN_BRIEFING_PDF_H
#include "base/buf.h"
#include "base/civil.h"

/* What stands on each page beside the document. */
struct briefing_seal {
    const char *state;     /* "draft" "signed" "withdrawn" */
    const char *signed_by; /* "" unless signed */
    int64_t signed_at_us, formed_at_us;
    const char *note; /* "" when absent */
    const char *hash; /* 64 hex digits */
};
enum { BRIEFING_PDF_MAX = 8 << 20 };
/* out: empty, of at least BRIEFING_PDF_MAX. The same document, seal and fonts give the same bytes.
 * lang: "zh-CN" or "en". helper_dir as in helper/run.h. Blocking (under a second): call it from a
 * job thread. Errors: ERR_NOT_FOUND (no helper program), ERR_NOT_ACCEPTABLE (no font for
 * Chinese: the text names the package), ERR_TIMEOUT, ERR_LIMIT, ERR_INTERNAL. */
enum err_code briefing_pdf(struct arena *a, const char *helper_dir, const char *document, size_t n,
                           const struct briefing_seal *seal, const struct tz *tz, const char *lang,
                           struct buf *out, struct err *err) NODISCARD;
#endif
