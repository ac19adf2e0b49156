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

static struct str email_of(const struct statement *t)
{
        bool is_person = t->verb == VERB_MEMBER || t->verb == VERB_AUTHOR || t->verb == VERB_JOIN;
        return is_person ? statement_argument(t, 1) : S("");
}

static bool has_mail_host(const struct scenario *s, struct str email)
{
        struct str local, domain;
        (void)str_cut(email, '@', &local, &domain);
        for (size_t i = 0; i < s->count; i++)
                if (s->statements[i].verb == VERB_MAILHOST &&
                        scenario_list_has(statement_argument(&s->statements[i], 1), domain))
                        return true;
        return false;
}

/* People whose mail host has gone go too: else their mail waits, which is another failure than the one looked for. */
static void leave_out_people(struct scenario *smaller, const struct scenario *s)
{
        for (size_t i = smaller->count; i-- > 0;) {
                struct str email = email_of(&smaller->statements[i]);
                if (email.n > 0 && has_mail_host(s, email) && !has_mail_host(smaller, email))
                        leave_out(smaller, i, 1);
        }
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
        leave_out_people(&smaller, s);
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
