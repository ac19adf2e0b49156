/* SPDX-License-Identifier: ISC */
/* ptt dns: the command line, and the plan as lines of a zone file. */
#include "app/ptt_dns.h"

#include "auth/zone.h"
#include "dns/rdata.h"
#include "mail/address.h"

static int read_domains(struct ptt *p, struct records_plan *plan)
{
        int status = ptt_domain(p, false, &plan->domain);
        if (status != 0)
                return status;
        if (!options_value(&p->options, "hostname", &plan->hostname))
                return ptt_say(EXIT_USAGE, "--hostname is missing", S(""));
        if (!mail_domain_is_valid(plan->hostname, MAIL_ASCII))
                return ptt_say(EXIT_USAGE, "--hostname is not a host name", plan->hostname);
        return 0;
}

static int read_addresses(struct ptt *p, struct records_plan *plan)
{
        struct str value;
        if (!options_value(&p->options, "ipv4", &value))
                return ptt_say(EXIT_USAGE, "--ipv4 is missing", S(""));
        if (ip_parse(value, &plan->addresses[0]) != ERR_OK || plan->addresses[0].family != 4)
                return ptt_say(EXIT_USAGE, "--ipv4 is not an IPv4 address", value);
        plan->address_count = 1;
        if (!options_value(&p->options, "ipv6", &value))
                return 0;
        if (ip_parse(value, &plan->addresses[1]) != ERR_OK || plan->addresses[1].family != 6)
                return ptt_say(EXIT_USAGE, "--ipv6 is not an IPv6 address", value);
        plan->address_count = 2;
        return 0;
}

static int read_selector(struct ptt *p, const char *option, struct str otherwise, struct str *out)
{
        if (!options_value(&p->options, option, out))
                *out = otherwise;
        if (zone_selector_check(*out) != ERR_OK)
                return ptt_say(EXIT_USAGE, "a selector is letters, digits and hyphens around one %d", *out);
        return 0;
}

static int read_servers(struct ptt *p, struct ptt_dns_plan *plan)
{
        struct str value;
        for (; options_nth(&p->options, "nameserver", plan->server_count, &value); plan->server_count++)
                if (plan->server_count == RESOLVER_SERVERS_MAX ||
                        dns_server_parse(value, &plan->servers[plan->server_count]) != ERR_OK)
                        return ptt_say(EXIT_USAGE, "--nameserver is not tcp:IP or udp:IP", value);
        if (plan->server_count > 0 && !options_has(&p->options, "check"))
                return ptt_say(EXIT_USAGE, "--nameserver is for --check", S(""));
        if (plan->server_count == 0 && options_has(&p->options, "check"))
                return ptt_say(EXIT_USAGE, "--check needs a resolver: -n tcp:IP", S(""));
        return 0;
}

/* One record as a line of a zone file. */
static void print_record(
        const struct dns_name *name, const char *type, const char *value, struct str more, const char *end)
{
        char text[DNS_NAME_TEXT_MAX];
        struct wr w;
        wr_init(&w, text, sizeof text);
        dns_name_write(&w, name);
        printf("%.*s. 3600 IN %s %s%.*s%s\n", STR_ARG(wr_text(&w)), type, value, STR_ARG(more), end);
}

static void print_address(const struct dns_name *host, const struct ip *ip)
{
        char text[64];
        struct wr w;
        wr_init(&w, text, sizeof text);
        ip_write(&w, ip);
        print_record(host, ip->family == 4 ? "A" : "AAAA", "", wr_text(&w), "");
}

/* "v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 -all" needs no look-up when it is evaluated. */
static void print_spf(const struct records_plan *plan, const struct dns_name *name)
{
        char text[256];
        struct wr w;
        wr_init(&w, text, sizeof text);
        for (size_t i = 0; i < plan->address_count; i++) {
                wr_str(&w, plan->addresses[i].family == 4 ? S(" ip4:") : S(" ip6:"));
                ip_write(&w, &plan->addresses[i]);
        }
        print_record(name, "TXT", "\"v=spf1", wr_text(&w), " -all\"");
}

static void print_ours(const struct records_plan *plan)
{
        struct dns_name domain = records_name(S(""), plan->domain),
                        host = records_name(S(""), plan->hostname);
        struct dns_name dmarc = records_name(S("_dmarc"), plan->domain);
        printf("; Where mail for the domain comes in.\n");
        print_record(&domain, "MX", "10 ", plan->hostname, ".");
        for (size_t i = 0; i < plan->address_count; i++)
                print_address(&host, &plan->addresses[i]);
        printf("\n; From where its mail comes (RFC 7208); the second is for bounces, whose sender is empty.\n"
               "; If other hosts send for the domain, name them too.\n");
        print_spf(plan, &domain);
        if (!dns_name_eq(&domain, &host))
                print_spf(plan, &host);
        printf("\n; What receivers do with mail that claims to be of the domain and is not (RFC 9989). Once "
               "the\n"
               "; reports show that all of it is signed, make it p=quarantine, then p=reject.\n");
        print_record(&dmarc, "TXT", "\"v=DMARC1; p=none; rua=mailto:postmaster@", plan->domain, "\"");
}

static void print_reverse(const struct records_plan *plan)
{
        printf("\n; In the zones of whoever gave you the addresses: ask your provider for these. Many "
               "receivers refuse\n"
               "; mail from an address without a name.\n");
        for (size_t i = 0; i < plan->address_count; i++) {
                struct dns_name reverse;
                dns_reverse_name(&plan->addresses[i], &reverse);
                print_record(&reverse, "PTR", "", plan->hostname, ".");
        }
}

static void print_written(const struct records_plan *plan)
{
        char domain[DNS_NAME_TEXT_MAX], host[DNS_NAME_TEXT_MAX];
        struct dns_name names[] = {records_name(S(""), plan->domain), records_name(S(""), plan->hostname)};
        struct wr d, h;
        wr_init(&d, domain, sizeof domain);
        dns_name_write(&d, &names[0]);
        wr_init(&h, host, sizeof host);
        dns_name_write(&h, &names[1]);
        printf("\n; nec writes these itself and changes them in time, by UPDATE with its TSIG key: give that "
               "key the\n"
               "; names below _domainkey.%.*s., TXT alone, and no others (docs/operating.md).\n",
                STR_ARG(wr_text(&d)));
        printf("; _ptt._domainkey.%.*s. TXT \"v=PTT1; e=EPOCH; ...\": which epoch signs, which one is next\n",
                STR_ARG(wr_text(&d)));
        static const struct {
                const char *what;
                bool is_arc, is_ed25519;
        } keys[] = {{"DKIM, RSA", false, false}, {"DKIM, Ed25519", false, true}, {"ARC", true, false}};
        for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
                struct str before, after, pattern = keys[i].is_arc ? plan->arc_selector : plan->selector;
                size_t at = str_find(pattern, S("%d"));
                before = str_take(pattern, at);
                after = str_skip(pattern, at + 2);
                printf("; %.*s%sEPOCH%.*s._domainkey.%.*s. TXT \"v=DKIM1; ...\": %s\n", STR_ARG(before),
                        keys[i].is_ed25519 ? "ed25519-" : "", STR_ARG(after), STR_ARG(wr_text(&d)),
                        keys[i].what);
        }
        printf("\n; lipap writes this itself when it has --dns-server and --dns-key, a TSIG key for this "
               "name alone:\n"
               "; _25._tcp.%.*s. TLSA 3 1 1 ...: its TLS key (RFC 7672), of use if the zone is signed by "
               "DNSSEC\n",
                STR_ARG(wr_text(&h)));
}

int ptt_dns(struct ptt *p)
{
        struct ptt_dns_plan plan = {0};
        int status = 0;
        if (p->options.arguments_count > 0)
                return ptt_say(EXIT_USAGE, "unexpected argument", p->options.arguments[0]);
        status = read_domains(p, &plan.records);
        if (status == 0)
                status = read_addresses(p, &plan.records);
        if (status == 0)
                status = read_selector(p, "selector", S("dkim-%d"), &plan.records.selector);
        if (status == 0)
                status = read_selector(p, "arc-selector", S("arc-%d"), &plan.records.arc_selector);
        if (status == 0)
                status = read_servers(p, &plan);
        if (status != 0)
                return status;
        if (options_has(&p->options, "check"))
                return ptt_dns_check(p, &plan);
        print_ours(&plan.records);
        print_reverse(&plan.records);
        print_written(&plan.records);
        return 0;
}
