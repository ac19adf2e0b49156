/* SPDX-License-Identifier: ISC */
#include "dns/answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "dns/summary.h"
#include "dns/test_input.h"
#include "dns/txt.h"

/* A message as text: "rcode R", "aa", "ad", then records "SECTION NAME TTL TYPE VALUE" (RDATA of CNAME and SOA is a name,
 * of A its last octet, of TXT a word); ';' ends each. */
struct script {
        struct dns_writer w;
        char buffer[4096];
};

static struct str word(struct str *line)
{
        struct str head;
        *line = str_trim(*line);
        (void)str_cut(*line, ' ', &head, line);
        return head;
}

static struct str put_rdata(struct wr *w, uint16_t type, struct str value)
{
        struct dns_name name;
        uint64_t n;
        if (type == DNS_TYPE_TXT) {
                dns_txt_write_wire(w, value);
        } else if (type == DNS_TYPE_A) {
                assert_int_equal(str_to_u64(value, 255, &n), ERR_OK);
                wr_str(w, S("\300\0\2"));
                wr_byte(w, (char)n);
        } else if (type == DNS_TYPE_SOA) { /* the value is MINIMUM */
                assert_int_equal(str_to_u64(value, UINT32_MAX, &n), ERR_OK);
                dns_soa_write_wire(
                        w, &(struct dns_soa){name_of("ns"), name_of("h"), 1, 2, 3, 4, (uint32_t)n});
        } else {
                if (type == DNS_TYPE_MX)
                        wr_be16(w, 10);
                assert_int_equal(dns_name_parse(value, &name), ERR_OK);
                dns_name_write_wire(w, &name);
        }
        return wr_text(w);
}

static uint16_t type_of(struct str text)
{
        static const uint16_t types[] = {
                DNS_TYPE_A, DNS_TYPE_CNAME, DNS_TYPE_SOA, DNS_TYPE_TXT, DNS_TYPE_MX, DNS_TYPE_NS};
        for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
                if (str_eq(text, dns_type_text(types[i])))
                        return types[i];
        fail();
        return 0;
}

static void put_record(struct dns_writer *w, enum dns_section section, struct str line)
{
        char rdata[600];
        struct wr r;
        struct dns_name name;
        uint64_t ttl;
        wr_init(&r, rdata, sizeof rdata);
        assert_int_equal(dns_name_parse(word(&line), &name), ERR_OK);
        assert_int_equal(str_to_u64(word(&line), UINT32_MAX, &ttl), ERR_OK);
        uint16_t type = type_of(word(&line));
        dns_writer_record(w, &(struct dns_record_out){section, &name, type, DNS_CLASS_IN, (uint32_t)ttl,
                                     put_rdata(&r, type, word(&line))});
}

static struct str play(struct script *s, const char *text, const char *question)
{
        struct str rest = str_of_c(text), line, message;
        struct dns_header header = {.id = 1, .is_response = true};
        (void)str_cut(rest, ';', &line, &rest);
        for (struct str flag = word(&line); flag.n > 0; flag = word(&line)) {
                header.is_authoritative |= str_eq(flag, S("aa"));
                header.authentic_data |= str_eq(flag, S("ad"));
                if (str_eq(flag, S("nxdomain")))
                        header.rcode = DNS_RCODE_NXDOMAIN;
                if (str_eq(flag, S("servfail")))
                        header.rcode = DNS_RCODE_SERVFAIL;
                if (str_eq(flag, S("query")))
                        header.is_response = false;
        }
        dns_writer_init(&s->w, s->buffer, sizeof s->buffer, &header);
        dns_writer_question(&s->w, &(struct dns_question){name_of(question), DNS_TYPE_A, DNS_CLASS_IN});
        while (rest.n > 0) {
                (void)str_cut(rest, ';', &line, &rest);
                struct str section = word(&line);
                put_record(&s->w, str_eq(section, S("an")) ? DNS_ANSWER : DNS_AUTHORITY, line);
        }
        assert_int_equal(dns_writer_end(&s->w, &message), ERR_OK);
        return message;
}

#define CHAIN8                                                                                              \
        "an a 9 CNAME b;an b 9 CNAME c;an c 9 CNAME d;an d 9 CNAME e;an e 9 CNAME f;an f 9 CNAME g;an g 9 " \
        "CNAME "                                                                                            \
        "h;an h 9 CNAME i;"

static void test_read(void **state)
{
        (void)state;
        static const struct {
                const char *label, *message;
                enum err err;
                enum dns_status status;
                const char *name;
                uint32_t ttl_s;
                size_t count;
                bool cacheable;
        } cases[] = {
                {"found", "aa;an a 60 A 1;an a 50 A 2", ERR_OK, DNS_FOUND, "a", 50, 2, true},
                {"case of names", ";an A 60 A 1", ERR_OK, DNS_FOUND, "a", 60, 1, true},
                {"given twice", ";an a 60 A 1;an a 60 A 1", ERR_OK, DNS_FOUND, "a", 60, 1, true},
                {"other name", ";an b 60 A 1", ERR_OK, DNS_NO_DATA, "a", 0, 0, false},
                {"other type", ";an a 60 TXT x", ERR_OK, DNS_NO_DATA, "a", 0, 0, false},
                {"in authority", ";au a 60 A 1", ERR_OK, DNS_NO_DATA, "a", 0, 0, false},
                {"huge ttl", ";an a 4000000000 A 1", ERR_OK, DNS_FOUND, "a", 0, 1, true},
                {"alias", ";an a 9 CNAME b;an b 60 A 1", ERR_OK, DNS_FOUND, "b", 9, 1, true},
                {"alias backwards", ";an b 7 A 1;an a 60 CNAME b", ERR_OK, DNS_FOUND, "b", 7, 1, true},
                {"alias out", ";an a 9 CNAME b", ERR_OK, DNS_ALIAS, "b", 9, 0, true},
                {"alias to no data", ";an a 9 CNAME b.z;au z 60 SOA 30", ERR_OK, DNS_NO_DATA, "b.z", 9, 0,
                        true},
                {"alias, SOA of another zone", ";an a 9 CNAME b.z;au y 60 SOA 30", ERR_OK, DNS_ALIAS, "b.z",
                        9, 0, true},
                {"alias to no name", "nxdomain;an a 90 CNAME b.z;au z 60 SOA 30", ERR_OK, DNS_NO_NAME, "b.z",
                        30, 0, true},
                {"eight aliases", ";" CHAIN8 "an i 9 A 1", ERR_OK, DNS_FOUND, "i", 9, 1, true},
                {"nine aliases", ";" CHAIN8 "an i 9 CNAME j;an j 9 A 1", ERR_LIMIT, 0, NULL, 0, 0, false},
                {"loop", ";an a 9 CNAME b;an b 9 CNAME a", ERR_LIMIT, 0, NULL, 0, 0, false},
                {"own alias", ";an a 9 CNAME a", ERR_LIMIT, 0, NULL, 0, 0, false},
                {"no data", ";au . 60 SOA 30", ERR_OK, DNS_NO_DATA, "a", 30, 0, true},
                {"no data, ttl of the SOA", ";au . 20 SOA 30", ERR_OK, DNS_NO_DATA, "a", 20, 0, true},
                {"no name", "nxdomain;au . 60 SOA 3600", ERR_OK, DNS_NO_NAME, "a", 60, 0, true},
                {"no name, no SOA", "nxdomain", ERR_OK, DNS_NO_NAME, "a", 0, 0, false},
                {"no name, foreign SOA", "nxdomain;au b 60 SOA 60", ERR_OK, DNS_NO_NAME, "a", 0, 0, false},
                {"no name, yet a record", "nxdomain;an a 60 A 1", ERR_OK, DNS_NO_NAME, "a", 0, 0, false},
                {"servfail", "servfail;an a 60 A 1", ERR_DENIED, 0, NULL, 0, 0, false},
                {"a query", "query", ERR_SYNTAX, 0, NULL, 0, 0, false},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct script script;
                static char memory[DNS_ANSWER_ROOM];
                struct arena arena;
                struct dns_answer answer;
                struct dns_name name = name_of("a");
                struct str message = heap_copy(play(&script, cases[i].message, "a"));
                arena_init(&arena, memory, sizeof memory);
                enum err e = dns_answer_read(message, &name, DNS_TYPE_A, &arena, &answer);
                if (e != cases[i].err)
                        fail_msg("%s: %s", cases[i].label, err_text(e));
                if (e == ERR_OK) {
                        struct dns_name right = name_of(cases[i].name);
                        if (answer.status != cases[i].status || answer.count != cases[i].count)
                                fail_msg("%s: status %d, %zu values", cases[i].label, (int)answer.status,
                                        answer.count);
                        assert_true(dns_name_eq(&answer.name, &right));
                        assert_int_equal(answer.is_cacheable, cases[i].cacheable);
                        assert_int_equal(answer.ttl_s, cases[i].ttl_s);
                }
                heap_free(message);
        }
}

static void test_values(void **state)
{
        (void)state;
        static char memory[DNS_ANSWER_ROOM], copied[4096];
        struct script s;
        struct arena arena, other;
        struct dns_answer answer, copy;
        struct dns_name name = name_of("a"), mx = name_of("mx.a");
        arena_init(&arena, memory, sizeof memory);
        struct str message = heap_copy(play(&s, "aa ad;an a 60 MX mx.a;an a 60 MX .;an a 60 TXT hello", "a"));
        assert_int_equal(dns_answer_read(message, &name, DNS_TYPE_MX, &arena, &answer), ERR_OK);
        heap_free(message);
        assert_true(answer.is_secure && answer.is_authoritative);
        assert_int_equal(answer.count, 2);
        assert_int_equal(answer.values[0].mx.preference, 10);
        assert_true(dns_name_eq(&answer.values[0].mx.exchange, &mx));
        assert_true(dns_name_is_root(&answer.values[1].mx.exchange));

        message = heap_copy(play(&s, ";an a 60 TXT hello;an a 60 TXT bye", "a"));
        assert_int_equal(dns_answer_read(message, &name, DNS_TYPE_TXT, &arena, &answer), ERR_OK);
        heap_free(message);
        assert_true(str_eq(answer.values[0].text, S("hello")));
        assert_true(str_eq(answer.values[0].wire, S("\5hello")));
        for (size_t room = 0; room <= dns_answer_size(&answer); room++) {
                arena_init(&other, copied, room);
                enum err e = dns_answer_copy(&answer, &other, &copy);
                assert_true(e == ERR_MEMORY || e == ERR_OK);
                assert_true(e == ERR_OK || copy.count == 0);
                assert_true(e == ERR_OK || room < dns_answer_size(&answer));
        }
        arena_init(&arena, memory, sizeof memory);
        memset(memory, 0, sizeof memory);
        assert_int_equal(copy.count, 2);
        assert_true(str_eq(copy.values[1].text, S("bye")));
}

static void test_arena_full(void **state)
{
        (void)state;
        struct script s;
        static char memory[4096];
        struct dns_name name = name_of("a");
        struct str message = play(&s, ";an a 60 TXT hello;an a 60 TXT bye", "a");
        enum err e = ERR_MEMORY;
        for (size_t room = 0; room < sizeof memory && e == ERR_MEMORY; room++) {
                struct arena arena;
                struct dns_answer answer;
                arena_init(&arena, memory, room);
                e = dns_answer_read(message, &name, DNS_TYPE_TXT, &arena, &answer);
                assert_int_equal(answer.count, e == ERR_OK ? 2 : 0);
        }
        assert_int_equal(e, ERR_OK);
}

/* The fullest message that is read fits DNS_ANSWER_ROOM. */
static void test_answer_room(void **state)
{
        (void)state;
        static char buffer[DNS_MESSAGE_MAX], memory[DNS_ANSWER_ROOM], text[110];
        struct dns_writer w;
        struct str message;
        struct dns_name name = name_of("a");
        struct arena arena;
        struct dns_answer answer;
        dns_writer_init(&w, buffer, sizeof buffer, &(struct dns_header){.is_response = true});
        for (size_t i = 0; i < DNS_RECORDS_MAX; i++) {
                struct wr r;
                wr_init(&r, text, sizeof text);
                wr_byte(&r, 100);
                wr_u64_padded(&r, i, 20);
                while (r.n <= 100)
                        wr_byte(&r, 'x');
                dns_writer_record(
                        &w, &(struct dns_record_out){DNS_ANSWER, &name, DNS_TYPE_TXT, 1, 1, wr_text(&r)});
        }
        assert_int_equal(dns_writer_end(&w, &message), ERR_OK);
        arena_init(&arena, memory, sizeof memory);
        assert_int_equal(dns_answer_read(message, &name, DNS_TYPE_TXT, &arena, &answer), ERR_OK);
        assert_int_equal(answer.count, DNS_RECORDS_MAX);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_read),
                cmocka_unit_test(test_values),
                cmocka_unit_test(test_arena_full),
                cmocka_unit_test(test_answer_room),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
