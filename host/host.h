/* SPDX-License-Identifier: ISC */
/* What a node needs from the world, and nothing more: clocks, random bytes, TCP, UDP, blocks, a console.
 * Every call that can wait blocks the calling fiber only; deadlines are monotonic milliseconds (FIBER_NEVER: none).
 * A node holds a `struct host *`; there is no global state, so that many nodes can live in one process.
 * Blocking calls give ERR_TIMEOUT and ERR_CANCELLED as fiber/fiber.h says, beside what stands at each. */
#ifndef HOST_HOST_H
#define HOST_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/str.h"
#include "fiber/fiber.h"

struct host;
struct host_listener;
struct host_tcp;
struct host_udp;
struct host_block;

/* The platform's side: one table each for linux/, solo5/, virtio/ and sim/. Callers use the functions below it. */
struct host_ops {
        int64_t (*wall_ms)(struct host *h);
        void (*random)(struct host *h, void *out, size_t n);
        void (*console)(struct host *h, struct str line);
        enum err (*wait_stop)(struct host *h);
        enum err (*listen)(struct host *h, const struct ip_port *at, struct host_listener **out);
        enum err (*accept)(
                struct host_listener *l, int64_t deadline_ms, struct host_tcp **out, struct ip_port *peer);
        void (*listener_close)(struct host_listener *l);
        enum err (*connect)(
                struct host *h, const struct ip_port *to, int64_t deadline_ms, struct host_tcp **out);
        enum err (*tcp_read)(struct host_tcp *t, void *into, size_t cap, int64_t deadline_ms, size_t *got);
        enum err (*tcp_write)(struct host_tcp *t, const void *from, size_t n, int64_t deadline_ms);
        enum err (*tcp_local)(struct host_tcp *t, struct ip_port *out);
        void (*tcp_close)(struct host_tcp *t);
        enum err (*udp_open)(struct host *h, const struct ip_port *peer, struct host_udp **out);
        enum err (*udp_send)(struct host_udp *u, const void *from, size_t n);
        enum err (*udp_receive)(struct host_udp *u, void *into, size_t cap, int64_t deadline_ms, size_t *got);
        void (*udp_close)(struct host_udp *u);
        enum err (*block_open)(struct host *h, struct str name, bool create, struct host_block **out);
        uint64_t (*block_size)(struct host_block *b);
        enum err (*block_resize)(struct host_block *b, uint64_t size);
        enum err (*block_read)(struct host_block *b, uint64_t at, void *into, size_t n);
        enum err (*block_write)(struct host_block *b, uint64_t at, const void *from, size_t n);
        enum err (*block_flush)(struct host_block *b);
        void (*block_close)(struct host_block *b);
};

/* A platform puts this first in its own struct. */
struct host {
        const struct host_ops *ops;
        struct sched *sched;
        const char *label; /* --name: stands in each log line when set */
        size_t connections_max; /* that this platform has room for, of all kinds, to the outside; 0: no bound is known */
};

/* Clocks: Unix time in milliseconds, which may jump; and a clock that never goes back. */
int64_t host_wall_ms(struct host *h);
int64_t host_now_ms(struct host *h);
/* Bytes fit for keys. Never fails: a platform without randomness does not start. */
void host_random(struct host *h, void *out, size_t n);
uint64_t host_random_below(struct host *h, uint64_t bound); /* uniform in 0 to bound - 1; bound > 0 */

/* One line to the console, without its line end. Never blocks: lines dropped are counted, and the count is said. */
void host_console(struct host *h, struct str line);

/* Wait until the platform asks this node to end (SIGTERM or SIGINT on Linux). By one fiber at a time.
 *   ERR_OK when it does */
MUST_USE enum err host_wait_stop(struct host *h);

/* TCP.
 *   listen   ERR_OK, ERR_BUSY (address in use), ERR_DENIED (no right to the port), ERR_UNREACHABLE (not our address),
 *            ERR_LIMIT (too many open)
 *   accept   ERR_OK, ERR_CLOSED
 *   connect  ERR_OK, ERR_REFUSED, ERR_UNREACHABLE, ERR_CLOSED, ERR_LIMIT (too many open)
 *   read     ERR_OK with 1 to `cap` bytes, ERR_EOF (the peer ended in order), ERR_CLOSED (reset)
 *   write    ERR_OK when all of it is with the kernel, ERR_CLOSED
 * One fiber reads and one writes at a time. TCP_NODELAY is always set. Closing while a fiber waits inside wakes it
 * with ERR_CLOSED. host_tcp_close never blocks and frees `t`. */
MUST_USE enum err host_listen(struct host *h, const struct ip_port *at, struct host_listener **out);
MUST_USE enum err host_accept(struct host *h, struct host_listener *l, int64_t deadline_ms,
        struct host_tcp **out, struct ip_port *peer);
void host_listener_close(struct host *h, struct host_listener *l);
MUST_USE enum err host_connect(
        struct host *h, const struct ip_port *to, int64_t deadline_ms, struct host_tcp **out);
MUST_USE enum err host_tcp_read(
        struct host *h, struct host_tcp *t, void *into, size_t cap, int64_t deadline_ms, size_t *got);
MUST_USE enum err host_tcp_write(struct host *h, struct host_tcp *t, struct str bytes, int64_t deadline_ms);
MUST_USE enum err host_tcp_local(struct host *h, struct host_tcp *t, struct ip_port *out);
void host_tcp_close(struct host *h, struct host_tcp *t);

/* UDP towards one peer from a fresh port, chosen at random by the platform; datagrams from others are not seen.
 *   open     ERR_OK, ERR_UNREACHABLE, ERR_LIMIT
 *   send     ERR_OK (sent or lost), ERR_REFUSED, ERR_UNREACHABLE, ERR_LIMIT (too long for a datagram)
 *   receive  ERR_OK, ERR_REFUSED (ICMP said so), ERR_LIMIT (longer than `cap`: dropped) */
MUST_USE enum err host_udp_open(struct host *h, const struct ip_port *peer, struct host_udp **out);
MUST_USE enum err host_udp_send(struct host *h, struct host_udp *u, struct str bytes);
MUST_USE enum err host_udp_receive(
        struct host *h, struct host_udp *u, void *into, size_t cap, int64_t deadline_ms, size_t *got);
void host_udp_close(struct host *h, struct host_udp *u);

/* Blocks: a named array of bytes that is locked for us while open (a file on Linux, a device in a guest).
 * Reads and writes may stand at any offset inside the size. A write is durable only after a flush has returned ERR_OK.
 *   open    ERR_OK, ERR_NOT_FOUND, ERR_BUSY (open elsewhere), ERR_DENIED, ERR_IO, ERR_FULL, ERR_MEMORY;
 *           `create` makes an empty one when there is none
 *   resize  ERR_OK, ERR_FULL, ERR_IO; the space is really reserved; ERR_UNSUPPORTED for a device
 *   read    ERR_OK, ERR_LIMIT (outside), ERR_IO
 *   write   ERR_OK, ERR_LIMIT (outside), ERR_FULL, ERR_IO
 *   flush   ERR_OK, ERR_IO (final). The calling fiber waits; others run meanwhile.
 * After ERR_IO from a resize, write or flush every later one of that block gives ERR_IO. */
MUST_USE enum err host_block_open(struct host *h, struct str name, bool create, struct host_block **out);
uint64_t host_block_size(struct host *h, struct host_block *b);
MUST_USE enum err host_block_resize(struct host *h, struct host_block *b, uint64_t size);
MUST_USE enum err host_block_read(struct host *h, struct host_block *b, uint64_t at, void *into, size_t n);
MUST_USE enum err host_block_write(struct host *h, struct host_block *b, uint64_t at, struct str bytes);
MUST_USE enum err host_block_flush(struct host *h, struct host_block *b);
void host_block_close(struct host *h, struct host_block *b);

#endif
