/* SPDX-License-Identifier: ISC */
/* Commands: what a mail to a route of a list asks for. Pure: the text has been taken out of MIME and decoded before.
 * Reading decides nothing; a line that is no command becomes one of kind COMMAND_WRONG with the reason, so that its
 * author hears of it. */
#ifndef LIST_COMMAND_H
#define LIST_COMMAND_H

#include "base/arena.h"
#include "list/outcome.h"
#include "list/route.h"
#include "list/setting.h"

#define COMMANDS_MAX 64        /* of one message */
#define COMMAND_LINES_MAX 20   /* of a mail to NAME-request that are looked at */
#define COMMAND_TEXT_MAX 65536 /* of a body that is looked at */

enum command_kind {
        COMMAND_JOIN,   /* join, subscribe */
        COMMAND_LEAVE,  /* leave, unsubscribe */
        COMMAND_HELP,   /* help */
        COMMAND_WHO,    /* who */
        COMMAND_REMOVE, /* remove ADDRESS */
        COMMAND_BAN,    /* ban ADDRESS */
        COMMAND_UNBAN,  /* unban ADDRESS */
        COMMAND_SHOW_SETTINGS,
        COMMAND_SET, /* a setting */
        COMMAND_SHOW_OPTIONS,
        COMMAND_OPTION,  /* an option of the member's own */
        COMMAND_WHY,     /* the path of a message */
        COMMAND_CONFIRM, /* with a token */
        COMMAND_ACCEPT,
        COMMAND_REJECT,
        COMMAND_WRONG, /* no command */
        COMMAND_KINDS
};

/* Options of a member. */
enum member_option {
        OPTION_NOMAIL,    /* nomail: no posts are sent to the member */
        OPTION_OWN_POSTS, /* own-posts: the member gets a copy of what she posts */
        OPTION_APPROVED,  /* set by decisions alone: a first post was accepted (`first-post moderated`) */
        MEMBER_OPTIONS
};
/* "nomail", "own-posts"; OPTION_APPROVED has no name for people. */
struct str member_option_name(enum member_option option);

struct command {
        enum command_kind kind;
        struct str line;    /* as it was written, trimmed; may hold anything */
        struct str address; /* REMOVE, BAN, UNBAN always, JOIN and LEAVE when one is given: a valid mailbox */
        enum setting_id setting;   /* SET */
        struct str value;          /* SET: checked by setting_check; WHY: a Message-ID without brackets */
        enum member_option option; /* OPTION */
        bool on;
        enum outcome fault; /* WRONG: why */
};

struct commands {
        struct command list[COMMANDS_MAX];
        size_t count;
};

struct command_input {
        enum route_kind route; /* route_is_command */
        struct str token;      /* of the route: for ROUTE_REMOVE, whom */
        struct str subject;    /* decoded to UTF-8, on one line; may hold anything */
        struct str text;       /* the plain text, lines end in LF or CRLF; may hold anything */
        const struct setting_values *in_force; /* ROUTE_SETTINGS */
};

/* All commands of a message, in their order:
 *   SUBSCRIBE UNSUBSCRIBE SUBSCRIBERS HELP REMOVE CONFIRM ACCEPT REJECT   one, whatever subject and text say
 *   REQUEST   the subject when it begins with a command's word (behind any "Re:"), then the lines of the text until 20
 *             are read, until an empty line that follows a command, or a signature "-- "; quoted lines are passed over
 *   SETTINGS  lines `name: value` or `name = value`; quoted ones ("> ") only when there is no other, and only those that
 *             differ from what is in force; lines with "#" in front are passed over; SHOW_SETTINGS when there is none
 *   OPTIONS   the same with options and on | off; SHOW_OPTIONS when there is none
 *   WHY       the Message-ID in the subject, or in the text's first line that has one; else WRONG
 * At least one command comes out: for REQUEST without any it is HELP when nothing was written at all, else WRONG with
 * OUTCOME_UNKNOWN. Beyond COMMANDS_MAX the last one is WRONG with OUTCOME_TOO_MUCH.
 *   ERR_OK      slices are borrowed from `in`, from `a`, or live for ever
 *   ERR_MEMORY  `a` is full */
MUST_USE enum err commands_read(const struct command_input *in, struct arena *a, struct commands *out);

/* A command that a request row keeps until a moderator confirms it (REMOVE, BAN, UNBAN, SET), as one line with LF:
 * "remove a@b", "set posting open". What does not fit whole is left out, and `w` says so. */
void command_write(struct wr *w, const struct command *command);
/* Such lines again, with the rest of `out` left as it is: commands are put behind those that are there.
 *   ERR_OK
 *   ERR_SYNTAX  not what command_write wrote
 *   ERR_LIMIT   more than COMMANDS_MAX in all           (`out->count` is as before on errors) */
MUST_USE enum err commands_read_kept(struct str text, struct commands *out);

#endif
