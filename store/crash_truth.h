/* SPDX-License-Identifier: ISC */
/* For the test of power cuts: all that a store holds, as its callers see it, in lines of text; so that two states can be
 * compared and their difference be read. What recovery may change is not in it: whether a delivery is in flight. The
 * bytes of each message are compared with what they must be. */
#ifndef STORE_CRASH_TRUTH_H
#define STORE_CRASH_TRUTH_H

#include "store/crash_moderate.h"
#include "store/delivery.h"
#include "store/lists.h"

static inline void truth_list(struct truth *t, struct store *s, const struct store_list *l, struct arena *a)
{
        struct str *moderators;
        struct store_member *members;
        size_t n;
        truth_add(t, "list %lld %.*s@%.*s\n", (long long)l->id, STR_ARG(l->name), STR_ARG(l->domain));
        for (size_t i = 0; i < l->setting_count; i++)
                truth_add(t, "setting %lld %.*s=%.*s\n", (long long)l->id, STR_ARG(l->settings[i].name),
                        STR_ARG(l->settings[i].value));
        assert_int_equal(store_moderators(s, l->id, a, &moderators, &n), ERR_OK);
        for (size_t i = 0; i < n; i++)
                truth_add(t, "moderator %lld %.*s\n", (long long)l->id, STR_ARG(moderators[i]));
        assert_int_equal(store_members(s, l->id, 0, TRUTH_MANY, a, &members, &n), ERR_OK);
        for (size_t i = 0; i < n; i++)
                truth_add(t, "member %lld %lld %.*s %lld %x\n", (long long)l->id, (long long)members[i].id,
                        STR_ARG(members[i].address), (long long)members[i].joined_ms, members[i].options);
        truth_bans(t, s, l->id, a);
}

static inline void truth_message(struct truth *t, struct store *s, const struct store_message *m)
{
        truth_add(t, "message %lld %.*s list %lld kind %d state %d from %.*s %.*s flags %d%d at %lld: %s\n",
                (long long)m->id, STR_ARG(m->ticket), (long long)m->list, (int)m->kind, (int)m->state,
                STR_ARG(m->sender), STR_ARG(m->message_id), m->is_8bit, m->is_smtputf8,
                (long long)m->received_ms,
                m->state == STORE_DONE      ? "gone"
                : truth_message_reads(s, m) ? "its bytes"
                                            : "OTHER BYTES");
}

static inline void truth_queued(
        struct truth *t, struct store *s, const struct store_queued *q, struct arena *a)
{
        struct store_waiting *w;
        size_t n;
        truth_add(t, "queued %lld signed %d held %d left %llu size %llu\n", (long long)q->message,
                q->is_signed, q->is_held, (unsigned long long)q->left, (unsigned long long)q->size);
        assert_int_equal(store_queue_waiting(s, q->message, 0, TRUTH_MANY, a, &w, &n), ERR_OK);
        for (size_t i = 0; i < n; i++)
                truth_add(t, "waiting %lld message %lld member %lld %.*s attempts %u next %lld: %.*s\n",
                        (long long)w[i].id, (long long)w[i].message, (long long)w[i].member,
                        STR_ARG(w[i].address), w[i].attempts, (long long)w[i].next_ms, STR_ARG(w[i].reply));
}

static inline void truth_failures(struct truth *t, struct store *s, struct arena *a)
{
        struct store_failure *f;
        size_t n;
        assert_int_equal(store_failures(s, 0, TRUTH_MANY, a, &f, &n), ERR_OK);
        for (size_t i = 0; i < n; i++)
                truth_add(t, "failure %lld member %lld message %lld %.*s %u at %lld: %.*s\n",
                        (long long)f[i].id, (long long)f[i].member, (long long)f[i].message,
                        STR_ARG(f[i].address), f[i].code, (long long)f[i].time_ms, STR_ARG(f[i].reply));
}

/* All of it; messages up to the id `last`. */
static inline void truth_tell(struct truth *t, struct store *s, int64_t last)
{
        static char memory[1 << 20];
        struct arena a;
        struct store_list *lists;
        struct store_queued *queued;
        size_t n;
        t->n = 0;
        truth_add(t, "%s", "");
        arena_init(&a, memory, sizeof memory);
        assert_int_equal(store_lists(s, S(""), &a, &lists, &n), ERR_OK);
        for (size_t i = 0; i < n; i++)
                truth_list(t, s, &lists[i], &a);
        for (int64_t id = 1; id <= last; id++) {
                struct store_message m;
                enum err err = store_message_get(s, id, &a, &m);
                assert_true(err == ERR_OK || err == ERR_NOT_FOUND);
                if (err == ERR_OK)
                        truth_message(t, s, &m);
                truth_results(t, s, id, &a);
        }
        truth_requests(t, s, &a);
        truth_notices(t, s, &a);
        truth_traces(t, s, &a);
        assert_int_equal(store_queue(s, 0, TRUTH_MANY, &a, &queued, &n), ERR_OK);
        for (size_t i = 0; i < n; i++)
                truth_queued(t, s, &queued[i], &a);
        truth_failures(t, s, &a);
}

/* Is each line of `part` in `whole`? Else the first that is not. */
static inline struct str truth_missing(const struct truth *part, const struct truth *whole)
{
        for (const char *line = part->text; *line != 0;) {
                size_t n = strcspn(line, "\n") + 1;
                const char *at = whole->text;
                while (*at != 0 && strncmp(at, line, n) != 0)
                        at += strcspn(at, "\n") + 1;
                if (*at == 0)
                        return str_of(line, n - 1);
                line += n;
        }
        return S("");
}

#endif
