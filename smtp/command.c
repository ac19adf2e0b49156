/* SPDX-License-Identifier: ISC */
#include "smtp/command.h"

#include "base/ascii.h"
#include "mail/address.h"

enum smtp_verb smtp_command_split(struct str line, struct str *arguments)
{
        static const struct {
                struct str name;
                enum smtp_verb verb;
        } verbs[] = {
                {{"HELO", 4}, SMTP_VERB_HELO},
                {{"EHLO", 4}, SMTP_VERB_EHLO},
                {{"MAIL", 4}, SMTP_VERB_MAIL},
                {{"RCPT", 4}, SMTP_VERB_RCPT},
                {{"DATA", 4}, SMTP_VERB_DATA},
                {{"BDAT", 4}, SMTP_VERB_BDAT},
                {{"RSET", 4}, SMTP_VERB_RSET},
                {{"NOOP", 4}, SMTP_VERB_NOOP},
                {{"VRFY", 4}, SMTP_VERB_VRFY},
                {{"HELP", 4}, SMTP_VERB_HELP},
                {{"QUIT", 4}, SMTP_VERB_QUIT},
                {{"EXPN", 4}, SMTP_VERB_OTHER},
                {{"ETRN", 4}, SMTP_VERB_OTHER},
                {{"TURN", 4}, SMTP_VERB_OTHER},
                {{"SEND", 4}, SMTP_VERB_OTHER},
                {{"SOML", 4}, SMTP_VERB_OTHER},
                {{"SAML", 4}, SMTP_VERB_OTHER},
                {{"AUTH", 4}, SMTP_VERB_OTHER},
                {{"STARTTLS", 8}, SMTP_VERB_STARTTLS},
        };
        struct str verb;
        str_cut(line, ' ', &verb, arguments);
        verb = str_trim_wsp(verb);
        *arguments = str_trim_wsp(*arguments);
        for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
                if (str_eq_nocase(verb, verbs[i].name))
                        return verbs[i].verb;
        return SMTP_VERB_UNKNOWN;
}

/* helo = "HELO" SP Domain CRLF, ehlo = "EHLO" SP ( Domain / address-literal ) CRLF */
enum err smtp_hello_parse(struct str arguments, struct str *name)
{
        *name = (struct str){arguments.p, 0};
        if (arguments.n == 0)
                return ERR_SYNTAX;
        for (size_t i = 0; i < arguments.n; i++)
                if (!ascii_is_graph(arguments.p[i]))
                        return ERR_SYNTAX;
        if (arguments.n > SMTP_DOMAIN_MAX)
                return ERR_LIMIT;
        *name = arguments;
        return ERR_OK;
}

bool smtp_path_is_null(const struct smtp_path *path)
{
        return path->mailbox.n == 0;
}

bool smtp_path_is_postmaster(const struct smtp_path *path)
{
        return path->domain.n == 0 && str_eq_nocase(path->local, S("Postmaster"));
}

static bool has_8bit(struct str s)
{
        for (size_t i = 0; i < s.n; i++)
                if (ascii_is_8bit(s.p[i]))
                        return true;
        return false;
}

static struct smtp_path path_of_postmaster(struct str text)
{
        return (struct smtp_path){.mailbox = text, .local = text, .domain = str_skip(text, text.n)};
}

/* The longest Mailbox at the head of `text`. */
static enum err scan_mailbox(struct str text, struct smtp_path *path, size_t *used)
{
        struct mail_address address;
        enum err e = mail_mailbox_scan(text, MAIL_UTF8, &address, used);
        if (e != ERR_OK)
                return e == ERR_LIMIT ? ERR_LIMIT : ERR_SYNTAX;
        path->mailbox = str_take(text, *used);
        path->local = address.local;
        path->domain = address.domain;
        path->needs_smtputf8 = has_8bit(path->mailbox);
        return ERR_OK;
}

enum err smtp_mailbox_parse(struct str text, struct smtp_path *path)
{
        size_t used;
        *path = (struct smtp_path){0};
        if (text.n == 0)
                return ERR_OK;
        if (str_eq_nocase(text, S("Postmaster"))) {
                *path = path_of_postmaster(text);
                return ERR_OK;
        }
        enum err e = scan_mailbox(text, path, &used);
        if (e == ERR_OK && used < text.n)
                e = ERR_SYNTAX;
        if (e != ERR_OK)
                *path = (struct smtp_path){0};
        return e;
}

/* A-d-l = At-domain *( "," At-domain ), At-domain = "@" Domain; in front of ":" and a mailbox. Read and left out. */
static enum err skip_source_route(struct str *text)
{
        struct str s = *text;
        if (s.n == 0 || s.p[0] != '@')
                return ERR_OK;
        for (;;) {
                size_t end = 1;
                if (s.n == 0 || s.p[0] != '@')
                        return ERR_SYNTAX;
                while (end < s.n && s.p[end] != ',' && s.p[end] != ':' && s.p[end] != '>')
                        end++;
                if (end == s.n || s.p[end] == '>' ||
                        !mail_domain_is_valid(str_skip(str_take(s, end), 1), MAIL_UTF8))
                        return ERR_SYNTAX;
                s = str_skip(s, end);
                if (s.p[0] == ':')
                        break;
                s = str_skip(s, 1);
        }
        *text = str_skip(s, 1);
        return ERR_OK;
}

/* `keyword` and "<" off the head of `text`. */
static enum err skip_open(struct str *text, struct str keyword)
{
        if (!str_has_prefix_nocase(*text, keyword))
                return ERR_SYNTAX;
        struct str s = str_trim_wsp(str_skip(*text, keyword.n));
        if (s.n == 0 || s.p[0] != '<')
                return ERR_SYNTAX;
        *text = str_skip(s, 1);
        return ERR_OK;
}

/* ">" off the head of `text`, and the white space between it and the parameters. */
static enum err skip_close(struct str *text)
{
        if (text->n == 0 || text->p[0] != '>')
                return ERR_SYNTAX;
        *text = str_skip(*text, 1);
        if (text->n > 0 && !ascii_is_wsp(text->p[0]))
                return ERR_SYNTAX;
        *text = str_trim_wsp(*text);
        return ERR_OK;
}

/* Path = "<" [ A-d-l ":" ] Mailbox ">", with the "<" taken already */
static enum err parse_inner_path(struct str *text, struct smtp_path *path)
{
        size_t used;
        enum err e = skip_source_route(text);
        if (e == ERR_OK)
                e = scan_mailbox(*text, path, &used);
        if (e == ERR_OK)
                *text = str_skip(*text, used);
        return e;
}

static enum err finish_path(enum err e, struct str text, struct smtp_path *path, struct str *rest)
{
        if (e == ERR_OK)
                e = skip_close(&text);
        if (e != ERR_OK) {
                *path = (struct smtp_path){0};
                text = (struct str){0};
        }
        *rest = text;
        return e;
}

/* mail = "MAIL FROM:" Reverse-path [SP Mail-parameters] CRLF, Reverse-path = Path / "<>" */
enum err smtp_reverse_path_parse(struct str arguments, struct smtp_path *path, struct str *rest)
{
        struct str text = arguments;
        enum err e = skip_open(&text, S("FROM:"));
        *path = (struct smtp_path){0};
        if (e == ERR_OK && !(text.n > 0 && text.p[0] == '>'))
                e = parse_inner_path(&text, path);
        return finish_path(e, text, path, rest);
}

/* rcpt = "RCPT TO:" ( "<Postmaster@" Domain ">" / "<Postmaster>" / Forward-path ) [SP Rcpt-parameters] CRLF */
enum err smtp_forward_path_parse(struct str arguments, struct smtp_path *path, struct str *rest)
{
        struct str text = arguments;
        enum err e = skip_open(&text, S("TO:"));
        *path = (struct smtp_path){0};
        if (e == ERR_OK && str_has_prefix_nocase(text, S("Postmaster>"))) {
                *path = path_of_postmaster(str_take(text, S("Postmaster").n));
                text = str_skip(text, path->mailbox.n);
        } else if (e == ERR_OK) {
                e = parse_inner_path(&text, path);
        }
        return finish_path(e, text, path, rest);
}

struct parameter {
        struct str keyword, value;
        bool has_value;
};

/* esmtp-keyword = (ALPHA / DIGIT) *(ALPHA / DIGIT / "-") */
static bool is_keyword(struct str s)
{
        if (s.n == 0 || !ascii_is_alnum(s.p[0]))
                return false;
        for (size_t i = 0; i < s.n; i++)
                if (!ascii_is_alnum(s.p[i]) && s.p[i] != '-')
                        return false;
        return true;
}

/* esmtp-value = 1*(%d33-60 / %d62-126), and UTF-8 (RFC 6531 3.3) */
static bool is_value(struct str s)
{
        for (size_t i = 0; i < s.n; i++)
                if (s.p[i] == '=' || (!ascii_is_graph(s.p[i]) && !ascii_is_8bit(s.p[i])))
                        return false;
        return s.n > 0;
}

/* esmtp-param = esmtp-keyword ["=" esmtp-value], off the head of `rest`.
 * ERR_NOT_FOUND when there is no more. */
static enum err take_parameter(struct str *rest, struct parameter *out)
{
        struct str word;
        *rest = str_trim_wsp(*rest);
        if (rest->n == 0)
                return ERR_NOT_FOUND;
        str_cut(*rest, ' ', &word, rest);
        out->has_value = str_cut(word, '=', &out->keyword, &out->value);
        if (!is_keyword(out->keyword) || (out->has_value && !is_value(out->value)))
                return ERR_SYNTAX;
        return ERR_OK;
}

/* size-value = 1*20DIGIT (RFC 1870 3); what passes 64 bits is above every limit all the same */
static enum err take_size(const struct parameter *p, struct smtp_mail_params *out)
{
        enum err e =
                p->has_value && p->value.n <= 20 ? str_to_u64(p->value, UINT64_MAX, &out->size) : ERR_SYNTAX;
        if (e == ERR_LIMIT) {
                out->size = UINT64_MAX;
                e = ERR_OK;
        }
        if (out->has_size)
                e = ERR_SYNTAX;
        out->has_size = true;
        return e;
}

/* body-value = "7BIT" / "8BITMIME" (RFC 6152 2) */
static enum err take_body(const struct parameter *p, struct smtp_mail_params *out)
{
        if (!p->has_value || out->body != SMTP_BODY_UNSAID)
                return ERR_SYNTAX;
        if (str_eq_nocase(p->value, S("7BIT")))
                out->body = SMTP_BODY_7BIT;
        else if (str_eq_nocase(p->value, S("8BITMIME")))
                out->body = SMTP_BODY_8BITMIME;
        else
                return ERR_SYNTAX;
        return ERR_OK;
}

static enum err take_smtputf8(const struct parameter *p, struct smtp_mail_params *out)
{
        if (p->has_value || out->smtputf8)
                return ERR_SYNTAX;
        out->smtputf8 = true;
        return ERR_OK;
}

static enum err take_mail_parameter(
        const struct parameter *p, const struct smtp_extensions *offered, struct smtp_mail_params *out)
{
        if (offered->size && str_eq_nocase(p->keyword, S("SIZE")))
                return take_size(p, out);
        if (offered->mime_8bit && str_eq_nocase(p->keyword, S("BODY")))
                return take_body(p, out);
        if (offered->smtputf8 && str_eq_nocase(p->keyword, S("SMTPUTF8")))
                return take_smtputf8(p, out);
        return ERR_UNSUPPORTED;
}

/* Mail-parameters = esmtp-param *(SP esmtp-param) */
enum err smtp_mail_params_parse(
        struct str rest, const struct smtp_extensions *offered, struct smtp_mail_params *out)
{
        struct parameter p;
        enum err e;
        *out = (struct smtp_mail_params){0};
        while ((e = take_parameter(&rest, &p)) == ERR_OK) {
                e = take_mail_parameter(&p, offered, out);
                if (e != ERR_OK)
                        break;
        }
        if (e == ERR_NOT_FOUND)
                return ERR_OK;
        *out = (struct smtp_mail_params){0};
        return e;
}

/* Rcpt-parameters = esmtp-param *(SP esmtp-param) */
enum err smtp_rcpt_params_parse(struct str rest)
{
        struct parameter p;
        enum err e = take_parameter(&rest, &p);
        if (e == ERR_NOT_FOUND)
                return ERR_OK;
        return e == ERR_OK ? ERR_UNSUPPORTED : e;
}

/* bdat-cmd = "BDAT" SP chunk-size [ SP end-marker ] CR LF, chunk-size = 1*DIGIT, end-marker = "LAST" */
enum err smtp_bdat_parse(struct str arguments, uint64_t *size, bool *is_last)
{
        struct str number, marker;
        *is_last = str_cut(arguments, ' ', &number, &marker);
        *size = 0;
        if (*is_last && !str_eq_nocase(str_trim_wsp(marker), S("LAST")))
                return ERR_SYNTAX;
        return str_to_u64(number, UINT64_MAX, size) == ERR_OK ? ERR_OK : ERR_SYNTAX;
}
