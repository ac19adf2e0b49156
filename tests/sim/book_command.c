/* SPDX-License-Identifier: ISC */
/* What a command changes, and whether it has. The rules of product.md, in the words of the ledger. */
#include "base/ascii.h"
#include "tests/sim/book_inside.h"

/* ---- matters: what is so, and what commands that are under way make of it ---- */

static int value_of(struct book *b, uint32_t list, enum book_what what, struct str key)
{
        enum ledger_membership is;
        switch (what) {
        case BOOK_MEMBER:
                is = ledger_membership(b->ledger, list, key);
                return is == LEDGER_MAYBE ? BOOK_UNSURE : (int)is;
        case BOOK_HOLD:
                return (int)ledger_hold(b->ledger, ledger_try_find(b->ledger, key), list);
        case BOOK_RULE:
                return (int)ledger_rule_of(b->ledger, list);
        case BOOK_SUBSCRIPTION:
                return book_list_of(b, list)->subscription;
        default:
                return BOOK_UNSURE; /* nothing hangs on what it was */
        }
}

static enum ledger_membership membership_of(int value)
{
        return value == BOOK_UNSURE ? LEDGER_MAYBE : (enum ledger_membership)value;
}

static void put_value(struct book *b, uint32_t list, enum book_what what, struct str key, int value)
{
        struct ledger *l = b->ledger;
        switch (what) {
        case BOOK_MEMBER:
                ledger_member(l, list, key, membership_of(value));
                break;
        case BOOK_OWN_POSTS:
                ledger_own_posts(l, list, key, membership_of(value));
                break;
        case BOOK_BAN:
                ledger_ban(l, list, key, membership_of(value));
                break;
        case BOOK_HOLD:
                ledger_hold_put(l, ledger_try_find(l, key), list,
                        value == BOOK_UNSURE ? LEDGER_UNSURE : (enum ledger_hold)value);
                break;
        case BOOK_RULE:
                ledger_list_rule(
                        l, list, value == BOOK_UNSURE ? LEDGER_NO_RULE : (enum ledger_rule)value, false);
                break;
        case BOOK_FIRST_POST:
                ledger_list_first_post(l, list, value != 0);
                break;
        case BOOK_SUBSCRIPTION:
                book_list_of(b, list)->subscription = value;
                break;
        }
}

static struct book_matter *matter_of(struct book *b, uint32_t list, const struct book_effect *e)
{
        for (size_t i = 0; i < b->matter_count; i++)
                if (b->matters[i].list == list && b->matters[i].what == e->what &&
                        str_eq_nocase(b->matters[i].key, e->key))
                        return &b->matters[i];
        b->matters = array_grow(b->matters, b->matter_count, &b->matter_cap, sizeof *b->matters);
        b->matters[b->matter_count] =
                (struct book_matter){.list = list, .what = e->what, .key = str_copy(e->key)};
        return &b->matters[b->matter_count++];
}

static void begin(struct book *b, uint32_t list, const struct book_effect *e)
{
        struct book_matter *m = matter_of(b, list, e);
        if (m->under_way++ == 0) {
                m->before = value_of(b, list, e->what, e->key);
                m->done_count = 0;
                m->is_lost = false;
        }
        put_value(b, list, e->what, m->key, BOOK_UNSURE);
}

/* What somebody who is a member already asks for again is no change; and copies can be wanted by members alone. */
static int outcome_of(const struct book_matter *m)
{
        bool is_member = m->what == BOOK_MEMBER;
        if (m->done_count == 0)
                return m->before;
        if (is_member && m->done == LEDGER_IN && m->before == BOOK_UNSURE)
                return BOOK_UNSURE;
        return m->done_count == 1 ? m->done : BOOK_UNSURE;
}

static void finish(struct book *b, uint32_t list, const struct book_effect *e, unsigned code)
{
        struct book_matter *m = matter_of(b, list, e);
        m->is_lost = m->is_lost || code == 0;
        if (code / 100 == 2) {
                m->done_count += m->done_count == 0 || m->done != e->value;
                m->done = e->value;
        }
        if (--m->under_way > 0)
                return;
        put_value(b, list, e->what, m->key, m->is_lost ? BOOK_UNSURE : outcome_of(m));
}

/* ---- effects ---- */

struct reading {
        struct book *b;
        struct book_command *c;
        const struct ledger_try *is;
        struct book_effect
                *effects; /* where what is read goes: of the command, or of what is to be confirmed */
        size_t *count;
        bool is_moderator, is_strong; /* a signature stands for the author */
};

/* What this command makes of it already; NULL: nothing. */
static struct book_effect *effect_of(struct reading *r, enum book_what what, struct str key)
{
        for (size_t i = 0; i < *r->count; i++)
                if (r->effects[i].what == what && str_eq_nocase(r->effects[i].key, key))
                        return &r->effects[i];
        return NULL;
}

/* The last word counts. */
static void put(struct reading *r, enum book_what what, struct str key, int value)
{
        struct book_effect *e = effect_of(r, what, key);
        if (e) {
                e->value = value;
                return;
        }
        CHECK(*r->count < BOOK_EFFECTS_MAX);
        r->effects[(*r->count)++] = (struct book_effect){what, str_copy(key), value};
}

static struct book_ask *ask_new(struct reading *r, bool is_join)
{
        struct book *b = r->b;
        b->asks = array_grow(b->asks, b->ask_count, &b->ask_cap, sizeof *b->asks);
        struct book_ask *ask = &b->asks[b->ask_count++];
        *ask = (struct book_ask){.command = (uint32_t)(r->c - b->commands),
                .list = r->c->list,
                .from = str_copy(r->is->from),
                .is_join = is_join};
        return ask;
}

/* Does a note speak of all that was to be changed? */
static bool is_about(const struct book_note *note, const struct book_ask *ask)
{
        for (size_t i = 0; i < ask->count; i++)
                if (str_find(note->bytes, ask->effects[i].key) == note->bytes.n)
                        return false;
        return ask->count > 0;
}

/* What somebody is asked to confirm by a note: the changes that it names, else joining. */
static const struct book_ask *ask_of(const struct book *b, uint32_t list, const struct book_note *note)
{
        const struct book_ask *join = NULL;
        for (size_t i = b->ask_count; i-- > 0;) {
                const struct book_ask *ask = &b->asks[i];
                if (ask->list != list || ask->is_void || !str_eq_nocase(ask->from, note->to))
                        continue;
                if (!ask->is_join && is_about(note, ask))
                        return ask;
                join = !join && ask->is_join ? ask : join;
        }
        return join;
}

static void joins(struct reading *r, struct str who)
{
        const struct book_effect *e = effect_of(r, BOOK_MEMBER, who);
        int is = e ? e->value : value_of(r->b, r->c->list, BOOK_MEMBER, who);
        if (is != LEDGER_IN && is != LEDGER_QUIET)
                put(r, BOOK_MEMBER, who, LEDGER_IN);
}

static void read_join(struct reading *r)
{
        int subscription = book_list_of(r->b, r->c->list)->subscription;
        if (subscription == BOOK_OPEN || subscription == BOOK_UNSURE)
                joins(r, r->is->from);
        if (subscription != BOOK_OPEN && subscription != BOOK_CLOSED)
                (void)ask_new(r, true);
}

/* What moderators alone may do; without a signature they are asked first. */
static void read_change(struct reading *r, enum book_what what, struct str key, int value)
{
        if (!r->is_moderator)
                return;
        book_owe(r->b, r->c->list, what == BOOK_MEMBER || what == BOOK_BAN ? key : r->is->from, 1);
        put(r, what, key, value);
}

static void read_setting(struct reading *r, struct str name, struct str value)
{
        static const struct {
                const char *name, *value;
                enum book_what what;
                int is;
        } known[] = {
                {"posting", "subscribers", BOOK_RULE, LEDGER_MEMBERS},
                {"posting", "open", BOOK_RULE, LEDGER_EVERYBODY},
                {"posting", "moderated", BOOK_RULE, LEDGER_APPROVED},
                {"posting", "announce", BOOK_RULE, LEDGER_MODERATORS},
                {"first-post", "free", BOOK_FIRST_POST, 0},
                {"first-post", "moderated", BOOK_FIRST_POST, 1},
                {"subscription", "moderated", BOOK_SUBSCRIPTION, BOOK_MODERATED},
                {"subscription", "confirm", BOOK_SUBSCRIPTION, BOOK_CONFIRM},
                {"subscription", "open", BOOK_SUBSCRIPTION, BOOK_OPEN},
                {"subscription", "closed", BOOK_SUBSCRIPTION, BOOK_CLOSED},
        };
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
                if (str_eq_nocase(name, str_of_c(known[i].name)) &&
                        str_eq_nocase(value, str_of_c(known[i].value)))
                        read_change(r, known[i].what, name, known[i].is);
}

static void read_option(struct reading *r, struct str name, struct str value)
{
        int is = value_of(r->b, r->c->list, BOOK_MEMBER, r->is->from);
        bool is_on = str_eq_nocase(value, S("on"));
        if (is == LEDGER_OUT || (!is_on && !str_eq_nocase(value, S("off"))))
                return;
        if (str_eq_nocase(name, S("nomail")))
                put(r, BOOK_MEMBER, r->is->from, is_on ? LEDGER_QUIET : LEDGER_IN);
        if (str_eq_nocase(name, S("own-posts")))
                put(r, BOOK_OWN_POSTS, r->is->from, is_on ? LEDGER_IN : LEDGER_OUT);
}

static void read_request(struct reading *r, struct str line)
{
        struct str word, rest;
        (void)str_cut(line, ' ', &word, &rest);
        rest = str_trim(rest);
        if (word.n > 0) /* what has an answer of its own, beside the one about all */
                book_owe(r->b, r->c->list, r->is->from, 1);
        bool is_own = rest.n == 0 || str_eq_nocase(rest, r->is->from);
        if ((str_eq_nocase(word, S("join")) || str_eq_nocase(word, S("subscribe"))) && is_own)
                read_join(r);
        if ((str_eq_nocase(word, S("leave")) || str_eq_nocase(word, S("unsubscribe"))) && is_own)
                put(r, BOOK_MEMBER, r->is->from, LEDGER_OUT);
        if (str_eq_nocase(word, S("remove")) && rest.n > 0)
                read_change(r, BOOK_MEMBER, rest, LEDGER_OUT);
        if (str_eq_nocase(word, S("ban")) && rest.n > 0) {
                read_change(r, BOOK_BAN, rest, LEDGER_OUT);
        }
        if (str_eq_nocase(word, S("unban")) && rest.n > 0)
                read_change(r, BOOK_BAN, rest, LEDGER_IN);
}

/* Each line of the subject and the text, until there is nothing more to say. */
static void read_lines(struct reading *r, struct str route)
{
        struct str text = r->is->text, line, name, value;
        if (str_eq(route, S("request")) && r->is->subject.n > 0)
                read_request(r, r->is->subject);
        while (text.n > 0) {
                (void)str_cut(text, '\n', &line, &text);
                line = str_trim(line);
                if (str_eq(line, S("--")))
                        return;
                (void)str_cut(line, str_find_byte(line, ':') < line.n ? ':' : '=', &name, &value);
                if (str_eq(route, S("request")))
                        read_request(r, line);
                else if (str_eq(route, S("settings")))
                        read_setting(r, str_trim(name), str_trim(value));
                else
                        read_option(r, str_trim(name), str_trim(value));
        }
}

/* remove-USER=DOMAIN */
static void read_remove(struct reading *r, struct str whom)
{
        struct buffer address = {0};
        size_t at = str_find_last_byte(whom, '=');
        buffer_print(&address, "%.*s@%.*s", STR_ARG(str_take(whom, at)), STR_ARG(str_skip(whom, at + 1)));
        read_change(r, BOOK_MEMBER, buffer_text(&address), LEDGER_OUT);
        buffer_free(&address);
}

static void read_confirm(struct reading *r, uint32_t number)
{
        const struct book_note *note = book_note_get(r->b, number);
        uint32_t list = note ? ledger_list_find(r->b->ledger, note->list) : LEDGER_NONE;
        const struct book_ask *ask = note && list == r->c->list ? ask_of(r->b, list, note) : NULL;
        int subscription = book_list_of(r->b, r->c->list)->subscription;
        if (!ask)
                return;
        bool needs_moderator =
                subscription == BOOK_MODERATED && !ledger_is_moderator(r->b->ledger, list, note->to);
        book_owe(r->b, list, note->to, 1);
        if (ask->is_join && !needs_moderator && subscription != BOOK_CLOSED)
                joins(r, note->to);
        for (size_t i = 0; i < ask->count; i++)
                put(r, ask->effects[i].what, ask->effects[i].key, ask->effects[i].value);
}

/* The try of the post that a note has with it. */
static uint32_t held_try(const struct book *b, const struct book_note *note)
{
        size_t at = str_find(note->bytes, S("\r\nX-Try: "));
        struct str line;
        (void)str_cut(str_skip(note->bytes, at + 9), '\r', &line, &(struct str){NULL, 0});
        return at < note->bytes.n ? ledger_try_find(b->ledger, line) : LEDGER_NONE;
}

/* The decision about what a note to moderators speaks of: a post, or somebody who has asked to join. */
static void read_decision(struct reading *r, uint32_t number, bool accepts)
{
        const struct book_note *note = book_note_get(r->b, number);
        uint32_t list = note ? ledger_list_find(r->b->ledger, note->list) : LEDGER_NONE;
        if (!note || list != r->c->list || !r->is_moderator)
                return;
        const struct ledger_try *post = ledger_try_get(r->b->ledger, held_try(r->b, note));
        if (post) {
                enum ledger_hold hold = ledger_hold(r->b->ledger, held_try(r->b, note), list);
                book_owe(r->b, list, post->from, 1);
                if (hold == LEDGER_WAITS || hold == LEDGER_UNSURE)
                        put(r, BOOK_HOLD, str_of_c(post->name), accepts ? LEDGER_RELEASED : LEDGER_REJECTED);
                return;
        }
        for (size_t i = r->b->ask_count; i-- > 0;) {
                const struct book_ask *ask = &r->b->asks[i];
                if (ask->list != list || !ask->is_join || ask->is_void ||
                        str_find(note->bytes, ask->from) == note->bytes.n)
                        continue;
                book_owe(r->b, list, ask->from, 1);
                if (accepts)
                        joins(r, ask->from);
                return;
        }
}

static bool is_route(struct str word, const char *name)
{
        return str_eq_nocase(word, str_of_c(name));
}

static bool begins(struct str word, const char *head, struct str *rest)
{
        struct str is = str_of_c(head);
        *rest = str_skip(word, is.n);
        return str_has_prefix_nocase(word, is);
}

static const char *wrong_of(const struct reading *r, struct str word)
{
        static const char *const moderated[] = {"accept-", "reject-", "remove-", "settings", "why"};
        struct str rest;
        if (begins(word, "confirm-", &rest))
                return NULL;
        if (r->is->truth.is_told && !r->is->truth.is_proven)
                return "forged";
        for (size_t i = 0; i < sizeof moderated / sizeof moderated[0]; i++)
                if (begins(word, moderated[i], &rest) && !r->is_moderator)
                        return "usurped";
        return NULL;
}

static void read_route(struct reading *r, struct str word, uint32_t note)
{
        struct str rest;
        if (begins(word, "confirm-", &rest))
                read_confirm(r, note);
        else if (r->c->wrong)
                return;
        else if (is_route(word, "subscribe"))
                read_join(r);
        else if (is_route(word, "unsubscribe"))
                put(r, BOOK_MEMBER, r->is->from, LEDGER_OUT);
        else if (begins(word, "accept-", &rest) || begins(word, "reject-", &rest))
                read_decision(r, note, begins(word, "accept-", &rest));
        else if (begins(word, "remove-", &rest))
                read_remove(r, rest);
        else if (is_route(word, "settings") || is_route(word, "options") || is_route(word, "request"))
                read_lines(r, word);
}

/* What a moderator asks for without a signature of his is not done, but kept until it is confirmed. */
static void keep_changes(struct reading *r)
{
        struct book_ask *ask = NULL;
        size_t kept = 0;
        for (size_t i = 0; i < r->c->count; i++) {
                struct book_effect e = r->c->effects[i];
                bool is_own = e.what == BOOK_OWN_POSTS || e.what == BOOK_HOLD ||
                              (e.what == BOOK_MEMBER &&
                                      (e.value != LEDGER_OUT || str_eq_nocase(e.key, r->is->from)));
                if (is_own) {
                        r->c->effects[kept++] = e;
                        continue;
                }
                ask = ask ? ask : ask_new(r, false);
                ask->effects[ask->count++] = e;
        }
        r->c->count = kept;
}

uint32_t book_command(struct book *b, const struct book_command_new *new)
{
        struct str word = S(""), rest;
        b->commands = array_grow(b->commands, b->command_count, &b->command_cap, sizeof *b->commands);
        struct book_command *c = &b->commands[b->command_count];
        *c = (struct book_command){.t = new->t, .list = book_route(b, new->address, &word)};
        b->command_count++;
        if (c->list == LEDGER_NONE)
                return (uint32_t)(b->command_count - 1);
        const struct ledger_try *is = ledger_try_get(b->ledger, new->t);
        struct reading r = {.b = b, .c = c, .is = is, .effects = c->effects, .count = &c->count};
        r.is_moderator = ledger_is_moderator(b->ledger, c->list, is->from);
        r.is_strong = is->truth.dkim && str_eq_nocase(is->truth.signer,
                                                str_skip(is->from, str_find_last_byte(is->from, '@') + 1));
        c->wrong = wrong_of(&r, word);
        if (!c->wrong && is->truth.is_proven && !begins(word, "confirm-", &rest))
                book_owe(b, c->list, is->from, 1);
        c->has_reply = is_route(word, "help") || is_route(word, "unsubscribe") || is_route(word, "options") ||
                       is_route(word, "settings");
        read_route(&r, word, new->note);
        if (!r.is_strong && !begins(word, "confirm-", &rest))
                keep_changes(&r);
        for (size_t i = 0; i < c->count; i++)
                begin(b, c->list, &c->effects[i]);
        return (uint32_t)(b->command_count - 1);
}

void book_answer(struct book *b, uint32_t command, unsigned code)
{
        CHECK(command < b->command_count && !b->commands[command].is_answered);
        struct book_command *c = &b->commands[command];
        const struct ledger_try *is = ledger_try_get(b->ledger, c->t);
        c->is_answered = true;
        if (c->has_reply && code / 100 == 2)
                book_person_of(b, c->list, is->from)->asked++;
        for (size_t i = 0; i < b->ask_count; i++)
                b->asks[i].is_void = b->asks[i].is_void || (b->asks[i].command == command && code >= 400);
        for (size_t i = 0; i < c->count; i++)
                finish(b, c->list, &c->effects[i], code);
        if (c->wrong && code / 100 == 2)
                ledger_violate(b->ledger, c->wrong,
                        "command %.*s (%s) of author %s, from %.*s, was answered %u", STR_ARG(is->post),
                        is->name, is->author, STR_ARG(is->from), code);
}
