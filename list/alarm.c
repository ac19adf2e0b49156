/* SPDX-License-Identifier: ISC */
#include "list/alarm.h"

#include "base/check.h"

struct str alarm_name(enum alarm alarm)
{
        static const struct str names[ALARMS] = {
                [ALARM_SIGNER_AWAY] = {"signer-away", 11},
                [ALARM_SIGNER_REFUSES] = {"signer-refuses", 14},
                [ALARM_DISK_FULL] = {"disk-full", 9},
                [ALARM_RECORDS] = {"dns-records", 11},
                [ALARM_QUEUE_STUCK] = {"queue-stuck", 11},
                [ALARM_CERTIFICATE_ENDS] = {"certificate-ends", 16},
        };
        CHECK((size_t)alarm < ALARMS);
        return names[alarm];
}

/* ---- what holds ---- */

static enum alarm_sign sign_of(bool is_yes, bool is_no)
{
        return is_yes ? ALARM_YES : is_no ? ALARM_NO : ALARM_UNSURE;
}

static enum alarm_sign judge_signer(const struct alarm_facts *f)
{
        bool is_well = f->unsigned_messages == 0 || f->has_signed;
        return sign_of(!is_well && f->unsigned_for_ms >= ALARM_QUIET_MS, is_well);
}

static enum alarm_sign judge_disk(const struct alarm_facts *f)
{
        double share = f->spool_limit > 0 ? 100.0 * (double)f->spool_used / (double)f->spool_limit : 100.0;
        return sign_of(
                f->is_tight || share >= ALARM_FULL_PERCENT, !f->is_tight && share < ALARM_FULL_OVER_PERCENT);
}

static enum alarm_sign judge_records(const struct alarm_facts *f)
{
        return sign_of(
                f->is_records_known && f->records_bad > 0, f->is_records_known && f->records_unknown == 0);
}

static enum alarm_sign judge_queue(const struct alarm_facts *f)
{
        bool is_well = f->oldest_age_ms < ALARM_OLD_MS || f->has_delivered;
        return sign_of(!is_well && f->undelivered_ms >= ALARM_QUIET_MS, is_well);
}

void alarms_judge(const struct alarm_facts *facts, enum alarm_sign out[ALARMS])
{
        out[ALARM_SIGNER_AWAY] = judge_signer(facts);
        out[ALARM_SIGNER_REFUSES] = sign_of(facts->refused_messages > 0, true);
        out[ALARM_DISK_FULL] = judge_disk(facts);
        out[ALARM_RECORDS] = judge_records(facts);
        out[ALARM_QUEUE_STUCK] = judge_queue(facts);
        out[ALARM_CERTIFICATE_ENDS] = sign_of(facts->certificate_s <= ALARM_CERTIFICATE_S, true);
}

/* ---- what is told ---- */

/* A clock that was put back makes no day longer. */
static bool may_tell(const struct alarm_row *row, int64_t now_ms)
{
        return row->told_ms == 0 || now_ms < row->told_ms || now_ms - row->told_ms >= ALARM_TOLD_MS;
}

enum alarm_step alarm_step(
        const struct alarm_row *before, enum alarm_sign sign, int64_t now_ms, struct alarm_row *after)
{
        bool is_on = sign == ALARM_UNSURE ? before->is_on : sign == ALARM_YES;
        *after = *before;
        after->is_on = is_on;
        if (is_on != before->is_on)
                after->since_ms = now_ms;
        if (is_on && !before->is_told && may_tell(before, now_ms)) {
                after->is_told = true;
                after->told_ms = now_ms;
                return ALARM_TELL;
        }
        if (!is_on && before->is_told) {
                after->is_told = false;
                return ALARM_TELL_OVER;
        }
        return is_on != before->is_on ? ALARM_KEEP : ALARM_SAME;
}

/* ---- in words ---- */

static const struct {
        const char *subject, *over, *text;
} words[ALARMS] = {
        [ALARM_SIGNER_AWAY] = {"no signer takes mail", "a signer takes mail again",
                "Mail waits to be signed, and for an hour no handover to a signer worked. Nothing is lost, "
                "but nothing\n"
                "goes out. Look whether nec runs, reaches its name server and can be reached from here.\n"},
        [ALARM_SIGNER_REFUSES] = {"a signer refuses mail", "no mail is refused by a signer any more",
                "A signer answered for good that it does not sign some mail. It stays here and is tried "
                "again. Look\n"
                "whether --domain and --authserv-id are the same here and at nec; what must not go out is "
                "ended by\n"
                "\"drop\" and its number.\n"},
        [ALARM_DISK_FULL] = {"the image is nearly full", "there is room in the image again",
                "When the image is full, mail is refused with 452 until there is room again. ptt grow makes "
                "it larger;\n"
                "the queue shows what fills it.\n"},
        [ALARM_RECORDS] = {"records are missing in the DNS", "the records in the DNS are complete",
                "Without them mail of our lists is refused elsewhere, or none comes in. ptt dns prints what "
                "the zone\n"
                "needs.\n"},
        [ALARM_QUEUE_STUCK] = {"no mail goes out", "mail goes out again",
                "Mail has waited for more than a day, and for an hour none was delivered to anyone. Look "
                "whether port\n"
                "25 is open outwards, whether names are resolved, and what the replies in the queue say.\n"},
        [ALARM_CERTIFICATE_ENDS] = {"the TLS certificate ends soon", "the TLS certificate is renewed",
                "The TLS certificate that lipap was given ends in less than two weeks. Renew it, and start "
                "lipap again.\n"},
};

void alarm_subject_write(struct wr *w, enum alarm alarm, bool is_over, struct str hostname)
{
        CHECK((size_t)alarm < ALARMS);
        wr_str(w, str_take(hostname, ALARM_SUBJECT_MAX / 2));
        wr_str(w, S(": "));
        wr_str(w, str_of_c(is_over ? words[alarm].over : words[alarm].subject));
}

void alarm_text_write(struct wr *w, enum alarm alarm, bool is_over, struct str detail)
{
        CHECK((size_t)alarm < ALARMS);
        if (is_over)
                wr_str(w, S("What was told before is over: "));
        wr_str(w, str_of_c(is_over ? words[alarm].over : words[alarm].text));
        if (is_over)
                wr_str(w, S(".\n"));
        if (detail.n > 0)
                wr_byte(w, '\n');
        wr_str(w, detail);
        wr_str(w, S("\nalarm: "));
        wr_str(w, alarm_name(alarm));
        wr_str(w, S(" (docs/operating.md tells more)\n"));
}
