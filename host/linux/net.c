/* SPDX-License-Identifier: ISC */
/* TCP over non-blocking sockets. */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/check.h"
#include "host/linux/inside.h"

enum {
        BACKLOG = 1024,
        FULL_PAUSE_MS = 100, /* between two tries to accept while descriptors or memory are out */
        DRAIN_MAX = 64,      /* reads of unread input when a connection is closed */
};

struct host_listener {
        struct poll poll;
};

struct host_tcp {
        struct poll poll;
};

static void set_on(int fd, int level, int option)
{
        int on = 1;
        (void)setsockopt(
                fd, level, option, &on, sizeof on); /* fails only on a connection that is dead already */
}

static enum err fail_open(int fd)
{
        int error = errno;
        if (fd >= 0)
                close(fd);
        return err_of_open(error);
}

static enum err fail_listen(int fd)
{
        bool is_denied = errno == EACCES || errno == EPERM;
        enum err err = fail_open(fd);
        return is_denied ? ERR_DENIED : err;
}

enum err linux_listen(struct host *h, const struct ip_port *at, struct host_listener **out)
{
        union address a;
        socklen_t n = address_of(at, &a);
        int fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return fail_listen(fd);
        set_on(fd, SOL_SOCKET, SO_REUSEADDR);
        if (at->ip.family == 6)
                set_on(fd, IPPROTO_IPV6, IPV6_V6ONLY);
        if (bind(fd, &a.any, n) != 0 || listen(fd, BACKLOG) != 0)
                return fail_listen(fd);
        struct host_listener *l = calloc(1, sizeof *l);
        if (l == NULL) {
                close(fd);
                return ERR_LIMIT;
        }
        if (!poll_add(linux_of(h), &l->poll, fd)) {
                free(l);
                return fail_open(-1);
        }
        *out = l;
        return ERR_OK;
}

void linux_listener_close(struct host_listener *l)
{
        if (l == NULL)
                return;
        poll_remove(&l->poll);
        free(l);
}

/* Takes over `fd`. */
static enum err tcp_new(struct linux_host *h, int fd, struct host_tcp **out)
{
        struct host_tcp *t = calloc(1, sizeof *t);
        if (t == NULL) {
                close(fd);
                return ERR_LIMIT;
        }
        set_on(fd, IPPROTO_TCP, TCP_NODELAY);
        if (!poll_add(h, &t->poll, fd)) {
                free(t);
                return fail_open(-1);
        }
        *out = t;
        return ERR_OK;
}

/* Nothing waits and nothing is free: come back later, unless the listener is closed meanwhile. */
static enum err pause_accept(struct host_listener *l, int64_t deadline_ms)
{
        int64_t now_ms = linux_now_ms(NULL), until_ms = now_ms + FULL_PAUSE_MS;
        bool is_last = deadline_ms < until_ms;
        struct sched *s = l->poll.host->host.sched;
        enum err err;
        do
                err = poll_wait(&l->poll, &l->poll.reader, is_last ? deadline_ms : until_ms);
        while (err == ERR_OK);
        if (err != ERR_TIMEOUT || is_last)
                return err;
        return fiber_check(s);
}

static bool is_out_of_something(int error)
{
        return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

enum err linux_accept(
        struct host_listener *l, int64_t deadline_ms, struct host_tcp **out, struct ip_port *peer)
{
        struct linux_host *h = l->poll.host;
        for (;;) {
                union address a = {0};
                socklen_t n = sizeof a;
                enum err err = fiber_check(h->host.sched);
                if (err != ERR_OK)
                        return err;
                int fd = accept4(l->poll.fd, &a.any, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
                int error = errno;
                if (fd >= 0) {
                        *peer = address_read(&a);
                        if (tcp_new(h, fd, out) == ERR_OK) {
                                linux_give_way(h);
                                return ERR_OK;
                        }
                        error = ENOMEM;
                }
                if (error == EAGAIN)
                        err = poll_wait(&l->poll, &l->poll.reader, deadline_ms);
                else if (is_out_of_something(error))
                        err = pause_accept(l, deadline_ms);
                /* else: a connection that died in the queue (accept(2), "Error handling") */
                if (err != ERR_OK)
                        return err;
        }
}

/* The end of a non-blocking connect. */
static enum err connected(struct host_tcp *t, int64_t deadline_ms)
{
        int error = 0;
        socklen_t n = sizeof error;
        enum err err = poll_wait(&t->poll, &t->poll.writer, deadline_ms);
        if (err != ERR_OK)
                return err;
        if (getsockopt(t->poll.fd, SOL_SOCKET, SO_ERROR, &error, &n) != 0)
                error = errno;
        return error == 0 ? ERR_OK : err_of_open(error);
}

enum err linux_connect(struct host *h, const struct ip_port *to, int64_t deadline_ms, struct host_tcp **out)
{
        union address a;
        socklen_t n = address_of(to, &a);
        enum err err = fiber_check(h->sched);
        if (err != ERR_OK)
                return err;
        int fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return fail_open(fd);
        int result = connect(fd, &a.any, n);
        if (result != 0 && errno != EINPROGRESS && errno != EINTR)
                return fail_open(fd);
        struct host_tcp *t;
        err = tcp_new(linux_of(h), fd, &t);
        if (err != ERR_OK)
                return err;
        if (result != 0)
                err = connected(t, deadline_ms);
        if (err != ERR_OK)
                linux_tcp_close(t);
        else
                *out = t;
        return err;
}

enum err linux_tcp_read(struct host_tcp *t, void *into, size_t cap, int64_t deadline_ms, size_t *got)
{
        struct linux_host *h = t->poll.host;
        enum err err = fiber_check(h->host.sched);
        while (err == ERR_OK) {
                ssize_t n = recv(t->poll.fd, into, cap, 0);
                if (n > 0) {
                        *got = (size_t)n;
                        linux_give_way(h);
                        return ERR_OK;
                }
                if (n == 0)
                        return ERR_EOF;
                if (errno == EAGAIN)
                        err = poll_wait(&t->poll, &t->poll.reader, deadline_ms);
                else if (errno != EINTR)
                        return err_of_socket(errno);
        }
        return err;
}

enum err linux_tcp_write(struct host_tcp *t, const void *from, size_t n, int64_t deadline_ms)
{
        struct linux_host *h = t->poll.host;
        const char *p = from;
        enum err err = fiber_check(h->host.sched);
        while (err == ERR_OK && n > 0) {
                ssize_t sent = send(t->poll.fd, p, n, MSG_NOSIGNAL);
                if (sent >= 0) {
                        p += sent;
                        n -= (size_t)sent;
                } else if (errno == EAGAIN) {
                        err = poll_wait(&t->poll, &t->poll.writer, deadline_ms);
                } else if (errno != EINTR) {
                        return err_of_socket(errno);
                }
        }
        if (err == ERR_OK)
                linux_give_way(h);
        return err;
}

enum err linux_tcp_local(struct host_tcp *t, struct ip_port *out)
{
        union address a = {0};
        socklen_t n = sizeof a;
        if (getsockname(t->poll.fd, &a.any, &n) != 0)
                return ERR_CLOSED;
        *out = address_read(&a);
        return ERR_OK;
}

/* Closing with input unread makes the kernel reset the connection, and the peer may lose our last words with that: so
 * what has arrived is read away first. */
void linux_tcp_close(struct host_tcp *t)
{
        char waste[4096];
        if (t == NULL)
                return;
        (void)shutdown(t->poll.fd, SHUT_WR);
        for (unsigned i = 0; i < DRAIN_MAX && recv(t->poll.fd, waste, sizeof waste, 0) > 0; i++)
                ;
        poll_remove(&t->poll);
        free(t);
}
