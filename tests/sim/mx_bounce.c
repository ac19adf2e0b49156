/* SPDX-License-Identifier: ISC */
/* Bounces: a mail host that has taken a message says later that it could not be delivered (RFC 3464). */
#include <stdlib.h>

#include "tests/sim/buffer.h"
#include "tests/sim/mx_inside.h"
#include "tests/sim/talk.h"

#define MINUTE_MS (60 * 1000)
#define RETRY_MS (10 * MINUTE_MS)
#define ATTEMPTS_MAX 50

void mx_bounce_later(struct mx *m, struct str from, struct str recipient)
{
        struct mx_bounce **end = &m->bounces;
        if (!mx_chance(m, m->temper.bounce) || from.n == 0 || m->config.server.ip.family == 0)
                return;
        int64_t after_ms = m->temper.bounce_ms > 0
                                   ? m->temper.bounce_ms
                                   : sim_random_between(&m->random, MINUTE_MS, 60 * MINUTE_MS);
        while (*end)
                end = &(*end)->next;
        *end = calloc(1, sizeof **end);
        CHECK(*end);
        (*end)->to = str_copy(from);
        (*end)->about = str_copy(recipient);
        (*end)->due_ms = host_now_ms(m->host) + after_ms;
        waitq_wake_all(&m->desk);
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

static void write_report(const struct mx *m, const struct mx_bounce *b, struct buffer *out)
{
        buffer_print(out, "From: Mail system <mailer-daemon@%s>\r\nTo: <%.*s>\r\n", m->config.name,
                STR_ARG(b->to));
        buffer_put(out, S("Subject: Undelivered mail\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
                          "Content-Type: multipart/report; report-type=delivery-status; boundary=part\r\n\r\n"
                          "--part\r\nContent-Type: text/plain\r\n\r\nIt could not be delivered.\r\n\r\n"
                          "--part\r\nContent-Type: message/delivery-status\r\n\r\n"));
        buffer_print(out, "Reporting-MTA: dns; %s\r\n\r\nFinal-Recipient: rfc822; %.*s\r\nAction: failed\r\n",
                m->config.name, STR_ARG(b->about));
        buffer_put(
                out, S("Status: 5.2.2\r\nDiagnostic-Code: smtp; 552 5.2.2 mailbox full\r\n\r\n--part--\r\n"));
}

/* Gives the answer that decided, or 0. */
static unsigned send_report(struct mx *m, const struct mx_bounce *b)
{
        struct talk t;
        struct buffer report = {0};
        unsigned code = talk_open(&t, m->host, &m->config.server, NULL);
        if (code / 100 == 2)
                code = talk_hello(&t, m->config.name);
        if (code / 100 == 2)
                code = talk_ask(&t, "MAIL FROM:<>");
        if (code / 100 == 2)
                code = talk_ask(&t, "RCPT TO:<%.*s>", STR_ARG(b->to));
        if (code / 100 == 2)
                code = talk_ask(&t, "DATA");
        if (code == 354) {
                write_report(m, b, &report);
                (void)talk_message(&t, buffer_text(&report));
                code = talk_reply(&t);
        }
        buffer_free(&report);
        talk_quit(&t);
        return code;
}

static void try_bounce(struct mx *m, struct mx_bounce *b)
{
        unsigned code = send_report(m, b);
        ledger_trace(m->config.ledger, m->config.name, "bounce of %.*s to %.*s answered %u",
                STR_ARG(b->about), STR_ARG(b->to), code);
        if (code / 100 == 5)
                ledger_violate(m->config.ledger, "bounced", "a bounce of %s for %.*s was answered %u at %.*s",
                        m->config.name, STR_ARG(b->about), code, STR_ARG(b->to));
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
