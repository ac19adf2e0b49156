/* SPDX-License-Identifier: ISC */
#include "host/log.h"

#include "base/ascii.h"
#include "base/time_text.h"

/* Kept free behind the text: the quote that ends a cut value, and the word that says so. */
#define CUT " cut=yes"
enum { RESERVE = sizeof CUT };

/* Length of the well-formed UTF-8 character at the head of `s` (RFC 3629 4), 0 for none. Not counted as one: the C1
 * controls, and what reorders or breaks a line on a screen (U+2028 to U+202E, U+2066 to U+2069). */
static size_t utf8_length(struct str s)
{
        const uint8_t *p = (const uint8_t *)s.p;
        size_t n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
        if (p[0] < 0xc2 || p[0] > 0xf4 || s.n < n)
                return 0;
        uint32_t c = p[0] & (0x7fu >> n);
        for (size_t i = 1; i < n; i++) {
                if ((p[i] & 0xc0) != 0x80)
                        return 0;
                c = c << 6 | (p[i] & 0x3f);
        }
        bool is_long_form = (n == 3 && c < 0x800) || (n == 4 && c < 0x10000);
        bool is_surrogate = c >= 0xd800 && c <= 0xdfff;
        bool is_control = c < 0xa0 || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
        return is_long_form || is_surrogate || is_control || c > 0x10ffff ? 0 : n;
}

static bool is_plain(char c)
{
        return ascii_is_graph(c) && c != '"' && c != '\\' && c != '=';
}

static bool needs_quotes(struct str value)
{
        for (size_t i = 0; i < value.n; i++)
                if (!is_plain(value.p[i]))
                        return true;
        return value.n == 0;
}

/* The next piece of a quoted value as it is printed, and how many bytes of the value it stands for. */
static size_t escape(struct str s, char out[4], struct str *piece)
{
        static const char digits[] = "0123456789abcdef";
        static const struct {
                char c, letter;
        } letters[] = {{'"', '"'}, {'\\', '\\'}, {'\n', 'n'}, {'\r', 'r'}, {'\t', 't'}};
        size_t n = utf8_length(s);
        if (n > 0 || is_plain(s.p[0]) || s.p[0] == ' ' || s.p[0] == '=') {
                *piece = str_take(s, n > 0 ? n : 1);
                return piece->n;
        }
        out[0] = '\\';
        for (size_t i = 0; i < sizeof letters / sizeof letters[0]; i++)
                if (letters[i].c == s.p[0]) {
                        out[1] = letters[i].letter;
                        *piece = str_of(out, 2);
                        return 1;
                }
        out[1] = 'x';
        out[2] = digits[(uint8_t)s.p[0] >> 4];
        out[3] = digits[(uint8_t)s.p[0] & 15];
        *piece = str_of(out, 4);
        return 1;
}

static void write_quoted(struct wr *w, struct str value)
{
        char text[4];
        struct str piece;
        wr_byte(w, '"');
        while (value.n > 0 && !w->full) {
                value = str_skip(value, escape(value, text, &piece));
                wr_str(w, piece);
        }
}

static void cut_off(struct log_line *l, bool is_quoted)
{
        l->cut = true;
        l->w.full = false;
        l->w.cap = sizeof l->text;
        if (is_quoted)
                wr_byte(&l->w, '"');
        wr_str(&l->w, S(CUT));
}

/* " key="; false when the line ends before it. */
static bool begin_pair(struct log_line *l, const char *key)
{
        if (l->cut)
                return false;
        size_t before = l->w.n;
        wr_byte(&l->w, ' ');
        wr_str(&l->w, str_of_c(key));
        wr_str(&l->w, S("=\""));
        if (!l->w.full) {
                l->w.n--; /* there is room for a quote, should the value want one */
                return true;
        }
        l->w.n = before;
        cut_off(l, false);
        return false;
}

void log_begin(
        struct log_line *l, struct host *h, enum log_level level, const char *component, const char *event)
{
        static const char *const names[] = {
                [LOG_DEBUG] = "debug", [LOG_INFO] = "info", [LOG_WARN] = "warn", [LOG_ERROR] = "error"};
        l->host = h;
        l->cut = false;
        wr_init(&l->w, l->text, sizeof l->text - RESERVE);
        time_write_rfc3339(&l->w, host_wall_ms(h));
        wr_byte(&l->w, ' ');
        wr_str(&l->w, str_of_c(names[level]));
        wr_byte(&l->w, ' ');
        wr_str(&l->w, str_of_c(component));
        if (h->label != NULL)
                log_c(l, "name", h->label);
        log_c(l, "event", event);
}

void log_str(struct log_line *l, const char *key, struct str value)
{
        if (!begin_pair(l, key))
                return;
        if (!needs_quotes(value)) {
                wr_str(&l->w, value);
                if (!l->w.full)
                        return;
                l->w.full = false; /* plain bytes: as many as fit */
                wr_str(&l->w, str_take(value, l->w.cap - l->w.n));
                cut_off(l, false);
                return;
        }
        write_quoted(&l->w, value);
        if (l->w.full)
                cut_off(l, true);
        else
                wr_byte(&l->w, '"');
        if (l->w.full)
                cut_off(l, true);
}

void log_c(struct log_line *l, const char *key, const char *value)
{
        log_str(l, key, str_of_c(value));
}

void log_u64(struct log_line *l, const char *key, uint64_t value)
{
        char text[20];
        struct wr w;
        wr_init(&w, text, sizeof text);
        wr_u64(&w, value);
        log_str(l, key, wr_text(&w));
}

void log_i64(struct log_line *l, const char *key, int64_t value)
{
        char text[21];
        struct wr w;
        wr_init(&w, text, sizeof text);
        if (value < 0)
                wr_byte(&w, '-');
        wr_u64(&w, value < 0 ? (uint64_t)0 - (uint64_t)value : (uint64_t)value);
        log_str(l, key, wr_text(&w));
}

void log_err(struct log_line *l, enum err e)
{
        log_c(l, "error", err_text(e));
}

void log_ip_port(struct log_line *l, const char *key, const struct ip_port *value)
{
        char text[IP_PORT_TEXT_MAX];
        struct wr w;
        wr_init(&w, text, sizeof text);
        ip_port_write(&w, value);
        log_str(l, key, wr_text(&w));
}

void log_end(struct log_line *l)
{
        host_console(l->host, wr_text(&l->w));
}
