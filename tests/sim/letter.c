/* SPDX-License-Identifier: ISC */
#include "tests/sim/letter.h"

#include "base/limits.h"
#include "host/sim/random.h"
#include "tests/sim/buffer.h"

bool letter_is_malformed(enum letter_shape shape)
{
        return shape >= LETTER_LF;
}

const char *letter_shape_text(enum letter_shape shape)
{
        static const char *const words[LETTER_SHAPES] = {[LETTER_PLAIN] = "plain",
                [LETTER_8BIT] = "8bit",
                [LETTER_BARE] = "bare",
                [LETTER_LONG_LINE] = "long-line",
                [LETTER_NO_END] = "no-end",
                [LETTER_HUGE_HEADER] = "huge-header",
                [LETTER_LF] = "lf",
                [LETTER_CR] = "cr",
                [LETTER_NUL] = "nul",
                [LETTER_SMUGGLE_LF] = "smuggle-lf",
                [LETTER_SMUGGLE_LF_LF] = "smuggle-lf-lf",
                [LETTER_SMUGGLE_CR] = "smuggle-cr",
                [LETTER_SMUGGLE_CRLF_LF] = "smuggle-crlf-lf",
                [LETTER_TWO_FROM] = "two-from",
                [LETTER_TWO_AUTHORS] = "two-authors",
                [LETTER_NO_COLON] = "no-colon",
                [LETTER_LOOP] = "loop"};
        return words[shape];
}

/* ---- the body ---- */

static void put_words(struct buffer *b, struct sim_random *r, size_t n)
{
        static const char letters[33] = "abcdefghijklmnop rstuv,-yeetaoi ";
        while (n > 0) {
                uint64_t bits = sim_random_u64(r);
                size_t some = n < 12 ? n : 12;
                char *p = buffer_room(b, some);
                for (size_t i = 0; i < some; i++, bits >>= 5)
                        p[i] = letters[bits & 31];
                b->n += some;
                n -= some;
        }
}

/* A line with its CRLF; what mail systems stumble over comes often. */
static void put_line(struct buffer *b, struct sim_random *r, const struct letter *l)
{
        switch (sim_random_below(r, 12)) {
        case 0:
                buffer_put(b, S(".\r\n"));
                return;
        case 1:
                buffer_put(b, S("..dots in front\r\n"));
                return;
        case 2:
                buffer_put(b, S("\r\n"));
                return;
        case 3:
                buffer_put(b, S(" \tspace at both ends \t \r\n"));
                return;
        case 4:
                buffer_put(b, S("From here to there\r\n"));
                return;
        case 5:
                if (l->shape == LETTER_8BIT)
                        buffer_put(b, S("\xc3\xa4\xe2\x82\xac \xff\xfe\x80\r\n"));
                return;
        default:
                break;
        }
        size_t n = (size_t)sim_random_below(r, 72);
        put_words(b, r, n + 1);
        buffer_put(b, S("\r\n"));
}

static void put_text(struct buffer *b, struct str text)
{
        struct str line;
        while (text.n > 0) {
                (void)str_cut(text, '\n', &line, &text);
                buffer_put(b, line);
                buffer_put(b, S("\r\n"));
        }
}

static void put_body(struct buffer *b, struct sim_random *r, const struct letter *l)
{
        if (l->text.p) {
                put_text(b, l->text);
                return;
        }
        size_t end = b->n + l->size;
        put_line(b, r, l);
        while (b->n < end)
                put_line(b, r, l);
}

/* ---- what is wrong with some ---- */

/* A line end that some servers would take for the end of the message, and a transaction for these. */
static void put_smuggled(struct buffer *b, const struct letter *l, struct str end)
{
        buffer_put(b, S("smuggled"));
        buffer_put(b, end);
        buffer_print(b, "MAIL FROM:<%.*s>\r\nRCPT TO:<%.*s>\r\nDATA\r\n", STR_ARG(l->from), STR_ARG(l->to));
        buffer_print(b, "From: <%.*s>\r\nTo: <%.*s>\r\nX-Try: %.*s\r\n\r\nsmuggled\r\n", STR_ARG(l->from),
                STR_ARG(l->to), STR_ARG(l->smuggled));
}

static void put_oddity(struct buffer *b, struct sim_random *r, const struct letter *l)
{
        switch (l->shape) {
        case LETTER_LONG_LINE:
                put_words(b, r, MAIL_LINE_MAX + 500);
                buffer_put(b, S("\r\n"));
                break;
        case LETTER_LF:
                buffer_put(b, S("one\ntwo\r\n"));
                break;
        case LETTER_CR:
                buffer_put(b, S("one\rtwo\r\n"));
                break;
        case LETTER_NUL:
                buffer_put(b, S("one\0two\r\n"));
                break;
        case LETTER_SMUGGLE_LF:
                put_smuggled(b, l, S("\n.\r\n"));
                break;
        case LETTER_SMUGGLE_LF_LF:
                put_smuggled(b, l, S("\n.\n"));
                break;
        case LETTER_SMUGGLE_CR:
                put_smuggled(b, l, S("\r.\r"));
                break;
        case LETTER_SMUGGLE_CRLF_LF:
                put_smuggled(b, l, S("\r\n.\n"));
                break;
        case LETTER_NO_END:
                buffer_put(b, S("and no end"));
                break;
        default:
                break;
        }
}

/* ---- the header ---- */

static void put_list_id(struct buffer *b, struct str list)
{
        struct str name, domain;
        (void)str_cut(list, '@', &name, &domain);
        buffer_print(b, "List-Id: <%.*s.%.*s>\r\n", STR_ARG(name), STR_ARG(domain));
}

static struct str domain_of(struct str address)
{
        return str_skip(address, str_find_last_byte(address, '@') + 1);
}

static void put_header(struct buffer *b, struct sim_random *r, const struct letter *l, struct str below)
{
        size_t begin = b->n;
        unsigned second = (unsigned)sim_random_below(r, 60);
        struct str other = l->second.n > 0 ? l->second : S("another@other.test");
        if (l->via.n > 0)
                buffer_print(b, "Author: Somebody <%.*s>\r\nFrom: \"Somebody via %.*s\" <%.*s>",
                        STR_ARG(l->from), STR_ARG(str_take(l->via, str_find_byte(l->via, '@'))),
                        STR_ARG(l->via));
        else
                buffer_print(b, "From: Somebody <%.*s>", STR_ARG(l->from));
        if (l->shape == LETTER_TWO_AUTHORS)
                buffer_print(b, ", Another <%.*s>", STR_ARG(other));
        buffer_print(b, "\r\nTo: %.*s\r\n%.*s", STR_ARG(l->to), STR_ARG(below));
        if (l->subject.p)
                buffer_print(b, "Subject: %.*s\r\n", STR_ARG(l->subject));
        else
                buffer_print(b, "Subject: %.*s%sabout %.*s,\r\n\tand more\r\n", STR_ARG(l->prefix),
                        l->prefix.n > 0 ? " " : "", STR_ARG(l->name));
        if (l->shape != LETTER_BARE)
                buffer_print(b, "Date: Sun, 22 Nov 2026 12:00:%02u +0000\r\nMessage-ID: <%.*s@%.*s>\r\n",
                        second, STR_ARG(l->name), STR_ARG(domain_of(l->from)));
        buffer_print(b, "X-Try: %.*s\r\n", STR_ARG(l->name));
        buffer_put(b, S("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"));
        if (l->shape == LETTER_8BIT)
                buffer_put(b, S("Content-Transfer-Encoding: 8bit\r\n"));
        if (l->shape == LETTER_TWO_FROM)
                buffer_print(b, "From: Another <%.*s>\r\n", STR_ARG(other));
        if (l->shape == LETTER_NO_COLON)
                buffer_put(b, S("this is no field\r\n"));
        if (l->shape == LETTER_LOOP)
                put_list_id(b, l->to);
        while (l->shape == LETTER_HUGE_HEADER && b->n - begin <= MAIL_HEADER_MAX) {
                buffer_put(b, S("X-Fill: "));
                put_words(b, r, 900);
                buffer_put(b, S("\r\n"));
        }
        buffer_put(b, S("\r\n"));
}

/* How long the first field is, with the lines that continue it. */
static size_t first_field(struct str fields)
{
        size_t n = 0;
        do
                n += str_find_byte(str_skip(fields, n), '\n') + 1;
        while (n < fields.n && (fields.p[n] == ' ' || fields.p[n] == '\t'));
        return n < fields.n ? n : fields.n;
}

struct str letter_write(const struct letter *letter)
{
        struct sim_random r = sim_random_of(letter->seed, S("letter"), letter->name);
        struct buffer b = {0};
        size_t first = first_field(letter->forged);
        buffer_put(&b, str_take(letter->forged, first));
        buffer_put(&b, letter->front);
        put_header(&b, &r, letter, str_skip(letter->forged, first));
        put_body(&b, &r, letter);
        put_oddity(&b, &r, letter);
        if (letter_is_malformed(letter->shape))
                put_body(&b, &r, letter);
        return buffer_text(&b);
}

struct str letter_arriving(const struct letter *letter)
{
        struct letter clean = *letter;
        struct buffer b = {0};
        clean.forged = S("");
        struct str bytes = letter_write(&clean);
        buffer_put(&b, bytes);
        if (!str_has_suffix_nocase(bytes, S("\r\n")))
                buffer_put(&b, S("\r\n"));
        letter_free(bytes);
        return buffer_text(&b);
}

void letter_free(struct str bytes)
{
        str_free(bytes);
}

struct str letter_name(struct str message)
{
        static const struct str field = {"X-Try: ", 7};
        while (message.n > 0 && !str_has_prefix(message, S("\r\n"))) {
                size_t end = str_find_byte(message, '\n');
                if (str_has_prefix_nocase(message, field))
                        return str_trim(str_skip(str_take(message, end), field.n));
                message = str_skip(message, end + 1);
        }
        return S("");
}
