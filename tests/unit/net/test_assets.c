/* The built-in page: whatever was built in is served as the table says; the folder for development
 * likewise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "net/assets.h"
#include "peer.h"

static void handle(void *ctx, struct http_request *req) { assets_serve(ctx, req); }

static struct peer_text ask(int port, const char *path, const char *headers) {
    char text[1024];
    int fd = peer_connect(port);
    (void)snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: h\r\n%s\r\n", path, headers);
    peer_say(fd, text);
    struct peer_text t = peer_answer(fd, 5000);
    (void)close(fd);
    return t;
}

static void expect_status(int port, const char *path, int status) {
    struct peer_text t = ask(port, path, "");
    if (peer_status(&t) != status) fail_msg("%s: %d, expected %d", path, peer_status(&t), status);
    peer_free(&t);
}

static void test_table_is_sorted(void **state) {
    (void)state;
    for (size_t i = 0; i < asset_n_files; i++) {
        assert_int_equal(asset_files[i].path[0], '/');
        assert_int_equal(strlen(asset_files[i].sha256), 64);
        if (i > 0) assert_true(strcmp(asset_files[i - 1].path, asset_files[i].path) < 0);
    }
}

/* Each file comes back with the bytes whose hash the table states, packed or not. */
static void test_every_file(void **state) {
    (void)state;
    struct assets *a = NULL;
    struct err err = {0};
    assert_int_equal(assets_new(NULL, &a, &err), ERR_OK);
    struct http_server *s = peer_server(NULL, handle, a);
    int port = http_server_port(s);
    for (size_t i = 0; i < asset_n_files; i++) {
        const struct asset_file *f = &asset_files[i];
        struct peer_text t = ask(port, f->path, "");
        const char *body = strstr(t.p, "\r\n\r\n");
        uint8_t hash[HASH_SHA256];
        char hex[HASH_HEX], etag[64], header[128];
        assert_int_equal(peer_status(&t), 200);
        assert_non_null(body);
        assert_int_equal(t.n - (size_t)(body + 4 - t.p), f->raw_n);
        hash_sha256(&(struct hash_piece){body + 4, f->raw_n}, 1, hash);
        hash_hex(hash, sizeof hash, hex);
        assert_string_equal(hex, f->sha256);
        assert_non_null(strstr(
            t.p, strncmp(f->path, "/assets/", 8) == 0 ? "immutable" : "Cache-Control: no-cache"));
        peer_free(&t);
        t = ask(port, f->path, "Accept-Encoding: gzip\r\n");
        if (f->gzip) assert_non_null(strstr(t.p, "Content-Encoding: gzip\r\n"));
        peer_free(&t);
        (void)snprintf(etag, sizeof etag, "\"%.32s\"", f->sha256);
        (void)snprintf(header, sizeof header, "If-None-Match: %s\r\n", etag);
        t = ask(port, f->path, header);
        assert_int_equal(peer_status(&t), 304);
        assert_non_null(strstr(t.p, etag));
        peer_free(&t);
    }
    struct peer_text t = ask(port, "/", "");
    assert_int_equal(peer_status(&t), 200);
    assert_non_null(strstr(t.p, "Content-Type: text/html; charset=utf-8"));
    if (!assets_is_built(a)) {
        print_message("web/dist was not built: the page that says so is served\n");
        assert_non_null(strstr(t.p, "./run --prepare"));
        assert_non_null(strstr(t.p, "构建网页"));
    }
    peer_free(&t);
    expect_status(port, "/api/v1/none", 404);
    expect_status(port, "/none.js", 404);
    expect_status(port, "/assets/none", 404);
    peer_server_end(s);
    assets_free(a);
}

static void write_file(const char *dir, const char *name, const char *text) {
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fputs(text, f) >= 0, 1);
    assert_int_equal(fclose(f), 0);
}

static void test_folder(void **state) {
    (void)state;
    char dir[64], path[512];
    struct assets *a = NULL;
    struct err err = {0};
    (void)snprintf(dir, sizeof dir, "/tmp/gezhi-web-%ld", (long)getpid());
    assert_int_equal(mkdir(dir, 0700), 0);
    assert_int_equal(assets_new("/nonexistent/web", &a, &err), ERR_NOT_FOUND);
    assert_int_equal(assets_new(dir, &a, &err), ERR_OK);
    struct http_server *s = peer_server(NULL, handle, a);
    int port = http_server_port(s);
    struct peer_text t = ask(port, "/", "");
    assert_non_null(strstr(t.p, "./run --prepare"));
    peer_free(&t);
    write_file(dir, "index.html", "<html>page</html>");
    write_file(dir, "a.js", "let a;");
    t = ask(port, "/my/work", "");
    assert_non_null(strstr(t.p, "<html>page</html>"));
    assert_non_null(strstr(t.p, "Cache-Control: no-cache"));
    peer_free(&t);
    t = ask(port, "/a.js", "");
    assert_non_null(strstr(t.p, "text/javascript"));
    assert_non_null(strstr(t.p, "\r\n\r\nlet a;"));
    char *etag = strstr(t.p, "ETag: ");
    assert_non_null(etag);
    char header[128];
    (void)snprintf(header, sizeof header, "If-None-Match: %.*s\r\n", (int)strcspn(etag + 6, "\r"),
                   etag + 6);
    peer_free(&t);
    t = ask(port, "/a.js", header);
    assert_int_equal(peer_status(&t), 304);
    peer_free(&t);
    expect_status(port, "/b.js", 404);
    expect_status(port, "/api/v1/x", 404);
    int fd = peer_connect(port);
    peer_say(fd, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
    t = peer_answer(fd, 5000);
    assert_int_equal(peer_status(&t), 405);
    assert_non_null(strstr(t.p, "Allow: GET, HEAD"));
    peer_free(&t);
    (void)close(fd);
    expect_status(port, "/../etc/passwd", 400);
    expect_status(port, "/%2e%2e/etc/passwd", 400);
    (void)snprintf(path, sizeof path, "%s/link", dir);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    t = ask(port, "/link", "");
    assert_null(strstr(t.p, "root:"));
    peer_free(&t);
    peer_server_end(s);
    assets_free(a);
    (void)unlink(path);
    (void)snprintf(path, sizeof path, "%s/a.js", dir);
    (void)unlink(path);
    (void)snprintf(path, sizeof path, "%s/index.html", dir);
    (void)unlink(path);
    assert_int_equal(rmdir(dir), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table_is_sorted),
        cmocka_unit_test(test_every_file),
        cmocka_unit_test(test_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
