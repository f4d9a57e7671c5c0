#include "sim/city_words.h"

#include "base/rng.h"

struct word {
    const char *zh, *en;
};
#define N_OF(list) (sizeof(list) / sizeof((list)[0]))

static const struct word county[] = {
    {"栖云", "Qiyun"},   {"沐桥", "Muqiao"},  {"衡岚", "Henglan"}, {"澄禾", "Chenghe"},
    {"砚湖", "Yanhu"},   {"砺溪", "Lixi"},    {"漱石", "Shushi"},  {"芷塘", "Zhitang"},
    {"汀蓝", "Tinglan"}, {"屿安", "Yu'an"},   {"枕河", "Zhenhe"},  {"缦林", "Manlin"},
    {"岫南", "Xiunan"},  {"渚晴", "Zhuqing"}, {"苇杭", "Weihang"},
};
static const struct word first[] = {
    {"栖", "Qi"},    {"沐", "Mu"},    {"澄", "Cheng"}, {"芷", "Zhi"},  {"岚", "Lan"},
    {"漱", "Shu"},   {"砚", "Yan"},   {"棠", "Tang"},  {"荷", "He"},   {"槐", "Huai"},
    {"杏", "Xing"},  {"梨", "Li"},    {"枫", "Feng"},  {"苇", "Wei"},  {"芦", "Lu"},
    {"鸢", "Yuan"},  {"鹊", "Que"},   {"隼", "Sun"},   {"晴", "Qing"}, {"霁", "Ji"},
    {"曦", "Xi"},    {"朝", "Zhao"},  {"暖", "Nuan"},  {"秋", "Qiu"},  {"稻", "Dao"},
    {"麦", "Mai"},   {"桑", "Sang"},  {"菱", "Ling"},  {"藕", "Ou"},   {"茶", "Cha"},
    {"瓷", "Ci"},    {"砖", "Zhuan"}, {"帆", "Fan"},   {"舵", "Duo"},  {"渡", "Du"},
    {"钟", "Zhong"}, {"琴", "Qin"},   {"墨", "Mo"},    {"笛", "Di"},   {"纹", "Wen"},
};
static const struct word second[] = {
    {"溪", "xi"},  {"桥", "qiao"}, {"塘", "tang"}, {"湾", "wan"},    {"坪", "ping"}, {"岭", "ling"},
    {"浦", "pu"},  {"林", "lin"},  {"圩", "wei"},  {"荡", "dang"},   {"坞", "wu"},   {"汀", "ting"},
    {"渚", "zhu"}, {"沟", "gou"},  {"堰", "yan"},  {"泽", "ze"},     {"畈", "fan"},  {"垄", "long"},
    {"墩", "dun"}, {"埠", "bu"},   {"营", "ying"}, {"庄", "zhuang"}, {"集", "ji"},   {"阁", "ge"},
    {"坡", "po"},  {"台", "tai"},  {"门", "men"},  {"园", "yuan"},   {"田", "tian"}, {"河", "he"},
};
static const struct word surname[] = {
    {"安", "An"},  {"柏", "Bai"}, {"岑", "Cen"},  {"杜", "Du"},  {"方", "Fang"}, {"葛", "Ge"},
    {"贺", "He"},  {"纪", "Ji"},  {"康", "Kang"}, {"路", "Lu"},  {"莫", "Mo"},   {"倪", "Ni"},
    {"潘", "Pan"}, {"齐", "Qi"},  {"任", "Ren"},  {"施", "Shi"}, {"陶", "Tao"},  {"温", "Wen"},
    {"夏", "Xia"}, {"严", "Yan"}, {"祝", "Zhu"},  {"邹", "Zou"}, {"阮", "Ruan"}, {"蓝", "Lan"},
};
static const struct word given_a[] = {
    {"知", "Zhi"},  {"以", "Yi"},   {"若", "Ruo"},  {"景", "Jing"}, {"书", "Shu"},   {"思", "Si"},
    {"清", "Qing"}, {"远", "Yuan"}, {"明", "Ming"}, {"乐", "Le"},   {"承", "Cheng"}, {"嘉", "Jia"},
    {"云", "Yun"},  {"望", "Wang"}, {"言", "Yan"},  {"子", "Zi"},
};
static const struct word given_b[] = {
    {"行", "xing"}, {"宁", "ning"},  {"和", "he"},   {"舟", "zhou"}, {"禾", "he"},   {"安", "an"},
    {"衡", "heng"}, {"川", "chuan"}, {"岚", "lan"},  {"言", "yan"},  {"松", "song"}, {"筠", "yun"},
    {"朗", "lang"}, {"笙", "sheng"}, {"平", "ping"}, {"原", "yuan"},
};

static const struct word county_form[] = {{"区", " District"}, {"县", " County"}, {"市", " City"}};
static const struct word town_form[] = {{"街道", " Subdistrict"}, {"镇", " Town"}};
static const struct word community_form[] = {{"社区", " Community"}, {"村", " Village"}};
static const struct word road_form[] = {{"大道", " Avenue"}, {"路", " Road"}, {"街", " Street"}};

size_t city_name_count(enum city_name_kind kind) {
    return kind == CITY_NAME_COUNTY ? N_OF(county) : N_OF(first) * N_OF(second);
}

/* i -> (a + i * b) mod n is one-to-one when b and n share no factor; 1200 = 2^4 * 3 * 5^2.
 * Different kinds start at different places, so that a town and a road seldom share a stem. */
static size_t shuffled(uint64_t seed, enum city_name_kind kind, size_t i, size_t n) {
    static const uint32_t step[] = {601, 707, 731, 767, 791, 803, 839, 871, 889, 917, 941, 971};
    struct rng r = rng_new(seed, 100 + (uint64_t)kind);
    size_t start = rng_below(&r, (uint32_t)n);
    return (start + i * step[rng_below(&r, (uint32_t)N_OF(step))]) % n;
}

static struct city_name join(struct arena *a, const struct word *x, const struct word *y,
                             const struct word *form) {
    struct city_name n = {arena_printf(a, "%s%s%s", x->zh, y->zh, form->zh),
                          arena_printf(a, "%s%s%s", x->en, y->en, form->en)};
    if (!n.zh || !n.en) n = (struct city_name){NULL, NULL};
    return n;
}

struct city_name city_name_at(struct arena *a, uint64_t seed, enum city_name_kind kind, size_t i,
                              int form) {
    static const struct word none = {"", ""};
    static const struct word *const forms[] = {county_form, town_form, community_form, road_form};
    const struct word *f = &forms[kind][form];
    if (kind == CITY_NAME_COUNTY) return join(a, &county[i % N_OF(county)], &none, f);
    size_t k = shuffled(seed, kind, i, N_OF(first) * N_OF(second));
    /* The second half is turned with the first, so that neighbours do not end alike. */
    size_t x = k % N_OF(first), y = (k / N_OF(first) + 7 * x) % N_OF(second);
    return join(a, &first[x], &second[y], f);
}

struct city_name city_name_person(struct arena *a, uint64_t seed, size_t i) {
    struct rng r = rng_new(seed, 200 + i);
    const struct word *s = &surname[rng_below(&r, (uint32_t)N_OF(surname))];
    const struct word *x = &given_a[rng_below(&r, (uint32_t)N_OF(given_a))];
    const struct word *y = &given_b[rng_below(&r, (uint32_t)N_OF(given_b))];
    struct city_name n = {arena_printf(a, "%s%s%s", s->zh, x->zh, y->zh),
                          arena_printf(a, "%s %s%s", s->en, x->en, y->en)};
    if (!n.zh || !n.en) n = (struct city_name){NULL, NULL};
    return n;
}
