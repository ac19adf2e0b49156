/* SPDX-License-Identifier: ISC */
/* The book of the lists: what people ask of them by mail, what the lists write to people, and what must be so after it. It
 * stands beside the ledger, which it tells who is a member, which posts wait, and what the rules are now; and it
 * believes no more than that does: answers of SMTP and mail that arrived.
 *
 * A command is a letter to a route of a list. From its final dot on, what it may change is uncertain; a 250 makes it
 * so, unless another command about the same thing was under way too, or an answer was lost: then it stays uncertain until
 * the next one. How a list decides is written down here once more, by hand (book_command.c), from product.md.
 *
 * The invariants:
 *   forged    250 to a command whose author is not proven, and that is no confirmation
 *   usurped   250 to what only moderators may ask, from somebody who is none
 *   victim    mail of a list for somebody who has asked for nothing, or for more than was asked
 *   nagged    a second confirmation for one address within a day, though nothing has come of the first
 *   quoted    a confirmation with words of the one who asked
 *   notice    mail of a list that is not what it must be: a field missing or twice, no Auto-Submitted, another sender
 *   silent    no answer to what is always answered by mail
 *   twice     a second copy of such mail, though nothing befell the connection of the first */
#ifndef TESTS_SIM_BOOK_H
#define TESTS_SIM_BOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "tests/sim/ledger.h"

struct book;
/* `told`, if there is one, hears of each new note. Ends the program when memory is out, here and below. */
struct book *book_new(struct ledger *ledger, void (*told)(void *ctx, uint32_t note), void *ctx);
void book_free(struct book *b); /* NULL is nothing */

/* From now on this hears what lists make of their members' mailboxes, and says whether they may. */
struct health;
void book_expect_health(struct book *b, struct health *health);

/* What a list's settings say, where the ledger does not know it: "subscription" and the like, as a scenario has them. */
void book_setting(struct book *b, uint32_t list, struct str name, struct str value);

/* ---- commands: told by authors ---- */

struct book_command_new {
        uint32_t t;         /* the try that it is sent as: its author, text and truth are there */
        struct str address; /* the route */
        uint32_t note;      /* whose token the address bears, or LEDGER_NONE */
};
/* Its final dot is about to leave. Gives its number. */
uint32_t book_command(struct book *b, const struct book_command_new *new);
/* What was answered to it; 0: nothing. Once for each. */
void book_answer(struct book *b, uint32_t command, unsigned code);

/* ---- notes: mail of a list itself, told by verify.h ---- */

struct book_note {
        struct str list, to; /* addresses */
        struct str id;       /* Message-ID */
        struct str bytes;    /* whole, quoted-printable undone */
        uint32_t connection, dot;
        int64_t at_ms;
};
/* Such mail was kept for `to`; with the null sender. */
void book_note(struct book *b, uint32_t connection, struct str to, struct str bytes);
size_t book_notes(const struct book *b);
const struct book_note *book_note_get(const struct book *b, uint32_t note); /* NULL: no such note */
/* A mail host takes no mail for somebody: no answer comes there. */
void book_refusal(struct book *b, struct str address);
/* Has everybody got the answers that must come? If not, the judge tells who has not. */
bool book_is_settled(const struct book *b);
void book_judge(struct book *b);
/* Might a list have mail for somebody? */
bool book_may_tell(const struct book *b, struct str to);

/* The newest note for `to` (empty: anybody) that names an address such as `route`, "ptt-confirm-*@mailingl.st" with a token in
 * place of the star, and that has `about` somewhere; `older` such notes are passed over. `*token` is borrowed.
 *   its number, or LEDGER_NONE */
uint32_t book_find(const struct book *b, struct str route, struct str to, struct str about, size_t older,
        struct str *token);
/* The token of one note for such a route; empty: it has none. */
struct str book_token(const struct book *b, uint32_t note, struct str route);

/* Notes for addresses like `to` that are like `pattern` (scenario_matches). */
size_t book_count(const struct book *b, struct str to, struct str pattern);

#endif
