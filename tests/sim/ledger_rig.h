/* SPDX-License-Identifier: ISC */
/* For tests of the ledger: histories, each a few events and the words that they must come to. */
#ifndef TESTS_SIM_LEDGER_RIG_H
#define TESTS_SIM_LEDGER_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "tests/sim/ledger.h"

struct world {
        struct ledger *l;
        uint32_t list, other, role;
        int64_t now_ms;
};

static inline int64_t now_ms(void *ctx)
{
        return ((struct world *)ctx)->now_ms++;
}

static inline uint32_t begin(struct world *w, enum letter_shape shape)
{
        struct ledger_try_new new = {.author = "ann",
                .post = S("p1"),
                .sender = S("ann@author.test"),
                .to = S("l@list.test"),
                .shape = shape,
                .size = 10,
                .smuggles = LEDGER_NONE};
        return ledger_try(w->l, &new);
}

/* A whole try at the list, answered with `code`; 0: no answer. */
static inline uint32_t post(struct world *w, unsigned code)
{
        uint32_t t = begin(w, LETTER_PLAIN);
        ledger_try_target(w->l, t, S("L@list.test"));
        ledger_try_dot(w->l, t);
        if (code != 0)
                ledger_try_answer(w->l, t, code);
        return t;
}

/* A copy over a connection of its own. */
static inline void deliver(struct world *w, uint32_t t, const char *to, unsigned code, enum ledger_end end)
{
        uint32_t c = ledger_connection(w->l, "mx1");
        ledger_connection_dot(w->l, c);
        ledger_copy(w->l, c, t, w->list, str_of_c(to));
        if (code != 0)
                ledger_connection_answered(w->l, c, code);
        ledger_connection_end(w->l, c, end);
}

static inline void deliver_all(struct world *w, uint32_t t)
{
        deliver(w, t, "bob@b.test", 250, LEDGER_QUIT);
        deliver(w, t, "CAT@b.test", 250, LEDGER_QUIT);
}

static inline void start(struct world *w)
{
        const struct ledger_config config = {.seed = 1, .now_ms = now_ms, .ctx = w};
        *w = (struct world){.now_ms = 1000};
        w->l = ledger_new(&config);
        w->list = ledger_list(w->l, S("l@list.test"), LEDGER_LIST);
        w->other = ledger_list(w->l, S("other@list.test"), LEDGER_LIST);
        w->role = ledger_list(w->l, S("postmaster@list.test"), LEDGER_ROLE);
        assert_int_equal(ledger_list(w->l, S("L@LIST.test"), LEDGER_LIST), w->list);
        ledger_member(w->l, w->list, S("bob@b.test"), LEDGER_IN);
        ledger_member(w->l, w->list, S("cat@b.test"), LEDGER_IN);
        ledger_member(w->l, w->other, S("bob@b.test"), LEDGER_IN);
        ledger_member(w->l, w->role, S("boss@b.test"), LEDGER_IN);
}

struct history {
        const char *name;
        void (*play)(struct world *w);
        const char *comes_to; /* words of invariants, in order, each with a space behind it */
        bool is_unsettled;    /* before the judge comes */
};

/* Play all of them. */
static inline void play_histories(const struct history *histories, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                struct world w;
                char words[200] = "";
                start(&w);
                histories[i].play(&w);
                bool is_settled = ledger_is_settled(w.l);
                ledger_judge(w.l);
                for (size_t k = 0; k < ledger_violations(w.l); k++) {
                        size_t n = strlen(words);
                        (void)snprintf(
                                words + n, sizeof words - n, "%s ", ledger_violation(w.l, k)->invariant);
                        assert_true(strlen(ledger_violation(w.l, k)->story) > 20);
                }
                if (strcmp(words, histories[i].comes_to) != 0 || is_settled == histories[i].is_unsettled)
                        fail_msg("%s: comes to \"%s\", settled %d", histories[i].name, words, is_settled);
                ledger_free(w.l);
        }
}

#endif
