/* SPDX-License-Identifier: ISC */
/* Stacks of fibers, cut by the machine from chunks in which a page is missing below each. */
#include <string.h>

#include "base/check.h"
#include "host/guest/inside.h"

/* A stack that nobody has, noted at its upper end: what lies lower may never have been touched. Zero but for that. */
struct spare {
        struct spare *next;
};

static struct spare *spares;

static void add(char *stack)
{
        struct spare *s = (struct spare *)(stack + MACHINE_STACK) - 1;
        s->next = spares;
        spares = s;
}

bool stack_prepare(void)
{
        char *chunk = syscall_take_chunk();
        if (chunk == NULL || !machine_guard(chunk)) {
                syscall_give_chunk(chunk);
                return false;
        }
        for (size_t at = MACHINE_GUARD; at + MACHINE_STACK <= MACHINE_CHUNK;
                at += MACHINE_STACK + MACHINE_GUARD)
                add(chunk + at);
        return true;
}

void *guest_stack_alloc(void *platform, size_t n)
{
        (void)platform;
        CHECK(n == MACHINE_STACK);
        if (spares == NULL && !stack_prepare())
                return NULL;
        struct spare *s = spares;
        spares = s->next;
        s->next = NULL;
        return (char *)(s + 1) - MACHINE_STACK;
}

void guest_stack_free(void *platform, void *stack, size_t n)
{
        char *p = stack;
        size_t unused = 0;
        (void)platform;
        while (unused < n && p[unused] == 0)
                unused++;
        memset(p + unused, 0, n - unused);
        add(p);
}
