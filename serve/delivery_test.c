/* SPDX-License-Identifier: ISC */
/* Delivery against mail hosts that are fibers on loopback, each with its own manners: their names lead to addresses
 * 127.0.0.2 and up, all on one port. */
#define _GNU_SOURCE /* mkdtemp, nftw */
#include "serve/delivery.h"

#include <time.h>

#include "serve/fake_dns.h"
#include "serve/smtpd.h"
#include "store/rig.h"

#define HOSTS 4
#define RETRY_MS 300

struct world;

/* One mail host. What it answers at each point is `at`; the default is to take everything. */
struct mail_host {
        struct world *world;
        struct host_listener *listener;
        struct smtpd_gate gate;
        struct smtp_reply (*greet)(struct mail_host *m);
        struct smtp_reply (*rcpt)(struct mail_host *m, const struct smtp_path *to);
        struct smtp_reply (*end)(struct mail_host *m);
        bool is_mute;     /* takes the connection and never speaks */
        bool is_hasty;    /* closes without a word after each message */
        bool no_smtputf8; /* is not offered */
        int64_t idle_ms;
        size_t connections, rcpts, taken;
        bool is_full; /* for what the test wants */
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

/* ---- names: hK.test has the address of host K; null.test takes no mail; others are unknown ---- */

static void answer(struct fake_dns *s, const struct fake_query *q)
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
        for (uint8_t i = 0; i < HOSTS; i++) {
                (void)snprintf(text, sizeof text, "h%u.test", i);
                CHECK(dns_name_parse(str_of_c(text), &name) == ERR_OK);
                if (!dns_name_eq(&asked->name, &name))
                        continue;
                struct ip ip = ip_v4(127, 0, 0, (uint8_t)(2 + i));
                fake_begin(&m, q, DNS_RCODE_NOERROR, false);
                dns_address_write_wire(&w, &ip);
                if (asked->type == DNS_TYPE_A)
                        fake_record(&m, DNS_ANSWER, &name, DNS_TYPE_A, 60, wr_text(&w));
                fake_reply(s, q, fake_end(&m));
                return;
        }
        fake_begin(&m, q, DNS_RCODE_NXDOMAIN, false);
        fake_reply(s, q, fake_end(&m));
}

/* ---- mail hosts ---- */

static struct smtp_reply on_connect(void *ctx)
{
        struct mail_host *m = ctx;
        return m->greet ? m->greet(m) : smtp_reply_plain(220, S("ready"));
}

static struct smtp_reply on_mail(void *ctx, const struct smtp_mail *mail)
{
        (void)ctx;
        (void)mail;
        return smtp_reply_of(250, 1, 0, S("yes"));
}

static struct smtp_reply on_rcpt(void *ctx, const struct smtp_path *to)
{
        struct mail_host *m = ctx;
        m->rcpts++;
        return m->rcpt ? m->rcpt(m, to) : smtp_reply_of(250, 1, 5, S("yes"));
}

static void on_body(void *ctx, struct str bytes)
{
        (void)ctx;
        (void)bytes;
}

static struct smtp_reply on_end(void *ctx, const struct smtpd_message *message)
{
        struct mail_host *m = ctx;
        (void)message;
        struct smtp_reply reply = m->end ? m->end(m) : smtp_reply_of(250, 0, 0, S("kept"));
        m->taken += smtp_reply_is_positive(&reply);
        return reply;
}

static const struct smtpd_handler manners = {
        .connect = on_connect, .mail = on_mail, .rcpt = on_rcpt, .body = on_body, .end = on_end};

static void session(void *ctx, struct host_tcp *tcp, const struct ip_port *peer)
{
        struct mail_host *m = ctx;
        const struct smtp_server_config config = {.hostname = S("mx.test"),
                .offer = {.pipelining = true,
                        .enhanced = true,
                        .mime_8bit = true,
                        .smtputf8 = !m->no_smtputf8},
                .idle_ms = m->idle_ms};
        (void)peer;
        m->connections++;
        if (m->is_mute)
                (void)(fiber_sleep(m->world->h->sched, 60000) == ERR_OK);
        else
                (void)smtpd_run(m->world->h, tcp, &config, &manners, m);
}

/* One message by a fixed script, then the connection is closed without a word. */
static void hasty_session(void *ctx, struct host_tcp *tcp, const struct ip_port *peer)
{
        struct mail_host *m = ctx;
        static const struct {
                const char *say, *until;
        } steps[] = {{"220 hasty\r\n", "\r\n"}, {"250 hasty\r\n", "\r\n"}, {"250 yes\r\n", "\r\n"},
                {"250 yes\r\n", "\r\n"}, {"354 go\r\n", "\r\n.\r\n"}, {"250 kept\r\n", NULL}};
        (void)peer;
        m->connections++;
        for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
                char heard[4096];
                size_t n = 0, got;
                struct str until = steps[i].until ? str_of_c(steps[i].until) : S("");
                if (host_tcp_write(m->world->h, tcp, str_of_c(steps[i].say), FIBER_NEVER) != ERR_OK)
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

static void listen_run(void *arg)
{
        struct mail_host *m = arg;
        struct smtpd_listen_config config = {.host = m->world->h,
                .listener = m->listener,
                .gate = &m->gate,
                .session = m->is_hasty ? hasty_session : session,
                .ctx = m};
        (void)smtpd_listen(&config);
}

static void open_hosts(struct world *w)
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
                w->at[i].gate.most = 100;
                assert_int_equal(scope_spawn(&w->hosts, "host", listen_run, &w->at[i]), ERR_OK);
        }
}

/* ---- the world ---- */

static void start(struct world *w, struct rig *r)
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

static void run(struct world *w)
{
        scope_open(&w->delivery, w->h->sched, FIBER_NEVER);
        assert_int_equal(scope_spawn(&w->delivery, "delivery", delivery_run, &w->node), ERR_OK);
}

static void halt(struct world *w)
{
        scope_cancel(&w->delivery);
        (void)scope_join(&w->delivery);
}

static void stop(struct world *w)
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
static int64_t put_post(struct world *w, int64_t list, const char *ticket, bool is_smtputf8)
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
static void post_to(struct world *w, const char *const *domains, size_t count, bool is_smtputf8)
{
        struct str members[600], moderator = S("boss@example.org");
        char(*text)[32] = calloc(600, sizeof *text);
        size_t n = 0;
        int64_t list;
        assert_non_null(text);
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
        w->message = put_post(w, list, "t", is_smtputf8);
}

static void post(struct world *w, const char *domain, size_t count)
{
        const char *const domains[] = {domain, NULL};
        post_to(w, domains, count, false);
}

static size_t waiting(struct world *w, struct store_waiting **out)
{
        size_t n;
        arena_reset(&w->rig->arena);
        assert_int_equal(
                store_queue_waiting(w->rig->s, w->message, 0, 1000, &w->rig->arena, out, &n), ERR_OK);
        return n;
}

static size_t failures(struct world *w, struct store_failure **out)
{
        size_t n;
        arena_reset(&w->rig->arena);
        assert_int_equal(store_failures(w->rig->s, 0, 1000, &w->rig->arena, out, &n), ERR_OK);
        return n;
}

static bool is_done(struct world *w)
{
        struct store_message m;
        arena_reset(&w->rig->arena);
        assert_int_equal(store_message_get(w->rig->s, w->message, &w->rig->arena, &m), ERR_OK);
        return m.state == STORE_DONE;
}

/* The count of rows that wait after at least `attempts` tries. */
static size_t tried(struct world *w, unsigned attempts)
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

/* ---- outcomes ---- */

/* What one final dot brought is on disk before the next: of n members that were taken, at most one row is left over. */
static struct smtp_reply count_rows(struct mail_host *m)
{
        struct store_waiting *rows;
        size_t left = waiting(m->world, &rows);
        if (m->taken + left > 5)
                m->world->is_in_order = false;
        return smtp_reply_of(250, 0, 0, S("kept"));
}

static void committed_before_the_next_dot_prepare(struct world *w)
{
        w->at[0].end = count_rows;
        w->is_in_order = true;
}

static void committed_before_the_next_dot(struct world *w)
{
        post(w, "h0.test", 5);
        run(w);
        WAIT_FOR(w, is_done(w));
        assert_int_equal(w->at[0].taken, 5);
        assert_int_equal(w->at[0].connections, 1);
        assert_true(w->is_in_order);
}
WORLD_CASE(committed_before_the_next_dot)

static struct smtp_reply greylist(struct mail_host *m, const struct smtp_path *to)
{
        (void)to;
        return m->rcpts <= 2 ? smtp_reply_of(450, 7, 1, S("not yet")) : smtp_reply_of(250, 1, 5, S("yes"));
}

static void greylisted_prepare(struct world *w)
{
        w->at[0].rcpt = greylist;
}

/* 450 is a deferral like any 4yz; the pause grows. */
static void greylisted(struct world *w)
{
        struct store_failure *failed;
        int64_t began = host_now_ms(w->h);
        post(w, "h0.test", 1);
        run(w);
        WAIT_FOR(w, is_done(w));
        assert_int_equal(w->at[0].rcpts, 3);
        assert_true(host_now_ms(w->h) - began >= RETRY_MS + 2 * RETRY_MS);
        assert_int_equal(failures(w, &failed), 0);
}
WORLD_CASE(greylisted)

static struct smtp_reply refuse_first(struct mail_host *m, const struct smtp_path *to)
{
        (void)m;
        return str_eq(to->local, S("m0")) ? smtp_reply_of(550, 1, 1, S("nobody"))
                                          : smtp_reply_of(250, 1, 5, S("yes"));
}

static void refused_prepare(struct world *w)
{
        w->at[0].rcpt = refuse_first;
}

/* Lesson: one RCPT refused poisons the rest of the session. */
static void refused(struct world *w)
{
        struct store_failure *failed;
        post(w, "h0.test", 3);
        run(w);
        WAIT_FOR(w, is_done(w));
        assert_int_equal(w->at[0].taken, 2);
        assert_int_equal(w->at[0].connections, 1);
        assert_int_equal(failures(w, &failed), 1);
        assert_int_equal(failed[0].code, 550);
        assert_true(str_eq(failed[0].address, S("m0@h0.test")));
        assert_true(str_eq(failed[0].reply, S("550 5.1.1 nobody")));
}
WORLD_CASE(refused)

static void no_smtputf8_prepare(struct world *w)
{
        w->at[0].no_smtputf8 = true;
}

static void no_smtputf8(struct world *w)
{
        struct store_failure *failed;
        static const char *const domains[] = {"h0.test", "h1.test", NULL};
        post_to(w, domains, 1, true);
        run(w);
        WAIT_FOR(w, is_done(w));
        assert_int_equal(w->at[0].taken, 0);
        assert_int_equal(w->at[1].taken, 1);
        assert_int_equal(failures(w, &failed), 1);
        assert_true(str_has_prefix(failed[0].reply, S("550 5.6.7")));
}
WORLD_CASE(no_smtputf8)

static void null_mx_prepare(struct world *w)
{
        (void)w;
}

static void null_mx(struct world *w)
{
        struct store_failure *failed;
        post(w, "null.test", 2);
        run(w);
        WAIT_FOR(w, is_done(w));
        assert_int_equal(failures(w, &failed), 2);
        assert_int_equal(failed[0].code, 556);
}
WORLD_CASE(null_mx)

/* ---- connections ---- */

/* 421 in the middle: the second message on a connection. */
static struct smtp_reply one_each(struct mail_host *m, const struct smtp_path *to)
{
        (void)to;
        return m->taken == m->connections ? smtp_reply_of(421, 7, 0, S("enough for one connection"))
                                          : smtp_reply_of(250, 1, 5, S("yes"));
}

static void enough_of_a_session_prepare(struct world *w)
{
        w->at[0].rcpt = one_each;
}

/* A server that takes one message a connection is given the next at once over another, and no try is counted. */
static void enough_of_a_session(struct world *w)
{
        w->node.retry_first_ms = 60000; /* a try that counts would come too late */
        post(w, "h0.test", 4);
        run(w);
        WAIT_FOR(w, is_done(w));
        assert_int_equal(w->at[0].taken, 4);
        assert_int_equal(w->at[0].connections, 4);
}
WORLD_CASE(enough_of_a_session)

static struct smtp_reply go_away(struct mail_host *m)
{
        return m->is_full ? smtp_reply_of(421, 3, 2, S("closing down")) : smtp_reply_plain(220, S("ready"));
}

static void closing_down_prepare(struct world *w)
{
        w->at[0].greet = go_away;
        w->at[0].is_full = true;
}

/* The whole destination failed: all that waits for it is deferred by one connection, and what comes then is not tried
 * in vain. Nothing is lost. */
static void closing_down(struct world *w)
{
        struct store_waiting *rows;
        struct store_failure *failed;
        w->node.retry_first_ms = 1500;
        post(w, "h0.test", 200);
        run(w);
        WAIT_FOR(w, tried(w, 1) == 200);
        assert_int_equal(w->at[0].connections, 1);
        assert_int_equal(waiting(w, &rows), 200);
        assert_true(str_eq(rows[0].reply, S("421 4.3.2 closing down")));
        w->at[0].is_full = false;
        WAIT_FOR(w, is_done(w));
        assert_int_equal(w->at[0].taken, 200);
        assert_int_equal(failures(w, &failed), 0);
}
WORLD_CASE(closing_down)

static struct smtp_reply one_at_a_time(struct mail_host *m)
{
        return m->gate.open > 1 ? smtp_reply_of(421, 7, 0, S("one connection each"))
                                : smtp_reply_plain(220, S("ready"));
}

static struct smtp_reply take_time(struct mail_host *m)
{
        (void)(fiber_sleep(m->world->h->sched, 5) == ERR_OK);
        return smtp_reply_of(250, 0, 0, S("kept"));
}

static void one_connection_each_prepare(struct world *w)
{
        w->at[0].greet = one_at_a_time;
        w->at[0].end = take_time;
}

/* A host that refuses the second connection gets all over the first, and nothing is deferred. */
static void one_connection_each(struct world *w)
{
        w->node.retry_first_ms = 60000;
        post(w, "h0.test", 100);
        run(w);
        WAIT_FOR(w, is_done(w));
        assert_int_equal(w->at[0].taken, 100);
        assert_true(w->at[0].connections > 1 && w->at[0].connections < 10);
}
WORLD_CASE(one_connection_each)

static void went_stale_prepare(struct world *w)
{
        w->at[0].is_hasty = true;
        w->at[1].idle_ms = 100;
}

/* A reused connection that the other side closed, with or without a word, is opened anew without counting a try. */
static void went_stale(struct world *w)
{
        static const char *const domains[] = {"h0.test", "h1.test", NULL};
        w->node.retry_first_ms = 60000; /* a try that counts would come too late */
        post_to(w, domains, 3, false);
        run(w);
        WAIT_FOR(w, is_done(w));
        assert_int_equal(w->at[0].taken, 3);
        assert_int_equal(w->at[0].connections, 3);
        assert_int_equal(w->at[1].connections, 1);
        /* the host hangs up on the idle connection while the worker still has it */
        assert_int_equal(fiber_sleep(w->h->sched, 500), ERR_OK);
        struct store_message m;
        assert_int_equal(store_message_get(w->rig->s, w->message, &w->rig->arena, &m), ERR_OK);
        w->message = put_post(w, m.list, "u", false);
        bell_ring(&w->node.delivery_bell);
        WAIT_FOR(w, is_done(w));
        assert_int_equal(w->at[1].taken, 6);
        assert_int_equal(w->at[1].connections, 2);
}
WORLD_CASE(went_stale)

/* ---- time ---- */

static struct smtp_reply never_yet(struct mail_host *m, const struct smtp_path *to)
{
        (void)m;
        (void)to;
        return smtp_reply_of(451, 7, 1, S("never"));
}

static void pauses_grow_prepare(struct world *w)
{
        w->at[0].rcpt = never_yet;
}

static void pauses_grow(struct world *w)
{
        struct store_waiting *rows;
        int64_t pause = RETRY_MS;
        post(w, "h0.test", 1);
        run(w);
        for (unsigned i = 1; i <= 4; i++, pause *= 2) {
                int64_t before = host_wall_ms(w->h);
                WAIT_FOR(w, tried(w, i) == 1);
                assert_int_equal(waiting(w, &rows), 1);
                assert_in_range(
                        rows[0].next_ms, before + pause - 5, host_wall_ms(w->h) + pause + pause / 4 + 5);
        }
}
WORLD_CASE(pauses_grow)

static void gives_up_after_five_days_prepare(struct world *w)
{
        w->at[0].rcpt = never_yet;
}

/* Two rows that were first tried long ago: one a little under five days, one a little over. */
static void gives_up_after_five_days(struct world *w)
{
        static const int64_t ages[] = {DELIVERY_LIFE_MS - 3600000, DELIVERY_LIFE_MS + 3600000};
        struct store_delivery *rows;
        struct store_waiting *left;
        struct store_failure *failed;
        size_t n;
        post(w, "h0.test", 2);
        for (size_t i = 0; i < 2; i++) {
                int64_t then = host_wall_ms(w->h) - ages[i];
                assert_int_equal(store_post_fill(w->rig->s, then, 1, &w->rig->arena, &rows, &n), ERR_OK);
                assert_int_equal(n, 1);
                assert_int_equal(store_delivery_defer(w->rig->s, rows[0].id, then, S("451 never")), ERR_OK);
        }
        w->node.retry_first_ms = 60000;
        run(w);
        WAIT_FOR(w, failures(w, &failed) == 1);
        assert_true(str_eq(failed[0].address, S("m1@h0.test")));
        assert_true(str_eq(failed[0].reply, S("451 4.7.1 never")));
        WAIT_FOR(w, tried(w, 2) == 1);
        assert_int_equal(waiting(w, &left), 1);
        assert_true(str_eq(left[0].address, S("m0@h0.test")));
}
WORLD_CASE(gives_up_after_five_days)

static void clock_was_put_back_prepare(struct world *w)
{
        w->at[0].greet = NULL;
}

/* A row that is due in a day, though no pause is that long, was queued under a clock that was a day ahead. */
static void clock_was_put_back(struct world *w)
{
        struct store_delivery *rows;
        struct store_waiting *left;
        size_t n;
        int64_t day = 24LL * 60 * 60 * 1000, now = host_wall_ms(w->h);
        post(w, "h0.test", 1);
        assert_int_equal(store_post_fill(w->rig->s, now + day, 1, &w->rig->arena, &rows, &n), ERR_OK);
        assert_int_equal(store_delivery_defer(w->rig->s, rows[0].id, now + day, S("451 later")), ERR_OK);
        run(w);
        WAIT_FOR(w, waiting(w, &left) == 1 && left[0].next_ms < now + day);
        assert_in_range(left[0].next_ms, now, now + DELIVERY_RETRY_MOST_MS * 3LL / 2);
}
WORLD_CASE(clock_was_put_back)

static int64_t jump_ms;

static int64_t jumped_wall_ms(struct host *h)
{
        (void)h;
        struct timespec t;
        CHECK(clock_gettime(CLOCK_REALTIME, &t) == 0);
        return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000 + jump_ms;
}

static struct smtp_reply greylist_long(struct mail_host *m, const struct smtp_path *to)
{
        (void)to;
        return m->rcpts <= 20 ? smtp_reply_of(450, 7, 1, S("not yet")) : smtp_reply_of(250, 1, 5, S("yes"));
}

static void clock_jumps_prepare(struct world *w)
{
        w->at[0].rcpt = greylist_long;
}

/* While it runs, a wall clock that is set by a month neither stops what waits nor makes it due, nor old enough to be
 * given up. */
static void clock_jumps(struct world *w)
{
        static const int64_t months[] = {-30, 30};
        const struct host_ops *ops = w->h->ops;
        struct host_ops jumped = *ops;
        struct store_failure *failed;
        jumped.wall_ms = jumped_wall_ms;
        jump_ms = 0;
        w->h->ops = &jumped;
        w->node.retry_first_ms = 1000;
        post(w, "h0.test", 20);
        for (size_t i = 0; i < 2; i++) {
                w->at[0].rcpts = 0;
                jump_ms = 0;
                int64_t began = host_now_ms(w->h);
                run(w);
                WAIT_FOR(w, tried(w, 1) == 20);
                jump_ms = months[i] * 24 * 60 * 60 * 1000;
                WAIT_FOR(w, is_done(w));
                assert_true(host_now_ms(w->h) - began >= 1000);
                assert_int_equal(w->at[0].rcpts, 40);
                halt(w);
                struct store_message m;
                assert_int_equal(store_message_get(w->rig->s, w->message, &w->rig->arena, &m), ERR_OK);
                if (i == 0)
                        w->message = put_post(w, m.list, "u", false);
        }
        assert_int_equal(failures(w, &failed), 0);
        run(w); /* what `stop` halts */
        w->h->ops = ops;
}
WORLD_CASE(clock_jumps)

/* ---- fairness and the end ---- */

static void mute_host_prepare(struct world *w)
{
        w->at[0].is_mute = true;
}

/* A host that takes connections and never speaks, for which more waits than fits into memory, holds up no other, and
 * gets one connection. What was taken into memory for it in vain counts as no try. */
static void mute_host(struct world *w)
{
        static const char *const domains[] = {"h1.test", NULL};
        assert_true(DELIVERY_JOBS_MAX < 4 * 500); /* else the loops below make too few */
        struct str first[500];
        char(*text)[32] = calloc(500, sizeof *text);
        int64_t list;
        assert_non_null(text);
        for (size_t i = 0; i < 500; i++) {
                (void)snprintf(text[i], sizeof text[i], "x%zu@h0.test", i);
                first[i] = str_of_c(text[i]);
        }
        struct store_list_new dead = {
                .name = S("dead"), .domain = S("example.org"), .members = first, .member_count = 500};
        assert_int_equal(store_list_add(w->rig->s, &dead, &list), ERR_OK);
        free(text);
        for (int i = 0; i < 4; i++) {
                char ticket[8];
                (void)snprintf(ticket, sizeof ticket, "d%d", i);
                (void)put_post(w, list, ticket, false);
        }
        run(w);
        WAIT_FOR(w, w->at[0].connections > 0);
        assert_int_equal(fiber_sleep(w->h->sched, 300), ERR_OK); /* its jobs fill the memory */
        post_to(w, domains, 20, false);
        bell_ring(&w->node.delivery_bell);
        WAIT_FOR(w, is_done(w));
        assert_int_equal(w->at[1].taken, 20);
        assert_int_equal(w->at[0].connections, 1);
        w->message = 1;
        assert_int_equal(tried(w, 1), 0);
}
WORLD_CASE(mute_host)

static struct smtp_reply think(struct mail_host *m)
{
        m->is_full = true;
        (void)(fiber_sleep(m->world->h->sched, 300) == ERR_OK);
        return smtp_reply_of(250, 0, 0, S("kept"));
}

static void stopped_behind_the_dot_prepare(struct world *w)
{
        w->at[0].end = think;
}

/* Delivery ends while a host thinks about a message that it has: its word is waited for and kept, or the next start
 * would send a second copy. What had no turn waits in the store. */
static void stopped_behind_the_dot(struct world *w)
{
        struct store_waiting *rows;
        post(w, "h0.test", 4);
        run(w);
        WAIT_FOR(w, w->at[0].is_full);
        int64_t began = host_now_ms(w->h);
        halt(w);
        assert_true(host_now_ms(w->h) - began < 3000);
        assert_int_equal(w->at[0].taken, 1);
        assert_int_equal(waiting(w, &rows), 3);
        for (size_t i = 0; i < 3; i++)
                assert_true(!rows[i].in_flight && rows[i].attempts == 0);
        w->at[0].end = NULL;
        run(w);
        WAIT_FOR(w, is_done(w));
        assert_int_equal(w->at[0].taken, 4);
}
WORLD_CASE(stopped_behind_the_dot)

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_committed_before_the_next_dot),
                cmocka_unit_test(test_greylisted),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_no_smtputf8),
                cmocka_unit_test(test_null_mx),
                cmocka_unit_test(test_enough_of_a_session),
                cmocka_unit_test(test_closing_down),
                cmocka_unit_test(test_one_connection_each),
                cmocka_unit_test(test_went_stale),
                cmocka_unit_test(test_pauses_grow),
                cmocka_unit_test(test_gives_up_after_five_days),
                cmocka_unit_test(test_clock_was_put_back),
                cmocka_unit_test(test_clock_jumps),
                cmocka_unit_test(test_mute_host),
                cmocka_unit_test(test_stopped_behind_the_dot),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
