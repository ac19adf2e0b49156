/* SPDX-License-Identifier: ISC */
#include "host/sim/stage.h"

static const struct ip_port port_53 = {.ip = {.family = 4, .b = {10, 0, 0, 2}}, .port = 53};
static const struct ip_port any_53 = {.ip.family = 4, .port = 53};

static enum err open_try(struct host *h, struct ip_port at)
{
        struct sim_udp *u;
        enum err err = sim_udp_open(h, &at, &u);
        assert_int_equal(u != NULL, err == ERR_OK);
        sim_udp_close(u);
        return err;
}

static void open_outcomes(struct stage *s)
{
        struct ip_port other = port_53, zero = port_53, v6 = {.ip = {.family = 6, .b = {1}}, .port = 53};
        struct sim_udp *u;
        struct host_udp *v;
        other.ip.b[3] = 3;
        zero.port = 0;
        assert_int_equal(sim_udp_open(s->bh, &port_53, &u), ERR_OK);
        assert_int_equal(open_try(s->bh, port_53), ERR_BUSY);
        assert_int_equal(open_try(s->bh, any_53), ERR_BUSY);
        assert_int_equal(open_try(s->bh, other), ERR_OK);
        assert_int_equal(open_try(s->bh, zero), ERR_BUSY);
        assert_int_equal(open_try(s->ah, port_53), ERR_UNREACHABLE);
        assert_int_equal(host_udp_open(s->bh, &v6, &v), ERR_UNREACHABLE);
        sim_node_set_open_max(s->b, 1);
        assert_int_equal(open_try(s->bh, other), ERR_LIMIT);
        assert_int_equal(host_udp_open(s->bh, &other, &v), ERR_LIMIT);
        sim_udp_close(u);
        host_udp_close(s->bh, NULL);
}

/* A question and its answer, at one address or at all, each with the ports that it must have. */
static void ask(struct stage *s)
{
        const struct {
                struct ip_port at, to;
        } cases[] = {
                {port_53, port_53},
                {any_53, port_53},
                {any_53, {.ip = {.family = 4, .b = {10, 0, 0, 3}}, .port = 53}},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct sim_udp *server;
                struct host_udp *client;
                struct sim_udp_peer peer;
                char bytes[16];
                size_t n;
                assert_int_equal(sim_udp_open(s->bh, &cases[i].at, &server), ERR_OK);
                assert_int_equal(host_udp_open(s->ah, &cases[i].to, &client), ERR_OK);
                assert_int_equal(host_udp_send(s->ah, client, S("who?")), ERR_OK);
                assert_int_equal(
                        sim_udp_receive(server, bytes, sizeof bytes, stage_in(s, LATENCY_MS - 1), &n, &peer),
                        ERR_TIMEOUT);
                assert_int_equal(
                        sim_udp_receive(server, bytes, sizeof bytes, stage_in(s, 1), &n, &peer), ERR_OK);
                assert_true(str_eq(str_of(bytes, n), S("who?")));
                assert_true(peer.from.ip.b[3] == 1 && peer.from.port >= 1024);
                assert_true(ip_eq(&peer.to.ip, &cases[i].to.ip) && peer.to.port == 53);
                assert_int_equal(sim_udp_send(server, &peer, S("me")), ERR_OK);
                assert_int_equal(
                        host_udp_receive(s->ah, client, bytes, 16, stage_in(s, LATENCY_MS), &n), ERR_OK);
                assert_true(str_eq(str_of(bytes, n), S("me")));
                assert_int_equal(
                        host_udp_receive(s->ah, client, bytes, 16, stage_in(s, 1000), &n), ERR_TIMEOUT);
                host_udp_close(s->ah, client);
                sim_udp_close(server);
        }
}

/* Nobody there: told, at the next call of either kind. A machine without power says nothing. */
static void nobody(struct stage *s)
{
        struct host_udp *u;
        char bytes[16];
        size_t n;
        assert_int_equal(host_udp_open(s->ah, &port_53, &u), ERR_OK);
        assert_int_equal(host_udp_send(s->ah, u, S("a")), ERR_OK);
        assert_int_equal(host_udp_receive(s->ah, u, bytes, 16, stage_in(s, 2 * LATENCY_MS), &n), ERR_REFUSED);
        assert_int_equal(host_udp_receive(s->ah, u, bytes, 16, stage_in(s, 100), &n), ERR_TIMEOUT);
        assert_int_equal(host_udp_send(s->ah, u, S("b")), ERR_OK);
        stage_sleep(s, 2 * LATENCY_MS);
        assert_int_equal(host_udp_send(s->ah, u, S("c")), ERR_REFUSED);
        assert_int_equal(host_udp_send(s->ah, u, S("d")), ERR_OK);
        stage_sleep(s, 1);
        sim_node_kill(s->b, SIM_KILL_POWER);
        assert_int_equal(host_udp_receive(s->ah, u, bytes, 16, stage_in(s, 5000), &n), ERR_TIMEOUT);
        host_udp_close(s->ah, u);
        const struct ip_port nowhere = {.ip = ip_v4(10, 9, 9, 9), .port = 53};
        assert_int_equal(host_udp_open(s->ah, &nowhere, &u), ERR_OK);
        assert_int_equal(host_udp_send(s->ah, u, S("e")), ERR_OK);
        assert_int_equal(host_udp_receive(s->ah, u, bytes, 16, stage_in(s, 5000), &n), ERR_TIMEOUT);
        host_udp_close(s->ah, u);
}

/* Datagrams have bounds; those from others are not seen; many that nobody reads are lost. */
static void bounds(struct stage *s)
{
        static char large[65508];
        struct sim_udp *server, *stranger;
        struct host_udp *client;
        struct sim_udp_peer peer;
        char bytes[16];
        size_t n;
        const struct ip_port other = {.ip = ip_v4(10, 0, 0, 3), .port = 53};
        assert_int_equal(sim_udp_open(s->bh, &port_53, &server), ERR_OK);
        assert_int_equal(sim_udp_open(s->bh, &other, &stranger), ERR_OK);
        assert_int_equal(host_udp_open(s->ah, &port_53, &client), ERR_OK);
        assert_int_equal(host_udp_send(s->ah, client, str_of(large, 65508)), ERR_LIMIT);
        assert_int_equal(host_udp_send(s->ah, client, str_of(large, 65507)), ERR_OK);
        assert_int_equal(host_udp_send(s->ah, client, S("")), ERR_OK);
        assert_int_equal(sim_udp_receive(server, bytes, 16, FIBER_NEVER, &n, &peer), ERR_LIMIT);
        assert_int_equal(n, 0);
        assert_int_equal(sim_udp_receive(server, bytes, 16, FIBER_NEVER, &n, &peer), ERR_OK);
        assert_int_equal(n, 0);
        peer.to = other;
        assert_int_equal(sim_udp_send(stranger, &peer, S("a lie")), ERR_OK);
        assert_int_equal(host_udp_receive(s->ah, client, bytes, 16, stage_in(s, 1000), &n), ERR_TIMEOUT);
        for (unsigned i = 0; i < 1000; i++)
                assert_int_equal(host_udp_send(s->ah, client, S("x")), ERR_OK);
        stage_sleep(s, 1000);
        unsigned got = 0;
        while (sim_udp_receive(server, bytes, 16, stage_in(s, 0), &n, &peer) == ERR_OK)
                got++;
        assert_int_equal(got, 256);
        host_udp_close(s->ah, client);
        sim_udp_close(stranger);
        sim_udp_close(server);
}

struct waiting {
        struct stage *stage;
        struct host_udp *u;
        enum err err;
};

static void receive_one(void *arg)
{
        struct waiting *w = arg;
        char c;
        size_t n;
        w->err = host_udp_receive(w->stage->ah, w->u, &c, 1, FIBER_NEVER, &n);
}

static void close_under_reader(struct stage *s)
{
        struct waiting w = {.stage = s};
        struct scope scope;
        assert_int_equal(host_udp_open(s->ah, &port_53, &w.u), ERR_OK);
        scope_open(&scope, sim_sched(s->sim), FIBER_NEVER);
        assert_int_equal(scope_spawn(&scope, "receive", receive_one, &w), ERR_OK);
        stage_sleep(s, 100);
        host_udp_close(s->ah, w.u);
        assert_int_equal(scope_join(&scope), ERR_OK);
        assert_int_equal(w.err, ERR_CLOSED);
}

static void test_calls(void **state)
{
        (void)state;
        stage_check(1, open_outcomes);
        stage_check(1, ask);
        stage_check(1, nobody);
        stage_check(1, bounds);
        stage_check(1, close_under_reader);
}

/* Loss, copies and lateness, about as often as asked for; a link that is down loses all. */

enum { SENT = 2000 };

struct tally {
        unsigned got, twice, overtaken;
};

static struct tally send_many(struct stage *s, const struct sim_link *link)
{
        static bool seen[SENT];
        struct tally tally = {0};
        struct sim_udp *server;
        struct host_udp *client;
        struct sim_udp_peer peer;
        uint16_t i, last = 0;
        size_t n;
        memset(seen, 0, sizeof seen);
        sim_link_set(s->sim, s->a, s->b, link);
        assert_int_equal(sim_udp_open(s->bh, &port_53, &server), ERR_OK);
        assert_int_equal(host_udp_open(s->ah, &port_53, &client), ERR_OK);
        for (uint16_t k = 0; k < SENT; k++) {
                assert_int_equal(host_udp_send(s->ah, client, str_of(&k, sizeof k)), ERR_OK);
                while (sim_udp_receive(server, &i, sizeof i, stage_in(s, k < SENT - 1 ? 1 : 5000), &n,
                               &peer) == ERR_OK) {
                        assert_true(i < SENT);
                        tally.twice += seen[i];
                        tally.got += !seen[i];
                        tally.overtaken += i < last;
                        seen[i] = true;
                        last = i;
                }
        }
        host_udp_close(s->ah, client);
        sim_udp_close(server);
        return tally;
}

static void faults(struct stage *s)
{
        struct sim_link good = sim_link_get(s->sim, s->a, s->b), link = good;
        struct tally t = send_many(s, &link);
        assert_true(t.got == SENT && t.twice == 0 && t.overtaken == 0);
        link.udp_loss_ppm = SIM_PPM / 5;
        t = send_many(s, &link);
        assert_in_range(t.got, SENT * 75 / 100, SENT * 85 / 100);
        link = good;
        link.udp_copy_ppm = SIM_PPM / 5;
        t = send_many(s, &link);
        assert_int_equal(t.got, SENT);
        assert_in_range(t.twice, SENT * 15 / 100, SENT * 25 / 100);
        link = good;
        link.udp_late_ppm = SIM_PPM / 5;
        link.udp_late_ms = 100;
        t = send_many(s, &link);
        assert_int_equal(t.got, SENT);
        assert_in_range(t.overtaken, SENT * 10 / 100, SENT * 25 / 100);
        sim_link_down(s->sim, s->a, s->b, FIBER_NEVER);
        t = send_many(s, &good);
        assert_int_equal(t.got, 0);
}

static void test_faults(void **state)
{
        (void)state;
        stage_check(1, faults);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_calls),
                cmocka_unit_test(test_faults),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
