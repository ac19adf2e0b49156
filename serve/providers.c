/* SPDX-License-Identifier: ISC */
#include "serve/providers.h"

#include <string.h>

static struct provider **bucket_of(struct providers *p, struct str name)
{
        uint32_t h = 2166136261U; /* FNV-1a: a full bucket costs time, and no more */
        for (size_t i = 0; i < name.n; i++)
                h = (h ^ (uint8_t)name.p[i]) * 16777619U;
        return &p->buckets[h % PROVIDERS_BUCKETS];
}

static void take_out(struct providers *p, struct provider *one)
{
        struct provider **at = bucket_of(p, str_of(one->name, one->name_n));
        while (*at != one)
                at = &(*at)->next;
        *at = one->next;
}

static struct provider *oldest(struct providers *p)
{
        struct provider *found = &p->all[0];
        for (size_t i = 1; i < p->count; i++)
                if (p->all[i].used < found->used)
                        found = &p->all[i];
        return found;
}

static struct provider *add(struct providers *p, struct str name)
{
        struct provider *one;
        if (p->count < PROVIDERS_MAX) {
                one = &p->all[p->count++];
        } else {
                one = oldest(p);
                take_out(p, one);
        }
        struct provider **bucket = bucket_of(p, name);
        *one = (struct provider){.next = *bucket, .name_n = name.n};
        memcpy(one->name, name.p, name.n);
        *bucket = one;
        return one;
}

struct judge_window *providers_window(struct providers *p, struct str name)
{
        name = str_take(name, SMTP_DOMAIN_MAX);
        struct provider *one = *bucket_of(p, name);
        while (one && !str_eq(str_of(one->name, one->name_n), name))
                one = one->next;
        if (!one)
                one = add(p, name);
        one->used = ++p->calls;
        return &one->window;
}
