/* SPDX-License-Identifier: ISC */
#include "dns/edns.h"

#include "base/rd.h"

#define EDNS_DO 0x8000 /* of the 16 flag bits: RFC 3225 3 */

/* RFC 6891 6.1.2: each option is a code, a length and that many octets. */
static enum err check_options(struct str options)
{
        struct rd r;
        rd_init(&r, options);
        while (rd_left(&r) > 0) {
                (void)rd_be16(&r);
                uint16_t n = rd_be16(&r);
                (void)rd_bytes(&r, n);
        }
        return r.fault;
}

enum err dns_edns_read(const struct dns_record *record, struct dns_edns *out)
{
        *out = (struct dns_edns){0};
        if (record->type != DNS_TYPE_OPT || !dns_name_is_root(&record->name))
                return ERR_SYNTAX;
        if (check_options(record->rdata) != ERR_OK)
                return ERR_SYNTAX;
        /* RFC 6891 6.1.3: CLASS is the sender's UDP size, TTL holds the rest. */
        out->udp_size = record->class;
        out->rcode_high = (uint8_t)(record->ttl_s >> 24);
        out->version = (uint8_t)(record->ttl_s >> 16);
        out->dnssec_ok = record->ttl_s & EDNS_DO;
        out->options = record->rdata;
        return ERR_OK;
}

void dns_edns_write(struct dns_writer *w, const struct dns_edns *edns)
{
        struct dns_name root;
        dns_name_set_root(&root);
        dns_writer_record(w, &(struct dns_record_out){
                                     .section = DNS_ADDITIONAL,
                                     .name = &root,
                                     .type = DNS_TYPE_OPT,
                                     .class = edns->udp_size,
                                     .ttl_s = (uint32_t)edns->rcode_high << 24 |
                                              (uint32_t)edns->version << 16 | (edns->dnssec_ok ? EDNS_DO : 0),
                                     .rdata = edns->options,
                             });
}
