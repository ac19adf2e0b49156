/* SPDX-License-Identifier: ISC */
#include "http/request.h"

#include "base/ascii.h"
#include "http/field.h"

struct fields {
        unsigned hosts;
        bool closes, keeps, has_content;
};

static bool is_visible(struct str s)
{
        for (size_t i = 0; i < s.n; i++)
                if (!ascii_is_graph(s.p[i]))
                        return false;
        return s.n > 0;
}

/* uri-host [ ":" port ], as far as that it is one word. */
static bool is_host(struct str s)
{
        const struct str not_there = S("/?#@\\\"<>");
        for (size_t i = 0; i < not_there.n; i++)
                if (str_find_byte(s, not_there.p[i]) < s.n)
                        return false;
        return s.n == 0 || is_visible(s);
}

static unsigned method(struct str name, struct http_request *out)
{
        static const struct str known[] = {{"POST", 4}, {"PUT", 3}, {"DELETE", 6}, {"CONNECT", 7},
                {"OPTIONS", 7}, {"TRACE", 5}, {"PATCH", 5}};
        out->is_head = str_eq(name, S("HEAD"));
        if (out->is_head || str_eq(name, S("GET")))
                return 0;
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
                if (str_eq(name, known[i]))
                        return 405;
        return 501;
}

/* origin-form, or absolute-form, which a server must take (RFC 9112 3.2.2). */
static bool target(struct str text, struct str *path)
{
        struct str authority, query;
        *path = text;
        if (str_has_prefix_nocase(text, S("http://"))) {
                text = str_skip(text, 7);
                size_t end = str_find_byte(text, '/');
                if (str_find_byte(text, '?') < end)
                        end = str_find_byte(text, '?');
                authority = str_take(text, end);
                *path = str_skip(text, end);
                if (authority.n == 0 || !is_host(authority))
                        return false;
                if (path->n == 0 || path->p[0] == '?')
                        *path = S("/");
        }
        (void)str_cut(*path, '?', path, &query);
        return path->n > 0 && path->p[0] == '/' && str_find_byte(text, '#') == text.n;
}

/* request-line = method SP request-target SP HTTP-version */
static unsigned request_line(struct str line, bool *is_1_1, struct http_request *out)
{
        struct str name, rest, where, version;
        *is_1_1 = false;
        if (!str_cut(line, ' ', &name, &rest) || !str_cut(rest, ' ', &where, &version) ||
                !http_is_token(name) || !is_visible(where))
                return 400;
        if (version.n != 8 || !str_has_prefix(version, S("HTTP/")) || !ascii_is_digit(version.p[5]) ||
                version.p[6] != '.' || !ascii_is_digit(version.p[7]))
                return 400;
        if (version.p[5] != '1')
                return 505;
        *is_1_1 = version.p[7] != '0';
        unsigned fault = method(name, out);
        if (fault == 0 && !target(where, &out->path))
                fault = 400;
        return fault;
}

static void connection(struct str value, struct fields *f)
{
        while (value.n > 0) {
                struct str one;
                (void)str_cut(value, ',', &one, &value);
                one = str_trim(one);
                f->closes = f->closes || str_eq_nocase(one, S("close"));
                f->keeps = f->keeps || str_eq_nocase(one, S("keep-alive"));
        }
}

static bool field_line(struct str line, struct fields *f)
{
        struct str name, value;
        uint64_t size;
        if (!http_field_parse(line, &name, &value))
                return false;
        if (str_eq_nocase(name, S("Host"))) {
                f->hosts++;
                return is_host(value);
        }
        if (str_eq_nocase(name, S("Connection")))
                connection(value, f);
        if (str_eq_nocase(name, S("Transfer-Encoding")))
                f->has_content = true;
        if (str_eq_nocase(name, S("Content-Length"))) {
                enum err e = str_to_u64(value, UINT64_MAX, &size);
                f->has_content = f->has_content || size > 0 || e == ERR_LIMIT;
                return e != ERR_SYNTAX;
        }
        return true;
}

static unsigned parse(struct str head, struct http_request *out)
{
        struct fields f = {0};
        struct str line;
        bool is_1_1;
        if (!http_line_take(&head, &line))
                return 400;
        unsigned fault = request_line(line, &is_1_1, out);
        if (fault == 400 || fault == 505)
                return fault;
        for (;;) {
                if (!http_line_take(&head, &line))
                        return 400;
                if (line.n == 0)
                        break;
                if (!field_line(line, &f))
                        return 400;
        }
        if (head.n > 0 || f.hosts > 1 || (is_1_1 && f.hosts == 0)) /* RFC 9112 3.2 */
                return 400;
        out->keeps = !f.closes && (is_1_1 || f.keeps);
        return fault != 0 ? fault : f.has_content ? 413 : 0;
}

unsigned http_request_parse(struct str head, struct http_request *out)
{
        *out = (struct http_request){0};
        unsigned fault = parse(head, out);
        if (fault != 0)
                *out = (struct http_request){0};
        return fault;
}
