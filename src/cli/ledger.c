/* gezhi verify, backup, restore */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "cli/cli.h"
#include "store/verify.h"

static void report_json(const struct verify_report *r) {
    struct buf b;
    buf_init(&b, 8192);
    struct jw w;
    jw_init(&w, &b);
    jw_obj(&w);
    jw_kbool(&w, "ok", r->ok);
    jw_kint(&w, "rows", r->rows);
    jw_kint(&w, "checkpoints", r->checkpoints);
    jw_kint(&w, "erased", r->erased);
    jw_key(&w, "first_bad");
    if (!r->has_bad)
        jw_null(&w);
    else {
        jw_obj(&w);
        jw_kint(&w, "seq", r->bad_seq);
        jw_kstr(&w, "table", r->bad_table);
        jw_kint(&w, "id", r->bad_id);
        jw_kstr(&w, "reason", r->bad_reason);
        jw_end(&w, '}');
    }
    jw_end(&w, '}');
    (void)puts(buf_text(&b));
    buf_deinit(&b);
}

static void report_text(const struct verify_report *r) {
    (void)printf("%s: %lld journal rows, %lld checkpoints, %lld values erased\n",
                 r->ok ? "verified" : "BAD", (long long)r->rows, (long long)r->checkpoints,
                 (long long)r->erased);
    if (!r->has_bad) return;
    (void)printf("first fault: row %lld of the journal, table %s, id %lld: %s\n",
                 (long long)r->bad_seq, r->bad_table, (long long)r->bad_id, r->bad_reason);
}

int cli_verify(int argc, char **argv) {
    const char *data = NULL, *checkpoint = NULL;
    bool json = false;
    const struct opt opts[] = {
        {"data", OPT_STR, &data, true, "DIR", "the city's folder"},
        {"checkpoint", OPT_STR, &checkpoint, false, "FILE", "a signed note the folder must extend"},
        {"json", OPT_FLAG, &json, false, NULL, "for a program"}};
    const struct opt_command cmd = {
        "verify", NULL, 0, 0, opts, 3, "Prove that nothing was changed behind the ledger's back.",
        NULL};
    struct err err = {0};
    int done = cli_parse(&cmd, argc, argv);
    if (done != CLI_GO_ON) return done;
    struct verify_report r;
    memset(&r, 0, sizeof r);
    if (ledger_verify(data, checkpoint, &r, &err) != ERR_OK) return cli_fail("verify", &err);
    if (json)
        report_json(&r);
    else
        report_text(&r);
    return r.ok ? 0 : 1;
}

int cli_backup(int argc, char **argv) {
    const char *data = NULL;
    const struct opt opts[] = {{"data", OPT_STR, &data, true, "DIR", "the city's folder"}};
    const struct opt_command cmd = {
        "backup",
        "FILE",
        1,
        1,
        opts,
        1,
        "Copy database, photos and packs into one file, while serving too. Keys are left out.",
        NULL};
    struct err err = {0};
    int done = cli_parse(&cmd, argc, argv);
    if (done != CLI_GO_ON) return done;
    if (ledger_backup(data, argv[0], &err) != ERR_OK) return cli_fail("backup", &err);
    (void)printf("wrote %s; keep %s/keys apart from it\n", argv[0], data);
    return 0;
}

int cli_restore(int argc, char **argv) {
    const char *data = NULL, *keys = NULL;
    const struct opt opts[] = {{"data", OPT_STR, &data, true, "DIR", "the folder to make"},
                               {"keys", OPT_STR, &keys, false, "DIR", "the saved keys"}};
    const struct opt_command cmd = {
        "restore", "FILE", 1, 1, opts, 2, "Make a folder from a backup.", NULL};
    struct err err = {0};
    int done = cli_parse(&cmd, argc, argv);
    if (done != CLI_GO_ON) return done;
    if (ledger_restore(argv[0], data, keys, &err) != ERR_OK) return cli_fail("restore", &err);
    (void)printf("restored %s\n", data);
    return 0;
}
