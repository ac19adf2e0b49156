/* SPDX-License-Identifier: ISC */
#include "base/ip.h"

#include <string.h>

#include "base/ascii.h"

struct ip ip_v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
        return (struct ip){.family = 4, .b = {a, b, c, d}};
}

static enum err parse_v4(struct str text, uint8_t *out)
{
        for (size_t i = 0; i < 4; i++) {
                struct str part, rest;
                uint64_t value;
                bool more = str_cut(text, '.', &part, &rest);
                if (more != (i < 3) || part.n > 3 || (part.n > 1 && part.p[0] == '0'))
                        return ERR_SYNTAX;
                if (str_to_u64(part, 255, &value) != ERR_OK)
                        return ERR_SYNTAX;
                out[i] = (uint8_t)value;
                text = rest;
        }
        return ERR_OK;
}

static enum err parse_group(struct str text, uint8_t *out)
{
        unsigned value = 0;
        if (text.n == 0 || text.n > 4)
                return ERR_SYNTAX;
        for (size_t i = 0; i < text.n; i++) {
                char c = ascii_lower(text.p[i]);
                if (!ascii_is_hex(c))
                        return ERR_SYNTAX;
                value = value << 4 | (unsigned)(ascii_is_digit(c) ? c - '0' : c - 'a' + 10);
        }
        out[0] = (uint8_t)(value >> 8);
        out[1] = (uint8_t)value;
        return ERR_OK;
}

/* Groups between colons into `out`; a dotted tail counts as two. Gives the number of bytes. */
static enum err parse_groups(struct str text, bool may_end_dotted, uint8_t *out, size_t *used)
{
        bool more = true;
        *used = 0;
        if (text.n == 0)
                return ERR_OK;
        while (more) {
                struct str part, rest;
                more = str_cut(text, ':', &part, &rest);
                bool dotted = !more && may_end_dotted && str_find_byte(part, '.') < part.n;
                if (*used + (dotted ? 4 : 2) > 16)
                        return ERR_SYNTAX;
                enum err e = dotted ? parse_v4(part, out + *used) : parse_group(part, out + *used);
                if (e != ERR_OK)
                        return e;
                *used += dotted ? 4 : 2;
                text = rest;
        }
        return ERR_OK;
}

static enum err parse_v6(struct str text, uint8_t *out)
{
        uint8_t head[16], tail[16];
        size_t heads, tails, gap = str_find(text, S("::"));
        if (gap == text.n) {
                enum err e = parse_groups(text, true, out, &heads);
                return e == ERR_OK && heads != 16 ? ERR_SYNTAX : e;
        }
        if (parse_groups(str_take(text, gap), false, head, &heads) != ERR_OK ||
                parse_groups(str_skip(text, gap + 2), true, tail, &tails) != ERR_OK || heads + tails > 14)
                return ERR_SYNTAX;
        memcpy(out, head, heads);
        memcpy(out + 16 - tails, tail, tails);
        return ERR_OK;
}

enum err ip_parse(struct str text, struct ip *out)
{
        bool six = str_find_byte(text, ':') < text.n;
        *out = (struct ip){0};
        enum err e = six ? parse_v6(text, out->b) : parse_v4(text, out->b);
        if (e != ERR_OK)
                *out = (struct ip){0};
        else
                out->family = six ? 6 : 4;
        return e;
}

static enum err parse_port(struct str text, uint16_t *out)
{
        uint64_t value;
        enum err e = str_to_u64(text, 65535, &value);
        *out = (uint16_t)value;
        return e == ERR_OK && value == 0 ? ERR_SYNTAX : e == ERR_OK ? ERR_OK : ERR_SYNTAX;
}

enum err ip_port_parse(struct str text, uint16_t port, struct ip_port *out)
{
        struct str host = text, tail = {NULL, 0};
        *out = (struct ip_port){.port = port};
        if (text.n > 0 && text.p[0] == '[') {
                if (!str_cut(str_skip(text, 1), ']', &host, &tail) || (tail.n > 0 && tail.p[0] != ':') ||
                        tail.n == 1 || str_find_byte(host, ':') == host.n)
                        return ERR_SYNTAX;
                tail = str_skip(tail, 1);
        } else if (str_find_byte(text, '.') < text.n && str_find_byte(text, ':') < text.n &&
                   str_find_byte(text, '.') < str_find_byte(text, ':')) {
                if (!str_cut(text, ':', &host, &tail) || tail.n == 0)
                        return ERR_SYNTAX;
        }
        if (tail.n > 0 && parse_port(tail, &out->port) != ERR_OK)
                return ERR_SYNTAX;
        return ip_parse(host, &out->ip);
}

static size_t address_bits(const struct ip *ip)
{
        return ip->family == 4 ? 32 : 128;
}

static bool bit_at(const struct ip *ip, size_t i)
{
        return (ip->b[i / 8] >> (7 - i % 8) & 1) != 0;
}

enum err ip_net_parse(struct str text, struct ip_net *out)
{
        struct str host, tail;
        bool has_bits = str_cut(text, '/', &host, &tail);
        uint64_t bits = 0;
        *out = (struct ip_net){0};
        if (ip_parse(host, &out->ip) != ERR_OK)
                return ERR_SYNTAX;
        if (!has_bits)
                bits = address_bits(&out->ip);
        else if (str_to_u64(tail, address_bits(&out->ip), &bits) != ERR_OK)
                return ERR_SYNTAX;
        for (size_t i = bits; i < address_bits(&out->ip); i++)
                if (bit_at(&out->ip, i))
                        return ERR_SYNTAX;
        out->bits = (uint8_t)bits;
        return ERR_OK;
}

static void write_v6(struct wr *w, const uint8_t *b)
{
        unsigned group[8];
        size_t best = 8, best_len = 1; /* RFC 5952 4.2.2: a single zero group is not shortened */
        for (size_t i = 0; i < 8; i++)
                group[i] = (unsigned)b[2 * i] << 8 | b[2 * i + 1];
        for (size_t i = 0; i < 8; i++) {
                size_t len = 0;
                while (i + len < 8 && group[i + len] == 0)
                        len++;
                if (len > best_len) {
                        best = i;
                        best_len = len;
                }
        }
        for (size_t i = 0; i < 8; i++) {
                bool started = false;
                if (i == best) {
                        wr_str(w, S("::"));
                        i += best_len - 1;
                        continue;
                }
                if (i > 0 && (best == 8 || i != best + best_len))
                        wr_byte(w, ':');
                for (int shift = 12; shift >= 0; shift -= 4) {
                        unsigned digit = group[i] >> shift & 15;
                        started = started || digit != 0 || shift == 0;
                        if (started)
                                wr_byte(w, "0123456789abcdef"[digit]);
                }
        }
}

void ip_write(struct wr *w, const struct ip *ip)
{
        if (ip->family == 6) {
                write_v6(w, ip->b);
                return;
        }
        for (size_t i = 0; i < 4; i++) {
                if (i > 0)
                        wr_byte(w, '.');
                wr_u64(w, ip->b[i]);
        }
}

void ip_port_write(struct wr *w, const struct ip_port *ip)
{
        if (ip->ip.family == 6)
                wr_byte(w, '[');
        ip_write(w, &ip->ip);
        if (ip->ip.family == 6)
                wr_byte(w, ']');
        wr_byte(w, ':');
        wr_u64(w, ip->port);
}

bool ip_eq(const struct ip *a, const struct ip *b)
{
        return a->family == b->family && memcmp(a->b, b->b, sizeof a->b) == 0;
}

struct ip ip_unmapped(const struct ip *ip)
{
        static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
        if (ip->family == 6 && memcmp(ip->b, mapped, sizeof mapped) == 0)
                return ip_v4(ip->b[12], ip->b[13], ip->b[14], ip->b[15]);
        return *ip;
}

bool ip_is_loopback(const struct ip *ip)
{
        static const uint8_t one[16] = {[15] = 1};
        struct ip plain = ip_unmapped(ip);
        if (plain.family == 4)
                return plain.b[0] == 127;
        return plain.family == 6 && memcmp(plain.b, one, sizeof one) == 0;
}

bool ip_net_has(const struct ip_net *net, const struct ip *ip)
{
        struct ip plain = net->ip.family == 4 ? ip_unmapped(ip) : *ip;
        if (plain.family != net->ip.family)
                return false;
        for (size_t i = 0; i < net->bits; i++)
                if (bit_at(&plain, i) != bit_at(&net->ip, i))
                        return false;
        return true;
}
