/* SPDX-License-Identifier: ISC */
#include "smtp/proxy.h"

#include <string.h>

#include "base/rd.h"

#define LOCAL 0x20
#define PROXY 0x21
#define UNSPECIFIED 0x00
#define TCP4 0x11
#define TCP6 0x21

static const struct str signature = {"\r\n\r\n\0\r\nQUIT\n", 12};

enum err proxy_head_parse(struct str head, size_t *rest)
{
        *rest = 0;
        if (head.n != PROXY_HEAD_SIZE || !str_has_prefix(head, signature))
                return ERR_SYNTAX;
        uint8_t command = (uint8_t)head.p[signature.n];
        if (command != LOCAL && command != PROXY)
                return ERR_SYNTAX;
        size_t n = (size_t)(uint8_t)head.p[14] << 8 | (uint8_t)head.p[15];
        if (n > PROXY_REST_MAX)
                return ERR_LIMIT;
        *rest = n;
        return ERR_OK;
}

/* An IPv4 address that came in the form of IPv6 (RFC 4291 2.5.5.2) is IPv4: SPF and networks are asked about that. */
static struct ip ip_of_bytes(const uint8_t *b, size_t size)
{
        static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
        struct ip ip = {.family = 6};
        if (size == 16 && memcmp(b, mapped, sizeof mapped) == 0)
                b += sizeof mapped;
        else if (size == 16) {
                memcpy(ip.b, b, size);
                return ip;
        }
        return ip_v4(b[0], b[1], b[2], b[3]);
}

enum err proxy_rest_parse(struct str head, struct str rest, struct ip_port *from)
{
        uint8_t command = (uint8_t)head.p[signature.n], family = (uint8_t)head.p[signature.n + 1];
        struct ip_port got = {0};
        struct rd r;
        if (command == LOCAL || family == UNSPECIFIED)
                return ERR_OK;
        if (family != TCP4 && family != TCP6)
                return ERR_UNSUPPORTED;
        size_t size = family == TCP4 ? 4 : 16;
        rd_init(&r, rest);
        struct str source = rd_bytes(&r, size);
        (void)rd_bytes(&r, size); /* our own address, as the proxy saw it */
        got.port = rd_be16(&r);
        (void)rd_be16(&r);
        if (r.fault != ERR_OK)
                return ERR_SYNTAX;
        const uint8_t *b = (const uint8_t *)source.p;
        got.ip = ip_of_bytes(b, size);
        *from = got;
        return ERR_OK;
}
