#include "testing.h"

#include <stdio.h>
#include <unistd.h>

#include "base/csv.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/utf8.h"

struct feed {
    FILE *in;
    struct csv_reader *r;
};

static struct feed open_text(const char *text, size_t n, char sep) {
    struct feed f;
    f.in = n == 0 ? fopen("/dev/null", "r") : fmemopen((void *)(uintptr_t)text, n, "r");
    assert_non_null(f.in);
    f.r = csv_reader_new(f.in, sep);
    assert_non_null(f.r);
    return f;
}

static void close_text(struct feed *f) {
    csv_reader_free(f->r);
    (void)fclose(f->in);
}

/* Everything the reader says, in one line a record: "line:[a|b]" or "line!CODE raw". */
static void transcript(const char *text, size_t n, char sep, struct buf *b) {
    struct feed f = open_text(text, n, sep);
    for (;;) {
        struct csv_record rec;
        bool more;
        struct err err;
        enum err_code rc = csv_read(f.r, &rec, &more, &err);
        if (rc == ERR_OK && !more) break;
        buf_printf(b, "%ld", rec.line);
        if (rc != ERR_OK) {
            buf_printf(b, "!%s ", err_name(rc));
            buf_add(b, rec.raw, rec.raw_n);
            assert_int_equal(rec.n, 0);
            assert_true(more);
        } else {
            buf_str(b, ":[");
            for (size_t i = 0; i < rec.n; i++) {
                if (i > 0) buf_char(b, '|');
                assert_int_equal(strlen(rec.field[i]), rec.len[i]);
                buf_str(b, rec.field[i]);
            }
            buf_char(b, ']');
        }
        buf_char(b, '\n');
    }
    close_text(&f);
}

static void reads_n(const char *text, size_t n, const char *expected) {
    struct buf b;
    buf_init(&b, 1 << 20);
    transcript(text, n, ',', &b);
    assert_string_equal(buf_text(&b), expected);
    buf_deinit(&b);
}

static void reads(const char *text, const char *expected) { reads_n(text, strlen(text), expected); }

static void plain_records(void **state) {
    (void)state;
    reads("", "");
    reads("\n\r\n\n", "");
    reads("a", "1:[a]\n");
    reads("a,b\nc,d", "1:[a|b]\n2:[c|d]\n");
    reads("a,b\r\nc,d\r\n", "1:[a|b]\n2:[c|d]\n");
    reads("a,,\n,\n", "1:[a||]\n2:[|]\n");
    reads("\n\na\n\nb\n", "3:[a]\n5:[b]\n");
    reads(" a , b \n", "1:[ a | b ]\n");
    reads("\xEF\xBB\xBF井盖,b\n", "1:[井盖|b]\n");
    reads("\xEF\xBB\xBF", "");
    reads("\xEF\xBB\xBF\"a\"\n\xEF\xBB\xBFz\n", "1:[a]\n2:[\xEF\xBB\xBFz]\n");
    reads("a\rb,c\r\n", "1:[a\rb|c]\n");
    struct buf b;
    buf_init(&b, 1024);
    transcript("a;\"b;\";c,d\n", 11, ';', &b);
    assert_string_equal(buf_text(&b), "1:[a|b;|c,d]\n");
    buf_clear(&b);
    transcript("a\tb\n", 4, '\t', &b);
    assert_string_equal(buf_text(&b), "1:[a|b]\n");
    buf_deinit(&b);
}

static void quoted_fields(void **state) {
    (void)state;
    reads("\"a\",\"\",\"b,c\"\n", "1:[a||b,c]\n");
    reads("\"a\"\"b\",\"\"\"\"\n", "1:[a\"b|\"]\n");
    reads("\"two\nlines\",x\ny\n", "1:[two\nlines|x]\n3:[y]\n");
    reads("\"two\r\nlines\"\r\n\"\n\n\"\n", "1:[two\r\nlines]\n3:[\n\n]\n");
    reads("\"\"", "1:[]\n");
    reads("\"\"\n", "1:[]\n");
}

static void bad_records_cost_one_line(void **state) {
    (void)state;
    reads("a\"b\nc\n", "1!SYNTAX a\"b\n2:[c]\n");
    reads("\"a\"b\nc\n", "1!SYNTAX \"a\"b\n2:[c]\n");
    reads("x\n\"a\" ,b\r\nc\n", "1:[x]\n2!SYNTAX \"a\" ,b\n3:[c]\n");
    reads("a,\"open\nb,c\nd\n", "1!SYNTAX a,\"open\n2:[b|c]\n3:[d]\n");
    reads("\"", "1!SYNTAX \"\n");
    reads("\"open\nx\"y\nz\n", "1!SYNTAX \"open\n2!SYNTAX x\"y\n3:[z]\n");
}

static void nul_and_bad_utf8(void **state) {
    (void)state;
    struct feed f = open_text("a\0b,\"\n\xD6\xD0,x\nok\n", 14, ',');
    struct csv_record rec;
    bool more;
    struct err err;
    assert_int_equal(csv_read(f.r, &rec, &more, &err), ERR_SYNTAX);
    assert_non_null(strstr(err.detail, "line 1, column 2: a NUL byte"));
    assert_int_equal(rec.raw_n, 5);
    assert_memory_equal(rec.raw, "a\0b,\"", 5);
    assert_int_equal(csv_read(f.r, &rec, &more, &err), ERR_SYNTAX);
    assert_non_null(strstr(err.detail, "line 2, column 1: not valid UTF-8"));
    assert_int_equal(csv_read(f.r, &rec, &more, &err), ERR_OK);
    assert_string_equal(rec.field[0], "ok");
    close_text(&f);
}

static void limits(void **state) {
    (void)state;
    struct buf b;
    struct csv_record rec;
    bool more;
    struct err err;
    buf_init(&b, 4 << 20);
    /* A record of exactly the maximum, one a byte larger, one far larger, one of too many fields.
     */
    for (int i = 0; i < CSV_MAX_RECORD; i++) buf_char(&b, 'x');
    buf_str(&b, "\r\n");
    for (int i = 0; i < CSV_MAX_RECORD + 3; i++) buf_char(&b, 'y');
    buf_str(&b, "\n");
    for (int i = 0; i < CSV_MAX_RECORD + 100000; i++) buf_char(&b, 'z');
    buf_str(&b, "\n");
    for (int i = 0; i < CSV_MAX_FIELDS - 1; i++) buf_char(&b, ',');
    buf_str(&b, "\n");
    for (int i = 0; i < CSV_MAX_FIELDS; i++) buf_char(&b, ',');
    buf_str(&b, "\nend\n");
    assert_false(b.failed);
    struct feed f = open_text(b.p, b.n, ',');
    assert_int_equal(csv_read(f.r, &rec, &more, &err), ERR_OK);
    assert_int_equal(rec.len[0], CSV_MAX_RECORD);
    assert_int_equal(csv_read(f.r, &rec, &more, &err), ERR_LIMIT);
    assert_int_equal(rec.line, 2);
    assert_int_equal(rec.raw_n, CSV_MAX_RECORD);
    assert_int_equal(csv_read(f.r, &rec, &more, &err), ERR_LIMIT);
    assert_int_equal(rec.line, 3);
    assert_int_equal(csv_read(f.r, &rec, &more, &err), ERR_OK);
    assert_int_equal(rec.n, CSV_MAX_FIELDS);
    assert_int_equal(rec.line, 4);
    assert_int_equal(csv_read(f.r, &rec, &more, &err), ERR_LIMIT);
    assert_int_equal(rec.line, 5);
    assert_int_equal(csv_read(f.r, &rec, &more, &err), ERR_OK);
    assert_string_equal(rec.field[0], "end");
    assert_int_equal(rec.line, 6);
    assert_int_equal(csv_read(f.r, &rec, &more, &err), ERR_OK);
    assert_false(more);
    close_text(&f);
    buf_deinit(&b);
}

static void an_open_quote_in_a_large_file_costs_one_line(void **state) {
    (void)state;
    struct buf b;
    struct csv_record rec;
    bool more;
    struct err err;
    buf_init(&b, 8 << 20);
    buf_str(&b, "\"open\n");
    for (int i = 0; i < 300000; i++) buf_str(&b, "row,1\n");
    struct feed f = open_text(b.p, b.n, ',');
    assert_int_equal(csv_read(f.r, &rec, &more, &err), ERR_LIMIT);
    long n = 0;
    for (;; n++) {
        assert_int_equal(csv_read(f.r, &rec, &more, &err), ERR_OK);
        if (!more) break;
        assert_int_equal(rec.line, n + 2);
        assert_string_equal(rec.field[0], "row");
    }
    assert_int_equal(n, 300000);
    close_text(&f);
    buf_deinit(&b);
}

static void records_come_as_soon_as_they_are_written(void **state) {
    (void)state;
    int fd[2];
    assert_int_equal(pipe(fd), 0);
    FILE *in = fdopen(fd[0], "r");
    struct csv_reader *r = csv_reader_new(in, ',');
    struct csv_record rec;
    bool more;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(write(fd[1], "a,b\n", 4), 4);
        assert_int_equal(csv_read(r, &rec, &more, NULL), ERR_OK);
        assert_int_equal(rec.n, 2);
    }
    (void)close(fd[1]);
    assert_int_equal(csv_read(r, &rec, &more, NULL), ERR_OK);
    assert_false(more);
    csv_reader_free(r);
    (void)fclose(in);
}

static void a_failing_file_is_an_error(void **state) {
    (void)state;
    FILE *in = fopen("/tmp", "r"); /* reading a folder fails with EISDIR */
    assert_non_null(in);
    struct csv_reader *r = csv_reader_new(in, ',');
    struct csv_record rec;
    bool more;
    assert_int_equal(csv_read(r, &rec, &more, NULL), ERR_IO);
    assert_int_equal(csv_read(r, &rec, &more, NULL), ERR_IO);
    csv_reader_free(r);
    (void)fclose(in);
}

static void written(const char *s, const char *field, const char *safe) {
    struct buf b;
    buf_init(&b, 1024);
    csv_field(&b, "x", true);
    csv_field(&b, s, false);
    csv_safe_field(&b, s, false);
    csv_end(&b);
    char expected[256];
    (void)snprintf(expected, sizeof expected, "x,%s,%s\n", field, safe);
    assert_string_equal(buf_text(&b), expected);
    buf_deinit(&b);
}

static void writing(void **state) {
    (void)state;
    written("a", "a", "a");
    written("", "", "");
    written("a,b", "\"a,b\"", "\"a,b\"");
    written("say \"x\"", "\"say \"\"x\"\"\"", "\"say \"\"x\"\"\"");
    written("a\nb", "\"a\nb\"", "\"a\nb\"");
    written("=1+1", "=1+1", "'=1+1");
    written("-5", "-5", "'-5");
    written("+a", "+a", "'+a");
    written("@a", "@a", "'@a");
    written("=A1,\"B\"", "\"=A1,\"\"B\"\"\"", "\"'=A1,\"\"B\"\"\"");
    written("\xEF\xBB\xBF"
            "a",
            "\"\xEF\xBB\xBF"
            "a\"",
            "\"\xEF\xBB\xBF"
            "a\"");
    struct buf b;
    buf_init(&b, 1024);
    csv_field(&b, "", true);
    csv_end(&b);
    assert_string_equal(buf_text(&b), "\"\"\n");
    buf_deinit(&b);
    buf_init(&b, 3);
    csv_safe_field(&b, "=a,b,c", true);
    assert_true(b.failed);
    csv_safe_field(&b, "=a,b,c", true);
    buf_deinit(&b);
}

/* What the writer writes, the reader reads back, whatever the fields hold. */
static void random_records_round_trip(void **state) {
    (void)state;
    static const char *const bits[] = {"a",  ",", "\"",   "\n", "\r", "\r\n",
                                       "井", " ", "\"\"", "=",  "'"};
    struct rng r = rng_new(5, 0);
    for (int round = 0; round < 3000; round++) {
        char field[6][32];
        size_t n = 1 + rng_below(&r, 6);
        struct buf b;
        buf_init(&b, 4096);
        for (size_t i = 0; i < n; i++) {
            size_t len = 0;
            for (uint32_t k = rng_below(&r, 8); k > 0; k--) {
                const char *s = bits[rng_below(&r, sizeof bits / sizeof bits[0])];
                memcpy(field[i] + len, s, strlen(s));
                len += strlen(s);
            }
            field[i][len] = '\0';
            csv_field(&b, field[i], i == 0);
        }
        csv_end(&b);
        buf_str(&b, "next\n");
        struct feed f = open_text(b.p, b.n, ',');
        struct csv_record rec;
        bool more;
        struct err err;
        assert_int_equal(csv_read(f.r, &rec, &more, &err), ERR_OK);
        assert_int_equal(rec.n, n);
        for (size_t i = 0; i < n; i++) assert_string_equal(rec.field[i], field[i]);
        assert_int_equal(csv_read(f.r, &rec, &more, &err), ERR_OK);
        assert_string_equal(rec.field[0], "next");
        close_text(&f);
        buf_deinit(&b);
    }
}

static void allocation_faults_are_clean(void **state) {
    (void)state;
    struct buf in;
    buf_init(&in, 1 << 20);
    buf_str(&in, "\"");
    for (int i = 0; i < 3000; i++) buf_str(&in, "some text\n");
    buf_str(&in, "\",b\nc\n");
    long live = mem_live();
    long n = 0;
    for (;; n++) {
        FILE *file = fmemopen(in.p, in.n, "r");
        mem_fault_arm(n);
        struct csv_reader *r = csv_reader_new(file, ',');
        enum err_code rc = ERR_NOMEM;
        bool more = true;
        struct csv_record rec;
        while (r != NULL && more && (rc = csv_read(r, &rec, &more, NULL)) == ERR_OK) {
        }
        int fired = mem_fault_disarm();
        if (fired && r != NULL) {
            /* Once there is memory again, the same reader goes on where it was. */
            assert_int_equal(csv_read(r, &rec, &more, NULL), ERR_OK);
            assert_int_equal(rec.n, 2);
            assert_int_equal(rec.line, 1);
        }
        csv_reader_free(r);
        (void)fclose(file);
        assert_int_equal(mem_live(), live);
        if (!fired) {
            assert_int_equal(rc, ERR_OK);
            break;
        }
        assert_int_equal(rc, ERR_NOMEM);
    }
    assert_true(n > 5);
    buf_deinit(&in);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_records),
        cmocka_unit_test(quoted_fields),
        cmocka_unit_test(bad_records_cost_one_line),
        cmocka_unit_test(nul_and_bad_utf8),
        cmocka_unit_test(limits),
        cmocka_unit_test(an_open_quote_in_a_large_file_costs_one_line),
        cmocka_unit_test(records_come_as_soon_as_they_are_written),
        cmocka_unit_test(a_failing_file_is_an_error),
        cmocka_unit_test(writing),
        cmocka_unit_test(random_records_round_trip),
        cmocka_unit_test(allocation_faults_are_clean),
    };
    return cmocka_run_group_tests_name("base/csv", tests, NULL, NULL);
}
