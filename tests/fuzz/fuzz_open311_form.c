/* Any bytes as the form body of an Open311 request, against the shipped packs; and any text as XML:
 * no byte of the input may become a tag. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/open311_doc.h"
#include "api/open311_form.h"
#include "geo/crs.h"

int LLVMFuzzerTestOneInput(const unsigned char *p, size_t n);

enum { ARENA_BYTES = 64 << 20 };

static struct engine *shipped(struct arena *a) {
    static const unsigned char secret[32];
    const struct pack_set *packs = NULL;
    const struct tz *tz = NULL;
    struct engine *e = NULL;
    struct err err = {0};
    enum err_code rc = pack_load(a, SOURCE_DIR "/packs", NULL, &packs, &err);
    if (rc == ERR_OK) rc = tz_load(a, "UTC", &tz, &err);
    if (rc == ERR_OK) rc = engine_new(a, packs, tz, secret, NULL, &e, &err);
    if (rc != ERR_OK) {
        (void)fprintf(stderr, "%s\n", err.detail);
        abort();
    }
    return e;
}

static void check_xml(const char *text) {
    struct buf b;
    buf_init(&b, 8 << 20);
    doc_xml_text(&b, text == NULL ? "" : text);
    for (const char *s = buf_text(&b); *s != '\0'; s++) {
        app_assert(*s != '<' && *s != '>' && *s != '"');
        app_assert((unsigned char)*s >= 0x20 || *s == '\t' || *s == '\n');
    }
    buf_deinit(&b);
}

int LLVMFuzzerTestOneInput(const unsigned char *p, size_t n) {
    static struct engine *engine;
    static struct arena *kept;
    if (kept == NULL) {
        kept = arena_new(ARENA_BYTES);
        engine = shipped(kept);
    }
    struct arena *a = arena_new(ARENA_BYTES);
    struct open311_post post;
    if (a != NULL && open311_form(engine, a, (const char *)p, n, &post, NULL) == ERR_OK) {
        const struct report *r = &post.report;
        app_assert(open311_offers(r->cls) && r->n_parties == 0 && r->n_photos == 0 &&
                   r->history == NULL);
        app_assert(!r->has_place || crs_is_lonlat(r->lon, r->lat));
        app_assert(r->has_place || !r->cls->needs_place);
        app_assert(r->contact == NULL || strlen(r->contact) < 200);
        check_xml(r->description);
        check_xml(r->place_text);
    }
    arena_free(a);
    return 0;
}
