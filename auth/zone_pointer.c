/* SPDX-License-Identifier: ISC */
#include "auth/zone_pointer.h"

#include "auth/tags.h"
#include "base/hex.h"
#include "base/time_text.h"

static enum err parse_time(struct str text, uint64_t max, int64_t *out)
{
        uint64_t value;
        enum err e = str_to_u64(text, max, &value);
        *out = (int64_t)value;
        return e == ERR_OK && value > 0 ? ERR_OK : ERR_SYNTAX;
}

static enum err parse_epoch(struct str text, int64_t *out)
{
        return parse_time(text, ZONE_EPOCH_MAX, out);
}

static enum err parse_epoch_tag(const struct tags *tags, struct str name, int64_t *out)
{
        const struct tag *tag = tags_find(tags, name);
        return tag ? parse_epoch(tag->value, out) : ERR_NOT_FOUND;
}

static enum err parse_id(const struct tags *tags, uint8_t out[KEY_ID_SIZE])
{
        const struct tag *tag = tags_find(tags, S("id"));
        struct wr w;
        wr_init(&w, out, KEY_ID_SIZE);
        return tag && hex_decode(tag->value, &w) == ERR_OK && w.n == KEY_ID_SIZE ? ERR_OK : ERR_SYNTAX;
}

/* EPOCH:UNTIL *("," EPOCH:UNTIL) */
static enum err parse_old(struct str list, struct zone_pointer *p)
{
        bool more = true;
        while (more) {
                struct str item, epoch, until;
                struct zone_old old = {0};
                more = str_cut(list, ',', &item, &list);
                if (p->old_n == ZONE_OLD_MAX)
                        return ERR_LIMIT;
                if (!str_cut(str_trim(item), ':', &epoch, &until) ||
                        parse_epoch(epoch, &old.epoch) != ERR_OK ||
                        parse_time(until, TIME_UNIX_MAX, &old.until_s) != ERR_OK || old.epoch >= p->epoch ||
                        zone_pointer_old(p, old.epoch))
                        return ERR_SYNTAX;
                p->old[p->old_n++] = old;
        }
        return ERR_OK;
}

/* EPOCH *("," EPOCH) */
static enum err parse_former(struct str list, struct zone_pointer *p)
{
        bool more = true;
        while (more) {
                struct str item;
                int64_t epoch;
                more = str_cut(list, ',', &item, &list);
                if (parse_epoch(str_trim(item), &epoch) != ERR_OK)
                        return ERR_SYNTAX;
                for (size_t i = 0; i < p->old_n; i++)
                        p->old[i].is_former = p->old[i].is_former || p->old[i].epoch == epoch;
        }
        return ERR_OK;
}

static enum err parse(struct str text, struct zone_pointer *p)
{
        struct tags tags;
        if (tags_parse(text, &tags) != ERR_OK || !str_eq(tags.list[0].name, S("v")))
                return ERR_SYNTAX;
        if (!str_eq(tags.list[0].value, S("PTT1")))
                return ERR_UNSUPPORTED;
        if (parse_epoch_tag(&tags, S("e"), &p->epoch) != ERR_OK || parse_id(&tags, p->id) != ERR_OK)
                return ERR_SYNTAX;
        if (tags_find(&tags, S("n")) &&
                (parse_epoch_tag(&tags, S("n"), &p->next) != ERR_OK || p->next <= p->epoch))
                return ERR_SYNTAX;
        const struct tag *old = tags_find(&tags, S("r")), *former = tags_find(&tags, S("f"));
        enum err e = old ? parse_old(old->value, p) : ERR_OK;
        return e == ERR_OK && former ? parse_former(former->value, p) : e;
}

enum err zone_pointer_parse(struct str text, struct zone_pointer *out)
{
        *out = (struct zone_pointer){0};
        enum err e = parse(text, out);
        if (e != ERR_OK)
                *out = (struct zone_pointer){0};
        return e;
}

enum err zone_pointer_write(const struct zone_pointer *p, struct wr *w)
{
        wr_str(w, S("v=PTT1; e="));
        wr_u64(w, (uint64_t)p->epoch);
        if (p->next != 0) {
                wr_str(w, S("; n="));
                wr_u64(w, (uint64_t)p->next);
        }
        for (size_t i = 0; i < p->old_n; i++) {
                wr_str(w, i == 0 ? S("; r=") : S(","));
                wr_u64(w, (uint64_t)p->old[i].epoch);
                wr_byte(w, ':');
                wr_u64(w, (uint64_t)p->old[i].until_s);
        }
        bool has_former = false;
        for (size_t i = 0; i < p->old_n; i++) {
                if (!p->old[i].is_former)
                        continue;
                wr_str(w, has_former ? S(",") : S("; f="));
                wr_u64(w, (uint64_t)p->old[i].epoch);
                has_former = true;
        }
        wr_str(w, S("; id="));
        hex_encode(w, str_of(p->id, sizeof p->id));
        return wr_end(w);
}
