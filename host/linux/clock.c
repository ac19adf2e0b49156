/* SPDX-License-Identifier: ISC */
#include <time.h>

#include "base/check.h"
#include "host/linux/inside.h"

static int64_t read_ms(clockid_t clock)
{
        struct timespec t;
        CHECK(clock_gettime(clock, &t) == 0);
        return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t linux_wall_ms(struct host *h)
{
        (void)h;
        return read_ms(CLOCK_REALTIME);
}

int64_t linux_now_ms(void *platform)
{
        (void)platform;
        return read_ms(CLOCK_MONOTONIC);
}
