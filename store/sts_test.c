/* SPDX-License-Identifier: ISC */
/* Policies of MTA-STS: kept over a restart, replaced, expired, and never more than so many. */
#include "store/sts.h"

#include "base/limits.h"
#include "store/rig.h"

static struct store_sts policy_of(const char *domain, const char *policy, int64_t expires_ms)
{
        return (struct store_sts){str_of_c(domain), S("id1"), str_of_c(policy), 1000, expires_ms};
}

static enum err get(struct rig *r, const char *domain, int64_t now_ms, struct store_sts *out)
{
        arena_reset(&r->arena);
        return store_sts_get(r->s, str_of_c(domain), now_ms, &r->arena, out);
}

static void kept_and_replaced(struct rig *r)
{
        struct store_sts p = policy_of("x.example", "one", 5000), got;
        rig_start(r);
        assert_int_equal(get(r, "x.example", 0, &got), ERR_NOT_FOUND);
        assert_int_equal(store_sts_put(r->s, &p, 1000), ERR_OK);
        p = policy_of("y.example", "other", 5000);
        assert_int_equal(store_sts_put(r->s, &p, 1000), ERR_OK);
        rig_stop(r);
        rig_start(r);
        assert_int_equal(get(r, "x.example", 4999, &got), ERR_OK);
        assert_true(str_eq(got.domain, S("x.example")) && str_eq(got.id, S("id1")));
        assert_true(str_eq(got.policy, S("one")));
        assert_true(got.fetched_ms == 1000 && got.expires_ms == 5000);
        p = policy_of("x.example", "two", 9000);
        assert_int_equal(store_sts_put(r->s, &p, 1000), ERR_OK);
        assert_int_equal(get(r, "x.example", 8999, &got), ERR_OK);
        assert_true(str_eq(got.policy, S("two")));
        assert_int_equal(get(r, "y.example", 1000, &got), ERR_OK);
        assert_int_equal(get(r, "z.example", 1000, &got), ERR_NOT_FOUND);
        rig_stop(r);
}

static void expired(struct rig *r)
{
        struct store_sts p = policy_of("x.example", "one", 5000), got;
        rig_start(r);
        assert_int_equal(store_sts_put(r->s, &p, 1000), ERR_OK);
        assert_int_equal(get(r, "x.example", 5000, &got), ERR_NOT_FOUND);
        assert_null(got.policy.p);
        p = policy_of("y.example", "other", 9000); /* whoever comes next takes it away */
        assert_int_equal(store_sts_put(r->s, &p, 5000), ERR_OK);
        assert_int_equal(get(r, "x.example", 4000, &got), ERR_NOT_FOUND);
        assert_int_equal(get(r, "y.example", 4000, &got), ERR_OK);
        rig_stop(r);
}

static enum err put_many(struct store *s, void *ctx)
{
        enum err e = ERR_OK;
        (void)ctx;
        for (int i = 0; i < STS_POLICIES_MAX && e == ERR_OK; i++) {
                char domain[32];
                (void)snprintf(domain, sizeof domain, "d%d.example", i);
                struct store_sts p = policy_of(domain, "x", 10000 + i);
                struct query q;
                query_init(&q, &s->db, SQL_STS_PUT);
                query_text(&q, 1, p.domain);
                query_text(&q, 2, p.id);
                query_blob(&q, 3, p.policy);
                query_i64(&q, 4, p.fetched_ms);
                query_i64(&q, 5, p.expires_ms);
                e = query_run(&q, NULL);
        }
        return e;
}

/* Of more than that the one that expires first goes. */
static void bounded(struct rig *r)
{
        struct store_sts p = policy_of("one.more.example", "x", 20000000), got;
        rig_start(r);
        assert_int_equal(store_together(r->s, put_many, NULL), ERR_OK);
        assert_int_equal(get(r, "d0.example", 1000, &got), ERR_OK);
        assert_int_equal(store_sts_put(r->s, &p, 1000), ERR_OK);
        assert_int_equal(get(r, "d0.example", 1000, &got), ERR_NOT_FOUND);
        assert_int_equal(get(r, "d1.example", 1000, &got), ERR_OK);
        assert_int_equal(get(r, "one.more.example", 1000, &got), ERR_OK);
        rig_stop(r);
}

static void refused(struct rig *r)
{
        static char text[STS_KEPT_MAX + 1];
        struct store_sts p = policy_of("x.example", "x", 5000), got;
        rig_start(r);
        p.policy = str_of(text, sizeof text);
        assert_int_equal(store_sts_put(r->s, &p, 1000), ERR_LIMIT);
        p.policy.n--;
        r->s->is_tight = true;
        assert_int_equal(store_sts_put(r->s, &p, 1000), ERR_FULL);
        assert_int_equal(get(r, "x.example", 1000, &got), ERR_NOT_FOUND);
        r->s->is_tight = false;
        assert_int_equal(store_sts_put(r->s, &p, 1000), ERR_OK);
        assert_int_equal(get(r, "x.example", 1000, &got), ERR_OK);
        assert_int_equal(got.policy.n, STS_KEPT_MAX);
        rig_stop(r);
}

RIG_CASE(kept_and_replaced)
RIG_CASE(expired)
RIG_CASE(bounded)
RIG_CASE(refused)

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_kept_and_replaced),
                cmocka_unit_test(test_expired),
                cmocka_unit_test(test_bounded),
                cmocka_unit_test(test_refused),
        };
        return cmocka_run_group_tests_name("sts", tests, NULL, NULL);
}
