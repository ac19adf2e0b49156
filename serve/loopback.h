/* SPDX-License-Identifier: ISC */
/* For tests: a Linux host, a listener on a free port of 127.0.0.1, and a peer that follows a script. */
#ifndef SERVE_LOOPBACK_H
#define SERVE_LOOPBACK_H

#include <string.h>

#include "base/check.h"
#include "host/host.h"
#include "host/linux/linux.h"

struct loopback {
        struct host *host;
        struct host_listener *listener;
        struct ip_port at;
};

static inline int64_t loopback_in_ms(struct loopback *l, int64_t ms)
{
        return host_now_ms(l->host) + ms;
}

static inline void loopback_listen(struct loopback *l)
{
        do {
                l->at.ip = ip_v4(127, 0, 0, 1);
                l->at.port = (uint16_t)(20000 + host_random_below(l->host, 12000));
        } while (host_listen(l->host, &l->at, &l->listener) != ERR_OK);
}

/* Run `main(l)` on a host of its own. */
static inline void loopback_run(struct loopback *l, void (*main)(void *arg))
{
        l->host = linux_host_new(NULL);
        CHECK(l->host != NULL);
        linux_host_run(l->host, main, l);
        linux_host_free(l->host);
}

/* One step of a scripted peer: say this, then read until what came since ends with that. */
struct loopback_step {
        const char *say, *until; /* NULL: nothing */
};
#define LOOPBACK_END "\1" /* `until` the stream ends, or more came than fits */

/* Read until `until` ends what came, or the stream ends; what came is in `into`. */
static inline struct str loopback_read_until(
        struct loopback *l, struct host_tcp *tcp, const char *until, char *into, size_t cap)
{
        size_t n = 0, got;
        while (n < cap && !(until && str_has_suffix_nocase(str_of(into, n), str_of_c(until))) &&
                host_tcp_read(l->host, tcp, into + n, cap - n, loopback_in_ms(l, 5000), &got) == ERR_OK)
                n += got;
        return str_of(into, n);
}

static inline void loopback_say(struct loopback *l, struct host_tcp *tcp, struct str text)
{
        CHECK(host_tcp_write(l->host, tcp, text, loopback_in_ms(l, 5000)) == ERR_OK);
}

/* Play a script until its end: steps up to one with neither part. */
static inline void loopback_play(struct loopback *l, struct host_tcp *tcp, const struct loopback_step *steps)
{
        char heard[4096];
        for (; steps->say || steps->until; steps++) {
                if (steps->say)
                        loopback_say(l, tcp, str_of_c(steps->say));
                if (!steps->until)
                        continue;
                struct str came = loopback_read_until(l, tcp, steps->until, heard, sizeof heard);
                bool is_end = str_eq(str_of_c(steps->until), S(LOOPBACK_END));
                CHECK(is_end || str_has_suffix_nocase(came, str_of_c(steps->until)));
        }
}

#endif
