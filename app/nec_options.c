/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "app/nec.h"
#include "auth/zone.h"
#include "base/quantity.h"
#include "crypto/bytes.h"
#include "mail/address.h"

#define SMTP_PORT 25
#define METRICS_PORT 9925
#define SECRET_MAX 4096
#define DAY_S 86400
#define TTL_MAX_S (7 * DAY_S)
#define MEMORY_MIN (1024 * 1024)
#define CONTINUE (-1)

static const struct option_spec specs[] = {
        {"domain", 0, "D", true, "a domain whose mail is signed"},
        {"password", 0, "BASE64", false, "what the keys are derived from, at least 16 bytes"},
        {"password-file", 0, "FILE", false, "the same, from a file"},
        {"dns-server", 0, "IP", false, "the primary name server of the domains' zones"},
        {"dns-key", 0, "KEY", true,
                "name:algorithm:base64 of a TSIG key that may change _domainkey names; it serves the zone "
                "behind its label _update"},
        {"dns-key-file", 0, "FILE", true, "the same, from a file"},
        {"destination", 0, "IP", false, "the next hop, which gets the signed mail"},
        {"listen", 0, "IP:PORT", true, "default 0.0.0.0:25"},
        {"accept-from", 0, "CIDR", true, "who may hand in mail; default: loopback and the destination"},
        {"selector", 0, "PATTERN", false, "default dkim-%d; %d becomes the key's epoch"},
        {"arc-selector", 0, "PATTERN", false, "the same for ARC, default arc-%d"},
        {"algorithm", 0, "LIST", false,
                "of DKIM signatures, default rsa/2048,ed25519; rsa/2048 alone leaves out the second one"},
        {"validity", 0, "T", false, "of a key and what it signed, default 30d"},
        {"overlap", 0, "T", false, "the next key comes so long before, default 7d"},
        {"queue-life", 0, "T", false, "how long mail may wait on its way, default 5d"},
        {"ttl", 0, "T", false, "of the records, default 1h"},
        {"rotation-test", 0, NULL, false,
                "read the zone again each second, and let --overlap be as short as --queue-life; for tests "
                "only"},
        {"replace", 0, NULL, false, "take over from another password, whose records stand until their time"},
        {"revoke", 0, NULL, false,
                "once, instead of signing: move the zone to a new password's keys, and revoke all others"},
        {"same-password", 0, NULL, false, "with --revoke: the password stays, only its keys change"},
        {"authserv-id", 0, "ID", false,
                "whose Authentication-Results an ARC set is made of; default: the first --domain"},
        {"nameserver", 0, "udp:IP|tcp:IP", true,
                "resolver that is asked for the keys of earlier ARC sets; default: the --dns-server"},
        {"memory", 0, "SIZE", false, "for messages on their way through, default 256M"},
        {"metrics", 0, "IP:PORT", false,
                "where /metrics and /healthz are served over HTTP; default: nowhere"},
        {"name", 0, "LABEL", false, "stands in each log line"},
        {"help", 0, NULL, false, "print this"},
        {"version", 0, NULL, false, "print the version"},
        {NULL, 0, NULL, false, NULL},
};

static int complain(const char *what, struct str value)
{
        return options_complain("nec", what, value);
}

static int read_domains(struct nec_options *o)
{
        struct str value;
        for (size_t i = 0; options_nth(&o->options, "domain", i, &value); i++) {
                struct nec_domain *d = &o->domains[o->domain_count];
                struct wr w;
                if (o->domain_count == NEC_DOMAINS_MAX)
                        return complain("too many of --domain", value);
                wr_init(&w, d->text, sizeof d->text);
                wr_lower(&w, value);
                d->name = wr_text(&w);
                if (!mail_domain_is_valid(value, MAIL_ASCII) || wr_end(&w) != ERR_OK)
                        return complain("--domain is not a domain name of at most 160 characters", value);
                for (size_t k = 0; k < o->domain_count; k++)
                        if (str_eq(o->domains[k].name, d->name))
                                return complain("--domain is given twice", value);
                o->domain_count++;
        }
        return o->domain_count > 0 ? CONTINUE : complain("--domain is missing", S(""));
}

static int read_password(struct nec_options *o)
{
        char secret[SECRET_MAX];
        struct str value, file;
        bool has_value = options_value(&o->options, "password", &value);
        bool has_file = options_value(&o->options, "password-file", &file);
        if (has_value == has_file)
                return complain("give one of --password and --password-file", S(""));
        if (has_file && options_file_read(file, secret, sizeof secret, &value) != ERR_OK)
                return complain("--password-file cannot be read", file);
        enum err e = key_password_parse(value, &o->password);
        crypto_wipe(secret, sizeof secret);
        if (e == ERR_OK)
                return CONTINUE;
        fprintf(stderr,
                e == ERR_DENIED ? "nec: %s is shorter than 16 bytes: make one with ptt password\n"
                                : "nec: %s is not base64 of at most 256 bytes\n",
                has_file ? "--password-file" : "--password");
        return EXIT_USAGE;
}

static int choose_dns_key(struct nec_options *o, struct nec_domain *d)
{
        struct dns_name domain;
        if (dns_name_parse(d->name, &domain) != ERR_OK)
                return complain("--domain is not a domain name", d->name);
        d->tsig = dns_keys_choose(&o->dns_keys, &domain, &d->zone);
        return d->tsig ? CONTINUE : complain("no --dns-key serves the zone of", d->name);
}

static int read_dns(struct nec_options *o)
{
        int status = dns_keys_read(&o->dns_keys, &o->options, "nec");
        if (status != CONTINUE)
                return status;
        if (o->dns_keys.server.at.port == 0)
                return complain("--dns-server is missing", S(""));
        for (size_t i = 0; status == CONTINUE && i < o->domain_count; i++)
                status = choose_dns_key(o, &o->domains[i]);
        return status;
}

/* After the primary is known. */
static int read_nameservers(struct nec_options *o)
{
        struct str value;
        for (size_t i = 0; options_nth(&o->options, "nameserver", i, &value); i++, o->nameserver_count++)
                if (i == RESOLVER_SERVERS_MAX || dns_server_parse(value, &o->nameservers[i]) != ERR_OK)
                        return complain("--nameserver is not udp:IP or tcp:IP, or there are too many", value);
        if (o->nameserver_count == 0)
                o->nameservers[o->nameserver_count++] = o->dns_keys.server;
        return CONTINUE;
}

/* It is compared with what a receiver writes in front of Authentication-Results. */
static int read_authserv_id(struct nec_options *o)
{
        if (!options_value(&o->options, "authserv-id", &o->authserv_id))
                o->authserv_id = o->domains[0].name;
        else if (!mail_domain_is_valid(o->authserv_id, MAIL_UTF8))
                return complain("--authserv-id is not a name such as mx.example.org", o->authserv_id);
        return CONTINUE;
}

static int read_mail(struct nec_options *o)
{
        struct str value;
        if (!options_value(&o->options, "destination", &value))
                return options_has(&o->options, "revoke") ? CONTINUE
                                                          : complain("--destination is missing", S(""));
        if (ip_port_parse(value, SMTP_PORT, &o->destination) != ERR_OK)
                return complain("--destination is not an address", value);
        for (size_t i = 0; options_nth(&o->options, "listen", i, &value); i++, o->listen_count++)
                if (i == NEC_LISTENERS_MAX || ip_port_parse(value, SMTP_PORT, &o->listens[i]) != ERR_OK)
                        return complain("--listen is not an address", value);
        if (o->listen_count == 0)
                o->listens[o->listen_count++] = (struct ip_port){ip_v4(0, 0, 0, 0), SMTP_PORT};
        for (size_t i = 0; options_nth(&o->options, "accept-from", i, &value); i++, o->accept_from_count++)
                if (i == NEC_NETWORKS_MAX || ip_net_parse(value, &o->accept_from[i]) != ERR_OK)
                        return complain("--accept-from is not a network", value);
        if (o->accept_from_count == 0) {
                o->accept_from[0] = (struct ip_net){ip_v4(127, 0, 0, 0), 8};
                o->accept_from[1] = (struct ip_net){{.family = 6, .b = {[15] = 1}}, 128};
                o->accept_from[2] =
                        (struct ip_net){o->destination.ip, o->destination.ip.family == 4 ? 32 : 128};
                o->accept_from_count = 3;
        }
        return CONTINUE;
}

static bool read_duration(const struct nec_options *o, const char *name, int64_t otherwise_s, int64_t *out_s)
{
        struct str value;
        *out_s = otherwise_s;
        return !options_value(&o->options, name, &value) ||
               (quantity_duration_parse(value, out_s) == ERR_OK && *out_s > 0);
}

static int read_times(struct nec_options *o)
{
        if (!read_duration(o, "validity", 30 * DAY_S, &o->validity_s))
                return complain("--validity is not a duration", S(""));
        if (!read_duration(o, "overlap", 7 * DAY_S, &o->overlap_s))
                return complain("--overlap is not a duration", S(""));
        if (!read_duration(o, "queue-life", 5 * DAY_S, &o->queue_life_s))
                return complain("--queue-life is not a duration", S(""));
        if (!read_duration(o, "ttl", 3600, &o->ttl_s) || o->ttl_s > TTL_MAX_S)
                return complain("--ttl is not a duration of at most 7d", S(""));
        o->is_rotation_test = options_has(&o->options, "rotation-test");
        if (o->overlap_s < o->queue_life_s)
                return complain("--overlap is shorter than --queue-life", S(""));
        if (!o->is_rotation_test && o->overlap_s < o->queue_life_s + DAY_S)
                return complain("--overlap is shorter than --queue-life and a day: "
                                "mail on its way would outlive its signature",
                        S(""));
        if (o->validity_s <= o->overlap_s)
                return complain("--validity is not longer than --overlap", S(""));
        if (!zone_times_fit(o->validity_s, o->overlap_s, o->ttl_s))
                return complain(
                        "--overlap is so near to --validity that too many keys would stand at once", S(""));
        return CONTINUE;
}

static int read_algorithms(struct nec_options *o)
{
        struct str list, item;
        bool has_rsa = false, more = true;
        if (!options_value(&o->options, "algorithm", &list))
                list = S("rsa/2048,ed25519");
        while (more) {
                more = str_cut(list, ',', &item, &list);
                if (str_eq_nocase(str_trim(item), S("rsa/2048")))
                        has_rsa = true;
                else if (str_eq_nocase(str_trim(item), S("ed25519")))
                        o->has_ed25519 = true;
                else
                        return complain("--algorithm knows rsa/2048 and ed25519, not", item);
        }
        return has_rsa ? CONTINUE : complain("--algorithm lacks rsa/2048, which all signers need", S(""));
}

static bool is_same_selector(const struct nec_options *o, enum zone_kind kind)
{
        char one[DNS_LABEL_MAX], other[DNS_LABEL_MAX];
        struct wr a, b;
        wr_init(&a, one, sizeof one);
        wr_init(&b, other, sizeof other);
        zone_selector_write(&a, o->selector, kind, 1);
        zone_selector_write(&b, o->arc_selector, ZONE_ARC_RSA, 1);
        return str_eq(wr_text(&a), wr_text(&b));
}

static int read_selectors(struct nec_options *o)
{
        if (!options_value(&o->options, "selector", &o->selector))
                o->selector = S("dkim-%d");
        if (!options_value(&o->options, "arc-selector", &o->arc_selector))
                o->arc_selector = S("arc-%d");
        if (zone_selector_check(o->selector) != ERR_OK)
                return complain("--selector is not letters, digits and hyphens around one %d", o->selector);
        if (zone_selector_check(o->arc_selector) != ERR_OK)
                return complain(
                        "--arc-selector is not letters, digits and hyphens around one %d", o->arc_selector);
        if (is_same_selector(o, ZONE_DKIM_RSA) || is_same_selector(o, ZONE_DKIM_ED25519))
                return complain("--arc-selector is that of the DKIM keys", o->arc_selector);
        return read_algorithms(o);
}

static int read_mode(struct nec_options *o)
{
        bool replaces = options_has(&o->options, "replace"), revokes = options_has(&o->options, "revoke");
        bool is_same = options_has(&o->options, "same-password");
        if (replaces && revokes)
                return complain("give one of --replace and --revoke", S(""));
        if (is_same && !revokes)
                return complain("--same-password goes with --revoke", S(""));
        o->mode = replaces  ? ZONE_REPLACES
                  : is_same ? ZONE_REVOKES_SAME
                  : revokes ? ZONE_REVOKES
                            : ZONE_KEEPS;
        return CONTINUE;
}

static int read_rest(struct nec_options *o)
{
        struct str value;
        o->memory = 256 * 1024 * 1024;
        if (options_value(&o->options, "memory", &value) &&
                (quantity_size_parse(value, &o->memory) != ERR_OK || o->memory < MEMORY_MIN))
                return complain("--memory is not a size of at least 1M", value);
        if (options_value(&o->options, "metrics", &value) &&
                ip_port_parse(value, METRICS_PORT, &o->metrics) != ERR_OK)
                return complain("--metrics is not an address", value);
        if (options_value(&o->options, "name", &value))
                o->label = value.p; /* a whole argument, or the end of one */
        return CONTINUE;
}

int nec_options_read(struct nec_options *o, int argc, char **argv)
{
        static int (*const steps[])(struct nec_options * o) = {read_domains, read_password, read_dns,
                read_nameservers, read_authserv_id, read_mail, read_selectors, read_times, read_mode,
                read_rest};
        int status = CONTINUE;
        if (options_parse(specs, argc, argv, &o->options) != ERR_OK)
                return complain(o->options.message, S(""));
        if (options_has(&o->options, "help")) {
                printf("nec: signs mail on its way, with keys that it keeps in the DNS\n\n");
                options_help(stdout, specs);
                return 0;
        }
        if (options_has(&o->options, "version")) {
                printf("nec %s\n", PTT_VERSION);
                return 0;
        }
        if (o->options.arguments_count > 0)
                return complain("unexpected argument", o->options.arguments[0]);
        for (size_t i = 0; status == CONTINUE && i < sizeof steps / sizeof steps[0]; i++)
                status = steps[i](o);
        return status;
}

void nec_options_wipe(struct nec_options *o)
{
        key_password_wipe(&o->password);
        dns_keys_wipe(&o->dns_keys);
}
