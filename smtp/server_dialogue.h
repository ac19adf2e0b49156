/* SPDX-License-Identifier: ISC */
/* Dialogues as text. "C:" a line of the client, with CRLF; "c:" its bytes as they are, with escapes; "S:" what the
 * server says; "E:" the events that its caller sees. Lines of C are fed together; what follows them is what must have
 * happened since. Each dialogue is played whole, byte by byte, and cut at random. */
#ifndef SMTP_SERVER_DIALOGUE_H
#define SMTP_SERVER_DIALOGUE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "smtp/server_play.h"

#define BEGIN                   \
        "S:220 mx.test ESMTP\n" \
        "E:connect\n"
#define EHLO                          \
        "C:EHLO c.test\n"             \
        "S:250-mx.test hello\n"       \
        "S:250-PIPELINING\n"          \
        "S:250-SIZE 1000\n"           \
        "S:250-8BITMIME\n"            \
        "S:250-SMTPUTF8\n"            \
        "S:250-CHUNKING\n"            \
        "S:250 ENHANCEDSTATUSCODES\n" \
        "E:ehlo c.test\n"
#define HELLO BEGIN EHLO
#define OPEN                         \
        HELLO                        \
        "C:MAIL FROM:<a@b.test>\n"   \
        "C:RCPT TO:<x@y.test>\n"     \
        "C:DATA\n"                   \
        "S:250 2.1.0 sender ok\n"    \
        "S:250 2.1.5 recipient ok\n" \
        "S:354 go\n"                 \
        "E:mail <a@b.test>\n"        \
        "E:rcpt <x@y.test>\n"        \
        "E:data\n"
#define QUIT                \
        "C:QUIT\n"          \
        "S:221 2.0.0 Bye\n" \
        "E:closed quit\n"

struct dialogue {
        const char *name, *text;
        bool has_tls; /* STARTTLS is offered */
};

/* The lines of a dialogue, one at a time. */
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
        struct play_text input, output, events;
};

static inline void check_group(struct server_play *p, struct expected *x, uint32_t *seed)
{
        server_play_feed(p, play_str(&x->input), seed);
        if (!str_eq(play_str(&p->output), play_str(&x->output)) ||
                !str_eq(play_str(&p->events), play_str(&x->events)))
                fail_msg("after <%.*s> seed %u\nsaid:\n%.*s\nexpected:\n%.*s\nevents:\n%.*s\nexpected:\n%.*s",
                        STR_ARG(play_str(&x->input)), *seed, STR_ARG(play_str(&p->output)),
                        STR_ARG(play_str(&x->output)), STR_ARG(play_str(&p->events)),
                        STR_ARG(play_str(&x->events)));
        x->input.n = x->output.n = x->events.n = 0;
        p->output.n = p->events.n = 0;
}

static inline void play(const struct dialogue *d, uint32_t seed)
{
        struct smtp_server_config config = server_play_config();
        struct expected x = {0};
        struct server_play p;
        struct str text = str_of_c(d->text), line;
        char kind, last = 'E';
        config.offer.starttls = d->has_tls;
        server_play_begin(&p, &config);
        while (next_line(&text, &kind, &line)) {
                bool is_client = kind == 'C' || kind == 'c';
                if (is_client && last != 'C' && last != 'c')
                        check_group(&p, &x, &seed);
                if (is_client) {
                        play_unescape(&x.input, line);
                        play_add_c(&x.input, kind == 'C' ? "\r\n" : "");
                } else {
                        play_add(kind == 'S' ? &x.output : &x.events, line);
                        play_add_c(kind == 'S' ? &x.output : &x.events, kind == 'S' ? "\r\n" : "\n");
                }
                last = kind;
        }
        check_group(&p, &x, &seed);
        assert_true(p.is_closed);
        server_play_free(&p);
        play_free(&x.input);
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
