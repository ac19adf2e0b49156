/* SPDX-License-Identifier: ISC */
/* A fiber that runs over its stack dies there and then; it never writes into what lies below. In children. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/limits.h"
#include "host/linux/linux.h"

struct deep {
        struct host *h;
        size_t depth;
        void (*fall)(struct deep *t);
};

/* A compiler would keep only those bytes of an array that are used. */
static void keep_whole(volatile char *frame)
{
        __asm__ volatile("" : : "r"(frame) : "memory");
}

static __attribute__((noinline)) size_t descend(size_t depth)
{
        volatile char frame[512];
        keep_whole(frame);
        frame[0] = (char)depth;
        if (depth > 1)
                frame[1] = (char)descend(depth - 1);
        return (size_t)frame[0] + (size_t)frame[1];
}

static void small_frames(struct deep *t)
{
        t->depth = descend(FIBER_STACK_SIZE / 512 + 64);
}

/* One frame larger than stack and guard together, of which only the far end is touched. */
static void one_huge_frame(struct deep *t)
{
        volatile char frame[FIBER_STACK_SIZE + 512 * 1024];
        keep_whole(frame);
        frame[0] = 1;
        t->depth = (size_t)frame[0];
}

static void fall(void *arg)
{
        struct deep *t = arg;
        t->fall(t);
        _exit(7); /* it came back alive */
}

static void idle(void *arg)
{
        struct deep *t = arg;
        enum err err = fiber_sleep(t->h->sched, 60000);
        (void)err;
}

/* Neighbours on both sides, so that what lies beyond the guard is somebody's stack. */
static void run(void *arg)
{
        struct deep *t = arg;
        struct scope scope;
        scope_open(&scope, t->h->sched, FIBER_NEVER);
        for (unsigned i = 0; i < 8; i++)
                if (scope_spawn(&scope, "idle", idle, t) != ERR_OK)
                        _exit(8);
        if (scope_spawn(&scope, "fall", fall, t) != ERR_OK)
                _exit(8);
        for (unsigned i = 0; i < 8; i++)
                if (scope_spawn(&scope, "idle", idle, t) != ERR_OK)
                        _exit(8);
        enum err err = scope_join(&scope);
        (void)err;
        _exit(9);
}

static void expect_death(void (*how)(struct deep *t))
{
        int status;
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                const struct rlimit none = {0, 0};
                (void)setrlimit(RLIMIT_CORE, &none);
                (void)signal(SIGSEGV, SIG_DFL); /* a sanitizer or cmocka would catch it */
                struct deep t = {.h = linux_host_new(NULL), .fall = how};
                linux_host_run(t.h, run, &t);
                _exit(9);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSEGV)
                fail_msg("the child ended with wait status %d", status);
}

static void test_small_frames(void **state)
{
        (void)state;
        expect_death(small_frames);
}

static void test_one_huge_frame(void **state)
{
        (void)state;
        expect_death(one_huge_frame);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_small_frames),
                cmocka_unit_test(test_one_huge_frame),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
