/* SPDX-License-Identifier: ISC */
/* Stacks: where they come from, how deep they were used, and what AddressSanitizer and valgrind must know of them. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/limits.h"
#include "fiber/sched.h"
#include "fiber/switch.h"

#if defined(__SANITIZE_ADDRESS__)
#define HAS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ASAN 1
#endif
#endif

#ifdef HAS_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#define ASAN_START(save, stack, n) __sanitizer_start_switch_fiber(save, stack, n)
#define ASAN_FINISH(save, stack, n) __sanitizer_finish_switch_fiber(save, stack, n)
#define ASAN_FORGET(stack, n) __asan_unpoison_memory_region(stack, n)
#else
#define ASAN_START(save, stack, n) ((void)(save))
#define ASAN_FINISH(save, stack, n) ((void)(save))
#define ASAN_FORGET(stack, n) ((void)(stack))
#endif

#ifdef FIBER_VALGRIND
#include <valgrind/memcheck.h>
#else
#define VALGRIND_STACK_REGISTER(from, to) 0
#define VALGRIND_STACK_DEREGISTER(id) ((void)(id))
#define VALGRIND_MAKE_MEM_DEFINED(at, n) ((void)(at))
#define VALGRIND_DISABLE_ERROR_REPORTING ((void)0)
#define VALGRIND_ENABLE_ERROR_REPORTING ((void)0)
#endif

/* The lowest bytes of a stack without a guard page. */
static const char canary[16] = "fiber stack end";

static size_t size_of(const struct sched *s)
{
        return s->platform.stack_size;
}

static bool has_guard(const struct sched *s)
{
        return s->platform.stack_alloc != NULL;
}

bool stack_new(struct fiber *f)
{
        struct sched *s = f->sched;
        size_t n = size_of(s);
        f->stack = has_guard(s) ? s->platform.stack_alloc(s->platform.platform, n) : calloc(1, n);
        if (f->stack == NULL)
                return false;
        if (!has_guard(s))
                memcpy(f->stack, canary, sizeof canary);
        f->stack_id = VALGRIND_STACK_REGISTER(f->stack, (char *)f->stack + n);
        return true;
}

void stack_free(struct fiber *f)
{
        struct sched *s = f->sched;
        stack_measure(f);
        VALGRIND_STACK_DEREGISTER(f->stack_id);
        if (has_guard(s))
                s->platform.stack_free(s->platform.platform, f->stack, size_of(s));
        else
                free(f->stack);
}

void stack_reuse(struct fiber *f)
{
        ASAN_FORGET(f->stack, size_of(f->sched));
}

void stack_check(const struct fiber *f)
{
        CHECK(has_guard(f->sched) || memcmp(f->stack, canary, sizeof canary) == 0);
}

/* Reads what frames of the fiber may have poisoned. */
__attribute__((no_sanitize("address"))) static size_t count_zeros(const char *p, size_t n)
{
        size_t i = 0;
        while (i < n && p[i] == 0)
                i++;
        return i;
}

void stack_measure(struct fiber *f)
{
        struct sched *s = f->sched;
        size_t skip = has_guard(s) ? 0 : sizeof canary, n = size_of(s), unused;
        VALGRIND_DISABLE_ERROR_REPORTING;
        if (s->platform.stack_unused != NULL)
                unused = s->platform.stack_unused(s->platform.platform, f->stack, n);
        else
                unused = skip + count_zeros((const char *)f->stack + skip, n - skip);
        VALGRIND_ENABLE_ERROR_REPORTING;
        (void)VALGRIND_MAKE_MEM_DEFINED(&unused, sizeof unused);
        if (n - unused > s->stack_high)
                s->stack_high = n - unused;
}

void stack_rest(struct fiber *f)
{
        struct sched *s = f->sched;
        enum { MARGIN = 1024 }; /* what a switch may keep below its context, red zone included */
        size_t below = (size_t)((const char *)f->context - (const char *)f->stack);
        if (s->platform.stack_rest == NULL || below <= MARGIN)
                return;
        stack_measure(f);
        s->platform.stack_rest(s->platform.platform, f->stack, below - MARGIN);
}

void stack_enter(struct fiber *f)
{
        struct sched *s = f->sched;
        ASAN_START(&s->fake_stack, f->stack, size_of(s));
        switch_to(&s->context, f->context);
        ASAN_FINISH(s->fake_stack, NULL, NULL);
}

void stack_leave(struct fiber *f)
{
        struct sched *s = f->sched;
        ASAN_START(f->state == FIBER_ENDED ? NULL : &f->fake_stack, s->loop_stack, s->loop_stack_size);
        switch_to(&f->context, s->context);
        ASAN_FINISH(f->fake_stack, &s->loop_stack, &s->loop_stack_size);
}

void stack_entered(struct fiber *f)
{
        ASAN_FINISH(f->fake_stack, &f->sched->loop_stack, &f->sched->loop_stack_size);
}
