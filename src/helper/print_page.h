/* helper/print_page.h - pages of paper: A4, points (1/72 inch), text set by Pango, everything else
 * drawn by Cairo as lines and areas. What does not fit goes to the next page. One thread. */
#ifndef HELPER_PRINT_PAGE_H
#define HELPER_PRINT_PAGE_H
#include <stdbool.h>

#include "base/val.h"

#define PAGE_WIDTH 595.28
#define PAGE_HEIGHT 841.89
#define PAGE_MARGIN 51.0
#define PAGE_INNER (PAGE_WIDTH - 2 * PAGE_MARGIN)

enum page_style { STYLE_TITLE, STYLE_HEAD, STYLE_BODY, STYLE_SMALL, STYLE_STRONG, STYLE_BIG };

struct page {
    void *cr;    /* cairo_t */
    void *pango; /* PangoContext */
    bool zh;
    int number, of;            /* of: 0 while pages are only counted */
    double y;                  /* next free line, from the top */
    const char *title, *state; /* on every page */
    bool is_draft;
};
struct color {
    double r, g, b;
};
extern const struct color page_ink, page_soft, page_line, page_brand, page_red, page_green;
struct color page_color(const char *hex); /* "#1a6fb5"; grey for anything else */
void page_set_color(struct page *p, struct color c);

/* The first page, and the end of the last one. */
void page_begin(struct page *p);
void page_end(struct page *p);
/* Goes to the next page unless this much is left on this one. */
void page_need(struct page *p, double height);
void page_gap(struct page *p, double height);
/* A paragraph over the whole width. */
void page_text(struct page *p, enum page_style style, const char *text);
void page_bullet(struct page *p, const char *text);
/* The head of a section: kept together with what follows. */
void page_head(struct page *p, const char *text);

enum page_align { ALIGN_LEFT, ALIGN_RIGHT };
/* Text in a box of a width. Returns its height; draws nothing when `draw` is
 * false. */
double page_cell(struct page *p, enum page_style style, const char *text, double x, double y,
                 double width, enum page_align align, bool draw);
/* One line, cut with an ellipsis, around a point: dx, dy -0.5 centres it there, 0 starts there. */
void page_label(struct page *p, enum page_style style, const char *text, double x, double y,
                double dx, double dy);
double page_label_width(struct page *p, enum page_style style, const char *text);

/* ---- tables: the head comes again on each page */
enum { TABLE_MAX = 8 };
struct table_col {
    const char *title;
    double share; /* of the width; they sum to 1 */
    bool right;
    bool swatch; /* a square of the cell's colour before the text */
};
struct table_cell {
    const char *text;
    struct color color;
};
void page_table_head(struct page *p, const struct table_col *col, int n);
void page_table_row(struct page *p, const struct table_col *col, int n,
                    const struct table_cell *cell);

/* ---- values of the document */
const char *doc_text(const struct val *v, const char *key); /* "" when absent */
double doc_number(const struct val *v, const char *key);    /* NaN when absent */
bool doc_true(const struct val *v, const char *key);
size_t doc_size(const struct val *list); /* 0 when it is none */
/* The page's language of {en, zh}; "" when absent. */
const char *doc_pair(const struct page *p, const struct val *v, const char *key);
const char *doc_name(const struct page *p, const struct val *v); /* name_en or name */
enum { NUMBER_TEXT = 40 };
/* "88.7", "+1.2"; a dash for NaN. */
const char *number_text(double v, bool sign, char out[NUMBER_TEXT]);

/* ---- plots and the map, print_plot.c */
void plot_trend(struct page *p, const struct val *doc);
void plot_moved(struct page *p, const struct val *doc);
void plot_map(struct page *p, const struct val *doc);
/* The band of that name. */
const struct val *doc_band(const struct val *doc, const char *name);
#endif
