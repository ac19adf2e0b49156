/* SPDX-License-Identifier: ISC */
/* Notices: mail that a list writes itself. A decision (list/decide.h) names the kind, whom it goes to, the request and
 * the address that it speaks of, and a text for it; a row of the store keeps these until the mail is written. Pure. */
#ifndef LIST_NOTICE_H
#define LIST_NOTICE_H

#include "base/str.h"

#define NOTICE_TEXT_MAX 8192 /* octets of the text that a decision gives to a notice */

/* To whom; `about` and `text` where there are any. "actor" is who asked. */
enum notice_kind {
        NOTICE_CONFIRM_JOIN,   /* actor; request: JOIN_CONFIRM */
        NOTICE_CONFIRM_CHANGE, /* a moderator; request: CHANGE_CONFIRM; text: the commands, one a line */
        NOTICE_WELCOME,        /* the new member */
        NOTICE_GOODBYE,        /* who was member */
        NOTICE_ALREADY_MEMBER, /* actor */
        NOTICE_NOT_MEMBER,     /* actor */
        NOTICE_JOIN_REFUSED,   /* who wanted to join */
        NOTICE_JOIN_WAITS,     /* moderators; request: JOIN_DECIDE; about: who wants to join */
        NOTICE_POST_WAITS,     /* moderators; request: POST; about: its author */
        NOTICE_POST_REJECTED,  /* the post's author; text: its Message-ID, or empty */
        NOTICE_POST_EXPIRED,   /* likewise */
        NOTICE_POST_ACCEPTED,  /* likewise; only to one who gets no copy as a member */
        NOTICE_SETTINGS,       /* a moderator; text: outcomes (list/outcome.h) of the lines sent, or empty */
        NOTICE_SETTINGS_CHANGED, /* moderators; about: who did it; text: lines of name HTAB old HTAB new */
        NOTICE_OPTIONS,          /* a member; text: outcomes of the lines sent, or empty */
        NOTICE_HELP,             /* actor */
        NOTICE_MEMBERS,          /* actor */
        NOTICE_OUTCOME,          /* actor; text: outcomes of the commands sent */
        NOTICE_WHY,              /* a moderator; text: the Message-ID asked for, without brackets */
        NOTICE_FAREWELL_REMOVED, /* who was removed */
        NOTICE_REQUEST_DECIDED,  /* a moderator, who came too late */
        NOTICE_PROBE,            /* a member whose mail came back: does the address work? */
        NOTICE_FAREWELL_BOUNCED, /* who was removed, as the probe came back, too */
        NOTICE_REMOVED_OWNER, /* moderators; about: who that was; text: its id, then what was said, on two lines */
        NOTICE_BREAKER,       /* moderators; about: a provider that fails for most; text: what it said last */
        NOTICE_DIGEST, /* moderators; text: "A B C D": failures of ids above A up to B, verdicts above C up to D */
        NOTICE_REPORT, /* moderators; text: the lines (list/report.h) */
        NOTICE_KINDS
};

/* The stable name, such as "confirm-join": of the row, and of a template's file. */
struct str notice_kind_name(enum notice_kind kind);
/* NOTICE_KINDS when there is none of that name. */
enum notice_kind notice_kind_of(struct str name);

#endif
