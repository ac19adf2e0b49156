/* SPDX-License-Identifier: ISC */
/* Updates that the primary refuses, or takes without effect. */
#include "auth/zone_sim.h"

/* Lesson: the RCODE of an UPDATE was ignored. */
static void test_update_refused(void **state)
{
        (void)state;
        static const struct {
                struct zone_update_result says;
                const char *detail;
        } cases[] = {
                {{.status = ZONE_UPDATE_REFUSED, .rcode = DNS_RCODE_REFUSED}, "refused the update: REFUSED"},
                {{.status = ZONE_UPDATE_REFUSED, .rcode = DNS_RCODE_SERVFAIL}, "SERVFAIL"},
                {{.status = ZONE_UPDATE_CLAIMED, .rcode = DNS_RCODE_NOTAUTH, .tsig_error = DNS_RCODE_BADKEY},
                        "NOTAUTH, TSIG BADKEY (an answer without"},
                {{.status = ZONE_UPDATE_CLAIMED, .rcode = DNS_RCODE_NOTAUTH, .tsig_error = DNS_RCODE_BADSIG},
                        "NOTAUTH, TSIG BADSIG"},
                {{.status = ZONE_UPDATE_REFUSED,
                         .rcode = DNS_RCODE_NOTAUTH,
                         .tsig_error = DNS_RCODE_BADTIME,
                         .server_time_s = 1775138606,
                         .our_time_s = 1775138006},
                        "TSIG BADTIME, its clock says 2026-04-02T14:03:26.000Z, ours "
                        "2026-04-02T13:53:26.000Z"},
                {{.status = ZONE_UPDATE_LOST, .err = ERR_REFUSED}, "connection refused"},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct sim *s = world();
                struct zone *z = machine();
                s->says = cases[i].says;
                run(s, z, 300);
                if (!detail_has(s, cases[i].detail))
                        fail_msg("%.*s", (int)s->detail_n, s->detail);
                assert_int_equal(signs(s, z), 0);
                s->says.status = ZONE_UPDATE_DONE;
                s->events_n = 0;
                run(s, z, 61);
                expect_events(s, "created found published served ready");
                free(z);
                free(s);
        }
}

static void test_update_without_effect(void **state)
{
        (void)state;
        struct sim *s = world();
        struct zone *z = machine();
        s->is_deaf = true;
        run(s, z, 30);
        assert_true(detail_has(s, "accepts updates and does not show them"));
        assert_int_equal(signs(s, z), 0);
        free(z);
        free(s);
}

static void test_prerequisites_always_fail(void **state)
{
        (void)state;
        struct sim *s = world();
        struct zone *z = machine();
        s->says = (struct zone_update_result){.status = ZONE_UPDATE_REFUSED, .rcode = DNS_RCODE_NXRRSET};
        run(s, z, 30);
        assert_true(detail_has(s, "NXRRSET"));
        free(z);
        free(s);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_update_refused),
                cmocka_unit_test(test_update_without_effect),
                cmocka_unit_test(test_prerequisites_always_fail),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
