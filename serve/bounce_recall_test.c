/* SPDX-License-Identifier: ISC */
/* Providers of which a process that began anew judges as the one before it would have. */
#include "serve/bounce_scene.h"

#include "serve/providers.h"

#define HOUR (DAY / 24)

/* What runs from one start to a death. */
struct run {
        struct scene *scene;
        struct scope scope;
};

static void begin(struct run *run, struct scene *c)
{
        struct host *h = c->rig->host;
        run->scene = c;
        scope_open(&run->scope, h->sched, FIBER_NEVER);
        assert_int_equal(scope_spawn(&run->scope, "bounces", bounce_judge_run, &c->rig->node), ERR_OK);
        while (!c->rig->node.providers)
                assert_int_equal(fiber_sleep(h->sched, 1), ERR_OK);
}

static void end(struct run *run)
{
        scope_cancel(&run->scope);
        (void)scope_join(&run->scope);
}

/* The next `n` copies of the posts fail. */
static void fail_some(struct scene *c, size_t n)
{
        struct store_delivery *rows;
        size_t count;
        arena_reset(&c->rig->arena);
        assert_int_equal(
                store_post_fill(c->rig->node.store, clock_ms, n, &c->rig->arena, &rows, &count), ERR_OK);
        assert_int_equal(count, n);
        for (size_t i = 0; i < n; i++)
                assert_int_equal(
                        bounce_judge_failed(&c->rig->node, &(struct bounce_judge_delivery){.id = rows[i].id,
                                                                   .message = rows[i].message,
                                                                   .member = rows[i].member,
                                                                   .code = 550,
                                                                   .said = S(REFUSED)}),
                        ERR_OK);
}

static void bounce_of(struct scene *c, const char *address, const char *said)
{
        const struct bounce_judge_bounce bounce = {
                .member = score_of_member(c, address).member, .said = str_of_c(said)};
        assert_int_equal(bounce_judge_bounced(&c->rig->node, &bounce), ERR_OK);
}

/* A process that dies every few hours saw too little of each provider to open a breaker, ever. */
static void failures_outlive_a_death(struct rig *r)
{
        struct scene c;
        struct run run;
        scene_begin(&c, r, 12);
        (void)new_post(&c);
        begin(&run, &c);
        fail_some(&c, 1); /* who is at another provider */
        end(&run);
        for (int i = 0; i < 3; i++, clock_ms += DAY / 8) {
                begin(&run, &c);
                fail_some(&c, 4);
                assert_int_equal(notices_of(&c, "breaker"), i == 2);
                end(&run);
        }
        assert_int_equal(score_of_member(&c, "m3@d.example").halves, 0);
        scene_end(&c);
}
LIST_TEST(failures_outlive_a_death)

/* And what was delivered speaks for the provider, until some of that bounces. */
static void deliveries_outlive_a_death(struct rig *r)
{
        struct scene c;
        struct run run;
        scene_begin(&c, r, 20);
        assert_int_equal(post_fails(&c, "nobody", 0, ""), 0);
        clock_ms += DAY / 8;
        begin(&run, &c);
        assert_int_equal(post_fails(&c, "m", 550, REFUSED), 20); /* as many as were taken */
        assert_int_equal(notices_of(&c, "breaker"), 0);
        bounce_of(&c, "m2@d.example", "5.3.4 552 too large"); /* that is about the message */
        end(&run);
        begin(&run, &c);
        assert_int_equal(notices_of(&c, "breaker"), 0);
        bounce_of(&c, "m3@d.example", "5.1.1 nobody");
        assert_int_equal(notices_of(&c, "breaker"), 1);
        end(&run);
        scene_end(&c);
}
LIST_TEST(deliveries_outlive_a_death)

static void bounces_outlive_a_death(struct rig *r)
{
        struct scene c;
        struct run run;
        scene_begin(&c, r, 20);
        assert_int_equal(post_fails(&c, "nobody", 0, ""), 0);
        begin(&run, &c);
        for (unsigned i = 0; i < 10; i++) {
                char address[40];
                (void)snprintf(address, sizeof address, "m%u@d.example", i);
                bounce_of(&c, address, "5.1.1 nobody");
        }
        end(&run);
        assert_int_equal(notices_of(&c, "breaker"), 0);
        clock_ms += DAY / 8;
        begin(&run, &c);
        bounce_of(&c, "m10@d.example", "5.1.1 nobody");
        assert_int_equal(notices_of(&c, "breaker"), 1);
        end(&run);
        scene_end(&c);
}
LIST_TEST(bounces_outlive_a_death)

/* Nothing is left of a day that is over. */
static void a_day_is_all(struct rig *r)
{
        struct scene c;
        struct run run;
        scene_begin(&c, r, 20);
        assert_int_equal(post_fails(&c, "nobody", 0, ""), 0);
        bounce_of(&c, "m1@d.example", "5.1.1 nobody");
        clock_ms += DAY;
        begin(&run, &c);
        const struct judge_window *w = providers_window(r->node.providers, S("d.example"));
        for (size_t i = 0; i < JUDGE_HOURS; i++)
                assert_true(w->done[i] == 0 && w->failed[i] == 0);
        end(&run);
        clock_ms -= 1;
        begin(&run, &c);
        w = providers_window(r->node.providers, S("d.example"));
        assert_int_equal(w->done[w->hour % JUDGE_HOURS], 19);
        assert_int_equal(w->failed[w->hour % JUDGE_HOURS], 1);
        end(&run);
        scene_end(&c);
}
LIST_TEST(a_day_is_all)

static unsigned sum(const uint32_t counts[JUDGE_HOURS])
{
        unsigned n = 0;
        for (size_t i = 0; i < JUDGE_HOURS; i++)
                n += counts[i];
        return n;
}

/* What ended less than a day ago, but in an hour for which a window has no room beside the present one, took all of it away:
 * what was delivered was forgotten, and a few bounces opened the breaker. */
static void part_of_an_hour_is_left_out(struct rig *r)
{
        struct scene c;
        struct run run;
        scene_begin(&c, r, 40);
        clock_ms += HOUR / 2;
        assert_int_equal(post_fails(&c, "nobody", 0, ""), 0);
        begin(&run, &c);
        bounce_of(&c, "m0@d.example", "5.1.1 nobody");
        end(&run);
        clock_ms += DAY - HOUR / 4;
        assert_int_equal(post_fails(&c, "nobody", 0, ""), 0);
        begin(&run, &c);
        const struct judge_window *w = providers_window(r->node.providers, S("d.example"));
        assert_int_equal(sum(w->done), 40);
        assert_int_equal(sum(w->failed), 0);
        end(&run);
        scene_end(&c);
}
LIST_TEST(part_of_an_hour_is_left_out)

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_failures_outlive_a_death),
                cmocka_unit_test(test_deliveries_outlive_a_death),
                cmocka_unit_test(test_bounces_outlive_a_death),
                cmocka_unit_test(test_a_day_is_all),
                cmocka_unit_test(test_part_of_an_hour_is_left_out),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
