/* SPDX-License-Identifier: ISC */
/* What notices say: the words that a template may hold, the templates and phrases of each language. For list/notice*.c.
 * A template's first line is "Subject: ...", then an empty line and the text; a word stands in braces, such as {list}. */
#ifndef LIST_NOTICE_TEXT_H
#define LIST_NOTICE_TEXT_H

#include <stdbool.h>

#include "base/str.h"
#include "list/command.h"
#include "list/notice.h"
#include "list/notice_mail.h"
#include "list/route.h"
#include "mail/address.h"
#include "mail/transfer.h"

enum notice_word {
        WORD_LIST,        /* list: "ptt@mailingl.st" */
        WORD_NAME,        /* name: "ptt" */
        WORD_DESCRIPTION, /* description: the setting, or nothing */
        WORD_DAYS,        /* days: the life of a request */
        WORD_SUBSCRIBE,   /* subscribe and the like: the address of that route */
        WORD_UNSUBSCRIBE,
        WORD_SUBSCRIBERS,
        WORD_OPTIONS,
        WORD_SETTINGS,
        WORD_HELP,
        WORD_REQUEST,
        WORD_OWNER,
        WORD_WHY,
        WORD_ADDRESS, /* address: whom it is about */
        WORD_CONFIRM, /* confirm, accept, reject: "mailto:" with the token */
        WORD_ACCEPT,
        WORD_REJECT,
        WORD_MESSAGE, /* message: the Message-ID that was asked about */
        WORD_BLOCKS,  /* from here on: several lines, for which the word stands alone on a line */
        WORD_COMMANDS = WORD_BLOCKS, /* commands: what would be done */
        WORD_OUTCOMES,               /* outcomes: what became of each command or line; may be nothing */
        WORD_CHANGES,                /* changes: settings, with old and new value */
        WORD_VALUES,                 /* values: settings or options in force, with their meaning */
        WORD_LINES,                  /* lines: what the caller streams */
        NOTICE_WORDS
};

struct str notice_word_name(enum notice_word word);
/* NOTICE_WORDS when there is none of that name. */
enum notice_word notice_word_of(struct str name);

struct notice_traits {
        struct str name;
        enum route_kind from, reply_to; /* addresses of the list; reply_to NONE: no such field */
        enum notice_token token;
        bool is_answer; /* to the author of the mail `answers` */
        unsigned may;   /* bits of words beside those that every template may hold */
        unsigned needs; /* bits of words without which the mail is of no use */
};
const struct notice_traits *notice_traits_of(enum notice_kind kind);

struct notice_phrases {
        const char *language;                /* a tag for Content-Language */
        const char *moderators;              /* behind the list's name, in To */
        const char *before;                  /* in front of a setting's old value */
        const char *options[MEMBER_OPTIONS]; /* what an option means; NULL for one that is not shown */
        const char *templates[NOTICE_KINDS];
};
extern const struct notice_phrases notice_english, notice_french;
/* English for a language that is not there. */
const struct notice_phrases *notice_phrases_of(struct str language);

/* Reading a template. */

/* The line at the head of `*text`, without its end, taken off. False: there is none. */
bool notice_line_take(struct str *text, struct str *line);
/* The piece at the head of a line, taken off.
 *   ERR_OK      `*word` is one, or NOTICE_WORDS: then `*piece` stands for itself
 *   ERR_EOF     the line is empty
 *   ERR_SYNTAX  a "{" that begins no word with its "}"
 *   ERR_UNSUPPORTED  braces around what is no word       (`*piece` is empty on these) */
MUST_USE enum err notice_piece_take(struct str *line, struct str *piece, enum notice_word *word);
/* The word of several lines that stands alone on this one, behind `*indent`; NOTICE_WORDS when there is none. */
enum notice_word notice_block_of(struct str line, struct str *indent);
/* A checked template into what stands behind "Subject:" and the text. */
void notice_template_split(struct str template, struct str *subject, struct str *text);

/* Writing. */

#define NOTICE_ADDRESS_MAX 512 /* of an address of the list, before it is known to be one */

struct notice_writing {
        const struct notice_mail *mail;
        const struct notice_traits *traits;
        const struct notice_phrases *phrases;
        struct mail_quoted_out out; /* of the text */
};

/* NAME-word-token@domain, written into `buffer`, of which `*out` borrows.
 *   ERR_OK, or ERR_SYNTAX: that is no address, or the token is missing */
MUST_USE enum err notice_address(
        const struct notice_mail *mail, enum route_kind route, struct wr *buffer, struct mail_address *out);
/* What a word of one line stands for. */
void notice_word_write(const struct notice_writing *g, enum notice_word word, struct wr *w);
/* The text, up to where the caller streams lines into `before`, and the rest into `after`. An empty line behind a word
 * that stands for nothing goes, too. */
void notice_text_put(struct notice_writing *g, struct str text, struct wr *before, struct wr *after);

#endif
