/* SPDX-License-Identifier: ISC */
/* What lwIP asks of a compiler and a platform; host/guest/ defines the functions. */
#ifndef HOST_GUEST_LWIP_ARCH_CC_H
#define HOST_GUEST_LWIP_ARCH_CC_H

#include <stdint.h>

void guest_lwip_failed(const char *what); /* says so and ends the guest */
uint32_t guest_lwip_random(void);
uint16_t guest_checksum(
        const void *data, int n); /* ones' complement sum of 16-bit words as they lie (RFC 1071) */

#define LWIP_PLATFORM_DIAG(x) ((void)0)
#define LWIP_PLATFORM_ASSERT(x) guest_lwip_failed(x)
#define LWIP_RAND() guest_lwip_random()
#define LWIP_CHKSUM guest_checksum
#define IPV6_FRAG_COPYHEADER 1 /* pointers do not fit where the header has its fragment fields */

#endif
