/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "dns/known.h"

struct world {
        struct arena arena;
        struct dns_known known;
        char memory[16384];
};

static struct dns_name named(const char *text)
{
        struct dns_name name;
        assert_int_equal(dns_name_parse(str_of_c(text), &name), ERR_OK);
        return name;
}

static void init(struct world *w, size_t most)
{
        arena_init(&w->arena, w->memory, sizeof w->memory);
        dns_known_init(&w->known, &w->arena, most);
}

static enum dns_knowledge get(struct world *w, const char *name, uint16_t type)
{
        struct dns_name n = named(name);
        return dns_known_get(&w->known, &n, type, NULL);
}

static void give(struct world *w, enum err err, enum dns_status status, size_t count)
{
        struct dns_value value = {.wire = S("\1x"), .text = S("x")};
        struct dns_answer answer = {.status = status, .type = DNS_TYPE_TXT, .count = count, .values = &value};
        dns_known_give(&w->known, dns_known_wanted(&w->known, NULL), err, &answer);
}

static void test_each_kind_of_answer(void **state)
{
        (void)state;
        static const struct {
                enum err err;
                enum dns_status status;
                size_t count;
                enum dns_knowledge wanted;
        } cases[] = {
                {ERR_OK, DNS_FOUND, 1, DNS_KNOWN_FOUND},
                {ERR_OK, DNS_NO_DATA, 0, DNS_KNOWN_NOTHING},
                {ERR_OK, DNS_NO_NAME, 0, DNS_KNOWN_NO_NAME},
                {ERR_TIMEOUT, DNS_NO_DATA, 0, DNS_KNOWN_TROUBLE},
                {ERR_DENIED, DNS_FOUND, 0, DNS_KNOWN_TROUBLE},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct world w;
                init(&w, 4);
                assert_int_equal(get(&w, "a.example", DNS_TYPE_TXT), DNS_KNOWN_WANTED);
                give(&w, cases[i].err, cases[i].status, cases[i].count);
                assert_int_equal(w.known.wanted, 0);
                assert_int_equal(get(&w, "A.Example", DNS_TYPE_TXT), cases[i].wanted);
        }
}

static void test_a_question_is_asked_once_a_name_and_type(void **state)
{
        (void)state;
        struct world w;
        init(&w, 4);
        assert_int_equal(get(&w, "a.example", DNS_TYPE_TXT), DNS_KNOWN_WANTED);
        assert_int_equal(get(&w, "A.EXAMPLE", DNS_TYPE_TXT), DNS_KNOWN_WANTED);
        assert_int_equal(get(&w, "a.example", DNS_TYPE_A), DNS_KNOWN_WANTED);
        assert_int_equal(get(&w, "b.example", DNS_TYPE_A), DNS_KNOWN_WANTED);
        assert_int_equal(w.known.wanted, 3);
        size_t n = 0;
        for (struct dns_fact *f = NULL; (f = dns_known_wanted(&w.known, f));)
                n++;
        assert_int_equal(n, 3);
}

static void test_an_answer_is_copied(void **state)
{
        (void)state;
        struct world w;
        struct dns_name name = named("a.example");
        const struct dns_answer *answer;
        init(&w, 4);
        assert_int_equal(dns_known_get(&w.known, &name, DNS_TYPE_TXT, &answer), DNS_KNOWN_WANTED);
        assert_null(answer);
        give(&w, ERR_OK, DNS_FOUND, 1);
        assert_int_equal(dns_known_get(&w.known, &name, DNS_TYPE_TXT, &answer), DNS_KNOWN_FOUND);
        assert_true(str_eq(answer->values[0].text, S("x")));
}

static void test_ceilings(void **state)
{
        (void)state;
        struct world w;
        init(&w, 2);
        assert_int_equal(get(&w, "a.example", DNS_TYPE_TXT), DNS_KNOWN_WANTED);
        assert_int_equal(get(&w, "b.example", DNS_TYPE_TXT), DNS_KNOWN_WANTED);
        assert_int_equal(get(&w, "c.example", DNS_TYPE_TXT), DNS_KNOWN_TOO_MANY);
        assert_int_equal(get(&w, "a.example", DNS_TYPE_TXT), DNS_KNOWN_WANTED);
        w.arena.cap = w.arena.used; /* full: the answer does not fit */
        give(&w, ERR_OK, DNS_FOUND, 1);
        assert_int_equal(get(&w, "a.example", DNS_TYPE_TXT), DNS_KNOWN_TROUBLE);
        w.known.most = 100;
        assert_int_equal(get(&w, "c.example", DNS_TYPE_TXT), DNS_KNOWN_TOO_MANY);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_each_kind_of_answer),
                cmocka_unit_test(test_a_question_is_asked_once_a_name_and_type),
                cmocka_unit_test(test_an_answer_is_copied),
                cmocka_unit_test(test_ceilings),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
