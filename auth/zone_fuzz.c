/* SPDX-License-Identifier: ISC */
/* The zone machine against a name server that says anything: each byte of the input chooses an answer. Whatever it says,
 * the machine never spins, every change has a prerequisite, and a key signs only after the server has shown it. */
#include <stdlib.h>

#include "auth/fake_zone.h"
#include "auth/zone.h"

#define STEPS_MAX 4096
#define POINTER "v=PTT1; e=1775138006; id=0102030405060708"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
        const uint8_t *p;
        size_t n;
};

static uint8_t take(struct input *in)
{
        if (in->n == 0)
                return 0;
        in->n--;
        return *in->p++;
}

static struct str record_of(const struct zone_step *step, char *room, size_t cap)
{
        struct wr w;
        wr_init(&w, room, cap);
        wr_str(&w, S("v=DKIM1; k=rsa; p="));
        wr_str(&w, str_of(step->selector, step->selector_n));
        return wr_text(&w);
}

/* A text that the server shows: right ones too, or the machine would never come far. */
static struct str text_of(struct input *in, const struct zone *z, char *room, size_t cap)
{
        uint8_t choice = take(in);
        struct wr w;
        wr_init(&w, room, cap);
        if (choice < 64 && z->key_n > 0) {
                const struct zone_key *key = &z->keys[choice % z->key_n];
                return str_of(key->record, key->record_n);
        }
        if (choice < 92)
                return S(POINTER);
        if (choice < 96)
                return S("v=DKIM1; k=rsa; p=");
        if (choice < 128) {
                wr_str(&w, S("v=PTT1; e="));
                wr_u64(&w, 1775138006 + ((uint64_t)take(in) << 16));
                wr_str(&w, S("; r="));
                wr_u64(&w, 1700000000 + ((uint64_t)take(in) << 18));
                wr_byte(&w, ':');
                wr_u64(&w, 1700000000 + ((uint64_t)take(in) << 20));
                wr_str(&w, choice & 1 ? S("; f=1700000000") : S(""));
                wr_str(&w, choice & 2 ? S("; n=1779000000") : S(""));
                wr_str(&w, choice & 12 ? S("; id=0102030405060708") : S("; id=0902030405060708"));
                return wr_text(&w);
        }
        for (size_t n = choice & 31; n > 0; n--)
                wr_byte(&w, (char)take(in));
        return wr_text(&w);
}

static enum err answer(
        struct input *in, const struct zone *z, const struct zone_step *step, struct dns_answer *a)
{
        static struct dns_value values[12];
        static char texts[12][256], wires[12][300];
        static const enum err errors[] = {ERR_TIMEOUT, ERR_DENIED, ERR_SYNTAX, ERR_UNREACHABLE};
        uint8_t choice = take(in);
        *a = (struct dns_answer){.name = step->name, .values = values, .rcode = choice & 15};
        if (choice >= 240)
                return errors[choice & 3];
        a->status = choice & 1 ? DNS_FOUND : (enum dns_status)(choice >> 1 & 3);
        if (a->status != DNS_FOUND)
                return ERR_OK;
        a->count = 1 + (choice >= 200 ? take(in) % 12 : 0);
        for (size_t i = 0; i < a->count; i++) {
                struct wr w;
                wr_init(&w, wires[i], sizeof wires[i]);
                values[i] = (struct dns_value){0};
                if (step->type == DNS_TYPE_TXT) {
                        values[i].text = text_of(in, z, texts[i], sizeof texts[i]);
                        dns_txt_write_wire(&w, values[i].text);
                        values[i].wire = wr_text(&w);
                } else if (step->type == DNS_TYPE_NS) {
                        values[i].name = z->config.zone;
                } else {
                        values[i].ip = ip_v4(10, 0, 0, take(in));
                }
        }
        return ERR_OK;
}

static void check_update(const struct zone *z)
{
        static char buffer[ZONE_UPDATE_MAX];
        struct dns_update u;
        struct dns_reader r;
        struct dns_record record;
        struct str message;
        size_t prerequisites = 0, changes = 0;
        dns_update_init(&u, buffer, sizeof buffer, 1, &z->config.zone);
        zone_fill_update(z, &u);
        CHECK(dns_update_end(&u, &message) == ERR_OK);
        CHECK(dns_reader_init(&r, message) == ERR_OK);
        while (dns_reader_record(&r, &record) == ERR_OK) {
                prerequisites += record.section == DNS_PREREQUISITE;
                changes += record.section == DNS_UPDATE;
                CHECK(dns_name_is_under(&record.name, &z->config.domain));
        }
        CHECK(prerequisites > 0 && changes > 0);
}

static void do_step(struct input *in, struct zone *z, int64_t *now_s)
{
        struct zone_step step;
        struct dns_answer a;
        char room[128];
        struct zone_event event;
        zone_next(z, *now_s, &step);
        if (take(in) < 128) /* a caller may also be slow to take them */
                while (zone_take_event(z, &event))
                        CHECK(event.selector_n <= sizeof event.selector &&
                                event.detail_n <= sizeof event.detail);
        switch (step.action) {
        case ZONE_QUERY: {
                enum err e = answer(in, z, &step, &a);
                zone_answered(z, *now_s, e, &a);
                break;
        }
        case ZONE_UPDATE: {
                check_update(z);
                uint8_t choice = take(in);
                struct zone_update_result result = {
                        .status = choice < 128 ? ZONE_UPDATE_DONE : (choice & 3), .rcode = choice & 15};
                zone_updated(z, *now_s, &result);
                break;
        }
        case ZONE_DERIVE:
                zone_derived(z, *now_s, take(in) == 255 ? S("") : record_of(&step, room, sizeof room));
                break;
        case ZONE_WAIT:
                CHECK(step.wait_s >= 1 && step.wait_s <= ZONE_REST_S);
                *now_s += step.wait_s + ((int64_t)take(in) << 10);
                break;
        case ZONE_END:
                CHECK(zone_revoked(z) != ERR_AGAIN);
                in->n = 0;
                break;
        }
}

static void check_signing(const struct zone *z, int64_t now_s)
{
        for (int kind = 0; kind < ZONE_KINDS; kind++) {
                struct zone_signing signing;
                enum err e = zone_signing(z, now_s, (enum zone_kind)kind, &signing);
                CHECK((e == ERR_OK) == (signing.lack == ZONE_LACK_NONE));
                if (e != ERR_OK)
                        continue;
                const struct zone_key *key = &z->keys[signing.key];
                CHECK(signing.key < z->key_n && (int)key->kind == kind && key->is_published &&
                        !z->is_foreign);
                CHECK(signing.expiry_s - now_s >= z->config.queue_life_s);
                CHECK(!zone_pointer_old(&z->pointer, key->epoch) ||
                        !zone_pointer_old(&z->pointer, key->epoch)->is_former);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct input in = {data, size};
        struct zone_config config = {
                .domain = fake_name("lists.example.org"),
                .zone = fake_name("example.org"),
                .primary = ip_v4(10, 0, 0, 1),
                .id = {1, 2, 3, 4, 5, 6, 7, 8},
                .selector = S("dkim-%d"),
                .validity_s = 30 * 86400,
                .overlap_s = 7 * 86400,
                .queue_life_s = 5 * 86400,
                .ttl_s = 60,
        };
        uint8_t choice = take(&in);
        config.mode = (enum zone_mode)(choice & 3);
        config.has_ed25519 = choice & 4;
        config.arc_selector = choice & 8 ? S("arc-%d") : S("");
        config.is_rotation_test = choice & 16;
        struct zone *z = malloc(sizeof *z);
        int64_t now_s = 1775138006, before_s = now_s;
        unsigned at_once = 0;
        CHECK(z && zone_init(z, &config) == ERR_OK);
        for (int i = 0; i < STEPS_MAX && in.n > 0; i++) {
                do_step(&in, z, &now_s);
                at_once = now_s == before_s ? at_once + 1 : 0;
                before_s = now_s;
                CHECK(at_once < 400);
                check_signing(z, now_s);
        }
        free(z);
        return 0;
}
