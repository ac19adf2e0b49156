/* SPDX-License-Identifier: ISC */
/* What the files of the server engine share; for them alone. */
#ifndef SMTP_SERVER_PARTS_H
#define SMTP_SERVER_PARTS_H

#include "smtp/server.h"

/* What one step of a state came to. */
enum server_step {
        SERVER_STEP_EVENT, /* `*event` is filled */
        SERVER_STEP_MORE,  /* something was done: step again */
        SERVER_STEP_WAIT   /* nothing more without bytes, or without room for a reply */
};

struct str server_unread(const struct smtp_server *s);
void server_consume(struct smtp_server *s, size_t n);
bool server_has_room(const struct smtp_server *s); /* for any reply of ours and a last 421 */

void server_write(struct smtp_server *s, const struct smtp_reply *reply);
/* Say something of the engine's own. */
void server_say(struct smtp_server *s, uint16_t code, uint16_t subject, uint16_t detail, struct str text);
/* The same, counted as an error of the client: too many end the session. */
void server_refuse(struct smtp_server *s, uint16_t code, uint16_t subject, uint16_t detail, struct str text);
/* Count a command that moved nothing: too many end the session. */
void server_idle(struct smtp_server *s);
void server_close_for_errors(struct smtp_server *s);
/* End the transaction, if there is one: RESET is given next. */
void server_reset(struct smtp_server *s, enum smtp_server_reset why);
void server_close(struct smtp_server *s, enum smtp_server_closed why);

/* Give an event that wants a reply; `held` bytes of the input are borrowed until it came. */
enum server_step server_ask(struct smtp_server *s, enum smtp_server_event_kind kind, size_t held,
        struct smtp_server_event *event);

/* The steps of the states that read. */
enum server_step server_command_step(struct smtp_server *s, struct smtp_server_event *event);
enum server_step server_skip_step(struct smtp_server *s, struct smtp_server_event *event);
enum server_step server_data_step(struct smtp_server *s, struct smtp_server_event *event);
enum server_step server_drop_step(struct smtp_server *s, struct smtp_server_event *event);
enum server_step server_chunk_step(struct smtp_server *s, struct smtp_server_event *event);

void server_data_begin(struct smtp_server *s, int64_t now_ms); /* 354 was said */
void server_data_time(struct smtp_server *s, int64_t now_ms);  /* what comes has its time from now on */
/* Text of the message becomes a BODY event; it stands for the first `held` unread bytes. */
enum server_step server_give_text(
        struct smtp_server *s, struct str text, size_t held, bool ends_line, struct smtp_server_event *event);
/* The message is complete; the first `held` unread bytes are its end. */
enum server_step server_end_message(struct smtp_server *s, size_t held, struct smtp_server_event *event);
enum server_step server_stray_in_message(struct smtp_server *s);
/* The longest run of whole lines and the clean part of a last one at the head of `in`, dots being nothing special; it
 * ends before a stray, and before a CR at the end of `in`. */
size_t server_clean_run(struct str in, bool *at_line_start);

/* BDAT, whose line is `line_n` bytes; and the caller's answer to its DATA event. */
enum server_step server_bdat(
        struct smtp_server *s, struct str arguments, size_t line_n, struct smtp_server_event *event);
void server_chunk_answer(struct smtp_server *s, const struct smtp_reply *reply, int64_t now_ms);
/* The banner, or the answer to HELO or EHLO: our host name, the caller's words, and to EHLO the extensions. */
void server_say_named(struct smtp_server *s, const struct smtp_reply *reply, bool has_extensions);

#endif
