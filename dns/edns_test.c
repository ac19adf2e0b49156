/* SPDX-License-Identifier: ISC */
#include "dns/edns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "dns/test_input.h"

static void test_round_trip(void **state)
{
        (void)state;
        static const struct dns_edns cases[] = {
                {.udp_size = 1232},
                {.udp_size = 65535, .rcode_high = 255, .version = 255, .dnssec_ok = true},
                {.udp_size = 0, .rcode_high = 1, .options = {"\0\12\0\0", 4}},
                {.udp_size = 512, .version = 1, .options = {"\0\12\0\2xy\0\3\0\1z", 11}},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                char buffer[100];
                struct dns_writer w;
                struct dns_reader r;
                struct dns_record record;
                struct dns_edns edns;
                struct str message;
                dns_writer_init(&w, buffer, sizeof buffer, &(struct dns_header){0});
                dns_edns_write(&w, &cases[i]);
                assert_int_equal(dns_writer_end(&w, &message), ERR_OK);
                assert_int_equal(dns_reader_init(&r, message), ERR_OK);
                assert_int_equal(dns_reader_record(&r, &record), ERR_OK);
                assert_int_equal(dns_edns_read(&record, &edns), ERR_OK);
                assert_int_equal(edns.udp_size, cases[i].udp_size);
                assert_int_equal(edns.rcode_high, cases[i].rcode_high);
                assert_int_equal(edns.version, cases[i].version);
                assert_int_equal(edns.dnssec_ok, cases[i].dnssec_ok);
                assert_true(str_eq(edns.options, cases[i].options));
        }
}

static void test_wrong(void **state)
{
        (void)state;
        struct dns_edns edns;
        struct dns_record record = {.name = name_of("."), .type = DNS_TYPE_OPT};
        assert_int_equal(dns_edns_read(&record, &edns), ERR_OK);
        record.type = DNS_TYPE_A;
        assert_int_equal(dns_edns_read(&record, &edns), ERR_SYNTAX);
        record.type = DNS_TYPE_OPT;
        record.name = name_of("a");
        assert_int_equal(dns_edns_read(&record, &edns), ERR_SYNTAX);
        record.name = name_of(".");
        for (size_t n = 1; n < 7; n++) { /* an option of three octets, cut */
                record.rdata = heap_copy(str_take(str_of("\0\1\0\3abc", 7), n));
                assert_int_equal(dns_edns_read(&record, &edns), ERR_SYNTAX);
                heap_free(record.rdata);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_round_trip),
                cmocka_unit_test(test_wrong),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
