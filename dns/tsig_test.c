/* SPDX-License-Identifier: ISC */
#include "dns/tsig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/ascii.h"
#include "dns/code.h"
#include "dns/message.h"
#include "dns/summary.h"
#include "dns/test_input.h"

#define NOW 1700000000
#define KEY "k._update.example.org:SHA256:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
#define ROOM 1024

static struct tsig_key key_of(const char *text)
{
        struct tsig_key key;
        assert_int_equal(tsig_key_parse(str_of_c(text), &key), ERR_OK);
        return key;
}

static size_t put_message(char *buffer, size_t cap)
{
        struct dns_writer w;
        struct str message;
        struct dns_name zone = name_of("example.org");
        dns_writer_init(&w, buffer, cap, &(struct dns_header){.id = 0x1234, .opcode = DNS_OPCODE_UPDATE});
        dns_writer_question(&w, &(struct dns_question){zone, DNS_TYPE_SOA, DNS_CLASS_IN});
        dns_writer_record(&w, &(struct dns_record_out){DNS_UPDATE, &zone, DNS_TYPE_TXT, 1, 60, S("\1x")});
        assert_int_equal(dns_writer_end(&w, &message), ERR_OK);
        return message.n;
}

static struct str put_signed(
        char buffer[ROOM], const struct tsig_key *key, struct tsig_fields fields, struct tsig_mac *mac)
{
        struct str message;
        struct tsig_input in = {.buffer = buffer, .cap = ROOM, .fields = fields};
        in.n = put_message(buffer, ROOM);
        assert_int_equal(tsig_sign(key, &in, &message, mac), ERR_OK);
        return message;
}

static enum tsig_verdict verdict(const struct tsig_key *key, struct str message, uint64_t now_s)
{
        struct tsig_result result;
        struct str copy = heap_copy(message);
        assert_int_equal(tsig_verify(key, copy, S(""), now_s, &result), ERR_OK);
        assert_int_equal(result.is_signed, result.verdict == TSIG_GOOD || result.verdict == TSIG_BADTIME);
        heap_free(copy);
        return result.verdict;
}

static void test_key_parse(void **state)
{
        (void)state;
        static const struct {
                const char *text;
                enum err err;
                enum hmac_hash hash;
                size_t n;
        } cases[] = {
                {"k._update.example.org:SHA256:AAEC", ERR_OK, HMAC_SHA256, 3},
                {"K:sha384:AAEC", ERR_OK, HMAC_SHA384, 3},
                {"k.:Sha512:AA==", ERR_OK, HMAC_SHA512, 1},
                {"", ERR_SYNTAX, 0, 0},
                {"k", ERR_SYNTAX, 0, 0},
                {"k:SHA256", ERR_SYNTAX, 0, 0},
                {"k:SHA256:", ERR_SYNTAX, 0, 0},
                {":SHA256:AAEC", ERR_SYNTAX, 0, 0},
                {".:SHA256:AAEC", ERR_SYNTAX, 0, 0},
                {"k k:SHA256:AAEC", ERR_SYNTAX, 0, 0},
                {"k:SHA256:AAE", ERR_SYNTAX, 0, 0},
                {"k:SHA256:AA:EC", ERR_SYNTAX, 0, 0},
                {"k:SHA1:AAEC", ERR_UNSUPPORTED, 0, 0},
                {"k:MD5:AAEC", ERR_UNSUPPORTED, 0, 0},
                {"k::AAEC", ERR_UNSUPPORTED, 0, 0},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct str text = heap_copy(str_of_c(cases[i].text));
                struct tsig_key key;
                static const struct tsig_key zeros;
                memset(&key, 0xee, sizeof key);
                assert_int_equal(tsig_key_parse(text, &key), cases[i].err);
                assert_int_equal(key.secret_n, cases[i].n);
                if (cases[i].err == ERR_OK)
                        assert_int_equal(key.hash, cases[i].hash);
                else
                        assert_memory_equal(&key, &zeros, sizeof key);
                heap_free(text);
        }
        char text[200] = "k:SHA256:";
        struct tsig_key key;
        memset(text + 9, 'A', sizeof text - 9);
        text[9 + 170] = text[9 + 171] = 'A'; /* 172 characters: 129 bytes, or 128 with one '=' */
        assert_int_equal(tsig_key_parse(str_of(text, 9 + 172), &key), ERR_LIMIT);
        text[9 + 171] = '=';
        assert_int_equal(tsig_key_parse(str_of(text, 9 + 172), &key), ERR_OK);
        assert_int_equal(key.secret_n, TSIG_SECRET_MAX);
}

static void test_key_zone(void **state)
{
        (void)state;
        static const struct {
                const char *key, *zone; /* NULL: none */
        } cases[] = {
                {"k._update.example.org:SHA256:AAEC", "example.org"},
                {"a.b._UPDATE.example.org:SHA256:AAEC", "example.org"},
                {"_update.example.org:SHA256:AAEC", "example.org"},
                {"k.example.org:SHA256:AAEC", NULL},
                {"k._update:SHA256:AAEC", NULL},
                {"k._update\\.org:SHA256:AAEC", NULL},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct tsig_key key = key_of(cases[i].key);
                struct dns_name zone;
                assert_int_equal(tsig_key_zone(&key, &zone), cases[i].zone ? ERR_OK : ERR_NOT_FOUND);
                if (cases[i].zone) {
                        struct dns_name right = name_of(cases[i].zone);
                        assert_true(dns_name_eq(&zone, &right));
                }
        }
}

static void test_sign_verify(void **state)
{
        (void)state;
        static const char *const keys[] = {
                KEY, "K:SHA384:AAECAwQFBgcICQ==", "a-much-longer-name.for.a.key:SHA512:AAECAwQFBgcICQ=="};
        for (size_t i = 0; i < 3; i++) {
                char buffer[ROOM];
                struct tsig_key key = key_of(keys[i]);
                struct tsig_mac mac;
                struct tsig_result result;
                struct dns_summary summary;
                struct str message =
                        put_signed(buffer, &key, (struct tsig_fields){.time_s = NOW, .fudge_s = 300}, &mac);
                assert_int_equal(dns_summary_read(message, &summary), ERR_OK);
                assert_true(summary.has_tsig);
                assert_int_equal(summary.header.counts[DNS_ADDITIONAL], 1);
                assert_int_equal(tsig_verify(&key, message, S(""), NOW, &result), ERR_OK);
                assert_int_equal(result.verdict, TSIG_GOOD);
                assert_true(result.is_signed && result.time_s == NOW && result.fudge_s == 300);
                assert_int_equal(result.mac.n, hmac_size(key.hash));
                assert_memory_equal(result.mac.b, mac.b, mac.n);
                assert_int_equal(verdict(&key, message, NOW + 300), TSIG_GOOD);
                assert_int_equal(verdict(&key, message, NOW - 300), TSIG_GOOD);
                assert_int_equal(verdict(&key, message, NOW + 301), TSIG_BADTIME);
                assert_int_equal(verdict(&key, message, NOW - 301), TSIG_BADTIME);
                assert_int_equal(verdict(&key, message, 0), TSIG_BADTIME);
        }
}

/* Is this octet of the TSIG record in its owner or in the algorithm, where letters have no case? */
static bool is_in_names(size_t i)
{
        return i < sizeof "k._update.example.org" + 1 ||
               (i - (sizeof "k._update.example.org" + 1) >= 10 &&
                       i < sizeof "k._update.example.org" + 11 + 13);
}

/* Every prefix fails, and so does every change of one bit, but for those of the id in the header, of a letter's case in
 * the two names of the record, and of what makes the name or algorithm another (BADKEY). */
static void test_hostile(void **state)
{
        (void)state;
        char buffer[ROOM];
        struct tsig_key key = key_of(KEY);
        struct tsig_mac mac;
        struct str message =
                put_signed(buffer, &key, (struct tsig_fields){.time_s = NOW, .fudge_s = 300}, &mac);
        size_t record_at = put_message((char[ROOM]){0}, ROOM);
        for (size_t n = 0; n < message.n; n++)
                assert_int_equal(verdict(&key, str_take(message, n), NOW), TSIG_MALFORMED);
        for (size_t i = 2; i < message.n; i++)
                for (int bit = 0; bit < 8; bit++) {
                        bool is_case = bit == 5 && ascii_is_alpha(buffer[i]) && is_in_names(i - record_at);
                        buffer[i] = (char)(buffer[i] ^ 1 << bit);
                        if (!is_case)
                                assert_int_not_equal(verdict(&key, message, NOW), TSIG_GOOD);
                        buffer[i] = (char)(buffer[i] ^ 1 << bit);
                }
        assert_int_equal(verdict(&key, message, NOW), TSIG_GOOD);
        buffer[0] ^= 1; /* forwarders may change the id: the original one is in the record (5.5) */
        assert_int_equal(verdict(&key, message, NOW), TSIG_GOOD);
}

/* RFC 8945 5.1: nothing stands behind the TSIG record, and there is one. */
static void test_not_last(void **state)
{
        (void)state;
        static const struct str opt = {"\0\0\51\4\320\0\0\0\0\0\0", 11};
        char buffer[ROOM];
        struct tsig_key key = key_of(KEY);
        struct tsig_mac mac;
        struct str message =
                put_signed(buffer, &key, (struct tsig_fields){.time_s = NOW, .fudge_s = 300}, &mac);
        size_t record_at = put_message((char[ROOM]){0}, ROOM), n = message.n;
        memcpy(buffer + n, opt.p, opt.n);
        buffer[11] = 2;
        assert_int_equal(verdict(&key, str_of(buffer, n + opt.n), NOW), TSIG_MALFORMED);
        memcpy(buffer + n, buffer + record_at, n - record_at);
        assert_int_equal(verdict(&key, str_of(buffer, n + n - record_at), NOW), TSIG_MALFORMED);
}

static void test_other_key(void **state)
{
        (void)state;
        char buffer[ROOM];
        struct tsig_key key = key_of(KEY), other;
        struct tsig_mac mac;
        struct str message =
                put_signed(buffer, &key, (struct tsig_fields){.time_s = NOW, .fudge_s = 300}, &mac);
        other = key_of("K._UPDATE.Example.org:SHA256:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=");
        assert_int_equal(verdict(&other, message, NOW), TSIG_GOOD);
        other = key_of("k2._update.example.org:SHA256:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=");
        assert_int_equal(verdict(&other, message, NOW), TSIG_BADKEY);
        other = key_of("k._update.example.org:SHA512:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=");
        assert_int_equal(verdict(&other, message, NOW), TSIG_BADKEY);
        other = key_of("k._update.example.org:SHA256:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZQ==");
        assert_int_equal(verdict(&other, message, NOW), TSIG_BADSIG);
        assert_int_equal(verdict(&other, message, 0), TSIG_BADSIG); /* the MAC comes before the time */
        assert_int_equal(
                verdict(&key, str_take(str_of(buffer, ROOM), put_message(buffer, ROOM)), NOW), TSIG_ABSENT);
}

/* A response is bound to its request. */
static void test_response(void **state)
{
        (void)state;
        char request[ROOM], answer[ROOM];
        struct tsig_key key = key_of(KEY);
        struct tsig_mac mac, answer_mac;
        struct tsig_result result;
        struct str message;
        (void)put_signed(request, &key, (struct tsig_fields){.time_s = NOW, .fudge_s = 300}, &mac);
        struct tsig_input in = {.buffer = answer,
                .cap = ROOM,
                .request_mac = str_of(mac.b, mac.n),
                .fields = {.time_s = NOW,
                        .fudge_s = 300,
                        .error = DNS_RCODE_BADTIME,
                        .other = str_of("\0\0\145\123\361\1", 6)}};
        in.n = put_message(answer, ROOM);
        assert_int_equal(tsig_sign(&key, &in, &message, &answer_mac), ERR_OK);
        assert_int_equal(tsig_verify(&key, message, in.request_mac, NOW, &result), ERR_OK);
        assert_int_equal(result.verdict, TSIG_GOOD);
        assert_int_equal(result.error, DNS_RCODE_BADTIME);
        assert_true(result.server_time_s == 0x6553f101);
        assert_int_equal(tsig_verify(&key, message, S(""), NOW, &result), ERR_OK);
        assert_int_equal(result.verdict, TSIG_BADSIG);
        assert_int_equal(
                tsig_verify(&key, message, str_of(answer_mac.b, answer_mac.n), NOW, &result), ERR_OK);
        assert_int_equal(result.verdict, TSIG_BADSIG);
}

/* A record put together by hand around a MAC of any length. */
static struct str put_with_mac(char buffer[ROOM], const struct tsig_key *key, struct str mac, uint16_t error)
{
        struct wr w;
        size_t n = put_message(buffer, ROOM);
        wr_init(&w, buffer, ROOM);
        w.n = n;
        dns_name_write_wire(&w, &key->name);
        wr_be16(&w, DNS_TYPE_TSIG);
        wr_be16(&w, DNS_CLASS_ANY);
        wr_be32(&w, 0);
        wr_be16(&w, (uint16_t)(13 + 16 + mac.n));
        wr_str(&w, str_of("\13hmac-sha256", 13));
        wr_be48(&w, NOW);
        wr_be16(&w, 300);
        wr_be16(&w, (uint16_t)mac.n);
        wr_str(&w, mac);
        wr_be16(&w, 0x1234);
        wr_be16(&w, error);
        wr_be16(&w, 0);
        wr_patch_be16(&w, 10, 1);
        return wr_text(&w);
}

static void test_truncation(void **state)
{
        (void)state;
        char buffer[ROOM];
        struct tsig_key key = key_of(KEY);
        struct tsig_mac mac;
        size_t n = put_message(buffer, ROOM);
        assert_int_equal(tsig_digest(&key, S(""), str_of(buffer, n),
                                 &(struct tsig_fields){.time_s = NOW, .fudge_s = 300}, &mac),
                ERR_OK);
        static const struct {
                size_t n;
                enum tsig_verdict verdict;
        } cases[] = {
                {0, TSIG_UNSIGNED},
                {1, TSIG_MALFORMED},
                {10, TSIG_MALFORMED},
                {15, TSIG_MALFORMED},
                {16, TSIG_BADTRUNC},
                {31, TSIG_BADTRUNC},
                {32, TSIG_GOOD},
                {33, TSIG_MALFORMED},
                {64, TSIG_MALFORMED},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
                assert_int_equal(verdict(&key, put_with_mac(buffer, &key, str_of(mac.b, cases[i].n), 0), NOW),
                        cases[i].verdict);
        mac.b[15] ^= 1;
        assert_int_equal(verdict(&key, put_with_mac(buffer, &key, str_of(mac.b, 16), 0), NOW), TSIG_BADSIG);
        static const char many[300];
        assert_int_equal(
                verdict(&key, put_with_mac(buffer, &key, str_of(many, 300), 0), NOW), TSIG_MALFORMED);
}

/* How a server that does not know us says so (5.3.2): the error is there, but only claimed. */
static void test_unsigned_error(void **state)
{
        (void)state;
        char buffer[ROOM];
        struct tsig_key key = key_of(KEY);
        struct tsig_result result;
        struct str message = put_with_mac(buffer, &key, S(""), DNS_RCODE_BADKEY);
        assert_int_equal(tsig_verify(&key, message, S("x"), NOW, &result), ERR_OK);
        assert_int_equal(result.verdict, TSIG_UNSIGNED);
        assert_int_equal(result.error, DNS_RCODE_BADKEY);
        assert_false(result.is_signed);
}

static void test_sign_space(void **state)
{
        (void)state;
        struct tsig_key key = key_of(KEY);
        char whole[ROOM];
        struct tsig_mac mac;
        struct str message = put_signed(whole, &key, (struct tsig_fields){.time_s = NOW}, &mac);
        assert_true(message.n - put_message((char[ROOM]){0}, ROOM) <= TSIG_ROOM);
        for (size_t cap = put_message((char[ROOM]){0}, ROOM); cap < message.n; cap++) {
                char *buffer = malloc(cap);
                struct tsig_input in = {.buffer = buffer, .cap = cap};
                struct str out;
                assert_non_null(buffer);
                in.n = put_message(buffer, cap);
                assert_int_equal(tsig_sign(&key, &in, &out, &mac), ERR_SPACE);
                assert_int_equal(out.n, 0);
                free(buffer);
        }
        struct str out;
        struct tsig_input in = {.buffer = whole, .n = 11, .cap = ROOM};
        assert_int_equal(tsig_sign(&key, &in, &out, &mac), ERR_SYNTAX);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_key_parse),
                cmocka_unit_test(test_key_zone),
                cmocka_unit_test(test_sign_verify),
                cmocka_unit_test(test_hostile),
                cmocka_unit_test(test_not_last),
                cmocka_unit_test(test_other_key),
                cmocka_unit_test(test_response),
                cmocka_unit_test(test_truncation),
                cmocka_unit_test(test_unsigned_error),
                cmocka_unit_test(test_sign_space),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
