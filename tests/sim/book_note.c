/* SPDX-License-Identifier: ISC */
/* Mail that a list writes: whether it may, and what stands in it. */
#include "base/ascii.h"
#include "tests/sim/book_inside.h"
#include "tests/sim/scenario.h"

#define TOKEN_SIZE 24
#define DAY_MS (24LL * 60 * 60 * 1000)

size_t book_notes(const struct book *b)
{
        return b->note_count;
}

const struct book_note *book_note_get(const struct book *b, uint32_t note)
{
        return note < b->note_count ? &b->notes[note] : NULL;
}

/* ---- text ---- */

static int hex_of(char c)
{
        c = ascii_lower(c);
        return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Quoted-printable undone wherever it stands (RFC 2045 6.7); owned by the caller. */
static struct str undo_quoting(struct str s)
{
        struct buffer b = {0};
        for (size_t i = 0; i < s.n; i++) {
                if (s.p[i] == '=' && i + 2 < s.n && s.p[i + 1] == '\r' && s.p[i + 2] == '\n') {
                        i += 2;
                } else if (s.p[i] == '=' && i + 2 < s.n && hex_of(s.p[i + 1]) >= 0 &&
                           hex_of(s.p[i + 2]) >= 0) {
                        char c = (char)(hex_of(s.p[i + 1]) * 16 + hex_of(s.p[i + 2]));
                        buffer_put(&b, str_of(&c, 1));
                        i += 2;
                } else {
                        buffer_put(&b, str_of(s.p + i, 1));
                }
        }
        return buffer_text(&b);
}

static bool is_token(struct str s)
{
        size_t i = 0;
        while (i < s.n && (ascii_is_alpha(s.p[i]) || (s.p[i] >= '2' && s.p[i] <= '7')))
                i++;
        return i == TOKEN_SIZE && s.n == TOKEN_SIZE;
}

struct str book_token(const struct book *b, uint32_t number, struct str route)
{
        const struct book_note *note = book_note_get(b, number);
        struct str head, tail, rest;
        if (!note || !str_cut(route, '*', &head, &tail))
                return S("");
        for (rest = note->bytes; rest.n > 0;) {
                size_t at = str_find(rest, head);
                rest = str_skip(rest, at + head.n);
                struct str token = str_take(rest, TOKEN_SIZE);
                if (is_token(token) && str_has_prefix_nocase(str_skip(rest, TOKEN_SIZE), tail))
                        return token;
        }
        return S("");
}

uint32_t book_find(const struct book *b, struct str route, struct str to, struct str about, size_t older,
        struct str *token)
{
        for (uint32_t i = (uint32_t)b->note_count; i-- > 0;) {
                const struct book_note *note = &b->notes[i];
                if ((to.n > 0 && !str_eq_nocase(note->to, to)) ||
                        (about.n > 0 && str_find(note->bytes, about) == note->bytes.n))
                        continue;
                *token = book_token(b, i, route);
                if (token->n > 0 && older-- == 0)
                        return i;
        }
        *token = S("");
        return LEDGER_NONE;
}

size_t book_count(const struct book *b, struct str to, struct str pattern)
{
        size_t count = 0;
        for (size_t i = 0; i < b->note_count; i++)
                count += scenario_matches(to, b->notes[i].to) &&
                         (pattern.n == 0 || scenario_matches(pattern, b->notes[i].bytes));
        return count;
}

/* ---- what it must be ---- */

static const char *judge_header(const struct mail_header *h, struct str *from, struct str *id)
{
        static const char *const once[] = {
                "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version"};
        for (size_t i = 0; i < sizeof once / sizeof once[0]; i++)
                if (mail_header_count(h, str_of_c(once[i])) != 1)
                        return once[i];
        if (str_eq_nocase(str_trim(mail_header_first(h, S("Auto-Submitted"))->body), S("no")))
                return "Auto-Submitted";
        *from = mail_header_first(h, S("From"))->body;
        *id = str_trim(mail_header_first(h, S("Message-ID"))->body);
        return NULL;
}

/* The address in a field: between the last angle brackets, or all of it. */
static struct str address_in(struct str field)
{
        size_t open = str_find_last_byte(field, '<');
        struct str rest = str_skip(field, open + 1), address;
        if (open == field.n)
                return str_trim(field);
        (void)str_cut(rest, '>', &address, &rest);
        return str_trim(address);
}

/* ---- who may be told what ---- */

/* Posts of his that have waited: he hears what became of each. */
static unsigned held_posts(const struct book *b, uint32_t list, struct str address)
{
        unsigned count = 0;
        for (uint32_t t = 0; t < ledger_tries(b->ledger); t++)
                count += ledger_hold(b->ledger, t, list) != LEDGER_FREE &&
                         str_eq_nocase(ledger_try_get(b->ledger, t)->from, address);
        return count;
}

bool book_may_tell(const struct book *b, struct str to)
{
        for (size_t i = 0; i < b->person_count; i++)
                if (b->people[i].owed > 0 && str_eq_nocase(b->people[i].address, to))
                        return true;
        for (uint32_t i = 0; i < ledger_lists(b->ledger); i++)
                if (ledger_is_moderator(b->ledger, i, to) || held_posts(b, i, to) > 0)
                        return true;
        return b->health && health_may_tell(b->health, to);
}

void book_refusal(struct book *b, struct str address)
{
        for (size_t i = 0; i < b->person_count; i++)
                b->people[i].is_refused =
                        b->people[i].is_refused || str_eq_nocase(b->people[i].address, address);
}

static bool is_content(const struct book_person *p)
{
        return p->is_refused || p->got >= p->asked;
}

bool book_is_settled(const struct book *b)
{
        size_t i = 0;
        while (i < b->person_count && is_content(&b->people[i]))
                i++;
        return i == b->person_count;
}

void book_judge(struct book *b)
{
        for (size_t i = 0; i < b->person_count; i++) {
                const struct book_person *p = &b->people[i];
                if (!is_content(p))
                        ledger_violate(b->ledger, "silent",
                                "%.*s got %u answers, and was promised %u at least", STR_ARG(p->address),
                                p->got, p->asked);
        }
}

static const struct book_note *find_same(const struct book *b, struct str id, struct str to)
{
        for (size_t i = 0; i < b->note_count; i++)
                if (str_eq(b->notes[i].id, id) && str_eq_nocase(b->notes[i].to, to))
                        return &b->notes[i];
        return NULL;
}

static void judge_right(struct book *b, uint32_t list, const struct book_note *note)
{
        struct book_person *p = book_person_of(b, list, note->to);
        p->got++;
        if (ledger_is_moderator(b->ledger, list, note->to) || p->got <= p->owed ||
                p->got <= p->owed + held_posts(b, list, note->to))
                return;
        ledger_violate(b->ledger, "victim", "%.*s wrote to %.*s, who has asked for %u answers and got %u",
                STR_ARG(note->list), STR_ARG(note->to), p->owed, p->got);
}

static struct str confirm_route(struct buffer *room, struct str list)
{
        size_t at = str_find_byte(list, '@');
        buffer_print(room, "%.*s-confirm-*%.*s", STR_ARG(str_take(list, at)), STR_ARG(str_skip(list, at)));
        return buffer_text(room);
}

/* Confirmations may be ordered by somebody else's doing: one a day, and nothing in them that a stranger has written. */
static void judge_confirmation(struct book *b, uint32_t number)
{
        const struct book_note *note = &b->notes[number];
        struct buffer room = {0};
        struct str route = confirm_route(&room, note->list), token = book_token(b, number, route);
        if (token.n > 0 && (str_find(note->bytes, S("Somebody")) < note->bytes.n ||
                                   str_find(note->bytes, S("about t")) < note->bytes.n))
                ledger_violate(b->ledger, "quoted", "the confirmation for %.*s has words of whoever asked",
                        STR_ARG(note->to));
        for (uint32_t i = number; token.n > 0 && i-- > 0;) {
                const struct book_note *other = &b->notes[i];
                if (note->at_ms - other->at_ms < DAY_MS / 2 && str_eq_nocase(other->to, note->to) &&
                        str_eq(other->list, note->list) && !str_eq(other->id, note->id) &&
                        str_eq_nocase(str_take(book_token(b, i, route), 8), str_take(token, 8)))
                        ledger_violate(b->ledger, "nagged",
                                "%.*s was asked twice in a day to confirm one thing", STR_ARG(note->to));
        }
        buffer_free(&room);
}

static uint32_t keep(
        struct book *b, uint32_t connection, struct str list, struct str to, struct str id, struct str bytes)
{
        b->notes = array_grow(b->notes, b->note_count, &b->note_cap, sizeof *b->notes);
        b->notes[b->note_count] = (struct book_note){.list = str_copy(list),
                .to = str_copy(to),
                .id = str_copy(id),
                .bytes = undo_quoting(bytes),
                .connection = connection,
                .dot = ledger_connection_dots(b->ledger, connection),
                .at_ms = ledger_now_ms(b->ledger)};
        return (uint32_t)b->note_count++;
}

/* The list that an address belongs to, or the role that it is. */
static uint32_t writer_of(const struct book *b, struct str address)
{
        struct str word;
        uint32_t role = ledger_list_find(b->ledger, address);
        bool is_role = role != LEDGER_NONE && ledger_list_kind(b->ledger, role) == LEDGER_ROLE;
        return is_role && str_has_prefix_nocase(address, S("postmaster@")) ? role
                                                                           : book_route(b, address, &word);
}

void book_note(struct book *b, uint32_t connection, struct str to, struct str bytes)
{
        struct mail_header header;
        struct str from = S(""), id = S("");
        const char *wrong = mail_header_index(bytes, b->fields, MAIL_FIELDS_MAX, &header) != ERR_OK
                                    ? "a header that can be read"
                                    : judge_header(&header, &from, &id);
        uint32_t list = wrong ? LEDGER_NONE : writer_of(b, address_in(from));
        if (wrong || list == LEDGER_NONE) {
                ledger_violate(b->ledger, "notice", "mail of a list for %.*s: not one %s", STR_ARG(to),
                        wrong ? wrong : "address of a list in From");
                return;
        }
        const struct book_note *before = find_same(b, id, to);
        if (before && !ledger_is_excused(b->ledger, before->connection, before->dot))
                ledger_violate(b->ledger, "twice", "%.*s has come to %.*s before, and nothing befell that",
                        STR_ARG(id), STR_ARG(to));
        if (before)
                return;
        uint32_t number = keep(b, connection, ledger_list_address(b->ledger, list), to, id, bytes);
        struct str subject = str_trim(mail_header_first(&header, S("Subject"))->body);
        ledger_trace(b->ledger, NULL, "note %u of %.*s for %.*s: %.*s", (unsigned)number,
                STR_ARG(b->notes[number].list), STR_ARG(to), STR_ARG(subject));
        if (!book_is_own_accord(b, list, &b->notes[number], subject))
                judge_right(b, list, &b->notes[number]);
        judge_confirmation(b, number);
        if (b->told)
                b->told(b->ctx, number);
}
