/* SPDX-License-Identifier: ISC */
/* For store/damage_test.c: an image with something of everything in it, closed in order. */
#ifndef STORE_DAMAGE_IMAGE_H
#define STORE_DAMAGE_IMAGE_H

#include "store/damage_disk.h"
#include "store/notices.h"
#include "store/requests.h"
#include "store/rig.h"
#include "store/trace.h"

#define DAMAGE_IMAGE (260ull * 1024 * 1024) /* clusters of 4096 bytes */
#define DAMAGE_PATH S("lipap.img")          /* any name will do */
#define DAMAGE_FILES 40

enum { DAMAGE_LISTS = 3, DAMAGE_MESSAGES = 9, DAMAGE_REQUESTS = 60 };

static const size_t damage_members[DAMAGE_LISTS] = {30, 1500, 3};
static const char *const damage_names[DAMAGE_LISTS] = {"ptt", "news", "dev"};
static const size_t damage_sizes[DAMAGE_MESSAGES] = {5000, 200000, 40000, 9000, 1, 4096, 65536, 300, 70001};

static inline void damage_ticket(size_t i, char out[16])
{
        (void)snprintf(out, 16, "ticket-%zu", i);
}

/* A text of `n` bytes, and which one. */
static inline struct str damage_text(char *room, size_t n, uint64_t seed)
{
        for (size_t i = 0; i < n; i++)
                room[i] = (char)('a' + (uint8_t)rig_byte(seed, i) % 26);
        return str_of(room, n);
}

/* Message `i`; of 4, 5 and 6 the recipients are its own, all others go to a list. */
static inline void damage_take(struct rig *r, size_t i)
{
        static const int64_t lists[DAMAGE_MESSAGES] = {1, 1, 2, 3, 0, 0, 0, 1, 2};
        struct str recipients[3] = {S("one@far.example"), S("two@far.example"), S("three@near.example")};
        char ticket[16], front[6000];
        int64_t id;
        damage_ticket(i, ticket);
        struct store_message_new m = {.ticket = str_of_c(ticket),
                .kind = lists[i] != 0 ? STORE_POST : STORE_FORWARD,
                .list = lists[i],
                .domain = S("example.org"),
                .sender = S("sender@elsewhere.example"),
                .message_id = S("<id@elsewhere.example>"),
                .front = damage_text(front, i % 2 == 0 ? 90 : sizeof front, i),
                .is_8bit = i % 3 == 0,
                .received_ms = 5000 + (int64_t)i,
                .recipients = recipients,
                .recipient_count = lists[i] != 0 ? 0 : 3};
        struct store_intake *intake;
        char *body = malloc(damage_sizes[i]);
        assert_non_null(body);
        assert_int_equal(store_intake_begin(r->s, 0, &intake), ERR_OK);
        assert_int_equal(store_intake_write(intake, damage_text(body, damage_sizes[i], 100 + i)), ERR_OK);
        assert_int_equal(store_intake_commit(intake, &m, &id), ERR_OK);
        assert_int_equal(id, i + 1);
        free(body);
}

static inline void damage_sign(struct rig *r, int64_t message)
{
        char prefix[9000];
        struct str text = damage_text(prefix, message % 2 == 0 ? sizeof prefix : 700, 50 + (uint64_t)message);
        assert_int_equal(store_ticket_sign(r->s, message, text), ERR_OK);
}

static inline void damage_result(struct rig *r, const struct store_delivery *d, size_t i)
{
        enum err err = ERR_OK; /* some stay in flight */
        if (i % 4 == 0)
                err = store_delivery_done(r->s, d->id, 1, 250, S("250 ok"));
        else if (i % 4 == 1)
                err = store_delivery_defer(
                        r->s, d->id, DAMAGE_NOW_MS + (int64_t)i * 1000, S("451 4.7.1 later"));
        else if (i % 4 == 2)
                err = store_delivery_fail(r->s, d->id, 7000, 550, S("550 5.1.1 nobody"));
        assert_int_equal(err, ERR_OK);
}

/* Open, signed, held, in delivery, waiting, failed, done. */
static inline void damage_deliver(struct rig *r)
{
        struct store_delivery *d;
        size_t n;
        damage_sign(r, 4);
        assert_int_equal(store_post_fill(r->s, 6000, 10, &r->arena, &d, &n), ERR_OK);
        assert_int_equal(n, damage_members[2]);
        for (size_t i = 0; i < n; i++)
                assert_int_equal(store_delivery_done(r->s, d[i].id, 1, 250, S("250 ok")), ERR_OK);
        damage_sign(r, 3);
        assert_int_equal(store_post_fill(r->s, 6000, 60, &r->arena, &d, &n), ERR_OK);
        for (size_t i = 0; i < n; i++)
                damage_result(r, &d[i], i);
        damage_sign(r, 2);
        damage_sign(r, 6);
        assert_int_equal(store_queue_hold(r->s, 6), ERR_OK);
        assert_int_equal(store_queue_hold(r->s, 8), ERR_OK);
        assert_int_equal(store_failure_add(r->s, 7, 8000, S("a bounce")), ERR_OK);
}

static inline void damage_settle(struct rig *r)
{
        char value[5000];
        assert_int_equal(store_setting_put(r->s, 1, S("title"), S("The list of lists")), ERR_OK);
        assert_int_equal(store_setting_put(r->s, 1, S("closed"), S("yes")), ERR_OK);
        assert_int_equal(
                store_setting_put(r->s, 3, S("footer"), damage_text(value, sizeof value, 9)), ERR_OK);
        assert_int_equal(store_moderator_add(r->s, 2, S("Second@example.org")), ERR_OK);
        assert_int_equal(store_member_remove(r->s, 2, S("m5@d5.example")), ERR_OK);
}

/* What waits for answers, mail that is to be written, bans, and what is told of messages: over many pages. */
static inline void damage_moderate(struct rig *r)
{
        char address[48], data[2000];
        int64_t id;
        for (size_t i = 0; i < DAMAGE_REQUESTS; i++) {
                (void)snprintf(address, sizeof address, "Asker%zu@d%zu.example", i, i % 5);
                struct str text = damage_text(data, i * 37 % sizeof data, i);
                const struct store_request_new request = {.list = 1 + (int64_t)(i % DAMAGE_LISTS),
                        .purpose = 1,
                        .address = str_of_c(address),
                        .data = text,
                        .now_ms = 5000 + (int64_t)i};
                assert_int_equal(store_request_add(r->s, &request, &id), ERR_OK);
                const struct store_notice notice = {.list = 2,
                        .kind = S("join-waits"),
                        .address = i % 2 ? str_of_c(address) : S(""),
                        .request = id,
                        .data = text};
                assert_int_equal(store_notice_add(r->s, &notice, &id), ERR_OK);
                const struct store_ban_new ban = {
                        .list = 1, .address = str_of_c(address), .until_ms = (int64_t)i};
                assert_int_equal(store_ban_put(r->s, &ban), ERR_OK);
        }
        assert_int_equal(store_member_options(r->s, 1, S("M3@d3.example"), 0, STORE_NO_OWN), ERR_OK);
}

/* The operator's own files, some of them in folders. */
static inline void damage_file(struct fat *f, const char *path, size_t size, uint64_t seed)
{
        struct fat_file *file = malloc(sizeof *file);
        char *bytes = malloc(size + 1);
        assert_true(file != NULL && bytes != NULL);
        assert_int_equal(fat_file_open(f, file, str_of_c(path), FAT_OPEN_NEW, 5), ERR_OK);
        assert_int_equal(fat_write(file, 0, damage_text(bytes, size, seed).p, size, 5), ERR_OK);
        fat_file_close(file);
        free(bytes);
        free(file);
}

static inline void damage_operator(struct damage_disk *d)
{
        struct volume v;
        char path[200];
        assert_int_equal(volume_open(&v, &d->host, DAMAGE_PATH, VOLUME_TOOL), ERR_OK);
        assert_int_equal(fat_mkdir(v.fat, S("Letters and other papers"), 5), ERR_OK);
        assert_int_equal(fat_mkdir(v.fat, S("Letters and other papers/2026"), 5), ERR_OK);
        for (size_t i = 0; i < DAMAGE_FILES; i++) {
                (void)snprintf(
                        path, sizeof path, "Letters and other papers/2026/%zu, à propos de la liste.txt", i);
                damage_file(v.fat, path, i % 8 == 0 ? 0 : i * 300, i);
        }
        damage_file(v.fat, "README.TXT", 50000, 77);
        assert_int_equal(volume_close(&v), ERR_OK);
}

static inline void damage_make(struct damage_disk *d)
{
        struct rig *r = calloc(1, sizeof *r);
        assert_non_null(r);
        damage_disk_init(d, DAMAGE_IMAGE);
        r->h = &d->host;
        arena_init(&r->arena, r->memory, sizeof r->memory);
        assert_int_equal(store_create(r->h, DAMAGE_PATH), ERR_OK);
        damage_operator(d);
        assert_int_equal(store_open(r->h, DAMAGE_PATH, &r->s), ERR_OK);
        for (size_t i = 0; i < DAMAGE_LISTS; i++)
                assert_int_equal(rig_list(r, damage_names[i], damage_members[i]), i + 1);
        damage_settle(r);
        for (size_t i = 0; i < DAMAGE_MESSAGES; i++)
                damage_take(r, i);
        damage_deliver(r);
        damage_moderate(r);
        store_close(r->s);
        free(r);
}

#endif
