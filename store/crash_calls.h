/* SPDX-License-Identifier: ISC */
/* For the test of power cuts: calls of the store on lists, messages and deliveries, as steps of a round. */
#ifndef STORE_CRASH_CALLS_H
#define STORE_CRASH_CALLS_H

#include "store/ask.h"
#include "store/crash_truth.h"

/* The rounds up to WORK_LONG are one session, long enough for a checkpoint; then each has one. */
enum {
        WORK_LONG = 5,
        WORK_ROUNDS = 7,
        WORK_IDS = 64,
        WORK_GROUP = 4,
        WORK_MESSAGES = WORK_ROUNDS * (9 + WORK_GROUP)
};

/* A call that was answered. One of a group stands for calls at once, each answered for itself. */
struct moment {
        const char *name;
        unsigned round;
        uint64_t begin, end;           /* operations: before its first one, and when it was answered */
        uint64_t answered[WORK_GROUP]; /* of a group, which only adds */
        bool is_group;
        bool is_open;       /* afterwards */
        struct truth truth; /* afterwards */
};

struct work {
        struct crash_host machine;
        struct store *s;
        struct scope scope; /* of the store fiber */
        unsigned round;
        bool is_blind; /* tell no truths */
        struct moment *moments;
        size_t count, cap;
        enum err err; /* what ended it early */

        int64_t list, small, middle, large, forward; /* of this round */
        struct moderate held[2];                     /* likewise */
        int64_t rows[WORK_IDS];                      /* in flight */
        size_t row_count;
        int64_t notice;                  /* that the next message is the mail of, or 0 */
        unsigned log_pages, checkpoints; /* of this session's log; of which, how many began it anew */
        uint64_t answered[WORK_GROUP];
};

static inline struct host *work_host(struct work *w)
{
        return &w->machine.host;
}

/* The process. */

static inline enum err work_open(struct work *w)
{
        enum err err = store_open(work_host(w), CRASH_IMAGE, &w->s);
        if (err != ERR_OK)
                return err;
        scope_open(&w->scope, work_host(w)->sched, FIBER_NEVER);
        assert_int_equal(store_start(w->s, &w->scope), ERR_OK);
        return ERR_OK;
}

/* Closing gives no answer; the disk does. */
static inline enum err work_close(struct work *w)
{
        const struct sim_disk *d = w->machine.disk;
        scope_cancel(&w->scope);
        scope_join(&w->scope);
        store_close(w->s);
        w->s = NULL;
        return d->operations >= d->faults.cut_at ? ERR_IO : ERR_OK;
}

static inline enum err work_reopen(struct work *w)
{
        return w->s == NULL ? work_open(w) : ERR_OK;
}

static inline enum err work_end(struct work *w)
{
        return w->round >= WORK_LONG ? work_close(w) : ERR_OK;
}

/* Lists. */

static inline struct str work_name(const struct work *w, const char *prefix, char out[32])
{
        int n = snprintf(out, 32, "%s%u", prefix, w->round);
        return str_of(out, (size_t)n);
}

static inline enum err work_list_add(struct work *w)
{
        static const struct str moderators[] = {{"boss@example.org", 16}, {"Vice@Example.org", 16}};
        static const struct str members[] = {{"a@x.example", 11}, {"B@y.example", 11}, {"c@z.example", 11}};
        static const struct store_setting settings[] = {{{"posts", 5}, {"members", 7}}};
        char name[32];
        const struct store_list_new list = {.name = work_name(w, "list", name),
                .domain = S("example.org"),
                .settings = settings,
                .setting_count = 1,
                .moderators = moderators,
                .moderator_count = 2,
                .members = members,
                .member_count = 3,
                .now_ms = 1000 + w->round};
        return store_list_add(w->s, &list, &w->list);
}

/* Over many pages. */
static inline enum err work_setting_long(struct work *w)
{
        static char value[160 * 1024];
        memset(value, 'a' + (int)w->round, sizeof value);
        return store_setting_put(
                w->s, w->list, S("footer"), str_of(value, sizeof value / 4 * (1 + w->round % 4)));
}

static inline enum err work_setting_short(struct work *w)
{
        return store_setting_put(w->s, w->list, S("footer"), S("short"));
}

static inline enum err work_setting_away(struct work *w)
{
        return store_setting_put(w->s, w->list, S("footer"), S(""));
}

static inline enum err work_moderator_add(struct work *w)
{
        return store_moderator_add(w->s, w->list, S("third@example.org"));
}

static inline enum err work_moderator_remove(struct work *w)
{
        return store_moderator_remove(w->s, w->list, S("BOSS@example.org"));
}

static inline enum err work_member_add(struct work *w)
{
        int64_t id;
        return store_member_add(w->s, w->list, S("late@x.example"), 2000, &id);
}

static inline enum err work_member_remove(struct work *w)
{
        return store_member_remove(w->s, w->list, S("b@Y.example"));
}

static inline enum err work_roll(struct work *w, enum store_change change, size_t n)
{
        char text[40][32];
        struct str addresses[40];
        size_t changed;
        assert_true(n <= 40);
        for (size_t i = 0; i < n; i++)
                addresses[i] = str_of(
                        text[i], (size_t)snprintf(text[i], sizeof text[i], "m%02zu@d%zu.example", i, i % 5));
        const struct store_roll roll = {.change = change,
                .lists = &w->list,
                .list_count = 1,
                .addresses = addresses,
                .address_count = n,
                .now_ms = 3000};
        return store_roll_change(w->s, &roll, &changed);
}

static inline enum err work_roll_add(struct work *w)
{
        return work_roll(w, STORE_ADD_MEMBER, 40);
}

static inline enum err work_roll_remove(struct work *w)
{
        return work_roll(w, STORE_REMOVE_MEMBER, 25);
}

/* Messages. */

static inline enum err work_bytes(struct work *w, struct str ticket, size_t size, struct store_intake **out)
{
        static char bytes[8192];
        enum err err = store_intake_begin(w->s, size / 2, out);
        if (err != ERR_OK)
                return err;
        for (size_t at = 0, n; at < size && err == ERR_OK; at += n) {
                n = size - at < sizeof bytes ? size - at : sizeof bytes;
                truth_body(truth_seed(ticket), at, bytes, n);
                err = store_intake_write(*out, str_of(bytes, n));
        }
        if (err != ERR_OK)
                store_intake_abort(*out);
        return err;
}

static inline enum err work_take(struct work *w, struct str ticket, bool is_forward, size_t size, int64_t *id)
{
        static const struct str recipients[] = {{"x@far.example", 13}, {"Y@Far.example", 13}};
        struct store_intake *i;
        *id = 0;
        enum err err = work_bytes(w, ticket, size, &i);
        if (err != ERR_OK)
                return err;
        const struct store_message_new m = {.ticket = ticket,
                .kind = is_forward ? STORE_FORWARD : STORE_POST,
                .list = is_forward ? 0 : w->list,
                .domain = S("example.org"),
                .sender = S("a@x.example"),
                .message_id = S("<1@x.example>"),
                .front = TRUTH_FRONT,
                .is_8bit = true,
                .received_ms = 5000 + w->round,
                .recipients = is_forward ? recipients : NULL,
                .recipient_count = is_forward ? 2 : 0,
                .notice = w->notice};
        return store_intake_commit(i, &m, id);
}

static inline enum err work_take_small(struct work *w)
{
        char name[32];
        return work_take(w, work_name(w, "s", name), false, 700, &w->small);
}

static inline enum err work_take_middle(struct work *w)
{
        char name[32];
        return work_take(w, work_name(w, "m", name), false, 9000, &w->middle);
}

/* Once more than a segment. */
static inline enum err work_take_large(struct work *w)
{
        char name[32];
        return work_take(w, work_name(w, "l", name), false, w->round == 2 ? 1300000 : 150000, &w->large);
}

static inline enum err work_take_forward(struct work *w)
{
        char name[32];
        return work_take(w, work_name(w, "f", name), true, 2000, &w->forward);
}

struct work_one {
        struct work *w;
        unsigned at;
        enum err err;
};

/* One of a group: three messages and a member at once. */
static inline void work_one(void *arg)
{
        struct work_one *one = arg;
        struct work *w = one->w;
        char name[32];
        int64_t id;
        bool is_member = one->at + 1 == WORK_GROUP;
        (void)snprintf(name, sizeof name, "g%u-%u%s", w->round, one->at, is_member ? "@x.example" : "");
        one->err = is_member ? store_member_add(w->s, w->list, str_of_c(name), 4000, &id)
                             : work_take(w, str_of_c(name), false, 1000 + 5000u * one->at, &id);
        w->answered[one->at] = one->err == ERR_OK ? w->machine.disk->operations : UINT64_MAX;
}

static inline enum err work_group(struct work *w)
{
        struct scope scope;
        struct work_one ones[WORK_GROUP];
        uint64_t members;
        /* answered when the house-keeping behind the call before is over, or who joins whose transaction would hang on
         * whether a truth was told in between */
        enum err err = store_member_count(w->s, w->list, &members);
        if (err != ERR_OK)
                return err;
        scope_open(&scope, work_host(w)->sched, FIBER_NEVER);
        for (unsigned i = 0; i < WORK_GROUP; i++) {
                ones[i] = (struct work_one){w, i, ERR_OK};
                assert_int_equal(scope_spawn(&scope, "one", work_one, &ones[i]), ERR_OK);
        }
        scope_join(&scope);
        for (unsigned i = 0; i < WORK_GROUP && err == ERR_OK; i++)
                err = ones[i].err;
        return err;
}

static inline enum err work_sign_small(struct work *w)
{
        return store_ticket_sign(w->s, w->small, TRUTH_PREFIX);
}

static inline enum err work_sign_middle(struct work *w)
{
        return store_ticket_sign(w->s, w->middle, TRUTH_PREFIX);
}

static inline enum err work_sign_forward(struct work *w)
{
        return store_ticket_sign(w->s, w->forward, TRUTH_PREFIX);
}

static inline enum err work_forget(struct work *w)
{
        size_t count;
        return store_forget(w->s, 5000 + w->round, 3, &count);
}

/* Deliveries. */

static inline enum err work_rows(struct work *w, bool is_due, size_t limit)
{
        static char memory[1 << 16];
        struct arena a;
        struct store_delivery *d;
        arena_init(&a, memory, sizeof memory);
        enum err err = is_due ? store_delivery_due(w->s, 9000, limit, &a, &d, &w->row_count)
                              : store_post_fill(w->s, 9000, limit, &a, &d, &w->row_count);
        for (size_t i = 0; err == ERR_OK && i < w->row_count; i++)
                w->rows[i] = d[i].id;
        return err;
}

static inline int64_t work_row(struct work *w)
{
        assert_true(w->row_count > 0);
        return w->rows[--w->row_count];
}

static inline enum err work_fill(struct work *w)
{
        return work_rows(w, false, 6);
}

static inline enum err work_fill_more(struct work *w)
{
        return work_rows(w, false, 20);
}

static inline enum err work_due(struct work *w)
{
        return work_rows(w, true, 3);
}

static inline enum err work_done(struct work *w)
{
        return store_delivery_done(w->s, work_row(w), 1, 250, S("250 ok"));
}

static inline enum err work_defer(struct work *w)
{
        return store_delivery_defer(w->s, work_row(w), 8000, S("451 4.7.1 later"));
}

static inline enum err work_fail(struct work *w)
{
        return store_delivery_fail(w->s, work_row(w), 9000 + w->round, 550, S("550 5.1.1 no such user"));
}

static inline enum err work_return(struct work *w)
{
        return store_delivery_return(w->s, work_row(w), 9000);
}

static inline enum err work_return_all(struct work *w)
{
        return store_delivery_return_all(w->s);
}

static inline enum err work_hasten(struct work *w)
{
        return store_delivery_hasten(w->s, 7000);
}

static inline enum err work_bounce(struct work *w)
{
        static char memory[4096];
        struct arena a;
        struct store_member m;
        arena_init(&a, memory, sizeof memory);
        enum err err = store_member_find(w->s, w->list, S("a@x.example"), &a, &m);
        return err != ERR_OK ? err : store_failure_add(w->s, m.id, 9500, S("Status: 5.2.2"));
}

static inline enum err work_hold(struct work *w)
{
        return store_queue_hold(w->s, w->middle);
}

static inline enum err work_flush(struct work *w)
{
        return store_queue_flush(w->s, w->middle);
}

static inline enum err work_drop_large(struct work *w)
{
        return store_queue_drop(w->s, w->large);
}

static inline enum err work_drop_middle(struct work *w)
{
        return store_queue_drop(w->s, w->middle);
}

#endif
