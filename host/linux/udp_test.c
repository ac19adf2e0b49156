/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/linux/inside.h"
#include "host/linux/linux.h"

/* A plain socket plays the peer. */
struct udp {
        struct host *h;
        struct host_udp *u;
        int fd;
        struct ip_port at, from;
        struct ip ip;
        enum err err;
};

static void open_peer(struct udp *t)
{
        union address a;
        struct ip_port any = {.ip = t->ip};
        socklen_t n = address_of(&any, &a);
        t->fd = socket(a.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        assert_true(t->fd >= 0);
        assert_int_equal(bind(t->fd, &a.any, n), 0);
        n = sizeof a;
        assert_int_equal(getsockname(t->fd, &a.any, &n), 0);
        t->at = address_read(&a);
}

static void peer_send(int fd, const struct ip_port *to, struct str bytes)
{
        union address a;
        socklen_t n = address_of(to, &a);
        assert_int_equal(sendto(fd, bytes.p, bytes.n, 0, &a.any, n), bytes.n);
}

static struct str peer_receive(struct udp *t, char *bytes, size_t cap)
{
        union address a;
        socklen_t size = sizeof a;
        ssize_t n = recvfrom(t->fd, bytes, cap, 0, &a.any, &size);
        assert_true(n >= 0);
        t->from = address_read(&a);
        return str_of(bytes, (size_t)n);
}

static int64_t soon_ms(struct udp *t)
{
        return host_now_ms(t->h) + 5000;
}

static void round_trip(void *arg)
{
        struct udp *t = arg;
        char bytes[64];
        size_t n;
        open_peer(t);
        assert_int_equal(host_udp_open(t->h, &t->at, &t->u), ERR_OK);
        assert_int_equal(host_udp_send(t->h, t->u, S("question")), ERR_OK);
        assert_true(str_eq(peer_receive(t, bytes, sizeof bytes), S("question")));
        assert_true(t->from.port >= 1024 && ip_eq(&t->from.ip, &t->ip));

        /* a stranger who knows the port is not seen */
        struct udp stranger = {.ip = t->ip};
        open_peer(&stranger);
        peer_send(stranger.fd, &t->from, S("forged"));
        peer_send(t->fd, &t->from, S("answer"));
        assert_int_equal(host_udp_receive(t->h, t->u, bytes, sizeof bytes, soon_ms(t), &n), ERR_OK);
        assert_true(str_eq(str_of(bytes, n), S("answer")));
        close(stranger.fd);

        /* longer than the buffer: dropped; exactly as long: whole; empty: an empty datagram */
        peer_send(t->fd, &t->from, S("123456789"));
        peer_send(t->fd, &t->from, S("12345678"));
        peer_send(t->fd, &t->from, S(""));
        char *exact = malloc(8);
        assert_int_equal(host_udp_receive(t->h, t->u, exact, 8, soon_ms(t), &n), ERR_LIMIT);
        assert_int_equal(n, 0);
        assert_int_equal(host_udp_receive(t->h, t->u, exact, 8, soon_ms(t), &n), ERR_OK);
        assert_int_equal(n, 8);
        assert_int_equal(host_udp_receive(t->h, t->u, exact, 8, soon_ms(t), &n), ERR_OK);
        assert_int_equal(n, 0);
        assert_int_equal(host_udp_receive(t->h, t->u, exact, 8, host_now_ms(t->h) + 10, &n), ERR_TIMEOUT);
        free(exact);

        char *huge = calloc(1, 70000);
        assert_int_equal(host_udp_send(t->h, t->u, str_of(huge, 70000)), ERR_LIMIT);
        free(huge);
        close(t->fd);
        host_udp_close(t->h, t->u);
}

static void refused(void *arg)
{
        struct udp *t = arg;
        char bytes[8];
        size_t n;
        open_peer(t);
        close(t->fd); /* nobody listens there now */
        assert_int_equal(host_udp_open(t->h, &t->at, &t->u), ERR_OK);
        assert_int_equal(host_udp_send(t->h, t->u, S("question")), ERR_OK);
        assert_int_equal(host_udp_receive(t->h, t->u, bytes, sizeof bytes, soon_ms(t), &n), ERR_REFUSED);
        assert_int_equal(
                host_udp_receive(t->h, t->u, bytes, sizeof bytes, host_now_ms(t->h) + 10, &n), ERR_TIMEOUT);
        host_udp_close(t->h, t->u);
}

static void ports_differ(void *arg)
{
        enum { SOCKETS = 64 };
        struct udp *t = arg;
        struct host_udp *u[SOCKETS];
        uint16_t ports[SOCKETS];
        char bytes[8];
        size_t steps = 0, below = 0;
        open_peer(t);
        for (size_t i = 0; i < SOCKETS; i++) {
                assert_int_equal(host_udp_open(t->h, &t->at, &u[i]), ERR_OK);
                assert_int_equal(host_udp_send(t->h, u[i], S("x")), ERR_OK);
                (void)peer_receive(t, bytes, sizeof bytes);
                ports[i] = t->from.port;
                for (size_t j = 0; j < i; j++)
                        assert_int_not_equal(ports[j], ports[i]);
                steps += i > 0 && ports[i] == ports[i - 1] + 1;
                below += ports[i] < 32768; /* the kernel's own choice begins there */
        }
        assert_true(steps < 4 && below > SOCKETS / 8);
        for (size_t i = 0; i < SOCKETS; i++)
                host_udp_close(t->h, u[i]);
        close(t->fd);
}

static void receive_for_ever(void *arg)
{
        struct udp *t = arg;
        char c;
        size_t n;
        t->err = host_udp_receive(t->h, t->u, &c, 1, FIBER_NEVER, &n);
}

static void close_under_receive(void *arg)
{
        struct udp *t = arg;
        struct scope scope;
        open_peer(t);
        assert_int_equal(host_udp_open(t->h, &t->at, &t->u), ERR_OK);
        scope_open(&scope, t->h->sched, FIBER_NEVER);
        assert_int_equal(scope_spawn(&scope, "receive", receive_for_ever, t), ERR_OK);
        fiber_yield(t->h->sched);
        host_udp_close(t->h, t->u);
        assert_int_equal(scope_join(&scope), ERR_OK);
        assert_int_equal(t->err, ERR_CLOSED);
        close(t->fd);
}

static void play(void (*body)(void *arg))
{
        static const struct ip ips[] = {{.family = 4, .b = {127, 0, 0, 1}}, {.family = 6, .b = {[15] = 1}}};
        for (size_t i = 0; i < 2; i++) {
                struct udp t = {.h = linux_host_new(NULL), .ip = ips[i]};
                linux_host_run(t.h, body, &t);
                linux_host_free(t.h);
        }
}

static void test_round_trip(void **state)
{
        (void)state;
        play(round_trip);
}

static void test_refused(void **state)
{
        (void)state;
        play(refused);
}

static void test_ports_differ(void **state)
{
        (void)state;
        play(ports_differ);
}

static void test_close_under_receive(void **state)
{
        (void)state;
        play(close_under_receive);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_round_trip),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_ports_differ),
                cmocka_unit_test(test_close_under_receive),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
