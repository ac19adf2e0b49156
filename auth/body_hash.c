/* SPDX-License-Identifier: ISC */
#include "auth/body_hash.h"

#include <string.h>

#include "base/check.h"

void body_hash_init(struct body_hash *b)
{
        b->count = 0;
        b->ended = false;
        for (size_t i = 0; i < CANON_COUNT; i++) {
                b->forms[i].wanted = false;
                b->forms[i].size = 0;
                b->forms[i].gathered = 0;
                canon_body_init(&b->forms[i].body, (enum canon)i);
        }
}

size_t body_hash_want(struct body_hash *b, enum canon canon, uint64_t limit)
{
        struct body_hash_slot *slot = &b->slots[b->count];
        for (size_t i = 0; i < b->count; i++)
                if (b->slots[i].canon == canon && b->slots[i].limit == limit)
                        return i;
        CHECK(b->count < BODY_HASHES_MAX && !b->ended);
        *slot = (struct body_hash_slot){.canon = canon, .limit = limit, .err = ERR_CRYPTO};
        sha256_init(&slot->sha);
        b->forms[canon].wanted = true;
        return b->count++;
}

static void hash(struct body_hash *b, enum canon canon, struct str bytes)
{
        for (size_t i = 0; i < b->count; i++) {
                struct body_hash_slot *slot = &b->slots[i];
                uint64_t left = slot->limit - slot->used;
                if (slot->canon != canon || left == 0)
                        continue;
                struct str part = left < bytes.n ? str_take(bytes, (size_t)left) : bytes;
                sha256_update(&slot->sha, part);
                slot->used += part.n;
        }
}

static void flush(struct body_hash *b, enum canon canon)
{
        struct body_hash_form *form = &b->forms[canon];
        hash(b, canon, str_of(form->gather, form->gathered));
        form->gathered = 0;
}

struct target {
        struct body_hash *b;
        enum canon canon;
};

static void got(void *arg, struct str bytes)
{
        struct target *t = arg;
        struct body_hash_form *form = &t->b->forms[t->canon];
        form->size += bytes.n;
        if (bytes.n > sizeof form->gather - form->gathered)
                flush(t->b, t->canon);
        if (bytes.n >= sizeof form->gather / 4 && form->gathered == 0) {
                hash(t->b, t->canon, bytes);
                return;
        }
        memcpy(form->gather + form->gathered, bytes.p, bytes.n);
        form->gathered += bytes.n;
}

void body_hash_write(struct body_hash *b, struct str bytes)
{
        CHECK(!b->ended);
        while (bytes.n > 0) { /* what one form has read, the hash and the other form find in the cache */
                struct str slice = str_take(bytes, BODY_HASH_SLICE);
                for (size_t i = 0; i < CANON_COUNT; i++) {
                        struct target t = {b, (enum canon)i};
                        if (b->forms[i].wanted)
                                canon_body_write(&b->forms[i].body, slice, (struct canon_sink){got, &t});
                }
                bytes = str_skip(bytes, slice.n);
        }
}

void body_hash_end(struct body_hash *b)
{
        CHECK(!b->ended);
        for (size_t i = 0; i < CANON_COUNT; i++) {
                struct target t = {b, (enum canon)i};
                if (!b->forms[i].wanted)
                        continue;
                canon_body_end(&b->forms[i].body, (struct canon_sink){got, &t});
                flush(b, (enum canon)i);
        }
        for (size_t i = 0; i < b->count; i++)
                b->slots[i].err = sha256_end(&b->slots[i].sha, b->slots[i].digest);
        b->ended = true;
}

void body_hash_drop(struct body_hash *b)
{
        for (size_t i = 0; i < b->count; i++)
                sha256_drop(&b->slots[i].sha);
}

static const struct body_hash_slot *equal_slot(const struct body_hash *b, const struct body_hash_slot *wish)
{
        for (size_t i = 0; i < b->count; i++)
                if (b->slots[i].canon == wish->canon && b->slots[i].limit == wish->limit)
                        return &b->slots[i];
        return NULL;
}

enum err body_hash_lend(struct body_hash *b, const struct body_hash *ended)
{
        CHECK(!b->ended && ended->ended);
        for (size_t i = 0; i < b->count; i++)
                if (!equal_slot(ended, &b->slots[i]))
                        return ERR_NOT_FOUND;
        body_hash_drop(b);
        for (size_t i = 0; i < b->count; i++)
                b->slots[i] = *equal_slot(ended, &b->slots[i]);
        for (size_t i = 0; i < CANON_COUNT; i++)
                b->forms[i].size = ended->forms[i].size;
        b->ended = true;
        return ERR_OK;
}

enum err body_hash_result(const struct body_hash *b, size_t slot, uint8_t out[SHA256_SIZE])
{
        CHECK(b->ended && slot < b->count);
        memcpy(out, b->slots[slot].digest, SHA256_SIZE);
        return b->slots[slot].err;
}

uint64_t body_hash_size(const struct body_hash *b, size_t slot)
{
        CHECK(b->ended && slot < b->count);
        return b->forms[b->slots[slot].canon].size;
}
