/* SPDX-License-Identifier: ISC */
/* Lines of deliveries: who stands where. */
#include "serve/delivery_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>

static struct delivery_job *job_of(int64_t id, int64_t member)
{
        const struct store_delivery row = {
                .id = id, .member = member, .address = S("a@b.test"), .domain = S("b.test")};
        struct delivery_job *job = delivery_job_new(&row, 7);
        assert_non_null(job);
        assert_true(str_eq(job->address, S("a@b.test")) && str_eq(job->domain, S("b.test")));
        assert_int_equal(job->is_urgent, member == 0);
        return job;
}

/* The ids in their order, each taken out and freed. */
static void assert_order(struct delivery_line *line, const int64_t *ids, size_t n)
{
        assert_int_equal(line->count, n);
        for (size_t i = 0; i < n; i++) {
                struct delivery_job *job = delivery_line_take(line);
                assert_non_null(job);
                assert_int_equal(job->id, ids[i]);
                free(job);
        }
        assert_null(delivery_line_take(line));
        assert_true(!line->first && !line->last && !line->last_urgent && line->count == 0);
}

static void test_urgent_ones_stand_in_front(void **state)
{
        struct delivery_line line = {0};
        (void)state;
        delivery_line_add(&line, job_of(1, 5));
        delivery_line_add(&line, job_of(2, 0));
        delivery_line_add(&line, job_of(3, 5));
        delivery_line_add(&line, job_of(4, 0));
        assert_order(&line, (int64_t[]){2, 4, 1, 3}, 4);
}

static void test_back_in_front(void **state)
{
        struct delivery_line line = {0};
        (void)state;
        delivery_line_put_back(&line, job_of(1, 5));
        delivery_line_put_back(&line, job_of(2, 0));
        delivery_line_put_back(&line, job_of(3, 5));
        delivery_line_put_back(&line, job_of(4, 0));
        delivery_line_add(&line, job_of(5, 0));
        delivery_line_add(&line, job_of(6, 5));
        assert_order(&line, (int64_t[]){4, 2, 5, 3, 1, 6}, 6);
}

static bool is_id(const void *ctx, const struct delivery_job *job)
{
        const int64_t *id = ctx;
        return job->id == *id;
}

static void test_take_fit(void **state)
{
        static const int64_t ids[] = {9, 4, 3, 2, 1};
        struct delivery_line line = {0};
        (void)state;
        for (int64_t i = 1; i <= 4; i++)
                delivery_line_add(&line, job_of(i, i <= 2 ? 0 : 5));
        assert_null(delivery_line_take_fit(&line, 3, is_id, &(int64_t){4}));
        for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
                struct delivery_job *job = delivery_line_take_fit(&line, SIZE_MAX, is_id, &ids[i]);
                assert_int_equal(job != NULL, ids[i] != 9);
                free(job);
        }
        assert_order(&line, NULL, 0);
}

static void free_chain(struct delivery_job *job, struct delivery_job *end)
{
        for (struct delivery_job *next; job; job = next) {
                next = job == end ? NULL : job->next;
                free(job);
        }
}

static void test_cut(void **state)
{
        struct delivery_line line = {0};
        struct delivery_job *end, *cut;
        (void)state;
        assert_null(delivery_line_cut(&line, 2, &end));
        for (int64_t i = 1; i <= 6; i++)
                delivery_line_add(&line, job_of(i, i <= 3 ? 0 : 5));
        assert_null(delivery_line_cut(&line, 6, &end));
        cut = delivery_line_cut(&line, 1, &end); /* what is urgent stays, however short the line is to be */
        assert_true(cut && cut->id == 4 && end->id == 6);
        free_chain(cut, end);
        delivery_line_add(&line, job_of(7, 5));
        assert_order(&line, (int64_t[]){1, 2, 3, 7}, 4);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_urgent_ones_stand_in_front),
                cmocka_unit_test(test_back_in_front),
                cmocka_unit_test(test_take_fit),
                cmocka_unit_test(test_cut),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
