/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "base/check.h"
#include "host/linux/inside.h"

static void draw(char *p, size_t n)
{
        while (n > 0) {
                ssize_t got = getrandom(p, n, 0);
                CHECK(got > 0 || errno == EINTR);
                if (got > 0) {
                        p += got;
                        n -= (size_t)got;
                }
        }
}

/* Ids, ports and tickets come out of the store, which forgets them; keys of ciphers are longer and never do. */
void linux_random(struct host *h, void *out, size_t n)
{
        struct random *r = &linux_of(h)->random;
        if (n > RANDOM_SMALL) {
                draw(out, n);
                return;
        }
        if (r->left < n) {
                draw(r->bytes, sizeof r->bytes);
                r->left = sizeof r->bytes;
        }
        r->left -= n;
        memcpy(out, r->bytes + r->left, n);
        memset(r->bytes + r->left, 0, n);
}
