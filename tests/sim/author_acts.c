/* SPDX-License-Identifier: ISC */
/* What the broken and the malicious do. Whatever they try is in the ledger before it is sent, so that what comes of it
 * is judged by what may come of it. */
#include "tests/sim/author_inside.h"
#include "tests/sim/buffer.h"

static struct ledger *ledger_of(const struct author_letter *p)
{
        return p->author->config.ledger;
}

static struct str sender(const struct author_letter *p)
{
        return p->author->config.address;
}

static void answer(struct author_letter *p, uint32_t number, unsigned code)
{
        if (code != 0)
                ledger_try_answer(ledger_of(p), number, code);
}

bool author_ask_envelope(
        struct author_letter *p, struct talk *t, uint32_t number, struct str from, struct str to)
{
        unsigned code = talk_ask(t, "MAIL FROM:<%.*s>", STR_ARG(from));
        if (code / 100 == 2)
                code = talk_ask(t, "RCPT TO:<%.*s>", STR_ARG(to));
        if (code / 100 == 2) {
                ledger_try_target(ledger_of(p), number, to);
                code = talk_ask(t, "DATA");
        }
        answer(p, number, code >= 400 ? code : 0);
        return code == 354;
}

void author_send_letter(struct author_letter *p, struct talk *t, uint32_t number, struct str bytes)
{
        ledger_try_dot(ledger_of(p), number);
        (void)talk_message(t, bytes);
        answer(p, number, talk_reply(t));
}

/* One try at the first list. */
static void simple_try(struct author_letter *p, struct talk *t, enum letter_shape shape)
{
        uint32_t number = author_try(p, shape, false);
        struct str bytes = author_bytes(p, number);
        if (author_ask_envelope(p, t, number, sender(p), p->lists[0]))
                author_send_letter(p, t, number, bytes);
        letter_free(bytes);
}

/* A session with nothing else in it. */
static void play_letter(struct author_letter *p, enum letter_shape shape)
{
        struct talk t;
        if (!author_open(p, &t))
                return;
        simple_try(p, &t, shape);
        author_close(p, &t, t.fault == ERR_OK);
}

/* ---- broken ---- */

/* Leave after some of the letter: `eighths` of it, and with the dot when these are 9. */
static void play_breaking_off(struct author_letter *p, size_t eighths)
{
        struct talk t;
        if (!author_open(p, &t))
                return;
        uint32_t number = author_try(p, LETTER_PLAIN, false);
        struct str bytes = author_bytes(p, number);
        if (author_ask_envelope(p, &t, number, sender(p), p->lists[0]) && eighths == 9) {
                ledger_try_dot(ledger_of(p), number);
                (void)talk_message(&t, bytes);
        } else if (t.fault == ERR_OK) {
                (void)talk_body(&t, str_take(bytes, bytes.n * eighths / 8));
        }
        letter_free(bytes);
        author_close(p, &t, false);
}

static void play_no_dot(struct author_letter *p)
{
        play_breaking_off(p, 8);
}

static void play_half(struct author_letter *p)
{
        play_breaking_off(p, 1 + (size_t)sim_random_below(&p->random, 7));
}

static void play_no_answer(struct author_letter *p)
{
        play_breaking_off(p, 9);
}

static void play_malformed(struct author_letter *p)
{
        static const enum letter_shape shapes[] = {LETTER_LF, LETTER_CR, LETTER_TWO_FROM, LETTER_NO_COLON};
        for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
                play_letter(p, shapes[i]);
}

static void play_long_line(struct author_letter *p)
{
        play_letter(p, LETTER_LONG_LINE);
}

static void play_huge_header(struct author_letter *p)
{
        play_letter(p, LETTER_HUGE_HEADER);
}

/* Everything at once, the letter too: what it comes to is what is answered last. */
static void play_no_waiting(struct author_letter *p)
{
        struct talk t;
        struct buffer b = {0};
        if (!author_open(p, &t))
                return;
        uint32_t number = author_try(p, LETTER_PLAIN, false);
        struct str bytes = author_bytes(p, number);
        ledger_try_target(ledger_of(p), number, p->lists[0]);
        ledger_try_dot(ledger_of(p), number);
        buffer_print(&b, "MAIL FROM:<%.*s>\r\nRCPT TO:<%.*s>\r\nDATA\r\n", STR_ARG(sender(p)),
                STR_ARG(p->lists[0]));
        (void)talk_send(&t, buffer_text(&b));
        (void)talk_message(&t, bytes);
        unsigned mail = talk_reply(&t), rcpt = mail / 100 == 2 ? talk_reply(&t) : mail;
        unsigned data = rcpt / 100 == 2 ? talk_reply(&t) : rcpt;
        answer(p, number, data == 354 ? talk_reply(&t) : data);
        buffer_free(&b);
        letter_free(bytes);
        author_close(p, &t, false);
}

static void play_wrong_order(struct author_letter *p)
{
        static const char *const commands[] = {"DATA", "RCPT TO:<nobody@nowhere.test>", "MAIL FROM:<>",
                "MAIL FROM:<>", "DATA", "EHLO again.test", "RCPT TO:<>", "BDAT 0 LAST",
                "AUTH PLAIN AA==", "VRFY somebody", "EXPN list", "ETRN x", "MAIL FROM:<>",
                "MAIL FROM:<a@b> SIZE=-1", "NOOP", "RSET"};
        struct talk t;
        if (!author_open(p, &t))
                return;
        for (size_t i = 0; i < sizeof commands / sizeof commands[0] && t.fault == ERR_OK; i++)
                (void)talk_ask(&t, "%s", commands[i]);
        if (t.fault == ERR_OK)
                simple_try(p, &t, LETTER_PLAIN);
        author_close(p, &t, t.fault == ERR_OK);
}

static void play_rset_storm(struct author_letter *p)
{
        struct talk t;
        if (!author_open(p, &t))
                return;
        uint64_t rounds = 10 + sim_random_below(&p->random, 150);
        for (uint64_t i = 0; i < rounds && t.fault == ERR_OK; i++) {
                (void)talk_ask(&t, "MAIL FROM:<%.*s>", STR_ARG(sender(p)));
                (void)talk_ask(&t, i % 3 == 0 ? "NOOP" : "RSET");
        }
        if (t.fault == ERR_OK)
                simple_try(p, &t, LETTER_PLAIN);
        author_close(p, &t, t.fault == ERR_OK);
}

static void play_long_command(struct author_letter *p)
{
        struct talk t;
        struct buffer b = {0};
        if (!author_open(p, &t))
                return;
        buffer_put(&b, S("MAIL FROM:<"));
        for (uint64_t n = 400 + sim_random_below(&p->random, 9000); n > 0; n--)
                buffer_put(&b, S("a"));
        buffer_put(&b, S("@b>\r\n"));
        (void)talk_send(&t, buffer_text(&b));
        (void)talk_reply(&t);
        buffer_free(&b);
        if (t.fault == ERR_OK)
                simple_try(p, &t, LETTER_PLAIN);
        author_close(p, &t, t.fault == ERR_OK);
}

static void play_garbage(struct author_letter *p)
{
        struct talk t;
        char bytes[700];
        if (!author_open(p, &t))
                return;
        sim_random_bytes(&p->random, bytes, sizeof bytes);
        (void)talk_send(&t, str_of(bytes, sizeof bytes));
        (void)talk_send(&t, S("\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"));
        t.patience_ms = 10000;
        while (talk_reply(&t) != 0)
                ;
        author_close(p, &t, false);
}

/* Connects and waits, longer than anybody should let it. */
static void play_silence(struct author_letter *p)
{
        struct talk t;
        if (!author_open(p, &t))
                return;
        if (sim_random_below(&p->random, 2) > 0)
                (void)talk_ask(&t, "MAIL FROM:<%.*s>", STR_ARG(sender(p)));
        t.patience_ms = 30 * 60 * 1000;
        (void)talk_reply(&t);
        author_close(p, &t, false);
}

/* ---- malicious ---- */

/* Is a recipient given that nobody may have? Then it is told, and not used. */
static void ask_leak(struct author_letter *p, struct talk *t, uint32_t number, const struct buffer *to)
{
        unsigned code = t->fault == ERR_OK ? talk_ask(t, "RCPT TO:<%.*s>", STR_ARG(buffer_text(to))) : 0;
        if (code / 100 == 2)
                ledger_try_leak(ledger_of(p), number, buffer_text(to));
        answer(p, number, code >= 400 ? code : 0);
}

/* A stranger's address in its many disguises. */
static void put_stranger(struct buffer *to, unsigned form, const char *strangers, struct str list)
{
        struct str local, domain;
        (void)str_cut(list, '@', &local, &domain);
        switch (form) {
        case 0:
                buffer_print(to, "victim@%s", strangers);
                break;
        case 1:
                buffer_print(to, "@%.*s:victim@%s", STR_ARG(domain), strangers);
                break;
        case 2:
                buffer_print(to, "victim%%%s@%.*s", strangers, STR_ARG(domain));
                break;
        case 3:
                buffer_print(to, "\"victim@%s\"@%.*s", strangers, STR_ARG(domain));
                break;
        case 4:
                buffer_print(to, "%s!victim@%.*s", strangers, STR_ARG(domain));
                break;
        default:
                buffer_print(to, "%.*s@%s", STR_ARG(local), strangers);
                break;
        }
}

static void play_relay(struct author_letter *p)
{
        struct talk t;
        if (!author_open(p, &t))
                return;
        uint32_t number = author_try(p, LETTER_PLAIN, true);
        (void)talk_ask(&t, "MAIL FROM:<%.*s>", STR_ARG(sender(p)));
        for (unsigned form = 0; form <= 5; form++) {
                struct buffer to = {0};
                put_stranger(&to, form, p->author->config.strangers, p->lists[0]);
                ask_leak(p, &t, number, &to);
                buffer_free(&to);
        }
        author_close(p, &t, t.fault == ERR_OK);
}

static void put_base32(struct buffer *b, struct sim_random *r, size_t n)
{
        static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
        while (n-- > 0)
                buffer_put(b, str_of(&letters[sim_random_below(r, 32)], 1));
}

/* A ticket that nobody gave out: 128 bits in base 32. */
static void play_ticket(struct author_letter *p)
{
        struct talk t;
        struct buffer to = {0};
        if (!author_open(p, &t))
                return;
        uint32_t number = author_try(p, LETTER_PLAIN, true);
        buffer_put(&to, S("_signed."));
        put_base32(&to, &p->random, 26);
        buffer_print(&to, "@%.*s", STR_ARG(author_domain(p->lists[0])));
        (void)talk_ask(&t, "MAIL FROM:<>");
        ask_leak(p, &t, number, &to);
        buffer_free(&to);
        author_close(p, &t, t.fault == ERR_OK);
}

/* A return path that nobody was sent. */
static void play_return(struct author_letter *p)
{
        struct talk t;
        struct buffer to = {0};
        struct str local, domain;
        if (!author_open(p, &t))
                return;
        (void)str_cut(p->lists[0], '@', &local, &domain);
        uint32_t number = author_try(p, LETTER_PLAIN, true);
        buffer_print(&to, "%.*s-return-", STR_ARG(local));
        put_base32(&to, &p->random, 24);
        buffer_print(&to, "@%.*s", STR_ARG(domain));
        (void)talk_ask(&t, "MAIL FROM:<>");
        ask_leak(p, &t, number, &to);
        buffer_free(&to);
        author_close(p, &t, t.fault == ERR_OK);
}

/* No list takes it; those who look after the server may be sent it. */
static void play_null_sender(struct author_letter *p)
{
        struct talk t;
        uint32_t list = ledger_list_find(ledger_of(p), p->lists[0]);
        bool is_for_role = list != LEDGER_NONE && ledger_list_kind(ledger_of(p), list) == LEDGER_ROLE;
        if (!author_open(p, &t))
                return;
        uint32_t number = author_claim(p, &(struct author_claim){.sender = S(""), .is_forged = !is_for_role});
        struct str bytes = author_bytes(p, number);
        if (author_ask_envelope(p, &t, number, S(""), p->lists[0]))
                author_send_letter(p, &t, number, bytes);
        letter_free(bytes);
        author_close(p, &t, t.fault == ERR_OK);
}

static void play_smuggling(struct author_letter *p)
{
        for (unsigned shape = LETTER_SMUGGLE_LF; shape <= LETTER_SMUGGLE_CRLF_LF; shape++)
                play_letter(p, (enum letter_shape)shape);
}

static void play_nul(struct author_letter *p)
{
        play_letter(p, LETTER_NUL);
}

static void play_loop(struct author_letter *p)
{
        play_letter(p, LETTER_LOOP);
}

/* A copy that a member got, to the list that it came from. */
static void play_replay(struct author_letter *p)
{
        struct str list, sample = {NULL, 0};
        struct talk t;
        if (p->author->config.verify)
                sample = verify_sample(p->author->config.verify, &list);
        if (sample.n == 0) {
                play_loop(p);
                return;
        }
        sample = str_copy(sample);
        list = str_copy(list);
        if (author_open(p, &t)) {
                uint32_t number = author_try(p, LETTER_PLAIN, true);
                if (author_ask_envelope(p, &t, number, sender(p), list))
                        author_send_letter(p, &t, number, sample);
                author_close(p, &t, t.fault == ERR_OK);
        }
        str_free(sample);
        str_free(list);
}

/* More recipients than anybody takes: the list in many spellings, people who are none, strangers. */
static void play_many(struct author_letter *p)
{
        struct talk t;
        struct str local, domain;
        bool is_taken = false;
        if (!author_open(p, &t))
                return;
        (void)str_cut(p->lists[0], '@', &local, &domain);
        uint32_t number = author_try(p, LETTER_PLAIN, false);
        struct str bytes = author_bytes(p, number);
        (void)talk_ask(&t, "MAIL FROM:<%.*s>", STR_ARG(sender(p)));
        for (unsigned i = 0; i < 150 && t.fault == ERR_OK; i++) {
                struct buffer to = {0};
                if (i % 3 == 0)
                        buffer_print(&to, "%.*s", STR_ARG(p->lists[0]));
                else if (i % 3 == 1)
                        buffer_print(&to, "nobody%u@%.*s", i, STR_ARG(domain));
                else
                        buffer_print(&to, "victim%u@%s", i, p->author->config.strangers);
                unsigned code = talk_ask(&t, "RCPT TO:<%.*s>", STR_ARG(buffer_text(&to)));
                if (code / 100 == 2)
                        ledger_try_target(ledger_of(p), number, buffer_text(&to));
                is_taken = is_taken || code / 100 == 2;
                buffer_free(&to);
        }
        unsigned code = t.fault == ERR_OK ? talk_ask(&t, "DATA") : 0;
        if (code == 354 && is_taken) {
                ledger_try_dot(ledger_of(p), number);
                (void)talk_message(&t, bytes);
                code = talk_reply(&t);
        }
        answer(p, number, code == 354 ? 0 : code);
        letter_free(bytes);
        author_close(p, &t, t.fault == ERR_OK && code != 354);
}

const struct author_act author_broken_acts[] = {
        {"no-dot", play_no_dot},
        {"half", play_half},
        {"no-answer", play_no_answer},
        {"malformed", play_malformed},
        {"long-line", play_long_line},
        {"huge-header", play_huge_header},
        {"no-waiting", play_no_waiting},
        {"wrong-order", play_wrong_order},
        {"rset-storm", play_rset_storm},
        {"long-command", play_long_command},
        {"garbage", play_garbage},
        {"silence", play_silence},
};
const size_t author_broken_count = sizeof author_broken_acts / sizeof author_broken_acts[0];

const struct author_act author_malicious_acts[] = {
        {"relay", play_relay},
        {"ticket", play_ticket},
        {"return", play_return},
        {"null-sender", play_null_sender},
        {"smuggling", play_smuggling},
        {"nul", play_nul},
        {"loop", play_loop},
        {"replay", play_replay},
        {"many", play_many},
        {"huge-header", play_huge_header},
};
const size_t author_malicious_count = sizeof author_malicious_acts / sizeof author_malicious_acts[0];
