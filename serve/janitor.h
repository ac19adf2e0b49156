/* SPDX-License-Identifier: ISC */
/* What time ends: requests that nobody answered (the author of a held post is told), bans, and what is remembered of
 * messages that are done. At the start, and each hour. */
#ifndef SERVE_JANITOR_H
#define SERVE_JANITOR_H

#include "serve/lipap.h"

/* A fiber's function; `lipap` is a struct lipap. Ends when it is cancelled. */
void janitor_run(void *lipap);

#endif
