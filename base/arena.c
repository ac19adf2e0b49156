/* SPDX-License-Identifier: ISC */
#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <string.h>

void arena_init(struct arena *a, void *memory, size_t cap)
{
        *a = (struct arena){.p = memory, .cap = cap};
}

void *arena_alloc(struct arena *a, size_t n)
{
        size_t align = alignof(max_align_t);
        size_t misfit = (size_t)(((uintptr_t)a->p + a->used) % align);
        size_t pad = misfit == 0 ? 0 : align - misfit;
        if (!a->p || pad > a->cap - a->used || n > a->cap - a->used - pad)
                return NULL;
        char *at = a->p + a->used + pad;
        a->used += pad + n;
        if (a->used > a->high)
                a->high = a->used;
        memset(at, 0, n);
        return at;
}

enum err arena_copy(struct arena *a, struct str s, struct str *out)
{
        char *at = arena_alloc(a, s.n);
        *out = (struct str){NULL, 0};
        if (!at)
                return ERR_MEMORY;
        if (s.n > 0)
                memcpy(at, s.p, s.n);
        *out = str_of(at, s.n);
        return ERR_OK;
}

void arena_reset(struct arena *a)
{
        a->used = 0;
}
