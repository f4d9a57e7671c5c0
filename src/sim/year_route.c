#include <math.h>

#include "sim/year_inside.h"

/* Random streams of confirmations: those of a case's other parts end at 22,000,003. */
enum { CONFIRM_STREAM = 30000000 };
/* Keys of the pictures that the gaming team sends again and again. */
enum { OLD_PHOTO = 0x70000000, N_OLD_PHOTO = 5 };

struct walk {
    const struct city_year *y;
    const struct year_seed *s;
    struct year_case *c;
    struct rng r;
    int64_t at;
    size_t most; /* stop after so many steps */
    bool stopped;
    uint32_t desk, community_desk, unit;
    bool is_gamed, is_lazy, is_urgent;
    bool must_confirm; /* planted: it is with the worker at the end */
    struct rng own;    /* of its confirmation alone, so that nothing else shifts */
};

static int64_t minutes(struct walk *w, double lo, double hi) {
    return (int64_t)((lo + (hi - lo) * rng_unit(&w->r)) * (double)YEAR_MINUTE_US);
}

/* Work is done by day: what would fall into the night is done in the morning. */
static int64_t by_day(struct walk *w, int64_t at) {
    int64_t local = year_local(w->y, at), day = local / YEAR_DAY_US;
    int64_t hour = local % YEAR_DAY_US / YEAR_HOUR_US;
    if (hour >= 7 && hour < 20) return at;
    int64_t morning =
        (hour < 7 ? day : day + 1) * YEAR_DAY_US + 7 * YEAR_HOUR_US + 30 * YEAR_MINUTE_US;
    return morning + minutes(w, 0, 110) - w->y->params.utc_offset_s * YEAR_SECOND_US;
}

/* One step at a time; nothing more once the end of the year is reached. */
static bool go_at(struct walk *w, enum year_move move, uint32_t post, int64_t at,
                  const char *note) {
    if (w->stopped) return false;
    if (at >= w->y->params.until_us || w->c->n_step >= w->most || w->c->n_step >= YEAR_MAX_STEPS) {
        w->stopped = true;
        return false;
    }
    w->at = at;
    w->c->step[w->c->n_step++] = (struct year_step){
        .move = move, .at_us = at, .post = post, .unit = CITY_NONE, .note = note};
    return true;
}

/* One step after a delay. */
static bool go(struct walk *w, enum year_move move, uint32_t post, int64_t delay_us,
               const char *note) {
    if (w->stopped) return false;
    int64_t at = w->at + delay_us;
    bool at_once = w->is_urgent || (w->is_gamed && move != YEAR_ACCEPT);
    if (!at_once && post != CITY_NONE) at = by_day(w, at);
    return go_at(w, move, post, at, note);
}

/* Urgent matters wait for nobody's desk. */
static int64_t desk_time(struct walk *w, double lo, double hi) {
    return w->is_urgent ? minutes(w, 1, 12) : minutes(w, lo, hi);
}

static struct year_step *last(const struct walk *w) { return &w->c->step[w->c->n_step - 1]; }

static uint32_t new_photo(const struct walk *w) {
    /* Unique a case and step: streams stay below 5,000,000, so that 32 keys a case fit below
     * OLD_PHOTO. */
    return 1 + w->s->stream * 32 + (uint32_t)w->c->n_step;
}

static const char *any(struct walk *w, const char *const *list, uint32_t n) {
    return list[rng_below(&w->r, n)];
}

static void rate(struct walk *w, double hours, double usual_h) {
    if (w->c->channel != YEAR_BY_RESIDENT || rng_below(&w->r, 100) >= 35) return;
    if (!go(w, YEAR_RATE, CITY_NONE, minutes(w, 30, 4000), NULL)) return;
    double late = hours / (usual_h * 2 + 6);
    double s = 4.7 - 1.3 * fmin(late, 2.5) + 0.8 * rng_normal(&w->r) - (w->is_gamed ? 2 : 0);
    last(w)->score = s < 1.5 ? 1 : s > 4.5 ? 5 : (int)lround(s);
}

/* ---- settled in the cell ---- */

static void settle_route(struct walk *w) {
    static const char *const note[] = {"已现场清理完毕", "已劝导当事人整改", "已现场处理，恢复原状",
                                       "已联系商户收回占道物品"};
    uint32_t worker = w->y->plan->cell[w->c->cell].worker;
    bool own = w->c->channel == YEAR_BY_PATROL;
    double lo = own ? 8 : 25, hi = own ? 90 : 400;
    if (!go(w, YEAR_SETTLE, worker, minutes(w, lo, hi), any(w, note, 4))) return;
    last(w)->photo = new_photo(w);
    if (!go(w, YEAR_VERIFY, w->community_desk, minutes(w, 30, 900), NULL)) return;
    if (!go(w, YEAR_CLOSE, w->desk, minutes(w, 5, 240), NULL)) return;
    rate(w, (double)(w->at - w->s->open_us) / (double)YEAR_HOUR_US, 4);
}

/* ---- dispatched ---- */

static bool dispatch(struct walk *w, uint32_t unit) {
    int64_t delay = w->is_gamed ? minutes(w, 0.5, 2) : desk_time(w, 4, 90);
    if (!go(w, YEAR_DISPATCH, w->desk, delay, NULL)) return false;
    last(w)->unit = unit;
    w->unit = unit;
    return true;
}

static bool handle(struct walk *w, double share) {
    static const char *const note[] = {"已安排人员到场处理完毕", "已维修恢复", "已清理并复查",
                                       "已整改到位，加强巡查", "已更换损坏部件"};
    const struct year_class *cls = &w->y->params.cls[w->s->cls];
    double h = share * cls->handle_h * exp(0.65 * rng_normal(&w->r)) * (w->is_lazy ? 5.5 : 1);
    int64_t delay = w->is_gamed ? minutes(w, 1, 4) : (int64_t)(h * (double)YEAR_HOUR_US);
    uint32_t post = w->y->plan->unit[w->unit].post;
    if (!go(w, YEAR_HANDLE, post, delay, any(w, note, 5))) return false;
    last(w)->photo = w->is_gamed ? OLD_PHOTO + rng_below(&w->r, N_OLD_PHOTO) : new_photo(w);
    return true;
}

static bool check(struct walk *w) {
    static const char *const note[] = {"现场仍有残留，请重新处理", "与照片不符，请返工",
                                       "未达结案条件，请继续处置"};
    uint32_t fail_pc = w->is_gamed ? 0 : w->is_lazy ? 15 : 7;
    if (rng_below(&w->r, 100) < fail_pc) {
        if (!go(w, YEAR_REWORK, w->community_desk, minutes(w, 60, 700), any(w, note, 3)))
            return false;
        if (!handle(w, 0.6)) return false;
    }
    uint32_t who = w->is_gamed ? w->desk : w->community_desk;
    int64_t delay = w->is_gamed ? minutes(w, 0.5, 2) : minutes(w, 40, 900);
    if (!go(w, YEAR_VERIFY, who, delay, NULL)) return false;
    return go(w, YEAR_CLOSE, w->desk, w->is_gamed ? minutes(w, 0.3, 1) : minutes(w, 5, 240), NULL);
}

static void mark(struct walk *w, uint32_t unit) {
    const struct city_year *y = w->y;
    w->is_lazy = unit == y->lazy_unit;
    w->is_gamed =
        unit == y->gaming_unit && w->s->open_us >= y->gaming_from_us && rng_below(&w->r, 100) < 80;
}

static bool send_back(struct walk *w) {
    static const char *const note[] = {"不属本单位管辖，请转产权单位", "职责不清，建议改派",
                                       "现场属物业管理范围"};
    if (w->is_gamed || rng_below(&w->r, 100) >= 6) return true;
    uint32_t back = w->y->plan->unit[w->unit].post, first = w->unit;
    if (!go(w, YEAR_RETURN, back, minutes(w, 40, 420), any(w, note, 3))) return false;
    uint32_t county = first / CITY_N_UNIT_KIND * CITY_N_UNIT_KIND;
    uint32_t other = county + (first % CITY_N_UNIT_KIND + 1 + rng_below(&w->r, 8)) % 10;
    if (!dispatch(w, other)) return false;
    w->is_lazy = other == w->y->lazy_unit;
    return true;
}

static void reopen(struct walk *w) {
    const struct year_case *c = w->c;
    if (c->n_step == 0 || last(w)->move != YEAR_RATE || last(w)->score > 2) return;
    if (rng_below(&w->r, 100) >= 30) return;
    if (!go(w, YEAR_REOPEN, CITY_NONE, minutes(w, 5, 2000), "问题又出现了，没有解决")) return;
    w->is_gamed = false;
    if (!go(w, YEAR_ACCEPT, w->desk, minutes(w, 2, 70), NULL)) return;
    if (!go(w, YEAR_FILE, w->desk, minutes(w, 3, 90), NULL)) return;
    if (dispatch(w, w->unit) && handle(w, 0.8)) (void)check(w);
}

/* ---- confirmed on the spot before it is filed ---- */

/* What somebody else told of, where a worker can be sent. */
static bool can_confirm(const struct walk *w) {
    bool told = w->c->channel == YEAR_BY_RESIDENT || w->c->channel == YEAR_BY_HOTLINE;
    return told && w->y->plan->cell[w->c->cell].worker != CITY_NONE;
}

static bool is_confirmed(struct walk *w) {
    if (!can_confirm(w) || w->is_gamed || w->is_urgent) return false;
    return w->must_confirm || (w->s->planted == 0 && rng_below(&w->own, 100) < 14);
}

static int64_t own_minutes(struct walk *w, double lo, double hi) {
    return (int64_t)((lo + (hi - lo) * rng_unit(&w->own)) * (double)YEAR_MINUTE_US);
}

static bool at_night(const struct walk *w, int64_t at) {
    int64_t hour = year_local(w->y, at) % YEAR_DAY_US / YEAR_HOUR_US;
    return hour < 7 || hour >= 20;
}

/* A day or two late: it is answered all the same, or the desk goes on without. */
static void late_answer(struct walk *w, uint32_t worker, int64_t *file_at) {
    int64_t at = w->at + own_minutes(w, 26 * 60, 40 * 60);
    if (at_night(w, at)) at += 12 * YEAR_HOUR_US;
    bool answered = rng_below(&w->own, 4) > 0;
    if (go_at(w, answered ? YEAR_CONFIRM : YEAR_TAKE_BACK, answered ? worker : w->desk, at,
              answered ? "情况属实" : "未按时核实，先行办理"))
        *file_at = at + own_minutes(w, 3, 60);
}

/* Between accepting and filing; most answers come before the case would have been filed anyway, so
 * that all that follows stays where it was. False: it was not so, and was refused. */
static bool confirm_route(struct walk *w, int64_t *file_at) {
    static const char *const seen[] = {"现场查看，情况属实", "属实，已拍照", "属实，影响通行"};
    if (!is_confirmed(w)) return true;
    uint32_t worker = w->y->plan->cell[w->c->cell].worker;
    int64_t gap = *file_at - w->at;
    double asked = 0.05 + 0.15 * rng_unit(&w->own), told = 0.5 + 0.4 * rng_unit(&w->own);
    int64_t order = w->at + (int64_t)(asked * (double)gap);
    int64_t answer = w->at + (int64_t)(told * (double)gap);
    if (at_night(w, order)) order = w->at + gap / 100;
    if (at_night(w, answer)) answer = *file_at - own_minutes(w, 0.2, 0.8);
    if (answer < order) answer = order;
    if (!go_at(w, YEAR_ORDER_CONFIRM, w->desk, order, "请到现场核实")) return true;
    if (rng_below(&w->own, 100) < 9) {
        late_answer(w, worker, file_at);
        return true;
    }
    if (rng_below(&w->own, 100) >= 14) {
        (void)go_at(w, YEAR_CONFIRM, worker, answer, seen[rng_below(&w->own, 3)]);
        return true;
    }
    if (!go_at(w, YEAR_DENY, worker, answer, "现场查看，未发现所述情况")) return true;
    if (go_at(w, YEAR_REFUSE, w->desk, *file_at, "经现场核实，情况不属实"))
        last(w)->go_to = "如再次发现，请拍照后重新上报";
    return false;
}

static bool file(struct walk *w) {
    int64_t delay = w->is_gamed ? minutes(w, 0.5, 2) : desk_time(w, 3, 100);
    int64_t at = w->at + delay;
    if (!w->is_urgent && !w->is_gamed) at = by_day(w, at);
    return confirm_route(w, &at) && go_at(w, YEAR_FILE, w->desk, at, NULL);
}

static void unit_route(struct walk *w) {
    static const char *const refusal[] = {"不在受理范围", "属私人产权", "描述不清且无法联系"};
    static const char *const where[] = {"请联系本小区物业服务单位", "请联系产权人或其管理单位",
                                        "请补充位置和照片后重新上报"};
    const struct year_class *cls = &w->y->params.cls[w->s->cls];
    uint32_t unit = year_unit_of(w->y, w->c->cell, cls->unit);
    mark(w, unit);
    w->is_urgent = (cls->traits & YEAR_URGENT) != 0;
    if (w->c->channel != YEAR_BY_PATROL && !w->is_gamed && rng_below(&w->r, 100) < 4) {
        uint32_t k = rng_below(&w->r, 3);
        if (go(w, YEAR_REFUSE, w->desk, minutes(w, 5, 110), refusal[k])) last(w)->go_to = where[k];
        return;
    }
    if (!go(w, YEAR_ACCEPT, w->desk, desk_time(w, 2, 70), NULL)) return;
    if (!w->is_gamed && rng_below(&w->r, 100) < 2) {
        uint32_t town = w->y->plan->post[w->desk].area;
        if (!go(w, YEAR_ESCALATE, w->desk, minutes(w, 10, 200), "需上级协调，上报处理")) return;
        w->desk = w->y->plan->area[town].parent;
    }
    if (!file(w)) return;
    if (!dispatch(w, unit) || !send_back(w) || !handle(w, 1)) return;
    if (w->is_gamed) w->c->planted |= YEAR_IS_GAMED;
    if (!check(w)) return;
    rate(w, (double)(w->at - w->s->open_us) / (double)YEAR_HOUR_US, cls->handle_h);
    reopen(w);
}

/* ---- a repeated report, a dispute ---- */

static void merge_route(struct walk *w) {
    if (go(w, YEAR_REFUSE, w->desk, minutes(w, 5, 110), "与已受理的案件重复，合并办理"))
        last(w)->go_to = "请关注已受理案件的办理进展";
}

static void dispute_route(struct walk *w) {
    uint32_t unit = year_unit_of(w->y, w->c->cell, CITY_UNIT_MEDIATION);
    uint32_t mediator = w->y->plan->unit[unit].post;
    if (!go(w, YEAR_TRIAGE, w->desk, minutes(w, 20, 600), "宜先行调解，征得双方同意")) return;
    last(w)->unit = unit;
    if (!go(w, YEAR_ACCEPT, mediator, minutes(w, 120, 2800), NULL)) return;
    double h = 96 * exp(0.6 * rng_normal(&w->r));
    bool agreed = rng_below(&w->r, 100) < 78;
    if (!go(w, agreed ? YEAR_AGREE : YEAR_NOT_AGREE, mediator, (int64_t)(h * (double)YEAR_HOUR_US),
            agreed ? "双方达成一致，按约履行" : "双方未达成一致，已告知其他途径"))
        return;
    if (!agreed) last(w)->go_to = "可向人民法院起诉，或到公共法律服务中心申请法律援助";
    if (agreed &&
        !go(w, YEAR_FOLLOW_UP, mediator, minutes(w, 7 * 1440, 15 * 1440), "已回访，履行良好"))
        return;
    (void)go(w, YEAR_CLOSE, w->desk, minutes(w, 30, 1500), NULL);
}

void year_route(const struct city_year *y, const struct year_seed *s, struct year_case *c) {
    const struct year_class *cls = &y->params.cls[s->cls];
    uint32_t community = y->plan->cell[c->cell].community;
    struct walk w = {.y = y,
                     .s = s,
                     .c = c,
                     .r = rng_new(y->params.seed, 2000000 + (uint64_t)s->stream * 4),
                     .own = rng_new(y->params.seed, CONFIRM_STREAM + (uint64_t)s->stream),
                     .at = s->open_us,
                     .most = YEAR_MAX_STEPS,
                     .community_desk = community,
                     .desk = city_plan_ancestor(y->plan, community, CITY_LEVEL_TOWN)};
    if (s->planted & YEAR_IS_OPEN_NOW) w.most = s->stream % 6;
    c->n_step = 0;
    if (c->is_private) {
        dispute_route(&w);
        return;
    }
    if ((s->planted & YEAR_IS_OPEN_NOW) != 0 && w.most == 1 && can_confirm(&w) &&
        rng_below(&w.own, 2) == 0) {
        w.must_confirm = true;
        w.most = 2;
    }
    if (s->original != CITY_NONE && rng_below(&w.r, 10) < 7) {
        merge_route(&w);
        return;
    }
    uint32_t worker = y->plan->cell[c->cell].worker;
    uint32_t pc = c->channel == YEAR_BY_PATROL ? cls->settle_pc * 5 / 4 : cls->settle_pc * 3 / 5;
    bool open_now = (s->planted & YEAR_IS_OPEN_NOW) != 0;
    if (worker != CITY_NONE && !open_now && rng_below(&w.r, 100) < pc)
        settle_route(&w);
    else
        unit_route(&w);
    if (w.is_lazy) c->planted |= YEAR_IS_LAZY;
}
