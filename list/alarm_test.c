/* SPDX-License-Identifier: ISC */
#include "list/alarm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#define HOUR ((int64_t)60 * 60 * 1000)
#define DAY (24 * HOUR)
#define LATER (2000 * DAY) /* some day */

/* Nothing is wrong. */
static struct alarm_facts well(void)
{
        return (struct alarm_facts){
                .spool_limit = 1000, .is_records_known = true, .certificate_s = INT64_MAX};
}

struct fact_case {
        const char *name;
        enum alarm alarm;
        enum alarm_sign want;
        struct alarm_facts facts;
};
#define FACTS .spool_limit = 1000, .certificate_s = INT64_MAX

static const struct fact_case facts_cases[] = {
        {"nothing waits", ALARM_SIGNER_AWAY, ALARM_NO, {FACTS, .unsigned_for_ms = 9 * HOUR}},
        {"waits for 59 min", ALARM_SIGNER_AWAY, ALARM_UNSURE,
                {FACTS, .unsigned_messages = 1, .unsigned_for_ms = HOUR - 1}},
        {"waits for an hour", ALARM_SIGNER_AWAY, ALARM_YES,
                {FACTS, .unsigned_messages = 1, .unsigned_for_ms = HOUR}},
        {"one was signed", ALARM_SIGNER_AWAY, ALARM_NO, {FACTS, .unsigned_messages = 9, .has_signed = true}},
        {"just started", ALARM_SIGNER_AWAY, ALARM_UNSURE, {FACTS, .unsigned_messages = 9}},
        {"none refused", ALARM_SIGNER_REFUSES, ALARM_NO, {FACTS, .unsigned_messages = 9}},
        {"one refused", ALARM_SIGNER_REFUSES, ALARM_YES, {FACTS, .refused_messages = 1}},
        {"899 of 1000", ALARM_DISK_FULL, ALARM_UNSURE, {FACTS, .spool_used = 899}},
        {"900 of 1000", ALARM_DISK_FULL, ALARM_YES, {FACTS, .spool_used = 900}},
        {"850 of 1000", ALARM_DISK_FULL, ALARM_UNSURE, {FACTS, .spool_used = 850}},
        {"849 of 1000", ALARM_DISK_FULL, ALARM_NO, {FACTS, .spool_used = 849}},
        {"nothing of nothing", ALARM_DISK_FULL, ALARM_YES, {.certificate_s = 0}},
        {"empty, but the database is full", ALARM_DISK_FULL, ALARM_YES, {FACTS, .is_tight = true}},
        {"more than all", ALARM_DISK_FULL, ALARM_YES,
                {.spool_used = UINT64_MAX, .spool_limit = UINT64_MAX / 2}},
        {"not looked at", ALARM_RECORDS, ALARM_UNSURE, {FACTS, .records_bad = 3}},
        {"all there", ALARM_RECORDS, ALARM_NO, {FACTS, .is_records_known = true}},
        {"one missing", ALARM_RECORDS, ALARM_YES,
                {FACTS, .is_records_known = true, .records_bad = 1, .records_unknown = 1}},
        {"the DNS is away", ALARM_RECORDS, ALARM_UNSURE,
                {FACTS, .is_records_known = true, .records_unknown = 7}},
        {"empty queue", ALARM_QUEUE_STUCK, ALARM_NO, {FACTS, .undelivered_ms = 99 * HOUR}},
        {"old mail, but some goes out", ALARM_QUEUE_STUCK, ALARM_NO,
                {FACTS, .oldest_age_ms = 2 * DAY, .has_delivered = true}},
        {"old mail, quiet for 59 min", ALARM_QUEUE_STUCK, ALARM_UNSURE,
                {FACTS, .oldest_age_ms = 2 * DAY, .undelivered_ms = HOUR - 1}},
        {"old mail, quiet for an hour", ALARM_QUEUE_STUCK, ALARM_YES,
                {FACTS, .oldest_age_ms = DAY, .undelivered_ms = HOUR}},
        {"young mail, quiet for long", ALARM_QUEUE_STUCK, ALARM_NO,
                {FACTS, .oldest_age_ms = DAY - 1, .undelivered_ms = 9 * HOUR}},
        {"no certificate given", ALARM_CERTIFICATE_ENDS, ALARM_NO, {FACTS}},
        {"15 days", ALARM_CERTIFICATE_ENDS, ALARM_NO, {.spool_limit = 1, .certificate_s = 15 * 24 * 60 * 60}},
        {"14 days", ALARM_CERTIFICATE_ENDS, ALARM_YES,
                {.spool_limit = 1, .certificate_s = 14 * 24 * 60 * 60}},
        {"ended", ALARM_CERTIFICATE_ENDS, ALARM_YES, {.spool_limit = 1, .certificate_s = -5}},
};

static void test_facts(void **state)
{
        enum alarm_sign signs[ALARMS];
        struct alarm_facts fine = well();
        (void)state;
        for (size_t i = 0; i < sizeof facts_cases / sizeof facts_cases[0]; i++) {
                alarms_judge(&facts_cases[i].facts, signs);
                if (signs[facts_cases[i].alarm] != facts_cases[i].want)
                        print_error("%s\n", facts_cases[i].name);
                assert_int_equal(signs[facts_cases[i].alarm], facts_cases[i].want);
        }
        alarms_judge(&fine, signs);
        for (int i = 0; i < ALARMS; i++)
                assert_int_equal(signs[i], ALARM_NO);
}

/* A story of one alarm: what is seen at a time, and what follows. */
struct moment {
        int64_t at;
        enum alarm_sign sign;
        enum alarm_step want;
};
#define STORY_MAX 12
static const struct {
        const char *name;
        struct moment moments[STORY_MAX];
} stories[] = {
        {"once, and once over",
                {{LATER, ALARM_NO, ALARM_SAME}, {LATER + 1, ALARM_YES, ALARM_TELL},
                        {LATER + 2, ALARM_YES, ALARM_SAME}, {LATER + 9 * DAY, ALARM_YES, ALARM_SAME},
                        {LATER + 9 * DAY, ALARM_UNSURE, ALARM_SAME},
                        {LATER + 9 * DAY, ALARM_NO, ALARM_TELL_OVER},
                        {LATER + 9 * DAY, ALARM_NO, ALARM_SAME}}},
        {"comes and goes within a day",
                {{LATER, ALARM_YES, ALARM_TELL}, {LATER + HOUR, ALARM_NO, ALARM_TELL_OVER},
                        {LATER + 2 * HOUR, ALARM_YES, ALARM_KEEP}, {LATER + 3 * HOUR, ALARM_NO, ALARM_KEEP},
                        {LATER + 4 * HOUR, ALARM_YES, ALARM_KEEP}, {LATER + DAY - 1, ALARM_YES, ALARM_SAME},
                        {LATER + DAY, ALARM_YES, ALARM_TELL}, {LATER + DAY + 1, ALARM_NO, ALARM_TELL_OVER}}},
        {"an end that nobody was told to have begun",
                {{LATER, ALARM_YES, ALARM_TELL}, {LATER + 1, ALARM_NO, ALARM_TELL_OVER},
                        {LATER + 2, ALARM_YES, ALARM_KEEP}, {LATER + 2 * DAY, ALARM_NO, ALARM_KEEP},
                        {LATER + 2 * DAY, ALARM_NO, ALARM_SAME}}},
        {"a restart knows nothing yet", {{LATER, ALARM_UNSURE, ALARM_SAME}, {LATER, ALARM_YES, ALARM_TELL},
                                                {LATER + 1, ALARM_UNSURE, ALARM_SAME}}},
        {"the clock was put back", {{LATER, ALARM_YES, ALARM_TELL}, {LATER + 1, ALARM_NO, ALARM_TELL_OVER},
                                           {LATER - 900 * DAY, ALARM_YES, ALARM_TELL},
                                           {LATER - 900 * DAY, ALARM_YES, ALARM_SAME}}},
};

static void test_steps(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof stories / sizeof stories[0]; i++) {
                struct alarm_row row = {0}, next;
                for (size_t k = 0; k < STORY_MAX && stories[i].moments[k].at != 0; k++) {
                        const struct moment *m = &stories[i].moments[k];
                        enum alarm_step step = alarm_step(&row, m->sign, m->at, &next);
                        if (step != m->want)
                                print_error("%s, moment %zu\n", stories[i].name, k);
                        assert_int_equal(step, m->want);
                        if (step == ALARM_SAME)
                                assert_memory_equal(&row, &next, sizeof row);
                        else if (m->sign != ALARM_UNSURE)
                                assert_int_equal(next.is_on, m->sign == ALARM_YES);
                        row = next;
                }
        }
}

static void test_texts(void **state)
{
        static char host[300];
        (void)state;
        memset(host, 'h', sizeof host);
        for (int i = 0; i < ALARMS; i++)
                for (int is_over = 0; is_over < 2; is_over++) {
                        char subject[ALARM_SUBJECT_MAX], text[ALARM_TEXT_MAX + 7];
                        struct wr s, t;
                        wr_init(&s, subject, sizeof subject);
                        wr_init(&t, text, sizeof text);
                        alarm_subject_write(&s, (enum alarm)i, is_over, str_of(host, sizeof host));
                        alarm_text_write(&t, (enum alarm)i, is_over, S("detail\n"));
                        assert_int_equal(wr_end(&s), ERR_OK);
                        assert_int_equal(wr_end(&t), ERR_OK);
                        assert_true(str_find(wr_text(&t), S("\ndetail\n")) < t.n);
                        assert_true(str_find(wr_text(&t), alarm_name((enum alarm)i)) < t.n);
                        assert_true(str_has_suffix_nocase(wr_text(&t), S("\n")));
                        for (int k = 0; k < i; k++)
                                assert_false(str_eq(alarm_name((enum alarm)k), alarm_name((enum alarm)i)));
                }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_facts),
                cmocka_unit_test(test_steps),
                cmocka_unit_test(test_texts),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
