/* SPDX-License-Identifier: ISC */
/* One SMTP session of a mail host. It is strict: what a client may not do is told to the ledger. */
#include <stdlib.h>

#include "base/ascii.h"
#include "tests/sim/buffer.h"
#include "tests/sim/mx_inside.h"

#define READ_SIZE 16384
#define IDLE_MS (5 * 60 * 1000) /* RFC 5321 4.5.3.2.7 */
#define COMMAND_MAX 512         /* RFC 5321 4.5.3.1.4 */

struct session {
        struct mx *mx;
        struct host *host;
        struct host_tcp *tcp;
        struct ip peer;
        uint32_t connection;
        enum ledger_end end;                        /* LEDGER_OPEN: it goes on */
        bool has_hello, is_extended, is_pipelining; /* as it was offered */
        bool in_mail, in_data, in_chunk;
        bool is_counted; /* among the connections of its client */
        uint64_t chunk_left;
        bool is_last_chunk, is_wasted; /* nothing that comes is kept: the chunk came out of turn */
        bool is_answered;              /* the last final dot, and no command has come since */
        unsigned messages;
        struct str from;                  /* owned */
        struct str to[MX_RECIPIENTS_MAX]; /* owned */
        size_t to_count;
        size_t at; /* of `in`, what is used */
        struct buffer in, out, message;
};

static void blame(struct session *s, const char *what, struct str line)
{
        ledger_violate(s->mx->config.ledger, "protocol",
                "%s was sent by its client, on connection %u: %s: %.*s", s->mx->config.name,
                (unsigned)s->connection, what, (int)(line.n < 60 ? line.n : 60), line.p);
}

/* ---- answers ---- */

static void say(struct session *s, const char *line)
{
        buffer_print(&s->out, "%s\r\n", line);
}

static void say_last(struct session *s, const char *line)
{
        say(s, line);
        s->end = LEDGER_CLOSED;
}

/* Does it answer 4yz, whatever was asked? */
static bool is_stormy(struct session *s)
{
        static const char *const lines[] = {
                "421 4.3.2 not now", "450 4.2.1 not now", "451 4.3.0 not now", "452 4.3.1 not now"};
        if (!mx_chance(s->mx, s->mx->temper.storm))
                return false;
        uint64_t which = sim_random_below(&s->mx->random, sizeof lines / sizeof lines[0]);
        if (which == 0)
                say_last(s, lines[which]);
        else
                say(s, lines[which]);
        return true;
}

static enum ledger_end end_of(enum err e)
{
        switch (e) {
        case ERR_EOF:
                return LEDGER_EOF;
        case ERR_TIMEOUT:
                return LEDGER_SILENCE;
        case ERR_CANCELLED:
                return LEDGER_DIED;
        default:
                return LEDGER_RESET;
        }
}

static enum err flush(struct session *s)
{
        if (s->out.n == 0)
                return ERR_OK;
        enum err e = host_tcp_write(s->host, s->tcp, buffer_text(&s->out), host_now_ms(s->host) + IDLE_MS);
        s->out.n = 0;
        if (e != ERR_OK)
                s->end = end_of(e);
        return e;
}

/* ---- the envelope ---- */

static void end_transaction(struct session *s)
{
        str_free(s->from);
        s->from = (struct str){NULL, 0};
        while (s->to_count > 0)
                str_free(s->to[--s->to_count]);
        s->in_mail = false;
        s->message.n = 0;
}

/* What stands between the angle brackets; false without them. */
static bool take_path(struct str line, struct str *path)
{
        size_t open = str_find_byte(line, '<'), close = str_find_byte(line, '>');
        *path = open < close && close < line.n ? str_of(line.p + open + 1, close - open - 1) : S("");
        return open < close && close < line.n;
}

static void on_hello(struct session *s, bool is_extended)
{
        const struct mx_temper *t = &s->mx->temper;
        if (is_extended && t->no_ehlo) {
                say(s, "502 5.5.1 no such command");
                return;
        }
        end_transaction(s);
        s->has_hello = true;
        s->is_extended = is_extended;
        s->is_pipelining = is_extended && !t->no_pipelining;
        if (!is_extended) {
                buffer_print(&s->out, "250 %s\r\n", s->mx->config.name);
                return;
        }
        buffer_print(&s->out, "250-%s\r\n%s%s250-SIZE 104857600\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n",
                s->mx->config.name, s->is_pipelining ? "250-PIPELINING\r\n" : "",
                t->no_chunking ? "" : "250-CHUNKING\r\n");
        say(s, "250 ENHANCEDSTATUSCODES");
}

static void on_mail(struct session *s, struct str line)
{
        struct str path;
        if (!s->has_hello || s->in_mail || !take_path(line, &path)) {
                blame(s, "a MAIL that may not be", line);
                say(s, "503 5.5.1 not now");
                return;
        }
        if (!s->is_extended && line.p[line.n - 1] != '>')
                blame(s, "parameters without EHLO", line);
        if (is_stormy(s))
                return;
        const char *no = mx_answer_mail(s->mx, &s->peer, s->messages);
        if (no && str_has_prefix(str_of_c(no), S("421"))) {
                say_last(s, no);
                return;
        }
        if (no) {
                say(s, no);
                return;
        }
        s->in_mail = true;
        s->from = str_copy(path);
        say(s, "250 2.1.0 fine");
}

static void on_rcpt(struct session *s, struct str line)
{
        struct str path;
        struct verify *v = s->mx->config.verify;
        if (!s->in_mail || !take_path(line, &path)) {
                say(s, "503 5.5.1 not now"); /* behind a MAIL that was refused, a pipelining client means no harm */
                return;
        }
        if (!verify_may_come(v, s->from, path))
                ledger_violate(s->mx->config.ledger, "relayed",
                        "%s was asked to take mail of <%.*s> for <%.*s>", s->mx->config.name,
                        STR_ARG(s->from), STR_ARG(path));
        if (is_stormy(s))
                return;
        const char *no = mx_answer_recipient(s->mx, s->from, path, s->to_count);
        say(s, no ? no : "250 2.1.5 fine");
        if (!no)
                s->to[s->to_count++] = str_copy(path);
}

static void on_data(struct session *s)
{
        if (s->to_count == 0) {
                say(s, "554 5.5.1 nobody to take it"); /* the same */
                return;
        }
        if (is_stormy(s))
                return;
        s->in_data = true;
        s->message.n = 0;
        say(s, "354 go on");
}

/* RFC 3030 2: a size, and LAST or nothing. Its octets come whatever the answer will be. */
static void on_chunk(struct session *s, struct str line)
{
        struct str verb, rest, size, last;
        (void)str_cut(line, ' ', &verb, &rest);
        (void)str_cut(rest, ' ', &size, &last);
        s->is_last_chunk = str_eq_nocase(last, S("LAST"));
        if (str_to_u64(size, INT32_MAX, &s->chunk_left) != ERR_OK || (last.n > 0 && !s->is_last_chunk) ||
                !s->is_extended || s->mx->temper.no_chunking)
                blame(s, "a chunk that may not be", line);
        s->in_chunk = true;
        s->is_wasted = s->to_count == 0;
}

static void on_command(struct session *s, struct str line)
{
        struct str verb, rest;
        (void)str_cut(line, ' ', &verb, &rest);
        if (s->is_answered)
                ledger_connection_acknowledged(s->mx->config.ledger, s->connection);
        s->is_answered = false;
        if (line.n + 2 > COMMAND_MAX)
                blame(s, "a command that is too long", line);
        if (str_eq_nocase(verb, S("EHLO")) || str_eq_nocase(verb, S("HELO"))) {
                on_hello(s, ascii_lower(verb.p[0]) == 'e');
        } else if (str_eq_nocase(verb, S("MAIL"))) {
                on_mail(s, line);
        } else if (str_eq_nocase(verb, S("RCPT"))) {
                on_rcpt(s, line);
        } else if (str_eq_nocase(verb, S("DATA"))) {
                on_data(s);
        } else if (str_eq_nocase(verb, S("BDAT"))) {
                on_chunk(s, line);
        } else if (str_eq_nocase(verb, S("RSET"))) {
                end_transaction(s);
                say(s, "250 2.0.0 fine");
        } else if (str_eq_nocase(verb, S("NOOP"))) {
                say(s, "250 2.0.0 fine");
        } else if (str_eq_nocase(verb, S("QUIT"))) {
                say(s, "221 2.0.0 bye");
                s->end = LEDGER_QUIT;
        } else {
                blame(s, "an unknown command", line);
                say(s, "500 5.5.1 what?");
        }
}

/* ---- the message ---- */

static void keep(struct session *s)
{
        struct verify_message m = {.host = s->mx->config.name,
                .connection = s->connection,
                .wall_s = host_wall_ms(s->host) / 1000,
                .from = s->from,
                .to = s->to,
                .to_count = s->to_count,
                .bytes = buffer_text(&s->message)};
        s->messages++;
        mx_count_message(s->mx, &s->peer);
        verify_received(s->mx->config.verify, &m);
        for (size_t i = 0; i < s->to_count; i++)
                mx_bounce_later(s->mx, s->from, s->to[i]);
}

static void answer_dot(struct session *s, unsigned code)
{
        if (flush(s) != ERR_OK)
                return;
        ledger_connection_answered(s->mx->config.ledger, s->connection, code);
        s->is_answered = true;
}

static void on_dot(struct session *s)
{
        const struct mx_temper *t = &s->mx->temper;
        s->in_data = false;
        ledger_connection_dot(s->mx->config.ledger, s->connection);
        if (mx_chance(s->mx, t->drop_before)) {
                s->end = LEDGER_DROPPED;
                return;
        }
        if (is_stormy(s)) {
                answer_dot(s, 450);
                end_transaction(s);
                return;
        }
        keep(s);
        end_transaction(s);
        if (mx_chance(s->mx, t->drop_after)) {
                s->end = LEDGER_DROPPED;
                return;
        }
        say(s, "250 2.0.0 kept");
        answer_dot(s, 250);
        if (s->end == LEDGER_OPEN && mx_chance(s->mx, t->close_after))
                s->end = LEDGER_CLOSED;
}

/* A message that came in chunks consists of lines, too. */
static void blame_line_ends(struct session *s)
{
        struct str rest = buffer_text(&s->message);
        while (rest.n > 0) {
                size_t end = str_find_byte(rest, '\n') + 1;
                if (end > rest.n || end < 2 || str_find_byte(rest, '\r') != end - 2) {
                        blame(s, "a bare CR or LF in a message", rest);
                        return;
                }
                rest = str_skip(rest, end);
        }
}

/* One line of a message with its CRLF (RFC 5321 4.5.2). */
static void on_line(struct session *s, struct str line)
{
        if (str_find_byte(line, '\r') != line.n - 2)
                blame(s, "a bare CR or LF in a message", line);
        if (str_eq(line, S(".\r\n")))
                on_dot(s);
        else
                buffer_put(&s->message, str_skip(line, line.p[0] == '.'));
}

/* What has come of a chunk; it is answered when it is whole. */
static bool take_chunk(struct session *s)
{
        struct str bytes = str_skip(buffer_text(&s->in), s->at);
        if (s->chunk_left > 0 && bytes.n == 0)
                return false;
        bytes = str_take(bytes, s->chunk_left < bytes.n ? (size_t)s->chunk_left : bytes.n);
        s->at += bytes.n;
        s->chunk_left -= bytes.n;
        if (!s->is_wasted)
                buffer_put(&s->message, bytes);
        if (s->chunk_left > 0)
                return true;
        s->in_chunk = false;
        if (s->is_wasted) {
                say(s, "503 5.5.1 nobody to take it"); /* behind a MAIL or RCPT that was refused */
        } else if (!s->is_last_chunk) {
                say(s, "250 2.0.0 go on");
        } else {
                blame_line_ends(s);
                on_dot(s);
        }
        return true;
}

/* ---- the session ---- */

/* Take one line, or what has come of a chunk, off what was read: false when there is none. */
static bool take_line(struct session *s)
{
        if (s->in_chunk)
                return take_chunk(s);
        struct str rest = str_skip(buffer_text(&s->in), s->at);
        size_t end = str_find_byte(rest, '\n') + 1;
        if (end > rest.n)
                return false;
        struct str line = str_take(rest, end);
        s->at += end;
        if (s->in_data) {
                on_line(s, line);
                return true;
        }
        bool is_crowded = end < rest.n && !str_has_prefix_nocase(line, S("BDAT ")) &&
                          (!s->is_pipelining || str_has_prefix_nocase(line, S("DATA")) ||
                                  str_has_prefix_nocase(line, S("EHLO")));
        if (line.n < 2 || str_find_byte(line, '\r') != line.n - 2)
                blame(s, "a bare CR or LF in a command", line);
        if (is_crowded)
                blame(s, "bytes behind a command whose answer is to be waited for", line);
        on_command(s, str_trim(line));
        return true;
}

static void read_more(struct session *s)
{
        unsigned rate = s->mx->temper.read_rate;
        size_t got, cap = rate > 0 && rate < READ_SIZE ? rate : READ_SIZE;
        buffer_drop(&s->in, s->at);
        s->at = 0;
        char *room = buffer_room(&s->in, cap);
        enum err e = host_tcp_read(s->host, s->tcp, room, cap, host_now_ms(s->host) + IDLE_MS, &got);
        if (e == ERR_OK) {
                s->in.n += got;
                if (rate > 0)
                        e = fiber_sleep(s->host->sched, (int64_t)(got * 1000 / rate));
        }
        if (e != ERR_OK)
                s->end = end_of(e);
}

static void greet(struct session *s)
{
        if (s->mx->temper.banner_ms > 0 && fiber_sleep(s->host->sched, s->mx->temper.banner_ms) != ERR_OK) {
                s->end = LEDGER_DIED;
                return;
        }
        const char *no = mx_answer_connection(s->mx, &s->peer);
        s->is_counted = !no;
        if (no)
                say_last(s, no);
        else if (!is_stormy(s))
                buffer_print(&s->out, "220 %s ESMTP\r\n", s->mx->config.name);
        else
                s->end = LEDGER_CLOSED; /* a greeting that is no 220 is the last word */
}

void mx_session(struct mx *m, struct host_tcp *tcp, const struct ip *peer)
{
        struct session *s = calloc(1, sizeof *s);
        CHECK(s);
        s->mx = m;
        s->host = m->host;
        s->tcp = tcp;
        s->peer = *peer;
        s->connection = ledger_connection(m->config.ledger, m->config.name);
        greet(s);
        while (s->end == LEDGER_OPEN)
                if (!take_line(s) && flush(s) == ERR_OK)
                        read_more(s);
        if (s->end == LEDGER_CLOSED || s->end == LEDGER_QUIT) {
                enum ledger_end end = s->end;
                (void)flush(s);
                s->end = end;
        }
        host_tcp_close(s->host, tcp);
        if (s->is_counted)
                mx_end_connection(m, &s->peer);
        ledger_connection_end(m->config.ledger, s->connection, s->end);
        end_transaction(s);
        buffer_free(&s->in);
        buffer_free(&s->out);
        buffer_free(&s->message);
        free(s);
}
