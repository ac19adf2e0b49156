/* SPDX-License-Identifier: ISC */
/* Mail hosts with each temperament, spoken to by hand and by the product's client. */
#include "tests/sim/mx.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "host/sim/sim.h"
#include "serve/smtp_out.h"
#include "tests/sim/signed_rig.h"
#include "tests/sim/talk.h"

#define MINUTE_MS (60 * 1000LL)

struct world {
        struct sim *sim;
        struct signed_rig rig;
        struct mx *mx;
        struct host *host; /* of the client */
        struct sim_node *mx_node, *client_node;
        struct ip_port at;
        char trace[4000]; /* the last lines of the mail host */
        void (*play)(struct world *w);
        struct mx_temper temper;
};

static int64_t now_ms(void *ctx)
{
        return sim_now(((struct world *)ctx)->sim);
}

static void trace(void *ctx, const char *node, struct str line)
{
        struct world *w = ctx;
        size_t n = strlen(w->trace);
        if (str_eq(str_of_c(node), S("mx1")) && n + line.n + 3 < sizeof w->trace)
                (void)snprintf(w->trace + n, sizeof w->trace - n, "%.*s\n", STR_ARG(line));
}

static void is_traced(struct world *w, const char *line)
{
        if (!strstr(w->trace, line))
                fail_msg("\"%s\" is not in the trace:\n%s", line, w->trace);
}

static void nothing_is_wrong(struct world *w)
{
        if (ledger_violations(w->rig.ledger) > 0)
                fail_msg("%s: %s", ledger_violation(w->rig.ledger, 0)->invariant,
                        ledger_violation(w->rig.ledger, 0)->story);
}

static void is_blamed(struct world *w, const char *invariant, const char *part)
{
        for (size_t i = 0; ledger_violation(w->rig.ledger, i); i++)
                if (strcmp(ledger_violation(w->rig.ledger, i)->invariant, invariant) == 0 &&
                        strstr(ledger_violation(w->rig.ledger, i)->story, part))
                        return;
        fail_msg("%s with \"%s\" is not told", invariant, part);
}

static void pass_ms(struct world *w, int64_t ms)
{
        assert_int_equal(fiber_sleep(w->host->sched, ms), ERR_OK);
}

/* ---- by hand ---- */

static unsigned hello(struct world *w, struct talk *t)
{
        unsigned code = talk_open(t, w->host, &w->at, NULL);
        return code == 220 ? talk_hello(t, "client.test") : code;
}

/* One delivery of a fresh letter to `to`, a command at a time: the first answer that stops it, or the last; 0: the
 * connection went away. */
static unsigned deliver(struct world *w, struct talk *t, const char *to)
{
        uint32_t try = rig_try(&w->rig, LETTER_PLAIN, 3000, S("l@list.test"));
        struct buffer b = rig_make(&w->rig, try, &(struct rig_copy){0});
        unsigned code = talk_ask(t, "MAIL FROM:<%s>", RIG_PATH);
        if (code == 250)
                code = talk_ask(t, "RCPT TO:<%s>", to);
        if (code == 250)
                code = talk_ask(t, "DATA");
        if (code == 354) {
                (void)talk_message(t, buffer_text(&b));
                code = talk_reply(t);
        }
        buffer_free(&b);
        return code;
}

/* On a connection of its own. */
static unsigned deliver_alone(struct world *w, const char *to)
{
        struct talk t;
        unsigned code = hello(w, &t);
        if (code == 250)
                code = deliver(w, &t, to);
        talk_quit(&t);
        return code;
}

static void plain(struct world *w)
{
        struct talk t;
        assert_int_equal(hello(w, &t), 250);
        assert_true(t.has_pipelining && t.has_size && t.has_8bit && !t.has_chunking);
        for (unsigned i = 0; i < 3; i++)
                assert_int_equal(deliver(w, &t, "bob@b.test"), 250);
        talk_quit(&t);
        pass_ms(w, 1000);
        is_traced(w, "connection 0 dot 3 answered 250\nconnection 0 ended: quit");
        assert_int_equal(ledger_copies(w->rig.ledger), 3);
        nothing_is_wrong(w);
}

static void ends_are_told(struct world *w)
{
        struct talk t;
        assert_int_equal(hello(w, &t), 250);
        assert_int_equal(deliver(w, &t, "bob@b.test"), 250);
        talk_close(&t);
        pass_ms(w, 1000);
        is_traced(w, "connection 0 ended: eof");
        assert_int_equal(hello(w, &t), 250);
        pass_ms(w, 6 * MINUTE_MS);
        is_traced(w, "connection 1 ended: silence");
        talk_close(&t);
        assert_int_equal(hello(w, &t), 250);
        (void)sim_link_cut(w->sim, NULL, NULL, SIM_CUT_RESET);
        pass_ms(w, 1000);
        is_traced(w, "connection 2 ended: reset");
        talk_close(&t);
        assert_int_equal(hello(w, &t), 250);
        sim_node_stop(w->mx_node);
        pass_ms(w, 1000);
        is_traced(w, "connection 3 ended: died");
        talk_close(&t);
}

static void greylists(struct world *w)
{
        assert_int_equal(deliver_alone(w, "bob@b.test"), 450);
        pass_ms(w, 4 * MINUTE_MS);
        assert_int_equal(deliver_alone(w, "bob@b.test"), 450);
        assert_int_equal(deliver_alone(w, "cat@b.test"), 450);
        pass_ms(w, 2 * MINUTE_MS);
        assert_int_equal(deliver_alone(w, "bob@b.test"), 250);
        assert_int_equal(deliver_alone(w, "cat@b.test"), 450);
        pass_ms(w, 4 * MINUTE_MS);
        assert_int_equal(deliver_alone(w, "cat@b.test"), 250);
        nothing_is_wrong(w);
}

static void limits_a_connection(struct world *w)
{
        struct talk t;
        assert_int_equal(hello(w, &t), 250);
        assert_int_equal(deliver(w, &t, "bob@b.test"), 250);
        assert_int_equal(deliver(w, &t, "bob@b.test"), 250);
        assert_int_equal(deliver(w, &t, "bob@b.test"), 421);
        assert_true(strstr(t.text, "4.7.0") != NULL);
        assert_int_equal(talk_reply(&t), 0);
        talk_close(&t);
        assert_int_equal(deliver_alone(w, "bob@b.test"), 250);
}

static void limits_an_hour(struct world *w)
{
        for (unsigned i = 0; i < 3; i++)
                assert_int_equal(deliver_alone(w, "bob@b.test"), 250);
        assert_int_equal(deliver_alone(w, "bob@b.test"), 421);
        pass_ms(w, 59 * MINUTE_MS);
        assert_int_equal(deliver_alone(w, "bob@b.test"), 421);
        pass_ms(w, 2 * MINUTE_MS);
        assert_int_equal(deliver_alone(w, "bob@b.test"), 250);
}

static void storms(struct world *w)
{
        unsigned good = 0, bad = 0;
        for (unsigned i = 0; i < 40; i++) {
                unsigned code = deliver_alone(w, "bob@b.test");
                assert_true(code == 250 || code / 100 == 4);
                good += code == 250;
                bad += code != 250;
        }
        assert_true(good > 3 && bad > 3);
        assert_int_equal(ledger_copies(w->rig.ledger), good);
        nothing_is_wrong(w);
}

static void refuses_users(struct world *w)
{
        assert_int_equal(deliver_alone(w, "BOB@b.test"), 550);
        assert_int_equal(deliver_alone(w, "cat@b.test"), 250);
}

static void serves_its_domains(struct world *w)
{
        ledger_member(w->rig.ledger, w->rig.list, S("dan@d.test"), LEDGER_IN);
        assert_int_equal(deliver_alone(w, "dan@d.test"), 550);
        assert_int_equal(deliver_alone(w, "bob@B.test"), 250);
}

static void greets_slowly(struct world *w)
{
        int64_t before = host_now_ms(w->host);
        assert_int_equal(deliver_alone(w, "bob@b.test"), 250);
        assert_true(host_now_ms(w->host) - before >= 30000);
}

static void reads_slowly(struct world *w)
{
        int64_t before = host_now_ms(w->host);
        assert_int_equal(deliver_alone(w, "bob@b.test"), 250);
        assert_true(host_now_ms(w->host) - before >= 30000); /* more than 3000 bytes, 100 a second */
        nothing_is_wrong(w);
}

static void drops_before(struct world *w)
{
        assert_int_equal(deliver_alone(w, "bob@b.test"), 0);
        assert_int_equal(ledger_copies(w->rig.ledger), 0);
        is_traced(w, "connection 0 dot 1\nconnection 0 ended: dropped");
}

static void drops_after(struct world *w)
{
        assert_int_equal(deliver_alone(w, "bob@b.test"), 0);
        assert_int_equal(ledger_copies(w->rig.ledger), 1);
        is_traced(w, "copy t0 for bob@b.test\nconnection 0 ended: dropped");
}

static void closes_after(struct world *w)
{
        struct talk t;
        assert_int_equal(hello(w, &t), 250);
        assert_int_equal(deliver(w, &t, "bob@b.test"), 250);
        assert_int_equal(talk_reply(&t), 0);
        talk_close(&t);
        is_traced(w, "answered 250\nconnection 0 ended: closed");
}

static void takes_few_recipients(struct world *w)
{
        struct talk t;
        assert_int_equal(hello(w, &t), 250);
        assert_int_equal(talk_ask(&t, "MAIL FROM:<%s>", RIG_PATH), 250);
        assert_int_equal(talk_ask(&t, "RCPT TO:<bob@b.test>"), 250);
        assert_int_equal(talk_ask(&t, "RCPT TO:<cat@b.test>"), 452);
        assert_int_equal(talk_ask(&t, "RSET"), 250);
        assert_int_equal(talk_ask(&t, "MAIL FROM:<%s>", RIG_PATH), 250);
        assert_int_equal(talk_ask(&t, "RCPT TO:<cat@b.test>"), 250);
        talk_quit(&t);
        nothing_is_wrong(w);
}

static void refuses_connections(struct world *w)
{
        static const struct mx_temper calm;
        assert_int_equal(deliver_alone(w, "bob@b.test"), 0);
        mx_temper_set(w->mx, &calm);
        pass_ms(w, 1000);
        assert_int_equal(deliver_alone(w, "bob@b.test"), 250);
        mx_temper_set(w->mx, &w->temper);
        assert_int_equal(deliver_alone(w, "bob@b.test"), 0);
        mx_temper_set(w->mx, &w->temper);
        mx_temper_set(w->mx, &calm);
        pass_ms(w, 1000);
        assert_int_equal(deliver_alone(w, "bob@b.test"), 250);
}

static void takes_no_ehlo(struct world *w)
{
        struct talk t;
        assert_int_equal(hello(w, &t), 250);
        assert_false(t.has_pipelining || t.has_size);
        assert_int_equal(deliver(w, &t, "bob@b.test"), 250);
        assert_int_equal(talk_ask(&t, "MAIL FROM:<%s> SIZE=3", RIG_PATH), 250);
        is_blamed(w, "protocol", "parameters without EHLO");
        talk_quit(&t);
}

/* What a client may not do, and what it may. */
static void blames(struct world *w)
{
        static const struct {
                const char *bytes, *part; /* NULL: nothing to blame */
        } cases[] = {
                {"MAIL FROM:<" RIG_PATH ">\nRSET\r\n", "a bare CR or LF in a command"},
                {"NOOP\r\r\n", "a bare CR or LF in a command"},
                {"XYZZY\r\n", "an unknown command"},
                {"MAIL FROM:<" RIG_PATH ">\r\nMAIL FROM:<>\r\n", "a MAIL that may not be"},
                {"MAIL FROM: nobody\r\n", "a MAIL that may not be"},
                {"MAIL FROM:<" RIG_PATH ">\r\nRCPT TO:<bob@b.test>\r\nDATA\r\nFrom: x\r\n\r\nearly\r\n.\r\n",
                        "bytes behind a command"},
                {"EHLO again\r\nNOOP\r\n", "bytes behind a command"},
                {"MAIL FROM:<" RIG_PATH ">\r\nRCPT TO:<bob@b.test>\r\nRCPT TO:<cat@b.test>\r\nDATA\r\n",
                        NULL},
                {"MAIL FROM:<" RIG_PATH ">\r\nDATA\r\n", NULL},
                {"NOOP\r\nRSET\r\nQUIT\r\n", NULL},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct talk t;
                size_t before = ledger_violations(w->rig.ledger);
                assert_int_equal(hello(w, &t), 250);
                assert_int_equal(talk_send(&t, str_of_c(cases[i].bytes)), ERR_OK);
                pass_ms(w, 1000);
                talk_close(&t);
                pass_ms(w, 1000);
                if (cases[i].part)
                        is_blamed(w, "protocol", cases[i].part);
                if (cases[i].part ? ledger_violations(w->rig.ledger) == before
                                  : ledger_violations(w->rig.ledger) != before)
                        fail_msg("case %zu", i);
        }
}

static void blames_haste(struct world *w)
{
        struct talk t;
        assert_int_equal(hello(w, &t), 250);
        assert_false(t.has_pipelining);
        assert_int_equal(talk_send(&t, S("MAIL FROM:<" RIG_PATH ">\r\nRCPT TO:<bob@b.test>\r\n")), ERR_OK);
        pass_ms(w, 1000);
        is_blamed(w, "protocol", "bytes behind a command");
        talk_quit(&t);
}

static void blames_relaying(struct world *w)
{
        struct talk t;
        assert_int_equal(hello(w, &t), 250);
        assert_int_equal(talk_ask(&t, "MAIL FROM:<%s>", RIG_PATH), 250);
        assert_int_equal(talk_ask(&t, "RCPT TO:<eve@evil.test>"), 550);
        is_blamed(w, "relayed", "eve@evil.test");
        talk_quit(&t);
}

/* ---- the product's client ---- */

/* Delivers to both members in the product's way; gives the answer to the message. */
static unsigned deliver_smtp_out(struct world *w, struct smtp_out *o, enum letter_shape shape)
{
        static const struct str to[] = {{"bob@b.test", 10}, {"cat@b.test", 10}};
        struct smtp_out_config config = {.to = w->at, .client = {.hello = S("client.test")}};
        struct smtp_reply reply, mail, rcpt[2], data;
        size_t accepted;
        if (!o->tcp)
                assert_int_equal(smtp_out_open(o, w->host, &config, &reply), ERR_OK);
        struct smtp_out_envelope e = {.from = S(RIG_PATH), .to = to, .to_n = 2, .wants_data = true};
        assert_int_equal(smtp_out_envelope(o, &e, &mail, rcpt, &data, &accepted), ERR_OK);
        assert_int_equal(data.code, 354);
        assert_int_equal(accepted, 2);
        uint32_t t = rig_try(&w->rig, shape, 5000, S("l@list.test"));
        struct buffer b = rig_make(&w->rig, t, &(struct rig_copy){0});
        assert_int_equal(smtp_out_body(o, buffer_text(&b)), ERR_OK);
        assert_int_equal(smtp_out_end(o, &reply), ERR_OK);
        buffer_free(&b);
        return reply.code;
}

static void serves_our_client(struct world *w)
{
        struct smtp_out *o = calloc(1, sizeof *o);
        assert_non_null(o);
        for (unsigned i = 0; i < 10; i++)
                assert_int_equal(deliver_smtp_out(w, o, i % 2 ? LETTER_8BIT : LETTER_NO_END), 250);
        smtp_out_quit(o);
        smtp_out_close(o);
        free(o);
        pass_ms(w, 1000);
        is_traced(w, "connection 0 ended: quit");
        assert_int_equal(ledger_copies(w->rig.ledger), 20);
        nothing_is_wrong(w);
        ledger_judge(w->rig.ledger);
        nothing_is_wrong(w);
}

/* ---- bounces ---- */

/* What a bounce says, to a server that answers as it is told. */
struct bounced {
        struct world *w;
        const char *const *codes; /* to RCPT, one a connection */
        size_t connections;
        struct buffer heard;
};

static void hear(struct bounced *b, struct host_tcp *tcp)
{
        char in[2048];
        size_t got, at = 0; /* where what is not answered begins */
        bool in_data = false;
        const char *said = "220 list.test\r\n", *rcpt = b->codes[b->connections++];
        struct host *h = b->w->host;
        int64_t deadline = host_now_ms(h) + MINUTE_MS;
        b->heard.n = 0;
        while (host_tcp_write(h, tcp, str_of_c(said), deadline) == ERR_OK) {
                struct str line;
                do {
                        if (host_tcp_read(h, tcp, in, sizeof in, deadline, &got) != ERR_OK)
                                return;
                        buffer_put(&b->heard, str_of(in, got));
                        line = str_skip(buffer_text(&b->heard), at);
                } while (!str_has_suffix_nocase(line, in_data ? S("\r\n.\r\n") : S("\r\n")));
                at = b->heard.n;
                in_data = str_has_prefix(line, S("DATA\r\n"));
                said = in_data ? "354 go\r\n" : str_has_prefix(line, S("RCPT")) ? rcpt : "250 yes\r\n";
        }
}

/* Serve one connection to the return path's host, at most `ms` from now; whether one came. */
static bool serve_bounce(struct bounced *b, int64_t ms)
{
        struct world *w = b->w;
        struct ip_port at = {ip_v4(10, 0, 0, 2), 25}, peer;
        struct host_listener *l;
        struct host_tcp *tcp;
        assert_int_equal(host_listen(w->host, &at, &l), ERR_OK);
        enum err e = host_accept(w->host, l, host_now_ms(w->host) + ms, &tcp, &peer);
        host_listener_close(w->host, l);
        if (e != ERR_OK)
                return false;
        hear(b, tcp);
        host_tcp_close(w->host, tcp);
        return true;
}

static void bounces(struct world *w)
{
        static const char *const codes[] = {"451 4.3.0 later\r\n", "250 yes\r\n"};
        struct bounced b = {.w = w, .codes = codes};
        assert_int_equal(deliver_alone(w, "bob@b.test"), 250);
        assert_int_equal(mx_bounces(w->mx), 1);
        assert_false(serve_bounce(&b, 59 * MINUTE_MS));
        assert_true(serve_bounce(&b, 2 * MINUTE_MS)); /* put off */
        assert_int_equal(mx_bounces(w->mx), 1);
        assert_true(serve_bounce(&b, 15 * MINUTE_MS));
        pass_ms(w, 1000);
        assert_int_equal(mx_bounces(w->mx), 0);
        static const char *const parts[] = {"MAIL FROM:<>\r\n", "RCPT TO:<" RIG_PATH ">\r\n",
                "\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=part\r\n",
                "\r\nFinal-Recipient: rfc822; bob@b.test\r\nAction: failed\r\nStatus: 5.2.2\r\n",
                "\r\nDiagnostic-Code: smtp; 552 5.2.2 mailbox full\r\n"};
        for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
                assert_true(str_find(buffer_text(&b.heard), str_of_c(parts[i])) < b.heard.n);
        buffer_free(&b.heard);
        nothing_is_wrong(w);
}

static void bounces_are_refused(struct world *w)
{
        static const char *const codes[] = {"550 5.1.1 who?\r\n"};
        struct bounced b = {.w = w, .codes = codes};
        assert_int_equal(deliver_alone(w, "bob@b.test"), 250);
        assert_true(serve_bounce(&b, 61 * MINUTE_MS));
        pass_ms(w, 1000);
        assert_int_equal(mx_bounces(w->mx), 0);
        is_blamed(w, "bounced", "answered 550");
        buffer_free(&b.heard);
}

/* A mail host that is killed goes on with its bounces and its greylist. */
static void lives_again(struct world *w)
{
        static const char *const codes[] = {"250 yes\r\n"};
        struct bounced b = {.w = w, .codes = codes};
        int status;
        assert_int_equal(deliver_alone(w, "bob@b.test"), 450);
        pass_ms(w, 2 * MINUTE_MS);
        assert_int_equal(deliver_alone(w, "bob@b.test"), 250);
        sim_node_kill(w->mx_node, SIM_KILL_PROCESS);
        assert_int_equal(sim_node_join(w->mx_node, FIBER_NEVER, &status), ERR_OK);
        sim_node_start(w->mx_node, mx_run, w->mx);
        assert_int_equal(mx_bounces(w->mx), 1);
        assert_true(serve_bounce(&b, 61 * MINUTE_MS));
        pass_ms(w, 1000);
        assert_int_equal(mx_bounces(w->mx), 0);
        assert_int_equal(deliver_alone(w, "bob@b.test"), 250);
        buffer_free(&b.heard);
}

/* ---- runs ---- */

static int client(struct host *h, void *arg)
{
        struct world *w = arg;
        w->host = h;
        pass_ms(w, 10);
        w->play(w);
        return 0;
}

static void start(struct sim *sim, void *arg)
{
        struct world *w = arg;
        struct ip here = ip_v4(10, 0, 0, 1), there = ip_v4(10, 0, 0, 2);
        int status;
        w->sim = sim;
        w->at = (struct ip_port){here, 25};
        w->mx_node = sim_node_add(sim, "mx1", &here, 1, NULL);
        w->client_node = sim_node_add(sim, "client", &there, 1, NULL);
        struct mx_config config = {.name = "mx1",
                .at = w->at,
                .server = {there, 25},
                .domains = S("a.test,b.test"),
                .ledger = w->rig.ledger,
                .verify = w->rig.verify,
                .seed = 5,
                .temper = w->temper};
        w->mx = mx_new(&config);
        assert_memory_equal(mx_temper_get(w->mx), &w->temper, sizeof w->temper);
        sim_node_start(w->mx_node, mx_run, w->mx);
        sim_node_start(w->client_node, client, w);
        assert_int_equal(sim_node_join(w->client_node, FIBER_NEVER, &status), ERR_OK);
        assert_int_equal(status, 0);
        sim_node_stop(w->mx_node);
        assert_int_equal(sim_node_join(w->mx_node, FIBER_NEVER, &status), ERR_OK);
        assert_int_equal(status, 0);
        mx_free(w->mx);
}

static const struct scene {
        const char *name;
        void (*play)(struct world *w);
        const char *temper; /* traits as words */
} scenes[] = {
        {"plain", plain, ""},
        {"ends are told", ends_are_told, ""},
        {"greylists", greylists, "greylist=5m"},
        {"limits a connection", limits_a_connection, "per-connection=2"},
        {"limits an hour", limits_an_hour, "per-hour=3"},
        {"storms", storms, "storm=15"},
        {"refuses users", refuses_users, "refused-users=abe,bob"},
        {"serves its domains", serves_its_domains, ""},
        {"greets slowly", greets_slowly, "banner-delay=30s"},
        {"reads slowly", reads_slowly, "read-rate=100"},
        {"drops before", drops_before, "drop-before=100"},
        {"drops after", drops_after, "drop-after=100"},
        {"closes after", closes_after, "close-after=100"},
        {"takes few recipients", takes_few_recipients, "recipients=1"},
        {"refuses connections", refuses_connections, "refuse=yes"},
        {"takes no EHLO", takes_no_ehlo, "ehlo=no"},
        {"blames", blames, ""},
        {"blames haste", blames_haste, "pipelining=no"},
        {"blames relaying", blames_relaying, ""},
        {"serves our client", serves_our_client, ""},
        {"serves our client without PIPELINING", serves_our_client, "pipelining=no"},
        {"serves our client with HELO", serves_our_client, "ehlo=no"},
        {"serves our client, slowly", serves_our_client, "read-rate=2000 banner-delay=1m"},
        {"bounces", bounces, "bounce=100 bounce-delay=1h"},
        {"bounces are refused", bounces_are_refused, "bounce=100"},
        {"lives again", lives_again, "greylist=1m bounce=100 bounce-delay=1h"},
};

static void parse(const char *words, struct mx_temper *out)
{
        struct str rest = str_of_c(words), word, trait, value;
        *out = (struct mx_temper){0};
        while (rest.n > 0) {
                (void)str_cut(rest, ' ', &word, &rest);
                assert_true(str_cut(word, '=', &trait, &value));
                assert_int_equal(mx_temper_put(out, trait, value), ERR_OK);
        }
}

static void test_scenes(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof scenes / sizeof scenes[0]; i++) {
                struct world *w = calloc(1, sizeof *w);
                assert_non_null(w);
                print_message("%s\n", scenes[i].name);
                w->play = scenes[i].play;
                parse(scenes[i].temper, &w->temper);
                const struct ledger_config config = {.seed = i, .now_ms = now_ms, .trace = trace, .ctx = w};
                w->sim = sim_new(i, NULL);
                rig_init(&w->rig, KEY_ED25519, &config);
                sim_run(w->sim, start, w);
                if (sim_failure(w->sim))
                        fail_msg("%s", sim_failure(w->sim));
                rig_free(&w->rig);
                sim_free(w->sim);
                free(w);
        }
}

static void test_words(void **state)
{
        static const char *const texts[] = {"", "greylist=5m", "storm=20 refused-users=a,b",
                "banner-delay=1500ms",
                "greylist=1d per-connection=10 per-hour=100 storm=1 refused-users=* banner-delay=30s "
                "read-rate=1000 "
                "drop-before=5 drop-after=6 close-after=50 recipients=1 refuse=yes pipelining=no ehlo=no "
                "bounce=10 "
                "bounce-delay=2h"};
        static const struct {
                const char *trait, *value;
                enum err err;
        } wrong[] = {{"storm", "101", ERR_SYNTAX}, {"storm", "", ERR_SYNTAX}, {"storm", "-1", ERR_SYNTAX},
                {"greylist", "5x", ERR_SYNTAX}, {"refuse", "maybe", ERR_SYNTAX},
                {"moody", "1", ERR_NOT_FOUND}, {"", "", ERR_NOT_FOUND},
                {"per-hour", "4294967296", ERR_SYNTAX},
                {"refused-users",
                        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                        "aaaaaaaaaaaaaaaaaaaa",
                        ERR_SYNTAX}};
        (void)state;
        for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
                struct mx_temper t;
                char room[512];
                struct wr w;
                wr_init(&w, room, sizeof room);
                parse(texts[i], &t);
                mx_temper_write(&t, &w);
                assert_true(str_eq(wr_text(&w), str_of_c(texts[i])));
        }
        for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
                struct mx_temper t = {0};
                assert_int_equal(
                        mx_temper_put(&t, str_of_c(wrong[i].trait), str_of_c(wrong[i].value)), wrong[i].err);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_scenes),
                cmocka_unit_test(test_words),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
