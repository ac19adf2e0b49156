/* SPDX-License-Identifier: ISC */
#include "auth/dmarc_check.h"
#include "auth/dmarc_walk.h"
#include "dns/idna.h"

bool dmarc_name_of(struct str domain, struct dns_name *out)
{
        char text[DNS_NAME_TEXT_MAX];
        struct wr w;
        wr_init(&w, text, sizeof text);
        *out = (struct dns_name){0};
        return mail_domain_is_valid(domain, MAIL_UTF8) && dns_idna_write(&w, domain) == ERR_OK &&
               dns_name_parse(wr_text(&w), out) == ERR_OK;
}

static enum dmarc_fault find(const struct mail_field *from, struct dmarc_author *out)
{
        struct mail_addresses list;
        struct mail_mailbox one;
        struct dns_name domain;
        enum err e;
        mail_addresses_init(&list, from->body);
        while ((e = mail_addresses_next(&list, &one)) == ERR_OK) {
                if (!dmarc_name_of(one.address.domain, &domain))
                        return DMARC_FROM_DOMAIN;
                if (out->count++ > 0 && !dns_name_eq(&domain, &out->domain))
                        return DMARC_FROM_SEVERAL;
                if (out->count > 1)
                        continue;
                out->domain = domain;
                out->address = one.address;
        }
        if (e == ERR_EOF)
                return out->count > 0 ? DMARC_OK : DMARC_FROM_NONE;
        return e == ERR_UNSUPPORTED ? DMARC_FROM_DOMAIN : DMARC_FROM_SYNTAX;
}

void dmarc_author_find(const struct mail_header *header, struct dmarc_author *out)
{
        enum dmarc_fault fault;
        *out = (struct dmarc_author){0};
        switch (mail_header_count(header, S("From"))) {
        case 0:
                fault = DMARC_FROM_NONE;
                break;
        case 1:
                fault = find(mail_header_first(header, S("From")), out);
                break;
        default:
                fault = DMARC_FROM_TWICE;
        }
        if (fault != DMARC_OK)
                *out = (struct dmarc_author){.fault = fault};
}
