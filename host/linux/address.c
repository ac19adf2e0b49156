/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "host/linux/inside.h"

socklen_t address_of(const struct ip_port *from, union address *out)
{
        memset(out, 0, sizeof *out);
        if (from->ip.family == 4) {
                out->v4.sin_family = AF_INET;
                out->v4.sin_port = htons(from->port);
                memcpy(&out->v4.sin_addr, from->ip.b, 4);
                return sizeof out->v4;
        }
        out->v6.sin6_family = AF_INET6;
        out->v6.sin6_port = htons(from->port);
        memcpy(&out->v6.sin6_addr, from->ip.b, 16);
        return sizeof out->v6;
}

struct ip_port address_read(const union address *a)
{
        struct ip_port out = {0};
        if (a->any.sa_family == AF_INET) {
                out.ip.family = 4;
                out.port = ntohs(a->v4.sin_port);
                memcpy(out.ip.b, &a->v4.sin_addr, 4);
        } else if (a->any.sa_family == AF_INET6) {
                out.ip.family = 6;
                out.port = ntohs(a->v6.sin6_port);
                memcpy(out.ip.b, &a->v6.sin6_addr, 16);
        }
        return out;
}
