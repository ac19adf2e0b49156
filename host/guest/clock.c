/* SPDX-License-Identifier: ISC */
/* The machine's wall clock may cost a way out of the guest, and is asked for often: read again each ten seconds, so that
 * it never drifts from the host's, and carried on by the cheap clock in between. */
#include "host/guest/inside.h"

#define AGAIN_NS (10 * (uint64_t)1000000000)

struct wall {
        uint64_t wall_ns, at_ns; /* what it was, and when */
        bool is_known;
};

static struct wall wall;

int64_t guest_now_ms(void *platform)
{
        (void)platform;
        return (int64_t)(machine_now_ns() / 1000000);
}

uint64_t guest_wall_ns(void)
{
        uint64_t now_ns = machine_now_ns();
        if (!wall.is_known || now_ns - wall.at_ns >= AGAIN_NS)
                wall = (struct wall){.wall_ns = machine_wall_ns(), .at_ns = now_ns, .is_known = true};
        return wall.wall_ns + (now_ns - wall.at_ns);
}

int64_t guest_wall_ms(struct host *h)
{
        (void)h;
        return (int64_t)(guest_wall_ns() / 1000000);
}
