/* SPDX-License-Identifier: ISC */
#include "tests/sim/talk.h"

#include "base/ascii.h"
#include "tests/sim/buffer.h"

#define CONNECT_MS 30000
#define QUIT_MS 5000
#define PATIENCE_MS (10 * 60 * 1000)

static int64_t in_ms(const struct talk *t, int64_t ms)
{
        return host_now_ms(t->host) + ms;
}

static enum err fail(struct talk *t, enum err e)
{
        t->fault = t->fault == ERR_OK ? e : t->fault;
        return t->fault;
}

void talk_close(struct talk *t)
{
        if (t->tcp)
                host_tcp_close(t->host, t->tcp);
        t->tcp = NULL;
        (void)fail(t, ERR_CLOSED);
}

enum err talk_send(struct talk *t, struct str bytes)
{
        while (bytes.n > 0 && t->fault == ERR_OK) {
                size_t n = bytes.n;
                if (t->dribble) {
                        size_t few = 1 + (size_t)sim_random_below(t->dribble, 40);
                        int64_t pause_ms = sim_random_between(t->dribble, 20, 1500);
                        n = n < few ? n : few;
                        enum err slept = fiber_sleep(t->host->sched, pause_ms);
                        if (slept != ERR_OK)
                                return fail(t, slept);
                }
                enum err e = host_tcp_write(t->host, t->tcp, str_take(bytes, n), in_ms(t, t->patience_ms));
                if (e != ERR_OK)
                        return fail(t, e);
                bytes = str_skip(bytes, n);
        }
        return t->fault;
}

static enum err send_printed(struct talk *t, const char *format, va_list args, struct str end)
{
        char line[1024];
        int n = vsnprintf(line, sizeof line, format, args);
        CHECK(n >= 0 && (size_t)n + end.n < sizeof line);
        memcpy(line + n, end.p, end.n);
        return talk_send(t, str_of(line, (size_t)n + end.n));
}

enum err talk_print(struct talk *t, const char *format, ...)
{
        va_list args;
        va_start(args, format);
        enum err e = send_printed(t, format, args, S(""));
        va_end(args);
        return e;
}

unsigned talk_ask(struct talk *t, const char *format, ...)
{
        va_list args;
        va_start(args, format);
        enum err e = send_printed(t, format, args, S("\r\n"));
        va_end(args);
        return e == ERR_OK || e == ERR_CLOSED ? talk_reply(t) : 0;
}

/* ---- replies ---- */

/* A line without its CRLF, at the head of `in`; whoever uses it drops it. False: the connection is gone. */
static bool read_line(struct talk *t, struct str *line)
{
        for (;;) {
                size_t got, end = str_find_byte(str_of(t->in, t->n), '\n');
                *line = str_of(t->in, end);
                if (end < t->n)
                        return true;
                if (t->n == sizeof t->in || !t->tcp)
                        return false;
                enum err e = host_tcp_read(
                        t->host, t->tcp, t->in + t->n, sizeof t->in - t->n, in_ms(t, t->patience_ms), &got);
                if (e != ERR_OK) {
                        (void)fail(t, e);
                        return false;
                }
                t->n += got;
        }
}

static void note_keyword(struct talk *t, struct str text)
{
        struct str word, rest;
        (void)str_cut(text, ' ', &word, &rest);
        t->has_pipelining = t->has_pipelining || str_eq_nocase(word, S("PIPELINING"));
        t->has_size = t->has_size || str_eq_nocase(word, S("SIZE"));
        t->has_8bit = t->has_8bit || str_eq_nocase(word, S("8BITMIME"));
        t->has_chunking = t->has_chunking || str_eq_nocase(word, S("CHUNKING"));
}

/* Reply-line = code ( "-" / SP ) text CRLF, at most 512 octets (RFC 5321 4.2, 4.5.3.1.5). */
static bool is_reply_line(struct str line)
{
        return line.n >= 4 && line.n <= 511 && line.p[line.n - 1] == '\r' && line.p[0] >= '2' &&
               line.p[0] <= '5' && ascii_is_digit(line.p[1]) && ascii_is_digit(line.p[2]) &&
               (line.p[3] == ' ' || line.p[3] == '-' || line.n == 4);
}

unsigned talk_reply(struct talk *t)
{
        struct str line;
        while (read_line(t, &line)) {
                if (!is_reply_line(line)) {
                        t->is_malformed = true;
                        return 0;
                }
                unsigned code =
                        (unsigned)(100 * (line.p[0] - '0') + 10 * (line.p[1] - '0') + (line.p[2] - '0'));
                bool is_last = line.p[3] != '-';
                struct str text = str_trim(str_skip(line, 4));
                (void)snprintf(t->text, sizeof t->text, "%.*s", STR_ARG(text));
                note_keyword(t, text);
                t->n -= line.n + 1;
                memmove(t->in, t->in + line.n + 1, t->n);
                if (is_last)
                        return code;
        }
        return 0;
}

unsigned talk_open(struct talk *t, struct host *h, const struct ip_port *to, struct sim_random *dribble)
{
        memset(t, 0, offsetof(struct talk, in));
        t->host = h;
        t->dribble = dribble;
        t->patience_ms = PATIENCE_MS;
        t->text[0] = 0;
        t->fault = host_connect(h, to, in_ms(t, CONNECT_MS), &t->tcp);
        if (t->fault != ERR_OK)
                t->tcp = NULL;
        return t->tcp ? talk_reply(t) : 0;
}

unsigned talk_hello(struct talk *t, const char *name)
{
        t->has_pipelining = t->has_size = t->has_8bit = t->has_chunking = false;
        unsigned code = talk_ask(t, "EHLO %s", name);
        if (code < 500)
                return code;
        t->has_pipelining = t->has_size = t->has_8bit = t->has_chunking = false;
        return talk_ask(t, "HELO %s", name);
}

/* ---- messages ---- */

enum err talk_body(struct talk *t, struct str message)
{
        struct buffer b = {0};
        bool is_line_start = true;
        while (message.n > 0) { /* RFC 5321 4.5.2, but for what is to be smuggled */
                size_t end = str_find_byte(message, '\n') + 1;
                struct str line = str_take(message, end);
                if (is_line_start && line.p[0] == '.' && !str_eq(line, S(".\n")))
                        buffer_put(&b, S("."));
                buffer_put(&b, line);
                is_line_start = str_has_suffix_nocase(line, S("\r\n")); /* and not behind a bare LF */
                message = str_skip(message, end);
        }
        enum err e = talk_send(t, buffer_text(&b));
        buffer_free(&b);
        return e;
}

enum err talk_message(struct talk *t, struct str message)
{
        enum err e = talk_body(t, message);
        if (e == ERR_OK)
                e = talk_send(t, str_has_suffix_nocase(message, S("\r\n")) ? S(".\r\n") : S("\r\n.\r\n"));
        return e;
}

void talk_quit(struct talk *t)
{
        t->patience_ms = QUIT_MS;
        if (t->fault == ERR_OK)
                (void)talk_ask(t, "QUIT");
        talk_close(t);
}
