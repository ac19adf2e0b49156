/* SPDX-License-Identifier: ISC */
/* Routes: what the local part of an address at one of our domains means. Pure: whether a list of that name exists is
 * the caller's to look up. A list name may itself hold `-` and route words, so a local part can be read in several
 * ways; they are given longest list name first, and the first whose list exists is meant. */
#ifndef LIST_ROUTE_H
#define LIST_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "base/wr.h"

enum route_kind {
        ROUTE_NONE,        /* no further reading */
        ROUTE_POST,        /* NAME: a post */
        ROUTE_SUBSCRIBE,   /* NAME-subscribe, and so on */
        ROUTE_UNSUBSCRIBE, /* these are commands: list/command.h reads them, list/decide.h decides */
        ROUTE_SUBSCRIBERS,
        ROUTE_SETTINGS,
        ROUTE_OPTIONS,
        ROUTE_HELP,
        ROUTE_REQUEST,
        ROUTE_WHY,
        ROUTE_REMOVE,     /* NAME-remove-USER=DOMAIN */
        ROUTE_CONFIRM,    /* NAME-confirm-TOKEN: TOKEN_CONFIRM */
        ROUTE_ACCEPT,     /* NAME-accept-TOKEN: TOKEN_DECIDE */
        ROUTE_REJECT,     /* NAME-reject-TOKEN: TOKEN_DECIDE */
        ROUTE_OWNER,      /* NAME-owner: to the moderators */
        ROUTE_RETURN,     /* NAME-return-TOKEN: a bounce, TOKEN_RETURN */
        ROUTE_SIGNED,     /* _signed.TICKET: a signed copy from nec */
        ROUTE_POSTMASTER, /* postmaster, abuse (RFC 5321 4.5.1, RFC 2142) */
        ROUTE_KINDS
};

struct route {
        enum route_kind kind;
        struct str list; /* as written, for all routes of a list */
        struct str
                token; /* as written, for RETURN, CONFIRM, ACCEPT, REJECT, SIGNED; for REMOVE `USER=DOMAIN` */
};

/* Reading number `nth` (from 0) of a local part without quotes; kind is ROUTE_NONE behind the last. */
struct route route_read(struct str local, size_t nth);

/* ROUTE_SUBSCRIBE to ROUTE_REJECT. */
bool route_is_command(enum route_kind kind);
/* The word behind the list's name, such as "subscribe"; empty for POST, SIGNED, POSTMASTER and NONE. */
struct str route_word(enum route_kind kind);

/* Does a list name end in a word that would make it another list's route (such as `ptt-return-...` or `ptt-owner`)?
 * The words of all routes of the design are reserved, also those that are not served yet. */
bool route_is_reserved(struct str list_name);

#endif
