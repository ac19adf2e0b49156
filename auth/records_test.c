/* SPDX-License-Identifier: ISC */
#include "auth/records.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "auth/fake_dns.h"

#define QUESTIONS 512
#define RSA                                                                                                  \
        "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCj4nWTUVelHDJWHrVVbqnsd3x+v7L2dr9fim3eTfFs" \
        "GprM+E6ym2nbZ92f8p8Mcmsk395jh1pA6mta19O/"                                                           \
        "QgSxBVK8ptkHdPfLTzwm9PQAkcYqUxL+ihf4KadWxCjYkncChPZ7DAK9SZzk"                                       \
        "rDl4YXFK4tTl+KtJl9HyNrXvJMBk9QIDAQAB"
#define EDWARDS "v=DKIM1; k=ed25519; p=7AKMnYAAwLMzNnhtwzOL3cjhLxt/sSBw/BIiiMhvrds="

/* A domain where all is right; a case takes one away and puts another. */
static const char *const good[] = {
        "l.test\tMX\tmx.l.test",
        "mx.l.test\tA\t192.0.2.25",
        "25.2.0.192.in-addr.arpa\tPTR\tmx.l.test",
        "l.test\tTXT\tv=spf1 ip4:192.0.2.25 -all",
        "mx.l.test\tTXT\tv=spf1 ip4:192.0.2.25 -all",
        "_dmarc.l.test\tTXT\tv=DMARC1; p=reject",
        "_ptt._domainkey.l.test\tTXT\tv=PTT1; e=1000; id=0011223344556677",
        "dkim-1000._domainkey.l.test\tTXT\t" RSA,
        "dkim-ed25519-1000._domainkey.l.test\tTXT\t" EDWARDS,
        "arc-1000._domainkey.l.test\tTXT\t" RSA,
};
#define GOOD (sizeof good / sizeof good[0])
enum { MX, A, PTR, SPF, HELO, DMARC, POINTER, DKIM, EDKEY, ARC, NONE = -1 };

struct one {
        const char *name;
        int without;
        const char *instead; /* or NULL */
        unsigned bad, unknown;
        const char *says; /* a part of one of the lines */
};

static const struct one cases[] = {
        {"all", NONE, NULL, 0, 0, "ok       l.test MX: mx.l.test\n"},
        {"no MX", MX, NULL, 1, 0, "missing  l.test MX: no host takes mail for the domain\n"},
        {"MX elsewhere", MX, "l.test\tMX\tother.test", 1, 0,
                "wrong    l.test MX: points elsewhere, to other.test\n"},
        {"null MX", MX, "l.test\tMX\t.", 1, 0, "a null MX"},
        {"no address", A, NULL, 1, 0, "missing  mx.l.test A: no address\n"},
        {"an alias", A, "mx.l.test\tCNAME\tmail.l.test", 1, 0, "mx.l.test A: no address"},
        {"IPv6 too, without a name", NONE, "mx.l.test\tAAAA\t2001:db8::25", 3, 0,
                "ip6.arpa PTR: the address has no name"},
        {"no name", PTR, NULL, 1, 0, "missing  25.2.0.192.in-addr.arpa PTR: the address has no name"},
        {"another name", PTR, "25.2.0.192.in-addr.arpa\tPTR\tother.test", 1, 0, "another name: other.test\n"},
        {"no SPF", SPF, NULL, 1, 0, "missing  l.test TXT: no SPF record\n"},
        {"SPF of others", SPF, "l.test\tTXT\tv=spf1 ip4:192.0.2.1 -all", 1, 0,
                "wrong    l.test TXT: SPF: fail for 192.0.2.25"},
        {"SPF for all", SPF, "l.test\tTXT\tv=spf1 +all", 1, 0, "lets anyone send"},
        {"no SPF for the host", HELO, NULL, 0, 0, "advice   mx.l.test TXT: no SPF record; bounces"},
        {"no DMARC", DMARC, NULL, 1, 0, "missing  _dmarc.l.test TXT: no DMARC record\n"},
        {"two of DMARC", NONE, "_dmarc.l.test\tTXT\tv=DMARC1; p=none", 1, 0, "several DMARC records"},
        {"no pointer", POINTER, NULL, 1, 0, "nec has published no key yet\n"},
        {"a pointer of others", POINTER, "_ptt._domainkey.l.test\tTXT\thello", 1, 0, "not a pointer of nec"},
        {"no DKIM key", DKIM, NULL, 1, 0, "missing  dkim-1000._domainkey.l.test TXT: DKIM, RSA\n"},
        {"an empty key", DKIM, "dkim-1000._domainkey.l.test\tTXT\tv=DKIM1; p=", 1, 0, "wrong    dkim-1000."},
        {"a key of another kind", DKIM, "dkim-1000._domainkey.l.test\tTXT\t" EDWARDS, 1, 0,
                "a key of another kind\n"},
        {"no Ed25519", EDKEY, NULL, 0, 0, "advice   dkim-ed25519-1000."},
        {"no ARC key", ARC, NULL, 1, 0, "missing  arc-1000._domainkey.l.test TXT: ARC\n"},
        {"no answer", DMARC, "_dmarc.l.test\tTROUBLE\tTXT", 0, 1,
                "unknown  _dmarc.l.test TXT: the DNS gave no answer\n"},
        {"no answer about the address", A, "mx.l.test\tTROUBLE\tA", 0, 1,
                "unknown  mx.l.test A: the DNS gave no answer\n"},
        {"a stranger's text", MX, "l.test\tMX\ta\x1b[2Jb.test", 1, 0, "points elsewhere, to a"},
};

struct bench {
        struct fake_dns dns;
        struct arena arena;
        struct dns_known known;
        size_t n;
        char lines[16384];
        char memory[FAKE_DNS_ARENA];
};

static void note(void *ctx, const struct records_finding *finding)
{
        struct bench *b = ctx;
        struct wr w;
        wr_init(&w, b->lines + b->n, sizeof b->lines - b->n - 1);
        records_finding_write(&w, finding);
        for (size_t i = 0; i < w.n; i++)
                assert_true((unsigned char)w.p[i] >= ' ' && w.p[i] != 0x7f);
        wr_byte(&w, '\n');
        assert_int_equal(wr_end(&w), ERR_OK);
        b->n += w.n;
        b->lines[b->n] = 0;
}

static void compare(struct bench *b, const struct records_plan *plan, struct records *r)
{
        arena_init(&b->arena, b->memory, sizeof b->memory);
        dns_known_init(&b->known, &b->arena, QUESTIONS);
        b->n = 0;
        *r = (struct records){.plan = plan, .known = &b->known};
        for (records_compare(r); b->known.wanted > 0; records_compare(r))
                (void)fake_dns_round(&b->dns, &b->known, false);
        assert_int_equal(b->n, 0); /* silent until all is known */
        r->tell = note;
        r->ctx = b;
        records_compare(r);
        assert_int_equal(b->known.wanted, 0);
}

static void fill(struct bench *b, const struct one *c)
{
        b->dns.count = 0;
        for (int i = 0; i < (int)GOOD; i++)
                if (i != c->without)
                        fake_dns_add(&b->dns, str_of_c(good[i]));
        if (c->instead)
                fake_dns_add(&b->dns, str_of_c(c->instead));
}

/* Where the addresses are those of the host name, as for lipap. */
static void test_cases(void **state)
{
        const struct records_plan plan = {.domain = S("l.test"),
                .hostname = S("mx.l.test"),
                .selector = S("dkim-%d"),
                .arc_selector = S("arc-%d")};
        struct bench *b = calloc(1, sizeof *b);
        (void)state;
        assert_non_null(b);
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct records r;
                fill(b, &cases[i]);
                compare(b, &plan, &r);
                if (r.bad != cases[i].bad || r.unknown != cases[i].unknown ||
                        !strstr(b->lines, cases[i].says))
                        print_error("%s: %u bad, %u unknown\n%s", cases[i].name, r.bad, r.unknown, b->lines);
                assert_int_equal(r.bad, cases[i].bad);
                assert_int_equal(r.unknown, cases[i].unknown);
                assert_non_null(strstr(b->lines, cases[i].says));
        }
        free(b);
}

/* Where they are said, as for ptt. */
static void test_given_addresses(void **state)
{
        struct records_plan plan = {.domain = S("l.test"),
                .hostname = S("mx.l.test"),
                .selector = S("dkim-%d"),
                .arc_selector = S("arc-%d"),
                .address_count = 1};
        struct bench *b = calloc(1, sizeof *b);
        struct records r;
        (void)state;
        assert_non_null(b);
        fill(b, &cases[0]);
        assert_int_equal(ip_parse(S("192.0.2.25"), &plan.addresses[0]), ERR_OK);
        compare(b, &plan, &r);
        assert_int_equal(r.bad + r.unknown, 0);
        assert_int_equal(ip_parse(S("192.0.2.26"), &plan.addresses[0]), ERR_OK);
        compare(b, &plan, &r);
        assert_int_equal(r.bad, 4); /* the address, its name, and both of SPF */
        assert_non_null(strstr(b->lines, "wrong    mx.l.test A: another address: 192.0.2.25\n"));
        free(b);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_cases),
                cmocka_unit_test(test_given_addresses),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
