/* SPDX-License-Identifier: ISC */
/* What lists write of their own accord: about mailboxes that fail, and to those who look after a list or the server. It is
 * known by its Subject, in English. */
#include "tests/sim/book_inside.h"
#include "tests/sim/scenario.h"

void book_expect_health(struct book *b, struct health *health)
{
        b->health = health;
}

/* What stands before `words` in a Subject; all of it where they do not. */
static struct str before(struct str subject, struct str words)
{
        return str_take(subject, str_find(subject, words));
}

static bool is_for_member(struct book *b, uint32_t list, const struct book_note *note, struct str subject)
{
        if (str_eq(subject, S("Does this address still work?")) ||
                (str_has_prefix(subject, S("You are no longer a member of ")) &&
                        str_find(note->bytes, S("so did a test")) < note->bytes.n)) {
                health_asks(b->health, list, note->to);
                return true;
        }
        return false;
}

static bool is_for_moderators(struct book *b, uint32_t list, const struct book_note *note, struct str subject)
{
        static const struct str removed = {" was removed from ", 18}, refuses = {" refuses mail from ", 19};
        struct health *h = b->health;
        if (!ledger_is_moderator(b->ledger, list, note->to))
                return false;
        if (str_find(subject, removed) < subject.n)
                health_tells(h, list, before(subject, removed));
        else if (str_find(subject, refuses) < subject.n)
                health_writes(h, list, note->to, HEALTH_BREAKER, before(subject, refuses));
        else if (str_has_prefix(subject, S("Mail that could not be delivered at ")))
                health_writes(h, list, note->to, HEALTH_DIGEST, S(""));
        else if (str_has_prefix(subject, S("The week at ")))
                health_writes(h, list, note->to, HEALTH_REPORT, S(""));
        else
                return false;
        return true;
}

bool book_is_own_accord(struct book *b, uint32_t list, const struct book_note *note, struct str subject)
{
        if (!b->health)
                return false;
        if (ledger_list_kind(b->ledger, list) == LEDGER_ROLE) {
                health_writes(b->health, list, note->to, HEALTH_ALARM, subject);
                return true;
        }
        return is_for_member(b, list, note, subject) || is_for_moderators(b, list, note, subject);
}
