/* SPDX-License-Identifier: ISC */
#include "auth/dkim_name.h"

#include "base/ascii.h"
#include "base/limits.h"
#include "dns/idna.h"

#define NAME_MAX_SIZE (DNS_NAME_MAX - 2) /* without the dot at the end */

bool dkim_is_ascii_name(struct str s)
{
        size_t label = 0;
        if (s.n == 0 || s.n > NAME_MAX_SIZE)
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

/* The name in A-labels, in `room`; empty for none. */
static struct str ascii_name(struct str s, char room[NAME_MAX_SIZE])
{
        struct wr w;
        wr_init(&w, room, NAME_MAX_SIZE);
        return s.n <= NAME_MAX_SIZE && dns_idna_write(&w, s) == ERR_OK ? wr_text(&w) : S("");
}

bool dkim_is_name(struct str s)
{
        char room[NAME_MAX_SIZE];
        return dkim_is_ascii_name(ascii_name(s, room));
}

void dkim_name_write(struct wr *w, struct str name)
{
        char room[NAME_MAX_SIZE];
        wr_str(w, ascii_name(name, room));
}

static bool is_ascii_within(struct str name, struct str domain)
{
        if (domain.n == 0 || !str_has_suffix_nocase(name, domain))
                return false;
        return name.n == domain.n || name.p[name.n - domain.n - 1] == '.';
}

bool dkim_is_within(struct str name, struct str domain)
{
        char room[2][NAME_MAX_SIZE];
        return is_ascii_within(ascii_name(name, room[0]), ascii_name(domain, room[1]));
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
