/* SPDX-License-Identifier: ISC */
/* For tests: a platform with a virtual clock, so that no test sleeps. Waiting moves the clock, nothing else happens.
 * A wait without end is a deadlock of the test and aborts. */
#ifndef FIBER_FAKE_PLATFORM_H
#define FIBER_FAKE_PLATFORM_H

#include "base/check.h"
#include "fiber/fiber.h"

struct fake_platform {
        int64_t now_ms;
        unsigned looks; /* waits of either kind */
        void (*on_look)(struct fake_platform *p);
        void *arg;
        struct sched_platform platform;
};

static int64_t fake_now_ms(void *platform)
{
        return ((struct fake_platform *)platform)->now_ms;
}

static void fake_wait(void *platform, int64_t until_ms)
{
        struct fake_platform *p = platform;
        CHECK(until_ms != FIBER_NEVER || p->on_look != NULL);
        p->looks++;
        if (until_ms != FIBER_NEVER && until_ms > p->now_ms)
                p->now_ms = until_ms;
        if (p->on_look != NULL)
                p->on_look(p);
}

static inline struct sched *fake_sched(struct fake_platform *p)
{
        p->platform = (struct sched_platform){
                .now_ms = fake_now_ms, .wait = fake_wait, .platform = p, .stack_size = 64 * 1024};
        struct sched *s = sched_new(&p->platform);
        CHECK(s != NULL);
        return s;
}

#endif
