/* SPDX-License-Identifier: ISC */
#include "mail/bounce.h"

#include "base/ascii.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "mail/address.h"
#include "mail/header.h"
#include "mail/mime.h"
#include "mail/transfer.h"

#define BOUNDARY_MAX 256 /* RFC 2046 5.1.1 allows 70 */

struct bounce_recipient *bounce_add(struct bounce *b, enum bounce_kind kind, struct str address)
{
        struct mail_address parsed;
        if (mail_mailbox_parse(address, MAIL_UTF8, &parsed) != ERR_OK || b->count == BOUNCE_RECIPIENTS_MAX ||
                str_find_byte(parsed.domain, '.') == parsed.domain.n)
                return NULL;
        for (size_t i = 0; i < b->count; i++)
                if (str_eq_nocase(b->list[i].address, address))
                        return NULL;
        struct bounce_recipient *r = &b->list[b->count++];
        *r = (struct bounce_recipient){.kind = kind, .address = address};
        return r;
}

/* ---- RFC 3464: groups of fields ---- */

/* The fields of one recipient (RFC 3464 2.3). */
struct group {
        struct str original, final, action, status, diagnostic;
};

static struct str without_brackets(struct str s)
{
        s = str_trim(s);
        if (s.n >= 2 && s.p[0] == '<' && s.p[s.n - 1] == '>')
                s = str_take(str_skip(s, 1), s.n - 2);
        return s;
}

/* "\x{" 1*6HEXDIG "}" at the head (RFC 6533 3): its size, or 0. */
static size_t embedded_at(struct str s, uint32_t *code)
{
        size_t n = 3;
        if (!str_has_prefix(s, S("\\x{")))
                return 0;
        for (*code = 0; n < s.n && n < 9 && ascii_is_hex(s.p[n]); n++) {
                char c = ascii_lower(s.p[n]);
                *code = *code * 16 + (uint32_t)(ascii_is_digit(c) ? c - '0' : c - 'a' + 10);
        }
        return n > 3 && n < s.n && s.p[n] == '}' ? n + 1 : 0;
}

/* An address of type utf-8 with its characters beyond ASCII written out, in `room` if there are any. */
static struct str without_embedded(struct str s, struct wr *room)
{
        size_t before = room->n;
        if (str_find(s, S("\\x{")) == s.n)
                return s;
        for (size_t at = 0; at < s.n;) {
                uint32_t code;
                size_t n = embedded_at(str_skip(s, at), &code);
                if (n > 0)
                        utf8_write(room, code);
                else
                        wr_byte(room, s.p[at]);
                at += n > 0 ? n : 1;
        }
        return room->full ? s : str_of(room->p + before, room->n - before);
}

/* "address-type; address" (RFC 3464 2.3.1); the type is left out by some. Empty for a type that is no mail address. */
static struct str typed_address(struct str value, struct wr *room)
{
        struct str type, address;
        if (!str_cut(value, ';', &type, &address))
                return without_brackets(value);
        type = str_trim(type);
        if (str_eq_nocase(type, S("utf-8")))
                return without_embedded(without_brackets(address), room);
        return str_eq_nocase(type, S("rfc822")) ? without_brackets(address) : S("");
}

static bool is_address(struct str s)
{
        struct mail_address parsed;
        return mail_mailbox_parse(s, MAIL_UTF8, &parsed) == ERR_OK;
}

/* The word at the head of a field's value: comments and explanations stand behind it. */
static struct str first_word(struct str s)
{
        size_t n = 0;
        s = str_trim(s);
        while (n < s.n && ascii_is_graph(s.p[n]) && s.p[n] != '(' && s.p[n] != ';')
                n++;
        return str_take(s, n);
}

/* RFC 3463 2: class "." subject "." detail */
static struct str status_code(struct str s)
{
        size_t dots = 0;
        s = first_word(s);
        if (s.n < 5 || (s.p[0] != '2' && s.p[0] != '4' && s.p[0] != '5') || s.p[1] != '.')
                return S("");
        for (size_t i = 1; i < s.n; i++) {
                if (s.p[i] == '.')
                        dots++;
                else if (!ascii_is_digit(s.p[i]))
                        return S("");
        }
        return dots == 2 ? s : S("");
}

/* "delayed" and "failed" are the standard's (RFC 3464 2.3.3); "failure" and "error" are seen, too. A group without any
 * action stands in a report of failure. */
static enum bounce_kind kind_of(struct str action)
{
        action = first_word(action);
        if (str_eq_nocase(action, S("delayed")))
                return BOUNCE_TEMPORARY;
        if (action.n == 0 || str_eq_nocase(action, S("failed")) || str_eq_nocase(action, S("failure")) ||
                str_eq_nocase(action, S("error")))
                return BOUNCE_PERMANENT;
        return BOUNCE_NONE; /* delivered, relayed, expanded */
}

static void add_group(struct bounce *b, const struct group *g, struct wr *room)
{
        enum bounce_kind kind = kind_of(g->action);
        struct str address = typed_address(g->original, room);
        struct str diagnostic = g->diagnostic, type, rest;
        if (!is_address(address))
                address = typed_address(g->final, room);
        if (kind == BOUNCE_NONE || (g->original.n == 0 && g->final.n == 0))
                return;
        struct bounce_recipient *r = bounce_add(b, kind, address);
        if (r == NULL)
                return;
        if (str_cut(diagnostic, ';', &type, &rest))
                diagnostic = rest;
        r->status = status_code(g->status);
        r->said = str_trim(diagnostic.n > 0 ? diagnostic : g->status);
        r->is_bare = diagnostic.n == 0;
}

static void take_field(struct group *g, const struct mail_field *f)
{
        const struct {
                struct str name;
                struct str *value;
        } known[] = {
                {S("Original-Recipient"), &g->original},
                {S("Final-Recipient"), &g->final},
                {S("Action"), &g->action},
                {S("Status"), &g->status},
                {S("Diagnostic-Code"), &g->diagnostic},
        };
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
                if (str_eq_nocase(f->name, known[i].name) && known[i].value->n == 0)
                        *known[i].value = str_trim(f->body);
}

/* Groups are parted by empty lines; some write a line of blanks there, which a header would take as a fold, so groups are
 * also parted where a field of the recipient comes again. */
static void read_status(struct bounce *b, struct str body, struct wr *room)
{
        struct group g = {0};
        for (size_t at = 0; at < body.n;) {
                struct mail_field f;
                enum mail_item item = mail_item_next(body, &at, &f);
                bool is_next = item == MAIL_ITEM_END || item == MAIL_ITEM_EOF ||
                               (item == MAIL_ITEM_FIELD && g.final.n > 0 &&
                                       str_eq_nocase(f.name, S("Final-Recipient")));
                if (is_next) {
                        add_group(b, &g, room);
                        g = (struct group){0};
                }
                if (item == MAIL_ITEM_EOF)
                        return;
                if (item == MAIL_ITEM_FIELD)
                        take_field(&g, &f);
        }
        add_group(b, &g, room);
}

/* ---- parts ---- */

/* Some gateways pass a report on as an attachment. What was returned to us is none: no list sends reports. */
static bool is_report(struct str message)
{
        struct mime_entity e;
        mime_entity_read(message, &e);
        return mime_type_is(&e.type, S("multipart"), S("report"));
}

/* The body of a report's part; RFC 6533 4 lets it be encoded. */
static struct str decoded(const struct mime_entity *e, struct wr *room)
{
        size_t before = room->n;
        struct mail_transfer_in in;
        enum mail_transfer transfer = mail_transfer_of(e->encoding);
        if (transfer == MAIL_TRANSFER_PLAIN)
                return e->body;
        mail_transfer_in_init(&in, transfer, e->body);
        for (int octet; !room->full && (octet = mail_transfer_in_next(&in)) >= 0;)
                wr_byte(room, (char)octet);
        return str_of(room->p + before, room->n - before);
}

static void read_parts(struct bounce *b, struct str text, unsigned depth, struct wr *decoding)
{
        struct mime_entity e;
        char room[BOUNDARY_MAX];
        struct wr boundary;
        struct str part;
        mime_entity_read(text, &e);
        if (mime_type_is(&e.type, S("message"), S("delivery-status")) ||
                mime_type_is(&e.type, S("message"), S("global-delivery-status"))) {
                read_status(b, decoded(&e, decoding), decoding);
                return;
        }
        if (depth == MIME_DEPTH_MAX)
                return;
        if (mime_type_is(&e.type, S("message"), S("rfc822")) && is_report(e.body)) {
                read_parts(b, e.body, depth + 1, decoding);
                return;
        }
        if (!mime_type_is(&e.type, S("multipart"), S("")))
                return;
        wr_init(&boundary, room, sizeof room);
        if (!mime_parameter(&e.type, S("boundary"), &boundary) || wr_end(&boundary) != ERR_OK)
                return;
        for (size_t at = 0; mime_part_next(e.body, wr_text(&boundary), &at, &part);)
                read_parts(b, part, depth + 1, decoding);
}

/* ---- a report that leaves the reason to the text ---- */

/* The reply in a line "address: 550 text"; empty when it is another line. */
static struct str reply_behind(struct str line, struct str address)
{
        line = str_trim(line);
        if (!str_eq_nocase(str_take(line, address.n), address))
                return S("");
        line = str_skip(line, address.n);
        bool is_reply = line.n >= 5 && line.p[0] == ':' && line.p[1] == ' ' &&
                        (line.p[2] == '4' || line.p[2] == '5') && ascii_is_digit(line.p[3]) &&
                        ascii_is_digit(line.p[4]) && (line.n == 5 || line.p[5] == ' ');
        return is_reply ? str_skip(line, 2) : S("");
}

/* OpenSMTPD reports "Status: 5.0.0" and no Diagnostic-Code, whatever it was told; what that was stands in the text. */
static void take_reasons(struct bounce *b, struct str text)
{
        while (text.n > 0) {
                struct str line;
                (void)str_cut(text, '\n', &line, &text);
                for (size_t i = 0; i < b->count; i++) {
                        struct bounce_recipient *r = &b->list[i];
                        struct str reply = reply_behind(line, r->address);
                        if (r->is_bare && reply.n > 0) {
                                r->said = reply;
                                r->is_bare = false;
                        }
                }
        }
}

static bool has_bare(const struct bounce *b)
{
        for (size_t i = 0; i < b->count; i++)
                if (b->list[i].is_bare)
                        return true;
        return false;
}

/* Of the From field. */
static struct str reporter_domain(struct str message)
{
        struct mail_field f;
        struct mail_mailbox from;
        for (size_t at = 0;;) {
                enum mail_item item = mail_item_next(message, &at, &f);
                if (item == MAIL_ITEM_END || item == MAIL_ITEM_EOF)
                        return S("");
                if (item == MAIL_ITEM_FIELD && str_eq_nocase(f.name, S("From")) &&
                        mail_address_parse(f.body, &from) == ERR_OK)
                        return from.address.domain;
        }
}

void bounce_read(struct str message, struct bounce_work *work, struct bounce *out)
{
        struct wr text, decoding;
        *out = (struct bounce){0};
        wr_init(&decoding, work->room, sizeof work->room);
        read_parts(out, message, 0, &decoding);
        out->is_dsn = out->count > 0;
        if (out->is_dsn && !has_bare(out))
                return;
        wr_init(&text, work->text, sizeof work->text);
        (void)mime_text_read(message, &text);
        if (out->is_dsn)
                take_reasons(out, wr_text(&text));
        else if (!bounce_is_answer(message))
                bounce_text_read(wr_text(&text), reporter_domain(message), work, out);
}
