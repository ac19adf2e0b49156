/* SPDX-License-Identifier: ISC */
/* The client's side of an SMTP session in which all goes well: any answer but the expected one ends the program. */
#ifndef BENCH_TALK_H
#define BENCH_TALK_H

#include "bench/bench.h"
#include "host/host.h"

#define TALK_REPLY_MAX 4096
#define TALK_WAIT_MS 60000

struct talk {
        struct host *host;
        struct host_tcp *tcp;
        size_t got; /* bytes in `text` */
        char text[TALK_REPLY_MAX];
};

static inline int64_t talk_deadline(const struct talk *t)
{
        return host_now_ms(t->host) + TALK_WAIT_MS;
}

static inline void talk_say(struct talk *t, struct str bytes)
{
        bench_need(host_tcp_write(t->host, t->tcp, bytes, talk_deadline(t)), "sending");
}

/* The last line of the next reply is taken off the head of the text, with all before it. */
static inline bool talk_take(struct talk *t, char first)
{
        size_t at = 0, n;
        struct str rest = str_of(t->text, t->got), line;
        while ((n = str_find(rest, S("\r\n"))) < rest.n) {
                line = str_take(rest, n);
                rest = str_skip(rest, n + 2);
                at += n + 2;
                if (line.n >= 4 && line.p[3] == '-')
                        continue;
                if (line.n < 3 || line.p[0] != first) {
                        t->text[at - 2] = 0;
                        bench_fail("answered", line.p);
                }
                memmove(t->text, t->text + at, t->got - at);
                t->got -= at;
                return true;
        }
        return false;
}

/* Wait for a reply that begins with this digit. */
static inline void talk_hear(struct talk *t, char first)
{
        while (!talk_take(t, first)) {
                size_t got = 0;
                if (t->got == sizeof t->text)
                        bench_fail("answered", "more than fits");
                bench_need(host_tcp_read(t->host, t->tcp, t->text + t->got, sizeof t->text - t->got,
                                   talk_deadline(t), &got),
                        "waiting for an answer");
                t->got += got;
        }
}

static inline void talk_open(struct talk *t, struct host *h, const struct ip_port *server)
{
        t->host = h;
        t->got = 0;
        bench_need(host_connect(h, server, talk_deadline(t), &t->tcp), "connecting");
        talk_hear(t, '2');
        talk_say(t, S("EHLO load.author.test\r\n"));
        talk_hear(t, '2');
}

static inline void talk_close(struct talk *t)
{
        talk_say(t, S("QUIT\r\n"));
        talk_hear(t, '2');
        host_tcp_close(t->host, t->tcp);
}

#endif
