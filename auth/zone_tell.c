/* SPDX-License-Identifier: ISC */
/* What the zone machine says: events, reasons, and failures in words. */
#include <string.h>

#include "auth/zone_internal.h"
#include "base/time_text.h"
#include "dns/code.h"

static size_t copy_text(char *to, size_t cap, struct str text)
{
        size_t n = text.n < cap ? text.n : cap;
        if (n > 0)
                memcpy(to, text.p, n);
        return n;
}

void zone_tell(struct zone *z, enum zone_event_kind kind, struct str selector, struct str detail)
{
        if (z->event_n == ZONE_EVENTS_MAX) { /* nobody takes them: the newest matter */
                memmove(z->events, z->events + 1, (ZONE_EVENTS_MAX - 1) * sizeof z->events[0]);
                z->event_n--;
        }
        struct zone_event *event = &z->events[z->event_n++];
        event->kind = kind;
        event->selector_n = copy_text(event->selector, sizeof event->selector, selector);
        event->detail_n = copy_text(event->detail, sizeof event->detail, detail);
}

bool zone_take_event(struct zone *z, struct zone_event *out)
{
        if (z->event_n == 0)
                return false;
        *out = z->events[0];
        z->event_n--;
        memmove(z->events, z->events + 1, z->event_n * sizeof z->events[0]);
        return true;
}

struct wr zone_reason_begin(struct zone *z, enum zone_lack lack)
{
        struct wr w;
        z->lack = lack;
        wr_init(&w, z->reason, sizeof z->reason);
        return w;
}

void zone_reason_end(struct zone *z, const struct wr *w)
{
        z->reason_n = w->n;
}

struct str zone_reason(const struct zone *z)
{
        return str_of(z->reason, z->reason_n);
}

void zone_fail(struct zone *z)
{
        int64_t longer = z->trouble_rest_s == 0 ? ZONE_TROUBLE_REST_MIN_S : 2 * z->trouble_rest_s;
        int64_t most = zone_usual_rest_s(z);
        if (!z->is_failed)
                z->trouble_rest_s = longer < most ? longer : most;
        z->is_failed = true;
        zone_tell(z, ZONE_EVENT_TROUBLE, S(""), zone_reason(z));
}

void zone_trouble(struct zone *z)
{
        zone_fail(z);
        zone_rest(z, z->trouble_rest_s);
}

void zone_write_failure(struct wr *w, enum err e, const struct dns_answer *answer)
{
        if (e == ERR_OK)
                wr_str(w, S("no such record"));
        else if (e == ERR_DENIED && answer->rcode != DNS_RCODE_NOERROR)
                wr_str(w, dns_rcode_text(answer->rcode));
        else if (e == ERR_DENIED)
                wr_str(w, S("the server has no authority for it"));
        else
                wr_str(w, str_of_c(err_text(e)));
}

bool zone_answer_failed(struct zone *z, const struct dns_name *name, uint16_t type, enum err e,
        const struct dns_answer *answer)
{
        bool is_alias = zone_is_alias(name, e, answer);
        if (e == ERR_OK && !is_alias)
                return false;
        struct wr w = zone_reason_begin(z, ZONE_LACK_UNREACHABLE);
        wr_str(&w, S("the primary name server was asked for "));
        dns_name_write(&w, name);
        wr_byte(&w, ' ');
        wr_str(&w, dns_type_text(type));
        wr_str(&w, S(": "));
        if (is_alias)
                wr_str(&w, S("there is an alias"));
        else
                zone_write_failure(&w, e, answer);
        zone_reason_end(z, &w);
        zone_trouble(z);
        return true;
}

static void write_clock(struct wr *w, struct str whose, uint64_t unix_s)
{
        wr_str(w, whose);
        time_write_rfc3339(w, (int64_t)unix_s * 1000);
}

void zone_write_update_failure(struct wr *w, const struct zone_update_result *r)
{
        if (r->status == ZONE_UPDATE_LOST) {
                wr_str(w, S("the update got no answer that counts: "));
                wr_str(w, str_of_c(err_text(r->err)));
                return;
        }
        wr_str(w, S("the primary name server refused the update: "));
        wr_str(w, dns_rcode_text(r->rcode));
        if (r->tsig_error != 0) {
                wr_str(w, S(", TSIG "));
                wr_str(w, dns_tsig_error_text(r->tsig_error));
        }
        if (r->server_time_s != 0 && r->server_time_s <= TIME_UNIX_MAX) {
                write_clock(w, S(", its clock says "), r->server_time_s);
                write_clock(w, S(", ours "), r->our_time_s);
        }
        if (r->status == ZONE_UPDATE_CLAIMED)
                wr_str(w, S(" (an answer without a right signature)"));
}
