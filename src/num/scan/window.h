/* num/scan/window.h - inside zones.c: how the members of one list come in order. */
#ifndef NUM_SCAN_WINDOW_H
#define NUM_SCAN_WINDOW_H
#include "num/scan/near.h"
#include "num/scan/zones.h"

/* Kilometres, the sphere that SaTScan uses. */
#define SCAN_EARTH_KM 6367.0

/* One shape of window: the points and centres in the coordinates in which it is a circle. */
struct window_shape {
    double shape, angle;
    const double *points, *centers; /* n x dim */
    const struct near_tree *tree;
};
/* Neighbours in a network: those of place p are to[first[p] .. first[p + 1]). */
struct window_graph {
    size_t n;
    const size_t *first;
    const uint32_t *to;
    const double *length;
};
struct windows {
    const struct scan_data *data;
    const struct scan_options *options;
    const double *size;
    const bool *peopled;           /* n_places: taking the place in makes another zone */
    double max_size, max_distance; /* in the coordinates of the shapes */
    size_t n_centers, n_shapes, n_points, max_members;
    unsigned dim;
    const struct window_shape *shape;
    const double *tie;         /* coordinates that break ties, n_points x dim */
    const uint32_t *points_of; /* how many points a place has; NULL: one each */
    struct window_graph graph; /* SCAN_NETWORK, SCAN_FLEXIBLE */
    const struct num_run *run;
};
/* Working memory of one thread; all of mem_new. */
struct window_scratch {
    struct near_hit *hits, *spare;
    uint32_t *bucket, *seen; /* seen: points met of each place */
    uint32_t *heap, *at;     /* network: places by distance, their position in the heap + 1 */
    double *way;             /* network: shortest way so far */
    uint32_t *member;        /* the list */
    size_t n_members, first_len;
    double reach; /* radius of the last list: what to try first */
};

enum err_code windows_prepare(struct windows *w, struct arena *a, struct err *err) NODISCARD;
enum err_code window_scratch_init(const struct windows *w, struct window_scratch *s,
                                  struct err *err) NODISCARD;
void window_scratch_deinit(struct window_scratch *s);
/* Fill member with the list of a centre and a shape, up to the limits. */
void window_list(const struct windows *w, size_t shape, size_t center, struct window_scratch *s);
/* The place at the middle, or UINT32_MAX for a grid. */
uint32_t window_center_place(const struct windows *w, size_t center);

/* Takes places in one by one; false when the limit is reached and the list is whole. */
bool window_take(const struct windows *w, struct window_scratch *s, uint32_t place,
                 double *size_so_far);
/* By the shortest way (Dijkstra 1959). */
void window_network(const struct windows *w, uint32_t center, struct window_scratch *s);
enum err_code window_graph_new(const struct scan_data *data, struct arena *a,
                               struct window_graph *out, struct err *err) NODISCARD;
/* Shortest way between two places; NaN without memory, INFINITY when there is none. */
double window_way(const struct scan_data *data, uint32_t from, uint32_t to);

/* Connected sets of up to flexible_k - 1 nearest places and the centre. */
enum err_code windows_flexible(const struct windows *w, struct arena *a, struct scan_zones *out,
                               struct err *err) NODISCARD;
/* x, y of a point in the coordinates of a shape: 2 numbers in the plane, 3 on the sphere. */
void window_coordinates(enum scan_metric metric, double x, double y, double shape, double angle,
                        double *out);
/* Arrays of mem_new that live as long as the arena; NULL when there is no memory. */
void *window_keep(struct arena *a, size_t n, size_t size);
#endif
