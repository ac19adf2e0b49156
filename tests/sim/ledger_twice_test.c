/* SPDX-License-Identifier: ISC */
/* When somebody may have a letter twice: as often as something befell the connection of a copy at its final dot, before
 * the other side had said a word more. */
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

static void twice_closed_on_a_cutting_link(struct world *w)
{
        ledger_fault_lasts(w->l, "mx1", w->now_ms + 1000);
        twice_answered_and_closed(w);
}

static void twice_closed_on_a_mended_link(struct world *w)
{
        ledger_fault_lasts(w->l, NULL, w->now_ms + 1000);
        w->now_ms += 1000;
        twice_answered_and_closed(w);
}

static void twice_closed_on_another_link(struct world *w)
{
        ledger_fault_lasts(w->l, "mx2", w->now_ms + 1000);
        twice_answered_and_closed(w);
}

static const struct history histories[] = {
        {"twice for nothing", twice_for_nothing, "duplicate "},
        {"twice after EOF", twice_after_eof, "duplicate "},
        {"twice, still open", twice_still_open, "duplicate "},
        {"twice, answered and closed", twice_answered_and_closed, "duplicate "},
        {"twice, closed on a cutting link", twice_closed_on_a_cutting_link, ""},
        {"twice, closed on a mended link", twice_closed_on_a_mended_link, "duplicate "},
        {"twice, closed on another link", twice_closed_on_another_link, "duplicate "},
        {"twice, dropped", twice_dropped, ""},
        {"twice, unanswered", twice_unanswered, "duplicate "},
        {"twice, reset", twice_reset, ""},
        {"twice, silent", twice_silent, ""},
        {"twice, died", twice_died, ""},
        {"thrice, broken twice", thrice_broken_twice, ""},
        {"thrice, broken once", thrice_broken_once, "duplicate "},
        {"twice, the broken one is late", twice_the_broken_one_is_late, ""},
};

/* A connection by which Bob has a copy that he gets again by another one. */
struct story {
        const char *name;
        const char *events;
        bool is_excused;
};

static void play_event(struct world *w, uint32_t c, uint32_t t, char event)
{
        static const char letters[] = "QERSXCD";
        static const enum ledger_end ends[] = {LEDGER_QUIT, LEDGER_EOF, LEDGER_RESET, LEDGER_SILENCE,
                LEDGER_DROPPED, LEDGER_CLOSED, LEDGER_DIED};
        switch (event) {
        case 'b': /* a final dot, Bob's */
        case '.': /* another one, with nothing that was kept */
                ledger_connection_dot(w->l, c);
                if (event == 'b')
                        ledger_copy(w->l, c, t, w->list, S("bob@b.test"));
                break;
        case '+':
                ledger_connection_answered(w->l, c, 250);
                break;
        case '>': /* a command behind that */
                ledger_connection_acknowledged(w->l, c);
                break;
        case '#':
                ledger_fault(w->l, NULL, "a kill");
                break;
        case '1':
                ledger_fault(w->l, "mx1", "its link");
                break;
        case '2':
                ledger_fault(w->l, "mx2", "its link");
                break;
        case 'd':
                ledger_disk_fails(w->l);
                break;
        case 'm':
                ledger_disk_mended(w->l);
                break;
        case '~':
                w->now_ms += 30000;
                break;
        default: /* how it ended */
                ledger_connection_end(w->l, c, ends[strchr(letters, event) - letters]);
                break;
        }
}

static const struct story stories[] = {
        {"killed then", "b+#E", true},
        {"killed before the answer", "b#+E", true},
        {"killed, and the dot is read later", "#~b+E", true},
        {"killed at the second dot", "b+>.+#E", false},
        {"killed, and the second dot is read later", "b+#~.+E", false},
        {"killed between two dots", ".+>#b+E", true},
        {"killed, and gone on", ".+>#.+>b+E", false},
        {"killed behind a command", "b+>#E", false},
        {"killed behind a command, and reset", "b+>#R", false},
        {"killed behind QUIT", "b+>Q#", false},
        {"killed after its end", "b+E~#", false},
        {"killed just after the host closed", "b+C#", true},
        {"killed long after the host closed", "b+C~#", false},
        {"a disk fails, and ends it", "db+Em#", true},
        {"a disk fails, and it goes on", "db+>.+Em#", false},
        {"a disk fails, and QUIT", "db+>Qm#", false},
        {"a disk fails; a slow host reads the dot after the death", ".+>dm#~b+E", true},
        {"a disk fails, and ended it long before", "db+E~m#", false},
        {"its host's link", "b+1E", true},
        {"another host's link", "b+2E", false},
        {"a link, and two dots since", "1.+>b+E", false},
        {"reset behind a command", "b+>R", false},
        {"silent behind a command", "b+>S", false},
        {"its host died behind a command", "b+>D", false},
        {"dropped at the second dot", "b+>.X", false},
        {"reset at the second dot", "b+>.R", false},
};

static void test_stories(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof stories / sizeof stories[0]; i++) {
                struct world w;
                start(&w);
                uint32_t t = post(&w, 250), c = ledger_connection(w.l, "mx1");
                for (const char *p = stories[i].events; *p != '\0'; p++)
                        play_event(&w, c, t, *p);
                deliver_all(&w, t);
                ledger_judge(w.l);
                const struct ledger_violation *v = ledger_violation(w.l, 0);
                if (stories[i].is_excused != !v || (v && strcmp(v->invariant, "duplicate") != 0))
                        fail_msg("%s: comes to %s", stories[i].name, v ? v->story : "nothing");
                ledger_free(w.l);
        }
}

static void test_histories(void **state)
{
        (void)state;
        play_histories(histories, sizeof histories / sizeof histories[0]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_histories), cmocka_unit_test(test_stories)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
