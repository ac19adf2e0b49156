/* SPDX-License-Identifier: ISC */
/* blaze arc verify */
#include <stdio.h>
#include <stdlib.h>

#include "app/blaze.h"
#include "app/blaze_arc.h"
#include "app/blaze_output.h"
#include "app/blaze_sign.h"
#include "auth/dkim_keys.h"
#include "base/check.h"
#include "base/utf8.h"
#include "mail/address.h"

static const struct option_spec specs[] = {
        BLAZE_NAMESERVER_OPTION,
        BLAZE_NEWLINE_OPTION,
        {"quiet", 'q', NULL, false, "print no chain: the exit status tells"},
        {"verbose", 'v', NULL, false, "say on standard error why the chain fails"},
        {"help", 0, NULL, false, "this text"},
        {NULL, 0, NULL, false, NULL},
};

static struct str question(const struct arc_verify *v, size_t i, char name[DNS_NAME_MAX])
{
        struct wr w;
        wr_init(&w, name, DNS_NAME_MAX);
        CHECK(arc_verify_question(v, i, &w) == ERR_OK);
        return wr_text(&w);
}

void blaze_arc_check(struct arc_verify *v, struct blaze_dns *dns)
{
        struct dkim_keys keys;
        char name[DNS_NAME_MAX];
        dkim_keys_init(&keys);
        for (size_t i = 0; i < v->count; i++)
                dkim_keys_ask(&dns->known, question(v, i, name));
        blaze_dns_answer(dns);
        for (size_t i = 0; i < v->count; i++) {
                const struct dkim_key *key = dkim_keys_find(&keys, &dns->known, question(v, i, name));
                CHECK(key);
                (void)arc_verify_check(v, i, key); /* the verdict is in the chain */
        }
        dkim_keys_drop(&keys);
}

/* All that one run holds. */
struct run {
        const struct options *o;
        struct blaze_message message;
        struct blaze_dns dns;
        struct body_hash body;
        struct arc_verify verify;
};

#define COLUMNS 80
#define SENDER_MAX (MAIL_ADDRESS_MAX + 2)

/* What a terminal must not see, and what is no UTF-8, is '?'. Each character counts for a column.
 *   the columns */
static size_t print_clean(struct str s)
{
        size_t columns = 0;
        while (s.n > 0) {
                size_t n = utf8_head(s);
                bool plain = n > 0 && (unsigned char)s.p[0] >= ' ' && s.p[0] != 0x7f;
                n = n > 0 ? n : 1;
                if (plain)
                        printf("%.*s", STR_ARG(str_take(s, n)));
                else
                        putchar('?');
                s = str_skip(s, n);
                columns++;
        }
        return columns;
}

/* The first address of From. */
static size_t print_sender(const struct mail_header *header)
{
        const struct mail_field *from = mail_header_first(header, S("From"));
        struct mail_addresses list;
        struct mail_mailbox box;
        char text[SENDER_MAX];
        struct wr w;
        wr_init(&w, text, sizeof text);
        if (from) {
                mail_addresses_init(&list, from->body);
                if (mail_addresses_next(&list, &box) == ERR_OK)
                        mail_address_write(&w, &box.address);
        }
        return print_clean(w.n > 0 ? wr_text(&w) : S("(no address)"));
}

/* A set is right when its seal is, and of the newest the message signature, too. In a chain whose structure is broken
 * nothing was checked, so nothing is right. */
static bool is_right(const struct arc_verify *v, size_t instance)
{
        if (v->count == 0)
                return false;
        bool newest = instance == v->chain.count;
        return v->faults[v->count - instance] == DKIM_OK && (!newest || v->faults[0] == DKIM_OK);
}

/* " -✓-> 01:domain", on a new line when it does not fit. */
static size_t print_set(size_t column, bool right, size_t instance, struct str domain)
{
        if (domain.n == 0)
                domain = S("(no domain)");
        size_t columns = sizeof "-v-> 01:" - 1 + domain.n;
        if (column + 1 + columns > COLUMNS) {
                printf("\n  ");
                column = 2;
        } else {
                putchar(' ');
                column++;
        }
        printf("%s %02zu:", right ? "-\xe2\x9c\x93->" : "-\xf0\x9f\x9e\xa9->", instance);
        print_clean(domain);
        return column + columns;
}

static void print_chain(const struct run *r)
{
        const struct arc_chain *c = &r->verify.chain;
        size_t column = print_sender(&r->message.header);
        for (size_t i = 1; i <= c->count; i++)
                column = print_set(column, is_right(&r->verify, i), i, c->sets[i - 1].seal.domain);
        if (c->count == 0 && c->verdict.cv == ARC_FAIL)
                print_set(column, false, 0, S(""));
        putchar('\n');
}

static int report(const struct run *r)
{
        char reason[ARC_REASON_MAX];
        struct wr w;
        const struct arc_verdict *v = &r->verify.chain.verdict;
        wr_init(&w, reason, sizeof reason);
        arc_reason_write(&w, v);
        if (!options_has(r->o, "quiet"))
                print_chain(r);
        if (v->cv != ARC_FAIL)
                return 0;
        fflush(stdout);
        if (options_has(r->o, "verbose"))
                fprintf(stderr, "%.*s\n", STR_ARG(wr_text(&w)));
        return blaze_fail("Invalid ARC chain");
}

static int verify(struct run *r)
{
        body_hash_init(&r->body);
        arc_verify_init(&r->verify, &r->message.header, blaze_now_s(), &r->body);
        if (!blaze_sign_body(&r->message, &r->body))
                return EXIT_BLAZE;
        blaze_arc_check(&r->verify, &r->dns);
        return report(r);
}

static int run(const struct options *o)
{
        struct run *r = calloc(1, sizeof *r);
        int status = EXIT_BLAZE;
        if (!r)
                return blaze_fail("Out of memory");
        r->o = o;
        if (blaze_dns_init(&r->dns, o)) {
                if (blaze_message_open(&r->message, o, false))
                        status = verify(r);
                blaze_message_close(&r->message);
        }
        blaze_dns_drop(&r->dns);
        free(r);
        return status;
}

const struct blaze_command blaze_arc_verify = {
        .group = "arc",
        .verb = "verify",
        .arguments = "[FILE]",
        .arguments_max = 1,
        .about =
                "Validate the ARC chain of a message from FILE or standard input, and print it: the author's "
                "address, then\n"
                "a mark and a domain for each set. A chain that fails is a failure, a message without one is "
                "not.\n"
                "BLAZE_DNS_STATIC=DIR in the environment answers from files NAME.dns with lines `txt:...` "
                "instead of DNS.\n",
        .specs = specs,
        .run = run,
};
