/* SPDX-License-Identifier: ISC */
/* The inside of the simulator, for its own files. */
#ifndef HOST_SIM_INSIDE_H
#define HOST_SIM_INSIDE_H

#include "host/sim/sim.h"

/* Something that happens at a time; part of what it happens to. Equal times: in the order in which they were set. */
struct event {
        int64_t at_ms;
        uint64_t order;
        size_t place; /* in the heap, from 1; 0: not waiting */
        bool is_heap; /* a block of its own, freed with the simulation when it never came */
        void (*fire)(struct event *e);
};

struct events {
        struct event **heap; /* [0] is due first */
        size_t n, cap;
        uint64_t order;
};

/* An address and whose it is; sorted. */
struct place {
        struct ip ip;
        struct sim_node *node;
};

struct sim {
        uint64_t seed;
        struct sim_watch watch;
        struct sched *sched;
        int64_t now_ms;
        struct events events;
        uint64_t fired;
        struct scope scope; /* of everything, while sim_run is inside */
        bool is_open, is_done;
        uint64_t calls, looks; /* since time last passed */
        char *failure;
        struct idle_stack *stacks;

        struct sim_node **nodes;
        size_t node_n, node_cap;
        struct place *places;
        size_t place_n, place_cap;
        struct sim_link link;
        struct conn *conns, **conns_end; /* in the order of their making */
        uint64_t conn_id;
};

enum waiter_state { WAITER_WAITING, WAITER_READY, WAITER_CLOSED };

/* A fiber inside a host call; on its stack. */
struct waiter {
        struct fiber *fiber;
        enum waiter_state state;
};

struct cut_plan {
        struct cut_plan *next;
        uint64_t at;
        enum sim_cut how;
};

/* One direction between two nodes. */
struct link {
        struct sim_link set;
        struct sim_random random;
        int64_t down_until_ms;
        int64_t busy_until_us; /* by what was sent before, at its bandwidth */
        struct cut_plan *plans, **plans_end;
};

struct kill_plan {
        uint64_t call; /* its number; 0: none */
        enum sim_moment moment;
        enum sim_kill how;
};

struct sim_node {
        struct host host; /* first: a node is its host */
        struct sim *sim;
        char *name;
        size_t id; /* in sim->nodes */
        struct ip *addresses;
        size_t address_n;
        struct sim_disk *disk;
        struct link **links; /* towards each node, by id; made when first used */
        size_t link_cap;
        struct sim_random bytes, ports, turns, fate; /* host_random; source ports; who runs next; kills */

        bool is_on;      /* the machine */
        bool is_running; /* the process: from its start until it has unwound */
        bool is_dead;    /* killed and unwinding */
        bool is_stopping;
        bool has_scope;
        struct scope scope;
        int (*fn)(struct host *h, void *arg);
        void *arg;
        int status;
        struct waitq joiners;
        struct waiter *stopper;
        struct event unwound; /* by then it must be */
        struct kill_plan kill_plan;
        int crash;

        int64_t clock_ms;
        size_t open_max;
        struct sim_node_counters counters;
        struct end *ends;
        struct host_listener *listeners;
        struct socket *sockets;
};

static inline struct sim_node *node_of(struct host *h)
{
        return (struct sim_node *)h;
}

/* event.c */
void event_set(struct sim *sim, struct event *e, int64_t at_ms); /* instead of when it was set to before */
void event_drop(struct sim *sim, struct event *e);               /* if it is set */
int64_t event_next(const struct sim *sim);                       /* when; FIBER_NEVER: none waits */
void event_fire_due(struct sim *sim);
void event_free_all(struct sim *sim);

/* start.c */
void *sim_alloc(size_t n);                                      /* zeros; never NULL */
void *sim_grow(void *p, size_t *cap, size_t need, size_t size); /* room for `need` elements of `size` bytes */
/*   ERR_OK: look again; ERR_CLOSED: what was waited on may be gone; ERR_TIMEOUT, ERR_CANCELLED */
MUST_USE enum err waiter_wait(struct sim *sim, struct waiter **slot, int64_t deadline_ms);
void waiter_tell(struct waiter *waiter, enum waiter_state state); /* NULL is nobody */
void waiter_close(struct waiter **slot);                          /* what it waits on goes away */
/* A call that did not have to wait: now and then another fiber's turn comes, as drawn. */
void give_way(struct sim_node *node);

/* stack.c */
void *stack_alloc(void *platform, size_t n);
void stack_keep(void *platform, void *stack, size_t n);
size_t stack_unused(void *platform, const void *stack, size_t n);
void stack_free_all(struct sim *sim); /* after the scheduler's end */

/* node.c */
uint64_t call_begin(struct sim_node *node); /* its number; 0: the node is dead, perhaps by this very call */
void call_end(struct sim_node *node, uint64_t call);
bool node_has_room(const struct sim_node *node); /* for one thing more to be open */
void node_opened(struct sim_node *node);
void node_closed(struct sim_node *node);
enum err node_wait_stop(struct host *h);
void node_free_all(struct sim *sim);
void node_kill_all(struct sim *sim);

/* calls.c: the table, in which calls are counted before they go to net.c, udp.c and block.c */
extern const struct host_ops sim_host_ops;

/* clock.c, random.c, trace.c */
int64_t node_wall_ms(struct host *h);
void node_random(struct host *h, void *out, size_t n);
void node_console(struct host *h, struct str line);
const char *ip_port_text(const struct ip_port *at, char text[IP_PORT_TEXT_MAX]); /* NUL-terminated */

/* link.c */
struct link *link_of(struct sim_node *from, struct sim_node *to);
bool link_is_up(struct sim_node *from, struct sim_node *to); /* and both machines are on */
int64_t link_delay_ms(struct link *l);                       /* of one packet, as drawn */
/* When `n` bytes that are sent now arrive. */
int64_t link_arrival_ms(struct sim *sim, struct link *l, size_t n);
/* The byte at which a new connection is cut in this direction, as planned or drawn; 0: it is not. */
uint64_t link_take_cut(struct link *l, enum sim_cut *how);
enum sim_cut link_draw_cut(struct link *l, enum sim_cut how); /* settles SIM_CUT_ANY */
void link_free_all(struct sim_node *node);

/* address.c */
void address_add(struct sim_node *node, const struct ip *ip);
struct sim_node *address_find(struct sim *sim, const struct ip *ip); /* NULL: nobody's */
/* The node that `from` reaches by this address; loopback is itself. */
struct sim_node *address_reach(struct sim_node *from, const struct ip *ip);
bool address_is_own(const struct sim_node *node, const struct ip *ip); /* also loopback, 0.0.0.0 and :: */
bool address_covers(const struct ip *bound, const struct ip *ip);      /* the same, or all of its family */
/* Where the node speaks from to reach `to`; false: it has no address of that family. */
bool address_source(const struct sim_node *node, const struct ip *to, struct ip *out);
bool ip_port_eq(const struct ip_port *a, const struct ip_port *b);

/* net.c */
enum err net_listen(struct sim_node *node, const struct ip_port *at, struct host_listener **out);
enum err net_accept(
        struct host_listener *l, int64_t deadline_ms, struct host_tcp **out, struct ip_port *peer);
void net_listener_close(struct host_listener *l);
enum err net_connect(
        struct sim_node *node, const struct ip_port *to, int64_t deadline_ms, struct host_tcp **out);
enum err net_read(struct host_tcp *t, void *into, size_t cap, int64_t deadline_ms, size_t *got);
enum err net_write(struct host_tcp *t, struct str bytes, int64_t deadline_ms);
struct ip_port net_local(const struct host_tcp *t);
void net_close(struct host_tcp *t);
struct sim_node *net_node(const struct host_tcp *t);
struct sim_node *net_listener_node(const struct host_listener *l);
void net_kill(struct sim_node *node, enum sim_kill how); /* all that it has open */
void net_power_off(struct sim_node *node); /* what its kernel would have sent again is lost, too */
void net_free_all(struct sim *sim);

/* udp.c: one socket for both faces */
struct socket;
enum err socket_open(
        struct sim_node *node, const struct ip_port *at, const struct ip_port *peer, struct socket **out);
enum err socket_send(struct socket *u, const struct sim_udp_peer *peer, struct str bytes);
enum err socket_receive(struct socket *u, void *into, size_t cap, int64_t deadline_ms, size_t *got,
        struct sim_udp_peer *peer);
void socket_close(struct socket *u);
struct sim_node *socket_node(const struct socket *u);
void socket_kill(struct sim_node *node);

/* block.c */
enum err block_open(struct sim_node *node, struct host_block **out);
struct sim_node *block_node(const struct host_block *b);
struct host_block *block_inner(const struct host_block *b); /* the disk's handle */
void block_close(struct host_block *b);

#endif
