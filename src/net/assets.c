#include "net/assets.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/mem.h"

enum { PATH_MAX_BYTES = 1024 };

struct assets {
    char *dir; /* NULL: built in */
};

static const char immutable[] = "public, max-age=31536000, immutable";
static const char revalidate[] = "no-cache";

const char *assets_type(const char *path) {
    static const struct {
        const char *extension, *type;
    } row[] = {{"html", "text/html; charset=utf-8"},
               {"js", "text/javascript; charset=utf-8"},
               {"mjs", "text/javascript; charset=utf-8"},
               {"css", "text/css; charset=utf-8"},
               {"json", "application/json"},
               {"geojson", "application/geo+json"},
               {"webmanifest", "application/manifest+json"},
               {"svg", "image/svg+xml"},
               {"png", "image/png"},
               {"jpg", "image/jpeg"},
               {"jpeg", "image/jpeg"},
               {"webp", "image/webp"},
               {"gif", "image/gif"},
               {"ico", "image/x-icon"},
               {"woff", "font/woff"},
               {"woff2", "font/woff2"},
               {"ttf", "font/ttf"},
               {"wasm", "application/wasm"},
               {"pbf", "application/x-protobuf"},
               {"xml", "application/xml"},
               {"txt", "text/plain; charset=utf-8"}};
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot != NULL && i < sizeof row / sizeof row[0]; i++)
        if (strcmp(dot + 1, row[i].extension) == 0) return row[i].type;
    return "application/octet-stream";
}

enum err_code assets_new(const char *web_dir, struct assets **out, struct err *err) {
    struct stat st;
    *out = NULL;
    if (web_dir != NULL && (stat(web_dir, &st) != 0 || !S_ISDIR(st.st_mode)))
        return err_fail(err, ERR_NOT_FOUND, "there is no folder %.400s", web_dir);
    struct assets *a = mem_new(1, sizeof *a);
    if (a == NULL) return err_fail(err, ERR_NOMEM, "no memory for the page");
    if (web_dir != NULL) {
        a->dir = mem_dup(web_dir, strlen(web_dir));
        if (a->dir == NULL) {
            mem_free(a);
            return err_fail(err, ERR_NOMEM, "no memory for the page");
        }
    }
    *out = a;
    return ERR_OK;
}

void assets_free(struct assets *a) {
    if (a == NULL) return;
    mem_free(a->dir);
    mem_free(a);
}

static const struct asset_file *find(const char *path) {
    size_t low = 0, high = asset_n_files;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = strcmp(path, asset_files[mid].path);
        if (order == 0) return &asset_files[mid];
        if (order < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return NULL;
}

/* A client that cannot take gzip gets the file unpacked; this is rare enough not to keep both. */
static void unpack(struct http_response *r, const struct asset_file *f, const char *type) {
    struct buf b;
    z_stream z = {0};
    buf_init(&b, f->raw_n + 1);
    char *room = buf_room(&b, f->raw_n);
    const void *src = f->data;
    bool ok = room != NULL && inflateInit2(&z, 16 + 15) == Z_OK;
    if (ok) {
        memcpy(
            &z.next_in, &src,
            sizeof src); /* zlib takes a pointer that is not const but does not write through it */
        z.avail_in = (uInt)f->n;
        z.next_out = (Bytef *)room;
        z.avail_out = (uInt)f->raw_n;
        ok = inflate(&z, Z_FINISH) == Z_STREAM_END && z.total_out == f->raw_n;
        (void)inflateEnd(&z);
    }
    if (ok)
        b.n = f->raw_n;
    else
        b.failed = true;
    http_response_take(r, type, &b);
}

static void serve_built(const struct asset_file *f, struct http_request *req) {
    char etag[40];
    const char *cache = strncmp(f->path, "/assets/", 8) == 0 ? immutable : revalidate;
    const char *type = assets_type(f->path);
    (void)snprintf(etag, sizeof etag, "\"%.32s\"", f->sha256);
    if (http_reply_not_modified(req, etag, cache)) return;
    struct http_response *r = http_response_new(200);
    http_response_plain(r); /* never packed anew at each request */
    http_response_header(r, "ETag", etag);
    http_response_header(r, "Cache-Control", cache);
    if (f->gzip) http_response_header(r, "Vary", "Accept-Encoding");
    if (f->gzip && req->accepts_gzip) http_response_header(r, "Content-Encoding", "gzip");
    if (f->gzip && !req->accepts_gzip)
        unpack(r, f, type);
    else
        http_response_ref(r, type, f->data, f->n, NULL, NULL);
    http_reply(req, r);
}

/* The path came through http_path_clean: no "..", no empty segment, no backslash. */
static int open_below(const struct assets *a, const char *path, struct stat *st) {
    char full[PATH_MAX_BYTES];
    if (snprintf(full, sizeof full, "%s%s", a->dir, path) >= (int)sizeof full) return -1;
    int fd = open(full, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) return -1;
    if (fstat(fd, st) == 0 && S_ISREG(st->st_mode)) return fd;
    (void)close(fd);
    return -1;
}

static bool serve_from_folder(const struct assets *a, const char *path, struct http_request *req) {
    struct stat st;
    char etag[64];
    int fd = open_below(a, path, &st);
    if (fd < 0) return false;
    (void)snprintf(etag, sizeof etag, "\"%" PRIx64 "-%" PRIx64 "-%" PRIx64 "\"",
                   (uint64_t)st.st_mtim.tv_sec, (uint64_t)st.st_mtim.tv_nsec, (uint64_t)st.st_size);
    if (http_reply_not_modified(req, etag, revalidate)) {
        (void)close(fd);
        return true;
    }
    struct http_response *r = http_response_new(200);
    http_response_header(r, "ETag", etag);
    http_response_header(r, "Cache-Control", revalidate);
    http_response_fd(r, assets_type(path), fd, 0, (int64_t)st.st_size);
    http_reply(req, r);
    return true;
}

static bool serve_file(const struct assets *a, const char *path, struct http_request *req) {
    if (a->dir != NULL) return serve_from_folder(a, path, req);
    const struct asset_file *f = find(path);
    if (f != NULL) serve_built(f, req);
    return f != NULL;
}

bool assets_is_built(const struct assets *a) {
    struct stat st;
    if (a->dir == NULL) return find("/index.html") != NULL;
    int fd = open_below(a, "/index.html", &st);
    if (fd >= 0) (void)close(fd);
    return fd >= 0;
}

static void serve_how_to_build(struct http_request *req) {
    static const char page[] =
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Gezhi</title>"
        "<body><h1>Gezhi 格治</h1><p>The server runs, but the web page was not built into this "
        "program. "
        "Build it with <code>./run --prepare</code> in the source folder and start the server "
        "again.</p>"
        "<p lang=\"zh-CN\">服务器已运行，但此程序未包含网页。请在源代码目录执行 "
        "<code>./run --prepare</code> 构建网页，然后重新启动服务器。</p>";
    struct http_response *r = http_response_new(200);
    http_response_ref(r, "text/html; charset=utf-8", page, sizeof page - 1, NULL, NULL);
    http_response_header(r, "Cache-Control", "no-store");
    http_reply(req, r);
}

/* Addresses of interfaces, which must answer an unknown path with an error and not with the page.
 */
static bool is_interface(const char *path) {
    static const char *const prefix[] = {"/api",    "/open311", "/sta",    "/ogc",
                                         "/tiles",  "/cap",     "/dcat",   "/basemap",
                                         "/assets", "/metrics", "/healthz"};
    for (size_t i = 0; i < sizeof prefix / sizeof prefix[0]; i++) {
        size_t n = strlen(prefix[i]);
        if (strncmp(path, prefix[i], n) == 0 && (path[n] == '/' || path[n] == '\0')) return true;
    }
    return false;
}

static void serve_problem(struct http_request *req, int status, const char *detail) {
    struct http_response *r = http_response_problem(status, detail);
    if (status == 405) http_response_header(r, "Allow", "GET, HEAD");
    http_reply(req, r);
}

void assets_serve(const struct assets *a, struct http_request *req) {
    const char *last = strrchr(req->path, '/');
    if (req->method != HTTP_GET && req->method != HTTP_HEAD) {
        serve_problem(req, 405, "Pages are read with GET.");
        return;
    }
    if (last != NULL && last[1] != '\0' && serve_file(a, req->path, req)) return;
    bool is_page = last != NULL && !is_interface(req->path) && strchr(last, '.') == NULL;
    if (is_page && serve_file(a, "/index.html", req)) return;
    if (strcmp(req->path, "/") == 0)
        serve_how_to_build(req);
    else
        serve_problem(req, 404, "There is nothing at this address.");
}
