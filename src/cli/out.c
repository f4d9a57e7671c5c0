#include <stdio.h>

#include "base/file.h"
#include "cli/cli.h"

enum err_code cli_print(const struct buf *b, struct err *err) {
    TRY(buf_check(b, err));
    if (fwrite(buf_text(b), 1, b->n, stdout) != b->n || fflush(stdout) != 0)
        return err_fail(err, ERR_IO, "standard output cannot be written");
    return ERR_OK;
}

enum err_code cli_write(const char *path, const struct buf *b, struct err *err) {
    if (path == NULL) return cli_print(b, err);
    TRY(buf_check(b, err));
    return file_write(path, buf_text(b), b->n, 0644, err);
}
