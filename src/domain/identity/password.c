#include "domain/identity/password.h"

#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"

/* One waiting call: lives on the caller's stack until done is set. */
struct job {
    struct job *next;
    const char *password;
    size_t password_n;
    const char *verify; /* NULL: make a hash */
    char hash[PASSWORD_HASH];
    bool ok, done;
};
struct password_pool {
    pthread_mutex_t lock;
    pthread_cond_t work, finished;
    struct job *first, *last;
    size_t n_waiting, max_waiting;
    size_t memory;
    unsigned long long ops;
    bool stop;
    unsigned n_threads;
    pthread_t threads[16];
    char dummy[PASSWORD_HASH]; /* a hash that no password has */
};
_Static_assert(PASSWORD_HASH == crypto_pwhash_argon2id_STRBYTES, "libsodium's size of a hash text");

static void work_one(const struct password_pool *p, struct job *j) {
    if (j->verify == NULL) {
        j->ok =
            crypto_pwhash_argon2id_str(j->hash, j->password, j->password_n, p->ops, p->memory) == 0;
        return;
    }
    bool known = j->verify[0] != '\0';
    int rc =
        crypto_pwhash_argon2id_str_verify(known ? j->verify : p->dummy, j->password, j->password_n);
    j->ok = known && rc == 0;
}

static void *run(void *arg) {
    struct password_pool *p = arg;
    (void)pthread_mutex_lock(&p->lock);
    for (;;) {
        while (p->first == NULL && !p->stop) (void)pthread_cond_wait(&p->work, &p->lock);
        if (p->first == NULL) break;
        struct job *j = p->first;
        p->first = j->next;
        if (p->first == NULL) p->last = NULL;
        p->n_waiting--;
        (void)pthread_mutex_unlock(&p->lock);
        work_one(p, j);
        (void)pthread_mutex_lock(&p->lock);
        j->done = true;
        (void)pthread_cond_broadcast(&p->finished);
    }
    (void)pthread_mutex_unlock(&p->lock);
    return NULL;
}

/* The text form of a hash with random salt and tag: as costly to check as a real one, and matched
 * by no known password. */
static void make_dummy(struct password_pool *p) {
    unsigned char salt[16], tag[32];
    char salt64[32], tag64[48];
    randombytes_buf(salt, sizeof salt);
    randombytes_buf(tag, sizeof tag);
    (void)sodium_bin2base64(salt64, sizeof salt64, salt, sizeof salt,
                            sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
    (void)sodium_bin2base64(tag64, sizeof tag64, tag, sizeof tag,
                            sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
    (void)snprintf(p->dummy, sizeof p->dummy, "$argon2id$v=19$m=%zu,t=%llu,p=1$%s$%s",
                   p->memory / 1024, p->ops, salt64, tag64);
}

enum err_code password_pool_new(const struct password_options *o, struct password_pool **out,
                                struct err *err) {
    size_t memory =
        o->memory_bytes == 0 ? crypto_pwhash_argon2id_MEMLIMIT_MODERATE : o->memory_bytes;
    unsigned ops = o->ops == 0 ? crypto_pwhash_argon2id_OPSLIMIT_MODERATE : o->ops;
    unsigned threads = o->threads == 0 ? 2 : o->threads;
    if (memory < crypto_pwhash_argon2id_MEMLIMIT_MIN || memory > ((size_t)4 << 30) || ops > 64)
        return err_fail(err, ERR_INVALID,
                        "password memory must be 8 KiB to 4 GiB and passes 1 to 64");
    if (sodium_init() < 0) return err_fail(err, ERR_INTERNAL, "libsodium does not start");
    struct password_pool *p = mem_new(1, sizeof *p);
    if (p == NULL) return err_fail(err, ERR_NOMEM, "no memory for the password pool");
    p->max_waiting = o->queue == 0 ? 4 : o->queue;
    p->memory = memory;
    p->ops = ops;
    make_dummy(p);
    (void)pthread_mutex_init(&p->lock, NULL);
    (void)pthread_cond_init(&p->work, NULL);
    (void)pthread_cond_init(&p->finished, NULL);
    if (threads > sizeof p->threads / sizeof p->threads[0])
        threads = sizeof p->threads / sizeof p->threads[0];
    for (unsigned i = 0; i < threads; i++) {
        if (pthread_create(&p->threads[i], NULL, run, p) != 0) break;
        p->n_threads++;
    }
    if (p->n_threads == 0) {
        password_pool_free(p);
        return err_fail(err, ERR_NOMEM, "no thread for the password pool");
    }
    *out = p;
    return ERR_OK;
}

void password_pool_free(struct password_pool *p) {
    if (p == NULL) return;
    (void)pthread_mutex_lock(&p->lock);
    p->stop = true;
    (void)pthread_cond_broadcast(&p->work);
    (void)pthread_mutex_unlock(&p->lock);
    for (unsigned i = 0; i < p->n_threads; i++) (void)pthread_join(p->threads[i], NULL);
    (void)pthread_cond_destroy(&p->finished);
    (void)pthread_cond_destroy(&p->work);
    (void)pthread_mutex_destroy(&p->lock);
    mem_free(p);
}

static enum err_code submit(struct password_pool *p, struct job *j, struct err *err) {
    (void)pthread_mutex_lock(&p->lock);
    if (p->n_waiting >= p->max_waiting) {
        (void)pthread_mutex_unlock(&p->lock);
        return err_fail(err, ERR_TOO_MANY, "many people are signing in just now; wait 2 seconds");
    }
    if (p->last == NULL)
        p->first = j;
    else
        p->last->next = j;
    p->last = j;
    p->n_waiting++;
    (void)pthread_cond_signal(&p->work);
    while (!j->done) (void)pthread_cond_wait(&p->finished, &p->lock);
    (void)pthread_mutex_unlock(&p->lock);
    return ERR_OK;
}

enum err_code password_hash(struct password_pool *p, const char *password, char out[PASSWORD_HASH],
                            struct err *err) {
    struct job j = {.password = password, .password_n = strlen(password)};
    TRY(submit(p, &j, err));
    if (!j.ok) return err_fail(err, ERR_NOMEM, "no memory to hash a password");
    memcpy(out, j.hash, PASSWORD_HASH);
    return ERR_OK;
}

enum err_code password_verify(struct password_pool *p, const char *hash, const char *password,
                              bool *ok, struct err *err) {
    struct job j = {
        .password = password, .password_n = strlen(password), .verify = hash == NULL ? "" : hash};
    TRY(submit(p, &j, err));
    *ok = j.ok;
    return ERR_OK;
}

/* The next code point that is no blank, folded; 0 at the end. */
static uint32_t next_folded(const char **s) {
    for (;;) {
        uint32_t cp = 0;
        size_t n = utf8_next(*s, strlen(*s), &cp);
        if (n == 0) {
            if (**s == '\0') return 0;
            cp = (unsigned char)**s;
            n = 1;
        }
        *s += n;
        if (cp != ' ' && cp != '\t') return utf8_fold(cp);
    }
}

static bool is_like_name(const char *name, const char *password) {
    for (;;) {
        uint32_t a = next_folded(&name), b = next_folded(&password);
        if (a != b) return false;
        if (a == 0) return true;
    }
}

static bool is_one_character(const char *password) {
    uint32_t first = next_folded(&password);
    uint32_t c;
    while ((c = next_folded(&password)) != 0)
        if (c != first) return false;
    return true;
}

enum err_code password_check(const char *name, const char *password, const char *pointer,
                             struct err *err) {
    enum err_code rc = ERR_OK;
    size_t n = strlen(password);
    if (n > PASSWORD_MAX_BYTES)
        rc = err_fail(err, ERR_INVALID, "the password is longer than %d bytes / 密码超过 %d 字节",
                      PASSWORD_MAX_BYTES, PASSWORD_MAX_BYTES);
    else if (utf8_count(password, n) < PASSWORD_MIN_CHARS)
        rc = err_fail(err, ERR_INVALID,
                      "the password needs at least %d characters / 密码至少需要 %d 个字符",
                      PASSWORD_MIN_CHARS, PASSWORD_MIN_CHARS);
    else if (is_like_name(name, password))
        rc = err_fail(err, ERR_INVALID,
                      "the password may not be the account's name / 密码不能与账号名相同");
    else if (is_one_character(password))
        rc = err_fail(
            err, ERR_INVALID,
            "the password may not be one character over and over / 密码不能由同一个字符重复组成");
    return rc == ERR_OK ? rc : err_field(err, rc, pointer);
}
