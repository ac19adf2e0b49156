/* SPDX-License-Identifier: ISC */
/* ptt bounces: deliveries that failed for good, what they say about members (list/judge.h) and what was done by it; and the
 * last bounce of one member. */
#include <inttypes.h>

#include "app/ptt_show.h"
#include "list/judge.h"
#include "list/said.h"
#include "store/judge.h"

/* ---- failures ---- */

static void put_reply(struct str reply)
{
        if (reply.n == 0)
                return;
        char text[STORE_REPLY_MAX];
        struct wr w;
        wr_init(&w, text, sizeof text);
        said_write(&w, reply, sizeof text);
        printf("  \"");
        show_text(wr_text(&w));
        printf("\"");
}

static void show_failure(struct show *s, const struct store_failure *f)
{
        struct str class = judge_class_name(judge_class_of(f->code, f->reply));
        if (s->json != NULL) {
                json_open(s->json, NULL, '{');
                json_str(s->json, "list", f->list_name);
                json_str(s->json, "domain", f->domain);
                json_str(s->json, "address", f->address);
                json_u64(s->json, "member", (uint64_t)f->member);
                json_u64(s->json, "message", (uint64_t)f->message);
                json_str(s->json, "message-id", f->message_id);
                json_time(s->json, "time", f->time_ms);
                json_u64(s->json, "code", f->code);
                json_str(s->json, "class", class);
                json_str(s->json, "reply", f->reply);
                json_close(s->json, '}');
        } else {
                printf("  ");
                show_time(f->time_ms);
                printf("  ");
                show_address(f->list_name, f->domain);
                printf("  ");
                show_text(f->address);
                printf("  ");
                show_text(class);
                put_reply(f->reply);
                printf("\n");
        }
}

static void show_failures(struct show *s)
{
        int64_t after = 0;
        size_t count = SHOW_PAGE, shown = 0;
        show_open_part(s, "failures");
        while (s->err == ERR_OK && count == SHOW_PAGE) {
                struct store_failure *rows;
                arena_reset(&s->page);
                s->err = store_failures(s->store, after, SHOW_PAGE, &s->page, &rows, &count);
                for (size_t i = 0; i < count; i++) {
                        after = rows[i].id;
                        if (!show_is_wanted(s, rows[i].list_name, rows[i].domain))
                                continue;
                        show_failure(s, &rows[i]);
                        shown++;
                }
        }
        show_close_part(s, shown);
}

/* ---- scores ---- */

static struct str probe_text(enum store_probe probe)
{
        return probe == STORE_PROBE_SENT       ? S("sent")
               : probe == STORE_PROBE_ACCEPTED ? S("accepted")
                                               : S("none");
}

static void score_text(const struct store_score *r, char text[16], struct str *out)
{
        struct wr w;
        wr_init(&w, text, 16);
        wr_u64(&w, (uint64_t)(r->halves > 0 ? r->halves / JUDGE_ONE : 0));
        wr_str(&w, r->halves % JUDGE_ONE ? S(".5") : S(".0"));
        *out = wr_text(&w);
}

static void show_score(struct show *s, const struct store_list *list, const struct store_score *r)
{
        char room[16];
        struct str score;
        score_text(r, room, &score);
        if (s->json != NULL) {
                json_open(s->json, NULL, '{');
                json_str(s->json, "list", list->name);
                json_str(s->json, "domain", list->domain);
                json_str(s->json, "address", r->address);
                json_u64(s->json, "member", (uint64_t)r->member);
                json_str(s->json, "score", score);
                json_u64(s->json, "days", (uint64_t)(r->days > 0 ? r->days : 0));
                json_str(s->json, "probe", probe_text(r->probe));
                if (r->probe != STORE_PROBE_NONE)
                        json_time(s->json, "probe-time", r->probe_ms);
                json_time(s->json, "time", r->seen_ms);
                json_str(s->json, "reply", r->reply);
                json_close(s->json, '}');
                return;
        }
        printf("  ");
        show_address(list->name, list->domain);
        printf("  ");
        show_text(r->address);
        printf("  score ");
        show_text(score);
        printf(" on %d day%s", r->days, r->days == 1 ? "" : "s");
        if (r->probe != STORE_PROBE_NONE) {
                printf("  probe ");
                show_text(probe_text(r->probe));
                printf(" ");
                show_time(r->probe_ms);
        }
        printf("  last ");
        show_time(r->seen_ms);
        put_reply(r->reply);
        printf("\n");
}

static void show_scores(struct show *s)
{
        int64_t after = 0;
        size_t count = SHOW_PAGE, shown = 0;
        show_open_part(s, "scores");
        while (s->err == ERR_OK && count == SHOW_PAGE) {
                struct store_score *rows;
                arena_reset(&s->page);
                s->err = store_scores(s->store, after, SHOW_PAGE, &s->page, &rows, &count);
                for (size_t i = 0; i < count && s->err == ERR_OK; i++) {
                        struct arena before = s->page;
                        struct store_list list;
                        after = rows[i].member;
                        s->err = store_list_get(s->store, rows[i].list, &s->page, &list);
                        if (s->err == ERR_OK && show_is_wanted(s, list.name, list.domain)) {
                                show_score(s, &list, &rows[i]);
                                shown++;
                        }
                        s->page.used = before.used;
                }
        }
        show_close_part(s, shown);
}

/* ---- what was done ---- */

static struct str verdict_text(enum store_verdict_kind kind)
{
        return kind == STORE_VERDICT_PROBED    ? S("probed")
               : kind == STORE_VERDICT_REMOVED ? S("removed")
                                               : S("breaker");
}

static void show_verdict(struct show *s, const struct store_verdict *v)
{
        if (s->json != NULL) {
                json_open(s->json, NULL, '{');
                json_str(s->json, "list", v->list_name);
                json_str(s->json, "domain", v->domain);
                json_str(s->json, "what", verdict_text(v->kind));
                json_str(s->json, "address", v->address);
                json_u64(s->json, "member", (uint64_t)v->member);
                json_time(s->json, "time", v->time_ms);
                json_str(s->json, "reply", v->reply);
                json_close(s->json, '}');
                return;
        }
        printf("  ");
        show_time(v->time_ms);
        printf("  ");
        show_address(v->list_name, v->domain);
        printf("  ");
        show_text(verdict_text(v->kind));
        printf("  ");
        show_text(v->address);
        put_reply(v->reply);
        printf("\n");
}

static void show_verdicts(struct show *s)
{
        struct store_verdicts_wanted wanted = {.upto = INT64_MAX, .limit = SHOW_PAGE};
        size_t count = SHOW_PAGE, shown = 0;
        show_open_part(s, "verdicts");
        while (s->err == ERR_OK && count == SHOW_PAGE) {
                struct store_verdict *rows;
                arena_reset(&s->page);
                s->err = store_verdicts(s->store, &wanted, &s->page, &rows, &count);
                for (size_t i = 0; i < count; i++) {
                        wanted.after = rows[i].id;
                        if (!show_is_wanted(s, rows[i].list_name, rows[i].domain))
                                continue;
                        show_verdict(s, &rows[i]);
                        shown++;
                }
        }
        show_close_part(s, shown);
}

void show_bounces(struct show *s)
{
        show_failures(s);
        show_scores(s);
        show_verdicts(s);
}

/* ---- one bounce ---- */

/* The member of that address or number who failed last, also one who is no member any more; 0: nobody. */
static int64_t find_member(struct show *s, struct str who, struct str *reply)
{
        int64_t after = 0, found = 0;
        size_t count = SHOW_PAGE;
        uint64_t number = 0;
        bool is_number = str_to_u64(who, INT64_MAX, &number) == ERR_OK;
        while (s->err == ERR_OK && count == SHOW_PAGE) {
                struct store_failure *rows;
                arena_reset(&s->page);
                s->err = store_failures(s->store, after, SHOW_PAGE, &s->page, &rows, &count);
                for (size_t i = 0; i < count && s->err == ERR_OK; i++) {
                        after = rows[i].id;
                        if (rows[i].member == 0 || !show_is_wanted(s, rows[i].list_name, rows[i].domain) ||
                                !(is_number ? rows[i].member == (int64_t)number
                                            : str_eq_nocase(rows[i].address, who)))
                                continue;
                        found = rows[i].member;
                        s->err = arena_copy(&s->ptt->arena, rows[i].reply, reply);
                }
        }
        return found;
}

static void print_lines(struct str text)
{
        while (text.n > 0) {
                struct str line;
                (void)str_cut(text, '\n', &line, &text);
                line.n -= line.n > 0 && line.p[line.n - 1] == '\r';
                show_text(line);
                printf("\n");
        }
}

int show_bounce(struct show *s, struct str who)
{
        struct str reply = S(""), bytes;
        int64_t member = find_member(s, who, &reply);
        if (s->err == ERR_OK && member == 0)
                return ptt_say(1, "nothing failed for", who);
        if (s->err == ERR_OK) {
                arena_reset(&s->page);
                s->err = store_bounce_get(s->store, member, &s->page, &bytes);
        }
        if (s->err != ERR_OK && s->err != ERR_NOT_FOUND)
                return ptt_trouble(s->ptt, s->err);
        print_lines(s->err == ERR_OK ? bytes : reply);
        return 0;
}
