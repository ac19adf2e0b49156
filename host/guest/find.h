/* SPDX-License-Identifier: ISC */
/* Bytes found sixteen at a time: every message is looked through for its line ends, and musl's memchr takes eight. */
#ifndef HOST_GUEST_FIND_H
#define HOST_GUEST_FIND_H

#include <stddef.h>
#include <stdint.h>

/* The first of `n` bytes that is `c`, or NULL. What lies behind that byte need not be there, as with memchr. */
const void *find_byte(const void *from, uint8_t c, size_t n);

#endif
