/* SPDX-License-Identifier: ISC */
#include "tests/sim/shrink.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

static void leave_out(struct scenario *s, size_t at, size_t n)
{
        memmove(&s->statements[at], &s->statements[at + n], (s->count - at - n) * sizeof *s->statements);
        s->count -= n;
}

/* Without statements `at` to `at + n - 1` and what hangs in the air then; the text is shared with `s`. */
static struct scenario without(const struct scenario *s, size_t at, size_t n)
{
        struct scenario smaller = *s;
        struct scenario_fault fault;
        smaller.statements = calloc(s->count + 1, sizeof *s->statements);
        CHECK(smaller.statements);
        memcpy(smaller.statements, s->statements, s->count * sizeof *s->statements);
        leave_out(&smaller, at, n);
        while (scenario_check(&smaller, &fault) != ERR_OK)
                leave_out(&smaller, fault.statement, 1);
        return smaller;
}

/* One pass from the last statement to the first in steps of `n`; whether anything went. */
static bool pass(struct scenario *s, size_t n, bool (*fails)(void *ctx, const struct scenario *s), void *ctx,
        unsigned *tries)
{
        bool has_shrunk = false;
        for (size_t end = s->count; end > 0 && *tries > 0; --*tries) {
                size_t at = end > n ? end - n : 0;
                struct scenario smaller = without(s, at, end - at);
                if (fails(ctx, &smaller)) {
                        free(s->statements);
                        *s = smaller;
                        has_shrunk = true;
                        end = at < s->count ? at : s->count;
                } else {
                        free(smaller.statements);
                        end = at;
                }
        }
        return has_shrunk;
}

void shrink(struct scenario *s, bool (*fails)(void *ctx, const struct scenario *s), void *ctx, unsigned tries)
{
        size_t n = s->count / 2;
        while (n > 0 && tries > 0) {
                bool has_shrunk = pass(s, n, fails, ctx, &tries);
                if (n > 1 || !has_shrunk)
                        n /= 2;
        }
}
