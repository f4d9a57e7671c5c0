#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/http_internal.h"

static const unsigned char v4_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool http_address_parse(const char *text, unsigned char out[16], bool *is_v4) {
    *is_v4 = inet_pton(AF_INET, text, out + 12) == 1;
    if (*is_v4) {
        memcpy(out, v4_prefix, 12);
        return true;
    }
    return inet_pton(AF_INET6, text, out) == 1;
}

void http_address_of(const struct sockaddr_storage *ss, unsigned char out[16]) {
    memset(out, 0, 16);
    if (ss->ss_family == AF_INET) {
        memcpy(out, v4_prefix, 12);
        memcpy(out + 12, &((const struct sockaddr_in *)ss)->sin_addr, 4);
    } else if (ss->ss_family == AF_INET6) {
        memcpy(out, &((const struct sockaddr_in6 *)ss)->sin6_addr, 16);
    }
}

void http_address_text(const unsigned char address[16], char out[INET6_ADDRSTRLEN]) {
    bool is_v4 = memcmp(address, v4_prefix, 12) == 0;
    if (inet_ntop(is_v4 ? AF_INET : AF_INET6, is_v4 ? address + 12 : address, out,
                  INET6_ADDRSTRLEN) == NULL)
        out[0] = '\0';
}

static bool in_net(const struct http_net *net, const unsigned char address[16]) {
    unsigned whole = net->prefix / 8, rest = net->prefix % 8;
    if (memcmp(net->address, address, whole) != 0) return false;
    if (rest == 0) return true;
    unsigned mask = (0xffU << (8 - rest)) & 0xffU;
    return (net->address[whole] & mask) == (address[whole] & mask);
}

bool http_address_trusted(const struct http_server *s, const unsigned char address[16]) {
    for (size_t i = 0; i < s->n_trusted; i++)
        if (in_net(&s->trusted[i], address)) return true;
    return false;
}

static bool parse_net(const char *text, struct http_net *out) {
    char host[INET6_ADDRSTRLEN];
    bool is_v4;
    const char *slash = strchr(text, '/');
    size_t n = slash == NULL ? strlen(text) : (size_t)(slash - text);
    if (n >= sizeof host) return false;
    memcpy(host, text, n);
    host[n] = '\0';
    if (!http_address_parse(host, out->address, &is_v4)) return false;
    unsigned long most = is_v4 ? 32 : 128, bits = most;
    if (slash != NULL) {
        char *end;
        if (slash[1] < '0' || slash[1] > '9') return false;
        bits = strtoul(slash + 1, &end, 10);
        if (*end != '\0' || bits > most) return false;
    }
    out->prefix = (unsigned)(bits + (is_v4 ? 96 : 0));
    return true;
}

enum err_code http_address_trust(struct http_server *s, struct err *err) {
    s->trusted = mem_new(s->opt.n_trusted_proxies + 1, sizeof *s->trusted);
    if (s->trusted == NULL) return err_fail(err, ERR_NOMEM, "no memory for the trusted proxies");
    for (size_t i = 0; i < s->opt.n_trusted_proxies; i++) {
        if (!parse_net(s->opt.trusted_proxies[i], &s->trusted[i]))
            return err_fail(err, ERR_INVALID,
                            "trusted proxy \"%s\" is no address and no network such as 10.0.0.0/8",
                            s->opt.trusted_proxies[i]);
        s->n_trusted++;
    }
    return ERR_OK;
}

void http_address_client(const struct http_server *s, const unsigned char peer[16],
                         const char *forwarded, unsigned char out[16]) {
    memcpy(out, peer, 16);
    if (forwarded == NULL) return;
    size_t end = strlen(forwarded);
    while (end > 0 && http_address_trusted(s, out)) {
        size_t begin = end;
        while (begin > 0 && forwarded[begin - 1] != ',') begin--;
        size_t from = begin, to = end;
        while (from < to && forwarded[from] == ' ') from++;
        while (to > from && forwarded[to - 1] == ' ') to--;
        char text[INET6_ADDRSTRLEN];
        unsigned char address[16];
        bool is_v4;
        if (to == from || to - from >= sizeof text) return;
        memcpy(text, forwarded + from, to - from);
        text[to - from] = '\0';
        if (!http_address_parse(text, address, &is_v4)) return;
        memcpy(out, address, 16);
        end = begin > 0 ? begin - 1 : 0;
    }
}

/* Open addressing, linear probing; an entry with n == 0 is free. The table is never more than half
 * full, since it has twice as many places as there may be connections. */
static size_t place_of(const struct http_server *s, const unsigned char address[16]) {
    uint64_t h = 14695981039346656037ULL; /* FNV-1a */
    for (int i = 0; i < 16; i++) h = (h ^ address[i]) * 1099511628211ULL;
    size_t at = (size_t)(h % s->n_addresses);
    while (s->addresses[at].n > 0 && memcmp(s->addresses[at].address, address, 16) != 0)
        at = (at + 1) % s->n_addresses;
    return at;
}

bool http_address_enter(struct http_server *s, const unsigned char address[16]) {
    (void)pthread_mutex_lock(&s->address_lock);
    struct http_address_count *e = &s->addresses[place_of(s, address)];
    bool ok = e->n < s->opt.max_per_address;
    if (ok) {
        memcpy(e->address, address, 16);
        e->n++;
    }
    (void)pthread_mutex_unlock(&s->address_lock);
    return ok;
}

void http_address_leave(struct http_server *s, const unsigned char address[16]) {
    (void)pthread_mutex_lock(&s->address_lock);
    size_t at = place_of(s, address);
    if (s->addresses[at].n > 0 && --s->addresses[at].n == 0) {
        /* Later entries of the run are put in anew, so that none is cut off by the hole. */
        for (size_t i = (at + 1) % s->n_addresses; s->addresses[i].n > 0;
             i = (i + 1) % s->n_addresses) {
            struct http_address_count moved = s->addresses[i];
            s->addresses[i].n = 0;
            s->addresses[place_of(s, moved.address)] = moved;
        }
    }
    (void)pthread_mutex_unlock(&s->address_lock);
}
