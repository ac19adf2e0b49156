/* SPDX-License-Identifier: ISC */
#include "auth/spf_macro.h"

#include "base/ascii.h"
#include "base/check.h"

#define PARTS_MOST 1000 /* DIGIT transformers above it mean the same: all */

/* macro-expand or macro-literal */
struct piece {
        char letter;           /* of the macro, in lower case; '%', '_' or '-' of an escape; 0: a literal */
        char literal;          /* that octet */
        bool escape;           /* the letter was in upper case: URL escaping */
        bool reverse;          /* r */
        size_t keep;           /* right-hand parts */
        struct str delimiters; /* where the value is split */
};

static bool is_in(char c, struct str set)
{
        return str_find_byte(set, c) < set.n;
}

static char take(struct str *rest)
{
        char c = rest->n > 0 ? rest->p[0] : 0;
        *rest = str_skip(*rest, 1);
        return c;
}

static char head(struct str rest)
{
        return rest.n > 0 ? rest.p[0] : 0;
}

/* macro-letter transformers *delimiter "}"
 * transformers = *DIGIT [ "r" ]; a number must not be zero (7.3) */
static bool take_macro(struct str *rest, struct piece *out)
{
        char letter = take(rest);
        size_t digits = 0, delimiters = 0;
        out->letter = ascii_lower(letter);
        out->escape = letter != out->letter;
        if (!letter || !is_in(out->letter, S("slodiphcrtv")))
                return false;
        for (; ascii_is_digit(head(*rest)); digits++) {
                out->keep = out->keep * 10 + (size_t)(take(rest) - '0');
                if (out->keep > PARTS_MOST)
                        out->keep = PARTS_MOST;
        }
        if (digits > 0 && out->keep == 0)
                return false;
        if (digits == 0)
                out->keep = SIZE_MAX;
        out->reverse = ascii_lower(head(*rest)) == 'r';
        if (out->reverse)
                take(rest);
        while (delimiters < rest->n && is_in(rest->p[delimiters], S(".-+,/_=")))
                delimiters++;
        out->delimiters = delimiters > 0 ? str_take(*rest, delimiters) : S(".");
        *rest = str_skip(*rest, delimiters);
        return take(rest) == '}';
}

/* The piece at the head of `rest`, which is not empty. False: malformed. */
static bool take_piece(struct str *rest, struct piece *out)
{
        *out = (struct piece){.literal = take(rest)};
        if (out->literal != '%')
                return out->literal == ' ' || ascii_is_graph(out->literal);
        out->letter = take(rest);
        if (out->letter == '{')
                return take_macro(rest, out);
        return out->letter && is_in(out->letter, S("%_-"));
}

bool spf_macro_is_valid(struct str text, enum spf_macro_place place)
{
        struct piece piece;
        while (text.n > 0) {
                if (!take_piece(&text, &piece))
                        return false;
                if (place == SPF_MACRO_DOMAIN && piece.letter && is_in(piece.letter, S("crt")))
                        return false;
                if (place != SPF_MACRO_EXPLANATION && !piece.letter && piece.literal == ' ')
                        return false;
        }
        return true;
}

/* toplabel = ( *alphanum ALPHA *alphanum ) / ( 1*alphanum "-" *( alphanum / "-" ) alphanum ) */
bool spf_macro_is_top(struct str label)
{
        bool is_number = true;
        for (size_t i = 0; i < label.n; i++) {
                if (!ascii_is_alnum(label.p[i]) && label.p[i] != '-')
                        return false;
                is_number = is_number && ascii_is_digit(label.p[i]);
        }
        return !is_number && label.p[0] != '-' && label.p[label.n - 1] != '-';
}

/* domain-spec = macro-string domain-end
 * domain-end = ( "." toplabel [ "." ] ) / macro-expand */
bool spf_macro_is_domain(struct str text)
{
        struct str rest = text, tail = text;
        struct piece piece = {0};
        if (!spf_macro_is_valid(text, SPF_MACRO_DOMAIN))
                return false;
        while (rest.n > 0) {
                CHECK(take_piece(&rest, &piece));
                if (piece.letter)
                        tail = rest;
        }
        if (tail.n == 0)
                return piece.letter != 0;
        if (tail.p[tail.n - 1] == '.')
                tail.n--;
        size_t dot = str_find_last_byte(tail, '.');
        return dot < tail.n && spf_macro_is_top(str_skip(tail, dot + 1));
}

bool spf_macro_uses(struct str text, char letter)
{
        struct piece piece;
        while (text.n > 0) {
                CHECK(take_piece(&text, &piece));
                if (piece.letter == letter)
                        return true;
        }
        return false;
}

/* unreserved of RFC 3986 2.3 stands for itself, the rest is escaped (7.3) */
static void put(struct wr *w, struct str s, bool escape)
{
        static const char hex[] = "0123456789ABCDEF";
        for (size_t i = 0; i < s.n; i++) {
                char c = s.p[i];
                uint8_t octet = (uint8_t)c;
                if (!escape || ascii_is_alnum(c) || is_in(c, S("-._~"))) {
                        wr_byte(w, c);
                } else {
                        wr_byte(w, '%');
                        wr_byte(w, hex[octet >> 4]);
                        wr_byte(w, hex[octet & 15]);
                }
        }
}

/* The parts of `value` from the left, their delimiters made dots, without the first `skip`. */
static void put_forward(struct wr *w, struct str value, size_t skip, const struct piece *p)
{
        for (size_t i = 0; i < value.n; i++) {
                bool is_end = is_in(value.p[i], p->delimiters);
                if (skip == 0)
                        put(w, is_end ? S(".") : str_of(value.p + i, 1), p->escape);
                else if (is_end)
                        skip--;
        }
}

/* Its first `keep` parts from the right. */
static void put_reversed(struct wr *w, struct str value, size_t keep, const struct piece *p)
{
        size_t end = 0;
        for (; end < value.n; end++)
                if (is_in(value.p[end], p->delimiters) && --keep == 0)
                        break;
        for (;;) {
                size_t start = end;
                while (start > 0 && !is_in(value.p[start - 1], p->delimiters))
                        start--;
                put(w, str_of(value.p + start, end - start), p->escape);
                if (start == 0)
                        return;
                put(w, S("."), p->escape);
                end = start - 1;
        }
}

static void put_value(struct wr *w, struct str value, const struct piece *p)
{
        size_t parts = 1;
        for (size_t i = 0; i < value.n; i++)
                parts += is_in(value.p[i], p->delimiters);
        if (p->reverse)
                put_reversed(w, value, p->keep, p);
        else
                put_forward(w, value, p->keep < parts ? parts - p->keep : 0, p);
}

/* i: the dotted quad, or the 32 nibbles with dots between them */
static void write_dotted(struct wr *w, const struct ip *ip)
{
        static const char hex[] = "0123456789ABCDEF";
        if (ip->family == 4) {
                ip_write(w, ip);
                return;
        }
        for (size_t i = 0; i < 32; i++) {
                if (i > 0)
                        wr_byte(w, '.');
                wr_byte(w, hex[i % 2 ? ip->b[i / 2] & 15 : ip->b[i / 2] >> 4]);
        }
}

static void expand(struct wr *w, const struct spf_macros *v, const struct piece *p)
{
        char room[64]; /* 32 nibbles and 31 dots; an address; a number */
        struct wr made;
        wr_init(&made, room, sizeof room);
        switch (p->letter) {
        case 's':
                put_value(w, v->sender, p);
                return;
        case 'l':
                put_value(w, v->local, p);
                return;
        case 'o':
                put_value(w, v->sender_domain, p);
                return;
        case 'd':
                put_value(w, v->domain, p);
                return;
        case 'p':
                put_value(w, v->validated, p);
                return;
        case 'h':
                put_value(w, v->helo, p);
                return;
        case 'r':
                put_value(w, v->receiver.n > 0 ? v->receiver : S("unknown"), p);
                return;
        case 'v':
                put_value(w, v->ip.family == 4 ? S("in-addr") : S("ip6"), p);
                return;
        case 'i':
                write_dotted(&made, &v->ip);
                break;
        case 'c':
                ip_write(&made, &v->ip);
                break;
        case 't':
                wr_u64(&made, v->now_s > 0 ? (uint64_t)v->now_s : 0);
                break;
        default:
                CHECK(false);
        }
        put_value(w, wr_text(&made), p);
}

void spf_macro_expand(struct str text, const struct spf_macros *values, struct wr *w)
{
        struct piece piece;
        while (text.n > 0 && !w->full) {
                CHECK(take_piece(&text, &piece));
                switch (piece.letter) {
                case 0:
                        wr_byte(w, piece.literal);
                        break;
                case '%':
                        wr_byte(w, '%');
                        break;
                case '_':
                        wr_byte(w, ' ');
                        break;
                case '-': /* 7.3: "%20" */
                        wr_str(w, S("%20"));
                        break;
                default:
                        expand(w, values, &piece);
                }
        }
}
