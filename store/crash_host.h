/* SPDX-License-Identifier: ISC */
/* For the test of power cuts: a machine with a disk of the simulator and nothing else. Its clock stands still but for
 * sleeps, and its random numbers follow from a seed. */
#ifndef STORE_CRASH_HOST_H
#define STORE_CRASH_HOST_H

#include <stdio.h>

#include "base/check.h"
#include "host/sim/disk.h"

#define CRASH_EPOCH_MS 1800000000000
#define CRASH_IMAGE S("lipap.img") /* any name will do: there is one disk */

struct crash_host {
        struct host host; /* first */
        struct sim_disk *disk;
        int64_t now_ms;
        uint64_t random;
        bool talks; /* its console goes to standard error */
};

static inline struct crash_host *crash_host_of(struct host *h)
{
        return (struct crash_host *)(void *)h;
}

static inline int64_t crash_wall_ms(struct host *h)
{
        return CRASH_EPOCH_MS + crash_host_of(h)->now_ms;
}

static inline void crash_random(struct host *h, void *out, size_t n)
{
        struct crash_host *c = crash_host_of(h);
        for (uint8_t *p = out; n > 0; p++, n--) {
                c->random = c->random * 6364136223846793005u + 1442695040888963407u;
                *p = (uint8_t)(c->random >> 56);
        }
}

static inline void crash_console(struct host *h, struct str line)
{
        if (crash_host_of(h)->talks)
                fprintf(stderr, "%.*s\n", STR_ARG(line));
}

static inline enum err crash_block_open(struct host *h, struct str name, bool create, struct host_block **out)
{
        (void)name;
        (void)create;
        return sim_disk_open(crash_host_of(h)->disk, h->sched, out);
}

static const struct host_ops crash_ops = {.wall_ms = crash_wall_ms,
        .random = crash_random,
        .console = crash_console,
        .block_open = crash_block_open,
        .block_size = sim_block_size,
        .block_resize = sim_block_resize,
        .block_read = sim_block_read,
        .block_write = sim_block_write,
        .block_flush = sim_block_flush,
        .block_close = sim_block_close};

static inline int64_t crash_now_ms(void *platform)
{
        return ((struct crash_host *)platform)->now_ms;
}

static inline void crash_wait(void *platform, int64_t until_ms)
{
        struct crash_host *c = platform;
        CHECK(until_ms != FIBER_NEVER); /* nothing would ever happen */
        if (until_ms > c->now_ms)
                c->now_ms = until_ms;
}

/* Run `main(arg)` as a process of that machine, until it ends. */
static inline void crash_host_run(struct crash_host *c, void (*main)(void *arg), void *arg)
{
        struct sched_platform platform = {.now_ms = crash_now_ms, .wait = crash_wait, .platform = c};
        c->host = (struct host){.ops = &crash_ops, .sched = sched_new(&platform)};
        CHECK(c->host.sched != NULL);
        sched_run(c->host.sched, main, arg);
        sched_free(c->host.sched);
}

#endif
