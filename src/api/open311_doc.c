#include "api/open311_doc.h"

#include <math.h>
#include <string.h>

void doc_xml_text(struct buf *b, const char *s) {
    static const char replacement[] = "\xEF\xBF\xBD";
    for (const unsigned char *p = (const unsigned char *)s; *p != '\0'; p++) {
        if (*p == '&') {
            buf_str(b, "&amp;");
        } else if (*p == '<') {
            buf_str(b, "&lt;");
        } else if (*p == '>') {
            buf_str(b, "&gt;");
        } else if (*p == '"') {
            buf_str(b, "&quot;");
        } else if (*p == '\r') {
            buf_str(b, "&#13;"); /* a bare one would be read as a line feed */
        } else if (*p < 0x20 && *p != '\t' && *p != '\n') {
            buf_str(b, replacement);
        } else if (p[0] == 0xEF && p[1] == 0xBF && (p[2] == 0xBE || p[2] == 0xBF)) {
            buf_str(b, replacement); /* U+FFFE, U+FFFF */
            p += 2;
        } else {
            buf_char(b, (char)*p);
        }
    }
}

void doc_begin(struct doc *d, bool xml, struct buf *b) {
    *d = (struct doc){.xml = xml, .b = b};
    jw_init(&d->w, b);
    if (xml) buf_str(b, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n");
}

static void tag(struct doc *d, const char *name, bool end) {
    buf_str(d->b, end ? "</" : "<");
    buf_str(d->b, name);
    buf_char(d->b, '>');
}

void doc_list(struct doc *d, const char *key, const char *name) {
    if (d->xml) {
        tag(d, name, false);
        return;
    }
    if (key != NULL) jw_key(&d->w, key);
    jw_arr(&d->w);
}

void doc_list_end(struct doc *d, const char *name) {
    if (d->xml)
        tag(d, name, true);
    else
        jw_end(&d->w, ']');
}

void doc_item(struct doc *d, const char *name) {
    if (d->xml)
        tag(d, name, false);
    else
        jw_obj(&d->w);
}

void doc_item_end(struct doc *d, const char *name) {
    if (d->xml)
        tag(d, name, true);
    else
        jw_end(&d->w, '}');
}

void doc_str(struct doc *d, const char *key, const char *s) {
    if (!d->xml) {
        jw_kstr(&d->w, key, s);
        return;
    }
    tag(d, key, false);
    if (s != NULL) doc_xml_text(d->b, s);
    tag(d, key, true);
}

void doc_int(struct doc *d, const char *key, int64_t i) {
    if (!d->xml) {
        jw_kint(&d->w, key, i);
        return;
    }
    tag(d, key, false);
    buf_printf(d->b, "%lld", (long long)i);
    tag(d, key, true);
}

void doc_double(struct doc *d, const char *key, double v) {
    if (!d->xml) {
        jw_kdouble(&d->w, key, v);
        return;
    }
    tag(d, key, false);
    if (isfinite(v)) buf_printf(d->b, "%.9g", v);
    tag(d, key, true);
}

void doc_bool(struct doc *d, const char *key, bool v) {
    if (!d->xml) {
        jw_kbool(&d->w, key, v);
        return;
    }
    tag(d, key, false);
    buf_str(d->b, v ? "true" : "false");
    tag(d, key, true);
}
