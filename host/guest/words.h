/* SPDX-License-Identifier: ISC */
/* The command line of a guest is one line of text: words between spaces. Quotes, single or double, hold spaces
 * together, anywhere in a word; there is no other escape. */
#ifndef HOST_GUEST_WORDS_H
#define HOST_GUEST_WORDS_H

#include <stddef.h>

#include "base/err.h"

/* Take `line` apart in place; `words` gets up to `cap - 1` pointers into it and a NULL.
 *   ERR_OK, ERR_SYNTAX (a quote that does not end), ERR_LIMIT (more words) */
MUST_USE enum err words_split(char *line, char **words, size_t cap, size_t *count);

#endif
