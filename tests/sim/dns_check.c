/* SPDX-License-Identifier: ISC */
/* What servers showed, for those who check what others made of it. */
#include <stdlib.h>

#include "base/check.h"
#include "tests/sim/dns_content.h"
#include "tests/sim/dns_peer.h"

/* Read a content as a client would: written as a message, so that no second reader of chains is needed. */
static enum err read_content(const struct dns_content *content, const struct dns_question *q,
        struct arena *arena, struct dns_answer *out)
{
        struct str message;
        char *buffer = malloc(DNS_MESSAGE_MAX);
        CHECK(buffer);
        struct dns_frame frame = {.question = q, .most = DNS_MESSAGE_MAX};
        enum err e = dns_content_write(content, &frame, buffer, DNS_MESSAGE_MAX, &message);
        CHECK(e == ERR_OK && content->is_whole);
        e = dns_answer_read(message, &q->name, q->type, arena, out);
        free(buffer);
        return e;
}

static enum err look(const struct dns_view *view, const struct dns_question *q, struct arena *arena,
        struct dns_answer *out)
{
        struct dns_content content;
        dns_content_find(view, q, &content);
        return read_content(&content, q, arena, out);
}

enum err dns_world_lookup(struct dns_world *w, const struct dns_peer *p, const struct dns_name *name,
        uint16_t type, int64_t at_ms, struct arena *arena, struct dns_answer *out)
{
        struct dns_view view = {w, p, at_ms};
        struct dns_question q = {.name = *name, .type = type, .class = DNS_CLASS_IN};
        enum err e = look(&view, &q, arena, out);
        if (e == ERR_OK && out->status == DNS_ALIAS) {
                out->count = 0;
                return ERR_DENIED;
        }
        return e;
}

/* One server's answer in one version: visited when a resolver may still have it. */
struct visit {
        struct dns_world *world;
        const struct dns_question *question;
        int64_t at_ms;
        bool (*visit)(void *arg, const struct dns_possible *possible);
        void *arg;
        char *room;
};

static bool visit_version(struct visit *v, const struct dns_copy *c, uint32_t version)
{
        struct arena arena;
        struct dns_answer answer;
        struct dns_possible possible = {
                .from = c->peer,
                .since_ms = c->due[version],
                .until_ms = dns_copy_until(c, version),
                .answer = &answer,
        };
        struct dns_view view = {v->world, c->peer, possible.since_ms};
        if (possible.since_ms > v->at_ms || possible.since_ms == possible.until_ms)
                return true;
        arena_init(&arena, v->room, DNS_ANSWER_ROOM);
        if (look(&view, v->question, &arena, &answer) != ERR_OK)
                return true;
        bool is_shown = v->at_ms < possible.until_ms;
        if (!is_shown && v->at_ms - possible.until_ms >= (int64_t)answer.ttl_s * 1000)
                return true;
        return v->visit(v->arg, &possible);
}

bool dns_world_possible(struct dns_world *w, const struct dns_name *name, uint16_t type, int64_t at_ms,
        bool (*visit)(void *arg, const struct dns_possible *possible), void *arg)
{
        struct dns_question q = {.name = *name, .type = type, .class = DNS_CLASS_IN};
        struct visit v = {w, &q, at_ms, visit, arg, malloc(DNS_ANSWER_ROOM)};
        const struct dns_zone *z = dns_zone_find(w, name);
        bool goes_on = true;
        CHECK(v.room);
        for (size_t i = 0; i < w->copy_count && goes_on; i++)
                for (uint32_t n = 0; w->copies[i]->zone == z && n < w->copies[i]->due_count && goes_on; n++)
                        if (w->copies[i]->due[n] != DNS_NEVER)
                                goes_on = visit_version(&v, w->copies[i], n);
        free(v.room);
        return goes_on;
}
