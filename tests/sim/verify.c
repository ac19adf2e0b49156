/* SPDX-License-Identifier: ISC */
#include "tests/sim/verify_inside.h"

#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"
#include "base/check.h"
#include "base/limits.h"
#include "tests/sim/book.h"
#include "tests/sim/buffer.h"
#include "tests/sim/results.h"

#define TOKEN_SIZE 24

struct verify *verify_new(struct ledger *ledger, verify_lookup *lookup, void *ctx)
{
        struct verify *v = calloc(1, sizeof *v);
        CHECK(v);
        v->ledger = ledger;
        v->lookup = lookup;
        v->ctx = ctx;
        for (size_t i = 0; i < VERIFY_LETTERS; i++)
                v->known[i].try = LEDGER_NONE;
        return v;
}

void verify_expect_results(struct verify *v, const char *authserv)
{
        v->authserv = authserv;
}

void verify_expect_look(struct verify *v, uint32_t list, const struct look *look)
{
        if (list >= v->look_count) {
                v->looks = realloc(v->looks, (list + 1) * sizeof *v->looks);
                CHECK(v->looks);
                while (v->look_count <= list)
                        v->looks[v->look_count++] = (struct look){.from = {NULL, 0}};
        }
        v->looks[list] = *look;
}

void verify_expect_notes(struct verify *v, struct book *book)
{
        v->book = book;
}

static void known_clear(struct known *k)
{
        str_free(k->letter);
        str_free(k->renamed);
        buffer_free(&k->front);
        buffer_free(&k->names);
        buffer_free(&k->dns);
        *k = (struct known){.try = LEDGER_NONE};
}

void verify_free(struct verify *v)
{
        if (!v)
                return;
        for (size_t i = 0; i < VERIFY_LETTERS; i++)
                known_clear(&v->known[i]);
        for (size_t i = 0; i < VERIFY_KEYS; i++) {
                str_free(v->keys[i].record);
                dkim_key_drop(&v->keys[i].key);
        }
        buffer_free(&v->sample);
        buffer_free(&v->dns);
        free(v->looks);
        free(v);
}

struct str verify_sample(const struct verify *v, struct str *list)
{
        *list = v->sample.n > 0 ? ledger_list_address(v->ledger, v->sample_list) : S("");
        return buffer_text(&v->sample);
}

/* ---- signatures ---- */

static void judge_signature(struct verify *v, struct known *k, const struct verify_message *m,
        struct str front, const char *name, struct str list)
{
        struct str domain = str_skip(list, str_find_last_byte(list, '@') + 1), fault;
        enum dkim_fault why;
        if (verify_is_as_before(v, k, m, front))
                return;
        k->names.n = k->dns.n = k->front.n = 0;
        k->from_s = m->wall_s;
        if (verify_is_signed(v, k, m, domain, &why)) {
                buffer_put(&k->front, front);
                return;
        }
        fault = dkim_fault_text(why);
        ledger_violate(v->ledger, "unverified",
                "the copy of %s at %s has no signature of %.*s that verifies: %.*s", name, m->host,
                STR_ARG(domain), STR_ARG(fault));
}

/* ---- bytes ---- */

static const struct look *look_of(const struct verify *v, uint32_t list)
{
        static const struct look standard = {.from = {NULL, 0}};
        return list < v->look_count ? &v->looks[list] : &standard;
}

/* Posts, and what moderators get of NAME-owner: there it hangs on what the author's domain asks for, which is left open. */
static bool renames(const struct verify *v, uint32_t list, const struct look *look,
        const struct ledger_try *is, bool *is_open)
{
        bool is_post = ledger_list_kind(v->ledger, list) == LEDGER_LIST;
        *is_open = false;
        if (!is_post && ledger_rule_of(v->ledger, list) == LEDGER_NO_RULE)
                return false;
        bool is_renamed = look_renames(look, v->ledger, is, is_open);
        *is_open = *is_open || (is_renamed && !is_post);
        return is_renamed;
}

static struct known *letter_of(struct verify *v, uint32_t t, uint32_t list)
{
        struct known *k = &v->known[t % VERIFY_LETTERS];
        if (k->try == t && k->list == list)
                return k;
        known_clear(k);
        struct letter letter = ledger_letter(v->ledger, t);
        const struct ledger_try *is = ledger_try_get(v->ledger, t);
        const struct look *look = look_of(v, list);
        bool is_open, is_renamed = renames(v, list, look, is, &is_open);
        k->try = t;
        k->list = list;
        letter.prefix = look->prefix;
        if (!is_renamed || is_open)
                k->letter = letter_arriving(&letter);
        letter.via = ledger_list_address(v->ledger, list);
        if (is_renamed || is_open)
                k->renamed = letter_arriving(&letter);
        return k;
}

/* A field that lipap or the signer may put in front. */
static bool is_our_field(struct str name, enum letter_shape shape)
{
        static const char *const names[] = {"Received", "DKIM-Signature", "ARC-Seal", "ARC-Message-Signature",
                "ARC-Authentication-Results", "Authentication-Results", "Received-SPF", "Precedence",
                "Sender"};
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
                if (str_eq_nocase(name, str_of_c(names[i])))
                        return true;
        if (shape == LETTER_BARE && (str_eq_nocase(name, S("Date")) || str_eq_nocase(name, S("Message-ID"))))
                return true;
        return str_has_prefix_nocase(name, S("List-"));
}

/* "<name.domain>" of name@domain, at the end of a List-Id. */
static bool is_list_id(struct str body, struct str list)
{
        char text[SMTP_PATH_MAX + 2];
        struct wr w;
        struct str name, domain;
        wr_init(&w, text, sizeof text);
        (void)str_cut(list, '@', &name, &domain);
        wr_byte(&w, '<');
        wr_str(&w, name);
        wr_byte(&w, '.');
        wr_str(&w, domain);
        wr_byte(&w, '>');
        return str_has_suffix_nocase(str_trim(body), wr_text(&w));
}

/* What is wrong with the fields in front: one that nobody may put there, or NULL; `list` is 0 long for a role. */
static const char *judge_front(const struct look *look, struct str front, const struct ledger_try *is,
        bool is_renamed, struct str list)
{
        struct mail_field field;
        struct str reply = S("");
        size_t at = 0, ids = 0, replies = 0;
        while (at < front.n) {
                if (mail_item_next(front, &at, &field) != MAIL_ITEM_FIELD)
                        return "something in front that is no field";
                bool is_reply = str_eq_nocase(field.name, S("Reply-To"));
                if (!is_our_field(field.name, is->shape) && !is_reply)
                        return "a strange field in front";
                replies += is_reply;
                reply = is_reply ? field.body : reply;
                if (!str_eq_nocase(field.name, S("List-Id")))
                        continue;
                ids++;
                if (list.n == 0 || !is_list_id(field.body, list))
                        return "the List-Id of another list";
        }
        if (ids != (list.n > 0))
                return "not one List-Id";
        return look_judge_reply(look, is, list, is_renamed, replies, reply);
}

static void keep_sample(struct verify *v, const struct verify_message *m, uint32_t list)
{
        v->sample.n = 0;
        buffer_put(&v->sample, m->bytes);
        v->sample_list = list;
}

/* Have forged results come along? */
static bool has_forged(const struct verify *v, struct str bytes, uint32_t t)
{
        struct letter letter = ledger_letter(v->ledger, t);
        struct mail_field field;
        size_t at = 0;
        while (at < letter.forged.n && mail_item_next(letter.forged, &at, &field) == MAIL_ITEM_FIELD)
                if (str_find(bytes, field.raw) < bytes.n)
                        return true;
        return false;
}

static void judge_results(
        struct verify *v, const struct verify_message *m, const struct ledger_try *is, struct str front)
{
        if (!v->authserv || !is->truth.is_told || is->is_misled)
                return;
        const char *wrong = results_judge(front, str_of_c(v->authserv), is, ledger_dns_may_fail(v->ledger));
        if (wrong)
                ledger_violate(v->ledger, "results", "the copy of %s (post %.*s) at %s: %s", is->name,
                        STR_ARG(is->post), m->host, wrong);
}

static void judge_bytes(struct verify *v, const struct verify_message *m, uint32_t t, uint32_t list)
{
        struct known *k = letter_of(v, t, list);
        const struct ledger_try *is = ledger_try_get(v->ledger, t);
        struct str address = ledger_list_address(v->ledger, list);
        bool is_role = ledger_list_kind(v->ledger, list) == LEDGER_ROLE;
        const struct look *look = look_of(v, list);
        size_t at = look_find(look, m->bytes, k->letter);
        bool is_renamed = at == m->bytes.n;
        if (is_renamed)
                at = look_find(look, m->bytes, k->renamed);
        struct str front = str_take(m->bytes, at);
        const char *wrong = at == m->bytes.n
                                    ? "the letter is not at its end"
                                    : judge_front(look, front, is, is_renamed, is_role ? S("") : address);
        bool is_forged = has_forged(v, m->bytes, t);
        if (is_forged)
                ledger_violate(v->ledger, "forged",
                        "the copy of %s (post %.*s) at %s: the results that it forged", is->name,
                        STR_ARG(is->post), m->host);
        else if (wrong)
                ledger_violate(v->ledger, "altered", "the copy of %s (post %.*s) at %s: %s", is->name,
                        STR_ARG(is->post), m->host, wrong);
        if (!wrong && !is_forged)
                judge_results(v, m, is, front);
        if (!wrong && !is_role && k->front.n == 0)
                keep_sample(v, m, list);
        judge_signature(v, k, m, wrong ? S("") : front, is->name, address);
}

/* ---- envelopes ---- */

static bool is_token(struct str s)
{
        for (size_t i = 0; i < s.n; i++)
                if (!ascii_is_alpha(s.p[i]) && !(s.p[i] >= '2' && s.p[i] <= '7'))
                        return false;
        return s.n == TOKEN_SIZE;
}

/* The list of a return path NAME-return-TOKEN@DOMAIN. */
static uint32_t list_of_path(const struct verify *v, struct str from)
{
        static const struct str word = {"-return-", 8};
        char text[SMTP_PATH_MAX];
        struct wr w;
        size_t at = str_find_last_byte(from, '@');
        struct str local = str_take(from, at);
        if (local.n < word.n + TOKEN_SIZE + 1 || !is_token(str_skip(local, local.n - TOKEN_SIZE)))
                return LEDGER_NONE;
        struct str head = str_take(local, local.n - TOKEN_SIZE);
        if (!str_has_suffix_nocase(head, word))
                return LEDGER_NONE;
        wr_init(&w, text, sizeof text);
        wr_str(&w, str_take(head, head.n - word.n));
        wr_str(&w, str_skip(from, at));
        uint32_t list = ledger_list_find(v->ledger, wr_text(&w));
        bool is_list = list != LEDGER_NONE && ledger_list_kind(v->ledger, list) == LEDGER_LIST;
        return is_list ? list : LEDGER_NONE;
}

uint32_t verify_list_of(struct verify *v, struct str from, struct str to)
{
        if (from.n > 0)
                return list_of_path(v, from);
        for (uint32_t i = 0; i < ledger_lists(v->ledger); i++)
                if (ledger_list_kind(v->ledger, i) == LEDGER_ROLE && ledger_is_known(v->ledger, i, to))
                        return i;
        return LEDGER_NONE;
}

/* The same where the try is known: of several roles with the same people, the one it went to. */
static uint32_t list_of_copy(struct verify *v, const struct ledger_try *is, struct str from, struct str to)
{
        for (size_t i = 0; is && from.n == 0 && i < is->target_count; i++)
                if (ledger_list_kind(v->ledger, is->targets[i]) == LEDGER_ROLE &&
                        ledger_is_known(v->ledger, is->targets[i], to))
                        return is->targets[i];
        return verify_list_of(v, from, to);
}

bool verify_may_come(struct verify *v, struct str from, struct str to)
{
        return ledger_is_known(v->ledger, verify_list_of(v, from, to), to) ||
               (v->book && from.n == 0 && book_may_tell(v->book, to));
}

void verify_expect_health(struct verify *v, struct health *health)
{
        v->health = health;
}

/* Mail of lists: of roles, the null sender is everybody's. */
static void note_fault(
        struct verify *v, struct str from, struct str to, enum health_fault fault, bool is_bounce)
{
        uint32_t list = list_of_path(v, from);
        if (v->health && list != LEDGER_NONE)
                health_fails(v->health, list, to, fault, is_bounce);
}

void verify_refused(struct verify *v, struct str from, struct str to, enum health_fault fault)
{
        ledger_refusal(v->ledger, to);
        if (v->book)
                book_refusal(v->book, to);
        note_fault(v, from, to, fault, false);
}

void verify_bounced(struct verify *v, struct str path, struct str about, enum health_fault fault)
{
        note_fault(v, path, about, fault, true);
}

/* The address in a From field. */
static struct str address_of(const struct mail_field *from)
{
        struct str rest = str_skip(from->body, str_find_last_byte(from->body, '<') + 1), address;
        (void)str_cut(rest.n > 0 ? rest : from->body, '>', &address, &rest);
        return str_trim(address);
}

/* What the server tells whoever looks after it goes out when no signer is there: without a signature, but with no wrong one. */
static bool may_be_unsigned(const struct verify *v, const struct mail_header *header, struct str address)
{
        uint32_t role = ledger_list_find(v->ledger, address);
        return role != LEDGER_NONE && ledger_list_kind(v->ledger, role) == LEDGER_ROLE &&
               mail_header_count(header, S("DKIM-Signature")) == 0;
}

/* Mail that a list has written itself: signed like any other. */
static void judge_note(struct verify *v, const struct verify_message *m)
{
        struct known k = {.try = LEDGER_NONE};
        struct mail_header header;
        enum dkim_fault why;
        const struct mail_field *from =
                mail_header_index(m->bytes, v->fields, MAIL_FIELDS_MAX, &header) == ERR_OK
                        ? mail_header_first(&header, S("From"))
                        : NULL;
        struct str address = from ? address_of(from) : S("");
        struct str domain = str_skip(address, str_find_last_byte(address, '@') + 1);
        if (from && !may_be_unsigned(v, &header, address) && !verify_is_signed(v, &k, m, domain, &why))
                ledger_violate(v->ledger, "unverified",
                        "mail of a list at %s has no signature of %.*s that verifies", m->host,
                        STR_ARG(domain));
        known_clear(&k);
}

static void note_received(struct verify *v, const struct verify_message *m)
{
        judge_note(v, m);
        for (size_t i = 0; i < m->to_count; i++)
                book_note(v->book, m->connection, m->to[i], m->bytes);
}

static void note_taken(struct verify *v, const struct verify_message *m)
{
        uint32_t list = list_of_path(v, m->from);
        for (size_t i = 0; v->health && list != LEDGER_NONE && i < m->to_count; i++)
                health_takes(v->health, list, m->to[i]);
}

void verify_received(struct verify *v, const struct verify_message *m)
{
        note_taken(v, m);
        if (v->book && letter_name(m->bytes).n == 0) { /* nobody's letter */
                note_received(v, m);
                return;
        }
        uint32_t t = ledger_try_find(v->ledger, letter_name(m->bytes));
        const struct ledger_try *is = ledger_try_get(v->ledger, t);
        for (size_t i = 0; i < m->to_count; i++) {
                uint32_t list = list_of_copy(v, is, m->from, m->to[i]);
                ledger_copy(v->ledger, m->connection, t, list, m->to[i]);
                if (i == 0 && is && list != LEDGER_NONE)
                        judge_bytes(v, m, t, list);
        }
}
