/* SPDX-License-Identifier: ISC */
/* Which addresses lipap has, and what comes back from the signer. */
#include "serve/inbound_world.h"

#include "store/delivery.h"
#include "store/open_tickets.h"

#define BIG (LIPAP_PREFIX_MAX + 4096)

/* ---- recipients ---- */

static void recipients(struct rig *r)
{
        static const struct {
                const char *from, *to, *want;
        } cases[] = {
                {"author@example.org", "ptt@mailingl.st", "250 2.1.5"},
                {"AUTHOR@EXAMPLE.ORG", "PTT@MailingL.st",
                        "250 2.1.5"}, /* mixed-case domains get nothing, once */
                {"author@example.org", "\"ptt\"@mailingl.st", "250 2.1.5"},
                {"author@example.org", "nobody@mailingl.st", "550 5.1.1"},
                {"author@example.org", "ptt@example.org", "550 5.7.1"},
                {"author@example.org", "ptt-return-aaaaaaaaaaaaaaaaaaaaaaaa@mailingl.st", "550 5.1.1"},
                {"author@example.org", "_signed.aaaa@mailingl.st", "550 5.1.1"},
                {"stranger@example.org", "ptt@mailingl.st", "250 2.1.5"}, /* rights are the author's */
                {"", "ptt@mailingl.st", "550 5.7.1"},
                {"", "news-and.views@mailingl.st", "550 5.7.1"},
                {"author@example.org", "news-and.views@mailingl.st", "250 2.1.5"},
                {"", "postmaster@mailingl.st", "250 2.1.5"},
                {"", "Postmaster", "250 2.1.5"},
                {"stranger@example.org", "abuse@mailingl.st", "250 2.1.5"},
                {"", "postmaster@mx.mailingl.st", "250 2.1.5"}, /* the host's own name (RFC 5321 4.5.1) */
                {"", "\"PostMaster\"@MX.mailingl.st", "250 2.1.5"},
                {"stranger@example.org", "abuse@mx.mailingl.st", "250 2.1.5"},
                {"stranger@example.org", "ptt@mx.mailingl.st", "550 5.7.1"},
                {"stranger@example.org", "admin-request@mx.mailingl.st", "550 5.7.1"},
                {"stranger@example.org", "postmaster@mx2.mailingl.st", "550 5.7.1"},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                char script[400];
                snprintf(script, sizeof script,
                        "C: MAIL FROM:<%s>\nS: 250\nC: RCPT TO:<%s>\nS: %s\nC: QUIT\nS: 221", cases[i].from,
                        cases[i].to, cases[i].want);
                stranger(r, script);
        }
        stranger(r,
                "C: MAIL FROM:<author@example.org>\nS: 250\nC: RCPT TO:<ptt@mailingl.st>\nS: 250\n"
                "C: RCPT TO:<ptt@mailingl.st>\nS: 250\nC: RCPT TO:<postmaster@mailingl.st>\nS: 452 4.5.3\n"
                /* what will never be taken is no reason to come again */
                "C: RCPT TO:<nobody@mailingl.st>\nS: 550 5.1.1\nC: RCPT TO:<x@example.org>\nS: 550 5.7.1\n"
                "C: RCPT TO:<PTT@mailingl.st>\nS: 250 2.1.5\n"
                "C: RSET\nS: 250\nC: MAIL FROM:<author@example.org>\nS: 250\n"
                "C: RCPT TO:<postmaster@mailingl.st>\nS: 250");
}

static void return_paths(struct rig *r)
{
        static const char report[] =
                "From: mailer-daemon@b.test\r\nMIME-Version: 1.0\r\n"
                "Content-Type: multipart/report; report-type=delivery-status; boundary=x\r\n\r\n"
                "--x\r\n\r\nIt failed.\r\n--x\r\nContent-Type: message/delivery-status\r\n\r\n"
                "Reporting-MTA: dns; mx.b.test\r\n\r\nFinal-Recipient: rfc822; b@b.test\r\nAction: failed\r\n"
                "Status: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 no such user\r\n\r\n--x--\r\n";
        char text[64], script[300];
        struct wr w;
        struct store_failure *failures;
        size_t count;
        struct token token = {.id = 1, .day = 20000};
        wr_init(&w, text, sizeof text);
        assert_int_equal(
                token_write(&w, &r->node.domains[0].keys[0], TOKEN_RETURN, S("ptt@mailingl.st"), &token),
                ERR_OK);
        snprintf(script, sizeof script, "ptt-return-%.*s@mailingl.st", (int)w.n, text);
        deliver(r, &r->stranger_at, "", script, str_of_c(report), "250 2.0.0");
        assert_int_equal(store_failures(r->node.store, 0, 10, &r->arena, &failures, &count), ERR_OK);
        assert_int_equal(count, 1);
        assert_int_equal(failures[0].member, 1);
        assert_true(str_find(failures[0].reply, S("550 5.1.1 no such user")) < failures[0].reply.n);
        /* a token of one list is none of another's */
        snprintf(script, sizeof script,
                "C: MAIL FROM:<>\nS: 250\nC: RCPT TO:<news-and.views-return-%.*s@mailingl.st>\nS: 550 5.1.1",
                (int)w.n, text);
        stranger(r, script);
}

/* Recipients that were refused leave nothing behind: neither in the transaction's memory nor for the next one. */
static void refused_recipients(struct rig *r)
{
        struct store_setting settings[30] = {{S("max-message"), S("1")}};
        char names[30][4], text[300];
        int64_t id;
        memset(text, 'x', sizeof text);
        for (size_t i = 1; i < 30; i++) { /* 9 KB that each look at the list costs */
                (void)snprintf(names[i], sizeof names[i], "x%zu", i);
                settings[i] = (struct store_setting){str_of_c(names[i]), str_of(text, sizeof text)};
        }
        struct store_list_new list = {
                .name = S("crowd"), .domain = S("mailingl.st"), .settings = settings, .setting_count = 30};
        assert_int_equal(store_list_add(r->node.store, &list, &id), ERR_OK);
        struct host_tcp *tcp = dial(r, &r->stranger_at);
        play(r, tcp, "C: EHLO c\nS: 250\nC: MAIL FROM:<author@example.org> SIZE=100\nS: 250");
        for (int i = 0; i < 15; i++)
                play(r, tcp, "C: RCPT TO:<crowd@mailingl.st>\nS: 552 5.3.4");
        play(r, tcp,
                "C: RCPT TO:<ptt@mailingl.st>\nS: 250 2.1.5\nC: DATA\nS: 354\nC: From: "
                "author@example.org\nC: \nC: "
                ".\nS: 250");
        host_tcp_close(r->host, tcp);
}

/* Messages in chunks (RFC 3030), and mixed with one behind DATA. */
static void chunks(struct rig *r)
{
        stranger(r, "C: MAIL FROM:<author@example.org>\nS: 250\nC: RCPT TO:<ptt@mailingl.st>\nS: 250\n"
                    "C: BDAT 26\nC: From: author@example.org\nS: 250\n" /* and its line end */
                    "C: BDAT 0\nS: 250\n"
                    "C: BDAT 10 LAST\nC: \nC: Hello.\nS: 250 2.0.0\n"
                    "C: MAIL FROM:<author@example.org>\nS: 250\nC: RCPT TO:<ptt@mailingl.st>\nS: 250\n"
                    "C: DATA\nS: 354\nC: From: author@example.org\nC: \nC: Hello again.\nC: .\nS: 250 2.0.0\n"
                    "C: BDAT 6 LAST\nC: QUIT\nS: 503 5.5.1\n" /* octets, and no command */
                    "C: MAIL FROM:<author@example.org>\nS: 250\n"
                    "C: BDAT 6 LAST\nC: QUIT\nS: 554 5.5.1\n"
                    "C: MAIL FROM:<author@example.org>\nS: 250\nC: RCPT TO:<ptt@mailingl.st>\nS: 250\n"
                    "C: BDAT 2000000\nS: 552 5.3.4");
        stranger(r, "C: MAIL FROM:<x@elsewhere.test>\nS: 250\nC: RCPT TO:<ptt@mailingl.st>\nS: 250\n"
                    "C: BDAT 30 LAST\nC: From: stranger@example.org\nC: \nS: 550 5.7.1\nC: NOOP\nS: 250");
        stranger(r, "C: MAIL FROM:<author@example.org>\nS: 250\nC: RCPT TO:<ptt@mailingl.st>\nS: 250\n"
                    "C: BDAT 28\nC: From: author@example.org\nC: \nS: 250\nC: BDAT 5 LAST\nC: a\rb\nS: 5");
        int64_t ids[8];
        size_t count;
        assert_int_equal(open_tickets(r->node.store, 0, 8, ids, &count), ERR_OK);
        assert_int_equal(count, 2);
}

/* ---- signed copies ---- */

struct handed {
        struct store_message message;
        char address[128];
        char text[8192];
        size_t n;
};

static void take_in(struct rig *r, struct handed *out)
{
        int64_t ids[8];
        size_t count;
        struct store_reader *reader;
        arena_reset(&r->arena);
        post(r, "From: author@example.org\r\nSubject: dots\r\n\r\n..one\r\ntwo\r\n", "250 2.0.0");
        assert_int_equal(open_tickets(r->node.store, 0, 8, ids, &count), ERR_OK);
        assert_int_equal(store_message_get(r->node.store, ids[count - 1], &r->arena, &out->message), ERR_OK);
        snprintf(out->address, sizeof out->address, "_signed.%.*s@mailingl.st", STR_ARG(out->message.ticket));
        assert_int_equal(store_reader_open(r->node.store, ids[count - 1], STORE_SENT, &reader), ERR_OK);
        assert_int_equal(store_reader_read(reader, 0, out->text, sizeof out->text, &out->n), ERR_OK);
        assert_int_equal(out->n, store_reader_size(reader));
        store_reader_close(reader);
}

/* As a signer would send it: dots are doubled where a line begins with one. */
static void give_back(
        struct rig *r, const struct handed *h, struct str prefix, struct str message, const char *want)
{
        char *wire = malloc(BIG + 2 * sizeof h->text);
        struct wr w;
        assert_non_null(wire);
        wr_init(&w, wire, BIG + 2 * sizeof h->text);
        wr_str(&w, prefix);
        for (size_t i = 0; i < message.n; i++) {
                if (message.p[i] == '.' && (i == 0 || message.p[i - 1] == '\n'))
                        wr_byte(&w, '.');
                wr_byte(&w, message.p[i]);
        }
        assert_int_equal(wr_end(&w), ERR_OK);
        deliver(r, &r->signer_at, "", h->address, wr_text(&w), want);
        free(wire);
}

static enum store_state state_of(struct rig *r, const struct handed *h)
{
        struct store_message m;
        assert_int_equal(store_message_get(r->node.store, h->message.id, &r->arena, &m), ERR_OK);
        return m.state;
}

#define SIGNATURE "DKIM-Signature: v=1; d=mailingl.st;\r\n b=abc\r\n"

static void signed_copies(struct rig *r)
{
        struct handed h;
        struct store_message m;
        char *changed = malloc(sizeof h.text), *long_prefix = malloc(BIG);
        assert_non_null(changed);
        assert_non_null(long_prefix);
        take_in(r, &h);
        struct str text = str_of(h.text, h.n);
        give_back(r, &h, S(""), text, "554 5.6.0");
        give_back(r, &h, S("Received: by nec\r\n"), text, "554 5.6.0");
        give_back(r, &h, S("X-Evil: yes\r\n" SIGNATURE), text, "554 5.6.0");
        give_back(r, &h, S(SIGNATURE "To: all@example.org\r\n"), text, "554 5.6.0");
        give_back(r, &h, S(SIGNATURE "\r\n"), text, "554 5.6.0");
        give_back(r, &h, S(SIGNATURE), str_take(text, text.n - 5), "554 5.6.0");
        give_back(r, &h, S(SIGNATURE), str_take(text, 40), "554 5.6.0");
        for (size_t at = 0; at < text.n; at += 97) {
                memcpy(changed, text.p, text.n);
                changed[at] = changed[at] == 'a'                           ? 'b'
                              : changed[at] == '\r' || changed[at] == '\n' ? changed[at]
                                                                           : 'a';
                if (memcmp(changed, text.p, text.n) != 0)
                        give_back(r, &h, S(SIGNATURE), str_of(changed, text.n), "554 5.6.0");
        }
        memcpy(changed, text.p, text.n);
        memcpy(changed + text.n, "more\r\n", 6);
        give_back(r, &h, S(SIGNATURE), str_of(changed, text.n + 6), "554 5.6.0");
        for (size_t i = 0; i < BIG; i += 64)
                memcpy(long_prefix + i, "Received: 1234567890123456789012345678901234567890123456789012\r\n",
                        64);
        give_back(r, &h, str_of(long_prefix, BIG), text, "554 5.6.0");
        assert_int_equal(state_of(r, &h), STORE_OPEN);

        give_back(r, &h, S("Received: by nec\r\n" SIGNATURE), text, "250 2.0.0 signed copy kept");
        assert_int_equal(store_message_get(r->node.store, h.message.id, &r->arena, &m), ERR_OK);
        assert_int_equal(m.state, STORE_SIGNED);
        assert_int_equal(m.prefix_size, sizeof("Received: by nec\r\n" SIGNATURE) - 1);
        /* replayed, even with other bytes: taken and dropped, nothing changes */
        give_back(r, &h, S("ARC-Seal: i=1\r\n" SIGNATURE), text, "250 2.0.0 this copy came before");
        assert_int_equal(store_message_get(r->node.store, h.message.id, &r->arena, &m), ERR_OK);
        assert_int_equal(m.prefix_size, sizeof("Received: by nec\r\n" SIGNATURE) - 1);
        free(changed);
        free(long_prefix);
}

static void tickets(struct rig *r)
{
        struct handed h;
        char script[300];
        take_in(r, &h);
        /* right ticket, wrong network: an unknown address, so that a stranger learns nothing */
        snprintf(script, sizeof script, "C: MAIL FROM:<>\nS: 250\nC: RCPT TO:<%s>\nS: 550 5.1.1 no such list",
                h.address);
        stranger(r, script);
        struct host_tcp *tcp = dial(r, &r->signer_at);
        play(r, tcp,
                "C: EHLO nec\nS: 250\nC: MAIL FROM:<>\nS: 250\n"
                "C: RCPT TO:<_signed.aaaaaaaaaaaaaaaaaaaaaaaaaa@mailingl.st>\nS: 550 5.1.1 no such ticket\n"
                "C: RCPT TO:<_signed.@mailingl.st>\nS: 5");
        host_tcp_close(r->host, tcp);
        assert_int_equal(state_of(r, &h), STORE_OPEN);
}

static void test_recipients(void **state)
{
        (void)state;
        with_node(recipients);
}

static void test_refused_recipients(void **state)
{
        (void)state;
        with_node(refused_recipients);
}

static void test_chunks(void **state)
{
        (void)state;
        with_node(chunks);
}

static void test_return_paths(void **state)
{
        (void)state;
        with_node(return_paths);
}

static void test_signed_copies(void **state)
{
        (void)state;
        with_node(signed_copies);
}

static void test_tickets(void **state)
{
        (void)state;
        with_node(tickets);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_recipients),
                cmocka_unit_test(test_refused_recipients),
                cmocka_unit_test(test_chunks),
                cmocka_unit_test(test_return_paths),
                cmocka_unit_test(test_signed_copies),
                cmocka_unit_test(test_tickets),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
