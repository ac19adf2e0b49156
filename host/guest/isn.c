/* SPDX-License-Identifier: ISC */
/* Initial sequence numbers (RFC 6528 3): a clock of 4 microseconds, and a keyed hash of both ends, so that nobody who
 * does not see our segments can send one that fits. The key is new at each start. */
#include <string.h>

#include "base/siphash.h"
#include "host/guest/inside.h"
#include "host/guest/lwip.h"
#include "host/guest/lwip/hooks.h"

#define TICK_NS 4000

static uint8_t key[SIPHASH_KEY_SIZE];

void isn_init(void)
{
        random_bytes(key, sizeof key);
}

uint32_t guest_tcp_isn(
        const ip_addr_t *local, uint16_t local_port, const ip_addr_t *remote, uint16_t remote_port)
{
        struct {
                struct ip local, remote;
                uint16_t ports[2];
        } both;
        memset(&both, 0, sizeof both); /* what the compiler leaves between is hashed too */
        both.local = address_from_lwip(local);
        both.remote = address_from_lwip(remote);
        both.ports[0] = local_port;
        both.ports[1] = remote_port;
        return (uint32_t)(machine_now_ns() / TICK_NS) + (uint32_t)siphash(key, str_of(&both, sizeof both));
}
