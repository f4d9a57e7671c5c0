/* Each line of the table "What Gezhi refuses": tried as a field, a title, a type, a code, a move
 * and an import column. And ordinary names of a city's business, which must pass. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/csv.h"
#include "domain/pack/pack.h"
#include "folder.h"

struct refused {
    const char *row; /* begins the name of the table's row */
    const char *names[40];
};

static const struct refused table[] = {
    {"行动轨迹痕迹智能分析",
     {"resident_track",
      "resident_tracks",
      "residentTrack",
      "ResidentTracks",
      "RESIDENT_TRACK",
      "tracks of residents",
      "person_trajectory",
      "trajectories",
      "whereabouts",
      "location_history",
      "person movements",
      "movement_of_people",
      "phone_tracking",
      "person-sightings",
      "居民轨迹",
      "人员轨迹",
      "行动轨迹",
      "活动 轨迹",
      "车辆轨迹",
      "行踪",
      "行踪信息",
      "軌跡",
      "行蹤",
      "同行人员",
      "手机定位",
      "伴随分析",
      "ｒｅｓｉｄｅｎｔ＿ｔｒａｃｋ",
      "行\u200b踪",
      "轨·迹",
      "xingdongguiji",
      "resident_daily_track"}},
    {"街面管控",
     {"face_recognition",
      "faceRecognition",
      "FaceID",
      "face_ids",
      "faces_matched",
      "facial_features",
      "gait",
      "gait_score",
      "plate_recognition",
      "licence_plate_recognised",
      "plate_number_recognition",
      "anpr",
      "person_identification",
      "petition_history",
      "petitioners",
      "人脸",
      "人脸识别",
      "人臉識別",
      "步态",
      "步态识别",
      "车牌识别",
      "车牌 识别",
      "号牌抓拍",
      "人像比对",
      "上访",
      "上访次数",
      "信访史",
      "身份识别",
      "民族预警",
      "ｆａｃｅ＿ｉｄ",
      "renlianshibie",
      "facerecognition",
      "声纹",
      "衣着识别"}},
    {"视频全覆盖",
     {"sound_recording", "audio_recordings", "voiceRecord", "audio_stream", "microphone", "wiretap",
      "录音", "通话录音文件", "拾音器", "监听", "窃听", "室内监控", "卧室监控", "錄音",
      "bedroom_camera"}},
    {"信用惩戒", {"credit_score",   "creditScores",    "credit-points",
                  "resident_score", "resident_points", "social_credit_score",
                  "citizen_rating", "blacklist",       "black_list",
                  "blacklists",     "dishonest",       "信用分",
                  "信用积分",       "居民积分",        "个人积分",
                  "积分",           "信用評分",        "失信名单",
                  "黑名单",         "红黑榜",          "诚信分",
                  "xinyongjifen",   "heimingdan",      "ＣｒｅｄｉｔＳｃｏｒｅ"}},
    {"重点人员",
     {"key_person",
      "key_persons",
      "keyPeople",
      "key_population",
      "persons_of_concern",
      "person_of_interest",
      "watch_list",
      "watchlist",
      "drug_user",
      "drug_addicts",
      "mental_disorder",
      "mental_patient",
      "community_correction",
      "released_prisoner",
      "hiv_status",
      "key_youth",
      "criminal_record",
      "重点人员",
      "重点人群",
      "重点人口",
      "重點人員",
      "重点关注",
      "重点关注人员",
      "管控人",
      "管控人姓名",
      "管控情况",
      "吸毒",
      "吸毒人员",
      "精神障碍",
      "社区矫正",
      "安置帮教",
      "艾滋病",
      "重点青少年",
      "刑满释放",
      "肇事肇祸",
      "zhongdianrenyuan",
      "zdry",
      "xidu",
      "人员标签"}},
    {"网格员考核",
     {"worker_ranking", "worker_rank", "staffRanking", "employee_score", "pay_deduction",
      "performance_pay", "worker_penalties", "off_duty_location", "off-duty positions",
      "网格员排名", "网格员考核分", "绩效工资", "自动扣罚", "个人排名", "下班位置", "末位淘汰",
      "网格员扣罚"}},
    {"密级",
     {"密级", "机密", "绝密", "国家秘密", "涉密", "secret_level", "state_secret", "top secret",
      "secrecy", "security_classification"}},
};

/* Names of a city's ordinary business: the refusals must not be absurdly broad. */
static const char *const ordinary[] = {
    "track",
    "street_light_track",
    "race_track",
    "rail_track",
    "rail track inspection",
    "轨道交通",
    "轨道",
    "轨道交通站",
    "sanitation truck trajectory",
    "环卫车轨迹",
    "巡查轨迹",
    "在岗轨迹",
    "typhoon_track",
    "台风轨迹",
    "report_tracking",
    "resident_report_tracking",
    "case track",
    "plate",
    "food_plate",
    "plate_number",
    "车牌号",
    "licence_plate",
    "street_name_plate",
    "铭牌",
    "face",
    "facade",
    "road_surface",
    "路面部件",
    "人行道",
    "管控人行道",
    "建筑外立面",
    "surface",
    "score",
    "case_score",
    "满意度",
    "评分",
    "credit_code",
    "统一社会信用代码",
    "信用修复",
    "志愿积分",
    "微积分",
    "point",
    "access_point",
    "parking_points",
    "person",
    "contact person",
    "key",
    "key_number",
    "重点区域",
    "重点关注路段",
    "重点工程",
    "重点单位",
    "重点场所",
    "重点人防工程",
    "重点人行天桥",
    "population",
    "population_count",
    "resident_count",
    "people_count",
    "客流量",
    "人数",
    "sound_level",
    "噪音",
    "商业噪音",
    "声音",
    "voice",
    "audio_device",
    "noise_record",
    "camera",
    "监控电子眼",
    "摄像机",
    "worker",
    "grid_worker",
    "网格员",
    "worker_phone",
    "岗位排班",
    "拖欠农民工工资纠纷",
    "Unpaid migrant-worker wages",
    "rank",
    "ranking_of_towns",
    "secret",
    "follow_secret",
    "计算机密码",
    "保密",
    "classification",
    "security_booth",
    "治安岗亭",
    "分布控制",
    "损失信息",
    "遗失信息",
    "线上访谈",
    "网上访问量",
    "信访局",
    "petition",
    "信访事项",
    "精神病院",
    "戒毒所",
    "控制状态",
    "control_status",
    "signal_controller",
    "aids",
    "visual_aids",
    "prison_wall",
    "drug_store",
    "药店",
    "mental_health_centre",
    "精神卫生中心",
    "correction",
    "correction_note",
    "社区",
    "矫正视力",
    "address",
    "phone",
    "联系电话",
    "手机号码",
    "position",
    "location",
    "地址",
    "movement",
    "流动人口数",
    "人流量",
    "sighting",
    "history",
    "record",
    "迹象",
    "古迹",
    "道路隐患",
    "黑车拉客",
    "黑臭水体",
    "名单",
    "red_list",
    "contact",
    "姓名",
    "出生日期",
    "备注",
    "duty_location",
    "监听端口",
    "iris",
    "vehicle_lost_control",
    "original_term",
};

static void test_names(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        for (size_t k = 0; k < 40 && table[i].names[k] != NULL; k++) {
            const char *row = refuse_name(table[i].names[k]);
            if (row == NULL) fail_msg("\"%s\" passed", table[i].names[k]);
            if (strncmp(row, table[i].row, strlen(table[i].row)) != 0)
                fail_msg("\"%s\" was refused as \"%s\"", table[i].names[k], row);
        }
    }
}

static void test_ordinary_names_pass(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof ordinary / sizeof *ordinary; i++) {
        const char *row = refuse_name(ordinary[i]);
        if (row != NULL) fail_msg("\"%s\" was refused as \"%s\"", ordinary[i], row);
    }
    assert_null(refuse_name(NULL));
    assert_null(refuse_name(""));
}

/* Every name that the packs themselves use passes, since they load; here: every entity and field of
 * the 综治 base data that the domain facts mark "refused" is stopped, by its entity or by its own
 * name, and no other entity is. */
static void test_base_data_fields(void **state) {
    (void)state;
    FILE *f = fopen(SOURCE_DIR "/../shared/design/codes/gbt31000_fields.csv", "r");
    if (f == NULL) {
        print_message("skipped: the shared code tables are not here\n");
        skip();
    }
    struct csv_reader *in = csv_reader_new(f, ',');
    struct csv_record r;
    bool more = true;
    size_t refused = 0, by_itself = 0, kept = 0;
    assert_int_equal(csv_read(in, &r, &more, NULL), ERR_OK);
    for (;;) {
        assert_int_equal(csv_read(in, &r, &more, NULL), ERR_OK);
        if (!more) break;
        assert_int_equal(r.n, 6);
        bool entity = refuse_name(r.field[0]) != NULL && refuse_name(r.field[1]) != NULL;
        bool field = refuse_name(r.field[3]) != NULL || refuse_name(r.field[4]) != NULL;
        if (strcmp(r.field[5], "refused") == 0) {
            refused++;
            by_itself += field;
            if (!entity && !field) fail_msg("%s.%s passed", r.field[0], r.field[3]);
        } else {
            kept++;
            if (entity) fail_msg("entity %s was refused", r.field[0]);
        }
    }
    print_message("%zu refused fields stopped, %zu of them by their own name; %zu others\n",
                  refused, by_itself, kept);
    assert_true(refused >= 90 && by_itself >= 30 && kept >= 200);
    csv_reader_free(in);
    assert_int_equal(fclose(f), 0);
}

/* ---- the same through the loader */

static const char pack_yaml[] = "pack: x\nversion: \"1\"\ntitle: {en: X, zh: 测试}\n"
                                "purpose: {en: Test, zh: 测试}\n";
static const char lists_yaml[] =
    "lists:\n  - {id: kinds, title: {en: Kinds, zh: 类别}, file: k.csv, version: \"1\",\n"
    "     valid_from: \"2026\", source: test, trust: test}\n";

static void put_type(const char *dir, const char *type, const char *field, const char *zh) {
    struct buf b;
    buf_init(&b, 8192);
    buf_printf(
        &b,
        "type: %s\ntitle: {en: Thing, zh: 事物}\npurpose: {en: Test, zh: 测试}\nfields:\n"
        "  - {name: %s, kind: text, sensitivity: internal, title: {en: Value, zh: \"%s\"}}\n",
        type, field, zh);
    folder_put(dir, "x/types/t.yaml", buf_text(&b));
    buf_deinit(&b);
}

static void put_code(const char *dir, const char *name_zh) {
    struct buf b;
    buf_init(&b, 8192);
    buf_printf(&b, "code,name_en,name_zh\n1,Something,\"%s\"\n", name_zh);
    folder_put(dir, "x/codes/k.csv", buf_text(&b));
    buf_deinit(&b);
}

static void put_process(const char *dir, const char *move_zh) {
    struct buf b;
    buf_init(&b, 8192);
    buf_printf(&b,
               "process: p\ntitle: {en: P, zh: 流程}\ntype: thing\nstates:\n"
               "  - {name: a, title: {en: A, zh: 一}, stage: collect, initial: true, holder: desk, "
               "limit: 1 work_day}\n"
               "  - {name: b, title: {en: B, zh: 二}, stage: close, final: true}\n"
               "moves:\n  - {name: go, title: {en: Go, zh: \"%s\"}, done: {en: Gone, zh: 完成}, "
               "from: [a], to: b, roles: [system]}\n",
               move_zh);
    folder_put(dir, "x/processes/p.yaml", buf_text(&b));
    buf_deinit(&b);
}

static void put_innocent(const char *dir) {
    folder_put(dir, "x/pack.yaml", pack_yaml);
    folder_put(dir, "x/codes/lists.yaml", lists_yaml);
    put_type(dir, "thing", "value", "数值");
    put_code(dir, "某类");
    put_process(dir, "办理");
}

static void expect(const char *dir, const char *row, const char *name) {
    struct arena *a = arena_new(32u << 20);
    const struct pack_set *p = NULL;
    struct err err;
    struct buf report;
    buf_init(&report, 1 << 16);
    enum err_code rc = pack_load(a, dir, &report, &p, &err);
    if (row == NULL) {
        if (rc != ERR_OK) fail_msg("%s", buf_text(&report));
    } else {
        if (rc != ERR_REFUSED)
            fail_msg("\"%s\": %s", name, rc == ERR_OK ? "it loaded" : err.detail);
        if (strstr(err.detail, row) == NULL) fail_msg("\"%s\": %s", name, err.detail);
        assert_non_null(strstr(err.detail, "yaml:") ? strstr(err.detail, "yaml:")
                                                    : strstr(err.detail, "csv:"));
    }
    buf_deinit(&report);
    arena_free(a);
}

static void test_each_row_through_the_loader(void **state) {
    (void)state;
    char dir[FOLDER_PATH];
    folder_make(dir);
    put_innocent(dir);
    expect(dir, NULL, NULL);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const char *row = table[i].row, *zh = NULL, *en = NULL;
        for (size_t k = 0; k < 40 && table[i].names[k] != NULL; k++) {
            const char *name = table[i].names[k];
            bool snake = strspn(name, "abcdefghijklmnopqrstuvwxyz_") == strlen(name);
            if (snake && en == NULL) en = name;
            if ((unsigned char)name[0] >= 0xE0 && zh == NULL) zh = name;
        }
        assert_true(zh != NULL && en != NULL);
        put_type(dir, "thing", en, "数值"); /* a field by its name */
        expect(dir, row, en);
        put_type(dir, "thing", "value", zh); /* a field by its title */
        expect(dir, row, zh);
        folder_remove(dir);
        assert_int_equal(mkdir(dir, 0700), 0);
        put_innocent(dir);
        put_type(dir, en, "value", "数值"); /* a type */
        expect(dir, row, en);
        put_innocent(dir);
        put_code(dir, zh); /* a row of a code list, which becomes a class or event kind */
        expect(dir, row, zh);
        put_innocent(dir);
        put_process(dir, zh); /* a move */
        expect(dir, row, zh);
        put_innocent(dir);
        struct buf csv;
        buf_init(&csv, 4096);
        buf_printf(&csv, "code,name_en,name_zh,%s\n1,Something,某类,x\n", zh);
        folder_put(dir, "x/codes/k.csv", buf_text(&csv)); /* a column of a file */
        buf_deinit(&csv);
        expect(dir, row, zh);
        put_innocent(dir);
    }
    expect(dir, NULL, NULL);
    folder_remove(dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_ordinary_names_pass),
        cmocka_unit_test(test_base_data_fields),
        cmocka_unit_test(test_each_row_through_the_loader),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
