#include "api/index_table.h"

#include "api/app.h"
#include "domain/measure/figure_floor.h"

static const char *said(const struct call *c, const struct text *t) {
    return c->zh ? t->zh : t->en;
}

static const char *floor_text(const struct call *c) {
    return arena_printf(
        c->a,
        c->zh ? "涉及隐私的指标，依据的事项少于%d件时不公布，也不公布可据以推算的数字。"
              : "A figure of a guarded indicator that rests on fewer than %d matters "
                "is not told, nor are figures by which it could be had.",
        FIGURE_FLOOR);
}

static struct table_note node_note(const struct call *c, const struct index_node *n) {
    struct table_note x = {.key = arena_printf(c->a, c->zh ? "指标 %s" : "node %s", n->name)};
    x.text = n->indicator == NULL ? arena_printf(c->a, c->zh ? "%s；权重 %g" : "%s; weight %g",
                                                 said(c, &n->title), n->weight)
                                  : arena_printf(c->a,
                                                 c->zh ? "%s；权重 %g；端点 %g 至 %g"
                                                       : "%s; weight %g; goalposts %g to %g",
                                                 said(c, &n->title), n->weight, n->low, n->high);
    return x;
}

enum err_code index_table_reply(struct call *c, const struct index_def *d, enum accept_format f,
                                struct err *err) {
    if (f == ACCEPT_JSON) return ERR_OK;
    struct table_note *note = ARENA_NEW(c->a, struct table_note, d->n_nodes + 3);
    size_t n = 0;
    if (note == NULL) return err_fail(err, ERR_NOMEM, "table");
    note[n++] = (struct table_note){c->zh ? "代表" : "stands for", said(c, &d->stands_for)};
    note[n++] = (struct table_note){c->zh ? "最低公布数" : "floor", floor_text(c)};
    for (size_t i = 0; i + 1 < d->n_nodes; i++) note[n++] = node_note(c, &d->node[i]);
    const struct table_spec spec = {d->name, "areas", note, n};
    return table_reply(c, f, &spec, err);
}

enum err_code indicator_table_reply(struct call *c, const struct indicator_def *d,
                                    enum accept_format f, struct err *err) {
    const struct table_note note[] = {
        {c->zh ? "说明" : "explanation", said(c, &d->explain)},
        {c->zh ? "算法版本" : "formula version", arena_printf(c->a, "%lld", (long long)d->version)},
        {c->zh ? "计入条件" : "counts rows", d->filter_text},
        {c->zh ? "达标条件" : "of them", d->part_text},
        {c->zh ? "负责单位" : "owner", d->owner},
        {c->zh ? "最低公布数" : "floor", floor_text(c)}};
    const struct table_spec spec = {d->name, "areas", note, sizeof note / sizeof note[0]};
    return table_reply(c, f, &spec, err);
}
