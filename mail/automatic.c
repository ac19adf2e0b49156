/* SPDX-License-Identifier: ISC */
#include "mail/automatic.h"

#include "base/ascii.h"
#include "mail/address.h"
#include "mail/mime.h"

/* Local parts behind which no person reads (RFC 3834 2, and what mail systems use). */
static bool is_machine(struct str local)
{
        static const struct str whole[] = {{"mailer-daemon", 13}, {"noreply", 7}, {"no-reply", 8},
                {"donotreply", 10}, {"do-not-reply", 12}, {"listserv", 8}, {"majordomo", 9}, {"bounce", 6},
                {"bounces", 7}};
        static const struct str endings[] = {{"-request", 8}, {"-owner", 6}, {"-bounces", 8}, {"-bounce", 7},
                {"-noreply", 8}, {"-no-reply", 9}};
        for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++)
                if (str_eq_nocase(local, whole[i]))
                        return true;
        for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
                if (str_has_suffix_nocase(local, endings[i]))
                        return true;
        return str_has_prefix_nocase(local, S("owner-"));
}

static bool is_machine_address(struct str address)
{
        return is_machine(str_take(address, str_find_last_byte(address, '@')));
}

static bool is_machine_author(struct str body)
{
        struct mail_addresses r;
        struct mail_mailbox m;
        mail_addresses_init(&r, body);
        return mail_addresses_next(&r, &m) == ERR_OK && is_machine(m.address.local);
}

/* The first word of a field body, up to what may follow it: a comment, parameters, white space. */
static struct str first_word(struct str body)
{
        struct str s = str_skip(body, mail_cfws_size(body, NULL));
        return str_take(s, mail_atom_size(s, MAIL_ASCII));
}

static bool says_automatic(const struct mail_field *f)
{
        struct mime_type type;
        if (str_eq_nocase(f->name, S("Auto-Submitted")))
                return !str_eq_nocase(first_word(f->body), S("no"));
        if (str_eq_nocase(f->name, S("Precedence"))) {
                struct str word = first_word(f->body);
                return str_eq_nocase(word, S("bulk")) || str_eq_nocase(word, S("junk")) ||
                       str_eq_nocase(word, S("list"));
        }
        if (str_eq_nocase(f->name, S("Content-Type")))
                return mime_type_parse(f->body, &type) == ERR_OK &&
                       mime_type_is(&type, S("multipart"), S("report"));
        return str_eq_nocase(f->name, S("List-Id")) ||
               (str_eq_nocase(f->name, S("From")) && is_machine_author(f->body));
}

bool mail_is_automatic(struct str sender, const struct mail_header *header)
{
        if (sender.n == 0 || is_machine_address(sender))
                return true;
        for (size_t i = 0; i < header->n; i++)
                if (says_automatic(&header->fields[i]))
                        return true;
        return false;
}
