/* SPDX-License-Identifier: ISC */
/* For tests of the zone machine: a simulated primary with its zone and name servers, and a clock. `run` and `do_step` play
 * the machine against them; what it tells stands in `events`, and whenever it is ready its key is looked for in the zone. */
#ifndef AUTH_ZONE_SIM_H
#define AUTH_ZONE_SIM_H

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
        int64_t lag_s;          /* LAGS: shows a record so much later */
        uint16_t address_rcode; /* what the primary answers to those who ask for its address; 0: tells it */
};

struct sim {
        int64_t now_s;
        struct fake_zone zone;
        unsigned updates, steps, derivations;
        bool is_down, is_deaf; /* no answers; updates say NOERROR and do nothing */
        bool loses_answers;    /* updates are done, and nobody hears of it */
        bool is_wild; /* records change between a look and what follows from it: a key that is ready may be gone */
        struct zone_update_result says; /* when status is not DONE: to every update */
        struct server servers[SERVERS];
        bool has_alias;    /* every TXT name is a CNAME */
        const char *alias; /* this one is */
        char events[4096];
        size_t events_n;
        char detail[ZONE_TEXT_MAX]; /* of the last event */
        size_t detail_n;
};

static inline void add_c(struct sim *s, const char *name, const char *text)
{
        struct dns_name n = fake_name(name);
        s->zone.now_s = s->now_s;
        fake_zone_add(&s->zone, &n, str_of_c(text));
}

static inline size_t erase_c(struct sim *s, const char *name)
{
        struct dns_name n = fake_name(name);
        return fake_zone_erase(&s->zone, &n);
}

static inline struct str text_at(const struct sim *s, const char *name)
{
        return fake_zone_only(&s->zone, name);
}

/* Answers. */

struct answer_room {
        struct dns_value values[FAKE_ZONE_RECORDS];
        char wire[FAKE_ZONE_RECORDS][KEY_RECORD_MAX + 8];
        struct dns_answer answer;
};

static inline enum err answer_txt(
        const struct sim *s, const struct dns_name *name, int64_t lag_s, struct answer_room *room)
{
        for (size_t i = 0; i < FAKE_ZONE_RECORDS; i++) {
                if (!fake_zone_stands_at(&s->zone, i, name) ||
                        (lag_s > 0 && s->zone.records[i].since_s + lag_s > s->now_s))
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

static inline enum err answer_primary(
        const struct sim *s, const struct zone_step *step, struct answer_room *room)
{
        if (s->is_down)
                return ERR_TIMEOUT;
        if (step->type == DNS_TYPE_TXT)
                return answer_txt(s, &step->name, 0, room);
        room->answer.status = DNS_NO_DATA;
        for (size_t i = 0; i < SERVERS && s->servers[i].name; i++) {
                struct dns_name name = fake_name(s->servers[i].name);
                struct ip ip;
                struct dns_value *v = &room->values[room->answer.count];
                if (step->type == DNS_TYPE_NS) {
                        v->name = name;
                } else {
                        assert_int_equal(ip_parse(str_of_c(s->servers[i].ip), &ip), ERR_OK);
                        bool is_it = dns_name_eq(&name, &step->name);
                        if (is_it && s->servers[i].address_rcode != 0) {
                                room->answer.rcode = s->servers[i].address_rcode;
                                return ERR_DENIED;
                        }
                        if (!is_it || ip.family != (step->type == DNS_TYPE_A ? 4 : 6))
                                continue;
                        v->ip = ip;
                }
                room->answer.count++;
                room->answer.status = DNS_FOUND;
        }
        return ERR_OK;
}

static inline enum err answer_server(
        const struct sim *s, const struct zone_step *step, struct answer_room *room)
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
                return answer_txt(
                        s, &step->name, s->servers[i].behaviour == LAGS ? s->servers[i].lag_s : 0, room);
        }
        fail_msg("a server was asked that the zone does not name");
        return ERR_OK;
}

static inline struct zone_update_result update(struct sim *s, const struct zone *z)
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
        s->zone.now_s = s->now_s;
        uint16_t rcode =
                s->is_deaf ? fake_zone_pass(&s->zone, message, false) : fake_zone_update(&s->zone, message);
        if (rcode != DNS_RCODE_NOERROR)
                return (struct zone_update_result){.status = ZONE_UPDATE_REFUSED, .rcode = rcode};
        s->updates++;
        if (s->loses_answers)
                return (struct zone_update_result){.status = ZONE_UPDATE_LOST, .err = ERR_TIMEOUT};
        return (struct zone_update_result){.status = ZONE_UPDATE_DONE};
}

/* Driving. */

static const char *const event_names[ZONE_EVENTS] = {
        [ZONE_EVENT_POINTER_CREATED] = "created",
        [ZONE_EVENT_POINTER_FOUND] = "found",
        [ZONE_EVENT_POINTER_RESTORED] = "restored",
        [ZONE_EVENT_TAKEN_OVER] = "taken-over",
        [ZONE_EVENT_EPOCH_ANNOUNCED] = "announced",
        [ZONE_EVENT_EPOCH_CHOSEN] = "chosen",
        [ZONE_EVENT_KEY_FOUND] = "key-found",
        [ZONE_EVENT_KEY_PUBLISHED] = "published",
        [ZONE_EVENT_KEY_REPLACED] = "replaced",
        [ZONE_EVENT_KEY_EMPTIED] = "emptied",
        [ZONE_EVENT_KEY_REMOVED] = "removed",
        [ZONE_EVENT_EPOCH_FORGOTTEN] = "forgotten",
        [ZONE_EVENT_SERVED] = "served",
        [ZONE_EVENT_NOT_SERVED] = "not-served",
        [ZONE_EVENT_UNASKED] = "unasked",
        [ZONE_EVENT_READY] = "ready",
        [ZONE_EVENT_NOT_READY] = "not-ready",
        [ZONE_EVENT_TROUBLE] = "trouble",
};

/* What the machine says of a kind. */
static inline int64_t signs_kind(const struct sim *s, const struct zone *z, enum zone_kind kind)
{
        struct zone_signing signing;
        enum err e = zone_signing(z, s->now_s, kind, &signing);
        assert_true((e == ERR_OK) == (signing.reason.n == 0));
        assert_true((e == ERR_OK) == (signing.lack == ZONE_LACK_NONE));
        return e == ERR_OK ? z->keys[signing.key].epoch : 0;
}

static inline int64_t signs(const struct sim *s, const struct zone *z)
{
        return signs_kind(s, z, ZONE_DKIM_RSA);
}

static inline struct str reason_of(const struct sim *s, const struct zone *z)
{
        struct zone_signing signing;
        assert_int_equal(zone_signing(z, s->now_s, ZONE_DKIM_RSA, &signing), ERR_NOT_FOUND);
        return signing.reason;
}

static inline int64_t expiry_of_signing(const struct sim *s, const struct zone *z)
{
        struct zone_signing signing;
        assert_int_equal(zone_signing(z, s->now_s, ZONE_DKIM_RSA, &signing), ERR_OK);
        return signing.expiry_s;
}

static inline struct str record_text(struct str selector, char *room, size_t cap)
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

static inline void key_name_of(int64_t epoch, char out[128])
{
        struct wr w;
        wr_init(&w, out, 127);
        wr_str(&w, S("dkim-"));
        wr_u64(&w, (uint64_t)epoch);
        wr_str(&w, S("._domainkey.lists.example.org"));
        out[w.n] = '\0';
}

/* What signs is published, whenever that was just decided. */
static inline void assert_published(const struct sim *s, const struct zone *z)
{
        for (int kind = 0; kind < ZONE_KINDS; kind++) {
                struct zone_signing signing;
                char name[192], room[KEY_RECORD_MAX];
                struct wr w;
                if (zone_signing(z, s->now_s, (enum zone_kind)kind, &signing) != ERR_OK)
                        continue;
                const struct zone_key *key = &z->keys[signing.key];
                struct str selector = str_of(key->selector, key->selector_n);
                wr_init(&w, name, sizeof name - 1);
                wr_str(&w, selector);
                wr_str(&w, S("._domainkey.lists.example.org"));
                name[w.n] = '\0';
                assert_true(str_eq(text_at(s, name), record_text(selector, room, sizeof room)));
                assert_true(signing.expiry_s <= key->epoch + z->config.validity_s);
                assert_true(signing.expiry_s - s->now_s >= z->config.queue_life_s);
        }
}

static inline void take_events(struct sim *s, struct zone *z)
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
                if (event.kind == ZONE_EVENT_READY && !s->is_down && !s->is_wild)
                        assert_published(s, z);
        }
}

static inline void do_step(struct sim *s, struct zone *z)
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
                zone_derived(
                        z, s->now_s, record_text(str_of(step.selector, step.selector_n), text, sizeof text));
                break;
        case ZONE_WAIT:
                assert_true(step.wait_s >= 1 && step.wait_s <= ZONE_REST_S);
                s->now_s += step.wait_s;
                break;
        case ZONE_END:
                s->now_s++;
                break;
        }
        take_events(s, z);
}

static inline void run(struct sim *s, struct zone *z, int64_t seconds)
{
        int64_t until_s = s->now_s + seconds;
        unsigned at_once = 0;
        while (s->now_s < until_s) {
                int64_t before_s = s->now_s;
                do_step(s, z);
                at_once = s->now_s == before_s ? at_once + 1 : 0;
                assert_true(at_once < 400); /* a machine that spins */
        }
}

static inline void expect_events(struct sim *s, const char *expected)
{
        if (!str_eq(str_of(s->events, s->events_n), str_of_c(expected)))
                fail_msg("events: %.*s; expected: %s", (int)s->events_n, s->events, expected);
        s->events_n = 0;
}

static inline bool detail_has(const struct sim *s, const char *text)
{
        struct str detail = str_of(s->detail, s->detail_n);
        return str_find(detail, str_of_c(text)) < detail.n;
}

static inline struct zone_config usual_config(uint8_t id)
{
        return (struct zone_config){.selector = S("dkim-%d"),
                .domain = fake_name("lists.example.org"),
                .zone = fake_name("example.org"),
                .primary = ip_v4(10, 0, 0, 1),
                .id = {id, 2, 3, 4, 5, 6, 7, 8},
                .validity_s = 30 * DAY,
                .overlap_s = 7 * DAY,
                .queue_life_s = 5 * DAY,
                .ttl_s = 3600};
}

static inline struct zone *machine_of(const struct zone_config *config)
{
        struct zone *z = malloc(sizeof *z);
        assert_non_null(z);
        assert_int_equal(zone_init(z, config), ERR_OK);
        return z;
}

static inline struct zone *machine_with_id(uint8_t id)
{
        struct zone_config config = usual_config(id);
        return machine_of(&config);
}

static inline struct zone *machine(void)
{
        return machine_with_id(1);
}

static inline struct sim *world(void)
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
static inline struct zone *settled(struct sim *s)
{
        struct zone *z = machine();
        run(s, z, 2);
        expect_events(s, "created found published served ready");
        run(s, z, DAY);
        expect_events(s, "");
        return z;
}

#endif
