/* SPDX-License-Identifier: ISC */
#include "mail/transfer.h"

#include "base/ascii.h"

#define QUOTED_LINE_MAX 76 /* RFC 2045 6.7 (5) */

enum mail_transfer mail_transfer_of(struct str name)
{
        if (str_eq_nocase(name, S("quoted-printable")))
                return MAIL_TRANSFER_QUOTED;
        return str_eq_nocase(name, S("base64")) ? MAIL_TRANSFER_BASE64 : MAIL_TRANSFER_PLAIN;
}

void mail_transfer_in_init(struct mail_transfer_in *in, enum mail_transfer transfer, struct str body)
{
        *in = (struct mail_transfer_in){.transfer = transfer, .left = body};
}

static int take(struct mail_transfer_in *in, size_t n)
{
        int c = (uint8_t)in->left.p[n - 1];
        in->left = str_skip(in->left, n);
        return c;
}

static int hex_value(char c)
{
        return ascii_is_digit(c) ? c - '0' : ascii_is_hex(c) ? ascii_lower(c) - 'a' + 10 : -1;
}

/* How much white space stands at the head of `s`, if a line or the text ends behind it, else 0; `*wsp` says how much in any case. */
static size_t padding_size(struct str s, size_t *wsp)
{
        size_t n = 0;
        while (n < s.n && ascii_is_wsp(s.p[n]))
                n++;
        *wsp = n;
        return n == s.n || s.p[n] == '\r' || s.p[n] == '\n' ? n : 0;
}

/* RFC 2045 6.7 (3): white space at the end of an encoded line was put there by transport. */
static void drop_padding(struct mail_transfer_in *in)
{
        if (in->wsp > 0)
                return;
        size_t n = padding_size(in->left, &in->wsp);
        in->left = str_skip(in->left, n);
        if (n > 0)
                in->wsp = 0;
}

/* "=" and the end of its line (RFC 2045 6.7 (5)); 0 when it is none. */
static size_t soft_break_size(struct str s)
{
        size_t wsp, n = padding_size(str_skip(s, 1), &wsp) + 1;
        if (wsp + 1 != n)
                return 0;
        if (str_has_prefix(str_skip(s, n), S("\r\n")))
                return n + 2;
        return n == s.n ? n : 0;
}

static int quoted_next(struct mail_transfer_in *in)
{
        for (;;) {
                drop_padding(in);
                struct str s = in->left;
                if (s.n == 0)
                        return -1;
                in->wsp -= in->wsp > 0;
                if (s.p[0] != '=')
                        return take(in, 1);
                size_t soft = soft_break_size(s);
                if (soft > 0) {
                        in->left = str_skip(s, soft);
                        continue;
                }
                int high = s.n > 2 ? hex_value(s.p[1]) : -1, low = s.n > 2 ? hex_value(s.p[2]) : -1;
                if (high < 0 || low < 0)
                        return take(in, 1);
                (void)take(in, 3);
                return high * 16 + low;
        }
}

static int base64_value(char c)
{
        if (c >= 'A' && c <= 'Z')
                return c - 'A';
        if (c >= 'a' && c <= 'z')
                return c - 'a' + 26;
        if (ascii_is_digit(c))
                return c - '0' + 52;
        return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static int base64_next(struct mail_transfer_in *in)
{
        while (in->count < 8) {
                if (in->left.n == 0 || in->left.p[0] == '=')
                        return -1;
                int value = base64_value((char)take(in, 1));
                if (value < 0)
                        continue;
                in->bits = (in->bits << 6 | (uint32_t)value) & 0xffff;
                in->count += 6;
        }
        in->count -= 8;
        return (int)(in->bits >> in->count & 0xff);
}

int mail_transfer_in_next(struct mail_transfer_in *in)
{
        switch (in->transfer) {
        case MAIL_TRANSFER_QUOTED:
                return quoted_next(in);
        case MAIL_TRANSFER_BASE64:
                return base64_next(in);
        case MAIL_TRANSFER_PLAIN:
                break;
        }
        return in->left.n == 0 ? -1 : take(in, 1);
}

void mail_quoted_out_init(struct mail_quoted_out *out, struct wr *w)
{
        *out = (struct mail_quoted_out){.w = w};
}

/* What begins a line of a mailbox file, or is a lone dot, does not stand for itself; nor does white space at the end of a
 * line. */
static bool is_quoted_plain(const struct mail_quoted_out *out, struct str s, bool ends_line)
{
        char c = s.p[0];
        if (c == '=' || (out->column == 0 && (c == '.' || str_has_prefix(s, S("From ")))))
                return false;
        return ascii_is_graph(c) || (ascii_is_wsp(c) && !ends_line);
}

static void put_octet(struct mail_quoted_out *out, struct str s, bool ends_line)
{
        static const char digits[] = "0123456789ABCDEF";
        bool plain = is_quoted_plain(out, s, ends_line);
        if (out->column + (plain ? 1 : 3) > QUOTED_LINE_MAX - 1) {
                wr_str(out->w, S("=\r\n"));
                out->column = 0;
                plain = is_quoted_plain(out, s, ends_line);
        }
        uint8_t c = (uint8_t)s.p[0];
        if (plain)
                wr_byte(out->w, s.p[0]);
        else
                wr_str(out->w, str_of((char[]){'=', digits[c >> 4], digits[c & 15]}, 3));
        out->column += plain ? 1 : 3;
}

/* White space waits until it is known whether a line ends behind it. */
static void put_waiting(struct mail_quoted_out *out, bool ends_line)
{
        if (out->wsp != 0)
                put_octet(out, str_of(&out->wsp, 1), ends_line);
        out->wsp = 0;
}

void mail_quoted_out_write(struct mail_quoted_out *out, struct str text)
{
        for (; text.n > 0; text = str_skip(text, 1)) {
                char c = text.p[0];
                if (c == '\r')
                        continue;
                put_waiting(out, c == '\n');
                if (c == '\n') {
                        wr_str(out->w, S("\r\n"));
                        out->column = 0;
                } else if (ascii_is_wsp(c)) {
                        out->wsp = c;
                } else {
                        put_octet(out, text, false);
                }
        }
}
