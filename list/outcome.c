/* SPDX-License-Identifier: ISC */
#include "list/outcome.h"

#include "base/ascii.h"
#include "base/check.h"
#include "base/utf8.h"

static const struct {
        const char *word, *en, *fr;
} outcomes[OUTCOMES] = {
        [OUTCOME_DONE] = {"done", "done", "fait"},
        [OUTCOME_ALREADY] = {"already", "it was so already, nothing has changed",
                "c'était déjà le cas, rien n'a changé"},
        [OUTCOME_FOLLOWS] = {"follows", "the answer comes in a mail of its own",
                "la réponse arrive dans un message à part"},
        [OUTCOME_CONFIRM] = {"confirm",
                "it will happen when you answer the confirmation that we have sent to you",
                "ce sera fait quand vous aurez répondu à la demande de confirmation que nous vous avons "
                "envoyée"},
        [OUTCOME_CONFIRM_SENT] = {"confirm-sent",
                "an earlier confirmation still waits for your answer, there is no other one on the same day",
                "une demande de confirmation attend encore votre réponse, il n'y en a qu'une par jour"},
        [OUTCOME_WAITS] = {"waits", "the moderators decide", "les modérateurs décident"},
        [OUTCOME_DECIDED] = {"decided", "somebody has decided this before", "quelqu'un l'a déjà décidé"},
        [OUTCOME_NOT_MEMBER] = {"not-member", "that address is not subscribed to this list",
                "cette adresse n'est pas abonnée à cette liste"},
        [OUTCOME_NOT_BANNED] = {"not-banned", "that address is not banned", "cette adresse n'est pas exclue"},
        [OUTCOME_BANNED] = {"banned", "that address is banned from this list",
                "cette adresse est exclue de cette liste"},
        [OUTCOME_CLOSED] = {"closed", "nobody can join this list by mail",
                "on ne peut pas s'inscrire à cette liste par courriel"},
        [OUTCOME_TOO_MANY] = {"too-many", "too many requests wait for an answer, try again later",
                "trop de demandes sont en attente, réessayez plus tard"},
        [OUTCOME_MEMBERS_ONLY] = {"members-only", "only subscribers may do this",
                "c'est réservé aux abonnés"},
        [OUTCOME_MODERATORS_ONLY] = {"moderators-only", "only moderators may do this",
                "c'est réservé aux modérateurs"},
        [OUTCOME_NOBODY] = {"nobody", "this list gives it to nobody", "cette liste ne le permet à personne"},
        [OUTCOME_NOT_YOURS] = {"not-yours", "that is somebody else's address",
                "cette adresse n'est pas la vôtre"},
        [OUTCOME_UNKNOWN] = {"unknown", "there is nothing of that name", "il n'existe rien de ce nom"},
        [OUTCOME_WRONG] = {"wrong", "that is none of the values that are possible here",
                "cette valeur n'est pas possible ici"},
        [OUTCOME_TOO_LONG] = {"too-long", "the value is too long or too large",
                "la valeur est trop longue ou trop grande"},
        [OUTCOME_NO_ADDRESS] = {"no-address", "an address is missing or wrong",
                "une adresse manque ou n'est pas valable"},
        [OUTCOME_TOO_MUCH] = {"too-much", "too much for one message: this and what follows was left out",
                "c'en est trop pour un seul message : ceci et la suite ont été laissés de côté"},
};

struct str outcome_word(enum outcome o)
{
        CHECK((size_t)o < OUTCOMES);
        return str_of_c(outcomes[o].word);
}

enum err outcome_find(struct str word, enum outcome *out)
{
        for (size_t i = 0; i < OUTCOMES; i++)
                if (str_eq(word, str_of_c(outcomes[i].word))) {
                        *out = (enum outcome)i;
                        return ERR_OK;
                }
        *out = OUTCOME_UNKNOWN;
        return ERR_NOT_FOUND;
}

struct str outcome_text(enum outcome o, struct str language)
{
        CHECK((size_t)o < OUTCOMES);
        return str_of_c(str_eq(language, S("fr")) ? outcomes[o].fr : outcomes[o].en);
}

/* C0, DEL, and C1 in its two octets. */
static bool is_control(struct str character)
{
        return ascii_is_control(character.p[0]) ||
               (character.n == 2 && character.p[0] == '\xc2' && (unsigned char)character.p[1] < 0xa0);
}

void outcome_line_write(struct wr *w, enum outcome o, struct str line)
{
        char text[2 * OUTCOME_LINE_MAX];
        struct wr whole;
        wr_init(&whole, text, sizeof text);
        wr_str(&whole, outcome_word(o));
        wr_byte(&whole, '\t');
        const size_t most = whole.n + OUTCOME_LINE_MAX;
        line = str_trim(line);
        while (line.n > 0) {
                size_t n = utf8_head(line);
                struct str character = str_take(line, n > 0 ? n : 1);
                if (whole.n + character.n > most)
                        break;
                if (n == 0 || is_control(character))
                        wr_byte(&whole, n == 1 && character.p[0] == '\t' ? ' ' : '?');
                else
                        wr_str(&whole, character);
                line = str_skip(line, character.n);
        }
        wr_byte(&whole, '\n');
        wr_str(w, wr_text(&whole));
}

enum err outcome_line_read(struct str *text, enum outcome *o, struct str *line)
{
        struct str head, word;
        *o = OUTCOME_UNKNOWN;
        *line = S("");
        if (text->n == 0)
                return ERR_EOF;
        (void)str_cut(*text, '\n', &head, text);
        if (!str_cut(head, '\t', &word, line) || outcome_find(word, o) != ERR_OK) {
                *line = S("");
                return ERR_SYNTAX;
        }
        return ERR_OK;
}
