/* SPDX-License-Identifier: ISC */
#include "auth/canon.h"

#include "base/ascii.h"
#include "base/check.h"

static void put(struct canon_sink sink, struct str bytes)
{
        if (bytes.n > 0)
                sink.put(sink.arg, bytes);
}

static bool is_blank(char c)
{
        return ascii_is_wsp(c) || c == '\r' || c == '\n';
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

/* 3.4.2: unfold, make each run of white space one SP, drop it at both ends. CRLF without WSP behind it ends a field, so
 * each CR and LF in here belongs to a fold, but for lone ones, which stay. */
static void put_unfolded(struct str s, struct canon_sink sink)
{
        bool any = false;
        while (s.n > 0) {
                size_t blank = 0, word = 0;
                while (blank < s.n && (ascii_is_wsp(s.p[blank]) || (s.n - blank >= 2 && s.p[blank] == '\r' &&
                                                                           s.p[blank + 1] == '\n')))
                        blank += s.p[blank] == '\r' ? 2 : 1;
                s = str_skip(s, blank);
                while (word < s.n && !ascii_is_wsp(s.p[word]) &&
                        !(s.n - word >= 2 && s.p[word] == '\r' && s.p[word + 1] == '\n'))
                        word++;
                if (any && blank > 0 && word > 0)
                        put(sink, S(" "));
                put(sink, str_take(s, word));
                any = true;
                s = str_skip(s, word);
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

/* Line ends held back turn out to lie inside the body. */
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
        put(sink, s);
}

/* 3.4.3: only the empty lines at the end change, so all but the CRLFs at the end of the chunk goes out as it is. */
static void write_simple(struct canon_body *b, struct str s, struct canon_sink sink)
{
        uint64_t lines = 0;
        size_t keep = s.n;
        bool cr = keep > 0 && s.p[keep - 1] == '\r';
        if (cr)
                keep--;
        while (keep >= 2 && s.p[keep - 1] == '\n' && s.p[keep - 2] == '\r') {
                lines++;
                keep -= 2;
        }
        put_content(b, str_take(s, keep), sink);
        b->lines += lines;
        b->cr = cr;
}

/* Is no byte of p[0..63] one where relaxed work begins, given that p[64] can be looked at? Work begins at HTAB, at
 * SP before white space or CR, at LF before CR or white space, and at a CR whose LF lies outside. There is no branch in
 * the loop, so that compilers make vectors of it. */
#define PLAIN_BLOCK 64
static bool is_plain_block(const char *p)
{
        unsigned char work = 0;
        for (size_t i = 0; i < PLAIN_BLOCK; i++) {
                unsigned char tab = p[i] == '\t';
                unsigned char space = p[i] == ' ', feed = p[i] == '\n';
                unsigned char next =
                        (unsigned char)((p[i + 1] == ' ') | (p[i + 1] == '\t') | (p[i + 1] == '\r'));
                work = (unsigned char)(work | tab | ((space | feed) & next));
        }
        return work == 0 && p[PLAIN_BLOCK - 1] != '\r';
}

/* How many bytes at the head of `s` go out unchanged: up to the next white space that is not a single SP before a byte of
 * the same line, or the CRLF before an empty line or the end of the chunk. */
static size_t plain_span(struct str s)
{
        size_t i = 0;
        while (i < s.n) {
                if (s.n - i > PLAIN_BLOCK && is_plain_block(s.p + i)) {
                        i += PLAIN_BLOCK;
                        continue;
                }
                size_t stop = s.n - i > PLAIN_BLOCK ? i + PLAIN_BLOCK : s.n;
                for (; i < stop; i++) {
                        char c = s.p[i];
                        bool last = s.n - i == 1;
                        if (c == '\t' || (c == ' ' && (last || is_blank(s.p[i + 1]))))
                                return i;
                        if (c == '\r' && (s.n - i < 3 || (s.p[i + 1] == '\n' && is_blank(s.p[i + 2]))))
                                return i;
                }
        }
        return s.n;
}

/* 3.4.4 at a byte where plain_span stopped: white space and line ends. Gives how many bytes were taken. */
static size_t write_gap(struct canon_body *b, struct str s, struct canon_sink sink)
{
        if (ascii_is_wsp(s.p[0])) {
                b->blank = true;
                return 1;
        }
        if (s.n == 1) {
                b->cr = true;
                return 1;
        }
        if (s.p[1] != '\n') {
                put_content(b, str_take(s, 1), sink);
                return 1;
        }
        b->lines++;
        b->blank = false;
        return 2;
}

static void write_relaxed(struct canon_body *b, struct str s, struct canon_sink sink)
{
        while (s.n > 0) {
                bool in_gap = b->blank && (ascii_is_wsp(s.p[0]) || s.p[0] == '\r');
                size_t n = in_gap ? 0 : plain_span(s);
                put_content(b, str_take(s, n), sink);
                s = str_skip(s, n);
                if (s.n > 0)
                        s = str_skip(s, write_gap(b, s, sink));
        }
}

void canon_body_write(struct canon_body *b, struct str bytes, struct canon_sink sink)
{
        if (bytes.n == 0)
                return;
        if (b->cr) { /* the CR that ended the chunk before: a line end after all, or a byte */
                b->cr = false;
                if (bytes.p[0] == '\n') {
                        b->lines++;
                        b->blank = false;
                        bytes = str_skip(bytes, 1);
                } else {
                        put_content(b, S("\r"), sink);
                }
        }
        if (b->canon == CANON_SIMPLE)
                write_simple(b, bytes, sink);
        else
                write_relaxed(b, bytes, sink);
}

void canon_body_end(struct canon_body *b, struct canon_sink sink)
{
        if (b->cr)
                put_content(b, S("\r"), sink);
        if (b->any || b->canon == CANON_SIMPLE)
                put(sink, S("\r\n"));
        canon_body_init(b, b->canon);
}
