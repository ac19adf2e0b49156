/* SPDX-License-Identifier: ISC */
/* blaze spf check */
#include "app/blaze_spf.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/blaze.h"
#include "app/blaze_output.h"

static struct str without_brackets(struct str path)
{
        if (path.n >= 2 && path.p[0] == '<' && path.p[path.n - 1] == '>')
                return str_take(str_skip(path, 1), path.n - 2);
        return path;
}

bool blaze_client_read(const struct options *o, char room[BLAZE_HOSTNAME_MAX], struct spf_input *out)
{
        struct str ip;
        *out = (struct spf_input){.now_s = blaze_now_s(), .explain = options_has(o, "explain")};
        if (!options_value(o, "ip", &ip)) {
                blaze_fail("The address of the client is missing: --ip IP");
                return false;
        }
        if (ip_parse(ip, &out->ip) != ERR_OK) {
                blaze_fail("Not an IP address: %.*s", STR_ARG(ip));
                return false;
        }
        bool has_sender = options_value(o, "sender", &out->sender);
        out->sender = without_brackets(out->sender);
        if (!options_value(o, "helo", &out->helo) && (!has_sender || out->sender.n == 0)) {
                blaze_fail("The sender is missing: --sender ADDRESS, or --helo NAME for the null sender");
                return false;
        }
        if (!options_value(o, "hostname", &out->receiver) && gethostname(room, BLAZE_HOSTNAME_MAX) == 0) {
                room[BLAZE_HOSTNAME_MAX - 1] = '\0';
                out->receiver = str_of_c(room);
        }
        return true;
}

void blaze_spf_evaluate(struct blaze_dns *dns, const struct spf_input *in, struct spf_verdict *out)
{
        while (spf_check(in, &dns->known, out) == ERR_AGAIN)
                blaze_dns_answer(dns);
}

static const struct option_spec specs[] = {
        BLAZE_CLIENT_OPTIONS,
        BLAZE_NAMESERVER_OPTION,
        {"explain", 0, NULL, false, "print the reason too, and the domain's own explanation of a fail"},
        {"help", 0, NULL, false, "this text"},
        {NULL, 0, NULL, false, NULL},
};

static void print_verdict(const struct options *o, const struct spf_verdict *v)
{
        char room[SPF_REASON_MAX];
        struct wr w;
        printf("%.*s\n", STR_ARG(spf_result_text(v->result)));
        if (!options_has(o, "explain"))
                return;
        wr_init(&w, room, sizeof room);
        spf_reason_write(&w, v);
        printf("%.*s\n", STR_ARG(wr_text(&w)));
        if (v->explanation.n > 0)
                printf("%.*s\n", STR_ARG(v->explanation));
}

static int run(const struct options *o)
{
        char hostname[BLAZE_HOSTNAME_MAX];
        struct spf_input in;
        struct spf_verdict verdict;
        struct blaze_dns dns;
        if (!blaze_client_read(o, hostname, &in))
                return EXIT_BLAZE;
        bool good = blaze_dns_init(&dns, o);
        if (good) {
                blaze_spf_evaluate(&dns, &in, &verdict);
                print_verdict(o, &verdict);
        }
        blaze_dns_drop(&dns);
        return good ? 0 : EXIT_BLAZE;
}

const struct blaze_command blaze_spf_check = {
        .group = "spf",
        .verb = "check",
        .arguments = "--ip IP --sender ADDRESS --helo NAME",
        .arguments_max = 0,
        .about = "Print what the SPF record of the sender's domain says of a client: none, neutral, pass, "
                 "fail, softfail,\n"
                 "temperror or permerror. With --explain a line tells why, and another what the domain says "
                 "of a fail.\n"
                 "Every result is a success; failure is to have none.\n"
                 "BLAZE_DNS_STATIC=DIR in the environment answers from files NAME.dns instead of DNS.\n",
        .specs = specs,
        .run = run,
};
