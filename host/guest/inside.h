/* SPDX-License-Identifier: ISC */
/* The inside of the guests' platform, for its own files. lwIP's types are only named here. */
#ifndef HOST_GUEST_INSIDE_H
#define HOST_GUEST_INSIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "host/guest/guest.h"
#include "host/guest/machine.h"
#include "host/host.h"

struct pbuf;
struct tcp_pcb;
struct tcp_pcb_listen;
struct ip_addr;

enum waiter_state { WAITER_WAITING, WAITER_READY, WAITER_CLOSED };

/* A fiber inside a call; on its stack. */
struct waiter {
        struct fiber *fiber;
        enum waiter_state state;
};

struct guest {
        struct host host;
        unsigned unwaited; /* calls that did not have to wait since one last gave way to others */
        struct host_tcp *unacknowledged; /* connections that took data since the last look */
};

static inline struct guest *guest_of(struct host *h)
{
        return (struct guest *)h;
}

/* syscall.c: where the C library's calls of a system end up. */
void syscall_init(char *heap, char *heap_end);
long guest_syscall(long n, long a, long b, long c, long d, long e, long f);
size_t guest_memory_free(void);
void *syscall_take_chunk(void); /* MACHINE_CHUNK bytes, aligned to as much; NULL */
void syscall_give_chunk(void *chunk);

/* stack.c */
bool stack_prepare(void); /* some stacks with guards; false: the machine has none, or memory is out */
void *guest_stack_alloc(void *platform, size_t n);
void guest_stack_free(void *platform, void *stack, size_t n);

/* host.c */
/*   ERR_OK: try again; ERR_CLOSED: waiter_close was called and `slot` may be gone; ERR_TIMEOUT, ERR_CANCELLED */
enum err waiter_wait(struct guest *g, struct waiter **slot, int64_t deadline_ms);
void waiter_wake(struct waiter *w);  /* NULL: nobody waits */
void waiter_close(struct waiter *w); /* likewise */
/* Called after a success that did not wait: lets others run now and then. */
void guest_give_way(struct guest *g);

/* clock.c */
int64_t guest_now_ms(void *platform);
int64_t guest_wall_ms(struct host *h);
uint64_t guest_wall_ns(void); /* at most ten seconds old where the machine's own clock costs much */

/* random.c */
void random_init(void); /* ends the guest when the processor has no generator, or a broken one */
void guest_random(struct host *h, void *out, size_t n);
void random_bytes(void *out, size_t n);
uint16_t random_u16(void); /* cheap: for what each packet needs */

/* console.c */
void guest_console(struct host *h, struct str line);
enum err guest_wait_stop(struct host *h); /* nobody asks a guest to stop: waits until it is cancelled */

/* net.c: lwIP and the device. */
enum err net_init(const struct guest_options *o);
unsigned net_receive(void); /* takes waiting frames, a bounded number, and says how many */
uint64_t net_next_ns(void); /* when lwIP's timers want to be looked at */
void net_tick(void);        /* looks at them */
bool net_is_ours(const struct ip *ip);
void address_to_lwip(const struct ip *from, struct ip_addr *out);
struct ip address_from_lwip(const struct ip_addr *a);

/* frame.c: the bounded room for packets. A queue may grow while it is shorter than what is free: so `n` greedy queues
 * leave room for one more, and an empty one can always take something. */
bool frames_init(size_t memory, size_t frame_size);
struct pbuf *frame_take(void **data);     /* NULL: all in use */
void frame_fit(struct pbuf *p, size_t n); /* it holds `n` bytes */
size_t frames_free(void);
size_t segments_free(void); /* of what waits to be sent and acknowledged */

/* isn.c */
void isn_init(void);

/* listen.c */
enum err guest_listen(struct host *h, const struct ip_port *at, struct host_listener **out);
enum err guest_accept(
        struct host_listener *l, int64_t deadline_ms, struct host_tcp **out, struct ip_port *peer);
void guest_listener_close(struct host_listener *l);
/* Strangers who never finish their handshakes must not keep others out: the oldest of too many is forgotten. */
void listen_make_room(struct tcp_pcb_listen *listening);

/* tcp.c */
struct host_tcp {
        struct guest *guest;
        struct tcp_pcb *pcb; /* NULL once lwIP has given it up: then `fault` tells why */
        enum err fault;
        bool is_connected, is_ended; /* by the peer, in order */
        bool is_unacknowledged;
        struct pbuf *first, *last; /* received and not yet read, a chain */
        unsigned frames;           /* in that chain */
        struct waiter *reader, *writer;
        struct host_tcp *next_unacknowledged, *next_waiting; /* in lists */
};
struct host_tcp *tcp_adopt(struct guest *g, struct tcp_pcb *pcb); /* NULL: memory is out */
void tcp_acknowledge(struct guest *g); /* what has not been acknowledged along with an answer */
enum err guest_connect(struct host *h, const struct ip_port *to, int64_t deadline_ms, struct host_tcp **out);
enum err guest_tcp_read(struct host_tcp *t, void *into, size_t cap, int64_t deadline_ms, size_t *got);
enum err guest_tcp_write(struct host_tcp *t, const void *from, size_t n, int64_t deadline_ms);
enum err guest_tcp_local(struct host_tcp *t, struct ip_port *out);
void guest_tcp_close(struct host_tcp *t);

/* udp.c */
enum err guest_udp_open(struct host *h, const struct ip_port *peer, struct host_udp **out);
enum err guest_udp_send(struct host_udp *u, const void *from, size_t n);
enum err guest_udp_receive(struct host_udp *u, void *into, size_t cap, int64_t deadline_ms, size_t *got);
void guest_udp_close(struct host_udp *u);

/* block.c */
enum err guest_block_open(struct host *h, struct str name, bool create, struct host_block **out);
uint64_t guest_block_size(struct host_block *b);
enum err guest_block_resize(struct host_block *b, uint64_t size);
enum err guest_block_read(struct host_block *b, uint64_t at, void *into, size_t n);
enum err guest_block_write(struct host_block *b, uint64_t at, const void *from, size_t n);
enum err guest_block_flush(struct host_block *b);
void guest_block_close(struct host_block *b);

#endif
