/* SPDX-License-Identifier: ISC */
/* Encoded-words in header text (RFC 2047). Pure: no I/O, no allocation. */
#ifndef MAIL_ENCODED_WORD_H
#define MAIL_ENCODED_WORD_H

#include <stdbool.h>

#include "base/str.h"
#include "base/wr.h"

#define MAIL_ENCODED_WORD_MAX 75 /* RFC 2047 2 */

/* Unstructured text (a Subject) or a phrase without its quotes as UTF-8 on one line: encoded-words decoded, those with
 * only white space between them joined, folds undone. Charsets are those of mail/charset.h; a word in
 * another one, or not well formed, stays as it is. The result is well-formed UTF-8 without control characters: each
 * becomes a space, ill-formed octets U+FFFD. */
void mail_text_decode(struct wr *w, struct str text);

/* A phrase or comment (RFC 5322 3.2.5), such as a display name, likewise: its quotes and inner comments are taken off and its
 * white space is made single spaces. */
void mail_phrase_decode(struct wr *w, struct str phrase);

/* The encoded-word for as many whole characters from the head of `*text` as go into `room` octets; they are taken off.
 * `text` is UTF-8; control characters become spaces, ill-formed octets U+FFFD. At most MAIL_ENCODED_WORD_MAX
 * octets are written, whatever the room. False, and nothing is done, when `room` is below 31 or `*text` empty. */
bool mail_encoded_word_write(struct wr *w, struct str *text, size_t room);

#endif
