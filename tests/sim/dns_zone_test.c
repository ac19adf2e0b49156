/* SPDX-License-Identifier: ISC */
/* Lines of master files, and what a zone in one of its versions answers. */
#include "tests/sim/dns_zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/exact.h"
#include "base/hex.h"
#include "dns/code.h"
#include "tests/sim/dns_text.h"

static struct dns_name name_of(const char *text)
{
        struct dns_name name;
        assert_int_equal(dns_name_parse(str_of_c(text), &name), ERR_OK);
        return name;
}

/* Lines. */

static const struct line {
        const char *label, *text;
        enum err err;
        const char *name; /* of the record */
        uint16_t type;
        uint32_t ttl_s;
        const char *hex;
} lines[] = {
        {"address", "mx 60 A 10.0.0.1", ERR_OK, "mx.example.org", DNS_TYPE_A, 60, "0a000001"},
        {"ttl left out", "mx A 10.0.0.1", ERR_OK, "mx.example.org", DNS_TYPE_A, 300, "0a000001"},
        {"class", "mx IN A 10.0.0.1", ERR_OK, "mx.example.org", DNS_TYPE_A, 300, "0a000001"},
        {"class, ttl", "mx IN 5 a 10.0.0.1", ERR_OK, "mx.example.org", DNS_TYPE_A, 5, "0a000001"},
        {"ttl, class", "mx 5 in A 10.0.0.1", ERR_OK, "mx.example.org", DNS_TYPE_A, 5, "0a000001"},
        {"origin", "@ A 10.0.0.1", ERR_OK, "example.org", DNS_TYPE_A, 300, "0a000001"},
        {"whole name", "a.test. A 10.0.0.1", ERR_OK, "a.test", DNS_TYPE_A, 300, "0a000001"},
        {"no name", " A 10.0.0.1", ERR_OK, "last.example.org", DNS_TYPE_A, 300, "0a000001"},
        {"blanks and comment", "mx\t 60  A\t10.0.0.1 ; why", ERR_OK, "mx.example.org", DNS_TYPE_A, 60,
                "0a000001"},
        {"line end of others", "mx A 10.0.0.1\r", ERR_OK, "mx.example.org", DNS_TYPE_A, 300, "0a000001"},
        {"IPv6", "mx AAAA 2001:db8::1", ERR_OK, "mx.example.org", DNS_TYPE_AAAA, 300,
                "20010db8000000000000000000000001"},
        {"MX", "@ MX 10 mx", ERR_OK, "example.org", DNS_TYPE_MX, 300, "000a026d78076578616d706c65036f726700"},
        {"null MX", "@ MX 0 .", ERR_OK, "example.org", DNS_TYPE_MX, 300, "000000"},
        {"NS", "@ NS ns.test.", ERR_OK, "example.org", DNS_TYPE_NS, 300, "026e73047465737400"},
        {"CNAME to origin", "www CNAME @", ERR_OK, "www.example.org", DNS_TYPE_CNAME, 300,
                "076578616d706c65036f726700"},
        {"text", "@ TXT v=spf1 \"a b;\" \"\"", ERR_OK, "example.org", DNS_TYPE_TXT, 300,
                "06763d73706631046120623b00"},
        {"text with escapes", "@ TXT \"a\\\"\\\\\\200\"", ERR_OK, "example.org", DNS_TYPE_TXT, 300,
                "0461225cc8"},
        {"TLSA", "_25._tcp TLSA 3 1 1 00ff AA", ERR_OK, "_25._tcp.example.org", DNS_TYPE_TLSA, 300,
                "03010100ffaa"},
        {"any type", "x TYPE65280 \\# 3 01 0203", ERR_OK, "x.example.org", 65280, 300, "010203"},
        {"known type by number", "x TYPE1 10.0.0.1", ERR_OK, "x.example.org", DNS_TYPE_A, 300, "0a000001"},
        {"wildcard", "* MX 1 mx", ERR_OK, "*.example.org", DNS_TYPE_MX, 300,
                "0001026d78076578616d706c65036f726700"},
        {"nothing", "", ERR_NOT_FOUND, NULL, 0, 0, NULL},
        {"blanks", " \t\r", ERR_NOT_FOUND, NULL, 0, 0, NULL},
        {"comment", "; mx A 10.0.0.1", ERR_NOT_FOUND, NULL, 0, 0, NULL},
        {"name alone", "mx", ERR_SYNTAX, NULL, 0, 0, NULL},
        {"type alone", "mx A", ERR_SYNTAX, NULL, 0, 0, NULL},
        {"unknown type", "mx HINFO a b", ERR_SYNTAX, NULL, 0, 0, NULL},
        {"type of questions", "mx ANY 1", ERR_SYNTAX, NULL, 0, 0, NULL},
        {"data too many", "mx A 10.0.0.1 10.0.0.2", ERR_SYNTAX, NULL, 0, 0, NULL},
        {"wrong family", "mx A 2001:db8::1", ERR_SYNTAX, NULL, 0, 0, NULL},
        {"wrong family 6", "mx AAAA 10.0.0.1", ERR_SYNTAX, NULL, 0, 0, NULL},
        {"preference above", "@ MX 65536 mx", ERR_SYNTAX, NULL, 0, 0, NULL},
        {"TTL above", "@ 2147483648 A 10.0.0.1", ERR_SYNTAX, NULL, 0, 0, NULL},
        {"two TTLs", "@ 1 2 A 10.0.0.1", ERR_SYNTAX, NULL, 0, 0, NULL},
        {"empty label", "a..b A 10.0.0.1", ERR_SYNTAX, NULL, 0, 0, NULL},
        {"quote left open", "@ TXT \"abc", ERR_SYNTAX, NULL, 0, 0, NULL},
        {"escape at the end", "@ TXT abc\\", ERR_SYNTAX, NULL, 0, 0, NULL},
        {"escape cut short", "@ TXT abc\\25", ERR_SYNTAX, NULL, 0, 0, NULL},
        {"escape above", "@ TXT abc\\256", ERR_SYNTAX, NULL, 0, 0, NULL},
        {"no text", "@ TXT", ERR_SYNTAX, NULL, 0, 0, NULL},
        {"quoted type", "@ \"TXT\" a", ERR_SYNTAX, NULL, 0, 0, NULL},
        {"odd hex", "x TYPE9 \\# 1 123", ERR_SYNTAX, NULL, 0, 0, NULL},
        {"another length", "x TYPE9 \\# 2 010203", ERR_SYNTAX, NULL, 0, 0, NULL},
        {"type above", "x TYPE65536 \\# 0", ERR_SYNTAX, NULL, 0, 0, NULL},
        {"SOA cut", "@ SOA a b 1 2 3 4", ERR_SYNTAX, NULL, 0, 0, NULL},
};

static enum err parse(struct str line, struct dns_text_record *out)
{
        struct dns_text text = {.origin = name_of("example.org"), .last = name_of("last.example.org")};
        struct str copy = exact(line);
        enum err e = dns_text_parse(&text, copy, out);
        exact_free(copy);
        return e;
}

static void test_lines(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
                const struct line *l = &lines[i];
                struct dns_text_record record;
                char hex[256];
                struct wr w;
                enum err e = parse(str_of_c(l->text), &record);
                if (e != l->err)
                        fail_msg("%s: %s", l->label, err_text(e));
                for (size_t n = 0; n < str_of_c(l->text).n; n++) /* no prefix does harm */
                        (void)(parse(str_take(str_of_c(l->text), n), &(struct dns_text_record){0}) == ERR_OK);
                if (e != ERR_OK)
                        continue;
                struct dns_name name = name_of(l->name);
                wr_init(&w, hex, sizeof hex);
                hex_encode(&w, str_of(record.rdata, record.rdata_n));
                if (!dns_name_eq(&record.name, &name) || record.type != l->type || record.ttl_s != l->ttl_s ||
                        !str_eq(wr_text(&w), str_of_c(l->hex)))
                        fail_msg("%s: type %u, ttl %u, data %.*s", l->label, record.type, record.ttl_s,
                                STR_ARG(wr_text(&w)));
        }
}

static void test_long_lines(void **state)
{
        (void)state;
        static char line[2 * DNS_TEXT_RDATA_MAX];
        struct dns_text_record record;
        struct wr w;
        wr_init(&w, line, sizeof line);
        wr_str(&w, S("@ TXT "));
        for (size_t i = 0; i < 255; i++)
                wr_byte(&w, 'x');
        assert_int_equal(parse(wr_text(&w), &record), ERR_OK);
        assert_int_equal(record.rdata_n, 256);
        wr_byte(&w, 'x');
        assert_int_equal(parse(wr_text(&w), &record), ERR_SYNTAX); /* one string has 255 octets */
        w.n--;
        for (size_t i = 256; i + 2 <= DNS_TEXT_RDATA_MAX; i += 2)
                wr_str(&w, S(" y"));
        assert_int_equal(parse(wr_text(&w), &record), ERR_OK);
        assert_int_equal(record.rdata_n, DNS_TEXT_RDATA_MAX);
        wr_str(&w, S(" y"));
        assert_int_equal(parse(wr_text(&w), &record), ERR_SYNTAX);
}

/* Finding. */

static void put(struct dns_zone *z, const char *line)
{
        struct dns_text text = {.origin = z->origin};
        struct dns_text_record r;
        assert_int_equal(dns_text_parse(&text, str_of_c(line), &r), ERR_OK);
        dns_store_put(z, &r.name, r.type, r.ttl_s, str_of(r.rdata, r.rdata_n));
}

static struct dns_zone *zone_of(const char *const *text)
{
        struct dns_name origin = name_of("example.org");
        struct dns_zone *z = dns_store_new(&origin, 0);
        dns_store_begin(z, 0);
        for (; *text; text++)
                put(z, *text);
        assert_true(dns_store_end(z));
        return z;
}

static const char *const example[] = {"@ NS ns1", "ns1 A 10.0.0.1", "@ MX 10 mx", "mx A 10.0.0.2",
        "www CNAME mx", "a.b.c TXT deep", "*.wild TXT any", "there.wild A 10.0.0.3", "sub NS ns.sub",
        "ns.sub A 10.0.0.4", "*.alias CNAME mx", "UPPER TXT case", NULL};

static const struct question {
        const char *name;
        uint16_t type;
        enum dns_finding finding;
        const char *owner;
} questions[] = {
        {"example.org", DNS_TYPE_SOA, DNS_FIND_RECORDS, "example.org"},
        {"example.org", DNS_TYPE_NS, DNS_FIND_RECORDS, "example.org"}, /* no cut: it is the zone's own */
        {"example.org", DNS_TYPE_TXT, DNS_FIND_NO_DATA, NULL},
        {"example.org", DNS_TYPE_ANY, DNS_FIND_RECORDS, "example.org"},
        {"MX.Example.ORG", DNS_TYPE_A, DNS_FIND_RECORDS, "mx.example.org"},
        {"upper.example.org", DNS_TYPE_TXT, DNS_FIND_RECORDS, "upper.example.org"},
        {"www.example.org", DNS_TYPE_A, DNS_FIND_ALIAS, "www.example.org"},
        {"www.example.org", DNS_TYPE_CNAME, DNS_FIND_RECORDS, "www.example.org"},
        {"www.example.org", DNS_TYPE_ANY, DNS_FIND_RECORDS, "www.example.org"},
        {"b.c.example.org", DNS_TYPE_TXT, DNS_FIND_NO_DATA, NULL}, /* an empty non-terminal */
        {"c.example.org", DNS_TYPE_TXT, DNS_FIND_NO_DATA, NULL},
        {"x.b.c.example.org", DNS_TYPE_TXT, DNS_FIND_NO_NAME, NULL},
        {"none.example.org", DNS_TYPE_A, DNS_FIND_NO_NAME, NULL},
        {"x.wild.example.org", DNS_TYPE_TXT, DNS_FIND_RECORDS, "*.wild.example.org"},
        {"x.y.wild.example.org", DNS_TYPE_TXT, DNS_FIND_RECORDS, "*.wild.example.org"},
        {"x.wild.example.org", DNS_TYPE_A, DNS_FIND_NO_DATA, NULL},
        {"there.wild.example.org", DNS_TYPE_TXT, DNS_FIND_NO_DATA, NULL},   /* it is there: no wildcard */
        {"x.there.wild.example.org", DNS_TYPE_TXT, DNS_FIND_NO_NAME, NULL}, /* there is the encloser */
        {"wild.example.org", DNS_TYPE_TXT, DNS_FIND_NO_DATA, NULL},
        {"*.wild.example.org", DNS_TYPE_TXT, DNS_FIND_RECORDS, "*.wild.example.org"},
        {"x.alias.example.org", DNS_TYPE_A, DNS_FIND_ALIAS, "*.alias.example.org"},
        {"sub.example.org", DNS_TYPE_A, DNS_FIND_REFERRAL, "sub.example.org"},
        {"sub.example.org", DNS_TYPE_NS, DNS_FIND_REFERRAL, "sub.example.org"},
        {"ns.sub.example.org", DNS_TYPE_A, DNS_FIND_REFERRAL, "sub.example.org"}, /* glue is no answer */
        {"x.y.sub.example.org", DNS_TYPE_A, DNS_FIND_REFERRAL, "sub.example.org"},
};

static void test_finding(void **state)
{
        (void)state;
        struct dns_zone *z = zone_of(example);
        for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++) {
                const struct question *q = &questions[i];
                struct dns_name name = name_of(q->name), owner = name;
                struct dns_found found;
                if (q->owner)
                        owner = name_of(q->owner);
                dns_store_find(z, dns_store_newest(z), &name, q->type, &found);
                if (found.finding != q->finding || (q->owner && !dns_name_eq(&found.owner, &owner)))
                        fail_msg("%s type %u: finding %d", q->name, q->type, (int)found.finding);
        }
        dns_store_free(z);
}

/* Versions. */

static size_t count_at(const struct dns_zone *z, uint32_t version, const char *name, uint16_t type)
{
        struct dns_name n = name_of(name);
        return dns_store_count(z, version, &n, type);
}

static uint32_t serial_at(const struct dns_zone *z, uint32_t version)
{
        struct dns_soa soa;
        dns_store_soa(z, version, &soa);
        assert_int_equal(soa.serial, z->versions[version].serial);
        return soa.serial;
}

static void change(struct dns_zone *z, int64_t at_ms, const char *line)
{
        dns_store_begin(z, at_ms);
        put(z, line);
        (void)dns_store_end(z);
}

static void test_versions(void **state)
{
        (void)state;
        struct dns_zone *z = zone_of(example); /* versions 0 and 1 */
        struct dns_name mx = name_of("mx.example.org"), www = name_of("www.example.org");
        uint32_t v;
        change(z, 10, "mx A 10.0.0.9");
        change(z, 10, "mx A 10.0.0.9"); /* nothing new */
        assert_int_equal(dns_store_newest(z), 2);
        change(z, 20, "mx 60 A 10.0.0.9"); /* another TTL, of the whole set */
        assert_int_equal(dns_store_newest(z), 3);
        assert_int_equal(count_at(z, 1, "mx.example.org", DNS_TYPE_A), 1);
        assert_int_equal(count_at(z, 2, "mx.example.org", DNS_TYPE_A), 2);
        assert_int_equal(count_at(z, 3, "mx.example.org", DNS_TYPE_A), 2);
        for (const struct dns_rr *rr = dns_store_first(z, 2, &mx, DNS_TYPE_A); rr;
                rr = dns_store_next(rr, 2, DNS_TYPE_A))
                assert_int_equal(rr->ttl_s, 300);
        for (const struct dns_rr *rr = dns_store_first(z, 3, &mx, DNS_TYPE_A); rr;
                rr = dns_store_next(rr, 3, DNS_TYPE_A))
                assert_int_equal(rr->ttl_s, 60);
        dns_store_begin(z, 30);
        assert_int_equal(dns_store_remove(z, &mx, DNS_TYPE_ANY, NULL), 2);
        put(z, "www CNAME other"); /* takes the place of the one before */
        assert_true(dns_store_end(z));
        assert_int_equal(count_at(z, 4, "mx.example.org", DNS_TYPE_ANY), 0);
        assert_int_equal(count_at(z, 3, "mx.example.org", DNS_TYPE_ANY), 2);
        assert_int_equal(dns_store_count(z, 4, &www, DNS_TYPE_CNAME), 1);
        for (v = 0; v < 5; v++)
                assert_int_equal(serial_at(z, v), v + 1);
        assert_false(dns_store_version_at(z, -1, &v));
        assert_true(dns_store_version_at(z, 19, &v));
        assert_int_equal(v, 2);
        assert_true(dns_store_version_at(z, 1000, &v));
        assert_int_equal(v, 4);

        dns_store_begin(z, 40);
        dns_store_restore(z, 2);
        assert_true(dns_store_end(z));
        assert_int_equal(serial_at(z, 5), 3);
        assert_int_equal(count_at(z, 5, "mx.example.org", DNS_TYPE_A), 2);
        struct dns_found found;
        dns_store_find(z, 5, &www, DNS_TYPE_A, &found);
        assert_int_equal(found.finding, DNS_FIND_ALIAS);
        const struct dns_rr *alias = dns_store_first(z, 5, &www, DNS_TYPE_CNAME);
        assert_true(str_eq(alias->rdata, dns_store_first(z, 1, &www, DNS_TYPE_CNAME)->rdata));
        assert_null(dns_store_next(alias, 5, DNS_TYPE_CNAME));
        dns_store_free(z);
}

static void test_undo(void **state)
{
        (void)state;
        struct dns_zone *z = zone_of(example);
        struct dns_name mx = name_of("mx.example.org");
        dns_store_begin(z, 5);
        (void)dns_store_remove(z, &mx, DNS_TYPE_ANY, NULL);
        put(z, "mx TXT new");
        put(z, "new.mx TXT new");
        dns_store_undo(z);
        assert_int_equal(dns_store_newest(z), 1);
        assert_int_equal(count_at(z, 1, "mx.example.org", DNS_TYPE_ANY), 1);
        change(z, 6, "mx A 10.0.0.7");
        assert_int_equal(count_at(z, 2, "mx.example.org", DNS_TYPE_ANY), 2);
        assert_int_equal(count_at(z, 2, "new.mx.example.org", DNS_TYPE_ANY), 0);
        dns_store_free(z);
}

static void test_serials(void **state)
{
        (void)state;
        assert_true(dns_serial_is_after(2, 1));
        assert_false(dns_serial_is_after(1, 1));
        assert_false(dns_serial_is_after(1, 2));
        assert_true(dns_serial_is_after(1, UINT32_MAX));
        assert_false(dns_serial_is_after(0x80000001, 1)); /* RFC 1982 3.2: not defined; taken as no */
        struct dns_zone *z = zone_of(example);
        change(z, 1, "@ SOA ns1 h 4294967295 1 2 3 4");
        assert_int_equal(serial_at(z, 2), UINT32_MAX);
        change(z, 2, "x A 10.0.0.1");
        assert_int_equal(serial_at(z, 3), 1);
        dns_store_free(z);
}

/* Data with names is the same in either case; nothing else is. */
static void test_same_data(void **state)
{
        (void)state;
        struct dns_zone *z = zone_of(example);
        change(z, 1, "@ MX 10 MX");
        assert_int_equal(count_at(z, 2, "example.org", DNS_TYPE_MX), 1);
        change(z, 2, "@ MX 266 mx"); /* 266 differs from 10 in one octet only */
        assert_int_equal(count_at(z, 3, "example.org", DNS_TYPE_MX), 2);
        change(z, 3, "upper TXT CASE");
        assert_int_equal(count_at(z, 4, "upper.example.org", DNS_TYPE_TXT), 2);
        dns_store_free(z);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_lines),
                cmocka_unit_test(test_long_lines),
                cmocka_unit_test(test_finding),
                cmocka_unit_test(test_versions),
                cmocka_unit_test(test_undo),
                cmocka_unit_test(test_serials),
                cmocka_unit_test(test_same_data),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
