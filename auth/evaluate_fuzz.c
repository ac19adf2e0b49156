/* SPDX-License-Identifier: ISC */
/* Lines "NAME<TAB>TXT" of a DNS up to an empty line, the sender, the HELO name, then a message. In pieces or whole, with
 * answers all at once or one by one, the verdicts are the same, and the questions within their bound. */
#include <stdint.h>
#include <stdlib.h>

#include "auth/evaluate.h"
#include "auth/fake_dns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define RECORDS_MAX 48
#define FIELDS 256

struct run {
        struct arena arena;
        struct dns_known known;
        struct evaluate e;
        char memory[FAKE_DNS_ARENA];
};

/* Only names that fake_dns_text takes. */
static void load(struct fake_dns *d, struct str *rest)
{
        struct str line, name, text;
        d->count = 0;
        while (rest->n > 0) {
                struct dns_name parsed;
                str_cut(*rest, '\n', &line, rest);
                if (line.n == 0)
                        return;
                if (str_cut(line, '\t', &name, &text) && d->count < RECORDS_MAX && name.n < 200 &&
                        dns_name_parse(name, &parsed) == ERR_OK && str_find_byte(name, '\\') == name.n)
                        fake_dns_text(d, name, text);
        }
}

static void answer(struct run *r, const struct fake_dns *dns, bool one_by_one, size_t *rounds)
{
        CHECK(fake_dns_round(dns, &r->known, one_by_one) > 0);
        CHECK(++*rounds <= EVALUATE_QUESTIONS_MAX);
}

static void evaluate(struct run *r, const struct fake_dns *dns, const struct spf_input *in,
        const struct mail_header *header, struct str body, size_t step, struct dkim_keys *keys)
{
        bool one_by_one = step == 1;
        size_t rounds = 0;
        arena_init(&r->arena, r->memory, sizeof r->memory);
        dns_known_init(&r->known, &r->arena, EVALUATE_QUESTIONS_MAX);
        evaluate_init(&r->e, in, header, &r->known);
        while (evaluate_ask(&r->e) == ERR_AGAIN)
                answer(r, dns, one_by_one, &rounds);
        for (; body.n > 0; body = str_skip(body, step))
                evaluate_body(&r->e, str_take(body, step));
        evaluate_body_end(&r->e);
        while (evaluate_finish(&r->e, keys) == ERR_AGAIN)
                answer(r, dns, one_by_one, &rounds);
        evaluate_drop(&r->e);
}

static void compare(const struct evaluation *one, const struct evaluation *two)
{
        CHECK(one->spf.result == two->spf.result && one->spf.fault == two->spf.fault);
        CHECK(one->dkim_count == two->dkim_count && one->dkim_count <= DKIM_SIGNATURES_MAX);
        for (size_t i = 0; i < one->dkim_count; i++)
                CHECK(one->dkim[i].fault == two->dkim[i].fault);
        CHECK(one->arc.cv == two->arc.cv && one->arc.fault == two->arc.fault);
        CHECK(one->dmarc.result == two->dmarc.result && one->dmarc.fault == two->dmarc.fault);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static struct fake_dns dns;      /* large */
        static struct run whole, pieces; /* large */
        static struct dkim_keys keys;    /* large */
        static struct mail_field fields[FIELDS];
        struct spf_input in = {.now_s = 1700000000};
        struct str rest = str_of(data, size);
        struct mail_header header;
        load(&dns, &rest);
        str_cut(rest, '\n', &in.sender, &rest);
        str_cut(rest, '\n', &in.helo, &rest);
        CHECK(ip_parse(S("192.0.2.1"), &in.ip) == ERR_OK);
        if (mail_header_index(rest, fields, FIELDS, &header) != ERR_OK)
                return 0;
        struct str body = str_skip(rest, header.body_at);
        evaluate(&whole, &dns, &in, &header, body, rest.n + 1, &keys);
        evaluate(&pieces, &dns, &in, &header, body, 1, &keys);
        compare(&whole.e.out, &pieces.e.out);
        dkim_keys_drop(&keys);
        return 0;
}
