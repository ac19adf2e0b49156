/* SPDX-License-Identifier: ISC */
#include "auth/tags.h"

#include "base/ascii.h"

/* FWS = [*WSP CRLF] 1*WSP: each CR needs its LF and WSP behind it, and no LF stands alone. Nor any other control byte. */
static bool is_clean(struct str s)
{
        for (size_t i = 0; i < s.n; i++) {
                if (s.p[i] == '\r') {
                        if (s.n - i < 3 || s.p[i + 1] != '\n' || !ascii_is_wsp(s.p[i + 2]))
                                return false;
                        i += 2;
                } else if (ascii_is_control(s.p[i]) && s.p[i] != '\t') {
                        return false;
                }
        }
        return true;
}

/* tag-name = ALPHA *ALNUMPUNC */
static bool is_name(struct str s)
{
        if (s.n == 0 || !ascii_is_alpha(s.p[0]))
                return false;
        for (size_t i = 1; i < s.n; i++)
                if (!ascii_is_alnum(s.p[i]) && s.p[i] != '_')
                        return false;
        return true;
}

/* tag-spec = [FWS] tag-name [FWS] "=" [FWS] tag-value [FWS] */
static enum err parse_spec(struct str spec, struct tags *out)
{
        struct tag tag;
        if (!str_cut(spec, '=', &tag.name, &tag.span))
                return ERR_SYNTAX;
        tag.name = str_trim(tag.name);
        tag.value = str_trim(tag.span);
        if (!is_name(tag.name))
                return ERR_SYNTAX;
        if (tags_find(out, tag.name))
                return ERR_EXISTS;
        if (out->count == DKIM_TAGS_MAX)
                return ERR_LIMIT;
        out->list[out->count++] = tag;
        return ERR_OK;
}

/* tag-list = tag-spec *( ";" tag-spec ) [ ";" ], and white space behind the last ";", which the grammar forgot */
enum err tags_parse(struct str text, struct tags *out)
{
        enum err e = is_clean(text) ? ERR_OK : ERR_SYNTAX;
        bool more = true;
        out->count = 0;
        while (e == ERR_OK && more) {
                struct str spec;
                more = str_cut(text, ';', &spec, &text);
                e = parse_spec(spec, out);
                if (more && str_trim(text).n == 0)
                        break;
        }
        if (e != ERR_OK)
                out->count = 0;
        return e;
}

const struct tag *tags_find(const struct tags *t, struct str name)
{
        for (size_t i = 0; i < t->count; i++)
                if (str_eq(t->list[i].name, name))
                        return &t->list[i];
        return NULL;
}

bool tags_item(struct str *rest, struct str *item)
{
        struct str head;
        *item = str_take(*rest, 0);
        if (!rest->p)
                return false;
        if (!str_cut(*rest, ':', &head, rest))
                *rest = (struct str){NULL, 0};
        *item = str_trim(head);
        return true;
}

bool tags_has_item(struct str value, struct str item)
{
        struct str one;
        while (tags_item(&value, &one))
                if (str_eq_nocase(one, item))
                        return true;
        return false;
}
