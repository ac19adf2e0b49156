/* SPDX-License-Identifier: ISC */
#include "list/admin.h"

#include "auth/field.h"
#include "base/check.h"
#include "list/asking.h"
#include "list/command_lines.h"
#include "list/posting.h"
#include "mail/date.h"
#include "mail/message_id.h"

#define LINE_MAX 200 /* of a command, in an answer */

/* ---- commands ---- */

enum operand { NO_NUMBER, MAY_NUMBER, MUST_NUMBER, NUMBER_OR_ALL };

static const struct {
        struct str word;
        enum admin_kind kind;
        enum operand operand;
} words[] = {
        {{"queue", 5}, ADMIN_QUEUE, MAY_NUMBER},
        {{"flush", 5}, ADMIN_FLUSH, NUMBER_OR_ALL},
        {{"hold", 4}, ADMIN_HOLD, MUST_NUMBER},
        {{"drop", 4}, ADMIN_DROP, MUST_NUMBER},
        {{"status", 6}, ADMIN_STATUS, NO_NUMBER},
        {{"help", 4}, ADMIN_HELP, NO_NUMBER},
};

static bool read_operand(struct str text, enum operand operand, struct admin_command *out)
{
        uint64_t number;
        out->rows = ADMIN_ROWS;
        if (text.n == 0)
                return operand == NO_NUMBER || operand == MAY_NUMBER;
        if (operand == NUMBER_OR_ALL && str_eq_nocase(text, S("all")))
                return true;
        if (operand == NO_NUMBER || str_to_u64(text, INT64_MAX, &number) != ERR_OK || number == 0)
                return false;
        if (operand == MAY_NUMBER)
                out->rows = number < ADMIN_ROWS_MAX ? (size_t)number : ADMIN_ROWS_MAX;
        else
                out->message = (int64_t)number;
        return true;
}

/* One line, trimmed. False: its first word is no command's; `*out` is WRONG then, too. */
static bool read_line(struct str line, struct admin_command *out)
{
        size_t space = 0;
        while (space < line.n && line.p[space] != ' ' && line.p[space] != '\t')
                space++;
        *out = (struct admin_command){.kind = ADMIN_WRONG, .line = line};
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
                if (!str_eq_nocase(str_take(line, space), words[i].word))
                        continue;
                if (read_operand(command_trim(str_skip(line, space)), words[i].operand, out))
                        out->kind = words[i].kind;
                return true;
        }
        return false;
}

static bool add(struct admin_commands *out, const struct admin_command *command)
{
        out->is_cut = out->count == ADMIN_COMMANDS_MAX;
        if (!out->is_cut)
                out->list[out->count++] = *command;
        return !out->is_cut;
}

/* Behind a command in the subject, up to the first line that is none. */
static void read_behind_subject(struct str text, struct admin_commands *out)
{
        struct str line;
        struct admin_command c;
        while (command_line_next(&text, &line)) {
                line = command_trim(line);
                if (line.n == 0 && out->count == 1)
                        continue;
                if (!read_line(line, &c) || !add(out, &c))
                        return;
        }
}

static void read_text(struct str text, struct admin_commands *out)
{
        struct str line;
        struct admin_command c;
        bool has_command = false;
        while (command_line_next(&text, &line)) {
                struct str plain = command_trim(line);
                if (command_is_signature(line) || (plain.n == 0 && has_command))
                        return;
                if (plain.n == 0 || plain.p[0] == '>')
                        continue;
                has_command = read_line(plain, &c) || has_command;
                if (!add(out, &c))
                        return;
        }
}

void admin_commands_read(struct str subject, struct str text, struct admin_commands *out)
{
        struct admin_command c;
        *out = (struct admin_commands){.count = 0};
        subject = command_trim(subject);
        while (str_has_prefix_nocase(subject, S("Re:")))
                subject = command_trim(str_skip(subject, 3));
        bool is_named = read_line(subject, &c);
        if (is_named && c.kind != ADMIN_WRONG && add(out, &c))
                read_behind_subject(text, out);
        else
                read_text(text, out);
        if (out->count == 0 && (is_named || subject.n > 0))
                (void)add(out, &c);
        else if (out->count == 0)
                (void)add(out, &(struct admin_command){.kind = ADMIN_HELP, .line = S("help")});
}

/* ---- who is heard ---- */

static bool is_admin(const struct evaluate *e, struct str admin)
{
        char text[MAIL_ADDRESS_MAX];
        struct wr w;
        wr_init(&w, text, sizeof text);
        posting_author_write(&w, e);
        return wr_end(&w) == ERR_OK && w.n > 0 && str_eq_nocase(wr_text(&w), admin);
}

/* When it was signed, or else the Date that is signed with it. */
static bool find_time(const struct dkim_signature *s, const struct mail_header *header, int64_t *unix_s)
{
        struct mail_date date;
        if (s->has_time) {
                *unix_s = s->time_s;
                return true;
        }
        if (!asking_covers(s, header, S("Date")) ||
                mail_date_parse(mail_header_first(header, S("Date"))->body, &date) != ERR_OK)
                return false;
        *unix_s = date.unix_s;
        return true;
}

static bool covers_or_lacks(const struct dkim_signature *s, const struct mail_header *header, struct str name)
{
        return mail_header_count(header, name) == 0 || asking_covers(s, header, name);
}

static enum admin_verdict judge_signature(const struct dkim_signature *s, const struct mail_header *header,
        int64_t now_s, struct str *message_id)
{
        int64_t signed_s;
        if (!covers_or_lacks(s, header, S("Subject")) || !asking_covers(s, header, S("Message-ID")) ||
                !find_time(s, header, &signed_s) ||
                mail_message_id_first(mail_header_first(header, S("Message-ID"))->body, message_id) != ERR_OK)
                return ADMIN_PARTLY;
        if (signed_s > now_s && signed_s - now_s > ADMIN_FUTURE_S)
                return ADMIN_EARLY;
        if (signed_s < now_s && now_s - signed_s > ADMIN_LIFE_S)
                return ADMIN_OLD;
        return covers_or_lacks(s, header, S("Content-Type")) &&
                               covers_or_lacks(s, header, S("Content-Transfer-Encoding"))
                       ? ADMIN_HEARD
                       : ADMIN_SUBJECT_ONLY;
}

enum admin_verdict admin_judge(const struct evaluate *e, const struct mail_header *header, struct str to,
        struct str admin, int64_t now_s, struct str *message_id)
{
        const struct dkim_signature *s;
        enum admin_verdict verdict = ADMIN_UNSIGNED;
        size_t nth = 0;
        *message_id = S("");
        enum asking asking = asking_of(e, header, to);
        if (asking == ASKING_UNPROVEN)
                return ADMIN_UNPROVEN;
        if (asking == ASKING_SEVERAL || !is_admin(e, admin))
                return ADMIN_SOMEBODY_ELSE;
        if (asking == ASKING_ELSEWHERE)
                return ADMIN_ELSEWHERE;
        while (verdict != ADMIN_HEARD && (s = asking_signature_next(e, header, to, &nth)) != NULL) {
                enum admin_verdict found = judge_signature(s, header, now_s, message_id);
                if (verdict != ADMIN_SUBJECT_ONLY || found == ADMIN_HEARD)
                        verdict = found;
        }
        if (verdict != ADMIN_HEARD && verdict != ADMIN_SUBJECT_ONLY)
                *message_id = S("");
        return verdict;
}

struct str admin_verdict_text(enum admin_verdict verdict)
{
        static const char *const texts[ADMIN_VERDICTS] = {
                [ADMIN_HEARD] = "",
                [ADMIN_SOMEBODY_ELSE] =
                        "only the admin of this server is heard here, as the only author in From",
                [ADMIN_UNPROVEN] = "the author is not proven",
                [ADMIN_UNSIGNED] =
                        "SPF alone does not prove the admin: sign by DKIM, with To, and the domain of "
                        "From",
                [ADMIN_ELSEWHERE] =
                        "a copy of what was signed for others is not obeyed: name this address in To, "
                        "and sign that and the whole text",
                [ADMIN_SUBJECT_ONLY] =
                        "the signature does not cover Content-Type and Content-Transfer-Encoding: put the "
                        "command into the subject",
                [ADMIN_PARTLY] = "the signature has to cover Message-ID, Subject and, unless it has t=, Date",
                [ADMIN_OLD] = "what was signed more than seven days ago is not obeyed",
                [ADMIN_EARLY] = "signed in the future: look at the clock",
        };
        CHECK((size_t)verdict < ADMIN_VERDICTS);
        return str_of_c(texts[verdict]);
}

/* ---- what is answered ---- */

void admin_outcome_write(struct wr *w, const struct admin_command *command, enum admin_outcome outcome)
{
        static const char *const texts[] = {
                [ADMIN_DONE] = "done",
                [ADMIN_NO_MESSAGE] = "no message of that number waits",
                [ADMIN_NOT_UNDERSTOOD] = "no command, see help",
        };
        field_write_clean(w, command->line, LINE_MAX);
        wr_str(w, S(": "));
        wr_str(w, str_of_c(texts[outcome]));
        wr_byte(w, '\n');
}

void admin_help_write(struct wr *w)
{
        wr_str(w, S("Commands, in the subject or one a line:\n"
                    "queue [N]      what waits and why, the oldest N messages; 20 when nothing is said\n"
                    "flush ID       try a message again now, and no longer hold it; flush all: all that are "
                    "not held\n"
                    "hold ID        keep a message until it is flushed\n"
                    "drop ID        give up all that is left of a message\n"
                    "status         versions, counts, space, alarms\n"
                    "help           this\n"));
}
