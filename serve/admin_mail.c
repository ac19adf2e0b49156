/* SPDX-License-Identifier: ISC */
#include "serve/admin_mail.h"

#include <stdlib.h>

#include "base/arena.h"
#include "mail/build.h"
#include "mail/message_id.h"
#include "mail/transfer.h"
#include "serve/arrival.h"
#include "serve/mailer.h"

#define HEADER_MAX 8192
#define RANDOM_BYTES 16
/* Quoted-printable takes three octets for one, and each 25 of these a soft line end of three more. */
#define WRITTEN_MAX(n) (4 * (n) + HEADER_MAX)

struct admin_letter {
        struct lipap *node;
        struct store_intake *intake;
        struct store_message_new row; /* borrows from what is below, and from the node */
        char ticket[32], front[MAIL_LINE_MAX], message_id[MAIL_LINE_MAX];
};

bool admin_mail_goes_unsigned(const struct lipap *node)
{
        return node->is_signer_away || node->alarms[ALARM_SIGNER_AWAY] || node->alarms[ALARM_SIGNER_REFUSES];
}

/* ---- the message ---- */

static enum err build_people(const struct lipap *node, struct wr *w)
{
        struct mail_person from = {.display = S("ptt")}, to = {0};
        char text[SMTP_PATH_MAX + 16];
        struct wr address;
        wr_init(&address, text, sizeof text);
        wr_str(&address, S("postmaster@"));
        wr_str(&address, node->domains[0].name);
        enum err e = mail_mailbox_parse(wr_text(&address), MAIL_ASCII, &from.address);
        if (e == ERR_OK)
                e = mail_mailbox_parse(node->admin, MAIL_ASCII, &to.address);
        if (e == ERR_OK)
                e = mail_build_persons(w, S("From"), &from, 1);
        return e == ERR_OK ? mail_build_persons(w, S("To"), &to, 1) : e;
}

/* In-Reply-To and References (RFC 5322 3.6.4); an id that is too long for a line has no answer. */
static void build_answers(struct wr *w, struct str id)
{
        static const struct str names[] = {{"In-Reply-To", 11}, {"References", 10}};
        for (size_t i = 0; i < 2 && mail_message_id_is_valid(id); i++) {
                struct mail_build b;
                mail_build_begin(&b, w, names[i]);
                mail_build_word(&b, id);
                if (mail_build_end(&b) != ERR_OK)
                        return;
        }
}

static enum err build_id(struct admin_letter *l, int64_t now_ms, struct wr *w)
{
        uint8_t random[RANDOM_BYTES];
        size_t begin = w->n;
        struct wr kept;
        host_random(l->node->host, random, sizeof random);
        enum err e =
                mail_build_message_id(w, str_of(random, sizeof random), now_ms, l->node->domains[0].name);
        struct str field = str_skip(wr_text(w), begin);
        wr_init(&kept, l->message_id, sizeof l->message_id);
        wr_str(&kept, str_trim(str_skip(field, str_find_byte(field, '<'))));
        l->row.message_id = wr_text(&kept);
        return e;
}

static enum err build(struct admin_letter *l, const struct admin_mail *mail, int64_t now_ms, struct wr *w)
{
        struct mail_quoted_out out;
        enum err e = build_people(l->node, w);
        if (e == ERR_OK)
                e = mail_build_unstructured(w, S("Subject"), mail->subject);
        if (e == ERR_OK)
                e = mail_build_date(w, now_ms / 1000);
        if (e == ERR_OK)
                e = build_id(l, now_ms, w);
        if (e != ERR_OK)
                return e;
        build_answers(w, mail->answers);
        wr_str(w, mail->answers.n > 0 ? S("Auto-Submitted: auto-replied\r\n")
                                      : S("Auto-Submitted: auto-generated\r\n")); /* RFC 3834 5 */
        wr_str(w, S("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
                    "Content-Transfer-Encoding: quoted-printable\r\n\r\n"));
        mail_quoted_out_init(&out, w);
        mail_quoted_out_write(&out, str_take(mail->text, ADMIN_MAIL_TEXT_MAX));
        mail_quoted_out_write(&out, mail->text.n > ADMIN_MAIL_TEXT_MAX ? S("\n(cut here)\n") : S("\n"));
        return wr_end(w);
}

/* ---- its way to the disk ---- */

static void describe(struct admin_letter *l, const struct admin_mail *mail, int64_t now_ms, struct str front)
{
        struct str id = l->row.message_id;
        l->row = (struct store_message_new){
                .ticket = arrival_random(l->node->host, l->ticket, sizeof l->ticket, RANDOM_BYTES),
                .kind = STORE_FORWARD,
                .domain = l->node->domains[0].name,
                .message_id = id,
                .front = front,
                .received_ms = now_ms,
                .recipients = &l->node->admin,
                .recipient_count = 1,
                .is_unsigned = mail->is_unsigned};
}

static enum err write_letter(struct admin_letter *l, const struct admin_mail *mail, struct wr *w)
{
        int64_t now_ms = host_wall_ms(l->node->host);
        struct wr front;
        wr_init(&front, l->front, sizeof l->front);
        enum err e = build(l, mail, now_ms, w);
        if (e == ERR_OK)
                e = mailer_front_write(l->node, now_ms, &front);
        if (e == ERR_OK)
                e = store_intake_begin(l->node->store, w->n, &l->intake);
        if (e == ERR_OK)
                e = store_intake_write(l->intake, wr_text(w));
        if (e == ERR_OK)
                e = store_intake_sync(l->intake);
        describe(l, mail, now_ms, wr_text(&front));
        return e;
}

enum err admin_mail_write(struct lipap *node, const struct admin_mail *mail, struct admin_letter **out)
{
        size_t n = mail->text.n < ADMIN_MAIL_TEXT_MAX ? mail->text.n : ADMIN_MAIL_TEXT_MAX;
        struct admin_letter *l = calloc(1, sizeof *l);
        char *memory = malloc(WRITTEN_MAX(n));
        struct wr w;
        enum err e = ERR_MEMORY;
        if (l && memory) {
                wr_init(&w, memory, WRITTEN_MAX(n));
                l->node = node;
                e = write_letter(l, mail, &w);
        }
        free(memory);
        if (e != ERR_OK && l) {
                store_intake_abort(l->intake);
                free(l);
        }
        *out = e == ERR_OK ? l : NULL;
        return e;
}

enum err admin_mail_add(struct admin_letter *letter)
{
        int64_t id;
        return store_intake_add(letter->intake, &letter->row, &id);
}

void admin_mail_end(struct admin_letter *letter, bool is_kept)
{
        struct lipap *node = letter->node;
        store_intake_abort(letter->intake);
        if (is_kept)
                bell_ring(letter->row.is_unsigned ? &node->delivery_bell : &node->handover_bell);
        free(letter);
}
