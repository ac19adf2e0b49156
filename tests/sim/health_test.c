/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "tests/sim/health.h"

#define HOUR_MS (60 * 60 * 1000LL)
#define DAY_MS (24 * HOUR_MS)

struct scene {
        struct ledger *ledger;
        struct health *health;
        uint32_t list;
        int64_t now_ms;
        bool is_member; /* what the image says of bob */
};

static int64_t now_ms(void *ctx)
{
        return ((struct scene *)ctx)->now_ms;
}

static bool is_member(void *ctx, struct str list, struct str address)
{
        const struct scene *s = ctx;
        assert_true(str_eq(list, S("l@list.test")) && str_eq(address, S("bob@b.test")));
        return s->is_member;
}

/* One letter an event, from the first day's noon on:
 *   D F O   mail is refused for a dead mailbox, a full one, for our own sake    d f   a bounce says so
 *   t       mail is taken                                                        .    a day passes;  +  ten days
 *   a       the list asks bob      r   it tells the moderators that he is removed
 *   g w     it writes a digest, a report     b c   a warning about one provider, another     x   an alarm
 *   -       the image has him no more */
static void play(struct scene *s, const char *events)
{
        static const struct str bob = {"bob@b.test", 10}, boss = {"boss@b.test", 11};
        for (const char *e = events; *e; e++) {
                s->now_ms += HOUR_MS / 10;
                switch (*e) {
                case 'D':
                case 'd':
                        health_fails(s->health, s->list, bob, HEALTH_DEAD, *e == 'd');
                        break;
                case 'F':
                case 'f':
                        health_fails(s->health, s->list, bob, HEALTH_FULL, *e == 'f');
                        break;
                case 'O':
                        health_fails(s->health, s->list, bob, HEALTH_OURS, false);
                        break;
                case 't':
                        health_takes(s->health, s->list, bob);
                        break;
                case '.':
                        s->now_ms += DAY_MS;
                        break;
                case '+':
                        s->now_ms += 10 * DAY_MS;
                        break;
                case 'a':
                        health_asks(s->health, s->list, bob);
                        break;
                case 'r':
                        health_tells(s->health, s->list, bob);
                        break;
                case 'g':
                        health_writes(s->health, s->list, boss, HEALTH_DIGEST, S(""));
                        break;
                case 'w':
                        health_writes(s->health, s->list, boss, HEALTH_REPORT, S(""));
                        break;
                case 'b':
                case 'c':
                        health_writes(s->health, s->list, boss, HEALTH_BREAKER, str_of(e, 1));
                        break;
                case 'x':
                        health_writes(s->health, s->list, boss, HEALTH_ALARM, S("a disk"));
                        break;
                default:
                        s->is_member = false;
                        break;
                }
        }
}

static void test_judgement(void **state)
{
        static const struct {
                const char *events, *invariant, *part; /* NULL: nothing is wrong */
                enum ledger_membership is;
        } cases[] = {
                {"", NULL, NULL, LEDGER_IN},
                {"D.D", NULL, NULL, LEDGER_IN},
                {"D.D.D", NULL, NULL, LEDGER_MAYBE},
                {"DDD", NULL, NULL, LEDGER_IN},
                {"D.D.t.D", NULL, NULL, LEDGER_IN},
                {"d.d.t.d", NULL, NULL, LEDGER_MAYBE},
                {"F.F.F.F.F", NULL, NULL, LEDGER_IN},
                {"F.F.F.F.F.F", NULL, NULL, LEDGER_MAYBE},
                {"FD.DF.D", NULL, NULL, LEDGER_MAYBE},
                {"O.O.O.O.O.O.O", NULL, NULL, LEDGER_IN},
                {"a", "judged", "0 of 6", LEDGER_IN},
                {"D.Da", "judged", "4 of 6", LEDGER_IN},
                {"O.O.O.O.O.O.Oa", "judged", "0 of 6", LEDGER_IN},
                {"D.D.Da", NULL, NULL, LEDGER_MAYBE},
                {"D.Dr", "judged", "4 of 6", LEDGER_IN},
                {"D.D.Dar-", NULL, NULL, LEDGER_OUT},
                {"D.D.Dar-+", NULL, NULL, LEDGER_OUT},
                {"D.D.D+", "judged", "is still on", LEDGER_MAYBE},
                {"d.d.d+", "judged", "is still on", LEDGER_MAYBE},
                {"F.F.F.F.F.F.F+", NULL, NULL, LEDGER_MAYBE},
                {"D.D.Dt+", NULL, NULL, LEDGER_MAYBE},
                {"D.D.D-+.", "judged", "no moderator", LEDGER_MAYBE},
                {"g.g.g", NULL, NULL, LEDGER_IN},
                {"gg", "digest", "a second digest", LEDGER_IN},
                {"gw", NULL, NULL, LEDGER_IN},
                {"w.......w", NULL, NULL, LEDGER_IN},
                {"w.....w", "digest", "a second report", LEDGER_IN},
                {"bc.bc", NULL, NULL, LEDGER_IN},
                {"bcb", "digest", "a second warning", LEDGER_IN},
                {"x.x", NULL, NULL, LEDGER_IN},
                {"xx", "alarm", "a disk", LEDGER_IN},
        };
        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct scene s = {.now_ms = DAY_MS / 2, .is_member = true};
                const struct ledger_config config = {.seed = 1, .now_ms = now_ms, .ctx = &s};
                s.ledger = ledger_new(&config);
                s.health = health_new(s.ledger);
                s.list = ledger_list(s.ledger, S("l@list.test"), LEDGER_LIST);
                ledger_member(s.ledger, s.list, S("bob@b.test"), LEDGER_IN);
                ledger_member(s.ledger, s.list, S("ann@b.test"), LEDGER_IN);
                play(&s, cases[i].events);
                health_judge(s.health, is_member, &s);
                const struct ledger_violation *v = ledger_violation(s.ledger, 0);
                if (!cases[i].invariant ? v != NULL
                                        : !v || strcmp(v->invariant, cases[i].invariant) != 0 ||
                                                  !strstr(v->story, cases[i].part))
                        fail_msg("\"%s\": %s", cases[i].events, v ? v->story : "nothing is wrong");
                if (ledger_membership(s.ledger, s.list, S("bob@b.test")) != cases[i].is)
                        fail_msg("\"%s\": membership", cases[i].events);
                health_free(s.health);
                ledger_free(s.ledger);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_judgement)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
