/* SPDX-License-Identifier: ISC */
#include "serve/mx.h"

#include <stdlib.h>

#include "base/arena.h"
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

/* The addresses of one host. What fails for now is remembered, and other hosts are still tried. */
static void add_host(struct finder *f, const struct dns_name *name)
{
        static const uint16_t types[] = {DNS_TYPE_AAAA, DNS_TYPE_A};
        struct mx_host *host = &f->out->hosts[f->out->host_count++];
        *host = (struct mx_host){.name = *name, .base = *name, .is_secure = f->is_secure};
        for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
                struct dns_answer answer;
                enum err e = resolver_lookup(f->resolver, name, types[i], f->deadline_ms, f->arena, &answer);
                if (e != ERR_OK)
                        f->trouble = e;
                if (e == ERR_OK && answer.status == DNS_FOUND) {
                        host->base = answer.name;
                        host->is_secure = host->is_secure && answer.is_secure;
                }
                for (size_t k = 0; e == ERR_OK && answer.status == DNS_FOUND && k < answer.count; k++)
                        add_address(f->out, &answer.values[k].ip);
        }
}

/* By preference; RFC 5321 5.1: at random among equals, so they are shuffled before a stable sort. */
static void sort_exchanges(struct host *h, struct dns_value *values, size_t n)
{
        for (size_t i = n; i > 1; i--) {
                size_t other = (size_t)host_random_below(h, i);
                struct dns_value swap = values[i - 1];
                values[i - 1] = values[other];
                values[other] = swap;
        }
        for (size_t i = 1; i < n; i++)
                for (size_t k = i; k > 0 && values[k].mx.preference < values[k - 1].mx.preference; k--) {
                        struct dns_value swap = values[k];
                        values[k] = values[k - 1];
                        values[k - 1] = swap;
                }
}

static enum err from_exchanges(struct finder *f, struct dns_answer *mx, struct str self)
{
        struct dns_name own;
        bool has_own = dns_name_parse(self, &own) == ERR_OK;
        if (mx->count == 1 && dns_name_is_root(&mx->values[0].mx.exchange))
                return ERR_UNSUPPORTED; /* RFC 7505 3 */
        sort_exchanges(f->host, mx->values, mx->count);
        size_t end = mx->count;
        for (size_t i = 0; has_own && i < end; i++)
                if (dns_name_eq(&mx->values[i].mx.exchange, &own))
                        while (end > 0 && mx->values[end - 1].mx.preference >= mx->values[i].mx.preference)
                                end--;
        for (size_t i = 0; i < end && i < MX_HOSTS_MAX && f->out->count < MX_ADDRESSES_MAX; i++)
                if (!dns_name_is_root(&mx->values[i].mx.exchange))
                        add_host(f, &mx->values[i].mx.exchange);
        return ERR_OK;
}

static enum err find(struct finder *f, struct str domain, struct str self)
{
        struct dns_name name;
        struct dns_answer mx;
        struct ip literal;
        if (mail_literal_parse(domain, &literal) == ERR_OK) {
                add_address(f->out, &literal);
                return ERR_OK;
        }
        if (dns_name_parse(domain, &name) != ERR_OK)
                return ERR_UNSUPPORTED;
        enum err e = resolver_lookup(f->resolver, &name, DNS_TYPE_MX, f->deadline_ms, f->arena, &mx);
        if (e != ERR_OK)
                return e;
        f->is_secure = mx.is_secure;
        if (mx.status == DNS_NO_NAME)
                return ERR_NOT_FOUND;
        if (mx.status == DNS_FOUND)
                e = from_exchanges(f, &mx, self);
        else
                add_host(f, &mx.name); /* the implicit MX, only without any MX */
        if (e != ERR_OK || f->out->count > 0)
                return e;
        return f->trouble != ERR_OK ? f->trouble : ERR_NOT_FOUND;
}

enum err mx_find(struct resolver *r, struct host *h, struct str domain, struct str self, int64_t deadline_ms,
        struct mx_targets *out)
{
        struct arena arena;
        size_t room = 2 * DNS_ANSWER_ROOM;
        char *memory = malloc(room);
        *out = (struct mx_targets){0};
        if (!memory)
                return ERR_MEMORY;
        arena_init(&arena, memory, room);
        struct finder f = {.resolver = r, .host = h, .deadline_ms = deadline_ms, .arena = &arena, .out = out};
        enum err e = find(&f, domain, self);
        if (e != ERR_OK)
                out->count = 0;
        free(memory);
        return e;
}
