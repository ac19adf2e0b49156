/* SPDX-License-Identifier: ISC */
#include "tests/sim/verify.h"

#include <stdlib.h>
#include <string.h>

#include "auth/dkim_verify.h"
#include "base/ascii.h"
#include "base/check.h"
#include "base/limits.h"
#include "tests/sim/book.h"
#include "tests/sim/buffer.h"
#include "tests/sim/results.h"

#define LETTERS 16 /* kept: copies of one letter come in a row */
#define KEYS 16    /* parsed: parsing costs more than verifying */
#define TOKEN_SIZE 24

/* A letter that copies of are coming, and the last fields in front of it that were verified: members get the same
 * bytes, so the next copy needs no arithmetic as long as DNS says the same. */
struct known {
        uint32_t try, list;
        struct str letter;       /* owned; as it arrives, */
        struct str renamed;      /* or may arrive, with another From; owned */
        struct buffer front;     /* verified; empty: none yet */
        struct buffer names;     /* of the keys that were asked for, each ended by LF */
        struct buffer dns;       /* what was answered, as `put_views` writes it */
        int64_t from_s, until_s; /* when that holds */
};

struct cached_key {
        struct str record; /* owned */
        struct dkim_key key;
};

struct verify {
        struct ledger *ledger;
        verify_lookup *lookup;
        void *ctx;
        const char *authserv;  /* NULL: nothing is expected */
        struct book *book;     /* or NULL */
        struct health *health; /* likewise */
        struct look *looks;    /* by list; of those behind all is standard */
        size_t look_count;
        struct known known[LETTERS];
        struct cached_key keys[KEYS];
        size_t key_count; /* ever parsed */
        struct buffer sample, dns;
        uint32_t sample_list;
        struct dkim_verify dkim;
        struct mail_field fields[MAIL_FIELDS_MAX];
};

struct verify *verify_new(struct ledger *ledger, verify_lookup *lookup, void *ctx)
{
        struct verify *v = calloc(1, sizeof *v);
        CHECK(v);
        v->ledger = ledger;
        v->lookup = lookup;
        v->ctx = ctx;
        for (size_t i = 0; i < LETTERS; i++)
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
        for (size_t i = 0; i < LETTERS; i++)
                known_clear(&v->known[i]);
        for (size_t i = 0; i < KEYS; i++) {
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

/* ---- keys ---- */

static const struct dkim_key *key_of(struct verify *v, struct str record)
{
        struct cached_key *k = &v->keys[v->key_count % KEYS];
        for (size_t i = 0; i < KEYS; i++)
                if (v->keys[i].record.p && str_eq(v->keys[i].record, record))
                        return &v->keys[i].key;
        str_free(k->record);
        dkim_key_drop(&k->key);
        k->record = str_copy(record);
        dkim_key_from_records(&record, 1, &k->key);
        v->key_count++;
        return &k->key;
}

static struct dkim_verdict verdict_under(struct verify *v, size_t signature, const struct verify_view *view)
{
        struct dkim_key key;
        if (view->status == VERIFY_RECORDS && view->count == 1)
                return dkim_verify_verdict(&v->dkim, signature, key_of(v, view->records[0]));
        if (view->status == VERIFY_RECORDS)
                dkim_key_from_records(view->records, view->count, &key);
        else
                dkim_key_from_trouble(&key);
        struct dkim_verdict verdict = dkim_verify_verdict(&v->dkim, signature, &key);
        dkim_key_drop(&key);
        return verdict;
}

/* ---- signatures ---- */

static void put_views(struct buffer *b, struct str name, const struct verify_view *views, size_t n)
{
        buffer_print(b, "%.*s %zu\n", STR_ARG(name), n);
        for (size_t i = 0; i < n; i++) {
                buffer_print(b, "%d %zu\n", (int)views[i].status, views[i].count);
                for (size_t k = 0; k < views[i].count; k++) {
                        buffer_put(b, views[i].records[k]);
                        buffer_put(b, S("\n"));
                }
        }
}

/* Is one signature right for everybody who asks DNS now? Nobody is wronged by a server that gives no answer. */
static bool is_right(struct verify *v, struct known *k, size_t signature, enum dkim_fault *why)
{
        struct verify_view views[VERIFY_VIEWS_MAX];
        char text[2 * DNS_NAME_MAX];
        struct wr name;
        wr_init(&name, text, sizeof text);
        if (dkim_verify_question(&v->dkim, signature, &name) != ERR_OK) {
                *why = dkim_verify_verdict(&v->dkim, signature, NULL).fault;
                return false;
        }
        size_t n = v->lookup(v->ctx, wr_text(&name), views, VERIFY_VIEWS_MAX);
        CHECK(n > 0 && n <= VERIFY_VIEWS_MAX);
        buffer_print(&k->names, "%.*s\n", STR_ARG(wr_text(&name)));
        put_views(&k->dns, wr_text(&name), views, n);
        for (size_t i = 0; i < n; i++) {
                struct dkim_verdict verdict = verdict_under(v, signature, &views[i]);
                *why = verdict.fault;
                if (verdict.result != DKIM_PASS && verdict.result != DKIM_TEMPERROR)
                        return false;
        }
        return true;
}

/* Is there a signature of `domain` that is right? If not, `*why` is what is wrong with the last one. */
static bool is_signed(struct verify *v, struct known *k, const struct verify_message *m, struct str domain,
        enum dkim_fault *why)
{
        struct mail_header header;
        bool is_good = false;
        *why = DKIM_KEY_NONE;
        if (mail_header_index(m->bytes, v->fields, MAIL_FIELDS_MAX, &header) != ERR_OK)
                return false;
        dkim_verify_init(&v->dkim, &header, m->wall_s);
        dkim_verify_body(&v->dkim, str_skip(m->bytes, header.body_at));
        dkim_verify_body_end(&v->dkim);
        for (size_t i = 0; i < v->dkim.count && !is_good; i++) {
                const struct dkim_signature *s = &v->dkim.list[i].signature;
                is_good = str_eq_nocase(s->domain, domain) && is_right(v, k, i, why);
                if (is_good)
                        k->until_s = s->has_expiry ? s->expiry_s : INT64_MAX;
        }
        dkim_verify_drop(&v->dkim);
        return is_good;
}

/* Would the arithmetic be the same as last time? */
static bool is_as_before(
        struct verify *v, const struct known *k, const struct verify_message *m, struct str front)
{
        struct verify_view views[VERIFY_VIEWS_MAX];
        struct str names = buffer_text(&k->names), name;
        if (k->front.n == 0 || !str_eq(buffer_text(&k->front), front) || m->wall_s < k->from_s ||
                m->wall_s > k->until_s)
                return false;
        v->dns.n = 0;
        while (names.n > 0) {
                (void)str_cut(names, '\n', &name, &names);
                put_views(&v->dns, name, views, v->lookup(v->ctx, name, views, VERIFY_VIEWS_MAX));
        }
        return str_eq(buffer_text(&v->dns), buffer_text(&k->dns));
}

static void judge_signature(struct verify *v, struct known *k, const struct verify_message *m,
        struct str front, const char *name, struct str list)
{
        struct str domain = str_skip(list, str_find_last_byte(list, '@') + 1), fault;
        enum dkim_fault why;
        if (is_as_before(v, k, m, front))
                return;
        k->names.n = k->dns.n = k->front.n = 0;
        k->from_s = m->wall_s;
        if (is_signed(v, k, m, domain, &why)) {
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

static struct known *letter_of(struct verify *v, uint32_t t, uint32_t list)
{
        struct known *k = &v->known[t % LETTERS];
        if (k->try == t && k->list == list)
                return k;
        known_clear(k);
        struct letter letter = ledger_letter(v->ledger, t);
        const struct ledger_try *is = ledger_try_get(v->ledger, t);
        const struct look *look = look_of(v, list);
        bool is_open = false, is_renamed = ledger_list_kind(v->ledger, list) == LEDGER_LIST &&
                                           look_renames(look, v->ledger, is, &is_open);
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

/* Mail that a list has written itself: signed like any other. */
static void note_received(struct verify *v, const struct verify_message *m)
{
        struct known k = {.try = LEDGER_NONE};
        struct mail_header header;
        enum dkim_fault why;
        if (mail_header_index(m->bytes, v->fields, MAIL_FIELDS_MAX, &header) == ERR_OK) {
                const struct mail_field *from = mail_header_first(&header, S("From"));
                struct str domain =
                        from ? str_trim(str_skip(from->body, str_find_last_byte(from->body, '@') + 1))
                             : S("");
                if (str_has_suffix_nocase(domain, S(">")))
                        domain.n--;
                if (!is_signed(v, &k, m, domain, &why))
                        ledger_violate(v->ledger, "unverified",
                                "mail of a list at %s has no signature of %.*s that verifies", m->host,
                                STR_ARG(domain));
        }
        known_clear(&k);
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
