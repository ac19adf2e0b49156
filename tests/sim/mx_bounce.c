/* SPDX-License-Identifier: ISC */
/* Bounces: a mail host that has taken a message says later that it could not be delivered (RFC 3464). And what looks alike:
 * reports of delays, answers of those who are away, challenges; and bounces by people who know no return path. */
#include <stdlib.h>

#include "tests/sim/buffer.h"
#include "tests/sim/mx_inside.h"
#include "tests/sim/talk.h"

#define MINUTE_MS (60 * 1000)
#define RETRY_MS (10 * MINUTE_MS)
#define ATTEMPTS_MAX 50

static void add(struct mx *m, enum mx_bounce_kind kind, struct str from, struct str recipient)
{
        struct mx_bounce **end = &m->bounces;
        int64_t after_ms = m->temper.bounce_ms > 0
                                   ? m->temper.bounce_ms
                                   : sim_random_between(&m->random, MINUTE_MS, 60 * MINUTE_MS);
        while (*end)
                end = &(*end)->next;
        *end = calloc(1, sizeof **end);
        CHECK(*end);
        (*end)->kind = kind;
        (*end)->to = str_copy(from);
        (*end)->about = str_copy(recipient);
        (*end)->due_ms = host_now_ms(m->host) + after_ms;
        waitq_wake_all(&m->desk);
}

void mx_bounce_later(struct mx *m, struct str from, struct str recipient)
{
        struct str local = str_take(recipient, str_find_last_byte(recipient, '@'));
        if (from.n == 0 || m->config.server.ip.family == 0)
                return;
        if (mx_is_among(m->temper.lost_users, local))
                add(m, MX_BOUNCE_LOST, from, recipient);
        else if (mx_chance(m, m->temper.bounce))
                add(m, MX_BOUNCE_FULL, from, recipient);
        if (mx_chance(m, m->temper.chatter))
                add(m, MX_AWAY + (enum mx_bounce_kind)sim_random_below(&m->random, 3), from, recipient);
        if (mx_chance(m, m->temper.forged))
                add(m, MX_BOUNCE_FORGED, from, recipient);
}

size_t mx_bounces(const struct mx *m)
{
        size_t n = 0;
        for (const struct mx_bounce *b = m->bounces; b; b = b->next)
                n++;
        return n;
}

static void remove_bounce(struct mx *m, struct mx_bounce *b)
{
        struct mx_bounce **at = &m->bounces;
        while (*at != b)
                at = &(*at)->next;
        *at = b->next;
        str_free(b->to);
        str_free(b->about);
        free(b);
}

void mx_bounces_free(struct mx *m)
{
        while (m->bounces)
                remove_bounce(m, m->bounces);
}

/* A report of delivery (RFC 3464): of a failure, or that it takes longer. */
static void write_report(const struct mx *m, const struct mx_bounce *b, struct buffer *out)
{
        static const char *const says[] = {
                [MX_BOUNCE_FULL] = "failed\r\nStatus: 5.2.2\r\nDiagnostic-Code: smtp; 552 5.2.2 mailbox full",
                [MX_BOUNCE_LOST] =
                        "failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 nobody of that name",
                [MX_BOUNCE_FORGED] =
                        "failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 nobody of that name",
                [MX_DELAY] = "delayed\r\nStatus: 4.4.7\r\nDiagnostic-Code: smtp; 451 4.4.7 it takes longer"};
        buffer_print(out, "From: Mail system <mailer-daemon@%s>\r\nTo: <%.*s>\r\n", m->config.name,
                STR_ARG(b->to));
        buffer_put(out,
                b->kind == MX_DELAY ? S("Subject: Delayed mail\r\n") : S("Subject: Undelivered mail\r\n"));
        buffer_put(out, S("Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
                          "Content-Type: multipart/report; report-type=delivery-status; boundary=part\r\n\r\n"
                          "--part\r\nContent-Type: text/plain\r\n\r\nAbout your mail.\r\n\r\n"
                          "--part\r\nContent-Type: message/delivery-status\r\n\r\n"));
        buffer_print(out,
                "Reporting-MTA: dns; %s\r\n\r\nFinal-Recipient: rfc822; %.*s\r\nAction: "
                "%s\r\n\r\n--part--\r\n",
                m->config.name, STR_ARG(b->about), says[b->kind]);
}

/* Somebody is away (RFC 3834), or lets write only those who prove that they are people. */
static void write_answer(const struct mx_bounce *b, struct buffer *out)
{
        bool is_away = b->kind == MX_AWAY;
        buffer_print(out,
                "From: <%.*s>\r\nTo: <%.*s>\r\nAuto-Submitted: auto-replied\r\nSubject: %s\r\n\r\n%s\r\n",
                STR_ARG(b->about), STR_ARG(b->to), is_away ? "Out of office" : "Please confirm your message",
                is_away ? "I am away until Monday, and the mailbox of my colleague is full."
                        : "Your message was not delivered yet. Answer this to have it delivered.");
}

static void write_mail(const struct mx *m, const struct mx_bounce *b, struct buffer *out)
{
        if (b->kind == MX_AWAY || b->kind == MX_CHALLENGE)
                write_answer(b, out);
        else
                write_report(m, b, out);
}

/* A return path with another token than the one that came: who forges has seen one of somebody else, or none. */
static struct str path_of(const struct mx_bounce *b)
{
        size_t at = str_find_last_byte(b->to, '@');
        struct str path = str_copy(b->to);
        if (b->kind == MX_BOUNCE_FORGED && at > 0) {
                char *last = (char *)(uintptr_t)path.p + at - 1;
                *last = *last == 'a' ? 'b' : 'a';
        }
        return path;
}

/* Gives the answer that decided, or 0. */
static unsigned send_report(struct mx *m, const struct mx_bounce *b)
{
        struct talk t;
        struct buffer report = {0};
        struct str path = path_of(b), sender = b->kind == MX_CHALLENGE ? b->about : S("");
        unsigned code = talk_open(&t, m->host, &m->config.server, NULL);
        if (code / 100 == 2)
                code = talk_hello(&t, m->config.name);
        if (code / 100 == 2)
                code = talk_ask(&t, "MAIL FROM:<%.*s>", STR_ARG(sender));
        if (code / 100 == 2)
                code = talk_ask(&t, "RCPT TO:<%.*s>", STR_ARG(path));
        if (code / 100 == 2)
                code = talk_ask(&t, "DATA");
        if (code == 354) {
                write_mail(m, b, &report);
                (void)talk_message(&t, buffer_text(&report));
                code = talk_reply(&t);
        }
        str_free(path);
        buffer_free(&report);
        talk_quit(&t);
        return code;
}

static bool is_genuine(const struct mx_bounce *b)
{
        return b->kind == MX_BOUNCE_FULL || b->kind == MX_BOUNCE_LOST;
}

/* What was answered must fit what it was: a bounce is taken, one that is forged is not. */
static void judge_answer(struct mx *m, const struct mx_bounce *b, unsigned code)
{
        if (code / 100 == 5 && is_genuine(b))
                ledger_violate(m->config.ledger, "bounced", "a bounce of %s for %.*s was answered %u at %.*s",
                        m->config.name, STR_ARG(b->about), code, STR_ARG(b->to));
        if (code / 100 == 2 && b->kind == MX_BOUNCE_FORGED)
                ledger_violate(m->config.ledger, "forged", "a bounce for %.*s was taken at a path like %.*s",
                        STR_ARG(b->about), STR_ARG(b->to));
}

static void try_bounce(struct mx *m, struct mx_bounce *b)
{
        if (is_genuine(b)) /* once for all: what is made of it may come before its answer */
                verify_bounced(m->config.verify, b->to, b->about,
                        b->kind == MX_BOUNCE_FULL ? HEALTH_FULL : HEALTH_DEAD);
        unsigned code = send_report(m, b);
        ledger_trace(m->config.ledger, m->config.name, "bounce of %.*s to %.*s answered %u",
                STR_ARG(b->about), STR_ARG(b->to), code);
        judge_answer(m, b, code);
        b->due_ms = host_now_ms(m->host) + RETRY_MS;
        if (code / 100 == 2 || code / 100 == 5 || ++b->attempts == ATTEMPTS_MAX)
                remove_bounce(m, b);
}

/* The bounce that is due first; of several, the oldest. */
static struct mx_bounce *first_due(const struct mx *m)
{
        struct mx_bounce *first = m->bounces;
        for (struct mx_bounce *b = first; b; b = b->next)
                if (b->due_ms < first->due_ms)
                        first = b;
        return first;
}

void mx_bounce_run(void *arg)
{
        struct mx *m = arg;
        while (fiber_check(m->host->sched) == ERR_OK) {
                struct mx_bounce *b = first_due(m);
                if (b && b->due_ms <= host_now_ms(m->host)) {
                        try_bounce(m, b);
                        continue;
                }
                enum err e = waitq_wait(&m->desk, m->host->sched, b ? b->due_ms : FIBER_NEVER);
                if (e != ERR_OK && e != ERR_TIMEOUT)
                        break;
        }
}
