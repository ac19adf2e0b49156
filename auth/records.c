/* SPDX-License-Identifier: ISC */
#include "auth/records.h"

#include "auth/dmarc.h"
#include "auth/field.h"
#include "auth/spf_check.h"
#include "base/check.h"
#include "dns/rdata.h"

#define ABOUT_MAX 600 /* of what is told about a record */

/* Telling. */

void records_finding_write(struct wr *w, const struct records_finding *finding)
{
        static const struct str words[] = {[RECORDS_OK] = {"ok       ", 9},
                [RECORDS_ADVICE] = {"advice   ", 9},
                [RECORDS_MISSING] = {"missing  ", 9},
                [RECORDS_WRONG] = {"wrong    ", 9},
                [RECORDS_UNKNOWN] = {"unknown  ", 9}};
        bool has_why = finding->why[0] != 0, has_about = finding->about.n > 0;
        wr_str(w, words[finding->verdict]);
        dns_name_write(w, finding->name);
        wr_byte(w, ' ');
        wr_str(w, dns_type_text(finding->type));
        wr_str(w, has_why || has_about ? S(": ") : S(""));
        wr_str(w, str_of_c(finding->why));
        wr_str(w, has_why && has_about ? S(" ") : S(""));
        field_write_clean(w, finding->about, ABOUT_MAX);
}

void records_tell(struct records *r, enum records_verdict verdict, const struct dns_name *name, uint16_t type,
        const char *why, struct str about)
{
        const struct records_finding finding = {verdict, name, type, why, about};
        if (!r->tell)
                return;
        r->bad += verdict == RECORDS_MISSING || verdict == RECORDS_WRONG;
        r->unknown += verdict == RECORDS_UNKNOWN;
        r->tell(r->ctx, &finding);
}

struct dns_name records_name(struct str labels, struct str domain)
{
        struct dns_name name;
        bool is_good = dns_name_parse(domain, &name) == ERR_OK &&
                       (labels.n == 0 || dns_name_join(labels, &name, &name) == ERR_OK);
        if (!is_good)
                dns_name_set_root(&name); /* a domain too long for that label has no such record */
        return name;
}

const struct dns_answer *records_look(struct records *r, const struct dns_name *name, uint16_t type,
        enum records_verdict missing, const char *why)
{
        const struct dns_answer *answer;
        switch (dns_known_get(r->known, name, type, &answer)) {
        case DNS_KNOWN_FOUND:
                return answer;
        case DNS_KNOWN_NOTHING:
        case DNS_KNOWN_NO_NAME:
                if (missing != RECORDS_OK)
                        records_tell(r, missing, name, type, why, S(""));
                return NULL;
        default:
                records_tell(r, RECORDS_UNKNOWN, name, type, "the DNS gave no answer", S(""));
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

static void check_mx(struct records *r)
{
        struct dns_name domain = records_name(S(""), r->plan->domain),
                        host = records_name(S(""), r->plan->hostname);
        const struct dns_answer *a =
                records_look(r, &domain, DNS_TYPE_MX, RECORDS_MISSING, "no host takes mail for the domain");
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
                records_tell(r, RECORDS_WRONG, &domain, DNS_TYPE_MX,
                        "a null MX: the domain takes no mail (RFC 7505)", S(""));
        else if (!is_there)
                records_tell(
                        r, RECORDS_WRONG, &domain, DNS_TYPE_MX, "points elsewhere, to", name_text(&w, other));
        else if (other)
                records_tell(r, RECORDS_ADVICE, &domain, DNS_TYPE_MX,
                        "mail may go to another host too:", name_text(&w, other));
        else
                records_tell(r, RECORDS_OK, &domain, DNS_TYPE_MX, "", r->plan->hostname);
}

/* `ip` NULL: the family that is not in the plan. */
static void check_address(struct records *r, uint16_t type, const struct ip *ip)
{
        struct dns_name host = records_name(S(""), r->plan->hostname);
        const struct dns_answer *a =
                records_look(r, &host, type, ip ? RECORDS_MISSING : RECORDS_OK, "no address");
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
                records_tell(
                        r, RECORDS_WRONG, &host, type, "an MX must not name an alias (RFC 2181 10.3)", S(""));
        else if (!ip)
                records_tell(
                        r, RECORDS_ADVICE, &host, type, "an address that you did not name:", wr_text(&w));
        else if (!is_there)
                records_tell(r, RECORDS_WRONG, &host, type, "another address:", wr_text(&w));
        else if (other)
                records_tell(r, RECORDS_ADVICE, &host, type, "another address too:", wr_text(&w));
        else
                records_tell(r, RECORDS_OK, &host, type, "", wr_text(&w));
}

static void check_reverse(struct records *r, const struct ip *ip)
{
        struct dns_name reverse, host = records_name(S(""), r->plan->hostname);
        char text[DNS_NAME_TEXT_MAX];
        struct wr w;
        dns_reverse_name(ip, &reverse);
        const struct dns_answer *a = records_look(
                r, &reverse, DNS_TYPE_PTR, RECORDS_MISSING, "the address has no name: ask your provider");
        if (!a)
                return;
        wr_init(&w, text, sizeof text);
        for (size_t i = 0; i < a->count; i++)
                if (dns_name_eq(&a->values[i].name, &host)) {
                        records_tell(r, RECORDS_OK, &reverse, DNS_TYPE_PTR, "", r->plan->hostname);
                        return;
                }
        records_tell(
                r, RECORDS_WRONG, &reverse, DNS_TYPE_PTR, "another name:", name_text(&w, &a->values[0].name));
}

/* Mail goes out. */

/* False: not known yet. */
static bool evaluate_spf(
        struct records *r, const struct ip *ip, struct str domain, bool is_helo, struct spf_verdict *v)
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
        return spf_check(&in, r->known, v) == ERR_OK;
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
static bool check_spf(struct records *r, const struct ip *ip, struct str domain, bool is_helo)
{
        struct dns_name name = records_name(S(""), domain);
        struct ip other = stranger(ip);
        struct spf_verdict ours, others;
        char text[64], reason[SPF_REASON_MAX + 64];
        struct wr address, w;
        if (!evaluate_spf(r, ip, domain, is_helo, &ours) ||
                !evaluate_spf(r, &other, domain, is_helo, &others))
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
                records_tell(r, is_helo ? RECORDS_ADVICE : RECORDS_MISSING, &name, DNS_TYPE_TXT,
                        is_helo ? "no SPF record; bounces, whose sender is empty, are judged by it"
                                : "no SPF record",
                        S(""));
        else if (ours.result == SPF_TEMPERROR)
                records_tell(r, RECORDS_UNKNOWN, &name, DNS_TYPE_TXT, "SPF:", wr_text(&w));
        else if (ours.result != SPF_PASS)
                records_tell(r, RECORDS_WRONG, &name, DNS_TYPE_TXT, "SPF:", wr_text(&w));
        else if (others.result == SPF_PASS)
                records_tell(
                        r, RECORDS_WRONG, &name, DNS_TYPE_TXT, "SPF: lets anyone send for the domain", S(""));
        else
                records_tell(r, RECORDS_OK, &name, DNS_TYPE_TXT, "SPF: pass for", wr_text(&address));
        return ours.fault != SPF_NO_RECORD && ours.fault != SPF_NO_NAME;
}

static void check_dmarc(struct records *r)
{
        struct dns_name name = records_name(S("_dmarc"), r->plan->domain);
        const struct dns_answer *a = records_look(r, &name, DNS_TYPE_TXT, RECORDS_MISSING, "no DMARC record");
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
                records_tell(
                        r, RECORDS_MISSING, &name, DNS_TYPE_TXT, "no DMARC record, but other text", S(""));
        else if (count > 1)
                records_tell(r, RECORDS_WRONG, &name, DNS_TYPE_TXT,
                        "several DMARC records: none of them counts", S(""));
        else if (!record.is_usable)
                records_tell(
                        r, RECORDS_WRONG, &name, DNS_TYPE_TXT, "the DMARC record has no valid p=", S(""));
        else
                records_tell(
                        r, RECORDS_OK, &name, DNS_TYPE_TXT, "DMARC: policy", dmarc_policy_text(record.p));
}

/* All of it. */

static void add_address(struct records *r, const struct ip *ip)
{
        if (r->address_count < RECORDS_ADDRESSES)
                r->addresses[r->address_count++] = *ip;
}

/* The addresses of the host name, when nobody said which are ours. */
static void find_addresses(struct records *r)
{
        static const uint16_t types[] = {DNS_TYPE_A, DNS_TYPE_AAAA};
        struct dns_name host = records_name(S(""), r->plan->hostname);
        const struct dns_answer *answers[2];
        for (size_t i = 0; i < 2; i++)
                answers[i] = records_look(r, &host, types[i], RECORDS_OK, "");
        for (size_t i = 0; i < 2; i++)
                for (size_t k = 0; answers[i] && k < answers[i]->count; k++)
                        add_address(r, &answers[i]->values[k].ip);
        for (size_t i = 0; i < 2; i++)
                if (answers[i] && !dns_name_eq(&answers[i]->name, &host))
                        records_tell(r, RECORDS_WRONG, &host, types[i],
                                "an MX must not name an alias (RFC 2181 10.3)", S(""));
                else if (answers[i])
                        records_tell(r, RECORDS_OK, &host, types[i], "", S(""));
        if (!answers[0] && !answers[1] && r->unknown == 0)
                records_tell(r, RECORDS_MISSING, &host, DNS_TYPE_A, "no address", S(""));
}

static void compare_addresses(struct records *r)
{
        const struct records_plan *plan = r->plan;
        r->address_count = 0;
        if (plan->address_count == 0) {
                find_addresses(r);
                return;
        }
        for (size_t i = 0; i < plan->address_count; i++)
                add_address(r, &plan->addresses[i]);
        check_address(r, DNS_TYPE_A, &plan->addresses[0]);
        check_address(r, DNS_TYPE_AAAA, plan->address_count > 1 ? &plan->addresses[1] : NULL);
}

void records_compare(struct records *r)
{
        const struct records_plan *plan = r->plan;
        bool is_own_host = !str_eq_nocase(plan->domain, plan->hostname);
        r->bad = r->unknown = 0;
        check_mx(r);
        compare_addresses(r);
        for (size_t i = 0; i < r->address_count; i++)
                check_reverse(r, &r->addresses[i]);
        for (size_t i = 0; i < r->address_count; i++)
                if (!check_spf(r, &r->addresses[i], plan->domain, false))
                        break;
        for (size_t i = 0; is_own_host && i < r->address_count; i++)
                if (!check_spf(r, &r->addresses[i], plan->hostname, true))
                        break;
        check_dmarc(r);
        records_compare_keys(r);
        records_compare_tlsa(r);
}
