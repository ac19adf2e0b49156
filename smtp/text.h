/* SPDX-License-Identifier: ISC */
/* The searches that decide how fast the text of a message goes through SMTP (RFC 5321 2.3.8, 4.5.2): where its lines are
 * broken, and whether it has a byte above 127. Pure; all ways give the same. */
#ifndef SMTP_TEXT_H
#define SMTP_TEXT_H

#include <stdbool.h>

#include "base/str.h"

/* How many bytes at the head of `text` are text as it may be: whole lines, and what is here of the last one. They end
 *   before a NUL,
 *   before an LF without a CR, so at 0 if it comes first,
 *   before a CR without an LF, also at the end of `text`,
 *   between a line's end and `stop`: a dot where dots at the head of a line mean something, else NUL. */
typedef size_t smtp_text_scan(struct str text, char stop);

smtp_text_scan smtp_text_scan_bytes; /* one byte at a time: what the others are held against */
smtp_text_scan smtp_text_scan_words; /* eight at a time, on any processor */

/* The fastest that this processor can run. */
smtp_text_scan *smtp_text_scan_best(void);

bool smtp_text_has_8bit(struct str text);

#endif
