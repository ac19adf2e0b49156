/* SPDX-License-Identifier: ISC */
/* The least that a server can do for clients that say nothing: IP PORT. It greets each, keeps a record of it, and answers whatever
 * comes with 250, without looking at it. One thread over epoll, until it is told to end. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "base/str.h"

#define EVENTS 256
#define LINE_MAX_READ 2048

struct client {
        int fd;
        struct sockaddr_in peer;
};

static void say(int fd, struct str text)
{
        if (send(fd, text.p, text.n, MSG_NOSIGNAL) < 0)
                (void)shutdown(fd, SHUT_RDWR); /* then a read tells */
}

static void take(int epoll, int listener)
{
        struct client *c = calloc(1, sizeof *c);
        CHECK(c);
        socklen_t n = sizeof c->peer;
        c->fd = accept4(listener, (struct sockaddr *)&c->peer, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (c->fd < 0) {
                free(c);
                return;
        }
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
        CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event) == 0);
        say(c->fd, S("220 idle.test ESMTP\r\n"));
}

static void answer(struct client *c)
{
        static char line[LINE_MAX_READ];
        if (recv(c->fd, line, sizeof line, 0) > 0) {
                say(c->fd, S("250 yes\r\n"));
                return;
        }
        close(c->fd);
        free(c);
}

int main(int argc, char **argv)
{
        struct rlimit limit;
        struct sockaddr_in at = {.sin_family = AF_INET};
        uint64_t port;
        int on = 1;
        if (argc != 3 || inet_pton(AF_INET, argv[1], &at.sin_addr) != 1 ||
                str_to_u64(str_of_c(argv[2]), UINT16_MAX, &port) != ERR_OK) {
                fprintf(stderr, "idle: IP PORT\n");
                return 64;
        }
        at.sin_port = htons((uint16_t)port);
        CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
        int epoll = epoll_create1(EPOLL_CLOEXEC), listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        CHECK(epoll >= 0 && listener >= 0);
        (void)setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        CHECK(bind(listener, (struct sockaddr *)&at, sizeof at) == 0 && listen(listener, 1024) == 0);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL}, events[EVENTS];
        CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) == 0);
        for (;;) {
                int n = epoll_wait(epoll, events, EVENTS, -1);
                for (int i = 0; i < n; i++)
                        if (events[i].data.ptr)
                                answer(events[i].data.ptr);
                        else
                                take(epoll, listener);
        }
}
