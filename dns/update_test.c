/* SPDX-License-Identifier: ISC */
#include "dns/update.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "dns/summary.h"
#include "dns/test_input.h"

static void need_rrset(struct dns_update *u, const struct dns_name *n)
{
        dns_update_need_rrset(u, n, DNS_TYPE_TXT);
}

static void need_exact(struct dns_update *u, const struct dns_name *n)
{
        dns_update_need_exact(u, n, DNS_TYPE_TXT, S("\1x"));
}

static void need_no_rrset(struct dns_update *u, const struct dns_name *n)
{
        dns_update_need_no_rrset(u, n, DNS_TYPE_TXT);
}

static void need_name(struct dns_update *u, const struct dns_name *n)
{
        dns_update_need_name(u, n);
}

static void need_no_name(struct dns_update *u, const struct dns_name *n)
{
        dns_update_need_no_name(u, n);
}

static void add(struct dns_update *u, const struct dns_name *n)
{
        dns_update_add(u, &(struct dns_update_record){n, DNS_TYPE_TXT, 3600, S("\1x")});
}

static void delete_rrset(struct dns_update *u, const struct dns_name *n)
{
        dns_update_delete_rrset(u, n, DNS_TYPE_TXT);
}

static void delete_name(struct dns_update *u, const struct dns_name *n)
{
        dns_update_delete_name(u, n);
}

static void delete_record(struct dns_update *u, const struct dns_name *n)
{
        dns_update_delete_record(u, n, DNS_TYPE_TXT, S("\1x"));
}

/* The tables of RFC 2136 2.4 and 2.5. */
static void test_each(void **state)
{
        (void)state;
        static const struct {
                void (*put)(struct dns_update *u, const struct dns_name *n);
                enum dns_section section;
                uint16_t class, type;
                uint32_t ttl_s;
                struct str rdata;
        } cases[] = {
                {need_rrset, DNS_PREREQUISITE, DNS_CLASS_ANY, DNS_TYPE_TXT, 0, {0}},
                {need_exact, DNS_PREREQUISITE, DNS_CLASS_IN, DNS_TYPE_TXT, 0, {"\1x", 2}},
                {need_no_rrset, DNS_PREREQUISITE, DNS_CLASS_NONE, DNS_TYPE_TXT, 0, {0}},
                {need_name, DNS_PREREQUISITE, DNS_CLASS_ANY, DNS_TYPE_ANY, 0, {0}},
                {need_no_name, DNS_PREREQUISITE, DNS_CLASS_NONE, DNS_TYPE_ANY, 0, {0}},
                {add, DNS_UPDATE, DNS_CLASS_IN, DNS_TYPE_TXT, 3600, {"\1x", 2}},
                {delete_rrset, DNS_UPDATE, DNS_CLASS_ANY, DNS_TYPE_TXT, 0, {0}},
                {delete_name, DNS_UPDATE, DNS_CLASS_ANY, DNS_TYPE_ANY, 0, {0}},
                {delete_record, DNS_UPDATE, DNS_CLASS_NONE, DNS_TYPE_TXT, 0, {"\1x", 2}},
        };
        struct dns_name zone = name_of("example.org"), name = name_of("k._domainkey.example.org");
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                char buffer[200];
                struct dns_update u;
                struct dns_reader r;
                struct dns_question q;
                struct dns_record record;
                struct str message;
                dns_update_init(&u, buffer, sizeof buffer, 77, &zone);
                cases[i].put(&u, &name);
                assert_int_equal(dns_update_end(&u, &message), ERR_OK);
                assert_int_equal(dns_reader_init(&r, message), ERR_OK);
                assert_true(r.header.id == 77 && r.header.opcode == DNS_OPCODE_UPDATE);
                assert_false(r.header.is_response || r.header.recursion_desired);
                assert_int_equal(dns_reader_question(&r, &q), ERR_OK);
                assert_true(dns_name_eq(&q.name, &zone));
                assert_true(q.type == DNS_TYPE_SOA && q.class == DNS_CLASS_IN);
                assert_int_equal(dns_reader_record(&r, &record), ERR_OK);
                assert_true(dns_name_eq(&record.name, &name));
                assert_int_equal(record.section, cases[i].section);
                assert_int_equal(record.class, cases[i].class);
                assert_int_equal(record.type, cases[i].type);
                assert_int_equal(record.ttl_s, cases[i].ttl_s);
                assert_true(str_eq(record.rdata, cases[i].rdata));
                assert_int_equal(dns_reader_record(&r, &record), ERR_EOF);
        }
}

static void test_space(void **state)
{
        (void)state;
        struct dns_name zone = name_of("example.org");
        char buffer[40];
        struct dns_update u;
        struct str message;
        dns_update_init(&u, buffer, sizeof buffer, 1, &zone);
        delete_name(&u, &zone);
        assert_int_equal(dns_update_end(&u, &message), ERR_SPACE);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_each),
                cmocka_unit_test(test_space),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
