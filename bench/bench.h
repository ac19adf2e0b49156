/* SPDX-License-Identifier: ISC */
/* What the benchmarks share: clocks, the spread of samples, what the process has used, and rows of results.
 *
 * A row is one line on standard output, `row KEY VALUE`, for bench/run to read; a time in it is in milliseconds.
 * Whatever goes wrong ends the program with status 1 and a line that says what: a number of half a run is none. */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include "base/err.h"
#include "base/str.h"
#include "host/linux/linux.h"

_Noreturn static inline void bench_fail(const char *what, const char *why)
{
        (void)fflush(stdout);
        (void)fprintf(stderr, "%s: %s\n", what, why);
        exit(1);
}

static inline void bench_need(enum err err, const char *what)
{
        if (err != ERR_OK)
                bench_fail(what, err_text(err));
}

static inline void *bench_memory(size_t count, size_t size)
{
        void *p = calloc(count > 0 ? count : 1, size);
        if (p == NULL)
                bench_fail("memory", "exhausted");
        return p;
}

/* A whole number above 0 from the command line. */
static inline size_t bench_count(const char *text)
{
        char *end;
        unsigned long long n = strtoull(text, &end, 10);
        if (*end != 0 || n == 0)
                bench_fail(text, "no count");
        return (size_t)n;
}

static inline int64_t bench_clock_ns(clockid_t clock)
{
        struct timespec t;
        if (clock_gettime(clock, &t) != 0)
                bench_fail("clock", "cannot be read");
        return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static inline int64_t bench_now_ns(void)
{
        return bench_clock_ns(CLOCK_MONOTONIC);
}

/* Of this process, all threads, user and system together. */
static inline int64_t bench_cpu_ns(void)
{
        return bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

static inline void bench_row(const char *key, double value)
{
        (void)printf("row %s %.6g\n", key, value);
        (void)fflush(stdout);
}

static inline void bench_row_peak(void)
{
        struct rusage used;
        (void)getrusage(RUSAGE_SELF, &used);
        bench_row("peak-kib", (double)used.ru_maxrss);
}

/* Durations of single operations. */
struct bench_samples {
        int64_t *ns;
        size_t count, cap;
};

static inline void bench_samples_init(struct bench_samples *s, size_t cap)
{
        *s = (struct bench_samples){.ns = bench_memory(cap, sizeof *s->ns), .cap = cap};
}

static inline void bench_samples_add(struct bench_samples *s, int64_t ns)
{
        if (s->count < s->cap)
                s->ns[s->count++] = ns;
}

static inline int bench_compare(const void *a, const void *b)
{
        int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
        return (x > y) - (x < y);
}

/* Rows NAME-median and NAME-p99; the samples are gone. */
static inline void bench_samples_rows(struct bench_samples *s, const char *name)
{
        char key[64];
        if (s->count == 0)
                bench_fail(name, "nothing was measured");
        qsort(s->ns, s->count, sizeof *s->ns, bench_compare);
        (void)snprintf(key, sizeof key, "%s-median", name);
        bench_row(key, (double)s->ns[s->count / 2] / 1e6);
        (void)snprintf(key, sizeof key, "%s-p99", name);
        bench_row(key, (double)s->ns[s->count * 99 / 100] / 1e6);
        free(s->ns);
        *s = (struct bench_samples){0};
}

/* A whole file, with a NUL behind it, to the end of the process. */
static inline struct str bench_file(const char *path)
{
        struct stat status;
        FILE *f = fopen(path, "rb");
        if (f == NULL || fstat(fileno(f), &status) != 0)
                bench_fail(path, "cannot be read");
        size_t n = (size_t)status.st_size;
        char *p = bench_memory(n + 1, 1);
        if (fread(p, 1, n, f) != n)
                bench_fail(path, "cannot be read");
        (void)fclose(f);
        return str_of(p, n);
}

/* Row `each-cpu-second`: how often `work(arg)` can be done in a second of CPU time, measured for `seconds` of it. What is
 * done for the first time only (keys, caches) does not count. */
static inline void bench_rate(void (*work)(void *arg), void *arg, double seconds)
{
        double spent = 0;
        size_t count = 0;
        work(arg);
        int64_t begin = bench_cpu_ns();
        while (spent < seconds) {
                work(arg);
                count++;
                spent = (double)(bench_cpu_ns() - begin) / 1e9;
        }
        bench_row("each-cpu-second", (double)count / spent);
}

static inline double bench_seconds(const char *text)
{
        char *end;
        double seconds = strtod(text, &end);
        if (*end != 0 || !(seconds > 0))
                bench_fail(text, "no number of seconds");
        return seconds;
}

/* Run `body(host, arg)` as a fiber of a Linux host. */
struct bench_body {
        void (*run)(struct host *h, void *arg);
        void *arg;
        struct host *host;
};

static inline void bench_body_run(void *arg)
{
        struct bench_body *b = arg;
        b->run(b->host, b->arg);
}

static inline void bench_run(void (*run)(struct host *h, void *arg), void *arg)
{
        struct bench_body body = {run, arg, linux_host_new(NULL)};
        if (body.host == NULL)
                bench_fail("host", "out of memory or descriptors");
        linux_host_run(body.host, bench_body_run, &body);
        linux_host_free(body.host);
}

#endif
