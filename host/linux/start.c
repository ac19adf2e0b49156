/* SPDX-License-Identifier: ISC */
/* The host of a process: its scheduler over epoll, and how it starts and stops. */
#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/check.h"
#include "host/linux/inside.h"
#include "host/linux/linux.h"

static const struct host_ops ops = {
        .wall_ms = linux_wall_ms,
        .random = linux_random,
        .console = linux_console,
        .wait_stop = linux_wait_stop,
        .listen = linux_listen,
        .accept = linux_accept,
        .listener_close = linux_listener_close,
        .connect = linux_connect,
        .tcp_read = linux_tcp_read,
        .tcp_write = linux_tcp_write,
        .tcp_local = linux_tcp_local,
        .tcp_close = linux_tcp_close,
        .udp_open = linux_udp_open,
        .udp_send = linux_udp_send,
        .udp_receive = linux_udp_receive,
        .udp_close = linux_udp_close,
        .block_open = linux_block_open,
        .block_size = linux_block_size,
        .block_resize = linux_block_resize,
        .block_read = linux_block_read,
        .block_write = linux_block_write,
        .block_flush = linux_block_flush,
        .block_close = linux_block_close,
};

bool poll_add(struct linux_host *h, struct poll *p, int fd)
{
        *p = (struct poll){.host = h, .fd = fd};
        struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = p};
        if (epoll_ctl(h->epoll, EPOLL_CTL_ADD, fd, &event) == 0)
                return true;
        int error = errno;
        close(fd);
        errno = error;
        return false;
}

static void tell(struct poll_waiter *waiter, enum poll_state state)
{
        if (waiter == NULL || waiter->state == state)
                return;
        waiter->state = state;
        fiber_wake(waiter->fiber);
}

void poll_remove(struct poll *p)
{
        tell(p->reader, POLL_CLOSED);
        tell(p->writer, POLL_CLOSED);
        close(p->fd); /* leaves the epoll set with it */
}

/* Not inlined: gcc 12 would see the address of a local stored, and not that poll_wait or the closer takes it back. */
__attribute__((noinline)) static void enter(struct poll_waiter **slot, struct poll_waiter *waiter)
{
        CHECK(*slot == NULL); /* one fiber reads and one writes at a time */
        *slot = waiter;
}

enum err poll_wait(struct poll *p, struct poll_waiter **slot, int64_t deadline_ms)
{
        struct sched *s = p->host->host.sched;
        struct poll_waiter waiter = {.fiber = sched_current(s), .state = POLL_WAITING};
        enter(slot, &waiter);
        enum err err = ERR_OK;
        while (err == ERR_OK && waiter.state == POLL_WAITING)
                err = fiber_park(s, deadline_ms);
        if (waiter.state == POLL_CLOSED)
                return ERR_CLOSED;
        *slot = NULL;
        return waiter.state == POLL_READY ? ERR_OK : err;
}

void linux_give_way(struct linux_host *h)
{
        enum { AT_ONCE = 16 };
        if (++h->unwaited < AT_ONCE)
                return;
        h->unwaited = 0;
        fiber_yield(h->host.sched);
}

static int timeout_of(int64_t until_ms)
{
        if (until_ms == FIBER_NEVER)
                return -1;
        int64_t left_ms = until_ms == 0 ? 0 : until_ms - linux_now_ms(NULL);
        return left_ms <= 0 ? 0 : left_ms < INT_MAX ? (int)left_ms : INT_MAX;
}

/* Fibers do not run in here, so no poll goes away while its event waits in the array. */
void linux_wait(struct linux_host *h, int64_t until_ms)
{
        struct epoll_event events[128];
        int n = epoll_wait(h->epoll, events, (int)(sizeof events / sizeof events[0]), timeout_of(until_ms));
        CHECK(n >= 0 || errno == EINTR);
        for (int i = 0; i < n; i++) {
                struct poll *p = events[i].data.ptr;
                uint32_t what = events[i].events;
                if (p == &h->flusher.poll)
                        flusher_collect(h);
                if ((what & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
                        tell(p->reader, POLL_READY);
                if ((what & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0)
                        tell(p->writer, POLL_READY);
        }
}

static void wait_platform(void *platform, int64_t until_ms)
{
        linux_wait(platform, until_ms);
}

void linux_take_descriptors(void)
{
        struct rlimit limit;
        if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
                return;
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static size_t descriptors_max(void)
{
        struct rlimit limit;
        if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > INT_MAX)
                return INT_MAX;
        return (size_t)limit.rlim_cur;
}

struct host *linux_host_new(const char *label)
{
        struct linux_host *h = calloc(1, sizeof *h);
        if (h == NULL)
                return NULL;
        const struct sched_platform platform = {
                .now_ms = linux_now_ms,
                .wait = wait_platform,
                .platform = h,
                .stack_alloc = linux_stack_alloc,
                .stack_free = linux_stack_free,
                .stack_rest = linux_stack_rest,
                .stack_unused = linux_stack_unused,
        };
        h->host = (struct host){.ops = &ops,
                .sched = sched_new(&platform),
                .label = label,
                .connections_max = descriptors_max()};
        h->epoll = epoll_create1(EPOLL_CLOEXEC);
        if (h->host.sched == NULL || h->epoll < 0 || !flusher_start(h)) {
                if (h->epoll >= 0)
                        close(h->epoll);
                sched_free(h->host.sched);
                free(h);
                return NULL;
        }
        console_open(&h->console, STDERR_FILENO);
#ifdef M_TRIM_THRESHOLD
        /* Each message takes and gives some 100 KiB: a heap that shrank and grew with each would cost more than the
         * message. */
        (void)mallopt(M_TRIM_THRESHOLD, 4 * 1024 * 1024);
#endif
        signal(SIGPIPE, SIG_IGN);
        signal(SIGXFSZ, SIG_IGN);
        return &h->host;
}

void linux_host_free(struct host *host)
{
        if (host == NULL)
                return;
        struct linux_host *h = linux_of(host);
        flusher_stop(h);
        console_close(&h->console);
        close(h->epoll);
        sched_free(h->host.sched);
        free(h);
}

void linux_host_run(struct host *h, void (*main)(void *arg), void *arg)
{
        sched_run(h->sched, main, arg);
}

static enum err wait_signal(struct poll *p)
{
        struct signalfd_siginfo info;
        while (read(p->fd, &info, sizeof info) != sizeof info) {
                CHECK(errno == EAGAIN || errno == EINTR);
                enum err err = errno == EAGAIN ? poll_wait(p, &p->reader, FIBER_NEVER) : ERR_OK;
                if (err != ERR_OK)
                        return err;
        }
        return ERR_OK;
}

/* The signals are blocked only meanwhile, so that a second one ends a process that is slow to stop. */
enum err linux_wait_stop(struct host *h)
{
        struct poll p;
        sigset_t stop, before;
        sigemptyset(&stop);
        sigaddset(&stop, SIGTERM);
        sigaddset(&stop, SIGINT);
        CHECK(pthread_sigmask(SIG_BLOCK, &stop, &before) == 0);
        int fd = signalfd(-1, &stop, SFD_NONBLOCK | SFD_CLOEXEC);
        CHECK(fd >= 0 && poll_add(linux_of(h), &p, fd));
        enum err err = wait_signal(&p);
        poll_remove(&p);
        CHECK(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
        return err;
}
