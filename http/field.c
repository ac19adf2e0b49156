/* SPDX-License-Identifier: ISC */
#include "http/field.h"

#include "base/ascii.h"

/* tchar = "!" / "#" / "$" / "%" / "&" / "'" / "*" / "+" / "-" / "." / "^" / "_" / "`" / "|" / "~" / DIGIT / ALPHA */
bool http_is_token(struct str s)
{
        const struct str marks = S("!#$%&'*+-.^_`|~");
        for (size_t i = 0; i < s.n; i++)
                if (!ascii_is_alnum(s.p[i]) && str_find_byte(marks, s.p[i]) == marks.n)
                        return false;
        return s.n > 0;
}

/* field-value: VCHAR, obs-text, SP and HTAB */
bool http_is_value(struct str s)
{
        for (size_t i = 0; i < s.n; i++)
                if (ascii_is_control(s.p[i]) && s.p[i] != '\t')
                        return false;
        return true;
}

bool http_line_take(struct str *rest, struct str *line)
{
        size_t end = str_find(*rest, S("\r\n"));
        *line = str_take(*rest, end);
        if (end == rest->n || str_find_byte(*line, '\n') < line->n || str_find_byte(*line, '\r') < line->n)
                return false;
        *rest = str_skip(*rest, end + 2);
        return true;
}

bool http_field_parse(struct str line, struct str *name, struct str *value)
{
        if (!str_cut(line, ':', name, value) || !http_is_token(*name) || !http_is_value(*value))
                return false;
        *value = str_trim(*value);
        return true;
}
