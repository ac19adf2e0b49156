/* SPDX-License-Identifier: ISC */
#include "dns/known.h"

#include "base/check.h"

void dns_known_init(struct dns_known *k, struct arena *arena, size_t most)
{
        *k = (struct dns_known){.arena = arena, .most = most};
        k->end = &k->first;
}

static struct dns_fact *find(const struct dns_known *k, const struct dns_name *name, uint16_t type)
{
        for (struct dns_fact *f = k->first; f; f = f->next)
                if (f->type == type && dns_name_eq(&f->name, name))
                        return f;
        return NULL;
}

static enum dns_knowledge want(struct dns_known *k, const struct dns_name *name, uint16_t type)
{
        struct dns_fact *f = k->count < k->most ? arena_alloc(k->arena, sizeof *f) : NULL;
        if (!f)
                return DNS_KNOWN_TOO_MANY;
        f->name = *name;
        f->type = type;
        *k->end = f;
        k->end = &f->next;
        k->count++;
        k->wanted++;
        return DNS_KNOWN_WANTED;
}

enum dns_knowledge dns_known_get(
        struct dns_known *k, const struct dns_name *name, uint16_t type, const struct dns_answer **answer)
{
        const struct dns_fact *f = find(k, name, type);
        if (answer)
                *answer = NULL;
        if (!f)
                return want(k, name, type);
        if (!f->is_known)
                return DNS_KNOWN_WANTED;
        if (f->err != ERR_OK)
                return DNS_KNOWN_TROUBLE;
        if (f->answer.status == DNS_NO_NAME)
                return DNS_KNOWN_NO_NAME;
        if (f->answer.status != DNS_FOUND)
                return DNS_KNOWN_NOTHING;
        if (answer)
                *answer = &f->answer;
        return DNS_KNOWN_FOUND;
}

struct dns_fact *dns_known_wanted(const struct dns_known *k, const struct dns_fact *after)
{
        struct dns_fact *f = after ? after->next : k->first;
        while (f && f->is_known)
                f = f->next;
        return f;
}

void dns_known_give(struct dns_known *k, struct dns_fact *fact, enum err err, const struct dns_answer *answer)
{
        CHECK(!fact->is_known && k->wanted > 0);
        fact->is_known = true;
        k->wanted--;
        fact->err = err;
        if (err == ERR_OK)
                fact->err = dns_answer_copy(answer, k->arena, &fact->answer);
}
