/* SPDX-License-Identifier: ISC */
#include "dns/rdata.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "dns/test_input.h"

#define TIMES "\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5"

/* A record whose RDATA follows the name "example.org" in a message of nothing else. */
#define AT 13
static struct str record_of(uint16_t type, uint16_t class, struct str rdata, struct dns_record *out)
{
        char bytes[600];
        struct wr w;
        wr_init(&w, bytes, sizeof bytes);
        wr_str(&w, str_of("\7example\3org", AT));
        wr_str(&w, rdata);
        assert_int_equal(wr_end(&w), ERR_OK);
        struct str message = heap_copy(wr_text(&w));
        *out = (struct dns_record){.type = type,
                .class = class,
                .message = message,
                .rdata_at = AT,
                .rdata = str_of(message.p + AT, rdata.n)};
        return message;
}

static void test_expand(void **state)
{
        (void)state;
        static const struct {
                const char *label;
                uint16_t type, class;
                struct str rdata;
                enum err err;
                struct str wire;
        } cases[] = {
                {"A", 1, 1, {"\1\2\3\4", 4}, ERR_OK, {"\1\2\3\4", 4}},
                {"A short", 1, 1, {"\1\2\3", 3}, ERR_SYNTAX, {0}},
                {"A long", 1, 1, {"\1\2\3\4\5", 5}, ERR_SYNTAX, {0}},
                {"A empty", 1, 1, {"", 0}, ERR_SYNTAX, {0}},
                {"A deleted", 1, 255, {"", 0}, ERR_OK, {0}},
                {"A absent", 1, 254, {"", 0}, ERR_OK, {0}},
                {"A of CHAOS", 1, 3, {"\0\1\2", 3}, ERR_OK, {"\0\1\2", 3}},
                {"AAAA", 28, 1, {"0123456789abcdef", 16}, ERR_OK, {"0123456789abcdef", 16}},
                {"AAAA short", 28, 1, {"0123456789abcde", 15}, ERR_SYNTAX, {0}},
                {"MX", 15, 1, {"\0\12\2mx\300\0", 7}, ERR_OK, {"\0\12\2mx\7example\3org", 18}},
                {"MX null", 15, 1, {"\0\0", 3}, ERR_OK, {"\0\0", 3}},
                {"MX more", 15, 1, {"\0\12\2mx\300\0x", 8}, ERR_SYNTAX, {0}},
                {"MX no name", 15, 1, {"\0\12", 2}, ERR_SYNTAX, {0}},
                {"MX pointer forward", 15, 1, {"\0\12\300\40", 4}, ERR_SYNTAX, {0}},
                {"NS", 2, 1, {"\300\10", 2}, ERR_OK, {"\3org", 5}},
                {"CNAME name past the end", 5, 1, {"\5abc", 4}, ERR_SYNTAX, {0}},
                {"PTR", 12, 1, {"\1a", 3}, ERR_OK, {"\1a", 3}},
                {"SOA", 6, 1, {"\1a\300\10\300\0" TIMES, 26}, ERR_OK,
                        {"\1a\3org\0\7example\3org\0" TIMES, 40}},
                {"SOA cut", 6, 1, {"\1a\300\10\300\0" TIMES, 25}, ERR_SYNTAX, {0}},
                {"TXT", 16, 1, {"\1a\0", 3}, ERR_OK, {"\1a\0", 3}},
                {"TXT no string", 16, 1, {"", 0}, ERR_SYNTAX, {0}},
                {"TXT cut", 16, 1, {"\2a", 2}, ERR_SYNTAX, {0}},
                {"SRV", 33, 1, {"\0\1\0\2\0\31\300\10", 8}, ERR_OK, {"\0\1\0\2\0\31\3org", 11}},
                {"unknown", 65280, 1, {"\377\0", 2}, ERR_OK, {"\377\0", 2}},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct dns_record record;
                struct dns_rdata_room room;
                struct str wire, message = record_of(cases[i].type, cases[i].class, cases[i].rdata, &record);
                assert_int_equal(dns_rdata_expand(&record, &room, &wire), cases[i].err);
                assert_true(str_eq(wire, cases[i].wire));
                heap_free(message);
        }
}

/* The longest RDATA with names fills the room and no more. */
static void test_expand_longest(void **state)
{
        (void)state;
        char rdata[2 * 255 + 20] = {0};
        for (size_t i = 0; i < 2; i++)
                for (size_t k = 0; k < 127; k++)
                        memcpy(rdata + 255 * i + 2 * k, "\1a", 2);
        struct dns_record record;
        struct dns_rdata_room room;
        struct dns_soa soa;
        struct str wire;
        struct str message = record_of(DNS_TYPE_SOA, DNS_CLASS_IN, str_of(rdata, sizeof rdata), &record);
        assert_int_equal(dns_rdata_expand(&record, &room, &wire), ERR_OK);
        assert_true(str_eq(wire, str_of(rdata, sizeof rdata)));
        assert_int_equal(dns_soa_parse(wire, &soa), ERR_OK);
        assert_int_equal(dns_name_labels(&soa.mailbox), 127);
        heap_free(message);
}

static void test_round_trips(void **state)
{
        (void)state;
        char bytes[100];
        struct wr w;
        struct dns_mx mx = {10, name_of("mx.example.org")}, mx_back;
        wr_init(&w, bytes, sizeof bytes);
        dns_mx_write_wire(&w, &mx);
        assert_int_equal(dns_mx_parse(wr_text(&w), &mx_back), ERR_OK);
        assert_int_equal(mx_back.preference, 10);
        assert_true(dns_name_eq(&mx.exchange, &mx_back.exchange));

        struct dns_soa soa = {name_of("ns"), name_of("h.m"), 1, 2, 3, 4, 5}, soa_back;
        wr_init(&w, bytes, sizeof bytes);
        dns_soa_write_wire(&w, &soa);
        assert_int_equal(dns_soa_parse(wr_text(&w), &soa_back), ERR_OK);
        assert_true(soa_back.serial == 1 && soa_back.refresh_s == 2 && soa_back.retry_s == 3);
        assert_true(soa_back.expire_s == 4 && soa_back.minimum_s == 5);

        static const char *const addresses[] = {"192.0.2.1", "2001:db8::1"};
        for (size_t i = 0; i < 2; i++) {
                struct ip ip, back;
                assert_int_equal(ip_parse(str_of_c(addresses[i]), &ip), ERR_OK);
                wr_init(&w, bytes, sizeof bytes);
                dns_address_write_wire(&w, &ip);
                assert_int_equal(dns_address_parse(wr_text(&w), &back), ERR_OK);
                assert_true(ip_eq(&ip, &back));
        }
        struct ip none;
        assert_int_equal(dns_address_parse(S("12345"), &none), ERR_SYNTAX);
}

static void test_wire_prefixes(void **state)
{
        (void)state;
        static const struct str mx = {"\0\12\2mx\3org", 10};
        static const struct str soa = {"\1a\0\1b\0" TIMES, 26};
        for (size_t n = 0; n < soa.n; n++) {
                struct dns_soa out;
                struct str cut = heap_copy(str_take(soa, n));
                assert_int_equal(dns_soa_parse(cut, &out), ERR_SYNTAX);
                heap_free(cut);
        }
        for (size_t n = 0; n < mx.n; n++) {
                struct dns_mx out;
                struct dns_name name;
                struct str cut = heap_copy(str_take(mx, n));
                assert_int_equal(dns_mx_parse(cut, &out), ERR_SYNTAX);
                heap_free(cut);
                cut = heap_copy(str_skip(str_take(mx, n), 2));
                assert_int_equal(dns_target_parse(cut, &name), ERR_SYNTAX);
                heap_free(cut);
        }
}

static void test_reverse(void **state)
{
        (void)state;
        static const char *const cases[][2] = {
                {"192.0.2.130", "130.2.0.192.in-addr.arpa"},
                {"2001:db8::567:89ab",
                        "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"},
        };
        for (size_t i = 0; i < 2; i++) {
                struct ip ip;
                struct dns_name name, right = name_of(cases[i][1]);
                assert_int_equal(ip_parse(str_of_c(cases[i][0]), &ip), ERR_OK);
                dns_reverse_name(&ip, &name);
                assert_true(dns_name_eq(&name, &right));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_expand),
                cmocka_unit_test(test_expand_longest),
                cmocka_unit_test(test_round_trips),
                cmocka_unit_test(test_wire_prefixes),
                cmocka_unit_test(test_reverse),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
