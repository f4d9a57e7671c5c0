#include "api/sheet.h"

#include <math.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xlsxwriter.h>

#include "base/mem.h"

enum { MAX_CELL = 32767, MAX_ROWS = 1048576, MAX_COLUMNS = 16384, WIDTH = 16 };

struct sheet_book {
    int fd; /* memory that the file is written to */
    lxw_workbook *book;
    lxw_worksheet *sheet;
    lxw_format *bold;
    uint32_t row, column;
    bool failed; /* a cell or row did not fit */
};

enum err_code sheet_book_new(int64_t at_s, struct sheet_book **out, struct err *err) {
    char path[64];
    lxw_workbook_options options = {.constant_memory = LXW_TRUE};
    lxw_doc_properties made = {.created = (time_t)at_s};
    struct sheet_book *b = mem_new(1, sizeof *b);
    if (b == NULL) return err_fail(err, ERR_NOMEM, "table");
    b->fd = memfd_create("table", MFD_CLOEXEC);
    if (b->fd < 0) {
        mem_free(b);
        return err_fail(err, ERR_IO, "no room for a table");
    }
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", b->fd);
    b->book = workbook_new_opt(path, &options);
    b->bold = b->book == NULL ? NULL : workbook_add_format(b->book);
    if (b->bold == NULL || workbook_set_properties(b->book, &made) != LXW_NO_ERROR) {
        sheet_book_free(b);
        return err_fail(err, ERR_NOMEM, "table");
    }
    format_set_bold(b->bold);
    *out = b;
    return ERR_OK;
}

void sheet_book_free(struct sheet_book *b) {
    if (b == NULL) return;
    if (b->book != NULL) (void)workbook_close(b->book); /* the library frees in no other way */
    (void)close(b->fd);
    mem_free(b);
}

enum err_code sheet_begin(struct sheet_book *b, const char *name, struct err *err) {
    b->sheet = workbook_add_worksheet(b->book, name);
    if (b->sheet == NULL) return err_fail(err, ERR_NOMEM, "table");
    worksheet_set_column(b->sheet, 0, MAX_COLUMNS - 1, WIDTH, NULL);
    worksheet_freeze_panes(b->sheet, 1, 0);
    b->row = 0;
    b->column = 0;
    return ERR_OK;
}

static bool fits(struct sheet_book *b) {
    if (b->row >= MAX_ROWS || b->column >= MAX_COLUMNS) b->failed = true;
    return !b->failed;
}

static void put_text(struct sheet_book *b, const char *text, lxw_format *format) {
    if (text != NULL && text[0] != '\0' && fits(b) &&
        worksheet_write_string(b->sheet, b->row, (lxw_col_t)b->column, text, format) !=
            LXW_NO_ERROR)
        b->failed = true;
    b->column++;
}

void sheet_head(struct sheet_book *b, const char *text) { put_text(b, text, b->bold); }
void sheet_text(struct sheet_book *b, const char *text) { put_text(b, text, NULL); }

void sheet_number(struct sheet_book *b, double v) {
    if (isfinite(v) && fits(b) &&
        worksheet_write_number(b->sheet, b->row, (lxw_col_t)b->column, v, NULL) != LXW_NO_ERROR)
        b->failed = true;
    b->column++;
}

void sheet_end_row(struct sheet_book *b) {
    b->row++;
    b->column = 0;
}

static enum err_code read_back(int fd, struct buf *out, struct err *err) {
    off_t size = lseek(fd, 0, SEEK_END);
    if (size <= 0) return err_fail(err, ERR_IO, "the table was not written");
    char *to = buf_room(out, (size_t)size);
    if (to == NULL) return buf_check(out, err);
    if (pread(fd, to, (size_t)size, 0) != size) return err_fail(err, ERR_IO, "table");
    out->n += (size_t)size;
    return ERR_OK;
}

enum err_code sheet_book_write(struct sheet_book *b, struct buf *out, struct err *err) {
    lxw_error rc = workbook_close(b->book);
    b->book = NULL;
    if (b->failed) return err_fail(err, ERR_TOO_LARGE, "the table does not fit into a sheet");
    if (rc != LXW_NO_ERROR) return err_fail(err, ERR_IO, "table: %s", lxw_strerror(rc));
    return read_back(b->fd, out, err);
}
