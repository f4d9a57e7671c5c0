/* domain/grid/hours.h - the hours of a post as numbers. The text is what people write on a card:
 * "08:30-12:00, 13:30-17:30" is understood, spans separated by commas or blanks; one whose end is
 * not after its start runs past midnight. Every other text (and an empty one) means always: nobody
 * loses a case because of a note in that field. Pure. Pinned by tests/unit/grid/test_hours.c. */
#ifndef DOMAIN_GRID_HOURS_H
#define DOMAIN_GRID_HOURS_H
#include <stdbool.h>
#include <stdint.h>

enum { HOURS_MAX = 6, HOURS_DAY_MIN = 24 * 60 };

struct hours {
    int n; /* spans; 0 = always */
    struct {
        int16_t from, to; /* minutes of the local day: from inclusive 0..1439, to exclusive 0..1440;
                             to <= from runs past midnight */
    } span[HOURS_MAX];
};
/* More than HOURS_MAX spans: always. */
struct hours hours_parse(const char *text);
/* minute: of the local day, 0..1439. */
bool hours_on(const struct hours *h, int minute);
#endif
