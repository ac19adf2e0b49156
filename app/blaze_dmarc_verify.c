/* SPDX-License-Identifier: ISC */
/* blaze dmarc verify */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/blaze.h"
#include "app/blaze_dns.h"
#include "app/blaze_message.h"
#include "app/blaze_output.h"
#include "app/blaze_spf.h"
#include "auth/authres_make.h"
#include "auth/evaluate.h"
#include "auth/received_spf.h"
#include "mail/address.h"

/* The results: one of SPF, one of DMARC, one a signature. */
#define MAKE_ROOM ((2 + DKIM_SIGNATURES_MAX) * AUTHRES_MAKE_ROOM)

static const struct option_spec specs[] = {
        BLAZE_CLIENT_OPTIONS,
        BLAZE_NAMESERVER_OPTION,
        BLAZE_NEWLINE_OPTION,
        BLAZE_OUTPUT_OPTION,
        {"verbose", 'v', NULL, false, "say on standard error why, and what the author's domain asks for"},
        {"help", 0, NULL, false, "this text"},
        {NULL, 0, NULL, false, NULL},
};

/* All that one run holds. */
struct run {
        const struct options *o;
        struct blaze_message message;
        struct blaze_dns dns;
        struct spf_input client;
        char hostname[BLAZE_HOSTNAME_MAX];
        struct received_spf received;
        char *received_room; /* owned */
        struct evaluate evaluate;
        struct dkim_keys keys;
        struct authres results;
        char made[MAKE_ROOM], front[2 * MAKE_ROOM];
};

/* The address of the first Return-Path field; empty for the null sender and for none. */
static struct str return_path(const struct mail_header *h)
{
        const struct mail_field *f = mail_header_first(h, S("Return-Path"));
        struct mail_mailbox one;
        if (!f || mail_address_parse(f->body, &one) != ERR_OK)
                return S("");
        const char *end = one.address.domain.p + one.address.domain.n;
        return str_of(one.address.local.p, (size_t)(end - one.address.local.p));
}

/* What the host that received the message wrote of the client; empty when it wrote nothing. */
static bool read_received(struct run *r)
{
        const struct mail_field *f = mail_header_first(&r->message.header, S("Received-SPF"));
        struct wr w;
        if (!f)
                return true;
        r->received_room = malloc(f->body.n + 1);
        if (!r->received_room) {
                blaze_fail("Out of memory");
                return false;
        }
        wr_init(&w, r->received_room, f->body.n);
        if (received_spf_parse(f->body, &w, &r->received) != ERR_OK)
                r->received = (struct received_spf){0};
        return true;
}

static struct str option_or(const struct options *o, const char *name, struct str other)
{
        struct str value;
        return options_value(o, name, &value) ? value : other;
}

/* The client as the command line tells it, and where that is silent, the message. */
static bool read_client(struct run *r)
{
        if (!read_received(r))
                return false;
        struct str ip = option_or(r->o, "ip", r->received.client_ip), sender;
        r->client.now_s = blaze_now_s();
        if (ip.n > 0 && ip_parse(ip, &r->client.ip) != ERR_OK && options_has(r->o, "ip")) {
                blaze_fail("Not an IP address: %.*s", STR_ARG(ip));
                return false;
        }
        if (r->received.envelope_from.n == 0)
                r->received.envelope_from = return_path(&r->message.header);
        sender = option_or(r->o, "sender", r->received.envelope_from);
        r->client.sender = str_eq(sender, S("<>")) ? S("") : sender;
        r->client.helo = option_or(r->o, "helo", r->received.helo);
        if (!options_value(r->o, "hostname", &r->client.receiver) &&
                gethostname(r->hostname, sizeof r->hostname - 1) == 0)
                r->client.receiver = str_of_c(r->hostname);
        if (r->client.receiver.n == 0) {
                blaze_fail("This host has no name: give one by --hostname");
                return false;
        }
        return true;
}

static bool is_client_known(const struct run *r)
{
        return r->client.ip.family != 0 && (r->client.sender.n > 0 || r->client.helo.n > 0);
}

static bool read_body(struct run *r)
{
        struct str bytes;
        enum err e;
        while ((e = blaze_message_body(&r->message, &bytes)) == ERR_OK)
                evaluate_body(&r->evaluate, bytes);
        evaluate_body_end(&r->evaluate);
        if (e != ERR_EOF)
                blaze_fail("The message cannot be read: %s", err_text(e));
        return e == ERR_EOF;
}

/* Without a client SPF has nothing to say, and is left out. */
static bool add_results(struct run *r, struct wr *room)
{
        const struct evaluation *v = &r->evaluate.out;
        bool good = !is_client_known(r) || authres_add_spf(&r->results, room, &r->client, &v->spf);
        for (size_t i = 0; good && i < v->dkim_count; i++)
                good = authres_add_dkim(&r->results, room, &r->evaluate.dkim.list[i].signature, &v->dkim[i]);
        if (good && v->dkim_count == 0)
                good = authres_add_plain(&r->results, room, S("dkim"), S("none"), S(""));
        return good && authres_add_dmarc(&r->results, room, &v->dmarc);
}

static bool write_message(struct run *r)
{
        struct wr made, front;
        wr_init(&made, r->made, sizeof r->made);
        wr_init(&front, r->front, sizeof r->front);
        r->results.id = r->client.receiver;
        enum err e = add_results(r, &made) ? ERR_OK : ERR_SPACE;
        if (e == ERR_OK)
                e = authres_write(&front, S("Authentication-Results"), 0, &r->results);
        if (e != ERR_OK)
                blaze_fail("The field cannot be written: %s", err_text(e));
        return e == ERR_OK && blaze_output_write(r->o, &r->message, wr_text(&front));
}

static void explain(const struct dmarc_verdict *v)
{
        char text[DMARC_REASON_MAX];
        struct wr w;
        wr_init(&w, text, sizeof text);
        dmarc_reason_write(&w, v);
        fprintf(stderr, "%.*s: %.*s\n", STR_ARG(dmarc_result_text(v->result)), STR_ARG(wr_text(&w)));
        if (v->result == DMARC_FAIL)
                fprintf(stderr, "the domain asks for: %.*s\n", STR_ARG(dmarc_policy_text(v->policy)));
}

static bool verify(struct run *r)
{
        /* a client without any name has no SPF, whatever its address */
        struct spf_input none = {.ip = ip_v4(127, 0, 0, 1), .now_s = r->client.now_s};
        evaluate_init(
                &r->evaluate, is_client_known(r) ? &r->client : &none, &r->message.header, &r->dns.known);
        while (evaluate_ask(&r->evaluate) == ERR_AGAIN)
                blaze_dns_answer(&r->dns);
        bool good = read_body(r);
        while (good && evaluate_finish(&r->evaluate, &r->keys) == ERR_AGAIN)
                blaze_dns_answer(&r->dns);
        good = good && write_message(r);
        if (good && options_has(r->o, "verbose"))
                explain(&r->evaluate.out.dmarc);
        evaluate_drop(&r->evaluate);
        dkim_keys_drop(&r->keys);
        return good;
}

static int run(const struct options *o)
{
        struct run *r = calloc(1, sizeof *r);
        bool good = false;
        if (!r)
                return blaze_fail("Out of memory");
        r->o = o;
        dkim_keys_init(&r->keys);
        if (blaze_dns_init(&r->dns, o)) {
                good = blaze_message_open(&r->message, o, true) && read_client(r) && verify(r);
                blaze_message_close(&r->message);
        }
        blaze_dns_drop(&r->dns);
        free(r->received_room);
        free(r);
        return good ? 0 : EXIT_BLAZE;
}

const struct blaze_command blaze_dmarc_verify = {
        .group = "dmarc",
        .verb = "verify",
        .arguments = "[FILE]",
        .arguments_max = 1,
        .about = "Evaluate SPF, DKIM and DMARC, and write an Authentication-Results field with the results, "
                 "and "
                 "then the\n"
                 "message from FILE or standard input as it was. What the options do not tell of the SMTP "
                 "client is "
                 "taken from\n"
                 "the message's first Received-SPF and Return-Path; without an address there is no result of "
                 "SPF.\n"
                 "Every result is a success; failure is to have none.\n"
                 "BLAZE_DNS_STATIC=DIR in the environment answers from files NAME.dns instead of DNS.\n",
        .specs = specs,
        .run = run,
};
