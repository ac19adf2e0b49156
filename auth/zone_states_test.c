/* SPDX-License-Identifier: ISC */
/* docs/zone-machine.md tells where the machine goes from each state; here it goes there. */
#include "auth/zone_sim.h"

#include <stdio.h>

#define LIVES 600
#define STEPS 400

static const char *const state_names[ZONE_STATES] = {
        [ZONE_STATE_READ_POINTER] = "READ_POINTER",
        [ZONE_STATE_WRITE_POINTER] = "WRITE_POINTER",
        [ZONE_STATE_READ_KEY] = "READ_KEY",
        [ZONE_STATE_WRITE_KEY] = "WRITE_KEY",
        [ZONE_STATE_READ_SERVERS] = "READ_SERVERS",
        [ZONE_STATE_READ_ADDRESS] = "READ_ADDRESS",
        [ZONE_STATE_CHECK_SERVER] = "CHECK_SERVER",
        [ZONE_STATE_CHANGE_POINTER] = "CHANGE_POINTER",
        [ZONE_STATE_READ_RETIRED] = "READ_RETIRED",
        [ZONE_STATE_WRITE_RETIRED] = "WRITE_RETIRED",
        [ZONE_STATE_REST] = "REST",
        [ZONE_STATE_END] = "END",
};

static size_t state_of(struct str name)
{
        size_t i = 0;
        while (i < ZONE_STATES && !str_eq(name, str_of_c(state_names[i])))
                i++;
        return i;
}

/* `| STATE | what it does | STATE STATE |`; other lines tell nothing. */
static bool read_row(struct str line, uint32_t moves[ZONE_STATES])
{
        struct str cell, rest = str_trim(line), word;
        if (!str_cut(rest, '|', &cell, &rest) || !str_cut(rest, '|', &cell, &rest))
                return false;
        size_t from = state_of(str_trim(cell));
        if (from == ZONE_STATES || !str_cut(rest, '|', &cell, &rest) || !str_cut(rest, '|', &cell, &rest))
                return false;
        cell = str_trim(cell);
        for (bool more = cell.n > 0; more;) {
                more = str_cut(cell, ' ', &word, &cell);
                size_t to = state_of(word);
                assert_true(to < ZONE_STATES);
                moves[from] |= UINT32_C(1) << to;
        }
        return true;
}

static void read_document(uint32_t moves[ZONE_STATES])
{
        char line[512];
        size_t rows = 0;
        FILE *f = fopen("docs/zone-machine.md", "r");
        assert_non_null(f);
        while (fgets(line, sizeof line, f))
                rows += read_row(str_of_c(line), moves);
        fclose(f);
        assert_int_equal(rows, ZONE_STATES);
}

static uint32_t draw(uint32_t *random, uint32_t below)
{
        *random = *random * 1664525 + 1013904223;
        return (*random >> 8) % below;
}

/* Whatever may befall a zone, in no order. */
static void befall(struct sim *s, uint32_t *random)
{
        static const struct zone_update_result refused = {
                .status = ZONE_UPDATE_REFUSED, .rcode = DNS_RCODE_REFUSED};
        static const struct zone_update_result raced = {
                .status = ZONE_UPDATE_REFUSED, .rcode = DNS_RCODE_NXRRSET};
        s->is_down = s->has_alias = s->loses_answers = s->is_deaf = false;
        s->says = (struct zone_update_result){.status = ZONE_UPDATE_DONE};
        s->servers[1].address_rcode = 0;
        switch (draw(random, 12)) {
        case 0:
                s->is_down = true;
                break;
        case 1:
                s->says = refused;
                break;
        case 2:
                s->says = raced;
                break;
        case 3:
                erase_c(s, POINTER);
                break;
        case 4:
                erase_c(s, KEY);
                break;
        case 5:
                s->has_alias = true;
                break;
        case 6:
                s->now_s += (int64_t)draw(random, 40 * 86400);
                break;
        case 7:
                s->servers[1].address_rcode = DNS_RCODE_SERVFAIL;
                break;
        case 8:
                s->servers[1].behaviour = (enum behaviour)draw(random, 4);
                break;
        default:
                break;
        }
}

static void live(uint32_t seed, uint32_t moves[ZONE_STATES])
{
        struct sim *s = world();
        uint32_t random = seed;
        struct zone_config config = usual_config((uint8_t)(1 + draw(&random, 2)));
        config.mode = (enum zone_mode)draw(&random, 4);
        s->servers[1].lag_s = 100;
        s->is_wild = true;
        if (draw(&random, 4) > 0)
                free(settled(s));
        struct zone *z = machine_of(&config);
        for (int i = 0; i < STEPS; i++) {
                if (draw(&random, 12) == 0)
                        befall(s, &random);
                do_step(s, z);
                s->events_n = 0;
        }
        for (size_t i = 0; i < ZONE_STATES; i++)
                moves[i] |= z->moves[i];
        free(z);
        free(s);
}

static void test_document_tells_the_truth(void **state)
{
        (void)state;
        uint32_t told[ZONE_STATES] = {0}, done[ZONE_STATES] = {0};
        read_document(told);
        for (uint32_t seed = 1; seed <= LIVES; seed++)
                live(seed, done);
        for (size_t from = 0; from < ZONE_STATES; from++)
                for (size_t to = 0; to < ZONE_STATES; to++)
                        if ((told[from] >> to & 1) != (done[from] >> to & 1))
                                fail_msg("%s -> %s is %s", state_names[from], state_names[to],
                                        told[from] >> to & 1 ? "told, and never done" : "done, and not told");
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_document_tells_the_truth)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
