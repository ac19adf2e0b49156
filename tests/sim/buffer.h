/* SPDX-License-Identifier: ISC */
/* Bytes that grow, for the simulator's peers: whoever has the struct owns them until buffer_free. All zero is empty. Ends
 * the program when memory is out. */
#ifndef TESTS_SIM_BUFFER_H
#define TESTS_SIM_BUFFER_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/str.h"

struct buffer {
        char *p;
        size_t n, cap;
};

/* Room for `more` bytes behind what is there. */
static inline char *buffer_room(struct buffer *b, size_t more)
{
        if (more > b->cap - b->n) {
                b->cap = b->n + more < 2 * b->cap ? 2 * b->cap : b->n + more;
                b->p = realloc(b->p, b->cap);
                CHECK(b->p);
        }
        return b->p + b->n;
}

static inline void buffer_put(struct buffer *b, struct str s)
{
        if (s.n == 0)
                return;
        memcpy(buffer_room(b, s.n), s.p, s.n);
        b->n += s.n;
}

static inline struct str buffer_text(const struct buffer *b)
{
        return str_of(b->p, b->n);
}

/* Take the first `n` bytes away. */
static inline void buffer_drop(struct buffer *b, size_t n)
{
        CHECK(n <= b->n);
        b->n -= n;
        if (b->n > 0)
                memmove(b->p, b->p + n, b->n);
}

static inline void buffer_free(struct buffer *b)
{
        free(b->p);
        *b = (struct buffer){0};
}

__attribute__((format(printf, 2, 3))) static inline void buffer_print(
        struct buffer *b, const char *format, ...)
{
        va_list args, again;
        va_start(args, format);
        va_copy(again, args);
        int n = vsnprintf(NULL, 0, format, args);
        va_end(args);
        CHECK(n >= 0);
        (void)vsnprintf(buffer_room(b, (size_t)n + 1), (size_t)n + 1, format, again);
        va_end(again);
        b->n += (size_t)n;
}

/* Grow an array so that one more fits behind `count`. */
static inline void *array_grow(void *array, size_t count, size_t *cap, size_t size)
{
        if (count < *cap)
                return array;
        *cap = *cap == 0 ? 16 : 2 * *cap;
        array = realloc(array, *cap * size);
        CHECK(array);
        return array;
}

/* A copy of its own; to be freed. */
static inline struct str str_copy(struct str s)
{
        char *p = malloc(s.n > 0 ? s.n : 1);
        CHECK(p);
        if (s.n > 0)
                memcpy(p, s.p, s.n);
        return str_of(p, s.n);
}

static inline void str_free(struct str s)
{
        free((void *)(uintptr_t)s.p);
}

#endif
