/* SPDX-License-Identifier: ISC */
#include "serve/post.h"

static enum err found(enum err e, bool *is_there)
{
        *is_there = e == ERR_OK;
        return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* What the author is to the list, as far as its rule asks. */
static enum err look_up(struct post *p, enum posting_rule rule, struct posting_author *out)
{
        const struct inbound_envelope *e = p->arrival.envelope;
        struct store *s = e->node->store;
        struct arena before = *e->arena;
        struct store_member member;
        struct str author = p->act.author;
        enum err err = found(store_member_find(s, e->list.id, author, e->arena, &member), &out->is_member);
        out->is_new = out->is_member && (member.options & STORE_ACCEPTED) == 0 &&
                      setting_is(&p->settings, SETTING_FIRST_POST, S("moderated"));
        p->skip_count -= p->skips_own;
        p->skips_own = out->is_member && (member.options & STORE_NO_OWN) != 0;
        if (p->skips_own)
                p->skip[p->skip_count++] = author;
        *e->arena = before;
        bool moderators_differ = rule == POSTING_MODERATED || rule == POSTING_ANNOUNCE || out->is_new;
        if (err == ERR_OK && moderators_differ)
                err = found(store_moderator_find(s, e->list.id, author), &out->is_moderator);
        if (err == ERR_OK)
                err = found(store_ban_find(s, e->list.id, author, p->now_ms), &out->is_banned);
        return err;
}

enum err post_judge(struct post *p)
{
        const struct evaluate *verdicts = &p->arrival.evaluation.evaluate;
        enum posting_rule rule = posting_rule_of(p->settings.v[SETTING_POSTING]);
        struct wr w;
        p->author = (struct posting_author){.is_member = false};
        if (posting_proof(verdicts) == POSTING_PROVEN) {
                enum err e = look_up(p, rule, &p->author);
                if (e != ERR_OK)
                        return e;
        }
        wr_init(&w, p->why_text, sizeof p->why_text);
        p->answer = posting_judge(verdicts, rule, p->author, &w);
        p->why = wr_text(&w);
        p->is_held = p->answer.code == 250 && p->answer.is_held;
        return ERR_OK;
}

struct smtp_reply post_refusal(const struct post *p)
{
        struct str why;
        if (arena_copy(p->arrival.envelope->arena, p->why, &why) != ERR_OK)
                why = S("the author may not write here");
        return smtp_reply_of(
                (uint16_t)p->answer.code, (uint16_t)p->answer.subject, (uint16_t)p->answer.detail, why);
}
