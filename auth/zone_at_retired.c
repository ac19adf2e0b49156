/* SPDX-License-Identifier: ISC */
/* The zone machine at the records of old epochs whose time is over: empty for one TTL, then gone, then forgotten. */
#include "auth/tags.h"
#include "auth/zone_internal.h"
#include "dns/code.h"

bool zone_is_retired(const struct zone_old *old, int64_t now_s)
{
        return old->until_s <= now_s;
}

/* What is known of the epoch; one that is forgotten by now gives its place. */
static struct zone_retired *retired_of(struct zone *z, int64_t epoch)
{
        struct zone_retired *place = NULL;
        for (size_t i = 0; i < ZONE_OLD_MAX; i++) {
                if (z->retired[i].epoch == epoch)
                        return &z->retired[i];
                if (!place && !zone_pointer_old(&z->pointer, z->retired[i].epoch))
                        place = &z->retired[i];
        }
        *place = (struct zone_retired){.epoch = epoch}; /* there are as many places as old epochs */
        return place;
}

static int64_t empty_since(const struct zone *z, int64_t epoch)
{
        for (size_t i = 0; i < ZONE_OLD_MAX; i++)
                if (z->retired[i].epoch == epoch)
                        return z->retired[i].empty_s;
        return 0;
}

int64_t zone_removal_s(const struct zone *z, const struct zone_old *old)
{
        int64_t empty_s = empty_since(z, old->epoch), over_s = old->epoch + z->config.validity_s;
        if (empty_s == 0)
                return INT64_MAX;
        if (over_s < old->until_s) /* what was revoked stays named until then: nobody takes it for lost */
                over_s = old->until_s;
        return (empty_s > over_s ? empty_s : over_s) + (int64_t)z->config.ttl_s;
}

bool zone_is_all_empty(const struct zone *z, int64_t now_s)
{
        for (size_t i = 0; i < z->pointer.old_n; i++)
                if (zone_is_retired(&z->pointer.old[i], now_s) &&
                        empty_since(z, z->pointer.old[i].epoch) == 0)
                        return false;
        return true;
}

static const struct zone_old *old_at(const struct zone *z)
{
        return &z->pointer.old[z->at];
}

static struct str empty_text(enum zone_kind kind)
{
        return kind == ZONE_DKIM_ED25519 ? S("v=DKIM1; k=ed25519; p=") : S("v=DKIM1; k=rsa; p=");
}

/* RFC 6376 3.6.1: an empty p= means a revoked key */
static bool is_empty_key(struct str text)
{
        struct tags tags;
        const struct tag *key = tags_parse(text, &tags) == ERR_OK ? tags_find(&tags, S("p")) : NULL;
        return key && key->value.n == 0;
}

static void write_selector(const struct zone *z, struct wr *w, char room[DNS_LABEL_MAX])
{
        wr_init(w, room, DNS_LABEL_MAX);
        zone_write_selector(z, w, z->at_kind, old_at(z)->epoch);
}

static void name_at(const struct zone *z, struct dns_name *out)
{
        char selector[DNS_LABEL_MAX];
        struct wr w;
        write_selector(z, &w, selector);
        zone_key_name(z, wr_text(&w), out);
}

/* All records of the epoch were looked at. True: it is forgotten, and the machine is on its way. */
static bool finish_epoch(struct zone *z, int64_t now_s)
{
        struct zone_retired *retired = retired_of(z, old_at(z)->epoch);
        struct zone_pointer wanted;
        if (z->is_unempty)
                retired->empty_s = 0;
        else if (retired->empty_s == 0 || retired->empty_s > now_s)
                retired->empty_s = now_s;
        if (z->retired_left > 0 || now_s < zone_removal_s(z, old_at(z)))
                return false;
        zone_pointer_forget(&z->pointer, old_at(z)->epoch, &wanted);
        zone_swap_pointer(z, &wanted, ZONE_EVENT_EPOCH_FORGOTTEN);
        return true;
}

static void next_epoch(struct zone *z)
{
        z->at++;
        z->at_kind = ZONE_DKIM_RSA;
        z->retired_left = 0;
        z->is_unempty = false;
}

/* Whatever of it is configured now: a kind that is no longer wanted had records too. */
static bool has_selector(const struct zone *z)
{
        return z->at_kind != ZONE_ARC_RSA || z->config.arc_selector.n > 0;
}

static void finish_look(struct zone *z, int64_t now_s)
{
        if (z->is_revoking && zone_is_all_empty(z, now_s))
                zone_end(z, ERR_OK);
        else
                zone_rest_until_due(z, now_s);
}

static bool ask_retired(struct zone *z, int64_t now_s, struct zone_step *out)
{
        struct dns_name name;
        while (z->at < z->pointer.old_n) {
                if (!zone_is_retired(old_at(z), now_s)) {
                        next_epoch(z);
                } else if (z->at_kind == ZONE_KINDS) {
                        if (finish_epoch(z, now_s))
                                return false;
                        next_epoch(z);
                } else if (!has_selector(z)) {
                        z->at_kind++;
                } else {
                        name_at(z, &name);
                        return zone_ask_primary(&name, DNS_TYPE_TXT, out);
                }
        }
        finish_look(z, now_s);
        return false;
}

/* It stays as it is, in this look at least. */
static void leave_record(struct zone *z, bool is_empty)
{
        z->retired_left++;
        z->is_unempty = z->is_unempty || !is_empty;
        z->at_kind++;
}

static void tell_crowd(struct zone *z, const struct dns_name *name)
{
        struct wr w = zone_reason_begin(z, ZONE_LACK_UNPUBLISHED);
        wr_str(&w, S("too many TXT records at "));
        dns_name_write(&w, name);
        zone_reason_end(z, &w);
        zone_tell(z, ZONE_EVENT_TROUBLE, S(""), zone_reason(z));
}

static void answered_retired(struct zone *z, int64_t now_s, enum err e, const struct dns_answer *answer)
{
        struct dns_name name;
        name_at(z, &name);
        bool is_alias = zone_is_alias(&name, e, answer); /* not our record, and none of ours beside it */
        if (!is_alias && zone_answer_failed(z, &name, DNS_TYPE_TXT, e, answer))
                return;
        if (is_alias || answer->count == 0) {
                z->at_kind++;
                return;
        }
        z->is_removal = answer->count == 1 && is_empty_key(answer->values[0].text);
        if (z->is_removal && now_s < zone_removal_s(z, old_at(z))) {
                leave_record(z, true);
        } else if (zone_see(&z->record_seen, answer) == ERR_OK) {
                zone_go(z, ZONE_STATE_WRITE_RETIRED);
        } else {
                tell_crowd(z, &name);
                leave_record(z, false);
        }
}

const struct zone_state_row zone_at_read_retired = {.ask = ask_retired, .answered = answered_retired};

static void fill_retired(const struct zone *z, struct dns_update *u)
{
        struct dns_name name;
        name_at(z, &name);
        zone_need_seen(u, &name, &z->record_seen);
        zone_delete_seen(u, &name, &z->record_seen);
        if (!z->is_removal)
                zone_add_txt(z, u, &name, empty_text(z->at_kind));
}

static void updated_retired(struct zone *z, int64_t now_s, const struct zone_update_result *result)
{
        char selector[DNS_LABEL_MAX];
        struct wr w;
        switch (zone_judge_update(z, result)) {
        case ZONE_OUTCOME_DONE:
                write_selector(z, &w, selector);
                zone_tell(z, z->is_removal ? ZONE_EVENT_KEY_REMOVED : ZONE_EVENT_KEY_EMPTIED, wr_text(&w),
                        S(""));
                zone_go(z, ZONE_STATE_READ_RETIRED); /* see it there */
                break;
        case ZONE_OUTCOME_RACED:
                zone_go(z, ZONE_STATE_READ_RETIRED);
                break;
        case ZONE_OUTCOME_FAILED:
                zone_rest_until_due(z, now_s);
                break;
        }
}

const struct zone_state_row zone_at_write_retired = {
        .ask = zone_ask_update, .updated = updated_retired, .fill = fill_retired};
