/* SPDX-License-Identifier: ISC */
#include "dns/rdata.h"

#include <string.h>

#include "base/check.h"
#include "base/rd.h"

/* RDATA as fixed octets, names, fixed octets: RFC 1035 3.3 and 3.4, RFC 3596, and the types of RFC 3597 4 that may come
 * compressed. (NAPTR, SIG and NXT of that list are taken as they are: nothing here reads them.) */
struct layout {
        uint16_t type;
        bool only_in; /* of this form only in class IN */
        uint8_t before;
        uint8_t names;
        uint8_t after;
};

static const struct layout layouts[] = {
        {DNS_TYPE_A, true, 4, 0, 0},
        {DNS_TYPE_NS, false, 0, 1, 0},
        {3 /* MD */, false, 0, 1, 0},
        {4 /* MF */, false, 0, 1, 0},
        {DNS_TYPE_CNAME, false, 0, 1, 0},
        {DNS_TYPE_SOA, false, 0, 2, 20},
        {7 /* MB */, false, 0, 1, 0},
        {8 /* MG */, false, 0, 1, 0},
        {9 /* MR */, false, 0, 1, 0},
        {DNS_TYPE_PTR, false, 0, 1, 0},
        {14 /* MINFO */, false, 0, 2, 0},
        {DNS_TYPE_MX, false, 2, 1, 0},
        {17 /* RP */, false, 0, 2, 0},
        {18 /* AFSDB */, false, 2, 1, 0},
        {21 /* RT */, false, 2, 1, 0},
        {26 /* PX */, true, 2, 2, 0},
        {DNS_TYPE_AAAA, true, 16, 0, 0},
        {33 /* SRV */, true, 6, 1, 0},
        {36 /* KX */, true, 2, 1, 0},
        {39 /* DNAME */, false, 0, 1, 0},
};

static const struct layout *find_layout(const struct dns_record *record)
{
        bool is_in = record->class == DNS_CLASS_IN || record->class == DNS_CLASS_NONE;
        for (size_t i = 0; i < sizeof layouts / sizeof layouts[0]; i++)
                if (layouts[i].type == record->type && (is_in || !layouts[i].only_in))
                        return &layouts[i];
        return NULL;
}

/* A cursor that stands at the record's RDATA and cannot leave it, but for names that point back. */
static void rdata_cursor(const struct dns_record *record, struct rd *r)
{
        rd_init(r, str_take(record->message, record->rdata_at + record->rdata.n));
        rd_seek(r, record->rdata_at);
}

static enum err expand_names(const struct dns_record *record, const struct layout *layout,
        struct dns_rdata_room *room, struct str *wire)
{
        struct rd r;
        struct wr w;
        struct dns_name name;
        rdata_cursor(record, &r);
        wr_init(&w, room->b, sizeof room->b);
        wr_str(&w, rd_bytes(&r, layout->before));
        for (unsigned i = 0; i < layout->names; i++) {
                dns_name_read(&r, &name);
                if (r.fault != ERR_OK)
                        return ERR_SYNTAX;
                dns_name_write_wire(&w, &name);
        }
        wr_str(&w, rd_bytes(&r, layout->after));
        if (r.fault != ERR_OK || rd_left(&r) > 0)
                return ERR_SYNTAX;
        CHECK(!w.full);
        *wire = wr_text(&w);
        return ERR_OK;
}

static bool is_strings(struct str wire)
{
        struct rd r;
        rd_init(&r, wire);
        do {
                uint8_t n = rd_u8(&r);
                (void)rd_bytes(&r, n);
        } while (rd_left(&r) > 0);
        return r.fault == ERR_OK;
}

enum err dns_rdata_expand(const struct dns_record *record, struct dns_rdata_room *room, struct str *wire)
{
        const struct layout *layout = find_layout(record);
        *wire = (struct str){NULL, 0};
        if (record->rdata.n == 0 && (record->class == DNS_CLASS_ANY || record->class == DNS_CLASS_NONE))
                return ERR_OK;
        if (layout && layout->names > 0)
                return expand_names(record, layout, room, wire);
        if (layout && record->rdata.n != layout->before)
                return ERR_SYNTAX;
        if (record->type == DNS_TYPE_TXT && !is_strings(record->rdata))
                return ERR_SYNTAX;
        *wire = record->rdata;
        return ERR_OK;
}

static enum err end_of(const struct rd *r)
{
        return r->fault == ERR_OK && rd_left(r) == 0 ? ERR_OK : ERR_SYNTAX;
}

enum err dns_address_parse(struct str wire, struct ip *out)
{
        *out = (struct ip){0};
        if (wire.n != 4 && wire.n != 16)
                return ERR_SYNTAX;
        out->family = wire.n == 4 ? 4 : 6;
        memcpy(out->b, wire.p, wire.n);
        return ERR_OK;
}

enum err dns_target_parse(struct str wire, struct dns_name *out)
{
        struct rd r;
        rd_init(&r, wire);
        dns_name_read(&r, out);
        return end_of(&r);
}

enum err dns_mx_parse(struct str wire, struct dns_mx *out)
{
        struct rd r;
        rd_init(&r, wire);
        out->preference = rd_be16(&r);
        dns_name_read(&r, &out->exchange);
        return end_of(&r);
}

enum err dns_soa_parse(struct str wire, struct dns_soa *out)
{
        struct rd r;
        rd_init(&r, wire);
        dns_name_read(&r, &out->primary);
        dns_name_read(&r, &out->mailbox);
        out->serial = rd_be32(&r);
        out->refresh_s = rd_be32(&r);
        out->retry_s = rd_be32(&r);
        out->expire_s = rd_be32(&r);
        out->minimum_s = rd_be32(&r);
        return end_of(&r);
}

void dns_address_write_wire(struct wr *w, const struct ip *ip)
{
        wr_str(w, str_of(ip->b, ip->family == 4 ? 4 : 16));
}

void dns_mx_write_wire(struct wr *w, const struct dns_mx *mx)
{
        wr_be16(w, mx->preference);
        dns_name_write_wire(w, &mx->exchange);
}

void dns_soa_write_wire(struct wr *w, const struct dns_soa *soa)
{
        dns_name_write_wire(w, &soa->primary);
        dns_name_write_wire(w, &soa->mailbox);
        wr_be32(w, soa->serial);
        wr_be32(w, soa->refresh_s);
        wr_be32(w, soa->retry_s);
        wr_be32(w, soa->expire_s);
        wr_be32(w, soa->minimum_s);
}

void dns_reverse_name(const struct ip *ip, struct dns_name *out)
{
        char text[80];
        struct wr w;
        CHECK(ip->family == 4 || ip->family == 6);
        wr_init(&w, text, sizeof text);
        for (size_t i = ip->family == 4 ? 4 : 16; i-- > 0;) {
                if (ip->family == 4) {
                        wr_u64(&w, ip->b[i]);
                        wr_byte(&w, '.');
                } else {
                        wr_byte(&w, "0123456789abcdef"[ip->b[i] & 15]);
                        wr_byte(&w, '.');
                        wr_byte(&w, "0123456789abcdef"[ip->b[i] >> 4]);
                        wr_byte(&w, '.');
                }
        }
        wr_str(&w, ip->family == 4 ? S("in-addr.arpa") : S("ip6.arpa"));
        CHECK(!w.full && dns_name_parse(wr_text(&w), out) == ERR_OK);
}
