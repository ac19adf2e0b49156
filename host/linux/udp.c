/* SPDX-License-Identifier: ISC */
/* UDP: a connected socket for each peer, so that the kernel drops what others send and reports ICMP errors. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "host/linux/inside.h"

enum { PORT_FIRST = 1024, PORT_TRIES = 32 };

struct host_udp {
        struct poll poll;
};

/* A port that a blind spoofer must guess (RFC 5452 9.2), from the whole range and not only the kernel's. When the tries
 * are used up, connect takes one of the kernel's, which are random too. */
static void bind_random(struct host *h, int fd, uint8_t family)
{
        for (unsigned i = 0; i < PORT_TRIES; i++) {
                uint16_t port = (uint16_t)(PORT_FIRST + host_random_below(h, 65536 - PORT_FIRST));
                struct ip_port any = {.ip.family = family, .port = port};
                union address a;
                socklen_t n = address_of(&any, &a);
                if (bind(fd, &a.any, n) == 0)
                        return;
        }
}

static enum err fail(int fd)
{
        int error = errno;
        if (fd >= 0)
                close(fd);
        return err_of_open(error) == ERR_LIMIT ? ERR_LIMIT : ERR_UNREACHABLE;
}

enum err linux_udp_open(struct host *h, const struct ip_port *peer, struct host_udp **out)
{
        union address a;
        socklen_t n = address_of(peer, &a);
        int fd = socket(a.any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return fail(fd);
        bind_random(h, fd, peer->ip.family);
        if (connect(fd, &a.any, n) != 0)
                return fail(fd);
        struct host_udp *u = calloc(1, sizeof *u);
        if (u == NULL) {
                close(fd);
                return ERR_LIMIT;
        }
        if (!poll_add(linux_of(h), &u->poll, fd)) {
                free(u);
                return fail(-1);
        }
        *out = u;
        return ERR_OK;
}

enum err linux_udp_send(struct host_udp *u, const void *from, size_t n)
{
        for (;;) {
                if (send(u->poll.fd, from, n, MSG_NOSIGNAL) >= 0 || errno == EAGAIN)
                        return ERR_OK; /* a full buffer loses the datagram, as any router on the way may */
                if (errno == EMSGSIZE)
                        return ERR_LIMIT;
                if (errno != EINTR)
                        return errno == ECONNREFUSED ? ERR_REFUSED : ERR_UNREACHABLE;
        }
}

enum err linux_udp_receive(struct host_udp *u, void *into, size_t cap, int64_t deadline_ms, size_t *got)
{
        struct linux_host *h = u->poll.host;
        enum err err = fiber_check(h->host.sched);
        while (err == ERR_OK) {
                ssize_t n = recv(u->poll.fd, into, cap, MSG_TRUNC);
                if (n >= 0) {
                        bool fits = (size_t)n <= cap;
                        *got = fits ? (size_t)n : 0;
                        linux_give_way(h);
                        return fits ? ERR_OK : ERR_LIMIT;
                }
                if (errno == EAGAIN)
                        err = poll_wait(&u->poll, &u->poll.reader, deadline_ms);
                else if (errno != EINTR)
                        return errno == ECONNREFUSED ? ERR_REFUSED : ERR_UNREACHABLE;
        }
        return err;
}

void linux_udp_close(struct host_udp *u)
{
        if (u == NULL)
                return;
        poll_remove(&u->poll);
        free(u);
}
