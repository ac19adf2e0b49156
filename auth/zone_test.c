/* SPDX-License-Identifier: ISC */
#include "auth/zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "auth/fake_zone.h"

#define DAY ((int64_t)86400)
#define START ((int64_t)1775138006)
#define SERVERS 4

/* A primary with one zone of TXT records, and its name servers. */

enum behaviour { SERVES, LAGS, SILENT, REFUSES };

struct server {
        const char *ip;   /* as the zone has it */
        const char *name; /* the NS record */
        enum behaviour behaviour;
        int64_t lag_s; /* LAGS: shows a change so much later */
};

struct sim {
        int64_t now_s;
        struct fake_zone zone;
        int64_t changed_s; /* the last change of a record */
        unsigned updates, steps, derivations;
        bool is_down, is_deaf;          /* no answers; updates say NOERROR and do nothing */
        bool loses_answers;             /* updates are done, and nobody hears of it */
        struct zone_update_result says; /* when status is not DONE: to every update */
        struct server servers[SERVERS];
        bool has_alias;    /* every TXT name is a CNAME */
        const char *alias; /* this one is */
        char events[4096];
        size_t events_n;
        char detail[ZONE_TEXT_MAX]; /* of the last event */
        size_t detail_n;
};

static void add_c(struct sim *s, const char *name, const char *text)
{
        struct dns_name n = fake_name(name);
        fake_zone_add(&s->zone, &n, str_of_c(text));
        s->changed_s = s->now_s;
}

static size_t erase_c(struct sim *s, const char *name)
{
        struct dns_name n = fake_name(name);
        s->changed_s = s->now_s;
        return fake_zone_erase(&s->zone, &n);
}

static struct str text_at(const struct sim *s, const char *name)
{
        return fake_zone_only(&s->zone, name);
}

/* Answers. */

struct answer_room {
        struct dns_value values[FAKE_ZONE_RECORDS];
        char wire[FAKE_ZONE_RECORDS][KEY_RECORD_MAX + 8];
        struct dns_answer answer;
};

static enum err answer_txt(const struct sim *s, const struct dns_name *name, struct answer_room *room)
{
        for (size_t i = 0; i < FAKE_ZONE_RECORDS; i++) {
                if (!fake_zone_stands_at(&s->zone, i, name))
                        continue;
                struct dns_value *v = &room->values[room->answer.count];
                struct wr w;
                wr_init(&w, room->wire[room->answer.count], sizeof room->wire[0]);
                dns_txt_write_wire(&w, fake_zone_text(&s->zone, i));
                v->wire = wr_text(&w);
                v->text = fake_zone_text(&s->zone, i);
                room->answer.count++;
        }
        room->answer.status = room->answer.count > 0 ? DNS_FOUND : DNS_NO_NAME;
        struct dns_name alias;
        if (s->alias)
                alias = fake_name(s->alias);
        if (s->has_alias || (s->alias && dns_name_eq(&alias, name)))
                room->answer.status = DNS_ALIAS;
        return ERR_OK;
}

static enum err answer_primary(const struct sim *s, const struct zone_step *step, struct answer_room *room)
{
        if (s->is_down)
                return ERR_TIMEOUT;
        if (step->type == DNS_TYPE_TXT)
                return answer_txt(s, &step->name, room);
        room->answer.status = DNS_NO_DATA;
        for (size_t i = 0; i < SERVERS && s->servers[i].name; i++) {
                struct dns_name name = fake_name(s->servers[i].name);
                struct ip ip;
                struct dns_value *v = &room->values[room->answer.count];
                if (step->type == DNS_TYPE_NS) {
                        v->name = name;
                } else {
                        assert_int_equal(ip_parse(str_of_c(s->servers[i].ip), &ip), ERR_OK);
                        if (!dns_name_eq(&name, &step->name) ||
                                ip.family != (step->type == DNS_TYPE_A ? 4 : 6))
                                continue;
                        v->ip = ip;
                }
                room->answer.count++;
                room->answer.status = DNS_FOUND;
        }
        return ERR_OK;
}

static enum err answer_server(const struct sim *s, const struct zone_step *step, struct answer_room *room)
{
        for (size_t i = 0; i < SERVERS && s->servers[i].name; i++) {
                struct ip ip;
                assert_int_equal(ip_parse(str_of_c(s->servers[i].ip), &ip), ERR_OK);
                if (!ip_eq(&ip, &step->server))
                        continue;
                if (s->servers[i].behaviour == SILENT)
                        return ERR_TIMEOUT;
                if (s->servers[i].behaviour == REFUSES) {
                        room->answer.rcode = DNS_RCODE_REFUSED;
                        return ERR_DENIED;
                }
                room->answer.status = DNS_NO_NAME;
                if (s->servers[i].behaviour == LAGS && s->now_s < s->changed_s + s->servers[i].lag_s)
                        return ERR_OK;
                return answer_txt(s, &step->name, room);
        }
        fail_msg("a server was asked that the zone does not name");
        return ERR_OK;
}

static struct zone_update_result update(struct sim *s, const struct zone *z)
{
        static char buffer[ZONE_UPDATE_MAX];
        struct dns_update u;
        struct str message;
        dns_update_init(&u, buffer, sizeof buffer, 1, &z->config.zone);
        zone_fill_update(z, &u);
        assert_int_equal(dns_update_end(&u, &message), ERR_OK);
        if (s->is_down)
                return (struct zone_update_result){.status = ZONE_UPDATE_LOST, .err = ERR_TIMEOUT};
        if (s->says.status != ZONE_UPDATE_DONE)
                return s->says;
        uint16_t rcode =
                s->is_deaf ? fake_zone_pass(&s->zone, message, false) : fake_zone_update(&s->zone, message);
        if (rcode != DNS_RCODE_NOERROR)
                return (struct zone_update_result){.status = ZONE_UPDATE_REFUSED, .rcode = rcode};
        s->updates++;
        s->changed_s = s->now_s;
        if (s->loses_answers)
                return (struct zone_update_result){.status = ZONE_UPDATE_LOST, .err = ERR_TIMEOUT};
        return (struct zone_update_result){.status = ZONE_UPDATE_DONE};
}

/* Driving. */

static const char *const event_names[] = {
        [ZONE_EVENT_POINTER_CREATED] = "created",
        [ZONE_EVENT_POINTER_FOUND] = "found",
        [ZONE_EVENT_EPOCH_CHOSEN] = "chosen",
        [ZONE_EVENT_KEY_FOUND] = "key-found",
        [ZONE_EVENT_KEY_PUBLISHED] = "published",
        [ZONE_EVENT_KEY_REPLACED] = "replaced",
        [ZONE_EVENT_KEY_REMOVED] = "removed",
        [ZONE_EVENT_SERVED] = "served",
        [ZONE_EVENT_NOT_SERVED] = "not-served",
        [ZONE_EVENT_UNASKED] = "unasked",
        [ZONE_EVENT_READY] = "ready",
        [ZONE_EVENT_NOT_READY] = "not-ready",
        [ZONE_EVENT_TROUBLE] = "trouble",
};

static struct str record_text(struct str selector, char *room, size_t cap)
{
        struct wr w;
        wr_init(&w, room, cap);
        wr_str(&w, S("v=DKIM1; k=rsa; p="));
        for (size_t i = 0; i < 6; i++) /* longer than one string of a TXT record */
                for (size_t k = 0; k < 4; k++)
                        wr_str(&w, selector);
        assert_int_equal(wr_end(&w), ERR_OK);
        return wr_text(&w);
}

static void key_name_of(int64_t epoch, char out[128])
{
        struct wr w;
        wr_init(&w, out, 127);
        wr_str(&w, S("dkim-"));
        wr_u64(&w, (uint64_t)epoch);
        wr_str(&w, S("._domainkey.lists.example.org"));
        out[w.n] = '\0';
}

/* What signs is published, whenever that was just decided. */
static void assert_published(const struct sim *s, const struct zone *z)
{
        int64_t epoch, expiry_s;
        struct str reason;
        char name[128], room[KEY_RECORD_MAX];
        assert_int_equal(zone_signing(z, s->now_s, &epoch, &expiry_s, &reason), ERR_OK);
        key_name_of(epoch, name);
        size_t n = strlen(name) - strlen("._domainkey.lists.example.org");
        assert_true(str_eq(text_at(s, name), record_text(str_of(name, n), room, sizeof room)));
        assert_true(expiry_s <= epoch + z->config.validity_s);
        assert_true(expiry_s - s->now_s >= z->config.queue_life_s);
}

static void take_events(struct sim *s, struct zone *z)
{
        struct zone_event event;
        while (zone_take_event(z, &event)) {
                struct wr w;
                wr_init(&w, s->events, sizeof s->events);
                w.n = s->events_n;
                if (w.n > 0)
                        wr_byte(&w, ' ');
                wr_str(&w, str_of_c(event_names[event.kind]));
                s->events_n = w.n;
                memcpy(s->detail, event.detail, event.detail_n);
                s->detail_n = event.detail_n;
                if (event.kind == ZONE_EVENT_READY && !s->is_down)
                        assert_published(s, z);
        }
}

static void do_step(struct sim *s, struct zone *z)
{
        static struct answer_room room;
        struct zone_step step;
        char text[KEY_RECORD_MAX];
        zone_next(z, s->now_s, &step);
        take_events(s, z);
        s->steps++;
        switch (step.action) {
        case ZONE_QUERY:
                room.answer = (struct dns_answer){.name = step.name, .values = room.values};
                enum err e =
                        step.at_primary ? answer_primary(s, &step, &room) : answer_server(s, &step, &room);
                if (e == ERR_TIMEOUT)
                        s->now_s += 6;
                zone_answered(z, s->now_s, e, &room.answer);
                break;
        case ZONE_UPDATE: {
                struct zone_update_result result = update(s, z);
                zone_updated(z, s->now_s, &result);
                break;
        }
        case ZONE_DERIVE:
                s->derivations++;
                zone_derived(z, s->now_s, step.epoch,
                        record_text(str_of(step.selector, step.selector_n), text, sizeof text));
                break;
        case ZONE_WAIT:
                assert_true(step.wait_s >= 1 && step.wait_s <= ZONE_REST_S);
                s->now_s += step.wait_s;
                break;
        }
        take_events(s, z);
}

static void run(struct sim *s, struct zone *z, int64_t seconds)
{
        int64_t until_s = s->now_s + seconds;
        unsigned at_once = 0;
        while (s->now_s < until_s) {
                int64_t before_s = s->now_s;
                do_step(s, z);
                at_once = s->now_s == before_s ? at_once + 1 : 0;
                assert_true(at_once < 200); /* a machine that spins */
        }
}

static void expect_events(struct sim *s, const char *expected)
{
        if (!str_eq(str_of(s->events, s->events_n), str_of_c(expected)))
                fail_msg("events: %.*s; expected: %s", (int)s->events_n, s->events, expected);
        s->events_n = 0;
}

static bool detail_has(const struct sim *s, const char *text)
{
        struct str detail = str_of(s->detail, s->detail_n);
        return str_find(detail, str_of_c(text)) < detail.n;
}

static int64_t signs(const struct sim *s, const struct zone *z)
{
        int64_t epoch, expiry_s;
        struct str reason;
        enum err e = zone_signing(z, s->now_s, &epoch, &expiry_s, &reason);
        assert_true((e == ERR_OK) == (reason.n == 0));
        assert_true((e == ERR_OK) == (epoch != 0));
        return epoch;
}

static struct zone *machine_with_id(uint8_t id)
{
        struct zone *z = malloc(sizeof *z);
        struct zone_config config = {.selector = S("dkim-%d"),
                .id = {id, 2, 3, 4, 5, 6, 7, 8},
                .validity_s = 30 * DAY,
                .overlap_s = 7 * DAY,
                .queue_life_s = 5 * DAY,
                .ttl_s = 3600};
        assert_non_null(z);
        config.domain = fake_name("lists.example.org");
        config.zone = fake_name("example.org");
        config.primary = ip_v4(10, 0, 0, 1);
        assert_int_equal(zone_init(z, &config), ERR_OK);
        return z;
}

static struct zone *machine(void)
{
        return machine_with_id(1);
}

static struct sim *world(void)
{
        struct sim *s = calloc(1, sizeof *s);
        assert_non_null(s);
        s->now_s = START;
        s->servers[0] = (struct server){.ip = "10.0.0.1", .name = "ns1.example.org"};
        s->servers[1] = (struct server){.ip = "192.0.2.2", .name = "ns2.example.org"};
        return s;
}

#define POINTER "_ptt._domainkey.lists.example.org"
#define KEY "dkim-1775138006._domainkey.lists.example.org"

/* A zone that already has pointer and key, a day old. */
static struct zone *settled(struct sim *s)
{
        struct zone *z = machine();
        run(s, z, 2);
        expect_events(s, "created found published served ready");
        run(s, z, DAY);
        expect_events(s, "");
        return z;
}

static void test_first_start(void **state)
{
        (void)state;
        struct sim *s = world();
        struct zone *z = machine();
        assert_int_equal(signs(s, z), 0);
        run(s, z, 1);
        expect_events(s, "created found published served ready");
        assert_int_equal(signs(s, z), START);
        struct str reason;
        int64_t epoch, expiry_s;
        assert_int_equal(zone_signing(z, s->now_s, &epoch, &expiry_s, &reason), ERR_OK);
        assert_int_equal(expiry_s, START + 30 * DAY);
        assert_int_equal(s->updates, 2);
        assert_true(str_eq(text_at(s, POINTER), S("v=PTT1; e=1775138006; id=0102030405060708")));
        run(s, z, 2 * DAY);
        expect_events(s, "");
        assert_int_equal(s->updates, 2);
        free(z);
        free(s);
}

/* Lesson: a restart gave another key, or touched the zone. */
static void test_restarts_change_nothing(void **state)
{
        (void)state;
        struct sim *s = world();
        free(settled(s));
        for (int i = 0; i < 50; i++) {
                struct zone *z = machine();
                run(s, z, 1);
                expect_events(s, "found key-found ready");
                assert_int_equal(signs(s, z), START);
                run(s, z, 100);
                free(z);
        }
        assert_int_equal(s->updates, 2);
        free(s);
}

static void test_foreign_password(void **state)
{
        (void)state;
        struct sim *s = world();
        free(settled(s));
        struct zone *z = machine_with_id(9);
        run(s, z, DAY);
        expect_events(s, "trouble");
        assert_true(detail_has(s, "another password"));
        assert_true(detail_has(s, "0102030405060708"));
        assert_int_equal(signs(s, z), 0);
        assert_int_equal(s->updates, 2);
        assert_int_equal(s->derivations, 1);
        free(z);
        free(s);
}

static void test_taken_over_while_running(void **state)
{
        (void)state;
        struct sim *s = world();
        struct zone *z = settled(s);
        assert_int_equal(erase_c(s, POINTER), 1);
        add_c(s, POINTER, "v=PTT1; e=1775200000; id=ffffffffffffffff");
        run(s, z, 120);
        expect_events(s, "trouble not-ready");
        assert_int_equal(s->updates, 2);
        assert_int_equal(erase_c(s, POINTER), 1); /* and given back */
        add_c(s, POINTER, "v=PTT1; e=1775138006; id=0102030405060708");
        run(s, z, 120);
        expect_events(s, "found key-found ready");
        free(z);
        free(s);
}

/* Lesson: a second TXT beside the first, a wrong one under our selector. */
static void test_wrong_and_second_record(void **state)
{
        (void)state;
        for (int second = 0; second < 2; second++) {
                struct sim *s = world();
                struct zone *z = settled(s);
                s->servers[1].behaviour = LAGS;
                s->servers[1].lag_s = 100;
                if (!second)
                        assert_int_equal(erase_c(s, KEY), 1);
                add_c(s, KEY, "v=DKIM1; k=rsa; p=AAAA");
                run(s, z, 70);
                expect_events(s, "not-ready replaced");
                assert_int_equal(signs(s, z), 0);
                run(s, z, 120);
                expect_events(s, "served ready");
                assert_true(text_at(s, KEY).n > 100);
                assert_int_equal(s->updates, 3);
                free(z);
                free(s);
        }
}

static void test_too_many_records(void **state)
{
        (void)state;
        struct sim *s = world();
        struct zone *z = settled(s);
        for (int i = 0; i < ZONE_SEEN_MAX; i++)
                add_c(s, KEY, "junk");
        run(s, z, 65);
        assert_true(detail_has(s, "too many"));
        assert_int_equal(signs(s, z), 0);
        assert_int_equal(s->updates, 2);
        free(z);
        free(s);
}

static void test_key_put_back(void **state)
{
        (void)state;
        struct sim *s = world();
        struct zone *z = settled(s);
        assert_int_equal(erase_c(s, KEY), 1);
        run(s, z, 61);
        expect_events(s, "not-ready published served ready");
        assert_int_equal(signs(s, z), START);
        assert_int_equal(s->updates, 3);
        free(z);
        z = machine(); /* also by one that starts */
        assert_int_equal(erase_c(s, KEY), 1);
        run(s, z, 1);
        expect_events(s, "found published served ready");
        free(z);
        free(s);
}

static void test_pointer_put_back(void **state)
{
        (void)state;
        struct sim *s = world();
        struct zone *z = settled(s);
        assert_int_equal(erase_c(s, POINTER), 1);
        run(s, z, 61);
        expect_events(s, "created");
        assert_true(str_eq(text_at(s, POINTER), S("v=PTT1; e=1775138006; id=0102030405060708")));
        assert_int_equal(signs(s, z), START);
        free(z);
        free(s);
}

static void test_pointer_of_others(void **state)
{
        (void)state;
        static const char *const texts[] = {"hello", "v=PTT2; e=3; id=0102030405060708", "v=PTT1; e=x"};
        for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
                for (int running = 0; running < 2; running++) {
                        struct sim *s = world();
                        struct zone *z = running ? settled(s) : machine();
                        unsigned updates = s->updates;
                        erase_c(s, POINTER);
                        add_c(s, POINTER, texts[i]);
                        run(s, z, 61);
                        assert_true(detail_has(s, "no pointer of this program"));
                        assert_int_equal(s->updates, updates);
                        assert_int_equal(signs(s, z), running ? START : 0); /* the key is still published */
                        free(z);
                        free(s);
                }
        struct sim *s = world();
        struct zone *z = settled(s);
        add_c(s, POINTER, "v=PTT1; e=1; id=0102030405060708");
        run(s, z, 61);
        assert_true(detail_has(s, "more than one"));
        assert_int_equal(s->updates, 2);
        free(z);
        free(s);
}

/* Lesson: no wait for propagation. */
static void test_name_server_lags(void **state)
{
        (void)state;
        struct sim *s = world();
        struct zone *z = machine();
        s->servers[1].behaviour = LAGS;
        s->servers[1].lag_s = 300;
        run(s, z, 290);
        expect_events(s, "created found published");
        int64_t epoch, expiry_s;
        struct str reason;
        assert_int_equal(zone_signing(z, s->now_s, &epoch, &expiry_s, &reason), ERR_NOT_FOUND);
        assert_true(str_find(reason, S("192.0.2.2: no such record")) < reason.n);
        run(s, z, 20);
        expect_events(s, "served ready");
        free(z);
        free(s);
}

static void test_name_server_silent(void **state)
{
        (void)state;
        static const enum behaviour behaviours[] = {SILENT, REFUSES};
        for (size_t i = 0; i < 2; i++) {
                struct sim *s = world();
                struct zone *z = machine();
                s->servers[1].behaviour = behaviours[i];
                run(s, z, ZONE_PROOF_MAX_S - 20);
                expect_events(s, "created found published");
                run(s, z, 60);
                expect_events(s, "not-served ready");
                free(z);
                free(s);
        }
}

/* One address of a server that cannot be reached does not matter beside another that serves. */
static void test_one_address_is_enough(void **state)
{
        (void)state;
        static const struct {
                enum behaviour second;
                const char *events;
        } cases[] = {
                {SILENT, "created found published served ready"},
                {REFUSES, "created found published"},
        };
        for (size_t i = 0; i < 2; i++) {
                struct sim *s = world();
                struct zone *z = machine();
                s->servers[2] = (struct server){
                        .ip = "2001:db8::2", .name = "ns2.example.org", .behaviour = cases[i].second};
                run(s, z, 30);
                expect_events(s, cases[i].events);
                free(z);
                free(s);
        }
}

static void test_name_server_without_address(void **state)
{
        (void)state;
        struct sim *s = world();
        struct zone *z = machine();
        s->servers[1].name = "ns.example.net"; /* its address belongs to another name here */
        s->servers[2] = s->servers[1];
        s->servers[2].name = NULL;
        s->servers[1].ip = "10.0.0.1";
        run(s, z, 2);
        expect_events(s, "created found published served ready");
        free(z);
        free(s);
}

static void test_dns_down_at_start(void **state)
{
        (void)state;
        struct sim *s = world();
        struct zone *z = machine();
        s->is_down = true;
        run(s, z, 300);
        assert_true(detail_has(s, "timed out"));
        assert_true(detail_has(s, "_ptt._domainkey.lists.example.org TXT"));
        assert_true(s->steps < 40); /* it does not hammer */
        s->events_n = 0;
        s->is_down = false;
        run(s, z, 61);
        expect_events(s, "created found published served ready");
        free(z);
        free(s);
}

static void test_dns_down_while_running(void **state)
{
        (void)state;
        struct sim *s = world();
        struct zone *z = settled(s);
        s->is_down = true;
        run(s, z, 10 * DAY);
        assert_int_equal(signs(s, z), START);
        s->events_n = 0;
        while (s->now_s < START + 24 * DAY) /* what is signed must outlive a queue of five days */
                do_step(s, z);
        assert_int_equal(signs(s, z), START);
        s->events_n = 0;
        while (s->now_s < START + 25 * DAY + 120)
                do_step(s, z), s->events_n = s->events_n > 3000 ? 0 : s->events_n;
        assert_int_equal(signs(s, z), 0);
        s->is_down = false;
        s->events_n = 0;
        run(s, z, 70);
        expect_events(s, "chosen found published served ready");
        free(z);
        free(s);
}

/* The whole life of a key: chosen, published, switched to, kept, removed. Lesson: old records never removed. */
static void test_rotation(void **state)
{
        (void)state;
        struct sim *s = world();
        struct zone *z = settled(s);
        s->servers[1].behaviour = LAGS;
        s->servers[1].lag_s = 200;
        run(s, z, START + 23 * DAY - 70 - s->now_s);
        expect_events(s, "");
        run(s, z, 200);
        expect_events(s, "chosen found published"); /* both are published, the old one signs */
        assert_int_equal(signs(s, z), START);
        assert_true(text_at(s, KEY).n > 0);
        run(s, z, 200);
        expect_events(s, "served ready");
        int64_t second = signs(s, z);
        char name[128];
        assert_in_range(second, START + 23 * DAY, START + 23 * DAY + 60);
        key_name_of(second, name);
        assert_true(text_at(s, name).n > 0);
        assert_int_equal(s->updates, 4);
        run(s, z, START + 30 * DAY - 70 - s->now_s); /* until x= of the last signature of the old key */
        expect_events(s, "");
        assert_true(text_at(s, KEY).n > 0);
        run(s, z, 140);
        expect_events(s, "removed");
        assert_int_equal(text_at(s, KEY).n, 0);
        struct zone_pointer pointer;
        assert_int_equal(zone_pointer_parse(text_at(s, POINTER), &pointer), ERR_OK);
        assert_int_equal(pointer.old_n, 0);
        assert_int_equal(pointer.epoch, second);
        assert_int_equal(signs(s, z), second);
        free(z);
        free(s);
}

/* A year: sixteen keys, never more than two at once, and always one that signs. */
static void test_a_year(void **state)
{
        (void)state;
        struct sim *s = world();
        struct zone *z = settled(s);
        while (s->now_s < START + 365 * DAY) {
                do_step(s, z);
                s->events_n = 0;
                assert_true(signs(s, z) != 0);
                size_t standing = fake_zone_all(&s->zone);
                assert_true(standing <= 3);
        }
        assert_int_equal(s->derivations, 16);
        free(z);
        free(s);
}

/* A restart in the middle of a rotation: the old key signs on until the new one is everywhere. */
static void test_restart_while_rotating(void **state)
{
        (void)state;
        struct sim *s = world();
        free(settled(s));
        s->servers[1].behaviour = LAGS;
        s->servers[1].lag_s = 500;
        s->now_s = START + 23 * DAY;
        struct zone *z = machine();
        run(s, z, 30);
        expect_events(s, "found key-found ready chosen found published");
        assert_int_equal(signs(s, z), START);
        free(z);
        z = machine();
        run(s, z, 30);
        expect_events(s, "found key-found key-found ready");
        assert_int_equal(signs(s, z), START);
        run(s, z, 600);
        expect_events(s, "served ready");
        assert_int_equal(signs(s, z), START + 23 * DAY);
        free(z);
        free(s);
}

/* Lesson: a restart after expiry published the old key under a new selector, then a second TXT beside it. */
static void test_start_after_long_absence(void **state)
{
        (void)state;
        struct sim *s = world();
        free(settled(s));
        s->now_s = START + 90 * DAY;
        struct zone *z = machine();
        run(s, z, 2);
        expect_events(s, "found chosen found published served ready");
        assert_int_equal(signs(s, z), START + 90 * DAY);
        run(s, z, 61);
        expect_events(s, "removed");
        assert_int_equal(text_at(s, KEY).n, 0);
        free(z);
        free(s);
}

/* Any number of replicas: the zone settles who chooses. */
static void test_replicas(void **state)
{
        (void)state;
        struct sim *s = world();
        struct zone *replicas[4];
        for (size_t i = 0; i < 4; i++)
                replicas[i] = machine();
        unsigned at = 0;
        while (s->now_s < START + 60 * DAY) { /* step by step in turn: the clock runs four times as fast */
                do_step(s, replicas[at++ % 4]);
                s->events_n = 0;
                assert_true(text_at(s, POINTER).n > 0 || s->now_s < START + 60);
        }
        for (size_t i = 0; i < 4; i++) {
                for (int k = 0; k < 20; k++)
                        do_step(s, replicas[i]);
                assert_true(signs(s, replicas[i]) == signs(s, replicas[0]));
        }
        size_t standing = fake_zone_all(&s->zone);
        assert_in_range(standing, 2, 3);
        assert_true(s->updates <= 12); /* one change a fact, not one a replica */
        for (size_t i = 0; i < 4; i++)
                free(replicas[i]);
        free(s);
}

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

static void test_alias(void **state)
{
        (void)state;
        struct sim *s = world();
        struct zone *z = machine();
        s->has_alias = true;
        run(s, z, 30);
        assert_true(detail_has(s, "alias"));
        assert_int_equal(s->updates, 0);
        free(z);
        free(s);
}

/* A record that was gone and is back is new to the name servers, whoever put it back: we ourselves by an update
 * whose answer was lost, or another process that was faster. */
static void test_put_back_unheard(void **state)
{
        (void)state;
        for (int other = 0; other < 2; other++) {
                struct sim *s = world();
                struct zone *z = settled(s);
                char record[KEY_RECORD_MAX + 1] = {0};
                (void)record_text(S("dkim-1775138006"), record, KEY_RECORD_MAX);
                s->servers[1].behaviour = LAGS;
                s->servers[1].lag_s = 100;
                s->loses_answers = !other;
                assert_int_equal(erase_c(s, KEY), 1);
                while (z->state != ZONE_STATE_WRITE_KEY)
                        do_step(s, z);
                if (other)
                        add_c(s, KEY, record);
                run(s, z, 10);
                expect_events(s, other ? "not-ready key-found" : "not-ready trouble key-found");
                assert_int_equal(signs(s, z), 0);
                run(s, z, 120);
                expect_events(s, "served ready");
                assert_int_equal(s->updates, other ? 2 : 3);
                free(z);
                free(s);
        }
}

/* Where an alias stands no key of ours does. */
static void test_alias_at_the_key(void **state)
{
        (void)state;
        struct sim *s = world();
        struct zone *z = settled(s);
        s->alias = KEY;
        run(s, z, 59);
        expect_events(s, "trouble not-ready");
        assert_true(detail_has(s, "alias"));
        assert_int_equal(signs(s, z), 0);
        s->alias = NULL;
        run(s, z, 59);
        expect_events(s, "key-found served ready");
        free(z);
        free(s);
}

/* Whatever somebody has put at the pointer, the keys that sign are looked at, and nothing is changed. */
static void test_key_gone_and_pointer_spoilt(void **state)
{
        (void)state;
        for (int alias = 0; alias < 2; alias++) {
                struct sim *s = world();
                struct zone *z = settled(s);
                if (alias)
                        s->alias = POINTER;
                else
                        add_c(s, POINTER, "v=PTT1; e=1; id=0102030405060708");
                run(s, z, 59);
                expect_events(s, "trouble");
                assert_int_equal(signs(s, z), START);
                assert_int_equal(erase_c(s, KEY), 1);
                run(s, z, 59);
                expect_events(s, "trouble not-ready");
                assert_int_equal(signs(s, z), 0);
                assert_int_equal(s->updates, 2);
                s->alias = NULL;
                erase_c(s, POINTER);
                run(s, z, 59);
                expect_events(s, "created published served ready");
                assert_int_equal(signs(s, z), START);
                free(z);
                free(s);
        }
}

static const struct zone_update_result refused = {.status = ZONE_UPDATE_REFUSED, .rcode = DNS_RCODE_REFUSED};

/* A rotation that is refused for ever keeps nobody from looking at the key that signs meanwhile. */
static void test_key_gone_and_rotation_refused(void **state)
{
        (void)state;
        struct sim *s = world();
        struct zone *z = settled(s);
        s->now_s = START + 24 * DAY;
        s->says = refused;
        run(s, z, 300);
        assert_int_equal(signs(s, z), START);
        assert_true(s->steps < 10000 && detail_has(s, "REFUSED"));
        s->events_n = 0;
        assert_int_equal(erase_c(s, KEY), 1);
        run(s, z, 61);
        assert_int_equal(signs(s, z), 0);
        assert_int_equal(text_at(s, KEY).n, 0);
        free(z);
        free(s);
}

/* A refused key record: the old one, which signs meanwhile, is looked at all the same. */
static void test_old_key_gone_and_new_one_refused(void **state)
{
        (void)state;
        struct sim *s = world();
        struct zone *z = settled(s);
        s->now_s = START + 23 * DAY;
        while (z->state != ZONE_STATE_WRITE_KEY)
                do_step(s, z);
        s->says = refused;
        run(s, z, 61);
        assert_int_equal(signs(s, z), START);
        assert_int_equal(erase_c(s, KEY), 1);
        run(s, z, 61);
        assert_int_equal(signs(s, z), 0);
        unsigned steps = s->steps;
        run(s, z, 3600);
        assert_true(s->steps - steps < 3600 / ZONE_REST_S * 10); /* it does not hammer */
        s->says = (struct zone_update_result){.status = ZONE_UPDATE_DONE};
        run(s, z, 61);
        assert_int_equal(signs(s, z), START + 23 * DAY);
        free(z);
        free(s);
}

/* What stands in the way at an old key's name holds up neither the new key nor, later, anything but its own removal. */
static void test_old_key_spoilt(void **state)
{
        (void)state;
        for (int alias = 0; alias < 2; alias++) {
                struct sim *s = world();
                struct zone *z = settled(s);
                s->now_s = START + 23 * DAY;
                while (z->state != ZONE_STATE_WRITE_KEY)
                        do_step(s, z);
                if (alias)
                        erase_c(s, s->alias = KEY);
                else
                        for (int i = 0; i < ZONE_SEEN_MAX; i++)
                                add_c(s, KEY, "junk");
                run(s, z, 61);
                assert_int_equal(signs(s, z), START + 23 * DAY);
                run(s, z, 8 * DAY);
                assert_true(alias || detail_has(s, "too many"));
                struct zone_pointer pointer;
                assert_int_equal(zone_pointer_parse(text_at(s, POINTER), &pointer), ERR_OK);
                assert_int_equal(pointer.old_n, alias ? 0 : 1);
                run(s, z, 16 * DAY); /* the next rotation */
                assert_in_range(signs(s, z), START + 46 * DAY, START + 46 * DAY + 200);
                free(z);
                free(s);
        }
}

/* Another --validity was in force when the old key was left: it does not sign beyond its record. */
static void test_old_key_ends_with_its_record(void **state)
{
        (void)state;
        struct sim *s = world();
        free(settled(s));
        erase_c(s, POINTER);
        add_c(s, POINTER, "v=PTT1; e=1775200000; r=1775138006:1775738006; id=0102030405060708");
        s->now_s = 1775200000;
        s->servers[1].behaviour = SILENT;
        struct zone *z = machine();
        int64_t epoch, expiry_s;
        struct str reason;
        run(s, z, 60);
        assert_int_equal(zone_signing(z, s->now_s, &epoch, &expiry_s, &reason), ERR_OK);
        assert_int_equal(epoch, START);
        assert_int_equal(expiry_s, 1775738006);
        free(z);
        free(s);
}

/* A clock that is wrong cannot change the zone: TSIG says BADTIME. It stops signing at most, and goes on when it is right. */
static void test_clock_jumps(void **state)
{
        (void)state;
        static const struct {
                int64_t by_s;
                bool signs;
        } jumps[] = {{DAY, true}, {-DAY, true}, {365 * DAY, false}, {-365 * DAY, true}};
        for (size_t i = 0; i < sizeof jumps / sizeof jumps[0]; i++) {
                struct sim *s = world();
                struct zone *z = settled(s);
                s->now_s += jumps[i].by_s;
                s->says = (struct zone_update_result){.status = ZONE_UPDATE_REFUSED,
                        .rcode = DNS_RCODE_NOTAUTH,
                        .tsig_error = DNS_RCODE_BADTIME,
                        .server_time_s = (uint64_t)(s->now_s - jumps[i].by_s),
                        .our_time_s = (uint64_t)s->now_s};
                run(s, z, 600);
                assert_int_equal(signs(s, z), jumps[i].signs ? START : 0);
                s->now_s -= jumps[i].by_s;
                s->says = (struct zone_update_result){.status = ZONE_UPDATE_DONE};
                run(s, z, 61);
                assert_int_equal(signs(s, z), START);
                assert_true(text_at(s, KEY).n > 0);
                assert_true(str_eq(text_at(s, POINTER), S("v=PTT1; e=1775138006; id=0102030405060708")));
                assert_int_equal(s->updates, 2);
                free(z);
                free(s);
        }
}

/* A primary that was restored from a backup, older than the last rotation: what its pointer names is taken up. */
static void test_zone_restored(void **state)
{
        (void)state;
        struct sim *s = world();
        struct zone *z = settled(s);
        struct fake_zone *backup = malloc(sizeof *backup);
        assert_non_null(backup);
        *backup = s->zone;
        run(s, z, 23 * DAY);
        int64_t second = signs(s, z);
        assert_true(second > START);
        s->events_n = 0;
        s->zone = *backup;
        run(s, z, 3600);
        int64_t third = signs(s, z);
        assert_true(third > second);
        assert_published(s, z);
        assert_int_equal(fake_zone_all(&s->zone), 3); /* pointer, the key of the backup, the new one */
        free(backup);
        free(z);
        free(s);
}

static void test_selector_patterns(void **state)
{
        (void)state;
        static const struct {
                const char *pattern;
                enum err err;
                const char *selector;
        } cases[] = {
                {"dkim-%d", ERR_OK, "dkim-1775138006"},
                {"%d", ERR_OK, "1775138006"},
                {"Sel%dX", ERR_OK, "sel1775138006x"},
                {"dkim", ERR_SYNTAX, NULL},
                {"", ERR_SYNTAX, NULL},
                {"a.%d", ERR_SYNTAX, NULL},
                {"%d%d", ERR_SYNTAX, NULL},
                {"%s%d", ERR_SYNTAX, NULL},
                {"a b%d", ERR_SYNTAX, NULL},
                {"0123456789012345678901234567890123456789012345%d", ERR_OK,
                        "01234567890123456789012345678901234567890123451775138006"},
                {"01234567890123456789012345678901234567890123456%d", ERR_LIMIT, NULL},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                char text[DNS_LABEL_MAX];
                struct wr w;
                wr_init(&w, text, sizeof text);
                assert_int_equal(zone_selector_check(str_of_c(cases[i].pattern)), cases[i].err);
                if (!cases[i].selector)
                        continue;
                zone_selector_write(&w, str_of_c(cases[i].pattern), START);
                assert_true(str_eq(wr_text(&w), str_of_c(cases[i].selector)));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_first_start),
                cmocka_unit_test(test_restarts_change_nothing),
                cmocka_unit_test(test_foreign_password),
                cmocka_unit_test(test_taken_over_while_running),
                cmocka_unit_test(test_wrong_and_second_record),
                cmocka_unit_test(test_too_many_records),
                cmocka_unit_test(test_key_put_back),
                cmocka_unit_test(test_pointer_put_back),
                cmocka_unit_test(test_pointer_of_others),
                cmocka_unit_test(test_name_server_lags),
                cmocka_unit_test(test_name_server_silent),
                cmocka_unit_test(test_one_address_is_enough),
                cmocka_unit_test(test_name_server_without_address),
                cmocka_unit_test(test_dns_down_at_start),
                cmocka_unit_test(test_dns_down_while_running),
                cmocka_unit_test(test_rotation),
                cmocka_unit_test(test_a_year),
                cmocka_unit_test(test_restart_while_rotating),
                cmocka_unit_test(test_start_after_long_absence),
                cmocka_unit_test(test_replicas),
                cmocka_unit_test(test_update_refused),
                cmocka_unit_test(test_update_without_effect),
                cmocka_unit_test(test_prerequisites_always_fail),
                cmocka_unit_test(test_alias),
                cmocka_unit_test(test_put_back_unheard),
                cmocka_unit_test(test_alias_at_the_key),
                cmocka_unit_test(test_key_gone_and_pointer_spoilt),
                cmocka_unit_test(test_key_gone_and_rotation_refused),
                cmocka_unit_test(test_old_key_gone_and_new_one_refused),
                cmocka_unit_test(test_old_key_spoilt),
                cmocka_unit_test(test_old_key_ends_with_its_record),
                cmocka_unit_test(test_clock_jumps),
                cmocka_unit_test(test_zone_restored),
                cmocka_unit_test(test_selector_patterns),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
