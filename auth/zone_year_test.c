/* SPDX-License-Identifier: ISC */
/* A year of processes that come and go beside a zone in trouble: whatever is signed verifies when it is delivered, for a
 * verifier that asks any server, or has the answer from its cache. Each step of each process takes its turn in time. */
#include "auth/zone_sim.h"

#include <stdio.h>

#define REPLICAS 3
#define LETTERS 4096
#define YEAR (365 * DAY)
#define LAG_S 300 /* of the secondary */

/* What was signed, and when it is delivered. */
struct letter {
        int64_t due_s;
        size_t selector_n, record_n;
        char selector[DNS_LABEL_MAX];
        char record[KEY_RECORD_MAX];
};

struct replica {
        struct zone *zone; /* NULL: it does not run */
        int64_t turn_s;
};

struct year {
        struct sim *s;
        uint32_t random;
        struct replica replicas[REPLICAS];
        struct letter letters[LETTERS];
        size_t letter_n;
        int64_t calm_s; /* until then the zone is in trouble */
        int64_t next_letter_s, next_trouble_s, next_change_s;
        size_t signed_n, refused_n, delivered_n, starts, epochs;
        int64_t last_epoch;
};

static uint32_t draw(struct year *y, uint32_t below)
{
        y->random = y->random * 1664525 + 1013904223;
        return (y->random >> 8) % below;
}

static struct zone_config year_config(void)
{
        struct zone_config config = usual_config(1);
        config.has_ed25519 = true;
        config.arc_selector = S("arc-%d");
        config.ttl_s = 3600;
        return config;
}

/* ---- letters ---- */

static void sign_letter(struct year *y, const struct zone *z)
{
        for (int kind = 0; kind < ZONE_KINDS; kind++) {
                struct zone_signing signing;
                struct letter *l = &y->letters[y->letter_n];
                if (zone_signing(z, y->s->now_s, (enum zone_kind)kind, &signing) != ERR_OK) {
                        y->refused_n += kind == ZONE_DKIM_RSA;
                        continue;
                }
                const struct zone_key *key = &z->keys[signing.key];
                assert_true(
                        y->letter_n < LETTERS && signing.expiry_s >= y->s->now_s + z->config.queue_life_s);
                *l = (struct letter){.due_s = y->s->now_s + draw(y, (uint32_t)z->config.queue_life_s),
                        .selector_n = key->selector_n,
                        .record_n = key->record_n};
                memcpy(l->selector, key->selector, key->selector_n);
                memcpy(l->record, key->record, key->record_n);
                y->letter_n++;
                if (kind == ZONE_DKIM_RSA && key->epoch > y->last_epoch) {
                        y->last_epoch = key->epoch;
                        y->epochs++;
                }
                y->signed_n++;
        }
}

/* The record as each server shows it, now and for as long as a cache may have it. */
static void deliver(struct year *y, const struct letter *l)
{
        char name[192];
        struct wr w;
        wr_init(&w, name, sizeof name - 1);
        wr_str(&w, str_of(l->selector, l->selector_n));
        wr_str(&w, S("._domainkey.lists.example.org"));
        name[w.n] = '\0';
        struct dns_name n = fake_name(name);
        struct str record = str_of(l->record, l->record_n);
        if (!str_eq(text_at(y->s, name), record))
                fail_msg("%s does not verify at %lld", name, (long long)y->s->now_s);
        for (size_t i = 0; i < FAKE_ZONE_RECORDS; i++)
                if (fake_zone_stands_at(&y->s->zone, i, &n))
                        assert_true(y->s->zone.records[i].since_s + LAG_S <= l->due_s);
        y->delivered_n++;
}

static void deliver_due(struct year *y)
{
        for (size_t i = 0; i < y->letter_n; i++)
                if (y->letters[i].due_s <= y->s->now_s) {
                        deliver(y, &y->letters[i]);
                        y->letters[i--] = y->letters[--y->letter_n];
                }
}

static void write_letter(struct year *y)
{
        const struct replica *r = &y->replicas[draw(y, REPLICAS)];
        y->next_letter_s = y->s->now_s + 3600 + draw(y, 7200);
        if (r->zone)
                sign_letter(y, r->zone);
}

/* ---- trouble ---- */

static void start(struct year *y, struct replica *r)
{
        struct zone_config config = year_config();
        r->zone = machine_of(&config);
        r->turn_s = y->s->now_s;
        y->starts++;
}

static void stop(struct replica *r)
{
        free(r->zone);
        r->zone = NULL;
}

static void calm(struct sim *s)
{
        s->is_down = s->is_deaf = s->loses_answers = false;
        s->says = (struct zone_update_result){.status = ZONE_UPDATE_DONE};
        s->servers[1].behaviour = LAGS;
}

static void begin_trouble(struct year *y)
{
        struct sim *s = y->s;
        uint32_t length_s = 60 + draw(y, draw(y, 10) == 0 ? 2 * 86400 : 7200);
        calm(s);
        switch (draw(y, 7)) {
        case 0:
                s->is_down = true;
                break;
        case 1:
                s->is_deaf = true;
                break;
        case 2:
                s->loses_answers = true;
                break;
        case 3:
                s->says = (struct zone_update_result){
                        .status = ZONE_UPDATE_REFUSED, .rcode = DNS_RCODE_REFUSED};
                break;
        case 4:
                s->says = (struct zone_update_result){
                        .status = ZONE_UPDATE_REFUSED, .rcode = DNS_RCODE_SERVFAIL};
                break;
        case 5:
                s->says = (struct zone_update_result){.status = ZONE_UPDATE_CLAIMED,
                        .rcode = DNS_RCODE_NOTAUTH,
                        .tsig_error = DNS_RCODE_BADTIME};
                break;
        default: /* a secondary that is further behind than anybody waits for would be the operator's trouble */
                s->servers[1].behaviour = SILENT;
                break;
        }
        y->calm_s = s->now_s + length_s;
        y->next_trouble_s = y->calm_s + draw(y, 2 * 86400);
}

/* One comes or goes, at once; mostly it comes back soon. */
static void change_replicas(struct year *y)
{
        struct replica *r = &y->replicas[draw(y, REPLICAS)];
        if (r->zone)
                stop(r);
        else
                start(y, r);
        y->next_change_s = y->s->now_s + (draw(y, 3) == 0 ? 5 * 86400 : draw(y, 3600));
}

/* ---- time ---- */

static struct replica *first_turn(struct year *y)
{
        struct replica *first = NULL;
        for (size_t i = 0; i < REPLICAS; i++) {
                struct replica *r = &y->replicas[i];
                if (r->zone && (!first || r->turn_s < first->turn_s))
                        first = r;
        }
        return first;
}

/* One step of whoever is next; without anybody, a minute. */
static void step(struct year *y)
{
        struct replica *r = first_turn(y);
        int64_t now_s = r && r->turn_s > y->s->now_s ? r->turn_s : y->s->now_s;
        y->s->now_s = r ? now_s : now_s + 60;
        deliver_due(y);
        if (y->s->now_s >= y->calm_s)
                calm(y->s);
        if (y->s->now_s >= y->next_letter_s)
                write_letter(y);
        if (y->s->now_s >= y->next_trouble_s) {
                begin_trouble(y);
                return;
        }
        if (y->s->now_s >= y->next_change_s) {
                change_replicas(y);
                return;
        }
        if (!r)
                return;
        now_s = y->s->now_s;
        do_step(y->s, r->zone);
        r->turn_s = y->s->now_s;
        y->s->now_s = now_s;
        y->s->events_n = 0;
}

static void run_year(uint32_t seed)
{
        struct year *y = calloc(1, sizeof *y);
        assert_non_null(y);
        y->s = world();
        y->random = seed;
        y->s->servers[1].lag_s = LAG_S;
        calm(y->s);
        start(y, &y->replicas[0]);
        y->next_trouble_s = y->next_change_s = START + DAY;
        while (y->s->now_s < START + YEAR)
                step(y);
        printf("seed %u: %zu signatures, %zu delivered, %zu refusals, %zu starts, %zu epochs\n", seed,
                y->signed_n, y->delivered_n, y->refused_n, y->starts, y->epochs);
        assert_true(y->delivered_n > 5000 && y->starts > 20);
        assert_true(y->refused_n * 20 < y->signed_n);
        assert_in_range(y->epochs, 15, 17);
        for (size_t i = 0; i < REPLICAS; i++)
                stop(&y->replicas[i]);
        free(y->s);
        free(y);
}

static void test_year(void **state)
{
        (void)state;
        uint32_t last = getenv("PTT_LONG") ? 10 : 1;
        for (uint32_t seed = 1; seed <= last; seed++)
                run_year(seed);
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_year)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
