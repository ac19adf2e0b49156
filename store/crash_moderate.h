/* SPDX-License-Identifier: ISC */
/* For the test of power cuts: changes of several calls, as moderation makes them. Each is one step: all of it is there
 * after a cut, or none. */
#ifndef STORE_CRASH_MODERATE_H
#define STORE_CRASH_MODERATE_H

#include "store/crash_text.h"
#include "store/lists.h"
#include "store/notices.h"
#include "store/requests.h"
#include "store/trace.h"

enum { MODERATE_PURPOSE = 4 };

struct moderate {
        struct store_intake *intake; /* with bytes */
        struct str ticket;
        int64_t list, post, request, now_ms;
        bool is_accepted;
};

static inline enum err moderate_notice(struct store *s, const struct moderate *m, struct str kind)
{
        const struct store_notice notice = {.list = m->list,
                .kind = kind,
                .request = m->request,
                .data = m->ticket,
                .made_ms = m->now_ms};
        int64_t id;
        return store_notice_add(s, &notice, &id);
}

/* A post that waits, its request, and mail about it. */
static inline enum err moderate_hold(struct store *s, void *ctx)
{
        static const struct str skip[] = {{"c@z.example", 11}};
        struct moderate *m = ctx;
        const struct store_message_new message = {.ticket = m->ticket,
                .kind = STORE_POST,
                .list = m->list,
                .domain = S("example.org"),
                .sender = S("a@x.example"),
                .message_id = S("<1@x.example>"),
                .front = TRUTH_FRONT,
                .received_ms = m->now_ms,
                .skip = skip,
                .skip_count = 1,
                .trace = S("held"),
                .waits = true};
        enum err err = store_intake_add(m->intake, &message, &m->post);
        const struct store_request_new request = {.list = m->list,
                .purpose = MODERATE_PURPOSE,
                .address = S("A@x.example"),
                .data = m->ticket,
                .message = m->post,
                .now_ms = m->now_ms};
        if (err == ERR_OK)
                err = store_request_add(s, &request, &m->request);
        return err != ERR_OK ? err : moderate_notice(s, m, S("post-waits"));
}

/* Its end: the request goes, the post goes out or is dropped, and mail says so. */
static inline enum err moderate_decide(struct store *s, void *ctx)
{
        struct moderate *m = ctx;
        enum err err = store_request_end(s, m->request);
        if (err == ERR_OK && m->is_accepted)
                err = store_trace_add(s, m->post, S(", accepted"));
        if (err == ERR_OK)
                err = m->is_accepted ? store_post_release(s, m->post) : store_post_drop(s, m->post);
        if (err == ERR_OK)
                err = store_member_options(s, m->list, S("a@x.example"), 0, STORE_ACCEPTED);
        return err != ERR_OK ? err : moderate_notice(s, m, S("post-decided"));
}

/* One that is given up when it is nearly whole. */
static inline enum err moderate_in_vain(struct store *s, void *ctx)
{
        struct moderate *m = ctx;
        enum err err = moderate_hold(s, m);
        return err != ERR_OK ? err : ERR_DENIED;
}

/* What there is of all this, in lines. */

static inline void truth_requests(struct truth *t, struct store *s, struct arena *a)
{
        struct store_request *q;
        size_t n;
        assert_int_equal(store_requests(s, 0, 0, TRUTH_MANY, a, &q, &n), ERR_OK);
        for (size_t i = 0; i < n; i++)
                truth_add(t, "request %lld list %lld purpose %u %.*s message %lld at %lld told %lld: %.*s\n",
                        (long long)q[i].id, (long long)q[i].list, q[i].purpose, STR_ARG(q[i].address),
                        (long long)q[i].message, (long long)q[i].made_ms, (long long)q[i].told_ms,
                        STR_ARG(q[i].data));
}

static inline void truth_notices(struct truth *t, struct store *s, struct arena *a)
{
        struct store_notice *n;
        size_t count;
        assert_int_equal(store_notices(s, 0, TRUTH_MANY, a, &n, &count), ERR_OK);
        for (size_t i = 0; i < count; i++)
                truth_add(t, "notice %lld list %lld %.*s to %.*s request %lld at %lld: %.*s\n",
                        (long long)n[i].id, (long long)n[i].list, STR_ARG(n[i].kind), STR_ARG(n[i].address),
                        (long long)n[i].request, (long long)n[i].made_ms, STR_ARG(n[i].data));
}

static inline void truth_bans(struct truth *t, struct store *s, int64_t list, struct arena *a)
{
        struct store_ban *b;
        size_t n;
        assert_int_equal(store_bans(s, list, S(""), TRUTH_MANY, a, &b, &n), ERR_OK);
        for (size_t i = 0; i < n; i++)
                truth_add(t, "ban %lld %.*s by %.*s at %lld until %lld\n", (long long)list,
                        STR_ARG(b[i].address), STR_ARG(b[i].by), (long long)b[i].made_ms,
                        (long long)b[i].until_ms);
}

static inline void truth_traces(struct truth *t, struct store *s, struct arena *a)
{
        struct store_trace *r;
        size_t n;
        assert_int_equal(store_traces(s, S("<1@x.example>"), 0, TRUTH_MANY, a, &r, &n), ERR_OK);
        for (size_t i = 0; i < n; i++)
                truth_add(t, "trace %lld left %llu: %.*s\n", (long long)r[i].message,
                        (unsigned long long)r[i].left, STR_ARG(r[i].text));
}

static inline void truth_results(struct truth *t, struct store *s, int64_t message, struct arena *a)
{
        struct store_result *r;
        size_t n;
        assert_int_equal(store_results(s, message, 0, TRUTH_MANY, a, &r, &n), ERR_OK);
        for (size_t i = 0; i < n; i++)
                truth_add(t, "result %lld of %lld %.*s %u %d at %lld: %.*s\n", (long long)r[i].delivery,
                        (long long)message, STR_ARG(r[i].address), r[i].code, r[i].is_delivered,
                        (long long)r[i].time_ms, STR_ARG(r[i].reply));
}

#endif
