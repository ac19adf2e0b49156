/* SPDX-License-Identifier: ISC */
/* Alarms: what needs a person. From facts it is judged whether each holds; from that and from what the admin was told before
 * it follows what the admin is to be told now. Pure: no clock, no store, no mail.
 *
 * An occurrence is told once when it begins and once when it is over; of one alarm at most one occurrence a day is told,
 * so one that comes and goes is told again when it still holds, or holds again, a day later. */
#ifndef LIST_ALARM_H
#define LIST_ALARM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "base/wr.h"

enum alarm {
        ALARM_SIGNER_AWAY,    /* signer-away: mail waits, and for an hour no handover to a signer worked */
        ALARM_SIGNER_REFUSES, /* signer-refuses: a signer answered 5yz for mail that waits */
        ALARM_DISK_FULL,      /* disk-full: from 90 % of the spool on, until it is below 85 % again */
        ALARM_RECORDS,        /* dns-records: records of a domain are missing or wrong */
        ALARM_QUEUE_STUCK, /* queue-stuck: mail is older than a day, and for an hour nothing of what is new was delivered */
        ALARM_CERTIFICATE_ENDS, /* certificate-ends: the TLS certificate that was given ends within 14 days */
        ALARMS
};
struct str alarm_name(enum alarm alarm);

#define ALARM_QUIET_MS (60LL * 60 * 1000)    /* without a success, before it is called one */
#define ALARM_OLD_MS (24LL * 60 * 60 * 1000) /* mail that waits so long is old */
#define ALARM_FULL_PERCENT 90                /* of the spool */
#define ALARM_FULL_OVER_PERCENT 85
#define ALARM_CERTIFICATE_S (14LL * 24 * 60 * 60)
#define ALARM_TOLD_MS (24LL * 60 * 60 * 1000) /* between two occurrences of one alarm that are told */

struct alarm_facts {
        uint64_t unsigned_messages; /* that wait for a signer */
        uint64_t refused_messages;  /* of these, answered with 5yz */
        bool has_signed;            /* a handover worked since the last look */
        int64_t unsigned_for_ms;    /* how long, as far as was watched, mail waits and no handover worked */
        uint64_t spool_used, spool_limit; /* in bytes */
        bool is_tight;                    /* the database has no room left to grow */
        unsigned records_bad, records_unknown;
        bool is_records_known;  /* they were looked at */
        int64_t oldest_age_ms;  /* of the oldest message that is not done; 0: none */
        bool has_delivered;     /* since the last look */
        int64_t undelivered_ms; /* how long, as far as was watched, mail was signed and none was delivered */
        int64_t certificate_s;  /* until its end, when one was given; else INT64_MAX */
};
/* What holds. UNSURE: neither it nor its end can be told yet, so what was known goes on. */
enum alarm_sign { ALARM_NO, ALARM_YES, ALARM_UNSURE };
void alarms_judge(const struct alarm_facts *facts, enum alarm_sign out[ALARMS]);

/* What is kept of each alarm; all zeros at first. */
struct alarm_row {
        bool is_on, is_told; /* told: the admin believes that it is on */
        int64_t since_ms;    /* when it came, or went */
        int64_t told_ms;     /* when the admin was last told that it came; 0: never */
};
enum alarm_step {
        ALARM_SAME,     /* nothing to do: the row is as it was */
        ALARM_KEEP,     /* the row changed, nothing is to be told (yet) */
        ALARM_TELL,     /* tell the admin that it is on */
        ALARM_TELL_OVER /* and that it is over */
};
/* From `before` to `*after`, which is to be kept together with what is told. */
enum alarm_step alarm_step(
        const struct alarm_row *before, enum alarm_sign sign, int64_t now_ms, struct alarm_row *after);

/* Of the mail that tells: its subject, and what it says, with lines that end in LF. `detail` is what there is to say of
 * this occurrence, lines of text, or empty. At most ALARM_SUBJECT_MAX, ALARM_TEXT_MAX and the detail. */
#define ALARM_SUBJECT_MAX 200
#define ALARM_TEXT_MAX 1024
void alarm_subject_write(struct wr *w, enum alarm alarm, bool is_over, struct str hostname);
void alarm_text_write(struct wr *w, enum alarm alarm, bool is_over, struct str detail);

#endif
