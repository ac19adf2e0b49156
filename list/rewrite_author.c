/* SPDX-License-Identifier: ISC */
#include "base/ascii.h"
#include "base/utf8.h"
#include "list/rewrite_internal.h"
#include "mail/build.h"
#include "mail/encoded_word.h"

#define NAME_MAX_OCTETS 120 /* of the author's name, in front of " via NAME", which is never cut */
#define AUTHORS_NAMED 3     /* of a From field that has more */
#define PLAIN_MAX 512       /* of a display name in quotes */

void rewrite_renamed(struct wr *w, struct str name, struct str body)
{
        bool is_long = name.n + 1 + str_find(body, S("\r\n")) > MAIL_LINE_MAX;
        wr_str(w, name);
        wr_str(w, S(":"));
        if (is_long || body.n == 0 || !ascii_is_wsp(body.p[0]))
                wr_str(w, is_long ? S("\r\n ") : S(" "));
        wr_str(w, body);
}

/* ---- the author's name ---- */

/* As many whole characters as fit. */
static void write_cut(struct wr *w, struct str text, size_t most)
{
        while (text.n > 0) {
                size_t n = utf8_head(text);
                if (n == 0 || w->n + n > most)
                        return;
                wr_str(w, str_take(text, n));
                text = str_skip(text, n);
        }
}

/* The name that the author gave, else what stands before the "@". A name that is the address itself would say that the mail comes
 * from there. */
static void write_name(struct wr *w, const struct mail_mailbox *m)
{
        char room[1024], own[MAIL_ADDRESS_MAX + 8];
        struct wr name, address;
        wr_init(&name, room, sizeof room);
        wr_init(&address, own, sizeof own);
        mail_phrase_decode(&name, m->display.n > 0 ? m->display : m->comment);
        mail_address_write(&address, &m->address);
        if (str_trim(wr_text(&name)).n == 0 || str_eq_nocase(str_trim(wr_text(&name)), wr_text(&address))) {
                wr_init(&name, room, sizeof room);
                mail_local_unquote(&name, m->address.local);
        }
        write_cut(w, str_trim(wr_text(&name)), NAME_MAX_OCTETS);
}

static void write_names(struct wr *w, struct str body)
{
        struct mail_addresses r;
        struct mail_mailbox m;
        mail_addresses_init(&r, body);
        for (size_t i = 0; i < AUTHORS_NAMED && mail_addresses_next(&r, &m) == ERR_OK; i++) {
                if (i > 0)
                        write_cut(w, S(", "), NAME_MAX_OCTETS);
                write_name(w, &m);
        }
}

/* Always in quotes, folded at its spaces; beyond ASCII as encoded-words. */
static void build_display(struct mail_build *b, struct str name)
{
        char room[PLAIN_MAX];
        struct str rest, word;
        struct wr quoted;
        bool more = true;
        wr_init(&quoted, room, sizeof room);
        wr_byte(&quoted, '"');
        for (size_t i = 0; i < name.n; i++) {
                if (ascii_is_8bit(name.p[i])) {
                        mail_build_phrase(b, name);
                        return;
                }
                if (name.p[i] == '"' || name.p[i] == '\\')
                        wr_byte(&quoted, '\\');
                wr_byte(&quoted, name.p[i]);
        }
        wr_byte(&quoted, '"');
        for (rest = wr_text(&quoted); more; mail_build_word(b, word))
                more = str_cut(rest, ' ', &word, &rest);
}

enum err rewrite_from_field(struct wr *w, const struct rewrite_list *list, struct str body)
{
        char room[NAME_MAX_OCTETS + SMTP_LOCAL_PART_MAX + 16];
        struct mail_address address = rewrite_address(list);
        struct mail_build b;
        struct wr name;
        wr_init(&name, room, sizeof room);
        write_names(&name, body);
        wr_str(&name, S(" via "));
        wr_str(&name, str_take(list->name, SMTP_LOCAL_PART_MAX));
        mail_build_begin(&b, w, S("From"));
        build_display(&b, str_trim(wr_text(&name)));
        mail_build_path(&b, &address);
        return mail_build_end(&b);
}

/* ---- where answers go ---- */

/* The addresses of a field body: how many, and how many of them are the list.
 *   ERR_OK, or what is wrong with it */
static enum err count(const struct rewrite_list *list, struct str body, size_t *n, size_t *ours)
{
        struct mail_address own = rewrite_address(list);
        struct mail_addresses r;
        struct mail_mailbox m;
        enum err e;
        mail_addresses_init(&r, body);
        *n = *ours = 0;
        while ((e = mail_addresses_next(&r, &m)) == ERR_OK) {
                ++*n;
                *ours += mail_address_eq_folded(&m.address, &own);
        }
        return e == ERR_EOF ? ERR_OK : e;
}

/* The one Reply-To field that says something, or NULL. */
static const struct mail_field *usable(
        const struct rewrite_list *list, const struct mail_header *header, size_t *n, size_t *ours)
{
        const struct mail_field *f = mail_header_first(header, S("Reply-To"));
        *n = *ours = 0;
        if (mail_header_count(header, S("Reply-To")) != 1 || count(list, f->body, n, ours) != ERR_OK)
                return NULL;
        return *n > 0 ? f : NULL;
}

enum rewrite_reply rewrite_reply_of(
        const struct rewrite_list *list, const struct mail_header *header, bool is_from_done)
{
        size_t n, ours;
        const struct mail_field *f = usable(list, header, &n, &ours);
        if (setting_is(list->settings, SETTING_REPLY_TO, S("list")))
                return f && ours == n ? REWRITE_REPLY_LEFT : REWRITE_REPLY_LIST;
        if (setting_is(list->settings, SETTING_REPLY_TO, S("both")))
                return f && ours > 0 ? REWRITE_REPLY_LEFT : REWRITE_REPLY_BOTH;
        return f || !is_from_done ? REWRITE_REPLY_LEFT : REWRITE_REPLY_AUTHOR;
}

static struct str without_end(struct str body)
{
        struct str inside = str_trim(body);
        return str_of(body.p, (size_t)(inside.p - body.p) + inside.n);
}

/* The list's address needs no look: the field of its List-Id would have failed. */
enum err rewrite_reply_field(struct wr *w, const struct rewrite_list *list, const struct mail_header *header,
        enum rewrite_reply reply)
{
        struct mail_address own = rewrite_address(list);
        const struct mail_field *f = NULL;
        size_t n, ours;
        if (reply == REWRITE_REPLY_BOTH)
                f = usable(list, header, &n, &ours);
        if (!f)
                f = mail_header_first(header, S("From"));
        if (reply == REWRITE_REPLY_LIST)
                wr_str(w, S("Reply-To: "));
        else
                rewrite_renamed(w, S("Reply-To"), without_end(f->body));
        if (reply == REWRITE_REPLY_BOTH)
                wr_str(w, S(",\r\n "));
        if (reply != REWRITE_REPLY_AUTHOR)
                mail_address_write(w, &own);
        wr_str(w, S("\r\n"));
        return wr_end(w);
}
