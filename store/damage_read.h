/* SPDX-License-Identifier: ISC */
/* For store/damage_test.c: everything that a server reads, and some of what it does, as a list of items. The first run
 * writes the list; each later one compares: the same, or an error. */
#ifndef STORE_DAMAGE_READ_H
#define STORE_DAMAGE_READ_H

#include "base/wr.h"
#include "store/damage_image.h"
#include "store/open_tickets.h"

#define DAMAGE_ITEM_MAX (256 * 1024)
#define DAMAGE_TRUTH_MAX (8 * 1024 * 1024)

struct damage_item {
        enum err err;
        size_t n; /* bytes that follow */
};

struct damage_reading {
        struct store *s;
        struct arena arena;
        bool is_truth;
        char *truth;
        size_t truth_n, at;
        struct wr item;
        char what[160]; /* the first item that is wrong */
        unsigned items, refused, wrong;
        char room[DAMAGE_ITEM_MAX];
        char memory[2 * 1024 * 1024];
};

static inline struct damage_reading *damage_reading_new(void)
{
        struct damage_reading *r = calloc(1, sizeof *r);
        CHECK(r != NULL && (r->truth = malloc(DAMAGE_TRUTH_MAX)) != NULL);
        r->is_truth = true;
        return r;
}

static inline void damage_reading_free(struct damage_reading *r)
{
        free(r->truth);
        free(r);
}

static inline void put_i64(struct damage_reading *r, int64_t v)
{
        wr_str(&r->item, str_of((const char *)&v, sizeof v));
}

static inline void put_str(struct damage_reading *r, struct str s)
{
        put_i64(r, (int64_t)s.n);
        wr_str(&r->item, s);
}

static inline void item_begin(struct damage_reading *r)
{
        wr_init(&r->item, r->room, sizeof r->room);
        arena_init(&r->arena, r->memory, sizeof r->memory);
}

static inline void item_judge(struct damage_reading *r, const char *name, int64_t which, enum err err)
{
        struct damage_item want;
        memcpy(&want, r->truth + r->at, sizeof want);
        const char *bytes = r->truth + r->at + sizeof want;
        r->at += sizeof want + want.n;
        if (err == want.err && r->item.n == want.n && memcmp(r->room, bytes, want.n) == 0)
                return;
        if (err == ERR_CORRUPT) {
                r->refused++;
                return;
        }
        if (r->wrong++ == 0)
                (void)snprintf(r->what, sizeof r->what, "%s %lld: %s", name, (long long)which, err_text(err));
}

/* The outcome of a call is an item; what it gave counts when it was ERR_OK. */
static inline enum err item_end(struct damage_reading *r, const char *name, int64_t which, enum err err)
{
        struct damage_item item = {err, 0};
        CHECK(!r->item.full);
        if (err != ERR_OK)
                r->item.n = 0;
        item.n = r->item.n;
        r->items++;
        if (!r->is_truth) {
                item_judge(r, name, which, err);
                return err;
        }
        CHECK(DAMAGE_TRUTH_MAX - r->truth_n >= sizeof item + item.n);
        memcpy(r->truth + r->truth_n, &item, sizeof item);
        memcpy(r->truth + r->truth_n + sizeof item, r->room, item.n);
        r->truth_n += sizeof item + item.n;
        return err;
}

/* Lists. */

static inline void put_list(struct damage_reading *r, const struct store_list *l)
{
        put_i64(r, l->id);
        put_str(r, l->name);
        put_str(r, l->domain);
        for (size_t i = 0; i < l->setting_count; i++) {
                put_str(r, l->settings[i].name);
                put_str(r, l->settings[i].value);
        }
}

static inline void put_texts(struct damage_reading *r, const struct str *texts, size_t n)
{
        for (size_t i = 0; i < n; i++)
                put_str(r, texts[i]);
}

static inline void put_member(struct damage_reading *r, const struct store_member *m)
{
        put_i64(r, m->id);
        put_i64(r, m->list);
        put_str(r, m->address);
        put_i64(r, m->joined_ms);
        put_i64(r, m->options);
}

static inline void read_list(struct damage_reading *r, int64_t id)
{
        struct store_list list;
        struct str *texts;
        uint64_t members;
        size_t n;
        item_begin(r);
        enum err err = store_list_get(r->s, id, &r->arena, &list);
        put_list(r, &list);
        (void)item_end(r, "list", id, err);
        item_begin(r);
        err = store_list_find(r->s, str_of_c(damage_names[id - 1]), S("example.org"), &r->arena, &list);
        put_list(r, &list);
        (void)item_end(r, "list by name", id, err);
        item_begin(r);
        err = store_moderators(r->s, id, &r->arena, &texts, &n);
        put_texts(r, texts, n);
        (void)item_end(r, "moderators", id, err);
        item_begin(r);
        err = store_member_count(r->s, id, &members);
        put_i64(r, (int64_t)members);
        (void)item_end(r, "member count", id, err);
}

static inline void read_members(struct damage_reading *r, int64_t list)
{
        struct store_member *m, one = {0};
        size_t n;
        char address[48];
        item_begin(r);
        enum err err = store_members(r->s, list, 0, SIZE_MAX / 2, &r->arena, &m, &n);
        for (size_t i = 0; i < n; i++)
                put_member(r, &m[i]);
        (void)item_end(r, "members", list, err);
        for (size_t i = 0; i < damage_members[list - 1]; i += 1 + damage_members[list - 1] / 20) {
                (void)snprintf(address, sizeof address, "m%zu@D%zu.example", i, i % 7);
                item_begin(r);
                err = store_member_find(r->s, list, str_of_c(address), &r->arena, &one);
                put_member(r, &one);
                (void)item_end(r, "member by address", (int64_t)i, err);
        }
}

static inline void read_lists(struct damage_reading *r)
{
        struct store_list *lists;
        struct store_member member = {0};
        struct str *texts;
        size_t n;
        item_begin(r);
        enum err err = store_lists(r->s, S(""), &r->arena, &lists, &n);
        for (size_t i = 0; i < n; i++)
                put_list(r, &lists[i]);
        (void)item_end(r, "lists", 0, err);
        item_begin(r);
        err = store_domains(r->s, &r->arena, &texts, &n);
        put_texts(r, texts, n);
        (void)item_end(r, "domains", 0, err);
        item_begin(r);
        err = store_domain_moderators(r->s, S("example.org"), &r->arena, &texts, &n);
        put_texts(r, texts, n);
        (void)item_end(r, "moderators of the domain", 0, err);
        for (int64_t id = 1; id <= DAMAGE_LISTS; id++) {
                read_list(r, id);
                read_members(r, id);
        }
        for (int64_t id = 1; id < 1550; id += 97) {
                item_begin(r);
                err = store_member_get(r->s, id, &r->arena, &member);
                put_member(r, &member);
                (void)item_end(r, "member", id, err);
        }
}

/* Messages. */

static inline void put_message(struct damage_reading *r, const struct store_message *m)
{
        put_i64(r, m->id);
        put_i64(r, m->list);
        put_i64(r, m->kind);
        put_i64(r, m->state);
        put_str(r, m->ticket);
        put_str(r, m->domain);
        put_str(r, m->sender);
        put_str(r, m->message_id);
        put_i64(r, m->is_8bit + 2 * m->is_smtputf8);
        put_i64(r, m->received_ms);
        put_i64(r, (int64_t)(m->prefix_size + m->front_size + m->body_size));
}

static inline void read_bytes(struct damage_reading *r, int64_t id, enum store_part part)
{
        struct store_reader *reader;
        char *bytes = malloc(DAMAGE_ITEM_MAX);
        CHECK(bytes != NULL);
        item_begin(r);
        enum err err = store_reader_open(r->s, id, part, &reader);
        size_t got = 0;
        if (err == ERR_OK)
                err = store_reader_read(reader, 0, bytes, DAMAGE_ITEM_MAX - 64, &got);
        put_str(r, str_of(bytes, got));
        (void)item_end(r, "bytes of message", id, err);
        store_reader_close(reader);
        free(bytes);
}

static inline void read_message(struct damage_reading *r, int64_t id)
{
        struct store_message m;
        char ticket[16];
        item_begin(r);
        enum err err = store_message_get(r->s, id, &r->arena, &m);
        put_message(r, &m);
        (void)item_end(r, "message", id, err);
        damage_ticket((size_t)id - 1, ticket);
        item_begin(r);
        err = store_ticket_find(r->s, str_of_c(ticket), &r->arena, &m);
        put_message(r, &m);
        (void)item_end(r, "message by ticket", id, err);
        read_bytes(r, id, STORE_WHOLE);
        read_bytes(r, id, STORE_SENT);
}

/* The queue. */

static inline void read_queue(struct damage_reading *r)
{
        struct store_queued *q;
        size_t n;
        item_begin(r);
        enum err err = store_queue(r->s, 0, 100, &r->arena, &q, &n);
        for (size_t i = 0; i < n; i++) {
                put_i64(r, q[i].message);
                put_i64(r, q[i].list);
                put_str(r, q[i].list_name);
                put_str(r, q[i].domain);
                put_str(r, q[i].sender);
                put_str(r, q[i].message_id);
                put_i64(r, q[i].is_signed + 2 * q[i].is_held);
                put_i64(r, q[i].received_ms);
                put_i64(r, (int64_t)q[i].size);
                put_i64(r, (int64_t)q[i].left);
        }
        (void)item_end(r, "queue", 0, err);
}

static inline void read_waiting(struct damage_reading *r, int64_t message)
{
        struct store_waiting *w;
        size_t n;
        item_begin(r);
        enum err err = store_queue_waiting(r->s, message, 0, 500, &r->arena, &w, &n);
        for (size_t i = 0; i < n; i++) {
                put_i64(r, w[i].id);
                put_i64(r, w[i].message);
                put_i64(r, w[i].member);
                put_str(r, w[i].address);
                put_str(r, w[i].reply);
                put_i64(r, (int64_t)w[i].attempts + (w[i].in_flight ? 1000 : 0));
                put_i64(r, w[i].next_ms);
        }
        (void)item_end(r, "deliveries of message", message, err);
}

static inline void read_failures(struct damage_reading *r)
{
        struct store_failure *f;
        size_t n;
        item_begin(r);
        enum err err = store_failures(r->s, 0, 100, &r->arena, &f, &n);
        for (size_t i = 0; i < n; i++) {
                put_i64(r, f[i].id);
                put_i64(r, f[i].member);
                put_i64(r, f[i].message);
                put_str(r, f[i].list_name);
                put_str(r, f[i].domain);
                put_str(r, f[i].address);
                put_str(r, f[i].message_id);
                put_str(r, f[i].reply);
                put_i64(r, f[i].code);
                put_i64(r, f[i].time_ms);
        }
        (void)item_end(r, "failures", 0, err);
}

static inline void read_tickets(struct damage_reading *r)
{
        int64_t ids[50], when_ms;
        size_t n;
        item_begin(r);
        enum err err = open_tickets(r->s, 0, 50, ids, &n);
        for (size_t i = 0; i < n; i++)
                put_i64(r, ids[i]);
        (void)item_end(r, "open tickets", 0, err);
        item_begin(r);
        err = store_delivery_next_due(r->s, &when_ms);
        put_i64(r, when_ms);
        (void)item_end(r, "next due", 0, err);
}

/* Moderation. */

static inline void put_request(struct damage_reading *r, const struct store_request *q)
{
        put_i64(r, q->id);
        put_i64(r, q->list);
        put_str(r, q->list_name);
        put_i64(r, q->purpose);
        put_str(r, q->address);
        put_str(r, q->data);
        put_i64(r, q->made_ms + q->told_ms + q->message);
}

static inline void read_requests(struct damage_reading *r)
{
        struct store_request *q, one;
        struct store_request_counts counts;
        size_t n;
        item_begin(r);
        enum err err = store_requests(r->s, 0, 0, DAMAGE_REQUESTS, &r->arena, &q, &n);
        for (size_t i = 0; i < n; i++)
                put_request(r, &q[i]);
        (void)item_end(r, "requests", 0, err);
        item_begin(r);
        err = store_requests_old(r->s, 5030, DAMAGE_REQUESTS, &r->arena, &q, &n);
        for (size_t i = 0; i < n; i++)
                put_request(r, &q[i]);
        (void)item_end(r, "old requests", 0, err);
        item_begin(r);
        err = store_request_find(r->s, 2, 1, S("asker1@d1.example"), &r->arena, &one);
        put_request(r, &one);
        (void)item_end(r, "a request", 0, err);
        item_begin(r);
        err = store_request_count(r->s, 1, S("x@d3.example"), &counts);
        put_i64(r, (int64_t)(counts.list * 1000000 + counts.domain * 1000 + counts.posts));
        (void)item_end(r, "counts of requests", 0, err);
}

static inline void read_notices(struct damage_reading *r)
{
        struct store_notice *t;
        size_t n;
        item_begin(r);
        enum err err = store_notices(r->s, 0, DAMAGE_REQUESTS, &r->arena, &t, &n);
        for (size_t i = 0; i < n; i++) {
                put_i64(r, t[i].id);
                put_i64(r, t[i].list + t[i].request);
                put_str(r, t[i].kind);
                put_str(r, t[i].address);
                put_str(r, t[i].data);
        }
        (void)item_end(r, "notices", 0, err);
}

static inline void read_bans(struct damage_reading *r)
{
        struct store_ban *b;
        size_t n;
        item_begin(r);
        enum err err = store_bans(r->s, 1, S(""), DAMAGE_REQUESTS, &r->arena, &b, &n);
        for (size_t i = 0; i < n; i++) {
                put_str(r, b[i].address);
                put_i64(r, b[i].until_ms);
        }
        (void)item_end(r, "bans", 0, err);
}

static inline void read_results(struct damage_reading *r, int64_t message)
{
        struct store_result *t;
        size_t n;
        item_begin(r);
        enum err err = store_results(r->s, message, 0, 500, &r->arena, &t, &n);
        for (size_t i = 0; i < n; i++) {
                put_i64(r, t[i].delivery);
                put_i64(r, t[i].member);
                put_str(r, t[i].address);
                put_str(r, t[i].reply);
                put_i64(r, t[i].code);
        }
        (void)item_end(r, "results of message", message, err);
}

static inline void read_all(struct damage_reading *r)
{
        read_requests(r);
        read_notices(r);
        read_bans(r);
        read_lists(r);
        read_tickets(r);
        read_queue(r);
        read_failures(r);
        for (int64_t id = 1; id <= DAMAGE_MESSAGES; id++) {
                read_message(r, id);
                read_waiting(r, id);
                read_results(r, id);
        }
}

/* What a server does next. Each needs the one before, so the first that fails is the last. */

static inline void put_deliveries(struct damage_reading *r, const struct store_delivery *d, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                put_i64(r, d[i].id);
                put_i64(r, d[i].message);
                put_i64(r, d[i].list);
                put_i64(r, d[i].member);
                put_str(r, d[i].address);
                put_str(r, d[i].domain);
                put_i64(r, (int64_t)d[i].attempts);
                put_i64(r, d[i].first_ms);
        }
}

static inline bool act_sign(struct damage_reading *r)
{
        item_begin(r);
        return item_end(r, "signing", 5, store_ticket_sign(r->s, 5, S("Prefix: 5\r\n"))) == ERR_OK;
}

static inline bool act_deliver(struct damage_reading *r, bool is_due)
{
        struct store_delivery *d;
        size_t n;
        item_begin(r);
        enum err err = is_due ? store_delivery_due(r->s, INT64_MAX, 80, &r->arena, &d, &n)
                              : store_post_fill(r->s, DAMAGE_NOW_MS, 40, &r->arena, &d, &n);
        put_deliveries(r, d, n);
        for (size_t i = 0; i < n && err == ERR_OK; i++)
                err = i % 3 == 0 ? store_delivery_done(r->s, d[i].id, 1, 250, S("250 ok"))
                                 : store_delivery_defer(r->s, d[i].id, DAMAGE_NOW_MS + 5, S("450"));
        return item_end(r, is_due ? "what is due" : "members of posts", 0, err) == ERR_OK;
}

/* A full disk is an honest answer: the damage may have taken its space. */
static inline bool act_take(struct damage_reading *r)
{
        struct rig *rig = calloc(1, sizeof *rig);
        int64_t id;
        CHECK(rig != NULL);
        rig->s = r->s;
        item_begin(r);
        enum err err = rig_take(rig, 1, "ticket-9", 7, 300000, 4096, &id);
        free(rig);
        bool is_full = err == ERR_FULL;
        (void)item_end(r, "intake", 0, is_full ? ERR_CORRUPT : err);
        return err == ERR_OK;
}

static inline void act_all(struct damage_reading *r)
{
        if (act_take(r) && act_sign(r) && act_deliver(r, false) && act_deliver(r, true)) {
                read_message(r, DAMAGE_MESSAGES + 1);
                read_queue(r);
                for (int64_t id = 1; id <= DAMAGE_MESSAGES; id++)
                        read_bytes(r, id, STORE_WHOLE);
        }
}

/* Everything, in `s`; `what` in `r` says what was wrong. */
static inline void damage_look_at_store(struct damage_reading *r, struct store *s)
{
        r->s = s;
        r->at = 0;
        r->items = r->refused = r->wrong = 0;
        read_all(r);
}

/* And then work on. */
static inline void damage_read_store(struct damage_reading *r, struct store *s)
{
        damage_look_at_store(r, s);
        act_all(r);
}

#endif
