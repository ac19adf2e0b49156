/* SPDX-License-Identifier: ISC */
/* ptt dns --check: each record of the plan against the live one, by the engines that judge others' mail. */
#include "app/ptt_dns.h"
#include "auth/dmarc.h"
#include "auth/spf_check.h"
#include "base/check.h"
#include "dns/rdata.h"

#define QUESTIONS_MAX 512
#define ROUND_MAX 64
#define WAIT_MS 20000

/* Telling. */

void ptt_dns_tell(struct ptt_dns_check *c, enum ptt_dns_verdict verdict, const struct dns_name *name,
        uint16_t type, const char *why, struct str about)
{
        static const char *const words[] = {[PTT_DNS_OK] = "ok",
                [PTT_DNS_ADVICE] = "advice",
                [PTT_DNS_MISSING] = "missing",
                [PTT_DNS_WRONG] = "wrong",
                [PTT_DNS_UNKNOWN] = "unknown"};
        char text[DNS_NAME_TEXT_MAX];
        struct wr w;
        if (!c->is_told)
                return;
        c->bad += verdict >= PTT_DNS_MISSING;
        wr_init(&w, text, sizeof text);
        dns_name_write(&w, name);
        printf("%-8s %.*s %.*s%s%s%s", words[verdict], STR_ARG(wr_text(&w)), STR_ARG(dns_type_text(type)),
                why[0] || about.n > 0 ? ": " : "", why, why[0] && about.n > 0 ? " " : "");
        ptt_text(stdout, about);
        putchar('\n');
}

struct dns_name ptt_dns_name(struct str labels, struct str domain)
{
        struct dns_name name;
        bool is_good = dns_name_parse(domain, &name) == ERR_OK &&
                       (labels.n == 0 || dns_name_join(labels, &name, &name) == ERR_OK);
        if (!is_good)
                dns_name_set_root(&name); /* a domain too long for that label has no such record */
        return name;
}

const struct dns_answer *ptt_dns_look(struct ptt_dns_check *c, const struct dns_name *name, uint16_t type,
        enum ptt_dns_verdict missing, const char *why)
{
        const struct dns_answer *answer;
        switch (dns_known_get(&c->known, name, type, &answer)) {
        case DNS_KNOWN_FOUND:
                return answer;
        case DNS_KNOWN_NOTHING:
        case DNS_KNOWN_NO_NAME:
                if (missing != PTT_DNS_OK)
                        ptt_dns_tell(c, missing, name, type, why, S(""));
                return NULL;
        default:
                ptt_dns_tell(c, PTT_DNS_UNKNOWN, name, type, "the DNS gave no answer", S(""));
                return NULL;
        }
}

static struct str name_text(struct wr *w, const struct dns_name *name)
{
        size_t from = w->n;
        dns_name_write(w, name);
        return str_skip(wr_text(w), from);
}

/* Mail comes in. */

static void check_mx(struct ptt_dns_check *c)
{
        struct dns_name domain = ptt_dns_name(S(""), c->plan->domain),
                        host = ptt_dns_name(S(""), c->plan->hostname);
        const struct dns_answer *a =
                ptt_dns_look(c, &domain, DNS_TYPE_MX, PTT_DNS_MISSING, "no host takes mail for the domain");
        const struct dns_name *other = NULL;
        char text[DNS_NAME_TEXT_MAX];
        struct wr w;
        bool is_there = false;
        if (!a)
                return;
        for (size_t i = 0; i < a->count; i++) {
                const struct dns_name *exchange = &a->values[i].mx.exchange;
                if (dns_name_eq(exchange, &host))
                        is_there = true;
                else
                        other = exchange;
        }
        wr_init(&w, text, sizeof text);
        if (other && dns_name_is_root(other))
                ptt_dns_tell(c, PTT_DNS_WRONG, &domain, DNS_TYPE_MX,
                        "a null MX: the domain takes no mail (RFC 7505)", S(""));
        else if (!is_there)
                ptt_dns_tell(
                        c, PTT_DNS_WRONG, &domain, DNS_TYPE_MX, "points elsewhere, to", name_text(&w, other));
        else if (other)
                ptt_dns_tell(c, PTT_DNS_ADVICE, &domain, DNS_TYPE_MX,
                        "mail may go to another host too:", name_text(&w, other));
        else
                ptt_dns_tell(c, PTT_DNS_OK, &domain, DNS_TYPE_MX, "", c->plan->hostname);
}

/* `ip` NULL: the family that is not in the plan. */
static void check_address(struct ptt_dns_check *c, uint16_t type, const struct ip *ip)
{
        struct dns_name host = ptt_dns_name(S(""), c->plan->hostname);
        const struct dns_answer *a =
                ptt_dns_look(c, &host, type, ip ? PTT_DNS_MISSING : PTT_DNS_OK, "no address");
        const struct ip *other = NULL;
        char text[64];
        struct wr w;
        bool is_there = false;
        if (!a)
                return;
        for (size_t i = 0; i < a->count; i++) {
                if (ip && ip_eq(&a->values[i].ip, ip))
                        is_there = true;
                else
                        other = &a->values[i].ip;
        }
        wr_init(&w, text, sizeof text);
        if (other)
                ip_write(&w, other);
        else
                ip_write(&w, ip);
        if (!dns_name_eq(&a->name, &host))
                ptt_dns_tell(
                        c, PTT_DNS_WRONG, &host, type, "an MX must not name an alias (RFC 2181 10.3)", S(""));
        else if (!ip)
                ptt_dns_tell(
                        c, PTT_DNS_ADVICE, &host, type, "an address that you did not name:", wr_text(&w));
        else if (!is_there)
                ptt_dns_tell(c, PTT_DNS_WRONG, &host, type, "another address:", wr_text(&w));
        else if (other)
                ptt_dns_tell(c, PTT_DNS_ADVICE, &host, type, "another address too:", wr_text(&w));
        else
                ptt_dns_tell(c, PTT_DNS_OK, &host, type, "", wr_text(&w));
}

static void check_reverse(struct ptt_dns_check *c, const struct ip *ip)
{
        struct dns_name reverse, host = ptt_dns_name(S(""), c->plan->hostname);
        char text[DNS_NAME_TEXT_MAX];
        struct wr w;
        dns_reverse_name(ip, &reverse);
        const struct dns_answer *a = ptt_dns_look(
                c, &reverse, DNS_TYPE_PTR, PTT_DNS_MISSING, "the address has no name: ask your provider");
        if (!a)
                return;
        wr_init(&w, text, sizeof text);
        for (size_t i = 0; i < a->count; i++)
                if (dns_name_eq(&a->values[i].name, &host)) {
                        ptt_dns_tell(c, PTT_DNS_OK, &reverse, DNS_TYPE_PTR, "", c->plan->hostname);
                        return;
                }
        ptt_dns_tell(
                c, PTT_DNS_WRONG, &reverse, DNS_TYPE_PTR, "another name:", name_text(&w, &a->values[0].name));
}

/* Mail goes out. */

/* False: not known yet. */
static bool evaluate_spf(
        struct ptt_dns_check *c, const struct ip *ip, struct str domain, bool is_helo, struct spf_verdict *v)
{
        char sender[MAIL_ADDRESS_MAX + 1];
        struct wr w;
        struct spf_input in = {.ip = *ip, .helo = domain};
        wr_init(&w, sender, sizeof sender);
        if (!is_helo) {
                wr_str(&w, S("postmaster@"));
                wr_str(&w, domain);
        }
        in.sender = wr_text(&w);
        return spf_check(&in, &c->known, v) == ERR_OK;
}

/* An address that is not ours, for a look at what the record gives to everyone. */
static struct ip stranger(const struct ip *ours)
{
        struct ip ip = ip_v4(198, 51, 100, 77);
        if (ours->family == 4 && ours->b[0] == 198)
                return ip_v4(203, 0, 113, 77);
        return ours->family == 4
                       ? ip
                       : (struct ip){.family = 6, .b = {0x20, 0x01, 0x0d, 0xb8, 0xff, 0xff, [15] = 77}};
}

/* False: there is no record, which was told. */
static bool check_spf(struct ptt_dns_check *c, const struct ip *ip, struct str domain, bool is_helo)
{
        struct dns_name name = ptt_dns_name(S(""), domain);
        struct ip other = stranger(ip);
        struct spf_verdict ours, others;
        char text[64], reason[SPF_REASON_MAX + 64];
        struct wr address, w;
        if (!evaluate_spf(c, ip, domain, is_helo, &ours) ||
                !evaluate_spf(c, &other, domain, is_helo, &others))
                return true;
        wr_init(&address, text, sizeof text);
        ip_write(&address, ip);
        wr_init(&w, reason, sizeof reason);
        wr_str(&w, spf_result_text(ours.result));
        wr_str(&w, S(" for "));
        wr_str(&w, wr_text(&address));
        wr_str(&w, S(": "));
        spf_reason_write(&w, &ours);
        if (ours.fault == SPF_NO_RECORD || ours.fault == SPF_NO_NAME)
                ptt_dns_tell(c, is_helo ? PTT_DNS_ADVICE : PTT_DNS_MISSING, &name, DNS_TYPE_TXT,
                        is_helo ? "no SPF record; bounces, whose sender is empty, are judged by it"
                                : "no SPF record",
                        S(""));
        else if (ours.result == SPF_TEMPERROR)
                ptt_dns_tell(c, PTT_DNS_UNKNOWN, &name, DNS_TYPE_TXT, "SPF:", wr_text(&w));
        else if (ours.result != SPF_PASS)
                ptt_dns_tell(c, PTT_DNS_WRONG, &name, DNS_TYPE_TXT, "SPF:", wr_text(&w));
        else if (others.result == SPF_PASS)
                ptt_dns_tell(
                        c, PTT_DNS_WRONG, &name, DNS_TYPE_TXT, "SPF: lets anyone send for the domain", S(""));
        else
                ptt_dns_tell(c, PTT_DNS_OK, &name, DNS_TYPE_TXT, "SPF: pass for", wr_text(&address));
        return ours.fault != SPF_NO_RECORD && ours.fault != SPF_NO_NAME;
}

static void check_dmarc(struct ptt_dns_check *c)
{
        struct dns_name name = ptt_dns_name(S("_dmarc"), c->plan->domain);
        const struct dns_answer *a = ptt_dns_look(c, &name, DNS_TYPE_TXT, PTT_DNS_MISSING, "no DMARC record");
        struct dmarc_record record, one;
        size_t count = 0;
        for (size_t i = 0; a && i < a->count; i++)
                if (dmarc_record_parse(a->values[i].text, &one) == ERR_OK) {
                        record = one;
                        count++;
                }
        if (!a)
                return;
        if (count == 0)
                ptt_dns_tell(
                        c, PTT_DNS_MISSING, &name, DNS_TYPE_TXT, "no DMARC record, but other text", S(""));
        else if (count > 1)
                ptt_dns_tell(c, PTT_DNS_WRONG, &name, DNS_TYPE_TXT,
                        "several DMARC records: none of them counts", S(""));
        else if (!record.is_usable)
                ptt_dns_tell(
                        c, PTT_DNS_WRONG, &name, DNS_TYPE_TXT, "the DMARC record has no valid p=", S(""));
        else
                ptt_dns_tell(
                        c, PTT_DNS_OK, &name, DNS_TYPE_TXT, "DMARC: policy", dmarc_policy_text(record.p));
}

/* Asking. */

static void compare(struct ptt_dns_check *c)
{
        const struct ptt_dns_plan *plan = c->plan;
        bool is_own_host = !str_eq_nocase(plan->domain, plan->hostname);
        check_mx(c);
        check_address(c, DNS_TYPE_A, &plan->addresses[0]);
        check_address(c, DNS_TYPE_AAAA, plan->address_count > 1 ? &plan->addresses[1] : NULL);
        for (size_t i = 0; i < plan->address_count; i++)
                check_reverse(c, &plan->addresses[i]);
        for (size_t i = 0; i < plan->address_count; i++)
                if (!check_spf(c, &plan->addresses[i], plan->domain, false))
                        break;
        for (size_t i = 0; is_own_host && i < plan->address_count; i++)
                if (!check_spf(c, &plan->addresses[i], plan->hostname, true))
                        break;
        check_dmarc(c);
        ptt_dns_check_keys(c);
        ptt_dns_check_tlsa(c);
}

struct asking {
        struct ptt_dns_check *check;
        struct resolver *resolver;
        struct dns_fact *fact;
};

static void ask_one(void *arg)
{
        struct asking *a = arg;
        struct dns_answer answer;
        struct arena *arena = &a->check->ptt->arena;
        enum err e = resolver_lookup(a->resolver, &a->fact->name, a->fact->type, FIBER_NEVER, arena, &answer);
        dns_known_give(&a->check->known, a->fact, e, &answer);
}

/* All that is wanted, at once. */
static void ask_all(struct ptt_dns_check *c, struct resolver *resolver)
{
        struct host *h = c->ptt->host;
        struct asking asking[ROUND_MAX];
        struct dns_fact *fact = NULL;
        struct scope scope;
        scope_open(&scope, h->sched, host_now_ms(h) + WAIT_MS);
        for (size_t i = 0; i < ROUND_MAX && (fact = dns_known_wanted(&c->known, fact)); i++) {
                asking[i] = (struct asking){c, resolver, fact};
                if (scope_spawn(&scope, "question", ask_one, &asking[i]) != ERR_OK)
                        dns_known_give(&c->known, fact, ERR_MEMORY, NULL);
        }
        (void)scope_join(&scope);
}

int ptt_dns_check(struct ptt *p, const struct ptt_dns_plan *plan)
{
        struct resolver_config config = {.servers = plan->servers, .server_count = plan->server_count};
        struct resolver *resolver = resolver_new(p->host, &config);
        struct ptt_dns_check c = {.ptt = p, .plan = plan};
        if (!resolver)
                return ptt_say(1, "out of memory", S(""));
        dns_known_init(&c.known, &p->arena, QUESTIONS_MAX);
        for (compare(&c); c.known.wanted > 0; compare(&c))
                ask_all(&c, resolver);
        c.is_told = true;
        compare(&c);
        resolver_free(resolver);
        return c.bad > 0 ? 1 : 0;
}
