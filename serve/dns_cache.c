/* SPDX-License-Identifier: ISC */
#include "serve/dns_cache.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

struct entry {
        struct entry *next;          /* in its bucket */
        struct entry *newer, *older; /* by use */
        struct dns_name name;
        struct dns_answer answer; /* its values stand behind the entry */
        int64_t expires_ms;
        size_t size;
};

struct dns_cache {
        struct entry **buckets;
        size_t bucket_mask;
        struct entry *newest, *oldest;
        size_t entries, entries_max;
        size_t bytes, bytes_max;
        uint64_t evicted;
        uint8_t key[SIPHASH_KEY_SIZE];
};

struct dns_cache *dns_cache_new(size_t entries, size_t bytes, const uint8_t key[SIPHASH_KEY_SIZE])
{
        size_t buckets = 16;
        while (buckets < entries)
                buckets *= 2;
        struct dns_cache *c = calloc(1, sizeof *c);
        if (c)
                c->buckets = calloc(buckets, sizeof *c->buckets);
        if (!c || !c->buckets) {
                free(c);
                return NULL;
        }
        c->bucket_mask = buckets - 1;
        c->entries_max = entries;
        c->bytes_max = bytes;
        memcpy(c->key, key, sizeof c->key);
        return c;
}

void dns_cache_free(struct dns_cache *c)
{
        if (!c)
                return;
        dns_cache_clear(c);
        free(c->buckets);
        free(c);
}

static struct entry **bucket_of(struct dns_cache *c, const struct dns_name *name, uint16_t type)
{
        char key[DNS_NAME_MAX + 2];
        struct wr w;
        wr_init(&w, key, sizeof key);
        dns_name_write_canonical(&w, name);
        wr_be16(&w, type);
        return &c->buckets[siphash(c->key, wr_text(&w)) & c->bucket_mask];
}

/* Where the entry of a question hangs, or where the bucket ends. */
static struct entry **find(struct dns_cache *c, const struct dns_name *name, uint16_t type)
{
        struct entry **at = bucket_of(c, name, type);
        while (*at && ((*at)->answer.type != type || !dns_name_eq(&(*at)->name, name)))
                at = &(*at)->next;
        return at;
}

static void unuse(struct dns_cache *c, struct entry *e)
{
        *(e->newer ? &e->newer->older : &c->newest) = e->older;
        *(e->older ? &e->older->newer : &c->oldest) = e->newer;
}

static void use(struct dns_cache *c, struct entry *e)
{
        e->newer = NULL;
        e->older = c->newest;
        *(c->newest ? &c->newest->newer : &c->oldest) = e;
        c->newest = e;
}

static void drop(struct dns_cache *c, struct entry **at)
{
        struct entry *e = *at;
        *at = e->next;
        unuse(c, e);
        c->entries--;
        c->bytes -= e->size;
        free(e);
}

void dns_cache_clear(struct dns_cache *c)
{
        while (c->oldest)
                drop(c, find(c, &c->oldest->name, c->oldest->answer.type));
}

const struct dns_answer *dns_cache_get(
        struct dns_cache *c, const struct dns_name *name, uint16_t type, int64_t now_ms, uint32_t *left_s)
{
        struct entry **at = find(c, name, type), *e = *at;
        *left_s = 0;
        if (!e)
                return NULL;
        if (e->expires_ms <= now_ms) {
                drop(c, at);
                return NULL;
        }
        unuse(c, e);
        use(c, e);
        *left_s = (uint32_t)((e->expires_ms - now_ms) / 1000);
        return &e->answer;
}

static uint32_t lifetime(const struct dns_answer *answer)
{
        uint32_t most = answer->status == DNS_FOUND ? DNS_CACHE_TTL_MAX_S : DNS_CACHE_NEGATIVE_TTL_MAX_S;
        if (!answer->is_cacheable)
                return 0;
        return answer->ttl_s < most ? answer->ttl_s : most;
}

/* The entry and its values in one block. */
static struct entry *make(const struct dns_name *name, const struct dns_answer *answer, size_t size)
{
        struct arena arena;
        struct entry *e = calloc(1, size);
        if (!e)
                return NULL;
        arena_init(&arena, e + 1, size - sizeof *e);
        CHECK(dns_answer_copy(answer, &arena, &e->answer) == ERR_OK);
        e->name = *name;
        e->size = size;
        return e;
}

static void make_room(struct dns_cache *c, size_t size)
{
        while (c->oldest && (c->entries + 1 > c->entries_max || size > c->bytes_max - c->bytes)) {
                drop(c, find(c, &c->oldest->name, c->oldest->answer.type));
                c->evicted++;
        }
}

void dns_cache_put(
        struct dns_cache *c, const struct dns_name *name, const struct dns_answer *answer, int64_t now_ms)
{
        struct entry **at = find(c, name, answer->type);
        size_t size = sizeof **at + dns_answer_size(answer);
        uint32_t life_s = lifetime(answer);
        if (*at)
                drop(c, at);
        if (life_s == 0 || size > c->bytes_max || c->entries_max == 0)
                return;
        make_room(c, size);
        struct entry *e = make(name, answer, size);
        if (!e)
                return;
        e->expires_ms = now_ms + (int64_t)life_s * 1000;
        at = bucket_of(c, name, answer->type);
        e->next = *at;
        *at = e;
        use(c, e);
        c->entries++;
        c->bytes += size;
}

size_t dns_cache_entries(const struct dns_cache *c)
{
        return c->entries;
}

size_t dns_cache_bytes(const struct dns_cache *c)
{
        return c->bytes;
}

uint64_t dns_cache_evicted(const struct dns_cache *c)
{
        return c->evicted;
}
