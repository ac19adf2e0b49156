/* SPDX-License-Identifier: ISC */
/* What another server said, an SMTP reply or the words of a bounce, told within one line of text. Pure. */
#ifndef LIST_SAID_H
#define LIST_SAID_H

#include <stddef.h>

#include "base/str.h"
#include "base/wr.h"

/* At most `most` octets of `said`: its lines one after the other, a space between them; other control characters, and what
 * is no UTF-8, become "?". */
void said_write(struct wr *w, struct str said, size_t most);
/* The same of a reply whose code is known, which is written before it unless it begins with it. */
void said_write_coded(struct wr *w, unsigned code, struct str said, size_t most);

#endif
