/* SPDX-License-Identifier: ISC */
/* lwIP's declarations, whose error codes have the names of ours: here they begin with LWIP_. The build of the guests
 * brings lwIP along (tools/guest-sysroot); elsewhere this header declares nothing. */
#ifndef HOST_GUEST_LWIP_H
#define HOST_GUEST_LWIP_H

#if __has_include(<lwip/tcp.h>)

#define ERR_OK LWIP_OK
#define ERR_MEM LWIP_MEM
#define ERR_BUF LWIP_BUF
#define ERR_TIMEOUT LWIP_TIMEOUT
#define ERR_RTE LWIP_RTE
#define ERR_INPROGRESS LWIP_INPROGRESS
#define ERR_VAL LWIP_VAL
#define ERR_WOULDBLOCK LWIP_WOULDBLOCK
#define ERR_USE LWIP_USE
#define ERR_ALREADY LWIP_ALREADY
#define ERR_ISCONN LWIP_ISCONN
#define ERR_CONN LWIP_CONN
#define ERR_IF LWIP_IF
#define ERR_ABRT LWIP_ABRT
#define ERR_RST LWIP_RST
#define ERR_CLSD LWIP_CLSD
#define ERR_ARG LWIP_ARG

#include <lwip/etharp.h>
#include <lwip/ethip6.h>
#include <lwip/init.h>
#include <lwip/ip.h>
#include <lwip/memp.h>
#include <lwip/nd6.h>
#include <lwip/pbuf.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/stats.h>
#include <lwip/sys.h>
#include <lwip/tcp.h>
#include <lwip/timeouts.h>
#include <lwip/udp.h>
#include <netif/ethernet.h>

#undef ERR_OK
#undef ERR_MEM
#undef ERR_BUF
#undef ERR_TIMEOUT
#undef ERR_RTE
#undef ERR_INPROGRESS
#undef ERR_VAL
#undef ERR_WOULDBLOCK
#undef ERR_USE
#undef ERR_ALREADY
#undef ERR_ISCONN
#undef ERR_CONN
#undef ERR_IF
#undef ERR_ABRT
#undef ERR_RST
#undef ERR_CLSD
#undef ERR_ARG

#endif
#endif
