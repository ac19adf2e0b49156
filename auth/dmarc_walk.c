/* SPDX-License-Identifier: ISC */
#include "auth/dmarc_walk.h"

#include "dns/code.h"

/* The one DMARC record at a domain. Others are no matter, and several are none (4.10 steps 2 and 6). */
static enum dns_knowledge look(struct dns_known *known, const struct dns_name *domain,
        struct dmarc_walk *walk, struct dmarc_found *out)
{
        const struct dns_answer *answer;
        struct dmarc_record record;
        size_t count = 0;
        if (dns_name_join(S("_dmarc"), domain, &walk->name) != ERR_OK)
                return DNS_KNOWN_NOTHING; /* too long a name cannot exist */
        enum dns_knowledge k = dns_known_get(known, &walk->name, DNS_TYPE_TXT, &answer);
        if (k != DNS_KNOWN_FOUND)
                return k;
        for (size_t i = 0; i < answer->count; i++)
                if (dmarc_record_parse(answer->values[i].text, &record) == ERR_OK) {
                        *out = (struct dmarc_found){*domain, record, answer->values[i].text};
                        count++;
                }
        return count == 1 ? DNS_KNOWN_FOUND : DNS_KNOWN_NOTHING;
}

/* `name` with its right-most labels only. */
static void keep_labels(struct dns_name *name, size_t labels)
{
        while (dns_name_labels(name) > labels)
                (void)dns_name_parent(name, name);
}

/* Does the walk end at this record, and with which Organizational Domain (4.10.2 rules 1 and 2)? One label below a Public
 * Suffix Domain, and that is itself where the walk began there. */
static bool decides(
        const struct dmarc_found *found, const struct dns_name *start, struct dns_name *organization)
{
        if (found->record.psd == DMARC_PSD_UNKNOWN)
                return false;
        *organization = *start;
        keep_labels(organization, dns_name_labels(&found->domain) + (found->record.psd == DMARC_PSD_YES));
        return true;
}

/* Each target in turn. A name without an answer is noted and passed over, so that all are asked at once. */
static enum dns_knowledge visit(struct dns_known *known, const struct dns_name *start, struct dmarc_walk *out)
{
        struct dns_name at = *start;
        bool is_wanted = false;
        do {
                struct dmarc_found *found = &out->found[out->count];
                enum dns_knowledge k = look(known, &at, out, found);
                is_wanted = is_wanted || k == DNS_KNOWN_WANTED;
                if (k == DNS_KNOWN_TROUBLE || k == DNS_KNOWN_TOO_MANY)
                        return k;
                if (k == DNS_KNOWN_FOUND) {
                        out->count++;
                        if (decides(found, start, &out->organization))
                                break;
                }
                size_t labels = dns_name_labels(&at);
                keep_labels(&at, labels < DMARC_WALK_MAX ? labels - 1 : DMARC_WALK_MAX - 1);
        } while (!dns_name_is_root(&at));
        return is_wanted ? DNS_KNOWN_WANTED : DNS_KNOWN_FOUND;
}

void dmarc_walk(struct dns_known *known, const struct dns_name *start, struct dmarc_walk *out)
{
        out->count = 0;
        out->organization.n = 0;
        out->state = visit(known, start, out);
        if (out->state != DNS_KNOWN_FOUND)
                out->organization.n = 0;
        else if (out->organization.n == 0) /* rule 3, and the start when there is no record */
                out->organization = out->count > 0 ? out->found[out->count - 1].domain : *start;
}

static const struct dmarc_found *find(const struct dmarc_walk *walk, const struct dns_name *domain)
{
        for (size_t i = 0; i < walk->count; i++)
                if (dns_name_eq(&walk->found[i].domain, domain))
                        return &walk->found[i];
        return NULL;
}

const struct dmarc_found *dmarc_walk_policy(const struct dmarc_walk *walk, const struct dns_name *author)
{
        const struct dmarc_found *found = find(walk, author);
        if (found || walk->state != DNS_KNOWN_FOUND || walk->count == 0)
                return found;
        found = find(walk, &walk->organization);
        return found ? found : &walk->found[walk->count - 1]; /* the Public Suffix Domain's */
}
