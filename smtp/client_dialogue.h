/* SPDX-License-Identifier: ISC */
/* Dialogues as text. "S:" a line of the server, with CRLF; "s:" its bytes as they are, with escapes; ">:" a step of the
 * caller; "C:" what the client says; "c:" its bytes as they are; "E:" the events that the caller sees. What follows steps
 * and lines of S is what must have happened since. Each dialogue is played with S whole, byte by byte, and cut at random. */
#ifndef SMTP_CLIENT_DIALOGUE_H
#define SMTP_CLIENT_DIALOGUE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "smtp/client_play.h"

#define GREET             \
        "S:220 mx.test\n" \
        "C:EHLO c.test\n"
#define READY                         \
        GREET                         \
        "S:250-mx.test hello\n"       \
        "S:250-PIPELINING\n"          \
        "S:250-SIZE 1000\n"           \
        "S:250-8BITMIME\n"            \
        "S:250-SMTPUTF8\n"            \
        "S:250 ENHANCEDSTATUSCODES\n" \
        "E:ready pipelining size=1000 8bit utf8 enhanced\n"
#define PLAIN             \
        GREET             \
        "S:250 mx.test\n" \
        "E:ready\n"
#define OPEN                          \
        READY                         \
        ">:mail a@b.test\n"           \
        ">:rcpt x@y.test\n"           \
        ">:data\n"                    \
        "C:MAIL FROM:<a@b.test>\n"    \
        "C:RCPT TO:<x@y.test>\n"      \
        "C:DATA\n"                    \
        "S:250 2.1.0 ok\n"            \
        "S:250 2.1.5 ok\n"            \
        "S:354 go\n"                  \
        "E:reply mail 250 2.1.0 ok\n" \
        "E:reply rcpt 250 2.1.5 ok\n" \
        "E:reply data 354 go\n"
#define QUIT                \
        ">:quit\n"          \
        "C:QUIT\n"          \
        "S:221 2.0.0 bye\n" \
        "E:closed quit at quit 221 2.0.0 bye\n"
#define BROKEN(command) "E:closed protocol broken at " command "\n"

struct dialogue {
        const char *name, *text;
        enum smtp_client_tls tls;
};

static inline bool next_line(struct str *text, char *kind, struct str *line)
{
        struct str whole;
        if (text->n == 0)
                return false;
        str_cut(*text, '\n', &whole, text);
        assert_true(whole.n >= 2 && whole.p[1] == ':');
        *kind = whole.p[0];
        *line = str_skip(whole, 2);
        return true;
}

struct expected {
        struct play_text output, events;
};

static inline void check_group(
        const struct dialogue *d, struct client_play *p, struct expected *x, struct str rest)
{
        if (!str_eq(play_str(&p->output), play_str(&x->output)) ||
                !str_eq(play_str(&p->events), play_str(&x->events)))
                fail_msg("%s, before <%.*s>\nsaid:\n%.*s\nexpected:\n%.*s\nevents:\n%.*s\nexpected:\n%.*s",
                        d->name, STR_ARG(str_take(rest, 60)), STR_ARG(play_str(&p->output)),
                        STR_ARG(play_str(&x->output)), STR_ARG(play_str(&p->events)),
                        STR_ARG(play_str(&x->events)));
        x->output.n = x->events.n = 0;
        p->output.n = p->events.n = 0;
}

static inline void feed_line(struct client_play *p, struct str line, bool is_line, uint32_t *seed)
{
        struct play_text bytes = {0};
        play_unescape(&bytes, line);
        play_add_c(&bytes, is_line ? "\r\n" : "");
        client_play_feed(p, play_str(&bytes), seed);
        play_free(&bytes);
}

static inline void expect_output(struct expected *x, struct str line, bool is_line)
{
        play_unescape(&x->output, line);
        play_add_c(&x->output, is_line ? "\r\n" : "");
}

static inline void play(const struct dialogue *d, uint32_t seed)
{
        struct expected x = {0};
        struct client_play p;
        struct str text = str_of_c(d->text), line, rest = text;
        char kind, last = 'S';
        const struct smtp_client_config config = {.hello = S("c.test"), .tls = d->tls};
        client_play_begin_with(&p, &config);
        while (next_line(&text, &kind, &line)) {
                bool is_input = kind == 'S' || kind == 's' || kind == '>';
                if (is_input && (last == 'C' || last == 'c' || last == 'E'))
                        check_group(d, &p, &x, rest);
                if (kind == 'S' || kind == 's')
                        feed_line(&p, line, kind == 'S', &seed);
                else if (kind == '>')
                        client_play_do(&p, line);
                else if (kind == 'E')
                        play_add(&x.events, line), play_add_c(&x.events, "\n");
                else
                        expect_output(&x, line, kind == 'C');
                last = kind;
                rest = text;
        }
        check_group(d, &p, &x, rest);
        assert_true(p.is_closed);
        client_play_free(&p);
        play_free(&x.output);
        play_free(&x.events);
}

static inline void play_dialogues(const struct dialogue *list, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                print_message("dialogue: %s\n", list[i].name);
                for (uint32_t seed = 0; seed < 202; seed++)
                        play(&list[i], seed);
        }
}

#endif
