/* SPDX-License-Identifier: ISC */
/* lwIP as the guests use it: raw calls from one thread, IPv4 and IPv6 on one Ethernet device, fixed pools.
 * Packets from the network lie in our own frames, sized at the start (host/guest/frame.c); what is to be sent is bounded
 * there too. Bytes of packets on their way out come from the heap. */
#ifndef HOST_GUEST_LWIP_LWIPOPTS_H
#define HOST_GUEST_LWIP_LWIPOPTS_H

#include <stdint.h>
uint16_t guest_tcp_unordered_max(void);

#define LWIP_HOOK_FILENAME "hooks.h"

#define NO_SYS 1
#define SYS_LIGHTWEIGHT_PROT 0
#define LWIP_NETCONN 0
#define LWIP_SOCKET 0
#define LWIP_SINGLE_NETIF 1
#define LWIP_NETIF_TX_SINGLE_PBUF 1 /* a device takes a frame in one piece */
#define LWIP_SUPPORT_CUSTOM_PBUF 1

#define MEM_ALIGNMENT 8
#define MEM_LIBC_MALLOC 1
#define MEMP_NUM_PBUF 64
#define PBUF_POOL_SIZE 4 /* unused: see frame.c */
#define MEMP_NUM_TCP_PCB 2560
#define MEMP_NUM_TCP_PCB_LISTEN 32
#define MEMP_NUM_TCP_SEG 8192
#define MEMP_NUM_UDP_PCB 320
#define MEMP_NUM_SYS_TIMEOUT 16
#define MEMP_NUM_REASSDATA 8
#define MEMP_NUM_FRAG_PBUF 32
#define MEMP_NUM_ARP_QUEUE 64
#define MEMP_NUM_ND6_QUEUE 64
#define MEMP_NUM_MLD6_GROUP 8
#define LWIP_STATS 1 /* only how much of each pool is in use */
#define LWIP_STATS_DISPLAY 0
#define LINK_STATS 0
#define ETHARP_STATS 0
#define IP_STATS 0
#define IPFRAG_STATS 0
#define ICMP_STATS 0
#define UDP_STATS 0
#define TCP_STATS 0
#define MEM_STATS 0
#define SYS_STATS 0
#define IP6_STATS 0
#define ICMP6_STATS 0
#define IP6_FRAG_STATS 0
#define MLD6_STATS 0
#define ND6_STATS 0

#define LWIP_IPV4 1
#define LWIP_ARP 1
#define ARP_TABLE_SIZE 127
#define ARP_QUEUEING 1
#define IP_REASS_MAX_PBUFS 32
#define LWIP_ICMP 1
#define LWIP_RAW 0
#define LWIP_DHCP 0
#define LWIP_DNS 0
#define LWIP_UDP 1

#define LWIP_IPV6 1
#define LWIP_IPV6_DHCP6 0
#define LWIP_IPV6_AUTOCONFIG 1 /* a gateway by router advertisement */
#define LWIP_ND6_NUM_NEIGHBORS 32
#define LWIP_ND6_NUM_DESTINATIONS 64

#define LWIP_TCP 1
#define LWIP_DISABLE_TCP_SANITY_CHECKS 1 /* they want a window's worth of the unused pool */
#define TCP_MSS 1460
#define LWIP_WND_SCALE 1
#define TCP_RCV_SCALE 3
#define TCP_WND (180 * TCP_MSS)
#define TCP_SND_BUF (180 * TCP_MSS)
#define TCP_SND_QUEUELEN (4 * TCP_SND_BUF / TCP_MSS)
#define TCP_SNDLOWAT 16384
#define TCP_SNDQUEUELOWAT 64
#define TCP_LISTEN_BACKLOG 1
#define TCP_QUEUE_OOSEQ 1
#define LWIP_TCP_SACK_OUT 1
#define TCP_OOSEQ_PBUFS_LIMIT(pcb) guest_tcp_unordered_max()
#define TCP_TMR_INTERVAL 100 /* retransmissions are timed in steps of twice this */
#define TCP_MSL 30000UL
#define LWIP_TCP_KEEPALIVE 1

#endif
