/* domain/measure/index_inside.h - pieces of reading and forming indices. Private to domain/measure.
 */
#ifndef DOMAIN_MEASURE_INDEX_INSIDE_H
#define DOMAIN_MEASURE_INDEX_INSIDE_H
#include "domain/measure/index_form.h"

enum { INDEX_MAX_JUDGED = 15 };

/* The key "weights" of a group, or the older "ahp" (NULL: absent): how its n children are weighed
 * into self, and for AHP the weights themselves into weight. ERR_INVALID with the line. */
enum err_code index_text_weights(const struct pack_document *doc, const struct val *v,
                                 struct index_node *self, double *weight, size_t n,
                                 struct err *err) NODISCARD;
/* The key "treat" of an indicator whose goalposts are read already. */
enum err_code index_text_treat(const struct pack_document *doc, const struct val *v,
                               struct index_node *leaf, struct err *err) NODISCARD;
/* "arithmetic", "geometric", "harmonic", or {power: p}. */
enum err_code index_text_mean(const struct pack_document *doc, const struct val *v,
                              struct composite_agg *out, struct err *err) NODISCARD;
/* Sets d->hash: everything that a value is formed by. */
void index_make_hash(const struct pack_set *packs, struct index_def *d);

/* Kinds of chance by leaf. */
enum err_code index_noise_kinds(const struct pack_set *packs, const struct index_def *d,
                                struct arena *a, const struct index_noise_of **out,
                                struct err *err) NODISCARD;
/* Weights of groups that the values give: fills v->tree.weight and v->fallback. data: the leaves
 * as they go into the index. */
enum err_code index_weigh_groups(struct index_view *v, const struct composite_data *data,
                                 const struct num_run *run, struct arena *a,
                                 struct err *err) NODISCARD;
/* Values in the matrix (n_leaves x n) become those that lie as far between the goalposts as their
 * scores do; fills v->bend. Nothing without a treatment. */
enum err_code index_bend_values(struct index_view *v, double *matrix, struct arena *a,
                                struct err *err) NODISCARD;
/* Ranks under doubt of a scored view: fills interval, holds, n_draws. */
enum err_code index_doubt(struct index_view *v, const struct index_ask *ask, struct arena *a,
                          struct err *err) NODISCARD;
/* Whether some level's mean needs scores above 0. */
bool index_needs_positive(const struct index_def *d);
#endif
