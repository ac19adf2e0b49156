/* SPDX-License-Identifier: ISC */
/* The ledger: all that was promised to people who post, all that mail hosts received, and what befell the connections
 * between; and the judge of it. It believes nobody's log and reads no node's memory: only answers and copies count.
 *
 * Who writes into it: the world (lists, members, kills, the image at the end), authors (their tries), mail hosts (their
 * connections and, through verify.h, copies). One ledger for a run; it owns all of its records, and copies what it is
 * given. Its order is the order of the calls; it draws nothing and reads no clock but the one it is given.
 *
 * The invariants, each a word and a story of one line:
 *   lost        answered 250, and somebody who was a member then and until the end has no copy, nor is a failure
 *               recorded, nor does it still wait
 *   duplicate   a second copy, though nothing befell the connection of the first at its final dot
 *   invented    a copy of what was refused, of what was never finished, or of nothing that anybody wrote
 *   unverified  a copy whose signature does not verify, for somebody who asks DNS at that moment
 *   relayed     mail to somebody who is no member, or that anybody would be allowed to send through us to strangers
 *   altered     a copy that is not what was sent with fields of ours and the signer's in front
 *   admitted    answered 250, and nobody may take it: malformed, in a circle, or its author has no right to post there
 *   forged      answered 250, or it came to a member of a list, and nobody has proven that it is from its author; or
 *               results of authentication came that somebody had forged in the server's name
 *   results     a copy whose Authentication-Results are missing or not the truth
 *   refused     answered 5yz, though it is a good letter, from whom it says, who may post there
 *   protocol    what was said to a mail host breaks RFC 5321
 *   bounced     a genuine bounce was refused for good
 *   failed      a failure is recorded for somebody whom nobody refused, long before the message's time was over
 *   held        a copy of a post that waits for a moderator, or that one has rejected
 *   unwanted    a copy for somebody who has said that copies of own posts are not wanted, or whom the letter names
 *               where that is enough */
#ifndef TESTS_SIM_LEDGER_H
#define TESTS_SIM_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "tests/sim/letter.h"

#define LEDGER_TARGETS_MAX 4  /* lists that one try is for */
#define LEDGER_STORIES_MAX 32 /* violations kept; all are counted */
#define LEDGER_STORY_MAX 256
#define LEDGER_NONE UINT32_MAX /* no such list, try, connection, copy */

struct ledger;

struct ledger_config {
        uint64_t seed;
        int64_t (*now_ms)(void *ctx); /* virtual time */
        /* One line for the trace; NULL: nobody looks. */
        void (*trace)(void *ctx, const char *node, struct str line);
        void *ctx;
};

struct ledger *ledger_new(const struct ledger_config *config); /* ends the program when memory is out */
void ledger_free(struct ledger *l);
int64_t ledger_now_ms(const struct ledger *l);
/* Does anybody look? If not, no text needs to be made. */
bool ledger_is_traced(const struct ledger *l);
void ledger_trace(struct ledger *l, const char *node, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/* ---- violations ---- */

struct ledger_violation {
        const char *invariant;
        int64_t at_ms;
        char story[LEDGER_STORY_MAX]; /* ended by NUL */
};

void ledger_violate(struct ledger *l, const char *invariant, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
size_t ledger_violations(const struct ledger *l); /* how many there were */
/* Number `i` in the order of events; NULL behind the last that is kept. */
const struct ledger_violation *ledger_violation(const struct ledger *l, size_t i);

/* ---- lists and members: told by the world ---- */

enum ledger_kind {
        LEDGER_LIST, /* copies have a return path NAME-return-TOKEN@DOMAIN */
        LEDGER_ROLE /* postmaster@ and the like: forwarded with the null return path to the people who stand there */
};
/* For members of a role whose number is fixed when 250 is given, and of lists, whose cursor runs later. */
enum ledger_membership {
        LEDGER_OUT,
        LEDGER_MAYBE, /* a change is under way: told before it begins */
        LEDGER_QUIET, /* on it, and wants no copies */
        LEDGER_IN     /* told when it is certain */
};

/* A list or role by its address; gives its number. The same address again gives the same number. */
uint32_t ledger_list(struct ledger *l, struct str address, enum ledger_kind kind);
uint32_t ledger_list_find(const struct ledger *l, struct str address); /* LEDGER_NONE */
size_t ledger_lists(const struct ledger *l);
struct str ledger_list_address(const struct ledger *l, uint32_t list);
enum ledger_kind ledger_list_kind(const struct ledger *l, uint32_t list);
/* Who may post there, once he has proven who he is. Who is too large a letter's author may be refused all the same where
 * it `is_bounded`. Without a rule nobody is judged by one. */
enum ledger_rule {
        LEDGER_NO_RULE,
        LEDGER_MEMBERS,
        LEDGER_EVERYBODY,
        LEDGER_MODERATORS,
        LEDGER_APPROVED /* everybody, but only a moderator's posts go out at once */
};
void ledger_list_rule(struct ledger *l, uint32_t list, enum ledger_rule rule, bool is_bounded);
enum ledger_rule ledger_rule_of(const struct ledger *l, uint32_t list);
/* With it, posts of members wait for a moderator until one of theirs was accepted. */
void ledger_list_first_post(struct ledger *l, uint32_t list, bool is_held);
/* With it, who is named in To or Cc gets no copy from the list. */
void ledger_list_skips(struct ledger *l, uint32_t list, bool skips);
void ledger_moderator(struct ledger *l, uint32_t list, struct str address);
bool ledger_is_moderator(const struct ledger *l, uint32_t list, struct str address);
/* Somebody may not post there any more: LEDGER_OUT; may again: LEDGER_IN. */
void ledger_ban(struct ledger *l, uint32_t list, struct str address, enum ledger_membership is);
/* One of those who were ever told, by a number that may be drawn; empty when there is none. */
struct str ledger_some_member(const struct ledger *l, uint32_t list, uint64_t number);
struct str ledger_some_moderator(const struct ledger *l, uint32_t list, uint64_t number);
void ledger_member(struct ledger *l, uint32_t list, struct str address, enum ledger_membership is);
/* What was told last; LEDGER_OUT of those whom nobody told of. */
enum ledger_membership ledger_membership(const struct ledger *l, uint32_t list, struct str address);
/* Those of whom anybody told, by number from 0; false behind the last. */
bool ledger_person(const struct ledger *l, uint32_t list, size_t i, struct str *address);
/* Does somebody want copies of own posts? LEDGER_IN, LEDGER_MAYBE or LEDGER_OUT. */
void ledger_own_posts(struct ledger *l, uint32_t list, struct str address, enum ledger_membership is);

/* ---- tries: told by authors ---- */

enum ledger_fate {
        LEDGER_UNSENT,   /* the final dot has not been sent */
        LEDGER_UNKNOWN,  /* it has been, and no answer came */
        LEDGER_REFUSED,  /* answered 4yz or 5yz, at whatever command */
        LEDGER_ACCEPTED, /* answered 2yz */
};

struct ledger_try_new {
        const char *author;       /* the node */
        struct str post;          /* what it is a try of */
        struct str sender;        /* in the envelope */
        struct str from;          /* in From; empty: the sender */
        struct str second;        /* as in struct letter */
        struct str forged;        /* likewise */
        struct str to;            /* in To */
        struct str subject, text; /* as in struct letter */
        enum letter_shape shape;
        size_t size;
        bool is_forged;    /* nobody may take it, whatever its shape */
        uint32_t smuggles; /* the try inside of this one, or LEDGER_NONE */
};

/* Of DMARC: there is no policy; it passes; or it does not, for one reason or another. */
enum ledger_dmarc { LEDGER_DMARC_NONE, LEDGER_DMARC_PASS, LEDGER_DMARC_FAIL };

/* What a server that asks DNS must find, unless DNS lies to it. */
struct ledger_truth {
        bool is_told;      /* else nothing of this is held against anybody */
        bool spf, dkim;    /* SPF passes for the envelope's sender; a signature is right, that of `signer` */
        bool is_proven;    /* one of them for the domain of the author */
        struct str signer; /* a domain, borrowed for as long as the ledger lives */
        enum ledger_dmarc dmarc;
};

struct ledger_try {
        char name[24], author[24];
        struct str post, sender, from, second, to, front, forged, subject, text; /* owned */
        enum letter_shape shape;
        size_t size;
        bool is_forged;
        uint32_t smuggles;
        struct ledger_truth truth;
        bool is_misled; /* DNS lied when the letter was judged */
        enum ledger_fate fate;
        unsigned code; /* of the answer */
        int64_t began_ms, ended_ms;
        uint64_t began, ended; /* places in the order of events */
        uint32_t targets[LEDGER_TARGETS_MAX];
        size_t target_count;
};

/* Begin a try; gives its number. Its fate is LEDGER_UNSENT. */
uint32_t ledger_try(struct ledger *l, const struct ledger_try_new *new);
/* Fields that stand in front of its letter from now on; and what is true of it. */
void ledger_try_front(struct ledger *l, uint32_t t, struct str front);
void ledger_try_truth(struct ledger *l, uint32_t t, const struct ledger_truth *truth);
/* By number; by name, LEDGER_NONE when there is none. */
const struct ledger_try *ledger_try_get(const struct ledger *l, uint32_t t);
uint32_t ledger_try_find(const struct ledger *l, struct str name);
size_t ledger_tries(const struct ledger *l);
/* The letter of a try; borrows from the ledger. */
struct letter ledger_letter(const struct ledger *l, uint32_t t);
/* RCPT was answered 2yz: for a list or role of ours; whatever else stands behind that address is `relayed`. */
void ledger_try_target(struct ledger *l, uint32_t t, struct str address);
/* The final dot is about to leave. */
void ledger_try_dot(struct ledger *l, uint32_t t);
/* What was answered last: 2yz to the final dot, or 4yz or 5yz anywhere. */
void ledger_try_answer(struct ledger *l, uint32_t t, unsigned code);
/* A good letter for this list was answered 5yz, at RCPT or at its end. */
void ledger_try_denied(struct ledger *l, uint32_t t, struct str list, unsigned code);
/* What a list does with a post that it took: told by those who moderate. */
enum ledger_hold {
        LEDGER_FREE,     /* it goes out at once */
        LEDGER_WAITS,    /* for a moderator: nobody may have it */
        LEDGER_UNSURE,   /* a decision is under way, or its outcome is unknown */
        LEDGER_RELEASED, /* who is a member now must have it */
        LEDGER_REJECTED  /* nobody may ever have it */
};
enum ledger_hold ledger_hold(const struct ledger *l, uint32_t t, uint32_t list);
void ledger_hold_put(struct ledger *l, uint32_t t, uint32_t list, enum ledger_hold hold);

/* From now on a 4yz to a final dot may come after the message was kept: the disk of the node fails. */
void ledger_disk_fails(struct ledger *l);
/* The disk is good again: the same is true of final dots up to here, and of none behind. */
void ledger_disk_mended(struct ledger *l);
/* An address that nobody may be given: RCPT was answered 2yz for a stranger, or for a token that nobody made. */
void ledger_try_leak(struct ledger *l, uint32_t t, struct str address);

/* From now on questions may stay without an answer: a verdict may be that there was none. */
void ledger_dns_fails(struct ledger *l);
bool ledger_dns_may_fail(const struct ledger *l);
/* Until then answers may be lies, or records of authors are others than those of people.h: who is judged by them is
 * judged rightly. Nobody is blamed for that; but nobody's letter is proven by a lie. */
void ledger_dns_lies(struct ledger *l, int64_t until_ms);

/* Was any try of a post accepted? Else: was one answered 5yz, or only 4yz? */
bool ledger_post_is_accepted(const struct ledger *l, struct str post);
bool ledger_post_is_refused(const struct ledger *l, struct str post);
bool ledger_post_is_deferred(const struct ledger *l, struct str post);

/* ---- connections and copies: told by mail hosts and verify.h ---- */

enum ledger_end {
        LEDGER_OPEN,
        LEDGER_QUIT,    /* in order */
        LEDGER_EOF,     /* the other side ended it without a word */
        LEDGER_RESET,   /* or it broke */
        LEDGER_SILENCE, /* or nothing came for too long */
        LEDGER_DROPPED, /* the mail host ended it without an answer */
        LEDGER_CLOSED,  /* the mail host ended it after an answer */
        LEDGER_DIED     /* the mail host itself was stopped */
};

uint32_t ledger_connection(struct ledger *l, const char *host); /* `host` is a mail host's node */
/* The final dot came, with a message that is kept or not; what copies are noted next belongs to it. */
void ledger_connection_dot(struct ledger *l, uint32_t connection);
/* The answer to the final dot went out. */
void ledger_connection_answered(struct ledger *l, uint32_t connection, unsigned code);
/* A command came behind that: the answer arrived, and what became of it is on the other side's disk. */
void ledger_connection_acknowledged(struct ledger *l, uint32_t connection);
void ledger_connection_end(struct ledger *l, uint32_t connection, enum ledger_end how);
/* A fault: all connections open now at `host` (NULL: at every mail host), or that ended without QUIT seconds ago, were
 * cut or may have been, or their outcome lost, as by a kill of either side, a stop, a disk that fails, a partition or a
 * link that loses. For each it excuses one delivery: that of the last dot, if no command has come behind it, or of the
 * next, which may be on its way; and only if it is the last on that connection. */
void ledger_fault(struct ledger *l, const char *host, const char *why);

int64_t ledger_fault_ms(const struct ledger *l); /* when the last one was */

/* Connections to that host (NULL: to every one) are cut until then, at any byte. So one that the host itself closes behind
 * its answer, before a command came, was cut perhaps. */
void ledger_fault_lasts(struct ledger *l, const char *host, int64_t until_ms);

/* What came on this connection's final dot `dot` may come a second time, as above. */
bool ledger_is_excused(const struct ledger *l, uint32_t connection, uint32_t dot);
/* Final dots on it so far. */
uint32_t ledger_connection_dots(const struct ledger *l, uint32_t connection);

/* A mail host has said for good that it does not take mail for somebody (or there is none that ever would). */
void ledger_refusal(struct ledger *l, struct str address);

struct ledger_copy {
        uint32_t try, target,
                member; /* target: the place in the try's targets; LEDGER_NONE for what nobody sent */
        uint32_t connection, dot; /* which dot on that connection, from 1 */
        int64_t at_ms;
};
/* A copy that a mail host has kept for `recipient`, which came through `list`. Judges what can be judged at once. */
void ledger_copy(struct ledger *l, uint32_t connection, uint32_t t, uint32_t list, struct str recipient);
size_t ledger_copies(const struct ledger *l);
/* Copies of tries of `post` (empty: of all) that `recipient` (empty: anybody) has. */
size_t ledger_count(const struct ledger *l, struct str post, struct str recipient);
/* Posts of a list that may be waiting for `recipient`. */
size_t ledger_lacking(const struct ledger *l, uint32_t list, struct str recipient);
/* May `recipient` ever be sent mail of this list or role? */
bool ledger_is_known(const struct ledger *l, uint32_t list, struct str recipient);

/* ---- the end ---- */

/* What the image says: a failure recorded for a member; a message that still waits for one, or (empty address) for any.
 * `message_id` with or without its brackets. */
void ledger_failed(struct ledger *l, struct str message_id, struct str address);
void ledger_queued(struct ledger *l, struct str message_id, struct str address);
/* Forget what ledger_failed and ledger_queued said: the image is about to be read again. */
void ledger_image_again(struct ledger *l);

/* Is everything that was accepted with all who must have it, or known to have failed or to wait? False: wait on. */
bool ledger_is_settled(struct ledger *l);
/* Judge all that can only be judged at the end: lost, duplicate, invented. Once. */
void ledger_judge(struct ledger *l);

/* Counters for a summary. */
struct ledger_sum {
        size_t posts, tries, accepted, refused, unknown, unsent, copies, duplicates, failed, connections, cut;
};
struct ledger_sum ledger_sum(const struct ledger *l);

#endif
