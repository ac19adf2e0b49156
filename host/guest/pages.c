/* SPDX-License-Identifier: ISC */
#include "host/guest/pages.h"

#include <stdbool.h>
#include <string.h>

#include "base/check.h"

#define WORD 64

static size_t round_up(uintptr_t n)
{
        return (n + PAGE_SIZE - 1) & ~(uintptr_t)(PAGE_SIZE - 1);
}

void pages_init(struct pages *p, char *from, char *to)
{
        char *base = from + (round_up((uintptr_t)from) - (uintptr_t)from);
        size_t count = (size_t)(to - base) / PAGE_SIZE;
        size_t map = round_up((count + WORD - 1) / WORD * sizeof(uint64_t)) / PAGE_SIZE;
        CHECK(to > base && count > map);
        *p = (struct pages){.used = (void *)base, .base = base + map * PAGE_SIZE, .count = count - map};
        p->free = p->count;
}

static bool is_used(const struct pages *p, size_t at)
{
        return (p->used[at / WORD] >> at % WORD & 1) != 0;
}

static void mark(struct pages *p, size_t at, size_t n, bool use)
{
        for (size_t end = at + n; at < end; at++) {
                CHECK(is_used(p, at) != use);
                p->used[at / WORD] ^= (uint64_t)1 << at % WORD;
        }
}

/* The first of `n` free pages in a row; p->count when there are none. */
static size_t find(const struct pages *p, size_t n)
{
        size_t run = 0;
        for (size_t at = p->first; at < p->count;) {
                if (at % WORD == 0 && p->used[at / WORD] == UINT64_MAX) {
                        run = 0;
                        at += WORD;
                        continue;
                }
                run = is_used(p, at) ? 0 : run + 1;
                at++;
                if (run == n)
                        return at - n;
        }
        return p->count;
}

void *pages_take(struct pages *p, size_t n)
{
        if (n == 0 || n > p->free * PAGE_SIZE)
                return NULL;
        size_t count = round_up(n) / PAGE_SIZE, at = find(p, count);
        if (at == p->count)
                return NULL;
        mark(p, at, count, true);
        p->free -= count;
        if (at == p->first)
                p->first = at + count;
        size_t used_before = at + count < p->fresh ? count : p->fresh > at ? p->fresh - at : 0;
        memset(p->base + at * PAGE_SIZE, 0, used_before * PAGE_SIZE);
        if (at + count > p->fresh)
                p->fresh = at + count;
        return p->base + at * PAGE_SIZE;
}

void *pages_take_aligned(struct pages *p, size_t n)
{
        size_t most = 2 * n - PAGE_SIZE;
        char *at = pages_take(p, most);
        if (at == NULL)
                return NULL;
        size_t before = (n - (uintptr_t)at % n) % n;
        pages_give(p, at, before);
        pages_give(p, at + before + n, most - before - n);
        return at + before;
}

void pages_give(struct pages *p, void *from, size_t n)
{
        size_t offset = (size_t)((char *)from - p->base), at = offset / PAGE_SIZE,
               count = round_up(n) / PAGE_SIZE;
        CHECK((char *)from >= p->base && offset % PAGE_SIZE == 0 && at <= p->count && count <= p->count - at);
        mark(p, at, count, false);
        p->free += count;
        if (at < p->first)
                p->first = at;
}
