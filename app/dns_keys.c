/* SPDX-License-Identifier: ISC */
#include "app/dns_keys.h"

#include "crypto/bytes.h"

#define DNS_PORT 53
#define SECRET_MAX 1024
#define CONTINUE (-1)

static int add(struct dns_keys *k, struct str text, const char *program, const char *option)
{
        if (k->count == DNS_KEYS_MAX) {
                fprintf(stderr, "%s: too many of %s\n", program, option);
                return EXIT_USAGE;
        }
        enum err e = tsig_key_parse(text, &k->list[k->count++]);
        if (e == ERR_OK)
                return CONTINUE;
        fprintf(stderr,
                e == ERR_UNSUPPORTED ? "%s: %s has another algorithm than SHA256, SHA384, SHA512\n"
                                     : "%s: %s is not name:algorithm:base64\n",
                program, option);
        return EXIT_USAGE;
}

int dns_keys_read(struct dns_keys *k, const struct options *options, const char *program)
{
        struct str value;
        int status = CONTINUE;
        for (size_t i = 0; status == CONTINUE && options_nth(options, "dns-key", i, &value); i++)
                status = add(k, value, program, "--dns-key");
        for (size_t i = 0; status == CONTINUE && options_nth(options, "dns-key-file", i, &value); i++) {
                char secret[SECRET_MAX];
                struct str text;
                if (options_file_read(value, secret, sizeof secret, &text) != ERR_OK)
                        return options_complain(program, "--dns-key-file cannot be read", value);
                status = add(k, text, program, "--dns-key-file");
                crypto_wipe(secret, sizeof secret);
        }
        if (status == CONTINUE && options_value(options, "dns-server", &value) &&
                ip_port_parse(value, DNS_PORT, &k->server.at) != ERR_OK)
                return options_complain(program, "--dns-server is not an address", value);
        return status;
}

const struct tsig_key *dns_keys_choose(
        const struct dns_keys *k, const struct dns_name *name, struct dns_name *zone)
{
        const struct tsig_key *best = NULL;
        size_t best_rank = 0;
        for (size_t i = 0; i < k->count; i++) {
                struct dns_name named;
                bool has_zone = tsig_key_zone(&k->list[i], &named) == ERR_OK;
                size_t rank = has_zone ? 2 + dns_name_labels(&named) : 1;
                if (rank <= best_rank || (has_zone && !dns_name_is_under(name, &named)))
                        continue;
                best_rank = rank;
                best = &k->list[i];
                *zone = has_zone ? named : *name;
        }
        return best;
}

void dns_keys_wipe(struct dns_keys *k)
{
        for (size_t i = 0; i < k->count; i++)
                tsig_key_wipe(&k->list[i]);
}
