#include <stdio.h>

#include "sim/year_inside.h"

/* Where it is, in the words of one who stands there: a street, a community, something near. */
static int place_words(const struct city_year *y, const struct year_case *c, struct rng *r,
                       char *out, size_t n) {
    static const char *const near[] = {"门口",     "路口", "公交站旁", "小区东门", "菜场边上",
                                       "学校对面", "桥下", "停车场旁", "公园入口", "北侧"};
    const struct city_plan *p = y->plan;
    const struct city_cell *cell = &p->cell[c->cell];
    const char *community = p->area[cell->community].name_zh;
    const char *street = cell->street == CITY_NONE ? NULL : p->street[cell->street].name_zh;
    const char *spot = near[rng_below(r, 10)];
    if (street && rng_below(r, 3) == 0)
        return snprintf(out, n, "%s%u号%s", street, 1 + rng_below(r, 320), spot);
    if (street && rng_below(r, 2)) return snprintf(out, n, "%s靠近%s", street, community);
    return snprintf(out, n, "%s%s", community, spot);
}

void year_text(const struct city_year *y, const struct year_seed *s, struct year_case *c) {
    static const char *const tail[] = {"。",
                                       "，影响通行。",
                                       "，请尽快处理。",
                                       "，请安排人来看看。",
                                       "，已经好几天了。",
                                       "，希望有人管一管。",
                                       "，老人小孩经过不安全。",
                                       "，附近居民意见很大。"};
    static const char *const head[] = {"", "", "", "您好，", "反映一下，", "请问谁负责："};
    static const char *const duty[] = {"。", "，已拍照。", "，需专业部门处置。",
                                       "，现场核实属实。"};
    const struct year_class *cls = &y->params.cls[s->cls];
    struct rng r = rng_new(y->params.seed, 2000001 + (uint64_t)s->stream * 4);
    uint32_t n_what = 0;
    while (n_what < 3 && cls->what[n_what]) n_what++;
    const char *what = n_what ? cls->what[rng_below(&r, n_what)] : "有情况需要处理";
    char place[160] = "";
    bool by_staff = c->channel == YEAR_BY_PATROL || c->channel == YEAR_BY_DEPARTMENT;
    const char *start = by_staff ? "" : head[rng_below(&r, 6)];
    const char *end = by_staff ? duty[rng_below(&r, 4)] : tail[rng_below(&r, 8)];
    if (c->is_private) {
        (void)snprintf(c->text, sizeof c->text, "%s%s。", start, what);
        return;
    }
    (void)place_words(y, c, &r, place, sizeof place);
    (void)snprintf(c->text, sizeof c->text, "%s%s%s%s", start, place, what, end);
}
