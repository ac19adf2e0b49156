/* SPDX-License-Identifier: ISC */
/* The console and the life of a host. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/linux/inside.h"
#include "host/linux/linux.h"
#include "host/log.h"

/* Descriptor 2 replaced by `to` while a host is made; the host's console stays there. */
static struct host *host_on(int to)
{
        int before = dup(2);
        assert_true(before >= 0 && dup2(to, 2) == 2);
        struct host *h = linux_host_new("n1");
        assert_non_null(h);
        console_close(&linux_of(h)->console);
        console_open(&linux_of(h)->console, to);
        assert_true(dup2(before, 2) == 2);
        close(before);
        return h;
}

static size_t drain(int fd, char *into, size_t cap)
{
        size_t n = 0;
        ssize_t got;
        while (n < cap && (got = read(fd, into + n, cap - n)) > 0)
                n += (size_t)got;
        return n;
}

/* A reader that stalls: lines are dropped and counted at once, and the count is said when it reads again. */
static void stalled_reader(int from, int to)
{
        enum { LINES = 20000, CAP = 8 * 1024 * 1024 };
        static char text[CAP + 1];
        struct host *h = host_on(to);
        assert_int_equal(fcntl(from, F_SETFL, O_NONBLOCK), 0);
        char line[100];
        memset(line, 'x', sizeof line);
        for (unsigned i = 0; i < LINES; i++)
                host_console(h, str_of(line, sizeof line));
        uint64_t dropped = linux_of(h)->console.dropped;
        assert_true(dropped > 0 && dropped < LINES);
        size_t n = drain(from, text, CAP), lines = 0;
        for (size_t i = 0; i < n; i++)
                lines += text[i] == '\n';
        assert_int_equal(lines + dropped, LINES);
        assert_int_equal(n, lines * 101);
        host_console(h, S("back"));
        assert_int_equal(linux_of(h)->console.dropped, 0);
        n = drain(from, text, CAP);
        char want[64];
        snprintf(want, sizeof want, " warn console event=dropped lines=%llu\nback\n",
                (unsigned long long)dropped);
        assert_true(str_has_suffix_nocase(str_of(text, n), str_of_c(want)));
        linux_host_free(h);
        close(from);
        close(to);
}

static void test_full_pipe(void **state)
{
        (void)state;
        int fds[2];
        assert_int_equal(pipe(fds), 0);
        stalled_reader(fds[0], fds[1]);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
        stalled_reader(fds[0], fds[1]);
}

static void test_reader_gone(void **state)
{
        (void)state;
        int fds[2];
        assert_int_equal(pipe(fds), 0);
        struct host *h = host_on(fds[1]);
        close(fds[0]);
        host_console(h, S("nobody reads this"));
        assert_int_equal(linux_of(h)->console.dropped, 1);
        linux_host_free(h);
        close(fds[1]);
}

static void test_lines(void **state)
{
        (void)state;
        int fds[2];
        static char text[16384], longest[8000];
        assert_int_equal(pipe(fds), 0);
        assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
        struct host *h = host_on(fds[1]);
        host_console(h, S("a\nforged\r\x1b[31m line"));
        struct log_line l;
        log_begin(&l, h, LOG_WARN, "smtpd", "refused");
        log_str(&l, "from", S("a\nb"));
        log_end(&l);
        memset(longest, 'y', sizeof longest);
        host_console(h, str_of(longest, sizeof longest));
        size_t n = drain(fds[0], text, sizeof text);
        struct str head, tail;
        assert_true(str_cut(str_of(text, n), '\n', &head, &tail));
        assert_true(str_eq(head, S("a?forged??[31m line")));
        assert_true(str_cut(tail, '\n', &head, &tail));
        assert_true(str_eq(str_skip(head, 24), S(" warn smtpd name=n1 event=refused from=\"a\\nb\"")));
        assert_int_equal(tail.n, 4096);
        assert_int_equal(linux_of(h)->console.dropped, 0);
        linux_host_free(h);
        close(fds[0]);
        close(fds[1]);
}

static void test_file(void **state)
{
        (void)state;
        char path[] = "/tmp/ptt-console-XXXXXX";
        int fd = mkstemp(path);
        struct host *h = host_on(fd);
        host_console(h, S("one"));
        host_console(h, S("two"));
        linux_host_free(h);
        char text[16];
        assert_int_equal(pread(fd, text, sizeof text, 0), 8);
        assert_memory_equal(text, "one\ntwo\n", 8);
        close(fd);
        unlink(path);
}

struct stop {
        struct host *h;
        struct fiber *waiting;
        enum err err;
        bool is_done;
};

static void wait_stop(void *arg)
{
        struct stop *t = arg;
        t->err = host_wait_stop(t->h);
        t->is_done = true;
}

static void stop_by(struct stop *t, int number)
{
        struct scope scope;
        t->is_done = false;
        scope_open(&scope, t->h->sched, host_now_ms(t->h) + 5000);
        assert_int_equal(scope_spawn(&scope, "stop", wait_stop, t), ERR_OK);
        assert_int_equal(fiber_sleep(t->h->sched, 2), ERR_OK);
        assert_false(t->is_done);
        if (number != 0)
                assert_int_equal(kill(getpid(), number), 0);
        else
                scope_cancel(&scope);
        assert_int_equal(scope_join(&scope), ERR_OK);
        assert_int_equal(t->err, number != 0 ? ERR_OK : ERR_CANCELLED);
        sigset_t blocked;
        assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &blocked), 0);
        assert_false(sigismember(&blocked, SIGTERM) || sigismember(&blocked, SIGINT));
}

static void stop_all_ways(void *arg)
{
        stop_by(arg, SIGTERM);
        stop_by(arg, SIGINT);
        stop_by(arg, 0);
}

static void test_stop(void **state)
{
        (void)state;
        struct stop t = {.h = linux_host_new(NULL)};
        linux_host_run(t.h, stop_all_ways, &t);
        linux_host_free(t.h);
}

static void test_clock_and_random(void **state)
{
        (void)state;
        struct host *h = linux_host_new(NULL);
        assert_true(host_wall_ms(h) > INT64_C(1700000000000));
        int64_t before_ms = host_now_ms(h);
        assert_true(host_now_ms(h) >= before_ms);
        unsigned char a[4096] = {0}, b[4096] = {0};
        unsigned bits = 0;
        host_random(h, a, sizeof a);
        host_random(h, b, sizeof b);
        assert_memory_not_equal(a, b, sizeof a);
        for (size_t i = 0; i < sizeof a; i++)
                bits += (unsigned)__builtin_popcount(a[i]);
        assert_in_range(bits, 15800, 16968); /* 16384 and six standard deviations */
        linux_host_free(h);
        linux_host_free(NULL);
}

static int by_value(const void *a, const void *b)
{
        const uint64_t *x = a, *y = b;
        return (*x > *y) - (*x < *y);
}

/* Small draws come out of a store: of every size, over many fillings, all bits are drawn and none twice. */
static void test_small_draws(void **state)
{
        (void)state;
        struct host *h = linux_host_new(NULL);
        static uint64_t drawn[4096];
        unsigned bits = 0;
        for (size_t i = 0; i < 4096; i++) {
                unsigned char more[16];
                host_random(h, &drawn[i], sizeof drawn[i]);
                host_random(h, more, i % sizeof more); /* so that the store ends inside of a draw */
                bits += (unsigned)__builtin_popcountll(drawn[i]);
        }
        assert_in_range(bits, 131072 - 1536, 131072 + 1536); /* six standard deviations */
        qsort(drawn, 4096, sizeof drawn[0], by_value);
        for (size_t i = 1; i < 4096; i++)
                assert_true(drawn[i] != drawn[i - 1]);
        linux_host_free(h);
}

static void test_no_descriptors(void **state)
{
        (void)state;
        struct rlimit limit, low;
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
        int next = dup(0);
        close(next);
        for (rlim_t spare = 0; spare < 2; spare++) {
                low = limit;
                low.rlim_cur = (rlim_t)next + spare;
                assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
                struct host *h = linux_host_new(NULL);
                assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
                assert_null(h);
                int after = dup(0);
                close(after);
                assert_int_equal(after, next); /* nothing leaks */
        }
}

static void test_take_descriptors(void **state)
{
        (void)state;
        struct rlimit limit, low, now;
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
        low = limit;
        low.rlim_cur = 64;
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
        linux_take_descriptors();
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &now), 0);
        assert_true(now.rlim_cur == limit.rlim_max && now.rlim_max == limit.rlim_max);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* Ten thousand idle fibers: their stacks are a few pages each, and deep use of long ago is given back. */
static size_t resident_bytes(void)
{
        long pages = 0;
        FILE *f = fopen("/proc/self/statm", "r");
        assert_non_null(f);
        assert_int_equal(fscanf(f, "%*d %ld", &pages), 1);
        fclose(f);
        return (size_t)pages * (size_t)sysconf(_SC_PAGESIZE);
}

struct idle {
        struct host *h;
        size_t ran;
};

static __attribute__((noinline)) void use_much_stack(struct idle *t)
{
        volatile char much[100 * 1024];
        for (size_t i = 0; i < sizeof much; i += 512)
                much[i] = 1;
        t->ran += (size_t)much[512];
}

static void use_and_idle(void *arg)
{
        struct idle *t = arg;
        use_much_stack(t);
        enum err err = fiber_sleep(t->h->sched, 60000);
        assert_int_equal(err, ERR_CANCELLED);
}

static void idle_stacks(void *arg)
{
        enum { FIBERS = 500 };
        struct idle *t = arg;
        struct scope scope;
        size_t before = resident_bytes();
        scope_open(&scope, t->h->sched, FIBER_NEVER);
        for (unsigned i = 0; i < FIBERS; i++)
                assert_int_equal(scope_spawn(&scope, "idle", use_and_idle, t), ERR_OK);
        fiber_yield(t->h->sched);
        assert_int_equal(t->ran, FIBERS);
        size_t busy = resident_bytes();
        assert_true(busy - before > FIBERS * 100 * 1024 / 2);
        assert_int_equal(fiber_sleep(t->h->sched, 1100), ERR_OK);
        /* Half, for what a sanitizer keeps about it. On a busy machine this fiber may wake before the stacks rest. */
        for (int tries = 0; tries < 100 && resident_bytes() - before >= (busy - before) / 2; tries++)
                assert_int_equal(fiber_sleep(t->h->sched, 50), ERR_OK);
        assert_true(resident_bytes() - before < (busy - before) / 2);
        assert_true(sched_stack_high(t->h->sched) > 100 * 1024); /* the mark is kept */
        scope_cancel(&scope);
        assert_int_equal(scope_join(&scope), ERR_OK);
}

static void test_idle_stacks(void **state)
{
        (void)state;
        struct idle t = {.h = linux_host_new(NULL)};
        linux_host_run(t.h, idle_stacks, &t);
        linux_host_free(t.h);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_full_pipe),
                cmocka_unit_test(test_reader_gone),
                cmocka_unit_test(test_lines),
                cmocka_unit_test(test_file),
                cmocka_unit_test(test_stop),
                cmocka_unit_test(test_clock_and_random),
                cmocka_unit_test(test_small_draws),
                cmocka_unit_test(test_no_descriptors),
                cmocka_unit_test(test_take_descriptors),
                cmocka_unit_test(test_idle_stacks),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
