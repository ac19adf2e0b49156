/* SPDX-License-Identifier: ISC */
#include "dns/summary.h"

#include "dns/edns.h"
#include "dns/rdata.h"

static enum err take_opt(const struct dns_record *record, struct dns_summary *out)
{
        struct dns_edns edns;
        enum err e = dns_edns_read(record, &edns);
        if (e != ERR_OK || out->has_edns || record->section != DNS_ADDITIONAL)
                return ERR_SYNTAX;
        out->has_edns = true;
        out->rcode = (uint16_t)(edns.rcode_high << 4 | out->header.rcode);
        return ERR_OK;
}

static enum err take_record(const struct dns_record *record, struct dns_summary *out)
{
        struct dns_rdata_room room;
        struct str wire;
        if (out->has_tsig)
                return ERR_SYNTAX;
        if (record->type == DNS_TYPE_OPT)
                return take_opt(record, out);
        if (record->type == DNS_TYPE_TSIG) {
                out->has_tsig = true;
                return record->section == DNS_ADDITIONAL ? ERR_OK : ERR_SYNTAX;
        }
        return dns_rdata_expand(record, &room, &wire);
}

enum err dns_summary_read(struct str message, struct dns_summary *out)
{
        struct dns_reader r;
        struct dns_record record;
        *out = (struct dns_summary){0};
        enum err e = dns_reader_init(&r, message);
        out->header = r.header;
        out->rcode = r.header.rcode;
        if (e == ERR_OK && dns_reader_question(&r, &out->question) == ERR_SYNTAX)
                return ERR_SYNTAX;
        while (e == ERR_OK) {
                e = dns_reader_record(&r, &record);
                if (e == ERR_OK)
                        e = take_record(&record, out);
        }
        return e == ERR_EOF ? ERR_OK : e;
}
