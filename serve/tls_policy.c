/* SPDX-License-Identifier: ISC */
#include "serve/tls_policy.h"

#include "dns/code.h"

#define TLSA_HEAD 3

/* A name for certificates and SNI: without its final dot. */
static struct str write_name(char *text, size_t cap, const struct dns_name *name)
{
        struct wr w;
        wr_init(&w, text, cap);
        dns_name_write(&w, name);
        struct str s = wr_text(&w);
        if (s.n > 0 && s.p[s.n - 1] == '.')
                s.n--;
        return s;
}

/* _25._tcp.NAME (RFC 7672 2.1.3), or that of another port (RFC 6698 3) */
static enum err tlsa_name(uint16_t port, struct str host, struct dns_name *out)
{
        char text[SMTP_DOMAIN_MAX + 16];
        struct wr w;
        wr_init(&w, text, sizeof text);
        wr_byte(&w, '_');
        wr_u64(&w, port);
        wr_str(&w, S("._tcp."));
        wr_str(&w, host);
        return wr_end(&w) == ERR_OK ? dns_name_parse(wr_text(&w), out) : ERR_LIMIT;
}

/* The records at one name: those that are malformed count as unusable, so they are passed over. */
static size_t take_records(struct tls_policy *p, const struct dns_answer *answer)
{
        size_t n = 0;
        for (size_t i = 0; i < answer->count && n < TLS_TLSA_MAX; i++) {
                struct str wire = answer->values[i].wire;
                if (wire.n <= TLSA_HEAD)
                        continue;
                p->records[n++] = (struct tls_tlsa){(uint8_t)wire.p[0], (uint8_t)wire.p[1],
                        (uint8_t)wire.p[2], str_skip(wire, TLSA_HEAD)};
        }
        return n;
}

/* RFC 7672 2.2: are there TLSA records that DNSSEC vouches for at this name? `*count` is 0 when there are none; records that are
 * there but of no use still ask for TLS. */
static enum err look(const struct tls_policy_question *q, struct str host, struct tls_policy *p,
        bool *is_there, size_t *count)
{
        struct dns_answer answer;
        struct dns_name name;
        *is_there = false;
        *count = 0;
        if (tlsa_name(q->port, host, &name) != ERR_OK)
                return ERR_OK; /* too long a name to have any */
        enum err e = resolver_lookup(q->resolver, &name, DNS_TYPE_TLSA, q->deadline_ms, q->arena, &answer);
        if (e != ERR_OK || answer.status != DNS_FOUND || !answer.is_secure)
                return e;
        *is_there = true;
        *count = take_records(p, &answer);
        return ERR_OK;
}

/* The host's own records, or those of the name that its aliases lead to (RFC 7672 2.2.3). `*is_there`: there are some. */
static enum err find_dane(const struct tls_policy_question *q, const struct mx_host *host,
        struct tls_policy *out, bool *is_there)
{
        const struct dns_name *names[] = {&host->base, &host->name};
        size_t first = dns_name_eq(&host->base, &host->name) ? 1 : 0;
        *is_there = false;
        for (size_t i = first; i < 2 && !*is_there; i++) {
                struct str base = out->expect.name = write_name(out->name, sizeof out->name, names[i]);
                enum err e = look(q, base, out, is_there, &out->expect.tlsa_count);
                if (e != ERR_OK)
                        return e;
        }
        return ERR_OK;
}

static void expect_dane(const struct tls_policy_question *q, struct tls_policy *out)
{
        struct wr other;
        wr_init(&other, out->other, sizeof out->other);
        wr_lower(&other, q->domain);
        out->rule = TLS_RULE_DANE;
        out->tls = SMTP_CLIENT_TLS_MUST;
        out->expect.kind = TLS_EXPECT_DANE;
        out->expect.other = wr_text(&other);
        out->expect.tlsa = out->records;
}

/* What the domain's policy of MTA-STS says of the host, on top of what is asked of it already. */
static enum err find_sts(const struct tls_policy_question *q, struct tls_policy *out)
{
        struct sts_verdict verdict = {.mode = STS_NONE};
        const struct mx_host *host = &q->targets->hosts[q->targets->host_of[q->nth]];
        out->expect.name = write_name(out->name, sizeof out->name, &host->name);
        out->expect.may_resume = true;
        out->expect.now_ms = q->now_ms;
        if (!q->sts)
                return ERR_OK;
        enum err e = sts_find(q->sts, q->domain, out->expect.name, &verdict);
        if (e != ERR_OK) {
                out->rule = TLS_RULE_STS;
                out->tls = SMTP_CLIENT_TLS_MUST;
                return e;
        }
        if (verdict.mode == STS_NONE)
                return ERR_OK;
        out->is_unlisted = !verdict.is_listed;
        out->rule = verdict.mode == STS_ENFORCE ? TLS_RULE_STS : TLS_RULE_STS_TESTING;
        if (verdict.is_listed || out->rule == TLS_RULE_STS)
                out->expect.kind = TLS_EXPECT_NAME;
        if (out->rule == TLS_RULE_STS)
                out->tls = SMTP_CLIENT_TLS_MUST;
        return ERR_OK;
}

enum err tls_policy_without_dane(const struct tls_policy_question *q, struct tls_policy *policy)
{
        policy->rule = TLS_RULE_NONE;
        policy->tls = SMTP_CLIENT_TLS_MUST;
        policy->expect = (struct tls_expect){.kind = TLS_EXPECT_NOTHING};
        return find_sts(q, policy);
}

enum err tls_policy_find(const struct tls_policy_question *q, struct tls_policy *out)
{
        bool is_there = false;
        *out = (struct tls_policy){.tls = SMTP_CLIENT_TLS_MAY};
        if (q->targets->host_count == 0)
                return ERR_OK; /* an address has no name */
        const struct mx_host *host = &q->targets->hosts[q->targets->host_of[q->nth]];
        if (host->is_secure) {
                enum err e = find_dane(q, host, out, &is_there);
                if (e != ERR_OK) {
                        out->rule = TLS_RULE_DANE;
                        out->tls = SMTP_CLIENT_TLS_MUST;
                        return e;
                }
        }
        if (is_there && out->expect.tlsa_count > 0) {
                expect_dane(q, out);
                return ERR_OK;
        }
        return is_there ? tls_policy_without_dane(q, out) : find_sts(q, out);
}
