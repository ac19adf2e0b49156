/* SPDX-License-Identifier: ISC */
/* What the admin is shown of a running lipap: the queue with the reasons why all of it waits, and how things stand. Lines
 * of text with LF (list/queued.h); what `w` has no room for is left out. */
#ifndef SERVE_ADMIN_TEXT_H
#define SERVE_ADMIN_TEXT_H

#include "serve/lipap.h"

#define ADMIN_TEXT_ARENA (512 * 1024)
#define ADMIN_TEXT_DESTINATIONS 30 /* that are shown, worst first */

/* Counts, destinations, then the oldest `rows` messages. Trouble of the store is a line, too. */
void admin_text_queue(struct lipap *node, struct arena *a, size_t rows, struct wr *w);
void admin_text_status(struct lipap *node, struct wr *w);

#endif
