/* SPDX-License-Identifier: ISC */
#include "serve/sts_fetch.h"

#include <stdlib.h>

#include "dns/code.h"
#include "serve/wire.h"

#define PATH S("/.well-known/mta-sts.txt")

/* One fetch. */
struct fetch {
        const struct sts_config *config;
        struct sts_fetched *out;
        struct str host; /* mta-sts.DOMAIN */
        int64_t deadline_ms;
        struct ip addresses[STS_ADDRESSES_MAX];
        size_t count;
};

static enum err fail(struct fetch *f, enum err e, const char *why)
{
        f->out->why = why;
        return e;
}

/* ---- where ---- */

/* IPv6 first; half of the places are for each. */
static enum err add_addresses(
        struct fetch *f, const struct dns_name *name, uint16_t type, size_t most, struct arena *arena)
{
        struct dns_answer answer;
        arena_reset(arena);
        enum err e = resolver_lookup(f->config->resolver, name, type, f->deadline_ms, arena, &answer);
        for (size_t i = 0; e == ERR_OK && answer.status == DNS_FOUND && i < answer.count && f->count < most;
                i++)
                f->addresses[f->count++] = answer.values[i].ip;
        return e;
}

static enum err find_addresses(struct fetch *f)
{
        char *memory = malloc(STS_ANSWER_ROOM);
        struct arena arena;
        struct dns_name name;
        if (!memory)
                return ERR_MEMORY;
        arena_init(&arena, memory, STS_ANSWER_ROOM);
        enum err e = dns_name_parse(f->host, &name);
        if (e == ERR_OK)
                e = add_addresses(f, &name, DNS_TYPE_AAAA, STS_ADDRESSES_MAX / 2, &arena);
        if (e == ERR_OK || (e != ERR_CANCELLED && e != ERR_SYNTAX))
                e = add_addresses(f, &name, DNS_TYPE_A, STS_ADDRESSES_MAX, &arena);
        free(memory);
        if (f->count > 0)
                return ERR_OK;
        return fail(f, e == ERR_OK ? ERR_NOT_FOUND : e, "its server has no address");
}

/* ---- the question and its answer ---- */

static enum err exchange(struct fetch *f, struct wire *w)
{
        struct http_client *c = &f->out->http;
        enum err e = ERR_OK;
        http_client_init(c, f->host, PATH, host_now_ms(f->config->host));
        while (e == ERR_OK && http_client_outcome(c) == ERR_AGAIN) {
                struct str pending = http_client_pending(c);
                size_t cap, got;
                char *room = http_client_room(c, &cap);
                if (pending.n > 0) {
                        e = wire_write(w, pending, f->deadline_ms);
                        http_client_sent(c, pending.n);
                        continue;
                }
                e = wire_read(w, room, cap, f->deadline_ms, &got);
                if (e == ERR_OK)
                        http_client_got(c, got);
                if (e == ERR_EOF && tls_is_ended(w->tls)) { /* else somebody has cut it */
                        http_client_lost(c);
                        e = ERR_OK;
                }
        }
        if (e != ERR_OK)
                return fail(f, e, "its server does not answer to the end");
        return fail(f, http_client_outcome(c), http_client_why(c));
}

static enum err ask(struct fetch *f, struct host_tcp *tcp)
{
        const struct tls_expect expect = {.kind = TLS_EXPECT_NAME, .name = f->host};
        struct tls *tls;
        struct wire w;
        const char *why = "";
        enum err e = tls_connect(f->config->roots, &expect, &tls);
        if (e != ERR_OK)
                return fail(f, e, "no session of TLS could be made");
        wire_init(&w, f->config->host, tcp);
        e = wire_secure(&w, tls, f->deadline_ms, &why);
        e = e == ERR_OK ? exchange(f, &w) : fail(f, e, why[0] ? why : "its server does not speak TLS");
        wire_end(&w, f->deadline_ms);
        wire_drop(&w);
        return e;
}

/* Each address in turn, until one can be connected to. */
static enum err ask_any(struct fetch *f)
{
        struct host *h = f->config->host;
        enum err e = ERR_NOT_FOUND;
        for (size_t i = 0; i < f->count; i++) {
                struct ip_port at = {.ip = f->addresses[i], .port = f->config->port};
                int64_t until_ms = host_now_ms(h) + STS_CONNECT_MS;
                struct host_tcp *tcp;
                e = host_connect(h, &at, until_ms < f->deadline_ms ? until_ms : f->deadline_ms, &tcp);
                if (e == ERR_OK) {
                        e = ask(f, tcp);
                        host_tcp_close(h, tcp);
                        return e;
                }
                if (e == ERR_CANCELLED)
                        break;
        }
        return fail(f, e, "its server cannot be reached");
}

enum err sts_fetch(const struct sts_config *config, struct str domain, struct sts_fetched *out)
{
        char name[DNS_NAME_TEXT_MAX];
        struct wr w;
        struct fetch f = {
                .config = config, .out = out, .deadline_ms = host_now_ms(config->host) + STS_FETCH_MS};
        wr_init(&w, name, sizeof name);
        wr_str(&w, S("mta-sts."));
        wr_str(&w, domain);
        f.host = wr_text(&w);
        out->why = "";
        enum err e = find_addresses(&f);
        if (e == ERR_OK)
                e = ask_any(&f);
        if (e != ERR_OK)
                return e;
        e = sts_policy_parse(http_client_body(&out->http), &out->policy);
        return e == ERR_OK ? ERR_OK : fail(&f, e, "the text is no policy");
}
