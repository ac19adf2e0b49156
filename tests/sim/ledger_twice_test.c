/* SPDX-License-Identifier: ISC */
/* When somebody may have a letter twice: as often as something befell the connection of a copy at its final dot. */
#include "tests/sim/ledger_rig.h"

static void twice(struct world *w, unsigned code, enum ledger_end end)
{
        uint32_t t = post(w, 250);
        deliver_all(w, t);
        deliver(w, t, "bob@b.test", code, end);
}

static void twice_for_nothing(struct world *w)
{
        twice(w, 250, LEDGER_QUIT);
}

static void twice_after_eof(struct world *w)
{
        twice(w, 250, LEDGER_EOF);
}

static void twice_still_open(struct world *w)
{
        twice(w, 250, LEDGER_OPEN);
}

static void twice_answered_and_closed(struct world *w)
{
        twice(w, 250, LEDGER_CLOSED);
}

static void twice_dropped(struct world *w)
{
        twice(w, 0, LEDGER_DROPPED);
}

static void twice_unanswered(struct world *w)
{
        twice(w, 0, LEDGER_EOF);
}

static void twice_reset(struct world *w)
{
        twice(w, 250, LEDGER_RESET);
}

static void twice_silent(struct world *w)
{
        twice(w, 250, LEDGER_SILENCE);
}

static void twice_died(struct world *w)
{
        twice(w, 250, LEDGER_DIED);
}

/* A kill while the connection is open, and one when it is not. */
static void twice_killed(struct world *w, const char *host, bool is_late)
{
        uint32_t t = post(w, 250), c = ledger_connection(w->l, "mx1");
        ledger_connection_dot(w->l, c);
        ledger_copy(w->l, c, t, w->list, S("bob@b.test"));
        ledger_connection_answered(w->l, c, 250);
        if (is_late)
                ledger_connection_end(w->l, c, LEDGER_EOF);
        ledger_fault(w->l, host, "a kill");
        if (!is_late)
                ledger_connection_end(w->l, c, LEDGER_EOF);
        deliver_all(w, t);
}

static void twice_killed_then(struct world *w)
{
        twice_killed(w, NULL, false);
}

static void twice_its_host_killed(struct world *w)
{
        twice_killed(w, "mx1", false);
}

static void twice_another_killed(struct world *w)
{
        twice_killed(w, "mx2", false);
}

static void twice_killed_later(struct world *w)
{
        twice_killed(w, NULL, true);
}

/* The disk cannot keep the outcome of the first; it can when it is mended. */
static void twice_on_a_bad_disk(struct world *w)
{
        ledger_disk_fails(w->l);
        twice(w, 250, LEDGER_QUIT);
}

static void twice_on_a_mended_disk(struct world *w)
{
        ledger_disk_fails(w->l);
        ledger_disk_mended(w->l);
        twice(w, 250, LEDGER_QUIT);
}

/* The connection broke, but long after: another dot had come on it. */
static void twice_not_the_last(struct world *w)
{
        uint32_t t = post(w, 250), c = ledger_connection(w->l, "mx1");
        ledger_connection_dot(w->l, c);
        ledger_copy(w->l, c, t, w->list, S("bob@b.test"));
        ledger_connection_answered(w->l, c, 250);
        ledger_connection_dot(w->l, c);
        ledger_connection_end(w->l, c, LEDGER_RESET);
        deliver_all(w, t);
}

static void thrice_broken_twice(struct world *w)
{
        uint32_t t = post(w, 250);
        deliver(w, t, "bob@b.test", 0, LEDGER_RESET);
        deliver(w, t, "bob@b.test", 0, LEDGER_DROPPED);
        deliver_all(w, t);
}

static void thrice_broken_once(struct world *w)
{
        uint32_t t = post(w, 250);
        deliver(w, t, "bob@b.test", 0, LEDGER_RESET);
        deliver(w, t, "bob@b.test", 250, LEDGER_QUIT);
        deliver_all(w, t);
}

/* What came over the broken connection may have been noted last. */
static void twice_the_broken_one_is_late(struct world *w)
{
        uint32_t t = post(w, 250);
        deliver_all(w, t);
        deliver(w, t, "bob@b.test", 0, LEDGER_RESET);
}

static const struct history histories[] = {
        {"twice for nothing", twice_for_nothing, "duplicate "},
        {"twice after EOF", twice_after_eof, "duplicate "},
        {"twice, still open", twice_still_open, "duplicate "},
        {"twice, answered and closed", twice_answered_and_closed, "duplicate "},
        {"twice, dropped", twice_dropped, ""},
        {"twice, unanswered", twice_unanswered, ""},
        {"twice, reset", twice_reset, ""},
        {"twice, silent", twice_silent, ""},
        {"twice, died", twice_died, ""},
        {"twice, killed then", twice_killed_then, ""},
        {"twice, its host killed", twice_its_host_killed, ""},
        {"twice, another killed", twice_another_killed, "duplicate "},
        {"twice, killed later", twice_killed_later, "duplicate "},
        {"twice, on a bad disk", twice_on_a_bad_disk, ""},
        {"twice, on a mended disk", twice_on_a_mended_disk, "duplicate "},
        {"twice, not the last dot", twice_not_the_last, "duplicate "},
        {"thrice, broken twice", thrice_broken_twice, ""},
        {"thrice, broken once", thrice_broken_once, "duplicate "},
        {"twice, the broken one is late", twice_the_broken_one_is_late, ""},
};

static void test_histories(void **state)
{
        (void)state;
        play_histories(histories, sizeof histories / sizeof histories[0]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_histories)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
