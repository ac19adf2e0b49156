/* SPDX-License-Identifier: ISC */
/* The inside of the Linux platform, for its own files. */
#ifndef HOST_LINUX_INSIDE_H
#define HOST_LINUX_INSIDE_H

#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "host/host.h"

enum poll_state { POLL_WAITING, POLL_READY, POLL_CLOSED };

/* A fiber inside a call on a descriptor; on its stack. */
struct poll_waiter {
        struct fiber *fiber;
        enum poll_state state;
};

/* A non-blocking descriptor in the epoll set, edge-triggered: try, and wait only after EAGAIN. */
struct poll {
        struct linux_host *host;
        int fd;
        struct poll_waiter *reader, *writer;
};

/* The console on standard error. */
struct console {
        int fd;
        bool is_socket;
        bool is_blocking; /* ask before each write */
        bool is_ours;     /* opened here */
        bool is_torn;     /* the last line stands there in part */
        uint64_t dropped;
};

/* Flushes on their way to the helper thread and back, both lists under `lock`. */
struct flusher {
        pthread_t thread;
        pthread_mutex_t lock;
        pthread_cond_t work;
        struct host_block *waiting, *done;
        bool stop;
        struct poll poll; /* an eventfd: something is done */
};

/* Random bytes for ids, ports and tickets, which are asked for so often that a call of the kernel for each would count. */
enum { RANDOM_SMALL = 16, RANDOM_STORE = 256 };
struct random {
        size_t left; /* those at the head are still unused, the others wiped */
        char bytes[RANDOM_STORE];
};

struct linux_host {
        struct host host;
        int epoll;
        unsigned unwaited; /* calls that did not have to wait since one last gave way to others */
        struct random random;
        struct console console;
        struct flusher flusher;
};

static inline struct linux_host *linux_of(struct host *h)
{
        return (struct linux_host *)h;
}

/* errno.c: the only place where errno becomes an err. */
enum err err_of_socket(int error); /* a connection that was established */
enum err err_of_open(int error);   /* making, binding, connecting */
enum err err_of_disk(int error);

/* start.c */
bool poll_add(struct linux_host *h, struct poll *p, int fd); /* false: `fd` is closed, errno kept */
void poll_remove(struct poll *p);                            /* wakes who waits; closes `fd` */
/*   ERR_OK: try again; ERR_CLOSED: poll_remove was called and `p` may be gone; ERR_TIMEOUT, ERR_CANCELLED */
enum err poll_wait(struct poll *p, struct poll_waiter **slot, int64_t deadline_ms);
void linux_give_way(
        struct linux_host *h); /* called after a success that did not wait: lets others run now and then */
void linux_wait(struct linux_host *h, int64_t until_ms);

/* clock.c */
int64_t linux_wall_ms(struct host *h);
int64_t linux_now_ms(void *platform);

/* random.c */
void linux_random(struct host *h, void *out, size_t n);

/* console.c */
void console_open(struct console *c, int fd);
void console_close(struct console *c);
void linux_console(struct host *h, struct str line);
/* SIGTERM and SIGINT are caught only while this waits: a second one ends the process at once. */
enum err linux_wait_stop(struct host *h);

/* stack.c */
void *linux_stack_alloc(void *platform, size_t n);
void linux_stack_free(void *platform, void *stack, size_t n);
void linux_stack_rest(void *platform, void *stack, size_t n);
size_t linux_stack_unused(void *platform, const void *stack, size_t n);

/* net.c */
enum err linux_listen(struct host *h, const struct ip_port *at, struct host_listener **out);
enum err linux_accept(
        struct host_listener *l, int64_t deadline_ms, struct host_tcp **out, struct ip_port *peer);
void linux_listener_close(struct host_listener *l);
enum err linux_connect(struct host *h, const struct ip_port *to, int64_t deadline_ms, struct host_tcp **out);
enum err linux_tcp_read(struct host_tcp *t, void *into, size_t cap, int64_t deadline_ms, size_t *got);
enum err linux_tcp_write(struct host_tcp *t, const void *from, size_t n, int64_t deadline_ms);
enum err linux_tcp_local(struct host_tcp *t, struct ip_port *out);
void linux_tcp_close(struct host_tcp *t);

/* udp.c */
enum err linux_udp_open(struct host *h, const struct ip_port *peer, struct host_udp **out);
enum err linux_udp_send(struct host_udp *u, const void *from, size_t n);
enum err linux_udp_receive(struct host_udp *u, void *into, size_t cap, int64_t deadline_ms, size_t *got);
void linux_udp_close(struct host_udp *u);

/* address.c */
union address {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
};
socklen_t address_of(const struct ip_port *from, union address *out);
struct ip_port address_read(const union address *a);

/* disk.c */
bool flusher_start(struct linux_host *h);
void flusher_stop(struct linux_host *h);
void flusher_collect(struct linux_host *h); /* called when the eventfd is readable */
enum err linux_block_open(struct host *h, struct str name, bool create, struct host_block **out);
uint64_t linux_block_size(struct host_block *b);
enum err linux_block_resize(struct host_block *b, uint64_t size);
enum err linux_block_read(struct host_block *b, uint64_t at, void *into, size_t n);
enum err linux_block_write(struct host_block *b, uint64_t at, const void *from, size_t n);
enum err linux_block_flush(struct host_block *b);
void linux_block_close(struct host_block *b);

#endif
