/* SPDX-License-Identifier: ISC */
/* For tests of the signing hop: it between a client and a next hop on loopback, with a key in a primary on loopback. One
 * world for all tests of a program, in their order; they run in its first fiber, so that keys are derived once. */
#ifndef SERVE_SIGNER_WORLD_H
#define SERVE_SIGNER_WORLD_H

#define _GNU_SOURCE /* to be included first */

#include "serve/signer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "serve/fake_primary.h"
#include "serve/loopback.h"
#include "serve/smtp_out.h"

#define DOMAIN "lists.example.org"
#define SECOND "two.example.org"
#define AUTHOR "author@" DOMAIN
#define MEMORY (1024 * 1024)

struct next_hop {
        struct loopback loop;
        struct smtpd_config config;
        struct smtpd_gate gate;
        char *message;
        size_t n;
        unsigned mails, resets, taken;
        struct smtp_reply at_data, at_end; /* code 0: as usual */
        bool closes;                       /* 421 to the next MAIL */
        bool is_odd;                       /* 220 to each MAIL, and RSET is refused */
        bool dies;                         /* each connection, in the place of this answer: */
        size_t dies_at;                    /* 0 EHLO, 1 MAIL, 2 RCPT, 3 DATA, 4 the final dot */
};

struct world {
        struct host *h;
        struct scope scope;
        struct fake_primary *primary;
        struct zone_keeper *keepers[2]; /* of DOMAIN, and of SECOND where a test wants it */
        size_t keeper_count;
        struct next_hop hop;
        struct loopback loop; /* of the signer */
        struct ip_net accept_from;
        struct resolver *resolver; /* asks the primary */
        struct signer signer;
        struct smtp_out client;
        struct smtp_out left;    /* one that is within a message when all ends */
        struct smtp_reply reply; /* what the client was told last */
        char text[SMTP_REPLY_TEXT_MAX];
        bool has_second;
        int (*tests)(void); /* a cmocka group with give_world as its setup */
        int failed;
};

/* The next hop. */

static inline struct smtp_reply hop_mail(void *ctx, const struct smtp_mail *mail)
{
        struct next_hop *hop = ctx;
        (void)mail;
        hop->mails++;
        hop->n = 0;
        if (hop->closes) {
                hop->closes = false;
                return smtp_reply_of(421, 4, 2, S("bye"));
        }
        return smtp_reply_of(250, 1, 0, S("hop sender"));
}

static inline struct smtp_reply hop_rcpt(void *ctx, const struct smtp_path *to)
{
        (void)ctx;
        if (str_eq(to->local, S("nobody")))
                return smtp_reply_of(550, 1, 1, S("hop knows nobody"));
        return smtp_reply_of(250, 1, 5, S("hop recipient"));
}

static inline struct smtp_reply hop_data(void *ctx)
{
        struct next_hop *hop = ctx;
        return hop->at_data.code != 0 ? hop->at_data : smtp_reply_plain(354, S("go"));
}

static inline void hop_body(void *ctx, struct str bytes)
{
        struct next_hop *hop = ctx;
        hop->message = realloc(hop->message, hop->n + bytes.n);
        assert_non_null(hop->message);
        memcpy(hop->message + hop->n, bytes.p, bytes.n);
        hop->n += bytes.n;
}

static inline struct smtp_reply hop_end(void *ctx, const struct smtpd_message *message)
{
        struct next_hop *hop = ctx;
        assert_int_equal(message->size, hop->n);
        hop->taken++;
        return hop->at_end.code != 0 ? hop->at_end : smtp_reply_of(250, 0, 0, S("queued as 42"));
}

static inline void hop_reset(void *ctx, enum smtp_server_reset why)
{
        struct next_hop *hop = ctx;
        (void)why;
        hop->resets++;
}

static const struct smtpd_handler hop_handler = {.mail = hop_mail,
        .rcpt = hop_rcpt,
        .data = hop_data,
        .body = hop_body,
        .end = hop_end,
        .reset = hop_reset};

static inline void dying_session(struct next_hop *hop, struct host_tcp *tcp)
{
        static const char *const says[] = {"220 d\r\n", "250 d\r\n", "250 d\r\n", "250 d\r\n", "354 d\r\n"};
        char bytes[4096];
        size_t n;
        enum err e = ERR_OK;
        for (size_t i = 0; e == ERR_OK && i <= hop->dies_at; i++) {
                e = host_tcp_write(hop->loop.host, tcp, str_of_c(says[i]), FIBER_NEVER);
                if (e == ERR_OK)
                        e = host_tcp_read(hop->loop.host, tcp, bytes, sizeof bytes, FIBER_NEVER, &n);
        }
}

static inline void odd_session(struct next_hop *hop, struct host_tcp *tcp)
{
        char bytes[4096];
        size_t n;
        enum err e = host_tcp_write(hop->loop.host, tcp, S("220 odd\r\n"), FIBER_NEVER);
        while (e == ERR_OK &&
                host_tcp_read(hop->loop.host, tcp, bytes, sizeof bytes, FIBER_NEVER, &n) == ERR_OK) {
                const char *says = bytes[0] == 'M'   ? "220 odd\r\n"
                                   : bytes[0] == 'R' ? "502 odd\r\n"
                                                     : "250 odd\r\n";
                e = host_tcp_write(hop->loop.host, tcp, str_of_c(says), FIBER_NEVER);
        }
}

static inline void hop_session(void *ctx, struct host_tcp *tcp, const struct ip_port *peer)
{
        struct next_hop *hop = ctx;
        (void)peer;
        if (hop->dies) {
                dying_session(hop, tcp);
                return;
        }
        if (hop->is_odd) {
                odd_session(hop, tcp);
                return;
        }
        (void)smtpd_run(hop->loop.host, tcp, &hop->config, &hop_handler, hop);
}

static inline void hop_run(void *arg)
{
        struct next_hop *hop = arg;
        struct smtpd_listen_config config = {.host = hop->loop.host,
                .listener = hop->loop.listener,
                .gate = &hop->gate,
                .session = hop_session,
                .ctx = hop};
        (void)smtpd_listen(&config);
}

/* The world. */

static inline void make_keeper(struct world *w, struct str domain)
{
        struct key_password p = {.n = PASSWORD_MIN, .bytes = {7}};
        struct zone_keeper_config config = {
                .domain = domain,
                .zone = fake_name("example.org"),
                .primary = {.at = w->primary->dns.at},
                .tsig = &w->primary->key,
                .password = &p,
                .selector = S("dkim-%d"),
                .arc_selector = S("arc-%d"),
                .has_ed25519 = true,
                .validity_s = 30 * 86400,
                .overlap_s = 7 * 86400,
                .queue_life_s = 5 * 86400,
                .ttl_s = 60,
        };
        assert_int_equal(zone_keeper_new(w->h, &config, &w->keepers[w->keeper_count]), ERR_OK);
        w->keeper_count++;
}

static inline void run_signer(void *arg)
{
        struct world *w = arg;
        (void)signer_serve(&w->signer, w->loop.listener);
}

static inline void start(struct world *w)
{
        struct signer_config config = {
                .host = w->h,
                .keepers = w->keepers,
                .keeper_count = w->keeper_count,
                .hostname = S("nec.example.org"),
                .destination = w->hop.loop.at,
                .accept_from = &w->accept_from,
                .accept_from_count = 1,
                .memory = MEMORY,
                .authserv_id = S("mx.example.org"),
                .resolver = w->resolver,
        };
        w->accept_from = (struct ip_net){ip_v4(127, 0, 0, 0), 8};
        signer_init(&w->signer, &config);
        assert_int_equal(scope_spawn(&w->scope, "signer", run_signer, w), ERR_OK);
        assert_int_equal(scope_spawn(&w->scope, "hop", hop_run, &w->hop), ERR_OK);
}

static inline void wait_ready(struct world *w)
{
        struct zone_signing_set set;
        for (size_t i = 0; i < w->keeper_count; i++) {
                struct zone_keeper *k = w->keepers[i];
                assert_int_equal(scope_spawn(&w->scope, "zone", zone_keeper_run, k), ERR_OK);
                while (zone_keeper_keys(k, &set) != ERR_OK || !set.keys[ZONE_DKIM_ED25519].key ||
                        !set.keys[ZONE_ARC_RSA].key)
                        assert_int_equal(fiber_sleep(w->h->sched, 10), ERR_OK);
        }
}

/* The client. */

static inline enum err connect_client(struct world *w)
{
        struct smtp_out_config config = {.to = w->loop.at, .client = {.hello = S("client.example")}};
        return smtp_out_open(&w->client, w->h, &config, &w->reply);
}

/* When all sessions are over: the next message goes over a new connection to the next hop. */
static inline void forget_hops(struct world *w)
{
        while (w->signer.gate.open > 0)
                assert_int_equal(fiber_sleep(w->h->sched, 1), ERR_OK);
        signer_hops_drop(&w->signer.hops);
}

static inline void keep_reply(struct world *w, enum err e)
{
        assert_int_equal(e, ERR_OK);
        memcpy(w->text, w->reply.text.p, w->reply.text.n);
        w->reply.text = str_of(w->text, w->reply.text.n);
}

static inline void expect(struct world *w, enum err e, uint16_t code, const char *text)
{
        keep_reply(w, e);
        if (w->reply.code != code || str_find(w->reply.text, str_of_c(text)) == w->reply.text.n)
                fail_msg("%u %.*s, not %u %s", w->reply.code, STR_ARG(w->reply.text), code, text);
}

static inline void begin(struct world *w, const char *to)
{
        struct smtp_mail_params params = {0};
        expect(w, smtp_out_mail(&w->client, S("return@example.net"), &params, &w->reply), 250, "hop sender");
        expect(w, smtp_out_rcpt(&w->client, str_of_c(to), &w->reply), 250, "hop recipient");
        expect(w, smtp_out_data(&w->client, &w->reply), 354, "");
}

static inline void end(struct world *w, struct str message, uint16_t code, const char *text)
{
        assert_int_equal(smtp_out_body(&w->client, message), ERR_OK);
        expect(w, smtp_out_end(&w->client, &w->reply), code, text);
}

/* One message in a session of its own. */
static inline void post_str(
        struct world *w, const char *to, struct str message, uint16_t code, const char *text)
{
        assert_int_equal(connect_client(w), ERR_OK);
        begin(w, to);
        end(w, message, code, text);
        smtp_out_quit(&w->client);
        smtp_out_close(&w->client);
}

static inline void post(struct world *w, const char *to, const char *message, uint16_t code, const char *text)
{
        post_str(w, to, str_of_c(message), code, text);
}

#define FROM "From: A <" AUTHOR ">\r\n"
#define MESSAGE FROM "Subject: hello\r\n\r\nbody\r\n..\r\n"

/* Framing. */

static struct world *the_world; /* cmocka hands its state to a group only by a function without arguments */

static inline int give_world(void **state)
{
        *state = the_world;
        return 0;
}

static inline void run_world(void *arg)
{
        struct world *w = arg;
        w->primary = malloc(sizeof *w->primary);
        CHECK(w->primary);
        w->loop.host = w->hop.loop.host = w->h;
        w->hop.gate.most = 10;
        w->hop.config.gate = &w->hop.gate;
        w->hop.config.server = (struct smtp_server_config){.hostname = S("hop.example"),
                .offer = {.pipelining = true, .size = true, .mime_8bit = true, .enhanced = true}};
        scope_open(&w->scope, w->h->sched, FIBER_NEVER);
        fake_primary_start(w->primary, w->h, &w->scope);
        loopback_listen(&w->loop);
        loopback_listen(&w->hop.loop);
        make_keeper(w, S(DOMAIN));
        if (w->has_second)
                make_keeper(w, S(SECOND));
        struct resolver_config names = {.servers = &(struct dns_server){.at = w->primary->dns.at},
                .server_count = 1,
                .timeout_ms = 100,
                .rounds = 2};
        w->resolver = resolver_new(w->h, &names);
        CHECK(w->resolver);
        start(w);
        w->failed = w->tests();
        scope_cancel(&w->scope);
        (void)scope_join(&w->scope);
        smtp_out_close(&w->left);
        CHECK(w->signer.reserved == 0);
        signer_drop(&w->signer);
        resolver_free(w->resolver);
        host_listener_close(w->h, w->loop.listener);
        if (w->hop.loop.listener)
                host_listener_close(w->h, w->hop.loop.listener);
        fake_stop(&w->primary->dns);
        zone_keeper_free(w->keepers[0]);
        zone_keeper_free(w->keepers[1]);
        free(w->primary);
        free(w->hop.message);
}

static inline int run_in_world(int (*tests)(void), bool has_second)
{
        the_world = calloc(1, sizeof *the_world);
        CHECK(the_world);
        the_world->tests = tests;
        the_world->has_second = has_second;
        the_world->h = linux_host_new(NULL);
        CHECK(the_world->h);
        linux_host_run(the_world->h, run_world, the_world);
        linux_host_free(the_world->h);
        int failed = the_world->failed;
        free(the_world);
        return failed;
}

#endif
