/* SPDX-License-Identifier: ISC */
#include "base/ascii.h"
#include "base/utf8.h"
#include "list/notice_text.h"

#define SUBJECT S("Subject:")
#define EVERYWHERE (1U << WORD_ADDRESS) /* words below this bit may stand in every template */

bool notice_line_take(struct str *text, struct str *line)
{
        bool any = text->n > 0;
        (void)str_cut(*text, '\n', line, text);
        if (line->n > 0 && line->p[line->n - 1] == '\r')
                line->n--;
        return any;
}

enum err notice_piece_take(struct str *line, struct str *piece, enum notice_word *word)
{
        *word = NOTICE_WORDS;
        *piece = str_take(*line, str_find_byte(*line, '{'));
        if (line->n == 0)
                return ERR_EOF;
        *line = str_skip(*line, piece->n);
        if (piece->n > 0)
                return ERR_OK;
        size_t end = str_find_byte(*line, '}');
        if (end == line->n)
                return ERR_SYNTAX;
        *word = notice_word_of(str_skip(str_take(*line, end), 1));
        *line = str_skip(*line, end + 1);
        return *word == NOTICE_WORDS ? ERR_UNSUPPORTED : ERR_OK;
}

enum notice_word notice_block_of(struct str line, struct str *indent)
{
        struct str rest = str_trim(line), piece;
        enum notice_word word;
        *indent = str_take(line, str_find_byte(line, '{'));
        if (notice_piece_take(&rest, &piece, &word) != ERR_OK || rest.n > 0 || word < WORD_BLOCKS)
                return NOTICE_WORDS;
        return word;
}

void notice_template_split(struct str template, struct str *subject, struct str *text)
{
        struct str empty;
        *text = template;
        (void)notice_line_take(text, subject);
        *subject = str_trim(str_skip(*subject, SUBJECT.n));
        (void)notice_line_take(text, &empty);
}

static bool is_clean(struct str line)
{
        for (size_t i = 0; i < line.n; i++)
                if (ascii_is_control(line.p[i]) && line.p[i] != '\t')
                        return false;
        return utf8_is_valid(line);
}

/* The words of one line; `*seen` is what stood above it, and here. */
static enum err check_words(const struct notice_traits *traits, struct str line, unsigned *seen)
{
        struct str piece, indent;
        enum notice_word word;
        enum err e;
        bool alone = notice_block_of(line, &indent) != NOTICE_WORDS;
        while ((e = notice_piece_take(&line, &piece, &word)) == ERR_OK) {
                if (word == NOTICE_WORDS)
                        continue;
                unsigned bit = 1U << word;
                if (bit >= EVERYWHERE && !(traits->may & bit))
                        return ERR_UNSUPPORTED;
                if (word >= WORD_BLOCKS && (!alone || (*seen & bit)))
                        return ERR_SYNTAX;
                *seen |= bit;
        }
        return e == ERR_EOF ? ERR_OK : e;
}

static enum err check_line(const struct notice_traits *traits, struct str line, size_t number, unsigned *seen)
{
        struct str indent;
        if (!is_clean(line))
                return ERR_SYNTAX;
        if (number == 2)
                return str_trim(line).n == 0 ? ERR_OK : ERR_SYNTAX;
        if (number > 2)
                return check_words(traits, line, seen);
        if (!str_has_prefix_nocase(line, SUBJECT))
                return ERR_SYNTAX;
        line = str_trim(str_skip(line, SUBJECT.n));
        if (line.n == 0 || notice_block_of(line, &indent) != NOTICE_WORDS)
                return ERR_SYNTAX;
        return check_words(traits, line, &(unsigned){0});
}

enum err notice_template_check(enum notice_kind kind, struct str template, size_t *line)
{
        const struct notice_traits *traits = notice_traits_of(kind);
        struct str one;
        unsigned seen = 0;
        bool has_text = false;
        *line = 0;
        if (template.n > NOTICE_TEMPLATE_MAX)
                return ERR_LIMIT;
        while (notice_line_take(&template, &one)) {
                enum err e = check_line(traits, one, ++*line, &seen);
                if (e != ERR_OK)
                        return e;
                has_text = has_text || (*line > 2 && str_trim(one).n > 0);
        }
        if (!has_text)
                return ERR_SYNTAX;
        return (seen & traits->needs) == traits->needs ? ERR_OK : ERR_NOT_FOUND;
}

bool notice_template_path(const struct notice_mail *mail, size_t nth, struct wr *w)
{
        if (nth > 1)
                return false;
        wr_str(w, S("templates/"));
        if (nth == 0) {
                wr_str(w, mail->list);
                wr_byte(w, '@');
                wr_str(w, mail->domain);
                wr_byte(w, '/');
        }
        wr_str(w, notice_kind_name(mail->kind));
        wr_byte(w, '.');
        wr_str(w, mail->settings->v[SETTING_LANGUAGE]);
        wr_str(w, S(".txt"));
        return true;
}
