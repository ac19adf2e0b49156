/* SPDX-License-Identifier: ISC */
/* A bell tells a fiber that there may be work. A ring between looking and waiting is not lost: note `rung` before you
 * look, and give it to bell_wait. Zero-initialised is ready. */
#ifndef SERVE_BELL_H
#define SERVE_BELL_H

#include <stdint.h>

#include "fiber/fiber.h"

struct bell {
        uint64_t rung;
        struct waitq waiters;
};

static inline void bell_ring(struct bell *b)
{
        b->rung++;
        waitq_wake_all(&b->waiters);
}

/* Wait until the bell has rung since `seen` was noted.
 *   ERR_OK, ERR_TIMEOUT, ERR_CANCELLED */
MUST_USE static inline enum err bell_wait(struct bell *b, struct sched *s, uint64_t seen, int64_t deadline_ms)
{
        enum err e = ERR_OK;
        while (e == ERR_OK && b->rung == seen)
                e = waitq_wait(&b->waiters, s, deadline_ms);
        return e;
}

#endif
