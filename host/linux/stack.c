/* SPDX-License-Identifier: ISC */
/* Stacks from mmap, each with a guard page below it. Pages are touched as they are used. */
#include <sys/mman.h>
#include <unistd.h>

#include "base/check.h"
#include "host/linux/inside.h"

enum {
        GUARD = 64 * 1024, /* a multiple of every page size */
        PAGES_MAX = 1024,
};

static size_t page_size(void)
{
        return (size_t)sysconf(_SC_PAGESIZE);
}

void *linux_stack_alloc(void *platform, size_t n)
{
        (void)platform;
        char *p = mmap(
                NULL, GUARD + n, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
        if (p == MAP_FAILED)
                return NULL;
        if (mprotect(p + GUARD, n, PROT_READ | PROT_WRITE) == 0)
                return p + GUARD;
        munmap(p, GUARD + n);
        return NULL;
}

void linux_stack_free(void *platform, void *stack, size_t n)
{
        (void)platform;
        CHECK(munmap((char *)stack - GUARD, GUARD + n) == 0);
}

void linux_stack_rest(void *platform, void *stack, size_t n)
{
        (void)platform;
        n -= n % page_size();
        if (n > 0)
                CHECK(madvise(stack, n, MADV_DONTNEED) == 0);
}

/* Whole pages that are not there have not been touched, and need not be by us. */
__attribute__((no_sanitize("address"))) size_t linux_stack_unused(void *platform, const void *stack, size_t n)
{
        (void)platform;
        unsigned char resident[PAGES_MAX];
        size_t size = page_size(), pages = n / size, page = 0;
        CHECK(pages <= PAGES_MAX);
        if (mincore((void *)(uintptr_t)stack, n, resident) == 0)
                while (page < pages && (resident[page] & 1) == 0)
                        page++;
        const volatile char *p = stack;
        size_t i = page * size;
        while (i < n && p[i] == 0)
                i++;
        return i;
}
