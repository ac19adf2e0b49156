/* SPDX-License-Identifier: ISC */
/* STARTTLS between our server and our client, over loopback. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "serve/loopback.h"
#include "serve/smtp_out.h"
#include "serve/smtpd.h"

#define MESSAGE_SIZE (300 * 1024) /* many records */

struct rig {
        struct loopback loop; /* first */
        struct smtpd_config config;
        struct smtpd_gate gate;
        struct scope scope;
        struct crypto_key *key;
        struct tls_context *server, *client;
        uint8_t key_hash[SHA256_SIZE];
        uint64_t message_n;
        unsigned hellos, ended, secured, failed;
        char fault[128];
        bool is_scripted; /* the server is `play_server` */
        void (*run)(struct rig *r);
};

static struct smtp_reply on_hello(void *ctx, bool is_extended, struct str name)
{
        struct rig *r = ctx;
        (void)is_extended;
        (void)name;
        r->hellos++;
        return smtp_reply_plain(250, S("welcome"));
}

static struct smtp_reply on_mail(void *ctx, const struct smtp_mail *mail)
{
        (void)ctx;
        (void)mail;
        return smtp_reply_of(250, 1, 0, S("sender ok"));
}

static struct smtp_reply on_rcpt(void *ctx, const struct smtp_path *to)
{
        (void)ctx;
        (void)to;
        return smtp_reply_of(250, 1, 5, S("recipient ok"));
}

static void on_body(void *ctx, struct str bytes)
{
        struct rig *r = ctx;
        r->message_n += bytes.n;
}

static struct smtp_reply on_end(void *ctx, const struct smtpd_message *message)
{
        struct rig *r = ctx;
        (void)message;
        r->ended++;
        return smtp_reply_of(250, 0, 0, S("taken"));
}

static struct tls_context *on_secure(void *ctx)
{
        struct rig *r = ctx;
        return r->server;
}

static void on_secured(void *ctx, const struct tls *tls, const char *fault)
{
        struct rig *r = ctx;
        struct wr w;
        r->secured += tls != NULL;
        r->failed += tls == NULL;
        wr_init(&w, r->fault, sizeof r->fault - 1);
        wr_str(&w, fault ? str_of_c(fault) : S(""));
        r->fault[w.n] = '\0';
}

/* A session of TLS whose client says QUIT, up to its end. */
static void play_server(struct rig *r, struct host_tcp *tcp)
{
        struct loopback *l = &r->loop;
        struct wire w;
        struct tls *tls;
        const char *why;
        char heard[512];
        size_t n;
        loopback_say(l, tcp, S("220 mx.test\r\n"));
        loopback_read_until(l, tcp, "\r\n", heard, sizeof heard);
        loopback_say(l, tcp, S("250-mx.test\r\n250 STARTTLS\r\n"));
        loopback_read_until(l, tcp, "STARTTLS\r\n", heard, sizeof heard);
        loopback_say(l, tcp, S("220 go\r\n"));
        wire_init(&w, l->host, tcp);
        assert_int_equal(tls_accept(r->server, &tls), ERR_OK);
        assert_int_equal(wire_secure(&w, tls, loopback_in_ms(l, 5000), &why), ERR_OK);
        for (unsigned i = 0; i < 2; i++) { /* EHLO, QUIT */
                assert_int_equal(wire_read(&w, heard, sizeof heard, loopback_in_ms(l, 5000), &n), ERR_OK);
                assert_int_equal(wire_write(&w, S("250 mx.test\r\n"), loopback_in_ms(l, 5000)), ERR_OK);
        }
        assert_int_equal(wire_read(&w, heard, sizeof heard, loopback_in_ms(l, 5000), &n), ERR_EOF);
        r->ended += tls_is_ended(w.tls);
        wire_drop(&w);
}

static void run_session(void *ctx, struct host_tcp *tcp, const struct ip_port *peer)
{
        static const struct smtpd_handler handler = {.hello = on_hello,
                .mail = on_mail,
                .rcpt = on_rcpt,
                .body = on_body,
                .end = on_end,
                .secure = on_secure,
                .secured = on_secured};
        struct rig *r = ctx;
        (void)peer;
        if (r->is_scripted)
                play_server(r, tcp);
        else
                (void)smtpd_run(r->loop.host, tcp, &r->config, &handler, r);
}

static void listen_fiber(void *arg)
{
        struct rig *r = arg;
        struct smtpd_listen_config config = {.host = r->loop.host,
                .listener = r->loop.listener,
                .gate = &r->gate,
                .session = run_session,
                .ctx = r};
        assert_int_equal(smtpd_listen(&config), ERR_CANCELLED);
}

static void main_fiber(void *arg)
{
        struct rig *r = arg;
        loopback_listen(&r->loop);
        scope_open(&r->scope, r->loop.host->sched, FIBER_NEVER);
        assert_int_equal(scope_spawn(&r->scope, "listen", listen_fiber, r), ERR_OK);
        r->run(r);
        scope_cancel(&r->scope);
        scope_join(&r->scope);
        host_listener_close(r->loop.host, r->loop.listener);
}

static void with_rig(bool offers, void (*run)(struct rig *r))
{
        uint8_t seed[ED25519_SEED_SIZE] = {1};
        struct rig *r = calloc(1, sizeof *r);
        assert_non_null(r);
        r->config.gate = &r->gate;
        r->config.server = (struct smtp_server_config){.hostname = S("mx.test"), .idle_ms = 2000};
        r->config.server.offer =
                (struct smtp_extensions){.pipelining = true, .enhanced = true, .starttls = offers};
        r->gate.most = 10;
        r->run = run;
        assert_int_equal(crypto_key_ed25519_private(seed, &r->key), ERR_OK);
        assert_int_equal(tls_server_self_signed(r->key, S("mx.test"), 0, 4900000000, &r->server), ERR_OK);
        assert_int_equal(tls_server_key_hash(r->server, r->key_hash), ERR_OK);
        assert_int_equal(tls_client(S(""), &r->client), ERR_OK);
        loopback_run(&r->loop, main_fiber);
        tls_context_free(r->client);
        tls_context_free(r->server);
        crypto_key_free(r->key);
        free(r);
}

static enum err open_to(
        struct rig *r, struct smtp_out *o, enum smtp_client_tls tls, const struct tls_expect *expect)
{
        struct smtp_reply reply;
        struct smtp_out_config config = {.to = r->loop.at, .tls = r->client, .expect = *expect};
        config.client = (struct smtp_client_config){.hello = S("c.test"), .tls = tls};
        return smtp_out_open(o, r->loop.host, &config, &reply);
}

static const struct tls_expect anything = {.kind = TLS_EXPECT_NOTHING, .name = {"mx.test", 7}};

static void send_one(struct smtp_out *o)
{
        static char line[] = "0123456789012345678901234567890123456789012345678901234567890123\r\n";
        const struct smtp_mail_params params = {0};
        struct smtp_reply reply;
        assert_int_equal(smtp_out_mail(o, S("a@b.test"), &params, &reply), ERR_OK);
        assert_int_equal(smtp_out_rcpt(o, S("x@y.test"), &reply), ERR_OK);
        assert_int_equal(smtp_out_data(o, &reply), ERR_OK);
        assert_int_equal(reply.code, 354);
        for (size_t n = 0; n < MESSAGE_SIZE; n += sizeof line - 1)
                assert_int_equal(smtp_out_body(o, str_of(line, sizeof line - 1)), ERR_OK);
        assert_int_equal(smtp_out_end(o, &reply), ERR_OK);
        assert_int_equal(reply.code, 250);
}

static void mail_under_tls(struct rig *r)
{
        struct smtp_out *o = malloc(sizeof *o);
        assert_non_null(o);
        assert_int_equal(open_to(r, o, SMTP_CLIENT_TLS_MUST, &anything), ERR_OK);
        assert_string_equal(tls_version_text(smtp_out_tls(o)), "TLSv1.3");
        send_one(o);
        assert_true(smtp_out_is_alive(o)); /* also with what TLS says on its own */
        send_one(o);
        smtp_out_quit(o);
        free(o);
        assert_int_equal(r->hellos, 2);
        assert_int_equal(r->secured, 1);
        assert_int_equal(r->ended, 2);
        assert_true(r->message_n >= 2 * MESSAGE_SIZE);
}

static void test_mail_under_tls(void **state)
{
        (void)state;
        with_rig(true, mail_under_tls);
}

static void no_tls_there(struct rig *r)
{
        struct smtp_out *o = malloc(sizeof *o);
        assert_non_null(o);
        assert_int_equal(open_to(r, o, SMTP_CLIENT_TLS_MAY, &anything), ERR_OK);
        assert_null(smtp_out_tls(o));
        send_one(o);
        smtp_out_quit(o);
        assert_int_equal(open_to(r, o, SMTP_CLIENT_TLS_MUST, &anything), ERR_DENIED);
        smtp_out_close(o);
        free(o);
}

static void test_server_without_tls(void **state)
{
        (void)state;
        with_rig(false, no_tls_there);
}

/* Nothing is said to a server whose key is not the one that its zone names. */
static void wrong_key(struct rig *r)
{
        struct smtp_out *o = malloc(sizeof *o);
        struct tls_tlsa record = {3, 1, 1, str_of(r->key_hash, sizeof r->key_hash)};
        struct tls_expect expect = {TLS_EXPECT_DANE, S("mx.test"), S(""), &record, 1};
        assert_non_null(o);
        assert_int_equal(open_to(r, o, SMTP_CLIENT_TLS_MUST, &expect), ERR_OK);
        smtp_out_quit(o);
        r->key_hash[5] ^= 1;
        assert_int_equal(open_to(r, o, SMTP_CLIENT_TLS_MUST, &expect), ERR_CRYPTO);
        assert_true(strlen(o->tls_fault) > 0);
        smtp_out_close(o);
        free(o);
        while (r->secured + r->failed < 2)
                assert_int_equal(fiber_sleep(r->loop.host->sched, 10), ERR_OK);
        assert_int_equal(r->hellos, 3);
}

static void test_wrong_key(void **state)
{
        (void)state;
        with_rig(true, wrong_key);
}

static void ask_for_tls(struct loopback *l, struct host_tcp **tcp)
{
        char heard[512];
        assert_int_equal(host_connect(l->host, &l->at, loopback_in_ms(l, 1000), tcp), ERR_OK);
        loopback_read_until(l, *tcp, "\r\n", heard, sizeof heard);
        loopback_say(l, *tcp, S("EHLO c.test\r\n"));
        loopback_read_until(l, *tcp, "ENHANCEDSTATUSCODES\r\n", heard, sizeof heard);
        loopback_say(l, *tcp, S("STARTTLS\r\n"));
        assert_true(str_has_prefix(loopback_read_until(l, *tcp, "TLS\r\n", heard, sizeof heard), S("220 ")));
}

/* Both sides say that they are done: a session that is cut looks like one that ended, else. Neither did. */
static void ends_in_order(struct rig *r)
{
        struct loopback *l = &r->loop;
        struct smtp_out *o = malloc(sizeof *o);
        struct host_tcp *tcp;
        struct wire w;
        struct tls *tls;
        const char *why;
        char heard[512];
        size_t n, all = 0;
        enum err e;
        assert_non_null(o);
        ask_for_tls(l, &tcp);
        wire_init(&w, l->host, tcp);
        assert_int_equal(tls_connect(r->client, &anything, &tls), ERR_OK);
        assert_int_equal(wire_secure(&w, tls, loopback_in_ms(l, 5000), &why), ERR_OK);
        assert_int_equal(wire_write(&w, S("QUIT\r\n"), loopback_in_ms(l, 5000)), ERR_OK);
        while ((e = wire_read(&w, heard + all, sizeof heard - all, loopback_in_ms(l, 5000), &n)) == ERR_OK)
                all += n;
        assert_int_equal(e, ERR_EOF);
        assert_true(str_has_prefix(str_of(heard, all), S("221 ")));
        assert_true(tls_is_ended(w.tls));
        wire_drop(&w);
        host_tcp_close(l->host, tcp);
        r->is_scripted = true;
        assert_int_equal(open_to(r, o, SMTP_CLIENT_TLS_MUST, &anything), ERR_OK);
        smtp_out_quit(o);
        free(o);
        for (int i = 0; i < 500 && r->ended == 0; i++)
                assert_int_equal(fiber_sleep(l->host->sched, 10), ERR_OK);
        assert_int_equal(r->ended, 1);
}

static void test_ends_in_order(void **state)
{
        (void)state;
        with_rig(true, ends_in_order);
}

/* What comes instead of a handshake ends the session, and another one is served. */
static void garbage(struct rig *r)
{
        static const char *const texts[] = {"MAIL FROM:<a@b.test>\r\n", "\x16\x03\x01\xff\xff\xff", NULL};
        struct loopback *l = &r->loop;
        for (size_t i = 0; i < 3; i++) {
                struct host_tcp *tcp;
                char got[64];
                size_t n;
                ask_for_tls(l, &tcp);
                if (texts[i])
                        loopback_say(l, tcp, str_of_c(texts[i]));
                while (texts[i] &&
                        host_tcp_read(l->host, tcp, got, sizeof got, loopback_in_ms(l, 5000), &n) == ERR_OK)
                        assert_true(n < 50); /* an alert, and no SMTP */
                host_tcp_close(l->host, tcp);
        }
        while (r->failed < 3)
                assert_int_equal(fiber_sleep(l->host->sched, 10), ERR_OK);
        assert_int_equal(r->secured, 0);
        r->hellos = 0;
        mail_under_tls(r);
}

static void test_garbage(void **state)
{
        (void)state;
        with_rig(true, garbage);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_mail_under_tls),
                cmocka_unit_test(test_server_without_tls),
                cmocka_unit_test(test_wrong_key),
                cmocka_unit_test(test_ends_in_order),
                cmocka_unit_test(test_garbage),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
