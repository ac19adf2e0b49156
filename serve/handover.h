/* SPDX-License-Identifier: ISC */
/* Hands messages with an open ticket to a signer, oldest first, over a few connections that are reused. The row in the
 * store is the truth: a message is handed over again until its signed copy came back, also after a restart. A signer
 * that cannot be reached is skipped; any refusal is tried again later, and nothing is ever bounced from here. */
#ifndef SERVE_HANDOVER_H
#define SERVE_HANDOVER_H

#include "serve/lipap.h"

/* A fiber's function: runs until cancelled. `arg` is a struct lipap. */
void handover_run(void *arg);

#endif
