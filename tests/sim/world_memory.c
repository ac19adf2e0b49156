/* SPDX-License-Identifier: ISC */
/* The ceilings of base/limits.h hold, whatever comes: what a server has open, its fibers, the heap of the whole world, and
 * the deepest stack. */
#include "tests/sim/world_inside.h"

#include <malloc.h>

#include "base/limits.h"
#include "host/guest/machine.h"
#include "serve/signer.h"

#define LOOK_MS 5000
/* All nodes and people together; days of mail were seen to take 26 MiB. A server that keeps what it should let go is
 * above it within a day. */
#define HEAP_MAX (64ull * 1024 * 1024)
/* Of a stack, a quarter stays unused: of a unikernel's, which are the smallest; under a sanitizer frames are larger. */
#define STACK_MAX(n) ((n) / 4 * 3)
#define FEW 64 /* fibers and ports that a server has beside those that are counted below */

/* In use, without what is so large that it is mapped: disks and the arenas of the world. 0 under a sanitizer. */
static uint64_t heap_now(void)
{
        return mallinfo2().uordblks;
}

static size_t open_most(const struct machine *m)
{
        if (m->said->verb == VERB_LIPAP)
                return SIM_CONNECTIONS_MAX + FEW;
        return 2 * SIGNER_SESSIONS_MAX + DNS_QUERIES_MAX + FEW;
}

static bool look_at(struct world *w, const struct machine *m)
{
        struct sim_node_counters c = sim_node_counters(m->node);
        if (c.open <= open_most(m) && c.fibers <= open_most(m))
                return true;
        world_broken(w, "memory", "%s has %zu fibers and %zu connections, listeners and ports: at most %zu",
                m->name, c.fibers, c.open, open_most(m));
        return false;
}

void world_watch_memory(void *arg)
{
        struct world *w = arg;
        uint64_t before = heap_now();
        while (fiber_sleep(world_sched(w), LOOK_MS) == ERR_OK) {
                uint64_t now = heap_now();
                if (now > before + HEAP_MAX) {
                        world_broken(w, "memory", "the heap has grown to %llu MiB",
                                (unsigned long long)((now - before) >> 20));
                        return;
                }
                for (size_t i = 0; i < w->machine_count; i++) {
                        const struct machine *m = &w->machines[i];
                        if ((m->said->verb == VERB_LIPAP || m->said->verb == VERB_SIGNER) && !look_at(w, m))
                                return;
                }
        }
}

void world_look_at_stacks(struct world *w)
{
        size_t high = sched_stack_high(world_sched(w));
        if (high > STACK_MAX(heap_now() > 0 ? MACHINE_STACK : FIBER_STACK_SIZE))
                world_broken(w, "memory", "a stack was %zu bytes deep", high);
}
