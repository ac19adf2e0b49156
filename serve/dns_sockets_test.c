/* SPDX-License-Identifier: ISC */
/* How long a socket of the resolver serves, by the ports that a server sees. */
#include "serve/resolver_world.h"

#include <stdio.h>

#define SEEN_MAX (4 * DNS_SOCKET_USES)

/* The ports that questions came from, in turn. */
struct seen {
        size_t count;
        uint16_t ports[SEEN_MAX];
};

static void note(struct fake_dns *s, const struct fake_query *q)
{
        struct seen *seen = s->arg;
        assert_true(seen->count < SEEN_MAX);
        seen->ports[seen->count++] = ntohs(q->from.sin_port);
        answer_by_name(s, q);
}

static void run_seen(void (*body)(struct world *w))
{
        static struct world w;
        struct seen seen = {0};
        w = (struct world){.config.server_count = 1};
        w.server[0].answer = note;
        w.server[0].arg = &seen;
        run(&w, body);
}

static const struct seen *ask(struct world *w, const char *first_label)
{
        char name[32];
        const struct seen *seen = w->server[0].arg;
        (void)snprintf(name, sizeof name, "%s.n%zu", first_label, seen->count);
        (void)!look_up(w, name);
        return seen;
}

static void so_many_uses(struct world *w)
{
        const struct seen *seen = w->server[0].arg;
        while (seen->count < 3 * DNS_SOCKET_USES)
                ask(w, "ok");
        for (size_t i = 1; i < seen->count; i++)
                if ((seen->ports[i] == seen->ports[i - 1]) != (i % DNS_SOCKET_USES != 0))
                        fail_msg("question %zu came from port %u, the one before from %u", i, seen->ports[i],
                                seen->ports[i - 1]);
}

static void test_so_many_uses(void **state)
{
        (void)state;
        run_seen(so_many_uses);
}

/* Questions on their way at one time have a port each. */
static void one_at_a_time(struct world *w)
{
        static const char *const names[] = {"ok.a", "ok.b", "ok.c", "ok.d", "ok.e"};
        const struct seen *seen = w->server[0].arg;
        struct dns_known known;
        arena_init(&w->arena, w->memory, sizeof w->memory);
        dns_known_init(&known, &w->arena, 8);
        for (size_t i = 0; i < 5; i++) {
                struct dns_name name = name_of(names[i]);
                assert_int_equal(dns_known_get(&known, &name, DNS_TYPE_A, NULL), DNS_KNOWN_WANTED);
        }
        assert_int_equal(resolver_answer(w->r, &known, host_now_ms(w->h) + 5000), ERR_OK);
        assert_int_equal(seen->count, 5);
        for (size_t i = 0; i < 5; i++)
                for (size_t k = 0; k < i; k++)
                        assert_int_not_equal(seen->ports[i], seen->ports[k]);
}

static void test_one_at_a_time(void **state)
{
        (void)state;
        run_seen(one_at_a_time);
}

/* What may be the work of a forger, and a question that may yet be answered, end a socket's life. */
static void given_up(struct world *w)
{
        static const char *const reasons[] = {"twins", "silent", "oversized"};
        for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
                const struct seen *seen = ask(w, reasons[i]);
                uint16_t port = seen->ports[seen->count - 1];
                ask(w, "ok");
                if (seen->ports[seen->count - 1] == port)
                        fail_msg("%s: the port is used again", reasons[i]);
        }
}

static void test_given_up(void **state)
{
        (void)state;
        run_seen(given_up);
}

static void idle(struct world *w)
{
        const struct seen *seen = ask(w, "ok");
        ask(w, "ok");
        assert_int_equal(seen->ports[1], seen->ports[0]);
        assert_int_equal(fiber_sleep(w->h->sched, DNS_SOCKET_IDLE_MS + 10), ERR_OK);
        ask(w, "ok");
        assert_int_not_equal(seen->ports[2], seen->ports[1]);
}

static void test_idle(void **state)
{
        (void)state;
        run_seen(idle);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_so_many_uses),
                cmocka_unit_test(test_one_at_a_time),
                cmocka_unit_test(test_given_up),
                cmocka_unit_test(test_idle),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
