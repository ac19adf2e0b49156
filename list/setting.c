/* SPDX-License-Identifier: ISC */
#include "list/setting.h"

#include "base/ascii.h"
#include "base/quantity.h"
#include "base/utf8.h"

#define TEXT "none | TEXT"
#define SIZE "SIZE"
#define LANGUAGE "en | fr | ..."

const struct setting settings[] = {
        {"subscription", "moderated | confirm | open | closed", "moderated", "who may join, and how"},
        {"posting", "subscribers | open | moderated | announce", "subscribers", "who may post"},
        {"from", "auto | rewrite | keep", "auto", "when the author's From is rewritten"},
        {"reply-to", "author | list | both", "author", "where answers go"},
        {"subject-prefix", TEXT, "none", "put in front of each subject"},
        {"footer", TEXT, "none", "put below each text"},
        {"who", "subscribers | moderators | nobody", "subscribers",
                "who may ask for the list of subscribers"},
        {"max-message", SIZE, "25M", "the largest post"},
        {"archive", "off | on", "off", "keep posts for reading"},
        {"description", TEXT, "none", "one line about the list"},
        {"language", LANGUAGE, "en", "of what the list itself writes"},
        {NULL, NULL, NULL, NULL},
};

const struct setting *setting_find(struct str name)
{
        for (const struct setting *s = settings; s->name != NULL; s++)
                if (str_eq(str_of_c(s->name), name))
                        return s;
        return NULL;
}

static enum err check_text(struct str value)
{
        if (value.n == 0)
                return ERR_SYNTAX;
        if (value.n > SETTING_TEXT_MAX)
                return ERR_LIMIT;
        for (size_t n; value.n > 0; value = str_skip(value, n)) {
                n = utf8_head(value);
                if (n == 0 || ascii_is_control(value.p[0]))
                        return ERR_SYNTAX;
        }
        return ERR_OK;
}

static enum err check_size(struct str value)
{
        uint64_t size;
        enum err err = quantity_size_parse(value, &size);
        return err == ERR_OK && size == 0 ? ERR_LIMIT : err;
}

/* A language tag's first part (RFC 5646 2.2.1): two or three letters. */
static enum err check_language(struct str value)
{
        for (size_t i = 0; i < value.n; i++)
                if (value.p[i] < 'a' || value.p[i] > 'z')
                        return ERR_SYNTAX;
        return value.n == 2 || value.n == 3 ? ERR_OK : ERR_SYNTAX;
}

static enum err check_word(struct str words, struct str value)
{
        struct str word;
        bool more;
        do {
                more = str_cut(words, '|', &word, &words);
                if (str_eq(str_trim(word), value))
                        return ERR_OK;
        } while (more);
        return ERR_SYNTAX;
}

enum err setting_check(const struct setting *setting, struct str value)
{
        struct str values = str_of_c(setting->values);
        if (str_eq(values, S(TEXT)))
                return check_text(value);
        if (str_eq(values, S(SIZE)))
                return check_size(value);
        if (str_eq(values, S(LANGUAGE)))
                return check_language(value);
        return check_word(values, value);
}
