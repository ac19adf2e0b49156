/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "app/lipap.h"
#include "auth/zone.h"
#include "base/quantity.h"
#include "crypto/bytes.h"
#include "mail/address.h"
#include "serve/delivery.h"

#define SMTP_PORT 25
#define METRICS_PORT 9925
#define SECRET_MAX 1024
#define CONTINUE (-1)

static const struct option_spec specs[] = {
        {"image", 0, "IMAGE", false, "the image that ptt prepared"},
        {"domain", 0, "D", true, "a domain whose lists are served"},
        {"hostname", 0, "H", false, "our name in SMTP, as the MX record has it"},
        {"signer", 0, "IP", true, "where nec listens"},
        {"signer-network", 0, "CIDR", true, "from where signed copies are taken back"},
        {"nameserver", 0, "SERVER", true, "udp:IP[:PORT] or tcp:IP[:PORT], a full resolver"},
        {"trusted-nameserver", 0, "SERVER", true,
                "the same, whose word on DNSSEC is believed: over loopback or a private link"},
        {"password", 0, "BASE64", false, "what tokens in return paths are derived from"},
        {"password-file", 0, "FILE", false, "the same, from a file"},
        {"old-password", 0, "BASE64", true, "its tokens are still accepted"},
        {"dns-server", 0, "IP", false, "the primary name server of the host name's zone"},
        {"dns-key", 0, "KEY", true,
                "NAME:ALG:SECRET, a TSIG key that may write the TLSA records of the host name"},
        {"dns-key-file", 0, "FILE", true, "the same, from a file"},
        {"tls-cert", 0, "FILE", false,
                "a certificate and those that lead to its root, as PEM; default: that of the image, or one "
                "that we make"},
        {"tls-key", 0, "FILE", false, "its private key, as PEM"},
        {"ca-file", 0, "FILE", false,
                "roots as PEM, for MTA-STS; default: tls/roots.pem in the image, else none"},
        {"authserv-id", 0, "ID", false,
                "whose results of authentication are ours; default: the first --domain"},
        {"admin", 0, "[LOCAL:]EMAIL", false,
                "gets the mail to postmaster, abuse and LOCAL, and what needs a person"},
        {"selector", 0, "PATTERN", false, "as nec has it, for the daily look at the DNS; default dkim-%d"},
        {"arc-selector", 0, "PATTERN", false, "likewise, default arc-%d"},
        {"listen", 0, "IP:PORT", true, "default 0.0.0.0:25"},
        {"greet-delay", 0, "T", false,
                "pause before the banner, default none; who speaks meanwhile is turned away"},
        {"tarpit", 0, "T", false,
                "pause before each refusal but the first two of a session, at most 30s; default none"},
        {"sessions", 0, "N", false,
                "SMTP sessions at a time, 100 to 11264; default: as many as there is room for"},
        {"sessions-per-address", 0, "N", false,
                "SMTP sessions of one client at a time, default 50; 0: any number"},
        {"proxy-from", 0, "CIDR", true, "proxies that speak the PROXY protocol, version 2"},
        {"max-message", 0, "SIZE", false, "default 25M"},
        {"retry", 0, "T", false,
                "pause before the second try of a delivery, default 5m; it doubles up to 4h"},
        {"relay", 0, "HOST[:PORT]", false,
                "the host that takes all mail for other domains; default: their own mail hosts"},
        {"metrics", 0, "IP:PORT", false,
                "where /metrics and /healthz are served over HTTP; default: nowhere"},
        {"name", 0, "LABEL", false, "stands in each log line"},
        {"help", 0, NULL, false, "print this"},
        {"version", 0, NULL, false, "print the version"},
        {NULL, 0, NULL, false, NULL},
};

static int complain(const char *what, struct str value)
{
        return options_complain("lipap", what, value);
}

static int read_domains(struct lipap_options *o)
{
        struct str value;
        for (size_t i = 0; options_nth(&o->options, "domain", i, &value); i++) {
                if (o->node.domain_count == LIPAP_DOMAINS_MAX)
                        return complain("too many of --domain", value);
                if (!mail_domain_is_valid(value, MAIL_ASCII))
                        return complain("--domain is not a domain name", value);
                o->node.domains[o->node.domain_count++].name = value;
        }
        if (o->node.domain_count == 0)
                return complain("--domain is missing", S(""));
        if (!options_value(&o->options, "hostname", &o->node.hostname))
                return complain("--hostname is missing", S(""));
        if (!mail_domain_is_valid(o->node.hostname, MAIL_ASCII))
                return complain("--hostname is not a host name", o->node.hostname);
        if (!options_value(&o->options, "authserv-id", &o->node.authserv_id))
                o->node.authserv_id = o->node.domains[0].name;
        if (!mail_domain_is_valid(o->node.authserv_id, MAIL_ASCII))
                return complain("--authserv-id is not a domain name", o->node.authserv_id);
        return 0;
}

static bool add_nameserver(struct lipap_options *o, struct str text)
{
        if (o->nameserver_count == RESOLVER_SERVERS_MAX ||
                dns_server_parse(text, &o->nameservers[o->nameserver_count]) != ERR_OK)
                return false;
        o->nameserver_count++;
        return true;
}

static int read_network(struct lipap_options *o)
{
        struct str value;
        struct lipap *n = &o->node;
        for (size_t i = 0; options_nth(&o->options, "signer", i, &value); i++, n->signer_count++)
                if (i == LIPAP_SIGNERS_MAX || ip_port_parse(value, SMTP_PORT, &n->signers[i]) != ERR_OK)
                        return complain("--signer is not an address", value);
        for (size_t i = 0; options_nth(&o->options, "signer-network", i, &value);
                i++, n->signer_network_count++)
                if (i == LIPAP_SIGNERS_MAX || ip_net_parse(value, &n->signer_networks[i]) != ERR_OK)
                        return complain("--signer-network is not a network", value);
        for (size_t i = 0; options_nth(&o->options, "trusted-nameserver", i, &value); i++) {
                if (!add_nameserver(o, value))
                        return complain("--trusted-nameserver is not a name server", value);
                o->nameservers[o->nameserver_count - 1].is_trusted = true;
        }
        for (size_t i = 0; options_nth(&o->options, "nameserver", i, &value); i++)
                if (!add_nameserver(o, value))
                        return complain("--nameserver is not a name server", value);
        for (size_t i = 0; options_nth(&o->options, "listen", i, &value); i++, o->listen_count++)
                if (i == LIPAP_LISTENERS_MAX || ip_port_parse(value, SMTP_PORT, &o->listens[i]) != ERR_OK)
                        return complain("--listen is not an address", value);
        if (options_value(&o->options, "metrics", &value) &&
                ip_port_parse(value, METRICS_PORT, &o->metrics) != ERR_OK)
                return complain("--metrics is not an address", value);
        if (o->listen_count == 0)
                o->listens[o->listen_count++] = (struct ip_port){.ip = ip_v4(0, 0, 0, 0), .port = SMTP_PORT};
        if (n->signer_count == 0)
                return complain("--signer is missing", S(""));
        if (n->signer_network_count == 0)
                return complain("--signer-network is missing", S(""));
        if (o->nameserver_count == 0)
                return complain("--nameserver is missing", S(""));
        return 0;
}

static int read_password(struct lipap_options *o, struct str text, const char *option)
{
        if (o->password_count == LIPAP_PASSWORDS_MAX)
                return complain("too many of --old-password", S(""));
        enum err e = key_password_parse(text, &o->passwords[o->password_count++]);
        if (e == ERR_DENIED)
                fprintf(stderr, "lipap: %s is shorter than %d bytes\n", option, PASSWORD_MIN);
        else if (e != ERR_OK)
                fprintf(stderr, "lipap: %s is not a password in base64\n", option);
        return e == ERR_OK ? 0 : EXIT_USAGE;
}

static int read_passwords(struct lipap_options *o)
{
        char secret[SECRET_MAX];
        struct str value, file;
        bool has_value = options_value(&o->options, "password", &value);
        bool has_file = options_value(&o->options, "password-file", &file);
        int status;
        if (has_value == has_file)
                return complain("give one of --password and --password-file", S(""));
        if (has_file) {
                enum err e = options_file_read(file, secret, sizeof secret, &value);
                if (e != ERR_OK)
                        return complain("--password-file cannot be read", file);
        }
        status = read_password(o, value, has_file ? "--password-file" : "--password");
        crypto_wipe(secret, sizeof secret);
        for (size_t i = 0; status == 0 && options_nth(&o->options, "old-password", i, &value); i++)
                status = read_password(o, value, "--old-password");
        return status;
}

static int read_sessions(struct lipap_options *o)
{
        struct str value;
        uint64_t sessions = 0, of_address = LIPAP_ADDRESS_SESSIONS;
        if (options_value(&o->options, "sessions", &value) &&
                (str_to_u64(value, LIPAP_SESSIONS_MAX, &sessions) != ERR_OK || sessions < LIPAP_SESSIONS_MIN))
                return complain("--sessions is not a number from 100 to 11264", value);
        if (options_value(&o->options, "sessions-per-address", &value) &&
                str_to_u64(value, LIPAP_SESSIONS_MAX, &of_address) != ERR_OK)
                return complain("--sessions-per-address is not a number up to 11264", value);
        o->sessions_max = (size_t)sessions;
        o->node.address_sessions_max = (size_t)of_address;
        return 0;
}

/* HOST[:PORT]; an address becomes a literal, as mail hosts are found. */
static int read_relay(struct lipap_options *o)
{
        struct lipap *n = &o->node;
        struct str value, host;
        struct ip_port at;
        struct wr w;
        uint64_t port = SMTP_PORT;
        n->delivery_port = SMTP_PORT;
        if (!options_value(&o->options, "relay", &value))
                return 0;
        wr_init(&w, o->relay, sizeof o->relay);
        if (ip_port_parse(value, SMTP_PORT, &at) == ERR_OK) {
                wr_str(&w, at.ip.family == 6 ? S("[IPv6:") : S("["));
                ip_write(&w, &at.ip);
                wr_byte(&w, ']');
                n->relay = wr_text(&w);
                n->delivery_port = at.port;
                return 0;
        }
        size_t colon = str_find_last_byte(value, ':');
        host = str_take(value, colon);
        if (!mail_domain_is_valid(host, MAIL_ASCII) ||
                (colon < value.n && str_to_u64(str_skip(value, colon + 1), UINT16_MAX, &port) != ERR_OK) ||
                port == 0)
                return complain("--relay is not HOST[:PORT]", value);
        n->relay = host;
        n->delivery_port = (uint16_t)port;
        return 0;
}

static int read_intake(struct lipap_options *o)
{
        struct str value;
        o->node.message_max = MAIL_MESSAGE_MAX;
        o->node.retry_first_ms = DELIVERY_RETRY_FIRST_MS;
        if (!options_value(&o->options, "image", &o->image))
                return complain("--image is missing", S(""));
        if (options_value(&o->options, "max-message", &value) &&
                (quantity_size_parse(value, &o->node.message_max) != ERR_OK || o->node.message_max < 65536))
                return complain(
                        "--max-message is not a size of at least 64K", value); /* RFC 5321 4.5.3.1.7 */
        if (options_value(&o->options, "retry", &value)) {
                int64_t seconds;
                if (quantity_duration_parse(value, &seconds) != ERR_OK || seconds < 1)
                        return complain("--retry is not a duration", value);
                o->node.retry_first_ms = seconds * 1000;
        }
        if (options_value(&o->options, "greet-delay", &value)) {
                int64_t seconds;
                if (quantity_duration_parse(value, &seconds) != ERR_OK || seconds > 60)
                        return complain("--greet-delay is not a duration of at most 60s", value);
                o->node.greet_ms = seconds * 1000;
        }
        if (options_value(&o->options, "tarpit", &value)) {
                int64_t seconds;
                if (quantity_duration_parse(value, &seconds) != ERR_OK || seconds > SMTP_TARPIT_MAX_MS / 1000)
                        return complain("--tarpit is not a duration of at most 30s", value);
                o->node.tarpit_ms = seconds * 1000;
        }
        return read_sessions(o);
}

static int read_senders(struct lipap_options *o)
{
        struct str value, local, email;
        struct mail_address address;
        for (size_t i = 0; options_nth(&o->options, "proxy-from", i, &value); i++, o->node.proxy_count++)
                if (i == LIPAP_PROXIES_MAX || ip_net_parse(value, &o->node.proxies[i]) != ERR_OK)
                        return complain("--proxy-from is not a network", value);
        if (options_value(&o->options, "admin", &value)) {
                if (!str_cut(value, ':', &local, &email)) {
                        email = value;
                        local = (struct str){NULL, 0};
                }
                if (mail_mailbox_parse(email, MAIL_ASCII, &address) != ERR_OK)
                        return complain("--admin is not [LOCAL:]EMAIL", value);
                o->node.admin = email;
                o->node.admin_local = local;
        }
        return 0;
}

static int read_watch(struct lipap_options *o)
{
        if (!options_value(&o->options, "selector", &o->watch.selector))
                o->watch.selector = S("dkim-%d");
        if (!options_value(&o->options, "arc-selector", &o->watch.arc_selector))
                o->watch.arc_selector = S("arc-%d");
        if (zone_selector_check(o->watch.selector) != ERR_OK)
                return complain(
                        "--selector is not letters, digits and hyphens around one %d", o->watch.selector);
        if (zone_selector_check(o->watch.arc_selector) != ERR_OK)
                return complain("--arc-selector is not letters, digits and hyphens around one %d",
                        o->watch.arc_selector);
        return 0;
}

static int read_tls(struct lipap_options *o)
{
        bool has_cert = options_value(&o->options, "tls-cert", &o->tls_cert);
        bool has_key = options_value(&o->options, "tls-key", &o->tls_key);
        (void)options_value(&o->options, "ca-file", &o->ca_file);
        int status = dns_keys_read(&o->dns_keys, &o->options, "lipap");
        if (status != CONTINUE)
                return status;
        if (has_cert != has_key)
                return complain("give both of --tls-cert and --tls-key, or none", S(""));
        if ((o->dns_keys.count > 0) != (o->dns_keys.server.at.port != 0))
                return complain("give both of --dns-server and --dns-key, or none", S(""));
        return 0;
}

int lipap_options_read(struct lipap_options *o, int argc, char **argv)
{
        struct str label;
        int status = 0;
        if (options_parse(specs, argc, argv, &o->options) != ERR_OK)
                return complain(o->options.message, S(""));
        if (options_has(&o->options, "help")) {
                printf("lipap: mailing-list server\n\n");
                options_help(stdout, specs);
                return 0;
        }
        if (options_has(&o->options, "version")) {
                printf("lipap %s\n", PTT_VERSION);
                return 0;
        }
        if (o->options.arguments_count > 0)
                return complain("unexpected argument", o->options.arguments[0]);
        status = read_domains(o);
        if (status == 0)
                status = read_network(o);
        if (status == 0)
                status = read_passwords(o);
        if (status == 0)
                status = read_intake(o);
        if (status == 0)
                status = read_relay(o);
        if (status == 0)
                status = read_senders(o);
        if (status == 0)
                status = read_tls(o);
        if (status == 0)
                status = read_watch(o);
        if (options_value(&o->options, "name", &label))
                o->label = label.p;
        return status == 0 ? CONTINUE : status;
}

void lipap_options_wipe(struct lipap_options *o)
{
        for (size_t i = 0; i < o->password_count; i++)
                key_password_wipe(&o->passwords[i]);
        dns_keys_wipe(&o->dns_keys);
}
