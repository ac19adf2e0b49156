/* SPDX-License-Identifier: ISC */
/* lwIP over the machine's network device: one interface, fed and drained by whoever waits for the world. */
#include <string.h>

#include "base/check.h"
#include "host/guest/inside.h"
#include "host/guest/lwip.h"
#include "host/guest/lwip/hooks.h"

enum {
        BURST = 64,   /* frames taken before fibers run */
        HEADERS = 18, /* of Ethernet, with a VLAN's tag */
        FRAME_MAX = HEADERS + 9000,
        IPV4_ID_AT = 4, /* bytes into the header */
        IPV4_SUM_AT = 10,
};

static struct netif interface;
static ip_addr_t ipv6_gateway;

void guest_lwip_failed(const char *what)
{
        guest_fail(str_of_c(what));
}

uint32_t guest_lwip_random(void)
{
        uint32_t v;
        random_bytes(&v, sizeof v);
        return v;
}

uint32_t sys_now(void)
{
        return (uint32_t)guest_now_ms(NULL);
}

/* Sum of 32-bit words in 64 bits: carries collect above, and folding keeps the sum modulo 2^16 - 1. */
uint16_t guest_checksum(const void *data, int n)
{
        const char *p = data;
        uint64_t sum = 0;
        for (; n >= 4; n -= 4, p += 4) {
                uint32_t v;
                memcpy(&v, p, 4);
                sum += v;
        }
        if (n > 0) {
                uint32_t v = 0;
                memcpy(&v, p, (size_t)n);
                sum += v;
        }
        while (sum >> 16 != 0)
                sum = (sum & 0xffff) + (sum >> 16);
        return (uint16_t)sum;
}

/* lwIP counts identifications up from 0, which tells strangers how much we send: each packet gets a random one. The
 * header's sum changes with it (RFC 1624 3). Fragments keep theirs. */
static void randomise_id(uint8_t *ip)
{
        uint16_t old, id = random_u16(), sum;
        if ((ip[6] & 0x3f) != 0 || ip[7] != 0)
                return;
        memcpy(&old, ip + IPV4_ID_AT, 2);
        memcpy(&sum, ip + IPV4_SUM_AT, 2);
        uint32_t v = (uint32_t)(uint16_t)~sum + (uint16_t)~old + id;
        v = (v & 0xffff) + (v >> 16);
        v = (v & 0xffff) + (v >> 16);
        sum = (uint16_t)~v;
        memcpy(ip + IPV4_ID_AT, &id, 2);
        memcpy(ip + IPV4_SUM_AT, &sum, 2);
}

static err_t send_frame(struct netif *netif, struct pbuf *p)
{
        static uint8_t whole[FRAME_MAX]; /* fibers send too, and their stacks are small */
        (void)netif;
        const uint8_t *frame = p->payload;
        if (p->tot_len > sizeof whole)
                return LWIP_BUF;
        if (p->len != p->tot_len) {
                pbuf_copy_partial(p, whole, p->tot_len, 0);
                frame = whole;
        }
        machine_net_send(frame, p->tot_len);
        return LWIP_OK;
}

static err_t output_ipv4(struct netif *netif, struct pbuf *p, const ip4_addr_t *to)
{
        if (p->len >= IP_HLEN)
                randomise_id(p->payload);
        return etharp_output(netif, p, to);
}

static uint16_t mtu_of(const struct machine_net *device)
{
        return device->mtu < FRAME_MAX - HEADERS ? device->mtu : FRAME_MAX - HEADERS;
}

static err_t prepare(struct netif *netif)
{
        struct machine_net device;
        CHECK(machine_net(&device));
        netif->name[0] = 'e';
        netif->name[1] = 'n';
        netif->output = output_ipv4;
        netif->output_ip6 = ethip6_output;
        netif->linkoutput = send_frame;
        netif->mtu = netif->mtu6 = mtu_of(&device);
        netif->hwaddr_len = sizeof device.mac;
        memcpy(netif->hwaddr, device.mac, sizeof device.mac);
        netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_MLD6;
        return LWIP_OK;
}

void address_to_lwip(const struct ip *from, ip_addr_t *out)
{
        memset(out, 0, sizeof *out);
        if (from->family == 4) {
                IP_SET_TYPE_VAL(*out, IPADDR_TYPE_V4);
                memcpy(&ip_2_ip4(out)->addr, from->b, 4);
        } else {
                IP_SET_TYPE_VAL(*out, IPADDR_TYPE_V6);
                memcpy(ip_2_ip6(out)->addr, from->b, 16);
        }
}

struct ip address_from_lwip(const ip_addr_t *a)
{
        struct ip out = {.family = IP_IS_V6_VAL(*a) ? 6 : 4};
        if (out.family == 4)
                memcpy(out.b, &ip_2_ip4(a)->addr, 4);
        else
                memcpy(out.b, ip_2_ip6(a)->addr, 16);
        return out;
}

bool net_is_ours(const struct ip *ip)
{
        ip_addr_t a;
        address_to_lwip(ip, &a);
        if (ip_addr_isany_val(a))
                return true;
        if (ip->family == 4)
                return ip4_addr_cmp(ip_2_ip4(&a), netif_ip4_addr(&interface));
        return netif_get_ip6_addr_match(&interface, ip_2_ip6(&a)) >= 0;
}

static void add_ipv4(const struct guest_options *o)
{
        ip_addr_t own, gateway;
        ip4_addr_t mask = {.addr = lwip_htonl(0xffffffffu << (32 - o->ipv4_bits))};
        address_to_lwip(&o->ipv4, &own);
        netif_set_addr(&interface, ip_2_ip4(&own), &mask, NULL);
        if (o->ipv4_gateway.family == 4) {
                address_to_lwip(&o->ipv4_gateway, &gateway);
                netif_set_gw(&interface, ip_2_ip4(&gateway));
        }
}

/* Given by the operator, so it needs no test for a second owner before its use (RFC 4862 5.4 would make it wait). */
static void add_ipv6(const struct guest_options *o)
{
        ip_addr_t own;
        address_to_lwip(&o->ipv6, &own);
        netif_create_ip6_linklocal_address(&interface, 1);
        netif_ip6_addr_set_state(&interface, 0, IP6_ADDR_PREFERRED);
        netif_ip6_addr_set(&interface, 1, ip_2_ip6(&own));
        netif_ip6_addr_set_state(&interface, 1, IP6_ADDR_PREFERRED);
        if (o->ipv6_gateway.family == 6)
                address_to_lwip(&o->ipv6_gateway, &ipv6_gateway);
}

const ip6_addr_t *guest_ipv6_gateway(const struct netif *netif, const ip6_addr_t *to)
{
        (void)netif;
        (void)to;
        return IP_IS_V6_VAL(ipv6_gateway) ? ip_2_ip6(&ipv6_gateway) : NULL;
}

/*   ERR_OK, ERR_NOT_FOUND (no device), ERR_MEMORY */
enum err net_init(const struct guest_options *o)
{
        struct machine_net device;
        if (!machine_net(&device))
                return ERR_NOT_FOUND;
        if (!frames_init(guest_memory_free(), HEADERS + mtu_of(&device)))
                return ERR_MEMORY;
        isn_init();
        lwip_init();
        CHECK(netif_add_noaddr(&interface, NULL, prepare, ethernet_input) != NULL);
        netif_set_default(&interface);
        if (o->ipv4.family == 4)
                add_ipv4(o);
        if (o->ipv6.family == 6)
                add_ipv6(o);
        netif_set_up(&interface);
        netif_set_link_up(&interface);
        return ERR_OK;
}

/* With no frame left those that wait are dropped: who sent them sends them again. */
static bool receive_one(void)
{
        static uint8_t waste[FRAME_MAX];
        void *data;
        struct pbuf *p = frame_take(&data);
        size_t n = machine_net_receive(p == NULL ? waste : data, p == NULL ? sizeof waste : p->len);
        if (n == 0 || p == NULL) {
                if (p != NULL)
                        pbuf_free(p);
                return n > 0;
        }
        frame_fit(p, n);
        if (interface.input(p, &interface) != LWIP_OK)
                pbuf_free(p);
        return true;
}

unsigned net_receive(void)
{
        unsigned n = 0;
        while (n < BURST && receive_one())
                n++;
        return n;
}

void net_tick(void)
{
        sys_check_timeouts();
}

uint64_t net_next_ns(void)
{
        uint32_t left_ms = sys_timeouts_sleeptime();
        return left_ms == SYS_TIMEOUTS_SLEEPTIME_INFINITE ? UINT64_MAX
                                                          : machine_now_ns() + (uint64_t)left_ms * 1000000;
}
