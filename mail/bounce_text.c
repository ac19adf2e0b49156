/* SPDX-License-Identifier: ISC */
/* Bounces in words. The text is flattened first: runs of white space become one octet, SP inside of a line, LF for a line's
 * end and VT for empty lines; so a phrase is found wherever it was folded, and a line's head is behind LF or VT. Tables of
 * phrases (lower case, single spaces) say what stands where. */
#include "base/ascii.h"
#include "mail/address.h"
#include "mail/bounce.h"

#define P(literal)                              \
        {                                       \
                "" literal, sizeof(literal) - 1 \
        }
#define LINE_END '\n'
#define PARAGRAPH '\v'

/* What was returned begins here; nothing behind it is the reporter's. */
static const struct str ends[] = {P("below this line is a copy"), P("below the next line is a copy"),
        P("original message follows"), P("--- original message"), P("this is a copy of the message"),
        P("this is a copy of your message"), P("message header follows"), P("message headers follow"),
        P("message text follows"), P("-- returned mail"), P("returned mail follows"),
        P("unsent message below"), P("start of returned message"), P("header of the source mail"),
        P("header of the original message"), P("copy of the original message"),
        P("copy of the message header"), P("forwarded message"), P("original message as received"),
        P("lines of your original message"), P("lines of the message follow"), P("your message reads"),
        P("old message:"), P("mensaje original adjunto"), P("attachment is a copy of the message"),
        P("summary of the undelivered message")};

/* No bounce: an answer, or the demand for one. */
static const struct str answers[] = {P("out of office"), P("out of the office"), P("on vacation"),
        P("on holiday"), P("on annual leave"), P("away from my"), P("i am away"), P("i'm away"),
        P("will be back"), P("prove that you"), P("prove you are"), P("are human"), P("are a human"),
        P("not a robot"), P("approved senders"), P("approved sender list"), P("whitelist"), P("white list"),
        P("spamarrest"), P("confirm your"), P("confirm that you"), P("by replying to this"), P("challenge")};

/* Still being tried. */
static const struct str delays[] = {P("not yet been delivered"), P("not yet received"), P("has been delayed"),
        P("has been postponed"), P("delivery attempts will continue"), P("will continue to try"),
        P("will continue to attempt"), P("will continue trying"), P("will be retried"),
        P("this is a warning only"), P("this is just a warning"), P("is still awaiting delivery"),
        P("will keep trying")};

/* The addresses stand at the heads of lines below. */
static const struct str headings[] = {P("following address"), P("failed addresses"), P("addresses failed"),
        P("recipients failed"), P("recipient failed"), P("following recipient"), P("failed recipients"),
        P("could not be delivered to"), P("be delivered to the following"), P("not delivered to"),
        P("not receive your message"), P("did not reach"), P("could not be reached"),
        P("could not deliver message to"), P("able to deliver your message"), P("yet been delivered is"),
        P("delivery of email to this address"), P("your message to:"), P("etre delivre a"),
        P("awaiting delivery to"), P("not yet been delivered to")};

/* The address follows at once, on the same line or the next. */
static const struct str phrases[] = {P("intended recipient: "), P("undeliverable address: "),
        P("failed recipient: "), P("error-for: "), P("unknown user: "), P("invalid final delivery userid: "),
        P("attempts: "), P("undeliverable to "), P("unable to deliver message to "),
        P("deliver your message to "), P("quota violation for "), P("mailbox is full: "),
        P("generated from "), P("expanded from: "), P("originally addressed to "),
        P("message, addressed to "), P("addressed to email address : "),
        P("did not reach the following recipient: "), P("local mailbox "), P("recipient: "),
        P("to which your message was addressed, "), P("dda:smtp=")};

/* The same where these words stand anywhere in the text: they alone would fit friendlier mail. */
static const struct {
        struct str phrase, words;
} phrases_with[] = {
        {P("your message to "), P("automatically rejected")},
        {P("your message to "), P("has not been delivered")},
        {P("final-recipient: rfc822; "), P("action: failed")},
        {P(" to: "), P("able to deliver the following message")},
};

/* Behind an address at the head of a line they need no heading. */
static const struct str verdicts[] = {P("no such user"), P("user unknown"), P("unknown user"),
        P("unknown host"), P("over quota"), P("mailbox unavailable")};

/* ---- flat text ---- */

static struct str flatten(struct str text, char *room, size_t cap)
{
        size_t n = 0;
        for (size_t i = 0; i < text.n && n < cap;) {
                size_t lines = 0, start = i;
                for (; i < text.n && (ascii_is_wsp(text.p[i]) || text.p[i] == '\r' || text.p[i] == '\n'); i++)
                        lines += text.p[i] == '\n';
                if (i > start)
                        room[n++] = lines == 0 ? ' ' : lines == 1 ? LINE_END : PARAGRAPH;
                else
                        room[n++] = text.p[i++];
        }
        return str_of(room, n);
}

static bool is_space(char c)
{
        return c == ' ' || c == LINE_END || c == PARAGRAPH;
}

static bool is_line_end(char c)
{
        return c == LINE_END || c == PARAGRAPH;
}

/* A space of the phrase is any white space, LF is a line's end. */
static bool has_phrase_at(struct str flat, size_t at, struct str phrase)
{
        if (phrase.n > flat.n - at)
                return false;
        for (size_t i = 0; i < phrase.n; i++) {
                char want = phrase.p[i], c = flat.p[at + i];
                bool is_same = want == ' '        ? is_space(c)
                               : want == LINE_END ? is_line_end(c)
                                                  : ascii_lower(c) == want;
                if (!is_same)
                        return false;
        }
        return true;
}

/* Where it begins; flat.n when it is not there. */
static size_t find_phrase(struct str flat, struct str phrase)
{
        for (size_t at = 0; at < flat.n; at++)
                if (has_phrase_at(flat, at, phrase))
                        return at;
        return flat.n;
}

static bool has_any(struct str flat, const struct str *table, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (find_phrase(flat, table[i]) < flat.n)
                        return true;
        return false;
}

/* The end of the first phrase of the table; flat.n when there is none. */
static size_t find_first_end(struct str flat, const struct str *table, size_t n)
{
        for (size_t at = 0; at < flat.n; at++)
                for (size_t i = 0; i < n; i++)
                        if (has_phrase_at(flat, at, table[i]))
                                return at + table[i].n;
        return flat.n;
}

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

/* ---- addresses ---- */

/* What may stand before an address: marks of quotation, bullets, the kind of address. */
static struct str skip_marks(struct str s)
{
        while (s.n > 0) {
                if (has_phrase_at(s, 0, S("smtp:")))
                        s = str_skip(s, 5);
                else if (is_space(s.p[0]) || str_find_byte(S("<>\"'*[(-"), s.p[0]) < 8)
                        s = str_skip(s, 1);
                else
                        break;
        }
        return s;
}

/* The address at the head of `s`; empty when there is none. It ends where no address goes on: a dot behind it is the
 * sentence's, but two of them show that something was left out. */
static struct str address_at(struct str s)
{
        struct mail_address a;
        size_t used;
        if (mail_mailbox_scan(s, MAIL_UTF8, &a, &used) != ERR_OK)
                return S("");
        struct str rest = str_skip(s, used);
        if (str_has_prefix(rest, S("..")) || (rest.n > 0 && rest.p[0] == '@'))
                return S("");
        return str_take(s, used);
}

static struct str line_at(struct str flat)
{
        size_t n = 0;
        while (n < flat.n && !is_line_end(flat.p[n]))
                n++;
        return str_take(flat, n);
}

static void add(struct bounce *b, enum bounce_kind kind, struct str from, struct str line)
{
        struct bounce_recipient *r = bounce_add(b, kind, address_at(from));
        if (r)
                r->said = line;
}

/* ---- shapes ---- */

/* "<a@b>:" at the head of a line is what qmail and Postfix write, and nobody else: it needs no heading. */
static bool is_bracketed_with_colon(struct str line)
{
        struct str inside = str_skip(line, 1), address = address_at(inside);
        return line.n > 0 && line.p[0] == '<' && address.n > 0 &&
               str_has_prefix(str_skip(inside, address.n), S(">:"));
}

static void read_line_heads(struct bounce *b, enum bounce_kind kind, struct str flat, size_t headed)
{
        for (size_t at = 0; at < flat.n;) {
                struct str line = line_at(str_skip(flat, at));
                struct str head = skip_marks(line);
                if (at >= headed || is_bracketed_with_colon(line) || has_any(line, verdicts, COUNT(verdicts)))
                        add(b, kind, head, line);
                at += line.n + 1;
        }
}

static void read_phrase(struct bounce *b, enum bounce_kind kind, struct str flat, struct str phrase)
{
        for (size_t at = 0; at < flat.n; at++)
                if (has_phrase_at(flat, at, phrase)) {
                        struct str behind = skip_marks(str_skip(flat, at + phrase.n));
                        add(b, kind, behind, line_at(behind));
                }
}

static struct str name_at(struct str s)
{
        return str_take(s, mail_dot_atom_size(s, MAIL_ASCII));
}

static void add_name(struct bounce *b, enum bounce_kind kind, struct bounce_work *work, struct wr *room,
        struct str name, struct str domain)
{
        size_t before = room->n;
        wr_str(room, name);
        wr_byte(room, '@');
        wr_str(room, domain);
        if (!room->full)
                (void)bounce_add(b, kind, str_of(work->room + before, room->n - before));
}

/* Names without a domain, alone on a line behind a heading: of the reporter's domain (AOL). */
static void read_names(struct bounce *b, enum bounce_kind kind, struct str flat, size_t headed,
        struct str domain, struct bounce_work *work)
{
        struct wr room;
        wr_init(&room, work->room, sizeof work->room);
        for (size_t at = headed; at < flat.n && domain.n > 0;) {
                struct str line = line_at(str_skip(flat, at)), head = str_trim(line), name = name_at(head);
                if (name.n > 0 && name.n == head.n)
                        add_name(b, kind, work, &room, name, domain);
                at += line.n + 1;
        }
}

/* phquery, a directory: names in front of its finding, and the domains where they are reachable in the text below. */
static void read_directory(struct bounce *b, enum bounce_kind kind, struct str flat, struct bounce_work *work)
{
        static const struct str reachable[] = {P("by emailing name@"), P("emailing to name@")};
        struct wr room;
        wr_init(&room, work->room, sizeof work->room);
        for (size_t at = 0; at < flat.n;) {
                struct str line = line_at(str_skip(flat, at)), head = str_trim(line), name = name_at(head);
                bool is_finding =
                        name.n > 0 && has_phrase_at(head, name.n, S(" no matches to nameserver query"));
                for (size_t i = 0; is_finding && i < COUNT(reachable); i++) {
                        size_t found = find_phrase(flat, reachable[i]);
                        struct str domain = name_at(str_skip(flat, found + reachable[i].n));
                        if (domain.n > 0)
                                add_name(b, kind, work, &room, name, domain);
                }
                at += line.n + 1;
        }
}

void bounce_text_read(struct str text, struct str domain, struct bounce_work *work, struct bounce *out)
{
        struct str flat = flatten(text, work->flat, sizeof work->flat);
        size_t n = flat.n;
        for (size_t i = 0; i < COUNT(ends); i++) {
                size_t at = find_phrase(str_take(flat, n), ends[i]);
                n = at < n ? at : n;
        }
        flat = str_take(flat, n);
        if (has_any(flat, answers, COUNT(answers)))
                return;
        enum bounce_kind kind = has_any(flat, delays, COUNT(delays)) ? BOUNCE_TEMPORARY : BOUNCE_PERMANENT;
        size_t headed = find_first_end(flat, headings, COUNT(headings));
        read_directory(out, kind, flat, work);
        if (out->count > 0)
                return;
        read_line_heads(out, kind, flat, headed);
        for (size_t i = 0; i < COUNT(phrases); i++)
                read_phrase(out, kind, flat, phrases[i]);
        for (size_t i = 0; i < COUNT(phrases_with); i++)
                if (find_phrase(flat, phrases_with[i].words) < flat.n)
                        read_phrase(out, kind, flat, phrases_with[i].phrase);
        if (out->count == 0)
                read_names(out, kind, flat, headed, domain, work);
}
