/* Names that stand for what Gezhi refuses to hold (scope, table "What Gezhi refuses, and what it
 * does instead").
 *
 * Chinese: the text without blanks, punctuation, invisible and full-width forms, traditional
 * characters of the patterns made simple, is searched for the patterns. English: the name is cut
 * into words (snake_case, kebab-case, camelCase, plurals); small words left out; a pattern is hit
 * when all its words stand together, in any order, with at most one other between. Run-together
 * English and pinyin are searched in the squeezed text. Innocent phrases that happen to contain a
 * pattern are taken out first. tests/unit/pack/test_refuse.c holds both sides. */
#include "domain/pack/pack.h"

#include "base/utf8.h"

#include <string.h>

enum { MAX_IN = 1024, MAX_WORDS = 64 };

enum row { MOVEMENT, STREET, VIDEO, CREDIT, PERSONS, WORKER, SECRET };

static const char *const rows[] = {
    [MOVEMENT] = "行动轨迹痕迹智能分析 / movements of residents, joining sightings of one resident",
    [STREET] =
        "街面管控 / recognising persons by face, gait, plate, dress, origin or petition history",
    [VIDEO] = "视频全覆盖 / sound, private rooms, viewing without purpose",
    [CREDIT] = "信用惩戒 / score, points or blacklists of residents",
    [PERSONS] = "重点人员 / registers, labels or lists of persons",
    [WORKER] = "网格员考核 / automatic pay, ranking or penalty of one worker, positions off duty",
    [SECRET] = "密级 / state secrets do not belong here",
};

struct pattern {
    enum row row;
    const char *text;
};

static const struct pattern chinese[] = {
    {MOVEMENT, "轨迹"},        {MOVEMENT, "行踪"},       {MOVEMENT, "痕迹分析"},
    {MOVEMENT, "同行人员"},    {MOVEMENT, "同行人分析"}, {MOVEMENT, "伴随分析"},
    {MOVEMENT, "落脚点"},      {MOVEMENT, "碰撞分析"},   {MOVEMENT, "人员碰撞"},
    {MOVEMENT, "时空伴随"},    {MOVEMENT, "手机定位"},   {MOVEMENT, "居民定位"},
    {MOVEMENT, "人员定位"},    {MOVEMENT, "出行记录"},   {MOVEMENT, "去向追踪"},
    {MOVEMENT, "活动路线"},    {MOVEMENT, "行动路线"},   {MOVEMENT, "电子围栏人员"},
    {STREET, "人脸"},          {STREET, "面部识别"},     {STREET, "面部特征"},
    {STREET, "人像识别"},      {STREET, "人像比对"},     {STREET, "人像库"},
    {STREET, "人像抓拍"},      {STREET, "步态"},         {STREET, "声纹"},
    {STREET, "虹膜"},          {STREET, "车牌识别"},     {STREET, "车牌抓拍"},
    {STREET, "号牌识别"},      {STREET, "号牌抓拍"},     {STREET, "人员识别"},
    {STREET, "身份识别"},      {STREET, "人体识别"},     {STREET, "衣着识别"},
    {STREET, "着装识别"},      {STREET, "衣着特征"},     {STREET, "民族识别"},
    {STREET, "民族预警"},      {STREET, "籍贯预警"},     {STREET, "上访"},
    {STREET, "信访史"},        {STREET, "信访记录"},     {STREET, "信访次数"},
    {STREET, "信访人员"},      {STREET, "信访历史"},     {STREET, "越级访"},
    {STREET, "缠访"},          {STREET, "闹访"},         {STREET, "当事人民族"},
    {VIDEO, "录音"},           {VIDEO, "拾音"},          {VIDEO, "窃听"},
    {VIDEO, "监听"},           {VIDEO, "音频采集"},      {VIDEO, "音频监控"},
    {VIDEO, "声音采集"},       {VIDEO, "卧室监控"},      {VIDEO, "室内监控"},
    {VIDEO, "户内监控"},       {VIDEO, "户内摄像"},      {VIDEO, "入户监控"},
    {CREDIT, "信用分"},        {CREDIT, "信用积分"},     {CREDIT, "信用评分"},
    {CREDIT, "信用得分"},      {CREDIT, "个人信用"},     {CREDIT, "居民信用"},
    {CREDIT, "公民信用"},      {CREDIT, "积分"},         {CREDIT, "诚信分"},
    {CREDIT, "道德分"},        {CREDIT, "文明分"},       {CREDIT, "居民评分"},
    {CREDIT, "个人评分"},      {CREDIT, "居民得分"},     {CREDIT, "失信"},
    {CREDIT, "黑名单"},        {CREDIT, "红黑榜"},       {CREDIT, "居民等级"},
    {PERSONS, "重点人"},       {PERSONS, "重点对象"},    {PERSONS, "重点关注"},
    {PERSONS, "重点青少年"},   {PERSONS, "关注人员"},    {PERSONS, "关注对象"},
    {PERSONS, "关注类型"},     {PERSONS, "管控人"},      {PERSONS, "管控对象"},
    {PERSONS, "管控情况"},     {PERSONS, "稳控"},        {PERSONS, "维稳对象"},
    {PERSONS, "涉稳"},         {PERSONS, "吸毒"},        {PERSONS, "戒毒"},
    {PERSONS, "涉毒人员"},     {PERSONS, "精神障碍"},    {PERSONS, "精神病"},
    {PERSONS, "肇事肇祸"},     {PERSONS, "社区矫正"},    {PERSONS, "矫正人员"},
    {PERSONS, "矫正对象"},     {PERSONS, "矫正类别"},    {PERSONS, "矫正小组"},
    {PERSONS, "矫正解除"},     {PERSONS, "矫正开始"},    {PERSONS, "矫正结束"},
    {PERSONS, "安置帮教"},     {PERSONS, "帮教"},        {PERSONS, "刑满"},
    {PERSONS, "刑释"},         {PERSONS, "艾滋"},        {PERSONS, "特殊人群"},
    {PERSONS, "特殊人员"},     {PERSONS, "高危人员"},    {PERSONS, "高危人群"},
    {PERSONS, "前科人员"},     {PERSONS, "犯罪前科"},    {PERSONS, "有前科"},
    {PERSONS, "犯罪史"},       {PERSONS, "重新犯罪"},    {PERSONS, "累犯"},
    {PERSONS, "累惯犯"},       {PERSONS, "原罪名"},      {PERSONS, "具体罪名"},
    {PERSONS, "原判刑"},       {PERSONS, "服刑"},        {PERSONS, "羁押"},
    {PERSONS, "脱管"},         {PERSONS, "漏管"},        {PERSONS, "四史情况"},
    {PERSONS, "三涉情况"},     {PERSONS, "在逃人员"},    {PERSONS, "布控"},
    {PERSONS, "邪教人员"},     {PERSONS, "闲散青少年"},  {PERSONS, "不良青少年"},
    {PERSONS, "危险性评估"},   {PERSONS, "感染途径"},    {PERSONS, "当事人人员类别"},
    {PERSONS, "一人一档"},     {PERSONS, "关注程度"},    {PERSONS, "人员标签"},
    {PERSONS, "人员管控"},     {PERSONS, "刑罚"},        {PERSONS, "是否违法犯罪"},
    {PERSONS, "违法犯罪情况"}, {WORKER, "网格员扣罚"},   {WORKER, "个人扣罚"},
    {WORKER, "人员扣罚"},      {WORKER, "自动扣罚"},     {PERSONS, "信教人员"},
    {WORKER, "绩效工资"},      {WORKER, "自动扣"},       {WORKER, "网格员排名"},
    {WORKER, "员工排名"},      {WORKER, "个人排名"},     {WORKER, "绩效排名"},
    {WORKER, "网格员排行"},    {WORKER, "网格员评分"},   {WORKER, "网格员得分"},
    {WORKER, "网格员考核"},    {WORKER, "网格员处罚"},   {WORKER, "网格员奖惩"},
    {WORKER, "离岗定位"},      {WORKER, "下班定位"},     {WORKER, "下班位置"},
    {WORKER, "末位淘汰"},      {WORKER, "个人绩效"},     {SECRET, "密级"},
    {SECRET, "绝密"},          {SECRET, "机密"},         {SECRET, "国家秘密"},
    {SECRET, "涉密"},
};

/* Taken out before the search: places, vehicles run by the city, duty tracks, plain words that
 * contain a pattern by chance. */
static const char *const innocent[] = {
    "环卫车轨迹",   "环卫车辆轨迹", "公务车轨迹",   "公务车辆轨迹", "渣土车轨迹",   "垃圾车轨迹",
    "作业车轨迹",   "作业车辆轨迹", "执法车轨迹",   "危化品车轨迹", "洒水车轨迹",   "清扫车轨迹",
    "巡查轨迹",     "巡逻轨迹",     "值班轨迹",     "在岗轨迹",     "执勤轨迹",     "台风轨迹",
    "设备轨迹",     "无人机轨迹",   "船舶轨迹",     "案件轨迹",     "办件轨迹",     "流转轨迹",
    "志愿服务积分", "志愿积分",     "微积分",       "容积分",       "面积分",       "体积分",
    "重点关注区域", "重点关注路段", "重点关注部位", "重点关注点位", "重点关注单位", "重点关注场所",
    "布控制",       "布控件",       "布控台",       "上访问",       "上访谈",       "上访客",
    "重点人防",     "重点人流",     "重点人才",     "在岗人员定位", "值班人员定位", "巡查人员定位",
    "执勤人员定位", "重点人行",     "管控人行",     "精神病院",     "戒毒所",       "机密码",
    "监听端口",     "防录音",       "稳控制",       "失信息",       "社区矫正中心", "精神病医院",
};

/* Words of one pattern, all of which must be there; * stands for any ending. */
static const struct pattern english[] = {
    {MOVEMENT, "whereabout*"},
    {MOVEMENT, "resident track*"},
    {MOVEMENT, "person track*"},
    {MOVEMENT, "people track*"},
    {MOVEMENT, "citizen track*"},
    {MOVEMENT, "phone track*"},
    {MOVEMENT, "mobile track*"},
    {MOVEMENT, "individual track*"},
    {MOVEMENT, "population track*"},
    {MOVEMENT, "trajector*"},
    {MOVEMENT, "resident movement"},
    {MOVEMENT, "person movement"},
    {MOVEMENT, "people movement"},
    {MOVEMENT, "citizen movement"},
    {MOVEMENT, "resident trace*"},
    {MOVEMENT, "person trace*"},
    {MOVEMENT, "resident trail"},
    {MOVEMENT, "person trail"},
    {MOVEMENT, "resident route"},
    {MOVEMENT, "person route"},
    {MOVEMENT, "resident sighting"},
    {MOVEMENT, "person sighting"},
    {MOVEMENT, "location history"},
    {MOVEMENT, "travel history"},
    {MOVEMENT, "movement history"},
    {MOVEMENT, "movement trace*"},
    {MOVEMENT, "movement track*"},
    {MOVEMENT, "resident location"},
    {MOVEMENT, "person location"},
    {MOVEMENT, "phone location"},
    {MOVEMENT, "co travel*"},
    {MOVEMENT, "companion analysis"},
    {STREET, "face recogni*"},
    {STREET, "face id"},
    {STREET, "face match*"},
    {STREET, "face photo"},
    {STREET, "face image"},
    {STREET, "face feature"},
    {STREET, "face vector"},
    {STREET, "face library"},
    {STREET, "face database"},
    {STREET, "face detect*"},
    {STREET, "face alarm"},
    {STREET, "face capture"},
    {STREET, "facial"},
    {STREET, "gait"},
    {STREET, "voiceprint"},
    {STREET, "plate recogni*"},
    {STREET, "plate reader"},
    {STREET, "plate capture"},
    {STREET, "plate alarm"},
    {STREET, "plate read*"},
    {STREET, "anpr"},
    {STREET, "alpr"},
    {STREET, "lpr"},
    {STREET, "plate number recogni*"},
    {STREET, "iris recogni*"},
    {STREET, "iris image"},
    {STREET, "person recogni*"},
    {VIDEO, "luyin"},
    {PERSONS, "xidu"},
    {MOVEMENT, "guiji"},
    {MOVEMENT, "xingzong"},
    {SECRET, "miji"},
    {CREDIT, "shixin"},
    {VIDEO, "jianting"},
    {PERSONS, "zdry"},
    {STREET, "person identif*"},
    {STREET, "people identif*"},
    {STREET, "person reid*"},
    {STREET, "petition history"},
    {STREET, "petition record"},
    {STREET, "petition count"},
    {STREET, "petitioner"},
    {STREET, "ethnic* alarm"},
    {STREET, "party ethnic*"},
    {STREET, "dress recogni*"},
    {STREET, "cloth* recogni*"},
    {VIDEO, "sound record*"},
    {VIDEO, "audio record*"},
    {VIDEO, "voice record*"},
    {VIDEO, "sound capture"},
    {VIDEO, "audio capture"},
    {VIDEO, "audio stream"},
    {VIDEO, "audio monitor*"},
    {VIDEO, "eavesdrop*"},
    {VIDEO, "wiretap*"},
    {VIDEO, "microphone"},
    {VIDEO, "bedroom camera"},
    {VIDEO, "indoor camera"},
    {CREDIT, "credit score"},
    {CREDIT, "credit point"},
    {CREDIT, "credit rating"},
    {CREDIT, "credit grade"},
    {CREDIT, "social credit score"},
    {CREDIT, "personal credit"},
    {CREDIT, "citizen score"},
    {CREDIT, "citizen credit"},
    {CREDIT, "citizen point"},
    {CREDIT, "citizen rating"},
    {CREDIT, "resident score"},
    {CREDIT, "resident point"},
    {CREDIT, "resident rating"},
    {CREDIT, "resident credit"},
    {CREDIT, "person score"},
    {CREDIT, "person rating"},
    {CREDIT, "trust score"},
    {CREDIT, "blacklist*"},
    {CREDIT, "black list"},
    {CREDIT, "dishonest*"},
    {PERSONS, "key person*"},
    {PERSONS, "key people"},
    {PERSONS, "key population"},
    {PERSONS, "key youth"},
    {PERSONS, "key attention"},
    {PERSONS, "key individual"},
    {PERSONS, "special population"},

    {PERSONS, "person concern"},
    {PERSONS, "people concern"},
    {PERSONS, "person interest"},
    {PERSONS, "watch list"},
    {PERSONS, "watchlist*"},
    {PERSONS, "target person*"},
    {PERSONS, "controlled person*"},
    {PERSONS, "drug user"},
    {PERSONS, "drug addict*"},
    {PERSONS, "drug abuse*"},
    {PERSONS, "mental disorder"},
    {PERSONS, "mental patient"},
    {PERSONS, "mental illness"},
    {PERSONS, "mentally ill"},
    {PERSONS, "community correction"},
    {PERSONS, "released person*"},
    {PERSONS, "released prisoner"},
    {PERSONS, "ex convict"},
    {PERSONS, "ex offender"},
    {PERSONS, "hiv"},
    {PERSONS, "aids patient"},
    {PERSONS, "aids risk"},
    {PERSONS, "recidivi*"},
    {PERSONS, "criminal record"},
    {PERSONS, "criminal history"},
    {PERSONS, "has crime"},
    {PERSONS, "crime detail"},
    {PERSONS, "reoffend*"},
    {PERSONS, "reoffence"},
    {PERSONS, "original offence"},
    {PERSONS, "original offense"},
    {PERSONS, "former detention"},
    {PERSONS, "correction type"},
    {PERSONS, "correction no"},
    {PERSONS, "correction start"},
    {PERSONS, "correction end"},
    {PERSONS, "four histor*"},
    {PERSONS, "three involvement"},
    {PERSONS, "infection route"},
    {PERSONS, "attention type"},

    {PERSONS, "sentence change"},
    {PERSONS, "party class"},
    {PERSONS, "person label"},
    {PERSONS, "person tag"},
    {PERSONS, "resident label"},
    {PERSONS, "resident tag"},
    {WORKER, "worker rank*"},
    {WORKER, "staff rank*"},
    {WORKER, "employee rank*"},
    {WORKER, "worker score"},
    {WORKER, "staff score"},
    {WORKER, "employee score"},
    {WORKER, "worker penalt*"},
    {WORKER, "staff penalt*"},
    {WORKER, "worker deduct*"},
    {WORKER, "pay deduct*"},
    {WORKER, "wage deduct*"},
    {WORKER, "salary deduct*"},
    {WORKER, "performance pay"},
    {WORKER, "worker bonus"},
    {WORKER, "auto* pay worker"},
    {WORKER, "off duty location"},
    {WORKER, "off duty position"},
    {WORKER, "off duty track*"},
    {SECRET, "state secret"},
    {SECRET, "top secret"},
    {SECRET, "secrecy"},
    {SECRET, "secret level"},
    {SECRET, "secret class*"},
    {SECRET, "secret grade"},
    {SECRET, "security classification"},
};

/* Names that hit an English pattern and are no such thing. */
static const char *const innocent_english[] = {
    "typhoon trajector*", "storm trajector*",   "vehicle duty trajector*", "patrol trajector*",
    "duty trajector*",    "sweeper trajector*", "truck trajector*",        "plume trajector*",
    "drone trajector*",   "on duty track*",     "report track*",           "case track*",
    "complaint track*",   "request track*",     "matter track*",
};

/* Run together, and pinyin, as such names are written in tables. */
static const struct pattern squeezed[] = {
    {STREET, "facerecog"},         {STREET, "facialrecog"},       {STREET, "platerecog"},
    {STREET, "gaitrecog"},         {STREET, "renlian"},           {STREET, "butaishibie"},
    {STREET, "chepaishibie"},      {STREET, "shangfang"},         {MOVEMENT, "xingdongguiji"},
    {MOVEMENT, "renyuanguiji"},    {MOVEMENT, "huodongguiji"},    {MOVEMENT, "residenttrack"},
    {MOVEMENT, "persontrack"},     {MOVEMENT, "locationhistory"}, {CREDIT, "creditscore"},
    {CREDIT, "xinyongfen"},        {CREDIT, "xinyongjifen"},      {CREDIT, "heimingdan"},
    {PERSONS, "zhongdianren"},     {PERSONS, "keyperson"},        {PERSONS, "jingshenzhangai"},
    {PERSONS, "shequjiaozheng"},   {PERSONS, "anzhibangjiao"},    {PERSONS, "xingmanshifang"},
    {PERSONS, "guankongren"},      {PERSONS, "drugaddict"},       {PERSONS, "xidurenyuan"},
    {PERSONS, "aizibing"},         {CREDIT, "shixinren"},         {SECRET, "guojiamimi"},
    {WORKER, "wanggeyuanpaiming"}, {WORKER, "jixiaogongzi"},
};

/* A name made ready: Chinese (all that is no ASCII), squeezed small letters, and words. */
struct name {
    char han[MAX_IN];
    char flat[MAX_IN];
    char letters[MAX_IN + MAX_WORDS];
    const char *word[MAX_WORDS];
    size_t n_words;
};

/* Traditional characters that occur in the patterns. */
static uint32_t simple(uint32_t c) {
    static const struct {
        uint32_t from, to;
    } map[] = {{0x8ECC, 0x8F68}, {0x8DE1, 0x8FF9}, {0x8E64, 0x8E2A}, {0x81C9, 0x8138},
               {0x9EDE, 0x70B9}, {0x54E1, 0x5458}, {0x8B58, 0x8BC6}, {0x9304, 0x5F55},
               {0x8072, 0x58F0}, {0x7D0B, 0x7EB9}, {0x6230, 0x6218}, {0x8AA0, 0x8BDA},
               {0x8A55, 0x8BC4}, {0x7A4D, 0x79EF}, {0x5C0D, 0x5BF9}, {0x95DC, 0x5173},
               {0x7919, 0x788D}, {0x5340, 0x533A}, {0x7E3E, 0x7EE9}, {0x8CC7, 0x8D44},
               {0x6AA2, 0x68C0}, {0x6A94, 0x6863}, {0x7D1A, 0x7EA7}, {0x6A5F, 0x673A},
               {0x570B, 0x56FD}, {0x8A2A, 0x8BBF}, {0x5BE6, 0x5B9E}, {0x76E3, 0x76D1},
               {0x807D, 0x542C}, {0x9AD4, 0x4F53}, {0x71DF, 0x8425}, {0x5E36, 0x5E26}};
    for (size_t i = 0; i < sizeof map / sizeof *map; i++)
        if (map[i].from == c) return map[i].to;
    return c;
}

static bool is_upper(uint32_t c) { return c >= 'A' && c <= 'Z'; }
static bool is_lower(uint32_t c) { return c >= 'a' && c <= 'z'; }
static bool is_digit(uint32_t c) { return c >= '0' && c <= '9'; }

/* "trajectories" -> "trajectory", "faces" -> "face": the word ends at `end`. */
static void singular(char *word, size_t n) {
    if (n > 4 && strcmp(word + n - 3, "ies") == 0) {
        word[n - 3] = 'y';
        word[n - 2] = '\0';
    } else if (n > 2 && word[n - 1] == 's' && word[n - 2] != 's' && word[n - 2] != 'i' &&
               word[n - 2] != 'u') {
        word[n - 1] = '\0';
    }
}

static bool is_small_word(const char *w) {
    static const char *const small[] = {"of", "the", "a",   "an",   "by",    "for", "to",
                                        "in", "and", "all", "each", "every", "any"};
    for (size_t i = 0; i < sizeof small / sizeof *small; i++)
        if (strcmp(small[i], w) == 0) return true;
    return false;
}

struct cutter {
    struct name *out;
    size_t n_han, n_flat, n_letters, start;
};

static void end_word(struct cutter *k) {
    struct name *o = k->out;
    size_t n = k->n_letters - k->start;
    if (n == 0) return;
    o->letters[k->n_letters++] = '\0';
    singular(o->letters + k->start, n);
    if (o->n_words < MAX_WORDS && !is_small_word(o->letters + k->start))
        o->word[o->n_words++] = o->letters + k->start;
    k->start = k->n_letters;
}

/* before and after are the neighbours, for camelCase: aB cuts, ABc cuts before B. */
static void take_letter(struct cutter *k, uint32_t before, uint32_t c, uint32_t after) {
    bool hump = is_upper(c) && (is_lower(before) || is_digit(before));
    bool last_cap = is_upper(c) && is_upper(before) && is_lower(after);
    if (hump || last_cap) end_word(k);
    char small = (char)(is_upper(c) ? c + 32 : c);
    if (k->n_letters + 2 >= sizeof k->out->letters || k->n_flat + 1 >= sizeof k->out->flat) return;
    k->out->letters[k->n_letters++] = small;
    k->out->flat[k->n_flat++] = small;
}

static uint32_t plain(uint32_t c) {
    if (c >= 0xFF01 && c <= 0xFF5E) return c - 0xFEE0; /* full-width forms */
    return simple(c);
}

static uint32_t next_plain(const char *s, size_t n) {
    uint32_t c = 0;
    return utf8_next(s, n, &c) == 0 ? 0 : plain(c);
}

static void cut(const char *s, struct name *out) {
    size_t n = strlen(s);
    if (n >= MAX_IN) n = utf8_clip(s, n, MAX_IN - 1);
    *out = (struct name){.n_words = 0};
    struct cutter k = {.out = out};
    uint32_t before = 0;
    while (n > 0) {
        uint32_t c = 0;
        size_t used = utf8_next(s, n, &c);
        if (used == 0) used = 1;
        c = plain(c);
        s += used;
        n -= used;
        if (is_upper(c) || is_lower(c) || is_digit(c)) {
            take_letter(&k, before, c, next_plain(s, n));
        } else {
            end_word(&k);
            bool blank = c < 0x80 || (c >= 0x2000 && c <= 0x206F) || (c >= 0x3000 && c <= 0x303F) ||
                         c == 0xFEFF || c == 0xAD || c == 0xB7 || c == 0xA0;
            if (!blank && k.n_han + 5 < sizeof out->han)
                k.n_han += utf8_encode(c, out->han + k.n_han);
        }
        before = c;
    }
    end_word(&k);
}

static void take_out(char *text, const char *phrase) {
    size_t n = strlen(phrase);
    for (char *at = strstr(text, phrase); at != NULL; at = strstr(at, phrase)) {
        memmove(at + 1, at + n, strlen(at + n) + 1);
        *at = '|'; /* so that what stood on both sides does not grow together */
    }
}

static bool word_is(const char *word, const char *p, size_t n) {
    bool open = p[n - 1] == '*';
    if (word[0] != p[0] && n > 1) return false;
    return open ? strncmp(word, p, n - 1) == 0 : strlen(word) == n && memcmp(word, p, n) == 0;
}

/* Whether the pattern's words stand within its length plus one from word `at` on; which of them in
 * hit. */
static bool window(const struct name *in, size_t at, const char *pattern, bool hit[MAX_WORDS]) {
    size_t n_pattern = 1;
    for (const char *p = pattern; *p != '\0'; p++) n_pattern += *p == ' ';
    size_t to = at + n_pattern + (n_pattern > 1 ? 1 : 0);
    if (to > in->n_words) to = in->n_words;
    memset(hit, 0, MAX_WORDS * sizeof *hit);
    while (*pattern != '\0') {
        size_t n = strcspn(pattern, " "), i = at;
        while (i < to && (hit[i] || !word_is(in->word[i], pattern, n))) i++;
        if (i == to) return false;
        hit[i] = true;
        pattern += n;
        while (*pattern == ' ') pattern++;
    }
    return true;
}

static bool has_words(const struct name *in, const char *pattern, bool hit[MAX_WORDS]) {
    /* Nearly all names lack the first word already. */
    size_t n = strcspn(pattern, " "), first = 0;
    while (first < in->n_words && !word_is(in->word[first], pattern, n)) first++;
    if (first == in->n_words) return false;
    for (size_t at = 0; at < in->n_words; at++)
        if (window(in, at, pattern, hit)) return true;
    return false;
}

static const char *search_english(struct name *in) {
    bool hit[MAX_WORDS];
    for (size_t i = 0; i < sizeof innocent_english / sizeof *innocent_english; i++) {
        if (!has_words(in, innocent_english[i], hit)) continue;
        for (size_t k = 0; k < in->n_words; k++)
            if (hit[k]) in->word[k] = "|";
    }
    for (size_t i = 0; i < sizeof english / sizeof *english; i++)
        if (has_words(in, english[i].text, hit)) return rows[english[i].row];
    return NULL;
}

const char *refuse_name(const char *name_or_title) {
    struct name in;
    if (name_or_title == NULL || name_or_title[0] == '\0') return NULL;
    cut(name_or_title, &in);
    for (size_t i = 0; i < sizeof innocent / sizeof *innocent; i++) take_out(in.han, innocent[i]);
    for (size_t i = 0; i < sizeof chinese / sizeof *chinese; i++)
        if (strstr(in.han, chinese[i].text) != NULL) return rows[chinese[i].row];
    const char *row = search_english(&in);
    for (size_t i = 0; row == NULL && i < sizeof squeezed / sizeof *squeezed; i++)
        if (strstr(in.flat, squeezed[i].text) != NULL) row = rows[squeezed[i].row];
    return row;
}
