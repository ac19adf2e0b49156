/* SPDX-License-Identifier: ISC */
/* First byte even: a hostile server's bytes against a caller who does the usual, 0xff before each of its steps.
 * First byte odd: a message of any bytes, with its next bit by BDAT. It is refused, or what is sent comes out of the
 * server engine unchanged. */
#include "base/check.h"
#include "smtp/client_play.h"
#include "smtp/server_play.h"

/* Lines end with CRLF, there is no other CR or LF, and no NUL, whatever the server said. */
static void check_output(struct str out)
{
        for (size_t i = 0; i < out.n; i++) {
                CHECK(out.p[i] != '\0');
                CHECK(out.p[i] != '\n' || (i > 0 && out.p[i - 1] == '\r'));
                CHECK(out.p[i] != '\r' || (i + 1 < out.n && out.p[i + 1] == '\n'));
        }
}

static void hostile_server(struct str bytes, uint32_t seed)
{
        static const char *const steps[] = {"mail a@b.test size=3 8bit", "rcpt x@y.test", "rcpt z@y.test",
                "data", "body x\\r\\n.y\\r\\n", "end", "mail a@b.test", "hold", "rcpt x@y.test", "send",
                "data", "rset", "time 1000", "mail ", "rcpt x@y.test", "data", "hold", "body x", "end",
                "send", "mail a@b.test", "rcpt x@y.test", "bdat 4", "body .x", "body \\r\\n", "end", "quit"};
        struct client_play p;
        struct str piece;
        size_t step = 0;
        client_play_begin(&p, seed % 4 == 0);
        while (bytes.n > 0) {
                bool has_step = str_cut(bytes, '\xff', &piece, &bytes);
                client_play_feed(&p, piece, &seed);
                if (has_step && step < sizeof steps / sizeof steps[0])
                        client_play_do(&p, str_of_c(steps[step++]));
        }
        client_play_do(&p, S("lost"));
        CHECK(p.is_closed);
        check_output(play_str(&p.output));
        client_play_free(&p);
}

/* Does every CR have its LF and the other way round, with no NUL? */
static bool is_clean(struct str s)
{
        for (size_t i = 0; i < s.n; i++)
                if (s.p[i] == '\0' || (s.p[i] == '\n' && (i == 0 || s.p[i - 1] != '\r')) ||
                        (s.p[i] == '\r' && (i + 1 == s.n || s.p[i + 1] != '\n')))
                        return false;
        return true;
}

static void open_message(struct client_play *c, bool is_chunk, size_t size)
{
        uint32_t whole = 0;
        client_play_begin(c, false);
        client_play_feed(c, S("220 mx.test\r\n"), &whole);
        client_play_feed(c, S("250-mx.test\r\n250-CHUNKING\r\n250 PIPELINING\r\n"), &whole);
        client_play_do(c, S("mail a@b.test"));
        client_play_do(c, S("rcpt x@y.test"));
        client_play_feed(c, S("250 ok\r\n250 ok\r\n"), &whole);
        if (is_chunk) {
                c->output.n = c->events.n = 0;
                CHECK(smtp_client_bdat(c->client, size) == ERR_OK);
                return;
        }
        client_play_do(c, S("data"));
        client_play_feed(c, S("354 go\r\n"), &whole);
        c->output.n = c->events.n = 0;
}

static void check_received(struct str wire, struct str message, bool is_chunk)
{
        struct smtp_server_config config = server_play_config();
        struct server_play s;
        struct play_text expected = {0};
        uint32_t whole = 0;
        bool is_ended = message.n == 0 || str_has_suffix_nocase(message, S("\r\n"));
        config.message_max = 0;
        server_play_begin(&s, &config);
        server_play_feed(&s, S("EHLO c.test\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<x@y.test>\r\n"), &whole);
        s.events.n = 0;
        server_play_feed(&s, is_chunk ? S("") : S("DATA\r\n"), &whole);
        server_play_feed(&s, wire, &whole);
        play_add_c(&expected, "data\nbody ");
        play_escape(&expected, message);
        play_add_c(&expected, is_ended ? "\nend " : "\\r\\n\nend ");
        play_add_number(&expected, message.n + (is_ended ? 0 : 2));
        struct str events = play_str(&s.events);
        CHECK(str_has_prefix(events, play_str(&expected)));
        CHECK(str_find(str_skip(events, expected.n), S("\n")) + expected.n + 1 == events.n);
        play_free(&expected);
        server_play_free(&s);
}

static void any_message(struct str message, uint32_t seed)
{
        struct client_play c;
        enum err e = ERR_OK;
        struct str left = message;
        bool is_chunk = seed % 2 == 1;
        bool is_whole = !is_chunk || message.n == 0 || message.p[message.n - 1] == '\n';
        open_message(&c, is_chunk, message.n);
        while (left.n > 0 && e == ERR_OK) {
                size_t n = play_piece(&seed, left.n);
                e = client_play_body(&c, str_take(left, n));
                left = str_skip(left, n);
        }
        if (e == ERR_OK)
                e = smtp_client_end(c.client);
        client_play_drain(&c);
        CHECK((e == ERR_OK) == (is_clean(message) && is_whole));
        check_output(play_str(&c.output));
        if (e == ERR_OK)
                check_received(play_str(&c.output), message, is_chunk);
        client_play_free(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct str bytes = str_of(data, size);
        if (size > 0 && data[0] % 2 == 0)
                hostile_server(str_skip(bytes, 1), data[0] / 2);
        else if (size > 0)
                any_message(str_skip(bytes, 1), data[0] / 2);
        return 0;
}
