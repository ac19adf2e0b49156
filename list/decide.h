/* SPDX-License-Identifier: ISC */
/* What a list does with a mail: facts in, a decision out. Pure: no I/O, no clock, nothing kept but in the caller's
 * structs. Everything of one mail happens in one transaction of the store, on facts read inside it:
 *
 *     commands_read(&input, &arena, &run.commands)              before the transaction
 *     in the transaction:
 *         decide_begin(&run, route)                             again from the start when the transaction is tried again
 *         while (decide_next(&run, &wanted)):
 *             gather the facts for `wanted`; decide_step(&run, &facts, &d); carry out d.actions in their order
 *         gather facts once more for run's actor; decide_end(&run, &facts, &d); carry out d.actions
 *     commit, then answer d.reply
 *
 * So each command sees what the ones before it did. A refusal undoes nothing: the transaction is committed whatever
 * the reply says (a request that can never be granted ends with its refusal). A post that is held goes through
 * decide_hold instead; time passing through decide_expired.
 *
 * Rights. `facts.proof` is about the author of this mail (list/posting.h); mail whose author is not proven is refused
 * before any decision, except to ROUTE_CONFIRM, where the token counts alone. What has been confirmed is done with the
 * rights that the address of the request's row has at that moment. Automatic mail must not get here at all.
 * Whatever a decision sends goes to a proven author, to one who was proven when the request was made, to a member who
 * is removed, or to the moderators. */
#ifndef LIST_DECIDE_H
#define LIST_DECIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "list/command.h"
#include "list/notice.h"
#include "list/setting.h"

#define DECIDE_ACTIONS_MAX 32
#define DECIDE_DOMAIN_REQUESTS_MAX 200 /* that wait for addresses of one domain, in one list */
#define DECIDE_LIST_REQUESTS_MAX 5000  /* that wait in one list */
#define DECIDE_HELD_POSTS_MAX 10       /* of one author, in one list */
#define DECIDE_REQUEST_LIFE_MS (7LL * 24 * 60 * 60 * 1000)
#define DECIDE_TOLD_MS \
        (24LL * 60 * 60 * 1000) /* between two confirmations for the same address and purpose */

/* What a request waits for. There is at most one for a list, address and purpose, but for REQUEST_POST. The numbers
 * stand in images. */
enum request_purpose {
        REQUEST_JOIN_CONFIRM = 1, /* the address answers that it asked to join */
        REQUEST_JOIN_DECIDE = 2,  /* a moderator lets the address join or not */
        REQUEST_CHANGE_CONFIRM =
                3,        /* the address, a moderator's, answers that the commands in `data` are its own */
        REQUEST_POST = 4, /* a moderator lets a held post of the address out or not */
        REQUEST_PURPOSES
};

/* A row that waits, of this list. */
struct decide_request {
        int64_t id; /* 0: there is none */
        enum request_purpose purpose;
        struct str address;
        struct str
                data; /* CHANGE_CONFIRM: command_write; POST: the post's Message-ID without brackets, or empty */
        int64_t made_ms; /* its life counts from here */
};

/* All that is known of one address in this list. */
struct decide_person {
        struct str address; /* as it was written */
        bool is_member, is_moderator, is_banned;
        bool options[MEMBER_OPTIONS];                                    /* of a member */
        struct decide_request join_confirm, join_decide, change_confirm; /* that wait for the address */
};

enum decide_proof {
        DECIDE_UNPROVEN, /* only for ROUTE_CONFIRM */
        DECIDE_PROVEN,   /* the author is who the From field says */
        DECIDE_STRONG /* and an aligned DKIM signature says so: what moderators do without a token needs it */
};

/* Whom a step is about. */
struct decide_wanted {
        struct str actor;  /* empty: the author of the mail */
        struct str target; /* whom the command names; empty: nobody */
        bool of_request;   /* the target is the address of `facts.request` */
};

struct decide_facts {
        struct setting_values settings;
        int64_t now_ms;
        enum decide_proof proof;
        struct str message_id;       /* of this mail, without brackets; may be empty */
        struct decide_person actor;  /* wanted.actor */
        struct decide_person target; /* wanted.target, or of request.address; all empty for nobody */
        struct decide_request
                request;     /* the row that the route's token names, if it is of this list; else id 0 */
        bool is_token_fresh; /* the token's day is at most 7 days ago */
        uint64_t waiting_of_domain; /* requests of this list: for addresses at the actor's domain */
        uint64_t waiting_of_list;   /* all */
        uint64_t held_of_author;    /* posts of the actor */
};

enum decide_action_kind {
        DECIDE_ADD_MEMBER,    /* address */
        DECIDE_REMOVE_MEMBER, /* address */
        DECIDE_SET_SETTING,   /* setting, value; an empty value: the standard one again */
        DECIDE_SET_OPTION,    /* address (a member), option, on */
        DECIDE_BAN,           /* address; about: the moderator who does it */
        DECIDE_UNBAN,         /* address */
        DECIDE_ADD_REQUEST,   /* purpose, address, data; made now. For POST: of the message that is held */
        DECIDE_END_REQUEST,   /* request: its row goes */
        DECIDE_RELEASE_POST,  /* request: its post goes out; DECIDE_END_REQUEST comes behind it */
        DECIDE_DROP_POST,     /* request: its post goes away; likewise */
        DECIDE_TELL           /* notice, address (empty: all moderators), request, about, text */
};

/* For `request` of DECIDE_TELL: the row that the last DECIDE_ADD_REQUEST of the same decision made. */
#define DECIDE_NEW_REQUEST (-1)

struct decide_action {
        enum decide_action_kind kind;
        struct str address;
        enum setting_id setting;
        struct str value;
        enum member_option option;
        bool on;
        enum request_purpose purpose;
        struct str data;
        int64_t request; /* 0: none */
        enum notice_kind notice;
        struct str about, text;
};

/* An answer in SMTP (RFC 5321 4.2, RFC 3463): `code` x.`subject`.`detail`, a sentence in printable ASCII that lives for
 * ever. */
struct decide_reply {
        unsigned code, subject, detail;
        struct str text;
};

struct decision {
        struct decide_reply reply;
        enum outcome outcome;
        struct decide_action
                actions[DECIDE_ACTIONS_MAX]; /* slices are borrowed from facts, run and literals */
        size_t count;
};

/* One mail's commands on their way. Large: not for a stack. */
struct decide_run {
        struct commands commands; /* filled by commands_read; never changed here */
        /* The rest is set by decide_begin. */
        struct commands confirmed; /* behind them: those of a request that was confirmed */
        enum route_kind route;
        size_t at;      /* the next one */
        size_t decided; /* how many an answer is due for */
        size_t refused; /* of these */
        size_t unsaid;  /* of these, those of which no other mail speaks */
        bool is_confirmed;
        struct decide_reply reply; /* of the first one that was refused, or else of the last */
        char actor[MAIL_ADDRESS_MAX], kept[NOTICE_TEXT_MAX], outcomes[NOTICE_TEXT_MAX],
                changes[NOTICE_TEXT_MAX];
        size_t actor_size, kept_size, outcomes_size, changes_size;
};

void decide_begin(struct decide_run *run, enum route_kind route);
/* Is there a command to decide? `*wanted` says what its facts are to be about. */
bool decide_next(const struct decide_run *run, struct decide_wanted *wanted);
/* Decide it. `d->reply` is not the mail's reply yet: that one comes from decide_end. */
void decide_step(struct decide_run *run, const struct decide_facts *facts, struct decision *d);
/* After the last: what is to be confirmed, and the one answer about all commands. `facts` are about the actor of the last
 * step, as decide_actor says. */
void decide_end(struct decide_run *run, const struct decide_facts *facts, struct decision *d);
/* Whom decide_end's facts are about: empty: the author of the mail. */
struct str decide_actor(const struct decide_run *run);

/* A post of a proven author that posting_judge wants to be held. reply.code is 250 with ADD_REQUEST and TELL, or 452
 * when too many wait. facts.actor is the author, facts.message_id the post's. */
void decide_hold(const struct decide_facts *facts, struct decision *d);
/* A request whose life is over, in `facts->request`: it ends; a held post goes, and its author is told. Only
 * `now_ms` and `request` are looked at. No action when it is not over yet. */
void decide_expired(const struct decide_facts *facts, struct decision *d);

#endif
