/* SPDX-License-Identifier: ISC */
/* The signing hop between a client and a next hop on loopback, with a key in a primary on loopback. */
#define _GNU_SOURCE
#include "serve/signer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "auth/dkim_verify.h"
#include "serve/fake_primary.h"
#include "serve/loopback.h"
#include "serve/smtp_out.h"

#define DOMAIN "lists.example.org"
#define AUTHOR "author@" DOMAIN
#define MEMORY (1024 * 1024)

struct next_hop {
        struct loopback loop;
        struct smtp_server_config config;
        struct smtpd_gate gate;
        char *message;
        size_t n;
        unsigned mails, resets, taken;
        struct smtp_reply at_data, at_end; /* code 0: as usual */
        bool closes;                       /* 421 to the next MAIL */
        bool dies;                         /* each connection, in the place of this answer: */
        size_t dies_at;                    /* 0 EHLO, 1 MAIL, 2 RCPT, 3 DATA, 4 the final dot */
};

struct world {
        struct host *h;
        struct scope scope;
        struct fake_primary *primary;
        struct zone_keeper *keeper;
        struct next_hop hop;
        struct loopback loop; /* of the signer */
        struct ip_net accept_from;
        struct signer signer;
        struct smtp_out client;
        struct smtp_out left;    /* one that is within a message when all ends */
        struct smtp_reply reply; /* what the client was told last */
        char text[SMTP_REPLY_TEXT_MAX];
};

/* The next hop. */

static struct smtp_reply hop_mail(void *ctx, const struct smtp_mail *mail)
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

static struct smtp_reply hop_rcpt(void *ctx, const struct smtp_path *to)
{
        (void)ctx;
        if (str_eq(to->local, S("nobody")))
                return smtp_reply_of(550, 1, 1, S("hop knows nobody"));
        return smtp_reply_of(250, 1, 5, S("hop recipient"));
}

static struct smtp_reply hop_data(void *ctx)
{
        struct next_hop *hop = ctx;
        return hop->at_data.code != 0 ? hop->at_data : smtp_reply_plain(354, S("go"));
}

static void hop_body(void *ctx, struct str bytes)
{
        struct next_hop *hop = ctx;
        hop->message = realloc(hop->message, hop->n + bytes.n);
        assert_non_null(hop->message);
        memcpy(hop->message + hop->n, bytes.p, bytes.n);
        hop->n += bytes.n;
}

static struct smtp_reply hop_end(void *ctx, const struct smtpd_message *message)
{
        struct next_hop *hop = ctx;
        assert_int_equal(message->size, hop->n);
        hop->taken++;
        return hop->at_end.code != 0 ? hop->at_end : smtp_reply_of(250, 0, 0, S("queued as 42"));
}

static void hop_reset(void *ctx, enum smtp_server_reset why)
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

static void dying_session(struct next_hop *hop, struct host_tcp *tcp)
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

static void hop_session(void *ctx, struct host_tcp *tcp, const struct ip_port *peer)
{
        struct next_hop *hop = ctx;
        (void)peer;
        if (hop->dies) {
                dying_session(hop, tcp);
                return;
        }
        (void)smtpd_run(hop->loop.host, tcp, &hop->config, &hop_handler, hop);
}

static void hop_run(void *arg)
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

static void make_keeper(struct world *w)
{
        struct key_password p = {.n = PASSWORD_MIN, .bytes = {7}};
        struct zone_keeper_config config = {
                .domain = S(DOMAIN),
                .zone = fake_name("example.org"),
                .primary = {.at = w->primary->dns.at},
                .tsig = &w->primary->key,
                .password = &p,
                .selector = S("dkim-%d"),
                .validity_s = 30 * 86400,
                .overlap_s = 7 * 86400,
                .queue_life_s = 5 * 86400,
                .ttl_s = 60,
        };
        assert_int_equal(zone_keeper_new(w->h, &config, &w->keeper), ERR_OK);
}

static void run_signer(void *arg)
{
        struct world *w = arg;
        (void)signer_serve(&w->signer, w->loop.listener);
}

static void start(struct world *w)
{
        struct signer_config config = {
                .host = w->h,
                .keepers = &w->keeper,
                .keeper_count = 1,
                .hostname = S("nec.example.org"),
                .destination = w->hop.loop.at,
                .accept_from = &w->accept_from,
                .accept_from_count = 1,
                .memory = MEMORY,
        };
        w->accept_from = (struct ip_net){ip_v4(127, 0, 0, 0), 8};
        signer_init(&w->signer, &config);
        assert_int_equal(scope_spawn(&w->scope, "signer", run_signer, w), ERR_OK);
        assert_int_equal(scope_spawn(&w->scope, "hop", hop_run, &w->hop), ERR_OK);
}

static void wait_ready(struct world *w)
{
        struct zone_signing_key key;
        struct str reason;
        assert_int_equal(scope_spawn(&w->scope, "zone", zone_keeper_run, w->keeper), ERR_OK);
        while (zone_keeper_key(w->keeper, &key, &reason) != ERR_OK)
                assert_int_equal(fiber_sleep(w->h->sched, 10), ERR_OK);
}

/* The client. */

static enum err connect_client(struct world *w)
{
        struct smtp_out_config config = {.to = w->loop.at, .client = {.hello = S("client.example")}};
        return smtp_out_open(&w->client, w->h, &config, &w->reply);
}

static void keep_reply(struct world *w, enum err e)
{
        assert_int_equal(e, ERR_OK);
        memcpy(w->text, w->reply.text.p, w->reply.text.n);
        w->reply.text = str_of(w->text, w->reply.text.n);
}

static void expect(struct world *w, enum err e, uint16_t code, const char *text)
{
        keep_reply(w, e);
        if (w->reply.code != code || str_find(w->reply.text, str_of_c(text)) == w->reply.text.n)
                fail_msg("%u %.*s, not %u %s", w->reply.code, STR_ARG(w->reply.text), code, text);
}

static void begin(struct world *w, const char *to)
{
        struct smtp_mail_params params = {0};
        expect(w, smtp_out_mail(&w->client, S("return@example.net"), &params, &w->reply), 250, "hop sender");
        expect(w, smtp_out_rcpt(&w->client, str_of_c(to), &w->reply), 250, "hop recipient");
        expect(w, smtp_out_data(&w->client, &w->reply), 354, "");
}

static void end(struct world *w, struct str message, uint16_t code, const char *text)
{
        assert_int_equal(smtp_out_body(&w->client, message), ERR_OK);
        expect(w, smtp_out_end(&w->client, &w->reply), code, text);
}

/* One message in a session of its own. */
static void post(struct world *w, const char *to, const char *message, uint16_t code, const char *text)
{
        assert_int_equal(connect_client(w), ERR_OK);
        begin(w, to);
        end(w, str_of_c(message), code, text);
        smtp_out_quit(&w->client);
        smtp_out_close(&w->client);
}

#define FROM "From: A <" AUTHOR ">\r\n"
#define MESSAGE FROM "Subject: hello\r\n\r\nbody\r\n..\r\n"

static void check_signed(struct world *w)
{
        struct str got = str_of(w->hop.message, w->hop.n);
        assert_true(str_has_prefix(got, S("DKIM-Signature: v=1; a=rsa-sha256;")));
        assert_true(str_has_suffix_nocase(got, S(MESSAGE)));
        struct str front = str_take(got, got.n - (sizeof MESSAGE - 1));
        assert_true(str_find(front, S("d=" DOMAIN ";")) < front.n);
        assert_true(str_find(front, S("\r\nReceived: from client.example")) < front.n);
        assert_true(str_find(front, S("by nec.example.org")) < front.n);
}

/* What the next hop got passes our own verifier with the record that the zone publishes. */
static void check_verifies(struct world *w)
{
        static struct mail_field fields[MAIL_FIELDS_MAX];
        static struct dkim_verify v;
        struct zone_signing_key signing;
        struct mail_header header;
        struct dkim_key key;
        struct str reason, text;
        char record[KEY_RECORD_MAX];
        struct wr r;
        assert_int_equal(
                mail_header_index(str_of(w->hop.message, w->hop.n), fields, MAIL_FIELDS_MAX, &header),
                ERR_OK);
        assert_int_equal(zone_keeper_key(w->keeper, &signing, &reason), ERR_OK);
        wr_init(&r, record, sizeof record);
        assert_int_equal(key_record_write(signing.key, &r), ERR_OK);
        text = wr_text(&r);
        dkim_key_from_records(&text, 1, &key);
        dkim_verify_init(&v, &header, signing.time_s);
        dkim_verify_body(&v, str_skip(str_of(w->hop.message, w->hop.n), header.body_at));
        dkim_verify_body_end(&v);
        assert_int_equal(v.count, 1);
        assert_int_equal(dkim_verify_verdict(&v, 0, &key).result, DKIM_PASS);
        dkim_verify_drop(&v);
        dkim_key_drop(&key);
}

static void play_messages(struct world *w)
{
        static const struct {
                const char *name, *to, *message;
                uint16_t code;
                const char *text;
        } cases[] = {
                {"ours", "reader@example.com", MESSAGE, 250, "queued as 42"},
                {"ours, in capitals", "reader@example.com", "From: a@LISTS.Example.ORG\r\n\r\n", 250,
                        "queued"},
                {"second author ours", "reader@example.com", "From: x@example.com, " AUTHOR "\r\n\r\nb\r\n",
                        250, "queued"},
                {"a ticket of ours", "_signed.abc@" DOMAIN, "From: x@example.com\r\n\r\nb\r\n", 250,
                        "queued"},
                {"a ticket elsewhere", "_signed.abc@example.com", "From: x@example.com\r\n\r\nb\r\n", 550,
                        "Neither"},
                {"not ours", "reader@example.com", "From: x@example.com\r\n\r\nb\r\n", 550, "Neither"},
                {"below ours", "reader@example.com", "From: x@sub." DOMAIN "\r\n\r\nb\r\n", 550, "Neither"},
                {"no From", "_signed.abc@" DOMAIN, "Subject: x\r\n\r\nb\r\n", 550, "exactly one From"},
                {"two From", "_signed.abc@" DOMAIN, FROM FROM "\r\nb\r\n", 550, "exactly one From"},
                {"a broken header", "reader@example.com", FROM "no field\r\n\r\nb\r\n", 550, "no fields"},
                {"empty", "reader@example.com", "", 550, "exactly one From"},
                {"no body", "reader@example.com", FROM, 250, "queued"},
                {"a name in odd case", "reader@example.com", "fRoM:" AUTHOR "\r\n\r\nb\r\n", 250, "queued"},
                {"a space before the colon", "reader@example.com", "From \t: " AUTHOR "\r\n\r\nb\r\n", 250,
                        "queued"},
                {"a folded author", "reader@example.com", "From:\r\n\tA\r\n <" AUTHOR ">\r\n\r\nb\r\n", 250,
                        "queued"},
                {"a group of authors", "reader@example.com", "From: g:x@example.com," AUTHOR ";\r\n\r\nb\r\n",
                        250, "queued"},
                {"bytes above 127", "reader@example.com", FROM "Subject: \xc3\xa9\xff\r\n\r\n\xff\r\n", 250,
                        "queued"},
                {"an empty field", "reader@example.com", FROM "Subject:\r\nTo: \r\n \r\nCc:\r\n\r\nb\r\n",
                        250, "queued"},
                {"a foreign signature", "reader@example.com",
                        FROM "X-DKIM-Signature: v=1; d=" DOMAIN "; b=AA\r\n\r\nb\r\n", 250, "queued"},
                {"two From, one in odd case", "_signed.abc@" DOMAIN, FROM "FROM: x@example.com\r\n\r\nb\r\n",
                        550, "exactly one From"},
                {"two From, one with a space", "_signed.abc@" DOMAIN,
                        "From : x@example.com\r\n" FROM "\r\nb\r\n", 550, "exactly one From"},
                {"a name that is folded", "reader@example.com", "From\r\n : " AUTHOR "\r\n\r\nb\r\n", 550,
                        "no fields"},
                {"a header that begins with a fold", "reader@example.com", " x\r\n" FROM "\r\nb\r\n", 550,
                        "no fields"},
                {"a name with a byte above 127", "reader@example.com", FROM "\xc3rom: x\r\n\r\nb\r\n", 550,
                        "no fields"},
                {"From in the body", "reader@example.com", "Subject: x\r\n\r\n" FROM "\r\n", 550,
                        "exactly one From"},
                {"ours in a comment", "reader@example.com", "From: x@example.com (" AUTHOR ")\r\n\r\nb\r\n",
                        550, "Neither"},
                {"ours in a display name", "reader@example.com",
                        "From: \"" AUTHOR "\" <x@example.com>\r\n\r\nb\r\n", 550, "Neither"},
                {"ours as a route", "reader@example.com", "From: <@" DOMAIN ":x@example.com>\r\n\r\nb\r\n",
                        550, "Neither"},
                {"ours as a group", "reader@example.com", "From: author: x@example.com;\r\n\r\nb\r\n", 550,
                        "Neither"},
                {"ours as the head of another", "reader@example.com",
                        "From: " AUTHOR ".example.com\r\n\r\nb\r\n", 550, "Neither"},
                {"ours in a quoted local part", "reader@example.com",
                        "From: \"" AUTHOR "\"@example.com\r\n\r\nb\r\n", 550, "Neither"},
                {"not an address", "reader@example.com", "From: " AUTHOR " <\r\n\r\nb\r\n", 550, "Neither"},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                unsigned taken = w->hop.taken;
                print_message("case: %s\n", cases[i].name);
                post(w, cases[i].to, cases[i].message, cases[i].code, cases[i].text);
                assert_int_equal(w->hop.taken, taken + (cases[i].code == 250));
                if (i == 0)
                        check_signed(w);
                if (cases[i].code == 250)
                        check_verifies(w);
                assert_int_equal(w->signer.reserved, 0);
        }
}

/* `count` times `field`, then From, a field that fills the header section up to `size` if that is more, and a body. */
static char *header_of(const char *field, size_t count, size_t size)
{
        size_t n = strlen(field), used = count * n + sizeof FROM - 1 + 2;
        char *text = malloc(used + size + 16), *end = text;
        assert_non_null(text);
        for (size_t i = 0; i < count; i++, end += n)
                memcpy(end, field, n);
        memcpy(end, FROM, sizeof FROM - 1);
        end += sizeof FROM - 1;
        if (size > used) {
                size_t left = size - used;
                while (left > 0) {
                        size_t line = left > 500 ? 400 : left;
                        memset(end, 'x', line);
                        memcpy(end, "X: ", 3);
                        memcpy(end + line - 2, "\r\n", 2);
                        end += line;
                        left -= line;
                }
        }
        memcpy(end, "\r\nb\r\n", 6);
        return text;
}

/* Each ceiling from both sides. */
static void play_ceilings(struct world *w)
{
        static const struct {
                const char *field;
                size_t count, size;
                uint16_t code;
                const char *text;
        } cases[] = {
                {"X: y\r\n", MAIL_FIELDS_MAX - 3, 0, 250, "queued"}, /* ours in front are two */
                {"X: y\r\n", MAIL_FIELDS_MAX - 1, 0, 250, "queued"},
                {"X: y\r\n", MAIL_FIELDS_MAX, 0, 552, "too large"},
                {"To: y\r\n", 400, 0, 250, "queued"},
                {"To: y\r\n", DKIM_COVERED_MAX, 0, 554, "cannot be signed"},
                {"", 0, MAIL_HEADER_MAX, 250, "queued"},
                {"", 0, MAIL_HEADER_MAX + 1, 552, "too large"},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                char *text = header_of(cases[i].field, cases[i].count, cases[i].size);
                print_message("case: %zu of %s\n", cases[i].count, cases[i].field);
                post(w, "reader@example.com", text, cases[i].code, cases[i].text);
                if (cases[i].code == 250 && cases[i].count < MAIL_FIELDS_MAX - 2 && cases[i].size == 0)
                        check_verifies(w);
                free(text);
        }
}

/* The next hop dies in each state: 4xx there, nothing stays reserved, and the same session goes on when it is back. */
static void play_dying_hop(struct world *w)
{
        struct smtp_mail_params params = {0};
        for (size_t at = 0; at <= 4; at++) {
                print_message("dies at %zu\n", at);
                w->hop.dies = true;
                w->hop.dies_at = at;
                assert_int_equal(connect_client(w), ERR_OK);
                expect(w, smtp_out_mail(&w->client, S(""), &params, &w->reply), at < 2 ? 451 : 250, "");
                if (at >= 2)
                        expect(w, smtp_out_rcpt(&w->client, S("some@example.com"), &w->reply),
                                at < 3 ? 451 : 250, "");
                if (at >= 3) {
                        expect(w, smtp_out_data(&w->client, &w->reply), 354, "");
                        end(w, S(MESSAGE), 451, "next hop");
                }
                w->hop.dies = false;
                if (at == 2)
                        expect(w, smtp_out_rset(&w->client, &w->reply), 250, "");
                assert_int_equal(w->signer.reserved, 0);
                begin(w, "some@example.com");
                end(w, S(MESSAGE), 250, "queued as 42");
                assert_int_equal(w->signer.reserved, 0);
                smtp_out_close(&w->client);
        }
}

/* A client within its message when the program is told to end: run_world sees that nothing stays. */
static void play_left_within(struct world *w)
{
        assert_int_equal(connect_client(w), ERR_OK);
        begin(w, "some@example.com");
        assert_int_equal(smtp_out_body(&w->client, S(FROM)), ERR_OK);
        assert_true(w->signer.reserved > 0);
        w->left = w->client;
}

static void post_received(struct world *w, size_t count, uint16_t code, const char *text)
{
        char *message = calloc(1, 8192);
        assert_non_null(message);
        for (size_t i = 0; i < count; i++)
                memcpy(message + 24 * i, "Received: by a; some b\r\n", 24);
        memcpy(message + 24 * count, MESSAGE, sizeof MESSAGE - 1);
        post(w, "reader@example.com", message, code, text);
        free(message);
}

/* What lipap takes, and adds its own field to, is no loop yet: it would be refused for ever. */
static void play_loop(struct world *w)
{
        post_received(w, MAIL_RECEIVED_MAX + 1, 250, "queued as 42");
        post_received(w, MAIL_RECEIVED_MAX + 2, 554, "loop");
}

/* The next hop's words at each place, and its state after a refusal. */
static void play_words(struct world *w)
{
        struct smtp_mail_params params = {0};
        assert_int_equal(connect_client(w), ERR_OK);
        expect(w, smtp_out_mail(&w->client, S(""), &params, &w->reply), 250, "hop sender");
        expect(w, smtp_out_rcpt(&w->client, S("nobody@example.com"), &w->reply), 550, "hop knows nobody");
        expect(w, smtp_out_rcpt(&w->client, S("some@example.com"), &w->reply), 250, "hop recipient");
        expect(w, smtp_out_data(&w->client, &w->reply), 354, "");
        w->hop.at_end = smtp_reply_of(452, 3, 1, S("hop is full"));
        end(w, S(MESSAGE), 452, "hop is full");
        w->hop.at_end.code = 0;
        w->hop.at_data = smtp_reply_of(554, 3, 0, S("hop wants no data"));
        begin(w, "some@example.com");
        end(w, S(MESSAGE), 554, "hop wants no data");
        w->hop.at_data.code = 0;
        begin(w, "some@example.com");
        end(w, S(MESSAGE), 250, "queued as 42");
        w->hop.closes = true; /* an idle connection that is gone: MAIL goes over a new one */
        begin(w, "some@example.com");
        end(w, S(MESSAGE), 250, "queued as 42");
        unsigned resets = w->hop.resets;
        begin(w, "some@example.com");
        smtp_out_close(&w->client); /* the client goes away within its message */
        while (w->hop.resets == resets || w->signer.reserved > 0)
                assert_int_equal(fiber_sleep(w->h->sched, 5), ERR_OK);
        smtp_out_close(&w->client);
}

static void play_budget(struct world *w)
{
        struct smtp_mail_params params = {.has_size = true, .size = MEMORY - 70000};
        static char line[1000];
        struct smtp_out *second = malloc(sizeof *second);
        assert_non_null(second);
        struct smtp_out_config config = {.to = w->loop.at, .client = {.hello = S("second.example")}};
        memset(line, 'x', sizeof line - 2);
        memcpy(line + sizeof line - 2, "\r\n", 2);
        assert_int_equal(connect_client(w), ERR_OK);
        expect(w, smtp_out_mail(&w->client, S(AUTHOR), &params, &w->reply), 250, "hop sender");
        assert_int_equal(w->signer.reserved, MEMORY - 70000);
        assert_int_equal(smtp_out_open(second, w->h, &config, &w->reply), ERR_OK);
        expect(w, smtp_out_mail(second, S(AUTHOR), &params, &w->reply), 452, "No room");
        params.has_size = false; /* a small one has room, until it grows */
        expect(w, smtp_out_mail(second, S(AUTHOR), &params, &w->reply), 250, "hop sender");
        expect(w, smtp_out_rcpt(second, S("some@example.com"), &w->reply), 250, "hop recipient");
        expect(w, smtp_out_data(second, &w->reply), 354, "");
        assert_int_equal(smtp_out_body(second, S(FROM "\r\n")), ERR_OK);
        for (int i = 0; i < 100; i++)
                assert_int_equal(smtp_out_body(second, str_of(line, sizeof line)), ERR_OK);
        expect(w, smtp_out_end(second, &w->reply), 452, "No room");
        assert_int_equal(w->signer.reserved, MEMORY - 70000);
        expect(w, smtp_out_rset(&w->client, &w->reply), 250, "");
        assert_int_equal(w->signer.reserved, 0);
        expect(w, smtp_out_mail(second, S(AUTHOR), &params, &w->reply), 250, "hop sender");
        smtp_out_close(second);
        free(second);
        smtp_out_close(&w->client);
}

static void play_no_key(struct world *w)
{
        struct smtp_mail_params params = {0};
        assert_int_equal(connect_client(w), ERR_OK);
        expect(w, smtp_out_mail(&w->client, S(AUTHOR), &params, &w->reply), 451,
                "No key to sign with: the zone has not been read yet");
        assert_int_equal(w->hop.mails, 0);
        assert_int_equal(w->signer.reserved, 0);
        smtp_out_close(&w->client);
}

static void play_no_hop(struct world *w)
{
        struct smtp_mail_params params = {0};
        uint64_t before = w->signer.reserved; /* by the one that was left */
        host_listener_close(w->h, w->hop.loop.listener);
        w->hop.loop.listener = NULL;
        assert_int_equal(connect_client(w), ERR_OK);
        expect(w, smtp_out_mail(&w->client, S(AUTHOR), &params, &w->reply), 451, "connection refused");
        assert_int_equal(w->signer.reserved, before);
        smtp_out_close(&w->client);
}

static void play_stranger(struct world *w)
{
        w->accept_from = (struct ip_net){ip_v4(10, 0, 0, 0), 8};
        assert_int_equal(connect_client(w), ERR_DENIED);
        assert_int_equal(w->reply.code, 554);
        assert_int_equal(w->reply.enhanced.subject, 7);
        smtp_out_close(&w->client);
        assert_int_equal(w->hop.mails, 0);
        w->accept_from = (struct ip_net){ip_v4(127, 0, 0, 0), 8};
}

static void play_extensions(struct world *w)
{
        struct smtp_server_config usual = w->hop.config;
        w->hop.config.offer = (struct smtp_extensions){.size = true, .smtputf8 = true};
        w->hop.config.message_max = 100000;
        assert_int_equal(connect_client(w), ERR_OK);
        const struct smtp_extensions *offered = smtp_out_extensions(&w->client);
        assert_false(offered->mime_8bit);
        assert_true(offered->smtputf8);
        assert_true(offered->size_max > 90000 && offered->size_max < 100000); /* room for what we add */
        smtp_out_close(&w->client);
        w->hop.config = usual;
}

/* Framing: one world for all tests, in this order; they run in its first fiber, so that keys are derived once. */

static void test_no_key(void **state)
{
        play_no_key(*state);
}

static void test_stranger(void **state)
{
        play_stranger(*state);
}

static void test_extensions(void **state)
{
        play_extensions(*state);
}

static void test_messages(void **state)
{
        wait_ready(*state);
        play_messages(*state);
}

static void test_loop(void **state)
{
        play_loop(*state);
}

static void test_words(void **state)
{
        play_words(*state);
}

static void test_budget(void **state)
{
        play_budget(*state);
}

static void test_ceilings(void **state)
{
        play_ceilings(*state);
}

static void test_dying_hop(void **state)
{
        play_dying_hop(*state);
}

static void test_left_within(void **state)
{
        play_left_within(*state);
}

static void test_no_hop(void **state)
{
        play_no_hop(*state);
}

static struct world *the_world; /* cmocka hands its state to a group only by a function without arguments */

static int give_world(void **state)
{
        *state = the_world;
        return 0;
}

static int failed;

static void run_world(void *arg)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_no_key),
                cmocka_unit_test(test_stranger),
                cmocka_unit_test(test_extensions),
                cmocka_unit_test(test_messages),
                cmocka_unit_test(test_loop),
                cmocka_unit_test(test_words),
                cmocka_unit_test(test_budget),
                cmocka_unit_test(test_ceilings),
                cmocka_unit_test(test_dying_hop),
                cmocka_unit_test(test_left_within),
                cmocka_unit_test(test_no_hop),
        };
        struct world *w = arg;
        w->primary = malloc(sizeof *w->primary);
        CHECK(w->primary);
        w->loop.host = w->hop.loop.host = w->h;
        w->hop.gate.most = 10;
        w->hop.config = (struct smtp_server_config){.hostname = S("hop.example"),
                .offer = {.pipelining = true, .size = true, .mime_8bit = true, .enhanced = true}};
        scope_open(&w->scope, w->h->sched, FIBER_NEVER);
        fake_primary_start(w->primary, w->h, &w->scope);
        loopback_listen(&w->loop);
        loopback_listen(&w->hop.loop);
        make_keeper(w);
        start(w);
        failed = cmocka_run_group_tests(tests, give_world, NULL);
        scope_cancel(&w->scope);
        (void)scope_join(&w->scope);
        smtp_out_close(&w->left);
        CHECK(w->signer.reserved == 0);
        host_listener_close(w->h, w->loop.listener);
        if (w->hop.loop.listener)
                host_listener_close(w->h, w->hop.loop.listener);
        fake_stop(&w->primary->dns);
        zone_keeper_free(w->keeper);
        free(w->primary);
        free(w->hop.message);
}

int main(void)
{
        the_world = calloc(1, sizeof *the_world);
        CHECK(the_world);
        the_world->h = linux_host_new(NULL);
        CHECK(the_world->h);
        linux_host_run(the_world->h, run_world, the_world);
        linux_host_free(the_world->h);
        free(the_world);
        return failed;
}
