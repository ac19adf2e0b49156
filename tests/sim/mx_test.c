/* SPDX-License-Identifier: ISC */
/* Mail hosts with each temperament, spoken to by hand and by the product's client. */
#include "tests/sim/mx_rig.h"

#include "serve/smtp_out.h"

static void plain(struct world *w)
{
        struct talk t;
        assert_int_equal(hello(w, &t), 250);
        assert_true(t.has_pipelining && t.has_size && t.has_8bit && t.has_chunking);
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

/* RFC 3030, in chunks of any size; one without a recipient is passed over. */
static void takes_chunks(struct world *w)
{
        struct talk t;
        uint32_t try = rig_try(&w->rig, LETTER_PLAIN, 3000, S("l@list.test"));
        struct buffer b = rig_make(&w->rig, try, &(struct rig_copy){0});
        struct str letter = buffer_text(&b);
        assert_int_equal(hello(w, &t), 250);
        assert_true(t.has_chunking);
        assert_int_equal(talk_ask(&t, "BDAT 6 LAST\r\nQUIT"), 503);
        assert_int_equal(talk_ask(&t, "MAIL FROM:<%s>", RIG_PATH), 250);
        assert_int_equal(talk_ask(&t, "RCPT TO:<bob@b.test>"), 250);
        for (size_t at = 0, n = 1; at < letter.n; at += n, n *= 3) {
                n = n < letter.n - at ? n : letter.n - at;
                assert_int_equal(talk_print(&t, "BDAT %zu\r\n", n), ERR_OK);
                assert_int_equal(talk_send(&t, str_take(str_skip(letter, at), n)), ERR_OK);
                assert_int_equal(talk_reply(&t), 250);
        }
        assert_int_equal(ledger_copies(w->rig.ledger), 0);
        assert_int_equal(talk_ask(&t, "BDAT 0 LAST"), 250);
        assert_int_equal(ledger_copies(w->rig.ledger), 1);
        talk_quit(&t);
        nothing_is_wrong(w);
        buffer_free(&b);
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
                {"BDAT x LAST\r\n", "a chunk that may not be"},
                {"BDAT 4 FIRST\r\nabc\n", "a chunk that may not be"},
                {"MAIL FROM:<" RIG_PATH ">\r\nRCPT TO:<bob@b.test>\r\nBDAT 4 LAST\r\nab\n\n",
                        "a bare CR or LF in a message"},
                {"BDAT 4 LAST\r\nabc\n", NULL},
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
        if (!o->wire.tcp)
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

static const struct scene scenes[] = {
        {"plain", plain, ""},
        {"ends are told", ends_are_told, ""},
        {"greylists", greylists, "greylist=5m"},
        {"limits a connection", limits_a_connection, "per-connection=2"},
        {"limits an hour", limits_an_hour, "per-hour=3"},
        {"takes chunks", takes_chunks, ""},
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
};

static void test_scenes(void **state)
{
        (void)state;
        play_scenes(scenes, sizeof scenes / sizeof scenes[0]);
}

static void test_words(void **state)
{
        static const char *const texts[] = {"", "greylist=5m", "storm=20 refused-users=a,b",
                "banner-delay=1500ms",
                "greylist=1d per-connection=10 per-hour=100 storm=1 refused-users=* banner-delay=30s "
                "read-rate=1000 "
                "drop-before=5 drop-after=6 close-after=50 recipients=1 refuse=yes pipelining=no ehlo=no "
                "bounce=10 "
                "bounce-delay=2h",
                "per-minute=3 connections=2 full-users=c,d lost-users=e blocks=yes chunking=no bounce=1 "
                "chatter=20 "
                "forged-bounces=30"};
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
