/* SPDX-License-Identifier: ISC */
/* What mail hosts send back later. */
#include "tests/sim/mx_rig.h"

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

/* Each is sent once, and what its answer must be is judged: 5yz to what is no genuine bounce is as good as 2yz. */
static void comes_back(struct world *w, const char *rcpt, const char *const *parts)
{
        const char *const codes[] = {rcpt};
        struct bounced b = {.w = w, .codes = codes};
        assert_int_equal(deliver_alone(w, "bob@b.test"), 250);
        assert_int_equal(mx_bounces(w->mx), 1);
        assert_true(serve_bounce(&b, 61 * MINUTE_MS));
        pass_ms(w, 1000);
        assert_int_equal(mx_bounces(w->mx), 0);
        for (size_t i = 0; parts[i]; i++)
                assert_true(str_find(buffer_text(&b.heard), str_of_c(parts[i])) < b.heard.n);
        buffer_free(&b.heard);
}

static void loses_mail(struct world *w)
{
        static const char *const parts[] = {"MAIL FROM:<>\r\n", "Action: failed\r\nStatus: 5.1.1\r\n", NULL};
        comes_back(w, "250 yes\r\n", parts);
        assert_int_equal(deliver_alone(w, "cat@b.test"), 250);
        assert_int_equal(mx_bounces(w->mx), 0);
        nothing_is_wrong(w);
}

/* Which of three it is, is drawn. */
static void chatters(struct world *w)
{
        static const char *const parts[] = {"RCPT TO:<" RIG_PATH ">", NULL};
        static const char *const kinds[] = {"Auto-Submitted: auto-replied\r\nSubject: Out of office",
                "Action: delayed", "Please confirm"};
        unsigned seen = 0;
        comes_back(w, "550 5.1.1 who?\r\n", parts);
        for (unsigned i = 0; i < 60 && seen != 7; i++) {
                static const char *const good[] = {"250 yes\r\n"};
                struct bounced b = {.w = w, .codes = good};
                assert_int_equal(deliver_alone(w, "bob@b.test"), 250);
                assert_true(serve_bounce(&b, 61 * MINUTE_MS));
                pass_ms(w, 1000);
                for (unsigned k = 0; k < 3; k++)
                        seen |= (unsigned)(str_find(buffer_text(&b.heard), str_of_c(kinds[k])) < b.heard.n)
                                << k;
                buffer_free(&b.heard);
        }
        assert_int_equal(seen, 7);
        nothing_is_wrong(w);
}

static void forges(struct world *w)
{
        static const char *const parts[] = {
                "RCPT TO:<l-return-abcdefghijklmnopqrstuvwa@list.test>\r\n", NULL};
        comes_back(w, "550 5.1.1 no such path\r\n", parts);
        nothing_is_wrong(w);
        comes_back(w, "250 yes\r\n", parts);
        is_blamed(w, "forged", "a bounce for bob@b.test was taken");
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

static const struct scene scenes[] = {
        {"bounces", bounces, "bounce=100 bounce-delay=1h"},
        {"bounces are refused", bounces_are_refused, "bounce=100"},
        {"loses mail", loses_mail, "lost-users=bob"},
        {"chatters", chatters, "chatter=100"},
        {"forges", forges, "forged-bounces=100"},
        {"lives again", lives_again, "greylist=1m bounce=100 bounce-delay=1h"},
};

static void test_scenes(void **state)
{
        (void)state;
        play_scenes(scenes, sizeof scenes / sizeof scenes[0]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_scenes)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
