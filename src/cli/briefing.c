/* gezhi briefing: what changed and why in an area and a period, as JSON or as a PDF. */
#include <stdio.h>
#include <string.h>

#include "base/civil.h"
#include "cli/cli.h"
#include "domain/briefing/briefing.h"
#include "domain/briefing/pdf.h"
#include "domain/grid/folder.h"
#include "domain/measure/definitions.h"
#include "store/statements.h"

static const int64_t day_us = 86400000000;
enum { RUN_ARENA = 1 << 30 };

struct briefing_args {
    const char *data, *kind, *period, *area, *index, *lang, *pdf;
    bool json;
};
struct telling {
    const struct briefing_args *args;
    struct folder f;
    const struct grid *grid;
    const struct definitions *definitions;
    struct cube *cube;
    struct arena *a;
    struct briefing_source source;
    struct briefing_ask ask;
    struct buf document;
};

static enum err_code last_row(struct telling *t, struct err *err) {
    struct cell p[1] = {cell_int(1)};
    struct cursor *c = NULL;
    bool has = false;
    TRY(db_query(t->f.look, stmt_sql(STMT_JOURNAL_LAST), p, 1, &c, err));
    enum err_code rc = cursor_next(c, &has, err);
    t->source.seq = has ? cursor_int(c, 0) : 0;
    t->source.at_us = has ? cursor_int(c, 1) : 0;
    cursor_close(c);
    return rc;
}

static enum err_code read_city(struct telling *t, struct err *err) {
    struct cell p[1] = {cell_int(1)};
    struct cursor *c = NULL;
    bool has = false;
    TRY(db_query(t->f.look, stmt_sql(STMT_BRIEFING_CITY), p, 1, &c, err));
    enum err_code rc = cursor_next(c, &has, err);
    t->source.city = arena_strdup(t->a, has ? cursor_text(c, 0) : "");
    t->source.invented = has && cursor_int(c, 1) != 0;
    cursor_close(c);
    return rc == ERR_OK && t->source.city == NULL ? err_fail(err, ERR_NOMEM, "briefing") : rc;
}

static enum err_code prepare(struct telling *t, struct err *err) {
    const struct briefing_args *g = t->args;
    struct clock now = clock_system();
    TRY(period_parse(g->period, &t->ask.period, err));
    if (g->kind != NULL && period_kind_parse(g->kind) != (int)t->ask.period.kind)
        return err_fail(err, ERR_INVALID, "--kind \"%.20s\": %.24s is no such period", g->kind,
                        g->period);
    TRY(folder_look(g->data, &t->f, err));
    TRY(grid_build(t->f.look, 1, t->f.packs, NULL, &t->grid, err));
    TRY(atoms_new(t->a, t->f.packs, t->grid->tz, &t->source.atoms, err));
    TRY(definitions_build(t->f.look, 1, t->f.packs, &t->definitions, err));
    t->ask.area = g->area;
    t->ask.index = index_find_at(t->definitions->indices, g->index, t->ask.period.from);
    if (t->ask.index == NULL)
        return err_fail(err, ERR_INVALID, "the packs have no index \"%.40s\"", g->index);
    TRY(last_row(t, err));
    TRY(read_city(t, err));
    TRY(measure_recompute(t->f.look, 1, t->source.atoms, &t->cube, err));
    t->source.packs = t->f.packs;
    t->source.grid = t->grid;
    t->source.tz = t->grid->tz;
    t->source.cube = t->cube;
    t->source.db = t->f.look;
    t->source.ledger = 1;
    t->source.today = (int32_t)(tz_to_local(t->grid->tz, clock_now_us(&now)) / day_us);
    return ERR_OK;
}

static enum err_code write_pdf(struct telling *t, struct err *err) {
    char hash[65];
    struct buf pdf;
    briefing_hash(buf_text(&t->document), t->document.n, hash);
    struct briefing_seal seal = {.state = "draft",
                                 .signed_by = "",
                                 .formed_at_us = t->source.at_us,
                                 .note = "",
                                 .hash = hash};
    buf_init(&pdf, BRIEFING_PDF_MAX);
    enum err_code rc = briefing_pdf(t->a, NULL, buf_text(&t->document), t->document.n, &seal,
                                    t->source.tz, t->args->lang, &pdf, err);
    FILE *out = rc == ERR_OK ? fopen(t->args->pdf, "wb") : NULL;
    bool ok = out != NULL && fwrite(buf_text(&pdf), 1, pdf.n, out) == pdf.n;
    if (out != NULL && fclose(out) != 0) ok = false;
    if (rc == ERR_OK && !ok) rc = err_fail(err, ERR_IO, "%.300s cannot be written", t->args->pdf);
    buf_deinit(&pdf);
    return rc;
}

static enum err_code tell(struct telling *t, struct err *err) {
    struct briefing_data *d = ARENA_NEW(t->a, struct briefing_data, 1);
    if (d == NULL) return err_fail(err, ERR_NOMEM, "briefing");
    TRY(briefing_gather(&t->source, &t->ask, t->a, d, err));
    TRY(briefing_look(d, t->a, err));
    TRY(briefing_form(d, &t->document, err));
    if (t->args->json) (void)puts(buf_text(&t->document));
    return t->args->pdf == NULL ? ERR_OK : write_pdf(t, err);
}

static enum err_code check_args(const struct briefing_args *g, struct err *err) {
    if (!g->json && g->pdf == NULL)
        return err_fail(err, ERR_INVALID, "say --json, --pdf FILE or both");
    if (strcmp(g->lang, "zh-CN") != 0 && strcmp(g->lang, "en") != 0)
        return err_fail(err, ERR_INVALID, "--lang \"%.20s\": expected zh-CN or en", g->lang);
    return ERR_OK;
}

int cli_briefing(int argc, char **argv) {
    struct briefing_args g = {.index = "safety", .lang = "zh-CN"};
    const struct opt opts[] = {
        {"data", OPT_STR, &g.data, true, "DIR", "the city's folder; a server may hold it"},
        {"kind", OPT_STR, &g.kind, false, "KIND", "day, ten_day or month; told by the period"},
        {"period", OPT_STR, &g.period, true, "P",
         "a day 2026-08-05, ten days 2026-08-T1, a month 2026-08"},
        {"area", OPT_STR, &g.area, false, "CODE", "of an area; the city without it"},
        {"index", OPT_STR, &g.index, false, "NAME", "as the packs name it (safety)"},
        {"lang", OPT_STR, &g.lang, false, "LANG", "of the PDF: zh-CN or en (zh-CN)"},
        {"pdf", OPT_STR, &g.pdf, false, "FILE", "write a PDF, marked as a draft"},
        {"json", OPT_FLAG, &g.json, false, NULL, "print the document, both languages in it"}};
    const struct opt_command cmd = {
        .name = "briefing",
        .opts = opts,
        .n_opts = sizeof opts / sizeof opts[0],
        .summary = "What changed and why in an area and a period, for those who decide.",
        .example =
            "gezhi briefing --data build/demo --kind month --period 2026-10 --pdf month.pdf"};
    struct err err = {0};
    int done = cli_parse(&cmd, argc, argv);
    if (done != CLI_GO_ON) return done;
    if (check_args(&g, &err) != ERR_OK) return cli_usage(&cmd, &err);
    struct telling t = {.args = &g, .a = arena_new(RUN_ARENA)};
    buf_init(&t.document, BRIEFING_MAX_TEXT);
    enum err_code rc = t.a == NULL ? err_fail(&err, ERR_NOMEM, "briefing") : prepare(&t, &err);
    if (rc == ERR_OK) rc = tell(&t, &err);
    buf_deinit(&t.document);
    cube_free(t.cube);
    definitions_unref(t.definitions);
    grid_unref(t.grid);
    if (t.f.arena != NULL) folder_close(&t.f);
    arena_free(t.a);
    return rc == ERR_OK ? 0 : cli_fail("briefing", &err);
}
