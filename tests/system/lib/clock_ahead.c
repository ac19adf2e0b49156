/* SPDX-License-Identifier: ISC */
/* A library to preload: the wall clock of the process is CLOCK_AHEAD seconds ahead. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *out)
{
        long result = syscall(SYS_clock_gettime, clock, out);
        const char *ahead = getenv("CLOCK_AHEAD");
        if (result == 0 && clock == CLOCK_REALTIME && ahead)
                out->tv_sec += strtol(ahead, NULL, 10);
        return (int)result;
}
