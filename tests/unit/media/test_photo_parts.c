/* The parts of gezhi-photo that need no picture: kinds by magic, EXIF texts, the sandbox. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helper/photo_exif.h"
#include "helper/photo_sandbox.h"
#include "helper/photo_sniff.h"

static void kinds_by_magic(void **state) {
    (void)state;
#define M(s) s, sizeof(s) - 1
    static const struct {
        const char *p;
        size_t n;
        enum photo_kind kind;
        bool animated;
    } t[] = {
        {M("\xff\xd8\xff\xe0"), PHOTO_JPEG, false},
        {M("\xff\xd8"), PHOTO_OTHER, false},
        {M("\x89PNG\r\n\x1a\n"), PHOTO_PNG, false},
        {M("\x89PNG\r\n\x1a"), PHOTO_OTHER, false},
        {M("\x89PNG\r\n\x1a\n\0\0\0\10acTL........crc."), PHOTO_PNG, true},
        {M("\x89PNG\r\n\x1a\n\xff\xff\xff\xff"
           "abcd............."),
         PHOTO_PNG, false},
        {M("RIFF\1\0\0\0WEBPVP8 \0\0\0\0\2"), PHOTO_WEBP, false},
        {M("RIFF\1\0\0\0WEBPVP8X\0\0\0\0\2"), PHOTO_WEBP, true},
        {M("RIFF\1\0\0\0WAVEVP8X\0\0\0\0\2"), PHOTO_OTHER, false},
        {M("\0\0\0\x14"
           "ftypheic\0\0\0\0mif1"),
         PHOTO_HEIC, false},
        {M("\0\0\0\x18"
           "ftypmif1\0\0\0\0mif1heic"),
         PHOTO_HEIC, false},
        {M("\0\0\0\x14"
           "ftypavif\0\0\0\0mif1"),
         PHOTO_OTHER, false},
        {M("\0\0\0\x14"
           "ftyphevc\0\0\0\0msf1"),
         PHOTO_HEIC, true},
        {M("\0\0\0\xff"
           "ftypheic\0\0\0\0"),
         PHOTO_OTHER, false},
        {M("GIF89a.............."), PHOTO_OTHER, false},
        {M("<svg xmlns=''/>"), PHOTO_OTHER, false},
        {M(""), PHOTO_OTHER, false},
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        bool animated = false;
        uint8_t *copy = malloc(t[i].n ? t[i].n : 1); /* exact size: the sanitizer sees an overrun */
        assert_non_null(copy);
        memcpy(copy, t[i].p, t[i].n);
        assert_int_equal(photo_sniff(copy, t[i].n, &animated), t[i].kind);
        if (t[i].kind != PHOTO_OTHER) assert_int_equal(animated, t[i].animated);
        free(copy);
    }
    assert_null(photo_kind_type(PHOTO_OTHER));
    assert_string_equal(photo_kind_type(PHOTO_HEIC), "image/heic");
}

static void jpeg_ends(void **state) {
    (void)state;
    static const struct {
        const char *p;
        size_t n;
        bool whole;
    } t[] = {
        {M("\xff\xd8\xff\xd9"), true},
        {M("\xff\xd8\xff\xd9 and more"), true},
        {M("\xff\xd8\xff"), false},
        {M("\xff\xd8"), false},
        /* The end of a thumbnail inside a segment is not the end. */
        {M("\xff\xd8\xff\xe1\0\6\xff\xd9\xff\xd9"), false},
        {M("\xff\xd8\xff\xe1\0\4\xff\xd9\xff\xd9"), true},
        {M("\xff\xd8\xff\xda\0\2 data \xff\0 \xff\xd3 more"), false},
        {M("\xff\xd8\xff\xda\0\2 data \xff\0 \xff\xd3 more\xff\xff\xd9"), true},
        {M("\xff\xd8\xff\xe1\xff\xff"), false},
        {M("\xff\xd8\xff\xe1"), false},
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        uint8_t *copy = malloc(t[i].n);
        assert_non_null(copy);
        memcpy(copy, t[i].p, t[i].n);
        assert_int_equal(photo_jpeg_is_whole(copy, t[i].n), t[i].whole);
        free(copy);
    }
}

static void exif_times(void **state) {
    (void)state;
    char out[PHOTO_TIME], off[PHOTO_OFFSET];
    assert_true(photo_exif_time("2024:05:01 12:00:09 (2024:05:01 12:00:09, ASCII)", out));
    assert_string_equal(out, "2024-05-01T12:00:09");
    assert_true(photo_exif_time("1999:12:31 23:59:59", out));
    static const char *const bad[] = {"",
                                      "2024",
                                      "2024:05:01",
                                      "2024:13:01 12:00:09",
                                      "2024:05:32 12:00:09",
                                      "2024:05:01 24:00:09",
                                      "2024:05:01 12:60:09",
                                      "0000:00:00 00:00:00",
                                      "2024:00:01 12:00:00",
                                      "2024-05-01 12:00:09",
                                      "2024:05:01 12:00:099",
                                      "    :  :     :  :  "};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(photo_exif_time(bad[i], out));
    assert_true(photo_exif_offset("+08:00 (+08:00, ASCII, 7 components)", off));
    assert_string_equal(off, "+08:00");
    assert_true(photo_exif_offset("-03:30", off));
    assert_false(photo_exif_offset("", off));
    assert_false(photo_exif_offset("+15:00", off));
    assert_false(photo_exif_offset("+08:00x", off));
    assert_false(photo_exif_offset("+8", off));
}

static void exif_places(void **state) {
    (void)state;
    double d = 0;
    assert_true(photo_exif_degrees("32/1 51/1 468/100 (32, 51, 4.68)", "N (N)", 90, &d));
    assert_true(d > 32.85129 && d < 32.85131);
    assert_true(photo_exif_degrees("119/1 18/1 0/1", "W", 180, &d));
    assert_true(d > -119.30001 && d < -119.29999);
    static const char *const bad[] = {"",
                                      "32/1",
                                      "32/0 51/1 4/1",
                                      "91/1 0/1 0/1",
                                      "-1/1 0/1 0/1",
                                      "32/1 61/1 0/1",
                                      "a/b c/d e/f",
                                      "32/1 51/1 4/",
                                      "99999999999999999999/1 0/1 0/1"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(photo_exif_degrees(bad[i], "N", 90, &d));
    assert_false(photo_exif_degrees("32/1 51/1 4/1", "", 90, &d));
    assert_false(photo_exif_degrees("32/1 51/1 4/1", "x", 90, &d));
}

static void *thread_main(void *arg) {
    *(int *)arg = 7;
    return NULL;
}

/* In a child behind the filter: 'o' opens a file, 's' a socket, 'e' runs a program, 'f' forks, 't'
 * starts a thread. */
static int child(char what) {
    pid_t pid = fork();
    if (pid == 0) {
        int seven = 0;
        pthread_t t;
        if (!photo_limit_calls()) _exit(90);
        switch (what) {
        case 'o':
            _exit(open("/etc/passwd", O_RDONLY) < 0 && errno == EPERM ? 0 : 1);
        case 's':
            (void)socket(AF_INET, SOCK_STREAM, 0);
            _exit(1);
        case 'e':
            (void)execl("/bin/true", "true", (char *)NULL);
            _exit(1);
        case 'f':
            _exit(fork() < 0 ? 0 : 1);
        default:
            if (pthread_create(&t, NULL, thread_main, &seven) != 0) _exit(1);
            if (pthread_join(t, NULL) != 0) _exit(2);
            _exit(seven == 7 ? 0 : 3);
        }
    }
    int status = 0;
    assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static void sandbox_holds(void **state) {
    (void)state;
    assert_int_equal(child('o'), 0);
    assert_int_equal(child('s'), -SIGSYS);
    assert_int_equal(child('e'), -SIGSYS);
    assert_int_equal(child('f'), 0);
    assert_int_equal(child('t'), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_by_magic), cmocka_unit_test(jpeg_ends),
        cmocka_unit_test(exif_times),     cmocka_unit_test(exif_places),
        cmocka_unit_test(sandbox_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
