/* SPDX-License-Identifier: ISC */
/* The simulator: a small Internet in one process, on virtual time. Nodes run product code or peers as fibers, each with
 * a `struct host *` of its own; between them lies a network that delays, loses, cuts and partitions; beneath each may
 * lie a disk (host/sim/disk.h). Everything follows from the seed: the same seed gives the same trace, byte by byte.
 *
 * One scheduler carries all nodes. The clock stands still while fibers run and jumps to the next event when none can.
 * Nothing here reads a real clock, draws real randomness, or orders anything by its address.
 *
 * The simulation owns its nodes and their hosts; disks belong to the caller. Memory that is out ends the program.
 * Where a function takes nodes `from` and `to`, NULL stands for every node added so far; what a node says to itself is
 * meant only when both are named. Such a link has no delay, as made. */
#ifndef HOST_SIM_SIM_H
#define HOST_SIM_SIM_H

#include "host/host.h"
#include "host/sim/disk.h"
#include "host/sim/random.h"

#define SIM_EPOCH_MS INT64_C(1800000000000) /* wall clock at the start: 2027-01-15T08:00:00Z */
#define SIM_START_MS INT64_C(1000)          /* monotonic clock at the start */
#define SIM_CONNECTIONS_MAX 2000            /* that a node is told it has room for: a unikernel's */

struct sim;
struct sim_node;

/* Who looks on; each may be NULL. None of them may block or change the simulation. */
struct sim_watch {
        /* One trace line with its LF: hash it, print it. "SECONDS.MILLISECONDS NODE EVENT DETAILS"; "-" is no node. */
        void (*trace)(void *arg, struct str line);
        /* One line that a node wrote to its console, without LF; it is in the trace as well, as event "log". */
        void (*console)(void *arg, struct sim_node *node, struct str line);
        void *arg;
};

/* `watch` is copied, or NULL. */
struct sim *sim_new(uint64_t seed, const struct sim_watch *watch);
void sim_free(struct sim *sim); /* after sim_run; NULL is nothing */

/* Run `main(sim, arg)` as the first fiber, outside of any node. When it returns, nodes that still run are killed as
 * processes and waited for; so stop and join those whose end matters. May be called once. */
void sim_run(struct sim *sim, void (*main)(struct sim *sim, void *arg), void *arg);
struct sched *sim_sched(struct sim *sim);
int64_t sim_now(const struct sim *sim); /* monotonic milliseconds, what host_now_ms of every node gives */
uint64_t sim_seed(const struct sim *sim);
uint64_t sim_events(const struct sim *sim); /* handled so far: arrivals, cuts, datagrams */

/* Failures. The first one is kept: its story is traced, and every fiber is cancelled, so that sim_run returns. Found here
 * are: nothing left that could ever happen (deadlock); host calls or switches without end while no time passes
 * (livelock; a fiber that goes on even then ends the program with the story on standard error); a killed node of which a
 * fiber lives on 10 seconds later; a node that ends with something open. Others tell theirs through sim_fail. */
void sim_fail(struct sim *sim, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *sim_failure(const struct sim *sim); /* the story, or NULL */

/* One line of the trace. `node` may be NULL; `event` is one word; the details are one line, as a literal format. */
void sim_trace(struct sim *sim, const struct sim_node *node, const char *event, const char *format, ...)
        __attribute__((format(printf, 4, 5)));

/* Nodes.
 * A node is a machine with a name, addresses and perhaps a disk, on which a process can be started, again and again.
 * The name is copied; so are the addresses, which no other node may have. The first of a family is where connections
 * come from. `disk` is what host_block_open opens, by any name (NULL: ERR_NOT_FOUND). */
struct sim_node *sim_node_add(
        struct sim *sim, const char *name, const struct ip *addresses, size_t count, struct sim_disk *disk);
struct sim_node *sim_node_find(struct sim *sim, struct str name); /* NULL: none */
struct host *sim_node_host(struct sim_node *node);                /* the same for all its lives */
struct sim_node *sim_node_of(struct host *h);
struct sim *sim_of(struct host *h);
const char *sim_node_name(const struct sim_node *node);
size_t sim_node_addresses(const struct sim_node *node, const struct ip **out); /* how many; borrowed */
struct sim_disk *sim_node_disk(struct sim_node *node);

/* Start `fn(host, arg)` as the node's process; what it returns is the exit status. The machine is powered on with it.
 * The process before has ended (sim_node_is_running is false). */
void sim_node_start(struct sim_node *node, int (*fn)(struct host *h, void *arg), void *arg);
void sim_node_stop(
        struct sim_node *node); /* ask it to end: host_wait_stop returns; harmless when it does not run */
bool sim_node_is_running(const struct sim_node *node);
/* Wait until the process has ended.
 *   ERR_OK with its status, SIM_STATUS_KILLED when it was killed; at once when it has ended already, with the last
 *   status; ERR_TIMEOUT, ERR_CANCELLED, with status 0 */
#define SIM_STATUS_KILLED (-1)
MUST_USE enum err sim_node_join(struct sim_node *node, int64_t deadline_ms, int *status);

/* A kill: from that instant every host call of the node fails without effect (blocks ERR_IO, the others ERR_CLOSED;
 * clocks and randomness go on, the console is silent), and its fibers are cancelled. They unwind and free everything
 * without virtual time; sim_node_join waits for it.
 *   PROCESS  the machine stays up: its kernel resets each connection (what is in flight still arrives before that, or is
 *            lost: drawn for each), refuses new ones, and keeps what was written to the disk
 *   POWER    silence: peers wait until their deadlines, or meet a reset when they send after the machine is on again,
 *            which sim_node_start does. The disk loses, tears or reorders what was not flushed, as drawn */
enum sim_kill { SIM_KILL_PROCESS, SIM_KILL_POWER };
void sim_node_kill(
        struct sim_node *node, enum sim_kill how); /* harmless when it does not run, but for the power */
/* The same at the node's `n`-th host call from now (1: the next one), just before or just after it takes effect. Calls
 * are those on TCP, UDP and blocks. One at a time; `n` 0 forgets it. It outlives starts and is spent when it happens. */
enum sim_moment { SIM_BEFORE, SIM_AFTER };
void sim_node_kill_at_call(struct sim_node *node, uint64_t n, enum sim_moment moment, enum sim_kill how);
void sim_node_set_crash(
        struct sim_node *node, int how); /* what a power cut does to the disk: an enum sim_disk_crash;
                                                          * SIM_DISK_CRASHES, as made: drawn each time */

/* The node's wall clock is `offset_ms` ahead of the simulation's from now on. The monotonic one never jumps. */
void sim_node_set_clock(struct sim_node *node, int64_t offset_ms);
int64_t sim_node_clock(const struct sim_node *node); /* its offset */
/* How many connections, listeners and UDP ports it may have open before ERR_LIMIT. As made: 20,000. */
void sim_node_set_open_max(struct sim_node *node, size_t most);

struct sim_node_counters {
        uint64_t calls;               /* host calls on TCP, UDP and blocks */
        uint64_t bytes_in, bytes_out; /* read from and written to TCP */
        uint64_t datagrams_in, datagrams_out;
        uint64_t connections;    /* opened and accepted ever */
        size_t connections_open; /* now */
        size_t open, open_high;  /* connections, listeners and UDP ports: now, and the most ever */
        size_t fibers;           /* alive now, without those in shielded scopes */
        uint64_t starts, kills;
};
struct sim_node_counters sim_node_counters(const struct sim_node *node);

/* The network. Each ordered pair of nodes is a link; what a connection's two directions do is up to the two links.
 * All of it may be changed while running, and holds for what is sent from then on. */
struct sim_link {
        int64_t latency_ms,
                jitter_ms;    /* one way: latency, and 0 to jitter more for each packet. As made: 2, 3 */
        uint64_t bytes_per_s; /* shared by all connections; 0, as made: without limit */
        size_t window;        /* TCP: bytes sent and not yet read, before a writer waits. As made: 64 KiB */
        uint32_t loss_ppm;    /* TCP: a burst must be sent again, 200 ms later */
        uint32_t split_ppm;   /* TCP: a burst comes in two parts. As made: 50,000 */
        uint32_t cut_ppm;     /* TCP: a new connection will be cut in this direction ... */
        uint64_t cut_within;  /* ... at a byte drawn from the first so many ... */
        int cut_how;          /* ... in this manner: an enum sim_cut */
        uint32_t udp_loss_ppm, udp_copy_ppm;
        uint32_t udp_late_ppm; /* a datagram is late by up to `udp_late_ms`, and overtaken by others */
        int64_t udp_late_ms;
        bool refuses; /* TCP: as if nobody listened */
};
void sim_link_set(struct sim *sim, struct sim_node *from, struct sim_node *to, const struct sim_link *link);
struct sim_link sim_link_get(struct sim *sim, struct sim_node *from, struct sim_node *to); /* no NULL here */
/* What links are made as; changes those of nodes added later only. */
void sim_link_set_default(struct sim *sim, const struct sim_link *link);
struct sim_link sim_link_default(const struct sim *sim);

/* Nothing passes from `from` to `to` before `until_ms` (FIBER_NEVER: a black hole). Connecting times out, datagrams are
 * lost, established connections fall silent; TCP sends again after 0.2, 0.4, 0.8 ... seconds (at most 120 s apart), so
 * that a connection goes on when the link does, and gives up after 15 minutes: ERR_CLOSED at the sender. 0 mends it. */
void sim_link_down(struct sim *sim, struct sim_node *from, struct sim_node *to, int64_t until_ms);
/* The same both ways between these nodes and all others. */
void sim_partition(struct sim *sim, struct sim_node *const *nodes, size_t count, int64_t until_ms);
void sim_heal(struct sim *sim); /* every link is up */

/* How a connection ends before its time.
 *   RESET    both ends are reset; what is in flight is lost
 *   SILENCE  nothing passes any more, either way, and nobody is told
 *   HALF     the sender's end is reset; the receiver's learns of it when it sends
 *   ANY      one of these, drawn */
enum sim_cut { SIM_CUT_RESET, SIM_CUT_SILENCE, SIM_CUT_HALF, SIM_CUT_ANY };
/* The next connection between the two (whichever opens it) is cut when the `at`-th byte from `from` to `to` should
 * arrive: the bytes before it do (1: none). Plans queue up, at most one a connection and direction. */
void sim_link_cut_next(
        struct sim *sim, struct sim_node *from, struct sim_node *to, uint64_t at, enum sim_cut how);
/* Every connection between the two, now. `from` counts as the sender. Gives how many there were. */
size_t sim_link_cut(struct sim *sim, struct sim_node *from, struct sim_node *to, enum sim_cut how);

/* UDP for those who answer: host.h has only the asking side. The rest is as for host_udp.
 *   open     ERR_OK, ERR_BUSY, ERR_UNREACHABLE (not our address; 0.0.0.0 and :: are all of a family), ERR_LIMIT
 *   send     ERR_OK (sent or lost), ERR_UNREACHABLE, ERR_LIMIT
 *   receive  ERR_OK with who sent it and to which of our addresses, ERR_LIMIT (longer than `cap`: dropped) */
struct sim_udp;
struct sim_udp_peer {
        struct ip_port from, to;
};
MUST_USE enum err sim_udp_open(struct host *h, const struct ip_port *at, struct sim_udp **out);
MUST_USE enum err sim_udp_receive(struct sim_udp *u, void *into, size_t cap, int64_t deadline_ms, size_t *got,
        struct sim_udp_peer *peer);
/* Answer `peer`, from the address that it wrote to. */
MUST_USE enum err sim_udp_send(struct sim_udp *u, const struct sim_udp_peer *peer, struct str bytes);
void sim_udp_close(struct sim_udp *u); /* NULL is nothing */

#endif
