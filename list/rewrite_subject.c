/* SPDX-License-Identifier: ISC */
#include "base/ascii.h"
#include "list/rewrite_internal.h"
#include "mail/build.h"
#include "mail/encoded_word.h"

#define SUBJECT_LOOKED_AT 2048 /* octets of a subject, decoded, in which a prefix is looked for */
#define WORD_MAX 60            /* of a prefix that is written as it is: a line holds it and "Subject: Re:" */

bool rewrite_subject_has(struct str body, struct str prefix)
{
        char room[SUBJECT_LOOKED_AT];
        struct wr w;
        wr_init(&w, room, sizeof room);
        mail_text_decode(&w, body);
        struct str text = wr_text(&w);
        for (size_t i = 0; i < text.n; i++)
                if ((i == 0 || text.p[i - 1] == ' ') && str_has_prefix_nocase(str_skip(text, i), prefix))
                        return true;
        return false;
}

/* "Re:", "AW[2]:" at the head of `s`, up to the colon; 0 when there is none. */
static size_t reply_size(struct str s)
{
        static const char *const words[] = {"re", "aw", "sv", "antw", "fwd", "fw", "wg", "tr"};
        size_t n = 0;
        while (n < s.n && ascii_is_alpha(s.p[n]))
                n++;
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
                if (!str_eq_nocase(str_take(s, n), str_of_c(words[i])))
                        continue;
                if (n < s.n && s.p[n] == '[')
                        for (n++; n < s.n && (ascii_is_digit(s.p[n]) || s.p[n] == ']'); n++)
                                ;
                return n < s.n && s.p[n] == ':' ? n + 1 : 0;
        }
        return 0;
}

static bool is_plain(struct str prefix)
{
        struct str rest = prefix, word;
        bool more = true;
        for (size_t i = 0; i < prefix.n; i++)
                if (ascii_is_8bit(prefix.p[i]))
                        return false;
        while (more) {
                more = str_cut(rest, ' ', &word, &rest);
                if (word.n > WORD_MAX)
                        return false;
        }
        return str_find(prefix, S("=?")) == prefix.n;
}

/* With the space behind it inside: that between two encoded-words is lost (RFC 2047 6.2). */
static void build_encoded(struct mail_build *b, struct str prefix)
{
        char text[SETTING_TEXT_MAX + 1], word[MAIL_ENCODED_WORD_MAX];
        struct wr w;
        wr_init(&w, text, sizeof text);
        wr_str(&w, prefix);
        wr_str(&w, S(" "));
        struct str left = wr_text(&w);
        for (;;) {
                wr_init(&w, word, sizeof word);
                if (!mail_encoded_word_write(&w, &left, WORD_MAX))
                        return;
                mail_build_word(b, wr_text(&w));
        }
}

/* What the author wrote, behind what was built, on the same line if that has room. */
static void write_rest(struct wr *w, size_t begin, struct str rest)
{
        struct str built = str_skip(wr_text(w), begin);
        size_t line = str_find_last_byte(built, '\n');
        size_t column = line < built.n ? built.n - line - 1 : built.n;
        bool is_long = column + 1 + str_find(rest, S("\r\n")) > MAIL_LINE_GOAL;
        if (rest.n == 0)
                return;
        wr_str(w, is_long ? S("\r\n ") : S(" "));
        wr_str(w, rest);
}

enum err rewrite_subject_field(struct wr *w, struct str prefix, struct str body)
{
        struct str rest = str_trim(body);
        size_t reply = reply_size(rest), begin = w->n;
        struct mail_build b;
        mail_build_begin(&b, w, S("Subject"));
        if (reply > 0)
                mail_build_word(&b, str_take(rest, reply));
        rest = str_trim(str_skip(rest, reply));
        if (is_plain(prefix))
                mail_build_text(&b, prefix);
        else
                build_encoded(&b, prefix);
        enum err e = mail_build_end(&b);
        if (e != ERR_OK)
                return e;
        w->n -= 2; /* its CRLF */
        write_rest(w, begin, rest);
        wr_str(w, S("\r\n"));
        return wr_end(w);
}
