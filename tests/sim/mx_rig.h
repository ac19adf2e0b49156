/* SPDX-License-Identifier: ISC */
/* For tests of mail hosts: one of them, and a client that speaks by hand. */
#ifndef TESTS_SIM_MX_RIG_H
#define TESTS_SIM_MX_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "host/sim/sim.h"
#include "tests/sim/mx.h"
#include "tests/sim/signed_rig.h"
#include "tests/sim/talk.h"

#define MINUTE_MS (60 * 1000LL)

struct world {
        struct sim *sim;
        struct signed_rig rig;
        struct mx *mx;
        struct host *host; /* of the client */
        struct sim_node *mx_node, *client_node;
        struct ip_port at;
        char trace[4000]; /* the last lines of the mail host */
        void (*play)(struct world *w);
        struct mx_temper temper;
};

static inline int64_t now_ms(void *ctx)
{
        return sim_now(((struct world *)ctx)->sim);
}

static inline void trace(void *ctx, const char *node, struct str line)
{
        struct world *w = ctx;
        size_t n = strlen(w->trace);
        if (str_eq(str_of_c(node), S("mx1")) && n + line.n + 3 < sizeof w->trace)
                (void)snprintf(w->trace + n, sizeof w->trace - n, "%.*s\n", STR_ARG(line));
}

static inline void is_traced(struct world *w, const char *line)
{
        if (!strstr(w->trace, line))
                fail_msg("\"%s\" is not in the trace:\n%s", line, w->trace);
}

static inline void nothing_is_wrong(struct world *w)
{
        if (ledger_violations(w->rig.ledger) > 0)
                fail_msg("%s: %s", ledger_violation(w->rig.ledger, 0)->invariant,
                        ledger_violation(w->rig.ledger, 0)->story);
}

static inline void is_blamed(struct world *w, const char *invariant, const char *part)
{
        for (size_t i = 0; ledger_violation(w->rig.ledger, i); i++)
                if (strcmp(ledger_violation(w->rig.ledger, i)->invariant, invariant) == 0 &&
                        strstr(ledger_violation(w->rig.ledger, i)->story, part))
                        return;
        fail_msg("%s with \"%s\" is not told", invariant, part);
}

static inline void pass_ms(struct world *w, int64_t ms)
{
        assert_int_equal(fiber_sleep(w->host->sched, ms), ERR_OK);
}

static inline unsigned hello(struct world *w, struct talk *t)
{
        unsigned code = talk_open(t, w->host, &w->at, NULL);
        return code == 220 ? talk_hello(t, "client.test") : code;
}

/* One delivery of a fresh letter to `to`, a command at a time: the first answer that stops it, or the last; 0: the
 * connection went away. */
static inline unsigned deliver(struct world *w, struct talk *t, const char *to)
{
        uint32_t try = rig_try(&w->rig, LETTER_PLAIN, 3000, S("l@list.test"));
        struct buffer b = rig_make(&w->rig, try, &(struct rig_copy){0});
        unsigned code = talk_ask(t, "MAIL FROM:<%s>", RIG_PATH);
        if (code == 250)
                code = talk_ask(t, "RCPT TO:<%s>", to);
        if (code == 250)
                code = talk_ask(t, "DATA");
        if (code == 354) {
                (void)talk_message(t, buffer_text(&b));
                code = talk_reply(t);
        }
        buffer_free(&b);
        return code;
}

/* On a connection of its own. */
static inline unsigned deliver_alone(struct world *w, const char *to)
{
        struct talk t;
        unsigned code = hello(w, &t);
        if (code == 250)
                code = deliver(w, &t, to);
        talk_quit(&t);
        return code;
}

static inline int client(struct host *h, void *arg)
{
        struct world *w = arg;
        w->host = h;
        pass_ms(w, 10);
        w->play(w);
        return 0;
}

static inline void start(struct sim *sim, void *arg)
{
        struct world *w = arg;
        struct ip here = ip_v4(10, 0, 0, 1), there = ip_v4(10, 0, 0, 2);
        int status;
        w->sim = sim;
        w->at = (struct ip_port){here, 25};
        w->mx_node = sim_node_add(sim, "mx1", &here, 1, NULL);
        w->client_node = sim_node_add(sim, "client", &there, 1, NULL);
        struct mx_config config = {.name = "mx1",
                .at = w->at,
                .server = {there, 25},
                .domains = S("a.test,b.test"),
                .ledger = w->rig.ledger,
                .verify = w->rig.verify,
                .seed = 5,
                .retry_ms = 5 * MINUTE_MS,
                .temper = w->temper};
        w->mx = mx_new(&config);
        assert_memory_equal(mx_temper_get(w->mx), &w->temper, sizeof w->temper);
        sim_node_start(w->mx_node, mx_run, w->mx);
        sim_node_start(w->client_node, client, w);
        assert_int_equal(sim_node_join(w->client_node, FIBER_NEVER, &status), ERR_OK);
        assert_int_equal(status, 0);
        sim_node_stop(w->mx_node);
        assert_int_equal(sim_node_join(w->mx_node, FIBER_NEVER, &status), ERR_OK);
        assert_int_equal(status, 0);
        mx_free(w->mx);
}

struct scene {
        const char *name;
        void (*play)(struct world *w);
        const char *temper; /* traits as words */
};

static inline void parse(const char *words, struct mx_temper *out)
{
        struct str rest = str_of_c(words), word, trait, value;
        *out = (struct mx_temper){0};
        while (rest.n > 0) {
                (void)str_cut(rest, ' ', &word, &rest);
                assert_true(str_cut(word, '=', &trait, &value));
                assert_int_equal(mx_temper_put(out, trait, value), ERR_OK);
        }
}

/* Play all of them, each in a world of its own. */
static inline void play_scenes(const struct scene *scenes, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                struct world *w = calloc(1, sizeof *w);
                assert_non_null(w);
                print_message("%s\n", scenes[i].name);
                w->play = scenes[i].play;
                parse(scenes[i].temper, &w->temper);
                const struct ledger_config config = {.seed = i, .now_ms = now_ms, .trace = trace, .ctx = w};
                w->sim = sim_new(i, NULL);
                rig_init(&w->rig, KEY_ED25519, &config);
                sim_run(w->sim, start, w);
                if (sim_failure(w->sim))
                        fail_msg("%s", sim_failure(w->sim));
                rig_free(&w->rig);
                sim_free(w->sim);
                free(w);
        }
}

#endif
