/* SPDX-License-Identifier: ISC */
/* For tests of delivery: mail hosts that are fibers on loopback, each with its own manners, and a store with a post for
 * their users. Host K is named hK.test and stands at 127.0.0.(2 + K); all are on one port. */
#ifndef SERVE_MAIL_HOSTS_H
#define SERVE_MAIL_HOSTS_H

#define _GNU_SOURCE /* mkdtemp, nftw: to be included first */

#include "serve/delivery.h"
#include "serve/fake_dns.h"
#include "serve/smtpd.h"
#include "store/rig.h"

#define HOSTS 4
#define RETRY_MS 300

struct world;

/* What a host says by heart, and how what it then waits for ends; NULL: it waits for nothing more. */
struct mail_step {
        const char *say, *until;
};

/* One mail host. What it answers at each point is `at`; the default is to take everything. */
struct mail_host {
        struct world *world;
        struct host_listener *listener;
        struct smtpd_gate gate;
        struct smtp_reply (*greet)(struct mail_host *m);
        struct smtp_reply (*rcpt)(struct mail_host *m, const struct smtp_path *to);
        struct smtp_reply (*end)(struct mail_host *m);
        bool is_mute;  /* takes the connection and never speaks */
        bool is_hasty; /* closes without a word after each message */
        const struct mail_step
                *script;  /* instead of all manners, for one message; the last step waits for nothing */
        bool no_smtputf8; /* is not offered */
        bool has_chunks;  /* CHUNKING is offered */
        int64_t idle_ms;
        size_t connections, rcpts, taken;
        size_t most_open; /* for what the test wants, as `is_full` */
        bool is_full;     /* for what the test wants */
};

struct world {
        struct rig *rig;
        struct host *h;
        struct lipap node;
        struct fake_dns dns;
        struct dns_server server;
        struct scope hosts, delivery;
        struct mail_host at[HOSTS];
        uint16_t port;
        int64_t message;
        bool is_in_order;
};

/* ---- names: hK.test and all below it have the address of host K; those below
 * shared.test have host 3 for MX; null.test takes no mail; others are unknown ---- */

static inline void answer(struct fake_dns *s, const struct fake_query *q)
{
        struct fake_message m;
        const struct dns_question *asked = &q->summary.question;
        struct dns_name name, nowhere;
        char text[32], rdata[64];
        struct wr w;
        wr_init(&w, rdata, sizeof rdata);
        CHECK(dns_name_parse(S("null.test"), &nowhere) == ERR_OK);
        if (dns_name_eq(&asked->name, &nowhere)) {
                fake_begin(&m, q, DNS_RCODE_NOERROR, false);
                if (asked->type == DNS_TYPE_MX) {
                        CHECK(dns_name_parse(S("."), &name) == ERR_OK);
                        dns_mx_write_wire(&w, &(struct dns_mx){0, name});
                        fake_record(&m, DNS_ANSWER, &nowhere, DNS_TYPE_MX, 60, wr_text(&w));
                }
                fake_reply(s, q, fake_end(&m));
                return;
        }
        CHECK(dns_name_parse(S("shared.test"), &nowhere) == ERR_OK);
        if (dns_name_is_under(&asked->name, &nowhere)) {
                fake_begin(&m, q, DNS_RCODE_NOERROR, false);
                CHECK(dns_name_parse(S("h3.test"), &name) == ERR_OK);
                dns_mx_write_wire(&w, &(struct dns_mx){10, name});
                if (asked->type == DNS_TYPE_MX)
                        fake_record(&m, DNS_ANSWER, &asked->name, DNS_TYPE_MX, 60, wr_text(&w));
                fake_reply(s, q, fake_end(&m));
                return;
        }
        for (uint8_t i = 0; i < HOSTS; i++) {
                (void)snprintf(text, sizeof text, "h%u.test", i);
                CHECK(dns_name_parse(str_of_c(text), &name) == ERR_OK);
                if (!dns_name_is_under(&asked->name, &name))
                        continue;
                struct ip ip = ip_v4(127, 0, 0, (uint8_t)(2 + i));
                fake_begin(&m, q, DNS_RCODE_NOERROR, false);
                dns_address_write_wire(&w, &ip);
                if (asked->type == DNS_TYPE_A)
                        fake_record(&m, DNS_ANSWER, &asked->name, DNS_TYPE_A, 60, wr_text(&w));
                fake_reply(s, q, fake_end(&m));
                return;
        }
        fake_begin(&m, q, DNS_RCODE_NXDOMAIN, false);
        fake_reply(s, q, fake_end(&m));
}

/* ---- mail hosts ---- */

static inline struct smtp_reply on_connect(void *ctx)
{
        struct mail_host *m = ctx;
        return m->greet ? m->greet(m) : smtp_reply_plain(220, S("ready"));
}

static inline struct smtp_reply on_mail(void *ctx, const struct smtp_mail *mail)
{
        (void)ctx;
        (void)mail;
        return smtp_reply_of(250, 1, 0, S("yes"));
}

static inline struct smtp_reply on_rcpt(void *ctx, const struct smtp_path *to)
{
        struct mail_host *m = ctx;
        m->rcpts++;
        return m->rcpt ? m->rcpt(m, to) : smtp_reply_of(250, 1, 5, S("yes"));
}

static inline void on_body(void *ctx, struct str bytes)
{
        (void)ctx;
        (void)bytes;
}

static inline struct smtp_reply on_end(void *ctx, const struct smtpd_message *message)
{
        struct mail_host *m = ctx;
        (void)message;
        struct smtp_reply reply = m->end ? m->end(m) : smtp_reply_of(250, 0, 0, S("kept"));
        m->taken += smtp_reply_is_positive(&reply);
        return reply;
}

static const struct smtpd_handler manners = {
        .connect = on_connect, .mail = on_mail, .rcpt = on_rcpt, .body = on_body, .end = on_end};

static inline void session(void *ctx, struct host_tcp *tcp, const struct ip_port *peer)
{
        struct mail_host *m = ctx;
        const struct smtpd_config config = {.server = {.hostname = S("mx.test"),
                                                    .offer = {.pipelining = true,
                                                            .enhanced = true,
                                                            .mime_8bit = true,
                                                            .smtputf8 = !m->no_smtputf8,
                                                            .chunking = m->has_chunks},
                                                    .idle_ms = m->idle_ms},
                .gate = &m->gate};
        (void)peer;
        m->connections++;
        if (m->is_mute)
                (void)(fiber_sleep(m->world->h->sched, 60000) == ERR_OK);
        else
                (void)smtpd_run(m->world->h, tcp, &config, &manners, m);
}

static const struct mail_step hasty[] = {{"220 hasty\r\n", "\r\n"}, {"250 hasty\r\n", "\r\n"},
        {"250 yes\r\n", "\r\n"}, {"250 yes\r\n", "\r\n"}, {"354 go\r\n", "\r\n.\r\n"},
        {"250 kept\r\n", NULL}};

/* One message by a fixed script, then the connection is closed without a word. */
static inline void scripted_session(void *ctx, struct host_tcp *tcp, const struct ip_port *peer)
{
        struct mail_host *m = ctx;
        const struct mail_step *step = m->script ? m->script : hasty;
        (void)peer;
        m->connections++;
        for (bool is_last = false; !is_last; step++) {
                char heard[4096];
                size_t n = 0, got;
                struct str until = step->until ? str_of_c(step->until) : S("");
                is_last = !step->until;
                if (host_tcp_write(m->world->h, tcp, str_of_c(step->say), FIBER_NEVER) != ERR_OK)
                        return;
                while (until.n > 0 && !str_has_suffix_nocase(str_of(heard, n), until)) {
                        if (host_tcp_read(m->world->h, tcp, heard + n, sizeof heard - n, FIBER_NEVER, &got) !=
                                ERR_OK)
                                return;
                        n += got;
                }
        }
        m->taken++;
}

static inline void listen_run(void *arg)
{
        struct mail_host *m = arg;
        struct smtpd_listen_config config = {.host = m->world->h,
                .listener = m->listener,
                .gate = &m->gate,
                .session = m->is_hasty || m->script ? scripted_session : session,
                .ctx = m};
        (void)smtpd_listen(&config);
}

static inline void open_hosts(struct world *w)
{
        bool is_open = false;
        while (!is_open) {
                size_t n = 0;
                w->port = (uint16_t)(20000 + host_random_below(w->h, 12000));
                for (is_open = true; is_open && n < HOSTS; n += is_open) {
                        struct ip_port at = {.ip = ip_v4(127, 0, 0, (uint8_t)(2 + n)), .port = w->port};
                        is_open = host_listen(w->h, &at, &w->at[n].listener) == ERR_OK;
                }
                while (!is_open && n > 0)
                        host_listener_close(w->h, w->at[--n].listener);
        }
        for (size_t i = 0; i < HOSTS; i++) {
                w->at[i].world = w;
                w->at[i].gate.most = 200;
                assert_int_equal(scope_spawn(&w->hosts, "host", listen_run, &w->at[i]), ERR_OK);
        }
}

/* ---- the world ---- */

static inline void start(struct world *w, struct rig *r)
{
        rig_start(r);
        w->rig = r;
        w->h = r->h;
        w->dns = (struct fake_dns){.h = r->h, .answer = answer};
        scope_open(&w->hosts, r->h->sched, FIBER_NEVER);
        fake_start(&w->dns, &w->hosts, false);
        open_hosts(w);
        w->server = (struct dns_server){.at = w->dns.at};
        struct resolver_config config = {
                .servers = &w->server, .server_count = 1, .timeout_ms = 500, .rounds = 1};
        w->node = (struct lipap){.host = r->h,
                .store = r->s,
                .resolver = resolver_new(r->h, &config),
                .hostname = S("mx.example.org"),
                .domain_count = 1,
                .retry_first_ms = RETRY_MS,
                .delivery_port = w->port};
        assert_non_null(w->node.resolver);
        w->node.domains[0].name = S("example.org");
        w->node.domains[0].key_count = 1;
        assert_int_equal(token_key_derive(S("seed"), &w->node.domains[0].keys[0]), ERR_OK);
}

static inline void run(struct world *w)
{
        scope_open(&w->delivery, w->h->sched, FIBER_NEVER);
        assert_int_equal(scope_spawn(&w->delivery, "delivery", delivery_run, &w->node), ERR_OK);
}

static inline void halt(struct world *w)
{
        scope_cancel(&w->delivery);
        (void)scope_join(&w->delivery);
}

static inline void stop(struct world *w)
{
        halt(w);
        scope_cancel(&w->hosts);
        (void)scope_join(&w->hosts);
        for (size_t i = 0; i < HOSTS; i++)
                host_listener_close(w->h, w->at[i].listener);
        fake_stop(&w->dns);
        resolver_free(w->node.resolver);
        rig_stop(w->rig);
}

/* A signed post to `list`. */
static inline int64_t put_post(struct world *w, int64_t list, const char *ticket, bool is_smtputf8)
{
        struct store_intake *intake;
        int64_t id;
        struct store_message_new m = {.ticket = str_of_c(ticket),
                .kind = STORE_POST,
                .list = list,
                .domain = S("example.org"),
                .front = S("Front: 1\r\n"),
                .is_smtputf8 = is_smtputf8};
        assert_int_equal(store_intake_begin(w->rig->s, 0, &intake), ERR_OK);
        assert_int_equal(store_intake_write(intake, S("From: a@b.example\r\n\r\nhello\r\n")), ERR_OK);
        assert_int_equal(store_intake_commit(intake, &m, &id), ERR_OK);
        assert_int_equal(store_ticket_sign(w->rig->s, id, S("P: 1\r\n")), ERR_OK);
        return id;
}

/* A list of `count` members at each of the domains, NULL ends them; a signed post for all. */
static inline void post_to(struct world *w, const char *const *domains, size_t count, bool is_smtputf8)
{
        struct str *members, moderator = S("boss@example.org");
        char(*text)[32];
        size_t n = 0, most = 0;
        int64_t list;
        while (domains[most])
                most++;
        most *= count;
        members = calloc(most, sizeof *members);
        text = calloc(most, sizeof *text);
        assert_true(members && text);
        for (size_t d = 0; domains[d]; d++)
                for (size_t i = 0; i < count; i++, n++) {
                        (void)snprintf(text[n], sizeof text[n], "m%zu@%s", i, domains[d]);
                        members[n] = str_of_c(text[n]);
                }
        struct store_list_new new = {.name = S("l"),
                .domain = S("example.org"),
                .moderators = &moderator,
                .moderator_count = 1,
                .members = members,
                .member_count = n};
        assert_int_equal(store_list_add(w->rig->s, &new, &list), ERR_OK);
        free(text);
        free(members);
        w->message = put_post(w, list, "t", is_smtputf8);
}

static inline void post(struct world *w, const char *domain, size_t count)
{
        const char *const domains[] = {domain, NULL};
        post_to(w, domains, count, false);
}

static inline size_t waiting(struct world *w, struct store_waiting **out)
{
        size_t n;
        arena_reset(&w->rig->arena);
        assert_int_equal(
                store_queue_waiting(w->rig->s, w->message, 0, 1000, &w->rig->arena, out, &n), ERR_OK);
        return n;
}

static inline size_t failures(struct world *w, struct store_failure **out)
{
        size_t n;
        arena_reset(&w->rig->arena);
        assert_int_equal(store_failures(w->rig->s, 0, 1000, &w->rig->arena, out, &n), ERR_OK);
        return n;
}

static inline bool is_done(struct world *w)
{
        struct store_message m;
        arena_reset(&w->rig->arena);
        assert_int_equal(store_message_get(w->rig->s, w->message, &w->rig->arena, &m), ERR_OK);
        return m.state == STORE_DONE;
}

/* The count of rows that wait after at least `attempts` tries. */
static inline size_t tried(struct world *w, unsigned attempts)
{
        struct store_waiting *rows;
        size_t n = waiting(w, &rows), count = 0;
        for (size_t i = 0; i < n; i++)
                count += rows[i].attempts >= attempts && !rows[i].in_flight;
        return count;
}

#define WAIT_FOR(w, condition)                                                    \
        do {                                                                      \
                int64_t until_ = host_now_ms((w)->h) + 20000;                     \
                while (!(condition) && host_now_ms((w)->h) < until_)              \
                        assert_int_equal(fiber_sleep((w)->h->sched, 10), ERR_OK); \
                assert_true(condition);                                           \
        } while (0)

/* A test in a world: `name` begins after `start` and ends before `stop`. */
#define WORLD_CASE(name)                                \
        static void name##_rig(struct rig *r)           \
        {                                               \
                struct world *w = calloc(1, sizeof *w); \
                assert_non_null(w);                     \
                name##_prepare(w);                      \
                start(w, r);                            \
                name(w);                                \
                stop(w);                                \
                free(w);                                \
        }                                               \
        static void test_##name(void **state)           \
        {                                               \
                (void)state;                            \
                rig_test(name##_rig);                   \
        }

#endif
