/* SPDX-License-Identifier: ISC */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include "tests/sim/run.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "tests/sim/generate.h"

struct child {
        pid_t pid; /* 0: none */
        uint64_t seed;
        bool is_done;
};

static struct world_result *share_results(size_t n)
{
        void *p = mmap(NULL, n * sizeof(struct world_result), PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        CHECK(p != MAP_FAILED);
        return p;
}

struct scenario run_generated(uint64_t seed)
{
        struct scenario s;
        struct scenario_fault fault;
        struct wr w;
        char *text = malloc(GENERATE_ROOM);
        CHECK(text);
        wr_init(&w, text, GENERATE_ROOM);
        generate(seed, &w);
        CHECK(wr_end(&w) == ERR_OK && scenario_parse(wr_text(&w), &s, &fault) == ERR_OK);
        free(text);
        return s;
}

static void live(const struct scenario *s, struct world_result *out)
{
        struct world_result mine;
        alarm(RUN_SECONDS_MAX);
        world_run(s, NULL, &mine);
        *out = mine;
}

static pid_t spawn(const struct scenario *s, uint64_t seed, struct world_result *out)
{
        memset(out, 0, sizeof *out);
        fflush(NULL);
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid > 0)
                return pid;
        if (s) {
                live(s, out);
        } else {
                struct scenario generated = run_generated(seed);
                live(&generated, out);
                scenario_free(&generated);
        }
        exit(0);
}

static void judge_child(int status, struct world_result *out)
{
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
                return;
        bool has_hung = WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM;
        out->is_broken = true;
        snprintf(out->invariant, sizeof out->invariant, "%s", has_hung ? "hang" : "crash");
        if (WIFSIGNALED(status))
                snprintf(out->story, sizeof out->story, "the run ended by signal %d", WTERMSIG(status));
        else
                snprintf(out->story, sizeof out->story, "the run ended with status %d", WEXITSTATUS(status));
}

void run_one(const struct scenario *s, struct world_result *out)
{
        struct world_result *shared = share_results(1);
        int status;
        pid_t pid = spawn(s, 0, shared);
        CHECK(waitpid(pid, &status, 0) == pid);
        judge_child(status, shared);
        *out = *shared;
        munmap(shared, sizeof *shared);
}

static void wait_child(struct child *children, struct world_result *results, unsigned jobs)
{
        int status;
        pid_t pid = wait(&status);
        CHECK(pid > 0);
        for (unsigned i = 0; i < jobs; i++)
                if (children[i].pid == pid) {
                        judge_child(status, &results[i]);
                        children[i].is_done = true;
                }
}

static void end_children(struct child *children, unsigned jobs)
{
        for (unsigned i = 0; i < jobs; i++)
                if (children[i].pid > 0 && !children[i].is_done) {
                        kill(children[i].pid, SIGKILL);
                        (void)(waitpid(children[i].pid, NULL, 0) == children[i].pid);
                }
}

/* Seed n is in place n % jobs; the oldest one is told first. */
void run_seeds(uint64_t first, uint64_t last, unsigned jobs,
        bool (*done)(void *ctx, uint64_t seed, const struct world_result *result), void *ctx)
{
        struct child children[RUN_JOBS_MAX] = {0};
        CHECK(jobs > 0 && jobs <= RUN_JOBS_MAX);
        struct world_result *results = share_results(jobs);
        uint64_t next = first, oldest = first;
        bool goes_on = true;
        while (goes_on && oldest <= last) {
                for (; next <= last && next < oldest + jobs; next++) {
                        struct child *c = &children[next % jobs];
                        *c = (struct child){spawn(NULL, next, &results[next % jobs]), next, false};
                }
                while (!children[oldest % jobs].is_done)
                        wait_child(children, results, jobs);
                goes_on = done(ctx, oldest, &results[oldest % jobs]);
                children[oldest % jobs] = (struct child){0};
                oldest++;
        }
        end_children(children, jobs);
        munmap(results, jobs * sizeof *results);
}
