/* SPDX-License-Identifier: ISC */
/* Letters to a list's routes: joining, confirming, deciding. Like the good people's posts they are tried again until there
 * is an answer. */
#include "tests/sim/author_inside.h"
#include "tests/sim/buffer.h"

static struct ledger *ledger_of(const struct author_letter *p)
{
        return p->author->config.ledger;
}

/* A star in `pattern` is the number of the letter. */
static struct str numbered(struct buffer *b, struct str pattern, size_t number)
{
        struct str head, tail;
        b->n = 0;
        if (str_cut(pattern, '*', &head, &tail))
                buffer_print(b, "%.*s%zu%.*s", STR_ARG(head), number, STR_ARG(tail));
        else
                buffer_put(b, pattern);
        return buffer_text(b);
}

/* The address to write to, with its token. False: no mail with such a token has come. */
static bool find_address(struct author_letter *p, uint32_t *note)
{
        const struct author_command *c = p->command;
        struct book *book = p->author->config.book;
        struct str head, tail, token, of = c->of.n > 0 ? c->of : p->author->config.address;
        struct buffer b = {0};
        *note = c->note;
        if (!str_cut(c->address, '*', &head, &tail))
                return true;
        if (*note == LEDGER_NONE)
                *note = book_find(
                        book, c->token.n > 0 ? c->token : c->address, of, c->about, c->older, &token);
        else
                token = book_token(book, *note, c->address);
        if (token.n == 0) {
                ledger_violate(ledger_of(p), "expect",
                        "command %.*s: no mail with a token for %.*s has come to %.*s", STR_ARG(p->name),
                        STR_ARG(c->address), STR_ARG(of));
                return false;
        }
        buffer_print(&b, "%.*s%.*s%.*s", STR_ARG(head), STR_ARG(token), STR_ARG(tail));
        str_free(p->lists[0]);
        p->lists[0] = buffer_text(&b);
        return true;
}

static uint32_t write_try(struct author_letter *p, size_t number)
{
        const struct author_command *c = p->command;
        struct buffer from = {0}, sender = {0};
        struct author_claim claim = {.subject = c->subject.p ? c->subject : S("from me"),
                .text = c->text.p ? c->text : S(""),
                .front = c->front,
                .is_unsigned = c->is_unsigned};
        if (c->from.n > 0)
                claim.from = claim.sender = numbered(&from, c->from, number);
        if (c->sender.p)
                claim.sender = c->sender.n > 0 ? numbered(&sender, c->sender, number) : S("");
        uint32_t t = author_claim(p, &claim);
        buffer_free(&from);
        buffer_free(&sender);
        return t;
}

/* The answer to the end, or the first refusal; 0: none came. */
static unsigned transact(struct author_letter *p, struct talk *t, uint32_t number, uint32_t note)
{
        struct str bytes = author_bytes(p, number);
        uint32_t command = LEDGER_NONE;
        unsigned code =
                talk_ask(t, "MAIL FROM:<%.*s>", STR_ARG(ledger_try_get(ledger_of(p), number)->sender));
        if (code / 100 == 2)
                code = talk_ask(t, "RCPT TO:<%.*s>", STR_ARG(p->lists[0]));
        if (code / 100 == 2)
                code = talk_ask(t, "DATA");
        if (code == 354) {
                ledger_try_dot(ledger_of(p), number);
                command = book_command(p->author->config.book,
                        &(struct book_command_new){.t = number, .address = p->lists[0], .note = note});
                (void)talk_message(t, bytes);
                code = talk_reply(t);
                book_answer(p->author->config.book, command, code);
        }
        if (code != 0)
                ledger_try_answer(ledger_of(p), number, code);
        if (command == LEDGER_NONE && t->fault == ERR_OK)
                (void)talk_ask(t, "RSET");
        letter_free(bytes);
        return code;
}

void author_command_session(struct author_letter *p)
{
        struct talk t;
        uint32_t note;
        unsigned code = 0;
        if (!find_address(p, &note)) {
                p->is_done = true;
                return;
        }
        if (!author_open(p, &t))
                return;
        for (size_t i = 0; i < p->command->times && t.fault == ERR_OK; i++)
                code = transact(p, &t, write_try(p, i), note);
        p->is_done = code / 100 == 2 || code / 100 == 5 || p->command->times > 1;
        author_close(p, &t, t.fault == ERR_OK);
}
