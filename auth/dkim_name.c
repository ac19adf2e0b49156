/* SPDX-License-Identifier: ISC */
#include "auth/dkim_name.h"

#include "base/ascii.h"
#include "base/limits.h"

bool dkim_is_name(struct str s)
{
        size_t label = 0;
        if (s.n == 0 || s.n > DNS_NAME_MAX - 2)
                return false;
        for (size_t i = 0; i < s.n; i++) {
                char c = s.p[i];
                if (c == '.' && label > 0)
                        label = 0;
                else if ((ascii_is_alnum(c) || c == '-' || c == '_') && label < DNS_LABEL_MAX)
                        label++;
                else
                        return false;
        }
        return label > 0;
}

bool dkim_is_within(struct str name, struct str domain)
{
        if (!str_has_suffix_nocase(name, domain))
                return false;
        return name.n == domain.n || name.p[name.n - domain.n - 1] == '.';
}

bool dkim_is_field_name(struct str s)
{
        if (s.n == 0 || s.n > MAIL_LINE_GOAL - 2)
                return false;
        for (size_t i = 0; i < s.n; i++)
                if (!ascii_is_graph(s.p[i]) || s.p[i] == ':' || s.p[i] == ';')
                        return false;
        return true;
}
