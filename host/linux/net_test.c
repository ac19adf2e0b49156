/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/linux/inside.h"
#include "host/linux/linux.h"

/* One test: a host, a listener on loopback, and what its fibers note. */
struct net {
        struct host *h;
        struct host_listener *listener;
        struct host_tcp *client, *server;
        struct ip_port at;
        struct scope scope;
        enum err err;
        size_t n, done;
        void (*body)(struct net *t);
};

static const struct ip_port v4_any_port = {.ip = {.family = 4, .b = {127, 0, 0, 1}}};
static const struct ip_port v6_any_port = {.ip = {.family = 6, .b = {[15] = 1}}};

static int64_t in_ms(struct net *t, int64_t ms)
{
        return host_now_ms(t->h) + ms;
}

static struct ip_port local_of(const struct poll *p)
{
        union address a;
        socklen_t n = sizeof a;
        assert_int_equal(getsockname(p->fd, &a.any, &n), 0);
        return address_read(&a);
}

static void listen_at(struct net *t, const struct ip_port *at)
{
        assert_int_equal(host_listen(t->h, at, &t->listener), ERR_OK);
        t->at = local_of((const struct poll *)t->listener);
        assert_true(t->at.port != 0 && ip_eq(&t->at.ip, &at->ip));
}

static void accept_one(void *arg)
{
        struct net *t = arg;
        struct ip_port peer;
        t->err = host_accept(t->h, t->listener, in_ms(t, 5000), &t->server, &peer);
        assert_true(t->err != ERR_OK || ip_is_loopback(&peer.ip));
}

/* A connected pair. */
static void connect_pair(struct net *t, const struct ip_port *at)
{
        struct scope scope;
        listen_at(t, at);
        scope_open(&scope, t->h->sched, FIBER_NEVER);
        assert_int_equal(scope_spawn(&scope, "accept", accept_one, t), ERR_OK);
        assert_int_equal(host_connect(t->h, &t->at, in_ms(t, 5000), &t->client), ERR_OK);
        assert_int_equal(scope_join(&scope), ERR_OK);
        assert_int_equal(t->err, ERR_OK);
}

static void close_pair(struct net *t)
{
        host_tcp_close(t->h, t->client);
        host_tcp_close(t->h, t->server);
        host_listener_close(t->h, t->listener);
}

static void run_body(void *arg)
{
        struct net *t = arg;
        t->body(t);
}

static void play(void (*body)(struct net *t))
{
        struct net t = {.h = linux_host_new(NULL), .body = body};
        assert_non_null(t.h);
        linux_host_run(t.h, run_body, &t);
        linux_host_free(t.h);
}

/* An echo server with CLIENTS connections at once. */
enum { CLIENTS = 200, ECHO_BYTES = 50 * 1024 };

struct echo {
        struct net *net;
        struct host_tcp *tcp;
};

static struct echo echoes[CLIENTS];

static void echo_back(void *arg)
{
        struct echo *e = arg;
        struct host *h = e->net->h;
        char bytes[8192];
        size_t n;
        enum err err;
        while ((err = host_tcp_read(h, e->tcp, bytes, sizeof bytes, in_ms(e->net, 20000), &n)) == ERR_OK)
                assert_int_equal(host_tcp_write(h, e->tcp, str_of(bytes, n), in_ms(e->net, 20000)), ERR_OK);
        assert_int_equal(err, ERR_EOF);
        host_tcp_close(h, e->tcp);
}

static void echo_serve(void *arg)
{
        struct net *t = arg;
        struct scope sessions;
        scope_open(&sessions, t->h->sched, FIBER_NEVER);
        for (size_t i = 0; i < CLIENTS; i++) {
                struct ip_port peer;
                echoes[i].net = t;
                assert_int_equal(
                        host_accept(t->h, t->listener, in_ms(t, 20000), &echoes[i].tcp, &peer), ERR_OK);
                assert_int_equal(scope_spawn(&sessions, "session", echo_back, &echoes[i]), ERR_OK);
        }
        assert_int_equal(scope_join(&sessions), ERR_OK);
}

struct half {
        struct net *net;
        struct host_tcp *tcp;
        uint8_t seed;
};

static void send_all(void *arg)
{
        struct half *half = arg;
        char bytes[ECHO_BYTES / 10];
        for (size_t part = 0; part < 10; part++) {
                for (size_t i = 0; i < sizeof bytes; i++)
                        bytes[i] = (char)(uint8_t)((part * sizeof bytes + i) * 31 + half->seed);
                assert_int_equal(
                        host_tcp_write(half->net->h, half->tcp, str_of(bytes, sizeof bytes), FIBER_NEVER),
                        ERR_OK);
        }
}

static void echo_client(void *arg)
{
        struct net *t = arg;
        struct half half = {.net = t, .seed = (uint8_t)t->n++};
        char bytes[4096];
        struct scope scope;
        assert_int_equal(host_connect(t->h, &t->at, in_ms(t, 20000), &half.tcp), ERR_OK);
        scope_open(&scope, t->h->sched, FIBER_NEVER);
        assert_int_equal(scope_spawn(&scope, "send", send_all, &half), ERR_OK);
        size_t got = 0, n;
        while (got < ECHO_BYTES) {
                assert_int_equal(
                        host_tcp_read(t->h, half.tcp, bytes, sizeof bytes, in_ms(t, 20000), &n), ERR_OK);
                size_t wrong = 0;
                for (size_t i = 0; i < n; i++)
                        wrong += (uint8_t)bytes[i] != (uint8_t)((got + i) * 31 + half.seed);
                assert_int_equal(wrong, 0);
                got += n;
        }
        assert_int_equal(got, ECHO_BYTES);
        assert_int_equal(scope_join(&scope), ERR_OK);
        host_tcp_close(t->h, half.tcp);
        t->done++;
}

static void echo(struct net *t)
{
        struct scope scope;
        listen_at(t, &v4_any_port);
        scope_open(&scope, t->h->sched, FIBER_NEVER);
        assert_int_equal(scope_spawn(&scope, "serve", echo_serve, t), ERR_OK);
        for (size_t i = 0; i < CLIENTS; i++)
                assert_int_equal(scope_spawn(&scope, "client", echo_client, t), ERR_OK);
        assert_int_equal(scope_join(&scope), ERR_OK);
        assert_int_equal(t->done, CLIENTS);
        host_listener_close(t->h, t->listener);
        assert_in_range(sched_stack_high(t->h->sched), 1024, 64 * 1024);
}

static void test_echo(void **state)
{
        (void)state;
        play(echo);
}

static void deadlines(struct net *t)
{
        char c;
        size_t n = 7;
        struct ip_port peer;
        struct host_tcp *none;
        connect_pair(t, &v6_any_port);
        int64_t before_ms = host_now_ms(t->h);
        assert_int_equal(host_tcp_read(t->h, t->client, &c, 1, in_ms(t, 30), &n), ERR_TIMEOUT);
        assert_int_equal(n, 0);
        assert_true(host_now_ms(t->h) - before_ms >= 30);
        assert_int_equal(host_accept(t->h, t->listener, in_ms(t, 10), &none, &peer), ERR_TIMEOUT);
        assert_null(none);
        /* a peer that reads nothing */
        static char much[1024 * 1024];
        enum err err = ERR_OK;
        for (unsigned i = 0; i < 64 && err == ERR_OK; i++)
                err = host_tcp_write(t->h, t->client, str_of(much, sizeof much), in_ms(t, 30));
        assert_int_equal(err, ERR_TIMEOUT);
        close_pair(t);
}

static void test_deadlines(void **state)
{
        (void)state;
        play(deadlines);
}

static void orderly_end(struct net *t)
{
        char bytes[16];
        size_t n;
        connect_pair(t, &v4_any_port);
        struct ip_port local;
        assert_int_equal(host_tcp_local(t->h, t->server, &local), ERR_OK);
        assert_int_equal(local.port, t->at.port);
        /* last words reach a peer whose own words were never read */
        assert_int_equal(host_tcp_write(t->h, t->client, S("unread"), FIBER_NEVER), ERR_OK);
        assert_int_equal(fiber_sleep(t->h->sched, 5), ERR_OK);
        assert_int_equal(host_tcp_write(t->h, t->server, S("bye"), FIBER_NEVER), ERR_OK);
        host_tcp_close(t->h, t->server);
        t->server = NULL;
        assert_int_equal(host_tcp_read(t->h, t->client, bytes, sizeof bytes, in_ms(t, 5000), &n), ERR_OK);
        assert_true(str_eq(str_of(bytes, n), S("bye")));
        assert_int_equal(host_tcp_read(t->h, t->client, bytes, sizeof bytes, in_ms(t, 5000), &n), ERR_EOF);
        close_pair(t);
}

static void test_orderly_end(void **state)
{
        (void)state;
        play(orderly_end);
}

static void reset(struct net *t)
{
        char c;
        size_t n;
        struct linger hard = {.l_onoff = 1, .l_linger = 0};
        connect_pair(t, &v4_any_port);
        int fd = ((struct poll *)t->server)->fd;
        assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard), 0);
        struct sockaddr none = {.sa_family = AF_UNSPEC};
        assert_int_equal(connect(fd, &none, sizeof none), 0); /* resets */
        assert_int_equal(host_tcp_read(t->h, t->client, &c, 1, in_ms(t, 5000), &n), ERR_CLOSED);
        assert_int_equal(host_tcp_write(t->h, t->client, S("x"), in_ms(t, 5000)), ERR_CLOSED);
        close_pair(t);
}

static void test_reset(void **state)
{
        (void)state;
        play(reset);
}

static void read_client(void *arg)
{
        struct net *t = arg;
        char c;
        size_t n;
        t->err = host_tcp_read(t->h, t->client, &c, 1, FIBER_NEVER, &n);
        t->done++;
}

static void write_server(void *arg)
{
        struct net *t = arg;
        static char much[1024 * 1024];
        enum err err = ERR_OK;
        while (err == ERR_OK)
                err = host_tcp_write(t->h, t->server, str_of(much, sizeof much), FIBER_NEVER);
        assert_int_equal(err, ERR_CLOSED);
        t->done++;
}

static void accept_for_ever(void *arg)
{
        struct net *t = arg;
        struct ip_port peer;
        struct host_tcp *none;
        assert_int_equal(host_accept(t->h, t->listener, FIBER_NEVER, &none, &peer), ERR_CLOSED);
        t->done++;
}

static void close_under_waiters(struct net *t)
{
        struct scope scope;
        connect_pair(t, &v4_any_port);
        scope_open(&scope, t->h->sched, FIBER_NEVER);
        assert_int_equal(scope_spawn(&scope, "read", read_client, t), ERR_OK);
        assert_int_equal(scope_spawn(&scope, "accept", accept_for_ever, t), ERR_OK);
        assert_int_equal(fiber_sleep(t->h->sched, 5), ERR_OK);
        host_tcp_close(t->h, t->client);
        host_listener_close(t->h, t->listener);
        assert_int_equal(scope_join(&scope), ERR_OK);
        assert_int_equal(t->err, ERR_CLOSED);
        host_tcp_close(t->h, t->server);

        connect_pair(t, &v4_any_port);
        scope_open(&scope, t->h->sched, FIBER_NEVER);
        assert_int_equal(scope_spawn(&scope, "write", write_server, t), ERR_OK);
        assert_int_equal(fiber_sleep(t->h->sched, 30), ERR_OK);
        host_tcp_close(t->h, t->server);
        t->server = NULL;
        assert_int_equal(scope_join(&scope), ERR_OK);
        assert_int_equal(t->done, 3);
        close_pair(t);
}

static void test_close_under_waiters(void **state)
{
        (void)state;
        play(close_under_waiters);
}

static void cancelled(struct net *t)
{
        struct scope scope;
        char c;
        size_t n;
        connect_pair(t, &v4_any_port);
        scope_open(&scope, t->h->sched, FIBER_NEVER);
        assert_int_equal(scope_spawn(&scope, "read", read_client, t), ERR_OK);
        assert_int_equal(fiber_sleep(t->h->sched, 2), ERR_OK);
        scope_cancel(&scope);
        assert_int_equal(scope_join(&scope), ERR_OK);
        assert_int_equal(t->err, ERR_CANCELLED);
        /* the connection is whole; the deadline of a scope bounds the next read, even with bytes there to read */
        assert_int_equal(host_tcp_write(t->h, t->server, S("ab"), FIBER_NEVER), ERR_OK);
        scope_open(&scope, t->h->sched, host_now_ms(t->h) - 1);
        assert_int_equal(scope_spawn(&scope, "read", read_client, t), ERR_OK);
        assert_int_equal(scope_join(&scope), ERR_OK);
        assert_int_equal(t->err, ERR_TIMEOUT);
        assert_int_equal(host_tcp_read(t->h, t->client, &c, 1, in_ms(t, 5000), &n), ERR_OK);
        assert_int_equal(c, 'a');
        close_pair(t);
}

static void test_cancelled(void **state)
{
        (void)state;
        play(cancelled);
}

static void no_way(struct net *t)
{
        struct host_tcp *tcp;
        struct host_listener *second;
        listen_at(t, &v4_any_port);
        assert_int_equal(host_listen(t->h, &t->at, &second), ERR_BUSY);
        assert_null(second);
        /* IPV6_V6ONLY: the IPv6 wildcard leaves IPv4 alone */
        struct ip_port any6 = {.ip.family = 6, .port = t->at.port};
        assert_int_equal(host_listen(t->h, &any6, &second), ERR_OK);
        host_listener_close(t->h, second);
        struct ip_port elsewhere = {.ip = {.family = 4, .b = {192, 0, 2, 1}}};
        assert_int_equal(host_listen(t->h, &elsewhere, &second), ERR_UNREACHABLE);
        host_listener_close(t->h, t->listener);
        assert_int_equal(host_connect(t->h, &t->at, in_ms(t, 5000), &tcp), ERR_REFUSED);
        assert_null(tcp);
        listen_at(t, &t->at); /* SO_REUSEADDR */
        host_listener_close(t->h, t->listener);
}

static void test_no_way(void **state)
{
        (void)state;
        play(no_way);
}

/* Both queues of a listener with a backlog of nothing are full: the kernel answers no SYN, as a dead network would. */
static void connect_deadline(struct net *t)
{
        enum { TRIES = 8 };
        struct host_tcp *tcp[TRIES];
        enum err err = ERR_OK;
        size_t n = 0;
        listen_at(t, &v4_any_port);
        assert_int_equal(listen(((struct poll *)t->listener)->fd, 0), 0);
        while (n < TRIES && (err = host_connect(t->h, &t->at, in_ms(t, 50), &tcp[n])) == ERR_OK)
                n++;
        assert_int_equal(err, ERR_TIMEOUT);
        while (n > 0)
                host_tcp_close(t->h, tcp[--n]);
        host_listener_close(t->h, t->listener);
}

static void test_connect_deadline(void **state)
{
        (void)state;
        play(connect_deadline);
}

/* Out of descriptors: accept waits without spinning, and takes the connection once one is free. */
static void out_of_descriptors(struct net *t)
{
        enum { FDS = 256 };
        int fds[FDS], n = 0;
        struct host_tcp *tcp, *none;
        struct ip_port peer;
        struct rusage before, after;
        listen_at(t, &v4_any_port);
        assert_int_equal(host_connect(t->h, &t->at, in_ms(t, 5000), &t->client), ERR_OK);
        struct rlimit limit, low;
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
        low = limit;
        low.rlim_cur = 128;
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
        while (n < FDS && (fds[n] = dup(0)) >= 0)
                n++;
        assert_true(n < FDS);
        assert_int_equal(host_connect(t->h, &t->at, in_ms(t, 100), &none), ERR_LIMIT);
        getrusage(RUSAGE_SELF, &before);
        assert_int_equal(host_accept(t->h, t->listener, in_ms(t, 350), &tcp, &peer), ERR_TIMEOUT);
        getrusage(RUSAGE_SELF, &after);
        int64_t used_us = (after.ru_utime.tv_sec - before.ru_utime.tv_sec) * 1000000 +
                          after.ru_utime.tv_usec - before.ru_utime.tv_usec;
        assert_true(used_us < 100000);
        close(fds[--n]);
        close(fds[--n]);
        /* one more, because valgrind's accept4 loses the first one when it is out of descriptors */
        assert_int_equal(host_connect(t->h, &t->at, in_ms(t, 5000), &none), ERR_OK);
        assert_int_equal(host_accept(t->h, t->listener, in_ms(t, 5000), &tcp, &peer), ERR_OK);
        host_tcp_close(t->h, none);
        while (n > 0)
                close(fds[--n]);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
        host_tcp_close(t->h, tcp);
        host_tcp_close(t->h, t->client);
        host_listener_close(t->h, t->listener);
}

static void test_out_of_descriptors(void **state)
{
        (void)state;
        play(out_of_descriptors);
}

/* A peer that never lets a read wait does not keep the others from running. */
static void tick(void *arg)
{
        struct net *t = arg;
        while (t->done < 20) {
                fiber_yield(t->h->sched);
                t->done++;
        }
}

static void flood(struct net *t)
{
        struct scope scope;
        static char much[64 * 1024];
        char c;
        size_t n;
        connect_pair(t, &v4_any_port);
        assert_int_equal(host_tcp_write(t->h, t->server, str_of(much, sizeof much), in_ms(t, 5000)), ERR_OK);
        scope_open(&scope, t->h->sched, FIBER_NEVER);
        assert_int_equal(scope_spawn(&scope, "tick", tick, t), ERR_OK);
        for (unsigned i = 0; i < 1000; i++)
                assert_int_equal(host_tcp_read(t->h, t->client, &c, 1, in_ms(t, 5000), &n), ERR_OK);
        assert_int_equal(t->done, 20);
        assert_int_equal(scope_join(&scope), ERR_OK);
        close_pair(t);
}

static void test_flood(void **state)
{
        (void)state;
        play(flood);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_echo),
                cmocka_unit_test(test_deadlines),
                cmocka_unit_test(test_orderly_end),
                cmocka_unit_test(test_reset),
                cmocka_unit_test(test_close_under_waiters),
                cmocka_unit_test(test_cancelled),
                cmocka_unit_test(test_no_way),
                cmocka_unit_test(test_connect_deadline),
                cmocka_unit_test(test_out_of_descriptors),
                cmocka_unit_test(test_flood),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
