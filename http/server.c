/* SPDX-License-Identifier: ISC */
#include "http/server.h"

#include <string.h>

#include "base/check.h"
#include "base/time_text.h"
#include "base/wr.h"
#include "http/request.h"

void http_server_init(struct http_server *s, int64_t now_ms, int64_t wall_ms)
{
        s->state = HTTP_READING;
        s->in_n = s->line = s->seen = s->head_n = 0;
        s->is_head = s->keeps = s->is_told = false;
        s->path = s->content = (struct str){NULL, 0};
        s->requests = 0;
        s->head_size = s->sent = 0;
        s->deadline_ms = now_ms + HTTP_IDLE_MS;
        s->wall_offset_ms = wall_ms - now_ms;
}

/* Answers. */

static struct str phrase(unsigned status)
{
        static const struct {
                unsigned status;
                struct str text;
        } phrases[] = {
                {200, {"OK", 2}},
                {400, {"Bad Request", 11}},
                {404, {"Not Found", 9}},
                {405, {"Method Not Allowed", 18}},
                {408, {"Request Timeout", 15}},
                {413, {"Content Too Large", 17}},
                {414, {"URI Too Long", 12}},
                {431, {"Request Header Fields Too Large", 31}},
                {501, {"Not Implemented", 15}},
                {503, {"Service Unavailable", 19}},
                {505, {"HTTP Version Not Supported", 26}},
        };
        for (size_t i = 0; i < sizeof phrases / sizeof phrases[0]; i++)
                if (phrases[i].status == status)
                        return phrases[i].text;
        return S("Answer");
}

/* IMF-fixdate = "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 5.6.7) */
static void write_date(struct wr *w, int64_t unix_s)
{
        const struct str days = S("SunMonTueWedThuFriSat"),
                         months = S("JanFebMarAprMayJunJulAugSepOctNovDec");
        struct time_civil c = time_civil_of_unix(unix_s);
        wr_str(w, str_take(str_skip(days, 3 * (size_t)c.weekday), 3));
        wr_str(w, S(", "));
        wr_u64_padded(w, (uint64_t)c.day, 2);
        wr_byte(w, ' ');
        wr_str(w, str_take(str_skip(months, 3 * (size_t)(c.month - 1)), 3));
        wr_byte(w, ' ');
        wr_u64_padded(w, (uint64_t)c.year, 4);
        wr_byte(w, ' ');
        wr_u64_padded(w, (uint64_t)c.hour, 2);
        wr_byte(w, ':');
        wr_u64_padded(w, (uint64_t)c.minute, 2);
        wr_byte(w, ':');
        wr_u64_padded(w, (uint64_t)c.second, 2);
        wr_str(w, S(" GMT"));
}

static void answer(struct http_server *s, const struct http_answer *a, int64_t now_ms)
{
        struct wr w;
        wr_init(&w, s->head, sizeof s->head);
        wr_str(&w, S("HTTP/1.1 "));
        wr_u64(&w, a->status);
        wr_byte(&w, ' ');
        wr_str(&w, phrase(a->status));
        wr_str(&w, S("\r\nDate: "));
        write_date(&w, (s->wall_offset_ms + now_ms) / 1000);
        wr_str(&w, S("\r\nContent-Type: "));
        wr_str(&w, a->content_type);
        wr_str(&w, S("\r\nContent-Length: "));
        wr_u64(&w, a->content.n);
        wr_str(&w, S("\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"));
        if (a->status == 405)
                wr_str(&w, S("Allow: GET, HEAD\r\n"));
        if (!s->keeps)
                wr_str(&w, S("Connection: close\r\n"));
        wr_str(&w, S("\r\n"));
        CHECK(wr_end(&w) == ERR_OK);
        s->head_size = w.n;
        s->content = s->is_head ? S("") : a->content;
        s->sent = 0;
        s->state = HTTP_ANSWERING;
        s->deadline_ms = now_ms + HTTP_REQUEST_MS;
}

/* What came cannot be answered otherwise, and nothing behind it can be trusted. */
static void refuse(struct http_server *s, unsigned status, int64_t now_ms)
{
        struct http_answer a = {.status = status, .content_type = S("text/plain; charset=utf-8")};
        s->keeps = s->is_head = false;
        s->in_n = s->head_n = 0;
        a.content = phrase(status);
        answer(s, &a, now_ms);
}

void http_server_reply(struct http_server *s, const struct http_answer *a, int64_t now_ms)
{
        CHECK(s->state == HTTP_ASKING);
        CHECK(a->status == 200 || a->status == 404 || a->status == 503);
        answer(s, a, now_ms);
}

/* Requests. */

static void drop_front(struct http_server *s, size_t n)
{
        memmove(s->in, s->in + n, s->in_n - n);
        s->in_n -= n;
        s->line = s->seen = s->head_n = 0;
}

static void ask(struct http_server *s, int64_t now_ms)
{
        struct http_request request;
        unsigned fault = http_request_parse(str_of(s->in, s->head_n), &request);
        if (fault != 0) {
                refuse(s, fault, now_ms);
                return;
        }
        s->state = HTTP_ASKING;
        s->is_head = request.is_head;
        s->keeps = request.keeps && ++s->requests < HTTP_REQUESTS_MAX;
        s->path = request.path;
}

/* Look for the empty line in what came. Empty lines in front of a request are passed over (RFC 9112 2.2). */
static void look(struct http_server *s, int64_t now_ms)
{
        while (s->state == HTTP_READING && s->seen < s->in_n) {
                if (s->in[s->seen++] != '\n')
                        continue;
                if (s->seen < 2 || s->in[s->seen - 2] != '\r') {
                        refuse(s, 400, now_ms);
                        return;
                }
                bool is_empty = s->seen - s->line == 2;
                if (is_empty && s->line == 0) {
                        drop_front(s, 2);
                } else if (is_empty) {
                        s->head_n = s->seen;
                        ask(s, now_ms);
                }
                s->line = s->seen;
        }
        if (s->state == HTTP_READING && s->in_n == sizeof s->in)
                refuse(s, s->line == 0 ? 414 : 431, now_ms);
}

char *http_server_room(struct http_server *s, size_t *cap)
{
        *cap = s->state == HTTP_READING ? sizeof s->in - s->in_n : 0;
        return s->in + s->in_n;
}

void http_server_got(struct http_server *s, size_t n, int64_t now_ms)
{
        CHECK(s->state == HTTP_READING && n <= sizeof s->in - s->in_n);
        if (s->deadline_ms > now_ms + HTTP_REQUEST_MS) /* the first bytes after a rest */
                s->deadline_ms = now_ms + HTTP_REQUEST_MS;
        s->in_n += n;
        look(s, now_ms);
}

struct str http_server_pending(const struct http_server *s)
{
        if (s->state != HTTP_ANSWERING)
                return S("");
        if (s->sent < s->head_size)
                return str_of(s->head + s->sent, s->head_size - s->sent);
        return str_skip(s->content, s->sent - s->head_size);
}

void http_server_sent(struct http_server *s, size_t n, int64_t now_ms)
{
        CHECK(n <= http_server_pending(s).n);
        s->sent += n;
        if (s->sent < s->head_size + s->content.n)
                return;
        s->content = S("");
        if (!s->keeps) {
                s->state = HTTP_ENDED;
                return;
        }
        s->state = HTTP_READING;
        drop_front(s, s->head_n);
        s->deadline_ms = now_ms + (s->in_n > 0 ? HTTP_REQUEST_MS : HTTP_IDLE_MS);
        look(s, now_ms);
}

bool http_server_next(struct http_server *s, struct http_server_event *event)
{
        *event = (struct http_server_event){.kind = HTTP_SERVER_REQUEST};
        if (s->state == HTTP_ASKING) {
                event->is_head = s->is_head;
                event->path = s->path;
                return true;
        }
        if (s->state != HTTP_ENDED || s->is_told)
                return false;
        s->is_told = true;
        event->kind = HTTP_SERVER_CLOSED;
        return true;
}

int64_t http_server_deadline(const struct http_server *s)
{
        return s->deadline_ms;
}

void http_server_tick(struct http_server *s, int64_t now_ms)
{
        if (now_ms < s->deadline_ms)
                return;
        if (s->state == HTTP_READING && s->in_n > 0)
                refuse(s, 408, now_ms);
        else if (s->state != HTTP_ASKING)
                s->state = HTTP_ENDED;
}

void http_server_lost(struct http_server *s)
{
        s->state = HTTP_ENDED;
}
