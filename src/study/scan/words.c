/* Words of the options, the same on the command line and in the JSON. */
#include "study/scan/study.h"

const char *scan_model_word(enum scan_model model) {
    static const char *const words[] = {"poisson", "bernoulli", "permutation"};
    return words[model];
}
const char *scan_analysis_word(enum scan_analysis analysis) {
    static const char *const words[] = {"spatial", "temporal", "space-time"};
    return words[analysis];
}
const char *scan_p_word(enum scan_p_mode mode) {
    static const char *const words[] = {"standard", "sequential", "gumbel"};
    return words[mode];
}
const char *scan_gumbel_word(enum scan_gumbel gumbel) {
    static const char *const words[] = {NULL, "few replicas", "no spread", "few distinct maxima",
                                        "common maximum"};
    return words[gumbel];
}
const char *scan_rates_word(enum scan_rates rates) {
    static const char *const words[] = {"", "high", "low", "both"};
    return words[rates];
}
const char *scan_overlap_word(enum scan_overlap overlap) {
    static const char *const words[] = {
        "none", "no-center-in-other", "no-center-in-more", "no-center-in-less", "no-pairs",
        "any",  "only-first"};
    return words[overlap];
}
const char *scan_shape_word(enum scan_shape shape) {
    static const char *const words[] = {"circle", "ellipse", "flexible"};
    return words[shape];
}
