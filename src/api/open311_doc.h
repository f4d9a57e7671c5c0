/* api/open311_doc.h - one document in the two notations of Open311, JSON and XML, written alike. A
 * list is an array in JSON and an element with child elements in XML; an item is an object or a
 * child element; a member is a member or an element. Errors stick in the buffer. */
#ifndef API_OPEN311_DOC_H
#define API_OPEN311_DOC_H
#include "base/json.h"

struct doc {
    bool xml;
    struct buf *b;
    struct jw w;
};
void doc_begin(struct doc *d, bool xml, struct buf *b);
/* key NULL: the document itself or an item of a list (JSON has no name for it then). `name` is the
 * XML element. Names are constants of ours. */
void doc_list(struct doc *d, const char *key, const char *name);
void doc_list_end(struct doc *d, const char *name);
void doc_item(struct doc *d, const char *name);
void doc_item_end(struct doc *d, const char *name);
void doc_str(struct doc *d, const char *key, const char *s); /* NULL: null, an empty element */
void doc_int(struct doc *d, const char *key, int64_t i);
void doc_double(struct doc *d, const char *key, double v); /* NaN: null */
void doc_bool(struct doc *d, const char *key, bool v);
/* Escaped so that any text is well-formed XML 1.0; characters that XML cannot hold become U+FFFD. s
 * is valid UTF-8. */
void doc_xml_text(struct buf *b, const char *s);
#endif
