/* SPDX-License-Identifier: ISC */
#include "auth/canon.h"

#include "auth/canon_scan.h"
#include "base/ascii.h"
#include "base/check.h"

static void put(struct canon_sink sink, struct str bytes)
{
        if (bytes.n > 0)
                sink.put(sink.arg, bytes);
}

static bool is_blank(char c)
{
        return ascii_is_wsp(c) || c == '\r';
}

static bool is_line_end(struct str s)
{
        return s.n >= 2 && s.p[0] == '\r' && s.p[1] == '\n';
}

static struct str without_end(struct str raw)
{
        if (raw.n >= 2 && raw.p[raw.n - 2] == '\r' && raw.p[raw.n - 1] == '\n')
                raw.n -= 2;
        return raw;
}

static void put_lower(struct str s, struct canon_sink sink)
{
        char low[64];
        while (s.n > 0) {
                size_t n = s.n < sizeof low ? s.n : sizeof low;
                for (size_t i = 0; i < n; i++)
                        low[i] = ascii_lower(s.p[i]);
                put(sink, str_of(low, n));
                s = str_skip(s, n);
        }
}

/* White space and folds at the head of `s`. CRLF without WSP behind it ends a field, so each one in here is a fold. */
static size_t gap_size(struct str s)
{
        size_t n = 0;
        while (n < s.n) {
                size_t more = ascii_is_wsp(s.p[n]) ? 1 : is_line_end(str_skip(s, n)) ? 2 : 0;
                if (more == 0)
                        break;
                n += more;
        }
        return n;
}

/* What stays as it is: words with a single SP between them. A CR or LF that stands alone is a byte of a word. `*cr` is the
 * next CR, where it lies behind the head of `s`: a long line is searched for it once, not at every gap. */
static size_t words_size(struct str s, const char **cr, canon_scan *scan)
{
        size_t n = 0;
        for (;;) {
                struct str rest = str_skip(s, n);
                if (*cr < rest.p)
                        *cr = rest.p + str_find_byte(rest, '\r');
                size_t line = (size_t)(*cr - rest.p);
                size_t plain = scan(str_take(rest, line));
                n += plain;
                if (plain < line || line == rest.n || is_line_end(str_skip(rest, line)))
                        return n;
                n++;
        }
}

/* 3.4.2: unfold, make each run of white space one SP, drop it at both ends. */
static void put_unfolded(struct str s, struct canon_sink sink)
{
        canon_scan *scan = canon_scan_best();
        const char *cr = s.n == 0 ? s.p : s.p + str_find_byte(s, '\r');
        bool any = false;
        while (s.n > 0) {
                size_t gap = gap_size(s);
                s = str_skip(s, gap);
                if (any && gap > 0 && s.n > 0)
                        put(sink, S(" "));
                size_t words = words_size(s, &cr, scan);
                put(sink, str_take(s, words));
                any = true;
                s = str_skip(s, words);
        }
}

static void put_field(enum canon canon, struct str raw, struct canon_sink sink)
{
        struct str name, body;
        CHECK(str_cut(raw, ':', &name, &body));
        if (canon == CANON_SIMPLE) {
                put(sink, raw);
                return;
        }
        put_lower(str_trim(name), sink);
        put(sink, S(":"));
        put_unfolded(body, sink);
}

void canon_field(enum canon canon, struct str raw, struct canon_sink sink)
{
        put_field(canon, without_end(raw), sink);
        put(sink, S("\r\n"));
}

void canon_signature_field(enum canon canon, struct str raw, struct str hole, struct canon_sink sink)
{
        raw = without_end(raw);
        size_t at = (size_t)(hole.p - raw.p);
        CHECK(at <= raw.n && hole.n <= raw.n - at);
        struct str tail = str_skip(raw, at + hole.n);
        put_field(canon, str_take(raw, at), sink);
        if (canon == CANON_SIMPLE)
                put(sink, tail);
        else
                put_unfolded(tail, sink);
}

void canon_body_init(struct canon_body *b, enum canon canon)
{
        *b = (struct canon_body){.canon = canon};
}

/* The empty lines held back turn out to lie inside the body. */
static void release_lines(struct canon_body *b, struct canon_sink sink)
{
        static const char ends[] = "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n";
        while (b->lines > 0) {
                uint64_t n = b->lines < sizeof ends / 2 ? b->lines : sizeof ends / 2;
                put(sink, str_of(ends, (size_t)n * 2));
                b->lines -= n;
        }
}

/* Bytes that stay as they are; what was held back before them goes first. */
static void put_content(struct canon_body *b, struct str s, struct canon_sink sink)
{
        if (s.n == 0)
                return;
        release_lines(b, sink);
        if (b->blank)
                put(sink, S(" "));
        b->blank = false;
        b->any = true;
        b->open = s.n < 2 || !is_line_end(str_skip(s, s.n - 2));
        put(sink, s);
}

/* Bytes that stay as they are, but for the CRLFs at their end, which may be empty lines at the body's end; the first of
 * them ends a line, if there is one. */
static void put_lines(struct canon_body *b, struct str s, struct canon_sink sink)
{
        size_t keep = s.n;
        while (keep >= 2 && is_line_end(str_skip(str_take(s, keep), keep - 2)))
                keep -= 2;
        if (keep < s.n && (keep > 0 || b->open))
                keep += 2;
        put_content(b, str_take(s, keep), sink);
        b->lines += (s.n - keep) / 2;
}

/* 3.4.3: only the empty lines at the end change. */
static void write_simple(struct canon_body *b, struct str s, struct canon_sink sink)
{
        b->cr = s.p[s.n - 1] == '\r';
        put_lines(b, str_take(s, b->cr ? s.n - 1 : s.n), sink);
}

/* 3.4.4 where nothing stays as it is: white space, or a CR that may belong to it. Gives how many bytes were taken. */
static size_t write_gap(struct canon_body *b, struct str s, struct canon_sink sink)
{
        if (ascii_is_wsp(s.p[0]))
                b->blank = b->blank || s.n == 1 || !ascii_is_wsp(s.p[1]); /* else the next one will do */
        else if (s.n == 1)
                b->cr = true;
        else
                put_content(b, str_take(s, 1), sink);
        return 1;
}

static void write_relaxed(struct canon_body *b, struct str s, struct canon_sink sink)
{
        canon_scan *scan = canon_scan_best();
        while (s.n > 0) {
                size_t n = 0;
                if (is_line_end(s))
                        b->blank = false; /* it was at the end of a line */
                if (!b->blank || !is_blank(s.p[0]))
                        n = scan(s);
                put_lines(b, str_take(s, n), sink);
                if (n == 0)
                        n = write_gap(b, s, sink);
                s = str_skip(s, n);
        }
}

void canon_body_write(struct canon_body *b, struct str bytes, struct canon_sink sink)
{
        if (b->cr &&
                bytes.n > 0) { /* the CR that ended the chunk before: of a line end after all, or a byte */
                b->cr = false;
                if (bytes.p[0] == '\n') {
                        b->blank = false;
                        put_lines(b, S("\r\n"), sink);
                        bytes = str_skip(bytes, 1);
                } else {
                        put_content(b, S("\r"), sink);
                }
        }
        if (bytes.n == 0)
                return;
        if (b->canon == CANON_SIMPLE)
                write_simple(b, bytes, sink);
        else
                write_relaxed(b, bytes, sink);
}

void canon_body_end(struct canon_body *b, struct canon_sink sink)
{
        if (b->cr)
                put_content(b, S("\r"), sink);
        if (b->open || (!b->any && b->canon == CANON_SIMPLE))
                put(sink, S("\r\n"));
        canon_body_init(b, b->canon);
}
