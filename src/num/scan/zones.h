/* num/scan/zones.h - the spatial windows: lists of places in the order in which a growing window
 * takes them in. Each prefix of a list, from its first_len on, is one zone. A circle's list is the
 * places by distance (ties: smaller coordinate first, one at a time, as SaTScan does); an ellipse
 * gives one list a centre, shape and angle; a flexible window is a list of which only the whole is
 * a zone. Built by cell grid or tree, never by sorting all pairs. */
#ifndef NUM_SCAN_ZONES_H
#define NUM_SCAN_ZONES_H
#include "num/scan/scan.h"

struct scan_zones {
    size_t n_lists, n_places;
    const size_t *first;     /* n_lists + 1 offsets into place; a list may be empty */
    const uint32_t *place;   /* members; no place twice in a list; NULL when place16 is there */
    const uint16_t *place16; /* the same, for purely spatial scans of up to 65,536 places */
    const uint32_t *center;  /* n_lists: place or grid point */
    const uint32_t *center_point; /* n_lists: index of the centre in points; NULL: center */
    /* n_lists, >= 1; NULL: 1 for all. Shorter prefixes are no zones: a centre without people,
     * or (flexible) all but the whole list. */
    const uint32_t *first_len;
    const double *shape, *angle; /* n_lists, or NULL: circles */
    const double *weight;        /* n_lists, or NULL: 1; the statistic is multiplied by it */
    size_t n_zones;              /* prefixes that differ in people: places without any end none */
    size_t max_len;              /* of a list */
};
static inline uint32_t scan_zones_member(const struct scan_zones *z, size_t i) {
    return z->place16 != NULL ? z->place16[i] : z->place[i];
}
/* Up to max_size of `size` (n_places, total_size) and max_radius. */
enum err_code scan_zones_build(const struct scan_data *data, const struct scan_options *options,
                               const double *size, double total_size, const struct num_run *run,
                               struct arena *a, struct scan_zones *out, struct err *err) NODISCARD;
/* Distance from the centre of a list to its member number `member` (from 0), in the metric's unit;
 * the short axis of an ellipse; 0 for given lists; NaN without memory for a network's. */
double scan_zones_radius(const struct scan_data *data, const struct scan_zones *zones, size_t list,
                         size_t member);
#endif
