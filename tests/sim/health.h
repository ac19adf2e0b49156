/* SPDX-License-Identifier: ISC */
/* Mailboxes over days, and what lists make of them: whom a list may ask whether anybody is there, whom it may remove for
 * that, and whom it must. It is told what mail hosts said (verify.h) and what lists wrote (book.h), and tells the ledger
 * who may be removed any moment.
 *
 * The rule is list/judge.h's, from above: a dead mailbox counts 2 a day, a full one 1, and 6 are enough; nothing is taken off
 * for time, but mail that a mail host takes after it had refused some takes all off. What a host says of us, or of what we
 * sent, counts nothing.
 *
 * The invariants:
 *   judged   somebody was asked, or removed, whose mailbox has not failed that often; or is a member still nine days after a
 *            mailbox was dead on the third day of mail; or was removed, and no moderator heard of it
 *   digest   a list wrote its moderators a second digest within a day, a second report within a week, or twice in a day about
 *            one provider
 *   alarm    the server told somebody one thing twice in a day */
#ifndef TESTS_SIM_HEALTH_H
#define TESTS_SIM_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "tests/sim/ledger.h"

enum health_fault {
        HEALTH_OURS, /* what was said is about us: no mailbox is worse for it */
        HEALTH_FULL,
        HEALTH_DEAD
};

struct health;
struct health *health_new(struct ledger *ledger); /* ends the program when memory is out, here and below */
void health_free(struct health *h);               /* NULL is nothing */

/* Mail of `list` for `address` was refused for good: in SMTP, or by a bounce that is sent. */
void health_fails(
        struct health *h, uint32_t list, struct str address, enum health_fault fault, bool is_bounce);
/* It was taken, whatever comes of it. */
void health_takes(struct health *h, uint32_t list, struct str address);

/* A list writes to a member that it would like to know whether he is there, or that he was removed for that. */
void health_asks(struct health *h, uint32_t list, struct str address);
/* May a list write to them for that, now or soon? */
bool health_may_tell(const struct health *h, struct str address);
/* A list writes to its moderators that `address` was removed. */
void health_tells(struct health *h, uint32_t list, struct str address);

enum health_paper {
        HEALTH_DIGEST,
        HEALTH_REPORT,
        HEALTH_BREAKER, /* about a provider */
        HEALTH_ALARM    /* about anything, to those who look after the server; `list` is a role */
};
/* A list writes one of these to `to`. */
void health_writes(struct health *h, uint32_t list, struct str to, enum health_paper paper, struct str about);

/* At the end. `is_member` says who is one in the image. */
void health_judge(
        struct health *h, bool (*is_member)(void *ctx, struct str list, struct str address), void *ctx);

#endif
