/* SPDX-License-Identifier: ISC */
/* The path of a message, told in lines of text: for `ptt why`, and for the answer of NAME-why. What was found and decided
 * at arrival is written once, as the trace that the store keeps; state and results are added when somebody asks. Pure.
 *
 * Each line is "word: what is said of it", ends with LF, and holds no control character, whatever strangers sent. */
#ifndef LIST_WHY_H
#define LIST_WHY_H

#include <stdbool.h>
#include <stdint.h>

#include "auth/evaluate.h"
#include "base/str.h"
#include "base/wr.h"
#include "list/posting.h"

#define WHY_TRACE_MAX 2048 /* octets of a trace */
#define WHY_LINE_MAX 2048  /* room for what why_result_write writes */
#define WHY_HEAD_MAX 8192  /* room for what why_head_write writes */

struct why_arrival {
        const struct evaluate *evaluate; /* settled; its verdicts are told: author, spf, dkim, dmarc, arc */
        struct str posting;              /* the setting in force: the rule */
        struct posting_author author;    /* what was looked up of the author */
        struct posting_answer answer;    /* the decision */
        struct str text;                 /* of posting_judge; its first line is told */
};
/* The trace of a message at its final dot; what does not fit is left out, line by line. Callers add lines such as
 * "from: rewritten" by why_line_write. */
void why_trace_write(struct wr *w, const struct why_arrival *arrival);
/* One "word: text" line, of what stands before the first line end of `text`: at most 1024 octets, control characters
 * as "?". All of it or nothing. `word` is ours. */
void why_line_write(struct wr *w, struct str word, struct str text);

struct why_message {
        struct str list;       /* "ptt@mailingl.st" */
        struct str message_id; /* with or without brackets */
        struct str sender;     /* of the envelope; empty for <> */
        struct str state;      /* "waiting for a moderator", "open", "signed", "done" and the like */
        int64_t received_ms;
        uint64_t left;    /* members who are still to get it */
        struct str trace; /* as the store keeps it */
};
void why_head_write(struct wr *w, const struct why_message *message);

struct why_result {
        struct str address;
        bool is_delivered;
        unsigned code;    /* of the last reply; 0: there was none */
        struct str reply; /* its text, with or without the code; its lines are told as one */
        int64_t time_ms;
};
/* "2026-11-23T02:40:00.000Z delivered bob@example.net: 250 2.0.0 ok" */
void why_result_write(struct wr *w, const struct why_result *result);

#endif
