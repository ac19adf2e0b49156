/* SPDX-License-Identifier: ISC */
/* The table of destinations, without any mail. */
#define _GNU_SOURCE
#include "store/rig.h"

#include "serve/delivery_internal.h"

static struct destination *destination_of(struct delivery *delivery, uint32_t n)
{
        uint8_t key[MX_KEY_SIZE] = {(uint8_t)n, (uint8_t)(n >> 8)};
        struct destination *d = delivery_destination_get(delivery, key, S("mx.test"));
        assert_non_null(d);
        d->routes = 1; /* so it stays */
        return d;
}

/* As many as may rest have rested, and mail goes to them again. Another one that fails rests all the same. */
static void rests_end(struct rig *r)
{
        struct lipap node = {.host = r->h, .store = r->s, .retry_first_ms = 100};
        struct delivery *delivery = calloc(1, sizeof *delivery);
        assert_non_null(delivery);
        delivery->node = &node;
        for (uint32_t i = 0; i < DELIVERY_RESTS_MAX; i++)
                delivery_rest(destination_of(delivery, i), S("closed"));
        struct destination *last = destination_of(delivery, DELIVERY_RESTS_MAX);
        delivery_rest(last, S("closed"));
        assert_false(delivery_is_resting(last)); /* all places are taken */
        assert_int_equal(fiber_sleep(r->h->sched, 200), ERR_OK);
        delivery_destinations_look_after(delivery);
        assert_int_equal(delivery->resting, 0);
        delivery_rest(last, S("closed"));
        assert_true(delivery_is_resting(last));
        assert_int_equal(delivery->resting, 1);
        delivery_destinations_end(delivery);
        assert_int_equal(delivery->resting, 0);
        free(delivery);
}

static void test_rests_end(void **state)
{
        (void)state;
        rig_test(rests_end);
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_rests_end)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
