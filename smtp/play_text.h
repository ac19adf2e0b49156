/* SPDX-License-Identifier: ISC */
/* For tests, fuzzers and drivers of the engines: text with escapes, and a buffer that grows. */
#ifndef SMTP_PLAY_TEXT_H
#define SMTP_PLAY_TEXT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/str.h"

struct play_text {
        char *p;
        size_t n, cap;
};

static inline void play_add(struct play_text *t, struct str s)
{
        if (s.n > t->cap - t->n) {
                t->cap = (t->n + s.n) * 2 + 64;
                t->p = realloc(t->p, t->cap);
                CHECK(t->p != NULL);
        }
        if (s.n > 0)
                memcpy(t->p + t->n, s.p, s.n);
        t->n += s.n;
}

static inline void play_add_c(struct play_text *t, const char *c)
{
        play_add(t, str_of_c(c));
}

static inline void play_add_number(struct play_text *t, uint64_t n)
{
        char text[32];
        int length = snprintf(text, sizeof text, "%llu", (unsigned long long)n);
        play_add(t, str_of(text, (size_t)length));
}

static inline struct str play_str(const struct play_text *t)
{
        return str_of(t->p, t->n);
}

static inline void play_free(struct play_text *t)
{
        free(t->p);
        *t = (struct play_text){0};
}

/* Bytes as one line of text: \r \n \\ \xHH. */
static inline void play_escape(struct play_text *t, struct str s)
{
        for (size_t i = 0; i < s.n; i++) {
                char text[8];
                unsigned char c = (unsigned char)s.p[i];
                if (c == '\r' || c == '\n' || c == '\\')
                        snprintf(text, sizeof text, "\\%c", c == '\r' ? 'r' : c == '\n' ? 'n' : '\\');
                else if (c < 32 || c > 126)
                        snprintf(text, sizeof text, "\\x%02x", c);
                else
                        snprintf(text, sizeof text, "%c", c);
                play_add_c(t, text);
        }
}

static inline unsigned play_digit(char c)
{
        return (unsigned)(c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
}

static inline void play_unescape(struct play_text *t, struct str s)
{
        for (size_t i = 0; i < s.n; i++) {
                char c = s.p[i];
                if (c == '\\' && i + 1 < s.n) {
                        c = s.p[++i];
                        if (c == 'x' && i + 2 < s.n) {
                                c = (char)(play_digit(s.p[i + 1]) << 4 | play_digit(s.p[i + 2]));
                                i += 2;
                        } else if (c == 'r' || c == 'n') {
                                c = c == 'r' ? '\r' : '\n';
                        }
                }
                play_add(t, str_of(&c, 1));
        }
}

/* How bytes are cut when they are fed: 0 whole, 1 byte by byte, else pseudo-random pieces from that seed. */
static inline size_t play_piece(uint32_t *seed, size_t left)
{
        if (*seed <= 1)
                return *seed == 0 ? left : 1;
        *seed = *seed * 1664525u + 1013904223u;
        if (*seed <= 1)
                *seed = 2;
        size_t n = 1 + (*seed >> 16) % ((*seed >> 8) % 4 == 0 ? 40 : 4);
        return n < left ? n : left;
}

#endif
