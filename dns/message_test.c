/* SPDX-License-Identifier: ISC */
#include "dns/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "dns/summary.h"
#include "dns/test_input.h"
#include "dns/txt.h"

/* A response with a question, two answers, an authority record and an OPT. */
static struct str sample(char *buffer, size_t cap)
{
        struct dns_writer w;
        struct str message;
        struct dns_name name = name_of("_dmarc.example.org"), zone = name_of("example.org");
        struct dns_name other = name_of("ns.Example.org");
        dns_writer_init(&w, buffer, cap,
                &(struct dns_header){.id = 0xbeef,
                        .is_response = true,
                        .recursion_desired = true,
                        .recursion_available = true,
                        .authentic_data = true});
        dns_writer_question(
                &w, &(struct dns_question){.name = name, .type = DNS_TYPE_TXT, .class = DNS_CLASS_IN});
        dns_writer_record(
                &w, &(struct dns_record_out){DNS_ANSWER, &name, DNS_TYPE_TXT, 1, 300, S("\5hello")});
        dns_writer_record(
                &w, &(struct dns_record_out){DNS_ANSWER, &name, DNS_TYPE_TXT, 1, 300, S("\5world")});
        dns_writer_record(
                &w, &(struct dns_record_out){DNS_AUTHORITY, &zone, DNS_TYPE_NS, 1, 60, S("\2ns\0")});
        dns_writer_record(
                &w, &(struct dns_record_out){DNS_ADDITIONAL, &other, DNS_TYPE_A, 1, 60, {"\300\0\2\1", 4}});
        assert_int_equal(dns_writer_end(&w, &message), ERR_OK);
        return message;
}

static void test_round_trip(void **state)
{
        (void)state;
        char buffer[512];
        struct str message = heap_copy(sample(buffer, sizeof buffer));
        struct dns_reader r;
        struct dns_question q;
        struct dns_record record;
        struct dns_name name = name_of("_dmarc.example.org");
        assert_int_equal(dns_reader_init(&r, message), ERR_OK);
        assert_int_equal(r.header.id, 0xbeef);
        assert_true(r.header.is_response && r.header.recursion_desired && r.header.authentic_data);
        assert_false(r.header.is_truncated || r.header.is_authoritative || r.header.checking_disabled);
        assert_int_equal(dns_reader_question(&r, &q), ERR_OK);
        assert_true(dns_name_eq(&q.name, &name));
        assert_int_equal(dns_reader_question(&r, &q), ERR_EOF);
        assert_int_equal(dns_reader_record(&r, &record), ERR_OK);
        assert_true(record.section == DNS_ANSWER && record.type == DNS_TYPE_TXT && record.ttl_s == 300);
        assert_true(dns_name_eq(&record.name, &name) && str_eq(record.rdata, S("\5hello")));
        assert_int_equal(dns_reader_record(&r, &record), ERR_OK);
        assert_int_equal(dns_reader_record(&r, &record), ERR_OK);
        assert_int_equal(record.section, DNS_AUTHORITY);
        assert_int_equal(dns_reader_record(&r, &record), ERR_OK);
        assert_int_equal(record.section, DNS_ADDITIONAL);
        assert_int_equal(dns_reader_record(&r, &record), ERR_EOF);
        assert_int_equal(dns_reader_record(&r, &record), ERR_EOF);
        heap_free(message);
}

/* Equal suffixes are pointers; a suffix in another case is written out, so that case survives. */
static void test_compression(void **state)
{
        (void)state;
        char buffer[512];
        struct str message = sample(buffer, sizeof buffer);
        assert_int_equal(str_find(message, S("\300\14")), 12 + 20 + 4);
        assert_int_equal(str_find(message, S("\7example\3org")), 12 + 7);
        assert_true(str_find(message, S("\2ns\7Example\300\33")) < message.n);
}

static void test_prefixes(void **state)
{
        (void)state;
        char buffer[512];
        struct str message = sample(buffer, sizeof buffer);
        struct dns_summary summary;
        assert_int_equal(dns_summary_read(message, &summary), ERR_OK);
        for (size_t n = 0; n < message.n; n++) {
                struct str prefix = heap_copy(str_take(message, n));
                assert_int_equal(dns_summary_read(prefix, &summary), ERR_SYNTAX);
                heap_free(prefix);
        }
        struct str longer = heap_copy(str_take(str_of(buffer, sizeof buffer), message.n + 1));
        assert_int_equal(dns_summary_read(longer, &summary), ERR_SYNTAX);
        heap_free(longer);
}

/* Whatever one byte is changed to, the reader ends, and what it takes is whole. */
static void test_every_byte_changed(void **state)
{
        (void)state;
        char buffer[512];
        struct str message = sample(buffer, sizeof buffer);
        struct dns_summary summary;
        for (size_t i = 0; i < message.n; i++) {
                struct str twin = heap_copy(message);
                char *p = (char *)(uintptr_t)twin.p;
                for (int v = 0; v < 256; v++) {
                        p[i] = (char)v;
                        enum err e = dns_summary_read(twin, &summary);
                        assert_true(e == ERR_OK || e == ERR_SYNTAX || e == ERR_LIMIT);
                }
                heap_free(twin);
        }
}

static void test_limits(void **state)
{
        (void)state;
        static const struct {
                const char *label;
                struct str header;
                enum err err;
        } cases[] = {
                {"empty message", {"\0\1\0\0\0\0\0\0\0\0\0\0", 12}, ERR_OK},
                {"513 entries claimed", {"\0\1\0\0\0\1\2\0\0\0\0\0", 12}, ERR_LIMIT},
                {"65535 four times", {"\0\1\0\0\377\377\377\377\377\377\377\377", 12}, ERR_LIMIT},
                {"512 claimed, none there", {"\0\1\0\0\0\0\2\0\0\0\0\0", 12}, ERR_SYNTAX},
                {"a question claimed, none there", {"\0\1\0\0\0\1\0\0\0\0\0\0", 12}, ERR_SYNTAX},
                {"short header", {"\0\1\0\0\0\0\0\0\0\0\0", 11}, ERR_SYNTAX},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct str message = heap_copy(cases[i].header);
                struct dns_summary summary;
                assert_int_equal(dns_summary_read(message, &summary), cases[i].err);
                heap_free(message);
        }
        static char big[DNS_MESSAGE_MAX + 1];
        struct dns_reader r;
        assert_int_equal(dns_reader_init(&r, str_of(big, sizeof big)), ERR_LIMIT);
}

static void test_header_bits(void **state)
{
        (void)state;
        for (uint32_t flags = 0; flags <= UINT16_MAX; flags++) {
                char bytes[DNS_HEADER_SIZE] = {0}, copy[DNS_HEADER_SIZE];
                bytes[2] = (char)(flags >> 8);
                bytes[3] = (char)flags;
                struct dns_reader r;
                struct dns_writer w;
                struct str message;
                assert_int_equal(dns_reader_init(&r, str_of(bytes, sizeof bytes)), ERR_OK);
                dns_writer_init(&w, copy, sizeof copy, &r.header);
                assert_int_equal(dns_writer_end(&w, &message), ERR_OK);
                assert_true(str_eq(message, str_of(bytes, sizeof bytes)));
        }
}

/* Too small a buffer, of any size, gives ERR_SPACE and never a byte too far. */
static void test_writer_space(void **state)
{
        (void)state;
        char buffer[512];
        size_t whole = sample(buffer, sizeof buffer).n;
        struct dns_name name = name_of("_dmarc.example.org");
        for (size_t cap = 0; cap < whole; cap++) {
                char *small = malloc(cap ? cap : 1);
                struct dns_writer w;
                struct str message;
                assert_non_null(small);
                dns_writer_init(&w, small, cap, &(struct dns_header){.id = 1});
                for (int i = 0; i < 20; i++)
                        dns_writer_record(&w, &(struct dns_record_out){
                                                      DNS_ANSWER, &name, DNS_TYPE_TXT, 1, 1, S("\5hello")});
                assert_int_equal(dns_writer_end(&w, &message), ERR_SPACE);
                assert_int_equal(message.n, 0);
                free(small);
        }
}

/* Names behind octet 16383 cannot be pointed to: the writer must not try. */
static void test_writer_far(void **state)
{
        (void)state;
        static char buffer[40000], text[255 * 70];
        static const char filler[255] = {(char)254};
        struct dns_writer w;
        struct str message;
        struct dns_summary summary;
        struct dns_name near = name_of("near.example"), far = name_of("far.invalid");
        memset(text, 0, sizeof text);
        for (size_t i = 0; i < 70; i++)
                memcpy(text + 255 * i, filler, 255);
        dns_writer_init(&w, buffer, sizeof buffer, &(struct dns_header){.is_response = true});
        dns_writer_record(&w,
                &(struct dns_record_out){DNS_ANSWER, &near, DNS_TYPE_TXT, 1, 1, str_of(text, sizeof text)});
        for (int i = 0; i < 3; i++)
                dns_writer_record(
                        &w, &(struct dns_record_out){DNS_ANSWER, &far, DNS_TYPE_TXT, 1, 1, S("\1x")});
        assert_int_equal(dns_writer_end(&w, &message), ERR_OK);
        assert_int_equal(dns_summary_read(message, &summary), ERR_OK);
        struct dns_reader r;
        struct dns_record record;
        assert_int_equal(dns_reader_init(&r, message), ERR_OK);
        for (int i = 0; i < 4; i++) {
                assert_int_equal(dns_reader_record(&r, &record), ERR_OK);
                assert_true(dns_name_eq(&record.name, i == 0 ? &near : &far));
        }
}

static void test_question_eq(void **state)
{
        (void)state;
        struct dns_question a = {name_of("a.example"), DNS_TYPE_A, DNS_CLASS_IN}, b = a;
        b.name = name_of("A.Example");
        assert_true(dns_question_eq(&a, &b));
        b.type = DNS_TYPE_AAAA;
        assert_false(dns_question_eq(&a, &b));
        b = a;
        b.class = DNS_CLASS_ANY;
        assert_false(dns_question_eq(&a, &b));
        b = a;
        b.name = name_of("b.example");
        assert_false(dns_question_eq(&a, &b));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_round_trip),
                cmocka_unit_test(test_compression),
                cmocka_unit_test(test_prefixes),
                cmocka_unit_test(test_every_byte_changed),
                cmocka_unit_test(test_limits),
                cmocka_unit_test(test_header_bits),
                cmocka_unit_test(test_writer_space),
                cmocka_unit_test(test_writer_far),
                cmocka_unit_test(test_question_eq),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
