/* SPDX-License-Identifier: ISC */
/* For the test of power cuts: lines of text that grow, and the bytes that a message must have. */
#ifndef STORE_CRASH_TEXT_H
#define STORE_CRASH_TEXT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "store/crash_host.h"
#include "store/messages.h"
#include "store/spool.h"

#define TRUTH_MANY 1000 /* more than there ever are of anything */

struct truth {
        char *text; /* lines, and a NUL */
        size_t n, cap;
};

static inline void truth_free(struct truth *t)
{
        free(t->text);
        *t = (struct truth){0};
}

__attribute__((format(printf, 2, 3))) static inline void truth_add(struct truth *t, const char *format, ...)
{
        va_list args, again;
        va_start(args, format);
        va_copy(again, args);
        int n = vsnprintf(NULL, 0, format, again);
        va_end(again);
        assert_true(n >= 0);
        if (t->cap - t->n <= (size_t)n) {
                t->cap = (t->cap + (size_t)n) * 2 + 1;
                t->text = realloc(t->text, t->cap);
                assert_non_null(t->text);
        }
        (void)vsnprintf(t->text + t->n, t->cap - t->n, format, args);
        va_end(args);
        t->n += (size_t)n;
}

/* The body of a message follows from its ticket, "tN" or "gN". */
static inline uint64_t truth_seed(struct str ticket)
{
        uint64_t seed = 7;
        for (size_t i = 0; i < ticket.n; i++)
                seed = seed * 31 + (uint8_t)ticket.p[i];
        return seed;
}

static inline void truth_body(uint64_t seed, uint64_t at, char *out, size_t n)
{
        for (size_t i = 0; i < n; i++)
                out[i] = (char)(((at + i) * 2654435761u + seed * 40503u) >> 7);
}

/* Does a reader give `head` and then the body of that seed? */
static inline bool truth_reads(struct store_reader *reader, struct str head, uint64_t seed)
{
        static char got[SPOOL_EXTENT_MAX], body[SPOOL_EXTENT_MAX];
        size_t n;
        assert_true(head.n <= sizeof got);
        bool ok = store_reader_read(reader, 0, got, head.n, &n) == ERR_OK && str_eq(str_of(got, n), head);
        for (uint64_t at = head.n; ok && at < store_reader_size(reader); at += n) {
                ok = store_reader_read(reader, at, got, sizeof got, &n) == ERR_OK && n > 0;
                truth_body(seed, at - head.n, body, n);
                ok = ok && memcmp(got, body, n) == 0;
        }
        return ok;
}

#define TRUTH_FRONT S("Received: by ptt\r\n")
#define TRUTH_PREFIX S("DKIM-Signature: v=1\r\n")
#define TRUTH_HEAD S("DKIM-Signature: v=1\r\nReceived: by ptt\r\n") /* of a signed message */

static inline bool truth_message_reads(struct store *s, const struct store_message *m)
{
        struct store_reader *reader;
        struct str head = m->state == STORE_SIGNED ? TRUTH_HEAD : TRUTH_FRONT;
        if (store_reader_open(s, m->id, STORE_WHOLE, &reader) != ERR_OK)
                return false;
        bool ok = store_reader_size(reader) == head.n + m->body_size &&
                  truth_reads(reader, head, truth_seed(m->ticket));
        store_reader_close(reader);
        return ok;
}

#endif
