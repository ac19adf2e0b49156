/* SPDX-License-Identifier: ISC */
/* Letters that claim another author than the one who sends them. What is true of each is in the ledger: where two people
 * share a domain, one may indeed speak for the other (that is for their domain to prevent). */
#include "base/ascii.h"
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

static uint32_t list_of(const struct author_letter *p)
{
        return ledger_list_find(ledger_of(p), p->lists[0]);
}

/* A member of the list, but not he himself. */
static struct str draw_victim(struct author_letter *p)
{
        for (unsigned i = 0; i < 8 && p->victim.n == 0; i++) {
                struct str drawn = ledger_some_member(ledger_of(p), list_of(p), sim_random_u64(&p->random));
                if (drawn.n > 0 && !str_eq_nocase(drawn, sender(p)))
                        return drawn;
        }
        return p->victim.n > 0 ? p->victim : S("somebody@nowhere.test");
}

/* Those of the whole list have other rights. */
static struct str draw_moderator(struct author_letter *p)
{
        struct str drawn = ledger_some_moderator(ledger_of(p), list_of(p), sim_random_u64(&p->random));
        return p->victim.n == 0 && drawn.n > 0 ? drawn : draw_victim(p);
}

/* One transaction; `bytes` instead of the letter of the try when there are any. */
static void send_claim(struct author_letter *p, uint32_t t, struct str bytes)
{
        struct str letter = bytes.n > 0 ? bytes : author_bytes(p, t);
        struct talk talk;
        if (author_open(p, &talk)) {
                if (author_ask_envelope(p, &talk, t, ledger_try_get(ledger_of(p), t)->sender, p->lists[0]))
                        author_send_letter(p, &talk, t, letter);
                author_close(p, &talk, talk.fault == ERR_OK);
        }
        if (bytes.n == 0)
                letter_free(letter);
}

static void claim(struct author_letter *p, const struct author_claim *c)
{
        send_claim(p, author_claim(p, c), S(""));
}

/* ---- results of authentication in the server's name ---- */

static void put_upper(struct buffer *b, const char *text)
{
        for (; *text; text++) {
                char c = *text >= 'a' && *text <= 'z' ? (char)(*text - 'a' + 'A') : *text;
                buffer_put(b, str_of(&c, 1));
        }
}

static void put_results(struct buffer *b, uint64_t form, const char *id, struct str about)
{
        struct str domain = author_domain(about);
        switch (form) {
        case 0:
                buffer_print(b, "authentication-results: %s 1; dmarc=pass header.from=%.*s\r\n", id,
                        STR_ARG(domain));
                break;
        case 1:
                buffer_print(b, "Authentication-Results:\r\n\t%s;\r\n\tdkim=pass header.i=@%.*s\r\n", id,
                        STR_ARG(domain));
                break;
        case 2:
                buffer_print(b, "Authentication-Results: (a;b) \"%s\"; dmarc=pass\r\n", id);
                break;
        case 3:
                buffer_put(b, S("AUTHENTICATION-RESULTS: "));
                put_upper(b, id);
                buffer_put(b, S("; none\r\n"));
                break;
        case 4:
                buffer_print(b, "Authentication-Results: %s; dmarc=pass (and no end\r\n", id);
                break;
        case 5:
                buffer_put(b, S("Authentication-Results: ; dmarc=pass (in nobody's name)\r\n"));
                break;
        default:
                buffer_print(b,
                        "Authentication-Results: %s; spf=pass smtp.mailfrom=%.*s;\r\n"
                        " dkim=pass header.d=%.*s; dmarc=pass header.from=%.*s\r\n",
                        id, STR_ARG(about), STR_ARG(domain), STR_ARG(domain));
                break;
        }
}

void author_put_results(struct author_letter *p, struct buffer *b, struct str about)
{
        const char *id = p->author->config.authserv;
        uint64_t count = id ? 1 + sim_random_below(&p->random, 3) : 0;
        while (count-- > 0)
                put_results(b, sim_random_below(&p->random, 9), id, about);
}

/* ---- acts ---- */

static void play_from(struct author_letter *p)
{
        struct str victim = draw_victim(p);
        claim(p, &(struct author_claim){.sender = victim, .from = victim, .is_unsigned = true});
}

static void play_moderator(struct author_letter *p)
{
        struct str victim = draw_moderator(p);
        claim(p, &(struct author_claim){.sender = victim, .from = victim, .is_unsigned = true});
        claim(p, &(struct author_claim){.from = victim});
}

/* The envelope of one who may post, the letter of one who may not, or does not exist. */
static void play_borrowed_sender(struct author_letter *p)
{
        struct str victim = draw_moderator(p);
        struct buffer other = {0};
        buffer_print(&other, "not-%.*s", STR_ARG(sender(p)));
        claim(p, &(struct author_claim){.sender = victim, .from = S("somebody@stranger.test")});
        claim(p, &(struct author_claim){.sender = victim, .from = buffer_text(&other)});
        buffer_free(&other);
}

static void play_spf_elsewhere(struct author_letter *p)
{
        claim(p, &(struct author_claim){.from = draw_victim(p), .is_unsigned = true});
}

static void play_dkim_elsewhere(struct author_letter *p)
{
        struct str victim = draw_victim(p);
        claim(p, &(struct author_claim){.sender = victim, .from = victim});
}

/* The newest try of somebody else that bears a signature, of `from` if there is one; LEDGER_NONE. */
static uint32_t find_signed(const struct author_letter *p, struct str from)
{
        uint32_t best = LEDGER_NONE;
        for (uint32_t t = (uint32_t)ledger_tries(ledger_of(p)); t-- > 0;) {
                const struct ledger_try *is = ledger_try_get(ledger_of(p), t);
                if (!is->truth.dkim || !is->truth.is_proven ||
                        str_eq(str_of_c(is->author), str_of_c(p->author->config.name)))
                        continue;
                if (str_eq_nocase(is->from, from))
                        return t;
                best = best == LEDGER_NONE ? t : best;
        }
        return best;
}

/* Somebody's signature in front of another letter. */
static void play_stolen_signature(struct author_letter *p)
{
        struct str victim = draw_victim(p);
        uint32_t t = find_signed(p, victim);
        const struct ledger_try *is = ledger_try_get(ledger_of(p), t);
        struct str front = is ? is->front : S("");
        front = str_copy(str_skip(front, str_find(front, S("DKIM-Signature:"))));
        victim = is ? is->from : victim;
        claim(p, &(struct author_claim){
                         .sender = victim, .from = victim, .front = front, .is_unsigned = true});
        str_free(front);
}

/* Somebody's signed letter as it is, with another From above it: the signature covers one more than there was. */
static void play_replayed_letter(struct author_letter *p)
{
        struct str victim = draw_moderator(p);
        uint32_t t = find_signed(p, victim);
        if (t == LEDGER_NONE) {
                play_from(p);
                return;
        }
        struct letter signed_letter = ledger_letter(ledger_of(p), t);
        struct str below = letter_write(&signed_letter);
        struct buffer b = {0};
        uint32_t number = author_claim(
                p, &(struct author_claim){.from = victim, .is_unsigned = true, .is_forged = true});
        buffer_print(&b, "X-Try: %s\r\nFrom: <%.*s>\r\n", ledger_try_get(ledger_of(p), number)->name,
                STR_ARG(victim));
        buffer_put(&b, below);
        send_claim(p, number, buffer_text(&b));
        letter_free(below);
        buffer_free(&b);
}

/* He himself and another one, in either order; each is signed. */
static void play_two(struct author_letter *p, enum letter_shape shape)
{
        struct str victim = draw_moderator(p);
        if (str_eq_nocase(author_domain(victim), author_domain(sender(p))))
                victim = S("");
        claim(p, &(struct author_claim){.shape = shape, .second = victim});
        if (victim.n > 0)
                claim(p, &(struct author_claim){.shape = shape, .from = victim, .second = sender(p)});
}

static void play_two_from(struct author_letter *p)
{
        play_two(p, LETTER_TWO_FROM);
}

static void play_two_authors(struct author_letter *p)
{
        play_two(p, LETTER_TWO_AUTHORS);
}

static void play_results(struct author_letter *p)
{
        struct str victim = draw_moderator(p);
        struct buffer b = {0};
        author_put_results(p, &b, victim);
        claim(p, &(struct author_claim){.from = victim, .forged = buffer_text(&b)});
        buffer_free(&b);
}

/* His own letter, which is proven, with results that others would believe. */
static void play_own_results(struct author_letter *p)
{
        struct buffer b = {0};
        author_put_results(p, &b, draw_moderator(p));
        claim(p, &(struct author_claim){.forged = buffer_text(&b)});
        buffer_free(&b);
}

const struct author_act author_forgery_acts[] = {
        {"forged-from", play_from},
        {"forged-moderator", play_moderator},
        {"borrowed-sender", play_borrowed_sender},
        {"spf-elsewhere", play_spf_elsewhere},
        {"dkim-elsewhere", play_dkim_elsewhere},
        {"stolen-signature", play_stolen_signature},
        {"replayed-letter", play_replayed_letter},
        {"two-from", play_two_from},
        {"two-authors", play_two_authors},
        {"forged-results", play_results},
        {"forged-own", play_own_results},
};
const size_t author_forgery_count = sizeof author_forgery_acts / sizeof author_forgery_acts[0];
