/* SPDX-License-Identifier: ISC */
#include "http/client.h"

#include <string.h>

#include "base/ascii.h"
#include "base/check.h"
#include "base/wr.h"
#include "http/field.h"

#define STATUS_LINE_MIN 13 /* "HTTP/1.1 200 " */
#define CHUNK_DIGITS_MAX 8

void http_client_init(struct http_client *c, struct str host, struct str path, int64_t now_ms)
{
        struct wr w;
        memset(c, 0, offsetof(struct http_client, request));
        c->state = HTTP_CLIENT_HEAD;
        c->outcome = ERR_AGAIN;
        c->why = "";
        c->deadline_ms = now_ms + HTTP_CLIENT_MS;
        wr_init(&w, c->request, sizeof c->request);
        wr_str(&w, S("GET "));
        wr_str(&w, path);
        wr_str(&w, S(" HTTP/1.1\r\nHost: "));
        wr_str(&w, host);
        wr_str(&w, S("\r\nAccept: text/plain\r\nUser-Agent: lipap\r\nConnection: close\r\n\r\n"));
        CHECK(wr_end(&w) == ERR_OK);
        c->request_n = w.n;
}

static void finish(struct http_client *c, enum err outcome, const char *why)
{
        c->state = HTTP_CLIENT_DONE;
        c->outcome = outcome;
        c->why = why;
}

/* ---- the head ---- */

/* What the fields of an answer say of its content. */
struct fields {
        bool is_text, is_coded, is_chunked, is_oddly_sent, has_size;
        uint64_t size;
};

/* status-line = HTTP-version SP status-code SP [ reason-phrase ] */
static bool status_line(struct str line, unsigned *status, bool *is_1_1)
{
        uint64_t code;
        *status = 0;
        *is_1_1 = false;
        if (line.n < STATUS_LINE_MIN || !str_has_prefix(line, S("HTTP/1.")) || !ascii_is_digit(line.p[7]) ||
                line.p[8] != ' ' || line.p[12] != ' ' || !http_is_value(line) ||
                str_to_u64(str_take(str_skip(line, 9), 3), 599, &code) != ERR_OK || code < 100)
                return false;
        *status = (unsigned)code;
        *is_1_1 = line.p[7] != '0';
        return true;
}

/* type "/" subtype *( OWS ";" ...): parameters are not looked at (RFC 8461 3.2) */
static bool is_plain_text(struct str value)
{
        struct str type, parameters;
        (void)str_cut(value, ';', &type, &parameters);
        return str_eq_nocase(str_trim(type), S("text/plain"));
}

/* Two that say different things of the size, or of how it is sent, are no message (RFC 9112 6.3). */
static bool field(struct str line, struct fields *f)
{
        struct str name, value;
        if (!http_field_parse(line, &name, &value))
                return false;
        if (str_eq_nocase(name, S("Content-Type")))
                f->is_text = is_plain_text(value);
        if (str_eq_nocase(name, S("Content-Encoding")))
                f->is_coded = f->is_coded || !str_eq_nocase(value, S("identity"));
        if (str_eq_nocase(name, S("Transfer-Encoding"))) {
                f->is_oddly_sent = f->is_oddly_sent || f->is_chunked || !str_eq_nocase(value, S("chunked"));
                f->is_chunked = true;
        }
        if (str_eq_nocase(name, S("Content-Length"))) {
                uint64_t size;
                enum err e = str_to_u64(value, UINT64_MAX, &size);
                if (e == ERR_SYNTAX || (f->has_size && f->size != size))
                        return false;
                f->size = e == ERR_LIMIT ? UINT64_MAX : size;
                f->has_size = true;
        }
        return true;
}

/* Lines up to the empty one. */
static bool take_fields(struct str lines, struct fields *f)
{
        struct str line;
        while (http_line_take(&lines, &line)) {
                if (line.n == 0)
                        return true;
                if (!field(line, f))
                        return false;
        }
        return false;
}

/* How the content comes (RFC 9112 6.3). */
static void begin_content(struct http_client *c, const struct fields *f, bool is_1_1)
{
        if (f->is_chunked && (f->has_size || !is_1_1))
                finish(c, ERR_SYNTAX, "two sizes of one answer");
        else if (!f->is_text)
                finish(c, ERR_UNSUPPORTED, "the answer is not text/plain");
        else if (f->is_coded || f->is_oddly_sent)
                finish(c, ERR_UNSUPPORTED, "the answer comes in a coding");
        else if (f->has_size && f->size > HTTP_BODY_MAX)
                finish(c, ERR_LIMIT, "the answer is too long");
        else if (f->has_size && f->size == 0)
                finish(c, ERR_OK, "");
        else
                c->state = f->is_chunked ? HTTP_CLIENT_CHUNK_SIZE
                           : f->has_size ? HTTP_CLIENT_SIZED
                                         : HTTP_CLIENT_UNTIL_END;
        c->left = f->has_size ? (size_t)f->size : 0;
}

static void take_head(struct http_client *c, struct str head)
{
        struct fields f = {0};
        struct str line;
        bool is_1_1;
        if (!http_line_take(&head, &line) || !status_line(line, &c->status, &is_1_1)) {
                finish(c, ERR_SYNTAX, "not an answer of HTTP/1");
                return;
        }
        if (!take_fields(head, &f)) {
                finish(c, ERR_SYNTAX, "a malformed field");
                return;
        }
        if (c->status < 200) { /* another answer follows (RFC 9110 15.2) */
                if (c->status == 101 || ++c->interim > HTTP_INTERIM_MAX)
                        finish(c, ERR_LIMIT, "no answer but those of 1xx");
        } else if (c->status != 200) {
                finish(c, ERR_DENIED, "the answer is not 200");
        } else {
                begin_content(c, &f, is_1_1);
        }
}

/* ---- lines and octets ---- */

/* Move octets up to a line's end to `in`; false: it is not there yet, or the outcome is. */
static bool gather(struct http_client *c, struct str *bytes)
{
        size_t end = str_find_byte(*bytes, '\n');
        struct str part = str_take(*bytes, end < bytes->n ? end + 1 : end);
        if (part.n > sizeof c->in - c->in_n) {
                finish(c, ERR_LIMIT, "a line or head that is too long");
                return false;
        }
        memcpy(c->in + c->in_n, part.p, part.n);
        c->in_n += part.n;
        *bytes = str_skip(*bytes, part.n);
        if (end == part.n)
                return false;
        if (c->in_n - c->line < 2 || c->in[c->in_n - 2] != '\r') {
                finish(c, ERR_SYNTAX, "a line that ends without CR");
                return false;
        }
        return true;
}

/* Lines until an empty one, which are then in `in`. */
static bool gather_lines(struct http_client *c, struct str *bytes)
{
        while (bytes->n > 0 && gather(c, bytes)) {
                bool is_empty = c->in_n - c->line == 2;
                c->line = c->in_n;
                if (is_empty)
                        return true;
        }
        return false;
}

static void drop_lines(struct http_client *c)
{
        c->in_n = c->line = 0;
}

static void at_head(struct http_client *c, struct str *bytes)
{
        if (!gather_lines(c, bytes))
                return;
        take_head(c, str_of(c->in, c->in_n));
        drop_lines(c);
}

/* Fields behind the last chunk say nothing that counts, but they are fields. */
static void at_trailer(struct http_client *c, struct str *bytes)
{
        struct fields f = {0};
        if (!gather_lines(c, bytes))
                return;
        bool is_good = take_fields(str_of(c->in, c->in_n), &f);
        finish(c, is_good ? ERR_OK : ERR_SYNTAX, is_good ? "" : "a malformed field");
}

/* chunk = chunk-size [ chunk-ext ] CRLF ..., chunk-size = 1*HEXDIG (RFC 9112 7.1) */
static bool chunk_size(struct str line, size_t *size)
{
        size_t n = 0;
        *size = 0;
        while (n < line.n && ascii_is_hex(line.p[n])) {
                char digit = ascii_lower(line.p[n]);
                if (++n > CHUNK_DIGITS_MAX)
                        return false;
                *size = *size * 16 + (size_t)(ascii_is_digit(digit) ? digit - '0' : digit - 'a' + 10);
        }
        struct str extension = str_skip(line, n);
        return n > 0 && http_is_value(extension) &&
               (extension.n == 0 || extension.p[0] == ';' || ascii_is_wsp(extension.p[0]));
}

static void at_chunk_size(struct http_client *c, struct str *bytes)
{
        if (!gather(c, bytes))
                return;
        if (!chunk_size(str_of(c->in, c->in_n - 2), &c->left))
                finish(c, ERR_SYNTAX, "a malformed chunk");
        else
                c->state = c->left > 0 ? HTTP_CLIENT_CHUNK : HTTP_CLIENT_TRAILER;
        drop_lines(c);
}

static void at_chunk_end(struct http_client *c, struct str *bytes)
{
        if (!gather(c, bytes))
                return;
        if (c->in_n != 2)
                finish(c, ERR_SYNTAX, "a malformed chunk");
        else
                c->state = HTTP_CLIENT_CHUNK_SIZE;
        drop_lines(c);
}

/* Content: `most` octets of what came. */
static void take_content(struct http_client *c, struct str *bytes, size_t most)
{
        struct str part = str_take(*bytes, most);
        *bytes = str_skip(*bytes, part.n);
        if (part.n > sizeof c->body - c->body_n) {
                finish(c, ERR_LIMIT, "the answer is too long");
                return;
        }
        memcpy(c->body + c->body_n, part.p, part.n);
        c->body_n += part.n;
        if (c->state == HTTP_CLIENT_UNTIL_END)
                return;
        c->left -= part.n;
        if (c->left == 0 && c->state == HTTP_CLIENT_SIZED)
                finish(c, ERR_OK, "");
        else if (c->left == 0)
                c->state = HTTP_CLIENT_CHUNK_END;
}

static void step(struct http_client *c, struct str *bytes)
{
        switch (c->state) {
        case HTTP_CLIENT_HEAD:
                at_head(c, bytes);
                return;
        case HTTP_CLIENT_SIZED:
        case HTTP_CLIENT_CHUNK:
                take_content(c, bytes, c->left);
                return;
        case HTTP_CLIENT_UNTIL_END:
                take_content(c, bytes, bytes->n);
                return;
        case HTTP_CLIENT_CHUNK_SIZE:
                at_chunk_size(c, bytes);
                return;
        case HTTP_CLIENT_CHUNK_END:
                at_chunk_end(c, bytes);
                return;
        case HTTP_CLIENT_TRAILER:
                at_trailer(c, bytes);
                return;
        case HTTP_CLIENT_DONE: /* what follows is nobody's */
                *bytes = str_skip(*bytes, bytes->n);
                return;
        }
}

/* ---- in and out ---- */

struct str http_client_pending(const struct http_client *c)
{
        if (c->state == HTTP_CLIENT_DONE)
                return S("");
        return str_of(c->request + c->sent, c->request_n - c->sent);
}

void http_client_sent(struct http_client *c, size_t n)
{
        CHECK(n <= c->request_n - c->sent);
        c->sent += n;
}

char *http_client_room(struct http_client *c, size_t *cap)
{
        *cap = sizeof c->piece;
        return c->piece;
}

void http_client_got(struct http_client *c, size_t n)
{
        CHECK(n <= sizeof c->piece);
        struct str bytes = str_of(c->piece, n);
        while (bytes.n > 0)
                step(c, &bytes);
}

void http_client_lost(struct http_client *c)
{
        if (c->state == HTTP_CLIENT_UNTIL_END)
                finish(c, ERR_OK, "");
        else if (c->state != HTTP_CLIENT_DONE)
                finish(c, ERR_EOF, "the answer ended early");
}

int64_t http_client_deadline(const struct http_client *c)
{
        return c->deadline_ms;
}

void http_client_tick(struct http_client *c, int64_t now_ms)
{
        if (c->state != HTTP_CLIENT_DONE && now_ms >= c->deadline_ms)
                finish(c, ERR_TIMEOUT, "no answer in time");
}

enum err http_client_outcome(const struct http_client *c)
{
        return c->outcome;
}

const char *http_client_why(const struct http_client *c)
{
        return c->why;
}

unsigned http_client_status(const struct http_client *c)
{
        return c->status;
}

struct str http_client_body(const struct http_client *c)
{
        return str_of(c->body, c->body_n);
}
