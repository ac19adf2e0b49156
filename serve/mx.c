/* SPDX-License-Identifier: ISC */
#include "serve/mx.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/ascii.h"
#include "crypto/sha256.h"
#include "dns/answer.h"
#include "dns/code.h"
#include "mail/address.h"

#define SMTP_PORT 25

/* One lookup's life: where to put its answers. */
struct finder {
        struct resolver *resolver;
        struct host *host;
        int64_t deadline_ms;
        struct arena *arena;
        struct mx_targets *out;
        enum err trouble; /* the last temporary failure of an address lookup */
        bool is_secure;   /* the way to the host that is looked up */
        uint8_t rank;     /* of that host */
};

static void add_address(struct mx_targets *out, const struct ip *ip)
{
        for (size_t i = 0; i < out->count; i++)
                if (ip_eq(&out->at[i].ip, ip))
                        return;
        if (out->count < MX_ADDRESSES_MAX)
                out->host_of[out->count] = (uint8_t)(out->host_count > 0 ? out->host_count - 1 : 0);
        if (out->count < MX_ADDRESSES_MAX)
                out->at[out->count++] = (struct ip_port){.ip = *ip, .port = SMTP_PORT};
}

static void note_ttl(struct mx_targets *out, const struct dns_answer *answer)
{
        if (answer->ttl_s < out->ttl_s)
                out->ttl_s = answer->ttl_s;
}

/* Where its name leads. Who answers may say one thing for one type of address and another for the other: then it leads
 * nowhere but to itself, or the addresses of one would stand under the name of another (mx_key). */
static void note_base(struct mx_host *host, const struct dns_name *base, bool is_first)
{
        host->base = is_first || dns_name_eq(&host->base, base) ? *base : host->name;
}

/* The addresses of one host. What fails for now is remembered, and other hosts are still tried. */
static void add_host(struct finder *f, const struct dns_name *name)
{
        static const uint16_t types[] = {DNS_TYPE_AAAA, DNS_TYPE_A};
        struct mx_host *host = &f->out->hosts[f->out->host_count++];
        bool is_found = false;
        *host = (struct mx_host){.name = *name, .base = *name, .rank = f->rank, .is_secure = f->is_secure};
        for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
                struct dns_answer answer;
                enum err e = resolver_lookup(f->resolver, name, types[i], f->deadline_ms, f->arena, &answer);
                if (e != ERR_OK)
                        f->trouble = e;
                if (e == ERR_OK)
                        note_ttl(f->out, &answer);
                if (e == ERR_OK && answer.status == DNS_FOUND) {
                        note_base(host, &answer.name, !is_found);
                        is_found = true;
                        host->is_secure = host->is_secure && answer.is_secure;
                }
                for (size_t k = 0; e == ERR_OK && answer.status == DNS_FOUND && k < answer.count; k++)
                        add_address(f->out, &answer.values[k].ip);
        }
}

/* An order of names, without case. */
static int compare_names(const struct dns_name *a, const struct dns_name *b)
{
        for (size_t i = 0; i < a->n && i < b->n; i++) {
                int difference = ascii_lower((char)a->b[i]) - ascii_lower((char)b->b[i]);
                if (difference != 0)
                        return difference;
        }
        return a->n - b->n;
}

/* In wire form, which ends by itself. */
static void add_name(struct sha256 *hash, const struct dns_name *name)
{
        char wire[DNS_NAME_MAX];
        struct wr w;
        wr_init(&w, wire, sizeof wire);
        dns_name_write_canonical(&w, name);
        sha256_update(hash, wr_text(&w));
}

static void swap(struct dns_value *a, struct dns_value *b)
{
        struct dns_value kept = *a;
        *a = *b;
        *b = kept;
}

static bool is_before(const struct dns_mx *a, const struct dns_mx *b)
{
        return a->preference != b->preference ? a->preference < b->preference
                                              : compare_names(&a->exchange, &b->exchange) < 0;
}

/* The first by preference and name, so that the same ones are chosen each time. */
static size_t choose_exchanges(struct dns_value *values, size_t n)
{
        size_t most = n < MX_HOSTS_MAX ? n : MX_HOSTS_MAX;
        for (size_t i = 0; i < most; i++)
                for (size_t k = i + 1; k < n; k++)
                        if (is_before(&values[k].mx, &values[i].mx))
                                swap(&values[k], &values[i]);
        return most;
}

/* RFC 5321 5.1: at random among equals. */
static void shuffle_equals(struct host *h, struct dns_value *values, size_t n)
{
        for (size_t from = 0, to; from < n; from = to) {
                for (to = from + 1; to < n && values[to].mx.preference == values[from].mx.preference;)
                        to++;
                for (size_t i = to - from; i > 1; i--)
                        swap(&values[from + i - 1], &values[from + (size_t)host_random_below(h, i)]);
        }
}

/* Hosts that are not better than we ourselves go away; how many are left. */
static size_t before_us(struct dns_answer *mx, const struct dns_name *own)
{
        unsigned limit = UINT16_MAX + 1U;
        size_t n = 0;
        for (size_t i = 0; i < mx->count; i++)
                if (dns_name_eq(&mx->values[i].mx.exchange, own) && mx->values[i].mx.preference < limit)
                        limit = mx->values[i].mx.preference;
        for (size_t i = 0; i < mx->count; i++)
                if (mx->values[i].mx.preference < limit)
                        swap(&mx->values[n++], &mx->values[i]);
        return n;
}

static enum err from_exchanges(struct finder *f, struct dns_answer *mx, struct str self)
{
        struct dns_name own;
        bool has_own = dns_name_parse(self, &own) == ERR_OK;
        if (mx->count == 1 && dns_name_is_root(&mx->values[0].mx.exchange))
                return ERR_UNSUPPORTED; /* RFC 7505 3 */
        size_t end = has_own ? before_us(mx, &own) : mx->count;
        end = choose_exchanges(mx->values, end);
        if (end > 0)
                f->out->first = mx->values[0].mx.exchange;
        shuffle_equals(f->host, mx->values, end);
        for (size_t i = 0; i < end; i++) {
                if (i > 0 && mx->values[i].mx.preference != mx->values[i - 1].mx.preference)
                        f->rank++;
                if (!dns_name_is_root(&mx->values[i].mx.exchange))
                        add_host(f, &mx->values[i].mx.exchange);
        }
        return ERR_OK;
}

/* The domain itself, only without any MX. */
static void add_implicit(struct finder *f, const struct dns_name *name)
{
        f->out->first = *name;
        add_host(f, name);
}

/* What was found, or why nothing was. */
static enum err settle(const struct finder *f, enum err e)
{
        if (e != ERR_OK || f->out->count > 0)
                return e;
        return f->trouble != ERR_OK ? f->trouble : ERR_NOT_FOUND;
}

static enum err find_exchanges(struct finder *f, const struct dns_name *name, struct str self)
{
        struct dns_answer mx;
        enum err e = resolver_lookup(f->resolver, name, DNS_TYPE_MX, f->deadline_ms, f->arena, &mx);
        if (e != ERR_OK)
                return e;
        f->is_secure = mx.is_secure;
        note_ttl(f->out, &mx);
        if (mx.status == DNS_NO_NAME)
                return ERR_NOT_FOUND;
        if (mx.status == DNS_FOUND)
                e = from_exchanges(f, &mx, self);
        else
                add_implicit(f, &mx.name);
        return settle(f, e);
}

/* The hosts of a domain, or with `self` NULL the host of that name. */
static enum err find(struct finder *f, struct str text, const struct str *self)
{
        struct dns_name name;
        struct ip literal;
        if (mail_literal_parse(text, &literal) == ERR_OK) {
                add_address(f->out, &literal);
                return ERR_OK;
        }
        if (dns_name_parse(text, &name) != ERR_OK)
                return ERR_UNSUPPORTED;
        if (self)
                return find_exchanges(f, &name, *self);
        f->is_secure = true; /* nobody but our own admin says that it is this host */
        add_implicit(f, &name);
        return settle(f, ERR_OK);
}

static enum err find_with_room(struct resolver *r, struct host *h, struct str text, const struct str *self,
        int64_t deadline_ms, struct mx_targets *out)
{
        struct arena arena;
        size_t room = 2 * DNS_ANSWER_ROOM;
        char *memory = malloc(room);
        *out = (struct mx_targets){.ttl_s = UINT32_MAX};
        if (!memory)
                return ERR_MEMORY;
        arena_init(&arena, memory, room);
        struct finder f = {.resolver = r, .host = h, .deadline_ms = deadline_ms, .arena = &arena, .out = out};
        enum err e = find(&f, text, self);
        if (e != ERR_OK)
                out->count = 0;
        free(memory);
        return e;
}

enum err mx_find(struct resolver *r, struct host *h, struct str domain, struct str self, int64_t deadline_ms,
        struct mx_targets *out)
{
        return find_with_room(r, h, domain, &self, deadline_ms, out);
}

enum err mx_find_host(
        struct resolver *r, struct host *h, struct str host, int64_t deadline_ms, struct mx_targets *out)
{
        return find_with_room(r, h, host, NULL, deadline_ms, out);
}

/* ---- digests ---- */

static int compare_hosts(const struct mx_host *a, const struct mx_host *b, bool by_rank)
{
        int difference = by_rank ? a->rank - b->rank : 0;
        return difference != 0 ? difference : compare_names(&a->base, &b->base);
}

static size_t sort_hosts(
        const struct mx_targets *targets, bool by_rank, const struct mx_host *sorted[MX_HOSTS_MAX])
{
        for (size_t i = 0; i < targets->host_count; i++) {
                size_t at = i;
                for (; at > 0 && compare_hosts(&targets->hosts[i], sorted[at - 1], by_rank) < 0; at--)
                        sorted[at] = sorted[at - 1];
                sorted[at] = &targets->hosts[i];
        }
        return targets->host_count;
}

static enum err digest(const struct mx_targets *targets, bool by_rank, uint8_t out[MX_KEY_SIZE])
{
        const struct mx_host *hosts[MX_HOSTS_MAX];
        size_t n = sort_hosts(targets, by_rank, hosts);
        struct sha256 hash;
        sha256_init(&hash);
        for (size_t i = 0; i < n; i++) {
                const char rank = (char)hosts[i]->rank;
                if (i > 0 && compare_hosts(hosts[i], hosts[i - 1], by_rank) == 0)
                        continue;
                if (by_rank)
                        sha256_update(&hash, str_of(&rank, 1));
                add_name(&hash, &hosts[i]->base);
        }
        if (n == 0 && targets->count > 0) { /* 255 begins no name */
                const char kind[] = {'\xff', (char)targets->at[0].ip.family};
                sha256_update(&hash, str_of(kind, sizeof kind));
                sha256_update(&hash, str_of((const char *)targets->at[0].ip.b, sizeof targets->at[0].ip.b));
        }
        return sha256_end(&hash, out) == ERR_OK ? ERR_OK : ERR_MEMORY;
}

enum err mx_key(const struct mx_targets *targets, uint8_t key[MX_KEY_SIZE])
{
        return digest(targets, false, key);
}

enum err mx_order(const struct mx_targets *targets, uint8_t order[MX_KEY_SIZE])
{
        return digest(targets, true, order);
}
