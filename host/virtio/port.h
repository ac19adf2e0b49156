/* SPDX-License-Identifier: ISC */
/* Ports of a PC. Each must have been allowed (host/guest/x86/x86.h). */
#ifndef HOST_VIRTIO_PORT_H
#define HOST_VIRTIO_PORT_H

#include <stdint.h>

static inline void port_write8(uint16_t port, uint8_t v)
{
        __asm__ volatile("outb %0, %1" : : "a"(v), "d"(port) : "memory");
}

static inline void port_write16(uint16_t port, uint16_t v)
{
        __asm__ volatile("outw %0, %1" : : "a"(v), "d"(port) : "memory");
}

static inline void port_write32(uint16_t port, uint32_t v)
{
        __asm__ volatile("outl %0, %1" : : "a"(v), "d"(port) : "memory");
}

static inline uint8_t port_read8(uint16_t port)
{
        uint8_t v;
        __asm__ volatile("inb %1, %0" : "=a"(v) : "d"(port) : "memory");
        return v;
}

static inline uint32_t port_read32(uint16_t port)
{
        uint32_t v;
        __asm__ volatile("inl %1, %0" : "=a"(v) : "d"(port) : "memory");
        return v;
}

#endif
