/* SPDX-License-Identifier: ISC */
/* People who post: a node each. Every attempt is a try in the ledger with a letter of its own.
 *
 *   good       speaks SMTP well, in ways that differ: with and without PIPELINING, SIZE=, BDAT; several recipients;
 *              several transactions a session. Tries a post again after a growing pause, until 250 or 5yz
 *   slow       the same, but its bytes dribble
 *   broken     breaks off, sends malformed letters and wrong commands, does not wait for answers: four acts for a post,
 *              drawn, and never again
 *   malicious  forges tickets, return paths and letters, relays, smuggles, replays: the same
 *
 * The struct outlives the node's lives: a post that was not through goes on when the node is started again. */
#ifndef TESTS_SIM_AUTHOR_H
#define TESTS_SIM_AUTHOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/str.h"
#include "host/host.h"
#include "tests/sim/book.h"
#include "tests/sim/ledger.h"
#include "tests/sim/people.h"
#include "tests/sim/verify.h"

enum author_mood { AUTHOR_GOOD, AUTHOR_SLOW, AUTHOR_BROKEN, AUTHOR_MALICIOUS, AUTHOR_MOODS };
/* Its word as scenarios write it, and back: AUTHOR_MOODS for another word. */
const char *author_mood_text(enum author_mood mood);
enum author_mood author_mood_of(struct str word);

struct author_config {
        const char *name; /* of the node; a literal or as long-lived as the author */
        struct str address;
        enum author_mood mood;
        struct ip_port server; /* where mail for the lists goes */
        struct ledger *ledger;
        const struct verify *verify; /* for what can be replayed; or NULL */
        const struct person *who;    /* how he proves who he is; NULL: nothing is known of that */
        const struct people *people; /* with `who`: everybody who publishes something */
        const char *authserv; /* the name that the server's own Authentication-Results bear; NULL: unknown */
        uint64_t seed;
        int64_t retry_first_ms, retry_most_ms, life_ms; /* 0: 30 s, 10 min, 5 days */
        struct book *book;                              /* for commands; NULL: there are none */
        const char *strangers; /* a domain that lipap must not relay to; NULL: "stranger.test" */
};

struct author;
struct author *author_new(const struct author_config *config); /* texts are copied, but for `name` */
void author_free(struct author *a);

/* Somebody writes a letter: to one list or several, told apart by commas. `post` names it in stories, empty: the
 * author's name and a number. It is addressed to `cc`, too, if not empty. A `size` of 0 is drawn. May be called at any time, also while the node is down. */
void author_post(struct author *a, struct str post, struct str lists, struct str cc, size_t size);

/* Somebody malicious does one thing alone, with the letter of that name: an act of author_forgery.c, "forged-from" and the
 * like, in the name of `victim` (empty: of one who is drawn).
 *   false: there is no such act */
bool author_act(struct author *a, struct str post, struct str list, struct str act, struct str victim);

/* A letter to a route of a list. Texts are copied; what is NULL is as usual. */
struct author_command {
        struct str address;              /* "ptt-subscribe@..."; a star in it stands for a token */
        struct str token;                /* the route whose token that is; empty: the same */
        struct str of;                   /* whose mail it is looked for in; empty: the author's */
        struct str about;                /* and what that mail speaks of */
        size_t older;                    /* how many such mails are passed over */
        uint32_t note;                   /* the mail itself, or LEDGER_NONE */
        struct str from;                 /* in another's name; a star is the number of the letter, from 0 */
        struct str sender;               /* of the envelope, likewise; empty: <> */
        struct str subject, text, front; /* as in struct letter */
        size_t times;                    /* that it is sent; only 1 is tried until it is answered */
        bool is_unsigned;
        bool is_later; /* as people answer mail: minutes after it came */
};
void author_command(struct author *a, struct str post, const struct author_command *command);

/* The node's main: posts what there is to post until the node is asked to stop; gives 0. The type suits a node's start;
 * `arg` is the author. */
int author_run(struct host *h, void *arg);

/* Posts that are not through: neither accepted, nor refused for good, nor given up. */
size_t author_waiting(const struct author *a);

#endif
