/* SPDX-License-Identifier: ISC */
/* Addresses, ports and networks: what parses is written and parses to the same. */
#include "base/check.h"
#include "base/ip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_ip(struct str text)
{
        char out[IP_TEXT_MAX];
        struct ip ip, again;
        struct wr w;
        wr_init(&w, out, sizeof out);
        if (ip_parse(text, &ip) != ERR_OK) {
                CHECK(ip.family == 0);
                return;
        }
        ip_write(&w, &ip);
        enum err e = ip_parse(wr_text(&w), &again);
        CHECK(e == ERR_OK && !w.full && ip_eq(&ip, &again));
}

static void check_port(struct str text)
{
        char out[IP_PORT_TEXT_MAX];
        struct ip_port port, again;
        struct wr w;
        wr_init(&w, out, sizeof out);
        if (ip_port_parse(text, 25, &port) != ERR_OK)
                return;
        ip_port_write(&w, &port);
        enum err e = ip_port_parse(wr_text(&w), 0, &again);
        CHECK(e == ERR_OK && !w.full && ip_eq(&port.ip, &again.ip) && port.port == again.port);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct str text = str_of(data, size);
        struct ip_net net;
        check_ip(text);
        check_port(text);
        if (ip_net_parse(text, &net) == ERR_OK)
                CHECK(net.bits <= (net.ip.family == 4 ? 32 : 128) && ip_net_has(&net, &net.ip));
        return 0;
}
