/* SPDX-License-Identifier: ISC */
/* What may follow upon a pointer. */
#include <string.h>

#include "auth/zone_pointer.h"
#include "base/time_text.h"

const struct zone_old *zone_pointer_old(const struct zone_pointer *p, int64_t epoch)
{
        for (size_t i = 0; i < p->old_n; i++)
                if (p->old[i].epoch == epoch)
                        return &p->old[i];
        return NULL;
}

bool zone_pointer_names(const struct zone_pointer *p, int64_t epoch)
{
        return epoch == p->epoch || epoch == p->next || zone_pointer_old(p, epoch);
}

bool zone_pointer_eq(const struct zone_pointer *a, const struct zone_pointer *b)
{
        bool is_equal = a->epoch == b->epoch && a->next == b->next && a->old_n == b->old_n &&
                        memcmp(a->id, b->id, sizeof a->id) == 0;
        for (size_t i = 0; is_equal && i < a->old_n; i++)
                is_equal = a->old[i].epoch == b->old[i].epoch && a->old[i].until_s == b->old[i].until_s &&
                           a->old[i].is_former == b->old[i].is_former;
        return is_equal;
}

/* An epoch is never used twice, and never goes back. */
static int64_t later_than_all(const struct zone_pointer *p, int64_t epoch)
{
        int64_t last = p->epoch > p->next ? p->epoch : p->next;
        for (size_t i = 0; i < p->old_n; i++)
                last = p->old[i].epoch > last ? p->old[i].epoch : last;
        int64_t later = epoch > last ? epoch : last + 1;
        return later < ZONE_EPOCH_MAX ? later : ZONE_EPOCH_MAX;
}

static int64_t until_of(int64_t epoch, int64_t validity_s)
{
        return epoch < TIME_UNIX_MAX - validity_s ? epoch + validity_s : TIME_UNIX_MAX;
}

static bool keep_old(struct zone_pointer *p, int64_t epoch, int64_t until_s, bool is_former)
{
        if (p->old_n == ZONE_OLD_MAX)
                return false;
        p->old[p->old_n++] = (struct zone_old){epoch, until_s, is_former};
        return true;
}

static void drop_old(struct zone_pointer *p, size_t at)
{
        p->old_n--;
        for (size_t i = at; i < p->old_n; i++)
                p->old[i] = p->old[i + 1];
        p->old[p->old_n] = (struct zone_old){0};
}

void zone_pointer_first(const uint8_t id[KEY_ID_SIZE], int64_t now_s, struct zone_pointer *out)
{
        *out = (struct zone_pointer){.epoch = now_s > 0 ? now_s : 1};
        memcpy(out->id, id, sizeof out->id);
}

void zone_pointer_announce(const struct zone_pointer *p, int64_t at_s, struct zone_pointer *out)
{
        *out = *p;
        out->next = later_than_all(p, at_s);
}

enum err zone_pointer_advance(const struct zone_pointer *p, int64_t validity_s, struct zone_pointer *out)
{
        *out = *p;
        if (!keep_old(out, p->epoch, until_of(p->epoch, validity_s), false)) {
                *out = (struct zone_pointer){0};
                return ERR_LIMIT;
        }
        out->epoch = p->next;
        out->next = 0;
        return ERR_OK;
}

void zone_pointer_forget(const struct zone_pointer *p, int64_t epoch, struct zone_pointer *out)
{
        *out = *p;
        for (size_t i = 0; i < out->old_n; i++)
                if (out->old[i].epoch == epoch)
                        drop_old(out, i--);
}

/* With room or without: the one that ends first goes. */
static void force_old(struct zone_pointer *p, int64_t epoch, int64_t until_s, bool is_former)
{
        size_t first = 0;
        for (size_t i = 1; i < p->old_n; i++)
                if (p->old[i].until_s < p->old[first].until_s)
                        first = i;
        if (p->old_n == ZONE_OLD_MAX)
                drop_old(p, first);
        (void)keep_old(p, epoch, until_s, is_former);
}

void zone_pointer_take_over(
        const struct zone_pointer *p, const struct zone_take_over *how, struct zone_pointer *out)
{
        bool is_former = memcmp(p->id, how->id, sizeof p->id) != 0;
        int64_t others[] = {p->epoch, p->next};
        *out = *p;
        out->epoch = later_than_all(p, how->now_s);
        out->next = 0;
        memcpy(out->id, how->id, sizeof out->id);
        for (size_t i = 0; i < out->old_n; i++) {
                struct zone_old *old = &out->old[i];
                old->is_former = old->is_former || is_former;
                if (how->until_s != 0 && old->until_s > how->until_s)
                        old->until_s = how->until_s;
        }
        for (size_t i = 0; i < 2; i++)
                if (others[i] != 0)
                        force_old(out, others[i],
                                how->until_s != 0 ? how->until_s : until_of(others[i], how->validity_s),
                                is_former);
}

void zone_pointer_merge(const struct zone_pointer *found, const struct zone_pointer *known, int64_t now_s,
        int64_t validity_s, struct zone_pointer *out)
{
        const struct zone_pointer *newer = found->epoch >= known->epoch ? found : known;
        const struct zone_pointer *older = newer == found ? known : found;
        *out = *newer;
        if (out->next == 0 && older->epoch == newer->epoch)
                out->next = older->next;
        for (size_t i = 0; i < older->old_n; i++) {
                const struct zone_old *old = &older->old[i];
                if (old->until_s > now_s && !zone_pointer_names(out, old->epoch))
                        (void)keep_old(out, old->epoch, old->until_s, old->is_former);
        }
        int64_t until_s = until_of(older->epoch, validity_s);
        if (until_s > now_s && !zone_pointer_names(out, older->epoch))
                (void)keep_old(out, older->epoch, until_s, false);
}
