/* SPDX-License-Identifier: ISC */
/* The sessions of the signing hop: who may speak, what the next hop's words and its death become, and what is reserved. */
#include "serve/signer_world.h"

/* The next hop dies in each state: 4xx there, nothing stays reserved, and the same session goes on when it is back. */
static void play_dying_hop(struct world *w)
{
        struct smtp_mail_params params = {0};
        for (size_t at = 0; at <= 4; at++) {
                print_message("dies at %zu\n", at);
                forget_hops(w);
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

/* The next hop's words at each place, and its state after a refusal. */
static void play_words(struct world *w)
{
        struct smtp_mail_params params = {0};
        struct signer_stats before = w->signer.stats;
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
        assert_int_equal(w->signer.stats.signed_count - before.signed_count, 2);
        assert_int_equal(
                w->signer.stats.refused[SIGNER_NEXT_HOP_REFUSED] - before.refused[SIGNER_NEXT_HOP_REFUSED],
                3);
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
        assert_int_equal(w->signer.stats.refused[SIGNER_NO_MEMORY], 2);
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
        assert_int_equal(w->signer.stats.refused[SIGNER_NO_KEY], 1);
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
        assert_int_equal(w->signer.stats.refused[SIGNER_STRANGER], 1);
        smtp_out_close(&w->client);
        assert_int_equal(w->hop.mails, 0);
        w->accept_from = (struct ip_net){ip_v4(127, 0, 0, 0), 8};
}

static void play_extensions(struct world *w)
{
        struct smtp_server_config usual = w->hop.config.server;
        w->hop.config.server.offer = (struct smtp_extensions){.size = true, .smtputf8 = true};
        w->hop.config.server.message_max = 100000;
        forget_hops(w);
        assert_int_equal(connect_client(w), ERR_OK);
        const struct smtp_extensions *offered = smtp_out_extensions(&w->client);
        assert_false(offered->mime_8bit);
        assert_false(offered->chunking);
        assert_true(offered->smtputf8);
        assert_true(offered->size_max > 90000 && offered->size_max < 100000); /* room for what we add */
        smtp_out_close(&w->client);
        w->hop.config.server.offer = (struct smtp_extensions){.mime_8bit = true, .chunking = true};
        forget_hops(w);
        assert_int_equal(connect_client(w), ERR_OK);
        assert_true(smtp_out_extensions(&w->client)->mime_8bit);
        assert_true(smtp_out_extensions(&w->client)->chunking);
        assert_false(smtp_out_extensions(&w->client)->smtputf8);
        smtp_out_close(&w->client);
        w->hop.config.server = usual;
        forget_hops(w);
}

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

/* By BDAT from the client, or to the next hop, or both: the message is the same, whatever its last line lacks. */
static void play_chunks(struct world *w)
{
        struct smtp_mail_params params = {0};
        for (int at_hop = 0; at_hop < 2; at_hop++) {
                w->hop.config.server.offer.chunking = at_hop;
                forget_hops(w);
                assert_int_equal(connect_client(w), ERR_OK);
                if (at_hop) {
                        expect(w, smtp_out_mail(&w->client, S(""), &params, &w->reply), 250, "hop sender");
                        expect(w, smtp_out_rcpt(&w->client, S("some@example.com"), &w->reply), 250, "");
                        assert_int_equal(smtp_out_bdat(&w->client, sizeof MESSAGE - 1), ERR_OK);
                        end(w, S(MESSAGE), 250, "queued as 42");
                        assert_true(str_has_suffix_nocase(str_of(w->hop.message, w->hop.n), S(MESSAGE)));
                }
                begin(w, "some@example.com");
                end(w, S(MESSAGE), 250, "queued as 42");
                assert_true(str_has_suffix_nocase(str_of(w->hop.message, w->hop.n), S(MESSAGE)));
                smtp_out_close(&w->client);
        }
        w->hop.at_end = smtp_reply_of(554, 6, 0, S("hop wants no such thing"));
        assert_int_equal(connect_client(w), ERR_OK);
        begin(w, "some@example.com");
        end(w, S(MESSAGE), 554, "hop wants no such thing");
        w->hop.at_end.code = 0;
        begin(w, "some@example.com"); /* the connection to it is fit for more */
        end(w, S(MESSAGE), 250, "queued as 42");
        smtp_out_close(&w->client);
        w->hop.config.server.offer.chunking = false;
        forget_hops(w);
}

/* One connection to the next hop serves session after session; a stale one is noticed; an unused one goes. */
static void play_reuse(struct world *w)
{
        forget_hops(w);
        uint64_t opened = w->signer.hops.opened;
        w->hop.config.server.idle_ms = 300; /* then it closes, with 421 */
        for (int i = 0; i < 5; i++)
                post(w, "some@example.com", MESSAGE, 250, "queued as 42");
        assert_int_equal(w->signer.hops.opened, opened + 1);
        assert_int_equal(w->signer.hops.idle_count, 1);
        w->hop.config.server.idle_ms = 0;
        while (w->hop.gate.open > 0)
                assert_int_equal(fiber_sleep(w->h->sched, 5), ERR_OK);
        post(w, "some@example.com", MESSAGE, 250, "queued as 42");
        assert_int_equal(w->signer.hops.opened, opened + 2);
        w->signer.hops.patience_ms = 20;
        post(w, "some@example.com", MESSAGE, 250, "queued as 42");
        for (int i = 0; i < 2000 && w->hop.gate.open > 0; i++)
                assert_int_equal(fiber_sleep(w->h->sched, 5), ERR_OK);
        assert_int_equal(w->signer.hops.idle_count, 0);
        w->signer.hops.patience_ms = SIGNER_HOP_IDLE_MS;
}

/* Answers that fit nothing: no connection is lost sight of, and none serves again with a transaction open on it. */
static void play_odd_hop(struct world *w)
{
        struct smtp_mail_params params = {0};
        forget_hops(w);
        w->hop.is_odd = true;
        uint64_t opened = w->signer.hops.opened;
        assert_int_equal(connect_client(w), ERR_OK);
        for (int i = 0; i < 3; i++)
                expect(w, smtp_out_mail(&w->client, S(AUTHOR), &params, &w->reply), 451, "Unexpected answer");
        smtp_out_close(&w->client);
        forget_hops(w);
        assert_int_equal(w->signer.hops.opened, opened + 3);
        for (int i = 0; i < 2000 && w->hop.gate.open > 0; i++)
                assert_int_equal(fiber_sleep(w->h->sched, 5), ERR_OK);
        assert_int_equal(w->hop.gate.open, 0);
        w->hop.is_odd = false;
        post(w, "some@example.com", MESSAGE, 250, "queued as 42");
}

static void test_odd_hop(void **state)
{
        play_odd_hop(*state);
}

static void test_chunks(void **state)
{
        play_chunks(*state);
}

static void test_reuse(void **state)
{
        play_reuse(*state);
}

static void test_words(void **state)
{
        wait_ready(*state);
        play_words(*state);
}

static void test_budget(void **state)
{
        play_budget(*state);
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

static int all_tests(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_no_key),
                cmocka_unit_test(test_stranger),
                cmocka_unit_test(test_extensions),
                cmocka_unit_test(test_words),
                cmocka_unit_test(test_chunks),
                cmocka_unit_test(test_reuse),
                cmocka_unit_test(test_odd_hop),
                cmocka_unit_test(test_budget),
                cmocka_unit_test(test_dying_hop),
                cmocka_unit_test(test_left_within),
                cmocka_unit_test(test_no_hop),
        };
        return cmocka_run_group_tests(tests, give_world, NULL);
}

int main(void)
{
        return run_in_world(all_tests, false);
}
