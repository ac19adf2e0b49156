/* SPDX-License-Identifier: ISC */
/* Where lwIP asks us: initial sequence numbers, and whether a segment may take a place in a queue. */
#ifndef HOST_GUEST_LWIP_HOOKS_H
#define HOST_GUEST_LWIP_HOOKS_H

#include <stdint.h>

struct ip6_addr;
struct ip_addr;
struct netif;
struct tcp_pcb;

/* RFC 6528 3 */
uint32_t guest_tcp_isn(
        const struct ip_addr *local, uint16_t local_port, const struct ip_addr *remote, uint16_t remote_port);
/* 0: go on; else a segment with `n` bytes of data is dropped, and its sender slows down. A `pcb` that listens is told of
 * every segment for it, so that it can make room for one more handshake. */
int8_t guest_tcp_admit(struct tcp_pcb *pcb, uint16_t n);
/* Segments that may wait out of their order in one connection. */
uint16_t guest_tcp_unordered_max(void);

/* Where packets for other networks go; NULL: where a router's advertisement says. */
const struct ip6_addr *guest_ipv6_gateway(const struct netif *netif, const struct ip6_addr *to);

#define LWIP_HOOK_ND6_GET_GW guest_ipv6_gateway
#define LWIP_HOOK_TCP_ISN guest_tcp_isn
#define LWIP_HOOK_TCP_INPACKET_PCB(pcb, hdr, optlen, opt1len, opt2, p) guest_tcp_admit(pcb, (p)->tot_len)

#endif
