/* SPDX-License-Identifier: ISC */
/* The machine under a guest: what host/solo5/ and host/virtio/ give, and all that host/guest/ knows of them.
 * One thread, no interrupts: a call returns when it is done. Times are nanoseconds. */
#ifndef HOST_GUEST_MACHINE_H
#define HOST_GUEST_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* Printed and gone, or lost: there is nobody to tell. */
void machine_console(struct str text);
_Noreturn void machine_exit(int status);
/* `at` becomes what %fs points to, by which compiled code finds its thread's variables. */
void machine_set_thread(void *at);

uint64_t machine_now_ns(void);  /* since some start; never goes back */
uint64_t machine_wall_ns(void); /* since 1970; may cost much */
/* Until `until_ns` (UINT64_MAX: no limit) or until a frame has come; it may also return sooner. */
void machine_wait(uint64_t until_ns);

/* Memory of MACHINE_CHUNK bytes, aligned to as much, becomes stacks of MACHINE_STACK bytes, and below each a page that
 * is not there, so that an overflow faults. There is no way back. False: this machine cannot. */
#define MACHINE_CHUNK (2 * 1024 * 1024)
#define MACHINE_STACK \
        (40 * 1024) /* the deepest that was seen: 21 KB; tests/sim/world_memory.c keeps a reserve */
#define MACHINE_GUARD 4096
bool machine_guard(void *chunk);

/* The network device `service`. */
struct machine_net {
        uint8_t mac[6];
        uint16_t mtu;
};
bool machine_net(struct machine_net *out);          /* false: there is none */
size_t machine_net_receive(void *into, size_t cap); /* the length of a frame; 0: none waits */
void machine_net_send(const void *frame, size_t n); /* sent or lost */

/* A block device by its name. Transfers are whole blocks. */
struct machine_block {
        uint64_t handle;
        uint64_t capacity; /* in bytes, of whole blocks */
        uint32_t block_size;
        bool has_flush; /* false: what is written survives the guest, not the death of its host */
};
bool machine_block(struct str name, struct machine_block *out); /* false: there is none */
bool machine_block_read(const struct machine_block *b, uint64_t at, void *into, size_t n);
bool machine_block_write(const struct machine_block *b, uint64_t at, const void *from, size_t n);
bool machine_block_flush(const struct machine_block *b);

#endif
