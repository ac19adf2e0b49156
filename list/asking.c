/* SPDX-License-Identifier: ISC */
#include "list/asking.h"

#include "auth/tags.h"
#include "list/posting.h"

/* ---- to whom ---- */

static bool names(const struct mail_field *field, const struct mail_address *address)
{
        struct mail_addresses list;
        struct mail_mailbox one;
        mail_addresses_init(&list, field->body);
        while (mail_addresses_next(&list, &one) == ERR_OK)
                if (mail_address_eq_folded(&one.address, address))
                        return true;
        return false;
}

/* Of several one could have been put there since. */
bool asking_covers(const struct dkim_signature *s, const struct mail_header *header, struct str name)
{
        return mail_header_count(header, name) == 1 && tags_has_item(s->covered, name);
}

static bool is_named_by(const struct dkim_signature *s, const struct mail_header *header, struct str name,
        const struct mail_address *address)
{
        return asking_covers(s, header, name) && names(mail_header_first(header, name), address);
}

static bool is_meant(
        const struct dkim_signature *s, const struct mail_header *header, const struct mail_address *address)
{
        return s->body_limit == BODY_HASH_ALL &&
               (is_named_by(s, header, S("To"), address) || is_named_by(s, header, S("Cc"), address));
}

/* ---- by whom ---- */

/* Would this identifier alone prove the author? */
static bool proves(const struct evaluate *e, const struct dmarc_identifier *id)
{
        struct dmarc_input in = {.author = &e->out.author, .identifiers = id, .identifier_count = 1};
        struct dmarc_verdict verdict;
        struct dns_name name;
        if (id->state != DMARC_ID_PASSED)
                return false;
        if (dmarc_name_of(id->domain, &name) && dns_name_eq(&name, &e->out.author.domain))
                return true;
        return e->out.dmarc.result == DMARC_PASS && dmarc_check(&in, e->known, &verdict) == ERR_OK &&
               verdict.result == DMARC_PASS;
}

const struct dkim_signature *asking_signature_next(
        const struct evaluate *e, const struct mail_header *header, struct str to, size_t *nth)
{
        struct mail_address address;
        if (posting_proof(e) != POSTING_PROVEN || e->out.author.count != 1 ||
                mail_mailbox_parse(to, MAIL_UTF8, &address) != ERR_OK)
                return NULL;
        while (*nth < e->out.dkim_count) {
                size_t i = (*nth)++;
                if (is_meant(&e->dkim.list[i].signature, header, &address) &&
                        proves(e, &e->out.identifiers[1 + i]))
                        return &e->dkim.list[i].signature;
        }
        return NULL;
}

enum asking asking_of(const struct evaluate *e, const struct mail_header *header, struct str to)
{
        size_t nth = 0;
        if (posting_proof(e) != POSTING_PROVEN)
                return ASKING_UNPROVEN;
        if (e->out.author.count != 1)
                return ASKING_SEVERAL;
        if (asking_signature_next(e, header, to, &nth))
                return ASKING_BY_SIGNATURE;
        return proves(e, &e->out.identifiers[0]) ? ASKING_BY_WAY : ASKING_ELSEWHERE;
}
