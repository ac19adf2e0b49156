/* SPDX-License-Identifier: ISC */
/* The memory of a guest by pages: first fit over a bitmap. What is handed out is zero. */
#ifndef HOST_GUEST_PAGES_H
#define HOST_GUEST_PAGES_H

#include <stddef.h>
#include <stdint.h>

#define PAGE_SIZE 4096

struct pages {
        char *base;
        uint64_t *used; /* a bit a page */
        size_t count, free;
        size_t first; /* no page before it is free */
        size_t fresh; /* this page and all after it were never handed out: still zero */
};

/* Takes the memory from `from` to `to`, which is zero; the bitmap lies in it. */
void pages_init(struct pages *p, char *from, char *to);
/* `n` bytes, rounded up to pages; NULL when there is no such gap or `n` is 0. */
void *pages_take(struct pages *p, size_t n);
/* Likewise, at a multiple of `n`, which is a power of two and at least a page. */
void *pages_take_aligned(struct pages *p, size_t n);
/* Gives back whole pages of what was taken, in any parts. What was never taken, or twice given, is our own fault. */
void pages_give(struct pages *p, void *at, size_t n);

#endif
