/* SPDX-License-Identifier: ISC */
/* The switch for every other architecture, by the C library. It costs two system calls for the signal mask. */
#include <stdint.h>
#include <ucontext.h>

#include "base/check.h"
#include "fiber/switch.h"

struct first {
        ucontext_t context;
        void (*entry)(void *arg);
        void *arg;
};

/* makecontext passes ints only, so a pointer comes in two halves. */
static void start(unsigned high, unsigned low)
{
        struct first *first = (struct first *)(uintptr_t)((uint64_t)high << 32 | low);
        first->entry(first->arg);
        CHECK(first == NULL); /* it must not return */
}

void *switch_make(void *stack, size_t n, void (*entry)(void *arg), void *arg)
{
        uintptr_t top = ((uintptr_t)stack + n - sizeof(struct first)) & ~(uintptr_t)63;
        struct first *first = (struct first *)top;
        CHECK(getcontext(&first->context) == 0);
        first->context.uc_stack.ss_sp = stack;
        first->context.uc_stack.ss_size = (size_t)(top - (uintptr_t)stack);
        first->context.uc_link = NULL;
        first->entry = entry;
        first->arg = arg;
        uint64_t bits = (uint64_t)top;
        makecontext(&first->context, (void (*)(void))start, 2, (unsigned)(bits >> 32), (unsigned)bits);
        return &first->context;
}

void switch_to(void **from, void *to)
{
        ucontext_t here;
        *from = &here;
        CHECK(swapcontext(&here, to) == 0);
}
