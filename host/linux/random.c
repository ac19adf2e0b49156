/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <sys/random.h>

#include "base/check.h"
#include "host/linux/inside.h"

void linux_random(struct host *h, void *out, size_t n)
{
        (void)h;
        char *p = out;
        while (n > 0) {
                ssize_t got = getrandom(p, n, 0);
                CHECK(got > 0 || errno == EINTR);
                if (got > 0) {
                        p += got;
                        n -= (size_t)got;
                }
        }
}
