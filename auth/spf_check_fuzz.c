/* SPDX-License-Identifier: ISC */
/* Lines: the sender, the HELO name, then records "NAME<TAB>TYPE<TAB>VALUE" of a DNS with TXT and PTR (a name), A (an
 * address), MX (a host), TROUBLE (a type). Answers all at once or one by one, the verdict is the same. */
#include <stdint.h>

#include "auth/fake_dns.h"
#include "auth/spf_check.h"

#define RECORDS_MAX 48

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct evaluation {
        struct arena arena;
        struct dns_known known;
        struct spf_verdict verdict;
        char memory[FAKE_DNS_ARENA];
};

static bool is_name(struct str text)
{
        struct dns_name name;
        return text.n < 200 && dns_name_parse(text, &name) == ERR_OK && str_find_byte(text, '\\') == text.n;
}

/* Only lines that fake_dns_add takes. */
static void load(struct fake_dns *d, struct str lines)
{
        struct str line, name, type, value;
        d->count = 0;
        while (lines.n > 0 && d->count < RECORDS_MAX) {
                str_cut(lines, '\n', &line, &lines);
                str_cut(line, '\t', &name, &value);
                str_cut(value, '\t', &type, &value);
                struct ip ip;
                if (!is_name(name))
                        continue;
                if (str_eq(type, S("TXT")))
                        fake_dns_text(d, name, value);
                else if ((str_eq(type, S("A")) || str_eq(type, S("AAAA"))) && ip_parse(value, &ip) == ERR_OK)
                        fake_dns_add(d, line);
                else if ((str_eq(type, S("MX")) || str_eq(type, S("PTR")) || str_eq(type, S("CNAME"))) &&
                         is_name(value))
                        fake_dns_add(d, line);
                else if (str_eq(type, S("TROUBLE")) && (str_eq(value, S("A")) || str_eq(value, S("TXT"))))
                        fake_dns_add(d, line);
        }
}

static void evaluate(
        struct evaluation *e, const struct fake_dns *dns, const struct spf_input *in, bool one_by_one)
{
        size_t rounds = 0;
        arena_init(&e->arena, e->memory, sizeof e->memory);
        dns_known_init(&e->known, &e->arena, SPF_QUESTIONS_MAX);
        while (spf_check(in, &e->known, &e->verdict) == ERR_AGAIN) {
                CHECK(fake_dns_round(dns, &e->known, one_by_one) > 0);
                CHECK(++rounds <= (one_by_one ? SPF_QUESTIONS_MAX : 3 * SPF_LOOKUPS_MAX + 4));
        }
}

static void check(const struct fake_dns *dns, const struct spf_input *in)
{
        static struct evaluation whole, slow; /* large */
        char reason[SPF_REASON_MAX];
        struct wr w;
        evaluate(&whole, dns, in, false);
        evaluate(&slow, dns, in, true);
        const struct spf_verdict *one = &whole.verdict, *two = &slow.verdict;
        CHECK(one->result == two->result && one->fault == two->fault && dns_name_eq(&one->name, &two->name));
        CHECK(str_eq(one->term, two->term) && str_eq(one->explanation, two->explanation));
        wr_init(&w, reason, sizeof reason);
        spf_reason_write(&w, one);
        CHECK(!w.full);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static struct fake_dns dns; /* large */
        struct spf_input in = {.receiver = S("us.example"), .explain = true, .now_s = 1700000000};
        struct str rest = str_of(data, size);
        str_cut(rest, '\n', &in.sender, &rest);
        str_cut(rest, '\n', &in.helo, &rest);
        load(&dns, rest);
        CHECK(ip_parse(S("192.0.2.7"), &in.ip) == ERR_OK);
        check(&dns, &in);
        CHECK(ip_parse(S("2001:db8::7"), &in.ip) == ERR_OK);
        check(&dns, &in);
        return 0;
}
