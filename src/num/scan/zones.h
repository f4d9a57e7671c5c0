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
    const size_t *first;         /* n_lists + 1 offsets into place */
    const uint32_t *place;       /* members; no place twice in a list */
    const uint32_t *center;      /* n_lists: place or grid point */
    const uint32_t *first_len;   /* n_lists, >= 1; NULL: 1 for all */
    const double *shape, *angle; /* n_lists, or NULL: circles */
    size_t n_zones;
    size_t max_len; /* of a list */
};
/* Up to max_size of `size` (n_places, total_size) and max_radius. */
enum err_code scan_zones_build(const struct scan_data *data, const struct scan_options *options,
                               const double *size, double total_size, const struct num_run *run,
                               struct arena *a, struct scan_zones *out, struct err *err) NODISCARD;
/* Distance from the centre of a list to its member number `member`, in the metric's unit. */
double scan_zones_radius(const struct scan_data *data, const struct scan_zones *zones, size_t list,
                         size_t member);
#endif
