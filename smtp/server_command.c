/* SPDX-License-Identifier: ISC */
/* The server's commands (RFC 5321 4.1.1): reading their lines, and one function a verb. */
#include <string.h>

#include "base/check.h"
#include "smtp/server_parts.h"

struct call {
        struct str arguments; /* what follows the verb */
        size_t line_n;        /* the whole line with its CRLF */
        struct smtp_server_event *event;
};

/* A CR that ends no line, or a NUL. `text` is a line without its CRLF. */
static bool has_stray(struct str text)
{
        return str_find_byte(text, '\r') < text.n || str_find_byte(text, '\0') < text.n;
}

/* RFC 5321 2.3.8, 4.1.1.4: what this line is depends on who reads it, so nobody reads on. */
static enum server_step close_for_stray(struct smtp_server *s)
{
        server_say(s, 500, 5, 2, S("Bare CR, bare LF or NUL in a command, closing"));
        server_close(s, SMTP_CLOSED_PROTOCOL);
        return SERVER_STEP_MORE;
}

static bool refuse_arguments(struct smtp_server *s, struct str arguments)
{
        if (arguments.n == 0)
                return false;
        server_refuse(s, 501, 5, 4, S("No parameters here"));
        return true;
}

static enum server_step hello(struct smtp_server *s, const struct call *call, bool is_extended)
{
        if (smtp_hello_parse(call->arguments, &call->event->name) != ERR_OK) {
                server_refuse(s, 501, 5, 4, S("Say your host name"));
                return SERVER_STEP_MORE;
        }
        call->event->is_extended = is_extended;
        s->is_extended_asked = is_extended;
        return server_ask(s, SMTP_SERVER_HELLO, call->line_n, call->event);
}

static enum server_step do_helo(struct smtp_server *s, const struct call *call)
{
        return hello(s, call, false);
}

static enum server_step do_ehlo(struct smtp_server *s, const struct call *call)
{
        return hello(s, call, true);
}

/* Greeting = "220 " Domain [ SP textstring ], ehlo-ok-rsp = Domain [ SP ehlo-greet ] and one extension a line
 * (RFC 5321 4.2, 4.1.1.1). */
void server_say_named(struct smtp_server *s, const struct smtp_reply *reply, bool has_extensions)
{
        char bytes[1024];
        struct wr w;
        const struct smtp_extensions *offer = &s->config.offer;
        struct str words = str_take(str_take(reply->text, str_find_byte(reply->text, '\n')), 200);
        wr_init(&w, bytes, sizeof bytes);
        wr_str(&w, str_take(s->config.hostname, SMTP_DOMAIN_MAX));
        wr_str(&w, words.n > 0 ? S(" ") : S(""));
        wr_str(&w, words);
        if (has_extensions) {
                wr_str(&w, offer->pipelining ? S("\nPIPELINING") : S(""));
                wr_str(&w, offer->size ? S("\nSIZE ") : S(""));
                if (offer->size)
                        wr_u64(&w, s->config.message_max); /* 0: no fixed limit (RFC 1870 4) */
                wr_str(&w, offer->mime_8bit ? S("\n8BITMIME") : S(""));
                wr_str(&w, offer->smtputf8 ? S("\nSMTPUTF8") : S(""));
                wr_str(&w, offer->chunking ? S("\nCHUNKING") : S(""));
                wr_str(&w, offer->starttls && !s->is_secured ? S("\nSTARTTLS") : S(""));
                wr_str(&w, offer->enhanced ? S("\nENHANCEDSTATUSCODES") : S(""));
        }
        CHECK(wr_end(&w) == ERR_OK);
        struct smtp_reply said = smtp_reply_plain(reply->code, wr_text(&w));
        server_write(s, &said);
}

/* MAIL with parameters that parsed: the limits that the engine knows of. */
static enum server_step ask_mail(struct smtp_server *s, const struct call *call)
{
        const struct smtp_mail *mail = &call->event->mail;
        if (mail->from.needs_smtputf8 && !mail->params.smtputf8) {
                server_refuse(s, 553, 6, 7, S("A non-ASCII address needs SMTPUTF8")); /* RFC 6531 3.5 */
                return SERVER_STEP_MORE;
        }
        if (mail->params.has_size && s->config.message_max > 0 && mail->params.size > s->config.message_max) {
                server_say(s, 552, 3, 4, S("Message too large")); /* RFC 1870 6.1 */
                server_idle(s);
                return SERVER_STEP_MORE;
        }
        s->recipients = 0;
        s->in_smtputf8 = mail->params.smtputf8;
        return server_ask(s, SMTP_SERVER_MAIL, call->line_n, call->event);
}

static enum server_step do_mail(struct smtp_server *s, const struct call *call)
{
        static const struct smtp_extensions nothing = {0};
        struct str rest;
        enum err e;
        if (!s->is_hello_done)
                server_refuse(s, 503, 5, 1, S("EHLO first"));
        else if (s->in_mail)
                server_refuse(s, 503, 5, 1, S("A transaction is open already"));
        else if (smtp_reverse_path_parse(call->arguments, &call->event->mail.from, &rest) != ERR_OK)
                server_refuse(s, 501, 1, 7, S("Bad sender address; the form is MAIL FROM:<address>"));
        else if ((e = smtp_mail_params_parse(rest, s->is_extended ? &s->config.offer : &nothing,
                          &call->event->mail.params)) == ERR_UNSUPPORTED)
                server_refuse(s, 555, 5, 4, S("Parameter not known here"));
        else if (e != ERR_OK)
                server_refuse(s, 501, 5, 4, S("Bad parameter"));
        else
                return ask_mail(s, call);
        return SERVER_STEP_MORE;
}

/* RFC 5321 4.5.3.1.10: no error of the client's; but one who goes on with thousands has no message for us. */
static void refuse_excess(struct smtp_server *s)
{
        server_say(s, 452, 5, 3, S("Too many recipients; send the rest in another transaction"));
        if (++s->excess > SMTP_RECIPIENTS_EXCESS_MAX)
                server_close_for_errors(s);
}

static enum server_step do_rcpt(struct smtp_server *s, const struct call *call)
{
        struct str rest;
        enum err e;
        if (!s->in_mail)
                server_refuse(s, 503, 5, 1, S("MAIL first"));
        else if (s->in_chunks)
                server_refuse(s, 503, 5, 1, S("The message has begun"));
        else if (smtp_forward_path_parse(call->arguments, &call->event->rcpt, &rest) != ERR_OK)
                server_refuse(s, 501, 1, 3, S("Bad recipient address; the form is RCPT TO:<address>"));
        else if ((e = smtp_rcpt_params_parse(rest)) == ERR_UNSUPPORTED)
                server_refuse(s, 555, 5, 4, S("Parameter not known here"));
        else if (e != ERR_OK)
                server_refuse(s, 501, 5, 4, S("Bad parameter"));
        else if (call->event->rcpt.needs_smtputf8 && !s->in_smtputf8)
                server_refuse(s, 553, 6, 7, S("A non-ASCII address needs SMTPUTF8"));
        else if (s->recipients >= s->config.recipients_max)
                refuse_excess(s);
        else
                return server_ask(s, SMTP_SERVER_RCPT, call->line_n, call->event);
        return SERVER_STEP_MORE;
}

static enum server_step do_data(struct smtp_server *s, const struct call *call)
{
        if (refuse_arguments(s, call->arguments))
                return SERVER_STEP_MORE;
        if (server_unread(s).n > call->line_n) { /* RFC 2920 3.1: DATA is the last of a group */
                server_say(s, 503, 5, 0, S("Bytes before 354, closing"));
                server_close(s, SMTP_CLOSED_PROTOCOL);
                return SERVER_STEP_MORE;
        }
        if (!s->in_mail) {
                server_refuse(s, 503, 5, 1, S("MAIL first"));
                return SERVER_STEP_MORE;
        }
        if (s->in_chunks) { /* RFC 3030 2: a message comes in one way */
                server_refuse(s, 503, 5, 1, S("The message has begun"));
                return SERVER_STEP_MORE;
        }
        if (s->recipients == 0) {
                server_say(s, 554, 5, 1, S("No valid recipients"));
                server_idle(s);
                return SERVER_STEP_MORE;
        }
        s->is_chunk_asked = false;
        return server_ask(s, SMTP_SERVER_DATA, call->line_n, call->event);
}

static enum server_step do_bdat(struct smtp_server *s, const struct call *call)
{
        if (!s->is_extended || !s->config.offer.chunking) {
                server_refuse(s, 502, 5, 1, S("Command not implemented"));
                return SERVER_STEP_MORE;
        }
        return server_bdat(s, call->arguments, call->line_n, call->event);
}

static enum server_step do_rset(struct smtp_server *s, const struct call *call)
{
        if (refuse_arguments(s, call->arguments))
                return SERVER_STEP_MORE;
        server_say(s, 250, 0, 0, S("Reset"));
        server_reset(s, SMTP_RESET_RSET);
        server_idle(s);
        return SERVER_STEP_MORE;
}

static enum server_step do_noop(struct smtp_server *s, const struct call *call)
{
        (void)call;
        server_say(s, 250, 0, 0, S("OK"));
        server_idle(s);
        return SERVER_STEP_MORE;
}

/* RFC 5321 3.5.3, 7.3: whether it exists is not told here. */
static enum server_step do_vrfy(struct smtp_server *s, const struct call *call)
{
        if (call->arguments.n == 0) {
                server_refuse(s, 501, 5, 4, S("Say whom"));
                return SERVER_STEP_MORE;
        }
        server_say(s, 252, 0, 0, S("Not verified; mail will be taken or refused at RCPT"));
        server_idle(s);
        return SERVER_STEP_MORE;
}

/* RFC 5321 4.1.1.8: what can be said here and now. */
static enum server_step do_help(struct smtp_server *s, const struct call *call)
{
        const struct smtp_extensions *offer = &s->config.offer;
        char bytes[80];
        struct wr w;
        (void)call;
        wr_init(&w, bytes, sizeof bytes);
        wr_str(&w, S("HELO EHLO MAIL RCPT DATA"));
        wr_str(&w, offer->chunking && s->is_extended ? S(" BDAT") : S(""));
        wr_str(&w, S(" RSET NOOP VRFY HELP"));
        wr_str(&w, offer->starttls && !s->is_secured ? S(" STARTTLS") : S(""));
        wr_str(&w, S(" QUIT"));
        CHECK(wr_end(&w) == ERR_OK);
        server_say(s, 214, 0, 0, wr_text(&w));
        server_idle(s);
        return SERVER_STEP_MORE;
}

static enum server_step do_starttls(struct smtp_server *s, const struct call *call)
{
        if (!s->config.offer.starttls) {
                server_refuse(s, 502, 5, 1, S("Command not implemented"));
                return SERVER_STEP_MORE;
        }
        if (refuse_arguments(s, call->arguments))
                return SERVER_STEP_MORE;
        if (server_unread(s).n >
                call->line_n) { /* RFC 2920 3.1: the last of a group; and nobody knows whose they are */
                server_say(s, 503, 5, 0, S("Bytes before TLS, closing"));
                server_close(s, SMTP_CLOSED_PROTOCOL);
                return SERVER_STEP_MORE;
        }
        if (s->is_secured || s->in_mail || !s->is_extended) {
                server_refuse(s, 503, 5, 1, s->is_secured ? S("TLS is on already") : S("Not at this point"));
                return SERVER_STEP_MORE;
        }
        return server_ask(s, SMTP_SERVER_STARTTLS, call->line_n, call->event);
}

static enum server_step do_quit(struct smtp_server *s, const struct call *call)
{
        if (refuse_arguments(s, call->arguments))
                return SERVER_STEP_MORE;
        server_say(s, 221, 0, 0, S("Bye"));
        server_close(s, SMTP_CLOSED_QUIT);
        return SERVER_STEP_MORE;
}

static enum server_step do_other(struct smtp_server *s, const struct call *call)
{
        (void)call;
        server_refuse(s, 502, 5, 1, S("Command not implemented"));
        return SERVER_STEP_MORE;
}

static enum server_step do_unknown(struct smtp_server *s, const struct call *call)
{
        (void)call;
        server_refuse(s, 500, 5, 2, S("Command not known"));
        return SERVER_STEP_MORE;
}

/* It came in time, as all before it, but none of them brought a message. */
static enum server_step close_for_time(struct smtp_server *s)
{
        server_say(s, 421, 4, 2, S("Too long without a message, closing"));
        server_close(s, SMTP_CLOSED_TIMEOUT);
        return SERVER_STEP_MORE;
}

/* The first SMTP_COMMAND_LINE_MAX bytes have no LF: drop the line to its end, but for a CR that may belong to it. */
static enum server_step begin_skip(struct smtp_server *s, struct str head)
{
        size_t n = head.n - (head.p[head.n - 1] == '\r');
        if (has_stray(str_take(head, n)))
                return close_for_stray(s);
        server_consume(s, n);
        s->state = SMTP_SERVER_STATE_SKIP;
        return SERVER_STEP_MORE;
}

enum server_step server_command_step(struct smtp_server *s, struct smtp_server_event *event)
{
        static enum server_step (*const commands[SMTP_VERB_COUNT])(
                struct smtp_server *, const struct call *) = {
                [SMTP_VERB_UNKNOWN] = do_unknown,
                [SMTP_VERB_HELO] = do_helo,
                [SMTP_VERB_EHLO] = do_ehlo,
                [SMTP_VERB_MAIL] = do_mail,
                [SMTP_VERB_RCPT] = do_rcpt,
                [SMTP_VERB_DATA] = do_data,
                [SMTP_VERB_BDAT] = do_bdat,
                [SMTP_VERB_RSET] = do_rset,
                [SMTP_VERB_NOOP] = do_noop,
                [SMTP_VERB_VRFY] = do_vrfy,
                [SMTP_VERB_HELP] = do_help,
                [SMTP_VERB_STARTTLS] = do_starttls,
                [SMTP_VERB_QUIT] = do_quit,
                [SMTP_VERB_OTHER] = do_other,
        };
        struct call call = {.event = event};
        struct str head = str_take(server_unread(s), SMTP_COMMAND_LINE_MAX);
        size_t lf = str_find_byte(head, '\n');
        if (!server_has_room(s))
                return SERVER_STEP_WAIT;
        if (lf == head.n)
                return head.n < SMTP_COMMAND_LINE_MAX ? SERVER_STEP_WAIT : begin_skip(s, head);
        if (lf == 0 || head.p[lf - 1] != '\r' || has_stray(str_take(head, lf - 1)))
                return close_for_stray(s);
        enum smtp_verb verb = smtp_command_split(str_take(head, lf - 1), &call.arguments);
        call.line_n = lf + 1;
        if (s->now_ms >= s->session_end_ms && verb != SMTP_VERB_QUIT && !smtp_server_is_in_message(s))
                return close_for_time(s);
        enum server_step result = commands[verb](s, &call);
        if (result == SERVER_STEP_MORE)
                server_consume(s, call.line_n);
        return result;
}

/* The rest of a line that is too long; the buffer begins inside it. */
enum server_step server_skip_step(struct smtp_server *s, struct smtp_server_event *event)
{
        struct str in = server_unread(s);
        size_t lf = str_find_byte(in, '\n');
        (void)event;
        if (lf == in.n) {
                size_t n = in.n - (in.n > 0 && in.p[in.n - 1] == '\r');
                if (has_stray(str_take(in, n)))
                        return close_for_stray(s);
                server_consume(s, n);
                return SERVER_STEP_WAIT;
        }
        if (!server_has_room(s))
                return SERVER_STEP_WAIT;
        if (lf == 0 || in.p[lf - 1] != '\r' || has_stray(str_take(in, lf - 1)))
                return close_for_stray(s);
        server_consume(s, lf + 1);
        s->state = SMTP_SERVER_STATE_COMMAND;
        server_refuse(s, 500, 5, 2, S("Command line too long"));
        return SERVER_STEP_MORE;
}
