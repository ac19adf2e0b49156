/* SPDX-License-Identifier: ISC */
/* How the good and the slow post: as RFC 5321 has it, in the various ways that it leaves open. */
#include "tests/sim/author_inside.h"
#include "tests/sim/buffer.h"

#define TRANSACTIONS_MAX 8 /* of one session */

struct transaction {
        struct author_letter *post;
        struct talk *talk;
        struct ledger *ledger;
        uint32_t t;
        struct str bytes;
        size_t lists[LEDGER_TARGETS_MAX]; /* of the post: those named here */
        size_t count;
        bool is_taken[LEDGER_TARGETS_MAX]; /* RCPT was answered 2yz */
        size_t taken;
        unsigned refusal; /* the last code that was not 2yz or 354 */
        bool is_chunked;
        bool has_stray; /* a recipient comes first whom nobody knows, as people mistype */
};

static enum letter_shape draw_shape(struct author_letter *p, const struct talk *t)
{
        uint64_t kind = sim_random_below(&p->random, 100);
        if (kind < 15 && t->has_8bit)
                return LETTER_8BIT;
        return kind < 75 ? LETTER_PLAIN : kind < 88 ? LETTER_BARE : LETTER_NO_END;
}

static void say_mail(struct transaction *x, struct buffer *b)
{
        const struct ledger_try *is = ledger_try_get(x->ledger, x->t);
        buffer_print(b, "MAIL FROM:<%.*s>", STR_ARG(is->sender));
        if (x->talk->has_size && sim_random_below(&x->post->random, 4) > 0)
                buffer_print(b, " SIZE=%zu", x->bytes.n);
        if (is->shape == LETTER_8BIT)
                buffer_put(b, S(" BODY=8BITMIME"));
        buffer_put(b, S("\r\n"));
}

static void say_rcpt(struct transaction *x, struct buffer *b, size_t i)
{
        buffer_print(b, "RCPT TO:<%.*s>\r\n", STR_ARG(x->post->lists[x->lists[i]]));
}

static void say_stray(struct transaction *x, struct buffer *b)
{
        struct str domain = author_domain(x->post->lists[x->lists[0]]);
        buffer_print(b, "RCPT TO:<nobody-here@%.*s>\r\n", STR_ARG(domain));
}

/* The answer to one command of the envelope. False: it is over with this session. */
static bool take_code(struct transaction *x, unsigned code)
{
        x->refusal = code >= 400 ? code : x->refusal;
        return code != 0 && code != 421;
}

static bool take_rcpt(struct transaction *x, size_t i, unsigned code)
{
        struct str list = x->post->lists[x->lists[i]];
        x->is_taken[i] = code / 100 == 2;
        x->taken += x->is_taken[i];
        if (x->is_taken[i])
                ledger_try_target(x->ledger, x->t, list);
        if (code / 100 == 5) {
                x->post->is_decided[x->lists[i]] = true;
                ledger_try_denied(x->ledger, x->t, list, code);
        }
        return take_code(x, code);
}

/* The refusal of one harms no other. */
static bool take_stray(struct transaction *x, unsigned code)
{
        if (code / 100 == 2)
                ledger_try_leak(x->ledger, x->t, S("nobody-here"));
        return code != 0 && code != 421;
}

/* ---- two ways to say the envelope; each gives the answer to DATA, or 0 ---- */

static unsigned ask_one_by_one(struct transaction *x)
{
        struct buffer b = {0};
        unsigned code = 0;
        say_mail(x, &b);
        if (talk_send(x->talk, buffer_text(&b)) == ERR_OK)
                code = talk_reply(x->talk);
        bool goes_on = take_code(x, code) && code / 100 == 2;
        if (goes_on && x->has_stray) {
                b.n = 0;
                say_stray(x, &b);
                goes_on = talk_send(x->talk, buffer_text(&b)) == ERR_OK && take_stray(x, talk_reply(x->talk));
        }
        for (size_t i = 0; i < x->count && goes_on; i++) {
                b.n = 0;
                say_rcpt(x, &b, i);
                goes_on =
                        talk_send(x->talk, buffer_text(&b)) == ERR_OK && take_rcpt(x, i, talk_reply(x->talk));
        }
        buffer_free(&b);
        if (!goes_on || x->taken == 0 || x->is_chunked)
                return goes_on && x->taken > 0 ? 354 : 0;
        code = talk_ask(x->talk, "DATA");
        (void)take_code(x, code);
        return code;
}

static unsigned ask_at_once(struct transaction *x)
{
        struct buffer b = {0};
        unsigned code;
        say_mail(x, &b);
        if (x->has_stray)
                say_stray(x, &b);
        for (size_t i = 0; i < x->count; i++)
                say_rcpt(x, &b, i);
        if (!x->is_chunked)
                buffer_put(&b, S("DATA\r\n"));
        enum err e = talk_send(x->talk, buffer_text(&b));
        buffer_free(&b);
        if (e != ERR_OK || !take_code(x, talk_reply(x->talk)))
                return 0;
        if (x->has_stray && !take_stray(x, talk_reply(x->talk)))
                return 0;
        for (size_t i = 0; i < x->count; i++)
                if (!take_rcpt(x, i, talk_reply(x->talk)))
                        return 0;
        if (x->is_chunked)
                return x->taken > 0 ? 354 : 0;
        code = talk_reply(x->talk);
        (void)take_code(x, code);
        if (code == 354 && x->taken == 0) { /* RFC 2920 3.1 */
                (void)take_code(x, talk_ask(x->talk, "."));
                return 0;
        }
        return code;
}

/* ---- two ways to send the letter; each gives the final answer ---- */

static unsigned send_data(struct transaction *x)
{
        bool has_end = str_has_suffix_nocase(x->bytes, S("\r\n"));
        if (talk_body(x->talk, x->bytes) == ERR_OK) {
                ledger_try_dot(x->ledger, x->t);
                (void)talk_send(x->talk, has_end ? S(".\r\n") : S("\r\n.\r\n"));
        }
        return talk_reply(x->talk);
}

/* RFC 3030 2 */
static unsigned send_chunks(struct transaction *x)
{
        struct str rest = x->bytes;
        unsigned code = 250;
        while (code == 250 && rest.n > 0) {
                size_t n = 1 + (size_t)sim_random_below(&x->post->random, rest.n);
                struct str chunk = str_take(rest, n);
                rest = str_skip(rest, n);
                if (rest.n == 0)
                        ledger_try_dot(x->ledger, x->t);
                if (talk_print(x->talk, "BDAT %zu%s\r\n", n, rest.n == 0 ? " LAST" : "") == ERR_OK)
                        (void)talk_send(x->talk, chunk);
                code = talk_reply(x->talk);
        }
        return code;
}

/* ---- one transaction ---- */

static void name_lists(struct transaction *x)
{
        for (size_t i = 0; i < x->post->list_count; i++)
                if (!x->post->is_decided[i])
                        x->lists[x->count++] = i;
}

/* What the answer to the letter means for the lists that it was for. */
static void decide(struct transaction *x, unsigned code)
{
        if (code / 100 != 2 && code / 100 != 5)
                return;
        for (size_t i = 0; i < x->count; i++)
                if (x->is_taken[i]) {
                        x->post->is_decided[x->lists[i]] = true;
                        if (code / 100 == 5)
                                ledger_try_denied(x->ledger, x->t, x->post->lists[x->lists[i]], code);
                }
}

/* His letters leave by ways that differ: with a sender for each letter, at his domain or, where he signs, at the one of
 * somebody who sends for him; and some have been on this list before, or through another server that checks. */
static uint32_t draw_try(struct author_letter *p, enum letter_shape shape)
{
        const struct author_config *is = &p->author->config;
        struct author_claim c = {.shape = shape};
        struct buffer sender = {0}, forged = {0};
        struct str local, domain;
        uint64_t way = sim_random_below(&p->random, 10), past = sim_random_below(&p->random, 12);
        (void)str_cut(is->address, '@', &local, &domain);
        if (way < 2)
                buffer_print(&sender, "%.*s-%u=bounce@%.*s", STR_ARG(local), p->attempts, STR_ARG(domain));
        else if (way == 2 && is->who && person_signs(is->who))
                buffer_print(&sender, "bounce-%u@sender.test", p->attempts);
        if (sender.n > 0)
                c.sender = buffer_text(&sender);
        if (past == 0)
                author_put_results(p, &forged, is->address);
        if (past == 1)
                c.front = S("Authentication-Results: mx.elsewhere.test; spf=fail; dmarc=fail\r\n");
        c.forged = buffer_text(&forged);
        uint32_t t = author_claim(p, &c);
        buffer_free(&sender);
        buffer_free(&forged);
        return t;
}

/* True: taken, and the session goes on. */
static bool transact(struct author_letter *p, struct talk *t)
{
        struct transaction x = {.post = p, .talk = t, .ledger = p->author->config.ledger};
        unsigned code = 0;
        name_lists(&x);
        x.t = draw_try(p, draw_shape(p, t));
        x.bytes = author_bytes(p, x.t);
        x.is_chunked = t->has_chunking && sim_random_below(&p->random, 2) > 0;
        x.has_stray = sim_random_below(&p->random, 5) == 0;
        bool is_hasty = t->has_pipelining && sim_random_below(&p->random, 3) > 0;
        unsigned data = is_hasty ? ask_at_once(&x) : ask_one_by_one(&x);
        if (data == 354) {
                code = x.is_chunked ? send_chunks(&x) : send_data(&x);
                decide(&x, code);
        } else if (t->fault == ERR_OK && x.refusal != 421) {
                (void)talk_ask(t, "RSET");
        }
        code = code != 0 || data == 354 ? code : x.refusal;
        if (code != 0)
                ledger_try_answer(x.ledger, x.t, code);
        letter_free(x.bytes);
        return code / 100 == 2;
}

static bool is_decided(const struct author_letter *p)
{
        size_t i = 0;
        while (i < p->list_count && p->is_decided[i])
                i++;
        return i == p->list_count;
}

/* A server may take one list at a time: what it put off is named again as long as that leads on. */
void author_good_session(struct author_letter *p)
{
        struct talk t;
        if (!author_open(p, &t))
                return;
        unsigned i = 0;
        while (i < TRANSACTIONS_MAX && transact(p, &t) && !is_decided(p))
                i++;
        p->is_done = is_decided(p);
        author_close(p, &t, t.fault == ERR_OK);
}
