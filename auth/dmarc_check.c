/* SPDX-License-Identifier: ISC */
#include "auth/dmarc_check.h"

#include "auth/dmarc_walk.h"
#include "dns/code.h"

/* One evaluation under way. */
struct check {
        const struct dmarc_input *in;
        struct dns_known *known;
        struct dmarc_walk walk; /* of the author domain */
        const struct dmarc_found *policy;
        bool is_wanted; /* an answer is missing */
        struct dmarc_verdict *out;
};

static enum err decide(struct check *c, enum dmarc_fault fault, const struct dns_name *name)
{
        c->out->fault = fault;
        c->out->result = dmarc_fault_result(fault);
        if (name)
                c->out->name = *name;
        return ERR_OK;
}

static enum dmarc_fault trouble_fault(enum dns_knowledge k)
{
        return k == DNS_KNOWN_TOO_MANY ? DMARC_QUESTIONS : DMARC_TROUBLE;
}

static size_t identifier_count(const struct dmarc_input *in)
{
        return in->identifier_count < DMARC_IDENTIFIERS_MAX ? in->identifier_count : DMARC_IDENTIFIERS_MAX;
}

/* Labels that both names end with. */
static size_t common_labels(const struct dns_name *a, const struct dns_name *b)
{
        struct dns_name at = *a;
        while (!dns_name_is_under(b, &at))
                (void)dns_name_parent(&at, &at);
        return dns_name_labels(&at);
}

/* While the author's own walk is under way: note the walks of identifiers that are likely to share its organization. */
static void foresee(struct check *c)
{
        const struct dns_name *author = &c->out->author;
        struct dmarc_walk walk;
        struct dns_name domain;
        for (size_t i = 0; i < identifier_count(c->in); i++) {
                const struct dmarc_identifier *id = &c->in->identifiers[i];
                if (id->state != DMARC_ID_OTHER && dmarc_name_of(id->domain, &domain) &&
                        common_labels(&domain, author) >= 2)
                        dmarc_walk(c->known, &domain, &walk);
        }
}

/* Is the domain aligned with the author's (3.2.10)?
 *   DNS_KNOWN_FOUND    yes
 *   DNS_KNOWN_NOTHING  no
 *   DNS_KNOWN_WANTED, DNS_KNOWN_TROUBLE, DNS_KNOWN_TOO_MANY  not known, for want of an answer about `*name` */
static enum dns_knowledge align(
        const struct check *c, const struct dns_name *domain, bool is_strict, struct dns_name *name)
{
        struct dmarc_walk walk;
        if (dns_name_eq(domain, &c->out->author))
                return DNS_KNOWN_FOUND;
        if (is_strict)
                return DNS_KNOWN_NOTHING;
        *name = c->walk.name;
        if (c->walk.state != DNS_KNOWN_FOUND)
                return c->walk.state;
        if (!dns_name_is_under(domain, &c->walk.organization))
                return DNS_KNOWN_NOTHING;
        dmarc_walk(c->known, domain, &walk);
        *name = walk.name;
        if (walk.state != DNS_KNOWN_FOUND)
                return walk.state;
        return dns_name_eq(&walk.organization, &c->walk.organization) ? DNS_KNOWN_FOUND : DNS_KNOWN_NOTHING;
}

/* What one identifier comes to; `*name` is what trouble is about. */
static enum dmarc_fault judge_one(struct check *c, const struct dmarc_identifier *id, struct dns_name *name)
{
        const struct dmarc_record *record = &c->out->record;
        bool is_strict = id->by == DMARC_BY_SPF ? record->strict_spf : record->strict_dkim;
        struct dns_name domain;
        if (id->state == DMARC_ID_OTHER || !dmarc_name_of(id->domain, &domain))
                return DMARC_NOTHING_PASSED;
        switch (align(c, &domain, is_strict, name)) {
        case DNS_KNOWN_FOUND:
                *name = domain;
                return id->state == DMARC_ID_PASSED ? DMARC_OK : DMARC_TROUBLE_BELOW;
        case DNS_KNOWN_WANTED:
                c->is_wanted = true;
                return DMARC_NOTHING_PASSED;
        case DNS_KNOWN_TROUBLE:
                return DMARC_TROUBLE;
        case DNS_KNOWN_TOO_MANY:
                return DMARC_QUESTIONS;
        default:
                return id->state == DMARC_ID_PASSED ? DMARC_NOT_ALIGNED : DMARC_NOTHING_PASSED;
        }
}

/* What all identifiers come to: the least fault counts, since one aligned pass is enough, and trouble leaves it open. */
static enum err judge(struct check *c)
{
        enum dmarc_fault fault = DMARC_NOTHING_PASSED;
        struct dns_name name, about = {0};
        for (size_t i = 0; i < identifier_count(c->in); i++) {
                const struct dmarc_identifier *id = &c->in->identifiers[i];
                enum dmarc_fault one = judge_one(c, id, &name);
                if (one == DMARC_OK)
                        *(id->by == DMARC_BY_SPF ? &c->out->spf_aligned : &c->out->dkim_aligned) = true;
                if (one >= fault)
                        continue;
                fault = one;
                about = one < DMARC_NOT_ALIGNED ? name : (struct dns_name){0};
                c->out->aligned = i;
        }
        return decide(c, fault, fault == DMARC_OK || about.n == 0 ? NULL : &about);
}

/* p, sp or np (4.10.1), and one step down with t=y (4.7). */
static enum err choose_policy(struct check *c)
{
        const struct dmarc_record *r = &c->out->record;
        enum dmarc_policy policy = r->p;
        if (!dns_name_eq(&c->out->author, &c->out->policy_domain)) {
                policy = r->sp;
                if (r->np != r->sp) {
                        enum dns_knowledge k = dns_known_get(c->known, &c->out->author, DNS_TYPE_A, NULL);
                        c->is_wanted = c->is_wanted || k == DNS_KNOWN_WANTED;
                        c->out->exists = k != DNS_KNOWN_NO_NAME;
                        policy = c->out->exists ? r->sp : r->np;
                        if ((k == DNS_KNOWN_TROUBLE || k == DNS_KNOWN_TOO_MANY) &&
                                c->out->result == DMARC_FAIL)
                                return decide(c, trouble_fault(k), &c->out->author);
                }
        }
        if (r->testing && policy != DMARC_POLICY_NONE)
                policy = policy == DMARC_POLICY_REJECT ? DMARC_POLICY_QUARANTINE : DMARC_POLICY_NONE;
        c->out->policy = policy;
        return ERR_OK;
}

static enum err evaluate(struct check *c)
{
        c->out->exists = true;
        if (c->in->author->fault != DMARC_OK)
                return decide(c, c->in->author->fault, NULL);
        c->out->author = c->in->author->domain;
        dmarc_walk(c->known, &c->out->author, &c->walk);
        if (c->walk.state == DNS_KNOWN_WANTED) {
                foresee(c);
                return ERR_AGAIN;
        }
        c->out->organization = c->walk.organization;
        c->policy = dmarc_walk_policy(&c->walk, &c->out->author);
        if (!c->policy && c->walk.state != DNS_KNOWN_FOUND)
                return decide(c, trouble_fault(c->walk.state), &c->walk.name);
        if (!c->policy)
                return decide(c, DMARC_NO_RECORD, &c->out->author);
        if (!c->policy->record.is_usable)
                return decide(c, DMARC_BAD_RECORD, &c->policy->domain);
        c->out->policy_domain = c->policy->domain;
        c->out->record = c->policy->record;
        c->out->record_text = c->policy->text;
        enum err e = judge(c);
        if (e == ERR_OK)
                e = choose_policy(c);
        return c->is_wanted ? ERR_AGAIN : e;
}

enum err dmarc_check(const struct dmarc_input *in, struct dns_known *known, struct dmarc_verdict *out)
{
        struct check c = {.in = in, .known = known, .out = out};
        *out = (struct dmarc_verdict){0};
        enum err e = evaluate(&c);
        if (e != ERR_OK)
                *out = (struct dmarc_verdict){0};
        return e;
}
