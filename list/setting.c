/* SPDX-License-Identifier: ISC */
#include "list/setting.h"

#include "base/ascii.h"
#include "base/quantity.h"
#include "base/utf8.h"

#define TEXT "none | TEXT"
#define SIZE "SIZE"
#define LANGUAGE "en | fr | ..."

const struct setting settings[SETTINGS + 1] = {
        [SETTING_SUBSCRIPTION] = {"subscription", "moderated | confirm | open | closed", "moderated",
                "who may join, and how", "qui peut s'inscrire, et comment"},
        [SETTING_POSTING] = {"posting", "subscribers | open | moderated | announce", "subscribers",
                "who may post", "qui peut écrire à la liste"},
        [SETTING_FIRST_POST] = {"first-post", "free | moderated", "free",
                "is a member's first post shown to the moderators",
                "le premier message d'un abonné passe-t-il par les modérateurs"},
        [SETTING_FROM] = {"from", "auto | rewrite | keep", "auto", "when the author's From is rewritten",
                "quand le champ From de l'auteur est réécrit"},
        [SETTING_REPLY_TO] = {"reply-to", "author | list | both", "author", "where answers go",
                "où vont les réponses"},
        [SETTING_SUBJECT_PREFIX] = {"subject-prefix", TEXT, "none", "put in front of each subject",
                "placé devant chaque sujet"},
        [SETTING_FOOTER] = {"footer", TEXT, "none", "put below each text", "placé sous chaque texte"},
        [SETTING_WHO] = {"who", "subscribers | moderators | nobody", "subscribers",
                "who may ask for the list of subscribers", "qui peut demander la liste des abonnés"},
        [SETTING_DUPLICATES] = {"duplicates", "send | skip", "send",
                "does a member named in To or Cc get a copy from the list, too",
                "un abonné nommé dans To ou Cc reçoit-il aussi la copie de la liste"},
        [SETTING_MAX_MESSAGE] = {"max-message", SIZE, "25M", "the largest post",
                "la taille maximale d'un message"},
        [SETTING_ARCHIVE] = {"archive", "off | on", "off", "keep posts for reading",
                "conserver les messages pour la lecture"},
        [SETTING_DESCRIPTION] = {"description", TEXT, "none", "one line about the list",
                "une ligne sur la liste"},
        [SETTING_LANGUAGE] = {"language", LANGUAGE, "en", "of what the list itself writes",
                "de ce que la liste écrit elle-même"},
        [SETTING_REPORT] = {"report", "weekly | off", "weekly", "tell the moderators how the week was",
                "dire aux modérateurs comment la semaine s'est passée"},
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

void setting_values_init(struct setting_values *values)
{
        for (size_t i = 0; i < SETTINGS; i++)
                values->v[i] = str_of_c(settings[i].standard);
}

void setting_values_put(struct setting_values *values, struct str name, struct str value)
{
        const struct setting *setting = setting_find(name);
        if (setting && setting_check(setting, value) == ERR_OK)
                values->v[setting - settings] = value;
}

bool setting_is(const struct setting_values *values, enum setting_id id, struct str word)
{
        return str_eq(values->v[id], word);
}
