/* SPDX-License-Identifier: ISC */
#include "dns/code.h"

#include <stddef.h>

struct code_text {
        uint16_t code;
        struct str text;
};

#define TEXT(code, literal)                          \
        {                                            \
                code,                                \
                {                                    \
                        literal, sizeof(literal) - 1 \
                }                                    \
        }

static const struct code_text rcodes[] = {
        TEXT(DNS_RCODE_NOERROR, "NOERROR"),
        TEXT(DNS_RCODE_FORMERR, "FORMERR"),
        TEXT(DNS_RCODE_SERVFAIL, "SERVFAIL"),
        TEXT(DNS_RCODE_NXDOMAIN, "NXDOMAIN"),
        TEXT(DNS_RCODE_NOTIMP, "NOTIMP"),
        TEXT(DNS_RCODE_REFUSED, "REFUSED"),
        TEXT(DNS_RCODE_YXDOMAIN, "YXDOMAIN"),
        TEXT(DNS_RCODE_YXRRSET, "YXRRSET"),
        TEXT(DNS_RCODE_NXRRSET, "NXRRSET"),
        TEXT(DNS_RCODE_NOTAUTH, "NOTAUTH"),
        TEXT(DNS_RCODE_NOTZONE, "NOTZONE"),
        TEXT(DNS_RCODE_BADVERS, "BADVERS"),
};

static const struct code_text tsig_errors[] = {
        TEXT(DNS_RCODE_BADSIG, "BADSIG"),
        TEXT(DNS_RCODE_BADKEY, "BADKEY"),
        TEXT(DNS_RCODE_BADTIME, "BADTIME"),
        TEXT(DNS_RCODE_BADTRUNC, "BADTRUNC"),
};

static const struct code_text types[] = {
        TEXT(DNS_TYPE_A, "A"),
        TEXT(DNS_TYPE_NS, "NS"),
        TEXT(DNS_TYPE_CNAME, "CNAME"),
        TEXT(DNS_TYPE_SOA, "SOA"),
        TEXT(DNS_TYPE_PTR, "PTR"),
        TEXT(DNS_TYPE_MX, "MX"),
        TEXT(DNS_TYPE_TXT, "TXT"),
        TEXT(DNS_TYPE_AAAA, "AAAA"),
        TEXT(DNS_TYPE_OPT, "OPT"),
        TEXT(DNS_TYPE_TLSA, "TLSA"),
        TEXT(DNS_TYPE_TSIG, "TSIG"),
        TEXT(DNS_TYPE_ANY, "ANY"),
};

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

static struct str find(const struct code_text *table, size_t count, uint16_t code, struct str otherwise)
{
        for (size_t i = 0; i < count; i++)
                if (table[i].code == code)
                        return table[i].text;
        return otherwise;
}

struct str dns_rcode_text(uint16_t rcode)
{
        return find(rcodes, COUNT(rcodes), rcode, S("RCODE?"));
}

struct str dns_tsig_error_text(uint16_t error)
{
        return find(tsig_errors, COUNT(tsig_errors), error, dns_rcode_text(error));
}

struct str dns_type_text(uint16_t type)
{
        return find(types, COUNT(types), type, S("TYPE?"));
}
