/* SPDX-License-Identifier: ISC */
/* For tests of authors: servers that keep what they answer 250. One is built from the product's engine, one is as naive as
 * servers have been. */
#ifndef TESTS_SIM_AUTHOR_RIG_H
#define TESTS_SIM_AUTHOR_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/limits.h"
#include "host/sim/sim.h"
#include "mail/header.h"
#include "serve/smtpd.h"
#include "tests/sim/author.h"
#include "tests/sim/buffer.h"

#define HOUR_MS (60 * 60 * 1000LL)
#define KEPT_MAX 2000

enum manners {
        STRICT,   /* the product's engine, lipap's rules */
        BUSY,     /* the same; 451 to two of three messages, 450 to every other recipient */
        HASTY,    /* the same; closes at every other final dot, having kept it or not */
        REFUSING, /* the same; 550 to each recipient */
        CHUNKED,  /* by hand: offers CHUNKING */
        NAIVE,    /* by hand: LF ends a line, every recipient is good, everything is taken */
        OLD       /* by hand: HELO alone */
};

struct world {
        struct sim *sim;
        struct ledger *ledger;
        enum manners manners;
        struct ip_port at;
        struct scope scope; /* of the server's sessions */
        struct host *host;
        uint32_t kept[KEPT_MAX]; /* tries answered 250, and some that were not */
        size_t kept_count, messages, recipients;
        char acts[8000]; /* that were played */
};

struct session {
        struct world *w;
        struct host_tcp *tcp;
        struct buffer bytes;
        struct str list;
        bool has_null_sender;
};

static inline void keep(struct world *w, struct str bytes)
{
        uint32_t t = ledger_try_find(w->ledger, letter_name(bytes));
        assert_true(w->kept_count < KEPT_MAX);
        w->kept[w->kept_count++] = t;
        if (t == LEDGER_NONE || w->manners == NAIVE)
                return;
        struct letter letter = ledger_letter(w->ledger, t);
        struct str sent = letter_write(&letter);
        bool has_end = str_has_suffix_nocase(sent, S("\r\n"));
        assert_true(str_eq(str_take(bytes, sent.n), sent));
        if (w->manners != CHUNKED || bytes.n != sent.n) /* a chunk needs no line end, DATA does */
                assert_int_equal(bytes.n, sent.n + (has_end ? 0 : 2));
        letter_free(sent);
}

/* ---- a server of the product's engine ---- */

static inline struct smtp_reply on_mail(void *ctx, const struct smtp_mail *mail)
{
        struct session *s = ctx;
        s->bytes.n = 0;
        s->list = S("");
        s->has_null_sender = mail->from.mailbox.n == 0;
        return smtp_reply_of(250, 1, 0, S("yes"));
}

static inline struct smtp_reply on_rcpt(void *ctx, const struct smtp_path *to)
{
        static const struct str lists[] = {{"l@list.test", 11}, {"m@list.test", 11}};
        struct session *s = ctx;
        struct world *w = s->w;
        if (w->manners == REFUSING || s->has_null_sender)
                return smtp_reply_of(550, 7, 1, S("no"));
        for (size_t i = 0; i < 2; i++) {
                if (!str_eq_nocase(to->mailbox, lists[i]))
                        continue;
                if (s->list.n > 0 && !str_eq(s->list, lists[i]))
                        return smtp_reply_of(452, 5, 3, S("one at a time"));
                if (w->manners == BUSY && w->recipients++ % 2 == 0)
                        return smtp_reply_of(450, 2, 0, S("later"));
                s->list = lists[i];
                return smtp_reply_of(250, 1, 5, S("yes"));
        }
        return smtp_reply_of(550, 1, 1, S("no"));
}

static inline struct smtp_reply on_data(void *ctx)
{
        struct session *s = ctx;
        return s->list.n > 0 ? smtp_reply_plain(354, S("go")) : smtp_reply_of(554, 5, 1, S("nobody"));
}

static inline void on_body(void *ctx, struct str bytes)
{
        buffer_put(&((struct session *)ctx)->bytes, bytes);
}

static inline bool is_of_two(const struct mail_header *h)
{
        struct str from = mail_header_first(h, S("From"))->body;
        return str_find(from, S(">,")) < from.n;
}

static inline bool is_fit(struct str bytes)
{
        static struct mail_field fields[MAIL_FIELDS_MAX];
        struct mail_header h;
        return mail_header_index(bytes, fields, MAIL_FIELDS_MAX, &h) == ERR_OK && h.strays == 0 &&
               mail_header_count(&h, S("From")) == 1 && !is_of_two(&h) &&
               mail_header_count(&h, S("List-Id")) == 0;
}

static inline struct smtp_reply on_end(void *ctx, const struct smtpd_message *message)
{
        struct session *s = ctx;
        size_t number = s->w->messages++;
        (void)message;
        if (!is_fit(buffer_text(&s->bytes)))
                return smtp_reply_of(554, 6, 0, S("unfit"));
        if (s->w->manners == BUSY && number % 3 != 2)
                return smtp_reply_of(451, 3, 0, S("later"));
        if (s->w->manners == HASTY && number % 2 == 0) {
                if (number % 4 == 0)
                        keep(s->w, buffer_text(&s->bytes));
                (void)sim_link_cut(s->w->sim, NULL, NULL, SIM_CUT_RESET);
                return smtp_reply_of(451, 3, 0, S("nobody hears this"));
        }
        keep(s->w, buffer_text(&s->bytes));
        return smtp_reply_of(250, 0, 0, S("kept"));
}

static inline void run_engine(struct session *s)
{
        static const struct smtpd_handler handler = {
                .mail = on_mail, .rcpt = on_rcpt, .data = on_data, .body = on_body, .end = on_end};
        struct smtpd_gate gate = {.most = 1, .open = 1};
        const struct smtpd_config config = {
                .server = {.hostname = S("mx.list.test"),
                        .offer = {.pipelining = true, .size = true, .mime_8bit = true, .enhanced = true},
                        .message_max = 1 << 20},
                .gate = &gate};
        (void)smtpd_run(s->w->host, s->tcp, &config, &handler, s);
        smtpd_gate_drop(&gate);
}

/* ---- a server by hand ---- */

struct reader {
        struct session *s;
        char in[8192];
        size_t n;
};

static inline bool read_some(struct reader *r)
{
        size_t got;
        struct host *h = r->s->w->host;
        if (r->n == sizeof r->in || host_tcp_read(h, r->s->tcp, r->in + r->n, sizeof r->in - r->n,
                                            host_now_ms(h) + HOUR_MS, &got) != ERR_OK)
                return false;
        r->n += got;
        return true;
}

static inline void use(struct reader *r, size_t n)
{
        r->n -= n;
        memmove(r->in, r->in + n, r->n);
}

/* The next line without its end; a line that is too long is given in pieces. */
static inline bool read_line(struct reader *r, struct buffer *line)
{
        for (;;) {
                struct str in = str_of(r->in, r->n);
                size_t end = str_find_byte(in, '\n');
                if (end < in.n || in.n == sizeof r->in) {
                        line->n = 0;
                        buffer_put(line, str_take(in, end));
                        if (line->n > 0 && line->p[line->n - 1] == '\r')
                                line->n--;
                        use(r, end < in.n ? end + 1 : in.n);
                        return true;
                }
                if (!read_some(r))
                        return false;
        }
}

static inline void say(struct session *s, const char *line)
{
        assert_true(strlen(line) < 200);
        enum err e = host_tcp_write(s->w->host, s->tcp, str_of_c(line), host_now_ms(s->w->host) + HOUR_MS);
        (void)e; /* the next read tells */
}

static inline void take_dots(struct reader *r, struct buffer *line)
{
        r->s->bytes.n = 0;
        while (read_line(r, line) && !str_eq(buffer_text(line), S("."))) {
                buffer_put(
                        &r->s->bytes, str_skip(buffer_text(line), str_has_prefix(buffer_text(line), S("."))));
                buffer_put(&r->s->bytes, S("\r\n"));
        }
        keep(r->s->w, buffer_text(&r->s->bytes));
        say(r->s, "250 kept\r\n");
}

static inline void take_chunk(struct reader *r, struct str arguments)
{
        struct str size, last;
        uint64_t left;
        (void)str_cut(arguments, ' ', &size, &last);
        if (str_to_u64(size, 1 << 24, &left) != ERR_OK) {
                say(r->s, "501 what?\r\n");
                return;
        }
        while (left > 0 && (r->n > 0 || read_some(r))) {
                size_t some = r->n < left ? r->n : (size_t)left;
                buffer_put(&r->s->bytes, str_of(r->in, some));
                use(r, some);
                left -= some;
        }
        if (left == 0 && str_eq(last, S("LAST"))) {
                keep(r->s->w, buffer_text(&r->s->bytes));
                r->s->bytes.n = 0;
        }
        say(r->s, "250 kept\r\n");
}

static inline void run_by_hand(struct session *s)
{
        struct reader r = {.s = s};
        struct buffer line = {0};
        enum manners manners = s->w->manners;
        say(s, "220 mx.list.test\r\n");
        while (read_line(&r, &line)) {
                struct str text = buffer_text(&line);
                if (str_has_prefix_nocase(text, S("EHLO")))
                        say(s, manners == OLD ? "500 what?\r\n"
                                : manners == CHUNKED
                                        ? "250-mx.list.test\r\n250-PIPELINING\r\n250 CHUNKING\r\n"
                                        : "250-mx.list.test\r\n250 PIPELINING\r\n");
                else if (str_has_prefix_nocase(text, S("DATA"))) {
                        say(s, "354 go\r\n");
                        take_dots(&r, &line);
                } else if (str_has_prefix_nocase(text, S("BDAT ")))
                        take_chunk(&r, str_skip(text, 5));
                else if (str_has_prefix_nocase(text, S("QUIT")))
                        say(s, "221 bye\r\n");
                else
                        say(s, manners != NAIVE && str_find(text, S("nobody-here")) < text.n ? "550 no\r\n"
                                                                                             : "250 yes\r\n");
        }
        buffer_free(&line);
}

static inline void run_session(void *arg)
{
        struct session *s = arg;
        if (s->w->manners < CHUNKED)
                run_engine(s);
        else
                run_by_hand(s);
        host_tcp_close(s->w->host, s->tcp);
        buffer_free(&s->bytes);
        free(s);
}

static inline void wait_stop(void *arg)
{
        struct world *w = arg;
        if (host_wait_stop(w->host) == ERR_OK)
                scope_cancel(&w->scope);
}

static inline void run_listener(void *arg)
{
        struct world *w = arg;
        struct host_listener *l;
        struct host_tcp *tcp;
        struct ip_port peer;
        assert_int_equal(host_listen(w->host, &w->at, &l), ERR_OK);
        while (host_accept(w->host, l, FIBER_NEVER, &tcp, &peer) == ERR_OK) {
                struct session *s = calloc(1, sizeof *s);
                assert_non_null(s);
                s->w = w;
                s->tcp = tcp;
                assert_int_equal(scope_spawn(&w->scope, "session", run_session, s), ERR_OK);
        }
        host_listener_close(w->host, l);
}

static inline int server(struct host *h, void *arg)
{
        struct world *w = arg;
        w->host = h;
        scope_open(&w->scope, h->sched, FIBER_NEVER);
        assert_int_equal(scope_spawn(&w->scope, "stop", wait_stop, w), ERR_OK);
        assert_int_equal(scope_spawn(&w->scope, "listener", run_listener, w), ERR_OK);
        (void)scope_join(&w->scope);
        return 0;
}

#endif
