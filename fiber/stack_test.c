/* SPDX-License-Identifier: ISC */
/* Stacks from the heap have no guard page: whoever wrote over the end of one is found at its next switch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fiber/fake_platform.h"
#include "fiber/sched.h"

struct run {
        struct fake_platform platform;
        struct sched *s;
        size_t at;    /* the byte of the stack, from its lowest, that is written */
        bool is_last; /* the fiber ends right after */
};

static void overrun(void *arg)
{
        struct run *r = arg;
        volatile char *lowest = sched_current(r->s)->stack;
        lowest[r->at] ^= 1;
        if (!r->is_last)
                fiber_yield(r->s);
}

static void run(void *arg)
{
        struct run *r = arg;
        struct scope scope;
        scope_open(&scope, r->s, FIBER_NEVER);
        if (scope_spawn(&scope, "overrun", overrun, r) != ERR_OK)
                _exit(8);
        enum err err = scope_join(&scope);
        _exit(err == ERR_OK ? 7 : 9);
}

/* The status of a child in which byte `at` of a stack is changed. */
static int status_of(size_t at, bool is_last)
{
        int status;
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                const struct rlimit none = {0, 0};
                (void)setrlimit(RLIMIT_CORE, &none);
                (void)signal(SIGABRT, SIG_DFL);
                (void)!freopen("/dev/null", "w", stderr); /* what the check says on its way out */
                struct run r = {.at = at, .is_last = is_last};
                r.s = fake_sched(&r.platform);
                sched_run(r.s, run, &r);
                _exit(9);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        return status;
}

static void test_canary(void **state)
{
        (void)state;
        for (size_t at = 0; at < 16; at++)
                for (unsigned last = 0; last < 2; last++) {
                        int status = status_of(at, last != 0);
                        assert_true(WIFSIGNALED(status));
                        assert_int_equal(WTERMSIG(status), SIGABRT);
                }
        int status = status_of(16, false); /* the byte above belongs to the fiber */
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 7);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_canary),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
