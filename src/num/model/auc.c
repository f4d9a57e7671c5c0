#include "num/model/auc.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

struct scored {
    double score;
    uint8_t positive;
};

static int by_score(const void *a, const void *b) {
    double x = ((const struct scored *)a)->score, y = ((const struct scored *)b)->score;
    return (x > y) - (x < y);
}

enum err_code model_auc(const double *score, const uint8_t *outcome, size_t n, double *auc,
                        struct err *err) {
    *auc = NAN;
    struct scored *s = mem_new(n, sizeof *s);
    if (s == NULL) return err_fail(err, ERR_NOMEM, "%zu scores", n);
    size_t positive = 0;
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(score[i])) {
            mem_free(s);
            return err_fail(err, ERR_INVALID, "score %zu is not a finite number", i + 1);
        }
        s[i] = (struct scored){score[i], outcome[i] != 0};
        positive += s[i].positive;
    }
    if (positive == 0 || positive == n) {
        mem_free(s);
        return err_fail(err, ERR_NUMERIC, "the AUC needs both outcomes; all %zu are %s", n,
                        positive == 0 ? "0" : "1");
    }
    qsort(s, n, sizeof *s, by_score);
    /* Twice the count of pairs in the right order: integers, so that nothing is rounded below
     * 2^53 / 2 pairs. */
    double pairs = 0, below = 0;
    for (size_t i = 0; i < n;) {
        size_t j = i;
        double pos = 0, neg = 0;
        for (; j < n && s[j].score == s[i].score; j++) {
            if (s[j].positive) {
                pos += 1;
            } else {
                neg += 1;
            }
        }
        pairs += pos * (2 * below + neg);
        below += neg;
        i = j;
    }
    *auc = pairs / (2.0 * (double)positive * (double)(n - positive));
    mem_free(s);
    return ERR_OK;
}
