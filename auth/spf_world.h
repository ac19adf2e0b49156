/* SPDX-License-Identifier: ISC */
/* For tests of the SPF evaluation: one client, and a DNS of a few records. */
#ifndef AUTH_SPF_WORLD_H
#define AUTH_SPF_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "auth/fake_dns.h"
#include "auth/spf_check.h"

#define CLIENT "192.0.2.7"
#define REVERSE "7.2.0.192.in-addr.arpa"

struct world {
        struct fake_dns dns;
        struct arena arena;
        struct dns_known known;
        struct spf_verdict verdict;
        size_t rounds;
        char memory[FAKE_DNS_ARENA];
};

static struct world world; /* large */

/* Lines of auth/fake_dns.h. */
static inline void load(struct fake_dns *d, const char *records)
{
        struct str rest = str_of_c(records), line;
        d->count = 0;
        while (rest.n > 0) {
                str_cut(rest, '\n', &line, &rest);
                fake_dns_add(d, line);
        }
}

static inline struct spf_input client(const char *sender)
{
        struct spf_input in = {.sender = str_of_c(sender), .helo = S("mail.example.net"), .explain = true};
        assert_int_equal(ip_parse(S(CLIENT), &in.ip), ERR_OK);
        in.now_s = 1700000000;
        return in;
}

static inline void evaluate(struct world *w, const struct spf_input *in, size_t most, bool one_by_one)
{
        arena_init(&w->arena, w->memory, sizeof w->memory);
        dns_known_init(&w->known, &w->arena, most);
        for (w->rounds = 0; spf_check(in, &w->known, &w->verdict) == ERR_AGAIN; w->rounds++)
                assert_true(fake_dns_round(&w->dns, &w->known, one_by_one) > 0);
}

/* Whatever the order in which answers come. */
static inline void expect(const char *name, const struct spf_input *in, enum spf_result result,
        enum spf_fault fault, const char *term)
{
        for (int one_by_one = 1; one_by_one >= 0; one_by_one--) {
                const struct spf_verdict *v = &world.verdict;
                evaluate(&world, in, SPF_QUESTIONS_MAX, one_by_one);
                if (v->result != result || v->fault != fault || !str_eq(v->term, str_of_c(term)))
                        fail_msg("%s: %.*s, fault %d, %.*s", name, STR_ARG(spf_result_text(v->result)),
                                (int)v->fault, STR_ARG(v->term));
        }
}

#endif
